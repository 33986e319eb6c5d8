"""Failures that wait for a person: grouped by cause, tried again or given up together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b

from trueup.errors import NotFound
from trueup.model.entity import public_id
from trueup.model.plan import Delivery, DeliveryState
from trueup.services.hub import Hub
from trueup.services.words import without_values

MOST = 50_000
"""Most failures that are looked at in one go; a larger number is told as such."""


@dataclass(frozen=True, slots=True)
class Cause:
    """One reason why writes failed. `id` is short and stable: the same cause has it tomorrow too.

    `kind`: `write` (a whole write waits) or `field` (one field is set aside, the others went out).
    `numbers` are pending writes, for retry and discard; `examples` some contacts that it concerns.
    """

    id: str
    kind: str
    connection: str
    object: str
    code: str
    reason: str
    count: int
    since: datetime
    fields: tuple[str, ...] = ()
    numbers: tuple[int, ...] = ()
    examples: tuple[str, ...] = ()


def causes(hub: Hub, connection: str | None = None) -> list[Cause]:
    """Every cause, the most frequent first."""
    parked = hub.parts.store.deliveries((DeliveryState.PARKED,), connection, MOST)
    aside = hub.parts.store.quarantined(connection, MOST)
    found = [*_of_writes(parked), *_of_fields(aside)]
    return sorted(found, key=lambda cause: (-cause.count, cause.connection, cause.id))


def _of_writes(parked: Iterable[Delivery]) -> list[Cause]:
    groups: dict[tuple[str, str, str, str], list[Delivery]] = {}
    for one in parked:
        reason = without_values(one.error)
        groups.setdefault((one.write.connection, one.write.object, one.code, reason), []).append(one)
    return [
        Cause(
            cause_id("write", *place),
            "write",
            *place,
            count=len(some),
            since=min(one.created_at for one in some),
            fields=tuple(sorted({path for one in some for path in one.write.values})[:8]),
            numbers=tuple(one.id for one in some),
            examples=tuple(sorted({public_id(one.link.kind, one.entity_id) for one in some})[:3]),
        )
        for place, some in groups.items()
    ]


def _of_fields(aside: Iterable) -> list[Cause]:  # type: ignore[type-arg]
    groups: dict[tuple[str, str, str, str, str], list[tuple[str, datetime]]] = {}
    for link, key, why in aside:
        place = (link.connection, link.object, why.code, without_values(why.reason), key)
        entity = public_id(link.kind, link.entity_id) if link.entity_id is not None else ""
        groups.setdefault(place, []).append((entity, why.since))
    return [
        Cause(
            cause_id("field", *place),
            "field",
            *place[:4],
            count=len(some),
            since=min(since for _, since in some),
            fields=(place[4],),
            examples=tuple(sorted({entity for entity, _ in some if entity})[:3]),
        )
        for place, some in groups.items()
    ]


def cause_id(*place: str) -> str:
    return blake2b("\x1f".join(place).encode(), digest_size=3).hexdigest()


def chosen(hub: Hub, names: Sequence[str]) -> list[int]:
    """The pending writes that ids of causes, or their own numbers, stand for.

    Raises NotFound for a name that stands for none, and for a cause that only sets fields aside.
    """
    known = {cause.id: cause for cause in causes(hub)}
    numbers = {number for cause in known.values() for number in cause.numbers}
    found: list[int] = []
    for name in names:
        if name in known:
            if known[name].kind == "field":
                raise NotFound(
                    f"`{name}` is a field set aside: it is tried again by itself once the value, the mapping "
                    "or the system's field is another",
                    code="TU-FAI-010",
                )
            found.extend(known[name].numbers)
        elif name.isdigit() and int(name) in numbers:
            found.append(int(name))
        else:
            raise NotFound(f"no failure is called `{name}`; `trueup failures` lists them", code="TU-FAI-404")
    return list(dict.fromkeys(found))


def every(hub: Hub, connection: str | None) -> list[int]:
    """All failed writes, of one connection or of all."""
    return [number for cause in causes(hub, connection) for number in cause.numbers]


def retry(hub: Hub, numbers: Sequence[int], user: str) -> int:
    """Try these again with the next sync, with fresh attempts; how many."""
    return hub.parts.store.retry(numbers, user, hub.parts.now())


def discard(hub: Hub, numbers: Sequence[int], user: str) -> int:
    """Give these up for good: the systems stay as they are; how many."""
    return hub.parts.store.discard(numbers, user, hub.parts.now())
