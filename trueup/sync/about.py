"""Which entities a run or a plan is about."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from trueup.model.plan import Case, Plan


class About(Protocol):
    """Asked of every due entity, and of what follows for it: who is chosen may bring others along."""

    def chosen(self, case: Case) -> bool:
        """Whether this entity is decided."""
        ...

    def holds(self, case: Case, plan: Plan) -> bool:
        """Whether this decision about somebody who was chosen may stand; else he stays due."""
        ...

    def brings(self, plan: Plan) -> bool:
        """Choose whom this decision refers to; whether any of them was not chosen yet."""
        ...

    def entities(self) -> Collection[int] | None:
        """Whose pending writes may leave; None: everybody's."""
        ...


class Everybody:
    """No choice."""

    def chosen(self, case: Case) -> bool:
        return True

    def holds(self, case: Case, plan: Plan) -> bool:
        return True

    def brings(self, plan: Plan) -> bool:
        return False

    def entities(self) -> Collection[int] | None:
        return None


EVERYBODY = Everybody()
