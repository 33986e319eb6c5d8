"""What the stand-in org accepts into a record, field by field, and how it keeps it.

Pure: a field table and values in, kept values out, or `Fail` with the vendor's codes. Text is trimmed,
an empty one becomes null, multi-select values are put in the order of their definition, numbers are
rounded to the scale of their field: what is sent is not always what is kept.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from trueup.connectors.salesforce.vendor_fields import NUMBER_TYPES, Field, ObjectType

Row = dict[str, Any]

_EMAIL = re.compile(r"[^@\s,;<>\"()]+@[^@\s,;<>\"().]+(\.[^@\s,;<>\"().]+)+")
_ID_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"


@dataclass(frozen=True, slots=True)
class Problem:
    """One entry of an error answer. `more` is what a single write adds (`duplicateResult`)."""

    code: str
    message: str
    fields: tuple[str, ...] = ()
    more: Mapping[str, Any] = field(default_factory=dict)


class Fail(Exception):
    """The org refuses: the HTTP status of a single request, and the problems."""

    def __init__(self, status: int, *problems: Problem) -> None:
        self.status = status
        self.problems = problems
        super().__init__("; ".join(problem.code for problem in problems))


def refuse(code: str, message: str, *fields: str, status: int = 400) -> Fail:
    return Fail(status, Problem(code, message, fields))


def stamp(moment: datetime) -> str:
    """A moment as the API tells it: UTC, cut to the second. Texts of this form sort by time."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def long_id(short: str) -> str:
    """The 18-character form of a 15-character id; an 18-character one comes back as it is."""
    if len(short) != 15:
        return short
    bits = (
        sum(1 << place for place, letter in enumerate(short[start : start + 5]) if letter.isupper())
        for start in (0, 5, 10)
    )
    return short + "".join(_ID_LETTERS[number] for number in bits)


def clean(type: ObjectType, values: Mapping[str, Any]) -> Row:
    """`values` as the org would keep them. Raises Fail with all that is wrong with them."""
    for name in values:
        if name not in type.fields:
            raise refuse("INVALID_FIELD", f"No such column '{name}' on sobject of type {type.name}")
    parsed = {name: _parse(type.fields[name], value) for name, value in values.items()}
    problems = [
        problem
        for name, value in parsed.items()
        if value is not None and (problem := _check(type.fields[name], value))
    ]
    if problems:
        raise Fail(400, *problems)
    return parsed


def check_writable(type: ObjectType, values: Mapping[str, Any], flag: str) -> None:
    """`flag` is createable or updateable."""
    closed = tuple(name for name in values if not getattr(type.fields[name], flag))
    if closed:
        verb = "create/update"
        raise refuse(
            "INVALID_FIELD_FOR_INSERT_UPDATE",
            f"Unable to {verb} fields: {', '.join(closed)}. Please check the security settings of "
            "this field and verify that it is read/write for your profile or permission set.",
            *closed,
        )


def check_required(type: ObjectType, row: Row) -> None:
    """Every field that may not be empty, as it would stand after the write."""
    missing = tuple(
        known.name
        for known in type.fields.values()
        if not known.nillable and known.createable and row.get(known.name) is None
    )
    if missing:
        raise refuse(
            "REQUIRED_FIELD_MISSING", f"Required fields are missing: [{', '.join(missing)}]", *missing
        )


def _parse(known: Field, value: Any) -> Any:
    """The value in its kept form; a JSON type that cannot be this field spoils the whole request."""
    if isinstance(value, dict | list):
        raise _unparsable(known, value)
    if known.type == "boolean":
        return _boolean(known, value)
    if value is None or value == "":
        return None
    if known.type in NUMBER_TYPES:
        return _number(known, value)
    if known.type == "date":
        return _date(known, value)
    if known.type == "datetime":
        return _datetime(known, value)
    return _text(known, value)


def _unparsable(known: Field, value: Any) -> Fail:
    return refuse(
        "JSON_PARSER_ERROR",
        f"Cannot deserialize instance of {known.type} from {type(value).__name__} value for {known.name}",
    )


def _boolean(known: Field, value: Any) -> bool:
    if not isinstance(value, bool):
        raise _unparsable(known, value)
    return value


def _number(known: Field, value: Any) -> float | int:
    if isinstance(value, bool) or not re.fullmatch(r"-?\d+(\.\d+)?(e[+-]?\d+)?", str(value), re.I):
        raise _unparsable(known, value)
    number = round(float(value), known.scale)
    if abs(number) >= 1e16:
        raise refuse("NUMBER_OUTSIDE_VALID_RANGE", f"{known.name}: value outside of valid range", known.name)
    return int(number) if known.type == "int" else number


def _date(known: Field, value: Any) -> str:
    try:
        return date.fromisoformat(str(value)).isoformat()
    except ValueError:
        raise _unparsable(known, value) from None


def _datetime(known: Field, value: Any) -> str:
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        raise _unparsable(known, value) from None
    return stamp(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def _text(known: Field, value: Any) -> str | None:
    if isinstance(value, bool):
        raise _unparsable(known, value)
    text = str(value).strip()
    if known.type == "multipicklist":
        return _selected(known, text)
    return (long_id(text) if known.type == "reference" else text) or None


def _selected(known: Field, text: str) -> str | None:
    chosen = list(dict.fromkeys(part.strip() for part in text.split(";") if part.strip()))
    ordered = [option for option in known.options if option in chosen]
    others = [option for option in chosen if option not in known.options]
    return ";".join([*ordered, *others]) or None


def _check(known: Field, value: Any) -> Problem | None:
    if known.length and isinstance(value, str) and len(value) > known.length:
        return Problem(
            "STRING_TOO_LONG",
            f"{known.name}: data value too large: {value[:20]} (max length={known.length})",
            (known.name,),
        )
    if known.type == "email" and not _EMAIL.fullmatch(value):
        return Problem(
            "INVALID_EMAIL_ADDRESS", f"{known.name}: invalid email address: {value}", (known.name,)
        )
    return _check_options(known, value)


def _check_options(known: Field, value: Any) -> Problem | None:
    if not known.restricted:
        return None
    chosen = value.split(";") if known.type == "multipicklist" else [value]
    wrong = [option for option in chosen if option not in known.options]
    if not wrong:
        return None
    return Problem(
        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
        f"{known.name}: bad value for restricted picklist field: {wrong[0]}",
        (known.name,),
    )
