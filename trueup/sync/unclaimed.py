"""Records that were read and are nobody's yet: a create whose answer was lost may have made one of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from trueup.mapping.apply import observed
from trueup.model.delivery import Delivery
from trueup.model.entity import Link
from trueup.model.record import Json, Record
from trueup.sync.parts import KINDS, Parts
from trueup.sync.rules.policy import Stream

Content: TypeAlias = frozenset[tuple[str, str]]
"""All that a record says, by canonical field, as text."""


@dataclass(slots=True)
class Unclaimed:
    """Strangers by what they say. They are read once, when the first is asked for; each is given once."""

    parts: Parts
    _found: dict[Stream, dict[Content, list[Link]]] | None = field(default=None, init=False)

    def made_by(self, delivery: Delivery) -> Record | None:
        """A record that says what this create sent and nothing else, the one that came first."""
        if self._found is None:
            self._found = self._all()
        stream = (delivery.write.connection, delivery.write.object)
        said = self._content(stream, delivery.write.values)
        links = self._found.get(stream, {}).get(said, [])
        if not said or not links:
            return None
        link = links.pop(0)
        return Record(link.remote_id or "", link.observed, link.version, link.changed_at)

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
