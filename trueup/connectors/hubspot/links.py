"""HubSpot's associations as fields (associations v4).

`associations.<object>` is a list of ids, the primary one first; `associations.<object>.primary` is that
one alone. A portal numbers its kinds of associations itself, so the primary kind is looked up by label.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from trueup.connectors.base import Outcome, RefusedItem, WriteItem
from trueup.connectors.expected import id_in, rows, table
from trueup.connectors.http import Call
from trueup.connectors.session import Session
from trueup.connectors.verdict import Effect, as_outcome
from trueup.errors import Malformed
from trueup.model.record import Json

PREFIX = "associations."
_PRIMARY = ".primary"
_BATCH = 100
_NONE = "NO_ASSOCIATIONS_FOUND"

Kind = Mapping[str, Json]


def objects_in(fields: Sequence[str]) -> list[str]:
    """The objects whose associations are asked for."""
    named = (name.removeprefix(PREFIX).removesuffix(_PRIMARY) for name in fields if name.startswith(PREFIX))
    return list(dict.fromkeys(named))


def values(other: str, ends: Sequence[str]) -> dict[str, Json]:
    """Both fields that tell of these associations."""
    return {PREFIX + other: list(ends), PREFIX + other + _PRIMARY: ends[0] if ends else None}


# -- reading --------------------------------------------------------------------------------------------


def read(session: Session, object: str, other: str, ids: Sequence[str]) -> dict[str, list[str]]:
    """By id, the ids of the `other` records that it is associated with, the primary one first.

    An id that HubSpot could not tell about is absent; one without associations has an empty list.
    """
    found: dict[str, list[str]] = {}
    asked: list[dict[str, str]] = [{"id": id} for id in dict.fromkeys(ids)]
    while asked:
        chunk, asked = asked[:_BATCH], asked[_BATCH:]
        body = _ask(session, object, other, chunk)
        for result in rows(body["results"], "associations"):
            id = id_in(table(result.get("from"), "associations"), "id", "associations")
            found.setdefault(id, []).extend(_ends(rows(result.get("to"), "associations")))
            after = table(table(result.get("paging"), "pages").get("next"), "pages").get("after")
            if after:
                asked.append({"id": id, "after": str(after)})
        for id in _without(rows(body.get("errors"), "errors")):
            found.setdefault(id, [])
    return found


def _ask(session: Session, object: str, other: str, chunk: Sequence[Mapping[str, str]]) -> dict[str, Json]:
    path = _path(object, other, "batch/read")
    answer = session.http.send(Call("POST", path, f"{object}.associations", body={"inputs": list(chunk)}))
    if not isinstance(answer.body, dict) or not isinstance(answer.body.get("results"), list):
        raise Malformed("no associations in the answer", connection=session.settings.name)
    return answer.body


def _path(object: str, other: str, what: str) -> str:
    return f"/crm/v4/associations/{object}/{other}/{what}"


def _ends(ends: Sequence[Kind]) -> list[str]:
    kinds = "kinds of associations"
    primary = [end for end in ends if any(map(_is_primary, rows(end.get("associationTypes"), kinds)))]
    others = [end for end in ends if end not in primary]
    return [id_in(end, "toObjectId", "associations") for end in (*primary, *others)]


def _is_primary(kind: Kind) -> bool:
    return kind.get("category") == "HUBSPOT_DEFINED" and str(kind.get("label")).lower() == "primary"


def _without(errors: Sequence[Kind]) -> list[str]:
    return [
        str(id)
        for error in errors
        if str(error.get("subCategory", "")).endswith(_NONE)
        for key in ("ids", "id", "fromObjectId")
        for id in _texts(table(error.get("context"), "errors").get(key))
    ]


def _texts(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


# -- writing --------------------------------------------------------------------------------------------


def write(
    session: Session, object: str, items: Sequence[WriteItem], ids: Mapping[str, str]
) -> dict[str, Outcome]:
    """Make the associations of these records what the items say. Failures by item key.

    `ids`: the item's key to its record's id. New ones are added before old ones are taken away.
    """
    failures: dict[str, Outcome] = {}
    for other in objects_in([name for item in items for name in item.values]):
        concerned = [item for item in items if item.key in ids and other in objects_in(list(item.values))]
        now = read(session, object, other, [ids[item.key] for item in concerned])
        for item in concerned:
            id = ids[item.key]
            failure = _write_one(session, object, other, item, id, now.get(id, []))
            if failure is not None:
                failures[item.key] = failure
    return failures


def _write_one(
    session: Session, object: str, other: str, item: WriteItem, id: str, now: Sequence[str]
) -> Outcome | None:
    whole, primary = PREFIX + other, PREFIX + other + _PRIMARY
    failure = None
    if whole in item.values:
        failure = _write_list(session, object, other, id, item.values[whole] or [], now)
    if failure is None and primary in item.values:
        failure = _write_primary(session, object, other, id, item.values[primary], now)
    if isinstance(failure, RefusedItem):
        named = [name for name in (whole, primary) if name in item.values]
        return RefusedItem(failure.reason, dict.fromkeys(named, failure.reason))
    return failure


def _write_list(
    session: Session, object: str, other: str, id: str, wanted: Json, now: Sequence[str]
) -> Outcome | None:
    if not isinstance(wanted, list | tuple) or not all(isinstance(end, str) for end in wanted):
        return RefusedItem("takes a list of ids")
    added = [end for end in wanted if end not in now]
    gone = [end for end in now if end not in wanted]
    pairs = [{"from": {"id": id}, "to": {"id": end}} for end in added]
    failure = _send(session, object, other, "associate/default", pairs) if pairs else None
    return failure or (_archive(session, object, other, id, gone) if gone else None)


def _write_primary(
    session: Session, object: str, other: str, id: str, wanted: Json, now: Sequence[str]
) -> Outcome | None:
    if wanted is None:
        return _archive(session, object, other, id, now[:1]) if now else None
    if not isinstance(wanted, str):
        return RefusedItem("takes one id")
    kind = _primary_kind(session, object, other)
    if kind is None:
        return RefusedItem(f"{object} have no primary {other} in this portal")
    types = [{"associationCategory": kind["category"], "associationTypeId": kind["typeId"]}]
    pair = {"from": {"id": id}, "to": {"id": wanted}, "types": types}
    return _send(session, object, other, "create", [pair])


def _primary_kind(session: Session, object: str, other: str) -> Kind | None:
    answer = session.http.send(Call("GET", _path(object, other, "labels"), f"{object}.associations"))
    known = rows(table(answer.body, "labels").get("results"), "labels")
    return next((kind for kind in known if _is_primary(kind) and "typeId" in kind), None)


def _archive(session: Session, object: str, other: str, id: str, ends: Sequence[str]) -> Outcome | None:
    taken = [{"from": {"id": id}, "to": [{"id": end} for end in ends]}]
    return _send(session, object, other, "archive", taken)


def _send(session: Session, object: str, other: str, what: str, inputs: Sequence[Kind]) -> Outcome | None:
    path = _path(object, other, f"batch/{what}")
    call = Call("POST", path, f"{object}.associations", Effect.WRITE, body={"inputs": list(inputs)})
    answer, verdict = session.http.exchange(call)
    if verdict is not None:
        return as_outcome(verdict)
    errors = rows(table(answer.body, "associations").get("errors"), "errors")
    return RefusedItem(str(errors[0].get("message") or "refused without a reason")) if errors else None
