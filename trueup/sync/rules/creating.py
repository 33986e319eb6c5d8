"""The records that are still missing: whether one is created, and what it carries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from trueup.mapping.apply import put
from trueup.mapping.bind import READ_ONLY_CODE
from trueup.mapping.compiled import Binding, ObjectMapping
from trueup.model.delivery import Effect, Lane, Write, WriteKind
from trueup.model.entity import NEVER, Entity, Link, LinkState, Quarantine
from trueup.model.fields import Kind
from trueup.model.plan import Context
from trueup.model.record import Json
from trueup.model.values import Absent, Rejected, Value
from trueup.sync.rules.aside import is_empty, set_aside, still_refused
from trueup.sync.rules.differences import Waits, wanted
from trueup.sync.rules.evidence import hub_side
from trueup.sync.rules.policy import Policy, Stream


def create(
    stream: Stream,
    after: Entity,
    links: Sequence[Link],
    standing: Sequence[Link],
    context: Context,
    policy: Policy,
    now: datetime,
) -> tuple[list[Write], list[str]]:
    """The create for one stream, or why there is none (nothing to say where it is not asked for).

    A create that was decided before and never left is asked the same again: its link is not among the
    `standing` ones. What a person must say of that link itself (the system knows such a record as
    somebody else's) holds back other records only.
    """
    condition = policy.create.get(stream)
    if condition is None:
        return [], []
    here = [link for link in standing if link.connection == stream[0] and link.kind is after.kind]
    if any(link.state is not LinkState.TOMBSTONE for link in here):
        return [], []
    answer = condition.met(after.values, now)
    if not answer.met:
        return [], [f"create: {answer.reason}"]
    if here:
        return [], ["was deleted there: a tombstone blocks creating it again"]
    if standing and all(link.state is LinkState.TOMBSTONE for link in standing):
        return [], [GONE]
    unsure = any(stream[0] in context.rivals.get(link.id, ()) for link in standing)
    if after.provisional or unsure:
        return [], ["waits for a decision: is this the same person as another contact?"]
    if stream not in context.gates_open:
        return [], [COMING if stream in context.coming else UNLISTED]
    write, waits = create_write(wanted_at(stream, links, after.kind), after, context, policy, now)
    if after.kind is Kind.CONTACT and not _tells_who(write, policy.writable(stream)):
        return [], [NOBODY]
    if not write.values:
        return [], ["nothing to create it with: no mapped field has a value"]
    return [write], [f"waits for {target}" for target in waits]


UNLISTED = "not created before this object was listed to its end once"
COMING = "records were read there meanwhile, and it is not known yet who they are"
"""For a moment only: whoever waits for it is decided again as soon as may be."""
GONE = "was deleted wherever it was known, and is not created by itself"
NOBODY = "what tells who it is (name, address, number) cannot be kept there"


def _tells_who(write: Write, bindings: Sequence[Binding]) -> bool:
    """Whether a new record holds a name, an address or a number, if any of them had to be set aside: nobody
    could tell later whose it is."""
    telling = {one.key for one in bindings if TELLING.intersection(one.fields)}
    carried = {key for key, hub in write.wants.items() if hub != NEVER}
    return telling.isdisjoint(write.aside) or not telling.isdisjoint(carried)


TELLING = frozenset({"first_name", "last_name", "email", "emails", "phone", "phones"})
"""Fields of a contact by which a person knows whom a record is about."""


def wanted_at(stream: Stream, links: Sequence[Link], kind: Kind) -> Link:
    """The link that waits for its record in this stream, or one that is still to be made (id 0)."""
    wanted = (link for link in links if link.stream == stream and link.state is LinkState.WANTED)
    return next(wanted, Link(0, *stream, None, None, kind, LinkState.WANTED))


def create_write(
    link: Link, after: Entity, context: Context, policy: Policy, now: datetime
) -> tuple[Write, list[str]]:
    values, wants, waits, aside = _create_values(
        policy.writable(link.stream), link, after.values, context, now
    )
    wants.update(_locked(policy.mappings[link.stream], after.values))
    wants.update(dict.fromkeys(aside, NEVER))  # written once it fits, though the link may have forgotten why
    write = Write(
        link.id,
        *link.stream,
        WriteKind.CREATE,
        Lane.NORMAL,
        values,
        wants,
        {key: Effect.FILL for key, hub in wants.items() if hub != NEVER},
        upsert=_upsert(policy, link.stream, values, after),
        aside=aside,
    )
    return write, waits


def _locked(mapping: ObjectMapping, values: Mapping[str, Value]) -> dict[str, Value]:
    """What goes there once the system lets us write it: remembered as never written."""
    return {
        one.key: NEVER
        for one in mapping.bindings
        if one.locked and not one.create_only and not is_empty(hub_side(one, values))
    }


def _upsert(
    policy: Policy, stream: Stream, values: Mapping[str, Json], after: Entity
) -> tuple[str, Json] | None:
    """By what a repeated create finds its record: the hub's id in a field of its own, or the value of a
    mapped field; a contact without that value has no such key."""
    field = policy.upsert.get(stream)
    if field is None:
        return None
    mapped = any(one.remote == field for one in policy.writable(stream))
    key = values.get(field) if mapped else after.public_id
    return (field, key) if key is not None else None


def _create_values(
    bindings: Sequence[Binding], link: Link, values: Mapping[str, Value], context: Context, now: datetime
) -> tuple[dict[str, Json], dict[str, Value], list[str], dict[str, Quarantine]]:
    """What a create carries, what the hub then holds there, the references it waits for, and the fields
    that it leaves out because their value does not fit."""
    made: dict[str, Json] = {}
    wants: dict[str, Value] = {}
    waits: list[str] = []
    aside: dict[str, Quarantine] = {}
    for binding in bindings:
        hub = hub_side(binding, values)
        if hub is None and binding.default is None:
            continue  # empty fields are left out
        if binding.consent and hub != "opted_out":
            continue
        raw = wanted(binding, link, values, context)
        refusal = still_refused(link, binding, hub, raw)
        if refusal is not None:
            aside[binding.key] = refusal
            continue
        if raw.__class__ is str and raw and not (binding.element or binding.sign):
            made[binding.remote] = raw
            wants[binding.key] = hub
        elif isinstance(raw, Waits):
            waits.append(raw.for_id)
            wants[binding.key] = NEVER  # made without it; it is written once its target is there
        elif isinstance(raw, Absent):
            continue
        elif isinstance(raw, Rejected):
            if raw.code != READ_ONLY_CODE:
                aside[binding.key] = set_aside(link, binding, "out", raw, hub, now)
        elif put(made, binding, raw):
            wants[binding.key] = hub
        elif binding.default is not None:
            made[binding.remote] = binding.default
    return made, wants, waits, aside
