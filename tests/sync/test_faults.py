"""Misfortunes: lost answers, refusals, limits, missing records. Nothing twice, nothing lost."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.sync.memory import ALL, Clock, Memory
from tests.sync.small_hub import SmallHub, rules, small_hub
from trueup.connectors.base import Capability, ObjectSpec
from trueup.errors import Malformed, OutcomeUnknown, RateLimited, Refused, Transient, Unauthorized
from trueup.mapping.apply import compile_mapping
from trueup.mapping.schema import ConsentRule, FieldRule
from trueup.model.canonical import Locale
from trueup.model.delivery import DeliveryState
from trueup.model.fields import TABLES, Kind
from trueup.model.run import RunOutcome


@pytest.fixture
def clock() -> Clock:
    return Clock()


def pair(folder: Path, clock: Clock, **target: object) -> SmallHub:
    """A source that is read and a target that contacts are created in."""
    systems = {"source": Memory(clock), "target": Memory(clock, **target)}  # type: ignore[arg-type]
    return small_hub(folder, clock, systems, create=("target",))


def ann(**more: object) -> dict[str, object]:
    return {"email": "ann@example.com", "first_name": "Ann", "last_name": "Lee", **more}


@pytest.mark.parametrize("lost", [OutcomeUnknown("answer lost"), Malformed("an HTML page")])
def test_a_create_whose_answer_was_lost_is_looked_up_before_anything_else(
    lost: Exception, tmp_path: Path, clock: Clock
) -> None:
    hub = pair(tmp_path, clock)
    hub.systems["source"].add(**ann())
    hub.systems["target"].after_write = [lost]
    report = hub.sync()
    assert len(hub.systems["target"].living()) == 1
    assert hub.systems["target"].calls.count("write") == 1
    assert report.outcome is RunOutcome.COMPLETED
    assert hub.sync().tally.get("creates") == 0


def test_a_create_in_doubt_without_look_up_waits_for_the_next_reading(tmp_path: Path, clock: Clock) -> None:
    hub = pair(tmp_path, clock, capabilities=ALL - {Capability.LOOKUP_BY_KEY})
    hub.systems["source"].add(**ann())
    hub.systems["target"].after_write = [OutcomeUnknown("answer lost")]
    for _ in range(3):
        clock.tick(60)
        hub.sync()
    assert len(hub.systems["target"].living()) == 1


def test_an_update_whose_answer_was_lost_is_read_and_not_repeated(tmp_path: Path, clock: Clock) -> None:
    hub = pair(tmp_path, clock)
    hub.systems["source"].add(**ann())
    hub.sync()
    hub.release()
    hub.systems["source"].edit("1", job_title="CTO")
    written = len(hub.systems["target"].written)
    hub.systems["target"].after_write = [OutcomeUnknown("answer lost")]
    hub.sync()
    assert hub.systems["target"].values("1")["job_title"] == "CTO"
    assert len(hub.systems["target"].written) == written + 1


def test_a_person_s_edit_made_while_a_write_was_in_doubt_is_kept(tmp_path: Path, clock: Clock) -> None:
    hub = pair(tmp_path, clock)
    hub.systems["source"].add(**ann())
    hub.sync()
    hub.release()
    target = hub.systems["target"]

    class Answerless(OutcomeUnknown):
        pass

    def edit_then_lose() -> None:
        if target.calls[-1] == "read" and target.values("1").get("job_title") == "CTO":
            target.between = lambda: None
            target.edit("1", job_title="typed by a person")

    hub.systems["source"].edit("1", job_title="CTO")
    target.after_write = [Answerless("answer lost")]
    target.between = edit_then_lose
    for _ in range(3):
        hub.sync()
    assert target.values("1")["job_title"] == "typed by a person"
    assert hub.systems["source"].values("1")["job_title"] == "typed by a person"


def test_one_refused_field_is_set_aside_and_the_rest_goes_out(tmp_path: Path, clock: Clock) -> None:
    hub = pair(
        tmp_path,
        clock,
        refuse=lambda values: {"department": "not in the list"} if values.get("department") else {},
    )
    hub.systems["source"].add(**ann(department="R&D", job_title="CTO"))
    report = hub.sync()
    held = hub.systems["target"].values("1")
    assert (held["job_title"], held.get("department")) == ("CTO", None)
    assert [(key, why.reason) for _, key, why in hub.store.quarantined("target", 10)] == [
        ("department", "not in the list")
    ]
    assert report.outcome is RunOutcome.COMPLETED
    writes = hub.writes()
    hub.sync()
    assert hub.writes() == writes


def test_a_field_that_a_new_record_was_refused_is_written_once_a_person_gives_it_back(
    tmp_path: Path, clock: Clock
) -> None:
    hub = pair(
        tmp_path, clock, refuse=lambda values: {"department": "gone"} if values.get("department") else {}
    )
    target = hub.systems["target"]
    hub.systems["source"].add(**ann(department="R&D"))
    hub.sync()
    hub.release()
    target.refuse = lambda values: {}
    places = [(link.id, key) for link, key, _ in hub.store.quarantined("target", 10)]
    hub.store.give_back(places, "ops", hub.parts.now())
    hub.sync()
    assert target.values("1")["department"] == "R&D"


def test_a_refused_field_is_tried_again_when_its_value_moves(tmp_path: Path, clock: Clock) -> None:
    hub = pair(
        tmp_path,
        clock,
        refuse=lambda values: {"department": "no"} if values.get("department") == "R&D" else {},
    )
    hub.systems["source"].add(**ann(department="R&D"))
    hub.sync()
    hub.systems["source"].edit("1", department="Research")
    hub.sync()
    assert hub.systems["target"].values("1")["department"] == "Research"
    assert list(hub.store.quarantined("target", 10)) == []


def test_a_record_refused_as_a_whole_is_parked_and_can_be_retried(tmp_path: Path, clock: Clock) -> None:
    hub = pair(tmp_path, clock, refuse=lambda values: {"": "no seats left"})
    hub.systems["source"].add(**ann())
    report = hub.sync()
    assert report.outcome is RunOutcome.WITH_ERRORS
    (parked,) = hub.store.deliveries([DeliveryState.PARKED], None, 10)
    hub.systems["target"].refuse = lambda values: {}
    hub.store.retry([parked.id], "ann", clock.now())
    hub.sync()
    assert len(hub.systems["target"].living()) == 1


def test_a_batch_that_is_refused_as_a_whole_is_split_until_the_bad_ones_stand_alone(
    tmp_path: Path, clock: Clock
) -> None:
    hub = pair(tmp_path, clock)
    target = hub.systems["target"]
    for number in range(20):
        hub.systems["source"].add(**ann(email=f"p{number}@example.com", job_title=f"t{number}"))
    original = target.write

    def all_or_nothing(object, items, fields):  # type: ignore[no-untyped-def]
        if any(item.values.get("job_title") in ("t3", "t11", "t12") for item in items):
            raise Refused("one of these is bad")
        return original(object, items, fields)

    target.write = all_or_nothing  # type: ignore[method-assign]
    hub.sync()
    assert len(target.living()) == 17
    parked = hub.store.deliveries([DeliveryState.PARKED], None, 100)
    assert {one.write.values["job_title"] for one in parked} == {"t3", "t11", "t12"}


def test_what_was_certainly_not_applied_is_sent_again_unchanged(tmp_path: Path, clock: Clock) -> None:
    hub = pair(tmp_path, clock)
    hub.systems["source"].add(**ann())
    target = hub.systems["target"]
    target.broken = [Transient("refused to connect")] * 0
    hub.sync(connections=("source",))
    fail = [Transient("locked"), Transient("locked")]
    original = target.write

    def locked(object, items, fields):  # type: ignore[no-untyped-def]
        if fail:
            raise fail.pop()
        return original(object, items, fields)

    target.write = locked  # type: ignore[method-assign]
    report = hub.sync()
    assert report.outcome is RunOutcome.COMPLETED
    assert len(target.living()) == 1


def test_a_rate_limited_connection_waits_and_the_others_go_on(tmp_path: Path, clock: Clock) -> None:
    systems = {"source": Memory(clock), "busy": Memory(clock), "free": Memory(clock)}
    hub = small_hub(tmp_path, clock, systems, create=("busy", "free"))
    systems["source"].add(**ann())

    def limited(object, items, fields):  # type: ignore[no-untyped-def]
        raise RateLimited("too many requests", retry_after=3600)

    original, systems["busy"].write = systems["busy"].write, limited  # type: ignore[method-assign]
    report = hub.sync()
    assert report.outcome is RunOutcome.PARTIAL
    assert (len(systems["free"].living()), len(systems["busy"].living())) == (1, 0)
    systems["busy"].write = original  # type: ignore[method-assign]
    clock.tick(5000)
    hub.sync()
    assert len(systems["busy"].living()) == 1


def test_a_connection_that_cannot_log_in_does_not_stop_the_others(tmp_path: Path, clock: Clock) -> None:
    systems = {"source": Memory(clock), "locked": Memory(clock), "free": Memory(clock)}
    hub = small_hub(tmp_path, clock, systems, create=("locked", "free"))
    systems["source"].add(**ann())
    systems["locked"].broken = [Unauthorized("token expired")]
    report = hub.sync()
    assert report.outcome is RunOutcome.PARTIAL
    assert isinstance(report.failed["locked"], Unauthorized)
    assert len(systems["free"].living()) == 1


def test_a_listing_that_comes_back_short_deletes_nobody(tmp_path: Path, clock: Clock) -> None:
    listing_only = ALL - {Capability.INCREMENTAL, Capability.DELETES_VISIBLE}
    systems = {"source": Memory(clock, capabilities=listing_only), "target": Memory(clock)}
    hub = small_hub(tmp_path, clock, systems, create=("target",))
    for number in range(60):
        systems["source"].add(**ann(email=f"p{number}@example.com"))
    hub.sync()
    hidden = {id: systems["source"].rows.pop(id) for id in list(systems["source"].rows)[:36]}
    report = hub.sync()
    assert report.outcome is RunOutcome.HELD
    assert report.tally.get("gone") == 0
    systems["source"].rows.update(hidden)
    assert hub.sync().outcome is RunOutcome.COMPLETED
    assert len(systems["target"].living()) == 60


def test_a_few_missing_records_of_a_complete_listing_are_deletions(tmp_path: Path, clock: Clock) -> None:
    listing_only = ALL - {Capability.INCREMENTAL, Capability.DELETES_VISIBLE}
    systems = {"source": Memory(clock, capabilities=listing_only), "target": Memory(clock)}
    hub = small_hub(tmp_path, clock, systems, create=("target",))
    for number in range(60):
        systems["source"].add(**ann(email=f"p{number}@example.com"))
    hub.sync()
    systems["source"].rows.pop("7")
    report = hub.sync()
    assert report.tally.get("gone") == 1
    assert len(systems["target"].living()) == 60


def test_nobody_is_created_before_the_target_was_listed_to_its_end(tmp_path: Path, clock: Clock) -> None:
    hub = pair(tmp_path, clock)
    hub.systems["source"].add(**ann())
    hub.systems["target"].add(**ann(job_title="known there"))
    hub.systems["target"].broken = [Transient("down")]
    hub.sync()
    assert len(hub.systems["target"].living()) == 1
    hub.sync()
    assert len(hub.systems["target"].living()) == 1
    assert hub.systems["source"].values("1").get("job_title") == "known there"


def test_more_creates_than_the_fuse_allows_are_held(tmp_path: Path, clock: Clock) -> None:
    hub = pair(tmp_path, clock)
    hub.sync()
    hub.parts = _with_fuse(hub, "create", 5)
    for number in range(9):
        hub.systems["source"].add(**ann(email=f"p{number}@example.com"))
    report = hub.sync(approve=False)
    assert report.outcome is RunOutcome.HELD
    assert report.held == {("target", "create"): 4}
    assert len(hub.systems["target"].living()) == 5
    hub.store.open_gates("target", "create", "boss", hub.parts.now())
    hub.sync(approve=False)
    assert len(hub.systems["target"].living()) == 9


def test_clearing_many_values_is_held_before_the_first(tmp_path: Path, clock: Clock) -> None:
    hub = pair(tmp_path, clock)
    for number in range(30):
        hub.systems["source"].add(**ann(email=f"p{number}@example.com", job_title="x"))
    hub.sync()
    hub.release()
    hub.parts = _with_fuse(hub, "clear", 10)
    for number in range(1, 31):
        hub.systems["source"].edit(str(number), job_title=None)
    report = hub.sync(approve=False)
    assert report.outcome is RunOutcome.HELD
    assert {one["job_title"] for one in hub.systems["target"].living().values()} == {"x"}


def _with_fuse(hub: SmallHub, kind: str, count: int):  # type: ignore[no-untyped-def]
    from trueup.sync.rules.guard import Fuse

    return replace(hub.parts, fuses={**hub.parts.fuses, kind: Fuse(count)})


def test_a_reference_is_taken_over_when_its_target_appears(tmp_path: Path, clock: Clock) -> None:
    people, firms = Memory(clock), Memory(clock, "firms", "company", keys=("name",))
    both = _Both(people, firms)
    fields = ["email", "first_name", FieldRule("company", "firm", to="firms")]
    hub = small_hub(tmp_path, clock, {"source": people}, objects={"source": rules("people", fields)})
    firm_rules = rules("firms", ["name"], Kind.COMPANY)
    mapping = compile_mapping("source", firm_rules, TABLES[Kind.COMPANY], Locale())
    stream = ("source", "firms")
    policy = replace(
        hub.parts.policy,
        mappings={**hub.parts.policy.mappings, stream: mapping},
        rules={**hub.parts.policy.rules, stream: firm_rules},
    )
    specs = {**hub.parts.specs, **{("source", name): one for name, one in both.objects().items()}}
    hub.parts = replace(hub.parts, policy=policy, specs=specs, connectors={"source": both})
    people.add(email="ann@example.com", first_name="Ann", firm="1")
    hub.sync()
    assert hub.contact("ann@example.com").get("company") is None
    firms.add(name="Acme")
    hub.sync()
    company = str(hub.contact("ann@example.com")["company"])
    assert hub.store.case(company).entity.values["name"] == "Acme"
    people.edit("1", firm="2")
    hub.sync()
    assert hub.contact("ann@example.com")["company"] == company
    firms.add(name="Bolt")
    hub.sync()
    moved = str(hub.contact("ann@example.com")["company"])
    assert hub.store.case(moved).entity.values["name"] == "Bolt"


class _Both:
    """One system with two objects."""

    def __init__(self, *objects: Memory) -> None:
        self.parts = {one.name: one for one in objects}

    def objects(self) -> dict[str, ObjectSpec]:
        return {name: one.objects()[name] for name, one in self.parts.items()}

    def __getattr__(self, verb: str):  # type: ignore[no-untyped-def]
        return lambda object, *rest: getattr(self.parts[object], verb)(object, *rest)


def test_a_record_that_the_hub_made_can_be_found_by_its_address(tmp_path: Path, clock: Clock) -> None:
    hub = pair(tmp_path, clock)
    hub.systems["source"].add(**ann())
    hub.sync()
    found = hub.store.candidates(Kind.CONTACT, [("email", "ann@example.com")])
    assert sorted(one.connection for one in found[("email", "ann@example.com")]) == ["source", "target"]


def test_a_value_that_does_not_fit_is_set_aside_at_a_create_too(tmp_path: Path, clock: Clock) -> None:
    systems = {"source": Memory(clock), "target": Memory(clock)}
    short = FieldRule("department", "department", max_length=5)
    hub = small_hub(
        tmp_path,
        clock,
        systems,
        objects={"source": rules(), "target": rules(fields=["email", "first_name", short])},
        create=("target",),
    )
    systems["source"].add(**ann(department="Research and development"))
    hub.sync()
    assert systems["target"].values("1").get("department") is None
    assert [key for _, key, _ in hub.store.quarantined("target", 10)] == ["department"]


def test_a_value_that_many_records_of_one_system_share_identifies_nobody(
    tmp_path: Path, clock: Clock
) -> None:
    hub = pair(tmp_path, clock)
    for number in range(8):
        hub.systems["source"].add(email="team@example.com", first_name=f"P{number}", last_name=f"L{number}")
    hub.sync()
    assert len(hub.store.find(Kind.CONTACT, "team@example.com", 20)) == 8


def test_letter_case_of_an_address_is_no_difference(tmp_path: Path, clock: Clock) -> None:
    hub = pair(tmp_path, clock)
    hub.systems["source"].add(**ann(email="Ann@Example.com"))
    hub.systems["target"].add(**ann())
    report = hub.sync()
    assert report.tally.get("withheld") == 0
    hub.release()
    hub.sync()
    assert hub.writes() == 0


def test_gated_writes_of_a_run_that_died_are_taken_over_by_the_next(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = pair(tmp_path, clock)
    hub.systems["source"].add(**ann(job_title="CTO"))
    hub.sync()
    hub.release()
    hub.systems["source"].edit("1", job_title=None)

    class Died(BaseException):
        pass

    def die(*_: object) -> None:
        raise Died

    with monkeypatch.context() as patched:
        patched.setattr("trueup.sync.engine._open_gates", die)
        with pytest.raises(Died):
            hub.sync()
    clock.tick(3600)
    hub.sync()
    assert hub.systems["target"].values("1")["job_title"] is None


def test_a_long_run_keeps_its_lease(tmp_path: Path, clock: Clock) -> None:
    hub = pair(tmp_path, clock)
    source = hub.systems["source"]
    for number in range(12):
        source.add(**ann(email=f"p{number}@example.com"))
    rivals: list[object] = []

    def slow() -> None:
        clock.tick(50)
        now = clock.now()
        rivals.append(hub.store.lease("run", "another worker", now, now))

    source.between = slow
    hub.sync()
    assert len(rivals) * 50 > 180
    assert rivals == [None] * len(rivals)


def test_what_an_earlier_run_holds_keeps_the_next_one_held(tmp_path: Path, clock: Clock) -> None:
    hub = pair(tmp_path, clock)
    hub.sync()
    hub.parts = _with_fuse(hub, "create", 2)
    for number in range(5):
        hub.systems["source"].add(**ann(email=f"p{number}@example.com"))
    first = hub.sync(approve=False)
    second = hub.sync(approve=False)
    assert (first.outcome, second.outcome) == (RunOutcome.HELD, RunOutcome.HELD)
    assert second.held == {("target", "create"): 3}
    assert len(hub.systems["target"].living()) == 2


def optouts(folder: Path, clock: Clock) -> SmallHub:
    """Ann in two systems that agree; both keep whether she may be written to."""
    consent = (ConsentRule("email", "marketing", "optout", opted_out=True),)
    objects = {name: rules(consent=consent) for name in ("source", "target")}
    hub = small_hub(folder, clock, {name: Memory(clock) for name in objects}, objects=objects)
    for system in hub.systems.values():
        system.add(**ann(optout=False))
        system.add(email="bob@example.com", first_name="Bob", optout=False)
    hub.sync()
    hub.release()
    return hub


def unreadable(*_: object) -> None:
    raise Malformed("the list has another shape")


def test_a_list_that_cannot_be_read_holds_back_everything_there_but_opt_outs(
    tmp_path: Path, clock: Clock
) -> None:
    hub = optouts(tmp_path, clock)
    target = hub.systems["target"]
    target.pull = unreadable  # type: ignore[method-assign, assignment]
    hub.systems["source"].edit("1", optout=True, job_title="CTO")
    clock.tick(600)
    report = hub.sync()
    assert report.outcome is RunOutcome.PARTIAL
    assert (target.values("1")["optout"], target.values("1").get("job_title")) == (True, None)
    del target.pull
    clock.tick(600)
    hub.sync()
    assert target.values("1")["job_title"] == "CTO"


def test_a_system_that_is_down_is_asked_once_to_take_an_opt_out(tmp_path: Path, clock: Clock) -> None:
    hub = optouts(tmp_path, clock)
    target = hub.systems["target"]
    target.pull = unreadable  # type: ignore[method-assign, assignment]
    asked: list[object] = []

    def down(*given: object) -> None:
        asked.append(given)
        raise Transient("no answer")

    target.write = down  # type: ignore[method-assign, assignment]
    place = ("target", "people")
    hub.parts = replace(
        hub.parts, specs={**hub.parts.specs, place: replace(hub.parts.specs[place], write_batch=1)}
    )
    for id in ("1", "2"):
        hub.systems["source"].edit(id, optout=True)
    clock.tick(600)
    hub.sync()
    assert len(asked) == 1


def test_what_is_in_doubt_where_a_system_is_down_keeps_nobody_else_s_doubts_waiting(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trueup.sync.doubts.FEWER", 2)
    names = ("source", "down", "up")
    hub = small_hub(tmp_path, clock, {name: Memory(clock) for name in names})
    for system in hub.systems.values():
        for n in range(3):
            system.add(email=f"ann{n}@example.com", first_name=f"Ann{n}", job_title="Old")
    hub.sync()
    hub.release()
    hub.sync()
    source, down, up = hub.systems.values()
    down.loses = up.loses = lambda item: True
    for n in range(3):
        source.edit(str(n + 1), job_title="New")
    for broken in (down, up):
        broken.read = unreadable  # type: ignore[method-assign, assignment]
    hub.sync()
    assert len(hub.store.deliveries([DeliveryState.DOUBT], None, 9)) == 6
    del up.read
    clock.tick(600)
    hub.sync()
    left = hub.store.deliveries([DeliveryState.DOUBT], None, 9)
    assert [one.write.connection for one in left] == ["down"] * 3
