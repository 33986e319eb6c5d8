"""Dates that PostgreSQL has and no calendar: a bad value of one field of one row, and the reading goes on."""

from __future__ import annotations

import pytest

from tests.connectors.sql.conftest import Database, read_all
from trueup.connectors.base import Done, WriteItem
from trueup.model.delivery import WriteKind
from trueup.model.record import Reading

LISTING, CHANGES = Reading.LISTING, Reading.CHANGES
BEYOND = ["infinity", "-infinity", "4713-01-01 BC", "12000-01-01"]
TOLD = "holds a date that no calendar has"

pytestmark = [
    pytest.mark.server,
    pytest.mark.parametrize("database", ["postgresql"], indirect=True),
]


@pytest.fixture
def table(database: Database) -> Database:
    """Two people, the first and the last of three rows; `null` says whether a stamp may be missing."""
    database.run(
        "create table t (id integer primary key, name text, born date, seen timestamp, met timestamptz,"
        " updated_at timestamptz)"
    )
    for id, name in ((1, "Ann"), (3, "Cid")):
        database.run(
            "insert into t values (:id, :name, '2000-01-01', '2026-01-05 10:00', '2026-01-05 10:00+00',"
            " '2026-01-05 10:00+00')",
            {"id": id, "name": name},
        )
    return database


FIELDS = ("name", "born", "seen", "met")


@pytest.mark.parametrize("value", BEYOND)
@pytest.mark.parametrize("column", ["born", "seen", "met"])
def test_a_date_beyond_any_calendar_is_a_bad_value_of_one_field(
    table: Database, column: str, value: str
) -> None:
    table.run(f"insert into t (id, name, {column}) values (2, 'Bob', '{value}')")
    records, page = read_all(table.connector(t={"key": "id"}), "t", LISTING, fields=FIELDS)
    assert [record.values["name"] for record in records] == ["Ann", "Bob", "Cid"]
    assert column not in records[1].values
    assert page.rejected == ((f"2.{column}", TOLD),)


@pytest.mark.parametrize("null", ["", "not null"], ids=["nullable", "not-null"])
@pytest.mark.parametrize("value", BEYOND)
def test_a_stamp_beyond_any_calendar_hides_no_row(table: Database, value: str, null: str) -> None:
    if null:
        table.run("alter table t alter updated_at set not null")
    table.run(f"insert into t (id, name, updated_at) values (2, 'Bob', '{value}')")
    connector = table.connector(t={"key": "id", "changed_at": "updated_at"})
    records, page = read_all(connector, "t", LISTING, fields=FIELDS)
    assert [record.values["name"] for record in records] == ["Ann", "Bob", "Cid"]
    assert records[1].changed_at is None
    table.run("update t set name = 'Eve', updated_at = '2026-01-06 10:00+00' where id = 3")
    changed, _ = read_all(connector, "t", CHANGES, page.cursor, fields=FIELDS)
    assert "Eve" in [record.values["name"] for record in changed]
    assert len(changed) == len({record.id for record in changed})


def test_many_rows_without_end_are_read_page_by_page(table: Database) -> None:
    many = "select n, 'P', 'infinity' from generate_series(10, 1300) n"
    table.run(f"insert into t (id, name, updated_at) {many}")
    connector = table.connector(t={"key": "id", "changed_at": "updated_at"})
    since = {"since": "2026-01-05T00:00:00+00:00"}
    changed, _ = read_all(connector, "t", CHANGES, since, fields=("name",))
    assert len({record.id for record in changed}) == len(changed) == 1293


def test_such_a_row_is_written_and_has_a_stamp_from_then_on(table: Database) -> None:
    table.run("alter table t alter updated_at set not null")
    table.run("insert into t (id, name, updated_at) values (2, 'Bob', 'infinity')")
    connector = table.connector(t={"key": "id", "changed_at": "updated_at"})
    (record,) = connector.read("t", ["2"], ["name"])
    item = WriteItem("w1", WriteKind.UPDATE, "2", {"name": "Bert"}, version=record.version)
    (outcome,) = connector.write("t", [item], ["name"])
    assert isinstance(outcome, Done)
    assert table.rows("select name, isfinite(updated_at) from t where id = 2") == [("Bert", True)]
