"""Lists of objects and slots kept in step: kind, label and the primary one, each edit by itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.demands.hubs import Setting, contacts, hub_of, until_quiet
from tests.sync.memory import ALL, Clock
from tests.sync.objects import ItemMemory
from tests.sync.small_hub import SmallHub, rules
from tests.sync.test_elements_converge import NAMES, SHAPES
from trueup.connectors.base import Capability, Elements
from trueup.model.record import Json

ANN = {
    "value": "ann@work.example",
    "type": "office",
    "label": "Reception",
    "primary": True,
    "verified": "yes",
}
HOME = {"value": "ann@home.example", "type": "private"}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def hub(tmp_path: Path, clock: Clock) -> SmallHub:
    """Ann in a system with elements of objects, one with a list of objects and one with slots."""
    systems = {name: ItemMemory(clock, capabilities=ALL | {Capability.ELEMENT_WRITES}) for name in NAMES}
    objects = [(name, rules(fields=fields)) for name, fields in SHAPES.items()]
    hub = hub_of(tmp_path, clock, systems, Setting(objects, order=NAMES, create=NAMES))
    systems["crm"].add(first_name="Ann", last_name="Lee", emails=[{**ANN, "id": 71}, {**HOME, "id": 72}])
    hub.sync()
    hub.release()
    until_quiet(hub, clock)
    return hub


def ann(hub: SmallHub) -> dict[str, Json]:
    (values,) = contacts(hub).values()
    return dict(values)


def mails(hub: SmallHub) -> dict[str, Json]:
    return {one["address"]: one for one in hub.systems["desk"].values("1")["mails"]}


def edit(hub: SmallHub, clock: Clock, system: str, address: str, **said: Json) -> None:
    path = {"crm": "emails", "desk": "mails"}[system]
    items = [dict(one) for one in hub.systems[system].values("1")[path]]
    for one in items:
        if address in (one.get("value"), one.get("address")):
            one.update(said)
    hub.systems[system].edit("1", **{path: items})
    clock.tick(60)


def test_a_new_record_gets_every_address_with_kind_label_and_the_primary_one(hub: SmallHub) -> None:
    assert mails(hub)["ann@work.example"] == {
        "address": "ann@work.example", "kind": "work", "name": "Reception", "is_main": True, "id": 2,
    }  # fmt: skip
    office = hub.systems["office"].values("1")
    assert (office["email"], office["work_email"], office["home_email"]) == (
        "ann@work.example", "ann@work.example", "ann@home.example",
    )  # fmt: skip


def test_a_label_travels_and_what_else_the_items_hold_stays(hub: SmallHub, clock: Clock) -> None:
    edit(hub, clock, "desk", "ann@work.example", name="Front desk")
    until_quiet(hub, clock)
    first, second = hub.systems["crm"].values("1")["emails"]
    assert first == {**ANN, "id": 71, "label": "Front desk"}
    assert second == {**HOME, "id": 72}


def test_a_single_item_is_changed_and_removed_by_the_id_that_was_read(hub: SmallHub, clock: Clock) -> None:
    edit(hub, clock, "desk", "ann@work.example", name="Front desk")
    held = hub.systems["desk"].values("1")["mails"]
    hub.systems["desk"].edit("1", mails=[one for one in held if one["address"] != "ann@home.example"])
    hub.sync()
    written = hub.systems["crm"].written[-1].values["emails"]
    assert written == Elements(
        ({"id": 71, "value": "ann@work.example", "label": "Front desk"},),
        ({"id": 72, "value": "ann@home.example"},),
    )


def test_another_kind_takes_the_address_out_of_its_slot(hub: SmallHub, clock: Clock) -> None:
    edit(hub, clock, "crm", "ann@home.example", type="misc")
    until_quiet(hub, clock)
    office = hub.systems["office"].values("1")
    assert (office["home_email"], office["other_email"]) == (None, "ann@home.example")
    assert ann(hub)["emails"] == ["ann@home.example", "ann@work.example"]


def test_who_fills_a_slot_says_the_kind(hub: SmallHub, clock: Clock) -> None:
    hub.systems["office"].edit("1", other_email="new@x.example")
    until_quiet(hub, clock)
    assert mails(hub)["new@x.example"]["kind"] == "other"
    assert {"value": "new@x.example", "type": "misc", "id": 1} in hub.systems["crm"].values("1")["emails"]


def test_what_is_cleared_from_its_slot_is_of_that_kind_no_more(hub: SmallHub, clock: Clock) -> None:
    hub.systems["office"].edit("1", home_email=None)
    until_quiet(hub, clock)
    assert mails(hub)["ann@home.example"]["kind"] is None
    assert hub.systems["office"].values("1")["home_email"] is None


def test_of_two_addresses_of_one_kind_both_are_kept_and_one_stands_in_the_slot(
    hub: SmallHub, clock: Clock
) -> None:
    edit(hub, clock, "crm", "ann@home.example", type="work")
    until_quiet(hub, clock)
    held = ann(hub)
    assert [held[f"emails[{one}].kind"] for one in held["emails"]] == ["work", "work"]
    assert held["emails.work"] == "ann@work.example"
    assert "emails.home" not in held


def test_kind_and_label_of_one_address_are_judged_each_by_itself(hub: SmallHub, clock: Clock) -> None:
    edit(hub, clock, "crm", "ann@work.example", label="From sales")
    edit(hub, clock, "desk", "ann@work.example", kind="other")
    until_quiet(hub, clock)
    held = ann(hub)
    assert held["emails[ann@work.example].label"] == "From sales"
    assert held["emails[ann@work.example].kind"] == "other"


def test_of_two_edits_of_one_label_the_loser_is_in_the_history(hub: SmallHub, clock: Clock) -> None:
    edit(hub, clock, "crm", "ann@work.example", label="From sales")
    edit(hub, clock, "desk", "ann@work.example", name="From support")
    until_quiet(hub, clock)
    (public,) = contacts(hub)
    lost = [one for row in hub.store.history(public, 100) for one in row.conflicts]
    assert ann(hub)["emails[ann@work.example].label"] == "From sales"
    assert [(one.field, one.lost) for one in lost] == [("emails[ann@work.example].label", "From support")]


def test_a_kind_and_a_label_that_are_taken_away_are_taken_away_everywhere(
    hub: SmallHub, clock: Clock
) -> None:
    edit(hub, clock, "crm", "ann@work.example", type=None, label="")
    until_quiet(hub, clock)
    assert {key: mails(hub)["ann@work.example"][key] for key in ("kind", "name")} == {
        "kind": None,
        "name": None,
    }
    assert hub.systems["office"].values("1")["work_email"] is None


def test_the_mark_of_the_primary_one_is_the_primary_field(hub: SmallHub, clock: Clock) -> None:
    hub.systems["office"].edit("1", email="ann@home.example")
    until_quiet(hub, clock)
    assert [one["primary"] for one in hub.systems["crm"].values("1")["emails"]] == [False, True]
    assert mails(hub)["ann@home.example"]["is_main"] is True


def test_an_address_that_goes_takes_what_was_known_of_it_along(hub: SmallHub, clock: Clock) -> None:
    held = hub.systems["desk"].values("1")["mails"]
    hub.systems["desk"].edit("1", mails=[one for one in held if one["address"] != "ann@home.example"])
    until_quiet(hub, clock)
    assert not [name for name in ann(hub) if "ann@home.example" in name]
    assert [one["id"] for one in hub.systems["crm"].values("1")["emails"]] == [71]
    assert hub.systems["office"].values("1")["home_email"] is None


def test_a_kind_that_nobody_here_has_a_word_for_stays_where_it_is(hub: SmallHub, clock: Clock) -> None:
    edit(hub, clock, "crm", "ann@home.example", type="assistant")
    edit(hub, clock, "desk", "ann@home.example", kind="other")
    until_quiet(hub, clock)
    assert hub.systems["crm"].values("1")["emails"][1]["type"] == "assistant"
    assert ann(hub)["emails[ann@home.example].kind"] == "other"
