"""An opt-out that a person entered in the hub, in the store and the rules."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tests.demands.hubs import DOCUMENTED, until_quiet
from tests.sync.consenting import ann, both_have_ann, consent_hub, later, opted_out, two
from tests.sync.memory import Clock, Memory
from tests.sync.small_hub import SmallHub, rules
from trueup.model.consent import ConsentState
from trueup.model.delivery import DeliveryState, Lane
from trueup.model.fields import Kind
from trueup.sync.rules.ledger import said_by_hand


@pytest.fixture
def clock() -> Clock:
    return Clock()


def tell(hub: SmallHub, who: str = "ann@example.com") -> None:
    """Somebody says on the phone that this person wants no marketing by e-mail."""
    (id,) = hub.store.find(Kind.CONTACT, who, 10)
    now, case = hub.parts.now(), hub.store.case(id)
    news = said_by_hand(case, ("email", "marketing"), ConsentState.OPTED_OUT, "ops", "by phone", now)
    hub.store.edit(id, {}, "ops", now, False, news)


def shown(hub: SmallHub) -> dict[str, list[object]]:
    return {
        name: [system.values(id).get("optout") for id in system.living()]
        for name, system in hub.systems.items()
    }


def test_every_record_gets_it_with_the_next_run(tmp_path: Path, clock: Clock) -> None:
    hub = two(tmp_path, clock)
    both_have_ann(hub)
    hub.systems["target"].add(**ann(optout=False))
    later(hub, clock)
    tell(hub)
    hub.sync()
    assert shown(hub) == {"source": [True], "target": [True, True]}


def test_it_leaves_in_the_urgent_lane(tmp_path: Path, clock: Clock) -> None:
    hub = two(tmp_path, clock)
    both_have_ann(hub)
    tell(hub)
    hub.sync()
    (written,) = hub.store.deliveries([DeliveryState.DONE], "target", 10)
    assert (written.write.lane, hub.systems["target"].values("1")["optout"]) == (Lane.URGENT, True)


def test_whoever_has_the_same_address_is_opted_out_too(tmp_path: Path, clock: Clock) -> None:
    hub = two(tmp_path, clock)
    hub.systems["source"].add(**ann(optout=False))
    hub.systems["source"].add(**ann(first_name="Ben", optout=False))
    hub.sync()
    ids = hub.store.find(Kind.CONTACT, "ann@example.com", 10)
    assert len(ids) == 2, "their first names contradict each other"
    tell(hub, ids[1])
    until_quiet(hub, clock)
    assert shown(hub)["source"] == [True, True]


def test_an_opt_in_with_a_later_proof_lifts_it(tmp_path: Path, clock: Clock) -> None:
    systems = {"source": Memory(clock), "target": Memory(clock)}
    hub = consent_hub(tmp_path, clock, systems, {"source": rules(consent=(DOCUMENTED,))})
    systems["source"].add(**ann(subscription=None))
    systems["target"].add(**ann(optout=False))
    hub.sync()
    tell(hub)
    later(hub, clock)
    assert opted_out(hub)
    clock.tick(3600)
    proof = {"status": "SUBSCRIBED", "at": clock.now().isoformat(), "source": "form"}
    systems["source"].edit("1", subscription=proof)
    later(hub, clock)
    assert not opted_out(hub)


def test_an_opt_in_by_a_clock_that_is_ahead_does_not_lift_what_is_told_after_it(
    tmp_path: Path, clock: Clock
) -> None:
    systems = {"source": Memory(clock), "target": Memory(clock)}
    hub = consent_hub(tmp_path, clock, systems, {"source": rules(consent=(DOCUMENTED,))})
    ahead = (clock.now() + timedelta(minutes=4)).isoformat()
    systems["source"].add(**ann(subscription={"status": "SUBSCRIBED", "at": ahead, "source": "form"}))
    systems["target"].add(**ann(optout=False))
    hub.sync()
    clock.tick(60)
    tell(hub)
    later(hub, clock)
    assert opted_out(hub)


def test_who_tells_it_twice_is_heard_twice(tmp_path: Path, clock: Clock) -> None:
    hub = two(tmp_path, clock)
    both_have_ann(hub)
    tell(hub)
    later(hub, clock)
    tell(hub)
    writes = hub.writes()
    later(hub, clock)
    assert (opted_out(hub), hub.writes()) == (True, writes)


def test_it_stands_where_its_only_record_is_deleted_and_made_again(tmp_path: Path, clock: Clock) -> None:
    hub = two(tmp_path, clock)
    both_have_ann(hub)
    tell(hub)
    hub.systems["source"].delete("1")
    hub.systems["target"].delete("1")
    later(hub, clock)
    hub.systems["source"].add(**ann(optout=False))
    until_quiet(hub, clock)
    assert shown(hub)["source"] == [True]
