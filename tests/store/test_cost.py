"""What a full hub costs: bytes per contact, query plans that do not scan, work that follows the changes."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine

from tests.live.postgres_server import fresh_database
from tests.store.hub import NOON, Hub, assignment, at, create, done, plan, record
from trueup.model.delivery import Lane
from trueup.model.entity import Entity, Source
from trueup.model.fields import Kind
from trueup.model.history import Change
from trueup.model.plan import Case, LinkPatch, Plan
from trueup.model.record import Ref
from trueup.model.run import RunOutcome
from trueup.store import sqlite
from trueup.store.open import open_store

FIELDS = 18
PAGE = 500


def person(n: int) -> dict[str, Any]:
    values = {f"field_{k}": f"value {k * n % 97} of it" for k in range(FIELDS - 4)}
    named = {"email": f"person{n}@example{n % 50}.example", "first_name": f"First{n % 300}"}
    return values | named | {"last_name": f"Last{n}", "phone": f"+4930{n:07d}"}


OTHERS = ("shop", "mail")


def first_decision(case: Case, others: Sequence[str] = OTHERS) -> Plan:
    """All from one first sight, and a create in each of the other systems."""
    (link,) = case.links
    ref = f"sales/contacts/{link.remote_id}"
    source = Source("sales", "first", NOON, ref=ref)
    values = dict(link.observed)
    changes = tuple(Change(name, None, value, ref, "first sight") for name, value in values.items())
    entity = Entity(case.entity.id, Kind.CONTACT, 0, values, dict.fromkeys(values, source))
    writes = tuple(create(name, **values) for name in others)
    patch = LinkPatch(link.id, link.rev, {}, {}, True)
    return Plan(case.entity, entity, changes, links=(patch,), writes=writes, mark=case.mark)


def fill(hub: Hub, count: int, others: Sequence[str] = OTHERS) -> None:
    """This many people with a record in sales and each of the others, as a first load makes them: read,
    decided, written."""
    run = hub.store.start_run("sync", "v1", "ann", NOON)
    for start in range(0, count, PAGE):
        hub.land("sales", *(record(f"{100_000 + n}", 1, **person(n)) for n in range(start, start + PAGE)))
        strangers = hub.store.strangers([Kind.CONTACT], 0, PAGE)
        keys = [(("email", one.observed["email"]), ("phone", one.observed["phone"])) for one in strangers]
        made = [assignment(one, keys=both) for one, both in zip(strangers, keys, strict=True)]
        hub.store.assign(made, NOON, None)
        cases = hub.store.load(hub.store.due([Kind.CONTACT], NOON, 0, PAGE))
        assert hub.commit(*(first_decision(case, others) for case in cases)) == []
        while batch := hub.store.outstanding(NOON, list(Lane), others, PAGE):
            hub.store.send({one.id: one.link.rev for one in batch}, "w", NOON, None)
            hub.settle(*(done(one, remote_id=f"x{one.entity_id}", version="1") for one in batch))
    hub.store.finish_run(run, RunOutcome.COMPLETED, {}, (), NOON)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("full") / "hub.db"
    store = open_store(f"sqlite:///{path}")
    store.register(["sales", "shop", "mail"], "v1")
    fill(Hub(store), 10_000)
    store.close()
    return path


@pytest.fixture
def full(file: Path) -> Iterator[Hub]:
    store = open_store(f"sqlite:///{file}")
    yield Hub(store)
    store.close()


@pytest.mark.slow
def test_a_contact_with_three_records_takes_less_than_six_thousand_bytes(file: Path) -> None:
    with sqlite3.connect(file) as connection:
        connection.execute("pragma wal_checkpoint(truncate)")
    assert file.stat().st_size / 10_000 <= 6_000


@pytest.mark.slow
@pytest.mark.server
def test_a_contact_with_two_records_takes_less_than_six_thousand_bytes_on_postgresql() -> None:
    with fresh_database() as url:
        before = _size(url)
        store = open_store(url)
        store.register(["sales", "shop"], "v1")
        fill(Hub(store), 10_000, ("shop",))
        assert (_size(url) - before) / 10_000 <= 6_000
        store.close()


@pytest.mark.slow
@pytest.mark.server
def test_a_queue_that_was_worked_off_takes_no_room_on_postgresql() -> None:
    with fresh_database() as url:
        store = open_store(url)
        store.register(["sales", "shop"], "v1")
        fill(Hub(store), 3_000, ("shop",))
        assert _asked(url, "select pg_total_relation_size('delivery_docs')") < 100_000
        store.close()


def _size(url: str) -> int:
    return _asked(url, "select pg_database_size(current_database())")


def _asked(url: str, sql: str) -> int:
    engine = create_engine(url)
    with engine.connect() as connection:
        found = connection.exec_driver_sql(sql).scalar_one()
    engine.dispose()
    return int(found)


SCANS_ALLOWED = ("SCAN s", "SCAN c", "SCAN json_each", "SCAN connections", "SCAN runs", "SCAN streams")
"""Small tables, and parameters."""


@pytest.mark.slow
def test_no_statement_of_a_run_scans_a_large_table(
    full: Hub, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite has no statistics here: without the right index a join turns quadratic unseen."""
    statements: set[str] = set()
    spied = sqlite._sqlite.__wrapped__

    def spy(sql: str) -> str:
        statements.add(spied(sql))
        return str(spied(sql))

    monkeypatch.setattr(sqlite, "_sqlite", spy)
    _one_of_everything(full)
    scans = {}
    with sqlite3.connect(file) as connection:
        for sql in sorted(statements):
            plans = connection.execute("explain query plan " + sql, [None] * sql.count("?")).fetchall()
            found = [str(detail) for *_, detail in plans if _is_scan(str(detail))]
            if found:
                scans[sql] = found
    assert len(statements) > 40
    assert scans == {}


def _is_scan(detail: str) -> bool:
    return bool(re.match("SCAN", detail)) and not detail.startswith(SCANS_ALLOWED)


def _one_of_everything(hub: Hub) -> None:
    """Every verb that a run calls, once."""
    store, later = hub.store, NOON + timedelta(days=1)
    hub.land("sales", record("100001", 5, **(person(1) | {"field_1": "new"})), record("new", 5, **person(1)))
    hub.land("sales", asked=("100001",))
    store.known("sales", "contacts", ["100001", "nobody"])
    store.hidden(later, ["sales", "shop"], 0, 10)
    store.late("sales", "contacts", [record("100001", 5, **person(1))], later, timedelta(days=1))
    strangers = store.strangers([Kind.CONTACT], 0, 10)
    store.candidates(Kind.CONTACT, [("email", person(1)["email"])])
    store.assign([assignment(one) for one in strangers], NOON, None)
    store.verdicts([1, 2])
    cases = store.load(store.due([Kind.CONTACT], later, 0, 100))
    fence = store.lease("run", "w", NOON, later)
    store.commit([plan(one, {"field_1": "new"}, create("erp", a=1)) for one in cases], 1, NOON, fence)
    store.references([case.entity.public_id for case in cases])
    store.gates_open()
    batch = store.outstanding(later, list(Lane), ["sales", "shop", "mail", "erp"], 10)
    store.send({one.id: one.link.rev for one in batch}, "w", NOON, fence)
    store.settle([done(one, remote_id=f"e{one.id}") for one in batch], NOON, fence)
    store.doubtful(later, ["shop"], 10)
    store.waiting(later, ["shop"], 10)
    store.abandoned(later, {})
    store.released()
    store.history("c-1", 10)
    store.mark_due([1], "x")
    store.gated(1)
    store.open_gates("shop", "clear", "ann", NOON)
    store.close_gates(1, "ann", "no", NOON)
    store.next_delivery_at(["shop"])
    store.register(["sales", "shop", "mail", "erp"], "v2")
    store.edit("c-1", {"a": 1}, "ann", NOON, False)
    store.case("c-1")
    number = store.begin_listing("erp", "contacts", NOON)
    last = {"listing": number, "complete": True, "opens": (Kind.CONTACT,)}
    hub.land("erp", **last, implausible=lambda missing, living: False)
    store.links([1])
    store.resolve([Ref("sales", "contacts", "100001"), Ref("sales", "contacts", "nobody")])
    store.retry([1], "ann", NOON)
    store.discard([1], "ann", NOON)


@pytest.mark.slow
def test_a_change_costs_the_same_in_a_full_hub_as_in_an_empty_one(full: Hub, tmp_path: Path) -> None:
    """Counted in rows and index steps that SQLite visits, not in seconds."""
    small = open_store(f"sqlite:///{tmp_path / 'small.db'}")
    small.register(["sales", "shop", "mail"], "v1")
    few = Hub(small)
    fill(few, PAGE)
    assert _steps(full, 300) <= 1.5 * _steps(few, 300) + 2_000
    small.close()


def _steps(hub: Hub, n: int) -> int:
    """Virtual machine steps, in thousands, of reading, deciding and asking about one changed record."""
    steps = 0

    def count() -> int:
        nonlocal steps
        steps += 1
        return 0

    database = hub.store._db  # type: ignore[attr-defined]
    for connection in [database._writer, *database._idle]:
        connection.set_progress_handler(count, 10)
    hub.land("sales", record(f"{100_000 + n}", 9, **(person(n) | {"field_2": "moved"})))
    cases = hub.store.load(hub.store.due([Kind.CONTACT], at(9), 0, 10))
    hub.commit(*(plan(one, {**one.entity.values, "field_2": "moved"}) for one in cases))
    hub.store.outstanding(at(9), list(Lane), ["sales", "shop", "mail"], 10)
    hub.store.gates_open()
    for connection in [database._writer, *database._idle]:
        connection.set_progress_handler(None, 0)
    return steps


def test_rows_without_a_key_that_are_made_together_cost_as_many_questions_as_one(tmp_path: Path) -> None:
    """Their ids are made of what they say: none is an old id of somebody else, unless it stood there."""
    store = open_store(f"sqlite:///{tmp_path / 'small.db'}")
    store.register(["sales", "shop", "mail"], "v1")
    few = Hub(store)
    assert [_questions_of_creates(few, n) for n in (1, 20)] == [_questions_of_creates(few, 1)] * 2
    store.close()


def _questions_of_creates(hub: Hub, n: int) -> int:
    """How often the store asks its database when it learns that so many records were made."""
    tag = hub.store.start_run("sync", "v1", "ann", NOON)
    for number in range(n):
        case = hub.settled("sales", f"{tag}-{number}", a=1)
        hub.commit(plan(case, {"a": 2}, create("shop", a=2)))
    made = [replace(done(one, remote_id=f"row{one.id}"), content_id=True) for one in hub.send()]
    statements: list[str] = []
    hub.store._db._writer.set_trace_callback(statements.append)  # type: ignore[attr-defined]
    hub.settle(*made)
    hub.store._db._writer.set_trace_callback(None)  # type: ignore[attr-defined]
    return sum(one.startswith("select") for one in statements)
