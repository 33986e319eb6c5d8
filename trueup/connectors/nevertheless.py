"""New records whose request was refused, and which were made nevertheless: some systems call bad what they
have done. They are looked for before anything is sent once more."""

from __future__ import annotations

from collections.abc import Sequence

from trueup.connectors.base import Outcome, RefusedItem, UnknownItem, WriteItem
from trueup.connectors.reading import find
from trueup.connectors.session import Session
from trueup.errors import ConnectorError
from trueup.model.delivery import WriteKind
from trueup.model.record import Json


def doubtful(
    session: Session, object: str, items: Sequence[WriteItem], refusal: Outcome
) -> dict[str, UnknownItem]:
    """By item those whose key a record holds there now, or of which nobody can tell. A refusal that names
    what is wrong with which field, or who is there already, is believed."""
    if not isinstance(refusal, RefusedItem) or refusal.existing_id or any(refusal.fields):
        return {}
    unknown = UnknownItem(refusal.reason)
    found: dict[str, UnknownItem] = {}
    for key, wanted in _by_key(session, object, items).items():
        try:
            there = find(session, object, key, [value for value, _ in wanted], [key])
        except ConnectorError:
            return {one.key: unknown for one in items}
        held = {_plain(one.values.get(key)) for one in there if not one.deleted}
        found |= {item.key: unknown for value, item in wanted if _plain(value) in held}
    return found


def _by_key(
    session: Session, object: str, items: Sequence[WriteItem]
) -> dict[str, list[tuple[Json, WriteItem]]]:
    """What new records are found by: the field, and its value in each item that has one."""
    spec = session.object(object)
    found: dict[str, list[tuple[Json, WriteItem]]] = {}
    for item in items:
        if item.kind is not WriteKind.CREATE:
            continue
        for key in spec.keys:
            upsert = item.upsert[1] if item.upsert is not None and item.upsert[0] == key else None
            value = item.values.get(key, upsert)
            if value is not None and any(key in way.keys or "*" in way.keys for way in spec.find):
                found.setdefault(key, []).append((value, item))
    return found


def _plain(value: Json) -> str:
    return str(value or "").strip().casefold()
