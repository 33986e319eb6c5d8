"""What the engine works with: the ports, the connectors, and the compiled configuration."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from trueup.connectors.base import Capability, Connector, ObjectSpec
from trueup.dedupe.decision import Identity
from trueup.model.delivery import Lane
from trueup.model.fields import Kind
from trueup.ports import Clock, Random, Store
from trueup.sync.rules.guard import DEFAULT_FUSES, Fuse
from trueup.sync.rules.policy import Policy, Stream

KINDS = (Kind.USER, Kind.COMPANY, Kind.CONTACT, Kind.DEAL)
"""Parents before children."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds and sizes of a whole run."""

    patience: float = 90.0  # longest wait for lags and limits inside one run
    chunk: int = 1000


@dataclass(frozen=True, slots=True)
class Pace:
    """What a connection's configuration says about time: for how many seconds a record counts as just read,
    and how often everything is listed again."""

    guard_age: float = 30.0
    full_listing: timedelta | None = None


USUAL = Pace()


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything a run needs; wired in `services` (or by a test), never made here.

    `urgent`: the same connections, asking the budget in the urgent lane. `decides_at_once`: connections
    that need no release after their first load (`first_load: authority`). `specs` are the connectors'
    objects by stream, `paces` what was said of a connection's times. `progress` is told what is going on:
    (step, connection, object, count). `worker` names this process; `ended` says whether the process of such
    a name has certainly ended.
    """

    store: Store
    connectors: Mapping[str, Connector]
    specs: Mapping[Stream, ObjectSpec]
    policy: Policy
    clock: Clock
    random: Random
    urgent: Mapping[str, Connector] = field(default_factory=dict)
    identity: Identity = field(default_factory=Identity)
    fuses: Mapping[str, Fuse] = field(default_factory=lambda: DEFAULT_FUSES)
    timing: Timing = field(default_factory=Timing)
    paces: Mapping[str, Pace] = field(default_factory=dict)
    worker: str = "worker"
    ended: Callable[[str], bool] = lambda worker: False
    decides_at_once: frozenset[str] = frozenset()
    progress: Callable[[str, str, str, int], None] = lambda step, connection, object, count: None

    def can(self, stream: Stream, capability: Capability) -> bool:
        """Whether the system can do this for this object."""
        return capability in self.specs[stream].capabilities

    def pace(self, connection: str) -> Pace:
        """The times of this connection; the usual ones where nothing was said."""
        return self.paces.get(connection, USUAL)

    def streams(self, connection: str) -> tuple[Stream, ...]:
        """The configured streams of a connection, parents before children, facts last."""
        mine = [stream for stream in self.policy.rules if stream[0] == connection]
        return tuple(sorted(mine, key=self._place))

    def _place(self, stream: Stream) -> tuple[int, str]:
        kind = self.policy.rules[stream].kind
        return (KINDS.index(kind) if kind is not None else len(KINDS), stream[1])

    def connector(self, connection: str, lane: Lane) -> Connector:
        """The connector that asks the budget in this lane."""
        if lane is Lane.URGENT and connection in self.urgent:
            return self.urgent[connection]
        return self.connectors[connection]

    def now(self) -> datetime:
        return self.clock.now()
