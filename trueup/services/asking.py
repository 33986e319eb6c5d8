"""What people ask about one contact: what it holds, why, and why a system does not have it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from trueup.config.join import address
from trueup.errors import NotFound, TrueupError
from trueup.mapping.compiled import remote_path
from trueup.model.canonical import Locale, element_key, parse
from trueup.model.entity import Link, LinkState, Source, public_id
from trueup.model.fields import CONTACT, PREFIX, Field, Kind, attribute_of, field_of
from trueup.model.history import HistoryRow
from trueup.model.plan import Case, Change, DeliveryState, OpenDelivery, Plan, Verdict
from trueup.model.record import Json
from trueup.model.values import Rejected, Type, Value
from trueup.services.consents import told_consent
from trueup.services.described import named
from trueup.services.hub import Hub
from trueup.services.waiting import WAITS, told_reference
from trueup.services.words import covered
from trueup.sync.decide import context_for, plans_for
from trueup.sync.preview import reported_again
from trueup.sync.rules.publishing import UNTIL
from trueup.sync.tally import Undecided

HISTORY = 500
"""Most decisions that are looked through for the origin of a value."""


# -- finding ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Found:
    """One contact, in a line."""

    id: str
    name: str
    email: str
    stage: str
    records: tuple[str, ...]


def find(hub: Hub, text: str, limit: int, kind: Kind = Kind.CONTACT) -> list[Found]:
    """Contacts whose address, name or record ids match what a person typed."""
    return [_found(hub.parts.store.case(id)) for id in hub.parts.store.find(kind, text, limit)]


def _found(case: Case) -> Found:
    values = case.entity.values
    name = (
        " ".join(filter(None, (values.get("first_name"), values.get("last_name"))))
        or values.get("name")
        or ""
    )
    return Found(
        case.entity.public_id,
        str(name),
        str(values.get("email") or ""),
        str(values.get("stage") or ""),
        tuple(sorted({link.connection for link in case.links if link.state is LinkState.LIVE})),
    )


def the_one(hub: Hub, text: str) -> Case:
    """The one contact (company, deal) that a person means: by its id, an address or a record's id.

    Raises NotFound when nobody, or more than one, is meant by it.
    """
    kinds = [kind for kind, prefix in PREFIX.items() if text.casefold().startswith(f"{prefix}-")] or [
        Kind.CONTACT
    ]
    ids = list(dict.fromkeys(id for kind in kinds for id in hub.parts.store.find(kind, text, 6)))
    if len(ids) == 1:
        return hub.parts.store.case(ids[0])
    if not ids:
        raise NotFound(f"no contact is known by `{covered(text)}`; {_where_to_look(hub)}", typed=text)
    raise NotFound(f"several contacts match: {', '.join(ids)}; name one of them", code="TU-GEN-405")


def _where_to_look(hub: Hub) -> str:
    """What to do when nobody is found: before the first sync there is nobody to be found."""
    if hub.parts.store.runs(1):
        return "`trueup contacts find` searches by a part of a name"
    return "the first sync makes the contacts; until then: `trueup plan --only WHO --offline` shows one"


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
    `evidence`: of a consent, the words that prove it.
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


def why_values(hub: Hub, case: Case, field: str | None = None) -> list[Why]:
    """Why each field holds what it holds. Raises NotFound for a field that there is not."""
    table = hub.parts.policy.tables[case.entity.kind]
    name = _named(hub, field) if field is not None else ""
    if field is not None and field_of(table, name) is None and name not in case.entity.values:
        raise NotFound(f"there is no field `{field}`; `trueup config fields` lists them", code="TU-GEN-406")
    rows = hub.parts.store.history(case.entity.public_id, HISTORY)
    names = [name] if field is not None else _held(case)
    return [_of_consent(_why(name, case, rows), case) for name in names]


def _of_consent(why: Why, case: Case) -> Why:
    """A consent is explained by the event that decided it, not by the run that wrote it down."""
    told = told_consent(case, why.field)
    if told is None:
        return why
    return replace(why, source=told.source, at=told.at, rule=told.rule, evidence=told.evidence)


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


# -- why (not) in a system ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Difference:
    """A field of a system that is reported only: what stands there, and what the rules would write."""

    field: str
    there: Json
    proposed: Json


@dataclass(frozen=True, slots=True)
class Standing:
    """How one contact stands in one system: exactly one word, the sentence for it, and what to do.

    Words: `in step`, `pending`, `in doubt`, `job`, `held`, `parked`, `not approved`, `set aside`,
    `withheld`, `waits`, `given up`, `left`, `left out`, `deleted there`, `unsure`, `never`, `not wanted`,
    `not listed`,
    `not decided`.
    """

    connection: str
    word: str
    sentence: str
    then: str = ""
    record: str = ""
    differences: tuple[Difference, ...] = ()


def standings(hub: Hub, case: Case) -> list[Standing]:
    """One for each connection that has such records, in the order of the configuration."""
    lost: list[Undecided] = []
    told = reported_again(case)
    found = plans_for(hub.parts, [told], context_for(hub.parts, [told]), lost.append)
    names = dict.fromkeys(name for name, _ in hub.parts.policy.streams(case.entity.kind))
    if lost:
        return [Standing(name, "not decided", str(lost[0])) for name in names]
    return [_standing(hub, case, plan, name) for _, plan in found for name in names]


def _standing(hub: Hub, case: Case, plan: Plan, name: str) -> Standing:
    links = [link for link in case.links if link.connection == name and link.id not in plan.unwanted]
    living = [link for link in links if link.state in (LinkState.LIVE, LinkState.WANTED)]
    if not living:
        return _absent(hub, case, plan, name, links)
    link = next((one for one in living if one.primary), living[0])
    record = f"{link.object}/{link.remote_id}" if link.remote_id else ""
    checks = (
        *(_open_write, _unapproved, _aside, _withheld, _to_be_written, _given_up, _waits, _published),
        _left,
    )
    found = next((one for check in checks if (one := check(hub, case, plan, name, living))), None)
    word, sentence, then = found or ("in step", "holds what it should hold", "")
    return Standing(name, word, sentence, then, record, _differences(plan, name))


Told = tuple[str, str, str] | None


def _open_write(hub: Hub, case: Case, plan: Plan, name: str, living: Sequence[Link]) -> Told:
    """The pending write that stands furthest from done decides what is said."""
    ids = {link.id for link in living}
    mine = sorted((one for one in case.open if one.link_id in ids), key=lambda one: _URGENCY.index(one.state))
    mine = [one for one in mine if one.id not in plan.superseded or one.state is not DeliveryState.DUE]
    return _told(hub, mine[0], name) if mine else None


_URGENCY = (
    DeliveryState.PARKED,
    DeliveryState.GATED,
    DeliveryState.DOUBT,
    DeliveryState.SENT,
    DeliveryState.WAITING,
    DeliveryState.DUE,
    DeliveryState.DONE,
    DeliveryState.SUPERSEDED,
    DeliveryState.OVERTAKEN,
)


def _told(hub: Hub, open: OpenDelivery, name: str) -> tuple[str, str, str]:
    full = hub.parts.store.delivery(open.id)
    match open.state:
        case DeliveryState.PARKED:
            why = f"{covered(full.error)} [{full.code}]" if full.code else covered(full.error)
            return "parked", f"{name} did not take the last write: {why}", f"trueup failures retry {open.id}"
        case DeliveryState.GATED:
            return (
                "held",
                f"a write is held back by the fuse `{full.write.gate}`",
                f"trueup runs approve {full.run_id}",
            )
        case DeliveryState.DOUBT | DeliveryState.SENT:
            return (
                "in doubt",
                "a write went out and no usable answer came; it is looked up first",
                "trueup sync",
            )
        case DeliveryState.WAITING:
            return "job", f"{name} works on a write in a job of its own", "trueup sync"
    if name not in hub.parts.store.approved():
        return _NOT_APPROVED
    return "pending", f"a write waits until {full.not_before:%Y-%m-%d %H:%M}", "trueup sync"


_NOT_APPROVED = ("not approved", "nobody has allowed writing there yet", "trueup sync --approve-first")


def _unapproved(hub: Hub, case: Case, plan: Plan, name: str, living: Sequence[Link]) -> Told:
    writes = any(one.connection == name for one in plan.writes)
    return _NOT_APPROVED if writes and name not in hub.parts.store.approved() else None


def _aside(hub: Hub, case: Case, plan: Plan, name: str, living: Sequence[Link]) -> Told:
    found = [(key, why) for link in living for key, why in sorted(link.quarantine.items())]
    if not found:
        return None
    fields = ", ".join(key for key, _ in found)
    key, why = found[0]
    sentence = (
        f"set aside: {fields} ({key}: {covered(why.reason)} [{why.code}]); the other fields are in step"
    )
    return "set aside", sentence, "trueup failures"


def _withheld(hub: Hub, case: Case, plan: Plan, name: str, living: Sequence[Link]) -> Told:
    known = {key for link in living for key, agreed in link.agreed.items() if agreed.withheld}
    mine = [one for one in plan.withheld if one.connection == name]
    fields = sorted(known | {key for one in mine for key in one.wants})
    if not fields:
        return None
    sentence = f"differs in {', '.join(fields)}; that is reported only, until the connection is released"
    return "withheld", sentence, f"trueup connections release {name}"


def _differences(plan: Plan, name: str) -> tuple[Difference, ...]:
    """What stands in a system and would be replaced once its connection is released."""
    found = [
        Difference(key, one.replaced.get(path), one.values.get(path))
        for one in plan.withheld
        if one.connection == name
        for key in sorted(one.wants)
        for path in (remote_path(key, one.values),)
    ]
    return tuple(found)


def _to_be_written(hub: Hub, case: Case, plan: Plan, name: str, living: Sequence[Link]) -> Told:
    paths = sorted({path for one in plan.writes if one.connection == name for path in one.values})
    return ("not decided", f"the next sync writes {', '.join(paths)}", "trueup sync") if paths else None


def _given_up(hub: Hub, case: Case, plan: Plan, name: str, living: Sequence[Link]) -> Told:
    """A record that is wanted, and nothing is on the way to make it."""
    if any(link.remote_id is not None for link in living):
        return None
    sentence = "somebody gave up creating it there; it is tried again when what it would carry is another"
    return "given up", sentence, ""


def _waits(hub: Hub, case: Case, plan: Plan, name: str, living: Sequence[Link]) -> Told:
    reasons = [
        reason for connection, _, reason in plan.skipped if connection == name and reason.startswith(WAITS)
    ]
    return told_reference(hub, case, name, reasons[0]) if reasons else None


def _published(hub: Hub, case: Case, plan: Plan, name: str, living: Sequence[Link]) -> Told:
    reasons = [
        reason for connection, _, reason in plan.skipped if connection == name and reason.startswith(UNTIL)
    ]
    return ("waits", f"{reasons[0]}; the other fields are in step", "trueup sync") if reasons else None


def _left(hub: Hub, case: Case, plan: Plan, name: str, living: Sequence[Link]) -> Told:
    reasons = [
        reason for connection, _, reason in plan.skipped if connection == name and reason.startswith("left: ")
    ]
    if not reasons:
        return None
    off = "is not written any more" if all(link.active for link in living) else "was switched off there"
    file = hub.config.connections[name].file
    return "left", f"{off}: {reasons[0].removeprefix('left: ')} (`create:` in {file})", ""


# -- why there is no record there ---------------------------------------------------------------------


def _absent(hub: Hub, case: Case, plan: Plan, name: str, links: Sequence[Link]) -> Standing:
    word, sentence, then = _absent_words(hub, case, plan, name, links)
    return Standing(name, word, sentence, then)


def _absent_words(hub: Hub, case: Case, plan: Plan, name: str, links: Sequence[Link]) -> tuple[str, str, str]:
    if any(link.state is LinkState.TOMBSTONE for link in links):
        return "deleted there", "was deleted there, and is not created again by itself", ""
    file = hub.config.connections[name].file
    streams = [stream for stream in hub.parts.policy.streams(case.entity.kind) if stream[0] == name]
    if not any(stream in hub.parts.policy.create for stream in streams):
        return (
            "never",
            f"{file} says nothing of creating it there (`create:`), so it is linked and updated only",
            "",
        )
    if any(one.connection == name for one in plan.writes):
        if name not in hub.parts.store.approved():
            return _NOT_APPROVED
        return "not decided", "the next sync creates it there", "trueup sync"
    reasons = [reason for connection, _, reason in plan.skipped if connection == name]
    reason = reasons[0] if reasons else "the conditions of `create:` are not met"
    if reason.startswith("waits for a decision"):
        return _unsure(hub, case)
    return _skipped(reason, file)


def _unsure(hub: Hub, case: Case) -> tuple[str, str, str]:
    """Whom it may be the same person as."""
    mine = {link.id for link in case.links}
    open = [one for one in hub.parts.store.verdicts(sorted(mine)) if one.verdict is Verdict.UNSURE]
    others = hub.parts.store.links(sorted({id for one in open for id in (one.left, one.right)} - mine))
    ids = sorted({link.entity_id for link in others if link.entity_id not in (None, case.entity.id)})
    names = [public_id(case.entity.kind, id) for id in ids if id is not None]
    whom = " or ".join(names) if names else "another contact"
    then = f"trueup contacts show {names[0]}" if names else ""
    return "unsure", f"it may be the same person as {whom}: a person decides", then


def _skipped(reason: str, file: str) -> tuple[str, str, str]:
    if reason.startswith("not created before"):
        return (
            "not listed",
            "its records were not listed to the end yet; nothing is created before that",
            "trueup sync",
        )
    if reason.startswith("was deleted"):
        return "deleted there", "was deleted there, and is not created again by itself", ""
    return "not wanted", f"{reason.removeprefix('create: ')} (`create:` in {file})", ""


# -- edits --------------------------------------------------------------------------------------------


class Unreadable(TrueupError):
    """A value that a person typed has no form that the field takes."""

    code = "TU-EDT-001"
    exit_code = 2


def edit(hub: Hub, case: Case, said: Mapping[str, str], user: str, keep: bool) -> dict[str, Value]:
    """Record a person's edit; the next sync decides it, before what systems say. The values as understood.

    `keep` pins them until they are released. Raises NotFound for unknown fields, Unreadable for values.
    """
    values = {_named(hub, name): _typed(hub, case, name, text) for name, text in said.items()}
    hub.parts.store.edit(case.entity.public_id, values, user, hub.parts.now(), keep)
    return values


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
    raw: Json = [part.strip() for part in text.split(",")] if field.type.is_set else text
    value = parse(field, raw if text else None, _locale(hub))
    if isinstance(value, Rejected):
        raise Unreadable(f"{name}: {value.reason}", code=value.code)
    return value


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
