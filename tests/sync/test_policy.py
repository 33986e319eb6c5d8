"""What the rules ask of the configuration, in the order of the configuration, worked out once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.sync.small_hub import rules
from trueup.mapping.apply import compile_mapping
from trueup.mapping.schema import ConsentRule, Direction, FieldRule, ItemRule, ObjectRules
from trueup.model.canonical import Locale
from trueup.model.fields import TABLES, Kind
from trueup.sync.rules.policy import Policy

PEOPLE, LEADS, FIRMS = ("a", "people"), ("b", "leads"), ("a", "firms")
SAID: dict[tuple[str, str], ObjectRules] = {
    LEADS: rules("leads", fields=("email",), company="link"),
    FIRMS: rules("firms", fields=("name", "domain"), kind=Kind.COMPANY),
    PEOPLE: rules(
        fields=(
            "email",
            "department",
            FieldRule("created_at", "made", Direction.IN),
            FieldRule("company.name", "firm_text", Direction.OUT),
            FieldRule("company", "firm", to="firms"),
            FieldRule("owner", "owner", to="users"),
            FieldRule("emails", "mails", item=ItemRule(value="mail")),
            FieldRule("job_title", "title", Direction.IN),
        ),
        consent=(ConsentRule("email", "marketing", "optout"), ConsentRule("phone", "news", "no_calls")),
        company="create",
    ),
}


def policy() -> Policy:
    mappings = {
        one: compile_mapping(one[0], said, TABLES[said.kind or Kind.CONTACT], Locale())
        for one, said in SAID.items()
    }
    return Policy(mappings=mappings, rules=SAID)


def remotes(bindings: Sequence[Any]) -> list[str]:
    return [one.remote for one in bindings]


def test_what_the_rules_ask() -> None:
    asked = policy()
    assert asked.streams(Kind.CONTACT) == (LEADS, PEOPLE)
    assert asked.streams(Kind.COMPANY) == (FIRMS,)
    assert asked.derived(Kind.CONTACT) == ("company.name",)
    assert asked.derived(Kind.COMPANY) == ()
    assert remotes(asked.naming(PEOPLE)) == ["email", "mails"]
    assert remotes(asked.naming(FIRMS)) == ["name", "domain"]
    assert asked.own_stamps(PEOPLE) == {"made"}
    assert asked.item_paths(PEOPLE) == ("mails",)
    assert asked.item_paths(LEADS) == ()
    assert remotes(asked.pointing(PEOPLE)) == ["firm", "owner"]
    assert asked.companies("create") == {PEOPLE}
    assert asked.companies("link") == {LEADS, *(one for one in SAID if SAID[one].company == "link")}
    assert {"company", "owner"} <= set(asked.referring(Kind.CONTACT))
    assert "email" not in asked.referring(Kind.CONTACT)
    assert remotes(asked.writable(PEOPLE)) == [
        "email",
        "department",
        "firm_text",
        "firm",
        "owner",
        "mails",
        "optout",
        "no_calls",
    ]
    assert asked.consents() == {("email", "marketing"), ("phone", "news")}
    assert asked.consents() is asked.consents()


def test_who_says_a_field_is_who_reads_it_first_of_all() -> None:
    asked = policy()
    assert remotes(asked.saying(PEOPLE, ("email", "job_title", "company.name"))) == ["email", "title"]
    assert asked.saying(LEADS, ("job_title",)) == ()
    assert asked.saying(("c", "people"), ("email",)) == ()
    assert remotes(asked.saying(LEADS, ("email",))) == ["email"]
