"""At rest: whatever a person typed is held or in the history, and what a person replaced stays away."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import takewhile

from trueup.model.delivery import DeliveryState, WriteKind
from trueup.model.history import HistoryRow
from trueup.model.record import Json
from trueup.model.values import Value
from trueup.testing.findings import (
    ASKED,
    BELATED,
    DOUBLED,
    EVERY,
    LIE,
    WRITTEN_ONLY,
    Edit,
    Findings,
    folded,
    from_another,
    lied,
)
from trueup.testing.system import HUB, System, Version
from trueup.testing.traits import STAGES


def no_lost_update(at: Findings) -> Iterator[str]:
    """Every value that a person typed is the contact's, or its history knows of it."""
    for edit in at.edits():
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
    if at.world.config.unheard.typed(edit.system, edit.act.id, edit.remote, edit.act.at):
        at.excuse(WRITTEN_ONLY)
        return
    yield (
        f"{who} {at.sort.fields[edit.remote]}: {edit.after!r}, typed at {edit.system}/{edit.act.id}, is "
        "neither held nor in the history"
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
    """Whether the hub read it never, or only that it was gone."""
    return not any(one.number in edit.row.landed and not one.deleted for one in edit.row.versions)


def _replaced_knowingly(at: Findings, edit: Edit) -> bool:
    """Whether somebody who saw this value put another one in its place, in the same record."""
    return any(
        act.by != HUB and act.id == edit.act.id and act.place > edit.act.place
        for act in at.systems[edit.system].acts
        if edit.remote in act.after and act.before.get(edit.remote) == edit.after
    )


def _while_it_stood(edit: Edit) -> list[Version]:
    """The versions of the record from the edit on, as long as what was typed stands there."""
    later = (one for one in edit.row.versions if one.number >= edit.act.number)
    held = takewhile(lambda one: one.values.get(edit.remote) == edit.after, later)
    return [one for one in held if not one.deleted]


def _read_with(edit: Edit) -> bool:
    """Whether the hub stored a version of the record while the typed value stood there. Where the field held
    the same before another edit, that version tells nothing of this one."""
    return any(edit.row.read(one.number, edit.remote) for one in _while_it_stood(edit))


def _replaced_unread(at: Findings, edit: Edit) -> bool:
    """Whether a person wrote over it, or the hub where no version guards that, or the record went, before the
    hub had it."""
    stood = _while_it_stood(edit)
    if not stood or _read_with(edit):
        return False
    system = at.systems[edit.system]
    over = (act for act in system.acts if act.id == edit.row.id and act.number > stood[-1].number)
    act = next(over, None)
    if act is None:
        return False
    return act.by != HUB or not system.traits.versions or act.number in system.unguarded


def _known(at: Findings, who: str, edit: Edit) -> bool:
    name, system = at.sort.fields[edit.remote], at.systems[edit.system]
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
    kept, typed = folded(system.traits.keeps(edit.remote, value)), folded(edit.after)
    return kept == typed or (edit.remote == "email" and kept.lower() == typed.lower())


def stages_are_heard(at: Findings) -> Iterator[str]:
    """Who was said to be at a stage, in a record that the hub read then, is at this one or further."""
    for name, system in at.systems.items():
        for act in system.acts:
            said = act.after.get("phase")
            who = at.owner(name, act.id) if act.by != HUB and said in STAGES else None
            if who is None:
                continue
            edit = Edit(name, act, system.rows[act.id], "phase", act.before.get("phase"), said)
            held = at.cases[who].entity.values.get("stage")
            if (held in STAGES and STAGES.index(held) >= STAGES.index(said)) or not _read_with(edit):
                continue
            if _replaced_knowingly(at, edit):
                continue  # who set it back again before it was decided; of one that was decided steps tell
            if not edit.row.living:
                at.excuse("a record that was deleted before its edit was decided")
            else:
                yield f"{who} stage: {said}, said at {name}/{act.id}, was not heard: {held} is held"


def no_resurrection(at: Findings) -> Iterator[str]:
    """A value that a person knowingly replaced or cleared does not stand in the contact at the end."""
    for edit in at.edits():
        if edit.before in (None, "") or edit.act.what != "update":
            continue
        who = at.owner(edit.system, edit.act.id)
        if who is None:
            continue
        held = at.cases[who].entity.values.get(at.sort.fields[edit.remote])
        system = at.systems[edit.system]
        if held is None or folded(system.traits.keeps(edit.remote, held)) != folded(edit.before):
            continue
        if folded(edit.after) == folded(edit.before) or _same(system, edit, edit.before):
            continue
        if not _may_stand(at, who, edit, held):
            yield (
                f"{who} {at.sort.fields[edit.remote]}: {held!r} stands again, though at "
                f"{edit.system}/{edit.act.id} somebody put {edit.after!r} in its place"
            )


def _may_stand(at: Findings, who: str, edit: Edit, held: Value) -> bool:
    """Somebody typed it again later or elsewhere, or the history names the loser and this winner."""
    for other in at.edits():
        later = other is not edit and other.act.place > edit.act.place and other.remote == edit.remote
        if later and _as_there(at, edit, other.after) == folded(edit.before):
            return True
    if _typed_elsewhere(at, edit):
        return True
    name = at.sort.fields[edit.remote]
    for row in at.history[who]:
        for conflict in row.conflicts:
            if conflict.field == name and folded(conflict.lost) == folded(edit.after):
                return True
        for change in row.changes:
            if (
                change.field == name
                and change.source.startswith("hub")
                and folded(change.new) == folded(held)
            ):
                return True
    if _replaced_unread(at, edit) or not edit.row.living:
        at.excuse("a value that was replaced before it was read")
        return True
    links = at.cases[who].links
    if any(at.written_late(one.connection, one.remote_id or "", edit.remote, held) for one in links):
        at.excuse(BELATED)
        return True
    if not edit.after and (_never_known_there(at, edit) or _gone_before_it_was_ours(at, edit)):
        at.excuse("a value that was taken away before the hub knew that it had arrived")
        return True
    if from_another(at, who, name, held, "twice") or (not edit.after and _in_a_double(at, who, edit)):
        at.excuse(DOUBLED)
        return True
    if from_another(at, who, name, held, "late"):
        at.excuse("a create that arrived after it had been looked for")
        return True
    if _moved_elsewhere(at, who, edit, held):
        at.excuse("an edit elsewhere, heard of later, that looks as it did before where it is cut")
        return True
    if at.world.config.unheard.typed(edit.system, edit.act.id, edit.remote, edit.act.at):
        at.excuse(WRITTEN_ONLY)
        return True
    if any(_brings(row, name, held) and at.world.config.pulls(row.at) for row in at.history[who]):
        at.excuse(ASKED)
        return True
    if lied(at.world, edit.system) and not _read_with(edit):
        at.excuse(LIE)
        return True
    return False


def _brings(row: HistoryRow, name: str, held: Value) -> bool:
    return any(one.field == name and one.new == held for one in row.changes)


def _moved_elsewhere(at: Findings, who: str, edit: Edit, held: Value) -> bool:
    """Whether the contact has this very value from an edit at another record that was first read after this
    one: a form of it stood there before, which is the same where the system of this edit cuts it."""
    for system in at.systems.values():
        for act in system.acts:
            before, after = act.before.get(edit.remote), act.after.get(edit.remote)
            if act.by == HUB or act.what != "update" or after != held or not before or before == after:
                continue
            row = system.rows[act.id]
            times = (row.read_at(number, edit.remote) for number in row.landed if number >= act.number)
            read = [moment for moment in times if moment is not None]
            other = (system.traits.name, act.id) != (edit.system, edit.act.id)
            if other and at.owner(system.traits.name, act.id) == who and read and min(read) > edit.act.at:
                return True
    return False


def _never_known_there(at: Findings, edit: Edit) -> bool:
    """Whether the hub had put the value there and no answer showed it before it was taken away: then it looks
    as if the write had not arrived."""
    row, remote = edit.row, edit.remote
    stood = {one.number for one in row.versions if one.number < edit.act.number}
    held = {one.number for one in row.versions if one.values.get(remote) == edit.before} & stood
    acts = at.systems[edit.system].acts
    return not any(row.read(number, remote) for number in held) and any(
        act.by == HUB and act.number in held and remote in act.after for act in acts
    )


def _gone_before_it_was_ours(at: Findings, edit: Edit) -> bool:
    """Whether a reading showed the record without the value before the hub could tell that a create of its
    own had made it: what it had shown until then was a stranger's."""
    shown = [moment for number, moment in edit.row.landed.items() if number >= edit.act.number]
    for one in at.world.store.deliveries([DeliveryState.DONE], edit.system, EVERY):
        made = one.write.kind is WriteKind.CREATE and one.link.remote_id == edit.row.id
        if made and one.ended_at is not None and any(moment <= one.ended_at for moment in shown):
            return True
    return False


def _in_a_double(at: Findings, who: str, edit: Edit) -> bool:
    """Whether it was taken away in the record that a doubled request left over, which is only read, and whose
    empty fields say nothing when the hub first meets it."""
    made_twice = at.world.wires[edit.system].struck["create", "twice"] and edit.row.by == HUB
    return bool(made_twice) and any(
        link.connection == edit.system and link.remote_id == edit.row.id and not link.primary
        for link in at.cases[who].links
    )


def _as_there(at: Findings, edit: Edit, value: Json) -> str:
    """A value as the system of this edit would keep it."""
    return folded(at.systems[edit.system].traits.keeps(edit.remote, value))


def _typed_elsewhere(at: Findings, edit: Edit) -> bool:
    """Another record said this value on its own, not because the hub wrote it there."""
    makers = [
        (name, act.id)
        for name, system in at.systems.items()
        for act in system.acts
        if act.by != HUB and _as_there(at, edit, act.after.get(edit.remote)) == folded(edit.before)
    ]
    return len(set(makers)) > 1
