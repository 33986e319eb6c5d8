"""Where the next page is. Pure: from an answer and its rows to the `{after}` of the next request."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from trueup.connectors import manifest as words
from trueup.connectors.paths import path
from trueup.connectors.verdict import Answer
from trueup.errors import Malformed
from trueup.model.record import Json

_LINK = re.compile(r"<([^>]*)>\s*;([^,]*)")
_NEXT = re.compile(r"""\brel\s*=\s*"?([^";]*\s)?next\b""", re.IGNORECASE)


def rows_of(stream_records: str, answer: Answer) -> list[Json]:
    """The raw records of an answer: a list, or the values of an object. Malformed if there are neither.

    204 means none. A missing list is never taken for an empty one: the end of a listing makes absence
    mean something.
    """
    if answer.status == 204:
        return []
    found = path(stream_records)(answer.body)
    if isinstance(found, list):
        return found
    if isinstance(found, dict):
        return list(found.values())
    raise Malformed(f"no records at `{stream_records}` in the answer")


def is_url(paging: words.Paging) -> bool:
    """Whether `{after}` is the whole address of the next page."""
    return isinstance(paging, words.NextUrlPaging | words.LinkHeaderPaging)


def first_after(paging: words.Paging) -> Json:
    """What `{after}` is on the first page; None where it has no value then."""
    match paging:
        case words.OffsetPaging():
            return 0
        case words.PageNumberPaging():
            return paging.first
        case words.KeysetPaging():
            return paging.start
        case _:
            return None


_RESTARTS = 3
"""So often one reading of counted records begins again from 0; then their order is never the same."""


def overlaps(stream: words.Stream, position: Mapping[str, Any]) -> bool:
    """Whether the next page is asked for from the last record of the page before. Where records are counted,
    one that goes before the place moves all behind it, and the next page would leave one out."""
    known = position.get("last") is not None and not position.get("sure")
    return isinstance(stream.paging, words.OffsetPaging) and known and position.get("restarts", 0) < _RESTARTS


def passed(
    stream: words.Stream, position: Mapping[str, Any], ids: Sequence[str]
) -> tuple[int, dict[str, Any] | None]:
    """Of a page asked for from the last record on (`ids`): how many of its records were read before, and,
    where it says too little, the position from which to ask again: a page further back if that record is not
    on it, or right behind it if there is nothing else (the end may be a page that is shorter than others).
    From 0 on all of it is new, once nothing is further back."""
    last, asked = position["last"], position["after"] - 1
    if last not in ids:
        return 0, {**position, "after": max(1, position["after"] - stream.size)} if asked else None
    behind = ids.index(last) + 1
    end = stream.paging.end if isinstance(stream.paging, words.OffsetPaging) else "empty"
    unsure = behind == len(ids) and _goes_on(end, ids, stream.size)
    return behind, {**position, "after": asked + behind, "sure": True} if unsure else None


def place_after(cursor: Mapping[str, Any], last: str | None, anew: bool) -> dict[str, Any]:
    """The place behind the record `last`; `anew`: its page was the first of a reading that began again."""
    place = {name: value for name, value in cursor.items() if name != "sure"} | {"last": last}
    return place | ({"restarts": cursor.get("restarts", 0) + 1} if anew else {})


def next_after(
    stream: words.Stream,
    id_path: str,
    answer: Answer,
    rows: Sequence[Json],
    after: Json,
    stamps: tuple[Json, Json] = (None, None),
) -> Json:
    """What `{after}` is on the next page; None if this was the last. Malformed if it stands still.

    `stamps`: where the page before and this one end, for a keyset that goes by stamp and key. A record that
    is changed while it is read may well end both, with another stamp.
    """
    found = _next(stream, id_path, answer, rows, after)
    if found is not None and found == after and stamps[0] == stamps[1]:
        raise Malformed("the next page is this page again")
    return found


def _next(stream: words.Stream, id_path: str, answer: Answer, rows: Sequence[Json], after: Json) -> Json:
    paging = stream.paging
    match paging:
        case words.CursorPaging():
            return _unless_over(paging.more, answer, path(paging.token)(answer.body))
        case words.NextUrlPaging():
            return _unless_over(paging.more, answer, path(paging.url)(answer.body))
        case words.LinkHeaderPaging():
            return next_link(answer.headers.get("link", ""))
        case words.HeaderTokenPaging():
            token = answer.headers.get(paging.header, "")
            return token if token and token != paging.end else None
        case words.OffsetPaging():
            return after + len(rows) if _goes_on(paging.end, rows, stream.size) else None
        case words.PageNumberPaging():
            more = _goes_on(paging.end, rows, stream.size)
            return _unless_over(paging.more, answer, after + 1) if more else None
        case words.KeysetPaging():
            return _next_key(paging, id_path, answer, rows, stream.size)
        case _:
            return None


def _unless_over(more: str, answer: Answer, token: Json) -> Json:
    over = bool(more) and not path(more)(answer.body)
    return None if over or token in (None, "") else token


def _goes_on(end: str, rows: Sequence[Json], size: int) -> bool:
    return len(rows) >= size if end == "short" else bool(rows)


def _next_key(
    paging: words.KeysetPaging, id_path: str, answer: Answer, rows: Sequence[Json], size: int
) -> Json:
    if not rows or (paging.more and not path(paging.more)(answer.body)):
        return None
    if not paging.more and not _goes_on(paging.end, rows, size):
        return None
    key = path(paging.key or id_path)(rows[-1])
    if key in (None, ""):
        raise Malformed("the last record of a page has no key to go on from")
    return key


def next_link(header: str) -> str | None:
    """The address with relation `next` in a Link header (RFC 8288)."""
    for address, parameters in _LINK.findall(header):
        if _NEXT.search(parameters):
            return str(address)
    return None
