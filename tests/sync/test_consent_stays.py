"""Whose opt-out it is: it follows the person to a new address, past removed connections and records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from tests.sync.consenting import FLAG, STATE, ann, both_have_ann, consent_hub, later, opted_out, two
from tests.sync.memory import ALL, Clock, Memory
from tests.sync.small_hub import Always, Said, SmallHub, rules, with_policy
from tests.sync.test_dormant import asleep
from trueup.connectors.base import Capability
from trueup.mapping.apply import compile_mapping
from trueup.mapping.schema import ConsentRule
from trueup.model.canonical import Locale
from trueup.model.fields import TABLES, Kind
from trueup.sync.inbox import land
from trueup.sync.tally import Tally

NAMED = ("email", "first_name", "last_name", "phone")


def ann_opts_out(hub: SmallHub, clock: Clock) -> None:
    both_have_ann(hub)
    hub.release()
    hub.systems["source"].edit("1", optout=True)
    later(hub, clock)


def heard_of(hub: SmallHub) -> set[str]:
    """Of whom and of what the ledger knows an opt-out, as far as it is about Ann."""
    return {event.subject for event in hub.store.case(hub.store.find(Kind.CONTACT, "ann lee", 9)[0]).consent}


def test_a_changed_address_takes_the_opt_out_over_and_the_old_one_keeps_it(tmp_path: Path) -> None:
    clock = Clock()
    hub = two(tmp_path, clock)
    ann_opts_out(hub, clock)
    hub.systems["target"].edit("1", email="new@example.com")
    later(hub, clock)
    assert heard_of(hub) == {"source/people/1", "ann@example.com", "new@example.com"}
    robert = {"first_name": "Robert", "last_name": "Lee", "optout": False}
    addresses = ("new@example.com", "ann@example.com")
    ids = [hub.systems["target"].add(email=address, **robert) for address in addresses]
    later(hub, clock)
    assert [hub.systems["target"].values(id)["optout"] for id in ids] == [True, True]


def test_an_address_that_is_changed_in_two_steps_takes_the_opt_out_over_too(tmp_path: Path) -> None:
    clock = Clock()
    hub = two(tmp_path, clock)
    ann_opts_out(hub, clock)
    robert = hub.systems["target"].add(
        email="new@example.com", first_name="Robert", last_name="Lee", optout=False
    )
    for address in (None, "new@example.com"):
        hub.systems["target"].edit("1", email=address)
        later(hub, clock)
        later(hub, clock)
    assert heard_of(hub) == {"source/people/1", "ann@example.com", "new@example.com"}
    assert hub.systems["target"].values(robert)["optout"] is True


def test_an_address_that_another_record_brings_takes_nothing_over(tmp_path: Path) -> None:
    clock = Clock()
    fields = {name: rules(fields=NAMED, consent=(FLAG,)) for name in ("source", "target")}
    hub = consent_hub(tmp_path, clock, {name: Memory(clock) for name in fields}, fields)
    who = {"first_name": "Ann", "last_name": "Lee", "phone": "+49301234561"}
    hub.systems["source"].add(**who, email="ann@example.com", optout=True)
    hub.systems["target"].add(**who, email="other@example.com", optout=False)
    hub.sync()
    assert hub.systems["target"].values("1")["optout"] is True
    assert heard_of(hub) == {"source/people/1", "ann@example.com"}


def test_what_the_hub_wrote_itself_is_no_word_of_the_record_that_shows_it(tmp_path: Path) -> None:
    clock = Clock()
    hub = two(tmp_path, clock)
    ann_opts_out(hub, clock)
    hub.systems["target"].edit("1", job_title="CTO")
    later(hub, clock)
    assert heard_of(hub) == {"source/people/1", "ann@example.com"}


def test_a_word_that_is_mended_in_the_mapping_brings_out_who_had_opted_out_by_then(tmp_path: Path) -> None:
    clock = Clock()
    wrong, right = (
        ConsentRule("email", "marketing", "status", opted_out=word) for word in ("out", "no mail")
    )
    systems = {"source": Memory(clock), "target": Memory(clock)}
    hub = consent_hub(tmp_path, clock, systems, {"source": rules(consent=(wrong,))})
    systems["source"].add(**ann(status="no mail"))
    systems["target"].add(**ann(optout=False))
    hub.sync()
    assert not opted_out(hub)
    policy, place, mended = hub.parts.policy, ("source", "people"), rules(consent=(right,))
    mapping = compile_mapping("source", mended, TABLES[Kind.CONTACT], Locale())
    mappings, said = {**policy.mappings, place: mapping}, {**policy.rules, place: mended}
    with_policy(hub, replace(policy, mappings=mappings, rules=said, config_version="mended"))
    later(hub, clock)
    assert (opted_out(hub), systems["target"].values("1")["optout"]) == (True, True)


def test_a_removed_connection_leaves_its_opt_outs_behind(tmp_path: Path) -> None:
    clock = Clock()
    fields = {name: rules(fields=NAMED, consent=(FLAG,)) for name in ("a", "b")}
    hub = consent_hub(tmp_path, clock, {name: Memory(clock) for name in fields}, fields)
    who = {"first_name": "Ann", "last_name": "Lee", "phone": "+49301234561"}
    hub.systems["a"].add(**who, optout=True)
    hub.systems["b"].add(**who, email="ann@example.com", optout=False)
    hub.sync()
    hub.store.remove_connection("a", "test", clock.now())
    hub.parts = asleep(hub.parts, "a")
    clock.tick(60)
    hub.sync(["b"])
    assert opted_out(hub)


def candidates(folder: Path, clock: Clock, more: tuple[str, ...] = ()) -> SmallHub:
    """Two records in `b` of whom the one that comes to `a` may be either."""
    fields = {name: rules(fields=NAMED, consent=(FLAG,)) for name in ("a", "b", *more)}
    hub = consent_hub(folder, clock, {name: Memory(clock) for name in fields}, fields)
    b = hub.systems["b"]
    for number in (1, 2):
        phone = f"+4930123456{number}"
        b.add(email=f"x{number}@example.com", first_name="Ann", last_name="Lee", phone=phone, optout=False)
    hub.sync()
    b.edit("2", phone="+49301234561")
    later(hub, clock)
    return hub


def third_ann(hub: SmallHub, optout: bool) -> None:
    who = {"first_name": "Ann", "last_name": "Lee", "phone": "+49301234561"}
    hub.systems["a"].add(**who, email="new@example.com", optout=optout)


def test_an_opt_out_applies_to_everybody_who_may_be_that_person(tmp_path: Path) -> None:
    clock = Clock()
    hub = candidates(tmp_path, clock)
    third_ann(hub, optout=True)
    later(hub, clock)
    assert len(hub.store.unsure(9)) == 2
    assert [hub.systems["b"].values(id)["optout"] for id in ("1", "2")] == [True, True]


def test_and_the_other_way_round_to_the_one_who_is_new(tmp_path: Path) -> None:
    clock = Clock()
    hub = candidates(tmp_path, clock)
    third_ann(hub, optout=False)
    later(hub, clock)
    hub.systems["b"].edit("2", optout=True)
    later(hub, clock)
    assert hub.systems["a"].values("1")["optout"] is True
    first = hub.store.case(hub.store.find(Kind.CONTACT, "x1@example.com", 9)[0])
    assert first.entity.values.get(STATE) != "opted_out"  # whom nobody takes for the second one


def test_two_who_may_be_one_person_hear_of_each_other_also_when_both_bring_an_opt_out_at_once(
    tmp_path: Path,
) -> None:
    clock = Clock()
    calls = ConsentRule("phone", "marketing", "nocalls", opted_out=True)
    fields = {name: rules(fields=NAMED, consent=(FLAG, calls)) for name in ("a", "b")}
    hub = consent_hub(tmp_path, clock, {name: Memory(clock) for name in fields}, fields)
    family = {"email": "family@example.com", "last_name": "Lee"}
    hub.systems["a"].add(**family, first_name="Ann", optout=True, nocalls=False)
    hub.systems["b"].add(**family, first_name="Bob", optout=False, nocalls=True)
    hub.sync()
    assert len(hub.store.unsure(9)) == 1
    held = [system.values("1") for system in hub.systems.values()]
    assert [(one["optout"], one["nocalls"]) for one in held] == [(True, True), (True, True)]


def test_an_opt_out_by_address_reaches_also_who_may_be_the_one_who_holds_it(tmp_path: Path) -> None:
    clock = Clock()
    hub = candidates(tmp_path, clock, more=("c",))
    third_ann(hub, optout=False)
    later(hub, clock)
    hub.systems["c"].add(email="x1@example.com", first_name="Cid", last_name="Fox", optout=True)
    for _ in range(2):
        later(hub, clock)
    assert hub.systems["b"].values("1")["optout"] is True
    assert hub.systems["a"].values("1")["optout"] is True


@pytest.mark.parametrize("goes", ["merged", "deleted"])
def test_an_opt_out_that_was_read_but_not_decided_outlives_its_record(tmp_path: Path, goes: str) -> None:
    clock = Clock()
    hub = consent_hub(tmp_path, clock, {"a": Memory(clock), "b": Memory(clock)})
    a = hub.systems["a"]
    a.add(**ann(optout=False))
    both_have_ann(hub)
    a.edit("2", optout=True)
    land(hub.parts, ("a", "people"), Tally(), None)  # and then the run dies
    if goes == "merged":
        a.merge("2", "1")
    else:
        a.delete("2")
    later(hub, clock)
    assert (opted_out(hub), hub.systems["b"].values("1")["optout"]) == (True, True)


@pytest.mark.parametrize("capabilities", [ALL, ALL - {Capability.INCREMENTAL}], ids=["changes", "listings"])
def test_a_record_that_is_not_taken_delivers_its_opt_out_by_address(
    tmp_path: Path, capabilities: frozenset[Capability]
) -> None:
    clock = Clock()
    hub = consent_hub(tmp_path, clock, {"a": Memory(clock, capabilities=capabilities), "b": Memory(clock)})
    with_policy(hub, replace(hub.parts.policy, take={("a", "people"): Nobody()}))
    hub.systems["b"].add(**ann(optout=False))
    hub.systems["a"].add(**ann(optout=True))
    for _ in range(3):
        later(hub, clock)
    assert (opted_out(hub), hub.systems["b"].values("1")["optout"]) == (True, True)
    assert len(hub.store.case(hub.store.find(Kind.CONTACT, "ann lee", 9)[0]).consent) == 1


class Nobody(Always):
    """A condition that no record meets."""

    def met(self, values: Mapping[str, object], now: datetime) -> Said:
        return Said(False)
