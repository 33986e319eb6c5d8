"""What fuses hold back, in words, numbers and samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from trueup.commands.answer import Grid, Shown, value_text
from trueup.commands.counts import who
from trueup.model.calling import called
from trueup.model.counting import counted
from trueup.model.delivery import Delivery, DeliveryState
from trueup.model.entity import public_id
from trueup.model.landing import Absences
from trueup.model.record import Json

if TYPE_CHECKING:
    from trueup.services.hub import Hub

Held = Mapping[tuple[str, str], int]
"""Writes by (connection, gate)."""

_GATES = {
    "create": "new records beyond what one run may create",
    "change": "replacements beyond what one run may change",
    "clear": "values to be cleared",
    "deactivate": "records to be switched off",
    "delete": "records to be deleted",
    "merge": "records to be merged",
    "opt_in": "opt-ins to be written",
}


MOST = 20
"""So many held writes are shown one by one."""


def gate_lines(held: Held) -> list[str]:
    """How many writes stay behind, by connection and fuse."""
    return [f"  {name}: {number:,} {_GATES.get(gate, gate)}" for (name, gate), number in sorted(held.items())]


def held_lines(held: Held, run_id: int | None) -> list[str]:
    """What a fuse holds back, and how it goes on."""
    if not held:
        return []
    ways = f"`trueup runs approve {run_id}` lets them go, `trueup runs reject {run_id}` drops them"
    look = f"`trueup runs show {run_id}` shows them"
    return ["", "Held back by fuses:", *gate_lines(held), f"  {look}; {ways}."]


def foretold_lines(held: Held, holder: int | None) -> list[str]:
    """What the fuses would hold back of a plan."""
    if not held:
        return []
    already = f", what run {holder} holds already included" if holder is not None else ""
    return [
        "",
        f"Of this, fuses would hold back until you approve it{already}:",
        *gate_lines(held),
        "  How much a run may do stands in `fuses` of hub.yaml.",
    ]


def fuse_lines(held: Held) -> list[str]:
    """Below the next command: which fuses it will meet, and what then."""
    if not held:
        return []
    by_gate: dict[str, list[str]] = {}
    for (name, gate), number in sorted(held.items()):
        by_gate.setdefault(gate, []).append(f"{name} {number:,}")
    fuses = " and ".join(f"`{gate}` ({', '.join(some)})" for gate, some in by_gate.items())
    writes = counted(sum(held.values()), "write")
    what = "The fuse" if len(by_gate) == 1 else "The fuses"
    return [f"  {what} {fuses} will hold back {writes}; when you have looked at them: trueup runs approve"]


def absent_lines(found: Sequence[Absences]) -> list[str]:
    """What is missing and was not treated as deleted, and how it goes on."""
    if not found:
        return []
    where = [f"  {one.connection} {one.object}: {counted(one.number, 'record')}" for one in found]
    runs = " and ".join(f"`trueup runs approve {run}`" for run in sorted({one.run_id for one in found}))
    return [
        "",
        "Missing from a complete listing, more than is believed to be deleted:",
        *where,
        "  Nobody was treated as deleted. If it is an accident, put them back: the next sync finds them.",
        f"  If they were deleted: {runs}, then `trueup sync` takes those for deleted that are missing still.",
    ]


def absent_document(found: Sequence[Absences]) -> list[Json]:
    return [
        {"run": one.run_id, "connection": one.connection, "object": one.object, "records": one.number}
        for one in found
    ]


def held_document(held: Held) -> list[Json]:
    return [{"connection": name, "kind": gate, "writes": n} for (name, gate), n in sorted(held.items())]


# -- one by one ---------------------------------------------------------------------------------------


def held_writes(hub: Hub, run_id: int) -> Sequence[Delivery]:
    """The newest writes that a run holds back, at most MOST."""
    return hub.parts.store.deliveries([DeliveryState.GATED], None, MOST, run_id)


def writes_grid(hub: Hub, writes: Sequence[Delivery], held: Held, run_id: int) -> list[Shown]:
    """What would be written, field by field; if there is more, how many and how to see them."""
    if not writes:
        return []
    grid = Grid(
        ("who", "in", "record", "field", "now", "would be"), [r for w in writes for r in _rows(hub, w)]
    )
    more = sum(held.values()) - len(writes)
    rest = f"  and {counted(more, 'more write')}: `trueup runs show {run_id} --csv FILE` lists all"
    return ["", "They would write:", grid, *([rest] if more > 0 else [])]


def _rows(hub: Hub, one: Delivery) -> list[tuple[object, ...]]:
    id = public_id(one.link.kind, one.entity_id)
    write, name = one.write, called(hub.parts.store.case(id).entity.values)
    head = (who(id, name), f"{write.connection} {write.object}", one.link.remote_id or "new")
    if not write.values:
        return [(*head, "", "", write.kind.value)]
    return [
        (*head, path, value_text(write.replaced.get(path)), value_text(value))
        for path, value in sorted(write.values.items())
    ]


def samples_document(writes: Sequence[Delivery]) -> list[Json]:
    """The same for machines: where, not what."""
    return [
        {
            "entity": public_id(one.link.kind, one.entity_id),
            "connection": one.write.connection,
            "object": one.write.object,
            "record": one.link.remote_id,
            "kind": one.write.kind.value,
            "fields": sorted(one.write.values),
        }
        for one in writes
    ]
