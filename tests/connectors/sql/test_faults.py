"""What goes wrong between us and the database, by what happens next."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.engine import Connection

from tests.connectors.sql.conftest import Database, Free, Still
from trueup.connectors.base import Done, WriteItem
from trueup.connectors.registry import connector_kind
from trueup.connectors.settings import ConnectionSettings
from trueup.connectors.sql.connector import SqlConnector
from trueup.errors import (
    ConfigError,
    ConnectorError,
    NotFound,
    OutcomeUnknown,
    Refused,
    Transient,
    Unauthorized,
)
from trueup.model.delivery import WriteKind
from trueup.model.record import Reading

STILL, FREE = Still(), Free()
TABLE = {"customers": {"key": "customer_id"}}


def listing(connector: SqlConnector, object: str = "customers") -> None:
    connector.pull(object, Reading.LISTING, None, ["email"])


def test_whoami_names_the_database(shop: Database) -> None:
    said = shop.shop().whoami()
    assert said.startswith("postgresql 1" if shop.postgres else "sqlite 3") and "database" in said


@pytest.mark.parametrize(
    "url",
    [
        "",
        "not a url",
        "nosuch://x/y",
        "sqlite:///missing-folder/missing.db",
        "postgresql://u:canary-pw@127.0.0.1:1/x",
    ],
)
def test_a_url_that_leads_nowhere_says_so_without_its_password(url: str) -> None:
    with pytest.raises(ConnectorError) as caught:
        SqlConnector("shop", url, TABLE).whoami()
    assert isinstance(caught.value, (Unauthorized, Transient))
    assert "canary-pw" not in str(caught.value) and caught.value.connection == "shop"


def test_the_registry_builds_it_from_the_settings_of_a_connection(shop: Database) -> None:
    auth = {"kind": "url", "url": shop.url}
    objects = {"customers": {"entity": "contact", "key": "customer_id", "changed_at": "updated_at"}}
    settings = ConnectionSettings("shop", auth, time_zone="Europe/Zurich", objects=objects)
    connector = connector_kind("sql").build(settings, None, STILL, FREE)
    shop.add("a@example.com", "2026-07-01 12:00:00")
    (record,) = connector.pull("customers", Reading.CHANGES, None, ["email"]).records
    assert str(record.changed_at) == "2026-07-01 10:00:00+00:00"
    connector.close()
    with pytest.raises(ConfigError, match="url"):
        connector_kind("sql").build(ConnectionSettings("shop"), None, STILL, FREE)


def test_a_missing_sqlite_file_is_not_made(tmp_path: Path) -> None:
    file = tmp_path / "shop.db"
    with pytest.raises(Unauthorized):
        SqlConnector("shop", f"sqlite:///{file}", TABLE).whoami()
    assert not file.exists()


def test_a_relative_path_leads_from_the_folder_of_the_hub(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "shop.db") as shop:
        shop.execute("create table customers (customer_id integer primary key, email text)")
    shop.close()
    auth = {"kind": "url", "url": "sqlite:///shop.db"}
    settings = ConnectionSettings("shop", auth, objects=TABLE, folder=tmp_path)
    connector = connector_kind("sql").build(settings, None, STILL, FREE)
    listing(connector)
    connector.close()
    elsewhere = SqlConnector("shop", "sqlite:///shop.db", TABLE, folder=tmp_path / "elsewhere")
    with pytest.raises(Unauthorized, match=r"there is no file shop\.db") as told:
        listing(elsewhere)
    assert "the folder of hub.yaml" in told.value.remedy


def test_a_file_that_is_no_database_says_so(tmp_path: Path) -> None:
    (tmp_path / "shop.db").write_text("a,b\n" * 300)
    with pytest.raises(Unauthorized):
        listing(SqlConnector("shop", f"sqlite:///{tmp_path / 'shop.db'}", TABLE))


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_login_that_does_not_exist_is_unauthorized(database: Database) -> None:
    connector = SqlConnector("shop", database.url.replace("postgres:", "nobody:"), TABLE)
    with pytest.raises(Unauthorized):
        connector.whoami()


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_missing_permission_is_unauthorized(shop: Database) -> None:
    shop.run("drop role if exists reader")
    shop.run("create role reader login")
    connector = SqlConnector("shop", shop.url.replace("postgres:", "reader:"), TABLE)
    try:
        with pytest.raises(Unauthorized):
            listing(connector)
    finally:
        connector.close()
        shop.run("drop role reader")


def test_a_table_or_column_that_is_missing_is_named(shop: Database) -> None:
    with pytest.raises(Refused, match="nothing"):
        listing(shop.connector(nothing={"key": "id"}), "nothing")
    with pytest.raises(Refused, match="`modified`"):
        listing(shop.shop(changed_at="modified"))


def test_an_object_without_key_and_a_lookback_that_is_none_are_config_errors(database: Database) -> None:
    with pytest.raises(ConfigError, match="key"):
        database.connector(customers={})
    with pytest.raises(ConfigError, match="lookback"):
        database.connector(customers={"key": "id", "lookback": "soon"})


def test_an_object_that_is_not_configured_is_not_found(shop: Database) -> None:
    with pytest.raises(NotFound):
        listing(shop.shop(), "orders")


def test_a_table_that_was_rebuilt_is_looked_at_again(shop: Database) -> None:
    connector = shop.shop()
    connector.pull("customers", Reading.LISTING, None, ["phone"])
    shop.run("alter table customers rename column phone to telephone")
    with pytest.raises(Transient):
        connector.pull("customers", Reading.LISTING, None, ["phone"])
    assert connector.pull("customers", Reading.LISTING, None, ["telephone"]).records == ()


def test_a_locked_row_or_file_leaves_nothing_written(shop: Database) -> None:
    shop.add("a@example.com", None)
    connector = shop.connector(customers={"key": "customer_id"})
    if shop.postgres:
        shop.run('alter database "' + str(shop.engine.url.database) + "\" set lock_timeout = '100ms'")
    else:
        connector._engine.dispose()
        event.listen(connector._engine, "connect", lambda raw, _: raw.execute("pragma busy_timeout = 100"))
    items = [WriteItem("k", WriteKind.UPDATE, "1", {"name": "B"})]
    with shop.engine.connect() as other:
        other.exec_driver_sql("update customers set name = 'C'" if shop.postgres else "begin immediate")
        with pytest.raises(Transient):
            connector.write("customers", items, ["name"])
    assert isinstance(connector.write("customers", items, ["name"])[0], Done)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_database_file_that_may_not_be_written_is_unauthorized(shop: Database) -> None:
    shop.add("a@example.com", None)
    url = f"sqlite:///file:{shop.engine.url.database}?mode=ro&uri=true"
    connector = SqlConnector("shop", url, TABLE)
    with pytest.raises(Unauthorized):
        connector.write("customers", [WriteItem("k", WriteKind.DELETE, "1", {})], [])
    connector.close()
    assert sqlite3.connect(str(shop.engine.url.database)).execute(
        "select count(*) from customers"
    ).fetchone() == (1,)


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_commit_whose_answer_is_lost_may_have_been_applied(shop: Database) -> None:
    connector = shop.shop()

    @event.listens_for(connector._engine, "commit")
    def cut(connection: Connection) -> None:
        driver: Any = connection.connection.driver_connection
        process = driver.info.backend_pid
        shop.rows(f"select pg_terminate_backend({process})")

    items = [WriteItem("k", WriteKind.CREATE, None, {"name": "A"})]
    with pytest.raises(OutcomeUnknown):
        connector.write("customers", items, ["name"])


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_connection_that_breaks_before_the_commit_leaves_nothing_written(shop: Database) -> None:
    shop.run("create function cut() returns trigger language plpgsql as $$ begin "
             "perform pg_terminate_backend(pg_backend_pid()); return new; end $$")  # fmt: skip
    shop.run("create trigger cut before insert on customers for each row when (new.name = 'B') "
             "execute function cut()")  # fmt: skip
    items = [WriteItem(name, WriteKind.CREATE, None, {"name": name}) for name in "AB"]
    connector = shop.shop()
    with pytest.raises(Transient):
        connector.write("customers", items, ["name"])
    assert shop.rows("select count(*) from customers") == [(0,)]
    assert isinstance(connector.write("customers", items[:1], ["name"])[0], Done)


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_nothing_waits_for_ever(shop: Database) -> None:
    with shop.shop()._engine.connect() as connection:
        waits = [connection.scalar(text(f"show {name}")) for name in ("lock_timeout", "statement_timeout")]
    assert waits == ["30s", "5min"]
