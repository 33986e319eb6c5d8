"""Who may decide what stands in a slot, where they said it in another place: of a set, or of another slot."""

from __future__ import annotations

from collections.abc import Iterable

from trueup.model.fields import CONTACT, Kind
from trueup.model.history import Conflict
from trueup.model.slots import FIELDS
from trueup.model.values import Value
from trueup.sync.rules.decide_values import STAGE, Values
from trueup.sync.rules.evidence import Claim
from trueup.sync.rules.policy import Policy
from trueup.sync.rules.verdict import HUB, Question, may_edit


def strongest(slot: str, claims: Iterable[Claim], state: Values, kind: Kind, policy: Policy) -> Claim | None:
    """Of these claims the strongest that may decide the slot; None where none may. What a person pinned only
    an edit in the hub moves."""
    source, stage, lead = state.filler(slot), state.values.get(STAGE), FIELDS[slot][0]
    pinned = source is not None and source.pinned
    asked = list(claims)
    question = Question(CONTACT[lead], state.held(slot), source, asked, policy.fields(kind, lead), stage)
    allowed = [
        claim for claim in asked if claim.connection == HUB or (not pinned and may_edit(question, claim))
    ]
    return min(allowed, key=question.rank, default=None)


def refused(slot: str, state: Values, field: str, lost: Value, source: str) -> Conflict:
    """What somebody said of `field` and what could not follow in the slot."""
    kept = state.filler(slot)
    by = (kept.ref or kept.origin) if kept is not None else HUB
    return Conflict(field, lost, source, state.held(slot), by, f"stands in {slot}, which others decide")
