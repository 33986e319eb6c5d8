"""Facts are counted once, corrected when their system corrects them, and never doubled by a replay."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, text

from tests.store.hub import Hub, at
from trueup.model.activity import Fact, FactKind
from trueup.model.landing import LandedFacts
from trueup.store.postgres import PostgresTx
from trueup.store.sqlite import SqliteTx

DAY = 86_400


@pytest.fixture
def engine(url: str, hub: Hub) -> Iterator[Engine]:
    engine = create_engine(url)
    yield engine
    engine.dispose()


def ask(engine: Engine, sql: str) -> list[tuple[Any, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(sql))]


def opened(id: str, seconds: float = 0, **more: Any) -> Fact:
    fact = Fact(FactKind.EVENT, "email_opened", id, "opens", "7", "contacts", at(seconds))
    return replace(fact, **more)


def order(state: str, amount: str, seconds: float = 0, **more: Any) -> Fact:
    when = at(seconds)
    fact = Fact(FactKind.CASE, "order", "o1", "orders", "7", "contacts", when, state, amount, "EUR")
    return replace(fact, **{"changed_at": when, **more})


def test_an_event_is_counted_once_however_often_it_is_read(hub: Hub, engine: Engine) -> None:
    assert hub.store.land_facts("mail", [opened("1"), opened("2", 5), opened("2", 5)], at(9)) == LandedFacts(
        2
    )
    assert hub.store.land_facts("mail", [opened("2", 5), opened("3", DAY)], at(9)) == LandedFacts(1)
    counts = ask(engine, "select subject_id, name, count, amount from activity_days order by day")
    assert counts == [("7", "email_opened", 2, None), ("7", "email_opened", 1, None)]


def test_amounts_of_a_day_add_up_as_decimals(hub: Hub, engine: Engine) -> None:
    paid = [opened("1", amount="0.1", currency="EUR"), opened("2", amount="0.2", currency="EUR")]
    hub.store.land_facts("mail", paid, at(9))
    hub.store.land_facts("mail", [opened("3", amount="-0.30", currency="EUR")], at(9))
    assert ask(engine, "select count, amount, currency from activity_days") == [(3, "0.00", "EUR")]


def test_an_event_that_its_system_deleted_is_taken_out(hub: Hub, engine: Engine) -> None:
    hub.store.land_facts("mail", [opened("1"), opened("2")], at(9))
    assert hub.store.land_facts(
        "mail", [opened("2", deleted=True), opened("9", deleted=True)], at(9)
    ) == LandedFacts(changed=1)
    assert ask(engine, "select count from activity_days") == [(1,)]


def test_an_event_of_an_address_hangs_on_its_key(hub: Hub, engine: Engine) -> None:
    unknown = opened("1", subject="", subject_object="", address_key="ann@x.example")
    hub.store.land_facts("mail", [unknown, opened("2", subject="", address_key="")], at(9))
    days = ask(engine, "select subject_stream_id, subject_id, count from activity_days")
    assert days == [(0, "ann@x.example", 1)]
    assert ask(engine, "select count(*) from activities") == [(2,)]


def test_a_case_is_kept_in_its_latest_version_and_its_states_as_history(hub: Hub, engine: Engine) -> None:
    assert hub.store.land_facts("shop", [order("paid", "10.00")], at(1)) == LandedFacts(1)
    assert hub.store.land_facts("shop", [order("paid", "10.00")], at(2)) == LandedFacts()
    assert hub.store.land_facts("shop", [order("refunded", "0", 50)], at(60)) == LandedFacts(changed=1)
    assert hub.store.land_facts("shop", [order("paid", "10.00", 5)], at(61)) == LandedFacts()
    assert ask(engine, "select state, amount from cases") == [("refunded", "0")]
    assert ask(engine, "select state from case_states order by id") == [("paid",), ("refunded",)]


def test_a_case_may_move_to_an_earlier_day_and_goes_on_from_there(hub: Hub, engine: Engine) -> None:
    friday, monday = at(4 * DAY), at(0)
    for seconds, said in ((1, {"at": friday}), (2, {"at": monday}), (3, {"at": monday, "deleted": True})):
        version = replace(order("booked", "10", seconds), **said)  # type: ignore[arg-type]
        hub.store.land_facts("shop", [version], at(seconds))
    hub.store.land_facts("shop", [replace(order("booked", "10", 1), at=friday)], at(4))
    assert ask(engine, "select deleted from cases") == [(1,)]


def test_a_case_of_a_system_without_stamps_is_as_it_was_told_last(hub: Hub, engine: Engine) -> None:
    for now, state in enumerate(("paid", "refunded")):
        hub.store.land_facts("shop", [order(state, "10", 9 - now, changed_at=None)], at(9))
    assert ask(engine, "select state from cases") == [("refunded",)]


def test_a_case_that_is_reassigned_hangs_on_its_new_record(hub: Hub, engine: Engine) -> None:
    hub.store.land_facts("shop", [order("paid", "10")], at(1))
    assert hub.store.land_facts("shop", [order("paid", "10", 5, subject="8")], at(6)) == LandedFacts(
        changed=1
    )
    assert ask(engine, "select subject_id from cases") == [("8",)]
    assert ask(engine, "select count(*) from case_states") == [(1,)]


def test_a_deleted_case_is_known_to_be_deleted(hub: Hub, engine: Engine) -> None:
    hub.store.land_facts("shop", [order("paid", "10")], at(1))
    assert hub.store.land_facts("shop", [order("paid", "10", 5, deleted=True)], at(6)) == LandedFacts(
        changed=1
    )
    assert ask(engine, "select deleted from cases") == [(1,)]


def test_of_a_counter_the_last_value_wins_and_a_replay_doubles_nothing(hub: Hub, engine: Engine) -> None:
    sends = Fact(FactKind.COUNTER, "sends", "7", "stats", "7", "contacts", at(1), amount="5")
    clicks = replace(sends, name="clicks", amount="1")
    assert hub.store.land_facts("mail", [sends, clicks], at(2)) == LandedFacts(2)
    assert hub.store.land_facts("mail", [sends, replace(clicks, amount="2", at=at(3))], at(4)) == LandedFacts(
        changed=1
    )
    assert hub.store.land_facts("mail", [replace(clicks, amount="1")], at(5)) == LandedFacts()
    assert ask(engine, "select name, amount from counters order by name") == [("clicks", "2"), ("sends", "5")]


VERBS = ("rows", "row", "run", "insert", "insert_new", "upsert", "update", "allocate")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the store asks its database, from now on."""
    verbs: list[str] = []

    def counted(kind: type[Any], name: str) -> None:
        own = getattr(kind, name)
        monkeypatch.setattr(kind, name, lambda *given: (verbs.append(name), own(*given))[1])

    for kind in (SqliteTx, PostgresTx):
        for name in VERBS:
            counted(kind, name)
    return verbs


def told(count: int, version: int, name: str = "r") -> list[Fact]:
    """So many of each kind, each with a subject of its own; every second event is deleted later."""
    found: list[Fact] = []
    for n in range(count):
        own = {"remote_id": f"{name}{n}", "subject": f"s{n}", "amount": f"{version}"}
        found.append(replace(opened("", version), **own, deleted=version > 1 and n % 2 == 1))
        found.append(replace(order("paid", "", version), **own))
        found.append(replace(opened("", version), **own, kind=FactKind.COUNTER, object="stats"))
    return found


@pytest.mark.parametrize("version", [1, 2], ids=["new", "changed"])
def test_many_facts_cost_as_many_statements_as_few(hub: Hub, asked: list[str], version: int) -> None:
    costs = []
    for connection, count in (("mail", 4), ("shop", 40)):
        hub.store.land_facts(connection, told(1, 1, "first"), at(1))
        for earlier in range(1, version):
            hub.store.land_facts(connection, told(count, earlier), at(earlier))
        asked.clear()
        hub.store.land_facts(connection, told(count, version), at(version))
        costs.append(len(asked))
    assert costs[0] == costs[1]
