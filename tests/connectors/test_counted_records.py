"""Lists of which the next page is asked for by a count of records, while records go and come."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest
from pydantic import ValidationError

from tests.connectors.test_rest import PEOPLE, person, toy
from trueup.model.record import Cursor, Page, Reading


class Shelf:
    """A list in which records are counted; `then` happens after so many pages."""

    def __init__(
        self, ids: str, then: dict[int, Callable[[list[str]], None]] | None = None, most: int = 99
    ) -> None:
        self.ids, self.then, self.most = list(ids), then or {}, most
        self.asked: list[int] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        at, size = int(request.url.params["at"]), min(int(request.url.params["size"]), self.most)
        found = self.ids[at : at + size]
        self.asked.append(at)
        self.then.get(len(self.asked), lambda ids: None)(self.ids)
        return httpx.Response(200, json={"people": [person(id) for id in found]})


def listed(shelf: Shelf, size: int = 3, end: str = "empty", from_: Cursor | None = None) -> list[Page]:
    listing = {
        "request": {"path": "/people", "query": {"at": "{after}", "size": "{limit}"}},
        "records": "people",
        "size": size,
        "paging": {"kind": "offset", "end": end},
    }
    known = toy(shelf, objects={"people": {**PEOPLE, "listing": listing}})
    cursor, found = from_, []
    while not found or found[-1].more:
        found.append(known.pull("people", Reading.LISTING, cursor, ["name"]))
        cursor = found[-1].cursor
        assert len(found) < 40
    return found


def brought(pages: list[Page]) -> str:
    return "".join(record.id for page in pages for record in page.records)


@pytest.mark.parametrize("end", ["empty", "short"])
@pytest.mark.parametrize("size", [2, 3, 8, 9])
@pytest.mark.parametrize("ids", ["", "a", "abc", "abcdefgh"])
def test_a_list_that_stands_still_is_brought_once(ids: str, size: int, end: str) -> None:
    pages = listed(Shelf(ids), size, end)
    assert brought(pages) == ids
    assert not any(page.anew for page in pages)


def test_a_page_of_one_counted_record_is_refused_as_nothing_could_be_seen_in_it() -> None:
    with pytest.raises(ValidationError, match="needs a `size` of 2 or more"):
        listed(Shelf("abc"), 1)


def test_each_page_is_asked_for_from_the_last_record_on_and_the_end_is_made_sure_of() -> None:
    shelf = Shelf("abcde")
    listed(shelf)
    assert shelf.asked == [0, 2, 4, 5]
    short = Shelf("abcde")
    listed(short, end="short")
    assert short.asked == [0, 2, 4]


@pytest.mark.parametrize("gone", "abcdefgh")
@pytest.mark.parametrize("after", [1, 2, 3])
@pytest.mark.parametrize("size", [2, 3])
def test_a_record_that_goes_meanwhile_hides_no_other(gone: str, after: int, size: int) -> None:
    for end in ("empty", "short"):
        found = brought(listed(Shelf("abcdefgh", {after: lambda ids: ids.remove(gone)}), size, end))
        assert set("abcdefgh") - {gone} <= set(found)


def test_many_that_go_at_once_hide_no_other() -> None:
    def first_five(ids: list[str]) -> None:
        del ids[:5]

    pages = listed(Shelf("abcdefghijk", {2: first_five}))
    assert set("fghijk") <= set(brought(pages))


def test_where_the_last_record_itself_went_the_reading_begins_anew() -> None:
    pages = listed(Shelf("abcdefgh", {1: lambda ids: ids.remove("c")}))
    anew = next(place for place, page in enumerate(pages) if page.anew)
    assert brought(pages[anew:]) == "abdefgh"


def test_a_reading_that_was_broken_off_goes_on_behind_a_record_that_went() -> None:
    first = listed(Shelf("abcdefgh"))[0]
    assert brought(listed(Shelf("bcdefgh"), from_=first.cursor)) == "defgh"


def test_pages_that_are_shorter_than_asked_for_do_not_end_the_list() -> None:
    assert brought(listed(Shelf("abcdefgh", most=1))) == "abcdefgh"
    assert brought(listed(Shelf("abcdefgh", most=2))) == "abcdefgh"


def test_a_record_that_comes_in_front_is_found_and_none_is_left_out() -> None:
    def in_front(ids: list[str]) -> None:
        ids.insert(0, "z")

    assert set("abcdefgh") <= set(brought(listed(Shelf("abcdefgh", {1: in_front}))))


def test_a_list_in_any_order_ends_after_a_few_times() -> None:
    def other(ids: list[str]) -> None:
        ids[:] = [chr((ord(one) - 97 + 11) % 26 + 97) for one in ids]

    shelf = Shelf("abcdefghijk", dict.fromkeys(range(1, 40), other))
    pages = listed(shelf)
    assert sum(page.anew for page in pages) == 3
