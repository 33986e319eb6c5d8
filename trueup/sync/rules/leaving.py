"""Who leaves a system: a record whose contact no longer meets `create`, or was deleted elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from trueup.mapping.schema import ObjectRules
from trueup.model.delivery import Lane, Write, WriteKind
from trueup.model.entity import Link
from trueup.model.record import Json
from trueup.model.values import Value
from trueup.sync.rules.policy import Policy


@dataclass(frozen=True, slots=True)
class Standing:
    """How one record stands to the `create` of its object.

    `met`: its contact meets it now (None: the object says nothing of creating, or nobody ever leaves it).
    `entered`: it met it once. Only who entered can leave: a record that never met it is none of ours.
    """

    met: bool | None = None
    entered: bool = False
    reason: str = ""

    @property
    def left(self) -> bool:
        return self.entered and self.met is False


def standing(link: Link, values: Mapping[str, Value], policy: Policy, now: datetime) -> Standing:
    """Judge one record under the values that its contact has from now on."""
    condition = policy.create.get(link.stream)
    if condition is None or policy.rules[link.stream].leaves == "keep":
        return Standing(entered=link.entered)
    answer = condition.met(values, now)
    return Standing(answer.met, link.entered or answer.met, "" if answer.met else answer.reason)


def switch(link: Link, rules: ObjectRules, stands: Standing, gone_elsewhere: bool) -> Write | None:
    """The write that switches a record off or on again, or deletes it; None where it stays as it is.

    What a person switched on after us stays on; what somebody else switched off is not ours to switch on.
    """
    if gone_elsewhere and rules.deleted_elsewhere != "keep":
        if not link.active:
            return None
        if rules.deleted_elsewhere == "delete":
            return Write(link.id, *link.stream, WriteKind.DELETE, Lane.NORMAL, {}, gate="delete")
        return _off(link, rules) if rules.deactivate else None
    if rules.leaves != "deactivate":
        return None
    if stands.left:
        return _off(link, rules) if link.active else None
    return _on(link, rules) if stands.met and not link.active else None


def is_active(link: Link, rules: ObjectRules, stands: Standing, gone_elsewhere: bool) -> bool:
    """Whether a record is not one that we switched off: somebody may have switched it on before us."""
    back = stands.met and rules.leaves == "deactivate" and rules.reactivate and not gone_elsewhere
    return bool(link.active or (back and _shows(link, rules.reactivate)))


def _off(link: Link, rules: ObjectRules) -> Write | None:
    if rules.deactivate and _shows(link, rules.deactivate):
        return None
    return _switched(link, WriteKind.DEACTIVATE, rules.deactivate, "deactivate")


def _on(link: Link, rules: ObjectRules) -> Write | None:
    if rules.reactivate and _shows(link, rules.reactivate):
        return None
    return _switched(link, WriteKind.REACTIVATE, rules.reactivate, "")


def _switched(link: Link, kind: WriteKind, values: Mapping[str, Json], gate: str) -> Write:
    before = {path: link.observed.get(path) for path in values}
    return Write(link.id, *link.stream, kind, Lane.NORMAL, dict(values), replaced=before, gate=gate)


def _shows(link: Link, values: Mapping[str, Json]) -> bool:
    return all(link.observed.get(path) == value for path, value in values.items())
