"""At rest: who belongs to which company, in every system that has both, as people last said."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from trueup.model.delivery import DeliveryState, Lane
from trueup.model.entity import Link
from trueup.model.history import FIRST_SIGHT
from trueup.model.record import Json
from trueup.model.values import Value
from trueup.testing.findings import BELATED, DOUBLED, EVERY, LIE, Findings, lied
from trueup.testing.sorts import COMPANY, EMPLOYER
from trueup.testing.system import HUB, Act, Row, System

UNREAD = "a company that went before anybody read it"
UNDECIDED = "a company that went before it was decided whose it is"


def who_belongs_to_whom(people: Findings, firms: Findings) -> Iterator[str]:
    """Every living primary record of a person tells the record of the company that its contact belongs to;
    what people said of it is held, or the history knows it; what they took back does not stand."""
    yield from _agreed(people, firms)
    for said in _said(people, firms):
        yield from _heard(people, firms, said)
        yield from _stays_away(people, firms, said)
    yield from _said_by_people(people, firms)


# -- in every system --------------------------------------------------------------------------------------


def _agreed(people: Findings, firms: Findings) -> Iterator[str]:
    for id, entity, link in people.links():
        row = people.row(link)
        if not link.primary or row is None or not row.living or link.connection not in firms.systems:
            continue
        held, stands = entity.values.get(COMPANY), row.now.values.get(EMPLOYER)
        if held is not None and not _is_there(firms, link.connection, held):
            continue  # who belongs to it cannot be told there
        if held == _whose(firms, link.connection, stands):
            continue
        if held is None and _gone(firms, link.connection, stands):
            people.excuse("a company that is gone and that a record still tells of")
            continue
        if _gone(firms, link.connection, stands) and firms.owner(link.connection, str(stands)) == held:
            people.excuse(
                "a company that went here and stands here as another record: re-pointing comes later"
            )
            continue
        if _gone(firms, link.connection, stands) and not _was_read(firms, link.connection, stands):
            people.excuse(UNREAD)
            continue
        if _never_decided(firms, link.connection, stands):
            people.excuse(UNDECIDED)
            continue
        if _waits(people, link):
            people.excuse("a write that waits for a person")
            continue
        unread = row.now.number not in row.landed or not _was_read(firms, link.connection, stands)
        if unread and people.may_lack(link.connection):
            people.excuse(LIE)
            continue
        yield f"{id} company: {link.connection}/{link.remote_id} belongs to {stands}, the contact to {held}"


def _is_there(firms: Findings, system: str, company: Value) -> bool:
    return any(
        link.connection == system and link.primary and firms.systems[system].has(link.remote_id)
        for id, _, link in firms.links()
        if id == company
    )


def _whose(firms: Findings, system: str, id: Json) -> str | None:
    """The company whose living record this is."""
    return firms.owner(system, str(id)) if id is not None and firms.systems[system].has(id) else None


def _gone(firms: Findings, system: str, id: Json) -> bool:
    return id is not None and not firms.systems[system].has(id)


def _never_decided(firms: Findings, system: str, id: Json) -> bool:
    """Whether this company went before it was decided whose it is: the hub cannot tell it from one that it
    has not read yet, and waits. Of one that was joined to another unread it knows no more."""
    if not _gone(firms, system, id):
        return False
    known = firms.world.store.known(system, firms.sort.object, [str(id)]).get(str(id))
    return firms.owner(system, str(id)) is None or (known is not None and known.entity_id is None)


def _was_read(firms: Findings, system: str, id: Json) -> bool:
    row = firms.systems[system].rows.get(str(id))
    return row is None or bool(row.landed)


def _waits(people: Findings, link: Link) -> bool:
    """Whether an ordinary write to this record waits for a person. A company that was refused does not: it is
    there, and was tried once more. Of a write that is refused whole nobody knows that it was the company."""
    waiting = people.world.store.deliveries([DeliveryState.PARKED], link.connection, EVERY)
    mine = [one.write for one in waiting if one.link.id == link.id and one.write.lane is not Lane.URGENT]
    whole = people.systems[link.connection].traits.whole
    return any(EMPLOYER not in one.values or (whole and len(one.values) > 1) for one in mine)


# -- as people said ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Said:
    """Somebody, or the system itself, put a company in the place of another in a person's record. `after`,
    `before`: whose records those are; `who`: the contact."""

    system: System
    row: Row
    act: Act
    who: str
    after: str | None
    before: str | None


def _said(people: Findings, firms: Findings) -> Iterator[_Said]:
    for name, system in people.systems.items():
        for act in system.acts:
            who = people.owner(name, act.id) if act.by != HUB and EMPLOYER in act.after else None
            if who is not None and (act.after[EMPLOYER] is not None or act.before.get(EMPLOYER) is not None):
                after, before = (
                    firms.owner(name, str(one)) if one is not None else None
                    for one in (act.after[EMPLOYER], act.before.get(EMPLOYER))
                )
                yield _Said(system, system.rows[act.id], act, who, after, before)


def _heard(people: Findings, firms: Findings, said: _Said) -> Iterator[str]:
    name, id = said.system.traits.name, said.act.after[EMPLOYER]
    if id is None or said.after in _told(people, said.who) or _replaced(said):
        return
    if said.after is None or _never_decided(firms, name, id):
        people.excuse(UNDECIDED)
        return
    if _gone(firms, name, id) and not _was_read(firms, name, id):
        people.excuse(UNREAD)  # nor that it was joined to another, whose record it is now
        return
    if not said.row.living:
        people.excuse("a person who went before it was decided")
        return
    if not _read(said):
        people.excuse("a company that was replaced before it was read")
        return
    if _stands_in_a_duplicate(people, said):
        people.excuse("a value that stands in a duplicate, which is only reported")
        return
    where = f"{name}/{said.row.id}"
    yield f"{said.who} company: {said.after}, said at {where}, is neither held nor in the history"


def _stands_in_a_duplicate(people: Findings, said: _Said) -> bool:
    """A secondary record is read and never written: what it says is lost to nobody."""
    name = said.system.traits.name
    second = any(
        link.connection == name and link.remote_id == said.row.id and not link.primary
        for link in people.cases[said.who].links
    )
    return second and said.row.now.values.get(EMPLOYER) == said.act.after[EMPLOYER]


def _told(people: Findings, who: str) -> list[Value]:
    """Every company that the contact belongs to, belonged to or was said to belong to."""
    found: list[Value] = [people.cases[who].entity.values.get(COMPANY)]
    for row in people.history[who]:
        found.extend(value for one in row.changes if one.field == COMPANY for value in (one.old, one.new))
        found.extend(value for one in row.conflicts if one.field == COMPANY for value in (one.lost, one.kept))
    return found


def _replaced(said: _Said) -> bool:
    """Whether somebody who saw it put another one in its place, in the same record."""
    return any(
        act.by != HUB and act.id == said.act.id and act.place > said.act.place
        for act in said.system.acts
        if EMPLOYER in act.after and act.before.get(EMPLOYER) == said.act.after[EMPLOYER]
    )


def _read(said: _Said) -> bool:
    """Whether the hub stored a version of the record while it stood there."""
    for one in said.row.versions:
        if one.number >= said.act.number:
            if one.deleted or one.values.get(EMPLOYER) != said.act.after[EMPLOYER]:
                return False
            if one.number in said.row.landed:
                return True
    return False


def _stays_away(people: Findings, firms: Findings, said: _Said) -> Iterator[str]:
    held = people.cases[said.who].entity.values.get(COMPANY)
    if said.before is None or held != said.before or said.after == said.before:
        return
    if _said_again(people, firms, said) or _lost(people, said):
        return
    if said.after is None and said.act.after[EMPLOYER] is not None:
        people.excuse(UNDECIDED)
        return
    if not _read(said) or not said.row.living:
        people.excuse("a company that was replaced before it was read")
        return
    name = said.system.traits.name
    put = (said.act.after[EMPLOYER], said.row.now.values.get(EMPLOYER))  # and what came after it
    if any(_never_decided(firms, name, one) for one in put):
        people.excuse(UNDECIDED)
        return
    if people.may_lack(name) and not all(_was_read(firms, name, one) for one in put):
        people.excuse(LIE)
        return
    yield (
        f"{said.who} company: {held} stands again, though at {name}/{said.row.id} somebody put {said.after} "
        "in its place"
    )


def _said_again(people: Findings, firms: Findings, said: _Said) -> bool:
    """Whether somebody said this company later, or in another record of this person."""
    for other in _said(people, firms):
        later = other.act.place > said.act.place or other.row is not said.row
        if later and other.who == said.who and other.after == said.before:
            return True
    return False


def _lost(people: Findings, said: _Said) -> bool:
    """Whether the history names what was said as what lost, or the hub's own people as who won."""
    rows = people.history[said.who]
    lost = (one.lost for row in rows for one in row.conflicts if one.field == COMPANY)
    hub = (one.source for row in rows for one in row.changes if one.field == COMPANY)
    return any(one == said.after for one in lost) or any(one.startswith("hub") for one in hub)


def _said_by_people(people: Findings, firms: Findings) -> Iterator[str]:
    """Whatever company a record is said to have brought somebody put there."""
    for who, rows in people.history.items():
        for change in (one for row in rows for one in row.changes if one.field == COMPANY):
            name, _, id = change.source.partition(f"/{people.sort.object}/")
            if change.rule == FIRST_SIGHT or not id:
                continue
            acts = [one for one in people.systems[name].acts if one.by != HUB and one.id == id]
            put = (one.after[EMPLOYER] for one in acts if EMPLOYER in one.after)
            if any((firms.owner(name, str(one)) if one else None) == change.new for one in put):
                continue
            if people.world.wires[name].struck["update", "twice"]:
                people.excuse(DOUBLED)
                continue
            if any(stream[0] == name for stream, _ in people.world.belated):
                people.excuse(BELATED)
                continue
            if lied(people.world, name):
                people.excuse(LIE)
                continue
            yield f"{who} company: nobody put {change.new} at {change.source}"
