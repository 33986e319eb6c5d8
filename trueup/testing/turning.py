"""The hub's configuration as its people change it, and what they ask to be filled back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime

from trueup.mapping.schema import Direction
from trueup.model.plan import Plan
from trueup.ports import Store
from trueup.sync.rules.backfill import Backfill, Way
from trueup.sync.rules.policy import Policy
from trueup.testing.hub import PAUSED, UNMAPPED, configured, policy_of
from trueup.testing.plan import Event
from trueup.testing.system import Act
from trueup.testing.traits import Traits
from trueup.testing.unheard import Unheard
from trueup.testing.vocabulary import OBJECT


class Turning:
    """What holds now (`policy`), and how it was: whoever starts from now on has the new one. `unheard`: what
    it kept from being heard."""

    def __init__(self, systems: Sequence[Traits], now: Callable[[], datetime], seen: Counter[str]) -> None:
        self.unheard = Unheard()
        self.policy = policy_of(systems)
        self._systems, self._now, self._seen = systems, now, seen
        self._at_first = self.policy.config_version
        self._turns: dict[str, str] = {}
        self._left_out: list[tuple[str, datetime, bool]] = []  # system, since when, whether or not any more
        self._mapped: dict[tuple[str, str], str] = {}  # fields by system, if not as at first
        self._mapped_so: list[tuple[str, str, datetime, str]] = []  # system, field, since when, how
        self._filled: dict[Way, tuple[datetime, datetime]] = {}  # when back-fills were carried out

    # -- what people do -----------------------------------------------------------------------------------

    def turn(self, event: Event) -> None:
        """A system is left out, or nobody is made there any more, or that is taken back. One system stays."""
        name = self._systems[event.at % len(self._systems)].name
        if event.what == "back":
            self._turns.pop(name, None)
        elif event.what != PAUSED or len(self.names()) > 1:
            self._turns[name] = event.what
            self._seen[f"turn {event.what}"] += 1
        self._left_out.append((name, self._now(), self.lacks(name)))
        self.policy = policy_of(self._systems, self._turns, self._mapped)

    def remap(self, event: Event) -> None:
        """A field of a system is mapped otherwise, or as it was."""
        place = self._systems[event.at % len(self._systems)].name, event.field
        if event.what == "back":
            self._mapped.pop(place, None)
        else:
            self._mapped[place] = event.what
            self._seen[f"field {event.what}"] += 1
        self._mapped_so.append((*place, self._now(), self._mapped.get(place, "")))
        self.policy = policy_of(self._systems, self._turns, self._mapped)

    def back(self) -> None:
        """The first configuration holds again."""
        self._turns.clear()
        self._mapped.clear()
        self.policy = policy_of(self._systems)

    def back_fills(self, way: Way) -> Iterator[Backfill]:
        """A changed mapping alone moves nothing: whoever changes it back asks for what the hub only wrote to
        be read, and then for all to be written."""
        for name, remote in sorted({(name, remote) for name, remote, _, what in self._mapped_so if what}):
            if way is Way.PUSH or self.only_written(name, remote):
                yield Backfill(name, OBJECT, remote, way)

    def filled(self, way: Way, began: datetime) -> None:
        """Such a back-fill was carried out from then till now."""
        self._filled[way] = began, self._now()

    # -- what holds ---------------------------------------------------------------------------------------

    def names(self) -> list[str]:
        """The systems that are configured now."""
        return [one.name for one in configured(self._systems, self._turns)]

    def lacks(self, name: str) -> bool:
        """Whether this system is left out now."""
        return self._turns.get(name) == PAUSED

    def decided(self, store: Store, policy: Policy, plans: Sequence[Plan]) -> None:
        """Somebody whose configuration this is has decided so."""
        if self._mapped_so:
            self._seen["decided with another mapping"] += policy.config_version != self._at_first
            self.unheard.committed(store, policy, plans, self._now())

    # -- how it was ---------------------------------------------------------------------------------------

    def was_left_out(self, name: str, moment: datetime) -> bool:
        """Whether the hub's configuration lacked this system then."""
        since = [out for one, at, out in self._left_out if one == name and at <= moment]
        return bool(since) and since[-1]

    def was_unmapped(self, name: str, remote: str, moment: datetime) -> bool:
        """Whether the hub's configuration did not know this field of this system then."""
        ways = [what for *place, at, what in self._mapped_so if place == [name, remote] and at <= moment]
        return ways[-1:] == [UNMAPPED]

    def was_turned(self, name: str, remote: str) -> bool:
        """Whether this field was ever mapped otherwise than at first."""
        return any(place == [name, remote] and what for *place, _, what in self._mapped_so)

    def only_written(self, name: str, remote: str) -> bool:
        """Whether this field was mapped otherwise in this one way: what stands there was never emptied in the
        hub alone, so that it can be read anew."""
        ways = {what for *place, _, what in self._mapped_so if place == [name, remote] and what}
        return ways == {Direction.OUT}

    def pushes(self, name: str, act: Act) -> bool:
        """Whether this was written by a back-fill, which somebody asked for."""
        fields = {field for one, field, _, what in self._mapped_so if one == name and what}
        return self._asked(Way.PUSH, act.at) and fields.issuperset(act.after)

    def pulls(self, at: datetime) -> bool:
        """Whether it was decided then what a back-fill brings, which somebody asked for."""
        return self._asked(Way.PULL, at)

    def _asked(self, way: Way, at: datetime) -> bool:
        began, ended = self._filled.get(way, (_NEVER, _NEVER))
        return began <= at <= ended


_NEVER = datetime.max.replace(tzinfo=UTC)
