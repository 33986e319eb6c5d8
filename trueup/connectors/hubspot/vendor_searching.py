"""Searches of the HubSpot stand-in: which filters a record meets, and in what order records stand."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from trueup.connectors.hubspot.vendor_properties import Properties, moment_of


def search_problem(body: Mapping[str, Any], size: int) -> str:
    groups = body.get("filterGroups") or []
    counts = [len(group.get("filters") or []) for group in groups]
    if size > 3000:
        return "the request is longer than 3000 characters"
    if len(groups) > 5 or sum(counts) > 18 or max(counts, default=0) > 6:
        return "too many filters"
    if len(body.get("sorts") or []) > 1:
        return "only one sort is allowed"
    if not 1 <= int(body.get("limit", 10)) <= 200:
        return "limit must be between 1 and 200"
    return ""


def meets(groups: Sequence[Mapping[str, Any]], state: Properties) -> bool:
    return not groups or any(all(fits(one, state) for one in group["filters"]) for group in groups)


def sort_of(sort: Any) -> tuple[str, bool]:
    if isinstance(sort, str):
        return sort.lstrip("-"), sort.startswith("-")
    return str(sort["propertyName"]), sort.get("direction") == "DESCENDING"


def fits(filter: Mapping[str, object], properties: Properties) -> bool:
    """Whether a record's indexed state meets one filter of a search."""
    value = properties.get(str(filter["propertyName"]), "")
    wanted = str(filter.get("value", ""))
    match filter["operator"]:
        case "HAS_PROPERTY":
            return value != ""
        case "NOT_HAS_PROPERTY":
            return value == ""
        case "EQ":
            return value.lower() == wanted.lower() or (value != "" and order(value) == order(wanted))
        case "NEQ":
            return value.lower() != wanted.lower()
        case "IN":
            values = filter.get("values")
            return isinstance(values, list) and value.lower() in values  # the values have to be lower case
        case "NOT_IN":
            values = filter.get("values")
            return isinstance(values, list) and value.lower() not in values
        case "CONTAINS_TOKEN":
            return wanted.lower().strip("*") in value.lower()
        case _:
            return value != "" and _compares(str(filter["operator"]), order(value), filter)


def _compares(operator: str, value: tuple[float, str], filter: Mapping[str, object]) -> bool:
    wanted = order(str(filter.get("value", "")))
    match operator:
        case "GT":
            return value > wanted
        case "GTE":
            return value >= wanted
        case "LT":
            return value < wanted
        case "LTE":
            return value <= wanted
        case "BETWEEN":
            return wanted <= value <= order(str(filter.get("highValue", "")))
        case _:
            return False


@lru_cache(maxsize=200_000)
def order(text: str) -> tuple[float, str]:
    """Numbers by size, times by their milliseconds, the rest by the alphabet."""
    if re.fullmatch(r"-?\d+(\.\d+)?", text):
        return float(text), ""
    moment = moment_of(text) if text[:4].isdigit() else None
    return (moment.timestamp() * 1000, "") if moment else (float("inf"), text.lower())
