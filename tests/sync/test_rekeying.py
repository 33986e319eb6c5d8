"""When the rules of comparing change, what records are found by is made anew before anybody is matched."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.live.postgres_server import fresh_database
from tests.sync.memory import Clock, Memory
from tests.sync.small_hub import Always, SmallHub, small_hub, with_policy
from trueup.dedupe.normalise import NORMALISER_VERSION
from trueup.model.entity import LinkState
from trueup.model.fields import Kind
from trueup.model.matching import LinkKeys, Rekeyed
from trueup.model.plan import Case
from trueup.store.open import SqlStore
from trueup.store.sql import Row
from trueup.sync.rekeying import rebuild_keys

OLDER = NORMALISER_VERSION - 1
SALES = ("sales", "people")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.server)])
def hub(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SmallHub]:
    """Five people in sales, and nobody in support yet."""
    clock = Clock()
    systems = {"sales": Memory(clock), "support": Memory(clock)}
    if request.param == "sqlite":
        yield _five_people(small_hub(tmp_path, clock, systems))
        return
    with fresh_database() as url:
        hub = _five_people(small_hub(tmp_path, clock, systems, database=url))
        yield hub
        hub.store.close()


def _five_people(hub: SmallHub) -> SmallHub:
    for number in range(5):
        hub.systems["sales"].add(email=f"Ann.{number}@gmail.com", first_name="Ann", last_name="Lee")
    hub.sync()
    return hub


def found_as_before(hub: SmallHub) -> None:
    """Leave the keys of sales as an older version made them, which did not know that Gmail has no dots."""
    links = [link for case in everybody(hub) for link in case.links if link.stream == SALES]
    keys = tuple(
        LinkKeys(one.id, one.kind, (("email", str(one.observed["email"]).lower()),)) for one in links
    )
    hub.store.rekey(Rekeyed(*SALES, OLDER, keys, (), None), None)


def everybody(hub: SmallHub) -> list[Case]:
    return [hub.store.case(id) for id in hub.store.find(Kind.CONTACT, "Ann", 50)]


ALL = "select distinct k.digest, l.entity_id from match_keys k join links l on l.id = k.link_id order by 1, 2"


def all_keys(hub: SmallHub) -> list[Row]:
    """What every contact is found by."""
    assert isinstance(hub.store, SqlStore)
    return hub.store._db.read(lambda tx: tx.rows(ALL))


def steps(hub: SmallHub, kill_after: int = 99) -> list[int]:
    """How many records are made anew in each step from now on; the run dies after so many steps."""
    told: list[int] = []

    def progress(step: str, connection: str, object: str, count: int) -> None:
        if step == "rekey":
            told.append(count)
            if len(told) == kill_after:
                raise KeyboardInterrupt

    hub.parts = replace(hub.parts, progress=progress, timing=replace(hub.parts.timing, chunk=2))
    return told


def test_whoever_comes_after_a_change_of_the_rules_is_matched_by_the_new_ones(hub: SmallHub) -> None:
    found_as_before(hub)
    hub.systems["support"].add(email="ann3@gmail.com", first_name="Ann", last_name="Lee")
    report = hub.sync()
    (ann,) = [case for case in everybody(hub) if len(case.links) == 2]
    assert {link.connection for link in ann.links} == {"sales", "support"}
    assert [note for note in report.tally.notes if note.startswith("5 records are compared by newer rules")]


def test_keys_are_made_anew_once(hub: SmallHub) -> None:
    told = steps(hub)
    hub.sync()
    assert told == []
    found_as_before(hub)
    hub.sync()
    assert told == [2, 2, 1, 0]
    hub.sync()
    assert told == [2, 2, 1, 0]


def test_a_run_that_was_killed_is_gone_on_with_before_anybody_is_matched(hub: SmallHub) -> None:
    found_as_before(hub)
    hub.systems["support"].add(email="ann3@gmail.com", first_name="Ann", last_name="Lee")
    steps(hub, kill_after=1)
    with pytest.raises(KeyboardInterrupt):
        hub.sync()
    assert len(everybody(hub)) == 5
    hub.parts.clock.sleep(3600)
    told = steps(hub)
    hub.sync()
    assert told == [2, 1, 0]
    assert sorted(len(case.links) for case in everybody(hub)) == [1, 1, 1, 1, 2]


def test_a_second_change_of_the_rules_in_the_middle_begins_anew(hub: SmallHub) -> None:
    found_as_before(hub)
    (first, *_) = everybody(hub)
    half = LinkKeys(first.links[0].id, Kind.CONTACT, ())
    hub.store.rekey(Rekeyed(*SALES, OLDER - 1, (half,), (), half.link_id), None)
    told = steps(hub)
    hub.sync()
    assert told == [2, 2, 1, 0]


def test_records_of_a_system_that_is_not_configured_follow_when_it_is(hub: SmallHub) -> None:
    found_as_before(hub)
    whole = hub.parts.policy
    rest = {stream: one for stream, one in whole.mappings.items() if stream != SALES}
    told = steps(hub)
    with_policy(hub, replace(whole, mappings=rest, rules={key: whole.rules[key] for key in rest}))
    hub.parts = replace(hub.parts, connectors={"support": hub.systems["support"]})
    hub.sync(["support"])
    assert told == []
    hub.parts = replace(hub.parts, policy=whole, connectors=dict(hub.systems))
    hub.sync()
    assert told == [2, 2, 1, 0]


def test_whose_company_has_another_key_by_the_new_rules_is_decided_again(hub: SmallHub) -> None:
    (first, second, *_) = (case.entity for case in everybody(hub))
    says = replace(first, values={**first.values, "company_name": "ACME"})
    hub.store.rekey(Rekeyed(*SALES, OLDER, (), (says, second), None), None)
    assert list(hub.store.due([Kind.CONTACT], hub.parts.now(), 0, 10)) == [first.id]
    hub.sync()
    hub.store.rekey(Rekeyed(*SALES, OLDER, (), (first, second), None), None)
    assert list(hub.store.due([Kind.CONTACT], hub.parts.now(), 0, 10)) == []


def test_where_the_rules_give_the_same_every_contact_is_found_by_the_same(hub: SmallHub) -> None:
    """Also those of addresses that the contact holds or held and its records do not say, of a record that was
    deleted, and of one that is about to be made."""
    sales, support = hub.systems["sales"], hub.systems["support"]
    for number in range(3):
        support.add(email=f"ann.{number}@gmail.com", first_name="Ann", last_name="Lee")
    hub.sync()
    hub.release()
    sales.edit("1", email="new@example.com")
    support.edit("2", email="other@example.com")
    hub.sync()
    sales.delete("3")
    sales.edit("4", last_name="Li")
    hub.parts = replace(hub.parts, policy=replace(hub.parts.policy, create={("support", "people"): Always()}))
    support.refuse = lambda values: {"email": "no"}
    for _ in range(2):
        hub.sync()
    before = all_keys(hub)
    for stream in hub.parts.policy.mappings:
        hub.store.rekey(Rekeyed(*stream, OLDER, (), (), None), None)
    rebuild_keys(hub.parts, None)
    assert all_keys(hub) == before
    states = {link.state for case in everybody(hub) for link in case.links}
    assert states == {LinkState.LIVE, LinkState.TOMBSTONE, LinkState.WANTED}
