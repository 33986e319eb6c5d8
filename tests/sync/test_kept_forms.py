"""What is found otherwise than we wrote it: the system's own form, an edit, or a write that is lost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.sync.small_hub import rules
from trueup.mapping.apply import compile_mapping
from trueup.mapping.schema import ConsentRule, FieldRule
from trueup.model.canonical import Locale
from trueup.model.entity import NEVER, Agreed, Entity, Link, Source
from trueup.model.fields import CONTACT, Kind
from trueup.model.formats import Format, How, Kept
from trueup.model.history import Conflict
from trueup.model.plan import Context
from trueup.model.record import Json
from trueup.model.values import Value
from trueup.sync.rules.evidence import readings
from trueup.sync.rules.formats import Settled, failed, left_out, settle, touched

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TITLE, TAGS, NAME = FieldRule("job_title", "title"), FieldRule("tags", "tags"), FieldRule("full_name", "name")
STAGE = FieldRule("stage", "phase")
LEARNED, KEEPS = Format("a", "people", "*", learned=True), Format("a", "people", "*", as_sent=9)
ADS = ConsentRule("email", "marketing", "ads")


def settled(
    rule: FieldRule | ConsentRule,
    hub: Value,
    sent: Json,
    has: Json,
    *,
    was: Json = None,
    touched: bool | None = None,
    format: Format | None = None,
    source: Source | None = None,
    unsettled: bool = False,
    **assumed: Json,
) -> Settled:
    """We wrote `sent` for the hub's value over `was`; the record shows `has` now."""
    said = rules(fields=(), consent=(rule,)) if isinstance(rule, ConsentRule) else rules(fields=(rule,))
    mapping = compile_mapping("a", said, CONTACT, Locale())
    (binding,) = mapping.bindings
    link = Link(1, "a", "people", "7", 1, Kind.CONTACT, fresh=False, observed={rule.remote: has})
    link = replace(
        link,
        agreed={binding.key: Agreed(hub, sent)},
        assumed={rule.remote: {"was": was, "touched": touched, **assumed}, "other": {"was": 1}},
    )
    values: Mapping[str, Value] = {rule.field: hub} if isinstance(rule, FieldRule) else {}
    entity = Entity(1, Kind.CONTACT, 1, values, {name: source for name in values if source is not None})
    context = Context(formats={("a", "people", rule.remote): format} if format is not None else {})
    some = tuple(readings(link, mapping, entity, context))
    return settle(link, some, frozenset({binding.key} if unsettled else ()), context, entity)


def how(found: Settled) -> How | None:
    """What it turned out to be; None where nothing was judged."""
    return found.kept[0].how if found.kept else None


def agreed(found: Settled) -> Agreed | None:
    return found.readings[0].agreed


# -- a form, an edit, or nothing of ours -----------------------------------------------------------


def test_a_form_of_the_systems_own_is_agreed_as_it_stands_and_told() -> None:
    found = settled(TITLE, "Boss", "Boss", "BOSS (imported)", was="CTO")
    assert (how(found), agreed(found)) == (How.FORM, Agreed("Boss", "BOSS (imported)"))
    assert not found.readings[0].moved
    assert found.kept == (Kept("a", "people", "title", How.FORM),)
    why = "kept so by the system after our write"
    assert found.conflicts == (Conflict("job_title", "BOSS (imported)", "a/people/7", "Boss", "hub", why),)
    assert found.assumed == {"other": {"was": 1}}


@pytest.mark.parametrize(
    ("source", "name"),
    [
        (Source("b", "edit", NOW, "b/people/1"), "b/people/1"),
        (Source("hub", "hub", NOW, user="ops"), "hub"),
        (None, "hub"),
    ],
)
def test_the_history_tells_whose_value_was_kept_otherwise(source: Source | None, name: str) -> None:
    (lost,) = settled(TITLE, "Boss", "Boss", "Bs", source=source).conflicts
    assert (lost.kept, lost.kept_source) == ("Boss", name)


def test_what_a_known_form_leaves_out_is_told_nobody_unless_somebody_touched_it() -> None:
    usual = settled(TITLE, "Boss", "Boss", "Bss", format=LEARNED)
    assert (how(usual), usual.conflicts) == (How.FORM, ())
    loud = settled(TITLE, "Boss", "Boss", "BOSS", format=LEARNED)
    assert (how(loud), loud.conflicts) == (How.FORM, ())
    other = settled(TITLE, "Boss", "Boss", "ssoB", format=LEARNED)
    assert (how(other), len(other.conflicts)) == (How.FORM, 1)
    seen = settled(TITLE, "Boss", "Boss", "Bss", format=LEARNED, touched=True)
    assert (how(seen), len(seen.conflicts)) == (How.FORM, 1)


def test_another_value_is_an_edit_where_somebody_touched_the_record_or_the_field_keeps_what_it_is_sent() -> (
    None
):
    for found in (
        settled(TITLE, "Boss", "Boss", "Chef", touched=True),
        settled(TITLE, "Boss", "Boss", "Chef", format=KEEPS),
    ):
        assert (how(found), found.conflicts, agreed(found)) == (How.EDIT, (), Agreed("Boss", "Boss"))
        assert found.readings[0].moved
    assert how(settled(TITLE, "Boss", "Boss", "Chef", touched=False)) is How.FORM


def test_another_option_is_an_edit_and_no_form() -> None:
    found = settled(STAGE, "lead", "lead", "customer", was="name")
    assert (how(found), found.conflicts, agreed(found)) == (How.EDIT, (), Agreed("lead", "lead"))
    assert found.readings[0].moved
    assert how(settled(STAGE, "lead", "lead", "customer", was="name", format=LEARNED)) is How.FORM
    assert how(settled(STAGE, "lead", "lead", "name", was="name", again=True)) is How.FORM
    assert how(settled(STAGE, "lead", "lead", "a word of its own", was="name")) is How.FORM


def test_what_is_of_another_type_says_nothing_of_what_was_sent() -> None:
    found = settled(TITLE, "Boss", "Boss", {"value": "Boss"}, was="CTO", touched=True)
    assert (found.kept, found.conflicts) == ((), ())
    assert found.assumed is None


def test_what_says_the_same_is_as_it_was_sent() -> None:
    found = settled(TITLE, "Boss", "Boss", " Boss ", touched=True)
    assert (how(found), found.conflicts, agreed(found)) == (How.AS_SENT, (), Agreed("Boss", " Boss "))


# -- a write that is lost --------------------------------------------------------------------------


@pytest.mark.parametrize("has", ["CTO", "", None])
def test_where_our_write_is_not_there_it_is_made_once_more(has: Json) -> None:
    found = settled(TITLE, "Boss", "Boss", has, was="CTO")
    assert (how(found), agreed(found)) == (How.EDIT, Agreed(NEVER, has, lost="Boss"))
    assert {one.rule for one in found.conflicts} == {"found without our write, which is sent once more"}


def test_what_is_lost_once_more_is_agreed_as_it_stands() -> None:
    found = settled(TITLE, "Boss", "Boss", "CTO", was="CTO", again=True)
    assert (how(found), agreed(found)) == (How.FORM, Agreed("Boss", "CTO"))


def test_what_somebody_touched_or_a_known_form_made_is_no_lost_write() -> None:
    assert settled(TITLE, "Boss", "Boss", "CTO", was="CTO", touched=True).readings[0].moved
    assert agreed(settled(TITLE, "Boss", "Boss", "CTO", was="CTO", format=LEARNED)) == Agreed("Boss", "CTO")


def test_where_we_emptied_a_field_its_emptiness_is_our_write() -> None:
    assert how(settled(TITLE, None, None, "", was="CTO")) is How.AS_SENT


def test_what_stood_there_before_is_our_write_where_it_is_a_form_of_it() -> None:
    found = settled(TITLE, "Boss", "Boss", "Bss", was="Bss")
    assert (how(found), agreed(found)) == (How.FORM, Agreed("Boss", "Bss"))


# -- lists -----------------------------------------------------------------------------------------


def test_what_stands_in_a_list_beside_all_that_we_left_in_it_somebody_put_there() -> None:
    assert how(settled(TAGS, ["x"], ["x"], ["x", "y"])) is How.EDIT
    assert how(settled(TAGS, ["x"], ["x"], ["x", "y"], was=["y"])) is How.FORM
    assert how(settled(TAGS, ["x", "z"], ["x", "z"], ["x", "y"])) is How.FORM


def test_in_a_list_that_we_emptied_a_system_with_a_known_form_may_put_something() -> None:
    assert how(settled(TAGS, [], [], ["new"])) is How.EDIT
    assert how(settled(TAGS, [], [], ["new"], format=LEARNED)) is How.FORM


# -- what is not judged ----------------------------------------------------------------------------


def test_a_field_with_a_write_under_way_waits() -> None:
    found = settled(TITLE, "Boss", "Boss", "CTO", was="CTO", unsettled=True)
    assert (how(found), found.assumed, agreed(found)) == (None, None, Agreed("Boss", "Boss"))


def test_consent_is_never_explained_away() -> None:
    found = settled(ADS, "opted_out", True, False, was=False)
    assert (how(found), found.readings[0].moved or found.readings[0].was is None) == (None, True)


def test_of_a_whole_name_each_part_that_is_kept_otherwise_is_told() -> None:
    hub: Value = [None, "Ann", None, "Lee", None]
    found = settled(NAME, hub, "Ann Lee", "Ann Li", touched=False)
    assert [(one.field, one.lost, one.kept) for one in found.conflicts] == [("last_name", "Li", "Lee")]


def test_an_assumption_is_judged_once_it_was_read_and_found_otherwise() -> None:
    link = Link(
        1, "a", "people", "7", 1, Kind.CONTACT, assumed={"title": {"touched": None}, "name": {"was": 1}}
    )
    assert failed(link) == {"title"}


# -- words -----------------------------------------------------------------------------------------


def test_who_changed_a_record_after_our_write_touched_it() -> None:
    ended: dict[str, Json] = {"at": NOW.isoformat()}
    later, read = NOW + timedelta(seconds=1), NOW + timedelta(minutes=1)
    assert touched(ended, later, read) is True
    assert touched(ended, NOW, read) is False
    assert touched(ended, read, read) is True
    assert touched(ended, read + timedelta(seconds=1), read) is None
    assert touched(ended, None, read) is None
    assert touched({}, later, read) is None


@pytest.mark.parametrize(
    ("sent", "has", "is_left_out"),
    [
        ("Boss", "Bss", True),
        ("Boss", "bo", True),
        ("Boss", "Bsso", False),
        ("Boss", " ", False),
        ("Boss", None, False),
        (7, "7", False),
    ],
)
def test_a_value_with_signs_left_out_says_the_rest_in_their_order(
    sent: Json, has: Json, is_left_out: bool
) -> None:
    assert left_out(sent, has) is is_left_out
