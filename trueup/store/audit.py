"""What people decided: rows that are only added, each with the digest of the one before.

Ids, names of fields and of connections, counts: no value of anybody, so nothing of it is ever erased.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from hashlib import blake2b

from trueup.model.jsontext import dumps, loads
from trueup.model.record import Json
from trueup.model.run import AuditRow, Chain
from trueup.store.codec import micros, moment
from trueup.store.sql import Row, Tx

FIRST = bytes(32)
"""What stands before the first row."""


def note(tx: Tx, user: str, action: str, subject: str, details: Mapping[str, Json], at: datetime) -> None:
    """Add a decision; what the hub did by itself (no user) is none. The last thing that a verb does: the
    chain is held until the end of the transaction."""
    if not user:
        return
    tx.hold(["audit"])
    last = tx.row("select digest from audit where id = (select max(id) from audit)")
    row = AuditRow(at, user, action, subject, details, bytes(last[0]) if last else FIRST)
    columns = ("at", "author", "action", "subject", "details", "previous", "digest")
    values = (micros(at), user, action, subject, dumps(dict(details)), row.previous, digest_of(row))
    tx.insert("audit", columns, [values])


def digest_of(row: AuditRow) -> bytes:
    """The digest of a row and, through `previous`, of all before it."""
    said = dumps([micros(row.at), row.user, row.action, row.subject, dict(row.details)])
    return blake2b(row.previous + said.encode(), digest_size=32).digest()


def audit(tx: Tx, subject: str, limit: int) -> list[AuditRow]:
    """Newest first; of one subject, if it is named."""
    found = tx.rows(
        f"select {_ROW} from audit where subject = ? or ? = '' order by id desc limit ?",
        subject,
        subject,
        limit,
    )
    return [_row(row) for row in found]


def verify(tx: Tx) -> Chain:
    """See `Store.verify_audit`. A chain that was cut off at its end looks whole: whoever kept the digest of
    its last row elsewhere sees that."""
    rows, last, after = 0, FIRST, 0
    while found := tx.rows(f"select {_ROW}, id from audit where id > ? order by id limit ?", after, _CHUNK):
        for row in found:
            try:
                one = _row(row)
                stands = one.previous == last and one.digest == digest_of(one)
            except ValueError:  # no JSON any more
                one, stands = _row((*row[:4], "{}", *row[5:])), False
            if not stands:
                return Chain(rows, last, one)
            rows, last, after = rows + 1, one.digest, row[7]
    return Chain(rows, last)


_CHUNK = 1000
_ROW = "at, author, action, subject, details, previous, digest"


def _row(row: Row) -> AuditRow:
    at, user, action, about, details, previous, digest = row[:7]
    return AuditRow(moment(at), user, action, about, loads(details), bytes(previous), bytes(digest))
