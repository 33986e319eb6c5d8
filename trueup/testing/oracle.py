"""What must be true once a world has come to rest, each by its own name.

A check answers with one line per violation: who, which field, in which systems. What nobody could have
observed is exempt by a predicate with a name of its own; `exempt` counts those.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import takewhile

from trueup.mapping.compiled import Binding
from trueup.model.delivery import DISCARDED, DeliveryState, Lane
from trueup.model.entity import Entity, Link, LinkState
from trueup.model.history import HistoryRow
from trueup.model.plan import Case
from trueup.model.record import Json
from trueup.model.values import ABSENT, Rejected, Value
from trueup.sync.rules.differences import alike
from trueup.sync.rules.formats import RULE as FORM
from trueup.testing.promises import (
    history_names_who_won,
    history_rebuilds_state,
    hub_edits_hold,
    no_lost_element,
    no_secret_is_told,
    the_deleted_stay_so,
    what_was_taken_stays_away,
    winners_are_people,
)
from trueup.testing.system import HUB, Act, Row, System, Version
from trueup.testing.traits import FIELDS, OPT_OUT
from trueup.testing.vocabulary import OBJECT
from trueup.testing.wire import LISTS
from trueup.testing.world import World

_ALL = 10_000
_OVER = (
    DeliveryState.DONE,
    DeliveryState.SUPERSEDED,
    DeliveryState.OVERTAKEN,
    DeliveryState.PARKED,
    DeliveryState.GATED,
)
_OUT = "opted_out"
LIE = "a listing that said it was all, and was not"
UNTOLD = "a deletion of which the system tells nothing"
DENIED = "a record of which a reading by id said twice in a row that it was not there"


def lied(world: World, name: str) -> bool:
    """Whether a listing of this system came back empty or cut short with status 200: nobody can tell it
    from the truth."""
    struck = world.wires[name].struck
    return any(struck[route, what] for route in LISTS for what in ("empty", "partial"))


@dataclass(slots=True)
class Findings:
    """The state of a world at rest, read once. `exempt`: how many cases a predicate let pass. `listed`:
    everything was listed once more, after all misfortunes: what a listing shows excuses nothing any more."""

    world: World
    cases: Mapping[str, Case]
    history: Mapping[str, Sequence[HistoryRow]]
    exempt: Counter[str] = field(default_factory=Counter)
    listed: bool = False

    def links(self) -> Iterator[tuple[str, Entity, Link]]:
        """Every living link, with whom it belongs to."""
        for id, case in self.cases.items():
            for link in case.links:
                if link.state is LinkState.LIVE:
                    yield id, case.entity, link

    def row(self, link: Link) -> Row | None:
        return self.world.systems[link.connection].rows.get(link.remote_id or "")

    def bindings(self, link: Link) -> tuple[Binding, ...]:
        return self.world.policy.mappings[link.stream].bindings

    def owner(self, system: str, id: str) -> str | None:
        """The contact that a record belongs to."""
        return next(
            (
                who
                for who, case in self.cases.items()
                for link in case.links
                if link.connection == system and id in (link.remote_id, *self._aliases(system, id))
            ),
            None,
        )

    def _aliases(self, system: str, id: str) -> Iterator[str]:
        row, seen = self.world.systems[system].rows.get(id), set[str]()
        while row is not None and row.now.successor and row.id not in seen:
            seen.add(row.id)
            yield row.now.successor
            row = self.world.systems[system].rows.get(row.now.successor)

    def may_lack(self, name: str) -> bool:
        """Whether the hub was told that this was all, and nothing told it otherwise since."""
        return not self.listed and lied(self.world, name)

    def excuse(self, predicate: str) -> None:
        self.exempt[predicate] += 1


def findings(world: World) -> Findings:
    cases = {id: world.store.case(id) for id in world.contacts()}
    return Findings(world, cases, {id: world.store.history(id, _ALL) for id in cases})


# -- convergence ------------------------------------------------------------------------------------------


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
            if not binding.consent:
                yield from _agrees(at, id, entity, link, row, binding)


def _gone(at: Findings, id: str, link: Link, row: Row | None) -> Iterator[str]:
    traits = at.world.systems[link.connection].traits
    if row is not None and not traits.feed and (traits.offset or not at.listed):
        at.excuse(UNTOLD)
        return
    if row is not None and at.may_lack(link.connection):
        at.excuse(LIE)
        return
    yield f"{id} is linked to {link.connection}/{link.remote_id}, which is not there any more"


def _agrees(at: Findings, id: str, entity: Entity, link: Link, row: Row, binding: Binding) -> Iterator[str]:
    if binding.key in link.quarantine:
        at.excuse("a field that waits for a person")
        return
    traits = at.world.systems[link.connection].traits
    stands = row.now.values.get(binding.remote)
    wanted = binding.write(entity.values)
    kept = traits.keeps(binding.remote, None if isinstance(wanted, Rejected) or wanted is ABSENT else wanted)
    if _plain(stands) != _plain(kept) and not alike(binding, binding.read(stands), binding.read(kept)):
        if _parked(at, link):
            at.excuse("a write that waits for a person")
            return
        if _discarded(at, id, link, row, binding):
            at.excuse("a write that a person discarded")
            return
        if row.now.number not in row.landed and at.may_lack(link.connection):
            at.excuse(LIE)
            return
        if _taken_for_a_form(at, id, binding.fields[0], stands):
            at.excuse("an edit that could be the system's own form of what was written")
            return
        yield (
            f"{id} {binding.fields[0]}: {link.connection}/{link.remote_id} holds {stands!r}, the contact "
            f"{entity.values.get(binding.fields[0])!r} (there {kept!r})"
        )


def _taken_for_a_form(at: Findings, who: str, name: str, stands: Json) -> bool:
    """Whether the history names what stands there as what the system may have made of our value."""
    return any(
        conflict.field == name and conflict.rule == FORM and _folded(conflict.lost) == _folded(stands)
        for row in at.history[who]
        for conflict in row.conflicts
    )


def _parked(at: Findings, link: Link) -> bool:
    """Whether an ordinary write to this record waits for a person: the next ones wait behind it."""
    waiting = at.world.store.deliveries([DeliveryState.PARKED], link.connection, _ALL)
    return any(one.link.id == link.id and one.write.lane is not Lane.URGENT for one in waiting)


def _discarded(at: Findings, who: str, link: Link, row: Row, binding: Binding) -> bool:
    """Whether a person gave up writes to this record after both sides last moved: then they may differ."""
    over = at.world.store.deliveries([DeliveryState.SUPERSEDED], link.connection, _ALL)
    ends = [one.ended_at for one in over if one.link.id == link.id and one.code == DISCARDED]
    last = max((end for end in ends if end is not None), default=None)
    if last is None:
        return False
    there = at.world.systems[link.connection].acts
    moved = any(act.id == row.id and act.at > last and binding.remote in act.after for act in there)
    return not moved and not any(
        one.at > last and any(change.field in binding.fields for change in one.changes)
        for one in at.history[who]
    )


def _plain(value: Json) -> Json:
    return sorted(map(str, value)) if isinstance(value, list) else (value or None)


# -- what people typed --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Edit:
    """One field of one record that a person changed."""

    system: str
    act: Act
    row: Row
    remote: str
    before: Json
    after: Json


def typed_values(world: World) -> int:
    """How many values people typed, or took away: in a new record each that it held."""
    return sum(1 for edit in edits(world) if edit.before or edit.after)


def edits(world: World) -> Iterator[Edit]:
    for name, system in world.systems.items():
        for act in system.acts:
            if act.by != HUB:
                for remote, after in act.after.items():
                    if remote in FIELDS and remote not in ("labels", "phase"):
                        yield Edit(name, act, system.rows[act.id], remote, act.before.get(remote), after)


def no_lost_update(at: Findings) -> Iterator[str]:
    """Every value that a person typed is the contact's, or its history knows of it."""
    for edit in edits(at.world):
        if edit.after in (None, ""):
            continue
        who = at.owner(edit.system, edit.act.id)
        if who is None:
            yield from _unknown(at, edit)
        elif not _known(at, who, edit) and not _replaced_knowingly(at, edit):
            yield from _unheard(at, who, edit)


def _unknown(at: Findings, edit: Edit) -> Iterator[str]:
    if not edit.row.living:
        return  # who deleted it, or joined it to another before it was decided, saw what it held
    if _never_shown(at, edit):
        at.excuse("a record that nobody ever read")
        return
    yield f"{edit.system}/{edit.act.id} is nobody's record"


def _unheard(at: Findings, who: str, edit: Edit) -> Iterator[str]:
    if _replaced_unread(at, edit):
        at.excuse("a value that was replaced before it was read")
        return
    if _stands_in_a_duplicate(at, who, edit):
        at.excuse("a value that stands in a duplicate, which is only reported")
        return
    if not edit.row.living:
        at.excuse("a record that was deleted before its edit was decided")
        return
    if lied(at.world, edit.system) and not _read_with(edit):
        at.excuse(LIE)
        return
    yield (
        f"{who} {FIELDS[edit.remote]}: {edit.after!r}, typed at {edit.system}/{edit.act.id}, is neither held "
        "nor in the history"
    )


def _stands_in_a_duplicate(at: Findings, who: str, edit: Edit) -> bool:
    """A secondary record is read and never written: what it says is lost to nobody."""
    return (
        any(
            link.connection == edit.system and link.remote_id == edit.act.id and not link.primary
            for link in at.cases[who].links
        )
        and edit.row.now.values.get(edit.remote) == edit.after
    )


def _never_shown(at: Findings, edit: Edit) -> bool:
    return not edit.row.landed


def _replaced_knowingly(at: Findings, edit: Edit) -> bool:
    """Whether somebody who saw this value put another one in its place, in the same record."""
    return any(
        act.by != HUB and act.id == edit.act.id and act.place > edit.act.place
        for act in at.world.systems[edit.system].acts
        if edit.remote in act.after and act.before.get(edit.remote) == edit.after
    )


def _while_it_stood(edit: Edit) -> list[Version]:
    """The versions of the record from the edit on, as long as they hold what was typed."""
    later = (one for one in edit.row.versions if one.number >= edit.act.number)
    return list(takewhile(lambda one: one.values.get(edit.remote) == edit.after and not one.deleted, later))


def _read_with(edit: Edit) -> bool:
    """Whether the hub stored a version of the record while the typed value stood there. Where the field held
    the same before another edit, that version tells nothing of this one."""
    return any(one.number in edit.row.landed for one in _while_it_stood(edit))


def _replaced_unread(at: Findings, edit: Edit) -> bool:
    """Whether a person wrote over it, or the record went, before the hub had it."""
    stood = _while_it_stood(edit)
    if not stood or _read_with(edit):
        return False
    system = at.world.systems[edit.system]
    by = next(
        (act.by for act in system.acts if act.id == edit.row.id and act.number > stood[-1].number), None
    )
    return by is not None and (by != HUB or not system.traits.versions)


def _known(at: Findings, who: str, edit: Edit) -> bool:
    name, system = FIELDS[edit.remote], at.world.systems[edit.system]
    return any(_same(system, edit, value) for value in _told(at, who, name))


def _told(at: Findings, who: str, name: str) -> Iterator[Value]:
    """Every value that this field of the contact holds, held or refused."""
    family = {"email": ("email", "emails", "former_emails"), "phone": ("phone", "phones", "former_phones")}
    for field_name in family.get(name, (name,)):
        held = at.cases[who].entity.values.get(field_name)
        yield from held if isinstance(held, list) else [held]
        for row in at.history[who]:
            for change in row.changes:
                if change.field == field_name:
                    for one in (change.old, change.new):
                        yield from one if isinstance(one, list) else [one]
            for conflict in row.conflicts:
                if conflict.field == field_name:
                    for one in (conflict.lost, conflict.kept):
                        yield from one if isinstance(one, list) else [one]


def _same(system: System, edit: Edit, value: Value) -> bool:
    """Whether a canonical value is what was typed: as it stands there, or as that system would keep it."""
    kept, typed = _folded(system.traits.keeps(edit.remote, value)), _folded(edit.after)
    return kept == typed or (edit.remote == "email" and kept.lower() == typed.lower())


def _folded(value: Json) -> str:
    return "".join(str(value or "").split())


def no_resurrection(at: Findings) -> Iterator[str]:
    """A value that a person knowingly replaced or cleared does not stand in the contact at the end."""
    for edit in edits(at.world):
        if edit.before in (None, "") or edit.act.what != "update":
            continue
        who = at.owner(edit.system, edit.act.id)
        if who is None:
            continue
        held = at.cases[who].entity.values.get(FIELDS[edit.remote])
        system = at.world.systems[edit.system]
        if held is None or _folded(system.traits.keeps(edit.remote, held)) != _folded(edit.before):
            continue
        if _folded(edit.after) == _folded(edit.before):
            continue
        if not _may_stand(at, who, edit, held):
            yield (
                f"{who} {FIELDS[edit.remote]}: {held!r} stands again, though at {edit.system}/{edit.act.id} "
                f"somebody put {edit.after!r} in its place"
            )


def _may_stand(at: Findings, who: str, edit: Edit, held: Value) -> bool:
    """Somebody typed it again later or elsewhere, or the history names the loser and this winner."""
    for other in edits(at.world):
        later = other is not edit and other.act.place > edit.act.place and other.remote == edit.remote
        if later and _as_there(at, edit, other.after) == _folded(edit.before):
            return True
    if _typed_elsewhere(at, edit):
        return True
    name = FIELDS[edit.remote]
    for row in at.history[who]:
        for conflict in row.conflicts:
            if conflict.field == name and _folded(conflict.lost) in (_folded(edit.after), ""):
                return True
        for change in row.changes:
            if change.field == name and change.source.startswith("hub"):
                return True
    if _replaced_unread(at, edit) or not edit.row.living:
        at.excuse("a value that was replaced before it was read")
        return True
    if not edit.after and _never_known_there(at, edit):
        at.excuse("a value that was taken away before the hub knew that it had arrived")
        return True
    if _from_a_double(at, who, name, held):
        at.excuse("a request that the network doubled")
        return True
    if lied(at.world, edit.system) and not _read_with(edit):
        at.excuse(LIE)
        return True
    return False


def _never_known_there(at: Findings, edit: Edit) -> bool:
    """Whether the hub had put the value there and no answer showed it before it was taken away: then it looks
    as if the write had not arrived."""
    row, remote = edit.row, edit.remote
    stood = {one.number for one in row.versions if one.number < edit.act.number}
    held = {one.number for one in row.versions if one.values.get(remote) == edit.before} & stood
    acts = at.world.systems[edit.system].acts
    return row.landed.isdisjoint(held) and any(
        act.by == HUB and act.number in held and remote in act.after for act in acts
    )


def _from_a_double(at: Findings, who: str, name: str, held: Value) -> bool:
    """Whether the value came back from a record of the hub, where a request to make one was doubled."""
    for row in at.history[who]:
        for change in row.changes:
            system, _, id = change.source.partition(f"/{OBJECT}/")
            if change.field != name or change.new != held or system not in at.world.systems:
                continue
            doubled = at.world.wires[system].struck["create", "twice"]
            if doubled and at.world.systems[system].rows[id].by == HUB:
                return True
    return False


def _as_there(at: Findings, edit: Edit, value: Json) -> str:
    """A value as the system of this edit would keep it."""
    return _folded(at.world.systems[edit.system].traits.keeps(edit.remote, value))


def _typed_elsewhere(at: Findings, edit: Edit) -> bool:
    """Another record said this value on its own, not because the hub wrote it there."""
    makers = [
        (name, act.id)
        for name, system in at.world.systems.items()
        for act in system.acts
        if act.by != HUB and _as_there(at, edit, act.after.get(edit.remote)) == _folded(edit.before)
    ]
    return len(set(makers)) > 1


# -- identity -----------------------------------------------------------------------------------------------


def no_duplicate(at: Findings) -> Iterator[str]:
    """The hub makes no record for a person who has a living one in that system."""
    for name, system in at.world.systems.items():
        for act in system.acts:
            if act.by != HUB or act.what != "create":
                continue
            made = system.rows[act.id]
            for other in system.rows.values():
                if other is made or not _stood_before(other, made) or not _known_by_it(other, made, act):
                    continue
                if _exchanged(at, act.after.get("email")):
                    at.excuse("an address that two people exchanged")
                    continue
                if lied(at.world, name) and not any(number < act.number for number in other.landed):
                    at.excuse(LIE)
                    continue
                if at.owner(name, other.id) not in (None, at.owner(name, made.id)) and _told_apart(at, other):
                    at.excuse("two contacts with one address: who is who comes with identity")
                    continue
                if at.world.wires[name].struck["create", "twice"] and other.by == HUB:
                    at.excuse("a request that the network doubled")
                    continue
                if at.world.wires[name].struck["find", "empty"] and other.by == HUB:
                    at.excuse("a look-up that said that there is none, and there was")
                    continue
                if _unseen_then(at, system, other, act) or at.owner(name, other.id) == at.owner(
                    name, made.id
                ):
                    at.excuse("a record that a person made before the hub could see it")
                    if other.by != HUB:
                        continue
                yield f"{name}: {made.id} was made for {made.person}, who is {other.id} there"


def _stood_before(other: Row, made: Row) -> bool:
    first = other.versions[0].at <= made.versions[0].at
    return first and not any(one.deleted and one.at <= made.versions[0].at for one in other.versions)


def _known_by_it(other: Row, made: Row, act: Act) -> bool:
    """Whether the other record bore the address of the one that was made, as its system showed it then."""
    shown = other.shown(act.at) if other.person == made.person else None
    address = str(act.after.get("email") or "").lower()
    return bool(address) and shown is not None and str(shown.values.get("email") or "").lower() == address


def _told_apart(at: Findings, other: Row) -> bool:
    """Whether somebody gave this person, in any system, another address or first name than at first: then the
    hub may rightly, or for want of anything better, take a record for somebody else's."""
    given = other.now.values.get("given")
    return any(
        act.by != HUB and (act.what != "create" or row.versions[0].values.get("given") != given)
        for system in at.world.systems.values()
        for act in system.acts
        if (row := system.rows[act.id]).person == other.person and {"email", "given"} & set(act.after)
    )


def _exchanged(at: Findings, address: Json) -> bool:
    """Whether people gave this address to two persons, so that it says of nobody who it is."""
    persons = {
        row.person
        for system in at.world.systems.values()
        for row in system.rows.values()
        for act in system.acts
        if act.id == row.id and act.by != HUB and _folded(act.after.get("email")) == _folded(address)
    }
    return len(persons) > 1


def _unseen_then(at: Findings, system: System, other: Row, act: Act) -> bool:
    """Whether no answer before the create could have shown the other record."""
    return other.versions[0].shown_at >= act.at or not other.landed


def links_are_sane(at: Findings) -> Iterator[str]:
    """A living record belongs to one contact, and every record that was read belongs to somebody."""
    owners: dict[tuple[str, str], list[str]] = {}
    for id, _, link in at.links():
        owners.setdefault((link.connection, link.remote_id or ""), []).append(id)
    for (name, record), ids in sorted(owners.items()):
        if len(ids) > 1:
            yield f"{name}/{record} belongs to {ids}"
    for name, system in at.world.systems.items():
        for row in system.living():
            if (name, row.id) not in owners:
                if not row.landed and at.may_lack(name):
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


# -- consent, work, counts --------------------------------------------------------------------------------


def opt_outs_hold(at: Findings) -> Iterator[str]:
    """Who opted out anywhere is opted out in every living record."""
    for id, entity, link in at.links():
        out = entity.values.get("consent.email.marketing") == _OUT
        row = at.row(link)
        if row is not None and row.living and bool(row.now.values.get(OPT_OUT)) != out:
            if row.now.number not in row.landed and at.may_lack(link.connection):
                at.excuse(LIE)
                continue
            yield f"{id}: {link.connection}/{link.remote_id} {'may' if out else 'must not'} be mailed"
    for name, system in at.world.systems.items():
        for act in system.acts:
            if act.by != HUB and act.after.get(OPT_OUT):
                who = at.owner(name, act.id)
                if who and at.cases[who].entity.values.get("consent.email.marketing") != _OUT:
                    row = system.rows[act.id]
                    if any(
                        one.number in row.landed and one.values.get(OPT_OUT) and not one.deleted
                        for one in row.versions
                    ):
                        yield f"{who}: the opt-out at {name}/{act.id} was not heard"


def nothing_waits_for_nobody(at: Findings) -> Iterator[str]:
    """What is not over waits for a person, and says why."""
    for one in at.world.store.deliveries(list(DeliveryState), None, _ALL):
        if one.state not in _OVER:
            yield f"write {one.id} to {one.write.connection} is {one.state} at rest"
        elif one.state is DeliveryState.PARKED and not one.error:
            yield f"write {one.id} to {one.write.connection} is parked without a reason"


def counts_add_up(at: Findings) -> Iterator[str]:
    """read = new + changed + same + deleted + older + filtered + rejected, for every run."""
    parts = ("new", "changed", "same", "deleted", "older", "filtered", "rejected")
    for place, report in enumerate(at.world.reports):
        for name in at.world.systems:
            read = report.tally.get("read", name)
            told = sum(report.tally.get(one, name) for one in parts)
            if read != told:
                yield f"run {place}: {name} read {read}, and {told} are accounted for"


def bounded_cost(at: Findings) -> Iterator[str]:
    """No more writes than edits times systems, creates and misfortunes call for."""
    world = at.world
    typed = sum(
        1
        for system in world.systems.values()
        for act in system.acts
        if act.by != HUB and (act.after or act.what != "update")
    )
    told = sum(1 for event in world.plan.events if event.do == "operator")
    made = sum(
        1 for system in world.systems.values() for a in system.acts if a.by == HUB and a.what == "create"
    )
    struck = sum(sum(wire.struck.values()) for wire in world.wires.values())
    struck += world.seen["crash"] + world.seen["database fails"]
    most = 2 * (typed + told) * len(world.systems) + made + 3 * struck
    if world.writes() > most:
        yield f"{world.writes()} writes for {typed} edits, {told} decisions and {struck} misfortunes"


CHECKS: Mapping[str, Callable[[Findings], Iterator[str]]] = {
    "convergence": convergence,
    "no lost update": no_lost_update,
    "no resurrection": no_resurrection,
    "no duplicate": no_duplicate,
    "links are sane": links_are_sane,
    "opt-outs hold": opt_outs_hold,
    "nothing waits for nobody": nothing_waits_for_nobody,
    "counts add up": counts_add_up,
    "bounded cost": bounded_cost,
    "hub edits hold": hub_edits_hold,
    "no lost element": no_lost_element,
    "what was taken stays away": what_was_taken_stays_away,
    "the deleted stay so": the_deleted_stay_so,
    "history names who won": history_names_who_won,
    "history rebuilds state": history_rebuilds_state,
    "winners are people": winners_are_people,
    "no secret is told": no_secret_is_told,
}


def verdict(world: World) -> tuple[list[str], Counter[str]]:
    """What is wrong, `check: what`, and how often what was excused. The store must still be open. Where only
    a listing of everything could show what the hub lacks, it is waited for, and then all must be well."""
    at = findings(world)
    wrong = _found(at)
    if at.exempt[LIE] or at.exempt[UNTOLD] or at.exempt[DENIED]:
        world.list_again()
        at = replace(findings(world), listed=True)
        wrong += [one for one in _found(at) if one not in wrong]
    return [*world.violations, *wrong], at.exempt


def _found(at: Findings) -> list[str]:
    return [f"{name}: {one}" for name, check in CHECKS.items() for one in check(at)]
