"""What a reading changes on a Link: the moved paths keep what they held when both sides last agreed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from trueup.model.entity import WAS_ABSENT, Link, LinkState
from trueup.model.record import Json, Record
from trueup.sync.rules.formats import HIDDEN, TOUCHED, touched


def observe(link: Link, record: Record, at: datetime, told_at: datetime | None = None) -> Link:
    """The Link after this reading. The same object if nothing that is known about it moved.

    Paths that the record does not carry stay as they are. A path that moved remembers in `base` what
    it held at the last agreement; one that moved back forgets it. A predicted value (`assumed`) is
    confirmed by seeing it, kept (and marked `hidden`) while a list may still show what stood there
    before, and else marked to be judged; if it moves once more before that, it was edited (unless what was
    read could not be understood). `told_at`: when the system was asked for this very record, whose answer
    shows every write that was made before.
    """
    observed, base, assumed = dict(link.observed), dict(link.base), dict(link.assumed)
    for path, value in record.values.items():
        listed = told_at is None and path in assumed
        if listed and _still_hidden(assumed[path], value, observed.get(path), at):
            assumed[path] = {**assumed[path], HIDDEN: True}
            continue
        assumption = assumed.pop(path, None)
        understood = assumption is not None and TOUCHED in assumption
        understood = understood and not (_of_another_type(link, path, value) or _of_another_type(link, path))
        if assumption is not None and value != observed.get(path) and not understood:
            edited = touched(assumption, record.changed_at, at)
            assumed[path] = {**_without(assumption, HIDDEN), TOUCHED: edited}
        elif assumption is not None and TOUCHED in assumption and value == observed.get(path):
            assumed[path] = assumption
        if path not in observed:
            base.setdefault(path, WAS_ABSENT)
        elif observed[path] != value:
            base.setdefault(path, observed[path])
        observed[path] = value
        if base.get(path, WAS_ABSENT) == value:
            del base[path]
    moved = observed != link.observed or base != link.base or assumed != link.assumed
    if not moved and record.version == link.version and link.state is LinkState.LIVE:
        return link
    return replace(
        link,
        observed=observed,
        base=base,
        assumed=assumed,
        version=record.version,
        state=LinkState.LIVE,
        changed_at=record.changed_at or link.changed_at,
        seen_at=at,
    )


def _of_another_type(link: Link, path: str, read: Json = None) -> bool:
    """Whether what is read, or was read last, is of another type than what is agreed: the field has become
    something else for a while, and says nothing of what was written."""
    held, agreed = read if read is not None else link.observed.get(path), link.agreed.get(path)
    sent = agreed.remote if agreed is not None else link.base.get(path)
    return held is not None and sent is not None and type(held) is not type(sent)


def shows_before(link: Link, record: Record, began: datetime) -> bool:
    """Whether this view, in a list that began then, shows what stood there before a write of ours which it
    need not show yet: nobody can tell it from a record in which somebody put that back. Of what is hidden
    already it is known when it is asked for."""
    return any(
        _still_hidden(assumption, record.values[path], link.observed.get(path), began)
        for path, assumption in link.assumed.items()
        if path in record.values and TOUCHED not in assumption and HIDDEN not in assumption
    )


def look_at(assumed: Mapping[str, Json]) -> datetime | None:
    """When the record has to be read again, None where nothing was hidden: it was read while it might still
    show what stood there before our write, and what nobody changes is in no further reading of changes."""
    ends = (one["until"] for one in assumed.values() if HIDDEN in one)
    return min(map(datetime.fromisoformat, ends), default=None)


def looked(assumed: Mapping[str, Json], at: datetime) -> dict[str, Json]:
    """The same assumptions after the record was asked for: of those whose time was over nothing is hidden any
    more, whatever the answer said of them. They are settled by the next reading that speaks of them."""
    return {
        path: one if HIDDEN not in one or _lasts(one, at) else _without(one, HIDDEN)
        for path, one in assumed.items()
    }


def _without(assumption: Mapping[str, Json], name: str) -> dict[str, Json]:
    return {key: value for key, value in assumption.items() if key != name}


def _still_hidden(assumption: Json, value: Json, predicted: Json, at: datetime) -> bool:
    """The system still shows what stood there before our write, and may for some time."""
    return bool(value != predicted and value == assumption["was"] and _lasts(assumption, at))


def _lasts(assumption: Json, at: datetime) -> bool:
    """Whether the system may still show what stood there before our write."""
    return at < datetime.fromisoformat(assumption["until"])
