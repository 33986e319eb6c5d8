"""Why a consent is what it is: the event of the ledger that decided it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from trueup.model.consent import ConsentEvent, ConsentState
from trueup.model.plan import Case
from trueup.sync.rules.ledger import deciding


@dataclass(frozen=True, slots=True)
class Told:
    """Who told of a consent, when, by which rule that holds, with which words as evidence."""

    source: str
    at: datetime | None
    rule: str
    evidence: str = ""


def told_consent(case: Case, field: str) -> Told | None:
    """What decided a consent field (`consent.email.marketing`); None for another field."""
    parts = field.split(".")
    if len(parts) != 3 or parts[0] != "consent":
        return None
    own = deciding(case.consent, parts[1], parts[2])
    event = deciding([*case.consent, *case.rival_consent], parts[1], parts[2])
    if event is None:
        return Told("nobody", None, "default: no system told of an opt-out or a documented opt-in")
    of_another = event != own and event in case.rival_consent
    rule = _of_another(event) if of_another else _rule(event)
    decided = case.entity.values.get(field) == event.state
    return Told(_source(event), event.at, rule if decided else f"{rule}; {_LATER}", event.evidence)


_LATER = "the next sync decides it"


def _of_another(event: ConsentEvent) -> str:
    return f"{_rule(event)}, and it is of somebody who may be the same person"


def _source(event: ConsentEvent) -> str:
    """The record that told it; of a record that the contact has no more, its system."""
    return event.subject if event.subject_kind == "ref" else f"{event.source} (by the address)"


def _rule(event: ConsentEvent) -> str:
    if event.state is ConsentState.OPTED_IN:
        return "a documented opt-in, later than every opt-out"
    when = "made" if event.certain else "seen there"
    return f"an opt-out, {when} at that time; the strictest state holds"
