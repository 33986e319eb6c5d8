"""Checks of reading a system in which people go on working."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from trueup.connectors.base import Capability
from trueup.model.record import Page, Reading, Record
from trueup.testing.acceptance.checks import check, expect, fallback
from trueup.testing.acceptance.desk import MOST_PAGES, Desk, latest, plain, records, several, stored

EDITED = "edited meanwhile"


@dataclass(slots=True)
class _People:
    """What people do after the first page of a reading: with records that it brought, and with others."""

    desk: Desk
    edited: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    made: list[str] = field(default_factory=list)

    def work(self, pages: Sequence[Page]) -> None:
        if len(pages) > 1:
            return
        seen = [id for id in latest(pages) if id in self.desk.ids]
        rest = [id for id in self.desk.ids if id not in seen]
        self.deleted = [*seen[1:2], *rest[1:2]]
        self.edited = [*seen[:1], *seen[-1:], *rest[:1], *rest[-1:]]
        for id in self.edited:
            self.desk.edit(id, EDITED)
        for id in self.deleted:
            self.desk.system.delete(id)
        self.made = [self.desk.make()]
        self.desk.system.wait(1.0)  # a reading takes its time

    @property
    def untouched(self) -> set[str]:
        return set(self.desk.ids) - set(self.edited) - set(self.deleted)


def _afterwards(desk: Desk, pages: Sequence[Page]) -> list[Page]:
    """What is read the next time: the changes since, or all where there are none."""
    desk.settle()
    return desk.changes(pages[-1].cursor) if desk.can(Capability.INCREMENTAL) else desk.pages(Reading.LISTING)


@check(
    "a listing that has to begin again says so, and begins again only where something changed",
    "set `anew` on the first page of what is there now: what came before it is no proof of anything any more",
    many=True,
)
def a_listing_that_begins_again_says_so(desk: Desk) -> None:
    calm = desk.pages(Reading.LISTING)
    expect(not any(page.anew for page in calm), "a listing in which nobody works says that it begins again")
    people = _People(desk)
    pages = _elsewhere(desk, people)
    several(pages, len(desk.ids))
    touched = {*people.edited, *people.deleted}
    first, rest = latest(pages[:1]).keys() - touched, latest(pages[1:]).keys()
    since = max(at for at, page in enumerate(pages) if page.anew or not at)
    again = 0 if since else len(first & rest)
    expect(not again, f"{again} records that nobody touched come twice, and nothing says that it began again")
    missing = len(first - latest(pages[since:]).keys())
    expected = len(touched) if desk.can(Capability.CONTENT_IDS) else 0  # these come under other ids
    expect(missing <= expected, f"it says that it begins again, and {missing} records did not come again")


def _elsewhere(desk: Desk, people: _People) -> list[Page]:
    """A listing during which people work, and which another process ends."""
    pages = [desk.connector.pull(desk.object, Reading.LISTING, None, desk.harness.fields)]
    people.work(pages)
    other = desk.another()
    while pages[-1].more:
        cursor = stored(pages[-1].cursor)
        pages.append(other.pull(desk.object, Reading.LISTING, cursor, desk.harness.fields))
        expect(len(pages) < MOST_PAGES, "a listing does not end")
    return pages


@check(
    "no record is left out of a listing because others are edited, made or deleted while it is read",
    "page by id (keyset) or by a snapshot of the vendor: with an offset, a deletion moves the rest by one",
    many=True,
)
def a_listing_leaves_nobody_out_meanwhile(desk: Desk) -> None:
    people = _People(desk)
    pages = desk.pages(Reading.LISTING, between=people.work)
    several(pages, len(desk.ids))
    found = set(latest(pages))
    expect(
        people.untouched <= found, f"{len(people.untouched - found)} records that nobody touched did not come"
    )
    lost = set(people.edited) - found
    expect(not lost, f"{len(lost)} records that were edited while the listing was read did not come")


@check(
    "what moves while a listing is read arrives in it or in the reading that follows",
    "the cursor of a listing stands where the listing began, not where it ended",
    many=True,
)
def what_moves_during_a_listing_arrives(desk: Desk) -> None:
    people = _People(desk)
    pages = desk.pages(Reading.LISTING, between=people.work)
    several(pages, len(desk.ids))
    found = latest([*pages, *_afterwards(desk, pages)])
    missing = [id for id in people.made if id not in found]
    expect(not missing, "a record that was made meanwhile did not come")
    _last_words(desk, people.edited, found)


@check(
    "what comes twice in one reading does not go back to what it was",
    "pages of one reading must not show an older state than pages before them",
    many=True,
)
def nothing_goes_back_within_a_reading(desk: Desk) -> None:
    cursor = desk.position() if desk.can(Capability.INCREMENTAL) else None
    for reading in (Reading.LISTING, Reading.CHANGES)[: 1 + (cursor is not None)]:
        if reading is Reading.CHANGES:
            _edit_all(desk)
        people = _People(desk)
        pages = desk.pages(reading, cursor if reading is Reading.CHANGES else None, between=people.work)
        renewed: set[str] = set()
        for record in records(pages):
            new = record.values.get(desk.harness.field) == EDITED
            expect(new or record.id not in renewed, "a record came new, and then old again")
            renewed |= {record.id} if new else set()
        for id in people.deleted:
            desk.ids.remove(id)


def _edit_all(desk: Desk, text: str = "all") -> None:
    for id in desk.ids:
        desk.edit(id, text)
    desk.settle()


def _last_words(desk: Desk, ids: Sequence[str], found: Mapping[str, Record]) -> None:
    """Each of these records came, and as it stands in the system now."""
    for id in dict.fromkeys(ids):
        expect(id in found, "an edited record did not come")
        said = plain(found[id].values.get(desk.harness.field))
        expect(said == desk.text(id), f"an edited record came with {said!r} in place of {desk.text(id)!r}")


@fallback(
    "an edit and a new record show in the next listing",
    "without a change feed the listing is all the hub sees",
)
def listings_show_edits(desk: Desk) -> None:
    made = desk.make()
    desk.edit(desk.ids[0], EDITED)
    desk.settle()
    found = latest(desk.pages(Reading.LISTING))
    expect(made in found, "a new record is not in the listing")
    _last_words(desk, desk.ids[:1], found)


@check(
    "edits and new records arrive as changes",
    "look which property moves with an edit: the wrong one silently brings nothing",
    needs=Capability.INCREMENTAL,
    otherwise=listings_show_edits,
)
def changes_bring_every_edit(desk: Desk) -> None:
    cursor = desk.position()
    made = desk.make()
    desk.edit(desk.ids[0], EDITED)
    desk.edit(desk.ids[1], None)
    desk.settle()
    found = latest(desk.changes(stored(cursor)))
    expect(made in found, "a new record did not come as a change")
    _last_words(desk, desk.ids[:2], found)


@check(
    "changes bring only what changed",
    "a filter that the system ignores makes every poll a full reading: test what it is called",
    many=True,
    needs=Capability.INCREMENTAL,
)
def changes_leave_out_what_did_not_change(desk: Desk) -> None:
    cursor = desk.position()
    for id in desk.ids[1:3]:
        desk.system.wait(3600)
        desk.edit(id, EDITED)
        desk.settle()
        cursor = desk.changes(cursor)[-1].cursor
    desk.system.wait(3600)
    desk.edit(desk.ids[0], EDITED)
    desk.settle()
    found = latest(desk.changes(cursor))
    expect(
        len(found) <= max(10, len(desk.ids) // 2),
        f"{len(found)} of {len(desk.ids)} records came for one edit",
    )


@check(
    "records with the same stamp are not lost at the border of two pages",
    "continue with stamp and id, or with the vendor's own token; never with `stamp > last`",
    many=True,
    needs=Capability.INCREMENTAL,
)
def equal_stamps_lose_nothing(desk: Desk) -> None:
    cursor = desk.position()
    _edit_all(desk)
    pages = desk.changes(cursor)
    several(pages, len(desk.ids))
    _last_words(desk, desk.ids, latest(pages))


@check(
    "what moves while changes are read arrives in this reading or in the next",
    "take the position before the first page is asked for, and keep it over all pages",
    many=True,
    needs=Capability.INCREMENTAL,
)
def what_moves_during_changes_arrives(desk: Desk) -> None:
    cursor = desk.position()
    _edit_all(desk)
    people = _People(desk)
    pages = desk.pages(Reading.CHANGES, cursor, between=people.work)
    several(pages, len(desk.ids))
    found = latest([*pages, *_afterwards(desk, pages)])
    expect(all(id in found for id in people.made), "a record that was made meanwhile did not come")
    _last_words(desk, people.edited, found)
    missing = people.untouched - set(found)
    expect(not missing, f"{len(missing)} records that had changed before did not come")


@check(
    "an edit in the very moment in which a reading ends is not missed",
    "start the next reading with `>=` and a lookback; stamps are cut to seconds, minutes, or worse",
    needs=Capability.INCREMENTAL,
)
def an_edit_in_the_same_moment_arrives(desk: Desk) -> None:
    desk.edit(desk.ids[1], "before")
    desk.settle()
    cursor = desk.position()
    desk.edit(desk.ids[0], "first")
    first = desk.changes(cursor)
    desk.edit(desk.ids[0], EDITED)
    desk.edit(desk.ids[1], EDITED)
    second = desk.changes(first[-1].cursor)
    desk.settle()
    third = desk.changes(second[-1].cursor)
    _last_words(desk, desk.ids[:2], latest([*first, *second, *third]))


@check(
    "a change that the system shows late is not missed",
    "stay behind the system's clock by its lag: a position must not pass what is not shown yet",
    needs=Capability.INCREMENTAL,
)
def a_change_that_shows_late_arrives(desk: Desk) -> None:
    pages = [desk.changes(desk.position())[-1]]
    desk.edit(desk.ids[0], EDITED)
    for seconds in (0.0, 1.0, 1.0):
        desk.system.wait(seconds)
        pages += desk.changes(pages[-1].cursor)
    desk.edit(desk.ids[1], EDITED)
    pages += desk.changes(pages[-1].cursor)
    desk.settle()
    _last_words(desk, desk.ids[:2], latest([*pages, *desk.changes(pages[-1].cursor)]))


@check(
    "the same position brings the same changes again",
    "the hub may have died before it stored them: a reading must not be used up by being read",
    needs=Capability.INCREMENTAL,
)
def a_position_can_be_used_again(desk: Desk) -> None:
    cursor = stored(desk.position())
    desk.edit(desk.ids[0], EDITED)
    desk.settle()
    _last_words(desk, desk.ids[:1], latest(desk.changes(cursor)))
    again = desk.another().pull(desk.object, Reading.CHANGES, cursor, desk.harness.fields)
    _last_words(desk, desk.ids[:1], latest([again]))


@check(
    "changes come oldest first",
    "sort by the stamp, or do not claim ordered_by_change",
    many=True,
    needs=Capability.ORDERED_BY_CHANGE,
)
def changes_come_oldest_first(desk: Desk) -> None:
    cursor = desk.position()
    for id in reversed(desk.ids):
        desk.edit(id, EDITED)
        desk.system.wait(0.01)
    desk.settle()
    stamps = [one.changed_at for one in records(desk.changes(cursor)) if one.changed_at is not None]
    expect(stamps == sorted(stamps), "changes did not come in the order of their stamps")


@fallback(
    "a deleted record is missing in the next complete listing",
    "without a feed of deletions, absence is what tells of them: claim complete_listing only for one",
)
def absence_tells_of_deletions(desk: Desk) -> None:
    desk.system.delete(desk.ids[0])
    desk.settle()
    living = {id for id, record in latest(desk.pages(Reading.LISTING)).items() if not record.deleted}
    expect(desk.ids[0] not in living, "a deleted record is still listed")
    if desk.can(Capability.COMPLETE_LISTING):
        expect(set(desk.ids[1:]) <= living, "a listing that claims to be complete lacks living records")


@check(
    "deletions arrive as changes",
    "read the feed of deletions too, or do not claim deletes_visible",
    needs=Capability.DELETES_VISIBLE,
    otherwise=absence_tells_of_deletions,
)
def deletions_arrive(desk: Desk) -> None:
    cursor = desk.position()
    desk.system.delete(desk.ids[0])
    desk.settle()
    found = latest(desk.changes(cursor))
    told = desk.ids[0] in found and found[desk.ids[0]].deleted
    expect(told, "a deletion did not come as a change")


@check(
    "a version moves with every edit",
    "two states under one version are one state for the hub: it would not look at the second",
)
def versions_move_with_edits(desk: Desk) -> None:
    versions = [desk.record(desk.ids[0]).version]
    for text in ("once", "twice", "thrice"):
        desk.system.wait(2)
        desk.edit(desk.ids[0], text)
        versions.append(desk.record(desk.ids[0]).version)
    if None not in versions:
        expect(len(set(versions)) == len(versions), "two states of a record have the same version")


@fallback(
    "an edit shows at once when the record is read by id",
    "without guarded writes the hub reads before it writes, and must see what people did a moment ago",
)
def reading_by_id_shows_edits_at_once(desk: Desk) -> None:
    desk.edit(desk.ids[0], EDITED)
    said = plain(desk.record(desk.ids[0]).values.get(desk.harness.field))
    expect(said == EDITED, f"read by id right after an edit, a record says {said!r}")
