"""Identify: links that belong to nobody yet, who holds their keys, and the assignment under a lock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from trueup.model.entity import Link
from trueup.model.fields import Kind
from trueup.model.jsontext import dumps, loads
from trueup.model.matching import Assignment, Candidate, MatchDecision, Verdict
from trueup.model.run import Fence
from trueup.store.codec import key_digest, micros, moment, name_of
from trueup.store.leases import check
from trueup.store.marks import mark_due, mark_each
from trueup.store.moves import Reasons, because, referrers_of, referrers_of_places
from trueup.store.rows import links_where
from trueup.store.sql import Row, Tx
from trueup.store.streams import streams

Key = tuple[str, str]
_NOBODY: frozenset[int] = frozenset()


def strangers(
    tx: Tx, kinds: Sequence[Kind], after: int, limit: int, awaited: Sequence[tuple[str, str]] = ()
) -> list[Link]:
    """Stream by stream along the index of strangers, then the first of all of them."""
    known = streams(tx)
    ids: list[int] = []
    for stream_id in sorted(known.names):
        ended = _LISTED if known.names[stream_id] in awaited else ""
        found = tx.rows(
            "select id from links where stream_id = ? and entity_id is null and state = 'live'"
            f" and id > ? and kind in texts(?){ended} order by id limit ?",
            stream_id,
            after,
            [str(kind) for kind in kinds],
            limit,
        )
        ids.extend(id for (id,) in found)
    return links_where(tx, known, "l.id in ints(?) order by l.id", sorted(ids)[:limit])


_LISTED = " and listing <= (select listed from streams where id = links.stream_id)"


_MOVED = (
    "l.state = 'live' and exists (select 1 from link_notes m where m.link_id = l.id and m.base is not null)"
)


def moved(tx: Tx, kind: Kind, after: int, limit: int) -> list[Link]:
    """Along the due marks of the kind, in the order of their index: what moved and was decided has no base
    any more."""
    due = tx.rows(
        "select d.entity_id from due d where d.kind = ? and d.entity_id > ? and exists"
        f" (select 1 from links l where l.entity_id = d.entity_id and {_MOVED})"
        " order by d.entity_id limit ?",
        str(kind),
        after,
        limit,
    )
    found = f"l.entity_id in ints(?) and {_MOVED} order by l.entity_id, l.id"
    return links_where(tx, streams(tx), found, [id for (id,) in due]) if due else []


def candidates(tx: Tx, kind: Kind, keys: Sequence[Key]) -> dict[Key, list[Candidate]]:
    """Every asked key with its holders; none hold it: an empty list."""
    holders, names = holders_of(tx, str(kind), keys), streams(tx).names
    entities = sorted({entity for some in holders.values() for entity, _, _ in some})
    new = set(tx.rows("select id from entities where revision = 0 and id in ints(?)", entities))
    return {
        key: [Candidate(one, link, *names[stream], (one,) in new) for one, link, stream in holders[key]]
        for key in keys
    }


def holders_of(tx: Tx, kind: str, keys: Iterable[Key]) -> dict[Key, list[tuple[int, int, int]]]:
    """Per key the (entity id, link id, stream id) of who holds it, ascending."""
    found: dict[Key, list[tuple[int, int, int]]] = {key: [] for key in keys}
    asked = {key_digest(kind, *key): key for key in found}
    rows = tx.rows(
        "select k.digest, l.entity_id, l.id, l.stream_id from match_keys k join links l on l.id = k.link_id"
        " where k.digest in ints(?) and l.entity_id is not null order by l.entity_id, l.id",
        list(asked),
    )
    for number, entity, link, stream in rows:
        found[asked[number]].append((entity, link, stream))
    return found


def assign(tx: Tx, assignments: Sequence[Assignment], at: datetime, fence: Fence | None) -> list[int]:
    """See `Store.assign`. All are checked before any is made: those of one call do not disturb each other."""
    check(tx, fence)
    if tx.lock:
        tx.hold(sorted({lock_of(str(one.kind), key) for one in assignments for key in one.keys}))
    rows = _links(tx, assignments)
    held = _held(tx, assignments)
    homes = _homes(tx, assignments)
    stands = [one for one in assignments if _holds(one, rows, held, homes)]
    _make(tx, stands, homes, rows, at)
    made = {one.link_id for one in stands}
    return [one.link_id for one in assignments if one.link_id not in made]


def lock_of(kind: str, key: Key) -> str:
    """The lock on a key. A bounded number is shared by all: a transaction may hold only so many of them."""
    return f"key {key_digest(kind, *key) % 512}"


def _links(tx: Tx, assignments: Sequence[Assignment]) -> dict[int, Row]:
    found = tx.rows(
        "select id, rev, stream_id, remote_id from links where id in ints(?) and entity_id is null"
        " and state = 'live' order by id" + tx.lock,
        sorted({one.link_id for one in assignments}),
    )
    return {row[0]: row for row in found}


def _held(tx: Tx, assignments: Sequence[Assignment]) -> dict[tuple[str, Key], frozenset[int]]:
    by_kind: dict[str, set[Key]] = {}
    for one in assignments:
        by_kind.setdefault(str(one.kind), set()).update(one.keys, one.seen)
    return {
        (kind, key): frozenset([entity for entity, _, _ in holders]) if holders else _NOBODY
        for kind, keys in sorted(by_kind.items())
        for key, holders in holders_of(tx, kind, sorted(keys)).items()
    }


def _homes(tx: Tx, assignments: Sequence[Assignment]) -> dict[int, int]:
    """Asked entity id to the entity that stands for it now."""
    asked = sorted({one.entity_id for one in assignments if one.entity_id is not None})
    if not asked:
        return {}
    homes = {id: id for (id,) in tx.rows("select id from entities where id in ints(?)", asked)}
    aliases = tx.rows("select id, entity_id from entity_aliases where id in ints(?)", asked)
    return homes | {row[0]: row[1] for row in aliases}


def _holds(
    one: Assignment,
    rows: Mapping[int, Row],
    held: Mapping[tuple[str, Key], frozenset[int]],
    homes: Mapping[int, int],
) -> bool:
    row = rows.get(one.link_id)
    if row is None or row[1] != one.rev or (one.entity_id is not None and one.entity_id not in homes):
        return False
    return all(held[str(one.kind), key] == seen for key, seen in one.seen.items())


def _make(
    tx: Tx,
    stands: Sequence[Assignment],
    homes: Mapping[int, int],
    rows: Mapping[int, Row],
    at: datetime,
) -> None:
    entities = _entities(tx, stands, homes, at)
    tx.update(
        "links",
        ("id",),
        ("entity_id", "rev"),
        [(one.link_id, entities[one.link_id], one.rev + 1) for one in stands],
    )
    add_keys(tx, [(one.link_id, str(one.kind), one.keys) for one in stands])
    remember_decisions(tx, [decision for one in stands for decision in one.decisions])
    reasons: Reasons = {}
    for one in stands:
        because(reasons, entities[one.link_id], "identified")
    for referrer in referrers_of_places(tx, [(rows[one.link_id][2], rows[one.link_id][3]) for one in stands]):
        because(reasons, referrer, "reference")
    for referrer in referrers_of(tx, set(homes.values())):
        because(reasons, referrer, "reference")
    mark_each(tx, reasons)


def _entities(tx: Tx, stands: Sequence[Assignment], homes: Mapping[int, int], at: datetime) -> dict[int, int]:
    """Link id to entity id. Links of one group share a new entity; it is provisional if one of them is:
    that another is the same as it does not answer whether both are somebody else's."""
    groups: dict[tuple[str, str], list[Assignment]] = {}
    for one in stands:
        if one.entity_id is None:
            groups.setdefault((str(one.kind), one.group or f"\0{one.link_id}"), []).append(one)
    ids = tx.allocate("entities", len(groups))
    now = micros(at)
    columns = ("id", "kind", "provisional", "created_at", "updated_at")
    tx.insert(
        "entities",
        columns,
        [
            (id, kind, int(any(one.provisional for one in group)), now, now)
            for id, ((kind, _), group) in zip(ids, groups.items(), strict=True)
        ],
    )
    made = {one.link_id: id for id, group in zip(ids, groups.values(), strict=True) for one in group}
    return made | {one.link_id: homes[one.entity_id] for one in stands if one.entity_id is not None}


Keys = tuple[int, str, Iterable[Key]]
"""Link id, entity kind, and what it is found by."""

_KEY = ("digest", "link_id")


def add_keys(tx: Tx, keys: Sequence[Keys]) -> None:
    """The match keys of links that have none: they belonged to nobody until now, or are new."""
    rows = _digests(keys)
    tx.insert("match_keys", _KEY, sorted(rows))
    _stir(tx, keys, rows)


def find_too(tx: Tx, keys: Sequence[Keys], fence: Fence | None) -> None:
    """See `Store.find_too`."""
    check(tx, fence)
    if tx.lock:
        tx.hold(sorted({lock_of(kind, key) for _, kind, pairs in keys for key in pairs}))
    sql = "select digest, link_id from match_keys where link_id in ints(?)"
    rows = _digests(keys) - set(tx.rows(sql, [link for link, _, _ in keys]))
    tx.insert_new("match_keys", _KEY, sorted(rows))
    _stir(tx, keys, rows)


def write_keys(tx: Tx, keys: Sequence[Keys]) -> None:
    """Replace the match keys of links. What stays is not written again."""
    if not keys:
        return
    links = [link for link, _, _ in keys]
    held = set(tx.rows("select digest, link_id from match_keys where link_id in ints(?)", links))
    rows = _digests(keys)
    gone = {link for _, link in held - rows}
    changed = rows ^ held
    if gone:
        tx.run("delete from match_keys where link_id in ints(?)", sorted(gone))
        held = {row for row in held if row[1] not in gone}
    tx.insert("match_keys", _KEY, sorted(rows - held))
    _stir(tx, keys, changed)


def _digests(keys: Sequence[Keys]) -> set[tuple[int, int]]:
    return {(key_digest(kind, name, text), link) for link, kind, pairs in keys for name, text in pairs}


def _stir(tx: Tx, keys: Sequence[Keys], changed: set[tuple[int, int]]) -> None:
    """Whoever names a company that comes to bear that name, or bears it no more, becomes due."""
    companies = {link for link, kind, _ in keys if kind == Kind.COMPANY}
    digests = sorted({digest for digest, link in changed if link in companies})
    if digests:
        sql = "select distinct entity_id from awaited_companies where digest in ints(?) order by entity_id"
        mark_due(tx, [id for (id,) in tx.rows(sql, digests)], "company")


def remember_decisions(tx: Tx, decisions: Sequence[MatchDecision]) -> None:
    tx.insert(
        "match_decisions",
        ("left_id", "right_id", "verdict", "score", "evidence", "author", "at"),
        [
            (
                one.left,
                one.right,
                str(one.verdict),
                one.score,
                dumps(dict(one.evidence)),
                one.author,
                micros(one.at),
            )
            for one in decisions
        ],
    )


_DECISION = "left_id, right_id, verdict, score, evidence, author, at"


def verdicts(tx: Tx, links: Sequence[int]) -> list[MatchDecision]:
    found = tx.rows(
        f"select {_DECISION}, id from match_decisions where revoked_at is null and left_id in ints(?)"
        f" union select {_DECISION}, id from match_decisions where revoked_at is null"
        " and right_id in ints(?) order by 8",
        list(links),
        list(links),
    )
    return [_decision(row) for row in found]


_SINCE = (
    "not exists (select 1 from match_decisions o where o.revoked_at is null and o.id > m.id"
    " and {} and ((o.left_id = m.left_id and o.right_id = m.right_id)"
    " or (o.left_id = m.right_id and o.right_id = m.left_id)))"
)
UNDECIDED = _SINCE.format("o.verdict <> 'unsure'")
"""Of a match decision `m`: nobody has decided about its pair since."""
NOT_APART = _SINCE.format("o.verdict = 'different'")
"""Of a match decision `m`: nobody has said since that the two are different."""


def unsure(tx: Tx, limit: int) -> list[MatchDecision]:
    """Unsure pairs that nobody has decided since, oldest first."""
    found = tx.rows(
        f"select {_DECISION} from match_decisions m where verdict = 'unsure' and revoked_at is null"
        f" and {UNDECIDED} order by id limit ?",
        limit,
    )
    return [_decision(row) for row in found]


def doubles(tx: Tx, kind: Kind) -> dict[str, list[str]]:
    """See `Store.doubles`."""
    found: dict[int, set[int]] = {}
    for left, left_waits, right, right_waits in tx.rows(_PAIRS, str(kind)):
        if left_waits or (left > right and not right_waits):
            found.setdefault(left, set()).add(right)
        if right_waits or (right > left and not left_waits):
            found.setdefault(right, set()).add(left)
    return {
        name_of(str(kind), id): [name_of(str(kind), one) for one in sorted(others)]
        for id, others in sorted(found.items())
    }


_PAIRS = (
    "select distinct a.id, a.provisional, b.id, b.provisional from match_decisions m"
    " join links l on l.id = m.left_id join links r on r.id = m.right_id"
    " join entities a on a.id = l.entity_id join entities b on b.id = r.entity_id"
    f" where m.verdict = 'unsure' and m.revoked_at is null and a.kind = ? and a.id <> b.id and {UNDECIDED}"
    " order by a.id, b.id"
)


def _decision(row: Row) -> MatchDecision:
    left, right, verdict, score, evidence, author, at = row[:7]
    return MatchDecision(left, right, Verdict(verdict), score, loads(evidence), author, moment(at))
