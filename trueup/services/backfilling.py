"""Back-fills as people ask for them: `sales.phone=push`, understood against the mapping, and counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from trueup.config.suggest import hint_for
from trueup.errors import NotFound, TrueupError
from trueup.mapping.bind import is_locked
from trueup.mapping.compiled import Binding, remote_path
from trueup.model.calling import called
from trueup.model.delivery import Effect
from trueup.model.entity import LinkState
from trueup.model.fields import NAME_PARTS, Kind
from trueup.model.history import Change
from trueup.model.plan import Case, Plan
from trueup.model.record import Json
from trueup.services.connecting import connection_named
from trueup.services.hub import Hub
from trueup.sync.rules.backfill import Backfill, Way
from trueup.sync.rules.evidence import READ_AS
from trueup.sync.rules.policy import Stream

SAMPLES = 5


class Unfit(TrueupError):
    """A back-fill that the mapping does not allow, or that was not said in full."""

    code = "TU-BFL-001"
    exit_code = 2


def backfills(hub: Hub, said: Sequence[str]) -> list[Backfill]:
    """What `CONN.FIELD=push|pull` means here: FIELD is the contact's field, the system's, or one of them
    after an object's name and a dot. A field that contacts have means theirs; other objects are to be named.
    Where one name means several, those that cannot go that way are left out, and a note of the hub says so.

    Raises NotFound for a connection or field that there is not, Unfit for a direction in which none can go.
    """
    found = [one for text in said for one in _backfills(hub, text)]
    for one in found:
        if any((*one.stream, one.key) == (*other.stream, other.key) and one != other for other in found):
            raise Unfit(f"`{one.connection}.{one.key}` is asked to go both ways; say one")
    return list(dict.fromkeys(found))


def _backfills(hub: Hub, text: str) -> list[Backfill]:
    place, sign, word = text.rpartition("=")
    name, dot, field_name = place.partition(".")
    if not sign or not dot or word not in tuple(Way):
        raise Unfit(f"`{text}` is no back-fill: it is said CONN.FIELD=push or CONN.FIELD=pull")
    connection_named(hub.config, name)
    found = _bindings(hub, name, field_name)
    way = Way(word)
    against = {(stream, binding.key): _objection(stream, binding, way) for stream, binding in found}
    objections = [said for said in against.values() if said]
    if len(objections) == len(found):
        raise Unfit(objections[0])
    hub.notes.extend(f"{said}; it is left out of the back-fill" for said in objections)
    return [Backfill(*stream, key, way) for (stream, key), said in against.items() if not said]


def _bindings(hub: Hub, name: str, said: str) -> list[tuple[Stream, Binding]]:
    mappings = {stream: mapping for stream, mapping in hub.parts.policy.mappings.items() if stream[0] == name}
    every = [(stream, binding) for stream, mapping in mappings.items() for binding in mapping.bindings]
    found = [(stream, binding) for stream, binding in every if said in _names(stream, binding)]
    if not found:
        known = list(dict.fromkeys(word for stream, binding in every for word in _names(stream, binding)))
        hint = hint_for(said, known) or f"`trueup connections show {name}` lists what is mapped"
        raise NotFound(f"{name} maps no field `{said}`; {hint}", code="TU-GEN-406")
    contacts = [(stream, binding) for stream, binding in found if mappings[stream].kind is Kind.CONTACT]
    return contacts or found


def _names(stream: Stream, binding: Binding) -> tuple[str, ...]:
    """All that a person may call this field."""
    words = (*_ours(binding), binding.remote, binding.key)
    return (*words, *(f"{stream[1]}.{word}" for word in words))


def _ours(binding: Binding) -> tuple[str, ...]:
    """What the contact calls it; of a list of objects the list first, then the parts of its primary one."""
    return ("full_name",) if binding.fields == NAME_PARTS else binding.fields


def _objection(stream: Stream, binding: Binding, way: Way) -> str:
    """Why this field cannot be back-filled that way; empty if it can."""
    where = f"{stream[0]} {stream[1]} `{binding.remote}`"
    if binding.consent:
        return f"{where} holds consent, which is never back-filled: an opt-out always goes everywhere"
    if way is Way.PUSH and binding.create_only:
        return f"{where} is written with a new record only (`create_only`): push cannot be"
    if way is Way.PUSH and (not binding.outward or is_locked(binding)):
        return f"{where} is only read (`direction: in`, or not writable there): push cannot be"
    if way is Way.PULL and not binding.inward:
        return f"{where} is only written (`direction: out`): pull cannot be"
    return ""


def read_by(plan: Plan, fills: Sequence[Backfill]) -> list[Change]:
    """Changes of the hub's own values that came from where a pull reads."""
    places = tuple(f"{one.connection}/{one.object}/" for one in fills if one.way is Way.PULL)
    return [one for one in plan.changes if one.source.startswith(places)] if places else []


@dataclass(slots=True)
class Filled:
    """What one back-fill would do, in numbers: a pull to the hub's values, a push to the system's.

    `records` are the contacts with a record there; `as_is` those of them that nothing happens to. `ours` is
    what contacts call the field, `fields` all of the hub's that it carries. `samples` are (entity, what it is
    called, old, new).
    """

    backfill: Backfill
    ours: str
    fields: tuple[str, ...]
    records: int = 0
    fills: int = 0
    replaces: int = 0
    clears: int = 0
    withheld: int = 0
    samples: list[tuple[str, str, Json, Json]] = field(default_factory=list)

    @property
    def changes(self) -> int:
        return self.fills + self.replaces + self.clears

    @property
    def as_is(self) -> int:
        return self.records - self.changes - self.withheld

    def note(self, case: Case, plan: Plan) -> None:
        """Count one decision."""
        here = [one for one in case.links if one.stream == self.backfill.stream]
        if any(link.state is LinkState.LIVE for link in here):
            self.records += 1
            if self.backfill.way is Way.PULL:
                self._read(plan)
            else:
                self._written(plan)

    def _read(self, plan: Plan) -> None:
        moved = [one for one in read_by(plan, [self.backfill]) if one.field in self.fields]
        if moved:
            filled = all(one.old in (None, []) for one in moved)
            old, new = _shown([one.old for one in moved]), _shown([one.new for one in moved])
            self._count(plan, Effect.FILL if filled else Effect.REPLACE, old, new)

    def _written(self, plan: Plan) -> None:
        key = self.backfill.key
        for write in plan.writes:
            if (write.connection, write.object) == self.backfill.stream and key in write.effects:
                path = remote_path(key, write.values)
                self._count(plan, write.effects[key], write.replaced.get(path), write.values.get(path))
        self.withheld += any(
            (write.connection, write.object) == self.backfill.stream and key in write.effects
            for write in plan.withheld
        )

    def _count(self, plan: Plan, effect: Effect, old: Json, new: Json) -> None:
        what = {Effect.FILL: "fills", Effect.REPLACE: "replaces", Effect.CLEAR: "clears"}[effect]
        setattr(self, what, getattr(self, what) + 1)
        if len(self.samples) < SAMPLES:
            self.samples.append((plan.entity.public_id, called(plan.entity.values), old, new))


def _shown(values: list[Json]) -> Json:
    """Several parts of one remote field (a full name) as one text."""
    return values[0] if len(values) == 1 else " ".join(str(one) for one in values if one) or None


def filled(hub: Hub, one: Backfill) -> Filled:
    """A back-fill to be counted."""
    binding = hub.parts.policy.mappings[one.stream].binding(one.key)
    assert binding is not None
    return Filled(one, _ours(binding)[0], tuple(READ_AS.get(name, name) for name in binding.fields))
