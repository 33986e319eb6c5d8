"""What must be true once a world has come to rest, each by its own name.

A check answers with one line per violation: who, which field, in which systems.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import takewhile

from trueup.model.delivery import DeliveryState
from trueup.model.record import Json
from trueup.testing.agreement import convergence
from trueup.testing.belonging import who_belongs_to_whom
from trueup.testing.consents import opt_ins_are_heard, opt_outs_hold
from trueup.testing.findings import BELATED, DENIED, EVERY, LIE, UNTOLD, Findings, findings
from trueup.testing.heard import no_lost_update, no_resurrection, stages_are_heard
from trueup.testing.persons import links_are_sane, no_duplicate, nobody_is_left_out
from trueup.testing.promises import (
    history_names_who_won,
    history_rebuilds_state,
    hub_edits_hold,
    no_lost_element,
    no_secret_is_told,
    the_deleted_stay_so,
    what_was_taken_stays_away,
    winners_are_people,
)
from trueup.testing.sorts import COMPANIES
from trueup.testing.system import HUB, Act, System
from trueup.testing.traits import in_other_letters, plain_address
from trueup.testing.world import World

_OVER = (
    DeliveryState.DONE,
    DeliveryState.SUPERSEDED,
    DeliveryState.OVERTAKEN,
    DeliveryState.PARKED,
    DeliveryState.GATED,
)


def nothing_waits_for_nobody(at: Findings) -> Iterator[str]:
    """What is not over waits for a person, and says why."""
    for one in at.world.store.deliveries(list(DeliveryState), None, EVERY):
        if one.state not in _OVER:
            yield f"write {one.id} to {one.write.connection} is {one.state} at rest"
        elif one.state is DeliveryState.PARKED and not one.error:
            yield f"write {one.id} to {one.write.connection} is parked without a reason"


def counts_add_up(at: Findings) -> Iterator[str]:
    """read = new + changed + same + deleted + older + filtered + rejected, for every run."""
    parts = ("new", "changed", "same", "deleted", "older", "filtered", "rejected")
    for place, report in enumerate(at.world.reports):
        for name in at.world.systems:
            read = report.tally.get("read", name)
            told = sum(report.tally.get(one, name) for one in parts)
            if read != told:
                yield f"run {place}: {name} read {read}, and {told} are accounted for"


def bounded_cost(at: Findings) -> Iterator[str]:
    """No more writes than edits times systems, creates and misfortunes call for."""
    world = at.world
    typed = sum(
        1
        for system in world.all
        for act in system.acts
        if act.by != HUB and (act.after or act.what != "update")
    )
    told = sum(1 for event in world.plan.events if event.do == "operator")
    made = sum(1 for system in world.all for a in system.acts if a.by == HUB and a.what == "create")
    struck = sum(sum(wire.struck.values()) for wire in world.wires.values())
    struck += sum(wire.odd["forgotten item"] for wire in world.wires.values())
    struck += world.seen["crash"] + world.seen["database fails"]
    most = 2 * (typed + told) * len(world.systems) + made + 3 * struck
    if world.writes() > most:
        yield f"{world.writes()} writes for {typed} edits, {told} decisions and {struck} misfortunes"


def writes_change_something(at: Findings) -> Iterator[str]:
    """No write of the hub says only what stood there already, as the hub had read by then."""
    for name, system in at.systems.items():
        for act in system.acts:
            if act.by != HUB or act.what != "update" or not act.after or not _was_read_so(system, act):
                continue
            if act.number in system.cut:
                continue  # it said more than what stood there, and was cut to it
            if at.world.config.pushes(name, act):
                at.excuse("a value that a person asked to be pushed, over what its system makes of it")
                continue
            if all(at.written_late(name, act.id, field, value) for field, value in act.after.items()):
                at.excuse(BELATED)
                continue
            yield f"{name}/{act.id} was written what it held: {dict(act.after)}"


def _was_read_so(system: System, act: Act) -> bool:
    """Whether the hub had stored the record as it stood since then, with all that this write says."""
    before = [one for one in system.rows[act.id].versions if one.number < act.number]
    stood = takewhile(
        lambda one: all(_alike(field, one.values.get(field), value) for field, value in act.after.items()),
        reversed(before),
    )
    landed = system.rows[act.id].landed
    return any(one.number in landed and landed[one.number] < act.at for one in stood)


def _alike(field: str, stood: Json, written: Json) -> bool:
    """Whether nobody could tell the two apart: how accents are put together is no difference, nor is the case
    of an address."""
    if not (isinstance(stood, str) and isinstance(written, str)):
        return bool(stood == written)
    if field == "email":
        return plain_address(stood) == plain_address(written)
    return stood == written or in_other_letters(stood) == written


CHECKS: Mapping[str, Callable[[Findings], Iterator[str]]] = {
    "convergence": convergence,
    "no lost update": no_lost_update,
    "no resurrection": no_resurrection,
    "no duplicate": no_duplicate,
    "nobody is left out": nobody_is_left_out,
    "links are sane": links_are_sane,
    "stages are heard": stages_are_heard,
    "writes change something": writes_change_something,
    "opt-outs hold": opt_outs_hold,
    "opt-ins are heard": opt_ins_are_heard,
    "nothing waits for nobody": nothing_waits_for_nobody,
    "counts add up": counts_add_up,
    "bounded cost": bounded_cost,
    "hub edits hold": hub_edits_hold,
    "no lost element": no_lost_element,
    "what was taken stays away": what_was_taken_stays_away,
    "the deleted stay so": the_deleted_stay_so,
    "history names who won": history_names_who_won,
    "history rebuilds state": history_rebuilds_state,
    "winners are people": winners_are_people,
    "no secret is told": no_secret_is_told,
}


OF_COMPANIES = (
    "convergence",
    "no lost update",
    "no resurrection",
    "no duplicate",
    "nobody is left out",
    "links are sane",
    "writes change something",
    "the deleted stay so",
    "history names who won",
    "history rebuilds state",
    "winners are people",
)
"""Those that companies are judged by, too; the others are about people, or about all."""
BELONGING = "who belongs to whom"


def verdict(world: World) -> tuple[list[str], Counter[str]]:
    """What is wrong, `check: what`, and how often what was excused. The store must still be open. Where only
    a listing of everything could show what the hub lacks, it is waited for, and then all must be well."""
    exempt: Counter[str] = Counter()
    wrong = _found(world, False, exempt)
    if exempt[LIE] or exempt[UNTOLD] or exempt[DENIED]:
        world.list_again()
        exempt.clear()
        wrong += [one for one in _found(world, True, exempt) if one not in wrong]
    return [*world.violations, *wrong], exempt


def _found(world: World, listed: bool, exempt: Counter[str]) -> list[str]:
    at = replace(findings(world), exempt=exempt, listed=listed)
    found = [f"{name}: {one}" for name, check in CHECKS.items() for one in check(at)]
    if not world.companies:
        return found
    firms = replace(findings(world, COMPANIES), exempt=exempt, listed=listed)
    found += [f"{name}: {one}" for name in OF_COMPANIES for one in CHECKS[name](firms)]
    return found + [f"{BELONGING}: {one}" for one in who_belongs_to_whom(at, firms)]
