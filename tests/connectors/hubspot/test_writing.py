"""HubSpot: creating, updating, merging; consent; stages that do not move backwards."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.connectors.hubspot.conftest import Desk, create, update
from trueup.connectors.base import Done, GoneItem, Outcome, RefusedItem, UnknownItem, WriteItem
from trueup.errors import OutcomeUnknown, RateLimited, Transient
from trueup.model.delivery import WriteKind
from trueup.sandbox.standin import Fault


def done(outcome: Outcome) -> Done:
    assert isinstance(outcome, Done), outcome
    return outcome


def refused(outcome: Outcome) -> RefusedItem:
    assert isinstance(outcome, RefusedItem), outcome
    return outcome


def test_creates_go_in_one_call_and_answer_in_the_order_of_the_items(desk: Desk) -> None:
    items = [create(f"k{number}", email=f"p{number}@example.com") for number in range(100)]
    outcomes = desk.connector.write("contacts", items, ["email"])
    emails = [done(outcome).record.values["email"] for outcome in outcomes if done(outcome).record]  # type: ignore[union-attr]
    assert emails == [item.values["email"] for item in items]
    assert all(done(outcome).created for outcome in outcomes)
    assert desk.portal.ledger.calls("batch_create") == 1


def test_the_answer_tells_what_was_kept_not_what_was_sent(desk: Desk) -> None:
    outcome = done(desk.connector.write("contacts", [create("k", email=" Ann@Example.COM ")], ["email"])[0])
    assert outcome.record is not None
    assert outcome.record.values == {"email": "ann@example.com"}


def test_one_bad_item_of_a_create_does_not_stop_the_others(desk: Desk) -> None:
    desk.contact(email="taken@example.com")
    items = [
        create("a", email="a@example.com"),
        create("b", email="not an address"),
        create("c", email="taken@example.com"),
        create("d", email="d@example.com", nonsense="x"),
    ]
    first, second, third, fourth = desk.connector.write("contacts", items, [])
    assert isinstance(first, Done)
    assert list(refused(second).fields) == ["email"]
    assert (refused(third).existing_id, refused(third).code) == ("101", "TU-REF-011")
    assert list(refused(fourth).fields) == ["nonsense"]


def test_a_create_whose_email_exists_names_the_existing_record(desk: Desk) -> None:
    id = desk.contact(email="ann@example.com")
    outcome = desk.connector.write("contacts", [create("k", email="ann@example.com")], [])[0]
    assert refused(outcome).existing_id == id


def test_an_update_changes_only_the_named_fields(desk: Desk) -> None:
    id = desk.contact(email="ann@example.com", firstname="Ann", jobtitle="Boss")
    done(desk.connector.write("contacts", [update(id, {"jobtitle": "Chief"})], [])[0])
    values = desk.portal.portal.rows["contacts"][id].properties
    assert (values["firstname"], values["jobtitle"]) == ("Ann", "Chief")


@pytest.mark.parametrize("others", [0, 1])
def test_an_update_to_an_email_that_exists_is_refused_by_that_field_alone(desk: Desk, others: int) -> None:
    desk.contact(email="taken@example.com")
    id, *more = (desk.contact(email=f"p{number}@example.com") for number in range(1 + others))
    wanted = {"email": "taken@example.com", "city": "Lviv"}
    items = [update(id, wanted), *(update(other, {"city": "Lviv"}) for other in more)]
    outcome, *rest = desk.connector.write("contacts", items, [])
    assert (list(refused(outcome).fields), refused(outcome).code) == (["email"], "TU-REF-011")
    assert all(isinstance(one, Done) for one in rest)


def test_none_clears_a_field(desk: Desk) -> None:
    id = desk.contact(email="ann@example.com", jobtitle="Boss")
    done(desk.connector.write("contacts", [update(id, {"jobtitle": None})], [])[0])
    assert "jobtitle" not in desk.portal.portal.rows["contacts"][id].properties


def test_a_bad_field_is_named_and_the_other_ninety_nine_go_through(desk: Desk) -> None:
    ids = [desk.contact(email=f"p{number}@example.com") for number in range(100)]
    items = [update(id, {"jobtitle": "Boss"}) for id in ids]
    items[37] = update(ids[37], {"hs_object_id": "1"})
    outcomes = desk.connector.write("contacts", items, [])
    assert list(refused(outcomes[37]).fields) == ["hs_object_id"]
    assert sum(isinstance(outcome, Done) for outcome in outcomes) == 99


def test_an_unknown_option_is_refused_with_the_field(desk: Desk) -> None:
    id = desk.contact(email="ann@example.com")
    outcome = desk.connector.write("contacts", [update(id, {"hs_lead_status": "Sleeping"})], [])[0]
    assert list(refused(outcome).fields) == ["hs_lead_status"]


def test_an_update_of_a_deleted_contact_is_gone_and_the_others_are_done(desk: Desk) -> None:
    one, two = desk.contact(email="one@example.com"), desk.contact(email="two@example.com")
    desk.portal.user_delete("contacts", one)
    items = [update(one, {"jobtitle": "x"}), update(two, {"jobtitle": "y"})]
    outcomes = desk.connector.write("contacts", items, [])
    assert isinstance(outcomes[0], GoneItem)
    assert isinstance(outcomes[1], Done)


def test_an_update_by_a_merged_id_answers_with_the_new_one(desk: Desk) -> None:
    one, two = desk.contact(email="one@example.com"), desk.contact(email="two@example.com")
    third = desk.portal.user_merge("contacts", one, two)
    assert done(desk.connector.write("contacts", [update(one, {"jobtitle": "x"})], [])[0]).id == third


def test_a_lost_answer_to_a_write_is_unknown_and_not_repeated(desk: Desk) -> None:
    desk.portal.faults.append(Fault("batch_create", 1, "lost_answer"))
    with pytest.raises(OutcomeUnknown):
        desk.connector.write("contacts", [create("k", email="ann@example.com")], [])
    assert len(desk.portal.ledger.writes()) == 1
    assert desk.portal.ledger.calls("batch_create") == 1


@pytest.mark.parametrize("body", [b"<html>Gateway</html>", b'{"results": [{"id'])
def test_an_unreadable_answer_to_a_write_is_unknown(desk: Desk, body: bytes) -> None:
    desk.portal.faults.append(Fault("batch_create", 1, "body_after", body=body))
    with pytest.raises(OutcomeUnknown):
        desk.connector.write(
            "contacts", [create("a", email="a@x.example"), create("b", email="b@x.example")], []
        )


def test_an_answer_that_forgets_an_item_leaves_it_unknown(desk: Desk) -> None:
    times = b'"startedAt":"2026-03-01T12:00:00Z","completedAt":"2026-03-01T12:00:00Z"'
    body = b'{"status":"COMPLETE","results":[],' + times + b"}"
    desk.portal.faults.append(Fault("batch_create", 1, "body_after", body=body))
    outcome = desk.connector.write("contacts", [create("a", email="a@example.com")], [])[0]
    assert isinstance(outcome, UnknownItem)


def test_a_server_error_after_a_write_is_unknown(desk: Desk) -> None:
    desk.portal.faults.append(Fault("batch_update", 1, "status_after", 502))
    items = [update(desk.contact(email=f"p{number}@example.com"), {"jobtitle": "x"}) for number in range(2)]
    with pytest.raises(OutcomeUnknown):
        desk.connector.write("contacts", items, [])


def test_a_write_that_never_left_is_transient(desk: Desk) -> None:
    desk.portal.faults.append(Fault("batch_create", 1, "lost_request"))
    with pytest.raises(Transient):
        desk.connector.write("contacts", [create("k", email="ann@example.com")], [])
    assert desk.portal.ledger.writes() == []


def test_a_rate_limited_write_says_how_long_to_wait(desk: Desk) -> None:
    desk.portal.rate = (1, 10.0)
    desk.connector.whoami()
    with pytest.raises(RateLimited) as caught:
        desk.connector.write("contacts", [create("k", email="ann@example.com")], [])
    assert caught.value.retry_after == 10.0


def test_a_stage_moves_forward_in_one_call(desk: Desk) -> None:
    id = desk.contact(email="ann@example.com", lifecyclestage="lead")
    done(desk.connector.write("contacts", [update(id, {"lifecyclestage": "customer"})], [])[0])
    assert desk.portal.ledger.calls("batch_update") == 1


def test_a_stage_moves_backward_by_clearing_and_setting_in_requests_of_their_own(desk: Desk) -> None:
    back = desk.contact(email="back@example.com", lifecyclestage="customer")
    forth = desk.contact(email="forth@example.com", lifecyclestage="lead")
    items = [
        update(back, {"lifecyclestage": "lead", "jobtitle": "x"}),
        update(forth, {"lifecyclestage": "customer"}),
    ]
    outcomes = desk.connector.write("contacts", items, ["lifecyclestage"])
    stages = [desk.portal.portal.rows["contacts"][id].properties["lifecyclestage"] for id in (back, forth)]
    assert stages == ["lead", "customer"]
    told = done(outcomes[0]).record
    assert told is not None
    assert (told.values["lifecyclestage"], told.values["jobtitle"]) == ("lead", "x")
    assert desk.portal.ledger.calls("batch_update") == 3


def test_a_portal_that_moves_stages_backward_by_itself_gets_one_call(desk: Desk) -> None:
    desk.portal.portal.forward_only = False
    id = desk.contact(email="ann@example.com", lifecyclestage="customer")
    desk.connector.write("contacts", [update(id, {"lifecyclestage": "lead"})], [])
    assert desk.portal.ledger.calls("batch_update") == 1


def test_a_lost_answer_between_clearing_and_setting_is_looked_into(desk: Desk) -> None:
    id = desk.contact(email="ann@example.com", lifecyclestage="customer")
    desk.portal.faults.append(Fault("batch_update", 3, "lost_answer"))
    outcome = desk.connector.write("contacts", [update(id, {"lifecyclestage": "lead"})], [])[0]
    assert done(outcome).id == id


def test_consent_is_written_for_all_items_in_one_call_and_told_as_kept(desk: Desk) -> None:
    desk.portal.add_subscription("Newsletter")
    ids = [desk.contact(email=f"p{number}@example.com") for number in range(20)]
    items = [update(id, {"subscription.Newsletter": {"status": "opted_out"}}) for id in ids]
    outcomes = desk.connector.write("contacts", items, ["subscription.Newsletter"])
    kept = [done(outcome).record.values["subscription.Newsletter"]["status"] for outcome in outcomes]  # type: ignore[union-attr]
    assert kept == ["opted_out"] * 20
    assert desk.portal.ledger.calls("statuses_write") == 1
    assert [effect.action for effect in desk.portal.ledger.writes()] == ["consent"] * 20


def test_an_opt_in_carries_its_source_as_the_legal_basis(desk: Desk) -> None:
    desk.portal.add_subscription("Newsletter")
    id = desk.contact(email="ann@example.com")
    value = {"status": "opted_in", "at": "2026-02-01T00:00:00Z", "source": "web form"}
    done(desk.connector.write("contacts", [update(id, {"subscription.Newsletter": value})], [])[0])
    read = desk.connector.read("contacts", [id], ["subscription.Newsletter"])[0]
    assert read.values["subscription.Newsletter"]["source"] == "web form 2026-02-01T00:00:00Z"  # type: ignore[union-attr]


def test_an_opt_out_goes_out_although_another_field_of_the_item_is_refused(desk: Desk) -> None:
    desk.portal.add_subscription("Newsletter")
    id = desk.contact(email="ann@example.com")
    item = update(id, {"subscription.Newsletter": {"status": "opted_out"}, "nonsense": "x"})
    outcome = desk.connector.write("contacts", [item], [])[0]
    assert list(refused(outcome).fields) == ["nonsense"]
    assert desk.portal.portal.consent("ann@example.com", 9000).status == "UNSUBSCRIBED"


def test_an_opt_out_beside_a_new_address_is_for_that_address_and_goes_first(desk: Desk) -> None:
    desk.portal.add_subscription("Newsletter")
    id = desk.contact(email="old@example.com")
    values = {"email": "new@example.com", "subscription.Newsletter": {"status": "opted_out"}}
    desk.portal.faults.append(Fault("batch_update", 1, "lost_request"))
    for expected in ("old@example.com", "new@example.com"):
        desk.connector.write("contacts", [update(id, values)], [])
        assert desk.portal.portal.consent("new@example.com", 9000).status == "UNSUBSCRIBED"
        assert desk.portal.portal.rows["contacts"][id].properties["email"] == expected


def test_an_unknown_subscription_is_refused_by_name(desk: Desk) -> None:
    id = desk.contact(email="ann@example.com")
    item = update(id, {"subscription.Tips": {"status": "opted_out"}})
    assert list(refused(desk.connector.write("contacts", [item], [])[0]).fields) == ["subscription.Tips"]


def test_consent_without_an_email_address_is_refused_with_the_reason(desk: Desk) -> None:
    desk.portal.add_subscription("Newsletter")
    id = desk.contact(firstname="Ann")
    item = update(id, {"subscription.Newsletter": {"status": "opted_out"}})
    assert "e-mail" in refused(desk.connector.write("contacts", [item], [])[0]).reason


def test_a_new_contact_gets_its_consent_after_it_exists(desk: Desk) -> None:
    desk.portal.add_subscription("Newsletter")
    item = create("k", **{"email": "ann@example.com", "subscription.Newsletter": {"status": "opted_out"}})
    assert done(desk.connector.write("contacts", [item], [])[0]).created
    assert desk.portal.portal.consent("ann@example.com", 9000).status == "UNSUBSCRIBED"


def test_a_created_contact_whose_consent_failed_is_not_created_again(desk: Desk) -> None:
    desk.portal.add_subscription("Newsletter")
    desk.portal.faults.append(Fault("statuses_write", 1, "lost_request"))
    item = create("k", **{"email": "ann@example.com", "subscription.Newsletter": {"status": "opted_out"}})
    assert isinstance(desk.connector.write("contacts", [item], [])[0], UnknownItem)


def test_associations_become_what_the_list_says(desk: Desk) -> None:
    id = desk.contact(email="ann@example.com")
    one, two, three = (desk.portal.user_create("companies", {"name": name}) for name in "abc")
    desk.portal.user_associate("contacts", id, "companies", one)
    desk.portal.user_associate("contacts", id, "companies", two)
    done(desk.connector.write("contacts", [update(id, {"associations.companies": [two, three]})], [])[0])
    assert desk.portal.portal.linked("contacts", "companies", id) == [two, three]


def test_the_primary_company_is_set_and_cleared(desk: Desk) -> None:
    id = desk.contact(email="ann@example.com")
    one, two = (desk.portal.user_create("companies", {"name": name}) for name in "ab")
    desk.portal.user_associate("contacts", id, "companies", one)
    name = "associations.companies.primary"
    done(desk.connector.write("contacts", [update(id, {name: two})], [])[0])
    assert desk.connector.read("contacts", [id], [name])[0].values == {name: two}  # type: ignore[union-attr]
    done(desk.connector.write("contacts", [update(id, {name: None})], [])[0])
    assert two not in desk.portal.portal.linked("contacts", "companies", id)


def test_a_company_that_is_not_there_is_refused_with_the_field(desk: Desk) -> None:
    id = desk.contact(email="ann@example.com")
    item = update(id, {"associations.companies": ["999"]})
    assert list(refused(desk.connector.write("contacts", [item], [])[0]).fields) == ["associations.companies"]


def test_a_delete_archives(desk: Desk) -> None:
    id = desk.contact(email="ann@example.com")
    item = WriteItem("d", WriteKind.DELETE, id, {})
    assert done(desk.connector.write("contacts", [item], [])[0]).id == id
    assert desk.portal.portal.find("contacts", id) is None


def test_a_merge_answers_with_the_third_id(desk: Desk) -> None:
    stays, goes = desk.contact(email="one@example.com"), desk.contact(email="two@example.com")
    item = WriteItem("m", WriteKind.MERGE, goes, {}, merge_into=stays)
    outcome = done(desk.connector.write("contacts", [item], ["email"])[0])
    assert outcome.id not in (stays, goes)
    assert outcome.record is not None
    assert set(outcome.record.aliases) == {stays, goes}


def test_switching_off_is_refused_for_hubspot_has_no_such_thing(desk: Desk) -> None:
    item = WriteItem("x", WriteKind.DEACTIVATE, desk.contact(email="ann@example.com"), {})
    assert "deactivate" in refused(desk.connector.write("contacts", [item], [])[0]).reason


def test_switching_off_with_values_from_the_connection_is_an_update(desk: Desk) -> None:
    id = desk.contact(email="ann@example.com")
    item = replace(update(id, {"hs_lead_status": "UNQUALIFIED"}), kind=WriteKind.DEACTIVATE)
    done(desk.connector.write("contacts", [item], [])[0])
    assert desk.portal.portal.rows["contacts"][id].properties["hs_lead_status"] == "UNQUALIFIED"


def test_hostile_text_survives_or_is_refused(desk: Desk) -> None:
    values = ["Zoë ✨ 山田", "'; DROP TABLE x; --", "{id}", "a\nb", "\x00", "=1+1"]
    ids = [desk.contact(email=f"p{number}@example.com") for number in range(len(values))]
    items = [update(id, {"jobtitle": value}) for id, value in zip(ids, values, strict=True)]
    desk.connector.write("contacts", items, [])
    kept = [desk.portal.portal.rows["contacts"][id].properties["jobtitle"] for id in ids]
    assert kept == values
    broken = desk.connector.write("contacts", [update(ids[0], {"jobtitle": "\ud800"}), items[1]], [])
    assert isinstance(broken[0], RefusedItem)
    assert isinstance(broken[1], Done)
