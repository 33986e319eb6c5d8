"""Reading a stream: which pages are asked for, what of them is handed to the store, and what is counted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.sync.memory import Chance, Clock
from tests.sync.small_hub import Said, rules
from trueup.connectors.base import Capability, GoneItem, ObjectSpec
from trueup.errors import Malformed
from trueup.mapping.apply import compile_mapping
from trueup.mapping.schema import ConsentRule, FieldRule, ObjectRules
from trueup.model.activity import Fact
from trueup.model.canonical import Locale
from trueup.model.entity import Link
from trueup.model.fields import TABLES, Kind
from trueup.model.landing import Landed, LandedFacts, Landing, StreamState
from trueup.model.record import Cursor, Page, Reading, Record
from trueup.sync.inbox import asked_fields, land, look_again, reread
from trueup.sync.pages import MOST, pages
from trueup.sync.parts import Pace, Parts
from trueup.sync.rules.guard import Fuse
from trueup.sync.rules.policy import Policy
from trueup.sync.tally import Tally

HERE = ("a", "people")
BOTH = frozenset({Capability.INCREMENTAL, Capability.COMPLETE_LISTING})
PEOPLE = rules(fields=("email", "department"), consent=(ConsentRule("email", "marketing", "optout"),))


def record(id: str, **values: Any) -> Record:
    return Record(id, values, "1", None)


@dataclass
class Script:
    """A connector that gives prepared pages and answers, one after another."""

    pages: list[Page] = field(default_factory=list)
    answers: dict[str, Record | GoneItem] = field(default_factory=dict)
    asked: list[tuple[Any, ...]] = field(default_factory=list)

    def pull(self, object: str, reading: Reading, cursor: Cursor | None, fields: Sequence[str]) -> Page:
        self.asked.append((object, reading, cursor, tuple(fields)))
        return self.pages.pop(0)

    def read(self, object: str, ids: Sequence[str], fields: Sequence[str]) -> list[Record | GoneItem]:
        self.asked.append((object, tuple(ids), tuple(fields)))
        return [self.answers.get(id, GoneItem()) for id in ids]


@dataclass
class Kept:
    """A store that keeps what it is told. `lag`: of the system, in seconds."""

    state: StreamState
    clock: Clock
    lag: float = 0.0
    linked: dict[str, Link] = field(default_factory=dict)
    older: list[str] = field(default_factory=list)
    behind: list[Link] = field(default_factory=list)
    landings: list[Landing] = field(default_factory=list)
    told: list[tuple[str, list[Fact], datetime]] = field(default_factory=list)
    answer: Landed = Landed()
    begun: int = 0

    def stream(self, connection: str, object: str) -> StreamState:
        assert (connection, object) == HERE
        return self.state

    def begin_listing(self, connection: str, object: str, at: datetime) -> int:
        assert ((connection, object), at) == (HERE, self.clock.now())
        self.begun += 1
        return 40 + self.begun

    def late(
        self, connection: str, object: str, records: Sequence[Record], began: datetime, lag: timedelta
    ) -> list[str]:
        assert ((connection, object), lag) == (HERE, timedelta(seconds=self.lag))
        return [one.id for one in records if one.id in self.older]

    def known(self, connection: str, object: str, ids: Sequence[str]) -> Mapping[str, Link]:
        assert (connection, object) == HERE
        return {id: self.linked[id] for id in ids if id in self.linked}

    def hidden(self, now: datetime, connections: Sequence[str], after: int, most: int) -> list[Link]:
        assert (now, connections) == (self.clock.now(), ["a"])
        return [one for one in self.behind if one.id > after][:2]

    def land(self, landing: Landing, fence: object) -> Landed:
        assert fence == "fence"
        self.landings.append(landing)
        return self.answer

    def land_facts(self, connection: str, some: list[Fact], at: datetime) -> LandedFacts:
        self.told.append((connection, some, at))
        return LandedFacts(2, 1)


@dataclass
class World:
    script: Script
    store: Kept
    parts: Parts
    tally: Tally
    progress: list[tuple[str, str, str, int]]

    def land(self) -> Sequence[Landing]:
        land(self.parts, HERE, self.tally, "fence")  # type: ignore[arg-type]
        return self.store.landings

    def readings(self) -> list[tuple[Reading, Cursor | None]]:
        return [(reading, cursor) for _, reading, cursor, _ in self.script.asked]

    def counted(self) -> dict[str, int]:
        return {
            what: number
            for what in ("read", "new", "changed", "same", "rejected", "filtered", "older", "held missing")
            if (number := self.tally.get(what, "a"))
        }


def world(
    *given: Page,
    state: dict[str, Any] | None = None,
    said: ObjectRules = PEOPLE,
    can: frozenset[Capability] = BOTH,
    spec: dict[str, Any] | None = None,
    policy: dict[str, Any] | None = None,
    **more: Any,
) -> World:
    """A stream that was listed an hour ago, unless `state` says something else."""
    clock, script, progress = Clock(), Script(list(given)), []
    mappings = {HERE: compile_mapping("a", said, TABLES[said.kind], Locale())} if said.kind else {}
    known = {
        "listed_at": clock.now() - timedelta(hours=1),
        "cursor": {"since": "c"},
        "fields": ("email", "department", "optout"),
    }
    store = Kept(StreamState(*HERE, **(known | (state or {}))), clock, (spec or {}).get("lag", 0.0))
    parts = Parts(
        store,  # type: ignore[arg-type]
        {"a": script},  # type: ignore[dict-item]
        {HERE: ObjectSpec("people", "contact", can, **({"read_batch": 2} | (spec or {})))},
        Policy(mappings=mappings, rules={HERE: said}, **(policy or {})),
        clock,
        Chance(),  # type: ignore[arg-type]
        progress=lambda *what: progress.append(what),
        **more,
    )
    return World(script, store, parts, Tally(), progress)


def page(*records: Record, cursor: Any = "end", more: bool = False, **rest: Any) -> Page:
    return Page(records, {"at": cursor}, more, **rest)


# -- pages -----------------------------------------------------------------------------------------


def told(some: World, reading: Reading = Reading.CHANGES, cursor: Cursor | None = None) -> Iterator[Page]:
    for at, one in pages(some.parts, HERE, reading, cursor, ("email",)):
        assert at == some.parts.now()
        yield one


def test_pages_are_asked_for_one_behind_the_other() -> None:
    one, two, last = page(record("1"), cursor=1, more=True), page(cursor=2, more=True), page(record("1"))
    some = world(one, two, last)
    assert list(told(some)) == [one, two, last]
    assert some.script.asked == [
        ("people", Reading.CHANGES, cursor, ("email",)) for cursor in (None, {"at": 1}, {"at": 2})
    ]


@pytest.mark.parametrize("reading", list(Reading))
def test_a_page_that_is_told_again_is_passed_over_and_too_often_is_an_error(reading: Reading) -> None:
    most = MOST[reading]
    again = [page(record("1"), cursor=n, more=True) for n in range(most)]
    last = page(record("2"))
    some = world(*again, last)
    assert list(told(some, reading)) == [again[0], last]
    more = world(*again, page(record("1"), cursor=99, more=True), last)
    with pytest.raises(Malformed, match="had already"):
        list(told(more, reading))


def test_rows_that_nobody_can_read_may_look_alike_in_a_listing() -> None:
    bad = [page(cursor=n, more=True, rejected=(("row", "broken"),)) for n in range(MOST[Reading.CHANGES])]
    last = page(record("1"))
    assert list(told(world(*bad, last), Reading.LISTING)) == [bad[0], last]
    with pytest.raises(Malformed):
        list(told(world(*bad, page(cursor=99, more=True, rejected=(("row", "broken"),))), Reading.LISTING))


def test_a_place_where_the_reading_was_already_is_an_error_also_its_first() -> None:
    circle = world(
        page(record("1"), cursor=1, more=True),
        page(record("2"), cursor=2, more=True),
        page(record("3"), cursor=1, more=True),
    )
    with pytest.raises(Malformed) as error:
        list(told(circle))
    assert (error.value.connection, error.value.operation) == ("a", "people.changes")
    with pytest.raises(Malformed):
        list(told(world(page(record("1"), cursor=1, more=True)), cursor={"at": 1}))


def test_a_reading_that_begins_anew_may_pass_its_places_again() -> None:
    one, anew, again = (
        page(record("1"), cursor=1, more=True),
        page(record("1"), cursor=2, more=True, anew=True),
        page(record("2"), cursor=1, more=True),
    )
    last = page()
    assert list(told(world(one, anew, again, last), Reading.LISTING)) == [one, anew, again, last]


def test_the_last_page_is_told_though_it_says_the_same() -> None:
    one, last = page(record("1"), cursor=1, more=True), page(record("1"))
    assert list(told(world(one, last))) == [one, last]


# -- what is read ----------------------------------------------------------------------------------


def test_changes_are_read_from_the_place_and_handed_over_with_the_next() -> None:
    some = world(page(record("1", email="a@b.de"), cursor=1, more=True), page(record("2")))
    one, two = some.land()
    now = some.parts.now()
    assert (one.connection, one.object, one.kind, one.at) == (*HERE, Kind.CONTACT, now)
    assert (one.records, one.cursor, one.listing, one.complete, one.ended, one.began) == (
        (record("1", email="a@b.de"),),
        {"at": 1},
        None,
        False,
        False,
        now,
    )
    assert (two.cursor, two.complete, two.ended) == ({"at": "end"}, False, True)
    assert one.fields == ("email", "department", "optout")
    assert some.readings() == [(Reading.CHANGES, {"since": "c"}), (Reading.CHANGES, {"at": 1})]
    assert some.progress == [("read", *HERE, 1)] * 2


@pytest.mark.parametrize(
    ("state", "can", "pace"),
    [
        ({"listed_at": None}, BOTH, None),
        ({"accepted": True}, BOTH, None),
        ({}, frozenset({Capability.COMPLETE_LISTING}), None),
        ({"fields": ("email", "optout")}, BOTH, None),
        ({}, BOTH, timedelta(hours=1)),
    ],
)
def test_when_everything_is_listed(
    state: dict[str, Any], can: frozenset[Capability], pace: timedelta | None
) -> None:
    paces = {"a": Pace(full_listing=pace)}
    some = world(page(record("1"), cursor=1, more=True), page(), state=state, can=can, paces=paces)
    one, two = some.land()
    assert some.readings() == [(Reading.LISTING, None), (Reading.LISTING, {"at": 1})]
    assert (one.listing, one.complete, one.ended) == (41, False, False)
    assert (two.listing, two.complete, two.ended) == (41, True, True)


def test_a_full_listing_that_is_not_due_yet_is_not_made() -> None:
    some = world(page(), paces={"a": Pace(full_listing=timedelta(hours=1, seconds=1))})
    some.land()
    assert some.readings() == [(Reading.CHANGES, {"since": "c"})]


def test_a_listing_that_was_broken_off_goes_on_and_what_changed_behind_it_is_read_then() -> None:
    fields = ("optout", "email", "department", "gone since")
    going = {"listing_cursor": {"at": 7}, "listing": 5, "listing_fields": fields}
    some = world(page(record("1")), page(), state=going)
    one, two = some.land()
    assert some.readings() == [(Reading.LISTING, {"at": 7}), (Reading.CHANGES, {"since": "c"})]
    assert (one.listing, one.complete, two.listing) == (5, True, None)
    listing_only = world(page(), state=going, can=frozenset({Capability.COMPLETE_LISTING}))
    listing_only.land()
    assert listing_only.readings() == [(Reading.LISTING, {"at": 7})]


def test_a_listing_that_was_broken_off_before_a_field_was_mapped_begins_anew() -> None:
    going = {"listing_cursor": {"at": 7}, "listing": 5, "listing_fields": ("email", "optout")}
    some = world(page(record("1")), page(), state=going)
    assert some.land()[0].listing == 41
    assert some.readings()[0] == (Reading.LISTING, None)


def test_changes_that_were_broken_off_are_read_once_more_from_where_they_began() -> None:
    some = world(page(), page(), state={"broken_off": Clock().now()})
    some.land()
    assert some.readings() == [(Reading.CHANGES, {"since": "c"})] * 2


def test_a_listing_that_begins_anew_gets_another_number() -> None:
    some = world(
        page(record("1"), cursor=1, more=True),
        page(record("1"), cursor=2, anew=True),
        state={"listed_at": None},
    )
    assert [one.listing for one in some.land()] == [41, 42]


def test_every_field_that_is_needed_is_asked_for_once() -> None:
    said = replace(
        PEOPLE, deactivate={"active": False}, reactivate={"active": True, "email": "x"}, contact="who"
    )
    some = world(said=said, policy={"upsert": {HERE: "hub_id"}})
    assert asked_fields(some.parts, HERE) == ("email", "department", "optout", "active", "who", "hub_id")
    assert asked_fields(world().parts, HERE) == ("email", "department", "optout")


# -- what is handed over ---------------------------------------------------------------------------


class OfIT:
    def met(self, values: Mapping[str, object], now: datetime) -> Said:
        return Said(values.get("department") == "IT" and now == Clock().now())

    def next_change(self, values: Mapping[str, object], now: datetime) -> None:
        return None


def test_only_whom_the_condition_lets_in_is_taken_and_who_is_linked_always() -> None:
    some = world(
        page(
            record("1", department="IT"),
            record("2", department="HR", optout=True, email="a@b.de"),
            record("3"),
        ),
        policy={"take": {HERE: OfIT()}},
    )
    some.store.linked["3"] = Link(3, *HERE, "3", 1, Kind.CONTACT)
    (one,) = some.land()
    assert [each.id for each in one.records] == ["1", "3"]
    assert some.counted() == {"read": 1, "filtered": 1}
    assert [(event.subject, event.at) for event in one.consent] == [
        ("a/people/2", some.parts.now()),
        ("a@b.de", some.parts.now()),
    ]


def test_who_is_deleted_or_joined_has_its_last_words() -> None:
    gone = replace(record("1", optout=True), deleted=True)
    joined = replace(record("2", optout=True), successor="9")
    some = world(page(gone, joined, record("3", optout=True)))
    (one,) = some.land()
    assert [event.subject for event in one.consent] == ["a/people/1", "a/people/2"]
    silent = world(page(gone), said=replace(PEOPLE, consent=()), state={"fields": ("email", "department")})
    assert silent.land()[0].consent == ()


def test_rows_that_nobody_can_read_are_counted_and_told_and_known_ones_are_there() -> None:
    bad = (("5", "broken"), ("6.title", "no text"), ("7", "broken"), ("row 8", "broken"))
    some = world(page(record("7"), rejected=bad))
    some.store.linked |= {id: Link(1, *HERE, id, 1, Kind.CONTACT) for id in ("6", "7")}
    (one,) = some.land()
    assert (one.unreadable, one.rejected) == (("6",), 2)
    assert some.counted() == {"read": 4, "rejected": 4}
    assert some.tally.notes[0] == "a people 5: broken"


def test_views_that_are_older_than_what_is_known_are_asked_for_by_id() -> None:
    some = world(page(record("1"), record("2"), record("3")), spec={"lag": 30.0})
    some.store.older = ["1", "3"]
    some.script.answers = {"1": record("1", email="new@b.de"), "3": record("33")}
    asked, rest = some.land()
    assert some.script.asked[1] == ("people", ("1", "3"), ("email", "department", "optout"))
    assert (asked.records, asked.asked, asked.moved) == (
        (record("1", email="new@b.de"), record("33")),
        ("1", "3"),
        (("3", 1),),
    )
    assert (asked.told_at, asked.cursor) == (some.parts.now(), None)
    assert ([one.id for one in rest.records], rest.unreadable) == (["2"], ("1", "3"))
    assert some.counted() == {"read": 2, "older": 2}


def test_how_many_absences_are_believed_is_the_fuse_of_deletions() -> None:
    some = world(page(), fuses={"delete": Fuse(count=3)})
    implausible = some.land()[0].implausible
    assert implausible is not None
    assert [implausible(number, 100) for number in (3, 4)] == [False, True]
    unlimited = world(page(), fuses={}).land()[0].implausible
    assert unlimited is not None
    assert not unlimited(99, 100)
    assert world(page(), can=frozenset({Capability.INCREMENTAL})).land()[0].implausible is None


def test_what_a_first_listing_opens() -> None:
    always: dict[str, Any] = {"create": {HERE: OfIT()}}
    assert world(page()).land()[0].opens == ()
    assert world(page(), policy=always).land()[0].opens == (Kind.CONTACT,)
    firms = rules("people", fields=("name",), kind=Kind.COMPANY, company="create")
    firm = {"said": firms, "state": {"fields": ("name",)}}
    assert world(page(), policy=always, **firm).land()[0].opens == (Kind.COMPANY, Kind.CONTACT)
    assert world(page(), **firm).land()[0].opens == (Kind.CONTACT,)
    assert (
        world(page(), said=replace(firms, company="link"), state={"fields": ("name",)}).land()[0].opens == ()
    )


def test_records_are_recognised_by_what_they_say_only_where_their_ids_do_not_last() -> None:
    assert world(page()).land()[0].recognise is None
    assert world(page(), can=BOTH | {Capability.CONTENT_IDS}).land()[0].recognise is not None


def test_a_case_is_handed_over_as_a_fact_and_counted() -> None:
    orders = ObjectRules("people", None, (FieldRule("state", "status"),), case="order", contact="who")
    some = world(
        page(*(record(str(n), status="open", who="7") for n in range(5))),
        said=orders,
        state={"fields": ("status", "who")},
    )
    (one,) = some.land()
    ((connection, some_facts, at),) = some.store.told
    assert (connection, len(some_facts), at) == ("a", 5, some.parts.now())
    assert (some_facts[0].remote_id, some_facts[0].state, some_facts[0].subject) == ("0", "open", "7")
    assert (one.records, one.cursor, one.ended) == ((), {"at": "end"}, True)
    assert some.counted() == {"read": 5, "new": 2, "changed": 1, "same": 2}


@pytest.mark.parametrize(
    ("landed", "note"),
    [
        (
            Landed(doubted=1, living=1),
            "a people: 1 of 1 known record is missing from a complete listing; that is more than may be"
            " believed, so nobody was treated as deleted",
        ),
        (
            Landed(doubted=1200, living=2000),
            "a people: 1,200 of 2,000 known records are missing from a complete listing; that is more than"
            " may be believed, so nobody was treated as deleted",
        ),
        (
            Landed(unread=1, doubted=3, living=9),
            "a people: 1 row could not be read, nor told whose it is; so of the known records that this"
            " listing lacks (3) none was treated as deleted",
        ),
        (
            Landed(unread=2, doubted=3, living=9),
            "a people: 2 rows could not be read, nor told whose they are; so of the known records that this"
            " listing lacks (3) none was treated as deleted",
        ),
    ],
)
def test_why_nobody_is_treated_as_deleted_is_told(landed: Landed, note: str) -> None:
    some = world(page())
    some.store.answer = landed
    some.land()
    assert some.tally.notes == [note]
    assert some.counted().get("held missing", 0) == (0 if landed.unread else landed.doubted)


# -- by id -----------------------------------------------------------------------------------------


def test_records_are_read_by_id_in_batches_and_who_is_gone_or_moved_is_told() -> None:
    some = world()
    some.script.answers = {"1": record("1"), "2": GoneItem("9", "leads")}
    reread(some.parts, HERE, ["1", "2", "3"], "fence")  # type: ignore[arg-type]
    assert [ids for _, ids, _ in some.script.asked] == [("1", "2"), ("3",)]
    one, two = some.store.landings
    joined = Record("2", {}, deleted=False, successor="9", successor_object="leads")
    assert (one.records, one.asked, one.told_at, one.moved) == ((record("1"), joined), ("1", "2"), None, ())
    assert (one.connection, one.object, one.kind, one.at) == (*HERE, Kind.CONTACT, some.parts.now())
    assert two.records == (Record("3", {}, deleted=True),)


def test_where_ids_are_made_of_content_one_that_is_not_there_is_not_gone() -> None:
    some = world(can=BOTH | {Capability.CONTENT_IDS})
    some.script.answers = {"2": record("2")}
    reread(some.parts, HERE, ["1", "2"], "fence")  # type: ignore[arg-type]
    (one,) = some.store.landings
    assert (one.records, one.asked) == ((record("2"),), ("2",))


def test_what_was_hidden_is_read_once_by_id_whatever_number_there_is() -> None:
    some = world(spec={"read_batch": 10})
    some.store.behind = [
        Link(id, *HERE, remote, 1, Kind.CONTACT) for id, remote in ((1, "1"), (2, None), (3, "3"), (4, "4"))
    ]
    some.script.answers = {id: record(id) for id in "134"}
    look_again(some.parts, "a", "fence")  # type: ignore[arg-type]
    assert [ids for _, ids, _ in some.script.asked] == [("1",), ("3", "4")]
