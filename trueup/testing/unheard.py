"""What a configuration kept from being heard, or from being written, while a field was mapped otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from trueup.model.plan import Plan
from trueup.ports import Store
from trueup.sync.rules.policy import Policy
from trueup.testing.traits import FIELDS
from trueup.testing.vocabulary import OBJECT


@dataclass(slots=True)
class Unheard:
    """Of decisions that were made while fields were mapped otherwise: in which record, of which remote field
    nobody heard what stood there, and until when; which field of whom was empty, of which its system hears
    nothing, or whose value there nobody heard."""

    _typed: dict[tuple[str, str, str], datetime] = field(default_factory=dict)
    _empty: set[tuple[str, str, str]] = field(default_factory=set)

    def committed(self, store: Store, policy: Policy, plans: Sequence[Plan], now: datetime) -> None:
        for (name, object), mapping in policy.mappings.items():
            if object != OBJECT:
                continue
            deaf = {one.remote for one in mapping.bindings if not one.inward}
            mute = FIELDS.keys() - {one.remote for one in mapping.bindings if one.outward}
            for plan in plans if deaf else ():
                for link in store.links([one.link_id for one in plan.links]):
                    if link.connection == name and link.remote_id is not None:
                        self._typed |= {(name, link.remote_id, remote): now for remote in deaf}
            for plan in plans if mute or deaf else ():
                who, values = plan.entity.public_id, plan.entity.values
                self._empty |= {(who, name, one) for one in mute | deaf if not values.get(FIELDS[one])}

    def typed(self, name: str, id: str, remote: str, at: datetime) -> bool:
        """Whether what stood there at this time was decided over by a hub that only wrote to this field."""
        until = self._typed.get((name, id, remote))
        return until is not None and until >= at

    def empty(self, who: str, name: str, remote: str) -> bool:
        """Whether it was decided that this field holds nothing while it was mapped otherwise there."""
        return (who, name, remote) in self._empty
