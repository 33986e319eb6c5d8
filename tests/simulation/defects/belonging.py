"""Mistakes about who belongs to whom."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.simulation.defects.base import always, defect, instead
from tests.simulation.defects.histories import ALPHA, BETA, RUN, SETTLED, history, newcomer
from trueup.model.entity import NEVER, Source
from trueup.model.values import ABSENT
from trueup.store import commit
from trueup.sync import decide
from trueup.sync.rules import aside, creating, differences, formats, founding, reconcile
from trueup.testing.plan import Event
from trueup.testing.traits import MADE, Traits

BELONGING = "who belongs to whom"
_KEEPING = {"alpha": Traits("alpha", companies=MADE), "beta": Traits("beta", companies=MADE)}
_HIRED = (
    newcomer(ALPHA, BETA),
    *SETTLED,
    *(Event("firm", of=(ALPHA,), token=token) for token in (501, 502)),
    Event("hire", at=ALPHA, other=0, token=503),
    RUN,
)


def _as_held(original: Any, binding: Any, link: Any, values: Any, context: Any) -> Any:
    """The id of the company here, or as another system calls it."""
    found = original(binding, link, values, context)
    if binding.refers is None or not isinstance(found, str):
        return found
    ids = context.references[values[binding.fields[0]]].remote_ids
    return next((id for (name, _), id in sorted(ids.items()) if name != link.connection), found)


def _never_waits(original: Any, binding: Any, link: Any, values: Any, context: Any) -> Any:
    """Where the company is not made yet the field is left as it is, for good."""
    found = original(binding, link, values, context)
    return ABSENT if isinstance(found, differences.Waits) else found


def _nothing_agreed(original: Any, parts: Any, link: Any) -> Any:
    """Only what a record points at, and pointed at when it was read before."""
    return original(parts, replace(link, agreed={}))


def _text_stays(original: Any, state: Any, before: Any, context: Any, names: Any, now: Any) -> None:
    """A company that was taken away is looked for by its name."""
    name = state.values.get("company_name")
    original(state, before, context, names, now)
    if name is not None and state.values.get("company") is None and names.get(name) is not None:
        source = Source("rule", "rule", now)
        state.put("company_name", name, source, "name of the company")
        state.put("company", names[name], source, "company of that name")


def _by_the_company(original: Any, binding: Any, hub: Any, sent: Any) -> Any:
    """What was refused is the company, whichever of its records was told."""
    return original(None, hub, sent)


def _over_what_is_new(reading: Any, hub: Any) -> bool:
    agreed = reading.agreed
    if agreed is None:
        return hub not in (None, [])
    return agreed.hub != NEVER and agreed.hub != hub


BELONGINGS = (
    defect(
        "a company is told as another system calls it",
        history(*_HIRED, **_KEEPING),
        BELONGING,
        (differences, "wanted", instead(_as_held)),
    ),
    defect(
        "who belongs to a company that is still to be made is not told of it",
        history(*_HIRED, **_KEEPING),
        BELONGING,
        (differences, "wanted", instead(_never_waits)),
        (creating, "wanted", instead(_never_waits)),
    ),
    defect(
        "a company that was taken away is found by its name",
        history(*_HIRED, Event("wait", seconds=400.0), Event("fire", at=ALPHA), RUN, **_KEEPING),
        BELONGING,
        (founding, "keep_company", instead(_text_stays)),
    ),
    defect(
        "another company is a form of ours",
        "a-company-in-the-second-of-our-write",
        BELONGING,
        (formats, "_names_another", always(False)),
    ),
    defect(
        "a company that was not read yet is written over",
        30_000_092,
        BELONGING,
        (differences, "_hub_moved", lambda original: _over_what_is_new),
    ),
    defect(
        "what both sides agreed on is not known for the company that it is",
        "taken-out-of-a-company-that-was-not-read-yet",
        BELONGING,
        (decide, "_refs", instead(_nothing_agreed)),
    ),
    defect(
        "a company that was refused by one id is written by no other",
        "a-company-that-was-refused-by-an-id-that-is-gone",
        BELONGING,
        (aside, "_refusal", instead(_by_the_company)),
    ),
    defect(
        "nobody hears that another record stands for a company",
        "a-company-of-which-a-record-went-that-people-were-to-tell",
        BELONGING,
        (commit, "_stood_for", always(())),
    ),
    defect(
        "what a duplicate says of a company that was not read yet counts as agreed",
        "a-duplicate-of-a-company-that-was-not-read-yet-becomes-the-primary-record",
        BELONGING,
        (reconcile, "stays_news", always(None)),
    ),
)
