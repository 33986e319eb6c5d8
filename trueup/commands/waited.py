"""Whom a write waits for, by name: a number of the hub says nothing to anybody."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from trueup.commands.counts import is_unknown
from trueup.model.calling import called
from trueup.model.entity import LinkState
from trueup.model.fields import PREFIX
from trueup.model.plan import Case, Plan
from trueup.model.values import Value
from trueup.services.hub import Hub

_WAITS = re.compile(r"waits for ([a-z]+--?\d+)")
_KINDS = {prefix: kind.value for kind, prefix in PREFIX.items()}


def reason_text(hub: Hub, plans: Sequence[tuple[Case, Plan]], connection: str, reason: str) -> str:
    """A reason for not writing to a connection; of one who is waited for what it is, its name, and where it
    has a record. `plans` know those that the hub does not have yet."""
    found = _WAITS.fullmatch(reason)
    if found is None:
        return reason
    id = found[1]
    kind = _KINDS[id.partition("-")[0]]
    return f"waits for the {kind} {_named(hub, plans, id)}, of which {connection} has no record yet"


def _named(hub: Hub, plans: Sequence[tuple[Case, Plan]], id: str) -> str:
    for case, plan in plans:
        if plan.entity.public_id == id:
            return _of(case, plan.entity.values)
    if is_unknown(id):
        return "that is read for the first time"
    case = hub.parts.store.case(id)
    return _of(case, case.entity.values)


def _of(case: Case, values: Mapping[str, Value]) -> str:
    public = case.entity.public_id
    name = called(values)
    words = [word for word in ("" if is_unknown(public) else public, name) if word]
    return f"{' '.join(words) or 'without a name'} ({_records(case)})"


def _records(case: Case) -> str:
    refs = [
        f"{link.connection}/{link.object}/{link.remote_id}"
        for link in case.links
        if link.remote_id is not None and link.state is LinkState.LIVE
    ]
    return ", ".join(refs) or "no record anywhere"
