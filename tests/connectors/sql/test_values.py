"""Values, zones, metadata."""

from __future__ import annotations

import pytest

from tests.connectors.sql.conftest import Database, read_all
from trueup.connectors.base import Done, WriteItem
from trueup.model.delivery import WriteKind
from trueup.model.record import FieldSpec, Reading, Record

SEVEN = "2026-07-01 12:00:00"


def stamped(database: Database, zone: str, stamp: str) -> Record:
    database.make_customers()
    database.add("a@example.com", stamp)
    (record,), _ = read_all(
        database.connector(zone, customers={"key": "customer_id", "changed_at": "updated_at"}),
        "customers",
        Reading.LISTING,
        fields=("updated_at",),
    )
    return record


@pytest.mark.parametrize(
    ("zone", "utc"),
    [("UTC", "12"), ("Europe/Zurich", "10"), ("America/Los_Angeles", "19"), ("Pacific/Apia", "23")],
)
def test_a_stamp_without_a_zone_is_in_the_connections_zone(database: Database, zone: str, utc: str) -> None:
    record = stamped(database, zone, SEVEN)
    assert record.changed_at is not None and f"{record.changed_at:%H}" == utc
    assert record.values["updated_at"] == record.changed_at.isoformat()
    assert record.values["updated_at"].endswith("+00:00")


def test_a_date_time_is_written_in_the_connections_zone(database: Database) -> None:
    database.run("create table t (id integer primary key, seen timestamp)")
    connector = database.connector("Europe/Zurich", t={"key": "id"})
    values = {"id": 1, "seen": "2026-07-01T10:00:00+00:00"}
    (outcome,) = connector.write("t", [WriteItem("k", WriteKind.CREATE, None, values)], ["seen"])
    assert isinstance(outcome, Done) and outcome.record is not None
    assert outcome.record.values == {"seen": "2026-07-01T10:00:00+00:00"}
    assert str(database.rows("select seen from t")[0][0]).startswith(SEVEN)


@pytest.mark.parametrize("zone", ["America/Los_Angeles", "Pacific/Auckland"])
def test_zones_on_both_sides_of_utc_lose_no_change_and_read_none_for_ever(
    database: Database, zone: str
) -> None:
    database.make_customers()
    database.add("a@example.com", SEVEN)
    said = {"key": "customer_id", "changed_at": "updated_at", "lookback": 0}
    connector = database.connector(zone, customers=said)
    _, last = read_all(connector, "customers", Reading.CHANGES)
    database.add("b@example.com", "2026-07-01 12:00:01")
    records, last = read_all(connector, "customers", Reading.CHANGES, last.cursor)
    assert {record.values["email"] for record in records} == {"a@example.com", "b@example.com"}
    assert len(read_all(connector, "customers", Reading.CHANGES, last.cursor)[0]) == 1


def test_the_hour_that_is_lived_twice_loses_nothing(database: Database) -> None:
    database.make_customers()
    database.add("before@example.com", "2025-10-26 02:59:00")  # summer time
    said = {"key": "customer_id", "changed_at": "updated_at", "lookback": 0}
    connector = database.connector("Europe/Zurich", customers=said)
    _, last = read_all(connector, "customers", Reading.CHANGES)
    database.add("after@example.com", "2025-10-26 02:05:00")  # six minutes later, winter time
    records, _ = read_all(connector, "customers", Reading.CHANGES, last.cursor)
    assert "after@example.com" in [record.values["email"] for record in records]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_text_stamps_of_many_shapes_are_ordered_as_moments(database: Database) -> None:
    database.make_customers()
    shapes = {
        "b@x": "2026-03-01T09:30:00Z",
        "c@x": "2026-03-01 16:45:00+07:00",
        "a@x": "2026-03-01 09:00:00",
        "d@x": "2026-03-01 10:00:00.500",
        "e@x": 1772359201,  # 10:00:01
    }
    for email, stamp in shapes.items():
        database.add(email, stamp)  # type: ignore[arg-type]
    records, _ = read_all(database.shop(), "customers", Reading.CHANGES)
    assert [record.values["email"] for record in records] == ["a@x", "b@x", "c@x", "d@x", "e@x"]
    times = [str(record.changed_at) for record in records]
    assert times == sorted(times) and times[2] == "2026-03-01 09:45:00+00:00"


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_stamp_that_is_no_time_leaves_the_row_readable(database: Database) -> None:
    database.make_customers()
    database.add("a@x", "yesterday")
    records, _ = read_all(database.shop(), "customers", Reading.CHANGES, fields=("email", "updated_at"))
    assert [record.values for record in records] == [{"email": "a@x", "updated_at": "yesterday"}]


def test_values_come_as_json(database: Database) -> None:
    uuid = "uuid" if database.postgres else "varchar(36)"
    document = "jsonb" if database.postgres else "json"
    database.run(
        f"create table t (id integer primary key, i bigint, n numeric(12, 2), f float, b boolean, d date, "
        f"t text, u {uuid}, j {document}, h time, gap text)"
    )
    values = {
        "i": 2**53 + 1, "n": "-0.50", "f": 0.25, "b": False, "d": "1899-12-31", "t": " Zoë\n",
        "h": "23:59:58",
        "u": "6c9f2b1e-8f2b-4b0e-9d0a-0b8f6f0e7a11", "j": {"a": [1, None, "x"]}, "gap": None,
    }  # fmt: skip
    connector = database.connector(t={"key": "id"})
    connector.write("t", [WriteItem("k", WriteKind.CREATE, None, {"id": 1, **values})], [])
    (record,), _ = read_all(connector, "t", Reading.LISTING, fields=tuple(values))
    assert float(record.values["n"]) == -0.5 and isinstance(record.values["n"], str)
    assert {**record.values, "n": "-0.50"} == values


def test_bytes_are_reported_and_the_rest_of_the_row_is_read(database: Database) -> None:
    kind = "bytea" if database.postgres else "text"
    database.run(f"create table t (id integer primary key, email text, photo {kind})")
    blob = "'\\xff00'::bytea" if database.postgres else "x'ff00'"
    database.run(f"insert into t values (1, 'a', {blob})")
    connector = database.connector(t={"key": "id"})
    (record,), page = read_all(connector, "t", Reading.LISTING, fields=("email", "photo"))
    assert record.values == {"email": "a"}
    if not database.postgres:  # PostgreSQL's column says before that it holds bytes
        assert page.rejected == (("1.photo", "holds bytes"),)
    assert not {spec.name: spec for spec in connector.fields("t")}["photo"].writable or not database.postgres


def specs(database: Database) -> dict[str, FieldSpec]:
    database.make_customers()
    cities = {"entity": "company", "key": "id", "table": "cities"}
    connector = database.connector(customers={"key": "customer_id", "changed_at": "updated_at"}, towns=cities)
    return {spec.name: spec for spec in connector.fields("customers")}


def test_the_fields_are_what_the_database_says(database: Database) -> None:
    found = specs(database)
    assert {name: spec.type for name, spec in found.items()} == {
        "customer_id": "int", "email": "text", "name": "text", "phone": "text", "balance": "decimal",
        "no_mail": "bool", "born": "date", "city_id": "reference", "updated_at": "datetime",
    }  # fmt: skip
    assert (found["name"].required, found["email"].required, found["customer_id"].required) == (
        True,
        False,
        False,
    )
    assert (found["name"].max_length, found["email"].unique) == (40, True)
    assert found["city_id"].reference_to == ("towns",)
    assert not found["customer_id"].writable and not found["updated_at"].writable and found["email"].writable


def test_a_column_that_is_added_later_is_seen(shop: Database) -> None:
    connector = shop.shop()
    connector.fields("customers")
    shop.run("alter table customers add column nickname varchar(10)")
    assert "nickname" in [spec.name for spec in connector.fields("customers")]


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_schema_and_an_enumeration_are_understood(database: Database) -> None:
    database.run("create schema crm")
    database.run("create type crm.level as enum ('gold', 'silver')")
    database.run("create table crm.people (id uuid primary key default gen_random_uuid(), level crm.level)")
    connector = database.connector(people={"key": "id", "schema": "crm"})
    spec = {spec.name: spec for spec in connector.fields("people")}["level"]
    assert (spec.type, list(spec.options)) == ("choice", ["gold", "silver"])
    items = [
        WriteItem("1", WriteKind.CREATE, None, {"level": "gold"}),
        WriteItem("2", WriteKind.CREATE, None, {"level": "lead"}),
    ]
    kept, refused = connector.write("people", items, ["level"])
    assert isinstance(kept, Done) and kept.record is not None and kept.record.values == {"level": "gold"}
    assert not isinstance(refused, Done)
    assert len(connector.read("people", [kept.id, "not-a-uuid"], ["level"])) == 2
