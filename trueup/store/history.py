"""History: how a decision is written down, and read back as what people and rules ask of it.

What filled an empty field is stored by name, without its value: `came` holds `[rule, source, field, …]`. The
value is what the next change replaced, or what stands in the entity now, so a reader walks back from
the newest row. `changes` and `conflicts` are stored whole.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

from trueup.model.history import FIRST_SIGHT, Change, Conflict, HistoryRow
from trueup.model.jsontext import dumps, loads
from trueup.model.plan import Plan
from trueup.model.values import Value
from trueup.store.codec import REST, micros, moment, read_values
from trueup.store.decide import home
from trueup.store.sql import Row, Tx

Came = Mapping[tuple[str, str], list[str]]
"""Field names by (rule, source)."""


# -- written ------------------------------------------------------------------------------------------


def told(plan: Plan) -> str:
    """What one decision changed and refused."""
    came, changes = _sorted_out(plan)
    data: dict[str, Value] = {}
    if came:
        data["came"] = _groups(came, changes, plan)
    if changes:
        data["changes"] = changes
    if plan.conflicts:
        data["conflicts"] = [
            [one.field, one.lost, one.lost_source, one.kept, one.kept_source, one.rule]
            for one in plan.conflicts
        ]
    return dumps(data)


def told_of_new(values: Mapping[str, Value], source: str, rule: str) -> str:
    """That these values came into being together."""
    return dumps({"came": [[rule, source, *values]]})


def _sorted_out(plan: Plan) -> tuple[dict[tuple[str, str], list[str]], list[Sequence[Value]]]:
    """What came by (rule, source), and the changes that are stored whole. Where anything was
    known before, only a first sight comes: of other changes rules ask for the value itself. Nor comes what
    moved twice."""
    came: dict[tuple[str, str], list[str]] = {}
    whole: list[Sequence[Value]] = []
    is_new, twice = not (plan.before.values or plan.before.sources), _twice(plan.changes)
    for change in plan.changes:
        name, old, new, source, rule = change
        if old is None and new is not None and (is_new or rule == FIRST_SIGHT) and name not in twice:
            came.setdefault((rule, source), []).append(name)
        else:
            whole.append(change)
    return came, whole


def _twice(changes: Sequence[Change]) -> frozenset[str]:
    names = [change.field for change in changes]
    if len(set(names)) == len(names):
        return frozenset()
    return frozenset(name for name, count in Counter(names).items() if count > 1)


def _groups(came: Came, changes: Sequence[Sequence[Value]], plan: Plan) -> list[list[str]]:
    """`*` stands for the fields of the first group, if all that the entity holds came now."""
    groups = [[rule, source, *names] for (rule, source), names in came.items()]
    names = [name for group in came.values() for name in group]
    if not changes and not plan.before.values and plan.entity.values.keys() == set(names):
        groups[0][2:] = [REST]
    return groups


# -- read back ----------------------------------------------------------------------------------------


def history(tx: Tx, public_id: str, limit: int) -> list[HistoryRow]:
    """See `Store.history`."""
    entity = home(tx, public_id)
    now = tx.row("select data from entities where id = ?", entity)
    values: dict[str, Value] = {} if now is None else read_values(now[0])
    found = tx.rows(
        "select at, run_id, revision, data from history where entity_id = ? order by id desc limit ?",
        entity,
        limit,
    )
    return [_row(row, values) for row in found]


def past(tx: Tx, ids: Sequence[int], since: datetime) -> dict[int, list[HistoryRow]]:
    """See `Store.past`."""
    found: dict[int, list[HistoryRow]] = {}
    rows = tx.rows(
        "select at, run_id, revision, data, entity_id from history where entity_id in ints(?) and at >= ?"
        " order by id desc",
        list(ids),
        micros(since),
    )
    for row in rows:
        data = loads(row[3])
        found.setdefault(row[4], []).append(_as_row(row, data, _changes(data), ""))
    return found


def _row(row: Row, values: dict[str, Value]) -> HistoryRow:
    """`values`: what was held after this decision; becomes what was held before it."""
    data = loads(row[3])
    changes = _changes(data)
    for change in reversed(changes):
        values[change.field] = change.old
    came = _came(data, values)
    changes += [
        Change(name, None, values.pop(name, None), source, rule)
        for (rule, source), names in came.items()
        for name in names
    ]
    only = next(iter(came), ("", ""))
    alone = len(came) == 1 and only[0] == FIRST_SIGHT and "changes" not in data
    return _as_row(row, data, changes, only[1] if alone else "")


def _changes(data: Mapping[str, Value]) -> list[Change]:
    return [Change(*one) for one in data.get("changes", ())]


def _came(data: Mapping[str, Value], values: Mapping[str, Value]) -> Came:
    came = {(rule, source): names for rule, source, *names in data.get("came", ())}
    named = {name for names in came.values() for name in names}
    rest = sorted(name for name, value in values.items() if value is not None and name not in named)
    return {group: rest if names == [REST] else names for group, names in came.items()}


def _as_row(row: Row, data: Mapping[str, Value], changes: Sequence[Change], first_sight: str) -> HistoryRow:
    conflicts = tuple(Conflict(*one) for one in data.get("conflicts", ()))
    released = tuple((record, key) for record, key, _ in data.get("released", ()))
    return HistoryRow(moment(row[0]), row[1], row[2], tuple(changes), conflicts, first_sight, released)
