"""Asking one check of one connector, and what its `quality.yaml` excuses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ruamel.yaml import YAML

from trueup.connectors.base import ObjectSpec
from trueup.connectors.boundary import Bounded
from trueup.errors import TrueupError
from trueup.testing.acceptance import living, moving, reading, trouble, writing
from trueup.testing.acceptance.checks import Check, checks, named
from trueup.testing.acceptance.desk import FEW, Allowance, Desk
from trueup.testing.acceptance.harness import CannotPlay, Harness

ROOMS = (reading, moving, writing, trouble, living)
"""Imported so that their checks are known."""
LEAST_REASON = 15


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a check ended. `name` is that of the check that was asked, `instead_of` that of the one in whose
    place it stands ("" else). `seen`: why it failed, empty where it passed."""

    name: str
    instead_of: str
    promise: str
    remedy: str
    seen: str

    @property
    def passed(self) -> bool:
        return not self.seen

    def __str__(self) -> str:
        instead = (
            f" (asked in place of {self.instead_of}, whose capability is not claimed)"
            if self.instead_of
            else ""
        )
        return f"{self.name}{instead}\n  promise: {self.promise}\n  seen: {self.seen}\n  do: {self.remedy}"


def ask(harness: Harness, name: str) -> Verdict:
    """Ask a connector the check of this name, or the one that stands in for it."""
    asked = checks()[name]
    with harness.start() as system:
        budget = Allowance()
        connector = Bounded(system.connect(budget), harness.name)
        desk = Desk(harness, system, budget, connector)
        try:
            apt = _apt(asked, connector.objects()[harness.object])
            seen = _seen(desk, apt) if apt else ""
        finally:
            _closed(desk)
    told = apt or asked
    return Verdict(told.name, "" if told is asked else name, told.promise, told.remedy, seen)


def ask_all(harness: Harness) -> Mapping[str, Verdict]:
    """Every check, by its own name."""
    return {name: ask(harness, name) for name in checks()}


def _apt(asked: Check, spec: ObjectSpec) -> Check | None:
    """The check that holds for what is claimed; None where the engine relies on nothing."""
    return asked if asked.needs is None or asked.needs in spec.capabilities else asked.otherwise


def _seen(desk: Desk, asked: Check) -> str:
    """Why the check does not pass; empty where it does."""
    count = desk.harness.many if asked.many else FEW
    desk.ids += [desk.system.make(desk.harness.values(number)) for number in range(count)]
    try:
        asked.run(desk)
    except CannotPlay as error:
        return f"the harness cannot play this: {error}"
    except TrueupError as error:
        return f"{type(error).__name__}: {error}"
    except AssertionError as error:
        return str(error) or "it fails"
    return ""


def _closed(desk: Desk) -> None:
    desk.system.way.heal()
    for connector in (desk.connector, *desk.opened):
        connector.close()


# -- exemptions -------------------------------------------------------------------------------------------


def exemptions(file: Path | None) -> Mapping[str, str]:
    """What a connector is not held to, by name of check, with the reason.

    Raises ValueError with every line that is wrong: a name that no check has, a reason that is none.
    """
    if file is None:
        return {}
    document = YAML(typ="safe", pure=True).load(file.read_text(encoding="utf-8")) or {}
    problems = _problems(document)
    if problems:
        raise ValueError(f"{file.parent.name}/{file.name}: " + "; ".join(problems))
    found: Mapping[str, str] = document["exempt"]
    return found


def _problems(document: object) -> Sequence[str]:
    if (
        not isinstance(document, dict)
        or set(document) != {"exempt"}
        or not isinstance(document["exempt"], dict)
    ):
        return ["it holds one key, `exempt`, with a reason for each check"]
    lines = document["exempt"].items()
    unknown = [f"there is no check `{name}`" for name in document["exempt"] if name not in named()]
    bare = [
        f"`{name}` has no reason that one could argue with"
        for name, reason in lines
        if not isinstance(reason, str) or len(reason) < LEAST_REASON
    ]
    return [*unknown, *bare]
