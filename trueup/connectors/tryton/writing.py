"""Writes to parties: what is there is read first, then one guarded call carries the whole batch.

One call is one transaction. Where it is refused, nothing of it was applied, and each item goes alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from trueup.connectors.base import Done, GoneItem, Outcome, RefusedItem, StaleItem, UnknownItem, WriteItem
from trueup.connectors.tryton import reading
from trueup.connectors.tryton.parts import Codes, commands
from trueup.connectors.tryton.reading import Account, Party
from trueup.connectors.tryton.rpc import ALL
from trueup.connectors.tryton.shape import COMPANIES, PARTY, Object
from trueup.connectors.verdict import Verdict, as_outcome
from trueup.errors import ConnectorError, OutcomeUnknown
from trueup.model.delivery import WriteKind
from trueup.model.record import Json

_ALONE = frozenset({"refused", "stale", "gone"})
_FIELD = re.compile(r'field "([^"]+)"')


@dataclass(frozen=True, slots=True)
class Prepared:
    """One item ready to be sent. `party` as it was just read; None for a create."""

    item: WriteItem
    party: Party | None
    values: Mapping[str, Json]

    @property
    def guard(self) -> dict[str, str]:
        """The stamps that must not have moved since: of the party and of all its parts."""
        if self.party is None or self.item.version is None:
            return {}
        return {name: stamps["_timestamp"] for name, stamps in self.party.stamps()}


@dataclass(slots=True)
class Batch:
    """A batch under way: which object, what was read before, what became of each item."""

    account: Account
    object: Object
    names: Sequence[str]
    codes: Codes
    parties: dict[int, Any] = field(default_factory=dict)
    outcomes: dict[str, Outcome] = field(default_factory=dict)


def write(
    account: Account, object: Object, items: Sequence[WriteItem], names: Sequence[str]
) -> list[Outcome]:
    """The outcomes in the order of the items. Two writes to one party go in two calls."""
    outcomes: list[Outcome] = []
    for part in _rounds(items):
        batch = Batch(account, object, names, Codes(account))
        ids = [int(item.id) for item in part if item.id is not None and item.id.isdigit()]
        batch.parties = reading.by_ids(account, object, ids, names) if ids else {}
        _send(batch, [prepared for item in part if (prepared := _prepared(batch, item)) is not None])
        _read_back(batch)
        outcomes += [batch.outcomes[item.key] for item in part]
    return outcomes


def _rounds(items: Sequence[WriteItem]) -> Iterator[list[WriteItem]]:
    """Consecutive items of one kind, no id twice."""
    part: list[WriteItem] = []
    for item in items:
        if part and (item.kind is not part[0].kind or (item.id and item.id in {each.id for each in part})):
            yield part
            part = []
        part.append(item)
    if part:
        yield part


# -- preparing ----------------------------------------------------------------------------------------


def _prepared(batch: Batch, item: WriteItem) -> Prepared | None:
    """The item ready to be sent; None when its outcome is known already."""
    party = _addressed(batch, item)
    if party is not None and not isinstance(party, Party):
        batch.outcomes[item.key] = party
        return None
    if item.kind is WriteKind.MERGE:
        batch.outcomes[item.key] = RefusedItem("parties are merged in Tryton itself, with its wizard")
        return None
    values, wrong = commands(batch.codes, party, _wanted(item), batch.names)
    if item.kind is WriteKind.CREATE and not wrong:
        wrong = _placed(batch, values)
    if wrong:
        reason = "; ".join(f"`{name}` {why}" for name, why in wrong.items())
        batch.outcomes[item.key] = RefusedItem(reason, wrong)
        return None
    return Prepared(item, party, values)


def _addressed(batch: Batch, item: WriteItem) -> Party | GoneItem | StaleItem | None:
    if item.kind is WriteKind.CREATE:
        return None
    party = batch.parties.get(int(item.id)) if item.id and item.id.isdigit() else None
    if party is None or not isinstance(party, Party):
        return GoneItem()
    if party.successor is not None:
        return GoneItem(party.successor)
    return party if item.version in (None, party.version) else StaleItem()


def _wanted(item: WriteItem) -> Mapping[str, Json]:
    if item.kind is WriteKind.DEACTIVATE:
        return {**item.values, "active": False}
    return {**item.values, "active": True} if item.kind is WriteKind.REACTIVATE else item.values


def _placed(batch: Batch, values: dict[str, Json]) -> dict[str, str]:
    """Put a new company into the category that makes it one. Says what is missing for that."""
    settings = batch.account.settings
    if batch.object.name != COMPANIES or COMPANIES in settings.where:
        return {}
    category = batch.codes.id("party.category", "name", settings.company_category)
    if category is None:
        return {"categories": f"Tryton has no party category `{settings.company_category}`; make one"}
    values["categories"] = [*values.get("categories", []), ["add", [category]]]
    return {}


# -- sending ------------------------------------------------------------------------------------------


def _send(batch: Batch, ready: Sequence[Prepared]) -> None:
    """All in one call; each alone where that is refused. Raises for what concerns the whole batch."""
    if not ready:
        return
    if ready[0].item.kind is WriteKind.REACTIVATE:
        for prepared in ready:
            _reactivate(batch, prepared)
        return
    result = _told(batch, ready)
    if not isinstance(result, Verdict):
        for prepared, id in zip(ready, _made(ready, result), strict=True):
            batch.outcomes[prepared.item.key] = Done(str(id), created=prepared.party is None)
    elif len(ready) == 1 and result.kind in _ALONE:
        batch.outcomes[ready[0].item.key] = _refused(batch, ready[0], result)
    elif result.kind in _ALONE:
        for prepared in ready:
            _send_after_others(batch, prepared)
    else:
        raise batch.account.rpc.http.error(result, f"{PARTY}.{ready[0].item.kind}")


def _send_after_others(batch: Batch, prepared: Prepared) -> None:
    """One of a batch that was taken apart: others are through, so nothing may be raised any more."""
    try:
        _send(batch, [prepared])
    except ConnectorError as error:
        batch.outcomes[prepared.item.key] = UnknownItem(error.message)


def _told(batch: Batch, ready: Sequence[Prepared]) -> Json | Verdict:
    rpc, kind = batch.account.rpc, ready[0].item.kind
    if kind is WriteKind.CREATE:
        return rpc.tell(f"{PARTY}.create", [[prepared.values for prepared in ready]], ALL)
    context = {**ALL, "_timestamp": {name: stamp for one in ready for name, stamp in one.guard.items()}}
    if kind is WriteKind.DELETE:
        return rpc.tell(f"{PARTY}.delete", [_ids(ready)], context)
    changed = [prepared for prepared in ready if prepared.values]
    pairs = [part for prepared in changed for part in (_ids([prepared]), prepared.values)]
    return rpc.tell(f"{PARTY}.write", pairs, context) if pairs else None


def _ids(ready: Sequence[Prepared]) -> list[int]:
    return [one.party.id for one in ready if one.party is not None]


def _made(ready: Sequence[Prepared], result: Json) -> list[int]:
    """The ids of what a call wrote to or made. OutcomeUnknown where a create does not tell them."""
    if ready[0].item.kind is not WriteKind.CREATE:
        return _ids(ready)
    if not isinstance(result, list) or len(result) != len(ready) or not all(type(id) is int for id in result):
        raise OutcomeUnknown("the answer does not name what was made")
    return result


def _reactivate(batch: Batch, prepared: Prepared) -> None:
    """Tryton lets nothing else of an inactive party be written, so it is switched on first; where the
    rest is refused then, it is switched off again."""
    party = prepared.party
    assert party is not None  # only creates have none
    rest = {name: value for name, value in prepared.values.items() if name != "active"}
    on = Prepared(prepared.item, party, {"active": True})
    result = _told(batch, [on])
    if not isinstance(result, Verdict) and rest:
        rpc = batch.account.rpc
        result = rpc.tell(f"{PARTY}.write", [[party.id], rest], ALL)
        if isinstance(result, Verdict) and not party.row["active"]:
            rpc.tell(f"{PARTY}.write", [[party.id], {"active": False}], ALL)
    key = prepared.item.key
    if isinstance(result, Verdict):
        batch.outcomes[key] = _refused(batch, prepared, result)
    else:
        batch.outcomes[key] = Done(str(party.id))


def _refused(batch: Batch, prepared: Prepared, verdict: Verdict) -> Outcome:
    """The outcome of one item, with the field that Tryton names by its label."""
    outcome = as_outcome(verdict)
    if not isinstance(outcome, RefusedItem):
        return outcome
    labels = _FIELD.findall(verdict.says)
    named = [batch.account.fields(PARTY).named(label) for label in labels]
    fields = {name: outcome.reason for name in named if name} or outcome.fields
    code = prepared.item.values.get("code")
    if code and "unique" in outcome.reason:
        found = reading.by_key(batch.account, batch.object, "code", [code], [])
        existing = next((record.id for record in found), None)
        return RefusedItem(outcome.reason, {"code": outcome.reason}, existing, "TU-REF-011")
    return RefusedItem(outcome.reason, fields, outcome.existing_id, outcome.code)


def _read_back(batch: Batch) -> None:
    """What Tryton keeps now, for everything that was written. The writes stand even if this fails."""
    done = {key: int(one.id) for key, one in batch.outcomes.items() if isinstance(one, Done)}
    if not done:
        return
    try:
        found = reading.by_ids(batch.account, batch.object, done.values(), batch.names)
    except ConnectorError:
        return
    for key, id in done.items():
        before = batch.outcomes[key]
        assert isinstance(before, Done)
        if id in found:
            record = reading.to_record(batch.account, batch.object, found[id], batch.names)
            batch.outcomes[key] = Done(before.id, record, before.created)
