"""A value that its field could not hold is written once the field is another, and nobody else is decided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from tests.demands.hubs import Setting, ann, aside, hub_of, mapped, person, policy_of
from tests.sync.memory import Clock, Memory
from tests.sync.small_hub import SmallHub, rules
from trueup.mapping.schema import Direction, FieldRule
from trueup.mapping.terms import terms_of
from trueup.model.fields import Field, Kind
from trueup.model.record import FieldSpec, Json
from trueup.model.values import Type
from trueup.services.policies import without_terms
from trueup.sync.preview import preview
from trueup.sync.tally import Tally
from trueup.sync.terms import heed_terms

FIELD = "note"
STREAM = ("target", "people")
EXTRA = (Field(FIELD, Type.TEXT, custom=True),)


@dataclass(frozen=True)
class Turn:
    """What a system says of one field, before and after, and a value that only the second one takes."""

    before: FieldSpec | None
    after: FieldSpec
    value: Json = "bronze"


PLAIN = FieldSpec(FIELD, "Note", "text")
TURNS = {
    "longer": Turn(replace(PLAIN, max_length=4), replace(PLAIN, max_length=40)),
    "another encoding": Turn(replace(PLAIN, encoding="windows-1251"), PLAIN, "Łukasz"),
    "one more choice": Turn(
        replace(PLAIN, type="choice", options={"gold": "Gold"}),
        replace(PLAIN, type="choice", options={"gold": "Gold", "bronze": "Bronze"}),
    ),
    "may be written": Turn(replace(PLAIN, writable=False), PLAIN),
    "is there now": Turn(None, PLAIN),
}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=TURNS.values(), ids=TURNS.keys())
def turn(request: Any) -> Turn:
    found: Turn = request.param
    return found


class Described:
    """`source` says more than `target`, which describes its fields. `there`: who is in the target already."""

    def __init__(
        self, folder: Path, clock: Clock, turn: Turn, rule: FieldRule | None = None, there: Sequence[Any] = ()
    ) -> None:
        fields = mapped("email", "first_name", "last_name", "job_title")
        objects = [
            ("source", rules(fields=[*fields, *mapped(FIELD)])),
            ("target", rules(fields=[*fields, rule or FieldRule(FIELD, FIELD)])),
        ]
        self.systems = {"source": Memory(clock), "target": Memory(clock)}
        if turn.before is None:
            refusal = {FIELD: "there is no such field"}
            self.target.refuse = lambda values: refusal if values.get(FIELD) else {}
        for one in there:
            self.target.add(**one)
        self.setting = Setting(objects, create=("target",), extra=EXTRA)
        self.hub: SmallHub = hub_of(folder, clock, self.systems, self.setting)
        self.says(turn.before)

    @property
    def source(self) -> Memory:
        return self.systems["source"]

    @property
    def target(self) -> Memory:
        return self.systems["target"]

    def says(self, spec: FieldSpec | None) -> None:
        """What the target says of the field from now on."""
        said = {FIELD: spec} if spec is not None else {}
        setting = replace(self.setting, specs={STREAM: said})
        self.hub.parts = replace(self.hub.parts, policy=policy_of(self.systems, setting))
        if spec is not None:
            self.target.refuse = lambda values: {}

    def notes(self) -> list[Json]:
        return [row.values.get(FIELD) for row in self.target.rows.values()]

    def due(self) -> list[int]:
        return list(self.hub.store.due(list(Kind), self.hub.parts.now(), 0, 100))


@pytest.mark.parametrize("there", [[], [ann()]], ids=["a new record", "a record that is there"])
def test_what_its_field_could_not_hold_is_written_when_the_field_is_another(
    turn: Turn, there: Sequence[Any], tmp_path: Path, clock: Clock
) -> None:
    at = Described(tmp_path, clock, turn, there=there)
    at.source.add(**ann(note=turn.value))
    at.hub.sync()
    at.hub.sync()
    assert at.notes() == [None]
    at.says(turn.after)
    at.hub.sync()
    assert at.notes() == [turn.value]
    assert aside(at.hub) == {}
    written = at.hub.writes()
    at.hub.sync()
    assert at.hub.writes() == written


def test_the_plan_foretells_it(turn: Turn, tmp_path: Path, clock: Clock) -> None:
    at = Described(tmp_path, clock, turn, there=[ann()])
    at.source.add(**ann(note=turn.value))
    at.hub.sync()
    at.says(turn.after)
    assert heed_terms(at.hub.parts) == 1
    ((_, plan),) = list(preview(at.hub.parts, Tally().undecided))
    assert [dict(one.values) for one in plan.writes] == [{FIELD: turn.value}]


def test_only_who_lacks_something_is_decided_again(turn: Turn, tmp_path: Path, clock: Clock) -> None:
    at = Described(tmp_path, clock, turn, there=[ann(), person(2)])
    at.source.add(**ann(note=turn.value))
    at.source.add(**person(2))
    at.source.add(**person(3))
    at.hub.sync()
    assert (heed_terms(at.hub.parts), at.due()) == (0, [])
    at.says(turn.after)
    assert heed_terms(at.hub.parts) == 1
    (id,) = at.due()
    assert at.hub.store.case(f"c-{id}").entity.values["email"] == "ann@example.com"


def test_a_run_over_fields_as_they_were_reads_and_decides_nothing_more(
    turn: Turn, tmp_path: Path, clock: Clock
) -> None:
    at = Described(tmp_path, clock, turn, there=[ann()])
    at.source.add(**ann(note=turn.value))
    at.hub.sync()
    calls = len(at.target.calls)
    for _ in range(3):
        assert at.hub.sync().tally.get("updates") == 0
    assert len(at.target.calls) - calls <= 2 * 3
    assert heed_terms(at.hub.parts) == 0


def test_another_name_or_place_of_a_field_makes_nobody_due(tmp_path: Path, clock: Clock) -> None:
    spec = replace(PLAIN, max_length=4)
    at = Described(tmp_path, clock, Turn(spec, spec))
    at.source.add(**ann(note="bronze"))
    at.hub.sync()
    at.says(replace(spec, label="Remark"))
    assert heed_terms(at.hub.parts) == 0


def test_a_field_that_is_still_too_short_says_how_short_it_is_today(tmp_path: Path, clock: Clock) -> None:
    at = Described(tmp_path, clock, Turn(replace(PLAIN, max_length=4), PLAIN), there=[ann()])
    at.source.add(**ann(note="bronze"))
    at.hub.sync()
    ((_, _, before),) = at.hub.store.quarantined("target", 9)
    clock.tick(3600)
    at.says(replace(PLAIN, max_length=5))
    at.hub.sync()
    ((_, _, why),) = at.hub.store.quarantined("target", 9)
    assert (why.reason, why.since) == ("longer than the 5 characters that the system keeps", before.since)


def test_a_system_that_could_not_be_asked_about_its_fields_makes_nobody_due_and_gets_nothing_refused_again(
    tmp_path: Path, clock: Clock
) -> None:
    at = Described(tmp_path, clock, TURNS["is there now"], there=[ann()])
    at.source.add(**ann(note="bronze"))
    at.hub.sync()
    known, written = at.hub.parts.policy, len(at.target.written)
    at.hub.parts = replace(at.hub.parts, policy=without_terms(known, [STREAM]))
    assert heed_terms(at.hub.parts) == 0
    at.source.edit("1", job_title="CTO")
    at.hub.sync()
    assert [dict(one.values) for one in at.target.written[written:]] == [{"job_title": "CTO"}]
    at.hub.parts = replace(at.hub.parts, policy=known)
    assert heed_terms(at.hub.parts) == 0


def test_a_value_that_was_emptied_meanwhile_empties_nothing(tmp_path: Path, clock: Clock) -> None:
    turn = TURNS["longer"]
    at = Described(tmp_path, clock, turn, there=[ann()])
    at.source.add(**ann(note=turn.value))
    at.hub.sync()
    at.source.edit("1", note=None)
    at.hub.sync()
    at.target.edit("1", note="gold")
    at.says(turn.after)
    at.hub.sync()
    assert at.notes() == ["gold"]


def test_what_stands_there_is_replaced_only_after_the_release(
    turn: Turn, tmp_path: Path, clock: Clock
) -> None:
    at = Described(tmp_path, clock, turn, there=[ann(note="gold")])
    at.source.add(**ann(note=turn.value))
    at.hub.sync()
    at.says(turn.after)
    at.hub.sync()
    assert at.notes() == ["gold"]
    at.hub.release()
    at.hub.sync()
    assert at.notes() == [turn.value]


def test_a_field_that_a_file_only_reads_is_not_written_when_it_may_be(tmp_path: Path, clock: Clock) -> None:
    turn = TURNS["may be written"]
    rule = FieldRule(FIELD, FIELD, Direction.IN)
    at = Described(tmp_path, clock, turn, rule, there=[ann()])
    at.source.add(**ann(note="bronze"))
    at.hub.sync()
    at.says(turn.after)
    assert heed_terms(at.hub.parts) == 0
    at.hub.sync()
    assert at.notes() == [None]


def test_an_edit_that_lost_against_a_value_that_does_not_fit_does_not_win_in_the_next_decision(
    tmp_path: Path, clock: Clock
) -> None:
    at = Described(tmp_path, clock, TURNS["longer"], there=[ann(note="gold")])
    at.source.add(**ann(note="gold"))
    at.hub.sync()
    at.hub.release()
    at.source.edit("1", note="bronze")
    at.target.edit("1", note="iron")
    at.hub.sync()
    assert at.hub.contact("ann@example.com")[FIELD] == "bronze"
    at.source.edit("1", job_title="CTO")
    at.hub.sync()
    assert at.hub.contact("ann@example.com")[FIELD] == "bronze"
    at.says(TURNS["longer"].after)
    at.hub.sync()
    assert at.notes() == ["bronze"]


def test_a_value_that_nobody_could_read_is_read_when_the_mapping_is_another(
    tmp_path: Path, clock: Clock
) -> None:
    number = Field(FIELD, Type.INT, custom=True)
    systems = {"source": Memory(clock), "target": Memory(clock)}
    fields = mapped("email", "first_name", "last_name")
    objects = [(name, rules(fields=[*fields, *mapped(FIELD)])) for name in systems]
    setting = Setting(objects, create=("target",), extra=(number,))
    hub = hub_of(tmp_path, clock, systems, setting)
    systems["source"].add(**ann(note="two"))
    hub.sync()
    hub.sync()
    assert list(aside(hub)) == [FIELD]
    words = FieldRule(FIELD, FIELD, values={"2": ("two",)})
    other = [("source", rules(fields=[*fields, words])), objects[1]]
    changed = policy_of(systems, replace(setting, objects=other, version="v2"))
    hub.parts = replace(hub.parts, policy=changed)
    hub.sync()
    assert aside(hub) == {}
    assert hub.contact("ann@example.com")[FIELD] == 2
    assert systems["target"].values("1")[FIELD] == 2


def test_terms_are_told_apart_whatever_words_they_hold() -> None:
    """Half a sign among the choices of a system, and a number of ours that no machine word holds."""
    rule = FieldRule(FIELD, FIELD, values={"gold": (2**70,)})
    half = replace(PLAIN, type="choice", options={"gold \ud83e": "Gold"})
    assert len({terms_of(rule, spec) for spec in (None, PLAIN, half)}) == 3
    assert terms_of(rule, half) == terms_of(replace(rule, origin="elsewhere"), replace(half, label="Another"))
