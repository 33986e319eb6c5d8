"""What Zendesk's answers need before they are records: addresses that come beside, names that are none.

Facts: the vendor sheet, 2 (identities as a side-load), 3 (deleted users in exports), 11 (name is required).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from trueup.connectors.paging import rows_of
from trueup.connectors.records import read_rows, reader, text_id
from trueup.connectors.session import Session
from trueup.connectors.verdict import Answer
from trueup.model.record import Json, Record

Rejected = tuple[tuple[str, str], ...]
Identities = dict[str, list[dict[str, Json]]]
_STAFF = ("agent", "admin")


def records(
    session: Session, object: str, where: str, answer: Answer, fields: Sequence[str]
) -> tuple[tuple[Record, ...], Rejected]:
    """The records of an answer, and the rows that are none."""
    rows = prepared(object, rows_of(where, answer), answer.body)
    read = reader(session.object(object).record)
    return read_rows(rows, lambda row: read.read_whole(row, fields))


def one(session: Session, object: str, row: Json, fields: Sequence[str]) -> Record | None:
    """The record that a write answered with. It says nothing of addresses other than the primary one."""
    ready = _user(row, None) if object == "users" and isinstance(row, Mapping) else row
    return reader(session.object(object).record).read(ready, fields)


def prepared(object: str, rows: Sequence[Json], body: Json) -> list[Json]:
    """Rows as the manifest's paths expect them; of users the end users."""
    if object == "tickets":
        return _with_metrics(rows, body)
    if object != "users":
        return list(rows)
    beside = body.get("identities") if isinstance(body, Mapping) else None
    addresses = _by_user(beside) if isinstance(beside, list) else None
    people = [row for row in rows if not (isinstance(row, Mapping) and row.get("role") in _STAFF)]
    return [_user(row, addresses) if isinstance(row, Mapping) else row for row in people]


def _user(row: Mapping[str, Json], addresses: Mapping[str, Identities] | None) -> dict[str, Json]:
    if row.get("permanently_deleted"):
        return {"id": row.get("id"), "active": False, "updated_at": row.get("updated_at")}
    ready = dict(row)
    if _is_filler(row):
        ready["name"] = None
    if addresses is not None and row.get("active", True):
        none: Identities = {"email": [], "phone_number": []}
        ready["identities"] = none | addresses.get(text_id(row.get("id")), {})
    return ready


def _is_filler(row: Mapping[str, Json]) -> bool:
    """A name must be there, so without one the e-mail address stands in its place: that is no name."""
    name, email = row.get("name"), row.get("email")
    return isinstance(name, str) and isinstance(email, str) and name.casefold() == email.casefold()


def _by_user(identities: Iterable[Json]) -> dict[str, Identities]:
    """User id -> type -> `{id, value, primary}`, the primary one first."""
    known = [one for one in identities if isinstance(one, Mapping) and isinstance(one.get("value"), str)]
    found: dict[str, Identities] = {}
    for identity in sorted(known, key=lambda one: not one.get("primary")):
        of_user = found.setdefault(text_id(identity.get("user_id")), {})
        kept = {name: identity.get(name) for name in ("id", "value", "primary")}
        of_user.setdefault(str(identity.get("type")), []).append(kept)
    return found


def _with_metrics(rows: Sequence[Json], body: Json) -> list[Json]:
    """Exports put a ticket's metrics into it, lists put them beside; both forms are met in the wild."""
    beside = body.get("metric_sets") if isinstance(body, Mapping) else None
    if not isinstance(beside, list):
        return list(rows)
    by_ticket = {one.get("ticket_id"): one for one in beside if isinstance(one, Mapping)}
    return [
        {**row, "metric_set": by_ticket[row["id"]]}
        if isinstance(row, Mapping) and row.get("id") in by_ticket
        else row
        for row in rows
    ]
