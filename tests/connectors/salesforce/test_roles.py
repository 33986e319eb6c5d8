"""The people of a deal: their changes come although the deal's own stamp does not move."""

from __future__ import annotations

import json

import pytest

from tests.connectors.salesforce.org import Desk, pages, records
from trueup.connectors.base import Connector
from trueup.model.record import Cursor, Reading

FIELDS = ("Name", "OpportunityContactRoles.ContactId")
PATH = FIELDS[1]
LISTING, CHANGES = Reading.LISTING, Reading.CHANGES


def deal(desk: Desk, name: str = "Deal") -> str:
    values = {"Name": name, "StageName": "Prospecting", "CloseDate": "2026-04-01"}
    return desk.org.user_create("Opportunity", values)


def takes_part(desk: Desk, deal_id: str, contact: str) -> str:
    values = {"OpportunityId": deal_id, "ContactId": contact}
    return desk.org.user_create("OpportunityContactRole", values)


def changes(connector: Connector, cursor: Cursor) -> tuple[dict[str, object], Cursor]:
    """Deal to people, of all deals that a CHANGES reading brings, and where the next starts."""
    found = pages(connector, "Opportunity", CHANGES, cursor, FIELDS)
    return {record.id: record.values[PATH] for record in records(found)}, found[-1].cursor


@pytest.mark.parametrize("first", [LISTING, CHANGES])
def test_a_person_who_joins_or_leaves_later_brings_the_deal_again(first: Reading) -> None:
    desk = Desk()
    old, ann = deal(desk), desk.contact("Ann")
    desk.clock.pass_(hours=1)
    deal(desk, "Newer")
    connector = desk.connector()
    rest = pages(connector, "Opportunity", first, None, FIELDS)[-1].cursor
    desk.clock.pass_(hours=1)
    role = takes_part(desk, old, ann)
    found, rest = changes(connector, rest)
    assert found[old] == [ann]
    desk.clock.pass_(hours=1)
    desk.org.user_delete("OpportunityContactRole", role)
    found, _ = changes(connector, rest)
    assert found[old] is None


def test_many_people_who_join_in_one_second_all_come() -> None:
    desk = Desk()
    ann = desk.contact("Ann")
    deals = [deal(desk, f"No{number}") for number in range(450)]
    connector = desk.connector()
    rest = pages(connector, "Opportunity", LISTING, None, FIELDS)[-1].cursor
    desk.clock.pass_(hours=1)
    for id in deals:
        takes_part(desk, id, ann)
    found, _ = changes(connector, rest)
    assert [found[id] for id in deals] == [[ann]] * 450


def test_the_sweep_goes_on_in_another_process() -> None:
    desk = Desk()
    ann = desk.contact("Ann")
    deals = [deal(desk, f"No{number}") for number in range(300)]
    rest: Cursor = pages(desk.connector(), "Opportunity", LISTING, None, FIELDS)[-1].cursor
    desk.clock.pass_(hours=1)
    for id in deals:
        takes_part(desk, id, ann)
    brought: dict[str, object] = {}
    more = True
    while more:
        page = desk.connector().pull("Opportunity", CHANGES, rest, FIELDS)
        brought |= {record.id: record.values[PATH] for record in page.records}
        rest, more = json.loads(json.dumps(dict(page.cursor))), page.more
    assert brought == dict.fromkeys(deals, [ann])
    assert set(rest) >= {"since", "roles"} and "sweep" not in rest


def test_an_interrupted_reading_of_deals_still_sweeps_from_where_the_last_one_ended() -> None:
    desk = Desk(page_cap=1)
    ann, old = desk.contact("Ann"), deal(desk, "Old")
    connector = desk.connector()
    rest = pages(connector, "Opportunity", LISTING, None, FIELDS)[-1].cursor
    desk.clock.pass_(hours=1)
    takes_part(desk, old, ann)
    _, rest = changes(connector, rest)
    desk.clock.pass_(hours=1)
    bob = desk.contact("Bob")
    takes_part(desk, old, bob)
    desk.clock.pass_(hours=1)
    deal(desk, "New")
    deal(desk, "Newer")
    found, _ = changes(connector, rest)
    assert found[old] == [ann, bob] and len(found) == 3


def test_without_the_people_in_the_mapping_no_role_is_asked_for() -> None:
    desk = Desk()
    deal(desk)
    connector = desk.connector()
    rest = pages(connector, "Opportunity", LISTING, None, ("Name",))[-1].cursor
    assert len(pages(connector, "Opportunity", CHANGES, rest, ("Name",))) == 1


def test_an_org_that_hides_the_people_of_its_deals_still_shows_the_deals() -> None:
    desk = Desk()
    deal(desk)
    desk.org.org.types["Opportunity"].children = {}
    connector = desk.connector()
    found = pages(connector, "Opportunity", LISTING, None, FIELDS)
    assert [record.values for record in records(found)] == [{"Name": "Deal"}]
    again = pages(connector, "Opportunity", CHANGES, found[-1].cursor, FIELDS)
    assert [record.values for record in records(again)] == [{"Name": "Deal"}] and len(again) == 1
