"""Checks of reading a system at rest: pages, records, look-ups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import orjson

from trueup.connectors.base import Capability, GoneItem, WebhookRequest
from trueup.errors import Unauthorized
from trueup.model.record import Page, Reading, Record
from trueup.testing.acceptance.checks import check, expect, fail, fallback
from trueup.testing.acceptance.desk import Desk, attempt, latest, plain, records, several, stored
from trueup.testing.acceptance.harness import CannotPlay

MOST_CURSOR = 16_384
"""Bytes: a cursor is stored after every page."""
NOWHERE = "x' OR '1'='1\" \\ %_*&?#/"
"""A text that no record holds, of signs that mean something to query languages."""


@check(
    "a listing brings every living record exactly once, and no other",
    "count what the paging skips or repeats at the border of two pages",
    many=True,
)
def a_listing_is_complete(desk: Desk) -> None:
    found = [record.id for record in records(desk.pages(Reading.LISTING)) if not record.deleted]
    there = desk.system.ids()
    expect(set(found) >= there, f"{len(there - set(found))} of {len(there)} records did not come")
    expect(set(found) <= there, f"{len(set(found) - there)} records came that are not there")
    expect(len(found) == len(set(found)), f"{len(found) - len(set(found))} records came twice")


@check(
    "a reading goes on after any page, also in another process",
    "put all that the next page needs into the cursor; keep nothing of a reading in the connector",
    many=True,
)
def a_reading_goes_on_in_another_process(desk: Desk) -> None:
    for reading in (Reading.LISTING, Reading.CHANGES):
        if reading is Reading.CHANGES and not desk.can(Capability.INCREMENTAL):
            continue
        missing = set(desk.ids) - {record.id for page in _relayed(desk, reading) for record in page.records}
        expect(
            not missing, f"{len(missing)} records did not come in a {reading} that moved to another process"
        )


def _relayed(desk: Desk, reading: Reading) -> list[Page]:
    """Every page by a connector of its own."""
    cursor = desk.position() if reading is Reading.CHANGES else None
    if reading is Reading.CHANGES:
        for id in desk.ids:
            desk.edit(id, "moved")
        desk.settle()
    pages: list[Page] = []
    while not pages or pages[-1].more:
        pages.append(desk.another().pull(desk.object, reading, cursor, desk.harness.fields))
        cursor = stored(pages[-1].cursor)
        expect(len(pages) < 500, f"a {reading} does not end")
    several(pages, len(desk.ids))
    return pages


@check(
    "a page can be asked for again, because what it brought may not have been stored",
    "asking must not use up a cursor or move something in the connector",
    many=True,
)
def a_page_can_be_asked_for_again(desk: Desk) -> None:
    first = desk.connector.pull(desk.object, Reading.LISTING, None, desk.harness.fields)
    several([first, first] if first.more else [first], len(desk.ids))
    once = desk.connector.pull(desk.object, Reading.LISTING, first.cursor, desk.harness.fields)
    again = desk.connector.pull(desk.object, Reading.LISTING, stored(first.cursor), desk.harness.fields)
    expect(
        {one.id for one in once.records} == {one.id for one in again.records},
        "the same cursor brought other records the second time",
    )


@check(
    "a cursor is small JSON and holds no secret",
    "keep ids, stamps and tokens of pages in it, nothing else",
    many=True,
)
def cursors_can_be_stored(desk: Desk) -> None:
    for page in desk.pages(Reading.LISTING):
        _storable(desk, page)
    if desk.can(Capability.INCREMENTAL):
        _storable(desk, desk.changes(desk.position())[-1])


def _storable(desk: Desk, page: Page) -> None:
    try:
        text = orjson.dumps(page.cursor)
    except TypeError as error:
        fail(f"the cursor is no JSON: {error}")
    expect(orjson.loads(text) == dict(page.cursor), "the cursor is another one after it was stored as JSON")
    expect(len(text) <= MOST_CURSOR, f"the cursor takes {len(text)} bytes")
    for secret in desk.system.secrets:
        expect(secret.encode() not in text, "the cursor holds a secret")


@check(
    "an id is a text that stays the same, however the record is read",
    "turn ids into text in one place",
)
def ids_stay_the_same(desk: Desk) -> None:
    listed = [record.id for record in records(desk.pages(Reading.LISTING))]
    again = [record.id for record in records(desk.pages(Reading.LISTING))]
    expect(all(type(id) is str and id for id in listed), "an id is no text, or empty")
    expect(sorted(listed) == sorted(again), "a second listing names other ids")
    expect(sorted(listed) == sorted(desk.ids), f"listed as {sorted(listed)}, known as {sorted(desk.ids)}")
    read = desk.connector.read(desk.object, desk.ids, desk.harness.fields)
    answered = [one.id if isinstance(one, Record) else "" for one in read]
    expect(answered == desk.ids, f"read by {desk.ids} the records call themselves {answered}")


def _listed_ids(desk: Desk) -> set[str]:
    desk.settle()
    return {id for id, record in latest(desk.pages(Reading.LISTING)).items() if not record.deleted}


@fallback(
    "a record keeps its id when it is edited",
    "take the id from what never changes; where there is no such thing, claim content_ids",
)
def an_id_outlives_an_edit(desk: Desk) -> None:
    before = _listed_ids(desk)
    desk.edit(desk.ids[0], desk.fresh()[desk.harness.field])
    expect(_listed_ids(desk) == before, "after an edit a listing names other ids")


@check(
    "an id that is made of the content is another one after an edit, and the old one stands for nothing",
    "make the id of all that the record says, or do not claim content_ids",
    needs=Capability.CONTENT_IDS,
    otherwise=an_id_outlives_an_edit,
)
def an_id_follows_the_content(desk: Desk) -> None:
    before = _listed_ids(desk)
    desk.edit(desk.ids[0], desk.fresh()[desk.harness.field])
    after = _listed_ids(desk)
    left, came = sorted(before - after), sorted(after - before)
    expect((len(left), len(came)) == (1, 1), f"after an edit {len(left)} ids were gone, and {len(came)} new")
    (answer,) = desk.connector.read(desk.object, left, desk.harness.fields)
    expect(isinstance(answer, GoneItem), "the old id still answers with a record")


@check(
    "what a record says when it is read by id is what a listing says of it",
    "build records of both from the same description",
)
def reading_by_id_says_what_a_listing_says(desk: Desk) -> None:
    for id in desk.ids:
        read, there = desk.record(id), desk.listed(id)
        differing = [
            name
            for name in desk.harness.fields
            if plain(read.values.get(name)) != plain(there.values.get(name))
        ]
        expect(not differing, f"read by id, {differing} say something else than in a listing")
        expect(read.version == there.version, "read by id, a record has another version than in a listing")


@check(
    "the fields that are asked for come with what the system holds",
    "ask the system for exactly these fields; a field that was not said may not be guessed",
)
def records_hold_what_the_system_holds(desk: Desk) -> None:
    for id, record in latest(desk.pages(Reading.LISTING)).items():
        for name in (desk.harness.field, desk.harness.other):
            expect(name in record.values, f"`{name}` was asked for and is missing")
            expect(
                plain(record.values[name]) == desk.text(id, name), f"`{name}` is not what the system holds"
            )


@check(
    "a field that somebody emptied is said to be empty, not left out",
    "vendors that leave empty fields out need `omitted: empty`: a missing path means that nothing was said",
)
def an_emptied_field_is_said(desk: Desk) -> None:
    desk.edit(desk.ids[0], None)
    desk.settle()
    readings = (desk.record(desk.ids[0]), desk.listed(desk.ids[0]))
    for record in readings:
        expect(desk.harness.field in record.values, "the emptied field is not said at all")
        expect(plain(record.values[desk.harness.field]) is None, "the emptied field still says something")


@check(
    "stamps are aware moments and versions are text",
    "parse the system's stamps into UTC; give the version as text",
)
def stamps_and_versions_have_their_form(desk: Desk) -> None:
    for record in records(desk.pages(Reading.LISTING)):
        stamp = record.changed_at
        expect(stamp is None or stamp.tzinfo is not None, "a stamp has no time zone")
        expect(
            record.version is None or (type(record.version) is str and record.version),
            "a version is neither a text nor None",
        )


@check(
    "records that are read by id come in the order asked, one answer for each",
    "sort the system's answer by the ids that were asked for",
)
def reading_by_id_keeps_the_order(desk: Desk) -> None:
    gone = desk.make()
    desk.system.delete(gone)
    asked = [desk.ids[2], gone, desk.ids[0], desk.ids[1]]
    answered = desk.connector.read(desk.object, asked, desk.harness.fields)
    names = [one.id if isinstance(one, Record) and not one.deleted else None for one in answered]
    expect(names == [desk.ids[2], None, desk.ids[0], desk.ids[1]], f"asked for {asked}, answered {names}")


@check(
    "a deleted record, read by id, is gone",
    "a 404, or an answer without the record, is GoneItem: no error, no record with empty fields",
)
def a_deleted_record_is_gone(desk: Desk) -> None:
    desk.system.delete(desk.ids[0])
    (found,) = desk.connector.read(desk.object, desk.ids[:1], desk.harness.fields)
    expect(isinstance(found, GoneItem) or found.deleted, "a deleted record is answered as a living one")


@check(
    "a record that was joined into another one leads there",
    "say successor or aliases: else the hub takes a merged record for a deleted one",
)
def a_merged_record_leads_on(desk: Desk) -> None:
    loser, winner = desk.ids[:2]
    cursor = desk.position()
    kept = desk.system.merge(loser, winner)
    desk.settle()
    (found,) = desk.connector.read(desk.object, [loser], desk.harness.fields)
    told = found.successor == kept or (isinstance(found, Record) and found.id == kept)
    for record in records(desk.changes(cursor)):
        told = told or (record.id == loser and record.successor == kept)
        told = told or (record.id == kept and loser in record.aliases)
    expect(told, "nothing tells where the joined record went")


@fallback(
    "a record that was made can be found, if only in a listing",
    "without look-ups the listing is the only way to find a lost create",
)
def listings_show_new_records_at_last(desk: Desk) -> None:
    id = desk.make()
    desk.settle()
    expect(id in latest(desk.pages(Reading.LISTING)), "a new record is in no listing")


@check(
    "a look-up by key brings the record that holds the value, and no other",
    "escape the value for the query language; compare whole values",
    needs=Capability.LOOKUP_BY_KEY,
    otherwise=listings_show_new_records_at_last,
)
def look_ups_find_exactly(desk: Desk) -> None:
    number = 4711
    id = desk.system.make(desk.harness.values(number))
    desk.settle()
    for key in _keys(desk):
        value = desk.harness.values(number)[key]
        found = [one.id for one in desk.connector.find(desk.object, key, [value], desk.harness.fields)]
        expect(
            set(found) == {id}, f"looked up by `{key}`, {len(set(found))} records came for one that holds it"
        )


@check(
    "a look-up for a strange text finds nobody",
    "quote the value for the query language: it may be whatever people type",
    needs=Capability.LOOKUP_BY_KEY,
)
def look_ups_take_every_sign(desk: Desk) -> None:
    for key in _keys(desk):
        found, error = attempt(partial(desk.connector.find, desk.object, key, [NOWHERE], desk.harness.fields))
        expect(error is None, f"looked up by `{key}`: {error}")
        expect(not found, f"looked up by `{key}`, a text that nobody has finds somebody")


def _keys(desk: Desk) -> list[str]:
    keys = [key for key in desk.spec.keys if key in desk.harness.fields]
    if not keys:
        raise CannotPlay("`values` of the harness hold none of the object's keys")
    return keys


@check(
    "several records are read in fewer calls than one each",
    "give `read.many`, or do not claim batch_read: what calls cost is computed from it",
    needs=Capability.BATCH_READ,
)
def reading_by_id_goes_in_batches(desk: Desk) -> None:
    desk.connector.read(desk.object, desk.ids, desk.harness.fields)
    before = desk.system.way.calls
    desk.connector.read(desk.object, desk.ids, desk.harness.fields)
    made = desk.system.way.calls - before
    expect(made < len(desk.ids), f"{made} calls to read {len(desk.ids)} records")


@fallback(
    "what arrives as a webhook is refused where there are none",
    "raise Unauthorized: nobody sends them, so somebody forged it",
)
def webhooks_are_refused(desk: Desk) -> None:
    forged = WebhookRequest("POST", "https://hub.example/hooks", {}, b"[]")
    _, error = attempt(lambda: desk.connector.hints(forged))
    expect(isinstance(error, Unauthorized), f"an unsigned webhook ends with {type(error).__name__}")


@check(
    "a genuine webhook points at the record, one that was tampered with is refused",
    "check the signature over the raw body, in constant time, before anything is read",
    needs=Capability.WEBHOOKS,
    otherwise=webhooks_are_refused,
)
def forged_webhooks_are_refused(desk: Desk) -> None:
    desk.edit(desk.ids[0], "told")
    genuine = desk.system.webhooks()
    pointed = {hint.id for request in genuine for hint in desk.connector.hints(request)}
    expect(desk.ids[0] in pointed, "a genuine webhook does not point at the record that was edited")
    _tampered(desk, genuine)


def _tampered(desk: Desk, genuine: Sequence[WebhookRequest]) -> None:
    for request in genuine:
        for forged in (replace(request, body=request.body + b" "), replace(request, headers={})):
            _, error = attempt(partial(desk.connector.hints, forged))
            expect(isinstance(error, Unauthorized), "a webhook with another body or no signature is believed")
