"""What leaves for a system: a delivery as its connector takes it."""

from __future__ import annotations

from trueup.connectors.base import Capability, Elements, WriteItem
from trueup.mapping.elements import is_change
from trueup.mapping.schema import Shape
from trueup.model.delivery import Delivery
from trueup.model.record import Json
from trueup.sync.parts import Parts
from trueup.sync.rules import acknowledge
from trueup.sync.rules.policy import Stream


def item(parts: Parts, stream: Stream, delivery: Delivery) -> WriteItem:
    """What a connector is given; `known`: what stands where lists are written item by item."""
    write = delivery.write
    by_element = _by_element(parts, stream)
    values: dict[str, Json] = {}
    for path, value in write.values.items():
        if is_change(value):
            single = Elements(tuple(value["+"]), tuple(value["-"]))
            by_one = path in by_element and "sign" not in value
            values[path] = single if by_one else acknowledge.predicted(delivery)[path]
        else:
            values[path] = value
    if write.upsert is not None:
        values.setdefault(write.upsert[0], write.upsert[1])
    guard = delivery.link.version if parts.can(stream, Capability.CONDITIONAL_WRITE) else None
    return WriteItem(
        f"{delivery.id}",
        write.kind,
        delivery.link.remote_id,
        values,
        guard,
        write.upsert,
        known={path: delivery.link.observed.get(path) for path in parts.policy.item_paths(stream)},
    )


def _by_element(parts: Parts, stream: Stream) -> frozenset[str]:
    """The paths whose elements are written one by one; other lists are replaced whole."""
    if not parts.can(stream, Capability.ELEMENT_WRITES):
        return frozenset()
    bindings = parts.policy.mappings[stream].bindings
    return frozenset(one.remote for one in bindings if one.shape in (Shape.ELEMENTS, Shape.ELEMENT))
