"""Connectors that read wrong, each in one way, with the check that must see it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from tests.connectors.accept.cards import BEGINNING, Cards, Modest
from tests.connectors.accept.shelf import TOKEN
from trueup.connectors.base import Capability, GoneItem, WebhookRequest
from trueup.errors import Refused
from trueup.model.record import FieldSpec, Hint, Json, Page, Reading, Record


def later(moment: datetime) -> str:
    """Just behind this moment."""
    return (moment + timedelta(microseconds=1)).isoformat()


class SkipsAtThePageBorder(Cards):
    """Goes on one record too far."""

    breaks = "a_listing_is_complete"

    def listing(self, place: dict[str, Json], fields: Sequence[str]) -> Page:
        page = super().listing(place, fields)
        if not page.more:
            return page
        after = f"{int(str(page.cursor['after'])) + 1:04}"
        return replace(page, cursor={**page.cursor, "after": after})


class PagesByOffset(Cards):
    """A deletion while it reads moves the rest of the list by one."""

    breaks = "a_listing_leaves_nobody_out_meanwhile"

    def listing(self, place: dict[str, Json], fields: Sequence[str]) -> Page:
        offset = place.get("offset", 0)
        body = self.get("/cards", offset=offset)
        found = tuple(self.record(card, fields) for card in body["cards"])
        following = {"since": place["since"]} | ({"offset": offset + len(found)} if body["more"] else {})
        return Page(found, following, body["more"])


class StartsWhereTheListingEnded(Cards):
    """What was edited while a listing was read is behind its cursor."""

    breaks = "what_moves_during_a_listing_arrives"

    def listing(self, place: dict[str, Json], fields: Sequence[str]) -> Page:
        page = super().listing(place, fields)
        return page if page.more else replace(page, cursor={"since": self.clock.now().isoformat()})


class SaysThatItsIdsAreContent(Cards):
    """Its ids last, and it claims that they do not."""

    breaks = "an_id_follows_the_content"
    capabilities = Cards.capabilities | {Capability.CONTENT_IDS}


class MakesIdsOfTheContent(Modest):
    """Its ids do not last, and it does not say so."""

    breaks = "an_id_outlives_an_edit"

    def id(self, card: Any) -> str:
        return f"{super().id(card)}-{sorted(card['values'].items())}"


class KeepsTheReadingToItself(Cards):
    """Its cursor says nothing: another process starts again."""

    breaks = "a_reading_goes_on_in_another_process"
    place_here: dict[str, Json] | None = None

    def listing(self, place: dict[str, Json], fields: Sequence[str]) -> Page:
        if "after" in place and self.place_here is None:
            return Page((), {"since": place["since"]}, False)
        page = super().listing(place, fields)
        self.place_here = dict(page.cursor)
        return page


class UsesUpItsCursor(Cards):
    """A page that was asked for once is left out the second time."""

    breaks = "a_page_can_be_asked_for_again"

    def __init__(self, *ports: Any) -> None:
        super().__init__(*ports)
        self.asked: set[str] = set()

    def listing(self, place: dict[str, Json], fields: Sequence[str]) -> Page:
        page, after = super().listing(place, fields), str(place.get("after", ""))
        if after and after in self.asked:
            return replace(page, records=())
        self.asked.add(after)
        return page


class KeepsThePageInItsCursor(Cards):
    """All ids that it saw so far go into the cursor, with the token."""

    breaks = "cursors_can_be_stored"

    def listing(self, place: dict[str, Json], fields: Sequence[str]) -> Page:
        page = super().listing(place, fields)
        return replace(page, cursor={**page.cursor, "token": TOKEN})


class IdsAreSometimesNumbers(Cards):
    """The list says 7, a read by id 0007."""

    breaks = "ids_stay_the_same"

    def listing(self, place: dict[str, Json], fields: Sequence[str]) -> Page:
        page = super().listing(place, fields)
        return replace(page, records=tuple(replace(one, id=str(int(one.id))) for one in page.records))


class VersionOfItsOwnForReads(Cards):
    """A read by id makes its version otherwise than a listing."""

    breaks = "reading_by_id_says_what_a_listing_says"

    def one(self, card: Any, fields: Sequence[str]) -> Record | GoneItem:
        found = super().one(card, fields)
        return replace(found, version=f"v{found.version}") if isinstance(found, Record) else found


class GuessesEmpty(Cards):
    """A field that it did not ask for is said to be empty."""

    breaks = "records_hold_what_the_system_holds"

    def values(self, card: Any, fields: Sequence[str]) -> dict[str, Json]:
        return super().values(card, fields) | {"note": None}


class LeavesEmptyOut(Cards):
    """The hub cannot tell an emptied field from one that was not asked for."""

    breaks = "an_emptied_field_is_said"

    def values(self, card: Any, fields: Sequence[str]) -> dict[str, Json]:
        return {name: value for name, value in super().values(card, fields).items() if value is not None}


class NaiveStamps(Cards):
    breaks = "stamps_and_versions_have_their_form"

    def stamp(self, card: Any) -> datetime:
        return super().stamp(card).replace(tzinfo=None)


class AnswersInTheSystemsOrder(Cards):
    """Zips ids with whatever comes."""

    breaks = "reading_by_id_keeps_the_order"

    def read(self, object: str, ids: Sequence[str], fields: Sequence[str]) -> Sequence[Record | GoneItem]:
        return sorted(super().read(object, ids, fields), key=lambda one: isinstance(one, GoneItem))


class RevivesTheDeleted(Cards):
    """Whatever is answered is living."""

    breaks = "a_deleted_record_is_gone"

    def one(self, card: Any, fields: Sequence[str]) -> Record | GoneItem:
        return replace(self.record(card, fields), deleted=False) if card else GoneItem()


class HidesTheSuccessor(Cards):
    breaks = "a_merged_record_leads_on"

    def one(self, card: Any, fields: Sequence[str]) -> Record | GoneItem:
        found = super().one(card, fields)
        return GoneItem() if isinstance(found, GoneItem) else found

    def record(self, card: Any, fields: Sequence[str]) -> Record:
        return replace(super().record(card, fields), successor=None)


class FindsWithTheNeighbours(Cards):
    """Its query is a search for similar ones."""

    breaks = "look_ups_find_exactly"

    def find(self, object: str, key: str, values: Sequence[Json], fields: Sequence[str]) -> Sequence[Record]:
        return super().find(object, key, [*values, "a0@example.com"], fields)


class BuildsQueriesFromText(Cards):
    """A quote in a value ends its query."""

    breaks = "look_ups_take_every_sign"

    def find(self, object: str, key: str, values: Sequence[Json], fields: Sequence[str]) -> Sequence[Record]:
        if any("'" in str(value) for value in values):
            raise Refused("syntax error near '")
        return super().find(object, key, values, fields)


class ReadsOneByOne(Cards):
    breaks = "reading_by_id_goes_in_batches"

    def read(self, object: str, ids: Sequence[str], fields: Sequence[str]) -> Sequence[Record | GoneItem]:
        return [one for id in ids for one in super(ReadsOneByOne, self).read(object, [id], fields)]


class BelievesEveryWebhook(Cards):
    breaks = "forged_webhooks_are_refused"

    def signed(self, request: WebhookRequest) -> bool:
        return True


class TakesWebhooksThatNobodySends(Modest):
    breaks = "webhooks_are_refused"

    def hints(self, request: WebhookRequest) -> Sequence[Hint]:
        return []


class ListsOnlyTheFirstPage(Modest):
    """What is made later is never seen."""

    breaks = "listings_show_new_records_at_last"

    def listing(self, place: dict[str, Json], fields: Sequence[str]) -> Page:
        page = super().listing(place, fields)
        return replace(page, records=page.records[:3], more=False)


# -- while people work ------------------------------------------------------------------------------------


class BeginsAgainInSilence(Cards):
    """A snapshot that moved is read from its beginning, as if it went on."""

    breaks = "a_listing_that_begins_again_says_so"

    def listing(self, place: dict[str, Json], fields: Sequence[str]) -> Page:
        there = self.get("/cards")["cards"]
        snapshot = str(sorted((card["id"], card["version"]) for card in there))
        moved = place.get("snapshot") not in (None, snapshot)
        page = super().listing({"since": place["since"]} if moved else place, fields)
        return replace(page, cursor={**page.cursor, "snapshot": snapshot})


class SaysThatItBeginsAgainAndGoesOn(BeginsAgainInSilence):
    """It tells of the change, and leaves out what it brought before."""

    breaks = "a_listing_that_begins_again_says_so"

    def listing(self, place: dict[str, Json], fields: Sequence[str]) -> Page:
        page = super().listing({**place, "snapshot": None}, fields)
        moved = place.get("snapshot") not in (None, page.cursor["snapshot"])
        return replace(page, anew=moved)


class ShowsTheFirstPageAgain(Cards):
    """The last page repeats what the first one said, as it was then."""

    breaks = "nothing_goes_back_within_a_reading"

    def __init__(self, *ports: Any) -> None:
        super().__init__(*ports)
        self.first: tuple[Record, ...] = ()

    def listing(self, place: dict[str, Json], fields: Sequence[str]) -> Page:
        page = super().listing(place, fields)
        if "after" not in place:
            self.first = page.records
            return page
        current = tuple(self.read("cards", [one.id for one in self.first], fields))
        renewed = tuple(one for one in current if isinstance(one, Record))
        return replace(page, records=(*renewed, *page.records, *self.first))


class LooksAtTheWrongStamp(Cards):
    """Only new records have moved for it."""

    breaks = "changes_bring_every_edit"

    def counts(self, card: Any) -> bool:
        return bool(card["version"] == 1)


class FilterIsIgnored(Cards):
    """The name of its parameter is not the vendor's: every poll reads all."""

    breaks = "changes_leave_out_what_did_not_change"

    def asked_since(self, place: Mapping[str, Json]) -> str:
        return BEGINNING


class SkipsTies(Cards):
    """Goes on behind the last stamp, whoever else has it."""

    breaks = "equal_stamps_lose_nothing"

    def place(self, card: Any) -> str:
        return f"{card['stamp']}|~"


class MovesItsPositionWithEachPage(Cards):
    """The position is taken at the end of a reading, after its last page came."""

    breaks = "what_moves_during_changes_arrives"

    def changes(self, place: dict[str, Json], fields: Sequence[str]) -> Page:
        page = super().changes(place, fields)
        if "after" not in place or page.more:
            return page
        return replace(page, cursor={"since": self.clock.now().isoformat()})


class StrictlyLater(Cards):
    """Asks for what is later than the last stamp that it saw."""

    breaks = "an_edit_in_the_same_moment_arrives"

    def since(self) -> str:
        return later(self.clock.now())


class CursorInTheFuture(Cards):
    """Stands at the clock, although the system shows changes some seconds late."""

    breaks = "a_change_that_shows_late_arrives"

    def since(self) -> str:
        return self.clock.now().isoformat()


class ReadsChangesOnce(Cards):
    """The system's position, moved by reading."""

    breaks = "a_position_can_be_used_again"
    read_once: set[str] = set()

    def changes(self, place: dict[str, Json], fields: Sequence[str]) -> Page:
        page, mark = super().changes(place, fields), str(place["since"])
        if page.records and mark in self.read_once:
            return replace(page, records=())
        self.read_once = {*self.read_once, mark} if page.records else self.read_once
        type(self).read_once = self.read_once
        return page


class NewestFirst(Cards):
    breaks = "changes_come_oldest_first"

    def changes(self, place: dict[str, Json], fields: Sequence[str]) -> Page:
        page = super().changes(place, fields)
        return replace(page, records=tuple(reversed(page.records)))


class SaysNothingOfDeletions(Cards):
    breaks = "deletions_arrive"

    def counts(self, card: Any) -> bool:
        return not card["deleted"]


class VersionIsTheDay(Cards):
    """Two edits on one day have one version."""

    breaks = "versions_move_with_edits"

    def version(self, card: Any) -> str:
        return str(card["stamp"][:10])


class ReadsFromACache(Modest):
    """By id it says what its last listing said."""

    breaks = "reading_by_id_shows_edits_at_once"

    def __init__(self, *ports: Any) -> None:
        super().__init__(*ports)
        self.cache: dict[str, Record | GoneItem] = {}

    def read(self, object: str, ids: Sequence[str], fields: Sequence[str]) -> Sequence[Record | GoneItem]:
        if not self.cache:
            page = self.pull(object, Reading.LISTING, None, fields)
            self.cache = {one.id: replace(one, values=dict.fromkeys(fields, "old")) for one in page.records}
        return [
            self.cache.get(id) or one for id, one in zip(ids, super().read(object, ids, fields), strict=True)
        ]


class ListsFromACache(Modest):
    """A listing is kept for a day."""

    breaks = "listings_show_edits"
    names: Mapping[str, str] = {}

    def values(self, card: Any, fields: Sequence[str]) -> dict[str, Json]:
        said = super().values(card, fields)
        return said | {"name": said["name"] if card["version"] == 1 else "as it was"}


class ListsTheDeleted(Modest):
    """Remembers what it once listed."""

    breaks = "absence_tells_of_deletions"

    def listing(self, place: dict[str, Json], fields: Sequence[str]) -> Page:
        page = super().listing(place, fields)
        ids = {one.id for one in page.records}
        gone = [f"{n:04}" for n in range(1, 4) if f"{n:04}" not in ids and "after" not in place]
        return replace(page, records=(*page.records, *(Record(id, dict.fromkeys(fields)) for id in gone)))


# -- what it says of itself -------------------------------------------------------------------------------


class NamesNoAccount(Cards):
    """Says who it is without asking: a wrong token passes the check of a configuration."""

    breaks = "the_account_is_named"

    def whoami(self) -> str:
        return "shelf"


class DescribesNothing(Cards):
    breaks = "fields_are_described"

    def fields(self, object: str) -> Sequence[FieldSpec]:
        return [FieldSpec(one.name, one.label, "string") for one in super().fields(object)]


class PromisesWithoutMeans(Cards):
    breaks = "capabilities_fit_together"

    def objects(self) -> Any:
        return {name: replace(spec, merge_undo="") for name, spec in super().objects().items()}


class AnotherAccountEachTime(Cards):
    breaks = "two_processes_see_the_same"

    def whoami(self) -> str:
        return f"{super().whoami()}, seen by {id(self)}"


def broken(*rooms: Mapping[str, object]) -> Sequence[type[Cards]]:
    """Every connector of these modules that says what it breaks."""
    return [
        thing
        for room in rooms
        for thing in room.values()
        if isinstance(thing, type) and issubclass(thing, Cards) and "breaks" in vars(thing)
    ]
