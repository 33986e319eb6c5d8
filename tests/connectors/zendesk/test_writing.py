"""How Zendesk is written: single writes and jobs, addresses, tags, refusals, lost answers, merges."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from tests.connectors.zendesk.desk import Desk
from tests.connectors.zendesk.hub import FIELDS, Hub, create, update
from trueup.connectors.base import (
    Done,
    Elements,
    GoneItem,
    NotApplied,
    Outcome,
    Pending,
    RefusedItem,
    UnknownItem,
    WriteItem,
)
from trueup.connectors.zendesk.vendor_jobs import Fate
from trueup.errors import RateLimited, Unauthorized
from trueup.model.delivery import WriteKind
from trueup.sandbox.standin import Fault


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def hub(desk: Desk) -> Iterator[Hub]:
    hub = Hub(desk)
    yield hub
    hub.connector.close()


def person(desk: Desk, name: str = "Ann", email: str = "ann@example.com", **values: Any) -> str:
    return desk.vendor.user_create(name, email, **values)


def finished(hub: Hub, items: Sequence[WriteItem], outcomes: Sequence[Outcome]) -> list[Outcome]:
    """What became of items that one job took."""
    (job,) = {outcome.job for outcome in outcomes if isinstance(outcome, Pending)}
    hub.desk.wait(5)
    return list(hub.connector.poll("users", job, items))


def _new(n: int) -> dict[str, Any]:
    return {"name": f"P{n}", "email": f"p{n}@example.com"}


# -- creating ---------------------------------------------------------------------------------------


def test_a_user_is_created_without_a_mail_to_the_person(hub: Hub, desk: Desk) -> None:
    values = {"name": "Ann", "email": "ann@example.com", "user_fields.tier": "gold", "tags": ["vip"]}

    (done,) = hub.write(create("k", values))

    assert isinstance(done, Done) and done.created
    assert done.record is not None and done.record.values["user_fields.tier"] == "gold"
    assert desk.vendor.mails == []
    assert desk.vendor.user(done.id)["tags"] == ["vip"]


def test_further_addresses_go_with_a_new_user(hub: Hub, desk: Desk) -> None:
    addresses = ["ann@example.com", "ann@home.example"]

    (done,) = hub.write(
        create(
            "k",
            {"name": "Ann", "email": addresses[0], "identities.email": [{"value": one} for one in addresses]},
        )
    )

    assert isinstance(done, Done)
    assert desk.vendor.user(done.id)["identities.email"] == addresses


def test_a_create_repeated_after_a_lost_answer_makes_one_user(hub: Hub, desk: Desk) -> None:
    desk.vendor.faults = [Fault("users.create", 1, "lost_answer")]
    item = create("k", {"name": "Ann", "email": "ann@example.com"}, upsert=("external_id", "tu-1"))

    first, again = hub.write(item)[0], hub.write(item)[0]

    assert isinstance(first, UnknownItem)
    assert isinstance(again, Done) and not again.created
    assert [effect.action for effect in desk.vendor.ledger.writes()] == ["create"]


def test_a_create_never_writes_over_somebody_who_has_the_same_address(hub: Hub, desk: Desk) -> None:
    ann = person(desk, external_id="shop-9")
    desk.wait(120)
    item = create("k", {"name": "A", "email": "ann@example.com"}, upsert=("external_id", "c-17"))

    (outcome,) = hub.write(item)

    assert isinstance(outcome, RefusedItem) and outcome.existing_id == ann
    assert desk.vendor.ledger.writes() == []


def test_a_request_that_never_left_is_certainly_not_applied(hub: Hub, desk: Desk) -> None:
    desk.vendor.faults = [Fault("users.create", 1, "lost_request")]

    assert isinstance(hub.write(create("k", {"name": "Ann"}))[0], NotApplied)


@pytest.mark.parametrize(("what", "status"), [("status_after", 502), ("status", 500), ("body_after", 200)])
def test_an_answer_that_proves_nothing_leaves_the_write_unknown(
    hub: Hub, desk: Desk, what: str, status: int
) -> None:
    desk.vendor.faults = [Fault("users.create", 1, what, status, body=b"<html>bad gateway</html>")]

    assert isinstance(Hub(desk, described=False).write(create("k", {"name": "Ann"}))[0], UnknownItem)


def test_a_taken_address_is_refused_with_its_field_and_its_holder(hub: Hub, desk: Desk) -> None:
    ann = person(desk)
    desk.wait(120)

    (outcome,) = hub.write(create("k", {"name": "Other", "email": "Ann@example.com"}))

    assert isinstance(outcome, RefusedItem)
    assert outcome.existing_id == ann
    assert outcome.fields == {"email": "Email: Ann@example.com is already being used by another user"}


def test_a_taken_external_id_names_its_holder_at_once(hub: Hub, desk: Desk) -> None:
    ann = person(desk, external_id="tu-1")

    (outcome,) = hub.write(create("k", {"name": "Other", "external_id": "tu-1"}))

    assert isinstance(outcome, RefusedItem)
    assert (outcome.existing_id, set(outcome.fields)) == (ann, {"external_id"})


def test_a_holder_that_the_index_does_not_know_yet_stays_unnamed(hub: Hub, desk: Desk) -> None:
    person(desk)

    (outcome,) = hub.write(create("k", {"name": "Other", "email": "ann@example.com"}))

    assert isinstance(outcome, RefusedItem)
    assert (outcome.existing_id, outcome.code) == (None, "TU-REF-011")


def test_an_address_that_is_none_is_refused_and_not_told_as_taken(hub: Hub) -> None:
    (outcome,) = hub.write(create("k", {"name": "Other", "email": "ann(at)example.com"}))

    assert isinstance(outcome, RefusedItem) and outcome.code == "TU-REF-001"


def test_what_does_not_fit_is_named_by_our_paths(hub: Hub) -> None:
    values = {"name": " ", "user_fields.tier": "platinum", "organization_id": "999", "email": "no address"}

    (outcome,) = hub.write(create("k", values))

    assert isinstance(outcome, RefusedItem)
    assert set(outcome.fields) == {"name", "user_fields.tier", "organization_id", "email"}


def test_creates_go_one_by_one_while_bulk_imports_are_off(hub: Hub, desk: Desk) -> None:
    items = [create(f"k{n}", _new(n), upsert=("external_id", f"tu-{n}")) for n in range(3)]

    outcomes = hub.write(*items)

    assert [isinstance(outcome, Done) for outcome in outcomes] == [True] * 3
    assert desk.vendor.ledger.calls("users.create") == 3


def test_creates_go_as_one_job_where_bulk_imports_are_allowed(desk: Desk) -> None:
    desk.vendor.bulk_import = True
    hub = Hub(desk, bulk_import=True)
    items = [create(f"k{n}", {"name": f"P{n}"}, upsert=("external_id", f"tu-{n}")) for n in range(3)]

    sent = hub.write(*items)
    done = finished(hub, items, sent)

    assert desk.vendor.ledger.calls() == 2
    assert desk.vendor.mails == []
    by_id = [desk.vendor.user(outcome.id)["external_id"] for outcome in done if isinstance(outcome, Done)]
    assert by_id == ["tu-0", "tu-1", "tu-2"]
    assert all(isinstance(outcome, Done) and outcome.created for outcome in done)


def test_a_number_in_a_job_of_which_some_is_settled_names_nobody_else(desk: Desk) -> None:
    desk.vendor.bulk_import = True
    hub = Hub(desk, described=False, bulk_import="yes")
    items = [create(f"k{n}", {"name": f"P{n}"}, upsert=("external_id", f"tu-{n}")) for n in range(3)]
    sent = hub.write(*items)
    whole = finished(hub, items, sent)

    (rest,) = finished(hub, items[2:], sent)

    assert [type(outcome) for outcome in whole] == [Done, Done, Done]
    assert isinstance(rest, UnknownItem), "or it would be the record of the first"


def test_a_job_of_creates_that_is_sent_twice_makes_each_user_once(desk: Desk) -> None:
    desk.vendor.bulk_import = True
    desk.vendor.faults = [Fault("users.create_many", 1, "lost_answer")]
    hub = Hub(desk, described=False, bulk_import="yes")  # the description has no word for a failed create
    items = [create(f"k{n}", {"name": f"P{n}"}, upsert=("external_id", f"tu-{n}")) for n in range(2)]

    lost = hub.write(*items)
    desk.wait(60)
    done = finished(hub, items, hub.write(*items))

    assert [type(outcome) for outcome in lost] == [UnknownItem, UnknownItem]
    assert [outcome.created for outcome in done if isinstance(outcome, Done)] == [False, False]
    assert [effect.action for effect in desk.vendor.ledger.writes()] == ["create"] * 2


def test_a_forbidden_bulk_import_falls_back_to_single_creates(desk: Desk) -> None:
    hub = Hub(desk, bulk_import="yes")
    items = [create(f"k{n}", _new(n), upsert=("external_id", f"tu-{n}")) for n in range(2)]

    assert [isinstance(outcome, Done) for outcome in hub.write(*items)] == [True, True]


def test_a_duplicate_inside_a_job_is_refused_alone_with_its_field(desk: Desk) -> None:
    desk.vendor.bulk_import = True
    hub = Hub(desk, described=False, bulk_import="yes")  # the description has no word for a failed create
    ann = person(desk)
    before = desk.vendor.user(ann)
    desk.wait(600)  # until a look-up finds her
    taken = create("a", {"name": "A", "email": "ann@example.com"}, upsert=("external_id", "tu-1"))
    clash = create("b", {"name": "B", "user_fields.tier": "x"}, upsert=("external_id", "tu-2"))
    fine = create("c", {"name": "C"}, upsert=("external_id", "tu-3"))

    stranger, refused, made = finished(hub, [taken, clash, fine], hub.write(taken, clash, fine))

    assert isinstance(stranger, RefusedItem)
    assert (list(stranger.fields), stranger.existing_id) == (["email"], str(ann))
    assert desk.vendor.user(ann) == before, "nobody is written over because of an address"
    assert isinstance(refused, RefusedItem)
    assert refused.fields == {"user_fields.tier": "Tier: is not a valid value"}
    assert isinstance(made, Done) and made.created


# -- updating ---------------------------------------------------------------------------------------


def test_one_update_is_one_call_and_answers_with_the_record(hub: Hub, desk: Desk) -> None:
    ann = person(desk)

    (done,) = hub.write(update(ann, {"user_fields.tier": "gold"}))

    assert isinstance(done, Done) and done.record is not None
    assert done.record.values["user_fields.tier"] == "gold"
    assert "identities.email" not in done.record.values
    assert desk.vendor.ledger.calls() == 1


def test_a_hundred_updates_are_one_job_whose_results_find_their_items(hub: Hub, desk: Desk) -> None:
    items = [update(person(desk, f"P{n}", f"p{n}@example.com"), {"name": f"Q{n}"}) for n in range(100)]

    sent = hub.write(*items)
    done = finished(hub, items, sent)

    assert [outcome.id for outcome in done if isinstance(outcome, Done)] == [item.id for item in items]
    assert desk.vendor.user(str(items[7].id))["name"] == "Q7"
    assert desk.vendor.ledger.calls() == 2


def test_a_running_job_is_still_pending(hub: Hub, desk: Desk) -> None:
    items = [update(person(desk, f"P{n}", f"p{n}@example.com"), {"notes": "x"}) for n in range(2)]
    (job, _) = hub.write(*items)

    assert isinstance(job, Pending)
    assert list(hub.connector.poll("users", job.job, items)) == [job, job]


def test_one_refused_item_leaves_the_rest_of_its_job_done(hub: Hub, desk: Desk) -> None:
    ann, bob, cem = (person(desk, name, f"{name}@example.com") for name in ("ann", "bob", "cem"))
    items = [update(ann, {"user_fields.tier": "x"}), update(bob, {"notes": "y"}), update(cem, {"notes": "z"})]
    desk.vendor.user_delete(cem)

    done = finished(hub, items, hub.write(*items))

    reason = "Tier: is not a valid value"
    assert done == [RefusedItem(reason, {"user_fields.tier": reason}), Done(bob), GoneItem()]


def test_a_job_that_failed_half_way_leaves_the_untold_items_unknown(hub: Hub, desk: Desk) -> None:
    desk.vendor.jobs.fates = [Fate(1, "failed", done=1)]
    items = [update(person(desk, f"P{n}", f"p{n}@example.com"), {"notes": "x"}) for n in range(2)]

    told, untold = finished(hub, items, hub.write(*items))

    assert isinstance(told, Done)
    assert isinstance(untold, UnknownItem)


@pytest.mark.parametrize("ends", ["killed", "lost"])
def test_items_of_a_job_that_is_gone_are_unknown(hub: Hub, desk: Desk, ends: str) -> None:
    desk.vendor.jobs.fates = [Fate(1, ends)]
    items = [update(person(desk, f"P{n}", f"p{n}@example.com"), {"notes": "x"}) for n in range(2)]

    outcomes = finished(hub, items, hub.write(*items))

    assert [type(outcome) for outcome in outcomes] == [UnknownItem, UnknownItem]


def test_with_thirty_jobs_at_work_a_batch_waits_and_the_connection_does_not(hub: Hub, desk: Desk) -> None:
    items = [update(person(desk, f"P{n}", f"p{n}@example.com"), {"notes": "x"}) for n in range(2)]
    for _ in range(30):
        hub.write(*items)

    outcomes = hub.write(*items)

    assert [type(outcome) for outcome in outcomes] == [NotApplied, NotApplied]
    assert [outcome.retry_after for outcome in outcomes if isinstance(outcome, NotApplied)] == [60.0, 60.0]


def test_empty_values_are_sent_in_the_vendors_way(hub: Hub, desk: Desk) -> None:
    ann = person(desk, phone="+4930111222", external_id="tu-1", tags=["vip"])
    acme = desk.vendor.user_create_organization("Acme")
    hub.write(update(ann, {"organization_id": acme, "user_fields.tier": "gold"}))
    assert desk.vendor.user(ann)["organization_id"] == int(acme)

    cleared = ("phone", "external_id", "tags", "organization_id", "user_fields.tier")
    (done,) = hub.write(update(ann, dict.fromkeys(cleared)))

    assert isinstance(done, Done)
    kept = desk.vendor.user(ann)
    assert [kept[name] for name in cleared[:-1]] == [None, None, [], None]
    assert kept["user_fields"]["tier"] is None


def test_a_deleted_user_is_gone(hub: Hub, desk: Desk) -> None:
    ann = person(desk)
    desk.vendor.user_delete(ann)

    assert list(hub.write(update(ann, {"notes": "x"}))) == [GoneItem()]


def test_a_change_at_the_same_moment_is_tried_later(hub: Hub, desk: Desk) -> None:
    ann = person(desk)
    desk.vendor.faults = [Fault("users.update", 1, "status", 409, body=b'{"error": "Conflict"}')]

    (outcome,) = Hub(desk, described=False).write(update(ann, {"notes": "x"}))

    assert isinstance(outcome, NotApplied) and outcome.retry_after == 5


def test_a_rate_limit_stops_the_batch_and_keeps_what_is_done(hub: Hub, desk: Desk) -> None:
    items = [create(f"k{n}", _new(n)) for n in range(3)]
    desk.vendor.per_minute = 2
    desk.wait(20)

    outcomes = hub.write(*items)

    assert [type(outcome) for outcome in outcomes] == [Done, Done, NotApplied]
    assert isinstance(outcomes[2], NotApplied) and outcomes[2].retry_after == 40
    with pytest.raises(RateLimited):
        hub.write(items[2])


def test_lost_credentials_are_not_an_items_fault(hub: Hub, desk: Desk) -> None:
    desk.vendor.faults = [Fault("users.create", 1, "status", 401, body=b'{"error": "no"}')]

    with pytest.raises(Unauthorized):
        Hub(desk, described=False).write(create("k", {"name": "Ann"}))


# -- addresses --------------------------------------------------------------------------------------


def test_a_changed_email_becomes_the_primary_one_and_the_old_one_stays(hub: Hub, desk: Desk) -> None:
    ann = person(desk)

    (done,) = hub.write(update(ann, {"email": "ann@new.example", "name": "Anna"}))

    assert isinstance(done, Done)
    kept = desk.vendor.user(ann)
    assert (kept["email"], kept["name"]) == ("ann@new.example", "Anna")
    assert kept["identities.email"] == ["ann@example.com", "ann@new.example"]
    assert desk.vendor.mails == []


def test_a_changed_email_sent_twice_changes_nothing_more(hub: Hub, desk: Desk) -> None:
    ann = person(desk)
    hub.write(update(ann, {"email": "ann@new.example"}))
    effects = len(desk.vendor.ledger.effects)

    (done,) = hub.write(update(ann, {"email": "Ann@new.example"}))

    assert isinstance(done, Done)
    assert len(desk.vendor.ledger.effects) == effects


@pytest.mark.parametrize("kind", ["identities.create", "identities.make_primary"])
def test_a_lost_answer_on_the_way_to_a_new_primary_address_is_mended_by_the_same_write(
    hub: Hub, desk: Desk, kind: str
) -> None:
    ann = person(desk)
    desk.vendor.faults = [Fault(kind, 1, "lost_answer")]
    item = update(ann, {"email": "ann@new.example"})

    first, again = hub.write(item)[0], hub.write(item)[0]

    assert (type(first), type(again)) == (UnknownItem, Done)
    assert desk.vendor.user(ann)["email"] == "ann@new.example"
    assert desk.vendor.user(ann)["identities.email"] == ["ann@example.com", "ann@new.example"]


def test_an_address_that_another_user_has_is_refused_and_nothing_is_written(hub: Hub, desk: Desk) -> None:
    ann = person(desk)
    person(desk, "Bob", "bob@example.com")

    (outcome,) = hub.write(update(ann, {"email": "bob@example.com", "name": "Anna"}))

    assert isinstance(outcome, RefusedItem) and set(outcome.fields) == {"email"}
    assert desk.vendor.user(ann)["name"] == "Ann"


def test_addresses_are_added_and_taken_away_one_by_one(hub: Hub, desk: Desk) -> None:
    ann = person(desk, identities=[{"type": "email", "value": "old@example.com"}])
    add, remove = ("new@example.com", "ann@example.com"), ("OLD@example.com", "never@example.com")
    change = Elements(*(tuple({"value": one} for one in some) for some in (add, remove)))

    (done,) = hub.write(update(ann, {"identities.email": change}))

    assert isinstance(done, Done)
    assert desk.vendor.user(ann)["identities.email"] == ["ann@example.com", "new@example.com"]


def read(desk: Desk, id: str) -> dict[str, Any]:
    """What the hub read of the addresses."""
    rows = desk.vendor.account.people.identities_of(int(id))
    return {"identities.email": [{name: one[name] for name in ("id", "value", "primary")} for one in rows]}


def with_two(desk: Desk) -> str:
    return person(desk, identities=[{"type": "email", "value": "old@example.com"}])


CHANGES: list[tuple[dict[str, Any], list[str]]] = [
    ({"email": "ann@new.example"}, ["ann@example.com", "old@example.com", "ann@new.example"]),
    ({"email": "Old@example.com"}, ["ann@example.com", "old@example.com"]),
    (
        {"email": "old@example.com", "identities.email": Elements(remove=({"value": "ann@example.com"},))},
        ["old@example.com"],
    ),
    (
        {"identities.email": Elements(({"value": "new@example.com"},), ({"value": "old@example.com"},))},
        ["ann@example.com", "new@example.com"],
    ),
    ({"identities.email": [{"value": "ann@example.com"}]}, ["ann@example.com"]),
]


@pytest.mark.parametrize(("values", "left"), CHANGES)
def test_addresses_whose_ids_were_read_are_changed_without_asking_for_them(
    hub: Hub, desk: Desk, values: dict[str, Any], left: list[str]
) -> None:
    ann = with_two(desk)

    (done,) = hub.write(replace(update(ann, values), known=read(desk, ann)))

    assert isinstance(done, Done)
    assert desk.vendor.user(ann)["identities.email"] == left
    assert desk.vendor.ledger.calls("identities.list") == 0


@pytest.mark.parametrize(("values", "left"), CHANGES)
def test_ids_that_are_out_of_date_are_asked_for(
    hub: Hub, desk: Desk, values: dict[str, Any], left: list[str]
) -> None:
    ann = with_two(desk)
    known = read(desk, ann)
    for one in known["identities.email"]:
        one["id"] += 1000

    (done,) = hub.write(replace(update(ann, values), known=known))

    assert isinstance(done, Done)
    assert desk.vendor.user(ann)["identities.email"] == left


def test_the_mark_that_was_read_of_the_primary_address_is_not_believed(hub: Hub, desk: Desk) -> None:
    ann = with_two(desk)
    known = read(desk, ann)
    desk.vendor.user_edit(ann, email="old@example.com")

    hub.write(replace(update(ann, {"email": "ann@example.com"}), known=known))

    assert desk.vendor.user(ann)["email"] == "ann@example.com"


def test_the_old_primary_address_can_be_taken_away_with_the_change(hub: Hub, desk: Desk) -> None:
    ann = person(desk)
    values = {
        "email": "ann@new.example",
        "identities.email": Elements(remove=({"value": "ann@example.com"},)),
    }

    hub.write(update(ann, values))

    assert desk.vendor.user(ann)["identities.email"] == ["ann@new.example"]


def test_the_primary_address_is_neither_emptied_nor_taken_away(hub: Hub, desk: Desk) -> None:
    ann = person(desk)

    (emptied,) = hub.write(update(ann, {"email": None}))
    (removed,) = hub.write(
        update(ann, {"identities.email": Elements(remove=({"value": "ann@example.com"},))})
    )

    assert isinstance(emptied, RefusedItem) and set(emptied.fields) == {"email"}
    assert isinstance(removed, RefusedItem) and set(removed.fields) == {"identities.email"}
    assert desk.vendor.user(ann)["identities.email"] == ["ann@example.com"]


# -- tags -------------------------------------------------------------------------------------------


def test_single_tags_leave_an_agents_tags_alone(hub: Hub, desk: Desk) -> None:
    ann = person(desk, tags=["vip", "old"])
    item = update(ann, {"tags": Elements(add=("no_marketing",), remove=("old",))})
    desk.vendor.user_tag(ann, "added_meanwhile")

    (done,) = hub.write(item)

    assert isinstance(done, Done)
    assert desk.vendor.user(ann)["tags"] == ["added_meanwhile", "no_marketing", "vip"]


def test_a_tag_with_a_blank_is_refused_before_anything_is_sent(hub: Hub, desk: Desk) -> None:
    ann = person(desk)

    (outcome,) = hub.write(update(ann, {"tags": Elements(add=("big customer",))}))

    assert isinstance(outcome, RefusedItem) and set(outcome.fields) == {"tags"}
    assert desk.vendor.ledger.calls() == 0


def test_items_with_single_tags_and_plain_items_share_a_batch(hub: Hub, desk: Desk) -> None:
    ann, bob, cem = (person(desk, name, f"{name}@example.com") for name in ("ann", "bob", "cem"))
    items = [
        update(ann, {"name": "A"}),
        update(bob, {"tags": Elements(add=("vip",))}),
        update(cem, {"name": "C"}),
    ]

    outcomes = hub.write(*items)

    assert [type(outcome) for outcome in outcomes] == [Pending, Done, Pending]
    assert [type(outcome) for outcome in finished(hub, [items[0], items[2]], outcomes)] == [Done, Done]
    assert desk.vendor.user(bob)["tags"] == ["vip"]


# -- switching off, deleting, merging ---------------------------------------------------------------


def test_switching_off_writes_what_the_connection_names(hub: Hub, desk: Desk) -> None:
    ann = person(desk)

    (done,) = hub.write(WriteItem("k", WriteKind.DEACTIVATE, ann, {"suspended": True}))
    (nothing,) = hub.write(WriteItem("k", WriteKind.DEACTIVATE, ann, {}))

    assert isinstance(done, Done) and desk.vendor.user(ann)["suspended"] is True
    assert isinstance(nothing, RefusedItem)


def test_one_user_is_deleted_by_a_call_and_several_by_a_job(hub: Hub, desk: Desk) -> None:
    ids = [person(desk, f"P{n}", f"p{n}@example.com") for n in range(3)]
    items = [WriteItem(id, WriteKind.DELETE, id, {}) for id in ids]

    (first,) = hub.write(items[0])
    rest = finished(hub, items[1:], hub.write(*items[1:]))

    assert [first, *rest] == [Done(id) for id in ids]
    assert [desk.vendor.user(id)["active"] for id in ids] == [False, False, False]


def test_a_merge_answers_with_the_user_who_stays(hub: Hub, desk: Desk) -> None:
    loser, winner = person(desk), person(desk, "Ann Lee", "ann@new.example")

    (done,) = hub.write(WriteItem("k", WriteKind.MERGE, loser, {}, merge_into=winner))

    assert isinstance(done, Done) and done.id == winner
    assert desk.vendor.user(winner)["identities.email"] == ["ann@new.example", "ann@example.com"]
    assert "cannot be undone" in hub.connector.objects()["users"].merge_undo


def test_a_merge_with_an_agent_is_refused_without_stopping_the_connection(hub: Hub, desk: Desk) -> None:
    ann, kim = person(desk), person(desk, "Kim", "kim@acme.example", role="agent")

    (outcome,) = hub.write(WriteItem("k", WriteKind.MERGE, ann, {}, merge_into=kim))

    assert isinstance(outcome, RefusedItem)


# -- organizations and tickets ----------------------------------------------------------------------


def test_organizations_are_created_by_key_and_changed_in_jobs(hub: Hub, desk: Desk) -> None:
    made = hub.write(
        create("a", {"name": "One", "domain_names": ["one.example"]}, upsert=("external_id", "co-1")),
        create("b", {"name": "Two"}, upsert=("name", "Two")),
        object="organizations",
    )
    ids = [outcome.id for outcome in made if isinstance(outcome, Done)]
    items = [update(ids[0], {"name": "Uno"}), update(ids[1], {"domain_names": None})]
    (job, _) = hub.write(*items, object="organizations")
    desk.wait(5)

    assert isinstance(job, Pending)
    assert list(hub.connector.poll("organizations", job.job, items)) == [Done(ids[0]), Done(ids[1])]
    assert desk.vendor.organization(ids[0])["name"] == "Uno"


def test_a_taken_organization_name_names_its_holder(hub: Hub, desk: Desk) -> None:
    acme = desk.vendor.user_create_organization("Acme")

    (outcome,) = hub.write(create("k", {"name": "ACME"}, upsert=("name", "ACME")), object="organizations")

    assert isinstance(outcome, RefusedItem) and outcome.existing_id == acme


def test_single_tags_of_an_organization_are_added_too(hub: Hub, desk: Desk) -> None:
    acme = desk.vendor.user_create_organization("Acme", tags=["vip"])

    hub.write(update(acme, {"tags": Elements(add=("gold",), remove=("vip",))}), object="organizations")

    assert desk.vendor.organization(acme)["tags"] == ["gold"]


def test_tickets_take_no_writes(hub: Hub) -> None:
    (outcome,) = hub.write(update("1", {"subject": "x"}), object="tickets")

    assert isinstance(outcome, RefusedItem)


def test_only_single_tags_are_beyond_the_vendors_description(hub: Hub, desk: Desk) -> None:
    ann = person(desk)
    hub.write(update(ann, {"tags": Elements(add=("a",)), "email": "ann@new.example", "name": "Anna"}))
    hub.connector.read("users", [ann], FIELDS)
    hub.connector.fields("users")

    assert hub.unknown == {f"PUT /api/v2/users/{ann}/tags"}
