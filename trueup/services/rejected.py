"""What a person kept from being written: what differs since, who, with which run, why, what takes it up."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from trueup.mapping.compiled import Binding
from trueup.model.delivery import GIVEN_UP, REJECTED, Delivery
from trueup.model.entity import Link
from trueup.model.plan import Case, Context, Plan
from trueup.model.record import Json
from trueup.model.values import ABSENT, Absent, Rejected
from trueup.services.hub import Hub
from trueup.sync.decide import context_for
from trueup.sync.rules.differences import is_held
from trueup.sync.rules.evidence import Reading, hub_side, read


@dataclass(frozen=True, slots=True)
class Difference:
    """A field of a system that is not written: what stands there, and what the rules would write."""

    field: str
    there: Json
    proposed: Json


@dataclass(frozen=True, slots=True)
class _Kept:
    """A field that keeps what it holds, and the write that a person gave up."""

    link: Link
    binding: Binding
    write: Delivery


def rejected(
    hub: Hub, case: Case, plan: Plan, name: str, living: Sequence[Link]
) -> tuple[str, str, str] | None:
    """(word, sentence, what to do) where a record differs because a person gave up a write to it."""
    found = _kept(hub, case, plan, living)
    if not found:
        return None
    fields = ", ".join(dict.fromkeys(one.binding.key for one in found))
    ways = "; ".join(dict.fromkeys(_way(one.write) for one in found))
    word = "rejected" if found[0].write.code == REJECTED else "given up"
    stays = "it stays so until that is edited, in a system or here"
    return word, f"differs in {fields}: {ways}; {stays}", _then(case, plan, found)


def differences(hub: Hub, case: Case, plan: Plan, living: Sequence[Link]) -> tuple[Difference, ...]:
    """Those fields, with what stands there and what was not written."""
    return tuple(
        Difference(one.binding.key, one.link.observed.get(one.binding.remote), _wanted(one.binding, plan))
        for one in _kept(hub, case, plan, living)
    )


def _kept(hub: Hub, case: Case, plan: Plan, living: Sequence[Link]) -> list[_Kept]:
    past = hub.parts.store.past_deliveries([link.id for link in living])
    if not any(one.code in GIVEN_UP for one in past):
        return []
    context, last = context_for(hub.parts, [case]), _last(past)
    return [
        _Kept(link, binding, write)
        for link in living
        for binding in _bindings(hub, link)
        if (write := last.get((link.id, binding.remote))) is not None
        if _is_as_it_was(link, write, binding) and _differs(link, binding, plan, context)
    ]


def _bindings(hub: Hub, link: Link) -> Sequence[Binding]:
    mapping = hub.parts.policy.mappings.get(link.stream)
    return mapping.bindings if mapping is not None else ()


def _last(past: Sequence[Delivery]) -> Mapping[tuple[int, str], Delivery]:
    """The last write to each path of each link."""
    return {(one.link.id, path): one for one in reversed(past) for path in one.write.replaced}


def _is_as_it_was(link: Link, write: Delivery, binding: Binding) -> bool:
    """Whether that write was given up, and what stood there stands there still."""
    path = binding.remote
    return write.code in GIVEN_UP and link.observed.get(path) == write.write.replaced[path]


def _differs(link: Link, binding: Binding, plan: Plan, context: Context) -> bool:
    """Agreements tell it no more: once decided, what differs and did not move is what both agreed on."""
    wanted, there = binding.write(plan.entity.values), link.observed.get(binding.remote, ABSENT)
    if isinstance(wanted, Rejected | Absent) or binding.refers is not None:
        return False
    has = read(binding, there, link, context)
    return not is_held(Reading(link, binding, there, has, None, None), wanted)


def _way(write: Delivery) -> str:
    if write.code == REJECTED:
        return f"the write was rejected with run {write.run_id} ({write.error})"
    return f"the write was {write.error}"


def _wanted(binding: Binding, plan: Plan) -> Json:
    raw = binding.write(plan.entity.values)
    return None if isinstance(raw, Rejected | Absent) else raw


def _then(case: Case, plan: Plan, found: Sequence[_Kept]) -> str:
    """A back-fill writes what the hub holds; an empty value it writes over nothing, so that needs an edit."""
    id, first = case.entity.public_id, found[0]
    if any(_is_empty(one.binding, plan) for one in found):
        return (
            f"empty it there, or give it a value: trueup contacts edit {id} {first.binding.fields[0]}=VALUE"
        )
    pushes = dict.fromkeys(f"{one.link.connection}.{one.binding.key}=push" for one in found)
    asked = " ".join(f"--backfill {shlex.quote(each)}" for each in pushes)
    return f"trueup plan {asked} --only {id} --out FILE, then trueup sync --plan FILE"


def _is_empty(binding: Binding, plan: Plan) -> bool:
    hub = hub_side(binding, plan.entity.values)
    return hub in (None, []) or (isinstance(hub, list) and not any(hub))
