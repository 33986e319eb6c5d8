"""A failing plan made short: delta debugging over its events, then over what happens within them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from trueup.testing.plan import Event, Plan
from trueup.testing.traits import Traits

T = TypeVar("T")
Fails = Callable[[Plan], bool]


def shrunk(plan: Plan, fails: Fails) -> Plan:
    """A plan that still fails and of which no event can be left out; the plan itself if it does not fail."""
    if not fails(plan):
        return plan
    before: Plan | None = None
    while before != plan:
        before = plan
        plan = _events(plan, fails)
        plan = _within(plan, fails)
        plan = _plainer(plan, fails)
    return plan


def _events(plan: Plan, fails: Fails) -> Plan:
    kept = least(plan.events, lambda some: fails(replace(plan, events=tuple(some))))
    return replace(plan, events=tuple(kept))


def least(items: Sequence[T], fails: Callable[[Sequence[T]], bool]) -> Sequence[T]:
    """The items without those that are not needed to fail (ddmin; Zeller and Hildebrandt 2002)."""
    size = max(1, len(items) // 2)
    while True:
        start = 0
        while start < len(items):
            rest = [*items[:start], *items[start + size :]]
            if len(rest) < len(items) and fails(rest):
                items = rest
            else:
                start += size
        if size == 1:
            return items
        size //= 2


_WITHOUT: Sequence[Callable[[Event], Event]] = (
    lambda event: replace(event, during=()),
    lambda event: replace(event, crash=0),
    lambda event: replace(event, fail=0),
    lambda event: replace(event, pause=0),
)


def _within(plan: Plan, fails: Fails) -> Plan:
    """Leave out what happens meanwhile, kills and pauses."""
    for place, event in enumerate(plan.events):
        for without in _WITHOUT:
            plainer = without(event)
            tried = _with(plan, place, plainer)
            if plainer != event and fails(tried):
                plan, event = tried, plainer
        if len(event.during) > 1:
            plan = _fewer_within(plan, place, fails)
    return plan


def _fewer_within(plan: Plan, place: int, fails: Fails) -> Plan:
    event = plan.events[place]

    def with_some(some: Sequence[tuple[int, Event]]) -> Plan:
        return _with(plan, place, replace(event, during=tuple(some)))

    return with_some(least(event.during, lambda some: fails(with_some(some))))


def _plainer(plan: Plan, fails: Fails) -> Plan:
    """Systems without habits, lags and other ways of their own, one trait at a time."""
    plainest = Traits("")
    for place, traits in enumerate(plan.systems):
        for name in Traits.__dataclass_fields__:
            if name == "name" or getattr(traits, name) == getattr(plainest, name):
                continue
            less = replace(traits, **{name: getattr(plainest, name)})
            tried = replace(plan, systems=(*plan.systems[:place], less, *plan.systems[place + 1 :]))
            if fails(tried):
                plan, traits = tried, less
    return plan


def _with(plan: Plan, place: int, event: Event) -> Plan:
    return replace(plan, events=(*plan.events[:place], event, *plan.events[place + 1 :]))
