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

from trueup.connectors.tryton.rpc import Rpc, moment_in, plain, typed_moment
from trueup.connectors.tryton.settings import TrytonSettings
from trueup.connectors.tryton.shape import ADDRESS, CODED, PARTY, SLOTS, Fields, Object, fields_of, native
from trueup.model.record import Cursor, Json, Page, Reading, Record
from trueup.ports import Clock

PAGE = 200
RELATION = "party.relation"

_STAMPS = ("_timestamp", "write_date", "create_date")
_BASE = (*_STAMPS, "active", "replaced_by")
_PARTS = (
    *(f"contact_mechanisms.{name}" for name in ("type", "value", "name", "active", *_STAMPS)),
    *(f"addresses.{name}.code" if name in CODED else f"addresses.{name}" for name in ADDRESS),
    *(f"addresses.{name}" for name in ("active", *_STAMPS)),
    "categories.name",
)
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Relation:
    """One employment: the relation's id, both parties, whether it holds today, and its stamps.

    `reversed`: it is recorded from the company to the person.
    """

    id: int
    reversed: bool
    person: int
    company: int
    holds: bool
    stamps: Row


@dataclass(frozen=True, slots=True)
class Party:
    """A party as it was read: its row and its employments, the present ones first."""

    row: Row
    employments: Sequence[Relation]

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
    def address(self) -> Row | None:
        return next((part for part in self.row["addresses."] if part["active"]), None)

    @property
    def employment(self) -> Relation | None:
        return next((each for each in self.employments if each.holds), None)

    @property
    def categories(self) -> list[Row]:
        return list(self.row["categories."])

    def stamps(self) -> list[tuple[str, Row]]:
        """Model and stamps of the party and of each of its parts, as the guard of a write names them."""
        return [
            (f"{PARTY},{self.id}", self.row),
            *self._parts("party.contact_mechanism", "contact_mechanisms."),
            *self._parts("party.address", "addresses."),
            *((f"{RELATION},{each.id}", each.stamps) for each in self.employments),
        ]

    def _parts(self, model: str, name: str) -> list[tuple[str, Row]]:
        return [(f"{model},{part['id']}", part) for part in self.row[name]]

    @property
    def version(self) -> str:
        parts = sorted(f"{name}={stamps['_timestamp']}" for name, stamps in self.stamps()[1:])
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
        self.__dict__.pop("employment_types", None)

    @cached_property
    def employment_types(self) -> tuple[int, int | None] | None:
        """The relation type `company_relation` and its reverse; None where there is none (yet)."""
        if "relations" not in self.fields(PARTY).said:
            return None
        domain = [["name", "=", self.settings.company_relation]]
        found = self.rpc.ask("party.relation.type.search_read", [domain, 0, 1, None, ["reverse"]])
        return (found[0]["id"], found[0]["reverse"]) if found else None


# -- reading ------------------------------------------------------------------------------------------


def page(
    account: Account, object: Object, changes: bool, cursor: Cursor | None, names: Sequence[str]
) -> Page:
    """One page in the order of ids. The next reading of changes starts when this one's first page was
    asked for, by the server's clock, less the lookback."""
    place = dict(cursor or {})
    domain = [object.where] if object.where else []
    if reading is Reading.CHANGES and place.get("since"):
        domain.append(_changed_since(account, object, _back(account, place["since"])))
    if place.get("after") is not None:
        domain.append(["id", ">", place["after"]])
    found, now = _search(account, object, domain, PAGE, names)
    start = place.get("start") or (now or account.clock.now()).isoformat()
    records = tuple(to_record(account, object, one, names) for one in found)
    if len(found) < PAGE:
        return Page(records, {"since": start}, more=False)
    after = int(records[-1].id)
    return Page(records, {"since": place.get("since"), "start": start, "after": after}, more=True)


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
    wanted = native(names, account.fields(object.model), party)
    asked = [*_BASE, *_PARTS, *wanted] if party else [*_STAMPS, *wanted]
    params = [domain, 0, limit, [["id", "ASC"]], sorted(set(asked))]
    rows, now = account.rpc.ask_dated(f"{object.model}.search_read", params)
    return (_with_employments(account, rows) if party else rows), now


def _with_employments(account: Account, rows: Sequence[Row]) -> list[Party]:
    relations = _relations(account, [row["id"] for row in rows]) if rows else []
    mine: dict[int, list[Relation]] = {}
    for relation in relations:
        mine.setdefault(relation.person, []).append(relation)
    return [Party(row, mine.get(row["id"], [])) for row in rows]


def _relations(account: Account, people: Sequence[int]) -> list[Relation]:
    """The employments of these people, in either direction that they may be recorded in."""
    types = account.employment_types
    if types is None:
        return []
    straight: Json = [["type", "=", types[0]], ["from_", "in", people]]
    domain = ["OR", straight, [["type", "=", types[1]], ["to", "in", people]]] if types[1] else straight
    names = ["from_", "to", "type", "active", *_STAMPS]
    rows = account.rpc.ask(f"{RELATION}.search_read", [domain, 0, None, [["id", "ASC"]], names])
    return [_relation(row, reversed=row["type"] != types[0]) for row in rows]


def _relation(row: Row, reversed: bool) -> Relation:
    person, company = (row["to"], row["from_"]) if reversed else (row["from_"], row["to"])
    return Relation(row["id"], reversed, person, company, bool(row["active"]), row)


def _back(account: Account, since: str) -> Json:
    return typed_moment(datetime.fromisoformat(since) - timedelta(seconds=account.settings.lookback))


def _changed_since(account: Account, object: Object, moment: Json) -> Json:
    """Changed itself, or changed in a part. `write_date` is null until the first edit."""
    if object.model != PARTY:
        return ["OR", ["write_date", ">=", moment], ["create_date", ">=", moment]]
    stamps = [
        [f"{part}{stamp}", ">=", moment]
        for part in ("", "contact_mechanisms.", "addresses.")
        for stamp in ("write_date", "create_date")
    ]
    people = _people_of_changed_relations(account, moment)
    return ["OR", *stamps, ["id", "in", people]] if people else ["OR", *stamps]


def _people_of_changed_relations(account: Account, moment: Json) -> list[int]:
    """Tryton's view of relations shows no true stamps; the table behind it does."""
    types = account.employment_types
    if types is None:
        return []
    kinds = [type for type in types if type]
    domain = [
        ["type", "in", kinds],
        ["OR", ["write_date", ">=", moment], ["create_date", ">=", moment]],
    ]
    rows = account.rpc.ask(f"{RELATION}.search_read", [domain, 0, None, None, ["from_", "to", "type"]])
    return sorted({row["from_"] if row["type"] == types[0] else row["to"] for row in rows})


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
    if first == "mechanisms":
        return [part["value"] for part in party.mechanisms(rest)]
    if first == "address":
        return _address(party, rest)
    if name == "categories":
        own = account.settings.company_category  # says only which object it is
        return [part["name"] for part in party.categories if part["name"] != own]
    if name == "company" and account.employment_types is not None:
        return str(party.employment.company) if party.employment else None
    return _ABSENT


def _address(party: Party, name: str) -> Any:
    if name not in ADDRESS:
        return _ABSENT
    address = party.address or {}
    if name in CODED:
        coded = address.get(f"{name}.")
        return coded["code"] if coded else None
    return address.get(name) or None


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
