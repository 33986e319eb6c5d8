"""Failures that wait for a person: grouped by cause, tried again or given up together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b

from trueup.errors import NotFound
from trueup.model.covering import shape_of, without_values
from trueup.model.delivery import Delivery, DeliveryState
from trueup.model.entity import Link, Quarantine, public_id
from trueup.services.hub import Hub
from trueup.sync.rules.swinging import CODE as SWINGS

MOST = 50_000
"""Most failures that are looked at in one go; a larger number is told as such."""


@dataclass(frozen=True, slots=True)
class Cause:
    """One reason why writes failed. `id` is short and stable: the same cause has it tomorrow too.

    `reason` is one of the `texts` (so many) in which the system says it; they differ in what it quotes.
    `kind`: `write` (a whole write waits) or `field` (one field is set aside, the others went out).
    `numbers` are pending writes, for retry and discard; `places` are fields (link, binding) that only a
    person gives back to the rules; `examples` some contacts that it concerns.
    """

    id: str
    kind: str
    connection: str
    object: str
    code: str
    reason: str
    count: int
    since: datetime
    texts: int = 1
    fields: tuple[str, ...] = ()
    numbers: tuple[int, ...] = ()
    places: tuple[tuple[int, str], ...] = ()
    examples: tuple[str, ...] = ()


def causes(hub: Hub, connection: str | None = None) -> list[Cause]:
    """Every cause, the most frequent first."""
    states = (DeliveryState.PARKED, DeliveryState.DOUBT)
    some = hub.parts.store.deliveries(states, connection, MOST)
    parked = [one for one in some if one.state is DeliveryState.PARKED or one.may_be_made]
    aside = hub.parts.store.quarantined(connection, MOST)
    found = [*_of_writes(parked), *_of_fields(aside)]
    return sorted(found, key=lambda cause: (-cause.count, cause.connection, cause.id))


def _of_writes(parked: Iterable[Delivery]) -> list[Cause]:
    groups: dict[tuple[str, str, str, str], list[Delivery]] = {}
    for one in parked:
        shape = shape_of(one.error, one.write.values, one.write.values.values())
        groups.setdefault((one.write.connection, one.write.object, one.code, shape), []).append(one)
    return [
        Cause(
            cause_id("write", *place),
            "write",
            *place[:3],
            without_values(some[0].error),
            texts=len({without_values(one.error) for one in some}),
            count=len(some),
            since=min(one.created_at for one in some),
            fields=tuple(sorted({path for one in some for path in one.write.values})[:8]),
            numbers=tuple(one.id for one in some),
            examples=tuple(sorted({public_id(one.link.kind, one.entity_id) for one in some})[:3]),
        )
        for place, some in groups.items()
    ]


def _of_fields(aside: Iterable[tuple[Link, str, Quarantine]]) -> list[Cause]:
    groups: dict[tuple[str, str, str, str, str], list[tuple[Link, Quarantine]]] = {}
    for link, key, why in aside:
        place = (link.connection, link.object, why.code, shape_of(why.reason, (key,)), key)
        groups.setdefault(place, []).append((link, why))
    return [
        Cause(
            cause_id("field", *place),
            "field",
            *place[:3],
            without_values(some[0][1].reason),
            texts=len({without_values(why.reason) for _, why in some}),
            count=len(some),
            since=min(why.since for _, why in some),
            fields=(place[4],),
            places=tuple((link.id, place[4]) for link, _ in some) if place[2] == SWINGS else (),
            examples=tuple(sorted({one for link, _ in some if (one := _entity_of(link))})[:3]),
        )
        for place, some in groups.items()
    ]


def _entity_of(link: Link) -> str:
    return public_id(link.kind, link.entity_id) if link.entity_id is not None else ""


def cause_id(*place: str) -> str:
    return blake2b("\x1f".join(place).encode(), digest_size=3).hexdigest()


@dataclass(frozen=True, slots=True)
class Chosen:
    """What is to be tried again or given up: pending writes, and fields that a person gives back."""

    numbers: tuple[int, ...]
    places: tuple[tuple[int, str], ...] = ()


def chosen(hub: Hub, names: Sequence[str]) -> Chosen:
    """What ids of causes, or the numbers of pending writes, stand for.

    Raises NotFound for a name that stands for none, and for fields that nobody needs to give back.
    """
    known = {cause.id: cause for cause in causes(hub)}
    numbers = {number for cause in known.values() for number in cause.numbers}
    found: list[int] = []
    places: list[tuple[int, str]] = []
    for name in names:
        if name in known:
            if known[name].kind == "field" and not known[name].places:
                raise NotFound(
                    f"`{name}` is a field set aside: it is tried again by itself once the value, the mapping "
                    "or the system's field is another",
                    code="TU-FAI-010",
                )
            found.extend(known[name].numbers)
            places.extend(known[name].places)
        elif name.isdigit() and int(name) in numbers:
            found.append(int(name))
        else:
            raise NotFound(f"no failure is called `{name}`; `trueup failures` lists them", code="TU-FAI-404")
    return Chosen(tuple(dict.fromkeys(found)), tuple(dict.fromkeys(places)))


def every(hub: Hub, connection: str | None) -> Chosen:
    """All that failed, of one connection or of all."""
    found = causes(hub, connection)
    return Chosen(
        tuple(number for cause in found for number in cause.numbers),
        tuple(place for cause in found for place in cause.places),
    )


def retry(hub: Hub, chosen: Chosen, user: str) -> tuple[int, int]:
    """Try these again with the next sync, with fresh attempts; how many writes and how many fields."""
    store, now = hub.parts.store, hub.parts.now()
    return store.retry(chosen.numbers, user, now), store.give_back(chosen.places, user, now)


def discard(hub: Hub, chosen: Chosen, user: str) -> int:
    """Give these writes up for good: the systems stay as they are; how many. Fields stay set aside: they are
    given up already."""
    return hub.parts.store.discard(chosen.numbers, user, hub.parts.now())
