"""P38 to P41, D13: links that move, children before parents, fields that come and go, facts beside people."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.demands.hubs import (
    Setting,
    Several,
    ann,
    aside,
    contacts,
    hub_of,
    links,
    mapped,
    public,
    told,
    until_quiet,
    written,
)
from tests.sync.memory import Clock, Memory
from tests.sync.small_hub import SmallHub, rules
from trueup.mapping.schema import FieldRule, ObjectRules
from trueup.model.fields import Kind
from trueup.model.run import RunOutcome

PERSON = ("email", "first_name", "last_name", "job_title")


@pytest.fixture
def clock() -> Clock:
    return Clock()


# -- P38 ------------------------------------------------------------------------------------------


def convert(sales: Several, lead: str) -> str:
    """Somebody in sales makes a person of a lead; the lead points at the person from then on."""
    made = str(100 + int(lead))
    sales["people"].put(made, **sales["leads"].values(lead))
    sales["leads"].merge(lead, made)
    return made


def converting(folder: Path, clock: Clock) -> tuple[SmallHub, Several]:
    sales = Several({"leads": Memory(clock, "leads"), "people": Memory(clock)}, converts_to="people")
    systems = {"sales": sales, "marketing": Memory(clock)}
    fields = mapped(*PERSON)
    objects = [
        ("sales", rules("leads", fields)),
        ("sales", rules("people", fields)),
        ("marketing", rules(fields=fields)),
    ]
    hub = hub_of(folder, clock, systems, Setting(objects, create=("marketing",)))
    sales["leads"].add(**ann(job_title="CTO"))
    hub.sync()
    hub.release()
    until_quiet(hub, clock)
    return hub, sales


def test_p38_a_conversion_moves_the_link_and_creates_nobody(tmp_path: Path, clock: Clock) -> None:
    hub, sales = converting(tmp_path, clock)
    before = public(hub, "ann@example.com")
    person = convert(sales, "1")
    until_quiet(hub, clock)
    assert public(hub, "ann@example.com") == before
    assert links(hub, "ann@example.com") == {("sales", "people", person), ("marketing", "people", "1")}
    assert len(sales["people"].rows) == len(hub.systems["marketing"].rows) == 1
    assert not any(item.kind.value == "create" for item in sales.written)


def test_p38_later_updates_go_to_the_person_and_come_from_there(tmp_path: Path, clock: Clock) -> None:
    hub, sales = converting(tmp_path, clock)
    person = convert(sales, "1")
    until_quiet(hub, clock)
    hub.systems["marketing"].edit("1", job_title="COO")
    until_quiet(hub, clock)
    assert sales["people"].values(person)["job_title"] == "COO"
    sales["people"].edit(person, job_title="Chair")
    until_quiet(hub, clock)
    assert told(hub.systems["marketing"], "job_title") == ["Chair"]


# -- P39 ------------------------------------------------------------------------------------------

COMPANY = rules("firms", ["name"], Kind.COMPANY)


def with_firms(folder: Path, clock: Clock, create: tuple[str, ...] = ()) -> tuple[SmallHub, Several, Several]:
    """Two systems with people and the firms they work for; people name their firm by its id."""
    people = rules("people", [*PERSON, FieldRule("company", "firm_id", to="firms")])
    systems = {
        name: Several({"people": Memory(clock), "firms": Memory(clock, "firms", "company", keys=("name",))})
        for name in ("sales", "marketing")
    }
    objects = [(name, one) for name in systems for one in (COMPANY, people)]
    hub = hub_of(folder, clock, systems, Setting(objects, create=create))
    return hub, systems["sales"], systems["marketing"]


def test_p39_parents_are_created_before_their_children(tmp_path: Path, clock: Clock) -> None:
    hub, sales, marketing = with_firms(tmp_path, clock, create=("marketing",))
    sales["firms"].add(name="Acme")
    sales["people"].add(**ann(firm_id="1"))
    hub.sync()
    assert told(marketing["people"], "firm_id") == ["1"]
    assert len(marketing["people"].written) <= 2


def test_p39_a_person_who_changes_firms_changes_them_everywhere(tmp_path: Path, clock: Clock) -> None:
    hub, sales, marketing = with_firms(tmp_path, clock, create=("marketing",))
    for name in ("Acme", "Globex"):
        sales["firms"].add(name=name)
    sales["people"].add(**ann(firm_id="1"))
    hub.sync()
    hub.release()
    until_quiet(hub, clock)
    sales["people"].edit("1", firm_id="2")
    until_quiet(hub, clock)
    (id,) = told(marketing["people"], "firm_id")
    assert marketing["firms"].values(str(id))["name"] == "Globex"


def test_p39_a_merge_of_firms_keeps_their_people(tmp_path: Path, clock: Clock) -> None:
    hub, sales, marketing = with_firms(tmp_path, clock, create=("marketing",))
    for name in ("Acme", "Globex"):
        sales["firms"].add(name=name)
    sales["people"].add(**ann(firm_id="1"))
    sales["people"].add(email="bob@example.com", first_name="Bob", last_name="Ray", firm_id="2")
    hub.sync()
    hub.release()
    until_quiet(hub, clock)
    sales["firms"].merge("2", "1")
    until_quiet(hub, clock)
    assert all(told(marketing["people"], "firm_id"))
    assert hub.contact("bob@example.com").get("company") is not None
    assert told(sales["people"], "firm_id") != [None, None]


def test_p39_a_set_of_deals_people_is_compared_as_a_set(tmp_path: Path, clock: Clock) -> None:
    deals = rules("deals", ["name", FieldRule("contacts", "people_ids", to="people")], Kind.DEAL)
    systems = {
        name: Several({"people": Memory(clock), "deals": Memory(clock, "deals", "deal", keys=("name",))})
        for name in ("sales", "shop")
    }
    objects = [(name, one) for name in systems for one in (rules(fields=mapped(*PERSON)), deals)]
    hub = hub_of(tmp_path, clock, systems, Setting(objects, create=("shop",)))
    sales, shop = systems["sales"], systems["shop"]
    for number in range(3):
        sales["people"].add(email=f"p{number}@example.com", first_name=f"F{number}", last_name=f"L{number}")
    sales["deals"].add(name="Big", people_ids=["3", "1", "2"])
    hub.sync()
    hub.release()
    until_quiet(hub, clock)
    named = {shop["people"].values(id)["email"] for id in shop["deals"].values("1")["people_ids"]}
    assert named == {"p0@example.com", "p1@example.com", "p2@example.com"}
    before = written(hub)
    sales["deals"].edit("1", people_ids=["2", "3", "1"])
    hub.sync()
    assert written(hub) == before
    sales["deals"].edit("1", people_ids=["2", "3"])
    until_quiet(hub, clock)
    assert {shop["people"].values(id)["email"] for id in shop["deals"].values("1")["people_ids"]} == {
        "p1@example.com",
        "p2@example.com",
    }


# -- P40, P41 -------------------------------------------------------------------------------------


def agreed_pair(folder: Path, clock: Clock) -> SmallHub:
    systems = {"source": Memory(clock), "target": Memory(clock)}
    fields = mapped(*PERSON, "department")
    objects = [(name, rules(fields=fields)) for name in systems]
    hub = hub_of(folder, clock, systems, Setting(objects, create=("target",)))
    systems["source"].add(**ann(job_title="CTO", department="R&D"))
    hub.sync()
    hub.release()
    until_quiet(hub, clock)
    return hub


@pytest.mark.parametrize("hidden_in", ["source", "target"])
def test_p41_a_field_that_is_not_told_any_more_is_absent_and_clears_nothing(
    hidden_in: str, tmp_path: Path, clock: Clock
) -> None:
    hub = agreed_pair(tmp_path, clock)
    hub.systems[hidden_in].hidden.add("job_title")
    hub.systems[hidden_in].edit("1", department="Sales")
    until_quiet(hub, clock)
    for system in hub.systems.values():
        assert (system.values("1")["job_title"], system.values("1")["department"]) == ("CTO", "Sales")
    assert hub.contact("ann@example.com")["job_title"] == "CTO"


def test_p41_a_field_that_is_told_again_goes_on_where_it_was(tmp_path: Path, clock: Clock) -> None:
    hub = agreed_pair(tmp_path, clock)
    source = hub.systems["source"]
    source.hidden.add("job_title")
    source.edit("1", department="Sales")
    hub.sync()
    hub.systems["target"].edit("1", job_title="COO")
    until_quiet(hub, clock)
    source.hidden.clear()
    source.edit("1", department="Support")
    until_quiet(hub, clock)
    assert [told(system, "job_title") for system in hub.systems.values()] == [["COO"], ["COO"]]


def test_p40_a_removed_field_pauses_alone_and_no_blanks_are_written(tmp_path: Path, clock: Clock) -> None:
    hub = agreed_pair(tmp_path, clock)
    source, target = hub.systems["source"], hub.systems["target"]
    target.hidden.add("job_title")
    target.refuse = lambda values: {"job_title": "no such field"} if "job_title" in values else {}
    before = len(source.written)
    source.edit("1", job_title="COO", department="Sales")
    report = hub.sync()
    hub.sync()
    assert target.values("1")["department"] == "Sales"
    assert aside(hub, "target") == {"job_title": "no such field"}
    assert source.values("1")["job_title"] == "COO"
    assert len(source.written) == before
    assert report.outcome is not RunOutcome.FAILED


def test_p40_a_field_of_another_type_is_set_aside_and_the_others_go_on(tmp_path: Path, clock: Clock) -> None:
    hub = agreed_pair(tmp_path, clock)
    source = hub.systems["source"]
    source.edit("1", job_title={"id": 7, "label": "CTO"}, department="Sales")
    until_quiet(hub, clock)
    assert hub.systems["target"].values("1")["department"] == "Sales"
    assert hub.systems["target"].values("1")["job_title"] == "CTO"
    assert list(aside(hub, "source")) == ["job_title"]


def test_p40_a_field_mapped_later_says_nothing_until_it_was_read(tmp_path: Path, clock: Clock) -> None:
    systems = {"source": Memory(clock), "target": Memory(clock)}
    few = [(name, rules(fields=mapped(*PERSON))) for name in systems]
    more = [(name, rules(fields=mapped(*PERSON, "department"))) for name in systems]
    hub = hub_of(tmp_path, clock, systems, Setting(few, create=("target",)))
    systems["source"].add(**ann(department="R&D"))
    hub.sync()
    hub.release()
    hub = hub_of(tmp_path, clock, systems, Setting(more, create=("target",), version="v2"), hub.store)
    hub.sync()
    assert told(systems["target"], "department") == ["R&D"]
    assert told(systems["source"], "department") == ["R&D"]


# -- D13 ------------------------------------------------------------------------------------------


def test_d13_a_ticket_is_kept_beside_the_person_in_its_latest_state(tmp_path: Path, clock: Clock) -> None:
    desk = Several({"people": Memory(clock), "tickets": Memory(clock, "tickets", "case")})
    tickets = ObjectRules(
        "tickets",
        None,
        (FieldRule("state", "status"), FieldRule("title", "subject")),
        case="ticket",
        contact="person",
    )
    objects = [("desk", rules(fields=mapped(*PERSON))), ("desk", tickets)]
    hub = hub_of(tmp_path, clock, {"desk": desk}, Setting(objects))
    desk["people"].add(**ann())
    desk["tickets"].add(status="open", subject="broken", person="1")
    first = hub.sync()
    desk["tickets"].edit("1", status="closed")
    second = hub.sync()
    third = hub.sync()
    counts = [report.tally.counts for report in (first, second, third)]
    assert [one["desk", "tickets", "new"] for one in counts] == [1, 0, 0]
    assert [one["desk", "tickets", "changed"] for one in counts] == [0, 1, 0]
    assert len(contacts(hub)) == 1


def test_p38_a_write_that_meets_a_lead_converted_meanwhile_reaches_the_person(
    tmp_path: Path, clock: Clock
) -> None:
    hub, sales = converting(tmp_path, clock)
    leads = sales["leads"]

    def convert_just_before_the_write() -> None:
        if leads.calls[-1] == "write":
            leads.between = lambda: None
            convert(sales, "1")

    leads.between = convert_just_before_the_write
    hub.systems["marketing"].edit("1", job_title="COO")
    until_quiet(hub, clock)
    assert told(sales["people"], "job_title") == ["COO"]
    assert len(contacts(hub)) == 1


def test_p39_a_child_that_comes_three_cycles_before_its_parent_ends_linked(
    tmp_path: Path, clock: Clock
) -> None:
    hub, sales, marketing = with_firms(tmp_path, clock, create=("marketing",))
    sales["people"].add(**ann(firm_id="1"))
    for _ in range(3):
        hub.sync()
        clock.tick(60)
        assert hub.contact("ann@example.com").get("company") is None
    sales["firms"].add(name="Acme")
    until_quiet(hub, clock)
    assert hub.contact("ann@example.com")["company"] == public(hub, "Acme", Kind.COMPANY)
    assert told(marketing["people"], "firm_id") == ["1"]
    assert told(marketing["firms"], "name") == ["Acme"]


def test_p39_the_parent_waits_and_everything_else_of_the_child_goes_out(tmp_path: Path, clock: Clock) -> None:
    hub, sales, marketing = with_firms(tmp_path, clock)
    sales["firms"].add(name="Acme")
    sales["people"].add(**ann(firm_id="1", job_title="CTO"))
    marketing["people"].add(**ann())
    hub.sync()
    assert told(marketing["people"], "job_title") == ["CTO"]
    assert told(marketing["people"], "firm_id") == [None]
    marketing["firms"].add(name="Acme")
    until_quiet(hub, clock)
    assert told(marketing["people"], "firm_id") == ["1"]
