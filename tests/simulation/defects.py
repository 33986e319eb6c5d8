"""Named mistakes, each made on purpose in one place: the world must find every one, by the check it is meant for.

A defect patches one function of the engine for the time of a trial; nothing of them is in the product.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from unittest.mock import patch

from trueup.connectors import reading as pages
from trueup.connectors import records, writing
from trueup.connectors.base import Done
from trueup.dedupe import normalise
from trueup.model.consent import ConsentState
from trueup.model.delivery import DeliveryState
from trueup.model.entity import LinkState
from trueup.store import land as landing
from trueup.store import leases
from trueup.store import settle as settling
from trueup.sync import decide, identifying, outbox
from trueup.sync.rules import acknowledge, creating, differences, evidence, ledger, reconcile

Patch = tuple[Any, str, Callable[[Any], Any]]
"""A place, the name there, and what is made of what stands there."""


@dataclass(frozen=True, slots=True)
class Defect:
    """One mistake. `killed_by`: the checks that are meant to find it."""

    name: str
    killed_by: frozenset[str]
    patches: tuple[Patch, ...]

    @contextmanager
    def made(self) -> Iterator[None]:
        with _all([patch.object(at, name, change(getattr(at, name))) for at, name, change in self.patches]):
            yield


@contextmanager
def _all(patches: list[Any]) -> Iterator[None]:
    for one in patches:
        one.start()
    try:
        yield
    finally:
        for one in reversed(patches):
            one.stop()


def defect(name: str, killed_by: str, *patches: Patch) -> Defect:
    return Defect(name, frozenset(killed_by.split(", ")), patches)


def _always(value: Any) -> Callable[[Any], Any]:
    return lambda original: lambda *args, **kwargs: value


def _changed(answer: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The same function, with its answer changed."""
    return lambda original: lambda *args, **kwargs: answer(original(*args, **kwargs))


# -- reading ------------------------------------------------------------------------------------------------


def _ahead(seconds: float) -> Callable[[Any], Any]:
    def change(original: Any) -> Any:
        def since(words: Any, moment: Any) -> Any:
            return original(words, moment + timedelta(seconds=seconds))

        return since

    return change


def _without_overlap(original: Any) -> Any:
    def since(words: Any, moment: Any) -> Any:
        return original(words.model_copy(update={"lookback": 0.0, "granularity": 0.0}), moment)

    return since


def _cursor_from_now(original: Any) -> Any:
    """The position is taken when the reading ends, not when it began."""

    def moved_on(spec: Any, position: Any, found: Any, after: Any, stamp: Any, answer: Any) -> Any:
        cursor, more = original(spec, position, found, after, stamp, answer)
        if not more and cursor and "since" in cursor:
            from datetime import datetime

            later = datetime.fromisoformat(cursor["since"]) + timedelta(seconds=90)
            cursor = {**cursor, "since": later.isoformat()}
        return cursor, more

    return moved_on


READING = (
    defect("strict > instead of >=", "cursor safety, no lost update, convergence", (pages, "filter_stamp", _ahead(0.5))),
    defect("no overlap", "cursor safety, no lost update, convergence", (pages, "filter_stamp", _without_overlap)),
    defect("cursor from the end of the reading", "cursor safety, no lost update, convergence", (pages, "_moved_on", _cursor_from_now)),
    defect("older versions are evidence", "no resurrection, no lost update, convergence, silence, bounded cost", (landing, "older", _always(False))),
    defect("redirect ignored", "links are sane, convergence, no lost update", (records.RecordReader, "read_whole", _changed(lambda one: replace(one, successor=None, deleted=one.deleted or one.successor is not None) if hasattr(one, "successor") else one))),
)  # fmt: skip


# -- deciding -----------------------------------------------------------------------------------------------


def _no_clears(original: Any) -> Any:
    def claims(one: Any, table: Any) -> Any:
        return (claim for claim in original(one, table) if claim.value not in (None, []))

    return claims


def _without(name: str, value: Any) -> Callable[[Any], Any]:
    return _changed(lambda plan: replace(plan, **{name: value}))


def _newest_opt(original: Any) -> Any:
    """The newest word counts, whatever it says."""

    def state(events: Any, channel: str, purpose: str) -> Any:
        mine = [one for one in events if (one.channel, one.purpose) == (channel, purpose)]
        return mine[-1].state if mine and len(mine) % 2 else ConsentState.UNKNOWN

    return state


def _evidence_of_unsettled(original: Any) -> Any:
    def seen(*args: Any) -> Any:
        return replace(original(*args), unsettled=frozenset())

    return seen


DECIDING = (
    defect("a clearing is no edit", "no resurrection, convergence", (evidence, "claims", _no_clears), (reconcile.evidence, "claims", _no_clears)),
    defect("losers are forgotten", "no lost update, no resurrection", (decide, "reconcile", _without("conflicts", ()))),
    defect("history is forgotten", "no lost update", (decide, "reconcile", _without("changes", ()))),
    defect("opt-out by the newest word", "opt-outs only tighten, opt-outs hold", (ledger, "state", _newest_opt)),
    defect("unsettled writes are evidence", "no resurrection, no lost update, convergence, silence, bounded cost", (reconcile, "_seen", _evidence_of_unsettled)),
    defect("a deleted person is made again", "no phantom, no duplicate, links are sane", (creating, "create", lambda original: lambda stream, after, links, standing, *rest: original(stream, after, links, [one for one in standing if one.state is not LinkState.TOMBSTONE], *rest))),
    defect("raw values are compared", "silence, bounded cost, convergence", (differences, "alike", lambda original: lambda binding, keeps, has: keeps == has and str(keeps).islower())),
    defect("everybody is a stranger", "no duplicate, links are sane", (identifying, "match_keys", _always([]))),
    defect("addresses are told apart by case", "no duplicate", (normalise, "email_subject_key", lambda original: lambda email: email.strip()), (normalise, "email_key", lambda original: lambda email: email)),
    defect("nothing follows a decision", "convergence", (decide, "reconcile", _without("writes", ()))),
    defect("an opt-out is not written", "opt-outs hold", (reconcile, "for_new_address", _always([])), (differences, "must_change", _always(False))),
)  # fmt: skip


# -- delivering ---------------------------------------------------------------------------------------------


def _sent_without_a_word(original: Any) -> Any:
    """The call is made though nothing says that it will be."""

    def send(tx: Any, ids: Any, worker: Any, at: Any, fence: Any) -> Any:
        return list(ids)

    return send


def _no_version(original: Any) -> Any:
    def item(self: Any, stream: Any, delivery: Any) -> Any:
        return replace(original(self, stream, delivery), version=None)

    return item


def _all_done(original: Any) -> Any:
    def results(session: Any, object: Any, words: Any, items: Any, fields: Any, answer: Any) -> Any:
        told = original(session, object, words, items, fields, answer)
        return [
            one if isinstance(one, Done) else Done(item.id or f"x-{item.key}")
            for one, item in zip(told, items, strict=True)
        ]

    return results


def _tried_again(original: Any) -> Any:
    """What is unknown is simply sent once more."""

    def unknown(delivery: Any, reason: str, lag: float, now: Any) -> Any:
        return acknowledge.again(delivery, reason, None, 0.5, now)

    return unknown


def _at_once(original: Any) -> Any:
    return lambda delivery, reason, lag, now: original(delivery, reason, 0.0, now)


def _landed(original: Any) -> Any:
    """Whatever is in doubt has surely arrived."""

    def resolved(delivery: Any, record: Any, keeps: Any, lag: float, now: Any) -> Any:
        if delivery.link.remote_id is None:
            return original(delivery, record, keeps, lag, now)
        return acknowledge.done(delivery, delivery.link.remote_id, None, lag, now)

    return resolved


def _forgotten(original: Any) -> Any:
    def settle_one(known: Any, rows: Any, newcomers: Any, one: Any, row: Any, at: Any) -> Any:
        if one.state is DeliveryState.DUE and one.error:
            one = replace(one, state=DeliveryState.SUPERSEDED, due="")
        return original(known, rows, newcomers, one, row, at)

    return settle_one


DELIVERING = (
    defect("intent after the call", "no effect without intent", (outbox.Push, "_still_there", lambda original: original), (settling, "check", lambda original: original), (leases, "check", lambda original: original)),
    defect("no guard by version", "no lost update, no resurrection", (outbox.Push, "_item", _no_version), (outbox.Push, "_guarded", lambda original: lambda self, stream, batch: batch)),
    defect("a batch's summary is believed", "convergence, links are sane, no lost update, run ends", (writing, "match_results", _all_done)),
    defect("what is unknown is sent again", "no duplicate, no lost update, no resurrection", (acknowledge, "unknown", _tried_again), (outbox.acknowledge, "unknown", _tried_again)),
    defect("doubt does not wait", "no duplicate, no resurrection, no lost update", (acknowledge, "unknown", _at_once), (outbox.acknowledge, "unknown", _at_once)),
    defect("doubt is taken for arrival", "convergence, no resurrection, no lost update", (acknowledge, "doubt_resolved", _landed), (outbox.acknowledge, "doubt_resolved", _landed)),
    defect("what failed is forgotten", "convergence, opt-outs hold", (settling, "_settle_one", _forgotten)),
    defect("no fencing", "fencing, no duplicate, no lost update, no resurrection", (landing, "check", _always(None)), (settling, "check", _always(None))),
)  # fmt: skip

DEFECTS: Mapping[str, Defect] = {one.name: one for one in (*READING, *DECIDING, *DELIVERING)}
