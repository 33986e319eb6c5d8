"""What systems that do not answer with the record keep: our value in a form of their own, or somebody's edit.

After a write without an answer the agreement is assumed. The first reading afterwards settles it: what was
sent is agreed; what stood there before is waited for, and sent once more where it still stands there after
that; anything else is either what this system makes of our value, and then agreed in that form, or a person's
edit. What the field did with other values tells which.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from trueup.model.entity import NEVER, Agreed, Entity, Link, Source
from trueup.model.formats import Format, How, Kept
from trueup.model.history import Conflict
from trueup.model.plan import Context
from trueup.model.record import Json
from trueup.model.values import Absent, Rejected, Type, Value
from trueup.sync.rules.differences import alike
from trueup.sync.rules.evidence import Reading

FEW = 3
"""So many records say nothing about a field yet; more of them in a row do."""

TOUCHED = "touched"
"""Marks an assumption that failed: whether somebody changed the record after our write, None if unknown."""

HIDDEN = "hidden"
"""Marks an assumption within whose time a reading still showed what stood there before our write."""

AGAIN = "again"
"""Marks an assumption about a value that was lost once: found missing again it is agreed as it stands."""

RULE = "kept so by the system after our write"
ONCE_MORE = "found without our write, which is sent once more"


def touched(assumption: Mapping[str, Json], changed_at: datetime | None, read_at: datetime) -> bool | None:
    """Whether a record was changed after the write that this assumption is of. A time later than the reading
    itself is of another clock and says nothing."""
    ended = assumption.get("at")
    if changed_at is None or changed_at > read_at or ended is None:
        return None
    return changed_at > datetime.fromisoformat(ended)


def failed(link: Link) -> frozenset[str]:
    """Paths that were read and found otherwise than we wrote them, and are to be judged."""
    return frozenset(path for path, one in link.assumed.items() if TOUCHED in one)


def is_form(sent: Json, has: Json, format: Format | None, edited: bool | None) -> bool:
    """Whether `has` is what the system made of `sent`, and not a person's edit.

    A field that was learned, text that differs in case and blanks only, and text that is cut short are the
    system's form. Else a record that somebody touched since holds an edit; text with something left out is
    a form; what is left is an edit where the field was seen to keep what it is sent.
    """
    if is_surely_form(sent, has, format):
        return True
    if edited:
        return cut_short(sent, has)
    return left_out(sent, has) or format is None or format.as_sent <= FEW


def is_surely_form(sent: Json, has: Json, format: Format | None) -> bool:
    """Whether `has` can be nothing else than what the system made of `sent`."""
    return (format is not None and format.learned) or _plain(sent) == _plain(has)


def is_usual(sent: Json, has: Json) -> bool:
    """Whether a form is one that nobody would take for an edit: of a system that is known for it, the history
    keeps no loser."""
    return bool(_plain(sent) == _plain(has) or left_out(sent, has))


def _plain(value: Json) -> Json:
    """Without case, and without blanks around and repeated within; the order of a list says nothing."""
    if isinstance(value, list):
        return sorted(str(_plain(one)) for one in value)
    return " ".join(value.split()).casefold() if isinstance(value, str) else value


def cut_short(sent: Json, has: Json) -> bool:
    """Whether `has` is how `sent` begins: systems cut what is too long far more often than somebody does in
    the moment after our write, and a cut value that wins is cut everywhere."""
    if not isinstance(sent, str) or not isinstance(has, str):
        return False
    begins, whole = has.strip(), sent.strip()
    return len(begins) < len(whole) and bool(begins) and whole.startswith(begins)


def left_out(sent: Json, has: Json) -> bool:
    """Whether `has` is `sent` with some signs missing (cut, vowels gone), but not all."""
    if not isinstance(sent, str) or not isinstance(has, str) or not has.strip():
        return False
    signs = iter(sent.casefold())
    return all(sign in signs for sign in has.casefold())


@dataclass(frozen=True, slots=True)
class Settled:
    """A link's readings with its failed assumptions judged, what this taught, who may have lost, and the
    assumptions that are still open (None where none was judged)."""

    readings: tuple[Reading, ...]
    assumed: Mapping[str, Json] | None = None
    kept: tuple[Kept, ...] = ()
    conflicts: tuple[Conflict, ...] = ()


def settle(
    link: Link,
    readings: tuple[Reading, ...],
    unsettled: frozenset[str],
    context: Context,
    entity: Entity,
) -> Settled:
    """Judge what was kept otherwise than it was sent: a form of the system's own is agreed as it stands.

    `unsettled` are the bindings with a write under way; their fields are judged when it has ended.
    """
    waits = {reading.binding.remote for reading in readings if reading.binding.key in unsettled}
    mine = failed(link) & {one.binding.remote for one in readings if not _of_another_type(one)}
    mine -= waits
    if not mine:
        return Settled(readings)
    kept: dict[str, Kept] = {}
    conflicts: list[Conflict] = []
    judged: list[Reading] = []
    for reading in readings:
        path = reading.binding.remote
        if path not in mine or not _judgeable(reading):
            judged.append(reading)
            continue
        seen, how, lost = _judge(reading, context.formats.get((*link.stream, path)), context, entity)
        judged.append(seen)
        kept[path] = Kept(*link.stream, path, how)
        conflicts.extend(lost)
    left = {path: one for path, one in link.assumed.items() if path not in mine}
    return Settled(tuple(judged), left, tuple(kept.values()), tuple(conflicts))


def _judge(
    reading: Reading, format: Format | None, context: Context, entity: Entity
) -> tuple[Reading, How, Sequence[Conflict]]:
    """What one failed assumption turns out to be, and what the history keeps of it."""
    assumption = reading.link.assumed[reading.binding.remote]
    edited, learned = assumption[TOUCHED], format is not None and format.learned
    if isinstance(reading.has, Mapping) and alike(reading.binding, reading.was or {}, reading.has):
        return _agreed_as_kept(reading), How.AS_SENT, ()
    unwritten = not edited and not learned and _unwritten(reading, assumption.get("was"))
    if unwritten and AGAIN not in assumption:
        return _not_there(reading), How.EDIT, tuple(_perhaps_lost(reading, entity.sources, ONCE_MORE))
    sent = reading.agreed.remote if reading.agreed is not None else None
    before = assumption.get("was")
    other = _names_another(reading) or (not learned and _is_another_option(reading, before))
    more = other or _has_more(reading, before, learned)
    if more or (not unwritten and not is_form(sent, reading.raw, format, edited)):
        return reading, How.EDIT, ()
    usual = learned and not edited and is_usual(sent, reading.raw)
    lost = () if usual else tuple(_perhaps_lost(reading, entity.sources, RULE))
    return _agreed_as_kept(reading), How.FORM, lost


def _judgeable(reading: Reading) -> bool:
    """Consent is never explained away, and where nothing was agreed nothing was assumed."""
    return not reading.binding.consent and reading.agreed is not None and reading.was is not None


def _of_another_type(reading: Reading) -> bool:
    """Whether the field cannot be read since it became something else: that is no form of what was sent, and
    tells nothing of it. The next reading that can be understood does."""
    sent = reading.agreed.remote if reading.agreed is not None else None
    known = sent is not None and not isinstance(reading.raw, Absent | None)
    return isinstance(reading.has, Rejected) and known and type(reading.raw) is not type(sent)


def _agreed_as_kept(reading: Reading) -> Reading:
    assert reading.agreed is not None
    was = reading.has if isinstance(reading.has, Mapping) else reading.was
    return replace(reading, was=was, agreed=Agreed(reading.agreed.hub, reading.raw))


def _unwritten(reading: Reading, was: Json) -> bool:
    """Whether the record looks as if our write had never been: it holds nothing, or what stood there before,
    and that is no form of what was sent."""
    sent = reading.agreed.remote if reading.agreed is not None else None
    if reading.raw in (None, "", []):
        return sent not in (None, "", [])
    if reading.raw != was or _plain(sent) == _plain(was):
        return False
    return reading.binding.refers is not None or not left_out(sent, was)


def _has_more(reading: Reading, was: Json, learned: bool) -> bool:
    """Whether a list holds all that we left in it, and besides nothing but what did not stand there before:
    somebody put that there, no system makes elements of nothing. In a list that we emptied a system that is
    known for a form of its own may."""
    sent = reading.agreed.remote if reading.agreed is not None else None
    if not isinstance(reading.has, Mapping) or (learned and sent in (None, "", [])):
        return False
    before = reading.binding.read(was)
    held, left = before if isinstance(before, Mapping) else {}, reading.was or {}
    lists = {name: set(map(str, value)) for name, value in reading.has.items() if isinstance(value, list)}
    ours = {name: set(map(str, left.get(name) or ())) for name in lists}
    added = {name: lists[name] - ours[name] for name in lists}
    return any(added.values()) and all(
        ours[name] <= lists[name] and added[name].isdisjoint(map(str, held.get(name) or ())) for name in lists
    )


def _names_another(reading: Reading) -> bool:
    """Whether a reference is to another record than we wrote, also to one that was not read yet: no system
    makes that of an id."""
    return reading.binding.refers is not None and isinstance(reading.raw, str) and bool(reading.raw)


def _is_another_option(reading: Reading, was: Json) -> bool:
    """Whether another of the words that a field may hold stands there, which did not stand there before: no
    system makes one of another."""
    one_of_few = reading.binding.type in (Type.CHOICE, Type.BOOL) and len(reading.binding.fields) == 1
    return one_of_few and reading.moved and reading.raw not in (None, "", was)


def _not_there(reading: Reading) -> Reading:
    """As if the hub's value had never been there: it is written again, whatever emptied it."""
    assert reading.agreed is not None
    was = reading.has if isinstance(reading.has, Mapping) else reading.was
    return replace(reading, was=was, agreed=Agreed(NEVER, reading.raw, lost=reading.agreed.remote))


def _perhaps_lost(reading: Reading, sources: Mapping[str, Source], rule: str) -> Iterator[Conflict]:
    """It may have been somebody's edit after all: the history keeps what stood there, in the system's own
    form where it has no meaning of ours."""
    link, has, was = reading.link, reading.has, reading.was or {}
    said = has.items() if isinstance(has, Mapping) else ()
    told = {name: value for name, value in said if value != was.get(name)}
    for name, value in (told or {reading.binding.fields[0]: reading.raw}).items():
        source = sources.get(name)
        said_by = source.ref or source.origin if source is not None else "hub"
        mine = f"{link.connection}/{link.object}/{link.remote_id}"
        yield Conflict(name, value, mine, _hub_value(reading, name), said_by, rule)


def _hub_value(reading: Reading, name: str) -> Value:
    hub = reading.agreed.hub if reading.agreed is not None else None
    fields = reading.binding.fields
    if reading.binding.items is not None:
        return (hub or {}).get(name)
    return hub if len(fields) == 1 else dict(zip(fields, hub or (), strict=False)).get(name)
