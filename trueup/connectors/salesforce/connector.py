"""Salesforce: what the manifest cannot say.

Four things. A column that the user may not see spoils a whole query, so it is left out and stays
absent. An id or a value too many spoils the address, so look-ups are cut to fit. And a write only says
that a record is gone: where it went (a merge, a conversion) is read before the outcome is given. The
people of a deal are children with stamps of their own (`roles`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from trueup.connectors import manifest as words
from trueup.connectors import reading, writing
from trueup.connectors.base import GoneItem, Outcome, RefusedItem, WriteItem
from trueup.connectors.rest import Steps
from trueup.connectors.salesforce import roles
from trueup.connectors.salesforce.soql import fitting, is_id, select, visible
from trueup.connectors.session import Session
from trueup.errors import ConnectorError, Refused
from trueup.model.record import Cursor, Json, Page, Reading, Record

T = TypeVar("T")
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_PREFIXES = {"Lead": "00Q", "Contact": "003", "Account": "001", "Opportunity": "006", "Task": "00T"}


# -- reading --------------------------------------------------------------------------------------------


def pull(session: Session, object: str, kind: Reading, cursor: Cursor | None, fields: Sequence[str]) -> Page:
    """One page, by key from the last record of the one before: an edit in between makes no gap.

    Columns that the org does not show are remembered in the cursor until the reading ends. Changes of
    deals end with those whose people changed.
    """
    position = cursor or {}
    if "sweep" in position and kind is Reading.CHANGES:
        return roles.pull(session, position, fields, read)
    page, lost = _page(session, object, kind, cursor, fields)
    if object == "Opportunity" and kind is Reading.CHANGES and roles.PATH in set(fields) - set(lost):
        known = roles.before(position)
        return roles.carried(page, known) if page.more else roles.opened(session, page, known)
    return page


def _page(
    session: Session, object: str, kind: Reading, cursor: Cursor | None, fields: Sequence[str]
) -> tuple[Page, list[str]]:
    """One page of the object itself, and the fields that were not shown."""
    position = cursor or {}
    hidden = position.get("hidden", ())
    wanted = [path for path in fields if path not in hidden]

    def ask(selecting: Session, seen: Sequence[str]) -> tuple[Page, Sequence[str]]:
        return reading.pull(selecting, object, kind, cursor, seen), seen

    page, seen = _shown(session, object, wanted, ask)
    lost = [path for path in fields if path not in seen]
    if lost and page.more:
        page = replace(page, cursor={**page.cursor, "hidden": lost})
    # on later pages the vendor counts what is left, not the whole
    return (replace(page, total=None) if "after" in position else page), lost


def read(session: Session, object: str, ids: Sequence[str], fields: Sequence[str]) -> list[Record | GoneItem]:
    """These records now. Merged ones are gone to their master; a converted lead names its contact."""
    found: dict[str, Record | GoneItem] = {}
    sound = list(dict.fromkeys(id for id in ids if is_id(id)))

    def ask(selecting: Session, seen: Sequence[str]) -> None:
        for chunk in fitting(sound, _read_query(selecting, object)):
            found.update(zip(chunk, reading.read(selecting, object, chunk, seen), strict=True))

    _shown(session, object, fields, ask)
    return [found.get(id, GoneItem()) for id in ids]


def find(
    session: Session, object: str, key: str, values: Sequence[Json], fields: Sequence[str]
) -> list[Record]:
    """Living records with one of these values; case does not matter. Empty values find nothing."""
    told = list(dict.fromkeys(value for value in values if value not in (None, "")))

    def ask(selecting: Session, seen: Sequence[str]) -> list[Record]:
        chunks = fitting(told, _read_query(selecting, object))
        each = (reading.find(selecting, object, key, chunk, seen) for chunk in chunks)
        return list({record.id: record for records in each for record in records}.values())

    return _shown(session, object, fields, ask)


def _shown(
    session: Session, object: str, fields: Sequence[str], ask: Callable[[Session, Sequence[str]], T]
) -> T:
    """What `ask` brings, with as many of the fields as the org shows to this user."""
    left = list(fields)
    while True:
        try:
            return ask(_selecting(session, object, left), left)
        except Refused as refused:
            fewer = visible(object, left, refused.vendor_says)
            if len(fewer) == len(left):
                raise
            left = fewer


def _selecting(session: Session, object: str, fields: Sequence[str]) -> Session:
    """The session with these columns put into the object's queries."""
    spec = session.object(object)
    put = spec.model_copy(
        update={
            "listing": _stream(spec.listing, fields),
            "changes": _stream(spec.changes, fields),
            "read": _by_id(spec.read, fields),
            "find": [_stream(way, fields) for way in spec.find],
        }
    )
    objects = {**session.manifest.objects, object: put}
    return replace(session, manifest=session.manifest.model_copy(update={"objects": objects}))


def _stream(stream: words.Stream | None, fields: Sequence[str]) -> words.Stream | None:
    if stream is None:
        return None
    following = _request(stream.next, fields) if stream.next else None
    return stream.model_copy(update={"request": _request(stream.request, fields), "next": following})


def _by_id(way: words.Read | None, fields: Sequence[str]) -> words.Read | None:
    if way is None or way.many is None:
        return way
    many = way.many.model_copy(update={"request": _request(way.many.request, fields)})
    return way.model_copy(update={"many": many})


def _request(request: words.Request, fields: Sequence[str]) -> words.Request:
    return request.model_copy(update={"query": {**request.query, "q": select(request.query["q"], fields)}})


def _read_query(session: Session, object: str) -> str:
    way = session.object(object).read
    return str(way.many.request.query["q"]) if way is not None and way.many is not None else ""


# -- writing --------------------------------------------------------------------------------------------


def write(session: Session, object: str, items: Sequence[WriteItem], fields: Sequence[str]) -> list[Outcome]:
    """Send the items, 200 a call; each fails for itself.

    A create that must not make a second record is refused unless its key is the org's external id field.
    """
    key = session.values.get("external_id_field")
    unfit = [None if item.upsert is None or item.upsert[0] == key else _no_key(item) for item in items]
    sent = [item for item, wrong in zip(items, unfit, strict=True) if wrong is None]
    answered = iter(writing.write(session, object, sent, fields) if sent else [])
    outcomes = [wrong or _known(object, next(answered)) for wrong in unfit]
    return _followed(session, object, items, outcomes)


def _no_key(item: WriteItem) -> Outcome:
    field = item.upsert[0] if item.upsert else ""
    reason = "is not named as the org's external id field (option `external_id_field`)"
    return RefusedItem(f"{field} {reason}", {field: reason}, code="TU-REF-010")


def _known(object: str, outcome: Outcome) -> Outcome:
    """A refusal with the id that the vendor names in the long form; one of another object is only told."""
    if not isinstance(outcome, RefusedItem) or outcome.existing_id is None:
        return outcome
    id = long_id(outcome.existing_id)
    if id.startswith(_PREFIXES[object]):
        return replace(outcome, existing_id=id)
    return replace(outcome, existing_id=None, reason=f"{outcome.reason} (it is there as {id})")


def long_id(short: str) -> str:
    """The 18 characters that the API answers with, for 15: a check on upper case, five by five."""
    if len(short) != 15:
        return short
    parts = (short[start : start + 5] for start in (0, 5, 10))
    sums = (sum(1 << place for place, sign in enumerate(part) if sign.isupper()) for part in parts)
    return short + "".join(_LETTERS[number] for number in sums)


def _followed(
    session: Session, object: str, items: Sequence[WriteItem], outcomes: list[Outcome]
) -> list[Outcome]:
    """The outcomes with where gone records went. What was done stays done if that cannot be read."""
    gone = [
        item.id
        for item, outcome in zip(items, outcomes, strict=True)
        if isinstance(outcome, GoneItem) and item.id is not None
    ]
    if not gone:
        return outcomes
    try:
        now = dict(zip(gone, read(session, object, gone, ()), strict=True))
    except ConnectorError:
        return outcomes
    return [
        _went(now[item.id]) if isinstance(outcome, GoneItem) and item.id is not None else outcome
        for item, outcome in zip(items, outcomes, strict=True)
    ]


def _went(found: Record | GoneItem) -> Outcome:
    if isinstance(found, GoneItem):
        return found
    if found.successor is not None:
        return GoneItem(found.successor, found.successor_object)
    reason = "the record is there, but this user may not change it"
    return RefusedItem(reason, {"": reason}, code="TU-REF-012")


STEPS = Steps(pull=pull, read=read, find=find, write=write)
