"""Queries for Salesforce: which columns to ask for, what an org does not show, how much fits an address.

Pure. The manifest holds the queries; `{fields}` in them is replaced here by the wanted columns.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import quote_plus

from trueup.model.record import Json

LONGEST_QUERY = 13_000
"""Encoded bytes of one query: URI and headers together may be 16,384 (vendor sheet, section 2)."""
_ID = re.compile(r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?")
_COLUMN = re.compile(r"No such column '(\w+)' on (?:entity|sobject of type) '?(\w+)")
_RELATION = re.compile(r"Didn't understand relationship '(\w+)'")
_SOURCES: Mapping[str, tuple[str, ...]] = {
    "Outcome": ("IsClosed", "IsWon"),
    "OpportunityContactRoles.ContactId": ("(SELECT ContactId FROM OpportunityContactRoles)",),
}
"""Paths that are no columns: what has to be selected for them."""


def is_id(text: str) -> bool:
    """Whether this can be the id of a record at all; others make the vendor refuse the whole query."""
    return _ID.fullmatch(text) is not None


def select(query: str, fields: Sequence[str]) -> str:
    """The query with its `{fields}`: each column once, for a repeated one is refused."""
    head, mark, tail = query.partition(", {fields}")
    if not mark:
        return query
    columns: dict[str, str] = {}
    for path in fields:
        for column in _SOURCES.get(path, (path,)):
            columns.setdefault(column.lower(), column)
    known = {column.strip().lower() for column in head.removeprefix("SELECT ").split(",")}
    wanted = [column for name, column in columns.items() if name not in known]
    return ", ".join([head, *wanted]) + tail


def visible(object: str, fields: Sequence[str], says: str) -> list[str]:
    """`fields` without those that the vendor's refusal says it does not have.

    Field-level security makes a field vanish for us; what is not asked for is absent, never empty.
    """
    if found := _COLUMN.search(says):
        column, entity = found[1].lower(), found[2].lower()
        return [path for path in fields if not _reads(path, column, entity == object.lower())]
    if found := _RELATION.search(says):
        relation = found[1].lower() + "."
        return [path for path in fields if not path.lower().startswith(relation)]
    return list(fields)


def _reads(path: str, column: str, own: bool) -> bool:
    if path in _SOURCES:
        return own and column in (source.lower() for source in _SOURCES[path])
    *above, last = path.lower().split(".")
    return last == column and own == (not above)


def fitting(values: Sequence[Json], query: str) -> Iterator[list[Json]]:
    """Slices of `values` that fit, quoted and encoded, into the address together with `query`."""
    room = max(LONGEST_QUERY - len(quote_plus(query)), 2_000)
    chunk: list[Json] = []
    used = 0
    for value in values:
        size = len(quote_plus(str(value).replace("\\", "\\\\").replace("'", "\\'"))) + 9
        if chunk and used + size > room:
            yield chunk
            chunk, used = [], 0
        chunk.append(value)
        used += size
    if chunk:
        yield chunk
