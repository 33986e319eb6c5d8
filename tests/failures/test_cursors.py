"""F024 to F043: what changed is read, whatever the stamps, the pages and the moment of a crash."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.connectors.accept.cards import Cards, shelf_of
from tests.connectors.sql.conftest import Database, read_all
from tests.demands.hubs import Setting, hub_of, person, told, until_quiet, written
from tests.sync.memory import Clock, Memory
from tests.sync.small_hub import SmallHub
from trueup.errors import Transient
from trueup.model.record import Cursor, Page, Reading
from trueup.testing.acceptance.verdict import ask_all

CHANGES, LISTING = Reading.CHANGES, Reading.LISTING
DAY = "2026-03-01 10:00:00"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Database]:
    """A database with the (still empty) table `customers`."""
    (tmp_path / "shop.db").touch()
    url = f"sqlite:///{tmp_path / 'shop.db'}"
    database = Database(url, sa.create_engine(url))
    database.make_customers()
    yield database
    for connector in database.opened:
        connector.close()
    database.engine.dispose()


def pair(folder: Path, clock: Clock, people: int) -> SmallHub:
    """A source that is read and a target, in step."""
    systems = {"source": Memory(clock, page=4), "target": Memory(clock, page=100)}
    hub = hub_of(folder, clock, systems, Setting(create=("target",)))
    for number in range(people):
        systems["source"].add(**person(number, job_title="old"))
    hub.sync()
    hub.release()
    until_quiet(hub, clock)
    return hub


def emails(page: Page) -> list[object]:
    return [record.values["email"] for record in page.records]


def test_f025_a_crash_between_two_pages_of_equal_stamps_loses_none_of_them(shop: Database) -> None:
    rows = [{"email": f"p{number:05}@example.com", "at": DAY} for number in range(2500)]
    shop.run("insert into customers (email, name, updated_at) values (:email, 'A', :at)", rows)
    found: list[object] = []
    cursor: Cursor | None = None
    more = True
    while more:  # each page is read by a process of its own, from what the one before had stored
        page = shop.shop(lookback=0).pull("customers", CHANGES, cursor, ["email"])
        found += emails(page)
        cursor, more = json.loads(json.dumps(page.cursor)), page.more
    assert sorted(map(str, found)) == [row["email"] for row in rows]


def test_f029_a_stamp_finer_than_the_cursor_hides_no_later_row(shop: Database) -> None:
    shop.add("a@example.com", f"{DAY}.123456")
    connector = shop.shop(lookback=0)
    _, last = read_all(connector, "customers", CHANGES)
    for email, stamp in (("b@example.com", f"{DAY}.123789"), ("c@example.com", f"{DAY}.123457")):
        shop.add(email, stamp)
    found, _ = read_all(connector, "customers", CHANGES, last.cursor)
    assert {record.values["email"] for record in found} >= {"b@example.com", "c@example.com"}


def test_f032_a_reading_that_failed_moves_the_place_no_further_than_what_it_stored(
    tmp_path: Path, clock: Clock
) -> None:
    hub = pair(tmp_path, clock, 10)
    source = hub.systems["source"]
    before = (hub.store.stream("source", "people").cursor or {})["since"]
    for id in source.rows:
        source.edit(id, job_title="new")
    answers: list[Exception | None] = [None, Transient("503")]
    pull = source.pull

    def fails(*args: object) -> Page:
        error = answers.pop(0) if answers else None
        if error is not None:
            raise error
        return pull(*args)  # type: ignore[arg-type]

    source.pull = fails  # type: ignore[method-assign, assignment]
    hub.sync()
    assert (hub.store.stream("source", "people").cursor or {})["since"] == before
    source.edit("1", job_title="newer")
    until_quiet(hub, clock)
    assert sorted(map(str, told(hub.systems["target"], "job_title"))) == ["new"] * 9 + ["newer"]


def test_f038_zero_is_a_place_like_any_other(shop: Database) -> None:
    shop.run("create table t (id integer primary key, email text, at integer)")
    ids = range(-999, 3)  # a page of a thousand ends with the id 0
    shop.run("insert into t values (:id, 'a', 0)", [{"id": id} for id in ids])
    connector = shop.connector(t={"key": "id", "changed_at": "at", "lookback": 0})
    for reading in (LISTING, CHANGES):
        records, last = read_all(connector, "t", reading)
        assert [record.id for record in records] == [str(id) for id in ids]
    shop.run("update t set at = 1 where id = 0")
    shop.run("insert into t values (3, 'c', 0)")
    records, last = read_all(connector, "t", CHANGES, last.cursor)
    assert {"0", "3"} <= {record.id for record in records}
    assert [record.id for record in read_all(connector, "t", CHANGES, last.cursor)[0]] == ["0"]


def test_f040_three_that_are_made_in_one_second_out_of_order_are_three(
    shop: Database, tmp_path: Path, clock: Clock
) -> None:
    connector = shop.shop(lookback=1)
    shop.add("first@example.com", f"{DAY}.900")
    records, last = read_all(connector, "customers", CHANGES)
    shop.add("second@example.com", f"{DAY}.300")
    shop.add("third@example.com", f"{DAY}.600")
    records += read_all(connector, "customers", CHANGES, last.cursor)[0]
    assert {record.values["email"] for record in records} == {
        "first@example.com",
        "second@example.com",
        "third@example.com",
    }


def test_f041_two_edits_of_one_record_one_after_the_other_both_arrive(tmp_path: Path, clock: Clock) -> None:
    hub = pair(tmp_path, clock, 1)
    for title in ("one", "two", "old"):
        hub.systems["source"].edit("1", job_title=title)
        hub.sync()
        assert told(hub.systems["target"], "job_title") == [title]


class CutWithTheNewestPlace(Cards):
    """Of many changes it shows the first page, and says that this is all up to now."""

    def pull(self, object: str, reading: Reading, cursor: Cursor | None, fields: object) -> Page:  # type: ignore[override]
        page = super().pull(object, reading, cursor, fields)  # type: ignore[arg-type]
        if reading is LISTING or not page.more:
            return page
        last = page
        while last.more:
            last = super().pull(object, reading, last.cursor, fields)  # type: ignore[arg-type]
        return Page(page.records, last.cursor, False)


def test_f042_a_page_that_was_cut_and_tells_the_newest_place_is_found_out_by_the_suite() -> None:
    failed = {
        name for name, verdict in ask_all(shelf_of(CutWithTheNewestPlace)).items() if not verdict.passed
    }
    assert "equal_stamps_lose_nothing" in failed


def test_f043_a_system_that_begins_anew_at_every_poll_costs_reading_and_no_write(
    tmp_path: Path, clock: Clock
) -> None:
    hub = pair(tmp_path, clock, 30)
    source, pull = hub.systems["source"], hub.systems["source"].pull

    def forgets(object: str, reading: Reading, cursor: Cursor | None, fields: list[str]) -> Page:
        page = pull(object, reading, cursor, fields)
        return page if page.more else Page(page.records, {"since": 0}, False)

    source.pull = forgets  # type: ignore[method-assign, assignment]
    hub.sync()
    before = written(hub)
    for _ in range(3):
        clock.tick(60)
        tally = hub.sync().tally
        assert tally.get("read", "source") == tally.get("same", "source") == 30
    assert written(hub) == before
