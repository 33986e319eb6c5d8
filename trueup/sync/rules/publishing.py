"""`publish:` on an outward field: how often it is written, and which change is worth a write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from trueup.mapping.compiled import Binding, ObjectMapping
from trueup.mapping.schema import Publish
from trueup.mapping.thresholds import threshold
from trueup.model.delivery import Delivery, DeliveryState, Settlement
from trueup.model.entity import NEVER, Link
from trueup.model.values import Value
from trueup.sync.rules.differences import Draft

UNTIL = "waits until"
"""How a reason begins for which a field is not written yet."""


def hold_back(link: Link, draft: Draft, now: datetime) -> None:
    """Take out of a draft what may not leave yet; a first value leaves at once. What was agreed stays agreed,
    so the difference is seen again: at the time noted in `draft.later`, or when the value moves on. The
    rest of the record goes."""
    for one in list(draft.ordinary):
        publish = one.binding.publish
        last = link.published.get(one.binding.key)
        if publish is None:
            continue
        due = last + timedelta(seconds=publish.at_most_every or 0) if last is not None else now
        if not _worth_it(one.binding, publish, draft.agreed[one.binding.key].hub, one.hub):
            draft.held_back.append(f"{UNTIL} it has changed by {publish.when_changed_by} ({one.binding.key})")
        elif now < due:
            draft.held_back.append(_until(due, publish, one.binding))
            draft.later.append(due)
        else:
            continue
        draft.ordinary.remove(one)


def _worth_it(binding: Binding, publish: Publish, agreed: Value, wanted: Value) -> bool:
    if publish.when_changed_by is None or agreed == NEVER:
        return True
    least = threshold(publish.when_changed_by, binding.type)
    return least is None or least.reached(agreed, wanted)


def _until(due: datetime, publish: Publish, binding: Binding) -> str:
    every = in_words(publish.at_most_every or 0)
    return f"{UNTIL} {due:%Y-%m-%d %H:%M}: at most every {every} ({binding.key})"


_UNITS = (("d", 86_400), ("h", 3600), ("m", 60))


def in_words(seconds: float) -> str:
    """A length of time as people write it in the configuration: `1d`, `90m`, `45s`."""
    unit, size = next(((unit, size) for unit, size in _UNITS if seconds and seconds % size == 0), ("s", 1))
    return f"{seconds / size:g}{unit}"


def noted(settlement: Settlement, delivery: Delivery, mapping: ObjectMapping, now: datetime) -> Settlement:
    """The settlement of a write that was done, with the time for each throttled field that it carried."""
    if settlement.state is not DeliveryState.DONE:
        return settlement
    times: Mapping[str, datetime] = {
        one.key: now
        for one in mapping.bindings
        if one.publish is not None and one.key in delivery.write.wants
    }
    return replace(settlement, published=times) if times else settlement
