"""Further promises to people: what they say in the hub itself, lists, stages, and what nobody released.

As the checks of `oracle` and `watch`: a line for each violation, each check with a name of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

from trueup.model.delivery import Delivery, DeliveryState, Effect, Lane, WriteKind
from trueup.model.entity import LinkState
from trueup.model.history import FIRST_SIGHT
from trueup.model.plan import Case
from trueup.model.run import Fence
from trueup.model.values import Value
from trueup.sync.rules.guard import DESTRUCTIVE
from trueup.sync.rules.policy import Stream
from trueup.testing.findings import ASKED, BELATED, DOUBLED, Findings, from_another
from trueup.testing.operating import Told
from trueup.testing.sorts import Sort
from trueup.testing.system import HUB, Act, Row, System
from trueup.testing.traits import STAGES
from trueup.testing.vocabulary import SECRET, TOKEN
from trueup.testing.world import TIGHT, World

Everybody = Sequence[tuple[str, Case]]
"""All contacts, each with all that the hub holds of them."""
_LABELS, _TAGS = "labels", "tags"
_HIDDEN = (SECRET, TOKEN)

# -- at rest ----------------------------------------------------------------------------------------------


def hub_edits_hold(at: Findings) -> Iterator[str]:
    """What somebody said in the hub is the contact's, or its history knows of it; what was pinned stands
    until somebody says otherwise in the hub."""
    for place, one in enumerate(at.world.told):
        if one.who not in at.cases:
            continue
        held = at.cases[one.who].entity.values.get(one.field)
        later = {(each.who, each.field) for each in at.world.told[place + 1 :]}
        if one.pin and (one.who, one.field) not in later and (held or None) != one.value:
            yield f"{one.who} {one.field}: {one.value!r} was pinned, and {held!r} stands there"
        elif one.value is None and held and one.held and not _heard(at, one):
            yield f"{one.who} {one.field}: {one.held!r} was taken away in the hub, and nobody heard it"
        elif one.value and held != one.value and one.value not in _remembered(at, one.who, one.field):
            yield f"{one.who} {one.field}: {one.value!r}, said in the hub, is neither held nor in the history"
        elif later.isdisjoint({(one.who, one.field)}) and _stands_again(at, one, held):
            yield f"{one.who} {one.field}: {held!r} stands again, in whose place the hub put {one.value!r}"


def _stands_again(at: Findings, told: Told, held: Value) -> bool:
    """Whether the contact holds what somebody at the hub saw and replaced, and nobody said it since."""
    return bool(held) and held == told.held != told.value and not _said_anew(at, told)


def _said_anew(at: Findings, told: Told) -> bool:
    """Whether a record that says what stood there before was read only after the hub was told otherwise, or
    the history names what lost against it."""
    lost = (one.lost for row in at.history[told.who] for one in row.conflicts if one.field == told.field)
    if any((one or None) == told.value for one in lost):
        return True
    remote = next(remote for remote, field in at.sort.fields.items() if field == told.field)
    since = told.at - at.off
    for system in at.systems.values():
        for act in system.acts:
            if act.by == HUB or _plain(system, remote, act.after.get(remote)) != _plain(
                system, remote, told.held
            ):
                continue
            row = system.rows[act.id]
            read = (row.read_at(number, remote) for number in row.landed if number >= act.number)
            if not any(moment is not None and moment < since for moment in read):
                return True
            if at.world.config.was_left_out(system.traits.name, since):
                at.excuse("a record of a system that was left out when the hub was told otherwise")
                return True
            if at.world.config.was_unmapped(system.traits.name, remote, since):
                at.excuse("a field that was not mapped when the hub was told otherwise")
                return True
    pulled = (row for row in at.history[told.who] if at.world.config.pulls(row.at))
    if any(one.field == told.field and one.new == told.held for row in pulled for one in row.changes):
        at.excuse(ASKED)
        return True
    if from_another(at, told.who, told.field, told.held, "twice"):
        at.excuse(DOUBLED)
        return True
    return False


def _heard(at: Findings, told: Told) -> bool:
    """Whether the history tells, since then, that the field was emptied, or to whom the clearing lost."""
    since = (row for row in at.history[told.who] if row.at >= told.at - at.off)
    return any(
        any(one.field == told.field and not one.new for one in row.changes)
        or any(one.field == told.field and not one.lost for one in row.conflicts)
        for row in since
    )


def _remembered(at: Findings, who: str, field: str) -> list[Value]:
    found: list[Value] = []
    for row in at.history[who]:
        found.extend(value for one in row.changes if one.field == field for value in (one.old, one.new))
        for conflict in row.conflicts:
            for one in (conflict.lost, conflict.kept):
                if isinstance(one, Mapping):
                    found.append(one.get(field))
                elif conflict.field == field:
                    found.append(one)
    return found


def no_lost_element(at: Findings) -> Iterator[str]:
    """A label that somebody gave is the contact's until somebody takes it away."""
    for name, system in at.systems.items():
        for act in system.acts:
            who = at.owner(name, act.id) if act.by != HUB and _LABELS in act.after else None
            if who is None or not _was_read(system, act):
                continue
            for one in sorted(_given(act) - _tags(at, who)):
                if not any(True for _ in _takings(at, one)):
                    yield f"{who}: the label {one}, given at {name}/{act.id}, is lost"


def what_was_taken_stays_away(at: Findings) -> Iterator[str]:
    """A label that somebody took away is gone, unless somebody gave it once more."""
    labels = {one for who in at.cases for one in _tags(at, who)}
    for one in sorted(labels):
        given = [act.place for act in _acts(at) if one in _given(act)]
        taken = [(system, act) for system, act in _takings(at, one) if _was_read(system, act)]
        for system, act in taken:
            who = at.owner(system.traits.name, act.id)
            if who is None or one not in _tags(at, who) or max(given, default=0) > act.place:
                continue
            if _never_seen_there(system, act, one):
                at.excuse("a label that was taken away before the hub knew that it had arrived")
                continue
            if _heard_of_it_since(at, act, one):
                at.excuse("a label that was given elsewhere, of which the hub heard together with the taking")
                continue
            yield f"{who}: the label {one}, taken away at {system.traits.name}/{act.id}, is there again"


def _never_seen_there(system: System, act: Act, label: str) -> bool:
    """Whether no answer ever showed the label in this record before it was taken away there: then it looks
    as if the hub's write had not arrived."""
    row = system.rows[act.id]
    shown = {
        one.number for one in row.versions if one.at <= act.at and label in (one.values.get(_LABELS) or ())
    }
    return row.landed.keys().isdisjoint(shown)


def _heard_of_it_since(at: Findings, taking: Act, label: str) -> bool:
    """Whether the hub read of somebody who gave this label only after it was taken away: what is added in one
    place and taken away in another stays."""
    for system in at.systems.values():
        for act in system.acts:
            if act.by != HUB and _LABELS in act.after and label in _given(act):
                landed = system.rows[act.id].landed
                heard = [moment for number, moment in landed.items() if number >= act.number]
                if heard and min(heard) >= taking.at:
                    return True
    return False


def _acts(at: Findings) -> Iterator[Act]:
    for system in at.systems.values():
        yield from (act for act in system.acts if act.by != HUB and _LABELS in act.after)


def _given(act: Act) -> set[str]:
    return set(act.after[_LABELS] or ()) - set(act.before.get(_LABELS) or ())


def _takings(at: Findings, label: str) -> Iterator[tuple[System, Act]]:
    for system in at.systems.values():
        for act in system.acts:
            before, after = act.before.get(_LABELS) or (), act.after.get(_LABELS) or ()
            if act.by != HUB and _LABELS in act.after and label in before and label not in after:
                yield system, act


def _tags(at: Findings, who: str) -> set[str]:
    return set(at.cases[who].entity.values.get(_TAGS) or ())


def _was_read(system: System, act: Act) -> bool:
    """Whether the hub stored the record as this act left it, then or later, and it lives."""
    row = system.rows[act.id]
    since = [one for one in row.versions if one.number >= act.number and not one.deleted]
    shown = {one.number for one in since if _shows(one.values, act)}
    return row.living and not row.landed.keys().isdisjoint(shown)


def _shows(values: Mapping[str, Any], act: Act) -> bool:
    return sorted(values.get(_LABELS) or ()) == sorted(act.after[_LABELS] or ())


def the_deleted_stay_so(at: Findings) -> Iterator[str]:
    """Whoever was deleted in a system is not made there again."""
    for name, system in at.systems.items():
        made = [act for act in system.acts if act.by == HUB and act.what == "create"]
        for act, row in product(made, system.rows.values()):
            who = at.owner(name, act.id) if _was_gone(row, act) else None
            if who and who == at.owner(name, row.id):
                if _nobodys_as_it_went(at, name, row, act):
                    at.excuse("a record that went before anybody decided whose it was")
                    continue
                yield f"{who}: {name}/{row.id} was deleted, and {act.id} was made in its place"


def _was_gone(row: Row, act: Act) -> bool:
    """Whether a record that the hub had read was deleted or archived as another one was made."""
    before = [one for one in row.versions if one.number < act.number]
    gone = bool(before) and before[-1].deleted and before[-1].successor is None
    read = (row.landed[one.number] for one in before if one.number in row.landed and not one.deleted)
    return gone and any(moment < act.at for moment in read)


def _nobodys_as_it_went(at: Findings, name: str, row: Row, act: Act) -> bool:
    """Whether the hub had only read the record, to plan or before it was killed, and it was gone as the first
    run came to decide about it."""
    went = next(one.at for one in reversed(row.versions) if one.number < act.number and one.deleted)
    since = at.world.assigned.get((name, row.id))
    return since is None or since >= went


def winners_are_people(at: Findings) -> Iterator[str]:
    """Whatever a record is said to have changed or decided somebody typed there: neither an echo of the hub's
    own write nor an older view ever wins."""
    for who, rows in at.history.items():
        for row in rows:
            for change in row.changes:
                if change.rule == FIRST_SIGHT or _typed_there(at, change.source, change.field, change.new):
                    continue
                if at.world.wires[change.source.partition("/")[0]].struck["update", "twice"]:
                    at.excuse(DOUBLED)
                    continue
                name, _, id = change.source.partition(f"/{at.sort.object}/")
                if _came_with_a_join(at, name, id, change.field, change.new):
                    continue
                if at.written_late(name, id, _remote(at.sort, change.field), change.new):
                    at.excuse(BELATED)
                    continue
                yield f"{who} {change.field}: nobody typed {change.new!r} at {change.source}"


def _typed_there(at: Findings, source: str, field: str, value: Value) -> bool:
    name, _, id = source.partition(f"/{at.sort.object}/")
    remote = _remote(at.sort, field)
    system = at.systems.get(name)
    if remote is None or system is None or not id:
        return True
    wanted = _plain(system, remote, value)
    said = (act.after.get(remote) for act in system.acts if act.by != HUB and remote in act.after)
    return any(_plain(system, remote, one) == wanted for one in said)


def _came_with_a_join(at: Findings, name: str, id: str, field: str, value: Value) -> bool:
    """Whether a person joined another record to this one, and what it held then won by that: they saw it and
    chose it, also where the hub had written it there."""
    system, remote = at.world.systems[name], _remote(at.sort, field)
    row = system.rows.get(id)
    joined = [one for one in system.rows.values() if one.now.successor == id]
    if row is None or not joined or remote is None:
        return False
    since = min(one.now.number for one in joined)
    held = [one for one in row.versions if one.number <= since] or row.versions[:1]
    return _plain(system, remote, held[-1].values.get(remote)) == _plain(system, remote, value)


def _remote(sort: Sort, field: str) -> str | None:
    return next((one for one in sort.typed if sort.fields[one] == field), None)


def _plain(system: System, remote: str, value: Any) -> str:
    return "".join(str(system.traits.keeps(remote, value) or "").split())


def history_rebuilds_state(at: Findings) -> Iterator[str]:
    """The history of a contact, told from its beginning, ends with what the contact holds, without a gap."""
    for who, rows in at.history.items():
        told: dict[str, Value] = {}
        for row in sorted(rows, key=lambda one: one.revision):
            for one in row.changes:
                if (told.get(one.field) or None) != (one.old or None):
                    yield f"{who} {one.field}: {one.old!r} moved, and {told.get(one.field)!r} was told before"
                told[one.field] = one.new
        held = at.cases[who].entity.values
        for field in sorted({*told, *held}):
            if (told.get(field) or None) != (held.get(field) or None):
                yield f"{who} {field}: the history ends with {told.get(field)!r}, {held.get(field)!r} is held"


def history_names_who_won(at: Findings) -> Iterator[str]:
    """Whoever lost can read to whom, and by which rule."""
    for who, rows in at.history.items():
        for row in rows:
            for one in row.conflicts:
                if not (one.kept_source and one.lost_source and one.rule):
                    yield f"{who} {one.field}: {one.lost!r} lost, and nobody can tell to whom"


def no_secret_is_told(at: Findings) -> Iterator[str]:
    """No credential stands in what a run reports, or in why a write failed, though systems repeat it."""
    for place, report in enumerate(at.world.reports):
        for said in (*report.tally.notes, *map(str, report.failed.values())):
            if any(one in said for one in _HIDDEN):
                yield f"run {place} tells a credential: {_without(said)}"
    for one in at.world.store.deliveries(list(DeliveryState), None, 10_000):
        if any(each in one.error for each in _HIDDEN):
            yield f"write {one.id} tells a credential: {_without(one.error)}"


def _without(said: str) -> str:
    return said.replace(SECRET, "***").replace(TOKEN, "***")


# -- at every step ------------------------------------------------------------------------------------------


class Stages:
    """Stages only climb: nobody in these worlds sets one back in the hub."""

    def __init__(self) -> None:
        self._reached: dict[str, int] = {}

    def after_commit(self, everybody: Everybody) -> Iterator[str]:
        for id, case in everybody:
            said = case.entity.values.get("stage")
            now = STAGES.index(said) if said in STAGES else -1
            before = self._reached.get(id, -1)
            if now < before:
                yield f"{id} was {STAGES[before]} and is {said}"
            self._reached[id] = max(now, before)


def allowed(world: World, stream: Stream, route: str, body: Mapping[str, Any]) -> Iterator[str]:
    """No record is made in a system that was never listed to its end, and nothing is replaced in one that
    nobody released."""
    system, _ = stream
    if route != "update" and world.store.stream(*stream).listed_at is None:
        yield f"{system} is asked to {route} a record before it was listed to its end"
    if route == "update":
        ids = {str(item.get("id")) for item in body.get("items") or [body]}
        released = system in world.store.released()
        for one in world.store.deliveries([DeliveryState.SENT], system, 1_000):
            ordinary = one.link.remote_id in ids and one.write.lane is not Lane.URGENT
            if ordinary and not one.link.primary:
                yield f"{system}/{one.link.remote_id} is written to, which is a duplicate"
            if ordinary and not released and _replaces(one):
                yield f"{system}/{one.link.remote_id} is written over before anybody released {system}"


class Fences:
    """What a worker stored was stored while it owned the hub."""

    def __init__(self) -> None:
        self._newest = 0

    def as_stored(self, verb: str, fence: Fence) -> Iterator[str]:
        if fence.number < self._newest:
            yield f"{fence.owner} does {verb} with number {fence.number}, and {self._newest} is the newest"
        self._newest = max(self._newest, fence.number)


class Fuses:
    """Of what a fuse guards, no more leaves than it lets through, but by a person's word: of destructive
    writes in one run, of replaced values of one run's decisions. Counted are records: what a system did not
    take, because somebody wrote there meanwhile, is decided and sent once more."""

    def __init__(self) -> None:
        self._sent: dict[tuple[str, str, str], set[int]] = {}

    def after_send(self, world: World, worker: str) -> Iterator[str]:
        if not world.plan.tight:
            return
        for one in world.store.deliveries([DeliveryState.SENT], None, 1_000):
            place = _fused(one, worker)
            if place is None or one.id in world.allowed:
                continue
            sent = self._sent.setdefault(place, set())
            sent.add(one.link.id)
            if len(sent) > TIGHT:
                by, connection, kind = place
                yield f"{len(sent)} records of {connection} get a {kind} in {by}, where {TIGHT} may"


def _fused(one: Delivery, worker: str) -> tuple[str, str, str] | None:
    """What counts this write: who or what, the connection and the kind of fuse."""
    if one.write.gate in DESTRUCTIVE:
        return worker, one.write.connection, one.write.gate
    if _replaces(one) and one.write.lane is not Lane.URGENT:
        return f"run {one.run_id}", one.write.connection, "change"
    return None


def one_primary(everybody: Everybody) -> Iterator[str]:
    """Of several records of a contact in one system one is written to, the others are only read."""
    for id, case in everybody:
        if case.reasons:
            continue  # of what was read meanwhile nothing is decided yet
        links = [one for one in case.links if one.state is LinkState.LIVE and one.primary]
        for name, number in sorted(Counter(one.connection for one in links).items()):
            if number > 1:
                yield f"{id} has {number} primary records in {name}"


def _replaces(one: Delivery) -> bool:
    effects = set(one.write.effects.values())
    return one.write.kind is WriteKind.UPDATE and not effects <= {Effect.FILL}
