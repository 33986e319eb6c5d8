"""What the linked records say, compared with what was agreed: the claims of one decision."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from trueup.mapping.compiled import Binding, ObjectMapping
from trueup.mapping.names import cut_as_said, joined, of_values
from trueup.mapping.schema import Clearing
from trueup.model.canonical import element_key, same
from trueup.model.canonical.postal import address_of, parts_of, put_right
from trueup.model.entity import WAS_ABSENT, Agreed, Entity, Link
from trueup.model.fields import NAME_PARTS, Field, attribute, attribute_of, field_of
from trueup.model.plan import Context
from trueup.model.record import Json, Ref
from trueup.model.values import ABSENT, Absent, Rejected, Type, Value

READ_AS = {"company.name": "company_name"}
"""Derived addresses whose remote text is a claim on another field."""


@dataclass(slots=True)  # not frozen: made for every field of every record, and freezing triples the cost
class Claim:
    """One source asks that a field hold a value.

    `first`: a first sight, not an edit. `rank_below`: 1 for a secondary link, which comes just below its
    connection's primary. For sets, `added`/`removed` are the elements that moved. `user` is set for an
    edit in the hub, whose connection is `hub`.
    """

    field: str
    value: Value
    connection: str
    source: str
    first: bool = False
    rank_below: int = 0
    at: datetime | None = None
    added: frozenset[str] = frozenset()
    removed: frozenset[str] = frozenset()
    user: str = ""
    pin: bool = False
    edit_id: int = 0


@dataclass(slots=True)
class Reading:
    """One binding of one link, seen against its agreement.

    `has` and `was` are canonical by field; `has` is ABSENT when the system did not say, `was` None when
    nothing is agreed yet. `raw` is the remote form of `has`. `before`: at a first sight, what the hub held
    before this decision.
    """

    link: Link
    binding: Binding
    raw: Json | Absent
    has: Mapping[str, Value] | Rejected | Absent
    agreed: Agreed | None
    was: Mapping[str, Value] | None
    before: Value = None

    @property
    def moved(self) -> bool:
        """Whether the system's value differs from what was agreed (False when nothing was)."""
        return self.was is not None and isinstance(self.has, Mapping) and self.has != self.was

    @property
    def mapped_since(self) -> bool:
        """Whether this field is read of a known record for the first time: it was not mapped before."""
        return self.agreed is None and not self.link.fresh and self.binding.key not in self.link.agreed


def agreement(link: Link, binding: Binding, entity: Entity) -> Agreed | None:
    """What both sides held when they last agreed, the sparse default included; None: never agreed."""
    stored = link.agreed.get(binding.key)
    if stored is not None:
        unseen = stored.remote == WAS_ABSENT and binding.remote in link.observed
        return None if unseen else stored
    if link.fresh:
        return None
    remote = link.base.get(binding.remote, link.observed.get(binding.remote, WAS_ABSENT))
    if remote == WAS_ABSENT and binding.remote in link.observed:
        return None
    return Agreed(hub_side(binding, _met(link, entity)), remote)


def _met(link: Link, entity: Entity) -> Mapping[str, Value]:
    """What the hub held when it last compared this record: it may have missed what moved since."""
    return {**entity.values, **link.missed} if link.missed else entity.values


def hub_side(binding: Binding, values: Mapping[str, Value]) -> Value:
    """What the hub holds for a binding: the value, or the list of them where it carries several fields (of a
    list of objects by field, because its elements have fields of their own)."""
    if binding.items is not None:
        return binding.items.hub(values)
    if len(binding.fields) == 1:
        return values.get(binding.fields[0])
    return [values.get(name) for name in binding.fields]


def read(
    binding: Binding, raw: Json, link: Link, context: Context
) -> Mapping[str, Value] | Rejected | Absent:
    """A remote value in canonical fields, references resolved; ABSENT for what cannot be resolved yet."""
    if isinstance(raw, Absent) or raw == WAS_ABSENT:
        return ABSENT
    values = binding.read(raw)
    if binding.refers is None or isinstance(values, Rejected):
        return values
    return _resolved(binding, values, link, context)


def _resolved(
    binding: Binding, values: Mapping[str, Value], link: Link, context: Context
) -> Mapping[str, Value] | Absent:
    name = binding.fields[0]
    ids = values.get(name)
    if ids is None:
        return {name: None}
    if isinstance(ids, list):
        known = [context.remote.get(Ref(link.connection, binding.to or "", one)) for one in ids]
        return {name: sorted(one for one in known if one)} if all(known) else ABSENT
    found = context.remote.get(Ref(link.connection, binding.to or "", str(ids)))
    return {name: found} if found else ABSENT


def readings(link: Link, mapping: ObjectMapping, entity: Entity, context: Context) -> Iterator[Reading]:
    """Every binding of a link, in the mapping's order."""
    for binding in mapping.bindings:
        raw = link.observed.get(binding.remote, ABSENT)
        has = read(binding, raw, link, context)
        agreed = agreement(link, binding, entity)
        was = _was(binding, agreed, raw, has, link, context)
        before = hub_side(binding, _met(link, entity)) if agreed is None else None
        yield Reading(link, binding, raw, has, agreed, was, before)


def differing(link: Link, mapping: ObjectMapping, entity: Entity) -> Iterator[str]:
    """The remote fields in which a record says otherwise than the entity; of a list, where it has more. Left
    out are consent, references, and what cannot be read."""
    for binding in mapping.bindings:
        if binding.consent is not None or binding.refers is not None or binding.remote not in link.observed:
            continue
        has = binding.read(link.observed[binding.remote])
        if isinstance(has, Mapping) and _cut_otherwise(binding, has, entity.values):
            continue
        if isinstance(has, Mapping) and any(_says_more(binding, has, name, entity) for name in has):
            yield binding.key


def _cut_otherwise(binding: Binding, has: Mapping[str, Value], values: Mapping[str, Value]) -> bool:
    """Whether a whole name says the words of the hub's, which are cut otherwise there."""
    if binding.fields != NAME_PARTS:
        return False
    return joined(of_values(has)) == joined(of_values(values)) or cut_as_said(has, values) is not None


def _says_more(binding: Binding, has: Mapping[str, Value], name: str, entity: Entity) -> bool:
    said, held = has[name], entity.values.get(READ_AS.get(name, name))
    if isinstance(said, list) or isinstance(held, list):
        return bool(_beyond(said, held, binding.type_of(name)))
    return not same(binding.type_of(name), said, held)


def _was(
    binding: Binding,
    agreed: Agreed | None,
    raw: Json | Absent,
    has: Mapping[str, Value] | Rejected | Absent,
    link: Link,
    context: Context,
) -> Mapping[str, Value] | None:
    if agreed is None:
        return None
    if agreed.remote == raw and isinstance(has, Mapping):
        return has
    was = read(binding, agreed.remote, link, context)
    return was if isinstance(was, Mapping) else {}


def claims(reading: Reading, table: Mapping[str, Field]) -> Iterator[Claim]:
    """The claims that one reading makes: first sights of what is not empty, edits of what moved."""
    if not isinstance(reading.has, Mapping) or not reading.binding.inward or reading.binding.consent:
        return
    known_as = _elements_here(reading)
    for address, value in reading.has.items():
        name = known_as.get(address) or READ_AS.get(address, address)
        field = field_of(table, name)
        if field is None or field.derived:
            continue
        if reading.was is None:
            if value is not None and value != []:
                yield _claim(reading, name, value, first=True)
        elif not same(field.type, value, reading.was.get(address)):
            if value in (None, []) and reading.binding.clear is Clearing.IGNORE:
                continue
            yield _claim(reading, name, value, first=False, kind=field.type, before=reading.was.get(address))


def as_edit(reading: Reading, name: str) -> Claim:
    """What a record holds of a field that is no set, as if it had been edited just now."""
    value = reading.has.get(name) if isinstance(reading.has, Mapping) else None
    return _claim(reading, name, value, first=False)


def _claim(
    reading: Reading,
    name: str,
    value: Value,
    *,
    first: bool,
    kind: Type = Type.TEXT,
    before: Value = None,
) -> Claim:
    link = reading.link
    added: frozenset[str] = frozenset()
    removed: frozenset[str] = frozenset()
    if isinstance(value, list) or (kind.is_set and isinstance(before, list)):
        added = _beyond(value, before, kind)
        removed = _beyond(before, value, kind)
        forms = _forms(reading, name) if added or removed else {}
        whole = _completed(reading, name, forms) if added else {}
        key = element_key(reading.binding.type_of(name))
        shown, gone = set(map(key, forms.values())), set(map(key, removed))
        added = frozenset(whole.get(one, one) for one in added if key(one) not in shown)
        removed |= frozenset(ours for ours, form in forms.items() if key(form) in gone)
    return Claim(
        field=name,
        value=value,
        connection=link.connection,
        source=f"{link.connection}/{link.object}/{link.remote_id}",
        first=first,
        rank_below=0 if link.primary else 1,
        at=_edited_at(link),
        added=added,
        removed=removed,
    )


def _edited_at(link: Link) -> datetime | None:
    """When the record was edited, as its system says; nothing was edited later than it was read."""
    if link.changed_at is None or link.seen_at is None:
        return link.changed_at
    return min(link.changed_at, link.seen_at)


def _forms(reading: Reading, name: str) -> dict[str, str]:
    """What the system makes of the elements that the hub holds, where that is something else: `early_bird` of
    `Early Bird`. Where it shows the form it adds nothing, and where it takes the form away it means ours."""
    hub = reading.before if reading.agreed is None else reading.agreed.hub
    if reading.binding.items is not None:
        hub = hub.get(name) if isinstance(hub, dict) else None
    elif len(reading.binding.fields) > 1 or reading.binding.refers is not None:
        return {}
    if not isinstance(hub, list):
        return {}
    found: dict[str, str] = {}
    for ours in hub:
        raw = reading.binding.write({name: [ours]})
        kept = None if isinstance(raw, Rejected | Absent) else reading.binding.read(raw)
        held = kept.get(name) if isinstance(kept, Mapping) else None
        if isinstance(held, list) and len(held) == 1 and held[0] != ours:
            found[ours] = held[0]
    return found


def elements_said(reading: Reading) -> Value:
    """The elements of a list as the hub holds them: of a postal address that the system cannot keep whole,
    ours."""
    name, items = reading.binding.fields[0], reading.binding.items
    said = reading.has.get(name) if isinstance(reading.has, Mapping) else None
    if not said or items is None or not items.rule.parts:
        return said
    key = element_key(items.type)
    ours_of = {key(form): ours for ours, form in _forms(reading, name).items()}
    return [ours_of.get(key(one), one) for one in said]


def _completed(reading: Reading, name: str, forms: Mapping[str, str]) -> dict[str, str]:
    """Postal addresses that were put right where one could not be kept whole, with what it lacks."""
    items = reading.binding.items
    if items is None or not items.rule.parts or not forms or not isinstance(reading.has, Mapping):
        return {}
    if reading.was is None:
        return {}  # a first sight puts nothing right
    key = element_key(items.type)
    shown, before = ({key(one): one for one in said.get(name) or ()} for said in (reading.has, reading.was))
    ours_of = {form: ours for ours, form in forms.items() if key(form) not in shown}
    of_ours = set(map(key, forms.values()))
    gone = {*ours_of, *(one for each, one in before.items() if each not in shown and each not in of_ours)}
    come = [one for each, one in shown.items() if each not in before and each not in of_ours]
    found: dict[str, str] = {}
    for one, form in put_right(gone, come).items():
        if form in ours_of:
            ours = parts_of(ours_of[form])
            missing = {part: text for part, text in ours.items() if part not in items.rule.parts}
            found[one] = address_of({**parts_of(one), **missing}) or one
    return found


def _elements_here(reading: Reading) -> dict[str, str]:
    """What the items tell of an element that their system cannot keep whole (an address without its region),
    by our name for it."""
    items = reading.binding.items
    if items is None or not items.rule.parts:
        return {}
    key = element_key(items.type)
    kept = _forms(reading, items.many)
    pairs = ((form, ours) for ours, form in kept.items())
    forms = {key(form): key(ours) for form, ours in (*pairs, *_completed(reading, items.many, kept).items())}
    found: dict[str, str] = {}
    for name in reading.has if isinstance(reading.has, Mapping) and forms else ():
        told = attribute_of(name)
        if told is not None and told[1] in forms:
            found[name] = attribute(told[0], forms[told[1]], told[2])
    return found


def _beyond(some: Value, others: Value, kind: Type) -> frozenset[str]:
    """The elements that the others lack; another spelling of an address is none."""
    if not others or kind not in (Type.EMAILS, Type.ADDRESSES):
        return frozenset(some or ()) - frozenset(others or ())
    key = element_key(kind)
    known = set(map(key, others))
    return frozenset(one for one in some or () if key(one) not in known)
