"""Why a consent is what it is: the event of the ledger that decided it. And what somebody tells us of one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from trueup.config.vocabulary import CHANNELS, PURPOSES
from trueup.errors import NotFound, TrueupError
from trueup.mapping.consents import state_typed
from trueup.model.consent import ConsentEvent, ConsentState, consent_of
from trueup.model.fields import Kind
from trueup.model.plan import Case
from trueup.sync.rules.ledger import deciding, said_by_hand


@dataclass(frozen=True, slots=True)
class Told:
    """Who told of a consent, when, by which rule that holds, with which words as evidence."""

    source: str
    at: datetime | None
    rule: str
    evidence: str = ""


def told_consent(case: Case, field: str) -> Told | None:
    """What decided a consent field (`consent.email.marketing`); None for another field."""
    pair = consent_of(field)
    if pair is None:
        return None
    own = deciding(case.consent, *pair)
    event = deciding([*case.consent, *case.rival_consent], *pair)
    if event is None:
        return Told("nobody", None, "default: no system told of an opt-out or a documented opt-in")
    of_another = event != own and event in case.rival_consent
    rule = _of_another(event) if of_another else _rule(event)
    decided = case.entity.values.get(field) == event.state
    return Told(_source(event), event.at, rule if decided else f"{rule}; {_LATER}", event.evidence)


def told_again(case: Case, field: str) -> list[Told]:
    """The opt-outs that people entered while one stood already: they change nothing, and are kept with who
    said them, when, and how he knew. The first one first."""
    pair = consent_of(field)
    first = deciding([*case.consent, *case.rival_consent], *pair) if pair is not None else None
    if first is None:
        return []
    later = {
        (event.at, event.source): event
        for event in case.consent
        if event.by_hand and (event.channel, event.purpose) == pair and event.at >= first.at
    }
    later.pop((first.at, first.source), None)
    return [Told(_source(one), one.at, _rule(one), one.evidence) for _, one in sorted(later.items())]


_LATER = "the next sync decides it"


def _of_another(event: ConsentEvent) -> str:
    return f"{_rule(event)}, and it is of somebody who may be the same person"


def _source(event: ConsentEvent) -> str:
    """Who told it; of a record that the contact has no more, its system."""
    by_address = event.subject_kind != "ref" and not event.by_hand
    return f"{event.told_by} (by the address)" if by_address else event.told_by


def _rule(event: ConsentEvent) -> str:
    if event.state is ConsentState.OPTED_IN:
        return "a documented opt-in, later than every opt-out"
    when = "made" if event.certain else "seen there"
    when = "entered in the hub" if event.by_hand else when
    return f"an opt-out, {when} at that time; the strictest state holds"


# -- what somebody tells us ---------------------------------------------------------------------------


class Unproven(TrueupError):
    """Something was typed that would loosen a consent, or is none."""

    code = "TU-EDT-002"
    exit_code = 2


def is_consent(name: str) -> bool:
    """Whether this is the address of a consent that there can be (`consent.email.marketing`)."""
    pair = consent_of(name)
    return pair is not None and pair[0] in CHANNELS and pair[1] in PURPOSES


def heard(case: Case, said: Mapping[str, str], user: str, words: str, now: datetime) -> list[ConsentEvent]:
    """The opt-outs that somebody typed, by the addresses of the consents; `words`: how he knows.

    Raises NotFound for a consent that there is not, Unproven for all that is no opt-out.
    """
    return [event for name, text in said.items() for event in _heard(case, name, text, user, words, now)]


def _heard(case: Case, name: str, text: str, user: str, words: str, now: datetime) -> list[ConsentEvent]:
    pair = consent_of(name)
    if pair is None or not is_consent(name):
        raise NotFound(
            f"there is no consent `{name}`; it is called consent.CHANNEL.PURPOSE, with the channels"
            f" {', '.join(CHANNELS)} and the purposes {', '.join(PURPOSES)}",
            code="TU-GEN-406",
        )
    if case.entity.kind is not Kind.CONTACT:
        raise Unproven(f"`{name}`: consent belongs to contacts, and {case.entity.public_id} is none")
    _only_out(name, text)
    found = said_by_hand(case, pair, ConsentState.OPTED_OUT, user, words, now)
    if not found:
        raise Unproven(f"{case.entity.public_id} has neither a record nor an address that could opt out")
    return found


def _only_out(name: str, text: str) -> None:
    state = state_typed(text)
    if state is ConsentState.OPTED_OUT:
        return
    if state is ConsentState.OPTED_IN:
        raise Unproven(
            f"`{name}`: an opt-in needs proof, which no edit in the hub is; enter it, with time and source,"
            " in a system whose file says `opted_in_when`, and it comes from there"
        )
    if not text.strip() or text.strip().casefold() == ConsentState.UNKNOWN:
        raise Unproven(f"`{name}`: an opt-out is not taken back by an edit; a documented opt-in lifts it")
    raise Unproven(f"`{name}`: wanted is {ConsentState.OPTED_OUT}")
