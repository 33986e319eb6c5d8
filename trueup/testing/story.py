"""The life of one plan, told: what people did, what the hub did about it, and what was wrong at the end."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from trueup.testing.oracle import findings
from trueup.testing.plan import Event
from trueup.testing.system import HUB
from trueup.testing.traits import Traits
from trueup.testing.world import World


def told(world: World) -> Iterator[str]:
    """The story of a world at rest, line by line."""
    yield f"Seed {world.plan.seed}, a history of {world.plan.profile}. The systems:"
    for traits in world.plan.systems:
        yield f"  {traits.name}: {', '.join(_traits(traits)) or 'as plain as a system can be'}"
    yield ""
    yield from (f"{at} {text}" for at, text in sorted(_happened(world)))
    yield ""
    for id, case in findings(world).cases.items():
        values = ", ".join(f"{name} {value}" for name, value in sorted(case.entity.values.items()) if value)
        links = ", ".join(f"{link.connection}/{link.remote_id} ({link.state})" for link in case.links)
        yield f"At rest {id} is {values}; linked: {links}"


def _traits(traits: Traits) -> Iterator[str]:
    words = {
        "creates": "the hub creates there",
        "unique_email": "refuses a second record with an address",
        "versions": "guards writes by versions",
        "upsert": "keeps the hub's id",
        "answers": "answers with the record",
        "whole": "refuses batches as a whole",
        "ordered": "changes come oldest first",
        "offset": "counts pages",
    }
    yield from (said for name, said in words.items() if getattr(traits, name))
    if not traits.feed:
        yield "tells nothing of deletions"
    if traits.grain > 0.001:
        yield f"stamps of {traits.grain:g} s"
    if traits.lag:
        yield f"lists lag {traits.lag:g} s"
    if traits.skew:
        yield f"its clock is {traits.skew:+g} s off"
    yield from (f"{name}: {way}" for name, way in traits.habits if way != "keep")


def _happened(world: World) -> Iterator[tuple[str, str]]:
    for name, system in world.systems.items():
        for act in system.acts:
            who = "the hub" if act.by == HUB else "somebody"
            changes = ", ".join(
                f"{field} {act.before.get(field)!r} -> {value!r}"
                for field, value in act.after.items()
                if act.before.get(field) != value
            )
            yield _time(act.at.isoformat(), act.place), f"{name}/{act.id}: {who} does {act.what} {changes}"
    for line in world.journal:
        at, _, text = line.partition(" ")
        if (
            text.startswith("{'do': 'fault'")
            or " was killed " in text
            or text.endswith(("Held", "LeaseLost"))
        ):
            yield _time(at, 0), _plain(text)


def _time(at: str, place: int) -> str:
    return f"{at[11:23]:<12} {place or '':>4}"


def _plain(text: str) -> str:
    if not text.startswith("{'do': 'fault'"):
        return text
    event = Event.of_document(ast.literal_eval(text))
    return f"    {event.what} will strike the {event.nth}. {event.route} from now at system {event.at}"
