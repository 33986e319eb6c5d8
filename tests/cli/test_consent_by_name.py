"""A consent that a system keeps under a name: what is heard where that name is mistyped."""

from __future__ import annotations

from pathlib import Path

from tests.cli.played import Played, mapped_consent, played

OUT = "consent.email.marketing=opted_out"


def newsletter(hub: Played, name: str) -> None:
    """HubSpot has the subscription `Newsletter`, and the hub's file calls it `name`."""
    hub.marketing.add_subscription("Newsletter")
    mapped_consent(hub, "marketing", f"email.marketing: {{subscription: {name}}}")


def ann_opts_out(hub: Played) -> None:
    hub.people()
    assert hub.say("sync", "--approve-first").code == 0
    assert hub.say("contacts", "edit", "ann@example.com", OUT).code == 0


def standing(hub: Played) -> dict[str, str]:
    systems = hub.say("contacts", "show", "ann@example.com", "--json").json["systems"]
    return next(one for one in systems if one["connection"] == "marketing")


def test_live_tells_a_mistyped_subscription_at_its_line_with_the_near_one(desk: Path) -> None:
    with played(desk) as hub:
        newsletter(hub, "Newsleter")
        hub.marketing.add_subscription("Product news")
        said = hub.say("check", "--live")
        assert (said.code, "HubSpot has no subscription `Newsleter` in contacts" in said.out) == (2, True)
        assert "connections/marketing.yaml:5:" in said.out and "TU-CFG-080" in said.out
        assert "did you mean `Newsletter`?" in said.out and "Newsletter, Product news" in said.out


def test_live_agrees_with_a_subscription_that_is_there(desk: Path) -> None:
    with played(desk) as hub:
        newsletter(hub, "Newsletter")
        assert hub.say("check", "--live").code == 0


def test_live_tells_a_subscription_where_the_account_has_none(desk: Path) -> None:
    with played(desk) as hub:
        file, said = desk / "config/connections/sales.yaml", "email.marketing: {subscription: Newsletter}"
        file.write_text(file.read_text("utf-8") + f"    consent: {{{said}}}\n", "utf-8")
        said = hub.say("check", "--live")
        assert "Salesforce has no subscription `Newsletter` in Lead" in said.out
        assert "there is none that this account sees" in said.out


def test_live_tells_a_tag_where_the_system_has_no_tags(desk: Path) -> None:
    with played(desk) as hub:
        mapped_consent(hub, "marketing", "email.marketing: {tag: no_marketing}")
        said = hub.say("check", "--live")
        assert (said.code, "HubSpot has no field `tags` in contacts" in said.out) == (2, True)


def test_plan_and_sync_note_a_consent_that_the_system_does_not_have(desk: Path) -> None:
    with played(desk) as hub:
        newsletter(hub, "Newsleter")
        for command in ("plan", "sync"):
            said = hub.say(command)
            assert "marketing contacts: there is no `subscription.Newsleter`" in said.out, said.out


def test_an_opt_out_that_cannot_be_kept_under_that_name_is_a_failure_and_not_in_step(desk: Path) -> None:
    with played(desk) as hub:
        newsletter(hub, "Newsleter")
        ann_opts_out(hub)
        assert standing(hub)["stands"] == "not decided"
        hub.say("sync")
        assert "HubSpot has no subscription named Newsleter" in standing(hub)["because"]
        assert "HubSpot has no subscription named Newsleter" in hub.say("failures").out


def test_the_opt_out_arrives_once_the_name_is_right(desk: Path) -> None:
    with played(desk) as hub:
        newsletter(hub, "Newsleter")
        ann_opts_out(hub)
        hub.say("sync")
        file = desk / "config/connections/marketing.yaml"
        file.write_text(file.read_text("utf-8").replace("Newsleter", "Newsletter"), "utf-8")
        hub.say("sync")
        id = hub.marketing.portal.holder("contacts", "email", "ann@example.com")
        assert id is not None
        number = next(iter(hub.marketing.portal.subscriptions))
        assert hub.marketing.portal.consent("ann@example.com", number).status == "UNSUBSCRIBED"
        assert standing(hub)["stands"] == "in step"


def test_who_has_no_address_there_is_not_said_to_hold_all_that_it_should(desk: Path) -> None:
    with played(desk) as hub:
        newsletter(hub, "Newsletter")
        id = hub.marketing.user_create("contacts", {"firstname": "Eve", "lastname": "Low"}, "mo")
        assert hub.say("sync", "--approve-first").code == 0
        assert hub.say("contacts", "edit", f"marketing/contacts/{id}", OUT).code == 0
        hub.say("sync")
        (one,) = [
            one
            for one in hub.say("contacts", "show", f"marketing/contacts/{id}", "--json").json["systems"]
            if one["connection"] == "marketing"
        ]
        assert one["stands"] == "waits"
        assert (
            "keeps the opt-out of email.marketing with an address, and the record has none" in one["because"]
        )


def test_a_sample_of_an_opt_out_says_in_words_what_stands_there_and_what_would(desk: Path) -> None:
    with played(desk) as hub:
        newsletter(hub, "Newsletter")
        ann_opts_out(hub)
        said = hub.say("plan").out
        assert "subscription.Newsletter: status unknown -> status UNSUBSCRIBED  (opt-out)" in said, said
        shown = hub.say("connections", "show", "marketing", "--values").out
        assert "status unknown" in shown, shown
        assert "{'" not in said + shown
