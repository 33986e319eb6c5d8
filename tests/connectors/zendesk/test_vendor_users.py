"""What the imitated Zendesk insists on when users are written (vendor sheet 4, 5, 8, 11)."""

from __future__ import annotations

import pytest

from tests.connectors.zendesk.desk import Desk


@pytest.fixture
def desk() -> Desk:
    return Desk()


def emails(desk: Desk, id: int) -> list[str]:
    identities = desk.get(f"users/{id}/identities")["identities"]
    return [one["value"] for one in identities if one["type"] == "email"]


def test_wrong_credentials_are_answered_with_401(desk: Desk) -> None:
    answer = desk.client.get("users/me", auth=("robot@acme.example", "zd-token"))

    assert (answer.status_code, answer.json()) == (401, {"error": "Couldn't authenticate you"})


def test_paths_work_with_and_without_json_at_the_end(desk: Desk) -> None:
    id = desk.create("Ann Lee")

    assert desk.get(f"users/{id}.json") == desk.get(f"users/{id}")
    assert desk.get("users/me.json")["user"]["role"] == "admin"


def test_ids_are_the_same_in_every_run(desk: Desk) -> None:
    assert desk.create("Ann Lee") == Desk().create("Ann Lee")


def test_a_user_needs_a_name(desk: Desk) -> None:
    answer = desk.post("users", {"user": {"name": "  ", "email": "ann@example.com"}})

    assert answer.status_code == 422
    assert answer.json()["error"] == "RecordInvalid"
    assert "name" in answer.json()["details"]


def test_an_address_that_another_user_holds_is_refused_in_the_vendors_words(desk: Desk) -> None:
    desk.create("Ann Lee", email="ann@example.com")

    answer = desk.post("users", {"user": {"name": "Other", "email": "ANN@example.com"}})

    assert answer.status_code == 422
    assert answer.json() == {
        "error": "RecordInvalid",
        "description": "Record validation errors",
        "details": {
            "email": [
                {
                    "description": "Email: ANN@example.com is already being used by another user",
                    "error": "DuplicateValue",
                }
            ]
        },
    }


def test_uniqueness_covers_secondary_addresses_too(desk: Desk) -> None:
    desk.create("Ann", email="ann@example.com", identities=[{"type": "email", "value": "ann@home.example"}])

    assert desk.post("users", {"user": {"name": "B", "email": "ann@home.example"}}).status_code == 422


def test_an_external_id_is_unique_whatever_its_case(desk: Desk) -> None:
    desk.create("Ann", external_id="tu-1")

    answer = desk.post("users", {"user": {"name": "B", "external_id": "TU-1"}})

    assert answer.json()["details"]["external_id"][0]["error"] == "DuplicateValue"


def test_a_new_user_is_mailed_unless_the_request_says_not_to(desk: Desk) -> None:
    desk.create("Ann", email="ann@example.com")
    desk.create("Bob", email="bob@example.com", skip_verify_email=False)

    assert [address for _, address in desk.vendor.mails] == ["bob@example.com"]


def test_a_new_email_on_an_existing_user_becomes_a_secondary_one(desk: Desk) -> None:
    id = desk.create("Ann", email="ann@example.com")

    answer = desk.put(f"users/{id}", {"user": {"email": "ann@new.example"}})

    assert answer.json()["user"]["email"] == "ann@example.com"
    assert emails(desk, id) == ["ann@example.com", "ann@new.example"]


def test_making_an_identity_primary_changes_the_email_and_keeps_the_old_one(desk: Desk) -> None:
    id = desk.create("Ann", email="ann@example.com")
    added = desk.post(f"users/{id}/identities", {"identity": {"type": "email", "value": "ann@new.example"}})

    desk.put(f"users/{id}/identities/{added.json()['identity']['id']}/make_primary", {})

    assert desk.get(f"users/{id}")["user"]["email"] == "ann@new.example"
    assert emails(desk, id) == ["ann@example.com", "ann@new.example"]


def test_the_primary_address_cannot_be_deleted_but_another_can(desk: Desk) -> None:
    id = desk.create("Ann", email="ann@example.com", identities=[{"type": "email", "value": "b@example.com"}])
    first, second = (one["id"] for one in desk.get(f"users/{id}/identities")["identities"])

    assert desk.client.delete(f"users/{id}/identities/{first}").status_code == 422
    assert desk.client.delete(f"users/{id}/identities/{second}").status_code == 204
    assert emails(desk, id) == ["ann@example.com"]


def test_tags_are_kept_lower_case_without_spaces_and_replaced_whole(desk: Desk) -> None:
    id = desk.create("Ann", tags=["VIP", "no marketing"])
    assert desk.get(f"users/{id}")["user"]["tags"] == ["no_marketing", "vip"]

    desk.put(f"users/{id}", {"user": {"tags": ["gold"]}})

    assert desk.get(f"users/{id}")["user"]["tags"] == ["gold"]


def test_single_tags_are_added_and_removed_at_their_own_address(desk: Desk) -> None:
    id = desk.create("Ann", tags=["vip"])

    added = desk.put(f"users/{id}/tags", {"tags": ["gold"]})
    removed = desk.client.request("DELETE", f"users/{id}/tags", json={"tags": ["vip"]})

    assert (added.json(), removed.json()) == ({"tags": ["gold", "vip"]}, {"tags": ["gold"]})


def test_a_dropdown_takes_only_its_options(desk: Desk) -> None:
    id = desk.create("Ann")

    answer = desk.put(f"users/{id}", {"user": {"user_fields": {"tier": "platinum"}}})

    assert answer.status_code == 422
    assert list(answer.json()["details"]) == ["tier"]
    assert desk.put(f"users/{id}", {"user": {"user_fields": {"tier": "gold"}}}).status_code == 200


def test_unknown_custom_fields_are_ignored_silently(desk: Desk) -> None:
    id = desk.create("Ann", user_fields={"shoe_size": "44", "tier": "gold"})

    kept = desk.get(f"users/{id}")["user"]["user_fields"]

    assert kept == {"contract_number": None, "tier": "gold", "stage": None, "current_offer": None}


def test_metadata_names_fields_and_their_options(desk: Desk) -> None:
    desk.vendor.add_user_field("newsletter", "checkbox")

    fields = {field["key"]: field for field in desk.get("user_fields")["user_fields"]}

    assert [option["value"] for option in fields["tier"]["custom_field_options"]] == ["standard", "gold"]
    assert len(fields["stage"]["custom_field_options"]) == 10
    assert fields["newsletter"]["type"] == "checkbox"


def test_an_international_phone_becomes_an_identity_and_a_taken_one_is_shared(desk: Desk) -> None:
    first = desk.create("Ann", phone="+4930111222")
    second = desk.create("Bob", phone="+4930111222")

    types = [one["type"] for one in desk.get(f"users/{first}/identities")["identities"]]
    assert types == ["phone_number"]
    assert desk.get(f"users/{second}")["user"]["shared_phone_number"] is True


def test_a_phone_is_emptied_by_an_empty_text_and_not_by_null(desk: Desk) -> None:
    id = desk.create("Ann", phone="+4930111222")

    desk.put(f"users/{id}", {"user": {"phone": None}})
    assert desk.get(f"users/{id}")["user"]["phone"] == "+4930111222"

    desk.put(f"users/{id}", {"user": {"phone": ""}})
    assert desk.get(f"users/{id}")["user"]["phone"] is None


def test_an_organization_can_be_named_and_is_made_if_unknown(desk: Desk) -> None:
    first = desk.create("Ann", organization={"name": "Acme GmbH"})
    second = desk.create("Bob", organization={"name": "acme gmbh"})

    places = {desk.get(f"users/{id}")["user"]["organization_id"] for id in (first, second)}
    assert len(places) == 1 and None not in places


def test_the_default_membership_is_the_users_organization(desk: Desk) -> None:
    one = int(desk.vendor.user_create_organization("One"))
    two = int(desk.vendor.user_create_organization("Two"))
    id = desk.create("Ann", organization_id=one)
    desk.put(f"users/{id}", {"user": {"organization_id": two}})

    rows = desk.get(f"users/{id}/organization_memberships")["organization_memberships"]

    assert {row["organization_id"]: row["default"] for row in rows} == {one: False, two: True}


def test_domain_mapping_puts_a_new_user_into_an_organization_by_itself(desk: Desk) -> None:
    acme = int(desk.vendor.user_create_organization("Acme", domain_names=["acme.example"]))
    plain = desk.create("Ann", email="ann@acme.example")
    desk.vendor.domain_mapping = True
    mapped = desk.create("Bob", email="bob@acme.example")

    assert desk.get(f"users/{plain}")["user"]["organization_id"] is None
    assert desk.get(f"users/{mapped}")["user"]["organization_id"] == acme


def test_create_or_update_finds_by_external_id_and_takes_over_its_case(desk: Desk) -> None:
    id = desk.create("Ann", external_id="tu-1")

    answer = desk.post("users/create_or_update", {"user": {"name": "Ann Lee", "external_id": "TU-1"}})

    assert answer.status_code == 200
    assert answer.headers["Location"] == f"/api/v2/users/{id}.json"
    assert answer.json()["user"]["external_id"] == "TU-1"


def test_create_or_update_finds_by_address_and_creates_what_it_does_not_find(desk: Desk) -> None:
    id = desk.create("Ann", email="ann@example.com")

    found = desk.post("users/create_or_update", {"user": {"name": "A. Lee", "email": "ann@example.com"}})
    made = desk.post("users/create_or_update", {"user": {"name": "Bob", "email": "bob@example.com"}})

    assert (found.status_code, found.json()["user"]["id"]) == (200, id)
    assert made.status_code == 201


def test_nothing_is_kept_of_a_refused_update(desk: Desk) -> None:
    id = desk.create("Ann")

    desk.put(f"users/{id}", {"user": {"name": "Anna", "user_fields": {"tier": "platinum"}}})

    assert desk.get(f"users/{id}")["user"]["name"] == "Ann"


def test_a_deleted_user_is_inactive_frees_its_address_and_keeps_it_as_text(desk: Desk) -> None:
    id = desk.create("Ann", email="ann@example.com", external_id="tu-1")

    desk.client.delete(f"users/{id}")

    shown = desk.get(f"users/{id}")["user"]
    assert (shown["active"], shown["email"]) == (False, "ann@example.com")
    assert [user["id"] for user in desk.get("deleted_users")["deleted_users"]] == [id]
    assert desk.put(f"users/{id}", {"user": {"name": "X"}}).status_code == 404
    assert desk.create("Ann again", email="ann@example.com", external_id="tu-1") != id


def test_deletion_for_good_takes_the_personal_values(desk: Desk) -> None:
    id = desk.create("Ann", email="ann@example.com")
    assert desk.client.delete(f"deleted_users/{id}").status_code == 404
    desk.client.delete(f"users/{id}")

    desk.client.delete(f"deleted_users/{id}")

    shown = desk.get(f"deleted_users/{id}")["deleted_user"]
    assert (shown["name"], shown["email"]) == ("Permanently Deleted User", None)
    assert desk.client.get(f"users/{id}").status_code == 404


def test_a_merge_moves_identities_and_tickets_and_leaves_no_pointer(desk: Desk) -> None:
    loser = desk.create("Ann", email="ann@old.example")
    winner = desk.create("Ann Lee", email="ann@example.com")
    ticket = int(desk.vendor.user_create_ticket(str(loser), "Printer on fire"))

    answer = desk.put(f"users/{loser}/merge", {"user": {"id": winner}})

    assert answer.json()["user"]["id"] == winner
    assert sorted(emails(desk, winner)) == ["ann@example.com", "ann@old.example"]
    assert desk.get(f"tickets/{ticket}")["ticket"]["requester_id"] == winner
    gone = desk.get(f"users/{loser}")["user"]
    assert gone["active"] is False
    assert str(winner) not in str(gone)


def test_agents_cannot_be_merged(desk: Desk) -> None:
    agent, ann = desk.create("Agent", role="agent"), desk.create("Ann")

    assert desk.put(f"users/{agent}/merge", {"user": {"id": ann}}).status_code == 403


def test_an_unknown_user_is_not_found(desk: Desk) -> None:
    answer = desk.client.get("users/12345")

    assert (answer.status_code, answer.json()["error"]) == (404, "RecordNotFound")


def test_every_effect_names_its_author_and_what_stood_before(desk: Desk) -> None:
    id = desk.create("Ann")
    desk.vendor.user_edit(str(id), by="kim", **{"user_fields.tier": "gold"})

    last = desk.vendor.ledger.effects[-1]
    assert (last.by, last.action, last.object, last.id) == ("kim", "update", "users", str(id))
    assert (last.before["user_fields"]["tier"], last.after["user_fields"]["tier"]) == (None, "gold")
    assert [effect.id for effect in desk.vendor.ledger.writes("api")] == [str(id)]


def test_a_ticket_from_an_unknown_address_makes_its_requester(desk: Desk) -> None:
    body = {"ticket": {"subject": "Hi", "requester": {"name": "New", "email": "new@example.com"}}}

    ticket = desk.post("tickets", body).json()["ticket"]

    assert desk.get(f"users/{ticket['requester_id']}")["user"]["email"] == "new@example.com"


def test_a_ticket_request_repeated_with_its_key_makes_one_ticket(desk: Desk) -> None:
    id = desk.create("Ann")
    body = {"ticket": {"subject": "Hi", "requester_id": id}}

    answers = [desk.client.post("tickets", json=body, headers={"Idempotency-Key": "k"}) for _ in range(2)]

    assert len({answer.json()["ticket"]["id"] for answer in answers}) == 1
    assert [answer.headers["X-Idempotency-Lookup"] for answer in answers] == ["miss", "hit"]


def test_organization_names_are_unique(desk: Desk) -> None:
    desk.post("organizations", {"organization": {"name": "Acme"}})

    answer = desk.post("organizations", {"organization": {"name": "ACME"}})

    assert answer.status_code == 422
    assert answer.json()["details"]["name"][0]["error"] == "DuplicateValue"


def test_deleting_an_organization_takes_its_users_out(desk: Desk) -> None:
    acme = desk.vendor.user_create_organization("Acme")
    id = desk.create("Ann", organization_id=int(acme))

    desk.client.delete(f"organizations/{acme}")

    assert desk.get(f"users/{id}")["user"]["organization_id"] is None
    assert desk.client.get(f"organizations/{acme}").status_code == 404
