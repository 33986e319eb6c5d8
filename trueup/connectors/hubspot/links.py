"""HubSpot's associations as fields `associations.<object>`: a list of ids (associations v4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from trueup.connectors.base import Outcome, RefusedItem, WriteItem
from trueup.connectors.http import Call
from trueup.connectors.session import Session
from trueup.connectors.verdict import Effect, as_outcome
from trueup.errors import Malformed
from trueup.model.record import Json

PREFIX = "associations."
_BATCH = 100
_NONE = "NO_ASSOCIATIONS_FOUND"
_PRIMARY = 1  # the type id of a contact's primary company


def objects_in(fields: Sequence[str]) -> list[str]:
    """The objects whose associations are asked for."""
    return [name.removeprefix(PREFIX) for name in fields if name.startswith(PREFIX)]


def read(session: Session, object: str, other: str, ids: Sequence[str]) -> dict[str, list[str]]:
    """By id, the ids of the `other` records that it is associated with, the primary one first.

    An id that HubSpot could not tell about is absent; one without associations has an empty list.
    """
    found: dict[str, list[str]] = {}
    asked: list[dict[str, str]] = [{"id": id} for id in dict.fromkeys(ids)]
    while asked:
        chunk, asked = asked[:_BATCH], asked[_BATCH:]
        body = _ask(session, object, other, chunk)
        for result in body["results"]:
            id = str(result["from"]["id"])
            found.setdefault(id, []).extend(_ends(result.get("to") or []))
            after = ((result.get("paging") or {}).get("next") or {}).get("after")
            if after:
                asked.append({"id": id, "after": str(after)})
        for id in _without(body.get("errors") or []):
            found.setdefault(id, [])
    return found


def _ask(session: Session, object: str, other: str, chunk: Sequence[Mapping[str, str]]) -> dict[str, Json]:
    path = f"/crm/v4/associations/{object}/{other}/batch/read"
    answer = session.http.send(Call("POST", path, f"{object}.associations", body={"inputs": list(chunk)}))
    if not isinstance(answer.body, dict) or not isinstance(answer.body.get("results"), list):
        raise Malformed("no associations in the answer", connection=session.settings.name)
    return answer.body


def _ends(ends: Sequence[Mapping[str, Json]]) -> list[str]:
    ranked = sorted(ends, key=lambda end: 0 if _is_primary(end) else 1)
    return [str(end["toObjectId"]) for end in ranked]


def _is_primary(end: Mapping[str, Json]) -> bool:
    return any(kind.get("typeId") == _PRIMARY for kind in end.get("associationTypes") or [])


def _without(errors: Sequence[Mapping[str, Json]]) -> list[str]:
    return [
        str(id)
        for error in errors
        if str(error.get("subCategory", "")).endswith(_NONE)
        for key in ("ids", "id", "fromObjectId")
        for id in (error.get("context") or {}).get(key, [])
    ]


def write(
    session: Session, object: str, items: Sequence[WriteItem], ids: Mapping[str, str]
) -> dict[str, Outcome]:
    """Make the associations of these records what the items say. Failures by item key.

    `ids`: the item's key to its record's id. New ones are added before old ones are taken away.
    """
    failures: dict[str, Outcome] = {}
    for other in dict.fromkeys(name for item in items for name in objects_in(list(item.values))):
        concerned = [item for item in items if PREFIX + other in item.values and item.key in ids]
        now = read(session, object, other, [ids[item.key] for item in concerned])
        for item in concerned:
            failure = _write_one(session, object, other, item, ids[item.key], now.get(ids[item.key], []))
            if failure is not None:
                failures[item.key] = failure
    return failures


def _write_one(
    session: Session, object: str, other: str, item: WriteItem, id: str, now: Sequence[str]
) -> Outcome | None:
    wanted = item.values[PREFIX + other] or []
    wanted = [wanted] if isinstance(wanted, str) else wanted
    if not isinstance(wanted, list | tuple) or not all(isinstance(end, str) for end in wanted):
        reason = "takes a list of ids"
        return RefusedItem(reason, {PREFIX + other: reason})
    added = [end for end in wanted if end not in now]
    gone = [end for end in now if end not in wanted]
    pairs = [{"from": {"id": id}, "to": {"id": end}} for end in added]
    failure = _send(session, object, other, "associate/default", pairs) if pairs else None
    if failure is None and gone:
        taken = [{"from": {"id": id}, "to": [{"id": end} for end in gone]}]
        failure = _send(session, object, other, "archive", taken)
    if isinstance(failure, RefusedItem):
        return RefusedItem(failure.reason, {PREFIX + other: failure.reason})
    return failure


def _send(
    session: Session, object: str, other: str, what: str, inputs: Sequence[Mapping[str, Json]]
) -> Outcome | None:
    path = f"/crm/v4/associations/{object}/{other}/batch/{what}"
    call = Call("POST", path, f"{object}.associations", Effect.WRITE, body={"inputs": list(inputs)})
    answer, verdict = session.http.exchange(call)
    if verdict is not None:
        return as_outcome(verdict)
    errors = answer.body.get("errors") if isinstance(answer.body, dict) else None
    if errors:
        reason = str(errors[0].get("message") or "refused without a reason")
        return RefusedItem(reason, {PREFIX + other: reason})
    return None
