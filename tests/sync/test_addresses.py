"""Several e-mails and phones of one person: one slot, slots by kind, elements (HARD-CASES 11)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from tests.demands.hubs import OPT_OUT, Setting, ann, contacts, hub_of, until_quiet
from tests.sync.memory import ALL, Clock, Memory
from tests.sync.small_hub import SmallHub, rules, with_policy
from trueup.connectors.base import Capability, Elements
from trueup.mapping.schema import FieldRule, Shape
from trueup.model.fields import TABLES, Kind
from trueup.model.record import Json
from trueup.sync.rules.policy import FieldPolicy

NAME = ("first_name", "last_name")
ONE_SLOT: tuple[str | FieldRule, ...] = ("email", "phone", *NAME)
SLOTS: tuple[str | FieldRule, ...] = (
    *("email", "phone", *NAME),
    FieldRule("emails.work", "work_email"),
    FieldRule("emails.home", "home_email"),
    FieldRule("phones.mobile", "mobile"),
)
ELEMENTS: tuple[str | FieldRule, ...] = (
    *("email", "phone", *NAME),
    FieldRule("emails", "emails", shape=Shape.ELEMENTS),
    FieldRule("phones", "phones", shape=Shape.ELEMENTS),
)
NAMES = ("sales", "office", "support")


@pytest.fixture
def clock() -> Clock:
    return Clock()


def hub_with(
    folder: Path, clock: Clock, shapes: dict[str, Sequence[str | FieldRule]], create: Sequence[str] = ()
) -> SmallHub:
    """Systems of these shapes, released; each keeps opt-outs."""
    one_by_one = ALL | {Capability.ELEMENT_WRITES}
    systems = {name: Memory(clock, page=50, capabilities=one_by_one) for name in shapes}
    objects = [(name, rules(fields=fields, consent=(OPT_OUT,))) for name, fields in shapes.items()]
    return hub_of(folder, clock, systems, Setting(objects, create=create))


def three(folder: Path, clock: Clock, create: Sequence[str] = NAMES, **more: Json) -> SmallHub:
    """Ann in three systems: one slot, slots by kind, elements."""
    hub = hub_with(folder, clock, {"sales": ONE_SLOT, "office": SLOTS, "support": ELEMENTS}, create)
    hub.systems["sales"].add(**ann(**more))
    hub.sync()
    hub.release()
    until_quiet(hub, clock)
    return hub


def ann_s(hub: SmallHub) -> dict[str, object]:
    (values,) = contacts(hub).values()
    return dict(values)


# -- former addresses -----------------------------------------------------------------------------


def two_slots(folder: Path, clock: Clock, create: Sequence[str] = ("office",)) -> SmallHub:
    hub = hub_with(folder, clock, {"sales": ONE_SLOT, "office": ONE_SLOT, "shop": ONE_SLOT}, create)
    hub.systems["sales"].add(**ann(phone="+4930111111"))
    hub.sync()
    hub.release()
    until_quiet(hub, clock)
    return hub


def moves(hub: SmallHub, clock: Clock, name: str = "sales") -> None:
    hub.systems[name].edit("1", email="ann.lee@new.example", phone="+4930222222")
    until_quiet(hub, clock)


@pytest.mark.parametrize("where", ["sales", "office"])
def test_an_address_and_a_number_that_were_left_are_former(where: str, tmp_path: Path, clock: Clock) -> None:
    hub = two_slots(tmp_path, clock)
    moves(hub, clock, where)
    values = ann_s(hub)
    assert (values["emails"], values["phones"]) == (["ann.lee@new.example"], ["+4930222222"])
    assert values["former_emails"] == ["ann@example.com"]
    assert values["former_phones"] == ["+4930111111"]


@pytest.mark.parametrize("create", [(), ("office",)])
@pytest.mark.parametrize("held", [{"email": "ann@example.com"}, {"phone": "+4930111111"}])
def test_a_later_record_with_what_was_left_is_the_same_person(
    held: dict[str, Json], create: Sequence[str], tmp_path: Path, clock: Clock
) -> None:
    hub = two_slots(tmp_path, clock, create)
    moves(hub, clock)
    for name in hub.systems:  # every record is read once more, and judged, after the move
        if hub.systems[name].living():
            hub.systems[name].edit("1", last_name="Lee-Ray")
            hub.systems[name].edit("1", last_name="Lee")
    until_quiet(hub, clock)
    hub.systems["shop"].add(first_name="Ann", last_name="Lee", **held)
    until_quiet(hub, clock)
    assert len(contacts(hub)) == 1


def test_a_later_record_with_the_former_address_matches_also_when_it_was_edited_in_the_hub(
    tmp_path: Path, clock: Clock
) -> None:
    hub = two_slots(tmp_path, clock, ())
    (public,) = contacts(hub)
    hub.store.edit(public, {"email": "ann.lee@new.example"}, "steward", clock.now(), False)
    until_quiet(hub, clock)
    hub.systems["sales"].edit("1", first_name="Anna")
    until_quiet(hub, clock)
    hub.systems["shop"].add(**ann(first_name="Anna"))
    until_quiet(hub, clock)
    assert len(contacts(hub)) == 1


def test_a_person_s_new_address_is_matched_in_every_system_that_was_told(
    tmp_path: Path, clock: Clock
) -> None:
    hub = two_slots(tmp_path, clock)
    moves(hub, clock)
    hub.systems["sales"].delete("1")
    until_quiet(hub, clock)
    hub.systems["shop"].add(**ann(email="ann.lee@new.example"))
    until_quiet(hub, clock)
    assert len(contacts(hub)) == 1


def test_an_opt_out_at_the_address_that_was_left_holds_and_a_later_one_reaches_the_person(
    tmp_path: Path, clock: Clock
) -> None:
    hub = two_slots(tmp_path, clock)
    moves(hub, clock)
    hub.systems["shop"].add(email="ann@example.com", first_name="Zoe", last_name="Other", no_mail=True)
    until_quiet(hub, clock)
    assert hub.systems["sales"].values("1")["no_mail"] is True


def test_a_former_address_is_published_nowhere(tmp_path: Path, clock: Clock) -> None:
    hub = three(tmp_path, clock, create=("sales", "office"))
    hub.systems["sales"].edit("1", email="ann.lee@new.example")
    until_quiet(hub, clock)
    hub.parts.policy.create[("support", "people")] = hub.parts.policy.create[("office", "people")]  # type: ignore[index]
    hub.systems["sales"].edit("1", last_name="Ray")
    until_quiet(hub, clock)
    assert hub.systems["support"].values("1")["emails"] == ["ann.lee@new.example"]
    for name in NAMES:
        assert "ann@example.com" not in str(hub.systems[name].living())


def test_an_address_that_comes_back_is_not_former_any_more(tmp_path: Path, clock: Clock) -> None:
    hub = two_slots(tmp_path, clock)
    moves(hub, clock)
    hub.systems["office"].edit("1", email="ann@example.com")
    until_quiet(hub, clock)
    assert ann_s(hub)["former_emails"] == ["ann.lee@new.example"]


def test_an_address_that_lost_at_first_sight_is_kept_for_matching_and_consent(
    tmp_path: Path, clock: Clock
) -> None:
    hub = hub_with(tmp_path, clock, {"sales": ONE_SLOT, "office": ONE_SLOT, "shop": ONE_SLOT})
    hub.systems["sales"].add(**ann(phone="+4930111111"))
    hub.systems["office"].add(**ann(email="ann@old.example", phone="+4930111111"))
    hub.sync()
    hub.release()
    until_quiet(hub, clock)
    assert hub.systems["office"].values("1")["email"] == "ann@example.com"
    hub.systems["shop"].add(email="ann@old.example", first_name="Ann", last_name="Lee", no_mail=True)
    until_quiet(hub, clock)
    assert len(contacts(hub)) == 1
    assert hub.systems["office"].values("1")["no_mail"] is True


# -- one slot and the others ----------------------------------------------------------------------


def test_the_one_that_was_primary_stays_where_another_system_lists_it(tmp_path: Path, clock: Clock) -> None:
    hub = three(tmp_path, clock)
    assert hub.systems["support"].values("1")["emails"] == ["ann@example.com"]
    hub.systems["sales"].edit("1", email="ann.lee@new.example")
    until_quiet(hub, clock)
    values = ann_s(hub)
    assert values["emails"] == ["ann.lee@new.example", "ann@example.com"]
    assert "former_emails" not in values


def test_one_slot_says_nothing_about_the_other_elements(tmp_path: Path, clock: Clock) -> None:
    hub = three(tmp_path, clock)
    hub.systems["support"].edit("1", emails=["ann@example.com", "ann@home.example"])
    hub.systems["office"].edit("1", work_email="ann@work.example")
    until_quiet(hub, clock)
    hub.systems["sales"].edit("1", email=None)
    until_quiet(hub, clock)
    assert {"ann@home.example", "ann@work.example"} <= set(ann_s(hub)["emails"])  # type: ignore[call-overload]
    assert hub.systems["office"].values("1")["work_email"] == "ann@work.example"


# -- slots by kind --------------------------------------------------------------------------------


def test_an_address_in_a_slot_by_kind_is_one_of_the_elements(tmp_path: Path, clock: Clock) -> None:
    hub = three(tmp_path, clock)
    hub.systems["office"].edit("1", work_email="ann@work.example", mobile="+4915112345678")
    until_quiet(hub, clock)
    assert set(hub.systems["support"].values("1")["emails"]) == {"ann@example.com", "ann@work.example"}
    assert hub.systems["support"].values("1")["phones"] == ["+4915112345678"]


def test_a_slot_by_kind_that_changes_leaves_a_former_address(tmp_path: Path, clock: Clock) -> None:
    hub = hub_with(tmp_path, clock, {"office": SLOTS, "other": SLOTS}, ("other",))
    hub.systems["office"].add(**ann(work_email="ann@work.example"))
    hub.sync()
    hub.release()
    until_quiet(hub, clock)
    hub.systems["other"].edit("1", work_email="ann@job.example")
    until_quiet(hub, clock)
    values = ann_s(hub)
    assert values["emails"] == ["ann@example.com", "ann@job.example"]
    assert values["former_emails"] == ["ann@work.example"]
    assert hub.systems["office"].values("1")["work_email"] == "ann@job.example"


def test_an_address_may_change_its_kind(tmp_path: Path, clock: Clock) -> None:
    hub = three(tmp_path, clock)
    hub.systems["office"].edit("1", work_email="ann@w.example")
    until_quiet(hub, clock)
    hub.systems["office"].edit("1", work_email=None, home_email="ann@w.example")
    until_quiet(hub, clock)
    values = ann_s(hub)
    assert (values.get("emails.work"), values["emails.home"]) == (None, "ann@w.example")
    assert "ann@w.example" in values["emails"]  # type: ignore[operator]
    assert "former_emails" not in values
    assert "ann@w.example" in hub.systems["support"].values("1")["emails"]


def test_primary_and_further_address_may_change_places(tmp_path: Path, clock: Clock) -> None:
    hub = three(tmp_path, clock)
    hub.systems["office"].edit("1", work_email="ann@work.example")
    until_quiet(hub, clock)
    hub.systems["office"].edit("1", email="ann@work.example", work_email="ann@example.com")
    until_quiet(hub, clock)
    assert hub.systems["sales"].values("1")["email"] == "ann@work.example"
    assert set(ann_s(hub)["emails"]) == {"ann@example.com", "ann@work.example"}  # type: ignore[call-overload]
    assert "former_emails" not in ann_s(hub)


# -- elements -------------------------------------------------------------------------------------


def test_an_element_that_is_removed_leaves_its_slot_everywhere(tmp_path: Path, clock: Clock) -> None:
    hub = three(tmp_path, clock)
    hub.systems["office"].edit("1", work_email="ann@work.example")
    until_quiet(hub, clock)
    hub.systems["support"].edit("1", emails=["ann@example.com"])
    until_quiet(hub, clock)
    assert hub.systems["office"].values("1")["work_email"] is None
    assert ann_s(hub)["emails"] == ["ann@example.com"]
    assert ann_s(hub)["former_emails"] == ["ann@work.example"]


def test_of_two_systems_each_adds_and_removes_its_own_elements_in_one_cycle(
    tmp_path: Path, clock: Clock
) -> None:
    hub = hub_with(tmp_path, clock, {"desk": ELEMENTS, "erp": ELEMENTS, "sales": ONE_SLOT}, ("erp", "sales"))
    hub.systems["desk"].add(**ann(emails=["ann@example.com", "b@x.example", "c@x.example"]))
    hub.sync()
    hub.release()
    until_quiet(hub, clock)
    hub.systems["desk"].edit("1", emails=["ann@example.com", "c@x.example", "d@x.example"])
    hub.systems["erp"].edit("1", emails=["ann@example.com", "b@x.example", "e@x.example"])
    until_quiet(hub, clock)
    wanted = {"ann@example.com", "d@x.example", "e@x.example"}
    assert set(hub.systems["desk"].values("1")["emails"]) == wanted
    assert set(hub.systems["erp"].values("1")["emails"]) == wanted
    assert ann_s(hub)["former_emails"] == ["b@x.example", "c@x.example"]


LIST_ONLY: tuple[str | FieldRule, ...] = (
    *NAME,
    FieldRule("emails", "emails", shape=Shape.ELEMENTS),
)


def with_a_list(folder: Path, clock: Clock) -> SmallHub:
    """Ann with two addresses, the one at home known to a system that has only a list."""
    hub = hub_with(folder, clock, {"sales": ONE_SLOT, "desk": LIST_ONLY}, ("desk",))
    hub.systems["sales"].add(**ann())
    hub.sync()
    hub.release()
    until_quiet(hub, clock)
    hub.systems["desk"].edit("1", emails=["ann@example.com", "ann@home.example"])
    until_quiet(hub, clock)
    return hub


def test_a_primary_address_that_is_removed_gives_its_place_to_another_one(
    tmp_path: Path, clock: Clock
) -> None:
    hub = with_a_list(tmp_path, clock)
    hub.systems["desk"].edit("1", emails=["ann@home.example"])
    until_quiet(hub, clock)
    values = ann_s(hub)
    assert (values["email"], values["emails"]) == ("ann@home.example", ["ann@home.example"])
    assert values["former_emails"] == ["ann@example.com"]
    assert hub.systems["sales"].values("1")["email"] == "ann@home.example"


def test_a_primary_address_removed_by_who_may_not_decide_it_comes_back(tmp_path: Path, clock: Clock) -> None:
    hub = with_a_list(tmp_path, clock)

    def judged(kind: Kind, name: str) -> FieldPolicy:
        deciding = ("sales",) if name == "email" else ("sales", "desk")
        return FieldPolicy(TABLES[kind][name].strategy, lambda stage: deciding)

    with_policy(hub, replace(hub.parts.policy, fields=judged))
    hub.systems["desk"].edit("1", emails=["ann@home.example"])
    until_quiet(hub, clock)
    assert hub.systems["sales"].values("1")["email"] == "ann@example.com"
    assert set(hub.systems["desk"].values("1")["emails"]) == {"ann@example.com", "ann@home.example"}
    (public,) = contacts(hub)
    lost = [one for row in hub.store.history(public, 100) for one in row.conflicts]
    assert [(one.field, one.kept) for one in lost] == [("emails", "ann@example.com")]


def test_an_address_that_moves_from_the_list_to_the_primary_slot_is_not_removed(
    tmp_path: Path, clock: Clock
) -> None:
    hub = three(tmp_path, clock)
    hub.systems["support"].edit("1", emails=["ann@home.example"])
    until_quiet(hub, clock)
    assert ann_s(hub)["emails"] == ["ann@example.com", "ann@home.example"]
    hub.systems["support"].edit("1", email="ann@home.example", emails=["ann@example.com"])
    until_quiet(hub, clock)
    assert ann_s(hub)["emails"] == ["ann@example.com", "ann@home.example"]
    assert hub.systems["sales"].values("1")["email"] == "ann@home.example"


def test_one_address_in_two_spellings_is_one_element(tmp_path: Path, clock: Clock) -> None:
    hub = hub_with(tmp_path, clock, {"desk": ELEMENTS, "erp": ELEMENTS})
    hub.systems["desk"].add(**ann(emails=["ann@example.com", "Ann@Home.example"]))
    hub.systems["erp"].add(**ann(email="Ann@Example.com", emails=["ANN@example.com", "ann@home.example"]))
    hub.sync()
    hub.release()
    until_quiet(hub, clock)
    assert len(ann_s(hub)["emails"]) == 2  # type: ignore[arg-type]
    assert all(len(hub.systems[name].values("1")["emails"]) == 2 for name in ("desk", "erp"))
    before = hub.writes()
    hub.systems["erp"].edit("1", emails=["ANN@example.com"])
    until_quiet(hub, clock)
    assert hub.systems["desk"].values("1")["emails"] == ["ann@example.com"]
    assert hub.writes() == before + 1


@pytest.mark.parametrize(
    ("shape", "sent"),
    [
        (Shape.LIST, ["ann@example.com", "ann@work.example"]),
        (Shape.ELEMENTS, Elements(("ann@work.example",), ())),
    ],
)
def test_a_list_is_replaced_whole_and_elements_are_added_one_by_one(
    shape: Shape, sent: object, tmp_path: Path, clock: Clock
) -> None:
    listed = (*NAME, "email", FieldRule("emails", "emails", shape=shape))
    hub = hub_with(tmp_path, clock, {"office": SLOTS, "desk": listed}, ("desk",))
    hub.systems["office"].add(**ann())
    hub.sync()
    hub.release()
    until_quiet(hub, clock)
    hub.systems["office"].edit("1", work_email="ann@work.example")
    until_quiet(hub, clock)
    assert hub.systems["desk"].written[-1].values["emails"] == sent


def test_a_slot_gets_an_element_that_a_system_added_there(tmp_path: Path, clock: Clock) -> None:
    hub = three(tmp_path, clock)
    hub.systems["support"].edit("1", emails=["ann@example.com", "ann@work.example"])
    hub.systems["office"].edit("1", work_email="ann@work.example")
    until_quiet(hub, clock)
    assert ann_s(hub)["emails"] == ["ann@example.com", "ann@work.example"]
    before = hub.writes()
    hub.sync()
    assert hub.writes() == before


# -- a list, and nobody who tells the primary one -------------------------------------------------------

LISTED: tuple[str | FieldRule, ...] = (FieldRule("emails", "emails"), *NAME)
BOTH = ["ann@work.example", "ann@home.example"]


def listed(folder: Path, clock: Clock) -> SmallHub:
    """Ann in a system that only lists addresses; she is made in one that keeps one."""
    hub = hub_with(folder, clock, {"sales": ONE_SLOT, "office": LISTED}, create=("sales",))
    hub.systems["office"].add(emails=list(BOTH), first_name="Ann", last_name="Lee")
    hub.sync()
    hub.release()
    until_quiet(hub, clock)
    return hub


def test_the_first_of_a_list_is_primary_where_nobody_tells_it(tmp_path: Path, clock: Clock) -> None:
    hub = listed(tmp_path, clock)
    (ann_there,) = hub.systems["sales"].rows
    assert hub.systems["sales"].values(ann_there)["email"] == "ann@home.example"
    (contact,) = contacts(hub).values()
    assert (contact["email"], sorted(contact["emails"])) == ("ann@home.example", sorted(BOTH))


def test_who_keeps_the_primary_one_tells_it_from_then_on(tmp_path: Path, clock: Clock) -> None:
    hub = listed(tmp_path, clock)
    (ann_there,) = hub.systems["sales"].rows
    hub.systems["sales"].edit(ann_there, email=None)
    until_quiet(hub, clock)
    hub.systems["office"].edit("1", emails=["ann@home.example", "ann@new.example"])
    until_quiet(hub, clock)
    (contact,) = contacts(hub).values()
    assert contact.get("email") is None
