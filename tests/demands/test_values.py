"""P12 to P20: what a value is, and what may happen to it on the way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.demands.hubs import (
    Setting,
    ann,
    aside,
    contacts,
    hub_of,
    mapped,
    parked,
    public,
    told,
    until_quiet,
    written,
)
from tests.sync.memory import Clock, Memory
from tests.sync.small_hub import SmallHub, rules
from trueup.mapping.schema import Clearing, FieldRule, Refusal, TooLong, Unmapped
from trueup.model.canonical import Locale
from trueup.model.fields import Field
from trueup.model.history import Conflict
from trueup.model.record import FieldSpec, Json
from trueup.model.values import Type
from trueup.sync.rules.policy import FieldPolicy

EXTRA = (Field("children", Type.INT, custom=True), Field("vip", Type.BOOL, custom=True))
BASE = ("email", "first_name", "last_name")


@pytest.fixture
def clock() -> Clock:
    return Clock()


def pair(
    folder: Path, clock: Clock, source: list[FieldRule], target: list[FieldRule] | None = None, **more: Any
) -> SmallHub:
    """`source` outranks `target`; contacts may be created in the target."""
    objects = [
        ("source", rules(fields=mapped(*BASE) + source)),
        ("target", rules(fields=mapped(*BASE) + (target or source))),
    ]
    systems = {"source": Memory(clock), "target": Memory(clock)}
    more.setdefault("create", ("target",))
    return hub_of(folder, clock, systems, Setting(objects, **more))


def conflicts(hub: SmallHub, field: str) -> list[Conflict]:
    rows = hub.store.history(public(hub, "ann@example.com"), 100)
    return [one for row in rows for one in row.conflicts if one.field == field]


# -- P12, P13 -------------------------------------------------------------------------------------

ABSENT = object()
KEPT, CLEARED, SET_ASIDE = "kept", "cleared", "set aside"
BLANKS: list[tuple[object, str]] = [
    (None, CLEARED),
    ("", CLEARED),
    (" ", CLEARED),
    ("Unknown", CLEARED),
    ("N/A", CLEARED),
    (ABSENT, KEPT),
    (False, SET_ASIDE),
]
CASES: list[tuple[str, Json, object, Json]] = [
    *(("job_title", "CTO", blank, outcome) for blank, outcome in BLANKS),
    ("job_title", "CTO", 0, "0"),
    *(("children", 3, blank, outcome) for blank, outcome in BLANKS if blank is not False),
    ("children", 3, 0, 0),
    *(("vip", True, blank, outcome) for blank, outcome in BLANKS if blank is not False),
    ("vip", True, 0, False),
    ("vip", True, False, False),
]


def says(system: Memory, field: str, value: object) -> dict[str, Json]:
    """A value as the system tells it; ABSENT hides the field in its answers."""
    if value is ABSENT:
        system.hidden.add(field)
        return {}
    return {field: value}


@pytest.mark.parametrize(("field", "value", "said", "outcome"), CASES)
def test_p12_blank_never_overwrites_at_first_sight(
    field: str, value: Json, said: object, outcome: Json, tmp_path: Path, clock: Clock
) -> None:
    hub = pair(tmp_path, clock, mapped(field), extra=EXTRA)
    hub.systems["source"].add(**ann(**says(hub.systems["source"], field, said)))
    hub.systems["target"].add(**ann(**{field: value}))
    hub.sync()
    hub.release()
    until_quiet(hub, clock)
    kept = value if outcome in (KEPT, CLEARED, SET_ASIDE) else outcome
    assert hub.systems["target"].values("1")[field] == kept


@pytest.mark.parametrize("clear", Clearing)
@pytest.mark.parametrize(("field", "value", "said", "outcome"), CASES)
def test_p12_and_p13_blank_and_zero_in_place_of_a_known_value(
    clear: Clearing, field: str, value: Json, said: object, outcome: Json, tmp_path: Path, clock: Clock
) -> None:
    hub = pair(tmp_path, clock, [FieldRule(field, field, clear=clear)], extra=EXTRA)
    source, target = hub.systems["source"], hub.systems["target"]
    source.add(**ann(**{field: value}))
    hub.sync()
    hub.release()
    source.edit("1", **says(source, field, said), note="touched")
    until_quiet(hub, clock)
    if outcome == CLEARED:
        expected = None if clear is Clearing.PROPAGATE else value
    else:
        expected = value if outcome in (KEPT, SET_ASIDE) else outcome
    assert target.values("1")[field] == expected
    assert (field in aside(hub, "source")) == (outcome == SET_ASIDE)


def test_p13_a_clearing_by_somebody_who_may_not_decide_is_written_back(tmp_path: Path, clock: Clock) -> None:
    only_source = lambda kind, name: FieldPolicy(EXTRA[0].strategy, lambda stage: ("source",))  # noqa: E731
    hub = pair(tmp_path, clock, mapped("job_title"), judged=only_source)
    hub.systems["source"].add(**ann(job_title="CTO"))
    hub.sync()
    hub.release()
    hub.systems["target"].edit("1", job_title=None)
    until_quiet(hub, clock)
    assert hub.systems["target"].values("1")["job_title"] == "CTO"
    assert hub.systems["source"].values("1")["job_title"] == "CTO"


# -- P14 ------------------------------------------------------------------------------------------


def judged_by(*order: str, ranked: bool = False) -> Any:
    return lambda kind, name: FieldPolicy(EXTRA[0].strategy, lambda stage: order, ranked=ranked)


def agreed_pair(folder: Path, clock: Clock, refused: Refusal = Refusal.WRITE_BACK, **more: Any) -> SmallHub:
    hub = pair(folder, clock, [FieldRule("job_title", "job_title", refused=refused)], **more)
    hub.systems["source"].add(**ann(job_title="CTO"))
    hub.sync()
    hub.release()
    return hub


def later_edit_of_the_weaker(hub: SmallHub, clock: Clock) -> None:
    hub.systems["source"].edit("1", job_title="COO")
    hub.sync()
    clock.tick(3600)
    hub.systems["target"].edit("1", job_title="Intern")
    until_quiet(hub, clock)


def test_p14_a_later_write_of_a_lower_rank_is_accepted_where_it_may_decide(
    tmp_path: Path, clock: Clock
) -> None:
    hub = agreed_pair(tmp_path, clock)
    later_edit_of_the_weaker(hub, clock)
    assert told(hub.systems["source"], "job_title") == ["Intern"]
    (row, *_) = hub.store.history(public(hub, "ann@example.com"), 10)
    (change,) = [one for one in row.changes if one.field == "job_title"]
    assert (change.old, change.new, change.source, change.rule) == (
        "COO",
        "Intern",
        "target/people/1",
        "authority",
    )


@pytest.mark.parametrize("judged", [judged_by("source", "target", ranked=True), judged_by("source")])
def test_p14_a_later_write_of_a_lower_rank_is_refused_where_it_may_not(
    judged: Any, tmp_path: Path, clock: Clock
) -> None:
    hub = agreed_pair(tmp_path, clock, judged=judged)
    later_edit_of_the_weaker(hub, clock)
    assert told(hub.systems["source"], "job_title") == ["COO"]
    assert told(hub.systems["target"], "job_title") == ["COO"]
    (conflict,) = conflicts(hub, "job_title")
    assert (conflict.lost, conflict.lost_source, conflict.kept, conflict.kept_source) == (
        "Intern",
        "target/people/1",
        "COO",
        "source/people/1",
    )
    assert "authority" in conflict.rule


def test_p14_a_refused_write_may_be_left_where_it_is(tmp_path: Path, clock: Clock) -> None:
    hub = agreed_pair(tmp_path, clock, Refusal.LEAVE, judged=judged_by("source"))
    later_edit_of_the_weaker(hub, clock)
    assert told(hub.systems["source"], "job_title") == ["COO"]
    assert told(hub.systems["target"], "job_title") == ["Intern"]
    assert len(conflicts(hub, "job_title")) == 1


@pytest.mark.parametrize("first", ["source", "target"])
def test_p14_of_two_edits_in_one_cycle_the_rank_decides_not_the_time(
    first: str, tmp_path: Path, clock: Clock
) -> None:
    hub = agreed_pair(tmp_path, clock)
    for name in (first, "target" if first == "source" else "source"):
        hub.systems[name].edit("1", job_title=f"from {name}")
        clock.tick(3600)
    until_quiet(hub, clock)
    assert told(hub.systems["target"], "job_title") == ["from source"]
    assert [one.lost for one in conflicts(hub, "job_title")] == ["from target"]


# -- P15 ------------------------------------------------------------------------------------------

TIER = Field("tier", Type.CHOICE, options=("gold", "silver", "bronze"), custom=True)
NINETEEN = (
    "job_title", "department", "salutation", "name_suffix", "middle_name", "website", "notes", "source",
    "external_id", "national_id", "language", "time_zone", "birthday", "wedding_day", "company_name", "phone",
    "email", "first_name", "last_name",
)  # fmt: skip
TYPED = {
    "website": "https://acme.example",
    "language": "de",
    "time_zone": "Europe/Berlin",
    "birthday": "1980-02-29",
    "wedding_day": "2001-05-05",
    "phone": "+493023456789",
    "email": "ann@example.com",
}


def test_p15_one_bad_picklist_among_twenty_fields_is_set_aside_and_nineteen_are_written(
    tmp_path: Path, clock: Clock
) -> None:
    fields = mapped(*NINETEEN, "tier")
    specs = {
        ("target", "people"): {
            "tier": FieldSpec("tier", "Tier", "choice", options={"gold": "", "silver": ""})
        }
    }
    objects = [(name, rules(fields=fields)) for name in ("source", "target")]
    systems = {"source": Memory(clock), "target": Memory(clock)}
    hub = hub_of(tmp_path, clock, systems, Setting(objects, create=("target",), specs=specs, extra=(TIER,)))
    systems["source"].add(email="ann@example.com")
    hub.sync()
    systems["source"].edit("1", **{name: TYPED.get(name, f"text {name}") for name in NINETEEN}, tier="bronze")
    hub.sync()
    held = systems["target"].values("1")
    assert {name for name in NINETEEN if held.get(name)} == set(NINETEEN)
    assert held.get("tier") is None
    reason = aside(hub, "target")["tier"]
    assert "gold" in reason and "silver" in reason


UNMAPPED = [
    (Unmapped.ERROR, "gold", True),
    (Unmapped.DEFAULT, "silver", False),
    (Unmapped.PASS, "bronze", False),
    (Unmapped.CREATE, "bronze", False),
    (Unmapped.LEAVE, "gold", False),
]


@pytest.mark.parametrize(("policy", "kept", "set_aside"), UNMAPPED)
def test_p15_what_happens_to_a_word_without_a_mapping_is_declared(
    policy: Unmapped, kept: Json, set_aside: bool, tmp_path: Path, clock: Clock
) -> None:
    words = {"gold": ("gold",), "silver": ("silver",)}
    rule = FieldRule("tier", "tier", values=words, unmapped=policy, default="silver")
    if policy is not Unmapped.DEFAULT:
        rule = FieldRule("tier", "tier", values=words, unmapped=policy)
    hub = pair(tmp_path, clock, mapped("tier"), [rule], extra=(TIER,))
    hub.systems["source"].add(**ann(tier="gold"))
    hub.sync()
    hub.release()
    hub.systems["source"].edit("1", tier="bronze")
    until_quiet(hub, clock)
    assert hub.systems["target"].values("1").get("tier") == kept
    assert ("tier" in aside(hub, "target")) == set_aside
    assert told(hub.systems["source"], "tier") == ["bronze"]


def test_p15_a_bad_picklist_is_set_aside_when_somebody_is_created_too(tmp_path: Path, clock: Clock) -> None:
    specs = {
        ("target", "people"): {
            "tier": FieldSpec("tier", "Tier", "choice", options={"gold": "", "silver": ""})
        }
    }
    hub = pair(tmp_path, clock, mapped("tier", "job_title"), specs=specs, extra=(TIER,))
    hub.systems["source"].add(**ann(tier="bronze", job_title="CTO"))
    hub.sync()
    held = hub.systems["target"].values("1")
    assert (held["job_title"], held.get("tier")) == ("CTO", None)
    assert "gold" in aside(hub, "target")["tier"]


# -- P16 ------------------------------------------------------------------------------------------


def test_p16_a_new_required_field_makes_no_half_records(tmp_path: Path, clock: Clock) -> None:
    hub = pair(tmp_path, clock, mapped("job_title"))
    target = hub.systems["target"]
    target.refuse = lambda values: {} if "region" in values else {"region": "is required"}
    hub.systems["source"].add(**ann(job_title="CTO"))
    report = hub.sync()
    assert target.rows == {}
    assert report.outcome.value == "completed_with_errors"
    assert len(parked(hub)) == 1
    hub.sync()
    assert target.rows == {}


# -- P17 ------------------------------------------------------------------------------------------

LONG = "x" * 300


@pytest.mark.parametrize(("policy", "kept"), [(TooLong.ERROR, "short"), (TooLong.TRUNCATE, "x" * 255)])
def test_p17_a_long_value_follows_its_policy_and_stays_stable(
    policy: TooLong, kept: Json, tmp_path: Path, clock: Clock
) -> None:
    specs = {("target", "people"): {"job_title": FieldSpec("job_title", "Title", "text", max_length=255)}}
    target = [FieldRule("job_title", "job_title", too_long=policy), FieldRule("department", "department")]
    hub = pair(tmp_path, clock, mapped("job_title", "department"), target, specs=specs)
    hub.systems["source"].add(**ann(job_title="short"))
    hub.sync()
    hub.release()
    hub.systems["source"].edit("1", job_title=LONG, department="R&D")
    until_quiet(hub, clock)
    before = written(hub)
    for _ in range(3):
        hub.sync()
    assert hub.systems["target"].values("1").get("job_title") == kept
    assert hub.systems["target"].values("1")["department"] == "R&D"
    assert told(hub.systems["source"], "job_title") == [LONG]
    assert written(hub) == before
    assert ("job_title" in aside(hub, "target")) == (policy is TooLong.ERROR)


def test_p17_a_value_too_long_for_a_new_record_is_set_aside_there(tmp_path: Path, clock: Clock) -> None:
    specs = {("target", "people"): {"job_title": FieldSpec("job_title", "Title", "text", max_length=255)}}
    hub = pair(tmp_path, clock, mapped("job_title", "department"), specs=specs)
    hub.systems["source"].add(**ann(job_title=LONG, department="R&D"))
    hub.sync()
    held = hub.systems["target"].values("1")
    assert (held.get("job_title"), held["department"]) == (None, "R&D")
    assert "255" in aside(hub, "target")["job_title"]


def test_p17_a_cut_value_that_a_person_edits_there_does_come_back(tmp_path: Path, clock: Clock) -> None:
    specs = {("target", "people"): {"job_title": FieldSpec("job_title", "Title", "text", max_length=255)}}
    target = [FieldRule("job_title", "job_title", too_long=TooLong.TRUNCATE)]
    hub = pair(tmp_path, clock, mapped("job_title"), target, specs=specs)
    hub.systems["source"].add(**ann(job_title=LONG))
    hub.sync()
    hub.release()
    hub.systems["target"].edit("1", job_title="short")
    until_quiet(hub, clock)
    assert told(hub.systems["source"], "job_title") == ["short"]


# -- P18, P20 -------------------------------------------------------------------------------------

FORMS: list[tuple[Field, Json, str | None, Json]] = [
    (Field("flag", Type.BOOL, custom=True), True, "bool_yes_no", "Yes"),
    (Field("flag", Type.BOOL, custom=True), False, "bool_01", 0),
    (Field("number", Type.INT, custom=True), 42, "text", "42"),
    (Field("sum", Type.DECIMAL, custom=True), "1234.5", "decimal(comma)", "1234,5"),
    (Field("day", Type.DATE, custom=True), "2026-03-29", "date_dmy(dot)", "29.03.2026"),
    (Field("day", Type.DATE, custom=True), "1969-12-31", "epoch_ms", -86_400_000),
    (Field("moment", Type.DATETIME, custom=True), "2026-03-29T01:30:00Z", "epoch_s", 1_774_747_800),
    (Field("many", Type.TEXTS, custom=True), ["a b", "c"], "semicolon_list", "a b;c"),
    (Field("land", Type.COUNTRY, custom=True), "DE", "country_iso3", "DEU"),
    (Field("text", Type.TEXT, custom=True), "Ünï codé 李 א", None, "Ünï codé 李 א"),
]


@pytest.mark.parametrize(("field", "plain", "transform", "there"), FORMS)
def test_p18_a_value_survives_the_round_trip_through_another_form(
    field: Field, plain: Json, transform: str | None, there: Json, tmp_path: Path, clock: Clock
) -> None:
    target = [FieldRule(field.name, "theirs", transform=transform)]
    hub = pair(tmp_path, clock, mapped(field.name), target, extra=(field,))
    hub.systems["source"].add(**ann(**{field.name: plain}))
    until_quiet(hub, clock)
    hub.release()
    until_quiet(hub, clock)
    assert told(hub.systems["target"], "theirs") == [there]
    assert told(hub.systems["source"], field.name) == [plain]
    assert aside(hub) == {}


@pytest.mark.parametrize(("field", "plain", "transform", "there"), FORMS)
def test_p18_and_p20_the_same_value_in_two_forms_is_no_difference(
    field: Field, plain: Json, transform: str | None, there: Json, tmp_path: Path, clock: Clock
) -> None:
    target = [FieldRule(field.name, "theirs", transform=transform)]
    hub = pair(tmp_path, clock, mapped(field.name), target, extra=(field,))
    hub.systems["source"].add(**ann(**{field.name: plain}))
    hub.systems["target"].add(**ann(theirs=there))
    report = hub.sync()
    hub.release()
    until_quiet(hub, clock)
    assert report.tally.get("withheld") == 0
    assert written(hub) == 0


@pytest.mark.parametrize(
    ("field", "raw"), [("children", "three"), ("vip", "perhaps"), ("birthday", "31.02.2020"), ("birthday", 7)]
)
def test_p18_what_has_no_canonical_form_is_set_aside_with_its_reason(
    field: str, raw: Json, tmp_path: Path, clock: Clock
) -> None:
    hub = pair(tmp_path, clock, mapped(field, "job_title"), extra=EXTRA)
    hub.systems["source"].add(**ann(**{field: raw}, job_title="CTO"))
    hub.sync()
    held = hub.systems["target"].values("1")
    assert (held["job_title"], held.get(field)) == ("CTO", None)
    assert aside(hub, "source")[field]
    assert told(hub.systems["source"], field) == [raw]


def test_p20_two_runs_without_an_edit_write_nothing(tmp_path: Path, clock: Clock) -> None:
    """Systems that trim, lower-case, shorten and reorder what they are sent."""

    def habits(path: str, value: Json) -> Json:
        match path, value:
            case "email", str():
                return value.lower()
            case "department", str():
                return value[:5]
            case "tags", list():
                return sorted(value, reverse=True)
        return value

    fields = mapped("email", "first_name", "last_name", "department", "tags")
    systems = {"a": Memory(clock), "b": Memory(clock, keeps=habits)}
    objects = [(name, rules(fields=fields)) for name in systems]
    hub = hub_of(tmp_path, clock, systems, Setting(objects, create=("a", "b")))
    for number in range(5):
        systems["a"].add(
            email=f"P{number}@Ex.com", first_name=f"F{number}", department="Research", tags=["b", "a"]
        )
        systems["b"].add(
            email=f"q{number}@ex.com", first_name=f"G{number}", department="Sales", tags=["z", "y"]
        )
    hub.sync()
    hub.release()
    until_quiet(hub, clock)
    systems["a"].edit("1", department="Purchasing", tags=["b", "a", "c"])
    until_quiet(hub, clock)
    before = written(hub)
    hub.sync()
    hub.sync()
    assert written(hub) == before
    assert systems["a"].values("1")["department"] == "Purchasing"


# -- P19 ------------------------------------------------------------------------------------------

ZONES = ("Etc/GMT+12", "America/New_York", "UTC", "Europe/Berlin", "Asia/Kolkata", "Pacific/Kiritimati")
DAYS = ("1980-02-29", "2026-03-29", "2026-10-25", "1910-05-05")


@pytest.mark.parametrize("kind", ["date", "datetime"])
def test_p19_a_birth_date_is_the_same_after_ten_cycles_in_all_zones(
    kind: str, tmp_path: Path, clock: Clock
) -> None:
    fields = mapped(*BASE, "birthday", "job_title")
    systems = {zone: Memory(clock) for zone in ZONES}
    objects = [(zone, rules(fields=fields)) for zone in ZONES]
    specs = {(zone, "people"): {"birthday": FieldSpec("birthday", "Birthday", kind)} for zone in ZONES[1:]}
    locales = {zone: Locale(time_zone=zone) for zone in ZONES}
    hub = hub_of(tmp_path, clock, systems, Setting(objects, create=ZONES, specs=specs, locales=locales))
    for number, day in enumerate(DAYS):
        systems[ZONES[0]].add(email=f"p{number}@ex.com", first_name="A", last_name="B", birthday=day)
    hub.sync()
    hub.release()
    for cycle in range(10):
        systems[ZONES[cycle % len(ZONES)]].edit("1", job_title=f"title {cycle}")
        clock.tick(20 * 86_400)
        hub.sync()
    assert [values["birthday"] for values in contacts(hub).values()] == list(DAYS)
    for system in systems.values():
        assert [str(value)[:10] for value in told(system, "birthday")] == list(DAYS)
        assert told(system, "job_title")[0] == "title 9"
