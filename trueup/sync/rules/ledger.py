"""Consent: what the linked records add to the ledger, and the state that the ledger gives."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from trueup.mapping.apply import observed
from trueup.mapping.compiled import ObjectMapping
from trueup.mapping.consents import consent_said, out_elsewhere
from trueup.model.canonical.subject import email_subject_key, phone_subject_key
from trueup.model.consent import HUB, ConsentEvent, ConsentState
from trueup.model.entity import WAS_ABSENT, Link
from trueup.model.history import Conflict
from trueup.model.plan import Case
from trueup.model.record import Json, Record, legible
from trueup.model.values import Absent, Value
from trueup.sync.rules.evidence import Reading

ADDRESSES = {
    "email": ("email", "emails.work", "emails.home", "emails.other"),
    "phone": ("phone", "phones.mobile", "phones.work", "phones.home"),
    "sms": ("phones.mobile", "phone"),
}
"""Which fields of a record hold the addresses that a channel's consent is about."""

AHEAD = timedelta(minutes=5)
"""So far the clock of a system may be ahead of ours."""

LISTS = {"email": "emails", "phone": "phones", "sms": "phones"}
"""Where a record lists further addresses: an opt-out is about them, too; an opt-in is not, because nobody
knows which of them was meant."""


def events(
    readings: Sequence[Reading],
    values: Mapping[str, Value],
    stored: Sequence[ConsentEvent],
    now: datetime,
) -> list[ConsentEvent]:
    """What this reading of one link adds: an opt-out newly seen, or seen before by nobody who understood
    it (its word was mended), and an opt-in that is documented.

    A value that does not mean `opted out` says nothing; so does a removed tick. `values` are the
    record's own canonical values: its addresses become subjects beside its Ref.
    """
    found: list[ConsentEvent] = []
    for reading in readings:
        if reading.binding.consent and isinstance(reading.has, Mapping):
            found.extend(_events(reading, values, stored, now))
    return found


def _events(
    reading: Reading, values: Mapping[str, Value], stored: Sequence[ConsentEvent], now: datetime
) -> Iterable[ConsentEvent]:
    channel, purpose = reading.binding.consent or ("", "")
    name = reading.binding.fields[0]
    assert isinstance(reading.has, Mapping)
    yield from _elsewhere(reading, channel, purpose, now)
    said = reading.has.get(name)
    again = said == ConsentState.OPTED_IN and _documented(reading, now)
    known = reading.was is not None and reading.was.get(name) == said
    if known and not again and not (said == ConsentState.OPTED_OUT and _unheard(reading, stored)):
        return
    link = reading.link
    if said == ConsentState.OPTED_OUT:
        state, at, certain = ConsentState.OPTED_OUT, link.changed_at or now, False
    elif said == ConsentState.OPTED_IN and _documented(reading, now):
        state, at, certain = ConsentState.OPTED_IN, _time(reading), True
    else:
        return
    source = link.connection
    evidence = _words(reading) if state is ConsentState.OPTED_IN else ""
    for kind, subject in subjects(link_ref(reading), channel, values, state):
        yield ConsentEvent(kind, subject, channel, purpose, state, at, certain, source, evidence)


def _elsewhere(reading: Reading, channel: str, purpose: str, now: datetime) -> Iterable[ConsentEvent]:
    """Opt-outs at further addresses of the record: they are about the address and about the person."""
    known = out_elsewhere(reading.agreed.remote) if reading.agreed is not None else []
    for address, moment in out_elsewhere(reading.raw):
        if (address, moment) not in known:
            at = datetime.fromisoformat(moment.replace("Z", "+00:00")) if moment else now
            for kind, subject in (("ref", link_ref(reading)), ("address", subject_key(channel, address))):
                out, source = ConsentState.OPTED_OUT, reading.link.connection
                yield ConsentEvent(kind, subject, channel, purpose, out, at, bool(moment), source)


def _unheard(reading: Reading, stored: Sequence[ConsentEvent]) -> bool:
    """Whether nobody ever heard of the opt-out that this record shows, and the hub did not write it."""
    if reading.agreed is None or reading.agreed.hub == ConsentState.OPTED_OUT:
        return False
    return not any(
        event.subject == link_ref(reading)
        and (event.channel, event.purpose) == reading.binding.consent
        and event.state is ConsentState.OPTED_OUT
        for event in stored
    )


def inherited(
    known: Sequence[ConsentEvent],
    before: Mapping[str, Value],
    after: Mapping[str, Value],
    edited: Callable[[str], bool],
) -> list[ConsentEvent]:
    """The person's opt-outs for addresses that took the place of others or of none; the old ones keep theirs.

    `edited` tells whether somebody changed a field. What a first sight brings inherits nothing: it may turn
    out to be another person's address.
    """
    found: list[ConsentEvent] = []
    for channel, purpose in sorted({(event.channel, event.purpose) for event in known}):
        last = _standing_opt_out(known, channel, purpose)
        if last is not None:
            out = {event.subject for event in known if _alike(event, last)}
            new = _new_addresses(channel, before, after, edited)
            found.extend(
                replace(last, subject_kind="address", subject=key) for key in sorted(new) if key not in out
            )
    return found


def _standing_opt_out(known: Sequence[ConsentEvent], channel: str, purpose: str) -> ConsentEvent | None:
    """The last opt-out, if the ledger's state is `opted_out`."""
    if state(known, channel, purpose) is not ConsentState.OPTED_OUT:
        return None
    mine = [event for event in known if (event.channel, event.purpose) == (channel, purpose)]
    outs = [event for event in mine if event.state is ConsentState.OPTED_OUT]
    return max(outs, key=lambda event: event.at)


def _alike(event: ConsentEvent, other: ConsentEvent) -> bool:
    return (event.channel, event.purpose, event.state) == (other.channel, other.purpose, other.state)


def said_by_hand(
    case: Case, pair: tuple[str, str], state: ConsentState, user: str, words: str, now: datetime
) -> list[ConsentEvent]:
    """What somebody tells of a contact: it is about all its records and all its addresses of that channel,
    and not before any opt-in that is known, by whatever clock."""
    refs = [("ref", _ref(link)) for link in case.links if link.remote_id is not None]
    keys = sorted(addresses_of(pair[0], case.entity.values))
    mine = (one for one in case.consent if (one.channel, one.purpose) == pair)
    at = max([now, *(one.at for one in mine if one.state is ConsentState.OPTED_IN)])
    return [
        ConsentEvent(kind, subject, *pair, state, at, True, f"{HUB}{user}", words)
        for kind, subject in (*refs, *(("address", key) for key in keys))
    ]


def _new_addresses(
    channel: str,
    before: Mapping[str, Value],
    after: Mapping[str, Value],
    edited: Callable[[str], bool],
) -> set[str]:
    new: set[str] = set()
    had_none = not addresses_of(channel, before)
    for name in _fields(channel):
        old_keys, keys = _keys(channel, before.get(name)), _keys(channel, after.get(name))
        if (had_none or old_keys - keys) and edited(name):
            new |= keys - old_keys
    return new


def addresses_of(channel: str, values: Mapping[str, Value]) -> set[str]:
    """The keys of all addresses that a contact holds for this channel."""
    return set[str]().union(*(_keys(channel, values.get(name)) for name in _fields(channel)))


def _fields(channel: str) -> tuple[str, ...]:
    return (*ADDRESSES.get(channel, ()), *((LISTS[channel],) if channel in LISTS else ()))


def _keys(channel: str, held: Value) -> set[str]:
    listed = held if isinstance(held, list) else [held]
    return {subject_key(channel, str(one)) for one in listed if one}


def last_words(
    mapping: ObjectMapping, record: Record, known: Link | None, now: datetime
) -> list[ConsentEvent]:
    """Opt-outs that no decision will read: of a record that is deleted, merged away or not taken. What the
    record shows, and what `known`, the link, showed in readings that nobody has decided on yet."""
    shown = {**(known.observed if known is not None else {}), **record.values}
    before = _decided(mapping, known)
    new = {
        binding.key
        for binding in mapping.bindings
        if binding.consent and before.get(binding.fields[0]) != ConsentState.OPTED_OUT
    }
    return _outs(mapping, record, shown, new, now)


def _outs(
    mapping: ObjectMapping, record: Record, shown: Mapping[str, Json], keys: set[str], now: datetime
) -> list[ConsentEvent]:
    """The opt-outs that a record tells with these bindings."""
    held, ref = observed(mapping.bindings, shown).values, f"{mapping.connection}/{mapping.object}/{record.id}"
    out, at, source = ConsentState.OPTED_OUT, record.changed_at or now, mapping.connection
    return [
        ConsentEvent(kind, subject, *binding.consent, out, at, False, source)
        for binding in mapping.bindings
        if binding.consent and binding.key in keys and held.get(binding.fields[0]) == out
        for kind, subject in subjects(ref, binding.consent[0], held, out)
    ]


def tells_out(mapping: ObjectMapping, record: Record) -> bool:
    """Whether a record shows any opt-out."""
    consents = [binding for binding in mapping.bindings if binding.consent]
    return ConsentState.OPTED_OUT in observed(consents, record.values).values.values()


def said_again(mapping: ObjectMapping, record: Record, known: Link, now: datetime) -> list[ConsentEvent]:
    """Opt-outs that a record shows again, where a reading since the last decision showed that they had been
    taken back: the decision compares what stands there with what stood there then, and finds no news."""
    before, between = _decided(mapping, known), observed(mapping.bindings, known.observed).values
    again = {
        binding.key
        for binding in mapping.bindings
        if binding.consent and before.get(binding.fields[0]) == ConsentState.OPTED_OUT
        if between.get(binding.fields[0]) != ConsentState.OPTED_OUT
    }
    return _outs(mapping, record, record.values, again, now) if again else []


def _decided(mapping: ObjectMapping, known: Link | None) -> Mapping[str, Value]:
    """What a record showed when it was last decided."""
    if known is None or known.fresh:
        return {}
    said = {**known.observed, **known.base}
    return observed(mapping.bindings, {path: raw for path, raw in said.items() if raw != WAS_ABSENT}).values


def link_ref(reading: Reading) -> str:
    return _ref(reading.link)


def _ref(link: Link) -> str:
    return f"{link.connection}/{link.object}/{link.remote_id}"


def subjects(
    ref: str, channel: str, values: Mapping[str, Value], state: ConsentState
) -> Iterable[tuple[str, str]]:
    """Whom an event is about: the person's record, and the addresses it holds for that channel."""
    held = [values.get(name) for name in ADDRESSES.get(channel, ())]
    if state is ConsentState.OPTED_OUT and channel in LISTS:
        held.extend(values.get(LISTS[channel]) or ())
    keys = dict.fromkeys(subject_key(channel, str(value)) for value in held if value)
    return [("ref", ref), *(("address", key) for key in keys)]


def subject_key(channel: str, address: str) -> str:
    """The frozen key of an address in the ledger."""
    return email_subject_key(address) if channel == "email" else phone_subject_key(address)


def _documented(reading: Reading, now: datetime) -> bool:
    """Whether an opt-in names its time and all that the rule demands (the mapping has seen to the latter).
    A time that is still to come proves nothing: it would stand above every opt-out until then."""
    if not (reading.binding.evidence and consent_said(reading.binding, _raw(reading)).at):
        return False
    return _time(reading) <= now + AHEAD


def _time(reading: Reading) -> datetime:
    return datetime.fromisoformat(consent_said(reading.binding, _raw(reading)).at)


def _words(reading: Reading) -> str:
    return legible(consent_said(reading.binding, _raw(reading)).source)


def _raw(reading: Reading) -> Json:
    return None if isinstance(reading.raw, Absent) else reading.raw


def deciding(ledger: Iterable[ConsentEvent], channel: str, purpose: str) -> ConsentEvent | None:
    """The event that gives the present state; None where nobody told of any.

    Of several opt-outs it is the first one since the last documented opt-in: the others followed it. Of an
    event about a record and its addresses the one about the record is answered.
    """
    mine = [event for event in ledger if event.channel == channel and event.purpose == purpose]
    wanted = state(mine, channel, purpose)
    ins = [event for event in mine if event.state is ConsentState.OPTED_IN and event.certain]
    if wanted is ConsentState.OPTED_IN:
        return min(ins, key=lambda event: (-event.at.timestamp(), *_order(event)))
    last = max((event.at for event in ins), default=None)
    outs = [event for event in mine if event.state is ConsentState.OPTED_OUT]
    later = [event for event in outs if last is None or event.at >= last]
    return min(later, key=lambda event: (event.at, *_order(event)), default=None)


def _order(event: ConsentEvent) -> tuple[bool, str]:
    return event.subject_kind != "ref", event.subject


def state(ledger: Iterable[ConsentEvent], channel: str, purpose: str) -> ConsentState:
    """Most restrictive wins, unless a documented opt-in is certainly later than every opt-out."""
    mine = [event for event in ledger if event.channel == channel and event.purpose == purpose]
    outs = [event.at for event in mine if event.state is ConsentState.OPTED_OUT]
    ins = [event.at for event in mine if event.state is ConsentState.OPTED_IN and event.certain]
    if not ins:
        return ConsentState.OPTED_OUT if outs else ConsentState.UNKNOWN
    return ConsentState.OPTED_OUT if outs and max(outs) >= max(ins) else ConsentState.OPTED_IN


def outranking(seen: Iterable[ConsentEvent], known: Sequence[ConsentEvent]) -> list[ConsentEvent]:
    """Of opt-outs that are somebody's, or a write of ours of which nobody knows yet whether it arrived: those
    after which no documented opt-in was given, where there is one. The most restrictive wins."""
    found = []
    for event in seen:
        last = deciding(known, event.channel, event.purpose)
        lifted = last is not None and last.state is ConsentState.OPTED_IN and event.at >= last.at
        if lifted and event.state is ConsentState.OPTED_OUT:
            found.append(event)
    return found


PUT_BACK = "an opt-out holds until a documented opt-in"
"""The rule by which a removed opt-out is written back."""


def put_back(readings: Iterable[Reading], known: Sequence[ConsentEvent]) -> Iterable[Conflict]:
    """Opt-outs that somebody took away in a system, and that stand all the same."""
    for reading in readings:
        if not (reading.binding.consent and reading.binding.outward and isinstance(reading.has, Mapping)):
            continue
        name, out = reading.binding.fields[0], ConsentState.OPTED_OUT
        taken = reading.was is not None and reading.was.get(name) == out != reading.has.get(name)
        event = deciding(known, *reading.binding.consent)
        if taken and event is not None and event.state is out:
            said = reading.has.get(name)
            yield Conflict(name, said, link_ref(reading), out.value, event.told_by, PUT_BACK)


def must_change(state: Value, shown: Value) -> bool:
    """Whether a record that shows this has to be written: an opt-out goes wherever it does not show; a
    documented opt-in only lifts an older opt-out."""
    if state == ConsentState.OPTED_OUT:
        return bool(shown != ConsentState.OPTED_OUT)
    return bool(state == ConsentState.OPTED_IN and shown == ConsentState.OPTED_OUT)
