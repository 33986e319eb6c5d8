"""Writing by the manifest: single writes, batches with an outcome for each item, remote jobs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import groupby

from trueup.connectors import manifest as words
from trueup.connectors.base import (
    Capability,
    Done,
    Elements,
    NotApplied,
    Outcome,
    Pending,
    RefusedItem,
    UnknownItem,
    WriteItem,
    not_applied,
)
from trueup.connectors.http import Call
from trueup.connectors.nevertheless import doubtful
from trueup.connectors.paths import ABSENT, nest, path
from trueup.connectors.records import reader, text_id
from trueup.connectors.session import Session
from trueup.connectors.stamps import parse_stamp, write_stamp
from trueup.connectors.verdict import (
    Answer,
    Effect,
    Verdict,
    as_outcome,
    by_rule,
    find_rule,
    named_fields,
    shorten,
)
from trueup.errors import ConnectorError, OutcomeUnknown, Refused
from trueup.model.delivery import WriteKind
from trueup.model.record import Json

_TAKEN = "TU-REF-011"
_OF_ONE_ITEM = frozenset({"refused", "stale", "gone", "transient", "unknown"})


def write(session: Session, object: str, items: Sequence[WriteItem], fields: Sequence[str]) -> list[Outcome]:
    """Send the items; their outcomes in the same order.

    Raises only while nothing of the batch was sent with success; afterwards a failure becomes the
    outcome of the items that it leaves open.
    """
    keys = session.object(object).keys
    outcomes = _outcomes(session, object, items, fields)
    return [_naming_key(keys, item, outcome) for item, outcome in zip(items, outcomes, strict=True)]


def _naming_key(keys: Sequence[str], item: WriteItem, outcome: Outcome) -> Outcome:
    """A system that refuses an update because such a record exists already, and names no field, means the
    key that was written: so the rest can go on without it. Of several keys none is guessed."""
    if not isinstance(outcome, RefusedItem) or outcome.code != _TAKEN or item.kind is not WriteKind.UPDATE:
        return outcome
    written = [name for name in keys if item.values.get(name)]
    if len(written) != 1 or outcome.fields.keys() - {""}:
        return outcome
    return replace(outcome, fields={written[0]: outcome.reason})


def _outcomes(
    session: Session, object: str, items: Sequence[WriteItem], fields: Sequence[str]
) -> list[Outcome]:
    outcomes: list[Outcome] = []
    for way, group in groupby(items, key=lambda item: _way(session.object(object), item)):
        chunk_size = _writes(session.object(object), way).batch if _has(session.object(object), way) else 1
        run = list(group)
        for start in range(0, len(run), chunk_size):
            chunk = run[start : start + chunk_size]
            try:
                outcomes += _write_chunk(session, object, way, chunk, fields)
            except ConnectorError as error:
                if not outcomes:
                    raise
                outcomes += [left_open(error)] * len(chunk)
                rest = len(items) - len(outcomes)
                return outcomes + [NotApplied(error.message, tried=False)] * rest
    return outcomes


def left_open(error: ConnectorError) -> Outcome:
    """The outcome of an item whose own call met this error."""
    if isinstance(error, OutcomeUnknown):
        return UnknownItem(error.message)
    if isinstance(error, Refused):
        return RefusedItem(error.vendor_says or error.message, error.fields, code=error.code)
    return not_applied(error)


# -- which words apply ----------------------------------------------------------------------------------


def _way(spec: words.Object, item: WriteItem) -> str:
    """The name of the write that an item needs."""
    if item.kind is WriteKind.CREATE and item.upsert is not None and spec.write.upsert is not None:
        return "upsert"
    if item.kind in (WriteKind.DEACTIVATE, WriteKind.REACTIVATE) and not _has(spec, item.kind.value):
        return "update" if item.values else item.kind.value
    return item.kind.value


def _has(spec: words.Object, way: str) -> bool:
    return getattr(spec.write, way) is not None


def _writes(spec: words.Object, way: str) -> words.Write:
    found: words.Write | None = getattr(spec.write, way)
    assert found is not None
    return found


def _write_chunk(
    session: Session, object: str, way: str, items: list[WriteItem], fields: Sequence[str]
) -> list[Outcome]:
    spec = session.object(object)
    if not _has(spec, way):
        return [RefusedItem(f"{object} takes no {way}", {"": f"no {way}"}, code="TU-REF-010") for _ in items]
    sound = [(item, _unfit(spec, item)) for item in items]
    sent = [item for item, unfit in sound if unfit is None]
    done = iter(_send(session, object, way, sent, fields) if sent else [])
    return [next(done) if unfit is None else unfit for _, unfit in sound]


def _unfit(spec: words.Object, item: WriteItem) -> Outcome | None:
    if Capability.ELEMENT_WRITES in spec.capabilities:
        return None
    lists = [name for name, value in item.values.items() if isinstance(value, Elements)]
    reason = "is replaced whole here, not element by element"
    return RefusedItem(reason, dict.fromkeys(lists, reason)) if lists else None


# -- sending --------------------------------------------------------------------------------------------


def _send(
    session: Session, object: str, way: str, items: list[WriteItem], fields: Sequence[str]
) -> list[Outcome]:
    write_words = _writes(session.object(object), way)
    try:
        call = write_call(session, object, way, items)
        answer, verdict = session.http.exchange(call)
    except Refused as error:  # it could not even be written down: a value that JSON cannot carry
        return _halved(session, object, way, items, fields, left_open(error))
    if verdict is None:
        return _succeeded(session, object, write_words, items, fields, answer)
    if verdict.kind == "refused":
        return _refused(session, object, way, items, fields, as_outcome(verdict))
    if len(items) == 1 and verdict.kind in _OF_ONE_ITEM:
        return [as_outcome(verdict)]
    if verdict.kind in ("gone", "stale"):
        return _halved(session, object, way, items, fields, as_outcome(verdict))
    raise session.http.error(verdict, call.operation)


def _refused(
    session: Session,
    object: str,
    way: str,
    items: list[WriteItem],
    fields: Sequence[str],
    outcome: Outcome,
) -> list[Outcome]:
    """What the system said no to, but for what it made nevertheless."""
    there = doubtful(session, object, items, outcome)
    if not there:
        return _halved(session, object, way, items, fields, outcome)
    rest = [item for item in items if item.key not in there]
    told = iter(_rest(session, object, way, rest, fields) if rest else [])
    return [there[item.key] if item.key in there else next(told) for item in items]


def _halved(
    session: Session,
    object: str,
    way: str,
    items: list[WriteItem],
    fields: Sequence[str],
    outcome: Outcome,
) -> list[Outcome]:
    """Two calls for one that was refused as a whole, until the bad item stands alone."""
    if len(items) == 1:
        return [outcome]
    half = len(items) // 2
    first = _send(session, object, way, items[:half], fields)
    return first + _rest(session, object, way, items[half:], fields)


def _rest(
    session: Session, object: str, way: str, items: list[WriteItem], fields: Sequence[str]
) -> list[Outcome]:
    """The second half of a batch: its failure may no longer hide what the first half did."""
    try:
        return _send(session, object, way, items, fields)
    except ConnectorError as error:
        return [left_open(error)] * len(items)


def write_call(session: Session, object: str, way: str, items: Sequence[WriteItem]) -> Call:
    """The call for one chunk of items."""
    spec = session.object(object)
    write_words = _writes(spec, way)
    each = [_values(session, object, write_words, item) for item in items]
    first: Mapping[str, Json] = each[0]
    shared = {"object": object, "ids": [item.id for item in items if item.id]}
    single = {**shared, **first} if write_words.batch == 1 else shared
    call = session.call(write_words.request, single, f"{object}.{way}", Effect.WRITE, each)
    guard = write_words.guard
    if guard is None or items[0].version is None:
        return call
    return replace(call, headers={**call.headers, guard.header: _guard_text(guard, items[0].version)})


def _guard_text(guard: words.Guard, version: str) -> str:
    moment = parse_stamp(version) if guard.format == "http_date" else None
    return str(write_stamp(moment, "http_date")) if moment else version


def _values(session: Session, object: str, write_words: words.Write, item: WriteItem) -> dict[str, Json]:
    spec = session.object(object)
    clear = spec.clear or session.manifest.clear
    values = {name: cleared(clear, name) if value is None else value for name, value in item.values.items()}
    found: dict[str, Json] = {"key": item.key, "id": item.id or ABSENT, "version": item.version or ABSENT}
    if item.upsert is not None:
        name, value = item.upsert
        values.pop(name, None)
        if write_words.key_in == "values":
            values[name] = value
        found |= {"upsert_key": name, "upsert_value": value}
    if item.merge_into is not None:
        found["merge_into"] = item.merge_into
    found["values"] = nest(values) if spec.record.nested else values
    return found


def cleared(clear: words.Clear, name: str) -> Json:
    """What is sent to empty this field."""
    return clear.fields.get(name, clear.token)


# -- understanding --------------------------------------------------------------------------------------


def _succeeded(
    session: Session,
    object: str,
    write_words: words.Write,
    items: list[WriteItem],
    fields: Sequence[str],
    answer: Answer,
) -> list[Outcome]:
    if write_words.job is not None:
        job = text_id(path(write_words.job.id)(answer.body))
        return [Pending(job) if job else UnknownItem("the answer names no job") for _ in items]
    if write_words.results is not None:
        return match_results(session, object, write_words.results, items, fields, answer)
    return [_single(session, object, write_words, items[0], fields, answer)]


def _single(
    session: Session,
    object: str,
    write_words: words.Write,
    item: WriteItem,
    fields: Sequence[str],
    answer: Answer,
) -> Outcome:
    named = text_id(path(write_words.id)(answer.body))
    if write_words.id and not named:
        return UnknownItem("the answer does not name the record that it is about")
    id = named or item.merge_into or item.id or ""
    created = item.kind is WriteKind.CREATE
    if write_words.created:
        created = bool(path(write_words.created)(answer.body))
    return _done(session, object, write_words.record, id, created, item, fields, answer.body)


def _done(
    session: Session,
    object: str,
    record_path: str,
    id: str,
    created: bool,
    item: WriteItem,
    fields: Sequence[str],
    body: Json,
) -> Outcome:
    wanted = list(dict.fromkeys([*fields, *item.values]))
    spec = session.object(object)
    record = reader(spec.record).read(path(record_path)(body), wanted) if record_path else None
    id = id or (record.id if record else "")
    if not id:
        return UnknownItem("the answer names no id")
    return Done(id, record, created)


def match_results(
    session: Session,
    object: str,
    results: words.Results,
    items: Sequence[WriteItem],
    fields: Sequence[str],
    answer: Answer,
) -> list[Outcome]:
    """One outcome for each item; UnknownItem for those that the answer does not tell of."""
    found: dict[int, Outcome] = {}
    place = _places(results, items)
    told = path(results.items)(answer.body)
    told = told if isinstance(told, list) else []
    complete = results.match != "order" or len(told) == len(items)
    for number, result in enumerate(told if complete else []):
        index = place(number, result)
        if index is not None:
            found[index] = _of_result(session, object, results, items[index], fields, result, answer)
    for error in _list(path(results.errors)(answer.body)):
        outcome = item_failure(session, results.error, error, answer)
        for index in _places_of_error(results, items, error):
            found.setdefault(index, outcome)
    silent = UnknownItem("the answer does not tell of this item")
    return [found.get(index, silent) for index in range(len(items))]


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def _places(results: words.Results, items: Sequence[WriteItem]) -> Callable[[int, Json], int | None]:
    by_id = {item.id: index for index, item in enumerate(items) if item.id}
    by_key = {item.key: index for index, item in enumerate(items)}
    match results.match:
        case "order":
            return lambda number, result: number
        case "id":
            return lambda number, result: by_id.get(text_id(path(results.id)(result)))
        case "tag":
            return lambda number, result: _tagged(results, by_key, by_id, result)
        case _:
            return lambda number, result: _index(path(results.index)(result), len(items))


def _tagged(
    results: words.Results, by_key: Mapping[str, int], by_id: Mapping[str, int], result: Json
) -> int | None:
    tagged = by_key.get(str(path(results.tag)(result)))
    return tagged if tagged is not None else by_id.get(text_id(path(results.id)(result)))


def _index(value: Json, count: int) -> int | None:
    return value if isinstance(value, int) and 0 <= value < count else None


def _places_of_error(results: words.Results, items: Sequence[WriteItem], error: Json) -> list[int]:
    tags = _texts(path(results.error_tag)(error))
    ids = _texts(path(results.error_id)(error))
    return [
        index
        for index, item in enumerate(items)
        if item.key in tags or (item.id is not None and item.id in ids)
    ]


def _texts(value: Json) -> set[str]:
    return {text_id(part) for part in (value if isinstance(value, list) else [value])} - {""}


def _of_result(
    session: Session,
    object: str,
    results: words.Results,
    item: WriteItem,
    fields: Sequence[str],
    result: Json,
    answer: Answer,
) -> Outcome:
    if results.failed and path(results.failed)(result):
        return item_failure(session, results.error, result, answer)
    id = text_id(path(results.id)(result)) or item.id or ""
    created = item.kind is WriteKind.CREATE
    if results.created:
        created = bool(path(results.created)(result))
    return _done(session, object, results.record, id, created, item, fields, result)


def item_failure(session: Session, where: words.ItemError, error: Json, answer: Answer) -> Outcome:
    """The outcome of an item that failed inside an answer that did not; by the error table, else refused."""
    code = str(path(where.code)(error) or "")
    said = path(where.message)(error)
    says = shorten(said if isinstance(said, str) else "") or code or "refused without a reason"
    fields = named_fields(path(where.fields)(error), says)
    rule = find_rule(_item_rules(session.manifest.errors), 0, code, says)
    existing = text_id(path(where.existing_id)(error)) or None
    if rule is None:
        return as_outcome(Verdict("refused", "refused", says, fields, existing))
    verdict = by_rule(rule, answer, code, says, fields, session.clock.now())
    return as_outcome(replace(verdict, existing_id=verdict.existing_id or existing))


def _item_rules(errors: words.Errors) -> list[words.ErrorRule]:
    """An item has no status of its own: only rules that look at code or text can be about it."""
    return [rule.model_copy(update={"status": []}) for rule in errors.rules if rule.code or rule.text]


# -- jobs -----------------------------------------------------------------------------------------------


def poll(session: Session, object: str, job: str, items: Sequence[WriteItem]) -> list[Outcome]:
    """The outcomes of a remote job; all Pending while it runs."""
    spec = session.object(object)
    way = _way(spec, items[0]) if items else ""
    write_words: words.Write | None = getattr(spec.write, way, None)
    if write_words is None or write_words.job is None:
        raise Refused(f"{object} has no jobs for {way}", connection=session.settings.name)
    answer = session.ask(write_words.job.status, {"object": object, "job": job}, f"{object}.job")
    state = str(path(write_words.job.state)(answer.body))
    if state not in (*write_words.job.done, *write_words.job.failed):
        return [Pending(job) for _ in items]
    if write_words.results is None:
        return [UnknownItem(f"the job ended as {state} and tells nothing of its items") for _ in items]
    return match_results(session, object, write_words.results, items, (), answer)
