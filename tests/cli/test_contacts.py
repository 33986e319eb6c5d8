"""`contacts` and `why`: what a contact holds, the reasons, and exactly one reason for each system."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.kit import kept, plain, rows, say
from tests.cli.test_plan_and_sync import changed, synced


def stands(who: str) -> dict[str, str]:
    return {one["connection"]: one["stands"] for one in say("why", who, "--json").json["systems"]}


def test_why_reads_like_this(hub: Path) -> None:
    synced()
    text = plain(say("why", "ann@example.com").out)
    assert text == kept("why-ann", text)


def test_a_value_is_told_with_what_it_replaced_and_who_lost(hub: Path) -> None:
    synced()
    say("connections", "release", "crm", "--yes")
    say("connections", "release", "news", "--yes")
    say("sync")
    changed("crm.csv", ";Director", ";Chief")
    changed("news.csv", ",Director,", ",Boss,")
    say("sync")
    (field,) = say("why", "ann@example.com", "job_title", "--json").json["fields"]
    assert (field["value"], field["replaced"]) in {("Chief", "Director"), ("Boss", "Director")}
    lost = {"Chief": "Boss", "Boss": "Chief"}[field["value"]]
    assert lost in [one["value"] for one in field["lost"]]


@pytest.mark.parametrize("typed", ["c-1", "ann@example.com", "ANN@example.com", "1", "crm/contacts/1"])
def test_a_contact_is_found_by_id_address_or_record(hub: Path, typed: str) -> None:
    synced()
    assert say("contacts", "show", typed, "--json").json["id"] == "c-1"


def test_a_record_s_very_id_comes_before_parts_of_names_and_addresses(hub: Path) -> None:
    changed("crm.csv", "bob@example.com", "bob31@example.com")
    changed("crm.csv", "3;Cid", "31;Cid")
    synced()
    assert len(say("contacts", "find", "31", "--json").json["contacts"]) == 2
    (record,) = say("why", "31", "--json").json["records"][:1]
    assert (record["connection"], record["id"]) == ("crm", "31")


def test_a_further_record_is_named_as_read_only_with_what_it_says_otherwise(hub: Path) -> None:
    changed("crm.csv", "2;Bob", "9;Ann;Lee;ann@example.com;+49 30 901829;CTO\n2;Bob")
    synced()
    (crm,) = [
        one for one in say("why", "ann@example.com", "--json").json["systems"] if one["connection"] == "crm"
    ]
    assert crm["because"].endswith(
        "; contacts/9 is a further record of the same person, read and not written;"
        " it differs in Phone, Position"
    )


def test_nobody_is_guessed(hub: Path) -> None:
    synced()
    assert (say("why", "nobody@example.com").code, say("why", "c-999").code) == (2, 2)
    assert "known by" in say("why", "nobody@example.com").err


def test_before_the_first_sync_nobody_is_known_and_the_plan_is_named(hub: Path) -> None:
    say("plan")
    said = say("why", "ann@example.com")
    assert (said.code, "the first sync makes the contacts" in said.err) == (2, True)
    assert "trueup plan --only WHO --offline" in said.err
    assert say("plan", "--only", "ann@example.com", "--offline").code == 0


def test_who_typed_an_address_sees_it_again_and_a_document_masks_it(hub: Path) -> None:
    synced()
    said = say("why", "nobody@example.com")
    assert "no contact is known by `nobody@example.com`; `trueup contacts find`" in said.err
    assert "nobody@" not in say("why", "nobody@example.com", "--json").out


def test_a_field_that_there_is_not_is_named(hub: Path) -> None:
    synced()
    said = say("why", "c-1", "shoe_size")
    assert (said.code, "TU-GEN-406" in said.err) == (2, True)


def test_contacts_are_found_by_a_part_of_their_name(hub: Path) -> None:
    synced()
    found = say("contacts", "find", "Ra", "--json").json["contacts"]
    assert [one["email"] for one in found] == ["bob@example.com"]


def test_each_system_has_exactly_one_reason(hub: Path) -> None:
    synced()
    assert stands("bob@example.com") == {"crm": "in step", "news": "in step"}
    assert stands("dan@example.com") == {"crm": "never", "news": "in step"}
    assert stands("cid@example.com") == {"crm": "set aside", "news": "in step"}
    assert stands("ann@example.com") == {"crm": "withheld", "news": "in step"}


def system(who: str, name: str) -> dict[str, str]:
    systems = say("contacts", "show", who, "--json").json["systems"]
    return next(one for one in systems if one["connection"] == name)


def test_what_failures_lists_as_set_aside_is_set_aside_here_until_it_is_decided_anew(hub: Path) -> None:
    synced()
    changed("crm.csv", "not a number", "+49 30 901821")
    say("plan")
    assert [one["fields"] for one in say("failures", "--json").json["causes"]] == [["Phone"]]
    told = system("cid@example.com", "crm")
    assert told["stands"] == "set aside"
    assert told["because"].endswith("; it can be used by now: the next decision does")
    say("sync")
    assert stands("cid@example.com")["crm"] == "in step"


def test_an_edit_that_was_refused_and_left_there_is_not_in_step(hub: Path) -> None:
    changed("config/hub.yaml", "    tags: {", "    job_title: {authority: [marketing]}\n    tags: {")
    changed(
        "config/connections/crm.yaml", 'job_title: "Position"', "job_title: {field: Position, refused: leave}"
    )
    synced()
    for name in ("crm", "news"):
        say("connections", "release", name, "--yes")
    say("sync")
    changed("crm.csv", ";Director", ";Chief")
    say("sync")
    told = system("ann@example.com", "crm")
    assert (told["stands"], told["because"]) == (
        "kept there",
        "Position stands there otherwise, and is left (`refused: leave` in config/connections/crm.yaml);"
        " the other fields are in step",
    )


def test_before_anybody_allowed_writing_that_is_the_reason(hub: Path) -> None:
    say("sync")
    assert stands("bob@example.com")["news"] == "not approved"


def test_a_record_that_was_deleted_there_says_so(hub: Path) -> None:
    synced()
    Path("news.csv").write_text(
        "\n".join(line for line in Path("news.csv").read_text("utf-8").splitlines() if "bob@" not in line)
        + "\n",
        "utf-8",
    )
    say("sync")
    assert stands("bob@example.com") == {"crm": "in step", "news": "deleted there"}


def test_an_edit_that_no_system_can_hold_says_so_and_is_kept(hub: Path) -> None:
    synced()
    said = say(
        "contacts", "edit", "c-1", "website=https://a.example", "first_name=Anna", "emails=a@b.example"
    )
    assert (
        "No connection takes `website` from the hub: it is kept here, and\n  no system gets it." in said.out
    )
    assert "`emails`" not in said.out
    assert "`first_name`" not in said.out
    say("sync")
    (website,) = say("why", "c-1", "website", "--json").json["fields"]
    assert website["value"] == "https://a.example"


def test_an_edit_in_the_hub_reaches_every_system(hub: Path) -> None:
    synced()
    said = say("contacts", "edit", "bob@example.com", "first_name=Robert", "job_title=Head, of sales")
    assert said.code == 0, said.err
    assert 'c-2 first_name: "Bob" -> "Robert"' in said.out
    say("connections", "release", "crm", "--yes")
    say("connections", "release", "news", "--yes")
    assert say("sync").code == 0
    assert [row for row in rows("crm.csv") if row.startswith("2;Robert;Ray;bob@example.com;;Head, of sales")]
    (field,) = say("why", "bob@example.com", "first_name", "--json").json["fields"]
    assert (field["source"].startswith("hub"), field["replaced"]) == (True, "Bob")


def test_an_edit_before_a_release_says_where_it_is_withheld_and_what_lets_it_go(hub: Path) -> None:
    synced()
    said = say("contacts", "edit", "bob@example.com", "first_name=Robert")
    assert "Withheld in crm, which is not released: `First name`." in said.out
    assert "Withheld in news, which is not released: `" in said.out
    assert said.out.endswith("Next: trueup connections release crm, then trueup sync --only c-2\n")
    written = say("sync", "--only", "c-2", "--json").json["writes"]
    assert sum(one["done"] for one in written) == 0
    say("connections", "release", "crm", "--yes")
    say("sync", "--only", "c-2")
    assert [row for row in rows("crm.csv") if row.startswith("2;Robert;")]


def test_an_edit_that_goes_everywhere_speaks_of_no_release(hub: Path) -> None:
    synced()
    say("connections", "release", "crm", "--yes")
    say("connections", "release", "news", "--yes")
    said = say("contacts", "edit", "bob@example.com", "first_name=Robert", "--json")
    assert said.json["withheld"] == []
    said = say("contacts", "edit", "bob@example.com", "job_title=Boss")
    assert "ithheld" not in said.out
    assert said.out.endswith("Next: trueup sync --only c-2\n")


def test_an_edit_does_not_speak_of_what_was_withheld_before_it(hub: Path) -> None:
    synced()
    said = say("contacts", "edit", "ann@example.com", "phone=+49 30 901821", "--json").json
    assert {one["field"] for one in said["withheld"]} == {"Phone"}


def test_kind_and_label_of_an_address_are_edited_by_its_name_and_shown_beside_it(hub: Path) -> None:
    synced()
    said = say(
        "contacts",
        "edit",
        "c-1",
        "emails[Ann@Example.com].label=Reception",
        "emails[ann@example.com].kind=work",
    )
    assert said.code == 0, said.err
    say("sync")
    shown = plain(say("contacts", "show", "c-1").out)
    assert '[ann@example.com (work, "Reception")]' in " ".join(shown.split())
    assert "emails[" not in shown
    (field,) = say("why", "c-1", "emails[ANN@example.com].kind", "--json").json["fields"]
    assert (field["value"], field["source"]) == ("work", "hub")
    slot = say("why", "c-1", "emails.work", "--json").json["fields"][0]
    assert (slot["value"], slot["rule"]) == ("ann@example.com", "the first of its kind")


@pytest.mark.parametrize(
    ("change", "code"),
    [("email=not an address", 2), ("full_name=Ann Lee", 2), ("shoe_size=44", 2), ("first_name", 2)]
    + [("emails[bob@example.com].kind=work", 2), ("emails[ann@example.com].kind=fax", 2)],
)
def test_an_edit_that_makes_no_sense_is_refused(hub: Path, change: str, code: int) -> None:
    synced()
    said = say("contacts", "edit", "c-1", change)
    assert said.code == code
    assert "not an address" not in said.err


def test_who_waits_for_a_decision_says_whom_it_may_be(desk: Path) -> None:
    Path("a.csv").write_text("Email;First name;Last name\nhome@example.com;Ann;Lee\n", "utf-8")
    Path("b.csv").write_text("Email;First name;Last name\nhome@example.com;Bob;Lee\n", "utf-8")
    assert (
        say("init", "--name", "t", "--connect", "a=a.csv:sales", "--connect", "b=b.csv:marketing").code == 0
    )
    assert say("sync", "--approve-first").code == 0
    (bob,) = [one for one in ("c-1", "c-2") if say("contacts", "show", one, "--json").json["provisional"]]
    other = "c-1" if bob == "c-2" else "c-2"
    found = [one for one in say("why", bob, "--json").json["systems"] if one["stands"] == "unsure"]
    assert [(one["because"], one["then"]) for one in found] == [
        (f"it may be the same person as {other}: a person decides", f"trueup contacts show {other}")
    ]
