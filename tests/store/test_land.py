"""Landing: what was read is observed, counted, and makes due whom it concerns."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.store.hub import Hub, at, page, plan, record
from trueup.model.entity import WAS_ABSENT, LinkState
from trueup.model.fields import Kind
from trueup.model.landing import Landed
from trueup.model.record import Record
from trueup.store.open import open_store


def test_an_unknown_record_becomes_a_stranger_with_what_was_said(hub: Hub) -> None:
    assert hub.land("sales", record("7", 1, email="a@x.example", age=None)) == Landed(read=1, new=1)
    (link,) = hub.store.strangers([Kind.CONTACT], 0, 10)
    assert (link.connection, link.object, link.remote_id, link.entity_id) == ("sales", "contacts", "7", None)
    assert link.observed == {"email": "a@x.example", "age": None}
    assert (link.version, link.changed_at, link.fresh, link.state) == ("1", at(1), True, LinkState.LIVE)
    assert hub.due() == []


def test_reading_the_same_again_changes_nothing(hub: Hub) -> None:
    hub.settled("sales", "7", email="a@x.example")
    before = hub.link("sales", "7")
    assert hub.land("sales", record("7", 0, email="a@x.example"), now=60) == Landed(read=1, same=1)
    assert hub.link("sales", "7") == before
    assert hub.due() == []


def test_the_same_content_in_another_order_is_the_same(hub: Hub) -> None:
    hub.settled("sales", "7", a=1, b=2)
    assert hub.land("sales", record("7", 0, b=2, a=1)).same == 1


def test_a_new_version_of_the_same_content_moves_the_version_and_nobody(hub: Hub) -> None:
    hub.settled("sales", "7", a=1)
    rev = hub.link("sales", "7").rev
    assert hub.land("sales", record("7", 5, a=1)).same == 1
    link = hub.link("sales", "7")
    assert (link.version, link.changed_at, link.rev) == ("5", at(5), rev)
    assert hub.due() == []


def test_a_changed_record_makes_its_entity_due_and_remembers_what_was_agreed(hub: Hub) -> None:
    case = hub.settled("sales", "7", a=1, b=2)
    assert hub.land("sales", record("7", 5, a=9, b=2, c=3)) == Landed(read=1, changed=1)
    link = hub.link("sales", "7")
    assert link.observed == {"a": 9, "b": 2, "c": 3}
    assert link.base == {"a": 1, "c": WAS_ABSENT}
    assert link.rev == case.links[0].rev + 1
    assert hub.due() == [case.entity.id]
    assert hub.case(case.entity.id).reasons == ("read",)


def test_a_partial_record_that_says_nothing_new_is_the_same(hub: Hub) -> None:
    hub.settled("sales", "7", a=1, b=2)
    assert hub.land("sales", record("7", 0, b=2)).same == 1
    assert hub.link("sales", "7").observed == {"a": 1, "b": 2}
    assert hub.land("sales", record("7", 0, b=2)).same == 1
    assert hub.land("sales", record("7", 3, a=5, b=2)).changed == 1


def test_a_value_that_moved_back_is_forgotten(hub: Hub) -> None:
    hub.settled("sales", "7", a=1)
    hub.land("sales", record("7", 1, a=2))
    assert hub.land("sales", record("7", 2, a=1)).changed == 1
    assert hub.link("sales", "7").base == {}


def test_an_older_version_is_no_evidence(hub: Hub) -> None:
    hub.settled("sales", "7", a=1)
    hub.land("sales", record("7", 9, a=2))
    assert hub.land("sales", record("7", 4, a=3)) == Landed(read=1, older=1)
    assert hub.link("sales", "7").observed == {"a": 2}


def ahead(days: float, **values: object) -> Record:
    """As a system says it whose clock is so many days ahead."""
    return Record("7", values, f"{days}", at(days * 86_400))


def test_an_older_version_is_none_either_where_the_clock_is_always_far_ahead(hub: Hub) -> None:
    hub.settled("sales", "7", a=1)
    assert hub.land("sales", ahead(3.2, a=2), now=60).changed == 1
    assert hub.land("sales", ahead(3.1, a=3), now=61).older == 1
    assert hub.link("sales", "7").observed == {"a": 2}
    assert hub.land("sales", ahead(3.3, a=4), now=62).changed == 1


def test_one_absurd_stamp_makes_no_later_edit_an_older_one(hub: Hub) -> None:
    hub.settled("sales", "7", a=1)
    assert hub.land("sales", ahead(26_000, a=2), now=60).changed == 1
    assert hub.land("sales", ahead(0.1, a=3), now=9_000).changed == 1
    assert hub.land("sales", ahead(0.05, a=4), now=9_001).older == 1


def test_two_stamps_that_are_years_ahead_are_in_no_order(hub: Hub) -> None:
    hub.settled("sales", "7", a=1)
    assert hub.land("sales", ahead(26_000, a=2), now=60).changed == 1
    assert hub.land("sales", ahead(4_000, a=3), now=61).changed == 1


def test_an_older_deletion_is_no_evidence(hub: Hub) -> None:
    hub.settled("sales", "7", a=1)
    hub.land("sales", record("7", 9, a=2))
    assert hub.land("sales", Record("7", {}, changed_at=at(4), deleted=True)).older == 1
    assert hub.link("sales", "7").state is LinkState.LIVE


def test_of_one_id_twice_in_a_page_the_last_counts(hub: Hub) -> None:
    landed = hub.land("sales", record("7", 1, a=1), record("7", 2, a=2), record("8", 1, a=1))
    assert landed == Landed(read=3, new=2, same=1)
    assert hub.link("sales", "7").observed == {"a": 2}


def test_ids_compare_exactly(hub: Hub) -> None:
    hub.land("sales", record("aB", 1, a=1))
    assert hub.land("sales", record("Ab", 1, a=1), record("aB ", 1, a=1)).new == 2


def test_one_id_in_two_objects_is_two_records(hub: Hub) -> None:
    hub.land("sales", record("7", 1, a=1))
    assert hub.land("shop", record("7", 1, a=1)).new == 1


@pytest.mark.parametrize(
    "value", ["\ud800 half a pair", 2**70, "nul \x00", "\u202e", {"b": [1, {"a": None}]}]
)
def test_whatever_json_can_say_is_kept_as_it_is(hub: Hub, value: object) -> None:
    hub.land("sales", record("7", 1, a=value))
    assert hub.link("sales", "7").observed == {"a": value}
    assert hub.land("sales", record("7", 1, a=value)).same == 1


# -- deletion and absence ------------------------------------------------------------------------------


def test_a_deleted_record_becomes_a_tombstone_and_its_entity_due(hub: Hub) -> None:
    case = hub.settled("sales", "7", a=1)
    landed = hub.land("sales", Record("7", {}, changed_at=at(5), deleted=True))
    assert landed == Landed(read=1, deleted=1, buried=1)
    assert hub.link("sales", "7").state is LinkState.TOMBSTONE
    assert hub.link("sales", "7").observed == {"a": 1}
    assert hub.case(case.entity.id).reasons == ("deleted",)


def test_the_deletion_of_an_unknown_record_leaves_nothing(hub: Hub) -> None:
    landed = hub.land("sales", Record("7", {}, deleted=True))
    assert (landed.deleted, landed.buried) == (1, 0)
    assert hub.store.known("sales", "contacts", ["7"]) == {}


def test_a_late_copy_of_a_deleted_record_does_not_bring_it_back(hub: Hub) -> None:
    hub.settled("sales", "7", a=1)
    hub.land("sales", Record("7", {}, changed_at=at(5), deleted=True), now=6)
    assert hub.land("sales", record("7", 3, a=2), now=7).older == 1
    assert hub.link("sales", "7").state is LinkState.TOMBSTONE


def test_a_record_newer_than_its_tombstone_lives_again(hub: Hub) -> None:
    case = hub.settled("sales", "7", a=1)
    hub.land("sales", Record("7", {}, changed_at=at(5), deleted=True), now=6)
    hub.commit(plan(hub.case(case.entity.id)))
    assert hub.land("sales", record("7", 9, a=1), now=10).changed == 1
    assert hub.link("sales", "7").state is LinkState.LIVE
    assert hub.case(case.entity.id).reasons == ("restored",)


def test_a_record_that_only_was_not_found_by_its_id_lives_again_with_the_next_reading_that_shows_it(
    hub: Hub,
) -> None:
    case = hub.settled("sales", "7", a=1)
    hub.land("sales", Record("7", {}, deleted=True), now=6, asked=("7",))
    assert hub.link("sales", "7").state is LinkState.TOMBSTONE
    hub.commit(plan(hub.case(case.entity.id)))
    assert hub.land("sales", record("7", 3, a=1), now=10).changed == 1
    assert hub.link("sales", "7").state is LinkState.LIVE
    assert hub.case(case.entity.id).reasons == ("restored",)


def test_a_record_that_says_itself_when_it_was_deleted_stays_so_when_it_was_asked_for(hub: Hub) -> None:
    hub.settled("sales", "7", a=1)
    hub.land("sales", Record("7", {}, changed_at=at(5), deleted=True), now=6, asked=("7",))
    assert hub.land("sales", record("7", 3, a=1), now=10).older == 1
    assert hub.link("sales", "7").state is LinkState.TOMBSTONE


def listed(hub: Hub, *records: Record, began: float = 10, **more: Any) -> Landed:
    """A listing of one page, whatever it lacks is believed."""
    number = hub.store.begin_listing("sales", "contacts", at(began))
    last = {"listing": number, "complete": True, "ended": True, "implausible": lambda missing, living: False}
    return hub.land("sales", *records, now=began + 1, **(last | more))


def test_absence_from_a_complete_listing_buries(hub: Hub) -> None:
    gone, stays = hub.settled("sales", "7", a=1), hub.settled("sales", "8", a=1)
    assert listed(hub, record("8", 0, a=1)).vanished == 1
    assert hub.link("sales", "7").state is LinkState.TOMBSTONE
    assert hub.link("sales", "8").state is LinkState.LIVE
    assert hub.due(12) == [gone.entity.id]
    assert stays.entity.id not in hub.due(12)


def test_a_listing_that_lacks_more_than_may_be_believed_buries_nobody(hub: Hub) -> None:
    for id in ("7", "8", "9"):
        hub.settled("sales", id, a=1)
    told: list[tuple[int, int]] = []
    landed = listed(hub, record("8", 0, a=1), implausible=lambda *both: told.append(both) is None)
    assert (landed.vanished, landed.doubted, landed.living, told) == (0, 2, 3, [(2, 3)])
    assert hub.link("sales", "7").state is LinkState.LIVE


@pytest.mark.parametrize("page", [{"complete": False}, {"implausible": None}])
def test_absence_from_anything_but_a_complete_listing_says_nothing(page: dict[str, Any], hub: Hub) -> None:
    hub.settled("sales", "7", a=1)
    assert listed(hub, record("8", 0, a=1), **page).vanished == 0
    assert hub.link("sales", "7").state is LinkState.LIVE


def test_the_last_page_of_a_listing_that_was_given_up_buries_nobody(hub: Hub) -> None:
    hub.settled("sales", "7", a=1)
    first = hub.store.begin_listing("sales", "contacts", at(9))
    hub.store.begin_listing("sales", "contacts", at(10))
    assert listed(hub, listing=first).vanished == 0


def test_a_record_made_while_the_listing_ran_is_not_missing(hub: Hub) -> None:
    number = hub.store.begin_listing("sales", "contacts", at(10))
    hub.land("sales", record("9", 11, a=1), now=11)
    last = {"listing": number, "complete": True, "implausible": lambda missing, living: False}
    assert hub.land("sales", now=12, **last).vanished == 0


def test_an_older_version_in_a_listing_is_still_present(hub: Hub) -> None:
    hub.settled("sales", "7", a=1)
    hub.land("sales", record("7", 9, a=2), now=9)
    assert listed(hub, record("7", 4, a=1)).vanished == 0


def test_a_record_that_a_listing_missed_lives_again_when_it_is_seen(hub: Hub) -> None:
    hub.settled("sales", "7", a=1)
    listed(hub)
    assert hub.land("sales", record("7", 0, a=1), now=20).changed == 1
    assert hub.link("sales", "7").state is LinkState.LIVE


def test_the_end_of_the_first_listing_makes_due_who_waits_to_be_created_there(hub: Hub) -> None:
    ann = hub.settled("shop", "1", a=1).entity.id
    assert hub.due() == []
    listed(hub, opens=(Kind.CONTACT,))
    assert hub.due() == [ann]
    assert hub.case(ann).reasons == ("listed",)
    hub.commit(plan(hub.case(ann)))
    listed(hub, began=20, opens=(Kind.CONTACT,))
    assert hub.due() == []


# -- positions -----------------------------------------------------------------------------------------


def test_the_cursor_moves_with_its_records(hub: Hub) -> None:
    hub.land("sales", record("7", 1), cursor={"page": 2}, now=3, ended=True)
    state = hub.store.stream("sales", "contacts")
    assert (state.cursor, state.read_at, state.listed_at) == ({"page": 2}, at(3), None)


def test_a_reading_that_goes_on_after_it_was_broken_off_has_read_what_stood_when_it_began(hub: Hub) -> None:
    hub.land("sales", cursor={"page": 2}, now=3, began=at(2))
    hub.land("sales", cursor={"page": 3}, now=8, began=at(7))
    state = hub.store.stream("sales", "contacts")
    assert (state.broken_off, state.read_since) == (at(2), None)
    hub.land("sales", cursor={"since": 9}, now=9, began=at(7), ended=True)
    state = hub.store.stream("sales", "contacts")
    assert (state.broken_off, state.read_since, state.read_at) == (None, at(2), at(9))


def test_a_reading_whose_last_page_names_no_place_has_come_to_its_end_too(hub: Hub) -> None:
    hub.land("sales", cursor={"page": 2}, now=3, began=at(2))
    hub.land("sales", now=9, began=at(7), ended=True)
    state = hub.store.stream("sales", "contacts")
    assert (state.broken_off, state.read_since, state.cursor) == (None, at(2), {"page": 2})


def test_a_complete_listing_takes_the_place_of_a_reading_that_was_broken_off(hub: Hub) -> None:
    hub.land("sales", cursor={"page": 2}, began=at(2))
    listed(hub, cursor={"since": 5})
    assert hub.store.stream("sales", "contacts").broken_off is None


def test_no_cursor_leaves_the_position_alone(hub: Hub) -> None:
    hub.land("sales", record("7", 1), cursor={"page": 2})
    hub.land("sales", record("7", 2))
    assert hub.store.stream("sales", "contacts").cursor == {"page": 2}


def test_a_listing_has_a_position_of_its_own_until_it_is_complete(hub: Hub) -> None:
    hub.land("sales", record("7", 1), cursor={"since": 1})
    number = hub.store.begin_listing("sales", "contacts", at(2))
    hub.land("sales", record("7", 1), listing=number, cursor={"page": 2}, fields=("b", "a"))
    state = hub.store.stream("sales", "contacts")
    assert (state.cursor, state.listing_cursor, state.listing) == ({"since": 1}, {"page": 2}, number)
    assert (state.listing_fields, state.fields) == (("a", "b"), ())
    last = {"listing": number, "complete": True, "cursor": {"since": 9}, "fields": ("b", "a")}
    hub.land("sales", record("8", 1), now=5, **last)
    state = hub.store.stream("sales", "contacts")
    assert (state.cursor, state.listing_cursor, state.listed_at) == ({"since": 9}, None, at(5))
    assert state.fields == ("a", "b")


def test_a_page_of_a_listing_that_was_given_up_counts_for_nothing_but_its_records(hub: Hub) -> None:
    first = hub.store.begin_listing("sales", "contacts", at(1))
    second = hub.store.begin_listing("sales", "contacts", at(2))
    assert second == first + 1
    hub.land("sales", record("7", 1), now=3, listing=first, complete=True, cursor={"page": 2})
    state = hub.store.stream("sales", "contacts")
    assert (state.listed_at, state.cursor, state.listing_cursor) == (None, None, None)
    assert hub.link("sales", "7").remote_id == "7"


def test_a_stream_nobody_has_read_is_at_its_beginning(hub: Hub) -> None:
    state = hub.store.stream("sales", "deals")
    assert (state.cursor, state.listing, state.listed_at, state.fields) == (None, 0, None, ())


def test_what_was_landed_survives_the_process(url: str) -> None:
    first = open_store(url)
    first.land(page("sales", record("7", 1, a="ü"), cursor={"n": 1}), None)
    first.close()
    second = open_store(url)
    assert second.known("sales", "contacts", ["7"])["7"].observed == {"a": "ü"}
    assert second.stream("sales", "contacts").cursor == {"n": 1}
    second.close()


# -- views that may be older than what the system itself told ------------------------------------------


def told(hub: Hub, at_second: float, stamp: float | None = 1, **values: Any) -> None:
    """Ann's record as the system told it when it was asked for by id."""
    hub.land("sales", record("1", stamp, **values), now=at_second, asked=("1",), told_at=at(at_second))


def late(hub: Hub, view: Record, shown: float) -> list[str]:
    return list(hub.store.late("sales", "contacts", [view], at(shown + 30), timedelta(seconds=30)))


def test_a_view_of_the_same_stamp_that_differs_from_what_was_told_since_may_be_older(hub: Hub) -> None:
    told(hub, 10, name="Ann")
    told(hub, 20, name="Anna")
    old = replace(record("1", 1, name="Ann"), version="v1")
    assert late(hub, old, shown=15) == ["1"]


def test_a_view_that_is_as_new_as_what_was_told_is_evidence(hub: Hub) -> None:
    told(hub, 10, name="Ann")
    assert late(hub, replace(record("1", 1, name="Anna"), version="v2"), shown=10) == []


def test_a_view_with_another_stamp_or_the_same_version_tells_by_itself_what_it_is(hub: Hub) -> None:
    told(hub, 10, name="Ann")
    assert late(hub, record("1", 2, name="Anna"), shown=5) == []
    assert late(hub, record("1", 1, name="Ann"), shown=5) == []


def test_a_stamp_of_a_wrong_clock_does_not_tell_which_of_two_views_is_older(hub: Hub) -> None:
    far, years = 30 * 86_400.0, 10 * 365 * 86_400.0
    told(hub, 10, name="Ann")
    assert late(hub, record("1", far, name="Anna"), shown=5) == ["1"]
    told(hub, 20, far, name="Ann")
    assert late(hub, record("1", 2, name="Anna"), shown=15) == ["1"]
    assert late(hub, record("1", far + 1, name="Anna"), shown=15) == []
    assert late(hub, record("1", years, name="Anna"), shown=15) == ["1"]
    told(hub, 30, years, name="Ann")
    assert late(hub, record("1", years + 1, name="Anna"), shown=25) == ["1"]


def test_without_stamps_and_versions_the_content_tells_whether_a_view_differs(hub: Hub) -> None:
    told(hub, 10, None, name="Ann")
    assert late(hub, record("1", name="Ann"), shown=5) == []
    assert late(hub, record("1", name="Anna"), shown=5) == ["1"]


def test_a_view_of_a_record_that_was_told_to_be_gone_may_be_older(hub: Hub) -> None:
    told(hub, 10, name="Ann")
    gone = replace(record("1"), deleted=True)
    hub.land("sales", gone, now=20, asked=("1",), told_at=at(20))
    assert late(hub, record("1", 30, name="Anna"), shown=15) == ["1"]


def test_a_record_that_bears_the_stamp_of_its_deletion_was_brought_back_if_it_is_there_when_asked_for(
    hub: Hub,
) -> None:
    hub.land("sales", record("1", 1, name="Ann"), now=5)
    hub.land("sales", replace(record("1", 60), deleted=True), now=70)
    shown = record("1", 60, name="Ann")
    assert list(hub.store.late("sales", "contacts", [shown], at(80), timedelta(0))) == ["1"]
    assert (
        list(hub.store.late("sales", "contacts", [record("1", 61, name="Ann")], at(80), timedelta(0))) == []
    )
    assert hub.land("sales", shown, now=80).older == 1
    assert hub.land("sales", shown, now=81, asked=("1",)).changed == 1
    assert hub.store.known("sales", "contacts", ["1"])["1"].state is LinkState.LIVE


def test_where_nobody_stamped_a_deletion_our_clock_does_not_tell_whether_it_was_before_a_view(
    hub: Hub,
) -> None:
    hub.land("sales", record("1", 1, name="Ann"), now=5)
    hub.land("sales", replace(record("1"), deleted=True), now=100)
    shown = record("1", 60, name="Ann")
    assert list(hub.store.late("sales", "contacts", [shown], at(200), timedelta(0))) == ["1"]
    assert hub.land("sales", shown, now=200, asked=("1",)).changed == 1


def test_what_only_lists_told_makes_no_view_late(hub: Hub) -> None:
    hub.land("sales", record("1", 1, name="Ann"), now=10)
    assert late(hub, replace(record("1", 1, name="Anna"), version="v2"), shown=5) == []


def test_what_another_configuration_read_outside_of_a_run_guards_no_write(hub: Hub) -> None:
    """It may have left out fields: a version guards only what was read with it."""
    hub.settled("sales", "7", a=1, b=1)
    hub.store.land(page("sales", record("7", 2, a=2), config_version="v1"), None)
    assert hub.link("sales", "7").version == "2"
    hub.store.land(page("sales", record("7", 3, a=3), config_version="v2"), None)
    assert (hub.link("sales", "7").version, hub.link("sales", "7").observed["a"]) == (None, 3)
