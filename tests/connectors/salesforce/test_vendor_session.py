"""The stand-in org at its door: tokens, sessions, limits, metadata."""

from __future__ import annotations

import pytest

from tests.connectors.salesforce.org import DATA, HOST, Desk, codes


def test_the_token_answer_names_the_instance_and_no_expiry() -> None:
    desk = Desk(instance_url="https://eu12.my.salesforce.com")
    form = {"grant_type": "client_credentials", "client_id": "client", "client_secret": "secret"}
    answer = desk.client.post("/services/oauth2/token", data=form).json()
    assert answer["instance_url"] == "https://eu12.my.salesforce.com"
    assert "expires_in" not in answer and answer["token_type"] == "Bearer"


@pytest.mark.parametrize(
    ("form", "error"),
    [
        (
            {"grant_type": "client_credentials", "client_id": "client", "client_secret": "no"},
            "invalid_client",
        ),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        (
            {"grant_type": "refresh_token", "client_id": "client", "client_secret": "secret"},
            "invalid_grant",
        ),
    ],
)
def test_a_wrong_login_is_an_oauth_error(form: dict[str, str], error: str) -> None:
    answer = Desk().client.post("/services/oauth2/token", data=form)
    assert (answer.status_code, answer.json()["error"]) == (400, error)


def test_the_client_may_introduce_itself_by_basic_authentication() -> None:
    desk = Desk()
    form = {"grant_type": "client_credentials"}
    assert desk.client.post("/services/oauth2/token", data=form, auth=("client", "secret")).status_code == 200


def test_without_a_token_there_is_no_session() -> None:
    desk = Desk()
    answer = desk.client.get(f"{DATA}/limits", headers={"Authorization": "Bearer other"})
    assert (answer.status_code, codes(answer)) == (401, ["INVALID_SESSION_ID"])


def test_a_session_ends_when_it_was_not_used_for_two_hours() -> None:
    desk = Desk()
    desk.clock.pass_(hours=1, minutes=59)
    assert desk.get("/limits").status_code == 200
    desk.clock.pass_(hours=1, minutes=59)
    assert desk.get("/limits").status_code == 200
    desk.clock.pass_(hours=2)
    assert codes(desk.get("/limits")) == ["INVALID_SESSION_ID"]


def test_a_token_is_good_at_its_own_instance_only() -> None:
    desk = Desk(instance_url="https://eu12.my.salesforce.com")
    assert desk.client.get(f"{HOST}{DATA}/limits").status_code == 401
    assert desk.client.get(f"https://eu12.my.salesforce.com{DATA}/limits").status_code == 200


def test_every_answer_tells_the_usage_of_the_day() -> None:
    desk = Desk(allowance=10)
    assert desk.get("/limits").headers["Sforce-Limit-Info"] == "api-usage=1/10"
    assert desk.get("/limits").json() == {"DailyApiRequests": {"Max": 10, "Remaining": 8}}


def test_the_allowance_is_of_rolling_24_hours_and_refused_with_403() -> None:
    desk = Desk(allowance=2)
    desk.get("/limits")
    desk.clock.pass_(hours=12)
    desk.login()
    desk.get("/limits")
    answer = desk.get("/limits")
    assert (answer.status_code, codes(answer)) == (403, ["REQUEST_LIMIT_EXCEEDED"])
    assert "Retry-After" not in answer.headers
    desk.clock.pass_(hours=12)
    desk.login()
    assert desk.get("/limits").status_code == 200


def test_an_unknown_path_or_version_is_not_found() -> None:
    desk = Desk()
    assert codes(desk.get("/nothing")) == ["NOT_FOUND"]
    assert desk.client.get("/services/data/v99.0/limits").status_code == 404
    assert desk.client.get("/services/data/").json()[-1]["version"] == "67.0"


def test_an_address_of_more_than_16384_bytes_is_refused() -> None:
    desk = Desk()
    query = "SELECT Id FROM Lead WHERE LastName = '" + "x" * 16_384 + "'"
    assert desk.get("/query", q=query).status_code == 414


def test_describe_tells_types_lengths_options_and_external_ids() -> None:
    fields = {f["name"]: f for f in Desk().get("/sobjects/Lead/describe").json()["fields"]}
    assert (fields["LastName"]["length"], fields["LastName"]["nillable"]) == (80, False)
    assert "Recycled" in [option["value"] for option in fields["Status"]["picklistValues"]]
    assert fields["Hub_Id__c"]["externalId"] and fields["Hub_Id__c"]["unique"]
    assert fields["OwnerId"]["referenceTo"] == ["User", "Group"]
    assert not fields["Name"]["updateable"] and not fields["IsConverted"]["createable"]


def test_a_hidden_field_is_gone_for_the_api() -> None:
    desk = Desk()
    lead = desk.lead()
    desk.org.hide("Lead", "HasOptedOutOfEmail")
    names = [f["name"] for f in desk.get("/sobjects/Lead/describe").json()["fields"]]
    assert "HasOptedOutOfEmail" not in names
    assert codes(desk.get("/query", q="SELECT HasOptedOutOfEmail FROM Lead")) == ["INVALID_FIELD"]
    write = desk.send("PATCH", f"/sobjects/Lead/{lead}", {"HasOptedOutOfEmail": True})
    assert codes(write) == ["INVALID_FIELD"]
