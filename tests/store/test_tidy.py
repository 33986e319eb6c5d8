"""At the end of a run PostgreSQL writes its worked-off queues anew; what prevents that is told or raised."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import psycopg
import pytest
from sqlalchemy.engine import make_url

from tests.live.postgres_server import fresh_database
from tests.store.hub import NOON
from trueup.model.run import RunOutcome
from trueup.ports import Store
from trueup.store.open import open_store

pytestmark = pytest.mark.server

MANY = (
    "insert into due (kind, entity_id, reasons) select 'contact', n, 'read' from generate_series(1, 20000) n"
)
NOTE = "the hub's database: a queue was not written anew ({})"
A_ROLE = (
    "create role {0}; grant usage on schema public to {0};"
    " grant all on all sequences in schema public to {0};"
    " grant select, insert, update, delete on all tables in schema public to {0};"
)


@pytest.fixture
def url() -> Iterator[str]:
    """A hub on PostgreSQL whose queue of due contacts was long and is empty."""
    with fresh_database() as url:
        with closing(open_store(url)):
            run(url, f"set session_replication_role = replica; {MANY}; delete from due")
        yield url


def raw(url: str) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(
        make_url(url).set(drivername="postgresql").render_as_string(False), autocommit=True
    )


def run(url: str, sql: str) -> None:
    with raw(url) as connection:
        connection.execute(sql)


def room(url: str) -> int:
    with raw(url) as connection:
        found = connection.execute("select pg_total_relation_size('due')").fetchone()
    assert found is not None
    return int(str(found[0]))


def ended(store: Store) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What the end of a run answers, and what the run itself keeps as its notes."""
    id = store.start_run("sync", "v1", "ann", NOON)
    told = store.finish_run(id, RunOutcome.COMPLETED, {}, ["read"], NOON)
    return tuple(told), tuple(store.run(id).notes)


def test_a_queue_that_was_worked_off_is_written_anew_and_nothing_is_told(url: str) -> None:
    with closing(open_store(url)) as store:
        assert room(url) > 500_000
        assert ended(store) == ((), ("read",))
        assert room(url) < 100_000


def test_who_works_at_a_queue_goes_first_and_the_run_says_so(url: str) -> None:
    with closing(open_store(url)) as store, raw(url) as other, other.transaction():
        other.execute("lock table due in row exclusive mode")
        told, notes = ended(store)
    (note,) = told
    assert note == NOTE.format('skipping vacuum of "due" --- lock not available')
    assert notes == ("read", note)


def test_a_role_that_does_not_own_the_queue_is_told_so(url: str) -> None:
    role = make_url(url).database or ""
    run(url, A_ROLE.format(role))
    try:
        limited = make_url(url).update_query_dict({"options": f"-c role={role}"}).render_as_string(False)
        with closing(open_store(limited)) as store:
            (note,), _ = ended(store)
        assert note == NOTE.format('permission denied to vacuum "due", skipping it')
    finally:
        run(url, f"drop owned by {role}; drop role {role}")


def test_any_other_error_is_told_and_takes_no_run_its_report(url: str) -> None:
    with closing(open_store(url)) as store:
        id = store.start_run("sync", "v1", "ann", NOON)
        run(url, "drop table due")
        (note,) = store.finish_run(id, RunOutcome.COMPLETED, {}, ["read"], NOON)
        assert "due" in note
        assert store.run(id).outcome is RunOutcome.COMPLETED
        assert tuple(store.run(id).notes) == ("read", note)
