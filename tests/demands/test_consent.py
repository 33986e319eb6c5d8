"""P36, D11: an opt-out reaches every system, first, past every filter, and nothing ordinary undoes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from pathlib import Path

import pytest

from tests.demands.hubs import (
    DOCUMENTED,
    OPT_OUT,
    Setting,
    When,
    ann,
    hub_of,
    mapped,
    person,
    public,
    told,
    until_quiet,
    with_fuse,
)
from tests.sync.memory import ALL, Clock, Memory
from tests.sync.small_hub import SmallHub, rules
from trueup.connectors.base import Capability
from trueup.mapping.schema import ConsentRule, Shape
from trueup.model.delivery import DeliveryState
from trueup.model.record import Json
from trueup.model.run import RunOutcome
from trueup.sync.parts import Pace
from trueup.sync.rules.guard import Fuse

NAMES = ("sales", "marketing", "support")
TAG = ConsentRule("email", "marketing", "labels", Shape.ELEMENT, "no_marketing", "present")
WORD = ConsentRule("email", "marketing", "mailing", opted_out="No")
HOW = {"sales": OPT_OUT, "marketing": WORD, "support": TAG}
FIELDS = ("email", "first_name", "last_name", "job_title")
PAIRS = list(permutations(NAMES, 2))


@pytest.fixture
def clock() -> Clock:
    return Clock()


def three(folder: Path, clock: Clock, create: tuple[str, ...] = NAMES, **more: object) -> SmallHub:
    """Three systems that keep consent as a tick, as a word and as a tag."""
    systems = {name: Memory(clock, page=50) for name in NAMES}
    objects = [(name, rules(fields=mapped(*FIELDS), consent=(HOW[name],))) for name in NAMES]
    return hub_of(folder, clock, systems, Setting(objects, create=create, **more))  # type: ignore[arg-type]


def opt_out(hub: SmallHub, name: str, id: str = "1") -> None:
    words: dict[str, dict[str, Json]] = {
        "sales": {"no_mail": True},
        "marketing": {"mailing": "No"},
        "support": {"labels": ["no_marketing"]},
    }
    hub.systems[name].edit(id, **words[name])


def is_out(hub: SmallHub, name: str, id: str = "1") -> bool:
    held = hub.systems[name].values(id)
    return {
        "sales": held.get("no_mail") is True,
        "marketing": held.get("mailing") == "No",
        "support": "no_marketing" in (held.get("labels") or []),
    }[name]


def loaded(folder: Path, clock: Clock, **more: object) -> SmallHub:
    hub = three(folder, clock, **more)  # type: ignore[arg-type]
    hub.systems["sales"].add(**ann(job_title="CTO"))
    hub.sync()
    hub.release()
    until_quiet(hub, clock)
    return hub


@pytest.mark.parametrize(("said_in", "shown_in"), PAIRS)
def test_p36_an_opt_out_reaches_every_other_system_in_the_next_run(
    said_in: str, shown_in: str, tmp_path: Path, clock: Clock
) -> None:
    hub = loaded(tmp_path, clock)
    opt_out(hub, said_in)
    hub.sync()
    assert is_out(hub, shown_in)


# -- what does not undo it --------------------------------------------------------------------------

Act = Callable[[SmallHub, str, str, Clock], None]


def filtered(hub: SmallHub, said_in: str, other: str, clock: Clock) -> None:
    """The other system's filter lets nobody in any more."""
    stream = (other, "people")
    hub.parts = replace(
        hub.parts, policy=replace(hub.parts.policy, take={stream: When("job_title", "never")})
    )
    hub.systems[other].edit("1", job_title="anything")


def deleted_and_made_again(hub: SmallHub, said_in: str, other: str, clock: Clock) -> None:
    """The record is deleted where the opt-out was said, and somebody types the person in again."""
    hub.systems[said_in].delete("1")
    hub.sync()
    hub.systems[said_in].add(**ann())


def address_changed(hub: SmallHub, said_in: str, other: str, clock: Clock) -> None:
    hub.systems[other].edit("1", email="ann.lee@new.example")


def merged(hub: SmallHub, said_in: str, other: str, clock: Clock) -> None:
    """The system where it was said merges the record into another one, which shows nothing."""
    id = hub.systems[said_in].add(**ann())
    hub.sync()
    hub.systems[said_in].merge("1", id)


def full_resync(hub: SmallHub, said_in: str, other: str, clock: Clock) -> None:
    """A new configuration and a full listing of everything."""
    paces = {name: Pace(full_listing=timedelta(seconds=1)) for name in hub.systems}
    hub.parts = replace(hub.parts, policy=replace(hub.parts.policy, config_version="v2"), paces=paces)
    clock.tick(3600)


def old_file_imported(hub: SmallHub, said_in: str, other: str, clock: Clock) -> None:
    """An old export is imported over everybody: no tick, no word, no tag."""
    for name in NAMES:
        for id in hub.systems[name].living():
            hub.systems[name].edit(id, no_mail=False, mailing="Yes", labels=[])


def ordinary_write_parked(hub: SmallHub, said_in: str, other: str, clock: Clock) -> None:
    """An ordinary write to the record waits for a person."""
    hub.systems[other].refuse = lambda values: {"": "broken"} if "job_title" in values else {}
    hub.systems[said_in].edit("1", job_title="whatever")


def no_longer_meets_create(hub: SmallHub, said_in: str, other: str, clock: Clock) -> None:
    policy = hub.parts.policy
    stream = (other, "people")
    rule = replace(policy.rules[stream], leaves="stop")
    hub.parts = replace(
        hub.parts,
        policy=replace(
            policy,
            rules={**policy.rules, stream: rule},
            create={**policy.create, stream: When("job_title", "never")},
        ),
    )


ACTS: tuple[Act, ...] = (
    filtered,
    deleted_and_made_again,
    address_changed,
    merged,
    full_resync,
    old_file_imported,
    ordinary_write_parked,
    no_longer_meets_create,
)


@pytest.mark.parametrize(("said_in", "other"), PAIRS)
@pytest.mark.parametrize("act", ACTS)
def test_p36_whoever_opted_out_stays_opted_out_everywhere(
    act: Act, said_in: str, other: str, tmp_path: Path, clock: Clock
) -> None:
    hub = loaded(tmp_path, clock)
    opt_out(hub, said_in)
    hub.sync()
    act(hub, said_in, other, clock)
    until_quiet(hub, clock)
    shown = {(name, id): is_out(hub, name, id) for name in NAMES for id in hub.systems[name].living()}
    assert all(shown.values()), shown


@pytest.mark.parametrize(("said_in", "other"), PAIRS)
@pytest.mark.parametrize("act", [filtered, ordinary_write_parked, no_longer_meets_create])
def test_p36_an_opt_out_passes_filters_and_parked_writes(
    act: Act, said_in: str, other: str, tmp_path: Path, clock: Clock
) -> None:
    hub = loaded(tmp_path, clock)
    act(hub, said_in, other, clock)
    hub.sync()
    opt_out(hub, said_in)
    hub.sync()
    assert is_out(hub, other)


def test_p36_a_record_that_was_never_released_still_gets_the_opt_out(tmp_path: Path, clock: Clock) -> None:
    hub = three(tmp_path, clock, create=())
    for name in NAMES:
        hub.systems[name].add(**ann(job_title=f"from {name}"))
    opt_out(hub, "support")
    hub.sync()
    assert [is_out(hub, name) for name in NAMES] == [True] * 3
    assert told(hub.systems["marketing"], "job_title") == ["from marketing"]


def test_p36_every_record_of_a_person_in_one_system_is_opted_out(tmp_path: Path, clock: Clock) -> None:
    hub = three(tmp_path, clock, create=())
    for _ in range(3):
        hub.systems["marketing"].add(**ann())
    hub.systems["sales"].add(**ann(no_mail=True))
    until_quiet(hub, clock)
    assert told(hub.systems["marketing"], "mailing") == ["No"] * 3


def test_p36_two_people_who_share_the_address_are_both_opted_out(tmp_path: Path, clock: Clock) -> None:
    hub = three(tmp_path, clock, create=())
    hub.systems["sales"].add(**ann(no_mail=False))
    hub.systems["sales"].add(email="bob@example.com", first_name="Bob", last_name="Ray")
    hub.sync()
    opt_out(hub, "sales", "1")
    hub.sync()
    hub.systems["sales"].edit("2", email="ann@example.com")
    until_quiet(hub, clock)
    assert hub.store.case("c-2").entity.values["consent.email.marketing"] == "opted_out"


def test_p36_a_new_contact_is_created_with_its_opt_out(tmp_path: Path, clock: Clock) -> None:
    hub = three(tmp_path, clock, create=("marketing", "support"))
    hub.systems["sales"].add(**ann(no_mail=True))
    hub.sync()
    for name in ("marketing", "support"):
        assert is_out(hub, name)
        assert len(hub.systems[name].written) == 1


def test_d11_opt_outs_go_before_ordinary_work(tmp_path: Path, clock: Clock) -> None:
    hub = three(tmp_path, clock)
    for number in range(40):
        hub.systems["sales"].add(**person(number, job_title="x"))
    hub.sync()
    hub.release()
    until_quiet(hub, clock)
    with_fuse(hub, change=Fuse())
    for system in hub.systems.values():
        system.written.clear()
    for number in range(1, 41):
        hub.systems["sales"].edit(str(number), job_title="y")
    opt_out(hub, "sales", "40")
    hub.sync()
    for name in ("marketing", "support"):
        first, *others = hub.systems[name].written
        assert set(first.values) <= {"mailing", "labels"}
        assert len(others) == 40


def test_d11_an_opt_out_passes_every_fuse(tmp_path: Path, clock: Clock) -> None:
    hub = three(tmp_path, clock)
    for number in range(40):
        hub.systems["sales"].add(**person(number, job_title="x"))
    hub.sync()
    hub.release()
    with_fuse(hub, change=Fuse(0), clear=Fuse(0), deactivate=Fuse(0), opt_in=Fuse(0))
    for number in range(1, 41):
        hub.systems["sales"].edit(str(number), no_mail=True)
    hub.sync(approve=False)
    assert set(told(hub.systems["marketing"], "mailing")) == {"No"}


@pytest.mark.parametrize("state", [DeliveryState.PARKED, DeliveryState.DOUBT])
def test_p36_an_opt_out_does_not_wait_for_an_ordinary_write_of_the_same_record(
    state: DeliveryState, tmp_path: Path, clock: Clock
) -> None:
    hub = loaded(tmp_path, clock)
    marketing = hub.systems["marketing"]
    if state is DeliveryState.PARKED:
        marketing.refuse = lambda values: {"": "broken"} if "job_title" in values else {}
    else:
        marketing.lag = 10_000.0
        hub.parts = replace(
            hub.parts, specs={**hub.parts.specs, ("marketing", "people"): marketing.objects()["people"]}
        )
        marketing.loses = lambda item: "job_title" in item.values
    hub.systems["sales"].edit("1", job_title="COO")
    hub.sync()
    assert [one.state for one in hub.store.deliveries([state], "marketing", 9)] == [state]
    opt_out(hub, "sales")
    hub.sync()
    assert is_out(hub, "marketing")


# -- what loosens it --------------------------------------------------------------------------------


def with_proof(folder: Path, clock: Clock) -> SmallHub:
    """Sales keeps a tick; marketing keeps subscriptions that can prove when and where."""
    systems = {name: Memory(clock) for name in ("sales", "marketing")}
    objects = [
        ("sales", rules(fields=mapped(*FIELDS), consent=(OPT_OUT,))),
        ("marketing", rules(fields=mapped(*FIELDS), consent=(DOCUMENTED,))),
    ]
    hub = hub_of(folder, clock, systems, Setting(objects, create=("sales", "marketing")))
    with_fuse(hub, opt_in=Fuse())
    systems["sales"].add(**ann(no_mail=True))
    hub.sync()
    hub.release()
    clock.tick(3600)
    return hub


def test_p36_a_newer_documented_opt_in_lifts_it(tmp_path: Path, clock: Clock) -> None:
    hub = with_proof(tmp_path, clock)
    at = clock.now().isoformat()
    hub.systems["marketing"].edit("1", subscription={"status": "SUBSCRIBED", "at": at, "source": "form"})
    until_quiet(hub, clock)
    assert hub.contact("ann@example.com")["consent.email.marketing"] == "opted_in"
    assert told(hub.systems["sales"], "no_mail") == [False]


@pytest.mark.parametrize(
    "subscription",
    [
        {"status": "SUBSCRIBED"},
        {"status": "SUBSCRIBED", "at": datetime(2026, 6, 1, tzinfo=UTC).isoformat()},
        {"status": "SUBSCRIBED", "source": "form"},
        {"status": "SUBSCRIBED", "at": datetime(2020, 1, 1, tzinfo=UTC).isoformat(), "source": "form"},
        {"status": "NOT_SPECIFIED"},
        None,
    ],
    ids=["no proof", "no source", "no time", "older", "not specified", "gone"],
)
def test_p36_an_opt_in_without_newer_proof_lifts_nothing(
    subscription: object, tmp_path: Path, clock: Clock
) -> None:
    hub = with_proof(tmp_path, clock)
    hub.systems["marketing"].edit("1", subscription=subscription)
    until_quiet(hub, clock)
    assert hub.contact("ann@example.com")["consent.email.marketing"] == "opted_out"
    assert told(hub.systems["sales"], "no_mail") == [True]
    assert hub.systems["marketing"].values("1")["subscription"]["status"] == "UNSUBSCRIBED"


def test_p36_a_field_that_is_hidden_is_no_opt_in(tmp_path: Path, clock: Clock) -> None:
    hub = loaded(tmp_path, clock)
    opt_out(hub, "sales")
    hub.sync()
    for system in hub.systems.values():
        system.hidden |= {"no_mail", "mailing", "labels"}
    for id in ("1",):
        hub.systems["sales"].edit(id, job_title="COO")
    until_quiet(hub, clock)
    assert [is_out(hub, name) for name in NAMES] == [True] * 3
    assert (
        hub.store.case(public(hub, "ann@example.com")).entity.values["consent.email.marketing"] == "opted_out"
    )


def test_p36_a_system_without_versions_gets_it_too(tmp_path: Path, clock: Clock) -> None:
    plain = ALL - {Capability.CONDITIONAL_WRITE, Capability.ANSWERS_WITH_RECORD}
    systems = {name: Memory(clock, capabilities=plain) for name in NAMES}
    objects = [(name, rules(fields=mapped(*FIELDS), consent=(HOW[name],))) for name in NAMES]
    hub = hub_of(tmp_path, clock, systems, Setting(objects, create=NAMES))
    systems["sales"].add(**ann())
    hub.sync()
    opt_out(hub, "marketing")
    assert hub.sync().outcome is RunOutcome.COMPLETED
    assert [is_out(hub, name) for name in NAMES] == [True] * 3
