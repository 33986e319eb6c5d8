"""Records that were read and are nobody's yet: a create whose answer was lost may have made one of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeAlias

from trueup.mapping.apply import observed
from trueup.mapping.compiled import Binding
from trueup.mapping.schema import Direction
from trueup.model.delivery import Delivery
from trueup.model.entity import Link
from trueup.model.record import Json, Record
from trueup.sync.parts import KINDS, Parts
from trueup.sync.rules.policy import Stream

Content: TypeAlias = frozenset[tuple[str, str]]
"""All that a record says, by canonical field, as text."""


WRONG = timedelta(days=1)
"""How far a system's clock may be behind ours."""


@dataclass(slots=True)
class Unclaimed:
    """Strangers by what they say. They are read once, when the first is asked for; each is given once."""

    parts: Parts
    _found: dict[Stream, dict[Content, list[Link]]] | None = field(default=None, init=False)

    def made_by(self, delivery: Delivery) -> Record | None:
        """A record that says what this create sent and nothing else, the one that came first of those that it
        can have made."""
        if self._found is None:
            self._found = self._all()
        stream = (delivery.write.connection, delivery.write.object)
        said = self._content(stream, delivery.write.values)
        links = self._found.get(stream, {}).get(said, []) if said else []
        link = next((one for one in links if self._may_be_made_by(delivery, one)), None)
        if link is None:
            return None
        links.remove(link)
        return Record(link.remote_id or "", link.observed, link.version, link.changed_at)

    def _may_be_made_by(self, delivery: Delivery, link: Link) -> bool:
        """Not if it changed last long before this was decided, bears another key than the hub gave it, or
        lacks what nobody but the hub says there."""
        if link.changed_at is not None and link.changed_at < delivery.created_at - WRONG:
            return False
        write, held = delivery.write, link.observed
        if write.upsert is not None and write.upsert[0] in held:
            path, key = write.upsert
            if str(held[path]) != str(key):
                return False
        ours = [one.remote for one in self.parts.policy.mappings[link.stream].bindings if _only_ours(one)]
        return not any(write.values.get(path) and path in held and not held[path] for path in ours)

    def _all(self) -> dict[Stream, dict[Content, list[Link]]]:
        found: dict[Stream, dict[Content, list[Link]]] = {}
        for link in self._strangers():
            if link.stream in self.parts.policy.mappings:
                beside = found.setdefault(link.stream, {})
                beside.setdefault(self._content(link.stream, link.observed), []).append(link)
        return found

    def _strangers(self) -> Iterator[Link]:
        after = 0
        while links := self.parts.store.strangers(KINDS, after, self.parts.timing.chunk):
            after = links[-1].id
            yield from links

    def _content(self, stream: Stream, values: Mapping[str, Json]) -> Content:
        """Without consent, which has its own ways, and without the system's own stamps."""
        stamps = self.parts.policy.own_stamps(stream)
        bindings = self.parts.policy.mappings[stream].bindings
        said = observed((one for one in bindings if not one.consent and one.remote not in stamps), values)
        return frozenset((name, str(value)) for name, value in said.values.items() if value)


def _only_ours(binding: Binding) -> bool:
    return binding.direction is Direction.OUT and not binding.consent
