"""Decide, the writing half: plans become entities, history and deliveries, or are left out whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from trueup.dedupe.normalise import company_key, match_keys
from trueup.model.delivery import Write, WriteKind
from trueup.model.entity import Entity
from trueup.model.fields import Kind
from trueup.model.jsontext import dumps
from trueup.model.plan import LinkPatch, Plan
from trueup.model.run import Fence
from trueup.model.values import Value
from trueup.store.addresses import LOCK, remember_consent, subjects_of
from trueup.store.codec import (
    address_digest,
    dumps_or_none,
    id_of,
    key_digest,
    micros,
    micros_or_none,
    write_agreed,
    write_quarantine,
    write_sources,
    write_values,
)
from trueup.store.decide import all_rivals
from trueup.store.formats import learn
from trueup.store.history import told
from trueup.store.identify import add_keys, write_keys
from trueup.store.leases import check
from trueup.store.marks import mark_due
from trueup.store.moves import forget, referrers_of, supersede
from trueup.store.rows import UNSENT, payload
from trueup.store.sql import Row, Tx
from trueup.store.streams import Streams, ensure, registered, streams
from trueup.sync.rules.lanes import write_digest
from trueup.sync.rules.observe import look_at


@dataclass(frozen=True, slots=True)
class _Now:
    """The rows that plans are checked against, locked until the end."""

    entities: dict[int, Row]  # id -> id, revision, look_again_at
    links: dict[int, Row]  # id -> id, rev, entity_id, remote_id, is_primary
    open: dict[tuple[int, str], int]  # (link, lane) -> delivery
    unsent: frozenset[int]
    wanted: dict[tuple[int, int], int]  # (entity, stream) -> link without a remote id


@dataclass(slots=True)
class _Rows:
    """What is written, collected over all plans of the call."""

    entities: list[Row] = field(default_factory=list)
    look_again: list[Row] = field(default_factory=list)
    history: list[Row] = field(default_factory=list)
    wanted: list[Row] = field(default_factory=list)
    keys: list[tuple[int, str, list[tuple[str, str]]]] = field(default_factory=list)  # of wanted links
    notes: list[Row] = field(default_factory=list)  # fields that a create leaves out, by link
    deliveries: list[Row] = field(default_factory=list)
    payloads: list[Row] = field(default_factory=list)
    moved: list[int] = field(default_factory=list)  # entities whose values changed


def commit(tx: Tx, plans: Sequence[Plan], run_id: int, at: datetime, fence: Fence | None) -> list[int]:
    """See `Store.commit`."""
    check(tx, fence)
    known = streams(tx)
    for plan in plans:
        for write in plan.writes:
            ensure(tx, known, write.connection, write.object)
    now = _read(tx, plans)
    stands = [plan for plan in plans if _holds(plan, now)]
    rows = _Rows()
    _close(tx, stands)
    _entities(rows, stands, now, run_id, micros(at))
    _writes(tx, rows, stands, now, known, run_id, micros(at))
    _store(tx, rows)
    _patch(tx, [patch for plan in stands for patch in plan.links], stands, known)
    _remember_missed(tx, {id: held for plan in stands for id, held in plan.missed.items()})
    _beside(tx, rows, stands, now)
    learn(tx, known, (kept for plan in stands for kept in plan.kept))
    stood = {plan.before.id for plan in stands}
    return sorted(plan.before.id for plan in plans if plan.before.id not in stood)


# -- checks --------------------------------------------------------------------------------------------


def _read(tx: Tx, plans: Sequence[Plan]) -> _Now:
    ids = sorted({plan.before.id for plan in plans})
    entities = tx.rows(
        "select id, revision, look_again_at from entities where id in ints(?) order by id" + tx.lock, ids
    )
    touched = {patch.link_id for plan in plans for patch in plan.links}
    touched |= {write.link_id for plan in plans for write in plan.writes if write.link_id}
    touched |= {id for plan in plans for id in plan.unwanted}
    links = tx.rows(
        "select id, rev, entity_id, remote_id, is_primary from links where id in ints(?) order by id"
        + tx.lock,
        sorted(touched),
    )
    wanted = _wanted(tx, plans)
    written = {write.link_id for plan in plans for write in plan.writes} | set(wanted.values())
    superseded = sorted({id for plan in plans for id in plan.superseded})
    opens: list[Row] = []
    if written != {0} and written:
        opens += tx.rows(
            "select id, link_id, lane, state from deliveries where open = 1 and link_id in ints(?)"
            " order by id" + tx.lock,
            sorted(written),
        )
    if superseded:
        opens += tx.rows(
            "select id, link_id, lane, state from deliveries where open = 1 and id in ints(?)"
            " order by id" + tx.lock,
            superseded,
        )
    return _Now(
        {row[0]: row for row in entities},
        {row[0]: row for row in links},
        {(row[1], row[2]): row[0] for row in opens},
        frozenset(row[0] for row in opens if row[3] in UNSENT),
        wanted,
    )


def _wanted(tx: Tx, plans: Sequence[Plan]) -> dict[tuple[int, int], int]:
    creating = sorted(
        {plan.before.id for plan in plans for write in plan.writes if write.kind is WriteKind.CREATE}
    )
    if not creating:
        return {}
    found = tx.rows(
        "select entity_id, stream_id, id from links where entity_id in ints(?) and remote_id is null"
        " order by id",
        creating,
    )
    return {(entity, stream): id for entity, stream, id in found}


def _holds(plan: Plan, now: _Now) -> bool:
    """Whether everything that this plan was decided on still stands."""
    entity = now.entities.get(plan.before.id)
    if entity is None or entity[1] != plan.before.revision:
        return False
    for patch in plan.links:
        link = now.links.get(patch.link_id)
        if link is None or link[1] != patch.rev or link[2] != plan.before.id:
            return False
    if not now.unsent.issuperset(plan.superseded):
        return False
    if not all(_unmade(id, plan, now) for id in plan.unwanted):
        return False
    return all(_free(write, plan, now) for write in plan.writes if write.link_id)


def _unmade(link_id: int, plan: Plan, now: _Now) -> bool:
    """Whether this link still waits for its record, and nothing was sent that could make it."""
    link = now.links.get(link_id)
    return link is not None and link[2] == plan.before.id and link[3] is None


def _free(write: Write, plan: Plan, now: _Now) -> bool:
    """At most one open delivery per link and lane."""
    link = now.links.get(write.link_id)
    there = now.open.get((write.link_id, str(write.lane)))
    return link is not None and link[2] == plan.before.id and (there is None or there in plan.superseded)


# -- entities and history ------------------------------------------------------------------------------


def _close(tx: Tx, stands: Sequence[Plan]) -> None:
    superseded = [id for plan in stands for id in plan.superseded]
    if superseded:
        supersede(tx, "id in ints(?)", superseded)
    forget(tx, [id for plan in stands for id in plan.unwanted])
    edits = [id for plan in stands for id in plan.edits]
    if edits:
        tx.run("delete from edits where id in ints(?)", edits)
    marks = [plan.mark for plan in stands if plan.mark]
    if marks:
        tx.run("delete from due where mark in ints(?)", marks)


def _entities(rows: _Rows, stands: Sequence[Plan], now: _Now, run_id: int, at: int) -> None:
    for plan in stands:
        entity, before = plan.entity, plan.before
        again = micros_or_none(plan.look_again_at)
        if plan.changes or plan.conflicts:
            rows.history.append((before.id, at, run_id, before.revision + 1, told(plan)))
        if entity.values != before.values:
            rows.moved.append(before.id)
        elif not _bumps(plan):
            if again != now.entities[before.id][2]:
                rows.look_again.append((before.id, again))
            continue
        rows.entities.append(
            (
                before.id,
                before.revision + 1,
                write_values(entity.values),
                write_sources(entity.sources, entity.values),
                int(entity.provisional),
                title(entity.values),
                again,
                at,
            )
        )


def _bumps(plan: Plan) -> bool:
    """Whether the revision grows: something about the entity or what is wanted elsewhere changed."""
    if (
        plan.writes
        or plan.later
        or plan.changes
        or plan.conflicts
        or plan.consent
        or plan.superseded
        or plan.unwanted
    ):
        return True
    return (
        plan.entity.values != plan.before.values
        or plan.entity.provisional != plan.before.provisional
        or plan.entity.sources != plan.before.sources
    )


def title(values: Mapping[str, Value]) -> str:
    """What a person would type to find an entity: its name and address, case-folded."""
    names = [values.get(name) for name in ("first_name", "middle_name", "last_name", "name", "email")]
    return " ".join(str(name) for name in names if name).casefold()


# -- deliveries ----------------------------------------------------------------------------------------


def _writes(
    tx: Tx, rows: _Rows, stands: Sequence[Plan], now: _Now, known: Streams, run_id: int, at: int
) -> None:
    version = registered(tx) if any(plan.writes for plan in stands) else ""
    made = iter(tx.allocate("links", _creates(stands, now, known)))
    ids = iter(tx.allocate("deliveries", sum(len(plan.writes) for plan in stands)))
    for plan in stands:
        more = {(write.link_id, write.lane) for write in plan.later}
        for write in plan.writes:
            revision = plan.before.revision + ((write.link_id, write.lane) not in more)
            stream_id = known.ids[write.connection, write.object]
            link_id = write.link_id
            if not link_id:
                standing = now.wanted.get((plan.before.id, stream_id))
                if standing is None:
                    link_id = next(made)
                    now.wanted[plan.before.id, stream_id] = link_id
                    wanted = (link_id, stream_id, plan.before.id, str(plan.before.kind), "wanted", 1)
                    rows.wanted.append(wanted)
                    keys = match_keys(plan.before.kind, plan.entity.values)
                    rows.keys.append((link_id, str(plan.before.kind), keys))
                elif _busy(standing, write, plan, now):
                    continue
                else:
                    link_id = standing
                now.open[link_id, str(write.lane)] = -1
            if write.aside:
                rows.notes.append((link_id, write_quarantine(write.aside)))
            id = next(ids)
            rows.payloads.append((id, payload(write)))
            rows.deliveries.append(
                (
                    id,
                    stream_id,
                    link_id,
                    plan.before.id,
                    revision,
                    str(write.kind),
                    str(write.lane),
                    "gated" if write.gate else "due",
                    write.gate,
                    write.group,
                    dumps_or_none(write.replaced),
                    bytes.fromhex(write_digest(write)),
                    at,
                    run_id,
                    version,
                    at,
                )
            )


def _creates(stands: Sequence[Plan], now: _Now, known: Streams) -> int:
    wanted = {
        (plan.before.id, known.ids[write.connection, write.object])
        for plan in stands
        for write in plan.writes
        if not write.link_id
    }
    return len(wanted - now.wanted.keys())


def _busy(link_id: int, write: Write, plan: Plan, now: _Now) -> bool:
    """A create of this record is on its way already: one is enough."""
    there = now.open.get((link_id, str(write.lane)))
    return there is not None and there not in plan.superseded


_ENTITY = ("revision", "data", "sources", "provisional", "title", "look_again_at", "updated_at")
_DELIVERY = (
    *("id", "stream_id", "link_id", "entity_id", "entity_revision", "kind", "lane", "state", "gate"),
    *("package", "replaced", "digest", "not_before", "run_id", "config_version", "created_at"),
)


def _store(tx: Tx, rows: _Rows) -> None:
    tx.update("entities", ("id",), _ENTITY, rows.entities)
    tx.update("entities", ("id",), ("look_again_at",), rows.look_again)
    tx.insert("history", ("entity_id", "at", "run_id", "revision", "data"), rows.history)
    tx.insert("links", ("id", "stream_id", "entity_id", "kind", "state", "entered"), rows.wanted)
    add_keys(tx, rows.keys)
    tx.upsert("link_notes", ("link_id",), ("quarantine",), rows.notes)
    tx.insert("deliveries", _DELIVERY, rows.deliveries)
    tx.insert("delivery_docs", ("delivery_id", "payload"), rows.payloads)


# -- links and what hangs on the entity ----------------------------------------------------------------


def _patch(tx: Tx, patches: Sequence[LinkPatch], stands: Sequence[Plan], known: Streams) -> None:
    if not patches:
        return
    tx.update(
        "links",
        ("id",),
        ("is_primary", "fresh", "rev", "withheld"),
        [(one.link_id, int(one.primary), 0, one.rev + 1, one.withheld) for one in patches],
    )
    for column in ("entered", "active"):
        told = [(one.link_id, getattr(one, column)) for one in patches]
        tx.update("links", ("id",), (column,), [(id, int(said)) for id, said in told if said is not None])
    noted = [one for one in patches if one.agreed or one.quarantine]
    tx.upsert(
        "link_notes",
        ("link_id",),
        ("base", "agreed", "quarantine"),
        [(one.link_id, None, write_agreed(one.agreed), write_quarantine(one.quarantine)) for one in noted],
    )
    judged = [one for one in patches if one.assumed is not None]
    tx.upsert(
        "link_notes",
        ("link_id",),
        ("assumed", "look_at"),
        [(one.link_id, dumps_or_none(one.assumed), _look_at(one)) for one in judged],
    )
    settled = [one.link_id for one in patches if not (one.agreed or one.quarantine)]
    tx.run(
        "delete from link_notes where assumed is null and published is null and link_id in ints(?)", settled
    )
    tx.run(
        "update link_notes set base = null, agreed = null, quarantine = null where link_id in ints(?)",
        settled,
    )
    kinds = {patch.link_id: str(plan.before.kind) for plan in stands for patch in plan.links}
    write_keys(tx, [(one.link_id, kinds[one.link_id], one.keys) for one in patches if one.keys is not None])
    _dangling(tx, patches, known)


def _look_at(patch: LinkPatch) -> int | None:
    return micros_or_none(look_at(patch.assumed or {}))


def _remember_missed(tx: Tx, missed: Mapping[int, Mapping[str, Value]]) -> None:
    rows = [(id, dumps(held)) for id, held in missed.items() if held]
    tx.upsert("link_missed", ("link_id",), ("held",), rows)
    caught_up = [id for id, held in missed.items() if not held]
    if caught_up:
        tx.run("delete from link_missed where link_id in ints(?)", caught_up)


def _dangling(tx: Tx, patches: Sequence[LinkPatch], known: Streams) -> None:
    tx.run("delete from dangling where link_id in ints(?)", [one.link_id for one in patches])
    rows = {
        (ensure(tx, known, ref.connection, ref.object), ref.id, one.link_id): None
        for one in patches
        for ref in one.dangling
    }
    tx.insert("dangling", ("stream_id", "remote_id", "link_id"), list(rows))


def _beside(tx: Tx, rows: _Rows, stands: Sequence[Plan], now: _Now) -> None:
    moved = set(rows.moved)
    changed = [plan for plan in stands if plan.before.id in moved or plan.references]
    _references(tx, changed)
    contacts = [plan for plan in stands if plan.before.kind is Kind.CONTACT and plan.before.id in moved]
    _addresses(tx, contacts)
    _await_companies(tx, contacts)
    _consent(tx, stands)
    mark_due(tx, referrers_of(tx, {*moved, *_stood_for(stands, now)}), "reference")


def _stood_for(stands: Sequence[Plan], now: _Now) -> Iterator[int]:
    """Entities that another record stands for in a system from now on: who refers to them tells its id."""
    for plan in stands:
        if any(patch.primary and not now.links[patch.link_id][4] for patch in plan.links):
            yield plan.before.id


def _addresses(tx: Tx, contacts: Sequence[Plan]) -> None:
    """Addresses that contacts hold from now on; of one that the ledger knows its contact must hear."""
    ids = [plan.before.id for plan in contacts]
    held = set(tx.rows("select key, entity_id from consent_addresses where entity_id in ints(?)", ids))
    all_now = {
        (address_digest(subject), plan.before.id)
        for plan in contacts
        for subject in subjects_of(plan.entity.values)
    }
    new = sorted(all_now - held)
    if new:
        tx.hold([LOCK])
    tx.insert("consent_addresses", ("key", "entity_id"), new)
    found = tx.rows(
        "select distinct key from consent_events where key in ints(?)", sorted({key for key, _ in new})
    )
    known = {key for (key,) in found}
    heard = {id for key, id in new if key in known}
    mark_due(tx, sorted(heard | all_rivals(tx, heard)), "consent")


def _await_companies(tx: Tx, contacts: Sequence[Plan]) -> None:
    """Who names a company that nothing is linked for is decided again when one of that name comes."""
    named = [(plan.before.id, awaited(plan.before), awaited(plan.entity)) for plan in contacts]
    over = [id for id, before, now in named if before and before != now]
    if over:
        tx.run("delete from awaited_companies where entity_id in ints(?)", over)
    new = [(key_digest(Kind.COMPANY, "name", now), id) for id, before, now in named if now and before != now]
    tx.insert("awaited_companies", ("digest", "entity_id"), new)


def awaited(contact: Entity) -> str:
    """The key of the company's name that a contact without a company says; empty if there is none."""
    name = contact.values.get("company_name")
    return company_key(name) if name and contact.values.get("company") is None else ""


def _references(tx: Tx, plans: Sequence[Plan]) -> None:
    if not plans:
        return
    tx.run("delete from entity_references where entity_id in ints(?)", [one.before.id for one in plans])
    rows = {(one.before.id, name, id_of(target)): None for one in plans for name, target in one.references}
    tx.insert("entity_references", ("entity_id", "field", "target_id"), list(rows))


def _consent(tx: Tx, stands: Sequence[Plan]) -> None:
    """Append what is new; whoever else holds such an address, or may be the same person, must hear of it:
    also who has news of his own in the same commit, which was decided without the other's."""
    tellers: dict[int, set[int]] = {}
    for plan in stands:
        for event in plan.consent:
            if event.subject_kind == "address":
                tellers.setdefault(address_digest(event.subject), set()).add(plan.before.id)
    holders = remember_consent(tx, [event for plan in stands for event in plan.consent])
    heard = {holder for key, holder in holders if tellers[key] != {holder}}
    own = {plan.before.id for plan in stands if plan.consent}
    mark_due(tx, sorted(heard | all_rivals(tx, {*own, *heard})), "consent")
