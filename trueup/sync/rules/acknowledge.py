"""What an attempt's outcome means for the Delivery and its Link. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType

from trueup.mapping.compiled import ObjectMapping, remote_path
from trueup.mapping.elements import changed, is_change, items_settled, listed, written
from trueup.model.counting import counted
from trueup.model.delivery import REFUSED, Delivery, DeliveryState, Lane, Settlement, WriteKind
from trueup.model.entity import NEVER, WAS_ABSENT, Agreed, Quarantine, stood
from trueup.model.record import Json, Record
from trueup.model.values import Absent, Value
from trueup.sync.rules import aside
from trueup.sync.rules.backoff import GIVE_UP_AFTER, next_try
from trueup.sync.rules.formats import AGAIN, HIDDEN, cut_short, is_usual, left_out
from trueup.sync.rules.ledger import must_change


def done(
    delivery: Delivery,
    record_id: str,
    record: Record | None,
    lag: float,
    now: datetime,
    own_stamps: frozenset[str] = frozenset(),
    *,
    at: datetime | None = None,
    shown: Mapping[str, Json] = MappingProxyType({}),
    stamp: datetime | None = None,
) -> Settlement:
    """The write was applied; the system's own answer, if it gave one, becomes what is observed.

    `own_stamps`: paths that say nothing new about a record that we made ourselves. `at`, `shown` and `stamp`
    as in `Done`.
    """
    write = delivery.write
    sent = predicted(delivery)
    answered = {**(record.values if record is not None else {}), **shown}
    observed = {
        path: _settled_at(delivery, path, answered.get(path, value))
        if change.__class__ is dict
        else answered.get(path, value)
        for (path, value), change in zip(sent.items(), write.values.values(), strict=True)
    }
    if write.kind is WriteKind.CREATE:
        quiet = {
            path: value for path, value in answered.items() if path in own_stamps or value in (None, "", [])
        }
        observed = {**quiet, **observed}
    until = now + timedelta(seconds=lag + 1 if lag > 0 else 0)
    assumption = {"until": until.isoformat(), "at": (at or now).isoformat(), **_mark_of_reading(delivery)}
    lost, left_out = _lost(delivery), _left_out(delivery)
    assumed = {
        path: {
            "was": _stood(delivery, path),
            **assumption,
            **({AGAIN: True} if path in lost and lost[path] == observed[path] else {}),
        }
        for path in sent
        if path not in answered and (lag > 0 or record is None) and not _seen_moved(delivery, path)
    }
    return Settlement(
        delivery.id,
        DeliveryState.DONE,
        observed=observed,
        said=_news(sent, observed, answered),
        agreed={
            key: Agreed(
                NEVER if hub == NEVER else hub,
                observed[key] if key in observed else observed.get(remote_path(key, observed), _unsaid(hub)),
            )
            for key, hub in write.wants.items()
        }
        | {key: Agreed(NEVER, observed.get(remote_path(key, observed), WAS_ABSENT)) for key in left_out},
        quarantine=left_out,
        assumed=assumed,
        remote_id=record_id if record_id != delivery.link.remote_id else None,
        version=record.version if record is not None else None,
        drops_version=record is None or record.version is None,
        changed_at=record.changed_at if record is not None else stamp,
        tombstone=write.kind is WriteKind.DELETE,
        active=_SWITCHED.get(write.kind),
        told=(record is not None or bool(shown)) and lag > 0,
        due="switched" if write.kind in _SWITCHED else "",
    )


def _unsaid(hub: Value) -> Json:
    """What stands where the answer says nothing of a field: of one that the write left out nobody knows."""
    return WAS_ABSENT if hub == NEVER else None


def _stood(delivery: Delivery, path: str) -> Json:
    """What our write took the place of: in the form that the system has given it since the decision. What a
    reading showed after it had left is that only where it says the same with signs left out."""
    replaced, observed = delivery.write.replaced.get(path), delivery.link.observed
    if path in observed and not read_meanwhile(delivery):
        return observed[path]
    return observed.get(path) if left_out(replaced, observed.get(path)) else replaced


def _left_out(delivery: Delivery) -> dict[str, Quarantine]:
    """What a create did not carry because it was refused: it stays set aside, and nothing is agreed of it, so
    that it is written once a person gives it back."""
    if delivery.write.kind is not WriteKind.CREATE:
        return {}
    return {
        key: why
        for key, why in delivery.link.quarantine.items()
        if why.direction == "out" and delivery.write.wants.get(key, NEVER) == NEVER
    }


def _lost(delivery: Delivery) -> dict[str, Json]:
    """Of the paths that are written, what was sent there before and not found."""
    pairs = {
        key: delivery.link.agreed[key].lost for key in delivery.write.wants if key in delivery.link.agreed
    }
    values = delivery.write.values
    return {remote_path(key, values): lost for key, lost in pairs.items() if not isinstance(lost, Absent)}


_SWITCHED = {WriteKind.DEACTIVATE: False, WriteKind.REACTIVATE: True}


def _seen_moved(delivery: Delivery, path: str) -> bool:
    """Whether a reading while our write was under way showed no more what stood there, in whatever form: what
    we wrote, or somebody's edit. Either way nothing is assumed of the next reading."""
    observed = delivery.link.observed
    if not read_meanwhile(delivery) or path not in observed or path not in delivery.write.replaced:
        return False
    return bool(observed[path] != _stood(delivery, path))


def read_meanwhile(delivery: Delivery) -> bool:
    """Whether the record was read after this write had left (a remote job, a doubt): one that is settled by
    its own answer knows of no such reading."""
    sent, seen = delivery.sent_at, delivery.link.seen_at
    return sent is not None and seen is not None and seen >= sent


def _mark_of_reading(delivery: Delivery) -> Mapping[str, Json]:
    """The mark of what was read while a remote job worked: where it still showed what stood there, nobody can
    tell whether the job had not begun or somebody had put it back, and the record may be in no further
    reading of changes."""
    return {HIDDEN: True} if read_meanwhile(delivery) else {}


def unkept(delivery: Delivery, record: Record, mapping: ObjectMapping) -> bool:
    """Whether the answer to this write shows another consent than was written."""
    for key, state in delivery.write.wants.items():
        binding = mapping.binding(key)
        if binding is not None and binding.consent and binding.remote in record.values:
            said = binding.read(record.values[binding.remote])
            shown = said.get(binding.fields[0]) if isinstance(said, Mapping) else None
            if must_change(state, shown):
                return True
    return False


def not_kept(delivery: Delivery, record: Record) -> Settlement:
    """The system took a consent and does not show it: a person has to know, so the write waits for one."""
    return Settlement(
        delivery.id,
        DeliveryState.PARKED,
        error="the system took the consent, but the record that it answered does not show it",
        code=NOT_KEPT,
        said=dict(record.values),
        version=record.version,
        drops_version=record.version is None,
        changed_at=record.changed_at,
    )


NOT_KEPT = "TU-CON-060"
UNSEEN = "TU-CON-061"


def unseen(delivery: Delivery, lag: float, now: datetime) -> Settlement:
    """A consent was taken by a system that shows writes late: it is done when it shows."""
    return Settlement(
        delivery.id,
        DeliveryState.DOUBT,
        not_before=now + timedelta(seconds=lag),
        error="the system took the consent; whether it keeps it shows later",
        code=UNSEEN,
    )


def was_taken(delivery: Delivery, record: Record, mapping: ObjectMapping) -> bool:
    """Whether the system said once that it took this consent, and does not show it after its lag."""
    return delivery.code == UNSEEN and unkept(delivery, record, mapping)


def is_silent(delivery: Delivery, record: Record) -> bool:
    """Whether the system said once that it took this consent, and tells nothing of it after its lag: then its
    word is all there is, and the write is not sent for ever."""
    return delivery.code == UNSEEN and not any(path in record.values for path in delivery.write.values)


def predicted(delivery: Delivery) -> dict[str, Json]:
    """What the record should hold after the write, in remote form; element changes applied."""
    return {
        path: changed(delivery.link.observed.get(path), value) if value.__class__ is dict else value
        for path, value in delivery.write.values.items()
    }


def _settled_at(delivery: Delivery, path: str, now: Json) -> Json:
    """What both sides agree on at a written path: what the system holds now, or, of a list that was changed
    by element, only our part of it. What others put there or took away meanwhile stays their edit."""
    change, link = delivery.write.values[path], delivery.link
    keys = (key for key in delivery.write.wants if remote_path(key, delivery.write.values) == path)
    known = next((link.agreed[key] for key in keys if key in link.agreed), None)
    before = stood(known, link.base, link.observed, path)
    if (
        not is_change(change)
        or before == WAS_ABSENT
        or not isinstance(now, str if "sign" in change else list)
    ):
        return now
    if "by" in change:
        return items_settled(before, change, now)
    ours, told = listed(changed(before, change), change), listed(now, change)
    reshaped = [one for one in change["+"] if one not in told]
    if not reshaped:
        return written(ours, change) if _differs(told, ours) else now
    there = listed(changed(delivery.link.observed.get(path), change), change)
    kept = [one for one in ours if one not in reshaped]
    return written(kept + [one for one in told if one not in there], change)


def _news(
    sent: Mapping[str, Json], observed: Mapping[str, Json], answered: Mapping[str, Json]
) -> dict[str, Json]:
    """What the answer, or our own view of the record, tells beyond what was agreed with this write."""
    told = {**sent, **answered}
    return {
        path: value for path, value in told.items() if path not in observed or _differs(value, observed[path])
    }


def _differs(value: Json, settled: Json) -> bool:
    """Lists that were changed by element come in the system's own order."""
    if value == settled:
        return False
    if isinstance(value, list) and isinstance(settled, list):
        return sorted(map(str, value)) != sorted(map(str, settled))
    return True


def refused(
    delivery: Delivery,
    reason: str,
    code: str,
    fields: Mapping[str, str],
    now: datetime,
    mapping: ObjectMapping,
) -> Settlement:
    """The system will not take it: the named fields are set aside and the rest is decided again; a
    refusal that names no field of ours parks the whole Delivery for a person."""
    carried = {key: hub for key, hub in delivery.write.wants.items() if hub != NEVER}
    by_path = {remote_path(key, delivery.write.values): key for key in carried}
    quarantine = {
        by_path[path]: aside.refused(
            mapping.binding(by_path[path]),
            carried[by_path[path]],
            delivery.write.values.get(path),
            why,
            code,
            now,
        )
        for path, why in fields.items()
        if path in by_path
    }
    if not quarantine or len(quarantine) == len(carried):
        return Settlement(
            delivery.id,
            DeliveryState.PARKED,
            error=reason,
            code=code,
            quarantine=quarantine,
        )
    return Settlement(
        delivery.id,
        DeliveryState.SUPERSEDED,
        error=reason,
        code=code,
        quarantine=quarantine,
        due="refused",
    )


def not_made(delivery: Delivery, reason: str, code: str) -> Settlement:
    """A new record of which the system refuses what tells who it is: none is made without that, a person
    looks at it, and a retry sends it whole."""
    return Settlement(delivery.id, DeliveryState.PARKED, error=reason, code=code)


def stale(delivery: Delivery, now: datetime) -> Settlement:
    """The record moved: read it, decide again. Never sent as far as the Link is concerned."""
    return Settlement(delivery.id, DeliveryState.SUPERSEDED, drops_version=True, due="stale")


def outdated(delivery: Delivery) -> Settlement:
    """The configuration no longer lets this be written: nothing leaves, and the contact is decided again."""
    return Settlement(delivery.id, DeliveryState.SUPERSEDED, due="config")


UNKNOWN = "TU-CON-020"
ARRIVED = "TU-CON-021"
"""Without an answer, and a reading since showed what was written."""


def unknown(delivery: Delivery, reason: str, lag: float, now: datetime, code: str = UNKNOWN) -> Settlement:
    """May have been applied: only reading resolves it, after the lag counted from now. `code`: of a refusal
    that holds where it was not."""
    return Settlement(
        delivery.id,
        DeliveryState.DOUBT,
        not_before=now + timedelta(seconds=lag),
        error=reason,
        code=code,
    )


def again(
    delivery: Delivery, reason: str, retry_after: float | None, jitter: float, now: datetime
) -> Settlement:
    """Certainly not applied: the identical payload goes again later. After days a person looks at it, except
    at consent, which is tried until it is delivered."""
    since = delivery.failing_since or now
    if now - since >= GIVE_UP_AFTER and delivery.write.lane is not Lane.URGENT:
        why = f"gave up after {counted((now - since).days, 'day')}: {reason}"
        return Settlement(delivery.id, DeliveryState.PARKED, error=why, code="TU-CON-012")
    at = next_try(delivery.attempts, now, retry_after, jitter)
    return Settlement(
        delivery.id, DeliveryState.DUE, not_before=at, error=reason, code="TU-CON-010", failing_since=since
    )


def turned_away(
    delivery: Delivery, reason: str, retry_after: float | None, jitter: float, now: datetime
) -> Settlement:
    """The system took no call of ours (a limit, a login): that says nothing about this write, and was no
    attempt of it."""
    at = next_try(delivery.attempts, now, retry_after, jitter)
    return Settlement(
        delivery.id, DeliveryState.DUE, not_before=at, error=reason, code="TU-CON-011", untried=True
    )


def doubt_resolved(
    delivery: Delivery,
    record: Record | None,
    keeps: Callable[[str, Json], bool],
    says: Callable[[str, Json], bool],
    lag: float,
    now: datetime,
    agreed: Mapping[str, Agreed] = MappingProxyType({}),
) -> Settlement:
    """A Delivery in doubt, read again: landed, not landed, or somebody edited there meanwhile.

    `keeps(path, value)` tells whether a value read is what the system keeps of what we sent, `says` whether
    it says the same. What cannot be read tells nothing: a write of which no path is shown goes again as it
    was. `agreed`: as in `found`.
    """
    if delivery.write.kind is WriteKind.DELETE:
        return (
            done(delivery, delivery.link.remote_id or "", None, lag, now)
            if record is None
            else _unlanded(delivery, now)
        )
    if record is None:
        return _unlanded(delivery, now)
    return replace(_looked_at(delivery, record, keeps, says, lag, now, agreed), told=lag > 0)


def _looked_at(
    delivery: Delivery,
    record: Record,
    keeps: Callable[[str, Json], bool],
    says: Callable[[str, Json], bool],
    lag: float,
    now: datetime,
    agreed: Mapping[str, Agreed],
) -> Settlement:
    write = delivery.write
    shown = [path for path in write.values if path in record.values]
    making = write.kind is WriteKind.CREATE
    if (shown or making) and all(keeps(path, record.values[path]) for path in shown):
        sent = predicted(delivery)
        odd = [path for path in shown if not says(path, record.values[path])]
        odd = [path for path in odd if not is_usual(sent[path], record.values[path])]
        if not odd:
            return done(delivery, record.id, record, lag, now)
        if making:
            return _made_odd(done(delivery, record.id, record, lag, now), delivery, record, odd, now)
        settled = done(delivery, record.id, None, lag, now)
        return _judged_next(settled, record, _as_assumed(delivery, odd, now))
    if making:
        return found(delivery, record, agreed)
    arrived = delivery.code == ARRIVED or _was_read(delivery, says)
    if not arrived and all(record.values[path] == write.replaced.get(path) for path in shown):
        return _unlanded(delivery, now)
    sent = predicted(delivery)
    others = [path for path in shown if not keeps(path, record.values[path])]
    if not arrived and all(left_out(sent[path], record.values[path]) for path in others):
        settled = done(delivery, record.id, None, lag, now)
        return _judged_next(settled, record, {**settled.assumed, **_as_assumed(delivery, others, now)})
    if arrived or _was_there(delivery, record, keeps):
        cut = [path for path in others if cut_short(sent[path], record.values[path])]
        settled = done(delivery, record.id, None, lag, now)
        return _judged_next(settled, record, _as_assumed(delivery, cut, now))
    cut = [path for path in others if _was_cut(delivery, path, sent[path], record.values[path])]
    ours = _stand_there(delivery, record, keeps) | {path: sent[path] for path in cut}
    return Settlement(
        delivery.id,
        DeliveryState.OVERTAKEN,
        error="somebody edited the record while our write was in doubt",
        observed=ours,
        said={path: record.values[path] for path in cut},
        agreed={
            key: Agreed(hub, ours[path])
            for key, hub in write.wants.items()
            if (path := remote_path(key, sent)) in ours
        },
        assumed=_as_assumed(delivery, cut, now),
        drops_version=True,
        due="overtaken",
    )


def _was_cut(delivery: Delivery, path: str, sent: Json, there: Json) -> bool:
    """Whether what stands there is our value cut short, and did not stand there before."""
    return cut_short(sent, there) and there != delivery.write.replaced.get(path)


def _made_odd(
    settled: Settlement, delivery: Delivery, record: Record, odd: Sequence[str], now: datetime
) -> Settlement:
    """A new record that was made, with forms in these paths that only a learned field explains: the next
    decision judges them, so that the history keeps what may have been somebody's edit after all."""
    sent = predicted(delivery)
    pairs = {key: remote_path(key, sent) for key in settled.agreed}
    return replace(
        settled,
        observed={**settled.observed, **{path: sent[path] for path in odd}},
        agreed={
            key: one._replace(remote=sent[pairs[key]]) if pairs[key] in odd else one
            for key, one in settled.agreed.items()
        },
        said={**settled.said, **{path: record.values[path] for path in odd}},
        assumed={**settled.assumed, **_as_assumed(delivery, odd, now)},
    )


def _stand_there(delivery: Delivery, record: Record, keeps: Callable[[str, Json], bool]) -> dict[str, Json]:
    """What stands there as we wrote it, and did not before: whether the write arrived or somebody typed the
    same, it is no edit of theirs against what the hub says by now."""
    before = delivery.write.replaced
    return {
        path: record.values[path]
        for path, change in delivery.write.values.items()
        if path in record.values and not is_change(change)
        if record.values[path] != before.get(path) and keeps(path, record.values[path])
    }


def _was_read(delivery: Delivery, says: Callable[[str, Json], bool]) -> bool:
    """Whether a reading since showed what this write carried, in whatever words, where other things stood."""
    before, held = delivery.write.replaced, delivery.link.observed
    return read_meanwhile(delivery) and any(
        path in held and held[path] != before.get(path) and says(path, held[path])
        for path in delivery.write.values
    )


def _was_there(delivery: Delivery, record: Record, keeps: Callable[[str, Json], bool]) -> bool:
    """Whether what we wrote was seen to stand there, now or in a reading since, and nothing beside it that
    stood there before: then all of it arrived, and what stands there else was typed over it."""
    views = [record.values]
    if read_meanwhile(delivery):
        views.append(delivery.link.observed)
    return any(_shows(view, delivery, keeps) for view in views)


def shown(delivery: Delivery) -> bool:
    """Whether its record, as it was last read, holds what this write carried, letter by letter, and did not
    before."""
    before, held = delivery.write.replaced, delivery.link.observed
    return any(
        path in held and held[path] == one != before.get(path) for path, one in predicted(delivery).items()
    )


def _shows(view: Mapping[str, Json], delivery: Delivery, keeps: Callable[[str, Json], bool]) -> bool:
    sent, before = predicted(delivery), delivery.write.replaced
    ours = [
        path
        for path in sent
        if path in view and (keeps(path, view[path]) or cut_short(sent[path], view[path]))
    ]
    others = [path for path in sent if path in view and path not in ours]
    return any(view[path] != before.get(path) for path in ours) and all(
        view[path] != before.get(path) for path in others
    )


def _as_assumed(delivery: Delivery, paths: Sequence[str], now: datetime) -> dict[str, Json]:
    """Of paths that the system cut or gave a form of its own, as it seems, assumptions that failed: the
    next decision judges them as it judges what a system without an answer shows, so that the history keeps
    what may have been somebody's edit after all."""
    at = {"until": now.isoformat(), "at": now.isoformat()}
    return {path: {"was": delivery.write.replaced.get(path), **at} for path in paths}


def _judged_next(settled: Settlement, record: Record, assumed: Mapping[str, Json]) -> Settlement:
    """Applied; what the record shows now is evidence for the next decision."""
    return replace(
        settled,
        said=dict(record.values),
        assumed=assumed,
        version=record.version,
        drops_version=record.version is None,
        changed_at=record.changed_at,
    )


def _unlanded(delivery: Delivery, now: datetime) -> Settlement:
    """Not applied after all: the same payload goes again, but one that was refused waits for a person."""
    if delivery.code.startswith(REFUSED):
        return Settlement(delivery.id, DeliveryState.PARKED, error=delivery.error, code=delivery.code)
    return Settlement(delivery.id, DeliveryState.DUE, not_before=now, error=delivery.error)


def found(delivery: Delivery, record: Record, agreed: Mapping[str, Agreed]) -> Settlement:
    """A create in doubt whose record is there, with other values than ours (the system reshaped them, or
    somebody was quick): it is this contact's record. What it holds of ours is `agreed`; the rest is judged as
    a first sight."""
    return Settlement(
        delivery.id,
        DeliveryState.DONE,
        observed=record.values,
        agreed=agreed,
        remote_id=record.id,
        version=record.version,
        drops_version=record.version is None,
        changed_at=record.changed_at,
        fresh=True,
        due="found",
    )


def exists(delivery: Delivery, existing_id: str, now: datetime) -> Settlement:
    """A create refused because the record is there already: it is this contact's record now; what it
    holds is read with the next reading and judged as a first sight."""
    return Settlement(
        delivery.id,
        DeliveryState.DONE,
        remote_id=existing_id,
        drops_version=True,
        fresh=True,
        due="exists already",
    )


def gone(
    delivery: Delivery, successor: str | None, successor_object: str | None, now: datetime
) -> Settlement:
    """The record is not there: it moved to its successor, or it was deleted."""
    if successor is None:
        return Settlement(delivery.id, DeliveryState.SUPERSEDED, tombstone=True, due="deleted")
    return Settlement(
        delivery.id,
        DeliveryState.SUPERSEDED,
        remote_id=successor,
        object=successor_object,
        drops_version=True,
        due="moved",
    )
