"""The seam under all verbs behaves the same on both databases."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from trueup.errors import Broken, Transient
from trueup.ports import Store
from trueup.store import sqlite
from trueup.store.open import SqlStore, open_store
from trueup.store.sql import Database, Tx

LEASE = ("owner", "number", "until")


@pytest.fixture
def database(store: Store) -> Database:
    assert isinstance(store, SqlStore)
    return store._db


def leases(database: Database) -> list[tuple[Any, ...]]:
    return database.read(lambda tx: tx.rows("select name, owner, number, until from leases order by name"))


def fill(tx: Tx) -> None:
    tx.insert("leases", ("name", *LEASE), [(f"l{n}", "w", n, 0) for n in range(3)])


def test_rows_are_inserted_updated_and_put_in_bulk(database: Database) -> None:
    database.write(fill)
    database.write(lambda tx: tx.update("leases", ("name",), ("number",), [("l0", 7), ("l9", 9)]))
    database.write(lambda tx: tx.upsert("leases", ("name",), LEASE, [("l1", "x", 8, 5), ("l3", "y", 1, 1)]))
    assert leases(database) == [("l0", "w", 7, 0), ("l1", "x", 8, 5), ("l2", "w", 2, 0), ("l3", "y", 1, 1)]


def test_of_new_rows_those_that_exist_are_left_out_and_the_others_counted(database: Database) -> None:
    database.write(fill)
    rows = [("l2", "x", 9, 9), ("l3", "x", 9, 9)]
    assert database.write(lambda tx: tx.insert_new("leases", ("name", *LEASE), rows)) == 1
    assert [(name, owner) for name, owner, *_ in leases(database)][2:] == [("l2", "w"), ("l3", "x")]


def test_nothing_is_a_fine_number_of_rows(database: Database) -> None:
    def idle(tx: Tx) -> None:
        tx.insert("leases", ("name", *LEASE), [])
        tx.update("leases", ("name",), LEASE, [])
        tx.upsert("leases", ("name",), LEASE, [])
        assert tx.insert_new("leases", ("name", *LEASE), []) == 0
        assert tx.allocate("runs", 0) == []

    database.write(idle)
    assert leases(database) == []


@pytest.mark.parametrize("names", [[], ["l1"], ["l1", "it's", "ü", "nobody"]])
def test_a_list_is_one_parameter(database: Database, names: list[str]) -> None:
    database.write(fill)
    sql = "select name from leases where name in texts(?)"
    assert database.read(lambda tx: tx.rows(sql, names)) == [("l1",)] * ("l1" in names)


def test_an_id_is_never_given_twice_also_after_its_row_went(database: Database) -> None:
    first = database.write(lambda tx: tx.allocate("runs", 3))

    def make_and_remove(tx: Tx) -> None:
        columns = ("id", "kind", "outcome", "config_version", "author", "started_at")
        tx.insert("runs", columns, [(id, "sync", "running", "v1", "ann", 0) for id in first])
        tx.run("delete from runs")

    database.write(make_and_remove)
    again = database.write(lambda tx: tx.allocate("runs", 2))
    assert len({*first, *again}) == 5
    assert min(again) > max(first)


def test_a_verb_that_fails_leaves_no_trace_and_the_next_one_works(database: Database) -> None:
    def failing(tx: Tx) -> None:
        tx.upsert("settings", ("name",), ("value",), [("a", "1")])
        raise KeyError("a crash")

    with pytest.raises(KeyError):
        database.write(failing)
    assert database.read(lambda tx: tx.rows("select * from settings")) == []
    database.write(lambda tx: tx.upsert("settings", ("name",), ("value",), [("a", "2")]))
    assert database.read(lambda tx: tx.rows("select name, value from settings")) == [("a", "2")]


def test_a_row_that_breaks_a_rule_of_the_schema_is_our_fault(database: Database) -> None:
    row = [(1, "x", "[]", 0, 99)]
    columns = ("mark", "kind", "reasons", "not_before", "entity_id")
    with pytest.raises(Broken):
        database.write(lambda tx: tx.insert("due", columns, row))


def test_reading_cannot_write(database: Database) -> None:
    with pytest.raises((Broken, Transient)):
        database.read(fill)
    assert leases(database) == []


def test_a_database_that_stays_locked_may_be_free_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.05)
    store = open_store(f"sqlite:///{tmp_path / 'hub.db'}")
    other = sqlite3.connect(tmp_path / "hub.db", isolation_level=None)
    other.execute("begin immediate")
    with pytest.raises(Transient, match="locked"):
        store.register(["sales"], "v1")
    other.execute("rollback")
    store.register(["sales"], "v1")
    other.close()
    store.close()


@pytest.mark.parametrize("kind", [None, "contact"], ids=["a row without a kind", "a row again"])
def test_what_a_database_refuses_is_told_without_the_values_of_the_row(
    database: Database, kind: str | None
) -> None:
    columns = ("id", "kind", "title", "created_at", "updated_at")
    rows = [(1, kind, "ann lee", 0, 0)] * 2
    with pytest.raises(Broken) as caught:
        database.write(lambda tx: tx.insert("entities", columns, rows))
    assert "ann" not in str(caught.value)
