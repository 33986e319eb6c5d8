"""At rest: all records agree with their contact."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from trueup.mapping.compiled import Binding
from trueup.model.delivery import DeliveryState, Lane
from trueup.model.entity import Entity, Link
from trueup.model.record import Json
from trueup.model.values import ABSENT, Rejected
from trueup.testing.findings import (
    EVERY,
    FORM,
    LIE,
    UNTOLD,
    Findings,
    folded,
    given_up_at,
    lied,
    taken_for_a_form,
)
from trueup.testing.system import HUB, Row


def convergence(at: Findings) -> Iterator[str]:
    """Every living primary record holds what its system keeps of the contact's value."""
    for id, entity, link in at.links():
        row = at.row(link)
        if row is None or not row.living:
            yield from _gone(at, id, link, row)
            continue
        if not link.primary:
            continue
        for binding in at.bindings(link):
            if not binding.consent and binding.refers is None:
                yield from _agrees(at, id, entity, link, row, binding)


def _gone(at: Findings, id: str, link: Link, row: Row | None) -> Iterator[str]:
    traits = at.systems[link.connection].traits
    if row is not None and not traits.feed and (traits.offset or not at.listed):
        at.excuse(UNTOLD)
        return
    if row is not None and lied(at.world, link.connection) and (traits.offset or not at.listed):
        at.excuse(LIE)
        return
    yield f"{id} is linked to {link.connection}/{link.remote_id}, which is not there any more"


def _agrees(at: Findings, id: str, entity: Entity, link: Link, row: Row, binding: Binding) -> Iterator[str]:
    if binding.key in link.quarantine:
        at.excuse("a field that waits for a person")
        return
    traits = at.systems[link.connection].traits
    stands = row.now.values.get(binding.remote)
    wanted = binding.write(entity.values)
    kept = traits.keeps(binding.remote, None if isinstance(wanted, Rejected) or wanted is ABSENT else wanted)
    if _plain(stands) != _plain(kept):
        if _parked(at, link):
            at.excuse("a write that waits for a person")
            return
        if _discarded(at, id, link, row, binding):
            at.excuse("a write that a person discarded")
            return
        if row.now.number not in row.landed and at.may_lack(link.connection):
            at.excuse(LIE)
            return
        if kept is None and _is_not_filled(at, id, link.connection, binding.remote):
            at.excuse("a field that is empty since it was mapped otherwise: an empty value is never pushed")
            return
        if taken_for_a_form(at, id, binding.fields[0], stands):
            at.excuse(FORM)
            return
        yield (
            f"{id} {binding.fields[0]}: {link.connection}/{link.remote_id} holds {stands!r}, the contact "
            f"{entity.values.get(binding.fields[0])!r} (there {kept!r})"
        )


def _is_not_filled(at: Findings, who: str, name: str, remote: str) -> bool:
    """Whether back-fills leave alone that this field is empty: it was decided so while it was mapped
    otherwise, and nobody asks for what stands there, which may be what was emptied."""
    return at.world.config.unheard.empty(who, name, remote) and not at.world.config.only_written(name, remote)


def _parked(at: Findings, link: Link) -> bool:
    """Whether an ordinary write to this record waits for a person: the next ones wait behind it."""
    waiting = at.world.store.deliveries([DeliveryState.PARKED], link.connection, EVERY)
    return any(one.link.id == link.id and one.write.lane is not Lane.URGENT for one in waiting)


def _discarded(at: Findings, who: str, link: Link, row: Row, binding: Binding) -> bool:
    """Whether a person gave up writes to this record after both sides last moved, as far as the hub had read
    it then: then they may differ."""
    last = given_up_at(at, link)
    if last is None:
        return False
    there = at.systems[link.connection].acts
    acts = [act for act in there if act.id == row.id and binding.remote in act.after]
    moved = any(act.at > last or (act.by != HUB and not _read_by(row, act.number, last)) for act in acts)
    return not moved and not any(
        one.at > last and any(change.field in binding.fields for change in one.changes)
        for one in at.history[who]
    )


def _read_by(row: Row, number: int, at: datetime) -> bool:
    """Whether the hub had stored this version of the record, or a later one, by then."""
    return any(moment <= at for one, moment in row.landed.items() if one >= number)


def _plain(value: Json) -> str:
    """What two values have in common that people would call the same: neither signs between nor the case of
    letters tell them apart, nor does the order of a list."""
    if isinstance(value, list):
        return " ".join(sorted(map(str, value)))
    return folded(value).lower()
