"""Writes whose answer was lost: read after the lag, adopted or sent again as they were, never twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.sync.memory import ALL, Clock, Memory
from tests.sync.small_hub import SmallHub, rules, small_hub
from trueup.connectors.base import Capability, Outcome, WriteItem
from trueup.errors import OutcomeUnknown
from trueup.model.delivery import DeliveryState
from trueup.model.entity import LinkState
from trueup.model.fields import Kind
from trueup.model.record import Cursor, Json, Page, Reading
from trueup.sync.inbox import reread


@pytest.fixture
def clock() -> Clock:
    return Clock()


def pair(folder: Path, clock: Clock, *, impatient: bool = False, **target: object) -> SmallHub:
    """A source that is read and a target that contacts are created in."""
    systems = {"source": Memory(clock), "target": Memory(clock, **target)}  # type: ignore[arg-type]
    hub = small_hub(folder, clock, systems, create=("target",))
    if impatient:
        hub.parts = replace(hub.parts, timing=replace(hub.parts.timing, patience=0.0))
    return hub


def ann(**more: object) -> dict[str, object]:
    return {"email": "ann@example.com", "first_name": "Ann", "last_name": "Lee", **more}


def nothing_arrives(system: Memory) -> None:
    """Until `all_arrives`, writes are lost on the way there, and so are the answers."""
    system._apply = lambda item, fields: None  # type: ignore[method-assign, assignment, return-value]
    system.loses = lambda item: True


def all_arrives(system: Memory) -> None:
    vars(system).pop("_apply", None)
    system.loses = lambda item: False


def shortened(path: str, value: object) -> object:
    return value[:10] if path == "job_title" and isinstance(value, str) else value


def test_a_lost_create_that_the_system_reshaped_is_this_contact_s_record(
    tmp_path: Path, clock: Clock
) -> None:
    hub = pair(tmp_path, clock, keeps=shortened)
    hub.systems["source"].add(**ann(job_title="Chief Technology Officer"))
    hub.systems["target"].after_write = [OutcomeUnknown("lost")]
    report = hub.sync()
    assert len(hub.systems["target"].living()) == 1
    assert hub.contact("ann@example.com")["job_title"] == "Chief Technology Officer"
    assert report.tally.get("withheld", "target") == 1


def test_a_lost_create_that_somebody_edited_at_once_is_this_contact_s_record(
    tmp_path: Path, clock: Clock
) -> None:
    hub = pair(tmp_path, clock, lag=300.0)
    hub.systems["source"].add(**ann(job_title="CTO"))
    hub.systems["target"].after_write = [OutcomeUnknown("lost")]
    hub.sync()
    hub.systems["target"].edit("1", job_title="COO", department="Board")
    for _ in range(3):
        clock.tick(400)
        hub.sync()
    assert len(hub.systems["target"].living()) == 1
    assert hub.systems["source"].values("1")["department"] == "Board"


def test_what_was_agreed_with_a_record_stays_when_a_lost_create_turns_out_to_be_it(
    tmp_path: Path, clock: Clock
) -> None:
    hub = pair(tmp_path, clock, lag=300.0, impatient=True)
    hub.systems["source"].add(**ann())
    hub.systems["target"].after_write = [OutcomeUnknown("lost")]
    hub.sync()
    hub.release()
    hub.systems["target"].edit("1", job_title="COO")
    clock.tick(60)
    hub.sync()
    hub.systems["source"].edit("1", job_title="Chair")
    clock.tick(60)
    hub.sync()
    clock.tick(400)
    hub.sync()
    (name,) = hub.store.find(Kind.CONTACT, "ann@example.com", 9)
    assert [link.state for link in hub.store.case(name).links] == [LinkState.LIVE] * 2
    assert hub.systems["target"].values("1")["job_title"] == "Chair"


@pytest.mark.parametrize("read_first", [False, True])
@pytest.mark.parametrize(
    ("was", "now"),
    [
        ({"job_title": "CTO"}, {"job_title": None}),
        ({"job_title": "CTO"}, {"job_title": "COO"}),
        ({"first_name": "Ann", "last_name": "Lee"}, {"first_name": "Anna", "last_name": None}),
        ({"tags": ["a", "b"]}, {"tags": ["a"]}),
    ],
)
def test_what_a_lost_create_carried_does_not_stand_again_where_it_was_changed_since(
    was: dict[str, object], now: dict[str, Json], read_first: bool, tmp_path: Path, clock: Clock
) -> None:
    """Somebody edits another field of the record before the hub knows that it made it, and the record is read
    before the create is looked for, or not."""
    hub = pair(tmp_path, clock, lag=300.0, impatient=True)
    source, target = hub.systems["source"], hub.systems["target"]
    source.add(**{**ann(department="Sales"), **was})
    target.after_write = [OutcomeUnknown("lost")]
    hub.sync()
    hub.release()
    source.edit("1", **now)
    clock.tick(60)
    hub.sync(["source"])
    target.edit("1", department="Board")
    clock.tick(60 if read_first else 400)
    for _ in range(4):
        hub.sync()
        clock.tick(400)
    assert len(target.living()) == 1
    for field, value in now.items():
        assert [system.values("1").get(field) for system in hub.systems.values()] == [value, value]


def test_one_of_a_team_is_not_mistaken_for_another_who_has_the_same_address(
    tmp_path: Path, clock: Clock
) -> None:
    hub = pair(tmp_path, clock)
    for n in range(8):
        hub.systems["target"].add(email="team@example.com", first_name=f"P{n}", last_name=f"L{n}")
    hub.systems["source"].add(email="team@example.com", first_name="Cleo", last_name="Cleoson")
    hub.systems["target"].after_write = [OutcomeUnknown("lost")]
    hub.sync()
    assert len(hub.systems["target"].living()) == 9
    assert _closed(hub) == [DeliveryState.DONE]
    assert hub.sync().tally.get("creates") == 0


def test_the_lag_of_a_write_counts_from_the_end_of_its_worker(tmp_path: Path, clock: Clock) -> None:
    hub = pair(tmp_path, clock, lag=30.0)
    hub.systems["source"].add(**ann())
    hub.systems["target"].after_write = [KeyboardInterrupt()]  # type: ignore[list-item]
    with pytest.raises(KeyboardInterrupt):
        hub.sync()
    clock.tick(5)
    hub.sync()
    assert len(hub.systems["target"].living()) == 1


class Lagging(Memory):
    """Its list shows a record a minute after it was written, as many search indexes do."""

    def pull(self, object: str, reading: Reading, cursor: Cursor | None, fields: object) -> Page:
        shown = {
            id: row for id, row in self.rows.items() if self.clock.now() - row.stamp >= timedelta(minutes=1)
        }
        everything, self.rows = self.rows, shown
        number, self.sequence = self.sequence, max((row.number for row in shown.values()), default=0)
        try:
            return super().pull(object, reading, cursor, fields)  # type: ignore[arg-type]
        finally:
            self.rows, self.sequence = everything, number


def test_a_reading_that_began_before_the_lag_was_over_does_not_tell_that_nothing_was_made(
    tmp_path: Path, clock: Clock
) -> None:
    target = Lagging(clock, capabilities=ALL - {Capability.LOOKUP_BY_KEY}, lag=60.0)
    hub = small_hub(tmp_path, clock, {"source": Memory(clock), "target": target}, create=("target",))
    hub.parts = replace(hub.parts, timing=replace(hub.parts.timing, patience=0.0))
    hub.systems["source"].add(**ann())
    target.loses = lambda item: True
    hub.sync()
    target.loses = lambda item: False
    for seconds in (2, 100, 100):
        clock.tick(seconds)
        hub.sync()
    assert len(target.living()) == 1


def test_a_lost_deletion_is_done_only_when_the_record_is_gone(tmp_path: Path, clock: Clock) -> None:
    objects = {"source": rules(), "target": rules(deleted_elsewhere="delete"), "third": rules()}
    hub = small_hub(tmp_path, clock, {name: Memory(clock) for name in objects}, objects=objects)
    for system in hub.systems.values():
        system.add(**ann())
        system.add(email="bob@example.com", first_name="Bob")
    hub.sync()
    nothing_arrives(hub.systems["target"])
    hub.systems["source"].delete("1")
    clock.tick(60)
    hub.sync()
    assert "1" in hub.systems["target"].living()
    all_arrives(hub.systems["target"])
    clock.tick(60)
    hub.sync()
    assert "1" not in hub.systems["target"].living()
    assert _closed(hub) == [DeliveryState.DONE]


def test_a_deletion_that_arrived_while_its_answer_was_lost_is_done(tmp_path: Path, clock: Clock) -> None:
    objects = {"source": rules(), "target": rules(deleted_elsewhere="delete")}
    hub = small_hub(tmp_path, clock, {name: Memory(clock) for name in objects}, objects=objects)
    for system in hub.systems.values():
        system.add(**ann())
        system.add(email="bob@example.com", first_name="Bob")
    hub.sync()
    hub.systems["target"].after_write = [OutcomeUnknown("lost")]
    hub.systems["source"].delete("1")
    clock.tick(60)
    hub.sync()
    assert _closed(hub) == [DeliveryState.DONE]
    assert hub.systems["target"].calls.count("write") == 1


def test_a_lost_write_that_nothing_shows_is_sent_again_as_it_was(tmp_path: Path, clock: Clock) -> None:
    hub = small_hub(tmp_path, clock, {"source": Memory(clock), "target": Memory(clock, hidden={"job_title"})})
    for system in hub.systems.values():
        system.add(**ann())
    hub.sync()
    hub.release()
    hub.systems["source"].edit("1", job_title="CTO")
    nothing_arrives(hub.systems["target"])
    hub.sync()
    all_arrives(hub.systems["target"])
    for _ in range(2):
        clock.tick(60)
        hub.sync()
    values: Mapping[str, object] = hub.systems["target"].values("1")
    assert values.get("job_title") == "CTO"
    assert _closed(hub) == [DeliveryState.DONE]


@pytest.mark.parametrize("read", ["before its answer is missed", "after"])
@pytest.mark.parametrize("sent", ["CTO", None], ids=["set", "emptied"])
def test_a_lost_write_that_was_read_and_then_undone_by_somebody_is_not_sent_again(
    sent: str | None, read: str, tmp_path: Path, clock: Clock
) -> None:
    hub = agreed_pair(tmp_path, clock)
    source, target = hub.systems["source"], hub.systems["target"]
    source.edit("1", job_title=sent)
    write = target.write

    def loses(object: str, items: Sequence[WriteItem], fields: Sequence[str]) -> Sequence[Outcome]:
        write(object, items, fields)
        clock.tick(1)
        if read != "after":
            reread(hub.parts, ("target", "people"), ["1"], None)
        raise OutcomeUnknown("no answer")

    target.write = loses  # type: ignore[method-assign]
    hub.sync()
    target.write = write  # type: ignore[method-assign]
    if read == "after":
        assert in_doubt(hub) == ["TU-CON-020"]
        reread(hub.parts, ("target", "people"), ["1"], None)
    assert in_doubt(hub) == ["TU-CON-021"]
    target.edit("1", job_title="Old")
    reread(hub.parts, ("target", "people"), ["1"], None)
    told = at_rest(hub)
    assert ([one["job_title"] for one in told], in_doubt(hub)) == (["Old", "Old"], [])
    assert len(target.written) == 1


def in_doubt(hub: SmallHub) -> list[str]:
    return [one.code for one in hub.store.deliveries([DeliveryState.DOUBT], "target", 9)]


def agreed_pair(folder: Path, clock: Clock) -> SmallHub:
    """Ann in two systems that agree; lists of the target lag."""
    hub = small_hub(folder, clock, {"source": Memory(clock), "target": Memory(clock, lag=600.0)})
    for system in hub.systems.values():
        system.add(**ann(job_title="Old", department="HR"))
    hub.sync()
    hub.release()
    clock.tick(1000)
    hub.sync()
    return hub


def at_rest(hub: SmallHub) -> tuple[dict[str, object], ...]:
    for _ in range(3):
        hub.systems["source"].clock.tick(1000)
        hub.sync()
    return tuple(
        {name: system.values("1").get(name) for name in ("job_title", "department")}
        for system in hub.systems.values()
    )


def test_what_a_write_in_doubt_left_there_beside_somebody_s_edit_is_no_edit(
    tmp_path: Path, clock: Clock
) -> None:
    hub = agreed_pair(tmp_path, clock)
    hub.systems["source"].edit("1", job_title="CTO", department="IT")
    hub.systems["target"].loses = lambda item: True
    hub.sync()
    hub.systems["target"].loses = lambda item: False
    assert hub.systems["target"].values("1")["job_title"] == "CTO"
    hub.systems["target"].edit("1", department="Board")
    hub.systems["source"].edit("1", job_title=None)
    left = at_rest(hub)
    assert left == ({"job_title": None, "department": "Board"},) * 2
    assert "CTO" not in told_of_the_target(hub)


def test_one_value_of_a_lost_write_that_somebody_types_there_does_not_stand_for_the_others(
    tmp_path: Path, clock: Clock
) -> None:
    hub = agreed_pair(tmp_path, clock)
    hub.systems["source"].edit("1", job_title="CTO", department="IT")
    nothing_arrives(hub.systems["target"])
    hub.sync()
    all_arrives(hub.systems["target"])
    hub.systems["target"].edit("1", job_title="CTO")
    assert at_rest(hub) == ({"job_title": "CTO", "department": "IT"},) * 2


def told_of_the_target(hub: SmallHub) -> list[object]:
    """Every value that the history says to be from there, decided or lost."""
    (who,) = hub.store.find(Kind.CONTACT, "ann@example.com", 9)
    rows = hub.store.history(who, 99)
    changed = [one.new for row in rows for one in row.changes if one.source.startswith("target/")]
    return [
        *changed,
        *(one.lost for row in rows for one in row.conflicts if one.lost_source.startswith("target/")),
    ]


def _closed(hub: SmallHub) -> list[DeliveryState]:
    return [one.state for one in hub.store.deliveries([*DeliveryState], None, 9)]


@dataclass
class Doubling(Memory):
    """Guards writes by versions. Every request arrives twice, and the second answer is told."""

    def write(self, object: str, items: Sequence[WriteItem], fields: Sequence[str]) -> Sequence[Outcome]:
        super().write(object, items, fields)
        return super().write(object, items, fields)


def test_a_write_that_the_network_doubled_is_not_taken_for_somebody_s_edit(
    tmp_path: Path, clock: Clock
) -> None:
    source, target = Memory(clock), Doubling(clock, keeps=shortened)
    hub = small_hub(tmp_path, clock, {"source": source, "target": target}, order=("target", "source"))
    for system in hub.systems.values():
        system.add(**ann(job_title="CTO"))
    hub.sync()
    hub.release()
    source.edit("1", job_title="Chief Technology Officer")
    for _ in range(3):
        clock.tick(60)
        hub.sync()
    assert source.values("1")["job_title"] == "Chief Technology Officer"
    assert target.values("1")["job_title"] == "Chief Tech"


class Typing(Memory):
    """A record of it is edited between a reading of its list and the next write."""

    typed: Mapping[str, Json] | None = None

    def pull(self, object: str, reading: Reading, cursor: Cursor | None, fields: Sequence[str]) -> Page:
        page = super().pull(object, reading, cursor, fields)
        if self.typed is not None and not page.more:
            self.edit("1", **self.typed)
            self.typed = None
            self.clock.tick(5)
        return page


def hub_of_typing(folder: Path, clock: Clock, target: Typing) -> SmallHub:
    hub = small_hub(folder, clock, {"source": Memory(clock), "target": target}, order=("target", "source"))
    for system in hub.systems.values():
        system.add(**ann(job_title="Janitor"))
    hub.sync()
    hub.release()
    hub.sync()
    return hub


@pytest.mark.parametrize("title", ["CTO", "Chief Officer", "Boss"])
def test_an_edit_that_a_write_met_is_no_form_of_what_was_written(
    title: str, tmp_path: Path, clock: Clock
) -> None:
    target = Typing(clock)
    hub = hub_of_typing(tmp_path, clock, target)
    hub.systems["source"].edit("1", job_title="Chief Technology Officer")
    target.typed = {"job_title": title}
    for _ in range(3):
        clock.tick(60)
        hub.sync()
    assert [system.values("1")["job_title"] for system in hub.systems.values()] == [title, title]


@pytest.mark.parametrize("typed", [{"department": "Board"}, {"job_title": "chief officer"}])
def test_another_case_is_not_written_because_the_words_stand_there(
    typed: Mapping[str, Json], tmp_path: Path, clock: Clock
) -> None:
    target = Typing(clock)
    hub = hub_of_typing(tmp_path, clock, target)
    hub.systems["source"].edit("1", job_title="chief Officer")
    until_read(hub, clock)
    hub.systems["source"].edit("1", job_title="Chief Officer")
    target.typed = typed
    until_read(hub, clock)
    title = typed.get("job_title", "Chief Officer")
    assert [system.values("1")["job_title"] for system in hub.systems.values()] == [title, title]


def marked(path: str, value: Json) -> Json:
    return f"{value} (new)" if path == "job_title" else value


@pytest.mark.parametrize("lost", [False, True])
def test_what_stood_there_before_is_no_form_that_was_learned(
    lost: bool, tmp_path: Path, clock: Clock
) -> None:
    """A write that met an edit of another field, and one that never arrived, go again."""
    target = Typing(clock, capabilities=ALL - {Capability.ANSWERS_WITH_RECORD}, keeps=marked)
    hub = hub_of_typing(tmp_path, clock, target)
    source = hub.systems["source"]
    for title in ("one", "two", "three", "four", "five"):
        source.edit("1", job_title=title)
        until_read(hub, clock)
    assert [one.path for one in hub.store.formats(["target"]) if one.learned] == ["job_title"]
    source.edit("1", job_title="six")
    if lost:
        nothing_arrives(target)
    else:
        target.typed = {"department": "Board"}
    hub.sync()
    all_arrives(target)
    until_read(hub, clock)
    assert target.values("1")["job_title"] == "six (new)"
    assert source.values("1")["job_title"] == "six"


def until_read(hub: SmallHub, clock: Clock) -> None:
    for _ in range(3):
        clock.tick(60)
        hub.sync()
