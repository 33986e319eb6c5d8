"""What a reading changes on a link, path by path, with a prediction of ours still open and without."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.sync.small_hub import rules
from trueup.mapping.apply import compile_mapping
from trueup.mapping.schema import FieldRule
from trueup.model.canonical import Locale
from trueup.model.entity import NEVER, WAS_ABSENT, Agreed, Entity, Link, LinkState, Quarantine, Source
from trueup.model.fields import CONTACT, Kind
from trueup.model.plan import Context
from trueup.model.record import Json, Record
from trueup.model.values import ABSENT
from trueup.sync.rules.aside import as_never_there
from trueup.sync.rules.backfill import pulled, pushed
from trueup.sync.rules.evidence import Claim, Reading, claims, differing, readings
from trueup.sync.rules.formats import HIDDEN, TOUCHED
from trueup.sync.rules.observe import look_at, looked, observe, shows_before

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SEEN = NOW - timedelta(hours=2)
UNTIL = NOW + timedelta(seconds=30)


def link(observed: dict[str, Json] | None = None, **more: Any) -> Link:
    given = {"fresh": False, "version": "1", "changed_at": SEEN, "seen_at": SEEN} | more
    return Link(1, "a", "people", "1", 1, Kind.CONTACT, observed=observed or {}, **given)


def record(version: str | None = "1", changed_at: datetime | None = None, **values: Json) -> Record:
    return Record("1", values, version, changed_at)


# -- without a prediction --------------------------------------------------------------------------


def test_a_reading_of_what_is_known_changes_nothing_at_all() -> None:
    known = link({"title": "CTO", "dep": "IT"})
    assert observe(known, record(title="CTO"), NOW) is known
    assert observe(known, record(), NOW) is known


def test_what_moved_remembers_what_it_held_when_both_sides_agreed_and_forgets_it_when_it_moves_back() -> None:
    moved = observe(link({"title": "CTO", "dep": "IT"}), record("2", NOW, title="Boss"), NOW)
    assert (moved.observed, moved.base) == ({"title": "Boss", "dep": "IT"}, {"title": "CTO"})
    assert (moved.version, moved.changed_at, moved.seen_at) == ("2", NOW, NOW)
    again = observe(moved, record("3", title="Chief"), NOW)
    assert (again.observed["title"], again.base) == ("Chief", {"title": "CTO"})
    assert again.changed_at == NOW
    back = observe(again, record("4", title="CTO"), NOW)
    assert (back.observed, back.base) == ({"title": "CTO", "dep": "IT"}, {})


def test_a_path_that_was_never_said_moves_from_absence() -> None:
    seen = observe(link(), record(title=None), NOW)
    assert (seen.observed, seen.base) == ({"title": None}, {"title": WAS_ABSENT})
    assert observe(seen, record(title="CTO"), NOW).base == {"title": WAS_ABSENT}


def test_a_new_version_and_a_return_from_the_dead_are_news_though_no_value_moved() -> None:
    known = link({"title": "CTO"})
    assert observe(known, record("2", title="CTO"), NOW).version == "2"
    dead = replace(known, state=LinkState.TOMBSTONE)
    alive = observe(dead, record(title="CTO"), NOW)
    assert (alive.state, alive.seen_at, alive.changed_at) == (LinkState.LIVE, NOW, SEEN)


# -- with a prediction -----------------------------------------------------------------------------


def predicted(**more: Json) -> dict[str, Json]:
    return {"was": "old", "until": UNTIL.isoformat(), "at": SEEN.isoformat(), **more}


def written(**more: Json) -> Link:
    """We wrote `new` over `old`; a list may show `old` until UNTIL."""
    return link({"title": "new"}, assumed={"title": predicted(**more)})


def test_a_list_may_show_for_a_while_what_stood_there_before() -> None:
    hidden = observe(written(), record(title="old", dep="IT"), NOW)
    assert hidden.assumed == {"title": predicted(**{HIDDEN: True})}
    assert (hidden.observed, hidden.base) == ({"title": "new", "dep": "IT"}, {"dep": WAS_ABSENT})
    assert look_at(hidden.assumed) == UNTIL
    assert look_at(written().assumed) is None
    assert looked(hidden.assumed, NOW) == hidden.assumed
    assert looked(hidden.assumed, UNTIL) == {"title": predicted()}


def test_of_several_that_are_hidden_the_first_to_show_says_when_to_look() -> None:
    later = {"was": "x", "until": (UNTIL + timedelta(1)).isoformat(), HIDDEN: True}
    assert look_at({"dep": later, "title": predicted(**{HIDDEN: True}), "tags": predicted()}) == UNTIL


def test_what_still_stands_there_when_the_time_is_over_or_the_record_itself_is_asked_is_to_be_judged() -> (
    None
):
    late = observe(written(), record(title="old"), UNTIL)
    asked = observe(written(), record(title="old"), NOW, told_at=NOW)
    for seen in (late, asked):
        assert seen.assumed == {"title": predicted(**{TOUCHED: None})}
        assert (seen.observed, seen.base) == ({"title": "old"}, {"title": "new"})


def test_what_we_wrote_is_seen_and_not_hidden_also_where_it_stood_there_before() -> None:
    seen = observe(link({"title": "old"}, assumed={"title": predicted()}), record(title="old"), NOW)
    assert seen.assumed == {}
    assert not shows_before(link({"title": "old"}, assumed={"title": predicted()}), record(title="old"), NOW)


def test_what_is_hidden_is_so_no_more_once_something_else_is_seen() -> None:
    seen = observe(written(**{HIDDEN: True}), record(title="other"), NOW)
    assert seen.assumed == {"title": predicted(**{TOUCHED: None})}


def test_a_value_that_is_found_otherwise_tells_whether_the_record_was_changed_since() -> None:
    for changed, edited in ((NOW, True), (SEEN, False), (NOW + timedelta(1), None), (None, None)):
        seen = observe(written(), record("2", changed, title="other"), NOW)
        assert seen.assumed == {"title": predicted(**{TOUCHED: edited})}


def test_a_prediction_that_is_seen_is_confirmed() -> None:
    seen = observe(written(), record(title="new"), NOW)
    assert (seen.observed, seen.base, seen.assumed) == ({"title": "new"}, {}, {})


def test_what_is_to_be_judged_stays_so_until_it_moves_once_more() -> None:
    found = observe(written(), record(title="other"), NOW)
    assert observe(found, record(title="other"), NOW).assumed == found.assumed
    assert observe(found, record(title="third"), NOW).assumed == {}
    assert observe(found, record(dep="IT"), NOW).assumed == found.assumed


def test_what_could_not_be_understood_is_no_move_after_which_it_was_edited() -> None:
    odd = observe(written(), record("2", NOW, title={"value": "new"}), NOW)
    assert odd.assumed == {"title": predicted(**{TOUCHED: True})}
    assert observe(odd, record("2", NOW, title={"value": "new"}), NOW).assumed == odd.assumed
    form = observe(odd, record("3", SEEN, title="ne"), NOW)
    assert form.assumed == {"title": predicted(**{TOUCHED: False})}
    assert observe(odd, record("3", NOW, title="new"), NOW).base == {}


def test_an_older_view_in_a_list_is_known_for_what_it_is() -> None:
    assert shows_before(written(), record(title="old"), NOW)
    assert not shows_before(written(), record(title="old"), UNTIL)
    assert not shows_before(written(), record(title="new"), NOW)
    assert not shows_before(written(), record(title="other"), NOW)
    assert not shows_before(written(), record(dep="IT"), NOW)
    assert not shows_before(written(**{HIDDEN: True}), record(title="old"), NOW)
    assert not shows_before(written(**{TOUCHED: True}), record(title="old"), NOW)


# -- what follows from it: the readings and their claims -------------------------------------------

MAPPING = compile_mapping("a", rules(fields=("job_title", "tags", "department")), CONTACT, Locale())


def seen(known: Link, **values: Any) -> dict[str, Reading]:
    """The readings of a record, by field, where the hub holds these values."""
    entity = Entity(1, Kind.CONTACT, 1, values, {})
    return {one.binding.key: one for one in readings(known, MAPPING, entity, Context())}


def claimed(known: Link, **values: Any) -> list[Claim]:
    return [claim for one in seen(known, **values).values() for claim in claims(one, CONTACT)]


def test_of_a_new_record_all_that_is_not_empty_is_a_first_sight() -> None:
    new = link({"job_title": "CTO", "tags": [], "department": None}, fresh=True, seen_at=NOW)
    assert claimed(new) == [Claim("job_title", "CTO", "a", "a/people/1", first=True, at=SEEN)]
    tagged = link({"tags": ["x", "y"]}, fresh=True)
    (first,) = claimed(tagged, tags=["y", "z"])
    assert (first.first, first.added, first.removed) == (True, {"x", "y"}, frozenset())


def test_what_moved_since_is_an_edit_at_the_time_of_the_record_or_of_the_reading_if_that_was_earlier() -> (
    None
):
    for changed, read, at in ((SEEN, NOW, SEEN), (NOW, SEEN, SEEN), (NOW, None, NOW), (None, NOW, None)):
        moved = link({"job_title": "Boss"}, base={"job_title": "CTO"}, changed_at=changed, seen_at=read)
        assert claimed(moved, job_title="CTO") == [Claim("job_title", "Boss", "a", "a/people/1", at=at)]


def test_a_secondary_record_ranks_below_its_primary() -> None:
    moved = link({"job_title": "Boss"}, base={"job_title": "CTO"}, primary=False)
    assert [one.rank_below for one in claimed(moved, job_title="CTO")] == [1]


def test_an_edit_of_a_set_claims_what_it_added_and_removed() -> None:
    (edit,) = claimed(link({"tags": ["x", "z"]}, base={"tags": ["x", "y"]}), tags=["x", "y"])
    assert (edit.value, edit.added, edit.removed) == (["x", "z"], {"z"}, {"y"})


def test_what_did_not_move_and_what_was_not_said_claims_nothing() -> None:
    assert claimed(link({"job_title": "CTO"}), job_title="Boss") == []
    assert claimed(link({"job_title": " CTO "}, base={"job_title": "CTO"}), job_title="CTO") == []
    assert seen(link())["job_title"].has is ABSENT
    assert claimed(link(base={"job_title": "CTO"})) == []


def test_what_was_emptied_is_an_edit_unless_the_rule_says_that_it_is_none() -> None:
    emptied = link({"job_title": None}, base={"job_title": "CTO"})
    assert [(one.field, one.value) for one in claimed(emptied, job_title="CTO")] == [("job_title", None)]


def test_what_both_sides_agreed_on_is_what_is_kept_else_what_they_held() -> None:
    plain = seen(link({"job_title": "CTO"}), job_title="Boss")["job_title"]
    assert (plain.agreed, plain.moved, plain.was) == (Agreed("Boss", "CTO"), False, {"job_title": "CTO"})
    kept = Agreed(NEVER, "CTO")
    known = seen(link({"job_title": "New"}, agreed={"job_title": kept}), job_title="Boss")["job_title"]
    assert (known.agreed, known.was, known.has) == (kept, {"job_title": "CTO"}, {"job_title": "New"})
    assert known.moved
    missed = seen(link({"job_title": "CTO"}, missed={"job_title": "Old"}), job_title="Boss")["job_title"]
    assert missed.agreed == Agreed("Old", "CTO")
    never_shown = link({"job_title": None}, base={"job_title": WAS_ABSENT}, missed={"job_title": "Old"})
    assert seen(never_shown, job_title="Boss")["job_title"].before == "Old"


def test_of_a_field_that_carries_several_of_the_hubs_all_are_agreed() -> None:
    said = rules(fields=(FieldRule("full_name", "name"),))
    mapping = compile_mapping("a", said, CONTACT, Locale())
    held = Entity(1, Kind.CONTACT, 1, {"first_name": "Ann", "last_name": "Lee"}, {})
    (one,) = readings(link({"name": "Ann Lee"}), mapping, held, Context())
    assert one.agreed == Agreed([None, "Ann", None, "Lee", None], "Ann Lee")


def test_nothing_is_agreed_on_what_is_said_for_the_first_time() -> None:
    first = seen(link({"job_title": "CTO"}, base={"job_title": WAS_ABSENT}), job_title="Boss")["job_title"]
    assert (first.agreed, first.was, first.before, first.moved) == (None, None, "Boss", False)
    assert first.mapped_since
    unseen = Agreed("Boss", WAS_ABSENT)
    again = seen(link({"job_title": "CTO"}, agreed={"job_title": unseen}), job_title="Boss")["job_title"]
    assert again.agreed is None
    assert not again.mapped_since
    silent = seen(link(agreed={"job_title": unseen}), job_title="Boss")["job_title"]
    assert (silent.agreed, silent.was) == (unseen, {})
    assert seen(link({"job_title": "CTO"}, fresh=True), job_title="Boss")["job_title"].agreed is None


def test_a_back_fill_writes_whatever_differs_and_forgets_that_it_was_refused() -> None:
    refused = {key: Quarantine("out", "no", "x", "y", NOW) for key in ("job_title", "tags")}
    known = link({"job_title": "Old", "tags": []}, quarantine=refused)
    one = seen(known, job_title="CTO")
    pushed_title = pushed(one["job_title"], {"job_title": "CTO"})
    assert pushed_title.agreed == Agreed(NEVER, "Old")
    assert list(pushed_title.link.quarantine) == ["tags"]
    assert pushed(one["job_title"], {}) is one["job_title"]
    assert pushed(one["tags"], {"tags": []}) is one["tags"]
    new = seen(link({"job_title": "Old"}, fresh=True))["job_title"]
    assert pushed(new, {"job_title": "CTO"}).agreed is None


def test_a_value_that_was_set_aside_never_came_there() -> None:
    aside = Quarantine("out", "no", "x", "y", NOW)
    known = link({"job_title": "Old", "tags": []}, quarantine={"job_title": aside})
    one = seen(known, job_title="CTO")
    assert as_never_there(one["job_title"], "CTO").agreed == Agreed(NEVER, "Old")
    new = seen(link({"job_title": "Old"}, fresh=True, quarantine={"job_title": aside}))["job_title"]
    assert as_never_there(new, "CTO").agreed == Agreed(NEVER, "Old")
    silent = seen(link(fresh=True, quarantine={"job_title": aside}))["job_title"]
    assert as_never_there(silent, "CTO").agreed == Agreed(NEVER, WAS_ABSENT)
    inward = seen(link({"job_title": "Old"}, quarantine={"job_title": replace(aside, direction="in")}))
    moved = seen(link({"job_title": "New"}, base={"job_title": "Old"}, quarantine={"job_title": aside}))
    for reading, hub in (
        (one["job_title"], None),
        (one["job_title"], [None]),
        (one["tags"], ["x"]),
        (inward["job_title"], "CTO"),
        (moved["job_title"], "CTO"),
    ):
        assert as_never_there(reading, hub) is reading


def test_a_back_fill_reads_as_a_first_sight_or_as_a_correction_of_its_own_value() -> None:
    reading = seen(link({"job_title": "Old"}), job_title="CTO")["job_title"]
    (first,) = pulled(reading, CONTACT, {})
    assert (first.first, first.value) == (True, "Old")
    own = {"job_title": Source("a", "edit", NOW, "a/people/1")}
    (edit,) = pulled(reading, CONTACT, own)
    assert edit == replace(first, first=False)
    (other,) = pulled(reading, CONTACT, {"job_title": Source("b", "edit", NOW)})
    assert other.first
    moved = seen(link({"job_title": "New"}, base={"job_title": "Old"}), job_title="CTO")["job_title"]
    assert [(one.first, one.value) for one in pulled(moved, CONTACT, {})] == [(False, "New")]


def test_where_a_record_says_otherwise_than_the_hub() -> None:
    entity = Entity(1, Kind.CONTACT, 1, {"job_title": "CTO", "tags": ["x", "y"]}, {})

    def differs(**observed: Json) -> list[str]:
        return list(differing(link(observed), MAPPING, entity))

    assert differs(job_title="CTO", tags=["x"]) == []
    assert differs(job_title="Boss", tags=["x", "z"], department=None) == ["job_title", "tags"]
    assert differs(job_title=None, department="IT") == ["job_title", "department"]
    assert differs() == []
    unreadable = compile_mapping("a", rules(fields=(FieldRule("birthday", "born"),)), CONTACT, Locale())
    assert list(differing(link({"born": "no day"}), unreadable, entity)) == []
    assert list(differing(link({"born": "1990-01-02"}), unreadable, entity)) == ["born"]
