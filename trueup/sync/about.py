"""Which entities a run or a plan is about."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from trueup.model.plan import Case, Plan


class About(Protocol):
    """Asked of every due entity; told what was decided, since who is chosen may bring others along."""

    def chosen(self, case: Case) -> bool:
        """Whether this entity is decided."""
        ...

    def decided(self, plan: Plan) -> None:
        """This was decided of a chosen entity."""
        ...

    def entities(self) -> Collection[int] | None:
        """Whose pending writes may leave; None: everybody's."""
        ...


class Everybody:
    """No choice."""

    def chosen(self, case: Case) -> bool:
        return True

    def decided(self, plan: Plan) -> None:
        return None

    def entities(self) -> Collection[int] | None:
        return None


EVERYBODY = Everybody()
