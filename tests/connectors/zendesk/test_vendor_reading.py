"""How the imitated Zendesk pages, exports, searches, limits, works on jobs and signs (sheet 2 to 7)."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from tests.connectors.zendesk.desk import Desk
from trueup.connectors.zendesk.vendor import signature
from trueup.connectors.zendesk.vendor_jobs import Fate
from trueup.sandbox.standin import Fault


@pytest.fixture
def desk() -> Desk:
    return Desk()


def people(desk: Desk, count: int) -> list[int]:
    return [desk.create(f"P{n}", email=f"p{n}@example.com") for n in range(count)]


def names(answer: httpx.Response | dict) -> list[str]:  # type: ignore[type-arg]
    body = answer if isinstance(answer, dict) else answer.json()
    return [user["name"] for user in body["users"]]


# -- lists ------------------------------------------------------------------------------------------


def test_cursor_paging_brings_each_once_and_at_most_100(desk: Desk) -> None:
    ids = people(desk, 5)
    seen, after = [], ""
    while True:
        page = desk.get("users", **{"page[size]": 2, "role": "end-user", "page[after]": after})
        seen += [user["id"] for user in page["users"]]
        if not page["meta"]["has_more"]:
            break
        after = page["meta"]["after_cursor"]

    assert seen == ids
    assert desk.client.get("users", params={"page[size]": 101}).status_code == 400


def test_offset_paging_counts_and_ends_at_10000(desk: Desk) -> None:
    people(desk, 3)

    page = desk.get("users", per_page=2, role="end-user")

    assert (page["count"], len(page["users"])) == (3, 2)
    assert page["next_page"].endswith("page=2&per_page=2")
    assert desk.client.get("users", params={"page": 100, "per_page": 100}).status_code == 200
    assert desk.client.get("users", params={"page": 101, "per_page": 100}).status_code == 400


def test_lists_hold_living_users_and_can_be_narrowed_to_a_role(desk: Desk) -> None:
    ann, bob = people(desk, 2)
    desk.vendor.user_delete(str(bob))

    assert [user["id"] for user in desk.get("users", role="end-user")["users"]] == [ann]
    assert len(desk.get("users")["users"]) == 2  # and the account's own administrator


def test_show_many_takes_at_most_100_ids_and_leaves_out_unknown_ones(desk: Desk) -> None:
    ann = desk.create("Ann", external_id="tu-1")

    assert names(desk.get("users/show_many", ids=f"{ann},77")) == ["Ann"]
    assert names(desk.get("users/show_many", external_ids="TU-1,tu-2")) == ["Ann"]
    many = ",".join(str(n) for n in range(101))
    assert desk.client.get("users/show_many", params={"ids": many}).status_code == 400


def test_identities_are_loaded_beside_the_users_on_request(desk: Desk) -> None:
    ann = desk.create("Ann", email="a@example.com", identities=[{"type": "email", "value": "b@example.com"}])

    beside = desk.get("users/show_many", ids=str(ann), include="identities")["identities"]

    assert [(one["user_id"], one["value"], one["primary"]) for one in beside] == [
        (ann, "a@example.com", True),
        (ann, "b@example.com", False),
    ]


def test_the_search_index_lags(desk: Desk) -> None:
    ann = desk.create("Ann", email="ann@example.com")
    query = {"query": 'email:"Ann@example.com"'}

    assert desk.get("users/search", **query)["users"] == []
    desk.wait(120)
    assert [user["id"] for user in desk.get("users/search", **query)["users"]] == [ann]
    desk.vendor.user_edit(str(ann), email="ann@new.example")
    assert desk.get("users/search", query="email:ann@new.example")["users"] == []


def test_search_finds_secondary_addresses_and_no_deleted_users(desk: Desk) -> None:
    ann = desk.create("Ann", email="a@example.com", identities=[{"type": "email", "value": "b@example.com"}])
    desk.wait(120)
    assert [user["id"] for user in desk.get("users/search", query="email:b@example.com")["users"]] == [ann]

    desk.vendor.user_delete(str(ann))

    assert desk.get("users/search", query="email:b@example.com")["users"] == []


# -- exports ----------------------------------------------------------------------------------------


def test_the_export_leaves_out_the_last_minute(desk: Desk) -> None:
    people(desk, 1)
    desk.wait(59)
    query = {"start_time": desk.start_time(3600)}

    assert desk.get("incremental/users/cursor", **query)["users"] == []
    desk.wait(1)
    assert names(desk.get("incremental/users/cursor", **query)) == ["Sync Robot", "P0"]


def test_a_start_time_in_the_last_minute_is_refused(desk: Desk) -> None:
    desk.wait(3600)
    fresh = desk.client.get("incremental/users/cursor", params={"start_time": desk.start_time(59)})

    assert fresh.status_code == 422
    assert fresh.json()["description"].startswith("Too recent start_time.")
    assert desk.client.get("incremental/users/cursor", params={"start_time": desk.start_time(60)}).is_success


def test_an_export_goes_on_at_its_cursor_without_gap_or_repeat(desk: Desk) -> None:
    people(desk, 5)  # all in the same second
    desk.wait(61)
    seen, query = [], {"start_time": 0, "per_page": 2}
    while True:
        page = desk.get("incremental/users/cursor", **query)
        seen += names(page)
        if page["end_of_stream"]:
            break
        query = {"cursor": page["after_cursor"], "per_page": 2}

    assert seen == ["Sync Robot", "P0", "P1", "P2", "P3", "P4"]


def test_what_is_edited_between_two_pages_comes_again_at_its_new_place(desk: Desk) -> None:
    first, *_ = people(desk, 3)
    desk.wait(61)
    page = desk.get("incremental/users/cursor", start_time=0, per_page=2)
    desk.vendor.user_edit(str(first), name="P0 edited")
    rest = desk.get("incremental/users/cursor", cursor=page["after_cursor"])
    assert names(rest) == ["P1", "P2"]
    desk.wait(61)

    assert names(desk.get("incremental/users/cursor", cursor=rest["after_cursor"])) == ["P0 edited"]


def test_an_empty_export_keeps_its_cursor_and_has_none_at_its_start(desk: Desk) -> None:
    people(desk, 1)
    desk.wait(61)
    nothing = desk.get("incremental/users/cursor", start_time=desk.start_time(60))
    assert (nothing["users"], nothing["after_cursor"], nothing["end_of_stream"]) == ([], None, True)

    page = desk.get("incremental/users/cursor", start_time=0)
    again = desk.get("incremental/users/cursor", cursor=page["after_cursor"])

    assert (again["users"], again["after_cursor"]) == ([], page["after_cursor"])


def test_deleted_users_are_in_the_export(desk: Desk) -> None:
    ann, bob = people(desk, 2)
    desk.vendor.user_delete(str(ann))
    desk.vendor.user_delete(str(bob))
    desk.vendor.user_delete_for_good(str(bob))
    desk.wait(61)

    rows = {row["id"]: row for row in desk.get("incremental/users/cursor", start_time=0)["users"]}

    assert rows[ann]["active"] is False
    assert (rows[bob]["permanently_deleted"], rows[bob]["email"]) == (True, None)


def test_exports_are_limited_to_ten_a_minute(desk: Desk) -> None:
    desk.wait(3600 + 15)
    answers = [desk.client.get("incremental/users/cursor", params={"start_time": 0}) for _ in range(11)]

    assert [answer.status_code for answer in answers] == [200] * 10 + [429]
    assert answers[-1].headers["Retry-After"] == "45"
    desk.wait(45)
    assert desk.client.get("incremental/users/cursor", params={"start_time": 0}).is_success


def test_organizations_export_by_time_repeats_the_last_second(desk: Desk) -> None:
    for name in ("A", "B", "C"):
        desk.vendor.user_create_organization(name)
        desk.wait(10)
    desk.vendor.user_delete_organization("701")
    desk.wait(61)

    page = desk.get("incremental/organizations", start_time=0, per_page=2)
    rest = desk.get("incremental/organizations", start_time=page["end_time"])

    assert [row["name"] for row in page["organizations"]] == ["B", "C"]
    assert page["end_of_stream"] is False
    assert [row["name"] for row in rest["organizations"]] == ["C", "A"]
    assert rest["organizations"][1]["deleted_at"] is not None


def test_a_time_export_never_splits_a_second(desk: Desk) -> None:
    for name in ("A", "B", "C"):
        desk.vendor.user_create_organization(name)
    desk.wait(61)

    assert desk.get("incremental/organizations", start_time=0, per_page=2)["count"] == 3


def test_tickets_are_exported_with_their_state_and_solving_time(desk: Desk) -> None:
    ann = desk.vendor.user_create("Ann")
    open_one = desk.vendor.user_create_ticket(ann, "Printer")
    solved = desk.vendor.user_create_ticket(ann, "Paper")
    desk.wait(60)
    desk.vendor.user_solve_ticket(solved)
    desk.vendor.user_delete_ticket(open_one)
    desk.wait(60)

    rows = desk.get("incremental/tickets/cursor", start_time=0, include="metric_sets")["tickets"]

    assert {row["id"]: row["status"] for row in rows} == {1: "deleted", 2: "solved"}
    assert rows[1]["metric_set"]["solved_at"] == "2026-03-02T09:01:00Z"
    assert desk.get(f"users/{ann}/tickets/requested")["tickets"][0]["id"] == 2


# -- limits -----------------------------------------------------------------------------------------


def test_calls_beyond_the_limit_of_a_minute_are_answered_with_429(desk: Desk) -> None:
    desk.vendor.per_minute = 3
    desk.wait(50)
    answers = [desk.client.get("users/me") for _ in range(4)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[1].headers["X-Rate-Limit-Remaining"] == "1"
    assert answers[3].headers["Retry-After"] == "10"
    desk.wait(10)
    assert desk.client.get("users/me").is_success


def test_one_user_is_updated_at_most_five_times_a_minute(desk: Desk) -> None:
    ann, bob = people(desk, 2)
    answers = [desk.put(f"users/{ann}", {"user": {"notes": str(n)}}) for n in range(6)]

    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert desk.put(f"users/{bob}", {"user": {"notes": "x"}}).is_success


# -- jobs -------------------------------------------------------------------------------------------


def test_a_job_is_queued_then_working_then_completed(desk: Desk) -> None:
    desk.vendor.jobs.seconds = None
    ann = desk.create("Ann")

    job = desk.put("users/update_many", {"users": [{"id": ann, "name": "Anna"}]}).json()["job_status"]
    later = [desk.get(f"job_statuses/{job['id']}")["job_status"]["status"] for _ in range(2)]
    states = [job["status"], *later]

    assert states == ["queued", "working", "completed"]
    assert desk.get(f"users/{ann}")["user"]["name"] == "Anna"


def test_a_job_is_done_by_the_clock_alone(desk: Desk) -> None:
    ann = desk.create("Ann")
    desk.put(f"users/update_many?ids={ann}", {"user": {"notes": "same for all"}})
    assert desk.get(f"users/{ann}")["user"]["notes"] == ""

    desk.wait(5)

    assert desk.get(f"users/{ann}")["user"]["notes"] == "same for all"


def test_results_name_each_item_and_come_in_their_own_order(desk: Desk) -> None:
    ann, bob = people(desk, 2)
    wrong = {"id": bob, "user_fields": {"tier": "x"}}
    items = [{"id": ann, "name": "A"}, wrong, {"id": 77, "name": "C"}]
    job = desk.put("users/update_many", {"users": items}).json()["job_status"]
    desk.wait(5)

    results = desk.get(f"job_statuses/{job['id']}")["job_status"]["results"]

    assert [result["id"] for result in results] == [77, bob, ann]
    assert [result["success"] for result in results] == [False, False, True]
    assert [result.get("error") for result in results] == ["RecordNotFound", "RecordInvalid", None]
    assert results[1]["details"] == "Tier: is not a valid value"


def test_bulk_creation_is_off_until_the_vendor_allows_it(desk: Desk) -> None:
    body = {"users": [{"name": "Ann", "email": "ann@example.com", "external_id": "tu-1"}]}
    assert desk.post("users/create_or_update_many", body).status_code == 403
    assert desk.post("users/create_many", body).status_code == 403
    desk.vendor.bulk_import = True

    first = desk.post("users/create_or_update_many", body).json()["job_status"]
    desk.wait(5)
    second = desk.post("users/create_or_update_many", body).json()["job_status"]
    desk.wait(5)

    results = [desk.get(f"job_statuses/{job['id']}")["job_status"]["results"][0] for job in (first, second)]
    assert [result["status"] for result in results] == ["Created", "Updated"]
    assert [result["external_id"] for result in results] == ["tu-1", "tu-1"]


def test_created_items_are_named_by_their_index(desk: Desk) -> None:
    desk.vendor.bulk_import = True
    job = desk.post("users/create_many", {"users": [{"name": "A"}, {"name": ""}]}).json()["job_status"]
    desk.wait(5)

    results = desk.get(f"job_statuses/{job['id']}")["job_status"]["results"]

    assert [(result["index"], result["success"]) for result in results] == [(1, False), (0, True)]


def test_a_job_takes_at_most_100_items_and_30_jobs_run_at_once(desk: Desk) -> None:
    ann = desk.create("Ann")
    many = [{"id": ann, "notes": str(n)} for n in range(101)]
    assert desk.put("users/update_many", {"users": many}).status_code == 400

    answers = [desk.put("users/update_many", {"users": many[:1]}) for _ in range(31)]

    assert [answer.status_code for answer in answers] == [200] * 30 + [429]
    assert answers[-1].json()["error"] == "TooManyJobs"


def test_a_job_can_fail_half_way_or_be_lost(desk: Desk) -> None:
    ann, bob = people(desk, 2)
    desk.vendor.jobs.fates = [Fate(1, "failed", done=1), Fate(2, "lost", done=1)]
    body = {"users": [{"id": ann, "notes": "x"}, {"id": bob, "notes": "x"}]}
    failed, lost = (desk.put("users/update_many", body).json()["job_status"]["id"] for _ in range(2))
    desk.wait(5)

    status = desk.get(f"job_statuses/{failed}")["job_status"]
    assert (status["status"], len(status["results"])) == ("failed", 1)
    assert [desk.get(f"users/{id}")["user"]["notes"] for id in (ann, bob)] == ["x", ""]
    assert desk.client.get(f"job_statuses/{lost}").status_code == 404


def test_job_states_are_forgotten_after_an_hour(desk: Desk) -> None:
    ann = desk.create("Ann")
    job = desk.put("users/update_many", {"users": [{"id": ann, "notes": "x"}]}).json()["job_status"]
    desk.wait(3601)

    assert desk.client.get(f"job_statuses/{job['id']}").status_code == 404


def test_destroy_many_deletes_by_a_job(desk: Desk) -> None:
    ann, bob = people(desk, 2)
    desk.client.delete("users/destroy_many", params={"ids": f"{ann},{bob}"})
    desk.wait(5)

    assert [desk.get(f"users/{id}")["user"]["active"] for id in (ann, bob)] == [False, False]


# -- faults and webhooks ----------------------------------------------------------------------------


def test_a_lost_answer_leaves_the_write_done(desk: Desk) -> None:
    desk.vendor.faults = [Fault("users.create", 1, "lost_answer")]

    with pytest.raises(httpx.ReadTimeout):
        desk.create("Ann", email="ann@example.com")

    assert [effect.after["name"] for effect in desk.vendor.ledger.writes()] == ["Ann"]


def test_the_signature_agrees_with_the_computed_vector() -> None:
    body = b'{"id":1,"email":"ann@example.com"}'

    signed = signature("topsecret", "2026-01-01T00:00:00Z", body)

    assert signed == "kp133pFg02HPy0FCu6wnd9mSAjR2S4AhcuBEWZfDpb8="


def test_webhooks_are_queued_signed_for_users_and_organizations(desk: Desk) -> None:
    desk.vendor.webhook_url = "https://hub.example.com/hooks/support"
    ann = desk.vendor.user_create("Ann", "ann@example.com")
    bob = desk.vendor.user_create("Bob")
    desk.vendor.user_merge(ann, bob)
    desk.vendor.user_create_organization("Acme")

    hooks = desk.vendor.webhooks
    types = [httpx.Response(200, content=hook.body).json()["type"] for hook in hooks]

    assert types == [
        "zen:event-type:user.created",
        "zen:event-type:user.created",
        "zen:event-type:user.merged",
        "zen:event-type:user.details_changed",
        "zen:event-type:organization.created",
    ]
    for hook in hooks:
        stamp = hook.headers["X-Zendesk-Webhook-Signature-Timestamp"]
        wanted = signature(desk.vendor.signing_secret, stamp, hook.body)
        assert hook.headers["X-Zendesk-Webhook-Signature"] == wanted


def test_search_lag_can_be_set(desk: Desk) -> None:
    desk.vendor.search_lag = timedelta(0)
    desk.create("Ann", email="ann@example.com")

    assert names(desk.get("users/search", query="email:ann@example.com")) == ["Ann"]
