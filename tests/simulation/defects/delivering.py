"""Mistakes in delivering: guards, doubt, retries, answers, ownership."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.simulation.defects.base import always, answering, defect, instead
from tests.simulation.defects.histories import (
    ALPHA,
    BETA,
    SETTLED,
    goes_wrong,
    history,
    newcomer,
)
from trueup.connectors import writing
from trueup.connectors.base import Done, RefusedItem, UnknownItem
from trueup.connectors.http import HttpClient
from trueup.model.delivery import DeliveryState, Settlement
from trueup.model.entity import LinkState
from trueup.store import commit, decide, founding, identify, land
from trueup.store import outbox as rows
from trueup.store import settle as settling
from trueup.sync import outbox, payload
from trueup.sync.rules import acknowledge
from trueup.sync.rules.guard import Meter


def _not_sent(original: Any, tx: Any, revisions: Any, *rest: Any) -> Any:
    """The call is made though nothing says that it will be."""
    return list(revisions)


def _full_record(original: Any, parts: Any, stream: Any, delivery: Any) -> Any:
    item = original(parts, stream, delivery)
    mapped = {one.remote for one in parts.policy.mappings[stream].bindings if not one.consent}
    held = {path: value for path, value in delivery.link.observed.items() if path in mapped}
    return replace(item, values={**held, **item.values})


def _no_version(original: Any, parts: Any, stream: Any, delivery: Any) -> Any:
    return replace(original(parts, stream, delivery), version=None)


def _without_empty(original: Any, parts: Any, stream: Any, delivery: Any) -> Any:
    item = original(parts, stream, delivery)
    return replace(
        item, values={name: value for name, value in item.values.items() if value not in (None, [])}
    )


def _all_done(original: Any, session: Any, object: Any, words: Any, items: Any, *rest: Any) -> Any:
    told = original(session, object, words, items, *rest)
    pairs = zip(told, items, strict=True)
    return [one if isinstance(one, Done) else Done(item.id or f"x-{item.key}") for one, item in pairs]


def _only_settled(original: Any, tx: Any, links: Any) -> Any:
    """What a link missed is loaded only where nothing is being made."""
    known = {one.id: one for one in original(tx, [one for one in links if one.state is not LinkState.WANTED])}
    return [known.get(one.id, one) for one in links]


def _silent_done(original: Any, session: Any, object: Any, words: Any, items: Any, *rest: Any) -> Any:
    """The summary is believed: what no item tells of is done."""
    told = original(session, object, words, items, *rest)
    pairs = zip(told, items, strict=True)
    return [Done(item.id or "") if isinstance(one, UnknownItem) and item.id else one for one, item in pairs]


def _in_order(original: Any, session: Any, object: Any, words: Any, items: Any, *rest: Any) -> Any:
    """Outcomes are taken in another order than they were asked for."""
    return list(reversed(original(session, object, words, items, *rest)))


def _to_the_next(original: Any, self: Any, stream: Any, batch: Any) -> Any:
    """Each write of a batch goes to the record of the one after it."""
    turned = [*batch[1:], *batch[:1]]
    pairs = zip(batch, turned, strict=True)
    return original(
        self,
        stream,
        [
            replace(one, link=other.link) if one.link.remote_id and other.link.remote_id else one
            for one, other in pairs
        ],
    )


def _nameless(original: Any, *args: Any, **kwargs: Any) -> Any:
    return replace(original(*args, **kwargs), remote_id=None)


def _again(original: Any, delivery: Any, reason: str, lag: float, now: Any, *code: str) -> Any:
    return acknowledge.again(delivery, reason, None, 0.5, now)


def _at_once(original: Any, delivery: Any, reason: str, lag: float, now: Any, *code: str) -> Any:
    return original(delivery, reason, 0.0, now, *code)


def _landed(original: Any, delivery: Any, record: Any, keeps: Any, lag: float, now: Any) -> Any:
    if delivery.link.remote_id is None:
        return original(delivery, record, keeps, lag, now)
    return acknowledge.done(delivery, delivery.link.remote_id, None, lag, now)


def _never_landed(original: Any, delivery: Any, record: Any, keeps: Any, lag: float, now: Any) -> Any:
    return acknowledge._unlanded(delivery, now)


def _untouched(original: Any, delivery: Any, record: Any, keeps: Any, lag: float, now: Any) -> Any:
    """What is found otherwise than it was sent did not arrive, whoever wrote there meanwhile."""
    found = original(delivery, record, keeps, lag, now)
    return acknowledge._unlanded(delivery, now) if found.state is DeliveryState.OVERTAKEN else found


def _forgotten(original: Any, known: Any, found: Any, newcomers_: Any, one: Any, row: Any, at: Any) -> Any:
    if one.state is DeliveryState.DUE and one.error:
        one = replace(one, state=DeliveryState.SUPERSEDED, due="")
    return original(known, found, newcomers_, one, row, at)


def _as_done(original: Any, delivery: Any, now: Any) -> Any:
    return acknowledge.done(delivery, delivery.link.remote_id, None, 0.0, now)


def _abandoned_is_due(original: Any, tx: Any, gone: Any, lags: Any) -> int:
    """What a dead worker sent is simply sent once more."""
    return int(tx.run("update deliveries set state = 'due' where open = 1 and state = 'sent'"))


def _doubt_is_unsent(original: Any, open: Any, writes: Any) -> Any:
    """A newer decision takes the place of a write in doubt."""
    some = [
        replace(one, state=DeliveryState.DUE) if one.state is DeliveryState.DOUBT else one for one in open
    ]
    return original(some, writes)


def _nothing_assumed(original: Any, *args: Any, **kwargs: Any) -> Any:
    return replace(original(*args, **kwargs), assumed={})


def _nothing_observed(original: Any, *args: Any, **kwargs: Any) -> Any:
    return replace(original(*args, **kwargs), observed={}, assumed={})


def _one_bad_all_bad(original: Any, self: Any, stream: Any, batch: Any, error: Any) -> Any:
    return [RefusedItem(error.message, error.fields, code=error.code)] * len(batch)


def _quietly(original: Any, *args: Any) -> Settlement:
    """Nobody decides again about what was overtaken."""
    return replace(original(*args), due="")


def _without_clearings(original: Any, plan: Any) -> str:
    """The history keeps no word of what was taken away."""
    return str(original(replace(plan, changes=tuple(one for one in plan.changes if one.new))))


LOST = "no lost update, no lost element, no resurrection, hub edits hold"
TWICE = "no duplicate"
STILL = "convergence, opt-outs hold"

DELIVERING = (
    defect(
        "answers and what was read back have no time",
        "an-older-view-after-a-list-was-read-back",
        "what was taken stays away",
        (acknowledge, "done", answering(lambda done: replace(done, told=False, changed_at=None))),
    ),
    defect("the call before the intent", 0, "no effect without intent", (rows, "send", instead(_not_sent))),
    defect(
        "a write goes to another record",
        0,
        "no effect without intent",
        (outbox.Push, "_write", instead(_to_the_next)),
    ),
    defect(
        "the whole record is written",
        0,
        "no effect without intent",
        (payload, "item", instead(_full_record)),
    ),
    defect("emptying never leaves", 0, f"{STILL}, {LOST}", (payload, "item", instead(_without_empty))),
    defect(
        "no guard",
        3,
        LOST,
        (payload, "item", instead(_no_version)),
        (outbox.Push, "_guarded", instead(lambda original, self, stream, batch: batch)),
    ),
    defect("no guard by version", 3, LOST, (payload, "item", instead(_no_version))),
    defect(
        "the summary of a batch is believed",
        85,
        f"{STILL}, {LOST}",
        (writing, "match_results", instead(_silent_done)),
    ),
    defect(
        "outcomes are mixed up",
        3,
        f"{STILL}, {LOST}, links are sane, run ends, {TWICE}",
        (writing, "match_results", instead(_in_order)),
    ),
    defect(
        "an answer without an id is success",
        "a-create-whose-answer-was-empty",
        f"{STILL}, {TWICE}, links are sane",
        (writing, "text_id", answering(lambda id: id or "?")),
    ),
    defect(
        "what is unknown is sent again", 16, f"{TWICE}, {LOST}", (acknowledge, "unknown", instead(_again))
    ),
    defect(
        "doubt does not wait",
        history(newcomer(ALPHA), goes_wrong(BETA, "create", "late"), *SETTLED),
        f"{TWICE}, {LOST}",
        (acknowledge, "unknown", instead(_at_once)),
    ),
    defect(
        "doubt is taken for arrival",
        13,
        f"{STILL}, {LOST}",
        (acknowledge, "doubt_resolved", instead(_landed)),
    ),
    defect(
        "doubt is taken for loss",
        16,
        f"{TWICE}, {LOST}, silence, run ends",
        (acknowledge, "doubt_resolved", instead(_never_landed)),
    ),
    defect(
        "what failed is forgotten",
        5,
        f"{STILL}, nothing waits for nobody, {LOST}",
        (settling, "_settle_one", instead(_forgotten)),
    ),
    defect(
        "stale is taken for done",
        "a-write-that-was-stale",
        f"{STILL}, {LOST}",
        (acknowledge, "stale", instead(_as_done)),
    ),
    defect(
        "what a dead worker sent is left",
        29,
        f"nothing waits for nobody, silence, {STILL}",
        (rows, "abandoned", always(0)),
    ),
    defect(
        "lists may lag, and nobody thinks of it",
        2,
        f"winners are people, {LOST}, {STILL}, silence",
        (acknowledge, "done", instead(_nothing_assumed)),
    ),
    defect(
        "our own writes are news",
        0,
        f"{LOST}, {STILL}, silence, bounded cost",
        (acknowledge, "done", instead(_nothing_observed)),
    ),
    defect(
        "a system's words are shown as they are",
        9,
        "no secret is told",
        (HttpClient, "_mask", instead(lambda original, self, text: text)),
    ),
    defect(
        "fuses never trip",
        44,
        "fuses hold",
        (Meter, "tripped", always(False)),
    ),
    defect(
        "clearings are not in the history",
        0,
        "history rebuilds state",
        (commit, "told", instead(_without_clearings)),
    ),
    defect(
        "of what moves while a create is on the way only the last is remembered",
        "moved-twice-while-its-create-was-in-doubt",
        "convergence",
        (decide, "_caught", instead(_only_settled)),
    ),
    defect(
        "no fencing",
        26,
        "fencing",
        *((room, "check", always(None)) for room in (commit, founding, identify, land, settling, rows)),
    ),
)
