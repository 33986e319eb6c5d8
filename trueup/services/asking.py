"""What one contact holds and why, and what people say it shall hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from trueup.config.join import address
from trueup.errors import NotFound, TrueupError
from trueup.model.canonical import Locale, element_key, parse
from trueup.model.canonical.postal import parts_written
from trueup.model.consent import ConsentState, consent_of
from trueup.model.entity import LinkState, Source
from trueup.model.fields import CONTACT, PREFIX, Field, Kind, attribute_of, field_of
from trueup.model.history import Change, HistoryRow
from trueup.model.plan import Case
from trueup.model.record import Json
from trueup.model.values import Rejected, Type, Value
from trueup.services.consents import Told, heard, is_consent, told_again, told_consent
from trueup.services.described import named
from trueup.services.hub import Hub

HISTORY = 500
"""Most decisions that are looked through for the origin of a value."""


# -- why this value -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Loser:
    """A value that another one won over, and why."""

    value: Value
    source: str
    rule: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Why:
    """One field: its value, where it came from, when, by which rule, what it replaced, who lost.

    `run` is the number of the run that decided it, None where the history does not reach so far.
    `evidence`: of a consent, the words that prove it; `again`: what people entered of it afterwards.
    """

    field: str
    value: Value
    source: str
    at: datetime | None
    rule: str
    replaced: Value = None
    run: int | None = None
    pinned: bool = False
    losers: tuple[Loser, ...] = ()
    evidence: str = ""
    again: tuple[Told, ...] = ()


def why_values(hub: Hub, case: Case, field: str | None = None) -> list[Why]:
    """Why each field holds what it holds. Raises NotFound for a field that there is not."""
    table = hub.parts.policy.tables[case.entity.kind]
    name = _named(hub, field) if field is not None else ""
    known = field_of(table, name) is not None or name in case.entity.values or is_consent(name)
    if field is not None and not known:
        raise NotFound(f"there is no field `{field}`; `trueup config fields` lists them", code="TU-GEN-406")
    rows = hub.parts.store.history(case.entity.public_id, HISTORY)
    names = [name] if field is not None else _held(case)
    return [_of_consent(_why(name, case, rows), case) for name in names]


def _of_consent(why: Why, case: Case) -> Why:
    """A consent is explained by the event that decided it, not by the run that wrote it down."""
    told = told_consent(case, why.field)
    if told is None:
        return why
    again = tuple(told_again(case, why.field))
    return replace(why, source=told.source, at=told.at, rule=told.rule, evidence=told.evidence, again=again)


def _held(case: Case) -> list[str]:
    return sorted(name for name, value in case.entity.values.items() if value not in (None, []))


def _why(name: str, case: Case, rows: Sequence[HistoryRow]) -> Why:
    value, source = case.entity.values.get(name), case.entity.sources.get(name)
    last = next(((row, change) for row in rows for change in row.changes if change.field == name), None)
    losers = tuple(_losers(name, rows))
    if last is None:
        at = source.at if source else None
        return Why(name, value, _said_by(source), at, _how(source), losers=losers)
    row, change = last
    pinned = bool(source and source.pinned)
    return Why(
        name, value, _origin(change, source), row.at, change.rule, change.old, row.run_id, pinned, losers
    )


def _losers(name: str, rows: Sequence[HistoryRow]) -> Iterator[Loser]:
    for row in rows:
        for one in row.conflicts:
            if one.field == name:
                yield Loser(one.lost, one.lost_source, one.rule, row.at)


def _origin(change: Change, source: Source | None) -> str:
    return change.source or _said_by(source)


def _said_by(source: Source | None) -> str:
    if source is None:
        return "nobody"
    if source.user:
        return f"hub:{source.user}"
    return source.ref or source.origin


def _how(source: Source | None) -> str:
    return {"first": "first sight", "edit": "an edit", "hub": "edited in the hub", "rule": "a rule"}.get(
        source.how if source else "", ""
    )


# -- edits --------------------------------------------------------------------------------------------


class Unreadable(TrueupError):
    """A value that a person typed has no form that the field takes."""

    code = "TU-EDT-001"
    exit_code = 2


@dataclass(frozen=True, slots=True)
class Statement:
    """What a person said of a contact: fields and consents as they were typed. `keep` pins the fields until
    they are released; `because`: how the person knows of the consents, in his own words."""

    fields: Mapping[str, str]
    consents: Mapping[str, str]
    user: str
    keep: bool = False
    because: str = ""


def told(said: Mapping[str, str], user: str, keep: bool, because: str | None) -> Statement:
    """What was typed, sorted. Raises Unreadable where `keep` and `because` go with nothing that was said."""
    consents = {name: text for name, text in said.items() if _is_of_consent(name)}
    fields = {name: text for name, text in said.items() if name not in consents}
    if because is not None and not consents:
        raise Unreadable("`--because` is kept with a consent, and none is among the fields")
    if keep and not fields:
        raise Unreadable("an opt-out needs no `--pin`: it stands until a documented opt-in")
    return Statement(fields, consents, user, keep, because or "")


def _is_of_consent(name: str) -> bool:
    return name.strip().casefold().partition(".")[0] == "consent"


def edit(hub: Hub, case: Case, told: Statement) -> dict[str, Value]:
    """Record a person's edit; the next sync decides it, before what systems say. The values as understood.

    Raises NotFound for unknown fields, Unreadable for values, Unproven for a consent that is no opt-out.
    """
    now = hub.parts.now()
    values = {_named(hub, name): _typed(hub, case, name, text) for name, text in told.fields.items()}
    consents = {name.strip().casefold(): text for name, text in told.consents.items()}
    news = heard(case, consents, told.user, told.because, now)
    hub.parts.store.edit(case.entity.public_id, values, told.user, now, told.keep, news)
    return {**values, **dict.fromkeys(consents, ConsentState.OPTED_OUT.value)}


def unheard(hub: Hub, case: Case, names: Iterable[str]) -> list[str]:
    """Of these fields those that nothing carries out of the hub: no connection has a field for them, nor for
    another form of the same (`email` beside the list `emails`, the parts of one postal address). Of consents
    those that no record which the contact has keeps."""
    policy, kind = hub.parts.policy, case.entity.kind
    living = {link.stream for link in case.links if link.state is LinkState.LIVE}
    heard = {
        _family(name)
        for stream in policy.streams(kind)
        for one in policy.mappings[stream].bindings
        if one.outward and (stream in living or not one.consent)
        for name in one.fields
    }
    return [name for name in names if _family(name) not in heard]


_FORMS = {"emails": "email", "phones": "phone", "addresses": "address", "company_name": "company"}


def _family(name: str) -> str:
    """What all forms of one field share."""
    if consent_of(name) is not None:
        return name
    root = name.partition("[")[0].partition(".")[0]
    return _FORMS.get(root, root)


def _typed(hub: Hub, case: Case, name: str, text: str) -> Value:
    field = field_of(hub.parts.policy.tables[case.entity.kind], _named(hub, name))
    if field is None:
        raise NotFound(f"there is no field `{name}`; `trueup config fields` lists them", code="TU-GEN-406")
    if field.of and not _is_held(case, field):
        raise Unreadable(f"`{name}`: the contact holds no such element; `{field.of}` lists them")
    if field.derived:
        raise Unreadable(f"`{name}` is computed from other fields; edit those")
    if field.type in (Type.REFERENCE, Type.REFERENCES):
        return _reference(hub, field.type, field.refers, text)
    value = parse(field, _raw(field, text) if text else None, _locale(hub))
    if isinstance(value, Rejected):
        raise Unreadable(f"{name}: {value.reason}", code=value.code)
    return value


def _raw(field: Field, text: str) -> Json:
    """A set is typed with commas between its elements; postal addresses, which hold commas, as JSON."""
    if field.type is Type.ADDRESSES:
        told = parts_written(text)
        return [told] if isinstance(told, dict) else told
    return [part.strip() for part in text.split(",")] if field.type.is_set else text


def _named(hub: Hub, typed: str) -> str:
    """The address of a field that a person typed: of an attribute of an element by the element's key."""
    name = address(typed)
    return name if attribute_of(name) is None else named(name, _locale(hub))


def _locale(hub: Hub) -> Locale:
    return Locale(phone_region=hub.config.hub.phone_region, time_zone=hub.config.hub.time_zone)


def _is_held(case: Case, field: Field) -> bool:
    """Whether the element is there whose attribute this is."""
    told, key = attribute_of(field.name), element_key(CONTACT[field.of].type)
    return told is not None and told[1] in map(key, case.entity.values.get(field.of) or ())


def _reference(hub: Hub, type: Type, kind: Kind | None, text: str) -> Value:
    """Ids of entities that exist, as text."""
    if not text:
        return None
    ids = [hub.parts.store.case(one.strip()).entity for one in text.split(",")]
    if any(entity.kind is not kind for entity in ids):
        raise Unreadable(f"wanted is the id of a {kind}, such as {PREFIX[kind or Kind.CONTACT]}-17")
    names = sorted(entity.public_id for entity in ids)
    return names if type is Type.REFERENCES else names[0]
