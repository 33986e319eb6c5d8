"""What a record says that a create of ours may have made, before anything is known to be agreed with it.

Such a create was in doubt, or is. What the record says as the create carried it is agreed: where the hub has
changed or cleared it since, that is news for the record, and not the record's for the hub. What it says
otherwise may be of somebody who was quick, and is a first sight.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from trueup.mapping.compiled import Binding, ObjectMapping
from trueup.model.delivery import UNSENT_STATES, WriteKind
from trueup.model.entity import NEVER, WAS_ABSENT, Agreed, Link, LinkState, public_id
from trueup.model.fields import Field, Kind
from trueup.model.formats import Format
from trueup.model.plan import Case, Context
from trueup.model.record import Json
from trueup.model.values import ABSENT, Absent, Rejected, Value
from trueup.sync.rules.formats import is_surely_form, is_usual
from trueup.sync.rules.policy import Policy

Table = Mapping[str, Field]
EMPTY: tuple[Json, ...] = (None, "", [])
"""What no system makes of a value for certain, whatever form it is known for: the record may be of somebody
who left the field empty, and takes the hub's value then."""


def recognised(links: Sequence[Link], case: Case, context: Context, policy: Policy) -> tuple[Link, ...]:
    """These links; those seen for the first time while a create of ours is under way in their stream with
    what it carried as agreed."""
    places = {link.id: link.stream for link in links}
    carried = {
        places[one.link_id]: one.wants
        for one in case.open
        if one.kind is WriteKind.CREATE and one.state not in UNSENT_STATES and one.link_id in places
    }
    return tuple(
        _with_agreed(link, carried[link.stream], context.formats, policy)
        if link.fresh and link.state is LinkState.LIVE and link.stream in carried
        else link
        for link in links
    )


def _with_agreed(
    link: Link, wants: Mapping[str, Value], learned: Mapping[tuple[str, str, str], Format], policy: Policy
) -> Link:
    mapping = policy.mappings.get(link.stream)
    if mapping is None:
        return link
    formats = {path: one for (*stream, path), one in learned.items() if tuple(stream) == link.stream}
    own = policy.upsert.get(link.stream)
    ours = link.entity_id is not None and bears_own_id(own, link.kind, link.entity_id, link.observed)
    known = agreed(link.observed, wants, mapping, policy.tables[link.kind], formats, ours)
    return replace(link, agreed={**known, **link.agreed})


def agreed(
    held: Mapping[str, Json],
    wants: Mapping[str, Value],
    mapping: ObjectMapping,
    table: Table,
    formats: Mapping[str, Format],
    ours: bool = False,
) -> dict[str, Agreed]:
    """By binding, what a record holds of what a create `wants`: the same, or what the system makes of it. Of
    a list the elements that are there. Fields that survive together are agreed together, or not at all, but
    in a record that is certainly `ours`: there somebody edited the others."""
    found: list[tuple[Binding, Agreed]] = []
    otherwise: set[str] = set()
    for binding, hub in _carried(wants, mapping):
        raw = held.get(binding.remote, ABSENT)
        if raw is ABSENT or raw == WAS_ABSENT:
            continue
        pair = _agreed(binding, hub, raw, formats.get(binding.remote), ours)
        if pair is None:
            otherwise |= _groups(binding, table)
        else:
            found.append((binding, pair))
    return {one.key: pair for one, pair in found if ours or _groups(one, table).isdisjoint(otherwise)}


def bears_own_id(field: str | None, kind: Kind, entity_id: int, held: Mapping[str, Json]) -> bool:
    """Whether a record bears this entity's own id where the hub puts that: nobody else makes such a one."""
    return field is not None and held.get(field) == public_id(kind, entity_id)


def _carried(wants: Mapping[str, Value], mapping: ObjectMapping) -> Iterator[tuple[Binding, Value]]:
    """What can be compared by what it says: no references, no lists of objects, and no consent."""
    for key, hub in wants.items():
        binding = mapping.binding(key)
        plain = binding is not None and not (binding.consent or binding.refers or binding.items)
        if binding is not None and plain and hub != NEVER:
            yield binding, hub


def _agreed(binding: Binding, hub: Value, raw: Json, format: Format | None, ours: bool) -> Agreed | None:
    sent = _written(binding, hub)
    if isinstance(sent, Rejected | Absent):
        return None
    if raw == sent or (raw not in EMPTY and _is_form(sent, raw, format, ours)):
        return Agreed(hub, raw)
    has = binding.read(raw)
    if isinstance(has, Mapping) and has == binding.read(sent):
        return Agreed(hub, raw)
    there = has.get(binding.fields[0]) if isinstance(has, Mapping) else None
    if len(binding.fields) > 1 or not isinstance(hub, list) or not isinstance(there, list):
        return None
    left = [one for one in hub if one in there]
    kept = _written(binding, left)
    return Agreed(left, kept) if left and not isinstance(kept, Rejected | Absent) else None


def _is_form(sent: Json, raw: Json, format: Format | None, ours: bool) -> bool:
    """Whether this is the system's own form of what was sent. In a record that may be somebody else's making
    only what nobody would take for another value is that, though the field be known for any form."""
    return is_surely_form(sent, raw, format) and (ours or is_usual(sent, raw))


def _written(binding: Binding, hub: Value) -> Json | Rejected | Absent:
    many = len(binding.fields) > 1
    values = hub if many and isinstance(hub, list) else [hub]
    return binding.write(dict(zip(binding.fields, values, strict=True)))


def _groups(binding: Binding, table: Table) -> set[str]:
    return {table[name].group for name in binding.fields if name in table and table[name].group}
