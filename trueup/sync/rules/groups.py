"""Fields that survive together, at the systems: an address is written whole or not at all.

No postcode of the address that lost stands beside the street of the one that won, neither after a write
nor because an empty part was filled. Names are kept part by part, but no half of one is filled beside the
same word in the other half.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from trueup.dedupe.towns import respelled
from trueup.mapping.compiled import Binding
from trueup.mapping.schema import Refusal
from trueup.model.canonical import same
from trueup.model.canonical.postal import address_of, corrects
from trueup.model.delivery import Effect
from trueup.model.fields import NAME, Field
from trueup.model.values import Absent, Rejected, Type, Value
from trueup.sync.rules.differences import Difference, Draft, due, nonempty, standing, withhold
from trueup.sync.rules.evidence import Claim, Reading
from trueup.sync.rules.name_halves import HALVES, repeats

Table = Mapping[str, Field]


def brought_along(
    readings: Sequence[Reading], said: Sequence[Claim], values: Mapping[str, Value], table: Table
) -> Iterator[tuple[Reading, str]]:
    """The other parts of an address of which a part was edited, as (reading, field). Only where the record
    bears another address than the hub (its `values`), which waits for the release or is that of a duplicate:
    that one is meant, and not the hub's."""
    edited = {_group_of(claim.field, table) for claim in said if not claim.first} - {""}
    if not edited:
        return
    told = {claim.field for claim in said}
    meant = {
        group for one in readings if _bears_another(one) and (group := _group(one.binding, table)) in edited
    }
    meant -= _said_in_part(readings, meant, values, table)
    for one in readings:
        if _group(one.binding, table) in meant and one.binding.inward and isinstance(one.has, Mapping):
            yield from ((one, name) for name in one.has if name not in told)


def _said_in_part(
    readings: Sequence[Reading], groups: Collection[str], values: Mapping[str, Value], table: Table
) -> set[str]:
    """The groups of which a record says nothing but what the hub says, too, however it is spelled."""
    found = set(groups)
    for one in readings:
        group = _group(one.binding, table)
        if group in found and not _says_so(one, values):
            found.discard(group)
    return found


def _says_so(reading: Reading, values: Mapping[str, Value]) -> bool:
    said = reading.has if isinstance(reading.has, Mapping) else {}
    return all(
        not value or respelled(name.rpartition(".")[2], str(values.get(name) or ""), str(value))
        for name, value in said.items()
    )


def _bears_another(reading: Reading) -> bool:
    agreed = reading.agreed
    return agreed is not None and (agreed.withheld or (agreed.left and not reading.link.primary))


def keep_whole(
    readings: Sequence[Reading], values: Mapping[str, Value], draft: Draft, table: Table, released: bool
) -> None:
    """Complete or hold back what is to be written to one record. `values` are the entity's."""
    groups = {_group(one.binding, table) for one in draft.ordinary} - {""}
    if not released:
        groups |= {_group(one.binding, table) for one in readings if _withheld(one, draft)} - {""}
    if not groups:
        return
    members = [reading for reading in readings if _group(reading.binding, table) in groups]
    if released:
        changed = [one for one in draft.ordinary if one.effect is Effect.REPLACE]
        replaced = {_group(one.binding, table) for one in changed}
        replaced -= _same_places(members, values, table)
        for reading, difference in _lacking(members, replaced, values, draft, table):
            draft.ordinary.append(difference)
            due(reading, draft)
    else:
        _hold_fills(members, values, draft, table)
        _report_the_rest(members, values, draft, table)


def _group(binding: Binding, table: Table) -> str:
    """The group whose parts must not be mixed, empty for none."""
    return _group_of(binding.fields[0], table)


def _group_of(name: str, table: Table) -> str:
    field = table.get(name)
    return field.group if field is not None and field.group != NAME else ""


def _lacking(
    members: Sequence[Reading],
    replaced: Collection[str],
    values: Mapping[str, Value],
    draft: Draft,
    table: Table,
) -> list[tuple[Reading, Difference]]:
    """Where an address is replaced by another one, what that one lacks goes too: as anything that is emptied,
    with its fuse."""
    written = {one.binding.key for one in draft.ordinary}
    found: list[tuple[Reading, Difference]] = []
    for reading in members:
        binding = reading.binding
        if _group(binding, table) not in replaced or binding.key in written:
            continue
        raw = binding.write({})
        if _lacks(reading, values) and _may_empty(binding) and not isinstance(raw, Rejected | Absent):
            found.append((reading, Difference(binding, raw, None, Effect.CLEAR, standing(reading))))
    return found


def _same_places(readings: Sequence[Reading], values: Mapping[str, Value], table: Table) -> set[str]:
    """The groups of which a record and the hub hold one address, however it is spelled: what one of them does
    not say of it is unknown there, and nothing that it lost."""
    parts: dict[str, dict[str, tuple[Value, Value]]] = {}
    for reading in readings:
        if (group := _group(reading.binding, table)) and isinstance(reading.has, Mapping):
            both = {name.rpartition(".")[2]: (values.get(name), one) for name, one in reading.has.items()}
            parts.setdefault(group, {}).update(both)
    return {group for group, both in parts.items() if _one_place(both)}


def _one_place(parts: Mapping[str, tuple[Value, Value]]) -> bool:
    """Whether no part says otherwise; or one is the other one put right (a digit in the postcode)."""
    if all(
        not one or not other or respelled(part, str(one), str(other)) for part, (one, other) in parts.items()
    ):
        return True
    ours, theirs = (address_of({part: both[side] for part, both in parts.items()}) for side in (0, 1))
    return bool(ours and theirs) and corrects(ours or "", theirs or "")


def _report_the_rest(
    members: Sequence[Reading], values: Mapping[str, Value], draft: Draft, table: Table
) -> None:
    """What an address will lose with the release is told with what it will get, or once it comes to light.
    Nothing waits for it by itself: it goes when the others are written."""
    waiting = {
        _group(one.binding, table)
        for one in members
        if _withheld(one, draft) and nonempty(one) and not _lacks(one, values)
    } - _same_places(members, values, table)
    new = {_group(one.binding, table) for one in draft.newly_withheld}
    for reading, difference in _lacking(members, waiting, values, draft, table):
        if not _withheld(reading, draft):
            draft.withheld += 1
            if reading.agreed is None or _group(reading.binding, table) in new:
                draft.newly_withheld.append(difference)


def _hold_fills(members: Sequence[Reading], values: Mapping[str, Value], draft: Draft, table: Table) -> None:
    """Before the release no empty part is filled where another part says something else."""
    mixed = {
        _group(reading.binding, table)
        for reading in members
        if _lacks(reading, values) or _withheld(reading, draft)
    }
    for reading in members:
        if _group(reading.binding, table) in mixed:
            for one in [one for one in draft.ordinary if one.binding is reading.binding]:
                draft.ordinary.remove(one)
                withhold(reading, one, draft)


def keep_names_apart(
    readings: Sequence[Reading], values: Mapping[str, Value], draft: Draft, unsettled: Collection[str]
) -> None:
    """Hold back what would fill half a name with the word that stands in the record's other half: until that
    one is released with it, or moves. `unsettled`: what another write is about to replace."""
    halves = {name: one for one in readings for name in one.binding.fields if one.binding.fields == (name,)}
    filled = [one for one in draft.ordinary if one.effect is Effect.FILL and len(one.binding.fields) == 1]
    written = {one.binding.key for one in draft.ordinary} | set(unsettled)
    for one in filled:
        (name,) = one.binding.fields
        other = halves.get(HALVES.get(name, ""))
        if other is None or other.binding.key in written or not _stands_there(one, other, values):
            continue
        draft.ordinary.remove(one)
        if _withheld(other, draft):
            withhold(halves[name], one, draft)
        else:
            draft.held_back.append(f"{SAME_WORD} ({one.binding.key})")


SAME_WORD = "the other half of the name holds the same word"


def _stands_there(one: Difference, other: Reading, values: Mapping[str, Value]) -> bool:
    """Whether the other half shows what this one would be filled with, and the hub has another word there."""
    name = other.binding.fields[0]
    held = other.has.get(name) if isinstance(other.has, Mapping) else None
    return not same(Type.TEXT, held, values.get(name)) and repeats(one.hub, held)


def _withheld(reading: Reading, draft: Draft) -> bool:
    agreed = draft.agreed.get(reading.binding.key)
    return agreed is not None and agreed.withheld


def _lacks(reading: Reading, values: Mapping[str, Value]) -> bool:
    """Whether the record holds a part that the hub's address has not."""
    return values.get(reading.binding.fields[0]) is None and nonempty(reading)


def _may_empty(binding: Binding) -> bool:
    return binding.outward and not binding.create_only and binding.refused is not Refusal.LEAVE
