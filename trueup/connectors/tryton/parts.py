"""Values to write, as Tryton's nested commands for a party and its parts. Pure but for look-ups of codes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

from trueup.connectors.base import Elements
from trueup.connectors.tryton.drafts import Drafts, Unfit
from trueup.connectors.tryton.reading import Account, Party, Row
from trueup.connectors.tryton.rpc import typed_date, typed_decimal, typed_moment
from trueup.connectors.tryton.shape import (
    ADDRESS,
    ADDRESSES,
    CODED,
    GROUPS,
    MECHANISM,
    PARTY,
    SLOTS,
    Fields,
    Group,
)
from trueup.model.canonical.postal import words_of
from trueup.model.record import Json


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
    codes: Codes, party: Party | None, values: Mapping[str, Json], names: Sequence[str]
) -> tuple[dict[str, Json], dict[str, str]]:
    """The values of one create or write call, and what is wrong with which field. `party` as it is now;
    `names`: the fields that are read of it."""
    account = codes.account
    fields = account.fields(PARTY)
    sent: dict[str, Json] = {}
    wrong: dict[str, str] = {}
    address = {n: value for n, value in values.items() if n == ADDRESSES or n.startswith("address.")}
    lists = {name for name in values if name in SLOTS or name.startswith("mechanisms.")}
    for name in sorted(set(values) - set(address) - lists):
        try:
            sent.update(_one(codes, party, fields, name, values[name]))
        except Unfit as error:
            wrong[name] = str(error)
    mechanisms = _mechanisms(party, values, lists, wrong)
    if mechanisms:
        sent["contact_mechanisms"] = mechanisms
    known = {name.partition(".")[2] for name in names if name.startswith("address.")}
    addresses = _addresses(codes, party, address, known & {*ADDRESS}, wrong) if address else []
    if addresses:
        sent["addresses"] = addresses
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


# -- mechanisms and addresses, company, categories ------------------------------------------------------


def _mechanisms(
    party: Party | None, values: Mapping[str, Json], named: set[str], wrong: dict[str, str]
) -> list[Json]:
    """Commands for every type that a slot or list names."""
    made: list[Json] = []
    known: set[str] = set()
    for group in GROUPS:
        known |= {*group.types, *group.lists}
        slots = {type: values[type] for type in group.types if type in named}
        listed = {name: values[name] for name in group.lists if name in named}
        if not slots and not listed:
            continue
        try:
            made += _group(party, group, slots, listed)
        except Unfit as error:
            wrong[next(iter([*listed, *slots]))] = str(error)
    wrong.update(dict.fromkeys(named - known, "there is no such type of contact mechanism"))
    return made


def _group(
    party: Party | None, group: Group, slots: Mapping[str, Json], listed: Mapping[str, Json]
) -> list[Json]:
    rows = [part for type in group.types for part in (party.mechanisms(type) if party else [])]
    drafts = Drafts.of(rows, MECHANISM, _compact)
    for path, value in listed.items():
        drafts.take(value, {"type": group.lists[path][0]}, _of_types(group.lists[path]))
    for type, value in slots.items():
        drafts.lead({"type": type}, {"value": _slot(value)}, ("value",), bool(listed))
    return drafts.commands()


def _compact(value: Json) -> Json:
    """Without case and blanks: phones stand there in a form of Tryton's own."""
    return "".join(str(value).split()).casefold()


def _of_types(types: Sequence[str]) -> Callable[[Mapping[str, Json]], bool]:
    return lambda one: one["type"] in types


def _slot(value: Json) -> str | None:
    if value is not None and not isinstance(value, (str, int)):
        raise Unfit("takes texts")
    return str(value).strip() or None if value is not None else None


def _addresses(
    codes: Codes,
    party: Party | None,
    values: Mapping[str, Json],
    known: Collection[str],
    wrong: dict[str, str],
) -> list[Json]:
    """Commands for the list of all addresses, and for the first active one by its parts. `known`: the parts
    of the first one that are read, too."""
    drafts = Drafts.of([_coded_parts(one) for one in party.addresses] if party else [], ADDRESS, words_of)
    parts: dict[str, Json] = {}
    for path, value in values.items():
        name = path.partition(".")[2]
        if path != ADDRESSES and name not in ADDRESS:
            wrong[path] = "there is no such part of an address"
        elif path != ADDRESSES:
            parts[name] = value
    if ADDRESSES in values:
        try:
            drafts.take(values[ADDRESSES])
        except Unfit as error:
            wrong[ADDRESSES] = str(error)
    if parts:
        drafts.lead({}, parts, {*known, *parts}, ADDRESSES in values)
    asked = [f"address.{name}" for name in parts] + [name for name in (ADDRESSES,) if name in values]
    return drafts.commands(lambda held: _with_ids(codes, held, asked, wrong))


def _coded_parts(row: Row) -> dict[str, Json]:
    """An address with the codes of what it refers to in place of the ids."""
    codes = {name: (row.get(f"{name}.") or {}).get("code") for name in CODED}
    return {**row, **codes}


def _with_ids(
    codes: Codes, held: Mapping[str, Json], asked: Sequence[str], wrong: dict[str, str]
) -> dict[str, Json]:
    sent = dict(held)
    for name in CODED:
        if sent.get(name) is None:
            continue
        try:
            sent[name] = codes.need(CODED[name], "code", str(sent[name]))
        except Unfit as error:
            wrong[f"address.{name}" if f"address.{name}" in asked else asked[-1]] = str(error)
    return sent


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
        add = {_name(each) for each in value.add} - set(now)
        remove = {_name(each) for each in value.remove} & set(now)
    else:
        wanted = {_name(each) for each in value or []}
        add, remove = wanted - set(now), set(now) - wanted
    changes: list[Json] = []
    if add - {own}:
        changes.append(["add", [codes.need("party.category", "name", name) for name in sorted(add - {own})]])
    if remove - {own}:
        changes.append(["remove", [now[name] for name in sorted(remove - {own})]])
    return {"categories": changes} if changes else {}


def _name(value: Json) -> str:
    if not isinstance(value, (str, int)):
        raise Unfit("takes texts")
    return str(value).strip()
