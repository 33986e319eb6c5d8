"""A field that is not mapped for a while: what people typed meanwhile is heard once it is mapped again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tests.demands.hubs import Setting, ann, hub_of, policy_of, until_quiet
from tests.sync.memory import ALL as ALL_CAPABILITIES
from tests.sync.memory import Clock, Memory
from tests.sync.small_hub import SmallHub, rules
from trueup.connectors.base import Capability
from trueup.model.entity import LinkState
from trueup.model.fields import Kind
from trueup.model.plan import Case
from trueup.sync import inbox
from trueup.sync.tally import Tally

ALL = ("email", "first_name", "last_name", "job_title", "department")
FEW = ("email", "first_name", "last_name", "department")


def titled(folder: Path, clock: Clock, able: frozenset[Capability] = ALL_CAPABILITIES) -> SmallHub:
    """Ann in both systems, a CTO. Sales is able to do this."""
    systems = {"sales": Memory(clock, capabilities=able), "marketing": Memory(clock)}
    hub = hub_of(folder, clock, systems, setting(ALL, "v1"))
    for system in systems.values():
        system.add(**ann(job_title="CTO", department="R&D"))
    hub.sync()
    hub.release()
    until_quiet(hub, clock)
    return hub


def the_case(hub: SmallHub) -> Case:
    (found,) = hub.store.find(Kind.CONTACT, "ann@example.com", 10)
    return hub.store.case(found)


def setting(sales: tuple[str, ...], version: str) -> Setting:
    objects = [("sales", rules(fields=sales)), ("marketing", rules(fields=ALL))]
    return Setting(objects, order=("sales", "marketing"), version=version)


def map_in_sales(hub: SmallHub, fields: tuple[str, ...], version: str) -> None:
    policy = policy_of(hub.systems, setting(fields, version))
    hub.parts = replace(hub.parts, policy=policy)


def test_what_was_typed_while_a_field_was_not_mapped_is_heard_once_it_is_again(tmp_path: Path) -> None:
    clock = Clock()
    hub = titled(tmp_path, clock)
    map_in_sales(hub, FEW, "v2")
    hub.systems["sales"].edit("1", job_title="CFO", department="Sales")
    until_quiet(hub, clock)
    assert hub.systems["marketing"].values("1")["department"] == "Sales"
    assert hub.systems["marketing"].values("1")["job_title"] == "CTO"
    map_in_sales(hub, ALL, "v3")
    until_quiet(hub, clock)
    assert hub.systems["marketing"].values("1")["job_title"] == "CFO"
    assert hub.systems["sales"].values("1")["job_title"] == "CFO"


def test_who_maps_a_field_again_before_anything_was_read_without_it_lists_nobody_anew(tmp_path: Path) -> None:
    clock = Clock()
    hub = titled(tmp_path, clock)
    map_in_sales(hub, FEW, "v2")
    map_in_sales(hub, ALL, "v3")
    hub.systems["sales"].calls.clear()
    hub.sync()
    assert "pull listing" not in hub.systems["sales"].calls


def test_an_edit_that_was_read_and_not_judged_is_heard_once_its_field_is_mapped_again(tmp_path: Path) -> None:
    clock = Clock()
    hub = titled(tmp_path, clock)
    hub.systems["sales"].edit("1", job_title="CFO")
    inbox.land(hub.parts, ("sales", "people"), Tally(), None)
    map_in_sales(hub, FEW, "v2")
    until_quiet(hub, clock)
    map_in_sales(hub, ALL, "v3")
    until_quiet(hub, clock)
    assert hub.systems["marketing"].values("1")["job_title"] == "CFO"


def test_what_a_new_record_held_is_a_first_sight_once_its_field_is_mapped_again(tmp_path: Path) -> None:
    clock = Clock()
    hub = titled(tmp_path, clock)
    for system in hub.systems.values():
        system.add(email="bea@example.com", first_name="Bea", last_name="Ott", job_title=None)
    hub.systems["sales"].edit("2", job_title="COO")
    inbox.land(hub.parts, ("sales", "people"), Tally(), None)
    map_in_sales(hub, FEW, "v2")
    until_quiet(hub, clock)
    map_in_sales(hub, ALL, "v3")
    until_quiet(hub, clock)
    assert hub.systems["marketing"].values("2")["job_title"] == "COO"


def test_what_stands_where_a_field_was_not_mapped_is_not_filled_by_mapping_it_again(tmp_path: Path) -> None:
    clock = Clock()
    hub = titled(tmp_path, clock)
    map_in_sales(hub, FEW, "v2")
    hub.systems["marketing"].edit("1", job_title="CFO")
    until_quiet(hub, clock)
    map_in_sales(hub, ALL, "v3")
    until_quiet(hub, clock)
    assert hub.systems["sales"].values("1")["job_title"] == "CTO"
    assert hub.contact("ann@example.com")["job_title"] == "CFO"


def test_who_went_meanwhile_is_heard_of_where_only_changes_tell_it(tmp_path: Path) -> None:
    clock = Clock()
    hub = titled(tmp_path, clock, ALL_CAPABILITIES - {Capability.COMPLETE_LISTING})
    map_in_sales(hub, FEW, "v2")
    hub.systems["sales"].edit("1", department="Sales")
    until_quiet(hub, clock)
    hub.systems["sales"].delete("1")
    map_in_sales(hub, ALL, "v3")
    until_quiet(hub, clock)
    (link,) = (one for one in the_case(hub).links if one.connection == "sales")
    assert link.state is LinkState.TOMBSTONE
