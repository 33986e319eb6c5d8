"""What fails while the hub reads back what it wrote: the writes stand, and the connection is left alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from tests.sync.memory import ALL, Clock, Memory
from tests.sync.small_hub import SmallHub, small_hub
from trueup.connectors.base import Capability, Done, GoneItem, ObjectSpec, Outcome, Pending, WriteItem
from trueup.errors import ConnectorError, Malformed, RateLimited, Transient, Unauthorized
from trueup.model.record import Json, Record

SILENT = ALL - {Capability.ANSWERS_WITH_RECORD}
ERRORS = [Unauthorized("the login was taken away"), RateLimited("too many calls"), Transient("503")]


@dataclass
class Unreadable(Memory):
    """Writes one record a call; as long as `error` is set it cannot be read by id."""

    error: ConnectorError | None = None
    asked: list[str] = field(default_factory=list)

    def objects(self) -> Mapping[str, ObjectSpec]:
        return {name: replace(spec, write_batch=1) for name, spec in super().objects().items()}

    def read(self, object: str, ids: Sequence[str], fields: Sequence[str]) -> Sequence[Record | GoneItem]:
        self.asked.extend(ids)
        if self.error is not None:
            raise self.error
        return super().read(object, ids, fields)


@dataclass
class Working(Unreadable):
    """Takes all writes as one job, of which it tells that it is done at once."""

    def objects(self) -> Mapping[str, ObjectSpec]:
        return Memory.objects(self)

    def write(self, object: str, items: Sequence[WriteItem], fields: Sequence[str]) -> Sequence[Outcome]:
        super().write(object, items, fields)
        return [Pending("job 1")] * len(items)

    def poll(self, object: str, job: str, items: Sequence[WriteItem]) -> Sequence[Outcome]:
        return [Done(str(item.id)) for item in items]


def three_people(folder: Path, clock: Clock, support: Unreadable, **values: Json) -> SmallHub:
    """The same three people in sales and support; sales is about to say `values` of each of them."""
    hub = small_hub(folder, clock, {"sales": Memory(clock), "support": support})
    for number in range(3):
        for system in hub.systems.values():
            system.add(email=f"p{number}@example.com", first_name="P", tags=["old"])
    hub.sync()
    hub.release()
    for id in hub.systems["sales"].living():
        hub.systems["sales"].edit(id, **values)
    support.asked.clear()
    return hub


@pytest.mark.parametrize("error", ERRORS, ids=lambda one: type(one).__name__)
def test_an_error_of_reading_back_stops_the_lane_of_its_connection(
    error: ConnectorError, tmp_path: Path
) -> None:
    clock = Clock()
    support = Unreadable(clock, capabilities=SILENT)
    hub = three_people(tmp_path, clock, support, tags=["old", "new"])
    support.error = error
    report = hub.sync()
    assert report.failed == {"support": error}
    assert (len(support.written), len(support.asked)) == (1, 1)


def test_what_was_written_before_reading_back_failed_stands_and_the_rest_follows(tmp_path: Path) -> None:
    clock = Clock()
    support = Unreadable(clock, capabilities=SILENT)
    hub = three_people(tmp_path, clock, support, tags=["old", "new"])
    support.error = Unauthorized("the login was taken away")
    hub.sync()
    support.error = None
    for _ in range(2):
        clock.tick(600)
        hub.sync()
    assert len(support.written) == 3
    assert [row["tags"] for row in support.living().values()] == [["old", "new"]] * 3


@pytest.mark.parametrize("error", [*ERRORS, Malformed("half a page")], ids=lambda one: type(one).__name__)
def test_an_error_of_dating_a_job_stops_the_lane_and_the_jobs_end_is_kept(
    error: ConnectorError, tmp_path: Path
) -> None:
    clock = Clock()
    support = Working(clock, capabilities=SILENT)
    hub = three_people(tmp_path, clock, support, first_name="Q")
    hub.parts = replace(hub.parts, timing=replace(hub.parts.timing, patience=0))
    hub.sync()
    clock.tick(60)
    support.asked.clear()
    support.error = error
    report = hub.sync()
    assert report.failed == {"support": error}
    assert sorted(support.asked) == ["1", "2", "3"]
    assert report.tally.get("done") == 3
