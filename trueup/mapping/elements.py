"""Lists as systems hold them: a JSON list, or one text with a sign between the elements.

A change of single elements is a value of its own, `{"+": [...], "-": [...]}`, with `sign` where the list is
text: so what others put there or took away meanwhile stays. Of a list of objects it has `by`, the paths that
tell which item is meant (see `items`), and its items hold only what changes: the rest of an item stays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    return isinstance(value, dict) and {"+", "-"} <= value.keys() <= {"+", "-", "sign", "by"}


def changed(raw: Json, value: Json) -> Json:
    """The list after a change, in the form in which it stands; any other value stands for itself."""
    if not is_change(value):
        return value
    if "by" in value:
        return items_changed(raw, value)
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


# -- lists of objects ---------------------------------------------------------------------------------


def at(item: Json, path: str) -> Json:
    """What an item holds at a dotted path; None where it holds nothing."""
    for step in path.split("."):
        if not isinstance(item, dict):
            return None
        item = item.get(step)
    return item


def laid(item: Json, over: Mapping[str, Json]) -> dict[str, Json]:
    """The item with the other's values laid over its own, to the depth of both."""
    whole = dict(item) if isinstance(item, dict) else {}
    for name, value in over.items():
        whole[name] = laid(whole.get(name), value) if isinstance(value, dict) else value
    return whole


def meant(item: Json, other: Json, by: Sequence[Sequence[str]]) -> bool:
    """Whether two items are the same one: by the first group of paths at which both hold something."""
    for paths in by:
        mine, theirs = ([at(one, path) for path in paths] for one in (item, other))
        if any(one is not None for one in mine) and any(one is not None for one in theirs):
            return list(map(_text, mine)) == list(map(_text, theirs))
    return False


def items_changed(raw: Json, value: Mapping[str, Json]) -> list[Json]:
    """The items after a change: those meant are changed or go, all others stay, new ones follow."""
    by = value["by"]
    held = [
        one
        for one in (raw if isinstance(raw, list) else [])
        if not any(meant(one, gone, by) for gone in value["-"])
    ]
    for one in value["+"]:
        places = [number for number, other in enumerate(held) if meant(other, one, by)]
        for place in places:
            held[place] = laid(held[place], one)
        if not places:
            held.append(said_only(one))
    return held


def items_settled(before: Json, value: Mapping[str, Json], told: Sequence[Json]) -> list[Json]:
    """What is agreed after a change of what stood as `before` and was answered with `told`: our items, in the
    system's form where we changed them. What it tells beyond that is somebody's edit."""
    by = value["by"]
    ours = items_changed(before, value)
    matched = [next((one for one in told if meant(one, mine, by)), None) for mine in ours]
    unmet = [
        mine
        for mine, theirs in zip(ours, matched, strict=True)
        if theirs is None and any(meant(mine, one, by) for one in value["+"])
    ]
    known = [*(one for one in matched if one is not None), *(before if isinstance(before, list) else [])]
    strange = [one for one in told if one not in known and not any(meant(one, other, by) for other in known)]
    reshaped = strange if unmet else []
    kept = [
        _agreed(mine, theirs, value)
        for mine, theirs in zip(ours, matched, strict=True)
        if not (reshaped and mine in unmet)
    ]
    return [*kept, *reshaped]


def _agreed(mine: Json, theirs: Json, value: Mapping[str, Json]) -> Json:
    """Of an item that we changed what the system made of our values; of the others what was agreed before."""
    change = next((one for one in value["+"] if meant(mine, one, value["by"])), None)
    return mine if change is None or theirs is None else _taken(mine, theirs, change)


def _taken(mine: Json, theirs: Json, change: Json) -> Json:
    """`mine` with what `theirs` holds where `change` says something, and what only they hold (an id)."""
    if not all(isinstance(one, dict) for one in (mine, theirs, change)):
        return theirs
    taken = {name: _taken(mine.get(name), theirs.get(name), one) for name, one in change.items()}
    return {**theirs, **mine, **taken}


def said_only(item: Mapping[str, Json]) -> dict[str, Json]:
    """A new item: without what is empty."""
    kept = {name: said_only(one) if isinstance(one, dict) else one for name, one in item.items()}
    return {name: one for name, one in kept.items() if one not in (None, {}, False)}


def _text(value: Json) -> str | None:
    return None if value is None else str(value)


def _spelled(raw: Json, element: str, sign: str) -> list[Json]:
    found = elements_of(raw, sign)
    return [] if isinstance(found, Rejected) else [one for one in found if word_key(one) == word_key(element)]
