"""Back-fills: the effect of a changed mapping, written to a system or read from it, in a stated direction.

A mapping change alone moves nothing (HARD-CASES 15). A back-fill is asked for by a person and travels as a
reason of the due mark, so that one that was begun is finished also by a run that nobody told of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from urllib.parse import quote, unquote

from trueup.model.entity import NEVER, Agreed, Source
from trueup.model.fields import Field
from trueup.model.values import Value
from trueup.sync.rules.evidence import Claim, Reading, claims, hub_side


class Way(StrEnum):
    """Seen from the hub, as people say it: push writes to the system, pull reads from it."""

    PUSH = "push"
    PULL = "pull"


@dataclass(frozen=True, slots=True, order=True)
class Backfill:
    """One binding (`key`) of one stream, and where its values shall go."""

    connection: str
    object: str
    key: str
    way: Way

    @property
    def stream(self) -> tuple[str, str]:
        return (self.connection, self.object)

    @property
    def reason(self) -> str:
        """How it is written into a due mark: one word without blanks."""
        place = "/".join(quote(part, safe="") for part in (self.connection, self.object, self.key))
        return f"{self.way}:{place}"


def read_reason(reason: str) -> Backfill | None:
    """The back-fill that a due reason speaks of, None for any other reason."""
    way, sign, place = reason.partition(":")
    if not sign or way not in tuple(Way):
        return None
    connection, object, key = (unquote(part) for part in place.split("/"))
    return Backfill(connection, object, key, Way(way))


def asked(reasons: Iterable[str]) -> Mapping[tuple[str, str, str], Way]:
    """Which bindings (connection, object, key) are back-filled in this decision, and which way."""
    found = (read_reason(reason) for reason in reasons if ":" in reason)
    return {(*one.stream, one.key): one.way for one in found if one is not None}


def pulled(reading: Reading, table: Mapping[str, Field], sources: Mapping[str, Source]) -> Iterator[Claim]:
    """The system's value asks to be taken anew: as a first sight, or, where the hub's value came from this
    very connection, as its correction. An edit that is news anyway stays that edit."""
    if reading.was is None or reading.moved:
        yield from claims(reading, table)
        return
    for claim in claims(replace(reading, was=None), table):
        source = sources.get(claim.field)
        own = source is not None and source.origin == claim.connection
        yield replace(claim, first=False) if own else claim


def pushed(reading: Reading, values: Mapping[str, Value]) -> Reading:
    """The reading as if the hub's value had never been there, so that it is written wherever it differs,
    also where the system refused it before. An empty value is none: it is not written over anything."""
    hub = hub_side(reading.binding, values)
    if hub in (None, []) or (isinstance(hub, list) and not any(hub)):
        return reading
    kept = {key: why for key, why in reading.link.quarantine.items() if key != reading.binding.key}
    agreed = reading.agreed and Agreed(NEVER, reading.agreed.remote)
    return replace(reading, link=replace(reading.link, quarantine=kept), agreed=agreed)
