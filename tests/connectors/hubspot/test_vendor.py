"""The HubSpot stand-in is as strict as the vendor's guides say; and what the connector makes of it."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.connectors.kit import connect
from trueup.connectors.hubspot.vendor import HubSpotStandIn
from trueup.errors import Unauthorized
from trueup.model.record import Reading, Record
from trueup.testing.acceptance.clock import HandClock


class Portal:
    """The stand-in asked directly, without a connector."""

    def __init__(self) -> None:
        self.clock = HandClock()
        self.standin = HubSpotStandIn(self.clock.now)
        headers = {"authorization": "Bearer pat-eu1-standin"}
        self.http = httpx.Client(
            transport=self.standin.transport(), base_url="https://api.hubapi.com", headers=headers
        )

    def post(self, path: str, **body: object) -> httpx.Response:
        return self.http.post(f"/crm/v3/objects/contacts/{path}", json=body)


@pytest.fixture
def portal() -> Iterator[Portal]:
    asked = Portal()
    yield asked
    asked.http.close()


def test_a_search_ends_at_ten_thousand_records(portal: Portal) -> None:
    assert portal.post("search", limit=200, after="9800").status_code == 200
    assert portal.post("search", limit=200, after="9801").status_code == 400


def test_a_search_shows_a_write_only_after_the_lag(portal: Portal) -> None:
    portal.standin.user_create("contacts", {"email": "ann@example.com"})
    portal.clock.advance(4.9)
    assert portal.post("search").json()["total"] == 0
    portal.clock.advance(0.1)
    assert portal.post("search").json()["total"] == 1


def test_values_of_an_in_filter_have_to_be_lower_case(portal: Portal) -> None:
    portal.standin.user_create("contacts", {"email": "a@example.com", "city": "Kiel"})
    portal.clock.advance(10)
    for values, total in ((["Kiel"], 0), (["kiel"], 1)):
        one = {"propertyName": "city", "operator": "IN", "values": values}
        assert portal.post("search", filterGroups=[{"filters": [one]}]).json()["total"] == total


def test_without_trace_ids_one_taken_email_fails_the_whole_batch(portal: Portal) -> None:
    portal.standin.user_create("contacts", {"email": "ann@example.com"})
    inputs = [{"properties": {"email": email}} for email in ("bob@example.com", "ann@example.com")]
    answer = portal.post("batch/create", inputs=inputs)
    assert (answer.status_code, answer.json()["message"]) == (409, "Contact already exists. Existing ID: 101")
    assert len(portal.standin.portal.rows["contacts"]) == 1


def test_a_batch_holds_at_most_a_hundred(portal: Portal) -> None:
    inputs = [{"id": str(number)} for number in range(101)]
    assert portal.post("batch/read", inputs=inputs).status_code == 400


def test_only_default_properties_come_unless_asked_for(portal: Portal) -> None:
    id = portal.standin.user_create("contacts", {"email": "ann@example.com", "jobtitle": "Boss"})
    plain = portal.http.get(f"/crm/v3/objects/contacts/{id}").json()["properties"]
    asked = portal.http.get(f"/crm/v3/objects/contacts/{id}?properties=jobtitle,nonsense").json()[
        "properties"
    ]
    assert "jobtitle" not in plain
    assert asked["jobtitle"] == "Boss"
    assert "nonsense" not in asked


def test_a_backward_stage_is_accepted_and_not_kept(portal: Portal) -> None:
    id = portal.standin.user_create("contacts", {"email": "ann@example.com", "lifecyclestage": "customer"})
    answer = portal.post("batch/update", inputs=[{"id": id, "properties": {"lifecyclestage": "lead"}}])
    assert answer.status_code == 200
    assert answer.json()["results"][0]["properties"]["lifecyclestage"] == "customer"


def test_a_merge_makes_a_third_record_and_both_old_ids_lead_to_it(portal: Portal) -> None:
    one = portal.standin.user_create("contacts", {"email": "one@example.com", "jobtitle": "Boss"})
    two = portal.standin.user_create("contacts", {"email": "two@example.com", "city": "Kiel"})
    third = portal.post("merge", primaryObjectId=one, objectIdToMerge=two).json()["id"]
    assert third not in (one, two)
    for id in (one, two, third):
        wanted = "properties=city,jobtitle,hs_additional_emails"
        told = portal.http.get(f"/crm/v3/objects/contacts/{id}?{wanted}").json()
        assert told["id"] == third
        assert (told["properties"]["city"], told["properties"]["jobtitle"]) == ("Kiel", "Boss")
        assert told["properties"]["hs_additional_emails"] == "two@example.com"


def test_a_rate_limit_answers_429_and_opens_again(portal: Portal) -> None:
    portal.standin.rate = (2, 10.0)
    path = "/account-info/v3/details"
    statuses = [portal.http.get(path).status_code for _ in range(3)]
    portal.clock.advance(10)
    assert [*statuses, portal.http.get(path).status_code] == [200, 200, 429, 200]


def test_an_app_with_a_refresh_token_works_past_the_life_of_its_tokens(portal: Portal) -> None:
    auth = {
        "kind": "refresh_token",
        "client_id": "app-id",
        "client_secret": "app-secret",
        "refresh_token": "app-refresh",
    }
    connector = connect("hubspot", portal.standin.transport(), auth, portal.clock)
    for _ in range(4):
        connector.whoami()
        portal.clock.advance(1000)
    assert portal.standin.ledger.calls("token") == 2
    portal.standin.tokens.clear()
    connector.whoami()
    portal.standin.app = ("app-id", "app-secret", "revoked")
    portal.standin.tokens.clear()
    with pytest.raises(Unauthorized, match="BAD_REFRESH_TOKEN"):
        connector.whoami()


@pytest.mark.parametrize("empty", ["null", "omit"])
def test_an_empty_property_is_empty_however_the_portal_tells_it(portal: Portal, empty: str) -> None:
    portal.standin.empty = empty
    id = portal.standin.user_create("contacts", {"email": "ann@example.com"})
    auth = {"kind": "bearer", "token": "pat-eu1-standin"}
    connector = connect("hubspot", portal.standin.transport(), auth, portal.clock)
    read = connector.read("contacts", [id], ["jobtitle"])[0]
    listed = connector.pull("contacts", Reading.LISTING, None, ["jobtitle"]).records[0]
    assert isinstance(read, Record)
    assert read.values == listed.values == {"jobtitle": None}


def test_what_people_and_the_api_did_is_told_apart_in_the_ledger(portal: Portal) -> None:
    id = portal.standin.user_create("contacts", {"email": "ann@example.com"})
    portal.post("batch/update", inputs=[{"id": id, "properties": {"city": "Kiel"}}])
    assert [effect.action for effect in portal.standin.ledger.writes()] == ["update"]
    assert [effect.action for effect in portal.standin.ledger.writes("user")] == ["create"]
