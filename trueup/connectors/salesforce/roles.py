"""The people of a deal: a child relation whose changes do not move the deal's own stamp.

After the changed deals, the contact roles that changed are asked for (also deleted ones), and their
deals are read. The pages of this sweep follow those of the deals in the same reading. The cursor holds
`roles`, the newest stamp of a role, at rest, and `sweep` (stamp and id to go on from) on the way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from trueup.connectors.base import GoneItem
from trueup.connectors.expected import id_in
from trueup.connectors.http import Call
from trueup.connectors.paging import rows_of
from trueup.connectors.reading import filter_stamp
from trueup.connectors.session import Session
from trueup.connectors.stamps import EPOCH, parse_stamp, write_stamp
from trueup.errors import Malformed
from trueup.model.record import Cursor, Page, Record

PATH = "OpportunityContactRoles.ContactId"
_SIZE = 200  # roles in one page, so that their deals are one call
_SELECT = "SELECT Id, SystemModstamp, OpportunityId FROM OpportunityContactRole WHERE SystemModstamp >= "

Read = Callable[[Session, str, Sequence[str], Sequence[str]], Sequence[Record | GoneItem]]


def before(cursor: Cursor) -> str | None:
    """Up to which stamp the roles are known when a reading starts from `cursor`; None: a first reading."""
    return cursor.get("roles") or cursor.get("since")


def carried(page: Page, known: str | None) -> Page:
    """A page within a reading of deals: its cursor keeps what is known of the roles."""
    return replace(page, cursor={**page.cursor, "roles": known}) if known else page


def opened(session: Session, page: Page, known: str | None) -> Page:
    """The last page of changed deals: the roles come next. A first reading has just brought them all."""
    if known is None:
        return page
    changes = session.object("Opportunity").changes
    assert changes is not None
    start = filter_stamp(changes.since, parse_stamp(known) or EPOCH)
    return replace(page, cursor={**page.cursor, "roles": known, "sweep": [start, ""]}, more=True)


def pull(session: Session, cursor: Cursor, fields: Sequence[str], read: Read) -> Page:
    """One page of deals whose roles changed."""
    rows = [_whole(row) for row in _changed(session, *cursor["sweep"])]
    ids = list(dict.fromkeys(str(row["OpportunityId"]) for row in rows if row.get("OpportunityId")))
    found = read(session, "Opportunity", ids, fields) if ids else []
    records = tuple(record for record in found if isinstance(record, Record))
    moved = {name: value for name, value in cursor.items() if name != "sweep"}
    if rows:
        moved["roles"] = max(str(cursor["roles"]), _iso(rows[-1]["SystemModstamp"]))
    if len(rows) < _SIZE:
        return Page(records, moved, more=False)
    return Page(records, {**moved, "sweep": [_stamp(rows[-1]), rows[-1]["Id"]]}, more=True)


def _changed(session: Session, stamp: str, id: str) -> list[Any]:
    where = f"{stamp} AND (SystemModstamp > {stamp} OR Id > '{id}')" if id else stamp
    query = f"{_SELECT}{where} ORDER BY SystemModstamp, Id LIMIT {_SIZE}"
    path = f"/services/data/v{session.values['api_version']}/queryAll"
    return rows_of("records", session.http.send(Call("GET", path, "Opportunity.roles", query={"q": query})))


def _whole(row: Any) -> Any:
    """A role with the stamp and the id by which the sweep goes on; Malformed without."""
    if not isinstance(row, dict) or parse_stamp(row.get("SystemModstamp")) is None:
        raise Malformed("the contact roles in the answer have no stamp")
    id_in(row, "Id", "contact roles")
    return row


def _iso(text: Any) -> str:
    return (parse_stamp(text) or EPOCH).isoformat()


def _stamp(row: Any) -> str:
    return str(write_stamp(parse_stamp(row["SystemModstamp"]) or EPOCH, "iso"))
