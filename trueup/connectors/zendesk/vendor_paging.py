"""Pages of the imitated Zendesk API: cursor and offset lists, cursor and time based exports (sheet 2, 3)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from datetime import timedelta
from itertools import islice

import httpx

from trueup.connectors.zendesk.vendor_records import Records
from trueup.connectors.zendesk.vendor_rules import (
    DEEPEST_OFFSET,
    MOST_PER_EXPORT,
    MOST_PER_PAGE,
    Values,
    VendorError,
    bad_request,
    pack,
    unpack,
)

Show = Callable[[Sequence[int]], Values]
"""The part of an answer that holds these records (and what is side-loaded with them)."""

HIDDEN = timedelta(minutes=1)
"""Exports leave out what changed in the last minute, and `start_time` must be older than that."""


def whole(query: httpx.QueryParams, name: str, default: int | None = None) -> int:
    """A whole number of the query; VendorError where it is none or missing without a default."""
    text = query.get(name)
    if text is None and default is not None:
        return default
    try:
        return int(text or "")
    except ValueError:
        raise bad_request("Invalid attribute", f"{name} must be an integer") from None


def list_page(url: str, query: httpx.QueryParams, ids: Sequence[int], show: Show) -> Values:
    """One page of records in id order: by cursor if `page[...]` is given, else by offset."""
    if "page[size]" in query or "page[after]" in query:
        return _cursor_page(url, query, ids, show)
    return offset_page(url, query, ids, show)


def _cursor_page(url: str, query: httpx.QueryParams, ids: Sequence[int], show: Show) -> Values:
    size = whole(query, "page[size]", MOST_PER_PAGE)
    if not 1 <= size <= MOST_PER_PAGE:
        raise bad_request("InvalidPaginationParameter", f"page[size] must be 1 to {MOST_PER_PAGE}")
    after = unpack(query["page[after]"])[1] if query.get("page[after]") else 0
    first = bisect_right(ids, after)
    chosen, more = ids[first : first + size], first + size < len(ids)
    cursor = pack(0, chosen[-1]) if chosen else None
    following = f"{url}?page%5Bafter%5D={cursor}&page%5Bsize%5D={size}" if more else None
    before = pack(0, chosen[0]) if chosen else None
    meta = {"has_more": more, "after_cursor": cursor, "before_cursor": before}
    return {**show(chosen), "meta": meta, "links": {"next": following, "prev": None}}


def offset_page(url: str, query: httpx.QueryParams, ids: Sequence[int], show: Show) -> Values:
    """By page number; refused beyond the 10,000th record."""
    size = min(max(1, whole(query, "per_page", MOST_PER_PAGE)), MOST_PER_PAGE)
    number = max(1, whole(query, "page", 1))
    if number * size > DEEPEST_OFFSET:
        raise bad_request("Invalid pagination", f"offset paging ends at {DEEPEST_OFFSET} records")
    first = (number - 1) * size
    following = f"{url}?page={number + 1}&per_page={size}" if first + size < len(ids) else None
    previous = f"{url}?page={number - 1}&per_page={size}" if number > 1 else None
    paging = {"next_page": following, "previous_page": previous, "count": len(ids)}
    return {**show(ids[first : first + size]), **paging}


def export_by_cursor(url: str, query: httpx.QueryParams, records: Records, kind: str, show: Show) -> Values:
    """Records by (second of change, id). An export that starts on nothing has no cursor yet (null)."""
    given = query.get("cursor")
    after = unpack(given) if given else (_start(query, records) - 1, 1 << 62)
    size = _size(query)
    places = list(islice(records.changed(kind, after, _newest(records)), size + 1))
    more, places = len(places) > size, places[:size]
    cursor = pack(*places[-1]) if places else given
    return {
        **show([id for _, id in places]),
        "after_cursor": cursor,
        "after_url": f"{url}?cursor={cursor}" if cursor else None,
        "before_cursor": None,
        "before_url": None,
        "end_of_stream": not more,
    }


def export_by_time(url: str, query: httpx.QueryParams, records: Records, kind: str, show: Show) -> Values:
    """Records changed at `start_time` or later. A second is never split over two pages; the next page
    starts with the last second of this one, so it repeats items."""
    start, size = _start(query, records), _size(query)
    following = records.changed(kind, (start - 1, 1 << 62), _newest(records))
    places: list[tuple[int, int]] = []
    over = None
    for place in following:
        if len(places) >= size and places[-1][0] not in (start, place[0]):
            over = place
            break
        places.append(place)
    end = places[-1][0] if places else start
    return {
        **show([id for _, id in places]),
        "count": len(places),
        "end_time": end,
        "next_page": f"{url}?start_time={end}" if places else None,
        "end_of_stream": over is None,
    }


def _newest(records: Records) -> int:
    return int((records.now() - HIDDEN).timestamp())


def _start(query: httpx.QueryParams, records: Records) -> int:
    start = whole(query, "start_time")
    if start > _newest(records):
        raise VendorError(422, "InvalidValue", "Too recent start_time. Use a start_time older than 1 minute")
    return start


def _size(query: httpx.QueryParams) -> int:
    return min(max(1, whole(query, "per_page", MOST_PER_EXPORT)), MOST_PER_EXPORT)
