"""Writes that a system does in the background: what people do meanwhile is theirs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.sync.memory import ALL, Clock, Memory
from tests.sync.small_hub import small_hub
from trueup.connectors.base import Capability, Done, Outcome, Pending, WriteItem

NO_ANSWER = ALL - {Capability.CONDITIONAL_WRITE, Capability.ANSWERS_WITH_RECORD}


@dataclass
class Background(Memory):
    """Does what it is sent at once and tells so only after a while."""

    polls: int = 0

    def write(self, object: str, items: Sequence[WriteItem], fields: Sequence[str]) -> Sequence[Outcome]:
        super().write(object, items, fields)
        self.polls = 100
        return [Pending("job 1")] * len(items)

    def poll(self, object: str, job: str, items: Sequence[WriteItem]) -> Sequence[Outcome]:
        self.polls -= 1
        return [Pending(job) if self.polls > 0 else Done(str(item.id)) for item in items]


def test_an_edit_that_was_read_before_the_job_was_told_done_is_kept(tmp_path: Path) -> None:
    clock = Clock()
    slow = Background(clock, capabilities=NO_ANSWER)
    hub = small_hub(tmp_path, clock, {"sales": Memory(clock), "slow": slow})
    hub.systems["sales"].add(email="ann@example.com", job_title="CTO")
    slow.add(email="ann@example.com", job_title="CTO")
    hub.sync()
    hub.release()
    hub.systems["sales"].edit("1", job_title="COO")
    hub.sync()
    assert slow.values("1")["job_title"] == "COO" and slow.polls > 0
    slow.edit("1", job_title="Owner")
    slow.polls = 2
    clock.tick(60)
    for _ in range(3):
        hub.sync()
        clock.tick(60)
    assert [system.values("1")["job_title"] for system in hub.systems.values()] == ["Owner", "Owner"]
