"""Texts that a database does not keep, or finds by no index: they cost their record or their field."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from tests.live.postgres_server import fresh_database
from tests.sync.memory import Clock, Memory
from tests.sync.small_hub import SmallHub, rules, small_hub
from trueup.connectors.base import Outcome, RefusedItem
from trueup.connectors.boundary import Bounded
from trueup.mapping.schema import ConsentRule, FieldRule, ObjectRules
from trueup.model.delivery import DeliveryState
from trueup.model.landing import LandedFacts
from trueup.model.record import Record
from trueup.store.open import open_store
from trueup.sync.facts import facts

LONG = "".join(Random(1).choices("abcdefghijklmnopqrstuvwxyz0123456789", k=9000))
ODD = {"NUL": "x\x00y", "half": "x\ud83d", "long": LONG}


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.server)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'hub.db'}"
        return
    with fresh_database() as url:
        yield url


Make = Callable[..., SmallHub]


@pytest.fixture
def make(tmp_path: Path, database: str) -> Iterator[Make]:
    """Contacts go from `a`, read by the given rules, to `b`; connectors end where real ones do."""
    with ExitStack() as over:

        def made(said: ObjectRules | None = None) -> SmallHub:
            clock = Clock()
            systems = {name: Memory(clock) for name in "ab"}
            objects = {"a": said or rules(), "b": rules()}
            hub = small_hub(tmp_path, clock, systems, objects=objects, create=("b",), database=database)
            over.callback(hub.store.close)
            ends = {name: Bounded(system, name) for name, system in systems.items()}
            hub.parts = replace(hub.parts, connectors=ends)
            return hub

        yield made


def names_in_b(hub: SmallHub) -> list[object]:
    return sorted(str(one["first_name"]) for one in hub.systems["b"].living().values())


@pytest.mark.parametrize("odd", ODD)
def test_a_record_with_such_an_id_is_rejected_and_the_others_are_read(make: Make, odd: str) -> None:
    hub = make()
    hub.systems["a"].put(ODD[odd], email="ann@example.com", first_name="Ann")
    hub.systems["a"].put("2", email="bob@example.com", first_name="Bob")
    report = hub.sync()
    assert (names_in_b(hub), report.tally.get("rejected")) == (["Bob"], 1)


@pytest.mark.parametrize("odd", ODD)
def test_a_reference_to_such_an_id_is_set_aside_alone(make: Make, odd: str) -> None:
    company = FieldRule("company", "firm", to="firms")
    hub = make(rules(fields=("email", "first_name", company)))
    hub.systems["a"].add(email="ann@example.com", first_name="Ann", firm=ODD[odd])
    hub.sync()
    assert names_in_b(hub) == ["Ann"]
    (link,) = hub.store.known("a", "people", ["1"]).values()
    assert list(link.quarantine) == ["firm"]


@pytest.mark.parametrize("odd", ODD)
def test_a_refusal_in_such_words_is_kept(make: Make, odd: str) -> None:
    hub = make()

    def refuse(*_: object) -> list[Outcome]:
        return [RefusedItem(f"not {ODD[odd]}")]

    hub.systems["b"].write = refuse  # type: ignore[method-assign, assignment]
    hub.systems["a"].add(email="ann@example.com", first_name="Ann")
    hub.sync()
    (parked,) = hub.store.deliveries([DeliveryState.PARKED], None, 9)
    assert parked.error.startswith("not x") or odd == "long"


@pytest.mark.parametrize("odd", ODD)
def test_an_opt_in_with_such_a_source_stops_nobody(make: Make, odd: str) -> None:
    rule = ConsentRule("sms", "marketing", "sms", opted_out=True, evidence=("time", "source"))
    hub = make(rules(consent=(rule,)))
    said = {"status": "SUBSCRIBED", "at": "2025-12-01T10:00:00Z", "source": ODD[odd]}
    hub.systems["a"].add(email="ann@example.com", first_name="Ann", sms=said)
    hub.sync()
    assert names_in_b(hub) == ["Ann"]


@pytest.mark.parametrize("odd", ODD)
def test_an_order_in_such_words_is_kept(database: str, odd: str) -> None:
    fields = (FieldRule("state", "status"), FieldRule("amount", "total"))
    orders = ObjectRules("orders", None, fields, contact="buyer", options={"contact_object": "people"})
    said = Record("1", {"status": ODD[odd], "total": ODD[odd], "buyer": ODD[odd]})
    with closing(open_store(database)) as store:
        assert store.land_facts("a", facts(orders, [said]), Clock().now()) == LandedFacts(1)
