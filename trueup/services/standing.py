"""How one contact stands in each system: why it is there, why not, and what to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from trueup.mapping.apply import observed
from trueup.mapping.compiled import Binding, remote_path
from trueup.mapping.schema import Refusal
from trueup.model.consent import ConsentState
from trueup.model.covering import covered
from trueup.model.delivery import DeliveryState, OpenDelivery
from trueup.model.entity import Link, LinkState, public_id
from trueup.model.matching import Verdict
from trueup.model.plan import Case, Plan
from trueup.model.record import Json
from trueup.model.values import Value
from trueup.ports import Store
from trueup.services.hub import Hub
from trueup.services.rejected import Difference, differences, rejected
from trueup.services.waiting import WAITS, told_reference
from trueup.sync.decide import context_for, plans_for
from trueup.sync.preview import reported_again
from trueup.sync.rules.creating import COMING, GONE, NOBODY
from trueup.sync.rules.differences import addressed, by_address
from trueup.sync.rules.evidence import differing
from trueup.sync.rules.publishing import UNTIL
from trueup.sync.tally import Undecided


@dataclass(frozen=True, slots=True)
class Standing:
    """How one contact stands in one system: exactly one word, the sentence for it, and what to do.

    Words: `in step`, `pending`, `in doubt`, `job`, `held`, `parked`, `not approved`, `set aside`,
    `withheld`, `waits`, `rejected`, `given up`, `left`, `kept there`, `left out`, `deleted there`, `unsure`,
    `never`, `not wanted`, `not listed`, `not decided`.
    """

    connection: str
    word: str
    sentence: str
    then: str = ""
    record: str = ""
    differences: tuple[Difference, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the next sync does with a contact as it is now. `withheld`: what it reports and does not write,
    by (connection, object, field) the value."""

    writes: int
    withheld: Mapping[tuple[str, str, str], Json]

    def more_than(self, before: Outcome) -> list[tuple[str, str, str]]:
        """What this one withholds and `before` did not, or with another value."""
        return sorted(
            place
            for place, value in self.withheld.items()
            if place not in before.withheld or before.withheld[place] != value
        )


def outcome(hub: Hub, case: Case) -> Outcome:
    """What would come of this contact if it was decided now; nothing is stored."""
    told = reported_again(case)
    found = plans_for(hub.parts, [told], context_for(hub.parts, [told]), lambda _: None)
    withheld = {
        (write.connection, write.object, key): write.values.get(remote_path(key, write.values))
        for _, plan in found
        for write in plan.withheld
        for key in write.effects
    }
    return Outcome(sum(len(plan.writes) for _, plan in found), withheld)


def standings(hub: Hub, case: Case) -> list[Standing]:
    """One for each connection that has such records, in the order of the configuration."""
    lost: list[Undecided] = []
    told = reported_again(case)
    found = plans_for(hub.parts, [told], context_for(hub.parts, [told]), lost.append)
    names = dict.fromkeys(name for name, _ in hub.parts.policy.streams(case.entity.kind))
    if lost:
        return [Standing(name, "not decided", str(lost[0])) for name in names]
    return [_standing(hub, case, plan, name) for _, plan in found for name in names]


def _standing(hub: Hub, case: Case, plan: Plan, name: str) -> Standing:
    links = [link for link in case.links if link.connection == name and link.id not in plan.unwanted]
    living = [link for link in links if link.state in (LinkState.LIVE, LinkState.WANTED)]
    if not living:
        return _absent(hub, case, plan, name, links)
    link = next((one for one in living if one.primary), living[0])
    record = f"{link.object}/{link.remote_id}" if link.remote_id else ""
    checks = (
        *(_open_write, _unapproved, _aside, _withheld, _to_be_written, rejected, _given_up, _not_opted_out),
        *(_waits, _published, _left, _kept_there),
    )
    found = next((one for check in checks if (one := check(hub, case, plan, name, living))), None)
    word, sentence, then = found or ("in step", "holds what it should hold", "")
    further = "".join(f"; {one}" for one in _further(hub, plan, living, link))
    told = differences(hub, case, plan, living) if word in REFUSED else _differences(plan, name)
    return Standing(name, word, f"{sentence}{further}", then, record, told)


REFUSED = ("rejected", "given up")
"""The words for what a person kept from being written; `Standing.differences` are then those fields."""


def _further(hub: Hub, plan: Plan, living: Sequence[Link], main: Link) -> Iterator[str]:
    """Of further records in the same system: that they are not written, and where they differ."""
    for link in living:
        mapping = hub.parts.policy.mappings.get(link.stream)
        if link.primary or link is main or link.remote_id is None or mapping is None:
            continue
        told = f"{link.object}/{link.remote_id} is a further record of the same person"
        if hub.parts.policy.rules[link.stream].secondary == "follow":
            yield f"{told}, which follows it"
            continue
        fields = ", ".join(differing(link, mapping, plan.entity))
        yield f"{told}, read and not written; it {f'differs in {fields}' if fields else 'says the same'}"


Finding = tuple[str, str, str] | None


def _open_write(hub: Hub, case: Case, plan: Plan, name: str, living: Sequence[Link]) -> Finding:
    """The pending write that stands furthest from done decides what is said."""
    ids = {link.id for link in living}
    mine = sorted((one for one in case.open if one.link_id in ids), key=lambda one: _URGENCY.index(one.state))
    mine = [one for one in mine if one.id not in plan.superseded or one.state is not DeliveryState.DUE]
    return of_open_write(hub.parts.store, mine[0], name) if mine else None


_URGENCY = (
    DeliveryState.PARKED,
    DeliveryState.GATED,
    DeliveryState.DOUBT,
    DeliveryState.SENT,
    DeliveryState.WAITING,
    DeliveryState.DUE,
    DeliveryState.DONE,
    DeliveryState.SUPERSEDED,
    DeliveryState.OVERTAKEN,
)


def of_open_write(store: Store, open: OpenDelivery, name: str) -> tuple[str, str, str]:
    """What an unfinished write to this connection says of the standing there: the word, why, what to do."""
    full = store.delivery(open.id)
    match open.state:
        case DeliveryState.PARKED:
            why = f"{covered(full.error)} [{full.code}]" if full.code else covered(full.error)
            return "parked", f"{name} did not take the last write: {why}", f"trueup failures retry {open.id}"
        case DeliveryState.GATED:
            return (
                "held",
                f"a write is held back by the fuse `{full.write.gate}`",
                f"trueup runs approve {full.run_id}",
            )
        case DeliveryState.DOUBT if full.may_be_made:
            said = f"refused the new record ({covered(full.error)})"
            return "in doubt", f"{name} {said}, and may have made it; it is looked for first", "trueup sync"
        case DeliveryState.DOUBT | DeliveryState.SENT:
            return (
                "in doubt",
                "a write went out and no usable answer came; it is looked up first",
                "trueup sync",
            )
        case DeliveryState.WAITING:
            return "job", f"{name} works on a write in a job of its own", "trueup sync"
    if name not in store.approved():
        return _NOT_APPROVED
    return "pending", f"a write waits until {full.not_before:%Y-%m-%d %H:%M}", "trueup sync"


_NOT_APPROVED = ("not approved", "nobody has allowed writing there yet", "trueup sync --approve-first")


def _unapproved(hub: Hub, case: Case, plan: Plan, name: str, living: Sequence[Link]) -> Finding:
    writes = any(one.connection == name for one in plan.writes)
    return _NOT_APPROVED if writes and name not in hub.parts.store.approved() else None


def _aside(hub: Hub, case: Case, plan: Plan, name: str, living: Sequence[Link]) -> Finding:
    now = {patch.link_id: patch.quarantine for patch in plan.links}
    stays = [(key, why) for link in living for key, why in sorted(now.get(link.id, link.quarantine).items())]
    known = [(key, why) for link in living for key, why in sorted(link.quarantine.items())]
    found = stays or known
    if not found:
        return None
    fields = ", ".join(key for key, _ in found)
    key, why = found[0]
    ends = "the other fields are in step" if stays else "it can be used by now: the next decision does"
    sentence = f"set aside: {fields} ({key}: {covered(why.reason)} [{why.code}]); {ends}"
    return "set aside", sentence, "trueup failures" if stays else "trueup sync"


def _withheld(hub: Hub, case: Case, plan: Plan, name: str, living: Sequence[Link]) -> Finding:
    known = {key for link in living for key, agreed in link.agreed.items() if agreed.withheld}
    mine = [one for one in plan.withheld if one.connection == name]
    fields = sorted(known | {key for one in mine for key in one.wants})
    if not fields:
        return None
    sentence = f"differs in {', '.join(fields)}; that is reported only, until the connection is released"
    return "withheld", sentence, f"trueup connections release {name}"


def _differences(plan: Plan, name: str) -> tuple[Difference, ...]:
    """What stands in a system and would be replaced once its connection is released."""
    found = [
        Difference(key, one.replaced.get(path), one.values.get(path))
        for one in plan.withheld
        if one.connection == name
        for key in sorted(one.wants)
        for path in (remote_path(key, one.values),)
    ]
    return tuple(found)


def _to_be_written(hub: Hub, case: Case, plan: Plan, name: str, living: Sequence[Link]) -> Finding:
    """What a decision of now would write: of who is due the next sync decides, of others when they change."""
    paths = sorted({path for one in plan.writes if one.connection == name for path in one.values})
    if not paths:
        return None
    if case.mark:
        return "not decided", f"the next sync writes {', '.join(paths)}", "trueup sync"
    later = f"once something of the contact changes, {', '.join(paths)} will be decided again and written"
    return "in step", f"holds what was decided last; {later}", ""


def _given_up(hub: Hub, case: Case, plan: Plan, name: str, living: Sequence[Link]) -> Finding:
    """A record that is wanted, and nothing is on the way to make it."""
    if any(link.remote_id is not None for link in living):
        return None
    sentence = "somebody gave up creating it there; it is tried again when what it would carry is another"
    return "given up", sentence, ""


def _not_opted_out(hub: Hub, case: Case, plan: Plan, name: str, living: Sequence[Link]) -> Finding:
    """An opt-out that a record does not show, and that nothing is on the way to bring there."""
    for link in living:
        mapping = hub.parts.policy.mappings.get(link.stream)
        for binding in mapping.bindings if mapping is not None and link.remote_id is not None else ():
            if binding.consent and binding.outward and _misses_opt_out(binding, link, plan.entity.values):
                held = addressed(observed(mapping.bindings, link.observed).values) if mapping else ()
                return _without_opt_out(name, binding, binding.consent[0] in held)
    return None


def _without_opt_out(name: str, binding: Binding, reachable: bool) -> Finding:
    consent = ".".join(binding.consent or ())
    if by_address(binding) and not reachable:
        return "waits", f"{name} keeps the opt-out of {consent} with an address, and the record has none", ""
    return "waits", f"does not show the opt-out of {consent} (`{binding.remote}`)", "trueup check --live"


def _misses_opt_out(binding: Binding, link: Link, values: Mapping[str, Value]) -> bool:
    field = binding.fields[0]
    if values.get(field) != ConsentState.OPTED_OUT:
        return False
    shown = binding.read(link.observed[binding.remote]) if binding.remote in link.observed else None
    return not (isinstance(shown, Mapping) and shown.get(field) == ConsentState.OPTED_OUT)


def _waits(hub: Hub, case: Case, plan: Plan, name: str, living: Sequence[Link]) -> Finding:
    reasons = [
        reason for connection, _, reason in plan.skipped if connection == name and reason.startswith(WAITS)
    ]
    return told_reference(hub, case, name, reasons[0]) if reasons else None


def _published(hub: Hub, case: Case, plan: Plan, name: str, living: Sequence[Link]) -> Finding:
    reasons = [
        reason for connection, _, reason in plan.skipped if connection == name and reason.startswith(UNTIL)
    ]
    return ("waits", f"{reasons[0]}; the other fields are in step", "trueup sync") if reasons else None


def _left(hub: Hub, case: Case, plan: Plan, name: str, living: Sequence[Link]) -> Finding:
    reasons = [
        reason for connection, _, reason in plan.skipped if connection == name and reason.startswith("left: ")
    ]
    if not reasons:
        return None
    off = "is not written any more" if all(link.active for link in living) else "was switched off there"
    file = hub.config.connections[name].file
    return "left", f"{off}: {reasons[0].removeprefix('left: ')} (`create:` in {file})", ""


def _kept_there(hub: Hub, case: Case, plan: Plan, name: str, living: Sequence[Link]) -> Finding:
    """What was edited there and refused, and stays there because the file says so."""
    found: list[str] = []
    for link in living:
        mapping = hub.parts.policy.mappings.get(link.stream)
        if mapping is not None and link.primary:
            left = {one.key for one in mapping.bindings if one.refused is Refusal.LEAVE}
            found += [key for key in differing(link, mapping, plan.entity) if key in left]
    if not found:
        return None
    file = hub.config.connections[name].file
    said = f"{', '.join(found)} stands there otherwise, and is left (`refused: leave` in {file})"
    return "kept there", f"{said}; the other fields are in step", ""


# -- why there is no record there ---------------------------------------------------------------------


def _absent(hub: Hub, case: Case, plan: Plan, name: str, links: Sequence[Link]) -> Standing:
    word, sentence, then = _absent_words(hub, case, plan, name, links)
    return Standing(name, word, sentence, then)


def _absent_words(hub: Hub, case: Case, plan: Plan, name: str, links: Sequence[Link]) -> tuple[str, str, str]:
    if any(link.state is LinkState.TOMBSTONE for link in links):
        return "deleted there", "was deleted there, and is not created again by itself", ""
    file = hub.config.connections[name].file
    streams = [stream for stream in hub.parts.policy.streams(case.entity.kind) if stream[0] == name]
    if not any(stream in hub.parts.policy.create for stream in streams):
        return (
            "never",
            f"{file} says nothing of creating it there (`create:`), so it is linked and updated only",
            "",
        )
    if any(one.connection == name for one in plan.writes):
        if name not in hub.parts.store.approved():
            return _NOT_APPROVED
        return "not decided", "the next sync creates it there", "trueup sync"
    reasons = [reason for connection, _, reason in plan.skipped if connection == name]
    reason = reasons[0] if reasons else "the conditions of `create:` are not met"
    if reason.startswith("waits for a decision"):
        return _unsure(hub, case)
    return _skipped(reason, file)


def _unsure(hub: Hub, case: Case) -> tuple[str, str, str]:
    """Whom it may be the same person as."""
    mine = {link.id for link in case.links}
    open = [one for one in hub.parts.store.verdicts(sorted(mine)) if one.verdict is Verdict.UNSURE]
    others = hub.parts.store.links(sorted({id for one in open for id in (one.left, one.right)} - mine))
    ids = sorted({link.entity_id for link in others if link.entity_id not in (None, case.entity.id)})
    names = [public_id(case.entity.kind, id) for id in ids if id is not None]
    whom = " or ".join(names) if names else "another contact"
    then = f"trueup contacts show {names[0]}" if names else ""
    return "unsure", f"it may be the same person as {whom}: a person decides", then


def _skipped(reason: str, file: str) -> tuple[str, str, str]:
    if reason.startswith("not created before"):
        return (
            "not listed",
            "its records were not listed to the end yet; nothing is created before that",
            "trueup sync",
        )
    if reason == COMING:
        return "not listed", f"{reason}; the next sync creates it", "trueup sync"
    if reason == GONE:
        return "deleted", reason, ""
    if reason == NOBODY:
        return "cannot be kept", f"{reason}; the next sync creates it once it can", ""
    if reason.startswith("was deleted"):
        return "deleted there", "was deleted there, and is not created again by itself", ""
    return "not wanted", f"{reason.removeprefix('create: ')} (`create:` in {file})", ""
