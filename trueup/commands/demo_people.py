"""Whom the demonstration is about: people whom the systems hold just as a story needs them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from trueup.commands.demo_systems import Systems
from trueup.commands.demo_world import Unlike
from trueup.model.entity import Link, LinkState
from trueup.model.fields import Kind
from trueup.model.plan import Case
from trueup.services import standing
from trueup.services.hub import Hub

_NAMESAKES = 20
_MOST = 100_000
_SETTLED = ("in step", "never", "not wanted", "waits", "left out")
"""`waits` and `left out`: of an owner or a company that the system does not have; nothing else is open."""


@dataclass(frozen=True, slots=True)
class Someone:
    """A contact with one record in each of some systems, and none that are further ones."""

    case: Case

    @property
    def id(self) -> str:
        return self.case.entity.public_id

    @property
    def name(self) -> str:
        values = self.case.entity.values
        return " ".join(str(values[key]) for key in ("first_name", "last_name") if values.get(key))

    def holds(self, field: str) -> object:
        return self.case.entity.values.get(field)

    def link(self, connection: str) -> Link | None:
        return next((link for link in _living(self.case) if link.connection == connection), None)

    def record(self, connection: str) -> str:
        """The id of this person's record there. Raises KeyError when there is none."""
        link = self.link(connection)
        if link is None or link.remote_id is None:
            raise KeyError(connection)
        return link.remote_id


Fits = Callable[[Someone], bool]


@dataclass(slots=True)
class Search:
    """Finds people; nobody is found twice."""

    hub: Hub
    systems: Systems
    taken: set[str] = field(default_factory=set)
    unsure: frozenset[int] = frozenset()
    """Links of which it waits for a decision whose they are."""

    def __post_init__(self) -> None:
        waiting = self.hub.store.unsure(_MOST)
        self.unsure = frozenset(link for one in waiting for link in (one.left, one.right))

    def one(self, story: str, connection: str, objects: Sequence[str], fits: Fits) -> Someone:
        """The first whom a system holds, who is in step everywhere, and who fits.

        Raises Unlike when there is nobody: a story is not told about people who are not there.
        """
        for someone in self._all(connection, objects):
            if someone.id not in self.taken and fits(someone) and self._quiet(someone.case):
                self.taken.add(someone.id)
                return someone
        raise Unlike(f"nobody in {connection} fits the story `{story}`: take more people, or another seed")

    def _all(self, connection: str, objects: Sequence[str]) -> Iterator[Someone]:
        for object in objects:
            for id in self.systems.people(connection, object):
                yield Someone(case_of(self.hub, connection, object, id))

    def _quiet(self, case: Case) -> bool:
        """Nothing is open about this contact: what happens next is the story's doing."""
        links = _living(case)
        alone = len({link.connection for link in links}) == len(case.links)
        aside = any(link.quarantine for link in links)
        unsure = case.entity.provisional or any(link.id in self.unsure for link in case.links)
        if unsure or case.open or aside or not alone:
            return False
        return all(one.word in _SETTLED for one in standing.standings(self.hub, case))


def case_of(hub: Hub, connection: str, object: str, id: str) -> Case:
    """The contact that a record belongs to. Raises Unlike when the hub does not know the record."""
    for public in hub.store.find(Kind.CONTACT, id, _NAMESAKES):
        case = hub.store.case(public)
        if any(
            (link.connection, link.object, link.remote_id) == (connection, object, id) for link in case.links
        ):
            return case
    raise Unlike(f"the hub does not know {connection} {object} {id}")


def _living(case: Case) -> list[Link]:
    return [link for link in case.links if link.state is LinkState.LIVE]
