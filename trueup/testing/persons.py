"""At rest: the hub made nobody twice and left nobody out, and every record belongs to one contact."""

from __future__ import annotations

from collections.abc import Iterator

from trueup.model.delivery import Delivery, DeliveryState
from trueup.model.entity import Link, LinkState
from trueup.model.plan import Case
from trueup.model.record import Json
from trueup.testing.findings import BELATED, DENIED, DOUBLED, EVERY, LIE, Findings, folded, given_up_at, lied
from trueup.testing.sorts import PEOPLE
from trueup.testing.system import HUB, Act, Row
from trueup.testing.traits import plain_address


def no_duplicate(at: Findings) -> Iterator[str]:
    """The hub makes no record for a person who has a living one in that system."""
    key = at.sort.key
    for name, system in at.systems.items():
        for act in system.acts:
            if act.by != HUB or act.what != "create":
                continue
            made = system.rows[act.id]
            for other in system.rows.values():
                if other is made or not _stood_before(other, made) or not _known_by_it(other, made, act, key):
                    continue
                if _exchanged(at, act.after.get(key)):
                    at.excuse("an address that two people exchanged")
                    continue
                if lied(at.world, name) and not any(number < act.number for number in other.landed):
                    at.excuse(LIE)
                    continue
                if at.owner(name, other.id) not in (None, at.owner(name, made.id)) and _told_apart(
                    at, other, at.owner(name, made.id)
                ):
                    at.excuse("two contacts with one address: who is who comes with identity")
                    continue
                if at.made_late(name, act.after.get(key)):
                    at.excuse(BELATED)
                    continue
                if at.world.wires[name].doubled & {made.id, other.id} and other.by == HUB:
                    at.excuse(DOUBLED)
                    continue
                if plain_address(act.after.get(key)) in at.world.wires[name].denied and other.by == HUB:
                    at.excuse("a look-up that said that there is none, and there was")
                    continue
                if _unseen_then(other, act) or (
                    at.owner(name, other.id) in (None, at.owner(name, made.id)) and not _held_then(other, act)
                ):
                    at.excuse("a record that a person made before the hub could see it")
                    if other.by != HUB:
                        continue
                yield f"{name}: {made.id} was made for {made.person}, who is {other.id} there"


def _stood_before(other: Row, made: Row) -> bool:
    before = [one for one in other.versions if one.at <= made.versions[0].at]
    return bool(before) and not before[-1].deleted


def _known_by_it(other: Row, made: Row, act: Act, key: str) -> bool:
    """Whether the other record bore the address of the one that was made, as its system showed it then."""
    shown = other.shown(act.at) if other.person == made.person else None
    address = plain_address(act.after.get(key))
    return bool(address) and shown is not None and plain_address(shown.values.get(key)) == address


def _told_apart(at: Findings, other: Row, who: str | None) -> bool:
    """Whether somebody gave this person, in any system or in the hub, another address or first name than at
    first: then the hub may rightly, or for want of anything better, take a record for somebody else's. Where
    it did not read the first name the last one tells who somebody is."""
    if any(one.who == who and one.field in ("email", "first_name") for one in at.world.told):
        return True
    name = "given" if at.sort is PEOPLE else "firm"
    given = other.now.values.get(name)
    telling = at.sort.telling | ({"family"} if at.sort is PEOPLE and _unread(at, "given") else set())
    for system in at.systems.values():
        for act in system.acts:
            row = system.rows[act.id]
            otherwise = act.what != "create" or row.versions[0].values.get(name) != given
            if row.person == other.person and act.by != HUB and otherwise and telling & set(act.after):
                return True
    return False


def _unread(at: Findings, name: str) -> bool:
    """Whether some system did not show this field for a while, or the hub did not ask for it."""
    systems = at.systems.items()
    return any(at.world.config.was_turned(system, name) or name in one.drifted for system, one in systems)


def _exchanged(at: Findings, address: Json) -> bool:
    """Whether people gave this address to two persons, so that it says of nobody who it is."""
    persons = {
        row.person
        for system in at.systems.values()
        for row in system.rows.values()
        for act in system.acts
        if act.id == row.id and act.by != HUB and folded(act.after.get(at.sort.key)) == folded(address)
    }
    return len(persons) > 1


def _unseen_then(other: Row, act: Act) -> bool:
    """Whether no answer before the create could have shown the other record."""
    return other.versions[0].shown_at >= act.at or not other.landed


def _held_then(other: Row, act: Act) -> bool:
    """Whether the hub had stored the other record before the create: no race with a person."""
    return any(moment < act.at for moment in other.landed.values())


def nobody_is_left_out(at: Findings) -> Iterator[str]:
    """Who lives in some system has a record in each where the hub makes them, or had one that is gone.
    Of whom it waits for a person who they are nothing is demanded: identity decides it."""
    streams = {stream[0] for stream in at.world.config.policy.create if stream[1] == at.sort.object}
    for id, case in at.cases.items():
        lives = any(link.state is LinkState.LIVE and _is_there(at, link) for link in case.links)
        if not lives or _may_be_somebody_else(at, case):
            continue
        for name in sorted(streams - {link.connection for link in case.links if link.remote_id is not None}):
            if any(one.link.connection == name for one in _parked(at, case)):
                at.excuse("a write that waits for a person")
            elif _given_up(at, id, case, name):
                at.excuse("a new record that a person gave up, of whom nothing changed since")
            elif _may_be_who_is_there(at, case, name):
                at.excuse("somebody who may be a person that the system has already")
            else:
                yield f"{id} was never made in {name}"


def _given_up(at: Findings, who: str, case: Case, name: str) -> bool:
    """Whether a person gave up the record that is to be made there, and it would be the same today."""
    wanted = (one for one in case.links if one.connection == name and one.state is LinkState.WANTED)
    ends = [end for one in wanted if (end := given_up_at(at, one)) is not None]
    return bool(ends) and not any(row.changes for row in at.history[who] if row.at > max(ends))


def _is_there(at: Findings, link: Link) -> bool:
    row = at.row(link)
    return row is not None and row.living


def _may_be_somebody_else(at: Findings, case: Case) -> bool:
    """Whether this contact is not decided, or another one that is not has or had an address of this one."""
    mine = _addresses(at, case)
    undecided = (one for one in at.cases.values() if one.entity.provisional)
    return case.entity.provisional or any(_addresses(at, one) & mine for one in undecided)


def _may_be_who_is_there(at: Findings, case: Case, name: str) -> bool:
    """Whether a contact with a record in this system bears, or a record of its own bore once, an address that
    a record of this one bore: a person tells whether they are one."""
    mine = _addresses(at, case) | _borne(at, case)
    return any(
        (_addresses(at, one) | _borne(at, one)) & mine
        for one in at.cases.values()
        if one is not case and any(link.connection == name and link.remote_id for link in one.links)
    )


def _borne(at: Findings, case: Case) -> set[str]:
    """The addresses of all versions of its records that were read."""
    rows = (at.row(link) for link in case.links)
    return {
        plain_address(version.values.get(at.sort.key))
        for row in rows
        if row is not None
        for version in row.versions
        if version.number in row.landed
    } - {""}


def _addresses(at: Findings, case: Case) -> set[str]:
    field = at.sort.fields[at.sort.key]
    held = (case.entity.values.get(name) for name in (field, f"{field}s", f"former_{field}s"))
    several = (one if isinstance(one, list) else [one] for one in held if one)
    return {plain_address(each) for one in several for each in one}


def _parked(at: Findings, case: Case) -> Iterator[Delivery]:
    waiting = at.world.store.deliveries([DeliveryState.PARKED], None, EVERY)
    return (one for one in waiting if one.entity_id == case.entity.id)


def links_are_sane(at: Findings) -> Iterator[str]:
    """A living record belongs to one contact, and every record that was read belongs to somebody."""
    owners: dict[tuple[str, str], list[str]] = {}
    for id, _, link in at.links():
        owners.setdefault((link.connection, link.remote_id or ""), []).append(id)
    for (name, record), ids in sorted(owners.items()):
        if len(ids) > 1:
            yield f"{name}/{record} belongs to {ids}"
    for name, system in at.systems.items():
        for row in system.living():
            if (name, row.id) not in owners:
                if row.now.number not in row.landed and at.may_lack(name):
                    at.excuse(LIE)
                    continue
                if not at.listed and _denied(at, name, row):
                    at.excuse(DENIED)
                    continue
                yield f"{name}/{row.id} belongs to nobody"


def _denied(at: Findings, name: str, row: Row) -> bool:
    """Whether the hub was told by id, and when it asked again, that there is no such record, and could not
    know better so far: nobody touched it since, or the changes that told so lied, too. A listing shows it."""
    owner = at.owner(name, row.id)
    links = at.cases[owner].links if owner is not None else ()
    missed = any(
        one.connection == name and one.remote_id == row.id and one.buried == "missing" for one in links
    )
    unmoved = row.now.number in row.landed or at.may_lack(name)
    return missed and unmoved and at.world.wires[name].struck["read", "empty"] > 1
