"""HubSpot's communication preferences as fields `subscription.<Name>` of a contact.

A value is `{"status": "opted_in" | "opted_out" | "unknown", "at": ISO time or None, "source": text or
None}`; in a write HubSpot's own words are understood as well. Where merges left the contact several
addresses, `elsewhere` lists those of the further ones that opted out: `{"address", "at"}` each. HubSpot
keeps preferences by e-mail address, a hundred to a call (communication preferences v4).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from trueup.connectors.base import Outcome, RefusedItem, UnknownItem, WriteItem
from trueup.connectors.expected import id_in, number, rows
from trueup.connectors.http import Call
from trueup.connectors.session import Session
from trueup.connectors.verdict import Effect, as_outcome, shorten
from trueup.errors import Malformed
from trueup.model.record import Json, legible

PREFIX = "subscription."
_STATUS = {"SUBSCRIBED": "opted_in", "UNSUBSCRIBED": "opted_out", "NOT_SPECIFIED": "unknown"}
_STATE = {word: state for state, word in _STATUS.items()} | {state.lower(): state for state in _STATUS}
_STATUSES = "subscription statuses"
_BATCH = 100
_PATH = "/communication-preferences/v4/statuses/batch"


def names_in(fields: Sequence[str]) -> list[str]:
    """The subscriptions that are asked for, by name."""
    return [name.removeprefix(PREFIX) for name in fields if name.startswith(PREFIX)]


def subscriptions(session: Session, names: Sequence[str]) -> dict[str, int]:
    """Name to id, asked for again only when a name is not known: with every page would be a call too many."""
    known = session.learned.get(PREFIX)
    if known is None or not known.keys() >= set(names):
        known = session.learned[PREFIX] = definitions(session)
    return known


def definitions(session: Session) -> dict[str, int]:
    """The portal's subscriptions as they are now: name to id."""
    answer = session.http.send(Call("GET", "/communication-preferences/v3/definitions", "subscriptions"))
    found = answer.body.get("subscriptionDefinitions") if isinstance(answer.body, dict) else None
    if not isinstance(found, list):
        raise Malformed("no subscription definitions in the answer", connection=session.settings.name)
    what = "subscription definitions"
    return {id_in(one, "name", what): number(one.get("id"), what) for one in rows(found, what)}


def read(session: Session, emails: Sequence[str], names: Sequence[str]) -> dict[str, dict[str, Json]]:
    """By lower-case address: `subscription.<Name>` to its value. A subscription not told of is absent."""
    by_id = {id: name for name, id in subscriptions(session, names).items()}
    found: dict[str, dict[str, Json]] = {}
    unique = list(dict.fromkeys(email.lower() for email in emails if legible(email) == email))
    for start in range(0, len(unique), _BATCH):
        body = {"inputs": unique[start : start + _BATCH]}
        call = Call("POST", f"{_PATH}/read", "subscriptions.read", query={"channel": "EMAIL"}, body=body)
        for result in _results(session, session.http.send(call).body):
            told = (_told(by_id, status) for status in rows(result.get("statuses"), _STATUSES))
            values = {PREFIX + name: value for name, value in told if name in names}
            found[str(result.get("subscriberIdString", "")).lower()] = values
    return found


def with_further(
    own: Mapping[str, Json], further: Sequence[str], known: Mapping[str, Mapping[str, Json]]
) -> dict[str, Json]:
    """A contact's preferences, with the opt-outs of its further addresses. `known`: what `read` told."""
    values = dict(own)
    for email in further:
        for name, value in known.get(email.lower(), {}).items():
            if value["status"] == "opted_out":
                mine = values.get(name) or {"status": "unknown", "at": None, "source": None}
                more = [*mine.get("elsewhere", []), {"address": email.lower(), "at": value["at"]}]
                values[name] = {**mine, "elsewhere": more}
    return values


def _results(session: Session, body: Json) -> list[Mapping[str, Json]]:
    results = body.get("results") if isinstance(body, dict) else None
    if not isinstance(results, list):
        raise Malformed("no subscription statuses in the answer", connection=session.settings.name)
    return rows(results, _STATUSES)


def _told(by_id: Mapping[int, str], status: Mapping[str, Json]) -> tuple[str, Json]:
    id = _id(status)
    name = by_id.get(id, str(status.get("subscriptionName") or ""))
    state = _STATUS.get(str(status.get("status")), "unknown")
    known = state != "unknown"
    return name, {
        "status": state,
        "at": status.get("timestamp") if known else None,
        "source": (status.get("legalBasisExplanation") or status.get("source") or None) if known else None,
    }


def _id(status: Mapping[str, Json]) -> int:
    return number(status.get("subscriptionId") or 0, _STATUSES)


@dataclass(frozen=True, slots=True)
class Wish:
    """One subscription of one write item that is to change."""

    key: str
    email: str
    name: str
    id: int
    input: Mapping[str, Json]


def write(
    session: Session, items: Sequence[WriteItem], emails: Mapping[str, str]
) -> tuple[dict[str, Outcome], dict[str, dict[str, Json]]]:
    """Set the subscriptions in the items' values. `emails`: the item's key to its present address.

    (failures by item key, kept values by item key). What is in neither was not asked for.
    """
    asked = {name for item in items for name in names_in(list(item.values))}
    known = subscriptions(session, sorted(asked))
    failures: dict[str, Outcome] = {}
    wishes: list[Wish] = []
    for item in items:
        problem = _unfit(item, emails.get(item.key, ""), known)
        if problem is not None:
            failures[item.key] = problem
        else:
            wishes += _wishes(item, emails[item.key], known)
    kept: dict[str, dict[str, Json]] = {}
    for start in range(0, len(wishes), _BATCH):
        _write_chunk(session, wishes[start : start + _BATCH], failures, kept)
    return failures, kept


def _unfit(item: WriteItem, email: str, known: Mapping[str, int]) -> RefusedItem | None:
    problems = {}
    for name in names_in(list(item.values)):
        value = item.values[PREFIX + name]
        if name not in known:
            problems[PREFIX + name] = f"HubSpot has no subscription named {name}"
        elif not email:
            problems[PREFIX + name] = "HubSpot keeps subscriptions by e-mail address, and there is none"
        elif value is not None and (not isinstance(value, Mapping) or _state(value) is None):
            problems[PREFIX + name] = "the status is none of opted_in, opted_out, unknown"
    return RefusedItem("; ".join(problems.values()), problems) if problems else None


def _state(value: Mapping[str, Json]) -> str | None:
    return _STATE.get(str(value.get("status") or "unknown").lower())


def _wishes(item: WriteItem, email: str, known: Mapping[str, int]) -> Iterator[Wish]:
    for name in names_in(list(item.values)):
        value = item.values[PREFIX + name] or {"status": "unknown"}
        entry: dict[str, Json] = {
            "subscriberIdString": email,
            "subscriptionId": known[name],
            "statusState": _state(value),
            "channel": "EMAIL",
        }
        if _state(value) == "SUBSCRIBED" and value.get("source"):
            entry["legalBasis"] = "CONSENT_WITH_NOTICE"
            entry["legalBasisExplanation"] = _explanation(value)
        yield Wish(item.key, email.lower(), name, known[name], entry)


def _explanation(value: Mapping[str, Json]) -> str:
    return " ".join(str(part) for part in (value.get("source"), value.get("at")) if part)


def _write_chunk(
    session: Session,
    wishes: Sequence[Wish],
    failures: dict[str, Outcome],
    kept: dict[str, dict[str, Json]],
) -> None:
    body = {"inputs": [wish.input for wish in wishes]}
    call = Call("POST", f"{_PATH}/write", "subscriptions.write", Effect.WRITE, body=body)
    answer, verdict = session.http.exchange(call)
    if verdict is not None and len(wishes) > 1 and verdict.kind == "refused":
        half = len(wishes) // 2
        _write_chunk(session, wishes[:half], failures, kept)
        _write_chunk(session, wishes[half:], failures, kept)
        return
    if verdict is not None:
        if verdict.kind in ("unauthorized", "rate_limited", "malformed"):
            raise session.http.error(verdict, call.operation)
        failures.update({wish.key: as_outcome(verdict) for wish in wishes})
        return
    _settle(session, wishes, answer.body, failures, kept)


def _settle(
    session: Session,
    wishes: Sequence[Wish],
    body: Json,
    failures: dict[str, Outcome],
    kept: dict[str, dict[str, Json]],
) -> None:
    by_id = {wish.id: wish.name for wish in wishes}
    told = {
        (str(status.get("subscriberIdString", "")).lower(), _id(status)): status
        for status in _results(session, body)
    }
    errors = rows(body.get("errors"), "errors")
    reasons = [shorten(str(error.get("message", ""))) for error in errors]
    for wish in wishes:
        status = told.get((wish.email, wish.id))
        if status is None:
            failures[wish.key] = _untold(wish, reasons)
        elif status.get("status") != wish.input["statusState"]:
            reason = f"HubSpot keeps {_STATUS.get(str(status.get('status')), 'unknown')}"
            failures[wish.key] = RefusedItem(reason, {PREFIX + wish.name: reason})
        else:
            kept.setdefault(wish.key, {})[PREFIX + wish.name] = _told(by_id, status)[1]


def _untold(wish: Wish, reasons: Sequence[str]) -> Outcome:
    if not reasons:
        return UnknownItem("the answer does not tell of this subscription")
    return RefusedItem(reasons[0], {PREFIX + wish.name: reasons[0]})
