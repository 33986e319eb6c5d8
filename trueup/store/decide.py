"""Decide, the reading half: who is due, and everything known about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import replace
from datetime import datetime

from trueup.errors import NotFound
from trueup.model.consent import ConsentEvent, ConsentState, consent_field
from trueup.model.delivery import OpenDelivery
from trueup.model.entity import Link, Reference
from trueup.model.fields import Kind
from trueup.model.jsontext import dumps, loads
from trueup.model.plan import Case, HubEdit
from trueup.model.record import Ref
from trueup.model.values import Value
from trueup.store.addresses import remember_consent
from trueup.store.audit import note
from trueup.store.codec import micros, moment, name_of, parse_public_id, read_values
from trueup.store.identify import NOT_APART
from trueup.store.marks import mark_due
from trueup.store.rows import ENTITY, OPEN, by_entity, entity_of, links_where, open_of
from trueup.store.sql import Row, Tx
from trueup.store.streams import Streams, streams


def due(tx: Tx, kinds: Sequence[Kind], now: datetime, after: int, limit: int) -> list[int]:
    """See `Store.due`. (`+id` keeps the planner on the index of times.)"""
    at = micros(now)
    ids: set[int] = set()
    for name in sorted({str(kind) for kind in kinds}):
        marked = tx.rows(
            "select entity_id from due where kind = ? and entity_id > ? and not_before <= ?"
            " order by entity_id limit ?",
            name,
            after,
            at,
            limit,
        )
        passed = tx.rows(
            "select id from entities where kind = ? and look_again_at <= ? and +id > ? order by +id limit ?",
            name,
            at,
            after,
            limit,
        )
        ids.update(id for (id,) in [*marked, *passed])
    return sorted(ids)[:limit]


def load(tx: Tx, ids: Sequence[int]) -> list[Case]:
    """See `Store.load`: one query per table, however many entities."""
    if not ids:
        return []
    known = streams(tx)
    entities = tx.rows(
        f"select {ENTITY}, d.mark, d.reasons from entities e"
        " left join due d on d.kind = e.kind and d.entity_id = e.id where e.id in ints(?) order by e.id",
        list(ids),
    )
    links = by_entity(_caught(tx, links_where(tx, known, "l.entity_id in ints(?) order by l.id", list(ids))))
    opens = _open(tx, [link.id for group in links.values() for link in group])
    edits = _edits(tx, ids)
    consent, outs = _consent(tx, ids, known)
    return [
        Case(
            entity=entity_of(row),
            links=tuple(links.get(row[0], ())),
            open=tuple(one for link in links.get(row[0], ()) for one in opens.get(link.id, ())),
            edits=tuple(edits.get(row[0], ())),
            consent=tuple(consent.get(row[0], ())),
            rival_consent=tuple(outs.get(row[0], ())),
            mark=row[6] or 0,
            reasons=tuple(row[7].split(" ")) if row[7] else (),
        )
        for row in entities
    ]


def _caught(tx: Tx, links: Sequence[Link]) -> list[Link]:
    """The same links, with what they missed: also of a record that is being made, or was found after all."""
    ids = [link.id for link in links]
    missed: dict[int, str] = dict(
        tx.rows("select link_id, held from link_missed where link_id in ints(?)", ids)
    )
    return [replace(one, missed=loads(missed[one.id])) if one.id in missed else one for one in links]


def _open(tx: Tx, links: list[int]) -> dict[int, list[OpenDelivery]]:
    found: dict[int, list[OpenDelivery]] = {}
    sql = (
        f"select {OPEN} from deliveries v left join delivery_docs p on p.delivery_id = v.id"
        " where v.open = 1 and v.link_id in ints(?) order by v.id"
    )
    for row in tx.rows(sql, links):
        found.setdefault(row[1], []).append(open_of(row))
    return found


def _edits(tx: Tx, ids: Sequence[int]) -> dict[int, list[HubEdit]]:
    found: dict[int, list[HubEdit]] = {}
    sql = (
        "select id, field, value, author, at, pin, entity_id from edits where entity_id in ints(?)"
        " order by id"
    )
    for id, name, value, user, at, pin, entity in tx.rows(sql, list(ids)):
        found.setdefault(entity, []).append(HubEdit(id, name, loads(value), user, moment(at), pin == 1))
    return found


_Events = Mapping[int, Sequence[ConsentEvent]]


def _consent(tx: Tx, ids: Sequence[int], known: Streams) -> tuple[_Events, _Events]:
    """Events of all Refs, also former ones, and of all addresses that these entities hold or held; and the
    opt-outs of those with whom they may be one person."""
    if tx.row("select 1 from consent_events limit 1") is None:
        return {}, {}
    rivals = rivals_of(tx, ids)
    everybody = sorted({*ids, *(one for some in rivals.values() for one in some)})
    refs: dict[str, set[int]] = {}
    for entity, stream_id, remote_id in _ids_ever(tx, everybody):
        refs.setdefault(known.ref(stream_id, remote_id), set()).add(entity)
    addresses: dict[int, set[int]] = {}
    held = "select key, entity_id from consent_addresses where entity_id in ints(?)"
    for key, entity in tx.rows(held, everybody):
        addresses.setdefault(key, set()).add(entity)
    events = _events(tx, refs, addresses)
    outs = {
        entity: [one for rival in some for one in events.get(rival, ()) if one.state is OPTED_OUT]
        for entity, some in rivals.items()
    }
    return events, outs


OPTED_OUT = ConsentState.OPTED_OUT


def rivals_of(tx: Tx, ids: Sequence[int]) -> dict[int, list[int]]:
    """By entity, the others of which nobody has decided yet whether they are the same, and those who are
    (a system joined their records) and are not united yet."""
    if tx.row("select 1 from match_decisions limit 1") is None:
        return {}
    found: dict[int, set[int]] = {}
    for mine, theirs in (("left_id", "right_id"), ("right_id", "left_id")):
        rows = tx.rows(
            f"select a.entity_id, b.entity_id from links a join match_decisions m on m.{mine} = a.id"
            f" join links b on b.id = m.{theirs} where a.entity_id in ints(?) and b.entity_id <> a.entity_id"
            f" and m.verdict <> 'different' and m.revoked_at is null and {NOT_APART}",
            list(ids),
        )
        for entity, other in rows:
            found.setdefault(entity, set()).add(other)
    return {entity: sorted(others) for entity, others in found.items()}


def all_rivals(tx: Tx, ids: Set[int]) -> set[int]:
    """Who may be the same person as one of these: their opt-outs count for him, too, also those that they
    have by an address only."""
    return {other for some in rivals_of(tx, sorted(ids)).values() for other in some} if ids else set()


def _ids_ever(tx: Tx, ids: Sequence[int]) -> list[Row]:
    """(entity, stream, remote id) of every record, also by the ids that it had once."""
    return tx.rows(
        "select entity_id, stream_id, remote_id from links where entity_id in ints(?)"
        " and remote_id is not null",
        list(ids),
    ) + tx.rows(
        "select l.entity_id, a.stream_id, a.remote_id from links l join link_aliases a on a.link_id = l.id"
        " where l.entity_id in ints(?)",
        list(ids),
    )


def _events(
    tx: Tx, refs: Mapping[str, set[int]], addresses: Mapping[int, set[int]]
) -> dict[int, list[ConsentEvent]]:
    """By entity, the events of its Refs and of the keys of its addresses."""
    found: dict[int, list[ConsentEvent]] = {}
    rows = tx.rows(
        "select subject_kind, subject, channel, purpose, state, at, certain, source, evidence, key"
        " from consent_events where subject in texts(?) or key in ints(?) order by id",
        sorted(refs),
        sorted(addresses),
    )
    for kind, subject, channel, purpose, state, at, certain, source, evidence, key in rows:
        event = ConsentEvent(
            kind, subject, channel, purpose, ConsentState(state), moment(at), certain == 1, source, evidence
        )
        for entity in refs.get(subject, ()) if key is None else addresses.get(key, ()):
            found.setdefault(entity, []).append(event)
    return found


def resolve(tx: Tx, refs: Sequence[Ref]) -> dict[Ref, str]:
    """See `Store.resolve`."""
    known = streams(tx)
    places: dict[int, dict[str, Ref]] = {}
    for ref in refs:
        stream_id = known.ids.get((ref.connection, ref.object))
        if stream_id is not None:
            places.setdefault(stream_id, {})[ref.id] = ref
    answer: dict[Ref, str] = {}
    for stream_id, asked in sorted(places.items()):
        for remote_id, kind, entity in _entities_at(tx, stream_id, list(asked)):
            answer[asked[remote_id]] = name_of(kind, entity)
    return answer


def _entities_at(tx: Tx, stream_id: int, ids: list[str]) -> list[Row]:
    direct = tx.rows(
        "select l.remote_id, l.kind, l.entity_id from links l where l.stream_id = ?"
        " and l.remote_id in texts(?) and l.entity_id is not null",
        stream_id,
        ids,
    )
    rest = sorted(set(ids) - {row[0] for row in direct})
    if not rest:
        return direct
    return direct + tx.rows(
        "select a.remote_id, l.kind, l.entity_id from link_aliases a join links l on l.id = a.link_id"
        " where a.stream_id = ? and a.remote_id in texts(?) and l.entity_id is not null",
        stream_id,
        rest,
    )


def references(tx: Tx, ids: Sequence[str]) -> dict[str, Reference]:
    """See `Store.references`; ids that nobody has are left out."""
    asked = {text: parse_public_id(text) for text in ids}
    homes = homes_of(tx, sorted({id for _, id in asked.values()}))
    wanted = sorted(set(homes.values()))
    values = {
        id: (kind, data)
        for id, kind, data in tx.rows("select id, kind, data from entities where id in ints(?)", wanted)
    }
    places: dict[int, dict[tuple[str, str], str]] = {}
    for entity, connection, object, remote_id in tx.rows(
        "select l.entity_id, c.name, s.object, l.remote_id from links l"
        " join streams s on s.id = l.stream_id join connections c on c.id = s.connection_id"
        " where l.entity_id in ints(?) and l.is_primary = 1 and l.state = 'live'"
        " and l.remote_id is not null order by l.id desc",
        wanted,
    ):
        places.setdefault(entity, {})[connection, object] = remote_id
    return {
        text: Reference(
            name_of(values[homes[id]][0], homes[id]),
            read_values(values[homes[id]][1]),
            places.get(homes[id], {}),
        )
        for text, (kind, id) in asked.items()
        if id in homes and values[homes[id]][0] == kind
    }


def homes_of(tx: Tx, ids: Sequence[int]) -> dict[int, int]:
    """Entity id to the entity that stands for it now; ids that nobody has are left out."""
    homes = {id: id for (id,) in tx.rows("select id from entities where id in ints(?)", list(ids))}
    aliases = tx.rows("select id, entity_id from entity_aliases where id in ints(?)", list(ids))
    return homes | {row[0]: row[1] for row in aliases}


def home(tx: Tx, public_id: str) -> int:
    """The entity of a public id, by its alias if it was merged. Raises NotFound."""
    kind, id = parse_public_id(public_id)
    for found in homes_of(tx, [id]).values():
        if tx.row("select 1 from entities where id = ? and kind = ?", found, str(kind)) is not None:
            return found
    raise NotFound(f"there is no {public_id}")


def case(tx: Tx, public_id: str) -> Case:
    return load(tx, [home(tx, public_id)])[0]


def edit(
    tx: Tx,
    public_id: str,
    values: Mapping[str, Value],
    user: str,
    at: datetime,
    pin: bool,
    heard: Sequence[ConsentEvent],
) -> None:
    """See `Store.edit`."""
    entity = home(tx, public_id)
    rows = [(entity, name, dumps(value), user, micros(at), int(pin)) for name, value in values.items()]
    tx.insert("edits", ("entity_id", "field", "value", "author", "at", "pin"), rows)
    mark_due(tx, [entity], "edit")
    if heard:
        holders = {entity, *(holder for _, holder in remember_consent(tx, heard))}
        mark_due(tx, sorted(holders | all_rivals(tx, holders)), "consent")
    fields = sorted({*values, *(consent_field(event.channel, event.purpose) for event in heard)})
    note(tx, user, "contacts edit", public_id, {"fields": fields, "pinned": pin}, at)
