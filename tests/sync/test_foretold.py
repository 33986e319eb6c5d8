"""A plan foretells the opt-outs that follow from what it is itself the first to read."""

from __future__ import annotations

from pathlib import Path
from time import process_time

import pytest

from tests.demands.hubs import until_quiet
from tests.sync.consenting import ann, consent_hub, two
from tests.sync.memory import Clock, Memory
from tests.sync.small_hub import SmallHub, rules
from trueup.mapping.schema import ConsentRule
from trueup.model.consent import ConsentEvent, ConsentState
from trueup.model.delivery import Lane
from trueup.sync.engine import Report, landing
from trueup.sync.foretold import Foretold
from trueup.sync.preview import preview


@pytest.fixture
def clock() -> Clock:
    return Clock()


def foretold(hub: SmallHub) -> list[tuple[str, str]]:
    """The records that a plan says would be opted out."""
    landing(hub.parts, tuple(hub.systems), Report(0), None)
    return sorted(
        (write.connection, str(link.remote_id))
        for case, plan in preview(hub.parts, lambda one: None)
        for write in plan.writes
        for link in case.links
        if write.lane is Lane.URGENT and link.id == write.link_id
    )


def written(hub: SmallHub, clock: Clock) -> list[tuple[str, str]]:
    """The records that show an opt-out after a sync and did not before."""
    before = opted_out(hub)
    until_quiet(hub, clock)
    return sorted(opted_out(hub) - before)


def opted_out(hub: SmallHub) -> set[tuple[str, str]]:
    return {
        (name, id)
        for name, system in hub.systems.items()
        for id in system.living()
        if system.values(id).get("optout") is True
    }


def test_of_people_who_may_be_the_same(tmp_path: Path, clock: Clock) -> None:
    hub = two(tmp_path, clock)
    hub.systems["source"].add(**ann(optout=True))
    hub.systems["target"].add(**ann(first_name="Ben", optout=False))
    assert foretold(hub) == [("target", "1")] == written(hub, clock)


def test_of_people_who_share_a_further_address(tmp_path: Path, clock: Clock) -> None:
    hub = two(tmp_path, clock)
    hub.systems["source"].add(**ann(optout=True))
    hub.systems["source"].add(**ann(first_name="Cid", optout=False))
    hub.systems["target"].add(**ann(first_name="Ben", optout=False))
    assert foretold(hub) == written(hub, clock) != []


def test_of_somebody_known_whose_address_a_newcomer_brings(tmp_path: Path, clock: Clock) -> None:
    hub = two(tmp_path, clock)
    hub.systems["target"].add(**ann(first_name="Ben", optout=False))
    hub.sync()
    clock.tick(60)
    hub.systems["source"].add(**ann(optout=True))
    assert foretold(hub) == [("target", "1")] == written(hub, clock)


def test_of_a_newcomer_whose_address_opted_out_long_ago(tmp_path: Path, clock: Clock) -> None:
    hub = two(tmp_path, clock)
    hub.systems["source"].add(**ann(optout=True))
    hub.sync()
    clock.tick(60)
    hub.systems["target"].add(**ann(first_name="Ben", optout=False))
    assert foretold(hub) == [("target", "1")] == written(hub, clock)


def test_of_a_known_record_that_opts_out_now(tmp_path: Path, clock: Clock) -> None:
    hub = two(tmp_path, clock)
    hub.systems["source"].add(**ann(optout=False))
    hub.systems["target"].add(**ann(first_name="Ben", optout=False))
    hub.sync()
    clock.tick(60)
    hub.systems["source"].edit("1", optout=True)
    assert foretold(hub) == [("target", "1")] == written(hub, clock)


NUMBER = rules(consent=(ConsentRule("phone", "marketing", "optout", opted_out=True),))


@pytest.mark.parametrize(("teller", "other"), [("source", "target"), ("target", "source")])
def test_of_somebody_known_who_may_be_the_same_and_shares_no_address_of_the_channel(
    teller: str, other: str, tmp_path: Path, clock: Clock
) -> None:
    systems = {"source": Memory(clock), "target": Memory(clock)}
    hub = consent_hub(tmp_path, clock, systems, {"source": NUMBER, "target": NUMBER})
    hub.systems["source"].add(**ann(optout=False))
    hub.systems["target"].add(**ann(first_name="Ben", optout=False))
    hub.sync()
    clock.tick(60)
    hub.systems[teller].edit("1", optout=True)
    assert foretold(hub) == [(other, "1")] == written(hub, clock)


def test_of_who_may_be_the_same_as_somebody_that_shares_the_address(tmp_path: Path, clock: Clock) -> None:
    """Ann and Zoe share an address; Ben has another one and may be Zoe."""
    hub = two(tmp_path, clock)
    hub.systems["source"].add(**ann(optout=False))
    hub.systems["source"].add(**ann(first_name="Zoe", optout=False))
    hub.systems["target"].add(**ann(first_name="Ben", optout=False))
    hub.sync()
    clock.tick(60)
    hub.systems["target"].edit("1", email="ben@example.com")
    hub.sync()
    clock.tick(60)
    hub.systems["source"].edit("1", optout=True)
    assert foretold(hub) == written(hub, clock) != []


def test_whom_an_opt_out_concerns_costs_the_same_among_many(tmp_path: Path, clock: Clock) -> None:
    hub = two(tmp_path, clock)
    hub.systems["source"].add(**ann(optout=False))
    landing(hub.parts, tuple(hub.systems), Report(0), None)
    ((case, plan),) = preview(hub.parts, lambda one: None)
    heard, seconds = Foretold(), []
    for many in (50, 50_000):
        heard.hear(case.links[0], [somebody(number) for number in range(many)])
        began = process_time()
        assert not any(heard.with_more(case, plan) for _ in range(500))
        seconds.append(process_time() - began)
    assert seconds[1] < 20 * seconds[0]


def somebody(number: int) -> ConsentEvent:
    """An opt-out at an address of its own."""
    at, out = Clock().now(), ConsentState.OPTED_OUT
    return ConsentEvent("address", f"{number}@example.com", "email", "marketing", out, at, True, "source")


def test_nothing_is_foretold_where_nobody_opted_out(tmp_path: Path, clock: Clock) -> None:
    hub = two(tmp_path, clock)
    hub.systems["source"].add(**ann(optout=False))
    hub.systems["target"].add(**ann(first_name="Ben", optout=False))
    assert foretold(hub) == []
