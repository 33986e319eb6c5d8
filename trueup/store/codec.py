"""How values are written down: times, JSON, and the compact forms of provenance and agreements."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import blake2b
from struct import Struct
from typing import Any

from trueup.errors import NotFound
from trueup.model.entity import NEVER, Agreed, Quarantine, Source, public_id
from trueup.model.fields import KINDS, PREFIX, Kind
from trueup.model.jsontext import dumps, loads
from trueup.model.record import Json
from trueup.model.slots import held_in, slots_of
from trueup.model.values import ABSENT, Absent, Value

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_KINDS = {prefix: kind for kind, prefix in PREFIX.items()}


def micros(moment: datetime) -> int:
    """Whole microseconds since 1970 of an aware time."""
    gap = moment - EPOCH
    return (gap.days * 86_400 + gap.seconds) * 1_000_000 + gap.microseconds


def micros_or_none(moment: datetime | None) -> int | None:
    return None if moment is None else micros(moment)


@lru_cache(maxsize=4096)
def moment(at: int) -> datetime:
    """The aware UTC time of these microseconds."""
    return EPOCH + timedelta(microseconds=at)


def moment_or_none(at: int | None) -> datetime | None:
    return None if at is None else moment(at)


def dumps_or_none(value: Any) -> str | None:
    """None for what is empty: empty columns cost nothing."""
    return dumps(value) if value else None


def digest(text: str) -> bytes:
    """8 bytes that are equal only for equal text."""
    return blake2b(text.encode(), digest_size=8).digest()


@lru_cache(maxsize=8192)
def key_digest(kind: str, key_kind: str, key: str) -> int:
    """A match key of an entity kind as the 64 bits (signed) that are stored of it."""
    return _number(f"{kind}\0{key_kind}\0{key}")


def address_digest(subject: str) -> int:
    """The frozen key of an address as the 64 bits by which its holders are found."""
    return _number(subject)


_EMPTY = blake2b(digest_size=8)
_LONG = Struct(">q")


def _number(text: str) -> int:
    """64 bits, signed, of a text."""
    hash = _EMPTY.copy()
    hash.update(text.encode("utf-8", "surrogatepass"))
    number: int = _LONG.unpack(hash.digest())[0]
    return number


def parse_public_id(text: str) -> tuple[Kind, int]:
    """(kind, id) of a public id such as `c-17`. Raises NotFound for anything else."""
    prefix, dash, number = text.partition("-")
    if not dash or prefix not in _KINDS or not number.isascii() or not number.isdigit():
        raise NotFound(f"{text!r} is no id of a contact, company, deal or user (such as c-17)")
    return _KINDS[prefix], int(number)


def id_of(text: str) -> int:
    return parse_public_id(text)[1]


def name_of(kind: str, id: int) -> str:
    return public_id(Kind(kind), id)


_SLOTS = {many: slots_of(many) for many in KINDS}


def write_values(values: Mapping[str, Value]) -> str:
    """The values of an entity. Of its e-mails, phones and postal addresses those that stand in a slot are
    named by the number of it, instead of being written once more."""
    short: dict[str, Any] = {}
    for many, slots in _SLOTS.items():
        if isinstance(listed := values.get(many), list):
            places = {held_in(slot, values): number for number, slot in reversed([*enumerate(slots)])}
            short[many] = [places.get(one, one) for one in listed]
    return dumps({**values, **short}) if short else dumps(values)


def read_values(text: str) -> dict[str, Value]:
    """What `write_values` wrote. An element is text; a number is that of a slot."""
    values: dict[str, Value] = loads(text)
    for many, slots in _SLOTS.items():
        if isinstance(listed := values.get(many), list):
            values[many] = [held_in(slots[one], values) if isinstance(one, int) else one for one in listed]
    return values


REST = "*"


def write_sources(sources: Mapping[str, Source], values: Mapping[str, Value]) -> str:
    """Provenance by group: `[[origin, how, at, ref, user, pinned, field, field, …], …]`, with `[ref, cut_by]`
    for a ref where a name was cut by somebody; of what the rules made `[at, field, field, …]`.

    Most values of an entity have one source: where the largest group is all values that no other group
    names, `*` stands for its fields.
    """
    groups: dict[int, list[Any]] = {}
    for name, source in sources.items():
        groups.setdefault(id(source), [source]).append(name)
    merged: dict[Source, list[str]] = {}
    for source, *names in groups.values():
        merged.setdefault(source, []).extend(names)
    if merged:
        largest = max(merged, key=lambda source: len(merged[source]))
        mine = merged[largest]
        others = sum(
            name in values for source, names in merged.items() if source is not largest for name in names
        )
        if len(mine) + others == len(values) and all(name in values for name in mine):
            merged[largest] = [REST]
    return dumps([_group(source, names) for source, names in merged.items()])


def _group(source: Source, names: list[str]) -> list[Any]:
    at = micros(source.at)
    if source == Source("rule", "rule", source.at):
        return [at, *names]
    ref = [source.ref, source.cut_by] if source.cut_by else source.ref
    return [source.origin, source.how, at, ref, source.user, int(source.pinned), *names]


def read_sources(text: str, values: Mapping[str, Value]) -> dict[str, Source]:
    """What `write_sources` wrote; `values` are the entity's own."""
    sources: dict[str, Source] = {}
    rest: Source | None = None
    for group in loads(text):
        source, names = _grouped(group)
        if names == [REST]:
            rest = source
            continue
        for name in names:
            sources[name] = source
    return sources if rest is None else {**dict.fromkeys(values, rest), **sources}


def _grouped(group: list[Any]) -> tuple[Source, list[str]]:
    if isinstance(group[0], int):
        return Source("rule", "rule", moment(group[0])), group[1:]
    origin, how, at, ref, user, pinned, *names = group
    ref, cut_by = (ref, "") if isinstance(ref, str) else ref
    return Source(origin, how, moment(at), ref, user, bool(pinned), cut_by), names


def rename_sources(text: str, old: str, new: str) -> str:
    """What `write_sources` wrote, with another name for a connection."""
    groups = map(_grouped, loads(text))
    return dumps([_group(_renamed(source, old, new), names) for source, names in groups])


def _renamed(source: Source, old: str, new: str) -> Source:
    def named(text: str) -> str:
        return new + text[len(old) :] if f"{text}/".startswith(f"{old}/") else text

    return replace(source, origin=named(source.origin), ref=named(source.ref), cut_by=named(source.cut_by))


def write_agreed(agreed: Mapping[str, Agreed]) -> str | None:
    if not agreed:
        return None
    return dumps({key: _pair(one) for key, one in agreed.items()})


def _pair(agreed: Agreed) -> list[Json]:
    more = [one for one in (agreed.lost, agreed.unheard) if not isinstance(one, Absent)]
    unheard = 4 * (not isinstance(agreed.unheard, Absent))
    return [agreed.hub, agreed.remote, agreed.withheld + 2 * agreed.left + unheard, *more]


def read_agreed(text: str | None) -> dict[str, Agreed]:
    found: dict[str, Agreed] = {}
    for key, (hub, remote, flags, *more) in loads(text).items():
        unheard = more.pop() if flags & 4 else ABSENT
        lost = more.pop() if more else ABSENT
        found[key] = Agreed(
            NEVER if hub == NEVER else hub, remote, bool(flags & 1), bool(flags & 2), lost, unheard
        )
    return found


def write_quarantine(quarantine: Mapping[str, Quarantine]) -> str | None:
    if not quarantine:
        return None
    return dumps(
        {
            key: [one.direction, one.reason, one.code, one.digest, micros(one.since), one.terms]
            for key, one in quarantine.items()
        }
    )


def read_quarantine(text: str | None) -> dict[str, Quarantine]:
    return {
        key: Quarantine(direction, reason, code, digest, moment(since), terms)
        for key, (direction, reason, code, digest, since, terms) in loads(text).items()
    }


def write_times(times: Mapping[str, datetime]) -> str | None:
    return dumps_or_none({key: micros(at) for key, at in times.items()})


def read_times(text: str | None) -> dict[str, datetime]:
    return {key: moment(at) for key, at in loads(text).items()}


def unique(values: Iterable[int]) -> list[int]:
    """Ascending, each once: the order in which rows are locked."""
    return sorted(set(values))
