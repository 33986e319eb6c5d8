"""Writing to Zendesk: jobs for batches; addresses, tags and whatever answers with a record one by one.

Facts (vendor sheet 4): an e-mail that is sent with an existing user is added, not replaced; lists are
replaced whole, so single tags go to their own address; batches are background jobs; create_many
answers 403 until the vendor enabled bulk imports for the account.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from trueup.connectors import writing as by_manifest
from trueup.connectors.base import (
    Done,
    Elements,
    GoneItem,
    Outcome,
    RefusedItem,
    StaleItem,
    UnknownItem,
    WriteItem,
    not_applied,
)
from trueup.connectors.http import Call
from trueup.connectors.paths import nest
from trueup.connectors.session import Session
from trueup.connectors.verdict import Answer, Effect
from trueup.connectors.zendesk import jobs, rows
from trueup.connectors.zendesk.addresses import change_addresses, values_of
from trueup.connectors.zendesk.fields import is_taken, refused
from trueup.connectors.zendesk.jobs import pending
from trueup.connectors.zendesk.reading import find
from trueup.errors import (
    ConnectorError,
    Gone,
    Malformed,
    OutcomeUnknown,
    RateLimited,
    Refused,
    Stale,
    Unauthorized,
)
from trueup.model.delivery import WriteKind
from trueup.model.record import Json

_ONE = {"users": "user", "organizations": "organization"}
_ADDRESSES = ("email", "identities.email")
_WHOLE_CONNECTION = (RateLimited, Unauthorized, Malformed)
_UPDATES = (WriteKind.UPDATE, WriteKind.DEACTIVATE, WriteKind.REACTIVATE)


@dataclass(frozen=True, slots=True)
class Desk:
    """One object of one account to write to. `fields` are wanted back where the answer holds a record."""

    session: Session
    object: str
    fields: Sequence[str]

    @property
    def one(self) -> str:
        return _ONE[self.object]

    def call(self, method: str, url: str, what: str, body: Json) -> Answer:
        """One write. Raises the ConnectorError of what went wrong."""
        return self.session.http.send(Call(method, url, f"{self.object}.{what}", Effect.WRITE, body=body))

    def body(self, item: WriteItem, names: Sequence[str]) -> dict[str, Json]:
        """These values as the vendor takes them: its words for empty, ids as numbers, fields nested."""
        words = self.session.object(self.object).clear or self.session.manifest.clear
        flat: dict[str, Json] = {}
        for name in names:
            value = item.values[name]
            flat[name] = by_manifest.cleared(words, name) if value is None else _whole(value)
            if name.endswith("_id") and name != "external_id":
                flat[name] = _as_number(flat[name])
        return nest(flat)

    def done(self, item: WriteItem, answer: Answer, created: bool = False) -> Outcome:
        """What an answer with a record says."""
        wanted = list(dict.fromkeys([*self.fields, *item.values]))
        row = answer.body.get(self.one) if isinstance(answer.body, Mapping) else None
        record = rows.one(self.session, self.object, row, wanted) if isinstance(row, Mapping) else None
        return Done(record.id, record, created) if record else UnknownItem("the answer holds no record")


def _whole(value: Json) -> Json:
    return list(value.add) if isinstance(value, Elements) else value


def _as_number(value: Json) -> Json:
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else value


# -- a batch --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Step:
    """Some items of a batch (by their places) and what sends them."""

    places: tuple[int, ...]
    act: Callable[[], list[Outcome]]


def write(session: Session, object: str, items: Sequence[WriteItem], fields: Sequence[str]) -> list[Outcome]:
    """Send the items; their outcomes in the same order.

    Raises only while nothing of the batch was answered; afterwards a failure becomes the outcome of the
    items that it leaves open.
    """
    if object not in _ONE:
        return by_manifest.write(session, object, items, fields)
    return _run(_steps(Desk(session, object, fields), items), items)


def _run(steps: Sequence[Step], items: Sequence[WriteItem]) -> list[Outcome]:
    outcomes: dict[int, Outcome] = {}
    for step in steps:
        try:
            answers = step.act()
        except _WHOLE_CONNECTION as error:
            if not outcomes:
                raise
            left = replace(not_applied(error), tried=False)
            return [outcomes.get(place, left) for place in range(len(items))]
        except ConnectorError as error:
            answers = [_outcome(error, items[place]) for place in step.places]
        outcomes.update(zip(step.places, answers, strict=True))
    return [outcomes[place] for place in range(len(items))]


def _steps(desk: Desk, items: Sequence[WriteItem]) -> list[Step]:
    """Items that a job can take together first, then the others one by one."""
    steps: list[Step] = []
    for ways, fits in _TOGETHER:
        together = [place for place, item in enumerate(items) if item.kind in ways and fits(desk, item)]
        if len(together) > 1:
            steps += _job_steps(desk, ways[0], together, items)
    taken = {place for step in steps for place in step.places}
    alone = [place for place in range(len(items)) if place not in taken]
    return steps + _each(desk, items, alone)


def _each(desk: Desk, items: Sequence[WriteItem], places: Iterable[int]) -> list[Step]:
    return [Step((place,), _single(desk, items[place])) for place in places]


def _is_plain(desk: Desk, item: WriteItem) -> bool:
    """An update that one body can say."""
    return bool(item.values) and not any(
        name in _ADDRESSES or isinstance(value, Elements) for name, value in item.values.items()
    )


def _is_bulk(desk: Desk, item: WriteItem) -> bool:
    """Creates that `create_many` takes, which refuses a taken address as the single create does."""
    allowed = desk.session.values.get("bulk_import", "no").lower() in ("yes", "true")
    return allowed and desk.object == "users" and item.upsert is not None


def _is_many(desk: Desk, item: WriteItem) -> bool:
    words = desk.session.object(desk.object).write.delete
    return words is not None and words.batch > 1


_TOGETHER = ((_UPDATES, _is_plain), ((WriteKind.CREATE,), _is_bulk), ((WriteKind.DELETE,), _is_many))


def _job_steps(desk: Desk, kind: WriteKind, places: Sequence[int], items: Sequence[WriteItem]) -> list[Step]:
    words = getattr(desk.session.object(desk.object).write, kind.value)
    chunks = [places[start : start + words.batch] for start in range(0, len(places), words.batch)]
    return [Step(tuple(chunk), _job(desk, kind, [items[place] for place in chunk])) for chunk in chunks]


def _job(desk: Desk, kind: WriteKind, items: Sequence[WriteItem]) -> Callable[[], list[Outcome]]:
    def act() -> list[Outcome]:
        words = getattr(desk.session.object(desk.object).write, kind.value)
        each = [{"values": _job_body(desk, kind, item)} for item in items]
        values = {"object": desk.object, "ids": [item.id for item in items if item.id]}
        operation = f"{desk.object}.{kind.value}_many"
        call = desk.session.call(words.request, values, operation, Effect.WRITE, each)
        answer, verdict = desk.session.http.exchange(call)
        if verdict is None:
            return pending(answer.body, len(items))
        if answer.status == 403 and kind is WriteKind.CREATE:  # bulk imports are not enabled after all
            return _run(_each(desk, items, range(len(items))), items)
        raise desk.session.http.error(verdict, operation)

    return act


def _job_body(desk: Desk, kind: WriteKind, item: WriteItem) -> dict[str, Json]:
    if kind is WriteKind.CREATE:
        return _new(desk, item)
    return {"id": _as_number(item.id), **desk.body(item, list(item.values))}


# -- one item -------------------------------------------------------------------------------------------


def _single(desk: Desk, item: WriteItem) -> Callable[[], list[Outcome]]:
    def act() -> list[Outcome]:
        return [_write_one(desk, item)]

    return act


def _write_one(desk: Desk, item: WriteItem) -> Outcome:
    match item.kind:
        case WriteKind.CREATE:
            return _create(desk, item)
        case WriteKind.DELETE:
            return _delete(desk, item)
        case WriteKind.MERGE:
            return _merge(desk, item)
        case _:
            return _update(desk, item)


def _create(desk: Desk, item: WriteItem) -> Outcome:
    """A plain create: the vendor's `create_or_update` would also take somebody who has the same address,
    and write over what is there."""
    try:
        answer = desk.call("POST", f"/{desk.object}", "create", {desk.one: _new(desk, item)})
    except Refused as error:
        return _not_made(desk, item, _refused(error, item))
    return desk.done(item, answer, created=True)


def _not_made(desk: Desk, item: WriteItem, outcome: RefusedItem) -> Outcome:
    """What a refused create means. External ids are unique, so a repeated one is refused and found."""
    key, holder = _holder(desk, item, outcome)
    if holder is not None and item.upsert is not None and key == item.upsert[0] == "external_id":
        return Done(holder)
    code = "TU-REF-011" if is_taken(outcome) else outcome.code
    return replace(outcome, existing_id=holder, code=code)


def poll(session: Session, object: str, job: str, items: Sequence[WriteItem]) -> list[Outcome]:
    """The outcomes of a job's items; see `jobs.poll`. Of a create that was refused, who holds its keys."""
    desk = Desk(session, object, ())
    return [
        _not_made(desk, item, outcome)
        if item.kind is WriteKind.CREATE and isinstance(outcome, RefusedItem)
        else outcome
        for item, outcome in zip(items, jobs.poll(session, object, job, items), strict=True)
    ]


def _new(desk: Desk, item: WriteItem) -> dict[str, Json]:
    """The body of a new record. Nobody is mailed because of us; further addresses go with it."""
    if item.upsert is not None:
        item = replace(item, values={**item.values, item.upsert[0]: item.upsert[1]})
    plain = [name for name, value in item.values.items() if name != "identities.email" and value is not None]
    body = desk.body(item, plain)
    if desk.object == "users":
        first = str(body.get("email") or "").casefold()
        listed = values_of(_whole(item.values.get("identities.email")))
        more = [one for one in listed if one.casefold() != first]
        body |= {"identities": [{"type": "email", "value": one} for one in more]} if more else {}
        body["skip_verify_email"] = True
    return body


def _holder(desk: Desk, item: WriteItem, outcome: RefusedItem) -> tuple[str, str | None]:
    """Which key is taken, and by whom if a look-up tells already."""
    values = {**item.values, **({item.upsert[0]: item.upsert[1]} if item.upsert else {})}
    for key in desk.session.object(desk.object).keys:
        if key not in outcome.fields or not values.get(key):
            continue
        try:
            found = find(desk.session, desk.object, key, [values[key]], [])
        except ConnectorError:
            return key, None  # it is refused either way; who it is will be seen when it is read
        if len(found) == 1:
            return key, found[0].id
    return "", None


def _update(desk: Desk, item: WriteItem) -> Outcome:
    """Addresses, then tags, then the rest: each step may be repeated without harm."""
    addresses = [name for name in item.values if name in _ADDRESSES and desk.object == "users"]
    elements = [name for name, value in item.values.items() if isinstance(value, Elements)]
    lists = [name for name in elements if name not in addresses]
    if not item.values and item.kind is not WriteKind.UPDATE:
        return RefusedItem(f"the connection names no values for {item.kind.value}", code="TU-REF-010")
    if misfit := _misfit(item, lists):
        return misfit
    rest = [name for name in item.values if name not in (*addresses, *lists)]
    if addresses and (outcome := change_addresses(desk.session, item)):
        return outcome
    for name in lists:
        _change_elements(desk, item, name)
    if not rest:
        return Done(str(item.id))
    answer = desk.call("PUT", f"/{desk.object}/{item.id}", "update", {desk.one: desk.body(item, rest)})
    return desk.done(item, answer)


def _misfit(item: WriteItem, lists: Sequence[str]) -> RefusedItem | None:
    """Only tags have an address for single elements, and a tag holds no blank."""
    for name in lists:
        value = item.values[name]
        if name != "tags":
            reason = "is replaced whole there, not element by element"
            return RefusedItem(reason, {name: reason})
        if any(not str(tag).strip() or len(str(tag).split()) != 1 for tag in value.add):
            return RefusedItem("a tag holds no blanks there", {name: "a tag holds no blanks there"})
    return None


def _change_elements(desk: Desk, item: WriteItem, name: str) -> None:
    change = item.values[name]
    url = f"/{desk.object}/{item.id}/tags"
    if change.remove:
        desk.call("DELETE", url, "untag", {name: list(change.remove)})
    if change.add:
        desk.call("PUT", url, "tag", {name: list(change.add)})


def _delete(desk: Desk, item: WriteItem) -> Outcome:
    url = f"/{desk.object}/{item.id}"
    desk.session.http.send(Call("DELETE", url, f"{desk.object}.delete", Effect.WRITE))
    return Done(str(item.id))


def _merge(desk: Desk, item: WriteItem) -> Outcome:
    """The item's user goes into `merge_into`. Agents take part in no merge (403): a refusal of this one."""
    words = desk.session.object(desk.object).write.merge
    if words is None:
        return RefusedItem(f"{desk.object} cannot be merged there", code="TU-REF-010")
    values = {"object": desk.object, "id": item.id, "merge_into": _as_number(item.merge_into)}
    call = desk.session.call(words.request, values, f"{desk.object}.merge", Effect.WRITE)
    answer, verdict = desk.session.http.exchange(call)
    if verdict is None:
        return desk.done(item, answer)
    if answer.status == 403:
        return RefusedItem(verdict.says or "merging these two is not allowed there")
    raise desk.session.http.error(verdict, call.operation)


# -- failures -------------------------------------------------------------------------------------------


def _outcome(error: ConnectorError, item: WriteItem) -> Outcome:
    match error:
        case Refused():
            return _refused(error, item)
        case Gone():
            return GoneItem(error.successor)
        case Stale():
            return StaleItem()
        case OutcomeUnknown():
            return UnknownItem(error.message)
        case _:
            return not_applied(error)


def _refused(error: Refused, item: WriteItem) -> RefusedItem:
    return refused(item, error.vendor_says or error.message, error.fields)
