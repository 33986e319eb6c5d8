"""How Zendesk is read: both readings, going on at a cursor, by id and by key, deleted and merged users."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.connectors.zendesk.desk import Desk
from tests.connectors.zendesk.hub import AUTH, FIELDS, DeskClock, Hub, OpenBudget
from trueup.connectors.base import Capability, GoneItem
from trueup.connectors.registry import ConnectionSettings, connector_kind
from trueup.errors import Malformed, RateLimited, Transient, Unauthorized
from trueup.model.record import Hint, Reading, Record
from trueup.sandbox.standin import Fault


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def hub(desk: Desk) -> Iterator[Hub]:
    hub = Hub(desk)
    yield hub
    hub.connector.close()


def people(desk: Desk, count: int) -> list[str]:
    return [desk.vendor.user_create(f"Person {n}", f"p{n}@example.com") for n in range(count)]


def test_the_account_is_named_by_a_cheap_call(hub: Hub, desk: Desk) -> None:
    assert hub.connector.whoami() == "Zendesk Support: robot@acme.example"
    assert desk.vendor.ledger.calls() == 1


def test_wrong_credentials_are_told_apart_from_everything_else(desk: Desk) -> None:
    settings = ConnectionSettings("support", {**AUTH, "token": "wrong"})
    kind = connector_kind("zendesk")
    connector = kind.build(settings, desk.vendor.transport(), DeskClock(desk), OpenBudget())

    with pytest.raises(Unauthorized):
        connector.whoami()


def test_no_versions_and_no_conditional_writes_are_promised(hub: Hub) -> None:
    users = hub.connector.objects()["users"]

    assert Capability.CONDITIONAL_WRITE not in users.capabilities
    assert Capability.ANSWERS_WITH_RECORD not in users.capabilities
    assert (users.read_batch, users.write_batch, users.keys[0]) == (100, 100, "external_id")


def test_a_listing_brings_each_end_user_once_and_no_agents(hub: Hub, desk: Desk) -> None:
    ids = people(desk, 103)
    desk.vendor.user_create("Agent Kim", "kim@acme.example", role="agent")

    pages = hub.pages(Reading.LISTING, None)

    assert [record.id for page in pages for record in page.records] == ids
    assert [len(page.records) for page in pages] == [100, 3]


def test_a_record_holds_addresses_primary_first_and_custom_fields_flat(hub: Hub, desk: Desk) -> None:
    ann = desk.vendor.user_create("Ann", "ann@example.com", **{"user_fields.tier": "gold"})
    desk.vendor.user_edit(ann, email="ann@new.example")

    record = hub.listing()[0][ann]

    assert [(one["value"], one["primary"]) for one in record.values["identities.email"]] == [
        ("ann@new.example", True),
        ("ann@example.com", False),
    ]
    assert (record.values["email"], record.values["user_fields.tier"]) == ("ann@new.example", "gold")
    assert (record.version, record.changed_at) == (None, desk.now)


def test_only_wanted_fields_are_said(hub: Hub, desk: Desk) -> None:
    ann = desk.vendor.user_create("Ann", "ann@example.com")

    page = hub.connector.pull("users", Reading.LISTING, None, ["name"])

    assert page.records[0] == Record(ann, {"name": "Ann"}, changed_at=desk.now)


def test_a_name_that_only_repeats_the_address_is_no_name(hub: Hub, desk: Desk) -> None:
    ann = desk.vendor.user_create("Ann@example.com", "ann@example.com")

    assert hub.listing()[0][ann].values["name"] is None


def test_a_user_without_any_address_is_said_to_have_none(desk: Desk) -> None:
    ann = desk.vendor.user_create("Ann", phone="+4930111222")

    record = Hub(desk, described=False).listing()[0][ann]  # the description knows no empty e-mail

    assert (record.values["email"], record.values["identities.email"]) == (None, [])
    assert record.values["phone"] == "+4930111222"


def test_whoever_was_edited_seconds_ago_is_in_a_listing(hub: Hub, desk: Desk) -> None:
    ann = desk.vendor.user_create("Ann", "ann@example.com")
    desk.wait(3600)
    desk.vendor.user_edit(ann, name="Anna")

    assert hub.listing()[0][ann].values["name"] == "Anna"


def test_a_listing_goes_on_in_another_process(hub: Hub, desk: Desk) -> None:
    ids = people(desk, 103)
    first = hub.connector.pull("users", Reading.LISTING, None, FIELDS)

    rest = Hub(desk).connector.pull("users", Reading.LISTING, dict(first.cursor), FIELDS)

    assert [record.id for record in (*first.records, *rest.records)] == ids


def test_changes_go_on_where_the_listing_began(hub: Hub, desk: Desk) -> None:
    ann, bob = people(desk, 2)
    desk.wait(3600)
    _, cursor = hub.listing()
    desk.vendor.user_edit(bob, name="Bobby")
    desk.wait(61)

    found, _ = hub.changes(cursor)

    assert {id: record.values["name"] for id, record in found.items()} == {bob: "Bobby"}
    assert ann not in found


def test_an_edit_made_while_a_listing_runs_is_not_lost(hub: Hub, desk: Desk) -> None:
    first, *_ = people(desk, 103)
    desk.wait(3600)
    page = hub.connector.pull("users", Reading.LISTING, None, FIELDS)
    desk.vendor.user_edit(first, name="Edited after its page")
    desk.wait(600)
    last = hub.connector.pull("users", Reading.LISTING, page.cursor, FIELDS)

    assert hub.changes(last.cursor)[0][first].values["name"] == "Edited after its page"


def test_changes_of_the_last_minute_come_with_the_next_reading(hub: Hub, desk: Desk) -> None:
    (ann,) = people(desk, 1)
    desk.wait(3600)
    cursor = hub.listing()[1]
    desk.wait(10)
    desk.vendor.user_edit(ann, name="Anna")
    desk.wait(30)
    nothing, cursor = hub.changes(cursor)
    desk.wait(61)
    something, cursor = hub.changes(cursor)
    desk.wait(61)

    assert (nothing, list(something)) == ({}, [ann])
    assert hub.changes(cursor)[0] == {}


def test_changes_without_a_cursor_start_at_the_beginning(hub: Hub, desk: Desk) -> None:
    ids = people(desk, 3)
    desk.wait(61)

    assert list(hub.changes(None)[0]) == ids


def test_a_page_of_an_export_is_one_call_and_an_edit_between_pages_comes_again(hub: Hub, desk: Desk) -> None:
    ids = people(desk, 1002)
    desk.wait(61)
    page = hub.connector.pull("users", Reading.CHANGES, None, FIELDS)
    desk.vendor.user_edit(ids[0], name="Moved on")
    rest = hub.connector.pull("users", Reading.CHANGES, page.cursor, FIELDS)
    desk.wait(61)
    again, _ = hub.changes(rest.cursor)

    assert page.more and not rest.more
    assert desk.vendor.ledger.calls("incremental.users") == 3
    assert {record.id for record in (*page.records, *rest.records)} == set(ids)
    assert again[ids[0]].values["name"] == "Moved on"


def test_a_cursor_that_the_vendor_refuses_starts_again_from_a_safe_time(hub: Hub, desk: Desk) -> None:
    (ann,) = people(desk, 1)
    desk.wait(61)
    _, cursor = hub.changes(None)
    desk.wait(600)
    desk.vendor.user_edit(ann, name="Anna")
    desk.wait(61)

    found, after = hub.changes({**cursor, "token": "not ours"})

    assert found[ann].values["name"] == "Anna"
    assert after["token"] != "not ours"


def test_an_export_asked_too_often_makes_the_connection_wait_as_told(hub: Hub, desk: Desk) -> None:
    desk.wait(3600)
    desk.vendor.export_per_minute = 1
    hub.connector.pull("users", Reading.CHANGES, None, FIELDS)

    with pytest.raises(RateLimited) as caught:
        hub.connector.pull("users", Reading.CHANGES, None, FIELDS)

    assert caught.value.retry_after == 60
    assert set(hub.budget.asked) == {"export"}


def test_what_is_left_of_the_minute_is_learned_from_the_answers(hub: Hub, desk: Desk) -> None:
    desk.vendor.per_minute = 700
    desk.wait(15)
    hub.connector.whoami()

    assert hub.budget.learned == [("default", 699.0, 45.0)]


def test_a_page_lost_on_its_way_is_asked_for_again(hub: Hub, desk: Desk) -> None:
    ids = people(desk, 2)
    desk.vendor.faults = [Fault("users.list", 1, "lost_answer"), Fault("users.list", 2, "status", 503)]

    assert list(hub.listing()[0]) == ids


def test_a_server_that_stays_down_is_a_passing_failure(hub: Hub, desk: Desk) -> None:
    desk.vendor.faults = [Fault("users.list", n, "status", 503, {"Retry-After": "30"}) for n in range(1, 9)]

    with pytest.raises(Transient) as caught:
        hub.listing()

    assert caught.value.retry_after == 30


def test_deleted_users_arrive_as_deleted(hub: Hub, desk: Desk) -> None:
    ann, bob = people(desk, 2)
    desk.wait(3600)
    cursor = hub.listing()[1]
    desk.vendor.user_delete(ann)
    desk.vendor.user_delete(bob)
    desk.vendor.user_delete_for_good(bob)
    desk.wait(180)

    found, _ = Hub(desk, described=False).changes(cursor)  # the description knows no empty e-mail

    assert {id: (record.deleted, record.successor) for id, record in found.items()} == {
        ann: (True, None),
        bob: (True, None),
    }
    assert found[bob].values == {}


def test_a_merged_user_names_the_holder_of_its_address_as_successor(hub: Hub, desk: Desk) -> None:
    loser, winner = people(desk, 2)
    desk.wait(3600)
    cursor = hub.listing()[1]
    desk.vendor.user_merge(loser, winner)
    desk.wait(61)

    found, _ = hub.changes(cursor)

    assert (found[loser].deleted, found[loser].successor) == (True, winner)
    held = [one["value"] for one in found[winner].values["identities.email"]]
    assert held == ["p1@example.com", "p0@example.com"]
    assert desk.vendor.ledger.calls("users.search") == 0


def test_the_search_finds_a_winner_who_is_not_on_the_same_page(hub: Hub, desk: Desk) -> None:
    loser, winner = people(desk, 2)
    desk.wait(3600)
    cursor = hub.listing()[1]
    desk.vendor.user_merge(loser, winner)
    desk.wait(5)
    desk.vendor.user_edit(winner, name="Edited after the merge")
    desk.wait(58)  # the loser's change is shown already, the winner's later one is not
    desk.vendor.search_lag *= 0

    found, _ = hub.changes(cursor)

    assert list(found) == [loser]
    assert found[loser].successor == winner


def test_users_are_read_by_id_a_hundred_a_call_in_the_order_asked(hub: Hub, desk: Desk) -> None:
    ids = people(desk, 101)
    asked = [*reversed(ids), "77", "no-number"]

    found = hub.connector.read("users", asked, FIELDS)

    assert [record.id for record in found if isinstance(record, Record)] == asked[:101]
    assert list(found[101:]) == [GoneItem(), GoneItem()]
    assert desk.vendor.ledger.calls("users.show_many") == 3  # whoever is missing is asked for twice


def test_one_empty_answer_makes_nobody_gone(desk: Desk) -> None:
    (ann,) = people(desk, 1)
    desk.vendor.faults = [Fault("users.show_many", 1, "body", body=b'{"users": []}')]
    (found,) = Hub(desk, described=False).connector.read("users", [ann], ["name"])
    assert isinstance(found, Record)


def test_a_user_without_an_id_in_the_answer_is_not_nobody(desk: Desk) -> None:
    (ann,) = people(desk, 1)
    body = b'{"users": [{"name": "Ann"}]}'
    routes = ("users.show_many", "users.search")
    desk.vendor.faults = [Fault(route, 1, "body", body=body) for route in routes]
    connector = Hub(desk, described=False).connector
    with pytest.raises(Malformed, match="has no id"):
        connector.read("users", [ann], ["name"])
    with pytest.raises(Malformed, match="has no id"):
        connector.find("users", "email", ["ann@example.com"], ["name"])


def test_deleted_and_merged_users_are_gone_by_id(hub: Hub, desk: Desk) -> None:
    ann, bob, cem = people(desk, 3)
    desk.vendor.user_delete(ann)
    desk.vendor.user_merge(bob, cem)
    desk.wait(120)

    assert list(hub.connector.read("users", [ann, bob], ["name"])) == [GoneItem(), GoneItem(cem)]


def test_an_agent_is_no_contact_by_id_or_by_key(hub: Hub, desk: Desk) -> None:
    kim = desk.vendor.user_create("Kim", "kim@acme.example", role="agent")
    desk.wait(120)

    assert list(hub.connector.read("users", [kim], ["name"])) == [GoneItem()]
    assert list(hub.connector.find("users", "email", ["kim@acme.example"], ["name"])) == []


def test_users_are_found_by_external_id_at_once_and_many_in_one_call(hub: Hub, desk: Desk) -> None:
    ann = desk.vendor.user_create("Ann", external_id="tu-1", email="ann@example.com")

    found = hub.connector.find("users", "external_id", ["TU-1", "tu-2", "a,b"], ["name"])

    assert [(record.id, record.values) for record in found] == [(ann, {"name": "Ann"})]
    assert desk.vendor.ledger.calls("users.show_many") == 1


def test_users_are_found_by_any_of_their_addresses_once_the_index_knows(hub: Hub, desk: Desk) -> None:
    ann = desk.vendor.user_create("Ann", "ann@example.com")
    desk.vendor.user_create("Joann", "joann@example.com")
    desk.vendor.user_edit(ann, email="ann@new.example")
    asked = ["ANN@example.com", "nobody@example.com", 'x"y@example.com']

    assert list(hub.connector.find("users", "email", asked, ["name"])) == []
    desk.wait(hub.connector.objects()["users"].lag)

    assert [record.id for record in hub.connector.find("users", "email", asked, ["name"])] == [ann]


def test_fields_come_from_the_account_with_their_options(hub: Hub, desk: Desk) -> None:
    desk.vendor.add_user_field("birthday", "date")

    fields = {field.name: field for field in hub.connector.fields("users")}

    assert fields["user_fields.tier"].options == {"standard": "Standard", "gold": "Gold"}
    assert (fields["user_fields.tier"].type, fields["user_fields.birthday"].type) == ("choice", "date")
    assert (fields["name"].required, fields["email"].unique) == (True, True)
    assert not fields["created_at"].writable


def test_organizations_are_listed_and_their_changes_and_deletions_follow(hub: Hub, desk: Desk) -> None:
    desk.vendor.add_organization_field("region", "text")
    north = {"organization_fields.region": "north"}
    one = desk.vendor.user_create_organization("One", domain_names=["one.example"], **north)
    two = desk.vendor.user_create_organization("Two", **north)
    desk.wait(3600)
    listed, cursor = hub.listing("organizations")
    desk.vendor.user_edit_organization(one, name="One Ltd")
    desk.vendor.user_delete_organization(two)
    desk.wait(61)
    found, cursor = hub.changes(cursor, "organizations")
    desk.wait(600)
    _, cursor = hub.changes(cursor, "organizations")  # repeats: the overlap reaches back three minutes
    desk.wait(600)

    assert list(listed) == [one, two]
    assert {id: (record.deleted, record.values["name"]) for id, record in found.items()} == {
        one: (False, "One Ltd"),
        two: (True, "Two"),
    }
    assert hub.changes(cursor, "organizations")[0] == {}
    assert list(hub.connector.read("organizations", [two], ["name"])) == [GoneItem()]
    assert [record.id for record in hub.connector.find("organizations", "name", ["one LTD"], [])] == [one]
    assert "organization_fields.region" in {field.name for field in hub.connector.fields("organizations")}


def test_more_organizations_of_one_second_than_a_page_holds_are_all_read(hub: Hub, desk: Desk) -> None:
    ids = [desk.vendor.user_create_organization(f"Org {n}") for n in range(1005)]
    desk.wait(10)
    late = desk.vendor.user_create_organization("Late")
    desk.wait(61)

    found, _ = hub.changes(None, "organizations")

    assert set(found) == {*ids, late}


def test_tickets_are_read_as_cases_with_their_state_and_end(hub: Hub, desk: Desk) -> None:
    ann = desk.vendor.user_create("Ann", "ann@example.com")
    wanted = ["status", "subject", "requester_id", "metric_set.solved_at"]
    solved = desk.vendor.user_create_ticket(ann, "Printer", priority="high", assignee_id=9001)
    gone = desk.vendor.user_create_ticket(ann, "Spam", priority="low", assignee_id=9001)
    desk.wait(61)
    plain = Hub(desk, described=False)  # the description leaves no ticket without group, problem, external id
    listed = plain.connector.pull("tickets", Reading.LISTING, None, wanted)
    desk.vendor.user_solve_ticket(solved)
    desk.vendor.user_delete_ticket(gone)
    desk.wait(61)

    changed = plain.connector.pull("tickets", Reading.CHANGES, listed.cursor, wanted)

    assert [record.values["status"] for record in listed.records] == ["new", "new"]
    assert changed.records[0].values == {
        "status": "solved",
        "subject": "Printer",
        "requester_id": int(ann),
        "metric_set.solved_at": "2026-03-02T09:01:01Z",
    }
    assert changed.records[1].deleted
    assert list(plain.connector.read("tickets", [gone], wanted)) == [GoneItem()]


def test_a_signed_webhook_points_at_its_record(hub: Hub, desk: Desk) -> None:
    desk.vendor.webhook_url = "https://hub.example.com/hooks/support"
    ann = desk.vendor.user_create("Ann", "ann@example.com")
    acme = desk.vendor.user_create_organization("Acme")

    hints = [list(hub.connector.hints(request)) for request in desk.vendor.webhooks]

    assert hints == [[Hint("users", ann)], [Hint("organizations", acme)]]


def test_a_forged_or_late_webhook_is_refused(hub: Hub, desk: Desk) -> None:
    desk.vendor.webhook_url = "https://hub.example.com/hooks/support"
    desk.vendor.signing_secret = "somebody else's"
    desk.vendor.user_create("Ann")
    desk.vendor.signing_secret = "zd-signing-secret"
    desk.vendor.user_create("Bob")
    with pytest.raises(Unauthorized):
        hub.connector.hints(desk.vendor.webhooks[0])
    desk.wait(301)
    with pytest.raises(Unauthorized):
        hub.connector.hints(desk.vendor.webhooks[1])
