"""Parties with their parts as one record each, opportunities as they are.

A party's parts have stamps of their own: editing an e-mail address through its own form does not move
the party. So the version is made of all stamps, and a change of any part is a change of the party.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from hashlib import blake2b
from typing import Any

from trueup.connectors.expected import id_in, rows
from trueup.connectors.tryton.rpc import Rpc, moment_in, plain, typed_moment
from trueup.connectors.tryton.settings import TrytonSettings
from trueup.connectors.tryton.shape import (
    ADDRESS,
    ADDRESSES,
    CODED,
    LISTS,
    MECHANISM,
    PARTY,
    SLOTS,
    Fields,
    Object,
    fields_of,
    native,
)
from trueup.errors import Malformed
from trueup.model.record import Cursor, Json, Page, Reading, Record
from trueup.ports import Clock

PAGE = 200
RELATION = "party.relation.all"
"""Both directions of every relation, under ids of its own. The table behind it, which has stamps, is not
offered over RPC; the stamps of the view are the time of asking."""

_STAMPS = ("_timestamp", "write_date", "create_date")
_BASE = ("active", "replaced_by")
_PARTS = (
    *(f"contact_mechanisms.{name}" for name in (*MECHANISM, "sequence", "active", *_STAMPS)),
    *(f"addresses.{name}.code" if name in CODED else f"addresses.{name}" for name in ADDRESS),
    *(f"addresses.{name}" for name in ("sequence", "active", *_STAMPS)),
    "categories.name",
)
_RELATIONS = tuple(f"relations.{name}" for name in ("to", "type", "active", "start_date", "end_date"))
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Party:
    """A party as it was read: its row, and of its relations those that are employments."""

    row: Row
    employments: Sequence[Row]

    @property
    def id(self) -> int:
        return int(self.row["id"])

    @property
    def successor(self) -> str | None:
        replaced = self.row.get("replaced_by")
        return None if replaced is None else str(replaced)

    def mechanisms(self, type: str) -> list[Row]:
        """The active ones of a type, in Tryton's order."""
        return [part for part in self.row["contact_mechanisms."] if part["type"] == type and part["active"]]

    @property
    def addresses(self) -> list[Row]:
        """The active ones, in Tryton's order."""
        return [part for part in self.row["addresses."] if part["active"]]

    @property
    def address(self) -> Row | None:
        return next(iter(self.addresses), None)

    @property
    def employment(self) -> Row | None:
        """The one that holds today."""
        return next((each for each in self.employments if each["active"]), None)

    @property
    def categories(self) -> list[Row]:
        return list(self.row["categories."])

    def stamps(self) -> list[tuple[str, Row]]:
        """Model and stamps of the party and of each of its parts, as the guard of a write names them."""
        return [
            (f"{PARTY},{self.id}", self.row),
            *self._parts("party.contact_mechanism", "contact_mechanisms."),
            *self._parts("party.address", "addresses."),
        ]

    def _parts(self, model: str, name: str) -> list[tuple[str, Row]]:
        return [(f"{model},{part['id']}", part) for part in self.row[name]]

    @property
    def version(self) -> str:
        parts = sorted(f"{name}={stamps['_timestamp']}" for name, stamps in self.stamps()[1:])
        parts += [str(sorted(each.items(), key=str)) for each in self.employments]
        digest = blake2b("\n".join(parts).encode(), digest_size=8).hexdigest()
        return f"{self.row['_timestamp']}.{digest}"


class Account:
    """One Tryton, with what is looked up once: fields, the type of employment."""

    def __init__(self, settings: TrytonSettings, rpc: Rpc, clock: Clock) -> None:
        self.settings, self.rpc, self.clock = settings, rpc, clock
        self._fields: dict[str, Fields] = {}

    def fields(self, model: str) -> Fields:
        if model not in self._fields:
            self._fields[model] = fields_of(self.rpc, model)
        return self._fields[model]

    def forget(self) -> None:
        """Look again: somebody asked for live metadata."""
        self._fields.clear()
        self.__dict__.pop("employed", None)

    @cached_property
    def employed(self) -> int | None:
        """The relation type `company_relation`; None where there is none (yet)."""
        if "relations" not in self.fields(PARTY).said:
            return None
        domain = [["name", "=", self.settings.company_relation]]
        found = self.rpc.ask("party.relation.type.search", [domain, 0, 1, None])
        return int(found[0]) if found else None


# -- reading ------------------------------------------------------------------------------------------


def page(
    account: Account, object: Object, reading: Reading, cursor: Cursor | None, names: Sequence[str]
) -> Page:
    """One page in the order of ids. The next reading of changes starts when this one's first page was
    asked for, by the server's clock, less the lookback."""
    place = dict(cursor or {})
    if "after" not in place:
        place.update(_news(account, object, place.get("relation")))
    domain = [object.where] if object.where else []
    if reading is Reading.CHANGES and place.get("since"):
        domain.append(_changed_since(account, object, place))
    if "after" in place:
        domain.append(["id", ">", place["after"]])
    found, now = _search(account, object, domain, PAGE, names)
    start = place.get("start") or (now or account.clock.now()).isoformat()
    records = tuple(to_record(account, object, one, names) for one in found)
    if len(found) < PAGE:
        return Page(records, {"since": start, "relation": place["next_relation"]}, more=False)
    return Page(records, {**place, "start": start, "after": int(records[-1].id)}, more=True)


def _news(account: Account, object: Object, seen: int | None) -> dict[str, Json]:
    """People with relations that are newer than the last one seen: they have no stamps, but ids that
    grow. A relation that is changed or deleted by itself is found by the next listing only."""
    if object.model != PARTY or account.employed is None:
        return {"people": [], "next_relation": seen}
    domain = [["type", "=", account.employed]]
    if seen is not None:
        params = [[*domain, ["id", ">", seen]], 0, None, [["id", "ASC"]], ["from_"]]
    else:
        params = [domain, 0, 1, [["id", "DESC"]], ["from_"]]
    found = _rows(account.rpc.ask(f"{RELATION}.search_read", params))
    newest = max((row["id"] for row in found), default=seen or 0)
    people = sorted({row["from_"] for row in found}) if seen is not None else []
    return {"people": people, "next_relation": newest}


def by_ids(account: Account, object: Object, ids: Iterable[int], names: Sequence[str]) -> dict[int, Any]:
    """Parties or rows with these ids, whether or not they belong to the object still."""
    found, _ = _search(account, object, [["id", "in", sorted(set(ids))]], None, names)
    return {_id(one): one for one in found}


def by_key(
    account: Account, object: Object, key: str, values: Sequence[Json], names: Sequence[str]
) -> list[Record]:
    """Parties that hold one of the values, without regard to case. Mechanisms count while active."""
    texts = sorted({str(value) for value in values if value not in (None, "")})
    if not texts:
        return []
    domain = ["OR", *(_holds(key, text) for text in texts)]
    found, _ = _search(account, object, [object.where, domain] if object.where else [domain], None, names)
    return [to_record(account, object, one, names) for one in found]


def _holds(key: str, text: str) -> Json:
    pattern = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    if key not in SLOTS:
        return [key, "ilike", pattern]
    either = ["OR", ["value", "ilike", pattern], ["value_compact", "ilike", pattern]]
    return ["contact_mechanisms", "where", [["type", "=", key], ["active", "=", True], either]]


def _search(
    account: Account, object: Object, domain: Json, limit: int | None, names: Sequence[str]
) -> tuple[list[Any], datetime | None]:
    party = object.model == PARTY
    asked = [*_STAMPS, *native(names, account.fields(object.model), party)]
    if party:
        asked += [*_BASE, *_PARTS, *(_RELATIONS if account.employed is not None else ())]
    params = [domain, 0, limit, [["id", "ASC"]], sorted(set(asked))]
    told, now = account.rpc.ask_dated(f"{object.model}.search_read", params)
    found = _rows(told)
    return ([_party(account, row) for row in found] if party else found), now


def _rows(result: Json) -> list[Row]:
    """Rows with their ids; an answer without them is never taken for one that found nothing."""
    if result is None:
        raise Malformed("no rows in the answer")
    found = rows(result, "rows")
    for row in found:
        id_in(row, "id", "rows")
    return found


def _party(account: Account, row: Row) -> Party:
    relations = row.get("relations.") or []
    return Party(row, [each for each in relations if each["type"] == account.employed])


def _changed_since(account: Account, object: Object, place: Mapping[str, Json]) -> Json:
    """Changed itself, or changed in a part. `write_date` is null until the first edit."""
    since = datetime.fromisoformat(place["since"]) - timedelta(seconds=account.settings.lookback)
    parts = ("", "contact_mechanisms.", "addresses.") if object.model == PARTY else ("",)
    stamps = [
        [f"{part}{stamp}", ">=", typed_moment(since)]
        for part in parts
        for stamp in ("write_date", "create_date")
    ]
    people = [["id", "in", place["people"]]] if place["people"] else []
    return ["OR", *stamps, *people]


# -- records ------------------------------------------------------------------------------------------


def to_record(account: Account, object: Object, one: Any, names: Sequence[str]) -> Record:
    """A party or a row as a record; a replaced party names the one that replaced it."""
    fields = account.fields(object.model)
    if not isinstance(one, Party):
        own = {name: _own(fields, one, name) for name in native(names, fields, party=False)}
        return Record(str(one["id"]), own, one["_timestamp"], _changed_at([one]))
    values = {name: _own(fields, one.row, name) for name in native(names, fields, party=True)}
    for name in names:
        found = _path(account, one, name)
        if found is not _ABSENT:
            values[name] = found
    changed_at = _changed_at([stamps for _, stamps in one.stamps()])
    return Record(str(one.id), values, one.version, changed_at, successor=one.successor)


_ABSENT = object()


def _path(account: Account, party: Party, name: str) -> Any:
    first, _, rest = name.partition(".")
    if name in SLOTS:
        mechanisms = party.mechanisms(name)
        return mechanisms[0]["value"] if mechanisms else None
    if name in LISTS:
        return [_item(part, MECHANISM) for type in LISTS[name] for part in party.mechanisms(type)]
    if name == ADDRESSES:
        return [_item(part, ADDRESS) for part in party.addresses]
    if first == "address":
        return _address(party, rest)
    if name == "categories":
        own = account.settings.company_category  # says only which object it is
        return [part["name"] for part in party.categories if part["name"] != own]
    if name == "company" and account.employed is not None:
        return str(party.employment["to"]) if party.employment else None
    return _ABSENT


def _address(party: Party, name: str) -> Any:
    if name not in ADDRESS:
        return _ABSENT
    return _said(party.address or {}, name)


def _item(part: Row, names: Sequence[str]) -> dict[str, Json]:
    """A mechanism or an address as an item of a list, without what is empty."""
    said = {name: _said(part, name) for name in names}
    return {"id": str(part["id"]), **{name: value for name, value in said.items() if value is not None}}


def _said(part: Row, name: str) -> Json:
    if name in CODED:
        coded = part.get(f"{name}.")
        return coded["code"] if coded else None
    return part.get(name) or None


def _own(fields: Fields, row: Row, name: str) -> Json:
    """A field of the model, or of what it refers to (`lang.code`)."""
    first, dot, rest = name.partition(".")
    if dot:
        inner = row.get(f"{first}.")
        return _own_inner(inner, rest) if inner else None
    value = plain(row.get(name))
    if fields.kind(name) == "boolean":
        return bool(value)
    if fields.kind(name) == "many2one" or (fields.kind(name) == "float" and value is not None):
        return None if value is None else str(value)
    return None if value == "" else value


def _own_inner(row: Row, name: str) -> Json:
    first, dot, rest = name.partition(".")
    if dot:
        inner = row.get(f"{first}.")
        return _own_inner(inner, rest) if inner else None
    return plain(row.get(name))


def _changed_at(stamps: Iterable[Row]) -> datetime | None:
    found = [stamp[name] for stamp in stamps for name in ("write_date", "create_date")]
    return max((moment_in(stamp) for stamp in found if stamp), default=None)


def _id(one: Any) -> int:
    return one.id if isinstance(one, Party) else int(one["id"])
