"""Values to write, as Tryton's nested commands for a party and its parts. Pure but for look-ups of codes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from trueup.connectors.base import Elements
from trueup.connectors.tryton.reading import Account, Party, Row
from trueup.connectors.tryton.rpc import typed_date, typed_decimal, typed_moment
from trueup.connectors.tryton.shape import ADDRESS, CODED, MECHANISM_TYPES, PARTY, SLOTS, Fields
from trueup.model.record import Json


class Unfit(ValueError):
    """A value that Tryton cannot take there; the message says why, without the value."""


@dataclass(slots=True)
class Codes:
    """Ids behind codes and names, each looked up once."""

    account: Account
    known: dict[tuple[str, str, str], int | None] = field(default_factory=dict)

    def id(self, model: str, name: str, text: str) -> int | None:
        """The record of `model` whose field `name` is `text`; None if there is none."""
        key = (model, name, text)
        if key not in self.known:
            found = self.account.rpc.ask(f"{model}.search", [[[name, "=", text]], 0, 1, None])
            self.known[key] = int(found[0]) if found else None
        return self.known[key]

    def need(self, model: str, name: str, text: str) -> int:
        """The same; Unfit if there is none."""
        found = self.id(model, name, text)
        if found is None:
            raise Unfit(f"Tryton has no {model} with this {name}")
        return found


def commands(
    codes: Codes, party: Party | None, values: Mapping[str, Json]
) -> tuple[dict[str, Json], dict[str, str]]:
    """The values of one create or write call, and what is wrong with which field. `party` as it is now."""
    account = codes.account
    fields = account.fields(PARTY)
    sent: dict[str, Json] = {}
    wrong: dict[str, str] = {}
    address = {name: value for name, value in values.items() if name.startswith("address.")}
    lists = {name for name in values if name in SLOTS or name.startswith("mechanisms.")}
    for name in sorted(set(values) - set(address) - lists):
        try:
            sent.update(_one(codes, party, fields, name, values[name]))
        except Unfit as error:
            wrong[name] = str(error)
    mechanisms = _mechanisms(party, values, lists, wrong)
    if mechanisms:
        sent["contact_mechanisms"] = mechanisms
    if address:
        sent.update(_address(codes, party, address, wrong))
    return sent, wrong


def _one(codes: Codes, party: Party | None, fields: Fields, name: str, value: Json) -> dict[str, Json]:
    if name == "categories":
        return _categories(codes, party, value)
    if name == "company":
        return _company(codes.account, party, value)
    if not fields.has(name):
        raise Unfit("there is no such field, or it cannot be written")
    return {name: _typed(fields, name, value)}


def _typed(fields: Fields, name: str, value: Json) -> Json:
    """A value in the form that the field's type needs."""
    if value is None:
        return None
    try:
        match fields.kind(name):
            case "char" | "text" | "selection":
                return _text(value)
            case "boolean":
                return bool(value)
            case "integer" | "biginteger":
                return int(value)
            case "numeric":
                return typed_decimal(Decimal(str(value)))
            case "float":
                return float(value)
            case "date":
                return typed_date(date.fromisoformat(str(value)))
            case "datetime" | "timestamp":
                return typed_moment(datetime.fromisoformat(str(value)))
    except (ValueError, TypeError, InvalidOperation):
        raise Unfit(f"takes a {fields.kind(name)}") from None
    raise Unfit("cannot be written from here")


def _text(value: Json) -> str:
    if isinstance(value, (dict, list)):
        raise TypeError
    return str(value)


# -- contact mechanisms -------------------------------------------------------------------------------


def _mechanisms(
    party: Party | None, values: Mapping[str, Json], named: set[str], wrong: dict[str, str]
) -> list[Json]:
    """Commands for every type that a slot or list names."""
    made: list[Json] = []
    for type in MECHANISM_TYPES:
        slot, listed = type in named, f"mechanisms.{type}" in named
        if not slot and not listed:
            continue
        there = party.mechanisms(type) if party else []
        try:
            target = _target(
                [part["value"] for part in there],
                values[f"mechanisms.{type}"] if listed else _KEEP,
                values[type] if slot else _KEEP,
            )
        except Unfit as error:
            wrong[f"mechanisms.{type}" if listed else type] = str(error)
            continue
        made += _realised(type, there, target)
    known = {*MECHANISM_TYPES, *(f"mechanisms.{type}" for type in MECHANISM_TYPES)}
    wrong.update(dict.fromkeys(named - known, "there is no such type of contact mechanism"))
    return made


_KEEP: Any = object()


def _target(now: list[str], listed: Any, slot: Any) -> list[str]:
    """The values of one type as they are to be, the primary one first."""
    if isinstance(listed, Elements):
        gone = {_text_of(value) for value in listed.remove}
        target = [value for value in now if value not in gone]
        target += [_text_of(value) for value in listed.add]
    elif listed is _KEEP:
        target = list(now)
    else:
        target = [_text_of(value) for value in listed or []]
        if now and now[0] in target:
            target = [now[0], *target]  # a list says nothing about which is the primary one
    if slot is not _KEEP:
        rest = target if listed is not _KEEP or slot in target else target[1:]
        target = [_text_of(slot), *rest] if slot not in (None, "") else target[1:]
    return list(dict.fromkeys(value for value in target if value))


def _text_of(value: Json) -> str:
    if isinstance(value, Mapping):
        value = value.get("value")
    if not isinstance(value, (str, int)):
        raise Unfit("takes texts")
    return str(value).strip()


def _realised(type: str, there: Sequence[Row], target: Sequence[str]) -> list[Json]:
    """Commands that turn the present mechanisms into the target.

    The first keeps its place and takes the first value; others stay where their value is still wanted;
    what is left over is re-used, created or switched off (not deleted: documents may refer to it).
    """
    if not target:
        return [["write", [part["id"]], {"active": False}] for part in there]
    wanted = list(target)
    places: list[tuple[Row, str | None]] = []
    for number, part in enumerate(there):
        if number == 0:
            places.append((part, wanted.pop(0)))
        else:
            places.append((part, part["value"] if part["value"] in target[1:] else None))
    kept = {value for _, value in places if value is not None}
    left = [value for value in wanted if value not in kept]
    made: list[Json] = []
    for part, value in places:
        if value is None and left:
            value = left.pop(0)
        if value is None:
            made.append(["write", [part["id"]], {"active": False}])
        elif value != part["value"]:
            made.append(["write", [part["id"]], {"value": value}])
    if left:
        made.append(["create", [{"type": type, "value": value} for value in left]])
    return made


# -- address, company, categories ---------------------------------------------------------------------


def _address(
    codes: Codes, party: Party | None, values: Mapping[str, Json], wrong: dict[str, str]
) -> dict[str, Json]:
    """The first active address changed, or one made where there is none."""
    sent: dict[str, Json] = {}
    for path, value in values.items():
        name = path.partition(".")[2]
        try:
            if name not in ADDRESS:
                raise Unfit("there is no such part of an address")
            coded = name in CODED and value is not None
            sent[name] = codes.need(CODED[name], "code", str(value)) if coded else value
        except Unfit as error:
            wrong[path] = str(error)
    if party is not None and party.address is not None:
        return {"addresses": [["write", [party.address["id"]], sent]]}
    filled = {name: value for name, value in sent.items() if value not in (None, "")}
    return {"addresses": [["create", [filled]]]} if filled else {}


def _company(account: Account, party: Party | None, value: Json) -> dict[str, Json]:
    """Re-point the present employment, end it, or make one."""
    if account.employed is None:
        raise Unfit(f"there is no relation type `{account.settings.company_relation}`")
    if value is not None and not str(value).isdigit():
        raise Unfit("takes the id of a party")
    present = party.employment if party else None
    if present is None:
        new = {"to": int(value), "type": account.employed} if value is not None else None
        return {"relations": [["create", [new]]]} if new else {}
    if value is None:
        return {"relations": [["delete", [present["id"]]]]}
    changed = present["to"] != int(value)
    return {"relations": [["write", [present["id"]], {"to": int(value)}]]} if changed else {}


def _categories(codes: Codes, party: Party | None, value: Json) -> dict[str, Json]:
    """Add and remove by name; the category that marks companies is never touched here."""
    own = codes.account.settings.company_category
    now = {part["name"]: int(part["id"]) for part in party.categories} if party else {}
    if isinstance(value, Elements):
        add = {_text_of(each) for each in value.add} - set(now)
        remove = {_text_of(each) for each in value.remove} & set(now)
    else:
        wanted = {_text_of(each) for each in value or []}
        add, remove = wanted - set(now), set(now) - wanted
    changes: list[Json] = []
    if add - {own}:
        changes.append(["add", [codes.need("party.category", "name", name) for name in sorted(add - {own})]])
    if remove - {own}:
        changes.append(["remove", [now[name] for name in sorted(remove - {own})]])
    return {"categories": changes} if changes else {}
