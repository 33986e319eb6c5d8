"""Answers of the stand-in org to a parsed query: which rows, in which order, in which shape."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from trueup.connectors.salesforce.vendor_fields import NUMBER_TYPES, TEXT_TYPES, Field, ObjectType
from trueup.connectors.salesforce.vendor_org import Org
from trueup.connectors.salesforce.vendor_rules import Fail, Row, long_id, refuse, stamp
from trueup.connectors.salesforce.vendor_soql import (
    Child,
    Compare,
    Condition,
    Join,
    Literal,
    Not,
    Order,
    Query,
)

Getter = Callable[[Row], Any]
Test = Callable[[Row], bool]


def find(org: Org, query: Query, deleted: bool) -> list[str]:
    """The ids of the rows that a query means, in its order. Raises Fail for unknown fields and types."""
    type = object_type(org, query.object)
    for path in query.fields:
        resolve(org, type, path)
    for child in query.children:
        _child_type(org, type, child)
    test = _test(org, type, query.where) if query.where else None
    rows = [
        row
        for row in org.rows[type.name].values()
        if (not row["IsDeleted"] or (deleted and org.in_bin(row))) and (test is None or test(row))
    ]
    for order in reversed(query.order):
        _sort(org, type, rows, order)
    end = None if query.limit is None else query.offset + query.limit
    return [row["Id"] for row in rows[query.offset : end]]


def render(org: Org, query: Query, row: Row, url: str) -> dict[str, Any]:
    """One row as a query answers it, with its relations nested."""
    type = object_type(org, query.object)
    shown = _render(org, type, row, query.fields, url)
    for child in query.children:
        shown[child.relation] = _children(org, type, row, child, url)
    return shown


def resolve(org: Org, type: ObjectType, path: str) -> tuple[Getter, Field]:
    """How to read a dotted path from a row of this type, and the field at its end."""
    head, _, rest = path.partition(".")
    if not rest:
        known = type.find(head)
        if known is None:
            raise _no_column(head, type.name)
        return (lambda row: _value(type, known, row)), known
    via = type.related(head)
    if via is None or not via.refers_to:
        raise refuse(
            "INVALID_FIELD",
            f"Didn't understand relationship '{head}' in field path. If you are attempting to use a "
            "custom relationship, be sure to append the '__r' after the custom relationship name.",
        )
    target = org.types[via.refers_to[0]]
    getter, known = resolve(org, target, rest)

    def walk(row: Row) -> Any:
        parent = _parent(org, via, row)
        return None if parent is None else getter(parent)

    return walk, known


def object_type(org: Org, name: str) -> ObjectType:
    """The object of this name, in any case. Raises Fail INVALID_TYPE."""
    for type in org.types.values():
        if type.name.lower() == name.lower():
            return type
    raise refuse("INVALID_TYPE", f"sObject type '{name}' is not supported.")


def _no_column(name: str, entity: str) -> Fail:
    return refuse(
        "INVALID_FIELD",
        f"\nSELECT {name}\n       ^\nERROR at Row:1:Column:8\nNo such column '{name}' on entity '{entity}'. "
        "If you are attempting to use a custom field, be sure to append the '__c' after the custom "
        "field name.",
    )


def _parent(org: Org, via: Field, row: Row) -> Row | None:
    id = row.get(via.name)
    found = (org.rows[target].get(id) for target in via.refers_to) if id else ()
    return next((parent for parent in found if parent is not None), None)


def _value(type: ObjectType, known: Field, row: Row) -> Any:
    if known.type != "address":
        return row.get(known.name)
    prefix = known.name.removesuffix("Address")
    parts = {
        "street": "Street", "city": "City", "state": "State",
        "postalCode": "PostalCode", "country": "Country",
    }  # fmt: skip
    told = {key: row.get(prefix + part) for key, part in parts.items()}
    return told if any(told.values()) else None


# -- rendering --------------------------------------------------------------------------------------


def _render(org: Org, type: ObjectType, row: Row, paths: Sequence[str], url: str) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "attributes": {"type": type.name, "url": f"{url}/sobjects/{type.name}/{row['Id']}"}
    }
    nested: dict[str, list[str]] = {}
    for path in paths:
        head, _, rest = path.partition(".")
        if rest:
            nested.setdefault(head, []).append(rest)
        else:
            getter, known = resolve(org, type, head)
            shown[known.name] = getter(row)
    for head, rests in nested.items():
        via = type.related(head)
        assert via is not None
        parent = _parent(org, via, row)
        target = org.types[via.refers_to[0]]
        shown[via.relationship] = None if parent is None else _render(org, target, parent, rests, url)
    return shown


def _child_type(org: Org, type: ObjectType, child: Child) -> tuple[ObjectType, str]:
    for name, (object, via) in type.children.items():
        if name.lower() == child.relation.lower():
            for path in child.fields:
                resolve(org, org.types[object], path)
            return org.types[object], via
    raise refuse(
        "INVALID_TYPE", f"Didn't understand relationship '{child.relation}' in FROM part of query call."
    )


def _children(org: Org, type: ObjectType, row: Row, child: Child, url: str) -> dict[str, Any] | None:
    target, via = _child_type(org, type, child)
    rows = [each for each in org.living(target.name) if each.get(via) == row["Id"]]
    records = [_render(org, target, each, child.fields, url) for each in rows]
    return {"totalSize": len(records), "done": True, "records": records} if records else None


# -- ordering ---------------------------------------------------------------------------------------


def _sort(org: Org, type: ObjectType, rows: list[Row], order: Order) -> None:
    getter, known = resolve(org, type, order.path)
    if not known.filterable:
        raise refuse("MALFORMED_QUERY", f"field '{known.name}' can not be sorted in a query call")

    def key(row: Row) -> tuple[bool, Any]:
        value = _comparable(known, getter(row))
        return (value is None) != nulls_low, "" if value is None else value

    nulls_low = order.nulls_last == order.descending
    rows.sort(key=key, reverse=order.descending)


# -- conditions -------------------------------------------------------------------------------------


def _test(org: Org, type: ObjectType, condition: Condition) -> Test:
    match condition:
        case Not(part):
            inner = _test(org, type, part)
            return lambda row: not inner(row)
        case Join(word, parts):
            tests = [_test(org, type, part) for part in parts]
            if word == "AND":
                return lambda row: all(test(row) for test in tests)
            return lambda row: any(test(row) for test in tests)
        case Compare():
            return _comparison(org, type, condition)


def _comparison(org: Org, type: ObjectType, condition: Compare) -> Test:
    getter, known = resolve(org, type, condition.path)
    if not known.filterable:
        raise refuse("INVALID_FIELD", f"field '{known.name}' can not be filtered in a query call")
    wanted = [_literal(known, literal) for literal in condition.values]
    op = condition.op
    if op == "like":
        return _like(getter, wanted[0])
    if op in ("in", "=", "!="):
        among = frozenset(wanted)
        return lambda row: (_comparable(known, getter(row)) in among) != (op == "!=")
    return _inequality(known, getter, op, wanted[0])


def _inequality(known: Field, getter: Getter, op: str, wanted: Any) -> Test:
    def test(row: Row) -> bool:
        has = _comparable(known, getter(row))
        if has is None or wanted is None:
            return False
        sign = (has > wanted) - (has < wanted)
        return bool({"<": sign < 0, "<=": sign <= 0, ">": sign > 0, ">=": sign >= 0}[op])

    return test


def _like(getter: Getter, wanted: Any) -> Test:
    parts = re.findall(r"\\.|.", str(wanted), flags=re.DOTALL)
    wild = {"%": ".*", "_": "."}
    text = "".join(wild.get(part) or re.escape(part[-1]) for part in parts)
    pattern = re.compile(text, re.IGNORECASE | re.DOTALL)
    return lambda row: pattern.fullmatch(str(getter(row) or "")) is not None


def _comparable(known: Field, value: Any) -> Any:
    """Text compares without case; ids by their exact letters."""
    if isinstance(value, str) and known.type not in ("id", "reference"):
        return value.lower() if known.type in TEXT_TYPES else value
    return value


def _literal(known: Field, literal: Literal) -> Any:
    if literal.kind == "null" or literal.value == "":
        return None  # an empty text is stored as null and compares as null
    if literal.kind != _kind(known):
        quotes = " and should not be enclosed in quotes" if literal.kind == "string" else ""
        raise refuse(
            "INVALID_FIELD",
            f"value of filter criterion for field '{known.name}' must be of type {known.type}{quotes}",
        )
    if known.type in ("id", "reference"):
        return _id_literal(str(literal.value))
    if literal.kind == "datetime":
        return stamp(datetime.fromisoformat(literal.value))
    return _comparable(known, literal.value)


def _id_literal(text: str) -> str:
    if len(text) not in (15, 18):
        raise refuse("INVALID_QUERY_FILTER_OPERATOR", f"invalid ID field: {text}")
    return long_id(text)


def _kind(known: Field) -> str:
    if known.type in NUMBER_TYPES:
        return "number"
    return known.type if known.type in ("boolean", "date", "datetime") else "string"
