"""Where the next page is."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from pydantic import TypeAdapter

from trueup.connectors.manifest import Paging, Request, Stream
from trueup.connectors.paging import first_after, next_after, next_link, rows_of
from trueup.connectors.verdict import Answer
from trueup.errors import Malformed

PAGING: TypeAdapter[Any] = TypeAdapter(Paging)


def stream(size: int = 2, **paging: Any) -> Stream:
    return Stream(
        request=Request(path="/x"), records="data", size=size, paging=PAGING.validate_python(paging)
    )


def answer(body: Any = None, *headers: tuple[str, str]) -> Answer:
    return Answer(200, httpx.Headers(list(headers)), body)


def after(
    words: Stream, body: Any, rows: int = 2, now: Any = None, header: tuple[str, str] = ("x", "")
) -> Any:
    found = [{"id": str(number + 1)} for number in range(rows)]
    return next_after(words, "id", answer(body, header), found, now)


def test_a_cursor_is_taken_from_the_answer_and_ends_where_it_is_missing() -> None:
    words = stream(kind="cursor", token="paging.next.after")
    assert after(words, {"paging": {"next": {"after": "7"}}}) == "7"
    assert after(words, {}) is None


def test_a_cursor_goes_on_past_an_empty_page() -> None:
    assert after(stream(kind="cursor", token="next"), {"next": "7"}, rows=0) == "7"


def test_a_cursor_ends_where_the_answer_says_that_there_is_no_more() -> None:
    words = stream(kind="cursor", token="after", more="!end_of_stream")
    assert after(words, {"after": "7", "end_of_stream": False}) == "7"
    assert after(words, {"after": "8", "end_of_stream": True}) is None


def test_a_cursor_that_stands_still_is_an_error_not_an_endless_loop() -> None:
    with pytest.raises(Malformed):
        after(stream(kind="cursor", token="next"), {"next": "7"}, now="7")


def test_the_next_address_is_taken_from_body_or_link_header() -> None:
    assert (
        after(stream(kind="next_url", url="nextRecordsUrl"), {"nextRecordsUrl": "/q/1-2000"}) == "/q/1-2000"
    )
    header = '<https://a.example/?p=1>; rel="prev", <https://a.example/?p=3>; rel="next"'
    assert after(stream(kind="link_header"), {}, header=("Link", header)) == "https://a.example/?p=3"
    assert after(stream(kind="link_header"), {}) is None


@pytest.mark.parametrize(
    ("header", "address"),
    [
        ("<https://a.example/?a=1,2>; rel=next", "https://a.example/?a=1,2"),
        ('</x>; title="next"; rel="last"', None),
        ('</x>; rel="last next"', "/x"),
        ("nonsense", None),
    ],
)
def test_link_headers_are_read_as_the_standard_says(header: str, address: str | None) -> None:
    assert next_link(header) == address


def test_a_header_token_ends_with_its_word() -> None:
    words = stream(kind="header_token", header="X-Locator", end="null")
    assert after(words, None, header=("X-Locator", "abc")) == "abc"
    assert after(words, None, header=("X-Locator", "null")) is None


def test_offsets_count_records_and_pages_count_pages() -> None:
    offset, page = stream(kind="offset"), stream(kind="page")
    assert (first_after(offset.paging), after(offset, {}, rows=2, now=4)) == (0, 6)
    assert (first_after(page.paging), after(page, {}, rows=2, now=1)) == (1, 2)
    assert after(offset, {}, rows=1, now=4) == 5  # a short page may hide filtered rows
    assert after(offset, {}, rows=0, now=5) is None
    assert after(stream(kind="offset", end="short"), {}, rows=1, now=4) is None


def test_a_keyset_goes_on_after_the_last_key() -> None:
    words = stream(kind="keyset", start="0")
    assert (first_after(words.paging), after(words, {}, rows=2, now="0")) == ("0", "2")
    assert after(words, {}, rows=1, now="2") is None
    flagged = stream(kind="keyset", start="0", more="next")
    assert after(flagged, {"next": 1}, rows=1, now="0") == "1"
    assert after(flagged, {}, rows=2, now="0") is None


def test_a_missing_list_is_an_error_and_204_is_an_empty_one() -> None:
    assert rows_of("data", answer({"data": []})) == []
    assert rows_of("data", Answer(204, {}, None)) == []
    assert rows_of("data", answer({"data": {"1": {"id": 1}}})) == [{"id": 1}]
    broken: list[Any] = [{}, {"data": None}, None, [], {"data": "x"}]
    for body in broken:
        with pytest.raises(Malformed):
            rows_of("data", answer(body))


def test_a_keyset_by_stamp_goes_on_past_a_record_that_is_edited_while_it_is_read() -> None:
    words, rows = stream(1, kind="keyset"), [{"id": "7"}]
    stamps = ("2026-03-01T10:00:00+00:00", "2026-03-01T10:00:05+00:00")
    assert next_after(words, "id", answer({}), rows, "7", stamps) == "7"
    with pytest.raises(Malformed):
        next_after(words, "id", answer({}), rows, "7", (stamps[0], stamps[0]))
