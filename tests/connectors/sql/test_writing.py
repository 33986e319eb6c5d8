"""Writes: guarded by version, one item never spoils another, refusals name the column."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.connectors.sql.conftest import Database
from trueup.connectors.base import Done, GoneItem, Outcome, RefusedItem, StaleItem, WriteItem
from trueup.connectors.sql.connector import SqlConnector
from trueup.model.delivery import WriteKind
from trueup.model.record import Record

DAY = "2026-03-01 10:00:00"
FIELDS = ("email", "name", "phone", "balance", "no_mail", "born", "city_id")


def item(kind: WriteKind, id: str | None, values: Mapping[str, Any], **more: Any) -> WriteItem:
    return WriteItem(f"k{id}", kind, id, values, **more)


def create(**values: Any) -> WriteItem:
    return item(WriteKind.CREATE, None, values)


def update(id: str, version: str | None = None, **values: Any) -> WriteItem:
    return item(WriteKind.UPDATE, id, values, version=version)


def send(connector: SqlConnector, *items: WriteItem) -> list[Outcome]:
    return list(connector.write("customers", items, FIELDS))


def one(connector: SqlConnector, id: str = "1") -> Record:
    (record,) = connector.read("customers", [id], FIELDS)
    assert isinstance(record, Record)
    return record


def done(outcome: Outcome) -> Record:
    assert isinstance(outcome, Done), outcome
    assert outcome.record is not None
    return outcome.record


def test_a_create_answers_with_the_record_as_it_is_kept(shop: Database) -> None:
    (outcome,) = send(
        shop.shop(), create(name="Ann", email="a@example.com", balance="12.50", born="2000-02-29")
    )
    record = done(outcome)
    assert isinstance(outcome, Done) and outcome.created and outcome.id == "1"
    assert record == one(shop.shop())
    assert record.values["born"] == "2000-02-29"
    assert float(record.values["balance"]) == 12.5
    assert record.changed_at is not None, "a row that we make says when it was made"


def test_a_create_may_bring_its_own_key(shop: Database) -> None:
    (outcome,) = send(shop.shop(), create(customer_id=77, name="Ann"))
    assert done(outcome).id == "77"


def test_a_create_without_a_key_that_only_we_could_give_is_refused(database: Database) -> None:
    database.run("create table t (code varchar(10) primary key, name text)")
    connector = database.connector(t={"key": "code"})
    (outcome,) = connector.write("t", [create(name="A")], ["name"])
    assert isinstance(outcome, RefusedItem) and list(outcome.fields) == ["code"]
    assert database.rows("select * from t") == []


def test_an_update_changes_only_what_it_names_and_none_clears(shop: Database) -> None:
    shop.run(f"insert into customers (name, email, phone, updated_at) values ('A', 'a@x', '1', '{DAY}')")
    record = done(send(shop.shop(), update("1", phone=None, name="B"))[0])
    assert (record.values["email"], record.values["name"], record.values["phone"]) == ("a@x", "B", None)


def test_an_update_of_nothing_answers_with_the_record(shop: Database) -> None:
    shop.add("a@example.com", DAY)
    assert done(send(shop.shop(), update("1"))[0]).values["email"] == "a@example.com"


@pytest.mark.parametrize("changed_at", ["updated_at", None])
def test_a_write_with_an_old_version_is_stale_and_changes_nothing(
    shop: Database, changed_at: str | None
) -> None:
    shop.add("a@example.com", DAY)
    connector = shop.shop(changed_at=changed_at)
    version = one(connector).version
    shop.run("update customers set phone = '1', updated_at = '2026-03-01 10:00:01'")
    assert send(connector, update("1", version, name="B")) == [StaleItem()]
    assert shop.rows("select name, phone from customers") == [("Ann", "1")]


@pytest.mark.parametrize("changed_at", ["updated_at", None])
@pytest.mark.parametrize("stamp", [DAY, "2026-03-01 10:00:00.123456"])
def test_our_own_write_moves_the_version(shop: Database, changed_at: str | None, stamp: str) -> None:
    shop.add("a@example.com", stamp)
    connector = shop.shop(changed_at=changed_at)
    first = one(connector).version
    second = done(send(connector, update("1", first, name="B"))[0]).version
    assert send(connector, update("1", first, name="C")) == [StaleItem()]
    assert done(send(connector, update("1", second, name="D"))[0]).values["name"] == "D"


def test_a_stamp_that_a_trigger_moves_is_left_to_it(shop: Database) -> None:
    make_trigger(shop)
    shop.add("a@example.com", DAY)
    record = done(send(shop.shop(), update("1", name="B"))[0])
    assert str(record.changed_at) == "2030-05-05 05:05:05+00:00"


def make_trigger(shop: Database) -> None:
    moved = "'2030-05-05 05:05:05'"
    if shop.postgres:
        shop.run(
            f"create function touch() returns trigger language plpgsql as "
            f"$$ begin new.updated_at = {moved}; return new; end $$"
        )
        shop.run("create trigger touch before update on customers for each row execute function touch()")
    else:
        shop.run(
            f"create trigger touch after update of name on customers begin "
            f"update customers set updated_at = {moved} where customer_id = new.customer_id; end"
        )


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("old", "form"),
    [
        ("2026-03-01T10:00:00Z", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"),
        ("2026-03-01 10:00:00", r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"),
        ("2026-03-01T10:00:00.000001+00:00", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00"),
    ],
)
def test_a_moved_text_stamp_keeps_the_form_that_the_application_uses(
    shop: Database, old: str, form: str
) -> None:
    import re

    shop.add("a@example.com", old)
    done(send(shop.shop(), update("1", name="B"))[0])
    ((stamp,),) = shop.rows("select updated_at from customers")
    assert re.fullmatch(form, stamp) and stamp > old


def test_a_row_that_is_not_there_is_gone(shop: Database) -> None:
    assert send(shop.shop(), update("5", name="B"), update("no number", name="B")) == [GoneItem(), GoneItem()]


SHARED = (
    item(WriteKind.UPDATE, "x", {"name": "Z"}),
    item(WriteKind.DELETE, "x", {}),
    item(WriteKind.UPDATE, "y", {"code": "x"}),
    item(WriteKind.CREATE, None, {"code": "y", "name": "Z"}),
)


@pytest.mark.parametrize("write", SHARED, ids=lambda one: f"{one.kind} {one.id}")
def test_a_write_to_a_key_that_several_rows_have_is_refused_and_changes_none(
    database: Database, write: WriteItem
) -> None:
    database.run("create table t (code varchar(10), name text, at timestamp)")
    database.run("insert into t values ('x', 'A', null), ('x', 'B', null), ('y', 'C', null)")
    before = database.rows("select * from t order by name")
    connector = database.connector(t={"key": "code", "changed_at": "at"})
    shared, last = connector.write("t", [write, item(WriteKind.UPDATE, "gone", {"name": "D"})], ["name"])
    assert isinstance(shared, RefusedItem) and list(shared.fields) == ["code"]
    assert last == GoneItem()
    assert database.rows("select * from t order by name") == before


def test_a_delete_needs_the_right_version(shop: Database) -> None:
    shop.add("a@example.com", DAY)
    connector = shop.shop()
    version = one(connector).version
    assert send(connector, item(WriteKind.DELETE, "1", {}, version="other")) == [StaleItem()]
    assert send(connector, item(WriteKind.DELETE, "1", {}, version=version)) == [Done("1")]
    assert send(connector, item(WriteKind.DELETE, "1", {})) == [GoneItem()]


def test_switching_off_is_an_update_with_the_configured_values(shop: Database) -> None:
    shop.add("a@example.com", DAY)
    off = item(WriteKind.DEACTIVATE, "1", {"no_mail": True})
    assert done(send(shop.shop(), off)[0]).values["no_mail"] is True
    (bare,) = send(shop.shop(), item(WriteKind.DEACTIVATE, "1", {}))
    assert isinstance(bare, RefusedItem)


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a column that must not be empty": ({"name": None}, "name"),
    "a text that is too long": ({"name": "x" * 41}, "name"),
    "a number that is none": ({"balance": "many"}, "balance"),
    "a whole number that is too large": ({"city_id": 2**40}, "city_id"),
    "a date that is none": ({"born": "31.12.2000"}, "born"),
    "a truth that is none": ({"no_mail": "perhaps"}, "no_mail"),
    "a row that does not exist": ({"city_id": 9}, "city_id"),
    "a column that does not exist": ({"nickname": "x"}, "nickname"),
    "half a surrogate pair": ({"name": "\ud83d"}, "name"),
    "an object in a text": ({"name": {"first": "A"}}, "name"),
}


@pytest.mark.parametrize("why", REFUSED)
def test_a_refused_item_names_its_column_and_the_others_are_stored(shop: Database, why: str) -> None:
    values, column = REFUSED[why]
    shop.add("a@example.com", DAY)
    shop.add("b@example.com", DAY)
    first, refused, last = send(
        shop.shop(), update("1", phone="1"), update("2", **values), update("1", phone="2")
    )
    assert isinstance(refused, RefusedItem) and list(refused.fields) == [column]
    assert [done(first).values["phone"], done(last).values["phone"]] == ["1", "2"]
    assert shop.rows("select name, phone from customers order by 1, 2 desc")[-1][0] == "Ann"


def test_a_refusal_does_not_repeat_the_value(shop: Database) -> None:
    secret = "canary-4711"
    for values in ({"balance": secret}, {"name": "A", "email": secret}):
        outcomes = send(shop.shop(), create(name="A", email=secret), create(**{"name": "A", **values}))
        assert secret not in repr(outcomes[-1])


def test_a_taken_unique_value_names_the_row_that_has_it(shop: Database) -> None:
    shop.add("a@example.com", DAY)
    (outcome,) = send(shop.shop(), create(name="B", email="a@example.com"))
    assert isinstance(outcome, RefusedItem)
    assert (outcome.existing_id, list(outcome.fields), outcome.code) == ("1", ["email"], "TU-REF-011")


def upsert(email: str, **values: Any) -> WriteItem:
    return item(WriteKind.CREATE, None, {"email": email, **values}, upsert=("email", email))


def test_an_upsert_makes_one_record_however_often_it_is_sent(shop: Database) -> None:
    connector = shop.shop(upsert_key="email")
    outcomes = [send(connector, upsert("a@example.com", name=name))[0] for name in "AB"]
    assert [(o.id, o.created) for o in outcomes if isinstance(o, Done)] == [("1", True), ("1", False)]
    assert shop.rows("select email, name from customers") == [("a@example.com", "B")]


def test_an_upsert_finds_its_row_in_other_letters(shop: Database) -> None:
    shop.add("Ann@Example.com", DAY)
    (outcome,) = send(shop.shop(upsert_key="email"), upsert("ann@example.com", name="B"))
    assert isinstance(outcome, Done) and not outcome.created


def test_an_upsert_by_a_value_that_several_rows_have_is_refused(shop: Database) -> None:
    shop.add(None, DAY)
    shop.add(None, DAY)
    same = item(WriteKind.CREATE, None, {"email": "z@x"}, upsert=("name", "Ann"))
    (outcome,) = send(shop.shop(upsert_key="name"), same)
    assert isinstance(outcome, RefusedItem) and list(outcome.fields) == ["name"]


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_nul_is_refused_where_the_database_cannot_hold_it(shop: Database) -> None:
    (outcome,) = send(shop.shop(), create(name="A\0B"))
    assert isinstance(outcome, RefusedItem) and list(outcome.fields) == ["name"]


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_rule_that_is_checked_at_the_commit_refuses_its_own_row_only(shop: Database) -> None:
    shop.run("alter table customers add constraint one_phone unique (phone) deferrable initially deferred")
    outcomes = send(shop.shop(), create(name="A", phone="1"), create(name="B", phone="1"), create(name="C"))
    assert [type(outcome) for outcome in outcomes] == [Done, RefusedItem, Done]
    assert shop.rows("select name from customers order by 1") == [("A",), ("C",)]


def test_a_view_is_not_written(shop: Database) -> None:
    shop.run("create view people as select customer_id, name from customers")
    connector = shop.connector(people={"key": "customer_id"})
    (outcome,) = connector.write("people", [create(name="A")], ["name"])
    assert isinstance(outcome, RefusedItem)


def test_hostile_names_of_tables_and_columns_and_hostile_values_arrive_unharmed(database: Database) -> None:
    columns = [
        "select",
        'with "quote"',
        "with 'tick'",
        "100% (sure): ok?",
        "Straße",
        "dot.ted",
        "a[b]",
        "%(x)s",
        ":y",
    ]
    quoted = [database.engine.dialect.identifier_preparer.quote_identifier(name) for name in columns]
    quoted = [name.replace("%%", "%") for name in quoted]
    with database.engine.begin() as connection:
        raw = connection.connection.cursor()
        raw.execute(
            'create table "order" ("key" integer primary key, ' + ", ".join(f"{q} text" for q in quoted) + ")"
        )
    connector = database.connector(order={"key": "key"})
    values = {name: f'\'; drop table "order"; -- {name} \\ \u202e 💥 {{x}} $1 ?' for name in columns}
    long = {"key": 2, "select": "é" * 1_000_000}
    outcomes = connector.write("order", [create(key=1, **values), create(**long)], ["key", *columns])
    assert [done(outcome).id for outcome in outcomes] == ["1", "2"]
    first, second = connector.read("order", ["1", "2"], columns)
    assert isinstance(first, Record) and first.values == values
    assert isinstance(second, Record) and second.values["select"] == long["select"]
    assert len(connector.find("order", "100% (sure): ok?", [values["100% (sure): ok?"]], [])) == 1


def at_once(count: int, act: Callable[[int], Outcome]) -> list[Outcome]:
    """What `count` threads, each with a connector of its own, were answered."""
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(act, range(count)))


@pytest.mark.parametrize("unique", [True, False])
def test_upserts_at_the_same_time_make_one_row(shop: Database, unique: bool) -> None:
    key = "email" if unique else "phone"
    same = item(WriteKind.CREATE, None, {"name": "A", key: "x"}, upsert=(key, "x"))
    connectors = [shop.shop(upsert_key=key) for _ in range(6)]
    outcomes = at_once(6, lambda number: send(connectors[number], same)[0])
    assert sorted(outcome.created for outcome in outcomes if isinstance(outcome, Done)) == [False] * 5 + [
        True
    ]
    assert shop.rows("select count(*) from customers") == [(1,)]


@pytest.mark.parametrize("changed_at", ["updated_at", None])
def test_of_guarded_writes_at_the_same_time_one_is_applied(shop: Database, changed_at: str | None) -> None:
    shop.add("a@example.com", DAY)
    connectors = [shop.shop(changed_at=changed_at) for _ in range(6)]
    version = one(connectors[0]).version
    outcomes = at_once(6, lambda number: send(connectors[number], update("1", version, name=f"B{number}"))[0])
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Done"] + ["StaleItem"] * 5


@pytest.mark.parametrize(("flag", "kept"), [(True, 1), (False, 0)])
def test_a_flag_is_kept_as_a_number_where_the_column_is_one(shop: Database, flag: bool, kept: int) -> None:
    shop.run("alter table customers add column muted integer")
    shop.add("a@example.com", DAY)
    done(send(shop.shop(), update("1", muted=flag))[0])
    assert shop.rows("select muted from customers") == [(kept,)]
