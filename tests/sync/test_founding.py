"""`company:` of an object: companies that its contacts name are linked, made, or left alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.demands.hubs import Setting, Several, contacts, hub_of, told
from tests.sync.memory import Clock, Memory
from tests.sync.small_hub import Always, Said, SmallHub, rules
from trueup.errors import Transient
from trueup.mapping.schema import FieldRule
from trueup.model.delivery import DeliveryState
from trueup.model.fields import Kind
from trueup.sync.engine import Report, landing
from trueup.sync.preview import preview
from trueup.sync.rules.policy import Condition

PERSON = ("email", "first_name", "last_name", FieldRule("company_name", "employer"))
FIRM = ("name", "domain")


@pytest.fixture
def clock() -> Clock:
    return Clock()


def hub_with(
    folder: Path,
    clock: Clock,
    company: str = "create",
    condition: Condition | None = Always(),
    **more: Memory,
) -> SmallHub:
    """Marketing knows people and, as text, where they work; sales people and firms; `more` firms only."""
    sales = rules("people", (*PERSON, FieldRule("company", "firm_id", to="firms")), company=company)
    firms = rules("firms", FIRM, Kind.COMPANY)
    systems = {
        "marketing": Memory(clock),
        "sales": Several(
            {"people": Memory(clock), "firms": Memory(clock, "firms", "company", keys=("name",))}
        ),
        **more,
    }
    objects = [("marketing", rules(fields=PERSON)), ("sales", sales), ("sales", firms)]
    objects += [(name, firms) for name in more]
    conditions = {("sales", "people"): Always(), ("sales", "firms"): condition}
    chosen = {stream: one for stream, one in conditions.items() if one is not None}
    return hub_of(folder, clock, systems, Setting(objects, conditions=chosen))  # type: ignore[arg-type]


def ann(**more: object) -> dict[str, object]:
    return {"email": "ann@acme.example", "first_name": "Ann", "last_name": "Lee", **more}


def bob(**more: object) -> dict[str, object]:
    return {"email": "bob@acme.example", "first_name": "Bob", "last_name": "Ray", **more}


def firms(hub: SmallHub) -> list[dict[str, object]]:
    return list(hub.systems["sales"]["firms"].living().values())


def employers(hub: SmallHub) -> list[object]:
    return told(hub.systems["sales"]["people"], "firm_id")


def until_quiet(hub: SmallHub) -> None:
    for _ in range(6):
        if hub.sync().tally.get("done") == 0:
            return
    raise AssertionError("there is no end to it")


def test_a_company_that_only_a_contact_names_is_made_and_linked(tmp_path: Path, clock: Clock) -> None:
    hub = hub_with(tmp_path, clock)
    hub.systems["marketing"].add(**ann(employer="Acme Inc."))
    until_quiet(hub)
    assert firms(hub) == [{"name": "Acme Inc.", "domain": "acme.example"}]
    assert employers(hub) == ["1"]
    (company,) = contacts(hub, Kind.COMPANY).values()
    assert company == {"name": "Acme Inc.", "domain": "acme.example"}


def test_all_who_name_one_company_belong_to_one(tmp_path: Path, clock: Clock) -> None:
    hub = hub_with(tmp_path, clock)
    for number, spelling in enumerate(("Acme", "ACME, Inc.", "Acme Holdings", "acme")):
        hub.systems["marketing"].add(
            email=f"p{number}@acme.example", first_name=f"F{number}", last_name="Lee", employer=spelling
        )
    until_quiet(hub)
    assert len(firms(hub)) == 1
    assert employers(hub) == ["1"] * 4


def test_a_company_that_is_there_is_linked_and_not_made_again(tmp_path: Path, clock: Clock) -> None:
    hub = hub_with(tmp_path, clock)
    hub.systems["sales"]["firms"].add(name="ACME GmbH", domain=None)
    hub.systems["marketing"].add(**ann(employer="Acme"))
    until_quiet(hub)
    assert [one["name"] for one in firms(hub)] == ["ACME GmbH"]
    assert employers(hub) == ["1"]


def test_the_domain_of_an_address_finds_the_company_too(tmp_path: Path, clock: Clock) -> None:
    hub = hub_with(tmp_path, clock)
    hub.systems["sales"]["firms"].add(name="Another name", domain="acme.example")
    hub.systems["marketing"].add(**ann(employer="Acme"))
    hub.systems["marketing"].add(**bob(employer=None))
    until_quiet(hub)
    assert len(firms(hub)) == 1
    assert employers(hub) == ["1", "1"]


def test_free_mail_identifies_no_company(tmp_path: Path, clock: Clock) -> None:
    hub = hub_with(tmp_path, clock)
    add = hub.systems["marketing"].add
    add(email="ann@gmail.com", first_name="Ann", last_name="Lee", employer="Acme")
    add(email="bob@gmail.com", first_name="Bob", last_name="Ray", employer="Bolt")
    add(email="cid@gmail.com", first_name="Cid", last_name="Fox", employer=None)
    until_quiet(hub)
    assert sorted((str(one["name"]), one.get("domain")) for one in firms(hub)) == [
        ("Acme", None),
        ("Bolt", None),
    ]
    assert len(set(employers(hub))) == 3


def test_a_contact_that_names_none_belongs_to_the_company_of_its_domain(tmp_path: Path, clock: Clock) -> None:
    hub = hub_with(tmp_path, clock)
    hub.systems["marketing"].add(**ann(employer=None))
    until_quiet(hub)
    assert firms(hub) == [{"name": "acme.example", "domain": "acme.example"}]


def test_a_name_that_several_companies_bear_makes_no_further_one(tmp_path: Path, clock: Clock) -> None:
    hub = hub_with(tmp_path, clock)
    for name in ("Acme", "Bolt"):
        hub.systems["sales"]["firms"].add(name=name, domain=f"{name.lower()}.example")
    hub.sync()
    hub.systems["sales"]["firms"].edit("2", name="Acme")
    hub.sync()
    hub.systems["marketing"].add(email="cid@mail.example", first_name="Cid", last_name="Fox", employer="Acme")
    until_quiet(hub)
    assert len(firms(hub)) == 2
    assert employers(hub) == [None]


def test_a_company_is_written_before_those_who_work_there(tmp_path: Path, clock: Clock) -> None:
    hub = hub_with(tmp_path, clock)
    hub.systems["marketing"].add(**ann(employer="Acme"))
    hub.sync()
    (written,) = hub.systems["sales"]["people"].written
    assert written.values["firm_id"] == "1"


def test_nobody_waits_for_a_company_that_is_refused_and_its_people_get_it_later(
    tmp_path: Path, clock: Clock
) -> None:
    hub = hub_with(tmp_path, clock)
    hub.systems["sales"]["firms"].refuse = lambda values: {"": "not on Sundays"}
    hub.systems["marketing"].add(**ann(employer="Acme"))
    hub.sync()
    assert (firms(hub), employers(hub)) == ([], [None])
    hub.systems["sales"]["firms"].refuse = lambda values: {}
    (parked,) = hub.store.deliveries([DeliveryState.PARKED], None, 10)
    hub.store.retry([parked.id], "ops", clock.now())
    until_quiet(hub)
    assert employers(hub) == ["1"]


class Named:
    def met(self, values: Any, now: object) -> Said:
        return Said(values.get("name") == "Bolt", "name is not Bolt")

    def next_change(self, values: object, now: object) -> None:
        return None


def test_the_condition_of_the_companies_decides(tmp_path: Path, clock: Clock) -> None:
    hub = hub_with(tmp_path, clock, condition=Named())
    hub.systems["marketing"].add(**ann(employer="Acme"))
    hub.systems["marketing"].add(email="cid@bolt.example", first_name="Cid", last_name="Fox", employer="Bolt")
    report = hub.sync()
    assert [one["name"] for one in firms(hub)] == ["Bolt"]
    assert len(contacts(hub, Kind.COMPANY)) == 1
    assert "company: name is not Bolt" in [reason for _, _, reason, _ in report.tally.reasons()]


def test_without_a_condition_of_the_companies_none_is_made(tmp_path: Path, clock: Clock) -> None:
    hub = hub_with(tmp_path, clock, condition=None)
    hub.systems["marketing"].add(**ann(employer="Acme"))
    until_quiet(hub)
    assert firms(hub) == []


def test_none_is_made_before_the_companies_of_every_system_were_listed_once(
    tmp_path: Path, clock: Clock
) -> None:
    erp = Memory(clock, "firms", "company", keys=("name",))
    erp.add(name="Acme", domain="acme.example")
    erp.broken = [Transient("down")] * 9
    hub = hub_with(tmp_path, clock, erp=erp)
    hub.systems["marketing"].add(**ann(employer="Acme"))
    hub.sync()
    hub.sync()
    assert (contacts(hub, Kind.COMPANY), firms(hub), employers(hub)) == ({}, [], [None])
    erp.broken.clear()
    until_quiet(hub)
    assert (len(contacts(hub, Kind.COMPANY)), len(firms(hub)), len(erp.living())) == (1, 1, 1)
    assert employers(hub) == ["1"]


@pytest.mark.parametrize("company", ["link", "ignore"])
def test_only_where_it_is_said_companies_are_made(company: str, tmp_path: Path, clock: Clock) -> None:
    hub = hub_with(tmp_path, clock, company=company)
    hub.systems["marketing"].add(**ann(employer="Acme"))
    until_quiet(hub)
    assert firms(hub) == []


def test_companies_that_an_object_ignores_are_neither_read_nor_written(tmp_path: Path, clock: Clock) -> None:
    hub = hub_with(tmp_path, clock, company="ignore")
    hub.systems["sales"]["firms"].add(name="Acme", domain=None)
    hub.systems["sales"]["people"].add(**ann(firm_id="1", employer="Acme"))
    hub.systems["sales"]["people"].add(**bob(firm_id=None, employer=None))
    hub.systems["marketing"].add(**bob(employer="Acme"))
    until_quiet(hub)
    assert hub.contact("ann@acme.example").get("company") is None
    assert hub.contact("bob@acme.example").get("company") is not None
    assert employers(hub) == ["1", None]


def test_a_person_who_names_another_company_is_not_held_by_the_old_address(
    tmp_path: Path, clock: Clock
) -> None:
    hub = hub_with(tmp_path, clock)
    hub.systems["marketing"].add(**ann(employer="Acme"))
    until_quiet(hub)
    hub.release()
    hub.systems["marketing"].edit("1", employer="Bolt")
    until_quiet(hub)
    assert [one["name"] for one in firms(hub)] == ["Acme", "Bolt"]
    assert employers(hub) == ["2"]
    until_quiet(hub)
    assert employers(hub) == ["2"]


def test_a_plan_tells_the_company_before_it_is_made_and_makes_none(tmp_path: Path, clock: Clock) -> None:
    hub = hub_with(tmp_path, clock)
    hub.systems["marketing"].add(**ann(employer="Acme"))
    hub.systems["marketing"].add(**bob(employer="Acme"))
    undecided: list[object] = []
    hub.store.register(tuple(hub.parts.connectors), hub.parts.policy.config_version)
    landing(hub.parts, tuple(hub.systems), Report(0), None)
    made = [one for _, one in preview(hub.parts, undecided.append) if one.entity.kind is Kind.COMPANY]
    assert [one.writes[0].values for one in made] == [{"name": "Acme", "domain": "acme.example"}]
    assert (contacts(hub, Kind.COMPANY), undecided) == ({}, [])


def test_a_company_system_knows_its_own_values_better(tmp_path: Path, clock: Clock) -> None:
    hub = hub_with(tmp_path, clock)
    hub.systems["marketing"].add(**ann(employer="acme"))
    until_quiet(hub)
    hub.systems["sales"]["firms"].edit("1", name="Acme International")
    until_quiet(hub)
    assert [one["name"] for one in contacts(hub, Kind.COMPANY).values()] == ["Acme International"]
    assert hub.contact("ann@acme.example")["company"] is not None
    assert len(firms(hub)) == 1


@pytest.mark.parametrize("where", ["sales", "hub"])
def test_a_company_that_somebody_took_away_does_not_come_back_by_the_address(
    where: str, tmp_path: Path, clock: Clock
) -> None:
    hub = hub_with(tmp_path, clock)
    hub.systems["marketing"].add(**ann(employer="Acme"))
    until_quiet(hub)
    hub.release()
    until_quiet(hub)
    assert employers(hub) == ["1"]
    clock.tick(60)
    if where == "hub":
        (contact,) = hub.store.find(Kind.CONTACT, "ann@acme.example", 2)
        hub.store.edit(contact, {"company": None}, "eve", clock.now(), False)
    else:
        hub.systems["sales"]["people"].edit("1", firm_id=None)
    until_quiet(hub)
    assert employers(hub) == [None]
    clock.tick(60)
    hub.systems["marketing"].edit("1", first_name="Anna")
    until_quiet(hub)
    assert employers(hub) == [None]
    assert hub.contact("ann@acme.example").get("company") is None


def test_no_company_is_made_of_the_address_of_somebody_who_was_taken_out_of_one(
    tmp_path: Path, clock: Clock
) -> None:
    hub = hub_with(tmp_path, clock)
    hub.systems["sales"]["firms"].add(name="Acme", domain=None)
    hub.systems["sales"]["people"].add(**ann(firm_id="1", employer="Acme"))
    until_quiet(hub)
    hub.release()
    clock.tick(60)
    hub.systems["sales"]["people"].edit("1", firm_id=None, employer=None)
    until_quiet(hub)
    until_quiet(hub)
    assert (len(firms(hub)), employers(hub)) == (1, [None])


def test_who_was_taken_out_of_a_company_joins_that_of_a_new_address(tmp_path: Path, clock: Clock) -> None:
    hub = hub_with(tmp_path, clock)
    hub.systems["sales"]["firms"].add(name="Bolt", domain="bolt.example")
    hub.systems["marketing"].add(**ann(employer="Acme"))
    until_quiet(hub)
    hub.release()
    clock.tick(60)
    hub.systems["sales"]["people"].edit("1", firm_id=None)
    until_quiet(hub)
    clock.tick(60)
    hub.systems["marketing"].edit("1", email="ann@bolt.example")
    until_quiet(hub)
    assert [one["name"] for one in firms(hub)] == ["Bolt", "Acme"]
    assert employers(hub) == ["1"]
