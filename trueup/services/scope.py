"""Some contacts instead of all: `--only`, `--limit`."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from trueup.model.fields import Kind
from trueup.model.plan import Case, Plan
from trueup.model.values import Value
from trueup.ports import Store
from trueup.sync.about import EVERYBODY, About

_MOST = 50
"""How many known contacts one typed text may mean."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Which contacts a plan or sync is about. `only`: an e-mail, a public id or a remote id; `limit`: how
    many contacts at most. With each comes the company that it refers to; users are always known."""

    only: str | None = None
    limit: int | None = None

    def about(self, store: Store) -> About:
        """Whom it chooses in the hub of this store."""
        if self == Scope():
            return EVERYBODY
        some = Some(self)
        if self.only is not None:
            most = _MOST if self.limit is None else min(_MOST, self.limit)
            for id in store.named(Kind.CONTACT, self.only, most):
                some.pick(store.case(id))
        return some


@dataclass(slots=True)
class Some:
    """Answers the same for an entity however often it is asked, whatever a run makes of its values and its
    records' ids meanwhile."""

    scope: Scope
    picked: set[int] = field(default_factory=set)
    companies: set[str] = field(default_factory=set)

    def chosen(self, case: Case) -> bool:
        match case.entity.kind:
            case Kind.CONTACT:
                return case.entity.id in self.picked or self._chooses(case)
            case Kind.COMPANY:
                return case.entity.public_id in self.companies
            case kind:
                return kind is Kind.USER

    def _chooses(self, case: Case) -> bool:
        if self.scope.only is not None and not mentions(case, self.scope.only):
            return False
        if self.scope.limit is not None and len(self.picked) >= self.scope.limit:
            return False
        self.pick(case)
        return True

    def pick(self, case: Case) -> None:
        self.picked.add(case.entity.id)
        self._bring(case.entity.values.get("company"))

    def holds(self, case: Case, plan: Plan) -> bool:
        return True

    def brings(self, plan: Plan) -> bool:
        return plan.before.id in self.picked and self._bring(plan.entity.values.get("company"))

    def _bring(self, company: Value) -> bool:
        """Whether this company is new among those that are brought."""
        if not isinstance(company, str) or company in self.companies:
            return False
        self.companies.add(company)
        return True

    def entities(self) -> Collection[int] | None:
        brought = (int(id.rpartition("-")[2]) for id in self.companies)
        return sorted({*self.picked, *brought})


def mentions(case: Case, text: str) -> bool:
    """Whether a person typed this entity's id, a record's id, or an address that it holds."""
    wanted = text.strip().casefold()
    ids = [str(link.remote_id).casefold() for link in case.links]
    records = [
        f"{link.connection}/{link.object}/{id}".casefold() for link, id in zip(case.links, ids, strict=True)
    ]
    if wanted in (case.entity.public_id, *ids, *records):
        return True
    held = [*case.entity.values.values(), *(value for link in case.links for value in link.observed.values())]
    return any(_holds(value, wanted) for value in held)


def _holds(value: object, wanted: str) -> bool:
    if isinstance(value, str):
        return value.strip().casefold() == wanted
    return isinstance(value, list) and any(_holds(one, wanted) for one in value)
