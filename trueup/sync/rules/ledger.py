"""Consent: what the linked records add to the ledger, and the state that the ledger gives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from trueup.mapping.apply import observed
from trueup.mapping.compiled import Binding, ObjectMapping
from trueup.mapping.consents import consent_said, out_elsewhere
from trueup.model.canonical.subject import email_subject_key, phone_subject_key
from trueup.model.consent import ConsentEvent, ConsentState
from trueup.model.entity import Link
from trueup.model.record import Json, Record
from trueup.model.values import Absent, Value
from trueup.sync.rules.evidence import Reading

ADDRESSES = {
    "email": ("email", "emails.work", "emails.home", "emails.other"),
    "phone": ("phone", "phones.mobile", "phones.work", "phones.home"),
    "sms": ("phones.mobile", "phone"),
}
"""Which fields of a record hold the addresses that a channel's consent is about."""

LISTS = {"email": "emails", "phone": "phones", "sms": "phones"}
"""Where a record lists further addresses: an opt-out is about them, too; an opt-in is not, because nobody
knows which of them was meant."""


def events(readings: Sequence[Reading], values: Mapping[str, Value], now: datetime) -> list[ConsentEvent]:
    """What this reading of one link adds: an opt-out newly seen, an opt-in that is documented.

    A value that does not mean `opted out` says nothing; so does a removed tick. `values` are the
    record's own canonical values: its addresses become subjects beside its Ref.
    """
    found: list[ConsentEvent] = []
    for reading in readings:
        if reading.binding.consent and isinstance(reading.has, Mapping):
            found.extend(_events(reading, values, now))
    return found


def _events(reading: Reading, values: Mapping[str, Value], now: datetime) -> Iterable[ConsentEvent]:
    channel, purpose = reading.binding.consent or ("", "")
    name = reading.binding.fields[0]
    assert isinstance(reading.has, Mapping)
    yield from _elsewhere(reading, channel, purpose, now)
    said = reading.has.get(name)
    again = said == ConsentState.OPTED_IN and _documented(reading)
    if reading.was is not None and reading.was.get(name) == said and not again:
        return
    link = reading.link
    if said == ConsentState.OPTED_OUT:
        state, at, certain = ConsentState.OPTED_OUT, link.changed_at or now, False
    elif said == ConsentState.OPTED_IN and _documented(reading):
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


def last_words(
    mapping: ObjectMapping, record: Record, known: Link | None, now: datetime
) -> list[ConsentEvent]:
    """Opt-outs that a record shows as it is deleted or merged away, and that `known`, the link as it was
    last read, did not show: nobody will read that record again."""
    held = observed(mapping.bindings, record.values).values
    ref = f"{mapping.connection}/{mapping.object}/{record.id}"
    found: list[ConsentEvent] = []
    for binding in mapping.bindings:
        if binding.consent and _newly_out(binding, held, known):
            channel, purpose = binding.consent
            out, at, source = ConsentState.OPTED_OUT, record.changed_at or now, mapping.connection
            for kind, subject in subjects(ref, channel, held, out):
                found.append(ConsentEvent(kind, subject, channel, purpose, out, at, False, source))
    return found


def _newly_out(binding: Binding, held: Mapping[str, Value], known: Link | None) -> bool:
    name = binding.fields[0]
    if held.get(name) != ConsentState.OPTED_OUT:
        return False
    before = observed([binding], known.observed).values if known is not None else {}
    return before.get(name) != ConsentState.OPTED_OUT


def link_ref(reading: Reading) -> str:
    link = reading.link
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


def _documented(reading: Reading) -> bool:
    """Whether an opt-in names its time and all that the rule demands (the mapping has seen to the latter)."""
    return bool(reading.binding.evidence and consent_said(reading.binding, _raw(reading)).at)


def _time(reading: Reading) -> datetime:
    return datetime.fromisoformat(consent_said(reading.binding, _raw(reading)).at)


def _words(reading: Reading) -> str:
    return consent_said(reading.binding, _raw(reading)).source


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
