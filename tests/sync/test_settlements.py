"""How an attempt ends, whole: what becomes of the write, of its record, and of what both sides agree on."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.sync.small_hub import rules
from trueup.mapping.apply import compile_mapping
from trueup.mapping.schema import ConsentRule, FieldRule
from trueup.model.canonical import Locale
from trueup.model.delivery import Delivery, DeliveryState, Lane, OpenDelivery, Settlement, Write, WriteKind
from trueup.model.entity import NEVER, WAS_ABSENT, Agreed, Entity, Link, LinkState, Quarantine
from trueup.model.fields import CONTACT, Kind
from trueup.model.formats import Format
from trueup.model.plan import Case, Context
from trueup.model.record import Json, Record
from trueup.model.values import Rejected, Value
from trueup.sync.rules import acknowledge as told
from trueup.sync.rules import written_over
from trueup.sync.rules.aside import refusal_ended, set_aside, still_refused
from trueup.sync.rules.backoff import GIVE_UP_AFTER, next_try
from trueup.sync.rules.evidence import readings
from trueup.sync.rules.formats import AGAIN, FEW, HIDDEN, is_form, is_surely_form, left_out
from trueup.sync.rules.made import agreed, recognised
from trueup.sync.rules.policy import Policy

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
THEN = NOW - timedelta(hours=1)
FLAG = ConsentRule("email", "marketing", "optout")
FIELDS = ("email", FieldRule("job_title", "title"), FieldRule("department", "dep"), "tags")
MAPPING = compile_mapping("a", rules(fields=FIELDS, consent=(FLAG,)), CONTACT, Locale())


def delivery(
    values: dict[str, Json] | None = None,
    kind: WriteKind = WriteKind.UPDATE,
    write: dict[str, Any] | None = None,
    link: dict[str, Any] | None = None,
    **more: Any,
) -> Delivery:
    """A write of `title` over `Clerk`, that was sent an hour ago."""
    values = {"title": "CTO"} if values is None else values
    said = {"wants": dict(values), "replaced": dict.fromkeys(values, "Clerk")} | (write or {})
    known = {"observed": dict.fromkeys(values, "Clerk"), "fresh": False, "seen_at": THEN - timedelta(1)} | (
        link or {}
    )
    known.setdefault("remote_id", "9")
    id = known.pop("remote_id")
    made = Link(7, "a", "people", id, 1, Kind.CONTACT, **known)
    given = {"state": DeliveryState.SENT, "sent_at": THEN, "attempts": 1} | more
    state, attempts = given.pop("state"), given.pop("attempts")
    intent = Write(7, "a", "people", kind, Lane.NORMAL, values, **said)
    return Delivery(3, intent, made, 1, 1, state, attempts, NOW, 1, "v1", NOW, **given)


def record(**values: Json) -> Record:
    return Record("9", values, "5", THEN)


def done(one: Delivery, answer: Record | None = None, lag: float = 0.0, **more: Any) -> Settlement:
    return told.done(one, "9", answer, lag, NOW, **more)


# -- done ------------------------------------------------------------------------------------------


def test_what_the_answer_shows_is_agreed_and_what_it_says_beside_is_news() -> None:
    settled = done(delivery(), record(title="C.T.O.", dep="IT"))
    assert settled == Settlement(
        3,
        DeliveryState.DONE,
        observed={"title": "C.T.O."},
        said={"dep": "IT"},
        agreed={"title": Agreed("CTO", "C.T.O.")},
        version="5",
        changed_at=THEN,
    )


def test_without_an_answer_what_we_sent_is_assumed_for_a_while() -> None:
    settled = done(delivery(), lag=30.0, stamp=THEN)
    until = (NOW + timedelta(seconds=31)).isoformat()
    assert settled == Settlement(
        3,
        DeliveryState.DONE,
        observed={"title": "CTO"},
        agreed={"title": Agreed("CTO", "CTO")},
        assumed={"title": {"was": "Clerk", "until": until, "at": NOW.isoformat()}},
        drops_version=True,
        changed_at=THEN,
    )
    at_once = done(delivery(), at=THEN).assumed["title"]
    assert (at_once["until"], at_once["at"]) == (NOW.isoformat(), THEN.isoformat())


def test_an_element_that_came_beside_ours_is_an_edit_though_it_was_read_before_ours_was_settled() -> None:
    one = delivery(
        {"labels": {"+": ["ours"], "-": []}},
        write={"wants": {"labels": ["ours"]}, "replaced": {"labels": []}},
        link={"observed": {"labels": ["theirs", "ours"]}, "agreed": {"labels": Agreed(None, [])}},
    )
    settled = done(one, record(labels=["theirs", "ours"]))
    assert settled.agreed == {"labels": Agreed(["ours"], ["ours"])}
    assert settled.said == {"labels": ["theirs", "ours"]}


def test_what_an_answer_leaves_out_is_assumed_only_where_a_system_shows_it_late() -> None:
    both = delivery({"title": "CTO", "dep": "IT"})
    assert done(both, record(title="CTO")).assumed == {}
    assert list(done(both, record(title="CTO"), lag=5.0).assumed) == ["dep"]
    assert done(both, record(title="CTO"), lag=5.0).told
    assert not done(both, record(title="CTO")).told
    shown = done(both, None, lag=5.0, shown={"dep": "I.T."})
    assert (shown.observed, list(shown.assumed), shown.told) == (
        {"title": "CTO", "dep": "I.T."},
        ["title"],
        True,
    )
    assert not done(both, None, lag=5.0).told


def test_an_answer_without_a_version_drops_the_one_that_is_known_and_another_id_is_taken() -> None:
    settled = done(delivery(link={"remote_id": None}), replace(record(title="CTO"), version=None))
    assert (settled.version, settled.drops_version, settled.remote_id) == (None, True, "9")


def test_switching_and_deleting_change_the_standing_of_the_record() -> None:
    for kind, active, due in (
        (WriteKind.DEACTIVATE, False, "switched"),
        (WriteKind.REACTIVATE, True, "switched"),
        (WriteKind.UPDATE, None, ""),
        (WriteKind.DELETE, None, ""),
    ):
        settled = done(delivery(kind=kind), record(title="CTO"))
        assert (settled.active, settled.due) == (active, due)
        assert settled.tombstone is (kind is WriteKind.DELETE)


def test_a_record_that_we_made_says_nothing_new_by_its_own_stamps_and_empty_fields() -> None:
    made = delivery(kind=WriteKind.CREATE, link={"remote_id": None, "observed": {}})
    answer = record(title="CTO", dep=None, tags=[], note="", made="today", owner="5")
    settled = done(made, answer, own_stamps=frozenset({"made"}))
    assert settled.observed == {"title": "CTO", "dep": None, "tags": [], "note": "", "made": "today"}
    assert settled.said == {"owner": "5"}
    assert done(delivery(), answer, own_stamps=frozenset({"made"})).observed == {"title": "CTO"}


def test_what_a_create_left_out_stays_set_aside_and_is_never_agreed() -> None:
    why, read = (Quarantine(way, "no", "TU-CON-010", "x", THEN) for way in ("out", "in"))
    made = delivery(
        kind=WriteKind.CREATE,
        write={"wants": {"title": "CTO", "boss": NEVER}},
        link={"remote_id": None, "quarantine": {"dep": why, "title": why, "email": read}},
    )
    settled = done(made, record(title="CTO", dep="?"))
    assert settled.quarantine == {"dep": why}
    assert settled.agreed == {
        "title": Agreed("CTO", "CTO"),
        "boss": Agreed(NEVER, WAS_ABSENT),
        "dep": Agreed(NEVER, WAS_ABSENT),
    }
    assert done(delivery(link={"quarantine": {"dep": why}}), record(title="CTO")).quarantine == {}


def test_what_was_wanted_and_not_sent_is_agreed_as_nothing() -> None:
    settled = done(delivery(write={"wants": {"title": "CTO", "dep": None}}), record(title="CTO"))
    assert settled.agreed["dep"] == Agreed(None, None)


def test_a_value_that_was_lost_once_is_marked_when_it_is_sent_once_more() -> None:
    def again(lost: Json) -> Json:
        known = {"agreed": {"title": Agreed("CTO", "Clerk", lost=lost)}}
        return done(delivery(link=known), lag=5.0).assumed["title"].get(AGAIN)

    assert (again("CTO"), again("Boss")) == (True, None)
    assert (
        AGAIN
        not in done(delivery(link={"agreed": {"title": Agreed("CTO", "Clerk")}}), lag=5.0).assumed["title"]
    )


def test_what_was_read_while_the_write_was_under_way_counts() -> None:
    still = delivery(link={"seen_at": THEN})
    assert done(still, lag=5.0).assumed["title"][HIDDEN] is True
    moved = delivery(link={"seen_at": NOW, "observed": {"title": "CTO"}})
    assert done(moved, lag=5.0).assumed == {}
    before = delivery(link={"seen_at": THEN - timedelta(seconds=1), "observed": {"title": "CTO"}})
    assert HIDDEN not in done(before, lag=5.0).assumed["title"]
    assert told.read_meanwhile(still)
    assert not told.read_meanwhile(before)
    assert not told.read_meanwhile(replace(still, sent_at=None))
    assert not told.read_meanwhile(delivery(link={"seen_at": None}))


# -- consent ---------------------------------------------------------------------------------------


def consent(**more: Any) -> Delivery:
    return delivery({"optout": True}, write={"wants": {"optout": "opted_out"}}, **more)


def test_a_consent_that_the_answer_does_not_show_waits_for_a_person() -> None:
    assert told.unkept(consent(), record(optout=False), MAPPING)
    assert not told.unkept(consent(), record(optout=True), MAPPING)
    assert not told.unkept(consent(), record(title="CTO"), MAPPING)
    assert not told.unkept(delivery(), record(title="Clerk"), MAPPING)
    settled = told.not_kept(consent(), record(optout=False))
    assert (settled.state, settled.code, settled.said) == (
        DeliveryState.PARKED,
        "TU-CON-060",
        {"optout": False},
    )
    assert (settled.version, settled.drops_version, settled.changed_at) == ("5", False, THEN)
    assert settled.error == "the system took the consent, but the record that it answered does not show it"


def test_a_consent_that_shows_late_is_in_doubt_until_it_shows() -> None:
    late = told.unseen(consent(), 30.0, NOW)
    assert (late.state, late.not_before) == (DeliveryState.DOUBT, NOW + timedelta(seconds=30))
    assert (late.code, late.error) == (
        told.UNSEEN,
        "the system took the consent; whether it keeps it shows later",
    )
    taken = consent(code=told.UNSEEN)
    assert told.was_taken(taken, record(optout=False), MAPPING)
    assert not told.was_taken(taken, record(optout=True), MAPPING)
    assert not told.was_taken(consent(), record(optout=False), MAPPING)
    assert told.is_silent(taken, record(title="x"))
    assert not told.is_silent(taken, record(optout=False))
    assert not told.is_silent(consent(), record(title="x"))


# -- refused, stale, failed ------------------------------------------------------------------------


def test_a_refused_field_is_set_aside_and_the_rest_is_decided_again() -> None:
    both = delivery({"title": "CTO", "dep": "IT"})
    settled = told.refused(both, "bad", "TU-CON-030", {"title": "too long", "other": "?"}, NOW, MAPPING)
    assert (settled.state, settled.error, settled.code, settled.due) == (
        DeliveryState.SUPERSEDED,
        "bad",
        "TU-CON-030",
        "refused",
    )
    (aside,) = settled.quarantine.items()
    assert (aside[0], aside[1].direction, aside[1].reason, aside[1].code) == (
        "title",
        "out",
        "too long",
        "TU-CON-030",
    )
    binding = MAPPING.binding("title")
    assert binding is not None
    assert aside[1].terms == binding.terms
    link = replace(both.link, quarantine=dict([aside]))
    assert still_refused(link, binding, "CTO", "CTO") == aside[1]
    assert still_refused(link, binding, "Boss", "Boss") is None
    assert not refusal_ended(link, binding, "CTO", "CTO")
    other = replace(binding, terms="other terms")
    assert still_refused(link, other, "CTO", "CTO") is None
    assert refusal_ended(link, other, "CTO", "CTO")
    assert not refusal_ended(link, other, "Boss", "Boss")


def test_a_refusal_of_no_field_of_ours_or_of_all_waits_for_a_person() -> None:
    for fields in ({}, {"other": "?"}, {"title": "no"}):
        settled = told.refused(delivery(), "bad", "TU-CON-030", fields, NOW, MAPPING)
        assert (settled.state, settled.due) == (DeliveryState.PARKED, "")
        assert (settled.error, settled.code) == ("bad", "TU-CON-030")
        assert list(settled.quarantine) == [one for one in fields if one == "title"]
    left = delivery({"title": "CTO"}, write={"wants": {"title": "CTO", "boss": NEVER}})
    assert told.refused(left, "bad", "x", {"title": "no"}, NOW, MAPPING).state is DeliveryState.PARKED


def test_what_was_set_aside_keeps_its_day_as_long_as_it_is_the_same() -> None:
    binding = MAPPING.binding("title")
    assert binding is not None
    link = delivery().link
    first = set_aside(link, binding, "in", Rejected("unreadable", "TU-VAL-001"), "x", THEN)
    assert (first.direction, first.reason, first.code, first.since) == (
        "in",
        "unreadable",
        "TU-VAL-001",
        THEN,
    )
    known = replace(link, quarantine={"title": first})
    assert set_aside(known, binding, "in", Rejected("in other words", "TU-VAL-001"), "x", NOW).since == THEN
    for way, why, value in (("out", "TU-VAL-001", "x"), ("in", "TU-VAL-002", "x"), ("in", "TU-VAL-001", "y")):
        assert set_aside(known, binding, way, Rejected("unreadable", why), value, NOW).since == NOW


def test_the_plain_ends() -> None:
    one = delivery()
    ends = {
        "stale": told.stale(one, NOW),
        "outdated": told.outdated(one),
        "unknown": told.unknown(one, "lost", 30.0, NOW),
        "not made": told.not_made(one, "no name", "TU-CON-030"),
        "exists": told.exists(one, "12", NOW),
        "deleted": told.gone(one, None, None, NOW),
        "moved": told.gone(one, "12", "leads", NOW),
    }
    assert ends == {
        "stale": Settlement(3, DeliveryState.SUPERSEDED, drops_version=True, due="stale"),
        "outdated": Settlement(3, DeliveryState.SUPERSEDED, due="config"),
        "unknown": Settlement(3, DeliveryState.DOUBT, NOW + timedelta(seconds=30), "lost", "TU-CON-020"),
        "not made": Settlement(3, DeliveryState.PARKED, error="no name", code="TU-CON-030"),
        "exists": Settlement(
            3, DeliveryState.DONE, remote_id="12", drops_version=True, fresh=True, due="exists already"
        ),
        "deleted": Settlement(3, DeliveryState.SUPERSEDED, tombstone=True, due="deleted"),
        "moved": Settlement(
            3, DeliveryState.SUPERSEDED, remote_id="12", object="leads", drops_version=True, due="moved"
        ),
    }


def test_what_failed_goes_again_until_days_have_passed_and_consent_for_ever() -> None:
    wait = next_try(2, NOW, None, 0.0)
    settled = told.again(delivery(attempts=2), "down", None, 0.0, NOW)
    assert settled == Settlement(3, DeliveryState.DUE, wait, "down", "TU-CON-010", failing_since=NOW)
    failing = delivery(attempts=2, failing_since=NOW - GIVE_UP_AFTER + timedelta(seconds=1))
    assert told.again(failing, "down", None, 0.0, NOW).failing_since == failing.failing_since
    for_days = replace(failing, failing_since=NOW - GIVE_UP_AFTER)
    assert told.again(for_days, "down", None, 0.0, NOW) == Settlement(
        3, DeliveryState.PARKED, error="gave up after 3 days: down", code="TU-CON-012"
    )
    urgent = replace(for_days, write=replace(for_days.write, lane=Lane.URGENT))
    assert told.again(urgent, "down", 7200.0, 0.0, NOW).not_before == NOW + timedelta(hours=2)
    away = told.turned_away(delivery(attempts=2), "limit", 60.0, 0.0, NOW)
    assert away == Settlement(
        3, DeliveryState.DUE, NOW + timedelta(minutes=1), "limit", "TU-CON-011", untried=True
    )


@pytest.mark.parametrize(
    ("failures", "after", "jitter", "seconds"),
    [
        (0, None, 0.0, 2),
        (1, None, 0.0, 2),
        (2, None, 0.0, 4),
        (5, None, 0.0, 32),
        (12, None, 0.0, 3600),
        (99, None, 0.0, 3600),
    ]
    + [(1, 10.0, 0.0, 10), (3, 1.0, 0.0, 8), (1, None, 0.5, 2.25), (1, 8.0, 1.0, 10), (1, 7200.0, 0.0, 7200)],
)
def test_waits_grow_and_end_and_heed_what_the_system_says(
    failures: int, after: float | None, jitter: float, seconds: float
) -> None:
    assert next_try(failures, NOW, after, jitter) == NOW + timedelta(seconds=seconds)


# -- doubt -----------------------------------------------------------------------------------------


def resolved(one: Delivery, read: Record | None, keeps: Any = None, **more: Any) -> Settlement:
    def says(path: str, value: object) -> bool:
        return value == one.write.values[path]

    return told.doubt_resolved(one, read, keeps or says, says, 0.0, NOW, **more)


def test_a_write_in_doubt_that_shows_arrived_and_one_that_does_not_goes_again() -> None:
    one = delivery(error="lost")
    assert resolved(one, record(title="CTO", dep="IT")) == done(one, record(title="CTO", dep="IT"))
    again = Settlement(3, DeliveryState.DUE, not_before=NOW, error="lost")
    for read in (None, record(title="Clerk"), record(dep="IT")):
        assert resolved(one, read) == again


def test_a_write_in_doubt_that_a_reading_showed_in_other_words_arrived_though_it_was_put_back_since() -> None:
    def says(path: str, value: object) -> bool:
        return str(value).casefold() == "cto"

    def looked(**link: Any) -> Settlement:
        one = delivery(error="lost", link=link)
        return told.doubt_resolved(one, record(title="Clerk"), says, says, 0.0, NOW)

    back = looked(seen_at=NOW, observed={"title": "cto"})
    assert (back.state, back.said) == (DeliveryState.DONE, {"title": "Clerk"})
    assert looked(seen_at=NOW, observed={"title": "Clerk"}).state is DeliveryState.DUE
    assert looked(seen_at=NOW, observed={"title": "Baker"}).state is DeliveryState.DUE
    assert looked(seen_at=THEN - timedelta(1), observed={"title": "cto"}).state is DeliveryState.DUE


def test_what_only_a_learned_form_explains_is_judged_by_the_next_decision() -> None:
    one = delivery(error="lost")
    settled = resolved(one, record(title="CTO r", dep="IT"), lambda path, value: True)
    assert (settled.state, settled.said["title"]) == (DeliveryState.DONE, "CTO r")
    assert settled.assumed["title"]["was"] == one.write.replaced.get("title")
    assert "dep" not in settled.assumed
    usual = resolved(one, record(title=" cto ", dep="IT"), lambda path, value: True)
    assert usual == done(one, record(title=" cto ", dep="IT"))


def test_a_delete_in_doubt_arrived_where_the_record_is_gone() -> None:
    delete = delivery({}, WriteKind.DELETE)
    assert resolved(delete, None) == done(delete)
    assert resolved(delete, record()).state is DeliveryState.DUE


def test_somebody_who_edited_in_doubt_overtook_the_write() -> None:
    settled = resolved(delivery(), record(title="Baker"))
    assert settled == Settlement(
        3,
        DeliveryState.OVERTAKEN,
        error="somebody edited the record while our write was in doubt",
        drops_version=True,
        due="overtaken",
    )


def test_a_value_that_was_cut_arrived_and_is_judged_next() -> None:
    settled = resolved(delivery(), record(title="CT"))
    assert (settled.state, settled.said, settled.version) == (DeliveryState.DONE, {"title": "CT"}, "5")
    assert settled.assumed["title"] == {"was": "Clerk", "until": NOW.isoformat(), "at": NOW.isoformat()}
    assert settled.observed == {"title": "CTO"}
    assert settled.changed_at == THEN


def test_what_was_typed_over_beside_a_field_that_arrived_is_judged_next() -> None:
    both = delivery({"title": "CTO", "dep": "IT"})
    settled = resolved(both, record(title="CTO", dep="Sales"))
    assert (settled.state, settled.said) == (DeliveryState.DONE, {"title": "CTO", "dep": "Sales"})
    assert settled.assumed == {}
    half = resolved(both, record(title="CTO", dep="Clerk"))
    assert half.state is DeliveryState.OVERTAKEN
    assert half.observed == {"title": "CTO"}
    assert half.agreed == {"title": Agreed("CTO", "CTO")}
    cut = resolved(both, record(title="CT", dep="Sales"))
    assert (cut.state, cut.said) == (DeliveryState.DONE, {"title": "CT", "dep": "Sales"})
    assert list(cut.assumed) == ["title"]
    short = resolved(both, record(title="CT", dep="Clerk"))
    assert (short.state, short.said, short.due) == (DeliveryState.OVERTAKEN, {"title": "CT"}, "overtaken")
    assert (short.observed, short.agreed) == ({"title": "CTO"}, {"title": Agreed("CTO", "CTO")})
    assert list(short.assumed) == ["title"]
    cut_before = delivery({"title": "CTO", "dep": "IT"}, write={"replaced": {"title": "CT", "dep": "Clerk"}})
    assert resolved(cut_before, record(title="CT", dep="HR")).assumed == {}
    seen = delivery({"title": "CTO"}, link={"seen_at": NOW, "observed": {"title": "CTO"}})
    assert resolved(seen, record(title="Baker")).state is DeliveryState.DONE


def test_what_was_cut_of_a_write_that_was_seen_to_arrive_is_judged_next() -> None:
    both = delivery({"title": "CTO", "dep": "IT"}, code=told.ARRIVED)
    cut = resolved(both, record(title="CT", dep="IT"))
    assert (cut.state, cut.said) == (DeliveryState.DONE, {"title": "CT", "dep": "IT"})
    assert list(cut.assumed) == ["title"]
    back = resolved(both, record(title="Clerk", dep="Clerk"))
    assert (back.state, back.said, back.assumed) == (
        DeliveryState.DONE,
        {"title": "Clerk", "dep": "Clerk"},
        {},
    )


def test_a_create_in_doubt_whose_record_holds_other_values_is_that_record() -> None:
    create = delivery(kind=WriteKind.CREATE, link={"remote_id": None, "observed": {}})
    same = {"title": Agreed("CTO", "Boss")}
    settled = resolved(create, record(title="Boss"), agreed=same)
    assert settled == Settlement(
        3,
        DeliveryState.DONE,
        observed={"title": "Boss"},
        agreed=same,
        remote_id="9",
        version="5",
        changed_at=THEN,
        fresh=True,
        due="found",
    )
    assert resolved(create, record(dep="IT")).fresh is False
    unversioned = resolved(create, replace(record(title="Boss"), version=None))
    assert unversioned.drops_version


# -- what a create had carried ---------------------------------------------------------------------


def carried(
    held: dict[str, Json], wants: dict[str, Value], formats: dict[str, Format] | None = None
) -> dict[str, Agreed]:
    return agreed(held, wants, MAPPING, CONTACT, formats or {})


def test_what_a_record_says_as_the_create_carried_it_is_agreed() -> None:
    wants: dict[str, Value] = {
        "title": "CTO",
        "dep": "IT",
        "email": "ann@x.de",
        "tags": ["a", "b"],
        "boss": "u-1",
    }
    held: dict[str, Json] = {
        "title": "cto ",
        "dep": "Sales",
        "email": "Ann@x.de",
        "tags": ["b", "c"],
        "other": 1,
    }
    assert carried(held, wants) == {
        "title": Agreed("CTO", "cto "),
        "email": Agreed("ann@x.de", "Ann@x.de"),
        "tags": Agreed(["b"], ["b"]),
    }
    assert carried({}, wants) == {}
    assert carried({"title": WAS_ABSENT, "tags": ["c"]}, wants) == {}
    assert carried({"title": "CTO", "optout": True}, {"title": NEVER, "optout": "opted_out"}) == {}
    learned = {"dep": Format("a", "people", "dep", 0, 9, True)}
    assert carried({"dep": "Sls"}, {"dep": "Sales"}, learned) == {"dep": Agreed("Sales", "Sls")}
    assert carried({"dep": "Sales"}, {"dep": "IT"}, learned) == {}
    for nothing in (None, "", []):
        assert carried({"dep": nothing}, {"dep": "IT"}, learned) == {}
    assert carried({"dep": None}, {"dep": None}, learned) == {"dep": Agreed(None, None)}
    unlearned = {"dep": Format("a", "people", "dep", 0, 9)}
    assert carried({"dep": "Sales"}, {"dep": "IT"}, unlearned) == {}


def test_a_record_that_is_seen_while_its_create_is_under_way_is_recognised() -> None:
    seen = Link(2, "a", "people", "9", 1, Kind.CONTACT, observed={"title": "CTO", "dep": "Sales"})
    wanted = Link(1, "a", "people", None, 1, Kind.CONTACT, LinkState.WANTED)
    wants: dict[str, Value] = {"title": "CTO", "dep": "IT"}
    open = OpenDelivery(3, 1, Lane.NORMAL, WriteKind.CREATE, DeliveryState.DOUBT, wants, "x", {})
    policy = Policy(mappings={("a", "people"): MAPPING})

    def known(one: Link, delivery: OpenDelivery = open) -> Link:
        case = Case(Entity(1, Kind.CONTACT, 1, {}, {}), (wanted, one), (delivery,))
        return recognised((wanted, one), case, Context(), policy)[1]

    assert known(seen).agreed == {"title": Agreed("CTO", "CTO")}
    kept = Agreed("Boss", "Boss")
    assert known(replace(seen, agreed={"title": kept})).agreed == {"title": kept}
    for one in (
        replace(seen, fresh=False),
        replace(seen, object="leads"),
        replace(seen, state=LinkState.DORMANT),
    ):
        assert known(one) is one
    for other in (
        replace(open, state=DeliveryState.DUE),
        replace(open, kind=WriteKind.UPDATE),
        replace(open, link_id=9),
    ):
        assert known(seen, other) is seen


# -- forms -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "has", "surely"),
    [
        ("CTO", "cto", True),
        ("Head  of sales", " head of Sales ", True),
        (["b", "A"], ["a", "B"], True),
        ("CTO", "CT", False),
        (["a"], ["a", "b"], False),
        ("5", 5, False),
        (None, None, True),
    ],
)
def test_what_differs_in_case_blanks_and_order_only_is_surely_a_form(
    sent: Json, has: Json, surely: bool
) -> None:
    assert is_surely_form(sent, has, None) is surely


@pytest.mark.parametrize(
    ("sent", "has", "left"),
    [
        ("Boss", "bss", True),
        ("Boss", "Boss", True),
        ("Boss", "boats", False),
        ("Boss", " ", False),
        ("Boss", None, False),
        (5, "5", False),
        ("abc", "cb", False),
    ],
)
def test_a_text_with_signs_left_out(sent: Json, has: Json, left: bool) -> None:
    assert left_out(sent, has) is left


def test_after_an_edit_only_what_is_cut_is_a_form() -> None:
    assert is_form("Head of sales", "Head of ", None, True)
    assert not is_form("Head of sales", "Hd f sls", None, True)
    assert is_form("Head of sales", "Hd f sls", None, False)
    assert not is_form("Head of sales", "", None, True)
    assert not is_form("Head of sales", "of sales", None, True)
    assert is_form("Head of sales", "Something else", None, None)
    assert not is_form("5", 5, None, True)
    for as_sent, form in ((FEW, True), (FEW + 1, False)):
        assert (
            is_form("Head of sales", "Something else", Format("a", "people", "title", as_sent), None) is form
        )
    assert is_form("Head of sales", "Something else", Format("a", "people", "title", 99, 9, True), True)


# -- what was written over before it was judged ------------------------------------------------------


def test_what_stood_there_for_a_moment_is_told_once() -> None:
    link = replace(delivery().link, observed={"title": "CTO"})
    entity = Entity(1, Kind.CONTACT, 1, {"job_title": "CTO"}, {})
    known = replace(link, agreed={"title": Agreed("CTO", "CTO", unheard="Boss")})
    (reading,) = [one for one in readings(known, MAPPING, entity, Context()) if one.binding.key == "title"]
    (left,), (lost,), () = written_over.told((reading,), frozenset(), CONTACT)
    assert (lost.field, lost.lost, lost.kept, lost.rule) == ("job_title", "Boss", "CTO", written_over.RULE)
    assert left.agreed == Agreed("CTO", "CTO")
    assert written_over.told((left,), frozenset(), CONTACT) == ((left,), (), ())
    assert written_over.told((reading,), frozenset({"title"}), CONTACT) == (
        (reading,),
        (),
        (),
    )  # a write is under way


def test_elements_that_a_whole_list_took_the_place_of_unheard_are_given_nevertheless() -> None:
    def given(unheard: Json, now: Json = ("ours",)) -> list[frozenset[str]]:
        held = list(now)
        link = replace(delivery().link, observed={"tags": held})
        known = replace(link, agreed={"tags": Agreed(held, held, unheard=unheard)})
        entity = Entity(1, Kind.CONTACT, 1, {"tags": held}, {})
        (reading,) = [one for one in readings(known, MAPPING, entity, Context()) if one.binding.key == "tags"]
        (left,), lost, claims = written_over.told((reading,), frozenset(), CONTACT)
        assert left.agreed == Agreed(held, held)
        assert lost == ()
        assert not [one for one in claims if one.removed or one.first]
        return [one.added for one in claims]

    assert given(["theirs"]) == [frozenset({"theirs"})]
    assert given(["ours", "theirs"]) == [frozenset({"theirs"})]
    assert given(["ours"]) == []
    assert given(["theirs"], ()) == [frozenset({"theirs"})]


def test_what_was_refused_and_shows_nothing_of_it_waits_for_a_person() -> None:
    def ended(code: str) -> Settlement:
        one = delivery(state=DeliveryState.DOUBT, error="bad", code=code)
        return told.doubt_resolved(one, record(title="Clerk"), never, never, 0.0, NOW)

    def never(path: str, value: Json) -> bool:
        return False

    assert ended("TU-REF-001") == Settlement(3, DeliveryState.PARKED, error="bad", code="TU-REF-001")
    assert ended(told.UNKNOWN).state is DeliveryState.DUE


def test_in_a_record_that_may_be_somebody_elses_a_field_known_for_any_form_is_not_believed() -> None:
    known = {"title": Format("a", "people", "title", 0, 9, True)}
    wants: dict[str, Value] = {"title": "Head of sales"}

    def held(title: str, ours: bool = False) -> bool:
        return "title" in agreed({"title": title}, wants, MAPPING, CONTACT, known, ours)

    assert held("Head of sal")
    assert not held("Clerk")
    assert held("Clerk", ours=True)
