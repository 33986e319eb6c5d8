"""Listings, changes, look-ups: nothing is lost, nothing is read twice without need."""

from __future__ import annotations

import os
import random
from datetime import datetime, timedelta

import pytest

from tests.connectors.sql.conftest import Database, read_all
from trueup.connectors.base import Capability, Done, GoneItem, WriteItem
from trueup.errors import Refused
from trueup.model.delivery import WriteKind
from trueup.model.record import Cursor, Reading, Record

ROWS = int(os.environ.get("TRUEUP_ROWS", "10000"))
CHANGES, LISTING = Reading.CHANGES, Reading.LISTING
DAY = "2026-03-01 10:00:00"


def emails(records: list[Record]) -> list[str]:
    return [str(record.values["email"]) for record in records]


def fill(shop: Database, count: int, stamp: str = DAY) -> None:
    shop.run(
        "insert into customers (email, name, updated_at) values (:email, 'A', :at)",
        [{"email": f"p{number:05}@example.com", "at": stamp} for number in range(count)],
    )


def test_a_listing_brings_every_row_once(shop: Database) -> None:
    fill(shop, 2500)
    records, page = read_all(shop.shop(), "customers", LISTING)
    assert sorted(emails(records)) == [f"p{number:05}@example.com" for number in range(2500)]
    assert page.rejected == ()


def test_rows_deleted_between_pages_hide_no_other_row(shop: Database) -> None:
    fill(shop, 2500)
    connector = shop.shop()
    first = connector.pull("customers", LISTING, None, ["email"])
    shop.run("delete from customers where customer_id <= 700")
    rest, _ = read_all(connector, "customers", LISTING, first.cursor)
    assert len(first.records) + len(rest) == 2500


def test_changes_after_a_listing_begin_where_it_began(shop: Database) -> None:
    fill(shop, 1500)
    connector = shop.shop(lookback=0)
    first = connector.pull("customers", LISTING, None, ["email"])
    shop.run("update customers set phone = '1', updated_at = '2026-03-01 10:00:05' where customer_id = 1")
    _, last = read_all(connector, "customers", LISTING, first.cursor)
    records, _ = read_all(connector, "customers", CHANGES, last.cursor)
    assert "1" in [record.id for record in records]


def test_twelve_thousand_rows_with_one_stamp_are_all_read(shop: Database) -> None:
    fill(shop, 12_000)
    records, last = read_all(shop.shop(), "customers", CHANGES)
    assert len({record.id for record in records}) == len(records) == 12_000
    assert len(str(last.cursor)) < 500


def test_a_row_that_gets_the_stamp_of_the_cursor_later_is_found(shop: Database) -> None:
    shop.add("a@example.com", DAY)
    connector = shop.shop(lookback=0)
    _, last = read_all(connector, "customers", CHANGES)
    shop.add("b@example.com", DAY)
    records, _ = read_all(connector, "customers", CHANGES, last.cursor)
    assert "b@example.com" in emails(records)


def test_a_late_commit_within_the_lookback_is_found(shop: Database) -> None:
    shop.add("a@example.com", DAY)
    connector = shop.shop(lookback="5m")
    _, last = read_all(connector, "customers", CHANGES)
    shop.add("late@example.com", "2026-03-01 09:56:00")
    shop.add("lost@example.com", "2026-03-01 09:54:00")
    records, _ = read_all(connector, "customers", CHANGES, last.cursor)
    assert emails(records) == ["late@example.com", "a@example.com"]


def test_an_edit_during_the_reading_is_seen_by_it_or_by_the_next(shop: Database) -> None:
    fill(shop, 1500)
    connector = shop.shop(lookback=0)
    first = connector.pull("customers", CHANGES, None, ["email", "phone"])
    shop.run("update customers set phone = '7', updated_at = '2026-03-01 11:00:00' where customer_id = 3")
    rest, last = read_all(connector, "customers", CHANGES, first.cursor, ("email", "phone"))
    later, _ = read_all(connector, "customers", CHANGES, last.cursor, ("email", "phone"))
    assert {"7"} == {record.values["phone"] for record in rest + later if record.id == "3"}


def test_a_stamp_in_the_future_does_not_hide_later_edits(shop: Database) -> None:
    shop.add("a@example.com", DAY)
    shop.add("future@example.com", "2099-01-01 00:00:00")
    connector = shop.shop()
    _, listed = read_all(connector, "customers", LISTING)
    _, changed = read_all(connector, "customers", CHANGES)
    shop.add("b@example.com", "2026-03-02 10:00:00")
    for cursor in (listed.cursor, changed.cursor):
        records, _ = read_all(connector, "customers", CHANGES, cursor)
        assert "b@example.com" in emails(records)


def test_of_a_base_that_is_written_all_the_time_readers_that_die_lose_no_row(shop: Database) -> None:
    """Hundreds of rows share a stamp, one in ten is committed up to five minutes late, between pages too, and
    every fifth page is read by a process that dies before it has stored it."""
    dice, now = random.Random(1), datetime(2026, 3, 1, 10)
    there = 0

    def commit(count: int) -> None:
        nonlocal there
        late = [dice.randint(0, 299) if dice.random() < 0.1 else 0 for _ in range(count)]
        rows = [
            {"email": f"p{there + place}@example.com", "at": str(now - timedelta(seconds=seconds))}
            for place, seconds in enumerate(late)
        ]
        there += count
        shop.run("insert into customers (email, name, updated_at) values (:email, 'A', :at)", rows)

    stored: set[str] = set()
    cursor: Cursor | None = None
    died = 0
    for _ in range(10):
        now += timedelta(minutes=1)
        commit(ROWS // 10)
        connector, more = shop.shop(lookback="5m"), True
        while more:
            page = connector.pull("customers", CHANGES, cursor, ["email"])
            if dice.random() < 0.2:
                connector, died = shop.shop(lookback="5m"), died + 1
                continue
            stored.update(emails(list(page.records)))
            cursor, more = page.cursor, page.more
            commit(dice.randint(1, 3))
    records, _ = read_all(connector, "customers", CHANGES, cursor)
    stored.update(emails(records))
    assert stored == {f"p{number}@example.com" for number in range(there)}
    assert there >= ROWS and died >= 3


ODD_STAMPS = ("2026-01-31 24:00:00", "2026-02-30 10:00:00", "0001-01-01 00:00:00", "-4713-01-01", "soon")


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # elsewhere a stamp is a time
@pytest.mark.parametrize("odd", ODD_STAMPS)
def test_an_odd_stamp_does_not_end_the_reading_and_hides_no_other_row(shop: Database, odd: str) -> None:
    shop.add("odd@example.com", odd)
    connector = shop.shop()
    records, listed = read_all(connector, "customers", LISTING)
    assert emails(records) == ["odd@example.com"]
    shop.add("b@example.com", "2026-03-01 10:00:00")
    records, changed = read_all(connector, "customers", CHANGES, listed.cursor)
    assert "b@example.com" in emails(records)
    shop.add("c@example.com", "2026-03-01 10:00:01")
    assert "c@example.com" in emails(read_all(connector, "customers", CHANGES, changed.cursor)[0])


@pytest.mark.parametrize("lost", [{"since": "2026-01-31 24:00:00.000"}, {"since": "2026-13-01", "high": "x"}])
def test_a_place_that_cannot_be_read_is_started_from_anew(shop: Database, lost: dict[str, str]) -> None:
    shop.add("a@example.com", DAY)
    assert emails(read_all(shop.shop(), "customers", CHANGES, lost)[0]) == ["a@example.com"]


def test_a_number_above_all_numbers_does_not_become_the_place(database: Database) -> None:
    kind, infinite = ("numeric", "'NaN'") if database.postgres else ("real", "9e999")
    database.run(f"create table t (id integer primary key, email text, at {kind})")
    database.run(f"insert into t values (1, 'a', {infinite}), (2, 'b', 1767225600)")
    connector = database.connector(t={"key": "id", "changed_at": "at"})
    _, last = read_all(connector, "t", CHANGES)
    database.run("insert into t values (3, 'c', 1767225601)")
    assert "c" in emails(read_all(connector, "t", CHANGES, last.cursor)[0])


@pytest.mark.parametrize("stamp", ["0001-01-01 00:00:00", "9999-12-31 23:59:59.999"])
def test_the_first_and_the_last_moment_that_there_are_can_be_written_to(shop: Database, stamp: str) -> None:
    shop.add("a@example.com", stamp)
    item = WriteItem("k", WriteKind.UPDATE, "1", {"name": "B"})
    assert isinstance(shop.shop().write("customers", [item], ["name"])[0], Done)


def test_rows_without_a_stamp_are_read_every_time_with_their_content_as_version(shop: Database) -> None:
    shop.add("a@example.com", None)
    connector = shop.shop()
    (before,), last = read_all(connector, "customers", CHANGES)
    shop.run("update customers set phone = '1'")
    (after,), _ = read_all(connector, "customers", CHANGES, last.cursor)
    assert before.version != after.version
    assert after.changed_at is None


def test_several_stamp_columns_count_in_their_order(shop: Database) -> None:
    shop.run("alter table customers add column created timestamp")
    shop.run(
        "insert into customers (name, email, created) values ('A', 'a@example.com', '2026-03-01 10:00:00')"
    )
    connector = shop.shop(changed_at=["updated_at", "created"])
    (record,), _ = read_all(connector, "customers", CHANGES)
    assert record.changed_at is not None and record.changed_at.isoformat() == "2026-03-01T10:00:00+00:00"


def test_nothing_changed_is_an_empty_page(shop: Database) -> None:
    connector = shop.shop(lookback=0)
    _, listed = read_all(connector, "customers", LISTING)
    records, page = read_all(connector, "customers", CHANGES, listed.cursor)
    assert records == []
    assert read_all(connector, "customers", CHANGES, page.cursor)[0] == []


def test_without_changed_at_there_are_only_listings(shop: Database) -> None:
    connector = shop.shop(changed_at=None)
    capabilities = connector.objects()["customers"].capabilities
    assert Capability.INCREMENTAL not in capabilities and Capability.COMPLETE_LISTING in capabilities
    with pytest.raises(Refused):
        connector.pull("customers", CHANGES, {"since": None}, ["email"])


def test_without_changed_at_the_version_is_the_content(shop: Database) -> None:
    shop.add("a@example.com", None)
    connector = shop.shop(changed_at=None)
    (before,), _ = read_all(connector, "customers", LISTING)
    shop.run("update customers set phone = '1'")  # not among the fields that are read
    (after,), _ = read_all(connector, "customers", LISTING)
    assert before.version != after.version and before.values == after.values


def test_a_numeric_stamp_works_like_a_time(database: Database) -> None:
    database.run("create table t (id integer primary key, email text, at bigint)")
    database.run("insert into t values (1, 'a', 1767225600000), (2, 'b', 1767225600000)")
    connector = database.connector(t={"key": "id", "changed_at": "at", "lookback": 60})
    records, last = read_all(connector, "t", CHANGES)
    assert [str(record.changed_at) for record in records] == ["2026-01-01 00:00:00+00:00"] * 2
    database.run("insert into t values (3, 'c', 1767225590000)")
    assert "c" in emails(read_all(connector, "t", CHANGES, last.cursor)[0])


def test_a_counter_as_stamp_orders_without_being_a_time(database: Database) -> None:
    database.run("create table t (id integer primary key, email text, revision integer)")
    database.run("insert into t values (1, 'a', 0), (2, 'b', 5)")
    connector = database.connector(t={"key": "id", "changed_at": "revision"})
    records, last = read_all(connector, "t", CHANGES)
    assert [record.changed_at for record in records] == [None, None]
    database.run("update t set revision = 6 where id = 1")
    assert emails(read_all(connector, "t", CHANGES, last.cursor)[0]) == ["b", "a"]


def test_text_keys_page_in_the_databases_own_order(database: Database) -> None:
    database.run("create table t (code varchar(20) primary key, email text)")
    codes = [f"{word}{number}" for number in range(400) for word in ("a", "B", "é", "z-")]
    database.run("insert into t values (:code, 'x')", [{"code": code} for code in codes])
    records, _ = read_all(database.connector(t={"key": "code"}), "t", LISTING)
    assert sorted(record.id for record in records) == sorted(codes)


def test_a_view_can_be_read_and_repeated_or_empty_keys_are_reported(database: Database) -> None:
    database.run("create table orders (person integer, email text)")
    database.run("insert into orders values (1, 'a'), (2, 'b'), (2, 'c'), (null, 'd')")
    database.run("create view people as select person, email from orders")
    records, page = read_all(database.connector(people={"key": "person"}), "people", LISTING)
    assert [record.id for record in records] == ["1", "2"]
    assert set(page.rejected) == {("2", "another row has the same key"), ("1 row", "`person` is empty")}


COMPUTED = (
    "create view v as select id + 0 as id, email from people",
    "create view v as select 'p' || id as id, email from people",
    "create view v as select cast(id as text) as id, email from people",
    "create view v as select id + 0.5 as id, email from people",
    "create table v as select id + 0 as id, email from people",
    "create table v (id numeric primary key, email text)",
)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # elsewhere every column has a type
@pytest.mark.parametrize("made", COMPUTED)
def test_every_listed_id_leads_to_its_row(database: Database, made: str) -> None:
    database.run("create table people (id integer primary key, email text)")
    database.run("insert into people values (1, 'a'), (2, 'b'), (30, 'c')")
    database.run(made)
    if made.endswith("text)"):
        database.run("insert into v values (1, 'a'), (2.5, 'b')")
    connector = database.connector(v={"key": "id"})
    listed, _ = read_all(connector, "v", LISTING)
    assert list(connector.read("v", [record.id for record in listed], ["email"])) == listed


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_keys_with_fractions_page_like_others(database: Database) -> None:
    database.run("create table t (id, email text)")
    database.run("insert into t values (:id, 'a')", [{"id": number + 0.5} for number in range(1500)])
    records, page = read_all(database.connector(t={"key": "id"}), "t", LISTING)
    assert (len(records), page.rejected) == (1500, ())
    done = database.connector(t={"key": "id"}).write("t", [WriteItem("k", WriteKind.DELETE, "7.5", {})], [])
    assert done == [Done("7.5")]


def test_records_read_by_id_come_in_the_order_asked_and_missing_ones_are_gone(shop: Database) -> None:
    for letter in "abc":
        shop.add(f"{letter}@example.com", DAY)
    found = shop.shop().read("customers", ["3", "99", "x", "99999999999999999999", "1"], ["email"])
    assert [item if isinstance(item, GoneItem) else item.id for item in found] == [
        "3",
        GoneItem(),
        GoneItem(),
        GoneItem(),
        "1",
    ]


def test_a_row_is_the_same_record_however_it_is_read(shop: Database) -> None:
    shop.add("a@example.com", "2026-03-01 10:00:00.123456")
    connector = shop.shop()
    (listed,), _ = read_all(connector, "customers", LISTING)
    (changed,), _ = read_all(connector, "customers", CHANGES)
    assert [listed] == [changed] == list(connector.read("customers", ["1"], ["email"]))
    assert [listed] == list(connector.find("customers", "email", ["a@example.com"], ["email"]))


def test_text_is_found_without_regard_to_case(shop: Database) -> None:
    shop.add("Ann@Example.com", DAY, name="Zoë")
    connector = shop.shop(keys=["email", "name"])
    assert connector.objects()["customers"].keys == ("email", "name", "customer_id")
    assert len(connector.find("customers", "email", ["ann@example.COM", "b@example.com"], ["name"])) == 1
    assert connector.find("customers", "email", ["nn@example.com"], []) == []
    assert connector.find("customers", "email", ["%"], []) == []


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # elsewhere the collation decides
def test_text_beyond_ascii_is_found_without_regard_to_case_on_sqlite(shop: Database) -> None:
    shop.add("a@example.com", DAY, name="Zoë Öhm")
    assert len(shop.shop().find("customers", "name", ["ZOË ÖHM"], [])) == 1


def test_numbers_are_found_by_value(shop: Database) -> None:
    shop.add("a@example.com", DAY)
    assert len(shop.shop().find("customers", "customer_id", ["1", 2, "x"], [])) == 1


def test_a_mapped_column_that_the_table_does_not_have_stops_the_reading_until_it_is_there(
    shop: Database,
) -> None:
    shop.add("a@example.com", DAY)
    connector = shop.shop()
    for reading in (LISTING, CHANGES):
        with pytest.raises(Refused, match="`customers` has no column `nme`; did you mean `name`") as caught:
            connector.pull("customers", reading, None, ["email", "nme"])
        assert caught.value.code == "TU-REF-020"
    shop.run("alter table customers add column nme varchar(9)")
    (record,), _ = read_all(connector, "customers", LISTING, fields=("email", "nme"))
    assert record.values == {"email": "a@example.com", "nme": None}


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)  # SQLite's driver decodes everything
def test_one_row_that_cannot_be_decoded_does_not_hide_the_others(database: Database) -> None:
    database.run("create table t (id integer primary key, closes time)")
    database.run("insert into t values (1, '17:00'), (2, '24:00'), (3, '18:00')")
    records, page = read_all(database.connector(t={"key": "id"}), "t", LISTING, fields=("closes",))
    assert [record.id for record in records] == ["1", "3"]
    assert page.rejected == (("2", "holds a value that cannot be read"),)
