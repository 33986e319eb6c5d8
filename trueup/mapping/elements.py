"""Lists as systems hold them: a JSON list, or one text with a sign between the elements.

A change of single elements is a value of its own, `{"+": [...], "-": [...]}`, with `sign` where the list is
text: so what others put there or took away meanwhile stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeGuard

from trueup.mapping.words import word_key
from trueup.model.record import Json
from trueup.model.values import Rejected


def elements_of(raw: Json, sign: str = "") -> list[Json] | Rejected:
    """The elements of a list, or of a text with a sign between them (`,` or `;` if none is known)."""
    if raw is None:
        return []
    if isinstance(raw, str):
        parts = raw.split(sign) if sign else raw.replace(";", ",").split(",")
        return [part.strip() for part in parts if part.strip()]
    return list(raw) if isinstance(raw, list | tuple) else Rejected("expected a list of elements")


def present(raw: Json, element: str, sign: str = "") -> bool:
    """Whether the list holds this element, however it is spelled (case, blanks)."""
    return bool(_spelled(raw, element, sign))


def with_element(raw: Json, element: str, sign: str = "") -> dict[str, Json]:
    """The change after which the list holds this element."""
    return change([] if present(raw, element, sign) else [element], [], raw, sign)


def without_element(raw: Json, element: str, sign: str = "") -> dict[str, Json]:
    """The change after which the list does not hold it, in no spelling."""
    return change([], _spelled(raw, element, sign), raw, sign)


def change(add: Sequence[Json], remove: Sequence[Json], raw: Json, sign: str) -> dict[str, Json]:
    """A change of single elements of a list that stands as `raw`."""
    found: dict[str, Json] = {"+": list(add), "-": list(remove)}
    if isinstance(raw, str) or (sign and not isinstance(raw, list)):
        found["sign"] = sign or (";" if ";" in (raw or "") or "," not in (raw or "") else ",")
    return found


def is_change(value: Json) -> TypeGuard[dict[str, Json]]:
    return isinstance(value, dict) and {"+", "-"} <= value.keys() <= {"+", "-", "sign"}


def changed(raw: Json, value: Json) -> Json:
    """The list after a change, in the form in which it stands; any other value stands for itself."""
    if not is_change(value):
        return value
    held = [one for one in listed(raw, value) if one not in value["-"]]
    return written(held + [one for one in value["+"] if one not in held], value)


def listed(raw: Json, value: Json) -> list[Json]:
    """The elements of what stands where `value` is a change."""
    found = elements_of(raw, value.get("sign", ""))
    return [] if isinstance(found, Rejected) else found


def written(elements: Sequence[Json], value: Json) -> Json:
    """These elements in the form of a list that `value` changes."""
    if "sign" not in value:
        return list(elements)
    return str(value["sign"]).join(str(one) for one in elements) or None


def _spelled(raw: Json, element: str, sign: str) -> list[Json]:
    found = elements_of(raw, sign)
    return [] if isinstance(found, Rejected) else [one for one in found if word_key(one) == word_key(element)]
