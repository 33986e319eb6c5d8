"""What people said of being mailed, and what follows from it: judged by what they did."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from trueup.model.consent import ConsentState, consent_field
from trueup.model.delivery import DeliveryState
from trueup.model.entity import Link
from trueup.model.plan import Case
from trueup.sync.rules.acknowledge import NOT_KEPT
from trueup.testing.findings import EVERY, LIE, Findings
from trueup.testing.system import HUB, Act, Row, System
from trueup.testing.traits import OPT_OUT, OPTED_IN, plain_address
from trueup.testing.vocabulary import OBJECT

if TYPE_CHECKING:
    from trueup.testing.world import World

MAIL = consent_field("email", "marketing")
_ADDRESSES = ("email", "emails", "former_emails")


@dataclass(frozen=True, slots=True)
class Said:
    """A person opted out, or in again, at a record. `at`: when, by the evidence of an opt-in; of an opt-out
    the stamp of its record, which a system with coarse stamps or a clock of its own puts too early."""

    system: System
    row: Row
    act: Act
    out: bool
    at: datetime

    @property
    def landed(self) -> bool:
        """Whether the hub stored the record as it showed this."""
        return any(
            one.number in self.row.landed and not one.deleted and self._stands(one.values)
            for one in self.row.versions
            if one.number >= self.act.number
        )

    @property
    def taken_back(self) -> bool:
        """Whether a person said something else at this record since."""
        later = (act for act in self.system.acts if act.id == self.row.id and act.place > self.act.place)
        return any(OPT_OUT in act.after and act.by != HUB for act in later)

    @property
    def anew(self) -> bool:
        """Whether the record was known as opted out, and was read as nothing else until this was said there
        anew: who took it back in between left no trace."""
        ours = {act.number for act in self.system.acts if act.by == HUB}
        before = (one for one in self.row.versions if one.number < self.act.number)
        known = [one for one in before if one.number in self.row.landed or one.number in ours]
        return self.out and bool(known) and bool(known[-1].values.get(OPT_OUT)) and not known[-1].deleted

    def _stands(self, values: object) -> bool:
        assert isinstance(values, dict)
        if self.out:
            return bool(values.get(OPT_OUT))
        return not values.get(OPT_OUT) and values.get(OPTED_IN) == self.act.after[OPTED_IN]


def said(world: World, case: Case) -> list[Said]:
    """All that was said of a contact: at its records, and at others known by one of its addresses."""
    return [one for one in _all(world) if _about(one, case)]


def _all(world: World) -> Iterator[Said]:
    for system in world.systems.values():
        for act in system.acts:
            if act.by == HUB or OPT_OUT not in act.after:
                continue
            row, given = system.rows[act.id], act.after.get(OPTED_IN)
            if act.after[OPT_OUT]:
                at = _told_at(system, act)
                if at is not None:
                    yield Said(system, row, act, True, at)
            elif isinstance(given, dict) and given["source"]:
                yield Said(system, row, act, False, datetime.fromisoformat(given["at"]))


def _told_at(system: System, act: Act) -> datetime | None:
    """When an opt-out was said, as far as the system tells: one that a merge carried over was said at the
    record that went. None: the hub had written it there."""
    merge = next((one for one in system.acts if one.place == act.place - 1 and one.what == "merge"), None)
    if merge is not None and system.rows[merge.id].now.successor == act.id:
        outs = (one for one in system.acts if one.id == merge.id and OPT_OUT in one.after)
        first = next((one for one in reversed(list(outs)) if one.after[OPT_OUT]), None)
        return None if first is None or first.by == HUB else _told_at(system, first)
    stamp = next(one.stamp for one in system.rows[act.id].versions if one.number == act.number)
    return min(stamp, act.at)


def _about(one: Said, case: Case) -> bool:
    """Whether it was said at a record of this contact, or with an address of his. What the record bore before
    that, and bore no more, is an address of somebody else by then."""
    held = {plain_address(one) for name in _ADDRESSES for one in _listed(case.entity.values.get(name))}
    ours = {act.number for act in one.system.acts if act.by == HUB}
    since = (each for each in one.row.versions if each.number >= one.act.number)
    known = (each for each in since if each.number in one.row.landed or each.number in ours)
    bore = {plain_address(each.values.get("email")) for each in known}
    name, ids = one.system.traits.name, {one.row.id, one.row.now.successor} - {None}
    return bool(held & bore) or any(link.connection == name and link.remote_id in ids for link in case.links)


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else [value] if value else []


def may_be_lifted(some: list[Said]) -> bool:
    """Whether somebody opted in with evidence, later than every opt-out by whatever stamp it bears."""
    heard = [one.at for one in some if one.out and one.landed and not one.anew]
    return any(not one.out and one.landed and all(one.at > at for at in heard) for one in some)


def opt_outs_hold(at: Findings) -> Iterator[str]:
    """Who opted out anywhere, and not in again since, is opted out in every living record."""
    for id, entity, link in at.links():
        out = entity.values.get(MAIL) == ConsentState.OPTED_OUT
        row = at.row(link)
        if row is not None and row.living and bool(row.now.values.get(OPT_OUT)) != out:
            if row.now.number not in row.landed and at.may_lack(link.connection):
                at.excuse(LIE)
                continue
            if out and _taken_away_unseen(at, link, row):
                at.excuse(
                    "an opt-out that somebody took away before the hub saw it stand, which waits for a person"
                )
                continue
            yield f"{id}: {link.connection}/{link.remote_id} {'may' if out else 'must not'} be mailed"
    for id, case in at.cases.items():
        if case.entity.values.get(MAIL) != ConsentState.OPTED_OUT:
            some = said(at.world, case)
            for one in some:
                owned = at.owner(one.system.traits.name, one.row.id) == id
                if not (owned and one.out and one.landed):
                    continue
                if may_be_lifted(some):
                    if one.anew:
                        at.excuse("an opt-out that was taken back and said anew between two readings")
                    continue
                if one.taken_back and not _in_the_ledger(case, one):
                    at.excuse("an opt-out that somebody took back before it was decided")
                    continue
                yield f"{id}: the opt-out at {one.system.traits.name}/{one.row.id} was not heard"


def _taken_away_unseen(at: Findings, link: Link, row: Row) -> bool:
    """Whether somebody took away what the hub had written before any answer showed it: as if the system
    did not keep it, and people are told."""
    acts = at.systems[link.connection].acts
    ours = [act for act in acts if act.id == row.id and OPT_OUT in act.after]
    if not ours or ours[-1].by == HUB or not any(act.by == HUB and act.after[OPT_OUT] for act in ours):
        return False
    waiting = at.world.store.deliveries([DeliveryState.PARKED], link.connection, EVERY)
    return any(one.link.id == link.id and one.code == NOT_KEPT for one in waiting)


def _in_the_ledger(case: Case, one: Said) -> bool:
    """Whether the hub ever wrote down that this record opted out."""
    ref = f"{one.system.traits.name}/{OBJECT}/{one.row.id}"
    return any(event.subject == ref and event.state is ConsentState.OPTED_OUT for event in case.consent)


def opt_ins_are_heard(at: Findings) -> Iterator[str]:
    """Who opted in again, with evidence of a time after every opt-out that the hub knows of them, and of
    whom they may be one person with, may be mailed. Of
    what was said while a run was under way nothing is demanded: its opt-outs may already be on their way."""
    for id, case in at.cases.items():
        state = case.entity.values.get(MAIL)
        known = (*case.consent, *case.rival_consent)
        outs = [event.at for event in known if event.state is ConsentState.OPTED_OUT]
        for one in said(at.world, case):
            owned = at.owner(one.system.traits.name, one.row.id) == id
            heard = one.landed and not one.taken_back and one.act.place not in at.world.meanwhile
            given = owned and not one.out and heard
            if given and state != ConsentState.OPTED_IN and all(one.at > out for out in outs):
                if any(each.deleted and each.number > one.act.number for each in one.row.versions):
                    at.excuse("an opt-in whose record went before it was decided")
                    continue
                yield f"{id}: the opt-in at {one.system.traits.name}/{one.row.id} was not heard"
