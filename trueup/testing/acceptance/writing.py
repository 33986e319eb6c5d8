"""Checks of writing: what is changed and what is not, and whose outcome is whose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from trueup.connectors.base import (
    Capability,
    Done,
    GoneItem,
    Outcome,
    RefusedItem,
    StaleItem,
    WriteItem,
)
from trueup.errors import Refused
from trueup.model.delivery import WriteKind
from trueup.model.record import Json, Reading
from trueup.testing.acceptance.checks import check, expect, fallback
from trueup.testing.acceptance.desk import Desk, attempt, guarded, latest, plain
from trueup.testing.acceptance.harness import CannotPlay
from trueup.testing.acceptance.moving import reading_by_id_shows_edits_at_once

WRITTEN = "written"
MOST_ITEMS = 200


def _done(outcome: Outcome, what: str) -> Done:
    expect(isinstance(outcome, Done), f"{what} ended with {_told(outcome)}")
    assert isinstance(outcome, Done)
    return outcome


def _told(outcome: Outcome) -> str:
    reason = getattr(outcome, "reason", "")
    return f"{type(outcome).__name__}({reason})"


def _holds(desk: Desk, id: str, values: Mapping[str, Json]) -> bool:
    held = desk.system.look(id)
    names = (desk.harness.field, desk.harness.other)
    return held is not None and all(plain(held.get(name)) == plain(values.get(name)) for name in names)


@check(
    "a create names the record that it made, under the id by which it is read later",
    "take the id out of the system's answer; look it up by key where the answer has none",
)
def a_create_names_its_record(desk: Desk) -> None:
    item, before = desk.creation(), desk.system.ids()
    done = _done(desk.write(item)[0], "a create")
    expect(type(done.id) is str, "the id is no text")
    expect(desk.system.ids() - before == {done.id}, "it does not name the one record that was made")
    expect(_holds(desk, done.id, item.values), "the record does not hold what was written")
    expect(done.created, "the outcome does not say that a record was made")


@check(
    "a record that was written can be read by its id at once",
    "reads by id must not go to a search index that lags",
)
def what_is_written_can_be_read(desk: Desk) -> None:
    done = _done(desk.write(desk.creation())[0], "a create")
    desk.record(done.id)
    _done(desk.write(desk.change(desk.ids[0], WRITTEN))[0], "an update")
    said = plain(desk.record(desk.ids[0]).values.get(desk.harness.field))
    expect(said == WRITTEN, f"read back at once, the record says {said!r}")


@check(
    "the record in the answer to a write is what the system keeps",
    "build it from the answer, not from what was sent, or do not claim answers_with_record",
    needs=Capability.ANSWERS_WITH_RECORD,
)
def answers_hold_what_is_kept(desk: Desk) -> None:
    done = _done(desk.write(desk.change(desk.ids[0], WRITTEN))[0], "an update")
    expect(done.record is not None, "the outcome holds no record")
    assert done.record is not None
    read = desk.record(desk.ids[0])
    expect(
        done.record.id == read.id and done.record.version == read.version,
        "the record in the outcome has another id or version than the one that is there",
    )
    expect(desk.harness.field in done.record.values, "the record does not say what was written")
    for name, value in done.record.values.items():
        kept = plain(read.values.get(name))
        expect(
            name not in read.values or plain(value) == kept, f"`{name}` of the outcome is not what is kept"
        )


@check(
    "an update changes the record with its id and the fields that it names, nothing else",
    "send only the values of the item; what people changed meanwhile in other fields must stay",
)
def an_update_changes_what_it_names(desk: Desk) -> None:
    desk.pages(Reading.LISTING)
    desk.connector.read(desk.object, desk.ids, desk.harness.fields)
    for id in desk.ids:
        desk.system.edit(id, {desk.harness.other: f"by hand {id}"[:30]})
    others = {id: dict(desk.system.look(id) or {}) for id in desk.ids[1:]}
    _done(desk.write(desk.change(desk.ids[0], WRITTEN))[0], "an update")
    expect(desk.text(desk.ids[0]) == WRITTEN, "the field was not written")
    expect(
        desk.text(desk.ids[0], desk.harness.other) == f"by hand {desk.ids[0]}"[:30],
        "a field that the update does not name was changed",
    )
    for id, held in others.items():
        now = desk.system.look(id) or {}
        expect(
            all(now.get(name) == held.get(name) for name in desk.harness.fields), "another record was changed"
        )


@check(
    "None empties a field",
    "say how the system is told to empty a field: `clear`; leaving it out leaves it as it is",
)
def none_empties_a_field(desk: Desk) -> None:
    other = desk.text(desk.ids[0], desk.harness.other)
    _done(desk.write(desk.change(desk.ids[0], None))[0], "an update that empties a field")
    expect(desk.text(desk.ids[0]) is None, f"the field still holds {desk.text(desk.ids[0])!r}")
    expect(desk.text(desk.ids[0], desk.harness.other) == other, "another field was emptied too")


@check(
    "outcomes stand in the order of their items",
    "match the system's results by a tag or id; by position only if the vendor promises the order",
)
def outcomes_stand_in_the_order_of_items(desk: Desk) -> None:
    items = [desk.creation() for _ in range(3)]
    for item, outcome in zip(items, desk.write(*items), strict=True):
        expect(
            _holds(desk, _done(outcome, "a create").id, item.values),
            "an outcome names the record of another item",
        )
    changes = [desk.change(id, f"for {id}"[:30]) for id in reversed(desk.ids)]
    for change, outcome in zip(changes, desk.write(*changes), strict=True):
        expect(_done(outcome, "an update").id == change.id, "an outcome names the record of another item")
        expect(_holds_text(desk, change), "an update of a batch went to another record")


def _holds_text(desk: Desk, change: WriteItem) -> bool:
    assert change.id is not None
    return bool(desk.text(change.id) == change.values[desk.harness.field])


@check(
    "an item that the system refuses is the one that is refused, and the others are written",
    "attribute errors by tag, id or index; a batch refused as a whole is sent again in halves",
)
def an_error_meets_its_item(desk: Desk) -> None:
    wrong = desk.item(WriteKind.UPDATE, desk.ids[1], values=desk.harness.wrong)
    first, _, last = outcomes = desk.write(
        desk.change(desk.ids[0], WRITTEN), wrong, desk.change(desk.ids[2], WRITTEN)
    )
    told = [_told(outcome) for outcome in outcomes]
    expect(isinstance(outcomes[1], RefusedItem), f"the wrong item stands second; the outcomes are {told}")
    expect(isinstance(first, Done) and isinstance(last, Done), f"right items beside a wrong one: {told}")
    for id in (desk.ids[0], desk.ids[2]):
        expect(desk.text(id) == WRITTEN, "an item that was called done is not written")


@check(
    "a create that the system refuses is the one that is refused, and the others are made",
    "results of creates carry no ids yet: match them by tag or index",
)
def an_error_meets_its_create(desk: Desk) -> None:
    items = [desk.creation() for _ in range(3)]
    items[1] = replace(items[1], values={**items[1].values, **desk.harness.wrong})
    before = desk.system.ids()
    outcomes = desk.write(*items)
    told = [_told(outcome) for outcome in outcomes]
    expect(isinstance(outcomes[1], RefusedItem), f"the wrong item stands second; the outcomes are {told}")
    for at in (0, 2):
        done = _done(outcomes[at], "a right create beside a wrong one")
        expect(_holds(desk, done.id, items[at].values), "an outcome names the record of another item")
    expect(len(desk.system.ids() - before) == 2, "not exactly the right ones were made")


@check(
    "a refusal names the field that it is about",
    "read the field out of the system's error: a person, and the hub, set just this field aside",
)
def a_refusal_names_its_field(desk: Desk) -> None:
    (outcome,) = desk.write(desk.item(WriteKind.UPDATE, desk.ids[0], values=desk.harness.wrong))
    expect(isinstance(outcome, RefusedItem), f"a wrong value ended with {_told(outcome)}")
    assert isinstance(outcome, RefusedItem)
    field = next(iter(desk.harness.wrong))
    expect(field in outcome.fields, f"`{field}` is wrong; the refusal names {sorted(outcome.fields)}")
    expect(outcome.reason, "the refusal gives no reason")


@check(
    "as many items as the object allows can be written at once, each with its outcome",
    "`write_batch` is the vendor's limit for a call; larger ones are the connector's to split",
    many=True,
)
def full_batches_are_written(desk: Desk) -> None:
    most = min(desk.spec.write_batch, MOST_ITEMS)
    ids = desk.ids[:most]
    outcomes = desk.write(*[desk.change(id, WRITTEN) for id in ids])
    told = sorted({type(outcome).__name__ for outcome in outcomes})
    expect(told == ["Done"], f"{len(ids)} updates ended with {told}")
    lost = [id for id in ids if desk.text(id) != WRITTEN]
    expect(not lost, f"{len(lost)} of {len(ids)} updates that were called done are not written")


@check(
    "several records are written in fewer calls than one each",
    "use the vendor's batch endpoint, or do not claim batch_write: what calls cost is computed from it",
    needs=Capability.BATCH_WRITE,
)
def writing_goes_in_batches(desk: Desk) -> None:
    desk.write(desk.change(desk.ids[0], "warm"))
    before = desk.system.way.writes
    desk.write(*[desk.change(id, WRITTEN) for id in desk.ids])
    made = desk.system.way.writes - before
    expect(made < len(desk.ids), f"{made} writing calls for {len(desk.ids)} updates")


@check(
    "an update of a record that was deleted is gone, not done and not refused",
    "the system's 404 or 410 for an item is GoneItem; the hub then looks for the successor",
)
def an_update_of_a_deleted_record_is_gone(desk: Desk) -> None:
    before = desk.system.ids()
    desk.system.delete(desk.ids[1])
    outcomes = desk.write(desk.change(desk.ids[0], WRITTEN), desk.change(desk.ids[1], WRITTEN))
    expect(isinstance(outcomes[1], GoneItem), f"it ended with {_told(outcomes[1])}")
    _done(outcomes[0], "an update beside it")
    expect(desk.system.ids() == before - {desk.ids[1]}, "a record was made or brought back by an update")


@check(
    "a write with an old version is stale and changes nothing, one with the current version is done",
    "give the version to the system and let it decide; a comparison here leaves a gap for edits",
    needs=Capability.CONDITIONAL_WRITE,
    otherwise=reading_by_id_shows_edits_at_once,
)
def stale_versions_are_refused(desk: Desk) -> None:
    version = desk.record(desk.ids[0]).version
    desk.system.wait(2)
    desk.edit(desk.ids[0], "by somebody")
    (outcome,) = desk.write(guarded(desk.change(desk.ids[0], WRITTEN), version))
    expect(isinstance(outcome, StaleItem), f"guarded with an old version it ended with {_told(outcome)}")
    expect(desk.text(desk.ids[0]) == "by somebody", "an edit was written over in spite of the guard")
    now = desk.record(desk.ids[0]).version
    _done(
        desk.write(guarded(desk.change(desk.ids[0], WRITTEN), now))[0], "an update with the current version"
    )


@fallback("a deletion that cannot be done is refused", "without the capability a delete must not look done")
def deletions_are_refused(desk: Desk) -> None:
    item = desk.item(WriteKind.DELETE, desk.ids[0])
    outcomes, error = attempt(lambda: desk.write(item))
    refused = isinstance(error, Refused) or (
        isinstance(outcomes, list) and isinstance(outcomes[0], RefusedItem)
    )
    expect(refused, "a delete that the connector does not claim is not refused")
    expect(desk.ids[0] in desk.system.ids(), "a delete that the connector does not claim was carried out")


@check(
    "a delete takes away its record alone; a second one finds it gone",
    "a 404 on a delete is GoneItem or Done: what is to be gone is gone",
    needs=Capability.DELETE,
    otherwise=deletions_are_refused,
)
def deletes_take_their_record(desk: Desk) -> None:
    before = desk.system.ids()
    _done(desk.write(desk.item(WriteKind.DELETE, desk.ids[0]))[0], "a delete")
    expect(desk.system.ids() == before - {desk.ids[0]}, "not exactly this record is gone")
    (again,) = desk.write(desk.item(WriteKind.DELETE, desk.ids[0]))
    expect(isinstance(again, Done | GoneItem), f"a second delete ended with {_told(again)}")


@fallback(
    "a record that was made can be found again before it is made a second time",
    "without upserts the hub looks by key, or in a listing, before it repeats a create",
)
def a_created_record_can_be_found(desk: Desk) -> None:
    item = desk.creation()
    done = _done(desk.write(item)[0], "a create")
    desk.settle()
    expect(done.id in _found(desk, item), "a record that was made a while ago is not found")


def _found(desk: Desk, item: WriteItem) -> set[str]:
    keys = [key for key in desk.spec.keys if key in item.values]
    if not desk.can(Capability.LOOKUP_BY_KEY) or not keys:
        return set(latest(desk.pages(Reading.LISTING)))
    return {
        one.id
        for one in desk.connector.find(desk.object, keys[0], [item.values[keys[0]]], desk.harness.fields)
    }


@check(
    "a create that is repeated with the same key makes one record and names it again",
    "use the vendor's upsert, or its unique key and what its refusal names",
    needs=Capability.UPSERT_BY_KEY,
    otherwise=a_created_record_can_be_found,
)
def a_repeated_upsert_makes_one_record(desk: Desk) -> None:
    item = desk.creation()
    keys = [key for key in desk.spec.keys if key in item.values]
    if not keys:
        raise CannotPlay("`values` of the harness hold none of the object's keys")
    item, before = replace(item, upsert=(keys[0], item.values[keys[0]])), desk.system.ids()
    first = _done(desk.write(item)[0], "a create with an upsert key")
    (second,) = desk.write(replace(item, key="key-again"))
    expect(len(desk.system.ids() - before) == 1, "the repeated create made a second record")
    named = second.id if isinstance(second, Done) else getattr(second, "existing_id", None)
    expect(named == first.id, f"the repeated create ended with {_told(second)} and names another record")


@check(
    "a request that is repeated with the same key acts once",
    "send the item's key as the vendor's idempotency key",
    needs=Capability.IDEMPOTENCY_KEY,
)
def a_repeated_request_acts_once(desk: Desk) -> None:
    item, before = desk.creation(), desk.system.ids()
    first = _done(desk.write(item)[0], "a create")
    second = _done(desk.write(item)[0], "the same create again")
    expect(len(desk.system.ids() - before) == 1, "the repeated create made a second record")
    expect(first.id == second.id, "the repeated create names another record")


@fallback(
    "no write waits for a remote job", "Pending belongs to async_batch alone: nobody would ask about the job"
)
def writes_do_not_wait(desk: Desk) -> None:
    outcomes = desk.connector.write(desk.object, [desk.change(desk.ids[0], WRITTEN)], desk.harness.fields)
    _done(outcomes[0], "an update")


@check(
    "a remote job is asked about by anybody until it tells each item's outcome",
    "the job's id must be all that is needed to ask; results are matched as those of a batch",
    needs=Capability.ASYNC_BATCH,
    otherwise=writes_do_not_wait,
)
def jobs_can_be_asked_about(desk: Desk) -> None:
    wrong = desk.item(WriteKind.UPDATE, desk.ids[1], values=desk.harness.wrong)
    items = [desk.change(desk.ids[0], WRITTEN), wrong, desk.change(desk.ids[2], WRITTEN)]
    taken = desk.connector.write(desk.object, items, desk.harness.fields)
    desk.connector = desk.another()
    outcomes = desk.finished(items, list(taken))
    told = [_told(outcome) for outcome in outcomes]
    expect(
        [type(one) for one in outcomes] == [Done, RefusedItem, Done], f"the outcomes of the job are {told}"
    )


@fallback(
    "two records are not joined by a connector that cannot",
    "refuse the write: a merge is never done in another way",
)
def merges_are_refused(desk: Desk) -> None:
    before = desk.system.ids()
    item = desk.item(WriteKind.MERGE, desk.ids[0], merge_into=desk.ids[1])
    outcomes, error = attempt(lambda: desk.write(item))
    refused = isinstance(error, Refused) or (
        isinstance(outcomes, list) and isinstance(outcomes[0], RefusedItem)
    )
    expect(refused, "a merge that the connector does not claim is not refused")
    expect(desk.system.ids() == before, "a merge that the connector does not claim did something")


@check(
    "joining two records leaves one, and names it",
    "the outcome's id is the record that stays, also where the vendor makes a third of the two",
    needs=Capability.MERGE,
    otherwise=merges_are_refused,
)
def merges_leave_one_record(desk: Desk) -> None:
    before = desk.system.ids()
    item = desk.item(WriteKind.MERGE, desk.ids[0], merge_into=desk.ids[1])
    done = _done(desk.write(item)[0], "a merge")
    left = desk.system.ids()
    expect(len(left) == len(before) - 1, f"{len(before)} records became {len(left)}")
    expect(done.id in left and desk.ids[2] in left, "the record that is named is not the one that is left")
