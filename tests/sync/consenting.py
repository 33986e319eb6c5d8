"""Small hubs whose systems hold a consent, for the tests about it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tests.sync.memory import Clock, Memory
from tests.sync.small_hub import SmallHub, rules, small_hub
from trueup.mapping.schema import ConsentRule, ObjectRules
from trueup.model.record import Json

FLAG = ConsentRule("email", "marketing", "optout", opted_out=True)
STATE = "consent.email.marketing"


def ann(**more: Json) -> dict[str, Json]:
    return {"email": "ann@example.com", "first_name": "Ann", "last_name": "Lee", **more}


def consent_hub(
    folder: Path,
    clock: Clock,
    systems: Mapping[str, Memory],
    objects: Mapping[str, ObjectRules] | None = None,
    create: tuple[str, ...] = (),
) -> SmallHub:
    """These systems, each with the flag `optout` where `objects` says nothing else of it."""
    said = {name: rules(consent=(FLAG,)) for name in systems} | dict(objects or {})
    return small_hub(folder, clock, systems, create=create, objects=said)


def two(folder: Path, clock: Clock, **target: object) -> SmallHub:
    """`source` and `target`, both with the flag; `target` as described."""
    systems = {"source": Memory(clock), "target": Memory(clock, **target)}  # type: ignore[arg-type]
    return consent_hub(folder, clock, systems)


def both_have_ann(hub: SmallHub) -> None:
    """Both know Ann, who has not opted out; the first sync is over."""
    for system in hub.systems.values():
        system.add(**ann(optout=False))
    hub.sync()


def later(hub: SmallHub, clock: Clock) -> None:
    clock.tick(60)
    hub.sync()


def opted_out(hub: SmallHub) -> bool:
    return hub.contact("ann@example.com").get(STATE) == "opted_out"
