"""Zendesk's background jobs: handing one in, and what its results say about each item (vendor sheet 4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from trueup.connectors.base import (
    Done,
    GoneItem,
    NotApplied,
    Outcome,
    Pending,
    RefusedItem,
    UnknownItem,
    WriteItem,
)
from trueup.connectors.paths import path
from trueup.connectors.records import text_id
from trueup.connectors.session import Session
from trueup.connectors.verdict import shorten
from trueup.connectors.zendesk.fields import about
from trueup.errors import Gone, Refused
from trueup.model.delivery import WriteKind
from trueup.model.record import Json

Place = Callable[[Mapping[str, Any]], int | None]
_BUSY = frozenset({"DatabaseConflict", "Conflict", "JobTimeout"})


def pending(answer: Json, count: int) -> list[Outcome]:
    """The outcomes of items that a job took."""
    id = text_id(path("job_status.id")(answer))
    return [Pending(id) if id else UnknownItem("the answer names no job")] * count


def poll(session: Session, object: str, job: str, items: Sequence[WriteItem]) -> list[Outcome]:
    """The outcomes of a job's items; all Pending while it runs.

    A job that nobody knows any more (states are kept an hour) leaves its items unknown, and so does one
    that failed or was killed for the items that it does not tell of: some of them may be done.
    """
    update = session.object(object).write.update
    words = update.job if update is not None else None
    if words is None:
        raise Refused(f"{object} has no jobs", connection=session.settings.name)
    try:
        answer = session.ask(words.status, {"object": object, "job": job}, f"{object}.job")
    except Gone:
        return [UnknownItem("the job is not known there any more")] * len(items)
    state = path(words.state)(answer.body)
    if state not in (*words.done, *words.failed):
        return [Pending(job)] * len(items)
    return _outcomes(path("job_status")(answer.body), items, str(state))


def _outcomes(status: Mapping[str, Any], items: Sequence[WriteItem], state: str) -> list[Outcome]:
    """One outcome for each item, from results in any order."""
    found: dict[int, Outcome] = {}
    results, whole = status.get("results"), status.get("total") == len(items)
    for result in results if isinstance(results, list) else []:
        if not isinstance(result, Mapping):
            continue
        index = _place(result, items, whole)
        if index is not None:
            found[index] = _outcome(result, items[index])
    silent = UnknownItem(f"the job ended as {state} and does not tell of this item")
    return [found.get(index, silent) for index in range(len(items))]


def _place(result: Mapping[str, Any], items: Sequence[WriteItem], whole: bool) -> int | None:
    """Whose result this is: by id, else by external id, else by e-mail, else by its number in the job, which
    says nothing where the items are not the `whole` job (some of it is settled)."""
    places: tuple[Place, ...] = (
        lambda result: _first(items, lambda item: bool(item.id) and item.id == text_id(result.get("id"))),
        lambda result: _first(items, lambda item: _same(item, "external_id", result.get("external_id"))),
        lambda result: _first(items, lambda item: _same(item, "email", result.get("email"))),
        lambda result: _number(result.get("index"), items) if whole else None,
    )
    return next((index for place in places if (index := place(result)) is not None), None)


def _first(items: Sequence[WriteItem], fits: Callable[[WriteItem], bool]) -> int | None:
    return next((index for index, item in enumerate(items) if fits(item)), None)


def _same(item: WriteItem, name: str, told: Json) -> bool:
    if item.kind is not WriteKind.CREATE or not told:
        return False
    wanted = item.upsert[1] if item.upsert and item.upsert[0] == name else item.values.get(name)
    return wanted is not None and str(wanted).casefold() == str(told).casefold()


def _number(value: Json, items: Sequence[WriteItem]) -> int | None:
    fits = isinstance(value, int) and 0 <= value < len(items) and items[value].kind is WriteKind.CREATE
    return value if fits else None


def _outcome(result: Mapping[str, Any], item: WriteItem) -> Outcome:
    error = str(result.get("error") or "")
    if result.get("success", True) and not error and str(result.get("status")) != "Failed":
        id = text_id(result.get("id")) or item.id
        return Done(id, created=_created(result, item)) if id else UnknownItem("the result names no id")
    details = result.get("details")
    says = shorten(details if isinstance(details, str) and details else error) or "refused without a reason"
    if error.endswith("NotFound") and item.id is not None:
        return GoneItem()
    if error in _BUSY:
        return NotApplied(says)
    return RefusedItem(says, about(item, says))


def _created(result: Mapping[str, Any], item: WriteItem) -> bool:
    return item.kind is WriteKind.CREATE and str(result.get("status")) != "Updated"
