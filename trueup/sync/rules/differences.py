"""What each record should hold and does not: the agreement table, field by field (HARD-CASES 26)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from trueup.mapping.bind import READ_ONLY_CODE
from trueup.mapping.compiled import Binding
from trueup.mapping.elements import change, listed, present, with_element, without_element
from trueup.mapping.schema import Refusal, Shape
from trueup.model.canonical import element_key, same
from trueup.model.consent import ConsentState
from trueup.model.delivery import Effect
from trueup.model.entity import NEVER, WAS_ABSENT, Agreed, Link, Quarantine
from trueup.model.plan import Context
from trueup.model.record import Json
from trueup.model.values import ABSENT, Absent, Rejected, Value
from trueup.sync.rules.aside import as_never_there, is_empty, set_aside, still_refused
from trueup.sync.rules.evidence import Reading, hub_side
from trueup.sync.rules.ledger import ADDRESSES, must_change


@dataclass(slots=True)
class Draft:
    """What is being put together for one link: the new exceptions, and the fields to write.

    `kept_empty`: fields of which a person said that they hold nothing, for good; `emptied`: those of which it
    was said just now. `addressed`: the channels of
    which the record holds an address. `typed`: when a person typed the value that a field holds in the hub.
    `held_back`: what `publish:` keeps from leaving yet, in words; `later`: when that is looked at again.
    `anew`: what waits for a release is told once more.
    """

    kept_empty: frozenset[str] = frozenset()
    emptied: frozenset[str] = frozenset()
    addressed: frozenset[str] = frozenset()
    typed: Mapping[str, datetime] = field(default_factory=dict)
    anew: bool = False
    agreed: dict[str, Agreed] = field(default_factory=dict)
    quarantine: dict[str, Quarantine] = field(default_factory=dict)
    ordinary: list[Difference] = field(default_factory=list)
    urgent: list[Difference] = field(default_factory=list)
    refused: list[Difference] = field(default_factory=list)  # opt-outs that the system would not take
    withheld: int = 0
    newly_withheld: list[Difference] = field(default_factory=list)
    waits: list[str] = field(default_factory=list)
    held_back: list[str] = field(default_factory=list)
    later: list[datetime] = field(default_factory=list)


@dataclass(slots=True)
class Difference:
    """One remote value to be written, with what it does and what stands there."""

    binding: Binding
    value: Json
    hub: Value
    effect: Effect
    replaced: Json


@dataclass(frozen=True, slots=True)
class Waits:
    """A reference whose target is not linked in this system yet."""

    for_id: str


def wanted(
    binding: Binding, link: Link, values: Mapping[str, Value], context: Context
) -> Json | Rejected | Absent | Waits:
    """The remote value that this system should hold; ABSENT for `leave it alone`."""
    if binding.refers is None:
        return binding.write(values)
    target = values.get(binding.fields[0])
    if target is None:
        return binding.write({binding.fields[0]: None})
    ids = target if isinstance(target, list) else [target]
    found: list[str] = []
    for one in ids:
        reference = context.references.get(one)
        remote = reference.remote_ids.get((link.connection, binding.to or "")) if reference else None
        if remote is None:
            return Waits(one)
        found.append(remote)
    return binding.write({binding.fields[0]: found if isinstance(target, list) else found[0]})


def compare(
    reading: Reading,
    values: Mapping[str, Value],
    context: Context,
    draft: Draft,
    released: bool,
    now: datetime,
) -> None:
    """Apply the agreement table to one binding of one link, after the fields were decided."""
    binding, link = reading.binding, reading.link
    if isinstance(reading.has, Rejected):
        aside = set_aside(link, binding, "in", reading.has, reading.raw, now)
        draft.quarantine[binding.key] = aside
        if not (binding.outward and _typed_since(binding, values, draft, aside.since)):
            stays_news(reading, draft)
            return
    if _shows(binding, reading.has, values) and binding.shape is not Shape.ELEMENT:
        return
    hub = hub_side(binding, values)
    if reading.has is ABSENT and not isinstance(reading.raw, Absent) and not _hub_moved(reading, hub):
        stays_news(reading, draft)
        return
    if binding.consent and not _reaches(reading, draft):
        _keep(reading, draft)
        return
    if binding.consent and not _consent_matters(reading, hub):
        # what stands there now is what the next opt-out is news against: a tick set again, above all
        return
    raw = wanted(binding, link, values, context)
    if isinstance(raw, Rejected):
        if binding.outward and raw.code != READ_ONLY_CODE and not _fills_nothing(reading, hub):
            draft.quarantine[binding.key] = set_aside(link, binding, "out", raw, hub, now)
        _stay(reading, hub, draft)
        return
    if isinstance(raw, Waits):
        draft.waits.append(raw.for_id)
        due(reading, draft)
        return
    if isinstance(raw, Absent):
        return
    if not binding.consent and is_held(reading, raw):
        return
    refusal = still_refused(link, binding, hub, raw)
    if refusal is not None:
        draft.quarantine[binding.key] = refusal
        if not (binding.consent and hub == ConsentState.OPTED_OUT):
            _stay_refused(reading, hub, draft)
            return
    if binding.consent or isinstance(reading.has, Rejected):
        # whatever was agreed once: a consent that has to show, and what was typed over an unreadable value
        _write(reading, hub, raw, draft, released)
    else:
        _judge(as_never_there(reading, hub), hub, raw, draft, released)


def _typed_since(binding: Binding, values: Mapping[str, Value], draft: Draft, since: datetime) -> bool:
    """Whether a person gave this field its value in the hub after the system's own was set aside: only then
    is something written over what nobody can read."""
    if binding.shape is not Shape.VALUE or binding.consent:
        return False
    times = (draft.typed.get(name) for name in binding.fields if values.get(name) is not None)
    return any(at is not None and at > since for at in times)


def _hub_moved(reading: Reading, hub: Value) -> bool:
    """Whether the hub holds something else than was agreed, and the record still what it held then: what is
    new there is heard first."""
    agreed = reading.agreed
    if agreed is None or agreed.remote != reading.raw:
        return False
    return agreed.hub != NEVER and not _same_hub(reading.binding, agreed.hub, hub)


def stays_news(reading: Reading, draft: Draft) -> None:
    """An id of a record that is not linked yet, a value that nobody can read: what was agreed before it
    stays, so that it is news (a first sight, an edit) on the day it can be resolved or read."""
    agreed = reading.agreed
    draft.agreed[reading.binding.key] = agreed if agreed is not None else Agreed(NEVER, WAS_ABSENT)


def _shows(
    binding: Binding, has: Mapping[str, Value] | Rejected | Absent, values: Mapping[str, Value]
) -> bool:
    """Whether the system says exactly what the hub holds: there is nothing to compare or to write."""
    if not isinstance(has, dict) or not has or any(values.get(name) != has[name] for name in has):
        return False
    return binding.items is None or binding.items.tells(has)


def _consent_matters(reading: Reading, state: Value) -> bool:
    shown = reading.has.get(reading.binding.fields[0]) if isinstance(reading.has, Mapping) else None
    return must_change(state, shown)


def by_address(binding: Binding) -> bool:
    """Whether the system keeps this consent with an address, not with the record."""
    return binding.remote.startswith("subscription.")


def _reaches(reading: Reading, draft: Draft) -> bool:
    """Without an address there is nothing to unsubscribe. An address of which the system tells nothing is
    written to: should it know no such consent, it refuses, and people hear of it."""
    channel = (reading.binding.consent or ("",))[0]
    return not by_address(reading.binding) or reading.has is not ABSENT or channel in draft.addressed


def addressed(held: Mapping[str, Value]) -> frozenset[str]:
    """The channels (email, phone, sms) of which a record that says this holds an address."""
    return frozenset(channel for channel, names in ADDRESSES.items() if any(held.get(one) for one in names))


def for_new_address(
    readings: Sequence[Reading], ordinary: Sequence[Difference], values: Mapping[str, Value]
) -> list[Difference]:
    """Opt-outs that a system keeps by address, for the address that a record is about to get: they go in the
    same write, so that it is never mailable."""
    moved = {name for one in ordinary for name in one.binding.fields}
    return [
        Difference(reading.binding, raw, hub, Effect.FILL, standing(reading))
        for reading in readings
        if reading.binding.consent and by_address(reading.binding)
        if moved.intersection(ADDRESSES.get(reading.binding.consent[0], ()))
        if (hub := hub_side(reading.binding, values)) == ConsentState.OPTED_OUT
        if not isinstance(raw := reading.binding.write(values), Rejected | Absent)
    ]


def is_held(reading: Reading, raw: Json) -> bool:
    """Whether the system already holds what it would keep of the wanted value."""
    if reading.has is ABSENT:
        return False
    if reading.binding.shape is Shape.ELEMENT:
        return bool(raw) == present(reading.raw, reading.binding.element, reading.binding.sign)
    if reading.binding.items is not None:
        return reading.binding.items.holds(standing(reading), raw)
    keeps = reading.binding.read(raw) if reading.binding.refers is None else None
    if keeps is None:
        return _same_ids(raw, reading.raw)
    if alike(reading.binding, keeps, reading.has):
        return True
    return len(reading.binding.fields) > 1 and keeps == reading.binding.read(
        reading.raw
    )  # one text, cut anew


def _same_ids(one: Json, other: Json) -> bool:
    """Ids are text to us, whatever a system sends; empty is empty."""
    if one in (None, "", []) or other in (None, "", []):
        return one in (None, "", []) and other in (None, "", [])
    return sorted(map(str, _several(one))) == sorted(map(str, _several(other)))


def _several(value: Json) -> list[Json]:
    return value if isinstance(value, list) else [value]


def alike(
    binding: Binding, one: Mapping[str, Value] | Rejected, other: Mapping[str, Value] | Rejected
) -> bool:
    """Whether two canonical forms of a binding are the same value (addresses whatever their case)."""
    if one == other:
        return True
    if isinstance(one, Rejected) or isinstance(other, Rejected) or one.keys() != other.keys():
        return False
    return all(same(binding.type_of(name), one[name], other[name]) for name in one)


def _judge(reading: Reading, hub: Value, raw: Json, draft: Draft, released: bool) -> None:
    binding, agreed = reading.binding, reading.agreed
    if not binding.outward:
        _leave(reading, hub, draft)
        return
    if agreed is None:
        _first_write(reading, hub, raw, draft, released)
        return
    if draft.emptied.issuperset(binding.fields) and is_empty(agreed.hub) and nonempty(reading):
        # what it held of ours was nothing, and what stands there was left: now it is to go
        agreed = agreed._replace(hub=NEVER, left=False)
        reading = replace(reading, agreed=agreed)
    hub_moved = agreed.hub == NEVER or agreed.withheld or not _same_hub(binding, agreed.hub, hub)
    if reading.moved and not hub_moved and binding.refused is Refusal.LEAVE:
        _leave(reading, hub, draft)
    elif reading.moved or hub_moved:
        if agreed.left and not reading.moved and agreed.hub == hub:
            _keep(reading, draft)
        else:
            _write(reading, hub, raw, draft, released)
    else:
        _keep(reading, draft)


def _same_hub(binding: Binding, before: Value, after: Value) -> bool:
    if before == after:
        return True
    if binding.refers is not None or isinstance(before, list) != isinstance(after, list):
        return False
    one, other = _kept(binding, before), _kept(binding, after)
    return one is not None and other is not None and alike(binding, one, other)


def _kept(binding: Binding, hub: Value) -> Mapping[str, Value] | None:
    raw = binding.write(_by_field(binding, hub))
    if isinstance(raw, Rejected | Absent):
        return None
    if binding.shape is Shape.ELEMENT:
        return {binding.fields[0]: bool(raw)}
    kept = binding.read(raw)
    return None if isinstance(kept, Rejected) else kept


def _by_field(binding: Binding, hub: Value) -> Mapping[str, Value]:
    """The hub's side of a binding, by field (see `evidence.hub_side`)."""
    if binding.items is not None:
        return hub or {}
    return (
        {binding.fields[0]: hub} if len(binding.fields) == 1 else dict(zip(binding.fields, hub, strict=True))
    )


def _first_write(reading: Reading, hub: Value, raw: Json, draft: Draft, released: bool) -> None:
    """Nothing agreed yet: the hub's value goes there; an empty one never overwrites, except what the hub
    held itself until somebody cleared it in this decision, and where a person keeps the field empty."""
    if is_empty(hub) and not (nonempty(reading) and _is_to_go(reading, draft)):
        if nonempty(reading):
            _leave(reading, hub, draft)
        return
    if _fills_nothing(reading, hub):
        return
    _write(reading, hub, raw, draft, released)


def _fills_nothing(reading: Reading, hub: Value) -> bool:
    """Whether only the mapping changed: that fills no field, a back-fill does."""
    if not reading.mapped_since or nonempty(reading) or reading.binding.key in reading.link.quarantine:
        return False
    return _same_hub(reading.binding, reading.before, hub)


def _is_to_go(reading: Reading, draft: Draft) -> bool:
    binding = reading.binding
    if draft.kept_empty.issuperset(binding.fields):
        return True
    if not isinstance(reading.has, Mapping):
        return False
    if hub_side(binding, reading.has) == reading.before:
        return True
    return binding.items is None and alike(binding, reading.has, _by_field(binding, reading.before))


def _write(reading: Reading, hub: Value, raw: Json, draft: Draft, released: bool) -> None:
    binding = reading.binding
    effect = _effect(reading, raw)
    difference = Difference(binding, _payload(reading, raw), hub, effect, standing(reading))
    if binding.create_only:
        _leave(reading, hub, draft)
    elif binding.consent:
        (draft.refused if binding.key in draft.quarantine else draft.urgent).append(difference)
        due(reading, draft)
    elif released or effect is Effect.FILL:
        draft.ordinary.append(difference)
        due(reading, draft)
    else:
        withhold(reading, difference, draft)


def withhold(reading: Reading, difference: Difference, draft: Draft) -> None:
    """Report what would be written; it waits for the release of the connection."""
    draft.withheld += 1
    if draft.anew or reading.agreed is None or not reading.agreed.withheld:
        draft.newly_withheld.append(difference)
    draft.agreed[reading.binding.key] = Agreed(NEVER, _stand(reading), withheld=True, lost=_lost(reading))


def _effect(reading: Reading, raw: Json) -> Effect:
    if not nonempty(reading):
        return Effect.FILL
    return Effect.CLEAR if raw in (None, "", []) else Effect.REPLACE


def _payload(reading: Reading, raw: Json) -> Json:
    """A list is changed by its elements: what others put there meanwhile stays."""
    binding, there = reading.binding, standing(reading)
    if binding.shape is Shape.ELEMENT:
        step = with_element if raw else without_element
        return step(there, binding.element, binding.sign)
    if binding.items is not None:
        return binding.items.change(there, raw)
    if binding.shape in (Shape.LIST, Shape.ELEMENTS) and (isinstance(raw, list) or _shares(binding, there)):
        form = change([], [], there, binding.sign)
        has = [(one, _element(binding, one)) for one in listed(there, form)]
        wanted = [(one, _element(binding, one)) for one in listed(raw, form)]
        known, stay = {key for _, key in has}, {key for _, key in wanted}
        gone = [one for one, key in has if key is not None and key not in stay]
        return change([one for one, key in wanted if key not in known], gone, there, binding.sign)
    return raw


def _shares(binding: Binding, there: Json) -> bool:
    """Whether the list is not this binding's alone: then it is not replaced or cleared as a whole."""
    if binding.sign or not isinstance(there, list):
        return bool(binding.sign)
    return any(_element(binding, one) is None for one in there)


def _element(binding: Binding, element: Json) -> str | None:
    """What makes this element of a list the same as another; None where this binding does not read it at
    all (a consent tag has its own)."""
    said = binding.read([element])
    if not isinstance(said, Mapping) or not any(value not in (None, []) for value in said.values()):
        return None
    (values,) = said.values()
    return element_key(binding.type)(str(values[0]))


def standing(reading: Reading) -> Json:
    """What stands there now; None where the system did not say."""
    return None if isinstance(reading.raw, Absent) else reading.raw


def _stand(reading: Reading) -> Json:
    """What is written over: of what nobody can read, what stood there when it could be read last. Whoever
    finds that again finds no edit."""
    if isinstance(reading.has, Rejected) and reading.agreed is not None:
        return reading.agreed.remote
    return WAS_ABSENT if isinstance(reading.raw, Absent) else reading.raw


def nonempty(reading: Reading) -> bool:
    """Whether anything stands there."""
    if not isinstance(reading.has, Mapping):  # an id of a record that is not linked yet, what nobody can read
        return not isinstance(reading.raw, Absent) and reading.raw not in (None, "", [])
    return any(value not in (None, []) for value in reading.has.values())


def due(reading: Reading, draft: Draft) -> None:
    """The hub's value is not there yet: remember what was agreed until the write is done."""
    hub = reading.agreed.hub if reading.agreed is not None and not reading.moved else NEVER
    draft.agreed[reading.binding.key] = Agreed(hub, _stand(reading), lost=_lost(reading))


def _lost(reading: Reading) -> Json | Absent:
    """What was sent and not found, as long as nothing else came to stand there."""
    return ABSENT if reading.agreed is None or reading.moved else reading.agreed.lost


def _leave(reading: Reading, hub: Value, draft: Draft) -> None:
    draft.agreed[reading.binding.key] = Agreed(hub, _stand(reading), left=True)


def _keep(reading: Reading, draft: Draft) -> None:
    """Nothing to do: what was agreed stays agreed, at the system's present form of it."""
    if reading.agreed is not None:
        draft.agreed[reading.binding.key] = reading.agreed


def _stay(reading: Reading, hub: Value, draft: Draft) -> None:
    """The hub's value cannot go there. What somebody put there meanwhile was judged in this decision, and is
    no news in the next one; what would go where we may not write is remembered until we may."""
    binding = reading.binding
    if reading.moved and binding.refused is Refusal.LEAVE and not _hub_moved(reading, hub):
        _leave(reading, hub, draft)
    elif (reading.moved and binding.outward) or _awaits_the_right(reading, hub):
        due(reading, draft)
    else:
        _keep(reading, draft)


def _awaits_the_right(reading: Reading, hub: Value) -> bool:
    """Whether the hub's value would be written here if the system only let us."""
    if not reading.binding.locked:
        return False
    if reading.agreed is not None:
        return reading.moved or _hub_moved(reading, hub) or reading.agreed.hub == NEVER
    return not is_empty(hub) and not _fills_nothing(reading, hub)


def _stay_refused(reading: Reading, hub: Value, draft: Draft) -> None:
    """The same of a field that the system refused: where nothing was agreed of it yet nothing is now, so that
    it is written once a person gives it back."""
    if reading.agreed is None:
        draft.agreed[reading.binding.key] = Agreed(NEVER, _stand(reading))
    else:
        _stay(reading, hub, draft)
