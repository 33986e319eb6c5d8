"""What HubSpot needs beyond its manifest: associations, communication preferences, stages that do not
move backwards, and more fields than a search takes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from trueup.connectors import metadata, reading, writing
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
from trueup.connectors.hubspot import consent, links
from trueup.connectors.rest import Steps
from trueup.connectors.session import Session
from trueup.errors import ConnectorError
from trueup.model.delivery import WriteKind
from trueup.model.record import Cursor, FieldSpec, Json, Page, Reading, Record

_STAGE = "lifecyclestage"
_FURTHER = "hs_additional_emails"  # addresses that merges left, separated by semicolons
_MOST_NAMES = 2000  # characters of field names in one search, which takes 3,000 characters in all
_MOST_WORDS = 2500  # characters of field names and values in one search; the rest is for what is round them
_OWN_CALLS = (consent.PREFIX, links.PREFIX)


# -- reading --------------------------------------------------------------------------------------------


def pull(session: Session, object: str, what: Reading, cursor: Cursor | None, fields: Sequence[str]) -> Page:
    """A page by the manifest, with associations and preferences of its records added in bulk.

    More fields than a search takes are read by id afterwards.
    """
    plain = _plain(session, object, fields)
    many = _length(plain) > _MOST_NAMES
    page = reading.pull(session, object, what, cursor, ["email"] if many and "email" in plain else plain)
    if many:
        page = replace(page, records=_again(session, object, page.records, plain))
    return replace(page, records=tuple(_enriched(session, object, page.records, fields)))


def _again(
    session: Session, object: str, records: Sequence[Record], fields: Sequence[str]
) -> tuple[Record, ...]:
    living = [record.id for record in records if not record.deleted]
    read = dict(zip(living, reading.read(session, object, living, fields), strict=True))
    again = (read.get(record.id, record) for record in records)
    return tuple(found for found in again if isinstance(found, Record))


def read(
    session: Session, object: str, ids: Sequence[str], fields: Sequence[str]
) -> Sequence[Record | GoneItem]:
    found = reading.read(session, object, ids, _plain(session, object, fields))
    living = [record for record in found if isinstance(record, Record)]
    enriched = iter(_enriched(session, object, living, fields))
    return [next(enriched) if isinstance(one, Record) else one for one in found]


def find(
    session: Session, object: str, key: str, values: Sequence[Json], fields: Sequence[str]
) -> Sequence[Record]:
    """Records by key. The e-mail address is no search, and takes what it gets; a search is kept short."""
    plain = _plain(session, object, fields)
    if key == "email":
        return _enriched(session, object, reading.find(session, object, key, values, plain), fields)
    many = _length(plain) > _MOST_NAMES
    named = [] if many else plain
    found = {
        record.id: record
        for part in _parts(values, _MOST_WORDS - _length(named))
        for record in reading.find(session, object, key, part, named)
    }
    whole = _again(session, object, list(found.values()), plain) if many else found.values()
    return _enriched(session, object, list(whole), fields)


def _length(words: Sequence[Json]) -> int:
    """Characters that these take in a request, with quotes and comma."""
    return sum(len(str(word)) + 3 for word in words)


def _parts(values: Sequence[Json], most: int) -> Iterator[list[Json]]:
    """The values in parts of at most so many characters, none of them empty."""
    part: list[Json] = []
    for value in values:
        if part and _length([*part, value]) > most:
            yield part
            part = []
        part.append(value)
    if part:
        yield part


def _plain(session: Session, object: str, fields: Sequence[str]) -> list[str]:
    """The fields that are properties; the addresses among them where preferences are wanted."""
    plain = [name for name in fields if not name.startswith(_OWN_CALLS)]
    wanted = ("email", _FURTHER) if consent.names_in(fields) else ()
    return [*plain, *(name for name in wanted if name not in plain)]


def _enriched(
    session: Session, object: str, records: Sequence[Record], fields: Sequence[str]
) -> list[Record]:
    if not any(name.startswith(_OWN_CALLS) for name in fields):
        return list(records)
    living = [record for record in records if not record.deleted]
    added = _links_of(session, object, living, fields)
    for id, values in _preferences_of(session, living, fields).items():
        added[id] = {**added.get(id, {}), **values}
    return [_with(record, added.get(record.id, {}), fields) for record in records]


def _with(record: Record, added: Mapping[str, Json], fields: Sequence[str]) -> Record:
    values = {**record.values, **added}
    return replace(record, values={name: values[name] for name in fields if name in values})


def _links_of(
    session: Session, object: str, records: Sequence[Record], fields: Sequence[str]
) -> dict[str, dict[str, Json]]:
    found: dict[str, dict[str, Json]] = {}
    for other in links.objects_in(fields) if records else ():
        ends = links.read(session, object, other, [record.id for record in records])
        for id, linked in ends.items():
            found.setdefault(id, {}).update(links.values(other, linked))
    return found


def _preferences_of(
    session: Session, records: Sequence[Record], fields: Sequence[str]
) -> dict[str, dict[str, Json]]:
    """The preferences of each record's address; opt-outs at its further addresses stand beside them."""
    names = consent.names_in(fields)
    emails = {record.id: str(record.values["email"]) for record in records if record.values.get("email")}
    further = {record.id: _further(record) for record in records}
    asked = [*emails.values(), *(email for more in further.values() for email in more)]
    if not names or not asked:
        return {}
    known = consent.read(session, asked, names)
    return {
        id: consent.with_further(known.get(emails.get(id, "").lower(), {}), more, known)
        for id, more in further.items()
        if id in emails or more
    }


def _further(record: Record) -> list[str]:
    text = record.values.get(_FURTHER)
    return [one.strip() for one in text.split(";") if one.strip()] if isinstance(text, str) else []


def fields(session: Session, object: str) -> Sequence[FieldSpec]:
    """The properties, and for contacts the communication preferences."""
    known = metadata.fields(session, object)
    if object != "contacts":
        return known
    own = [FieldSpec(consent.PREFIX + name, name, "object") for name in consent.definitions(session)]
    return [*known, *own]


# -- writing --------------------------------------------------------------------------------------------


def write(
    session: Session, object: str, items: Sequence[WriteItem], wanted: Sequence[str]
) -> Sequence[Outcome]:
    """Preferences first (an opt-out never waits for a phone number, and stands for a new address before the
    contact has it), then properties, then associations.

    An item is Done when all its parts are; the first part that fails decides its outcome.
    """
    kept: dict[str, dict[str, Json]] = {}
    failed: dict[str, Outcome] = {}
    updates = [item for item in items if item.kind is WriteKind.UPDATE and _has_consent(item)]
    if updates:
        failed, kept = consent.write(session, updates, _emails(session, object, updates))
    going_on = [item for item in items if item.key not in failed]
    done = _properties(session, object, going_on, wanted, started=bool(kept))
    late = _Late(session, object, kept, failed | {key: out for key, out in done.items() if not _is_done(out)})
    late.consents([item for item in items if item.kind is WriteKind.CREATE], done)
    late.links(items, done)
    return [_outcome(item, done, late.kept, late.failed) for item in items]


def _has_consent(item: WriteItem) -> bool:
    return bool(consent.names_in(list(item.values)))


def _is_done(outcome: Outcome) -> bool:
    return isinstance(outcome, Done)


def _emails(session: Session, object: str, items: Sequence[WriteItem]) -> dict[str, str]:
    """The address whose preferences an item is about: the one that it brings, else the present one."""
    new = {item.key: str(item.values["email"]) for item in items if item.values.get("email")}
    rest = [item for item in items if item.key not in new]
    found = reading.read(session, object, [item.id or "" for item in rest], ["email"]) if rest else []
    present = {
        item.key: str(record.values.get("email") or "") if isinstance(record, Record) else ""
        for item, record in zip(rest, found, strict=True)
    }
    return present | new


def _properties(
    session: Session, object: str, items: Sequence[WriteItem], wanted: Sequence[str], started: bool
) -> dict[str, Outcome]:
    """The outcomes of what is in properties, by item key. Items without any are done as they are."""
    bare = [_bare(item) for item in items]
    sent = [item for item in bare if _has_properties(item)]
    done: dict[str, Outcome] = {item.key: Done(item.id or "") for item in bare if not _has_properties(item)}
    plain = [name for name in wanted if not name.startswith(_OWN_CALLS)]
    try:
        outcomes = writing.write(session, object, sent, plain) if sent else []
    except ConnectorError as error:
        if not started:
            raise
        outcomes = [writing.left_open(error)] * len(sent)
    done |= {item.key: _whole(outcome, plain) for item, outcome in zip(sent, outcomes, strict=True)}
    return done | _moved_back(session, object, sent, done, plain)


def _whole(outcome: Outcome, asked: Sequence[str]) -> Outcome:
    """The answer to a create leaves out what is empty in the new record."""
    if not isinstance(outcome, Done) or not outcome.created or outcome.record is None:
        return outcome
    values = {**dict.fromkeys(asked), **outcome.record.values}
    return replace(outcome, record=replace(outcome.record, values=values))


def _bare(item: WriteItem) -> WriteItem:
    """With properties only."""
    if any(name.startswith(_OWN_CALLS) for name in item.values):
        return replace(item, values=_only_properties(item.values))
    return item


def _has_properties(item: WriteItem) -> bool:
    return bool(item.values) or item.kind is not WriteKind.UPDATE


def _only_properties(values: Mapping[str, Json]) -> dict[str, Json]:
    return {name: value for name, value in values.items() if not name.startswith(_OWN_CALLS)}


class _Late:
    """What is written once the records are there; collects what was kept and what failed."""

    def __init__(
        self,
        session: Session,
        object: str,
        kept: dict[str, dict[str, Json]],
        failed: dict[str, Outcome],
    ) -> None:
        self.session = session
        self.object = object
        self.kept = kept
        self.failed = failed

    def consents(self, created: Sequence[WriteItem], done: Mapping[str, Outcome]) -> None:
        items = [item for item in created if _has_consent(item) and item.key not in self.failed]
        if not items:
            return
        emails = {item.key: str(item.values.get("email") or "") for item in items}
        try:
            failures, kept = consent.write(self.session, items, emails)
        except ConnectorError as error:
            failures, kept = {item.key: writing.left_open(error) for item in items}, {}
        self.failed |= {key: _partly(done[key], outcome) for key, outcome in failures.items()}
        self.kept |= kept

    def links(self, items: Sequence[WriteItem], done: Mapping[str, Outcome]) -> None:
        linked = [item for item in items if links.objects_in(list(item.values))]
        concerned = [item for item in linked if item.key not in self.failed]
        ids = {item.key: _id(done[item.key]) for item in concerned}
        if not concerned:
            return
        try:
            failures = links.write(self.session, self.object, concerned, ids)
        except ConnectorError as error:
            failures = {item.key: writing.left_open(error) for item in concerned}
        self.failed |= {key: _partly(done[key], outcome) for key, outcome in failures.items()}
        for item in concerned:
            names = [name for name in item.values if name.startswith(links.PREFIX)]
            self.kept.setdefault(item.key, {}).update({name: item.values[name] for name in names})


def _id(outcome: Outcome) -> str:
    return outcome.id if isinstance(outcome, Done) else ""


def _partly(done: Outcome, failure: Outcome) -> Outcome:
    """A created record must not be created again because something beside it failed: it is in doubt
    or it exists already, under its id."""
    if not isinstance(done, Done) or not done.created:
        return failure
    if isinstance(failure, RefusedItem):
        return replace(failure, existing_id=done.id)
    return UnknownItem(f"the record {done.id} was made, but not all that belongs to it")


def _outcome(
    item: WriteItem,
    done: Mapping[str, Outcome],
    kept: Mapping[str, Mapping[str, Json]],
    failed: Mapping[str, Outcome],
) -> Outcome:
    if item.key in failed:
        return failed[item.key]
    outcome = done[item.key]
    own = kept.get(item.key)
    if not isinstance(outcome, Done) or not own:
        return outcome
    record = outcome.record or Record(outcome.id, {})
    return replace(outcome, record=replace(record, values={**record.values, **own}))


# -- a stage that moves backwards -----------------------------------------------------------------------


def _moved_back(
    session: Session,
    object: str,
    items: Sequence[WriteItem],
    done: Mapping[str, Outcome],
    wanted: Sequence[str],
) -> dict[str, Outcome]:
    """HubSpot accepts an earlier stage with success and keeps the later one; its answer shows it.

    The stage is then cleared and set in two further requests, as the vendor's guide says.
    """
    stuck = [item for item in items if _is_stuck(item, done.get(item.key))]
    if not stuck:
        return {}
    return _cleared_and_set(session, object, stuck, done, wanted)


def _is_stuck(item: WriteItem, outcome: Outcome | None) -> bool:
    sent = item.values.get(_STAGE)
    if not sent or not isinstance(outcome, Done) or outcome.record is None:
        return False
    kept = outcome.record.values.get(_STAGE)
    return kept is not None and kept != sent


def _cleared_and_set(
    session: Session,
    object: str,
    items: Sequence[WriteItem],
    done: Mapping[str, Outcome],
    wanted: Sequence[str],
) -> dict[str, Outcome]:
    results: dict[str, Outcome] = {}
    going_on = list(items)
    for stage_of in (_no_stage, _its_stage):
        steps = [_stage_step(item, _id(done[item.key]), stage_of(item)) for item in going_on]
        outcomes = _tried(session, object, steps, wanted)
        results |= {item.key: outcome for item, outcome in zip(going_on, outcomes, strict=True)}
        going_on = [item for item in going_on if _is_done(results[item.key])]
    return {item.key: _settled(session, object, item, done[item.key], results[item.key]) for item in items}


def _no_stage(item: WriteItem) -> Json:
    return None


def _its_stage(item: WriteItem) -> Json:
    return item.values[_STAGE]


def _stage_step(item: WriteItem, id: str, value: Json) -> WriteItem:
    return WriteItem(item.key, WriteKind.UPDATE, id, {_STAGE: value})


def _tried(
    session: Session, object: str, steps: Sequence[WriteItem], wanted: Sequence[str]
) -> Sequence[Outcome]:
    try:
        return writing.write(session, object, steps, wanted) if steps else []
    except ConnectorError as error:
        return [writing.left_open(error)] * len(steps)


def _settled(session: Session, object: str, item: WriteItem, first: Outcome, last: Outcome) -> Outcome:
    """The outcome of the whole: a step that failed in between leaves a half that is looked at once."""
    assert isinstance(first, Done)
    if isinstance(last, Done):
        if last.record is None or first.record is None:
            return replace(first, record=last.record or first.record)
        values = {**first.record.values, **last.record.values}
        return replace(first, record=replace(last.record, values=values))
    if isinstance(last, RefusedItem | GoneItem | Pending):
        return last
    try:
        found = reading.read(session, object, [first.id], [_STAGE])[0]
    except ConnectorError:
        return UnknownItem("the stage was to be cleared and set, and not both may have happened")
    if isinstance(found, Record) and found.values.get(_STAGE) == item.values[_STAGE]:
        return replace(first, record=None)
    return NotApplied("the stage is not set yet; the same write sets it")


STEPS = Steps(pull=pull, read=read, find=find, write=write, fields=fields)
