"""Mistakes in deciding: what is evidence, who wins, what the history keeps, who is who, what is made."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.simulation.defects.base import Change, always, answering, defect, instead
from tests.simulation.defects.histories import (
    ALPHA,
    BETA,
    LOWER,
    RUN,
    SETTLED,
    Event,
    history,
    newcomer,
)
from trueup.dedupe import normalise
from trueup.mapping import consents
from trueup.model.consent import ConsentState
from trueup.model.entity import LinkState
from trueup.sync import decide, identifying
from trueup.sync.rules import (
    decide_values,
    differences,
    evidence,
    formats,
    ledger,
    reconcile,
    verdict,
    weighing,
)
from trueup.testing.traits import Traits


def _plan(**changes: Any) -> Change:
    return answering(lambda plan: replace(plan, **changes))


def _context(**changes: Any) -> Change:
    return answering(lambda context: replace(context, **changes))


def _no_clears(original: Any, reading: Any, table: Any) -> Any:
    return (claim for claim in original(reading, table) if claim.value not in (None, []))


def _newest_word(original: Any, events: Any, channel: str, purpose: str) -> Any:
    mine = [one for one in events if (one.channel, one.purpose) == (channel, purpose)]
    return mine[-1].state if mine and len(mine) % 2 else ConsentState.UNKNOWN


def _loser_only(original: Any, *args: Any) -> Any:
    plan = original(*args)
    return replace(plan, conflicts=tuple(replace(one, kept_source="") for one in plan.conflicts))


def _newest_stage(original: Any, question: Any) -> Any:
    is_stage = question.field.name == decide_values.STAGE
    listed = [one for one in question.claims if is_stage and one.value in question.field.options]
    return verdict._won(question, listed[-1], "newest") if listed else original(question)


def _all_primary(original: Any, links: Any) -> Any:
    return tuple(replace(one, primary=True) for one in original(links))


def _tombs_forgotten(original: Any, stream: Any, after: Any, links: Any, standing: Any, *rest: Any) -> Any:
    living = [one for one in standing if one.state is not LinkState.TOMBSTONE]
    return original(stream, after, links, living, *rest)


def _made_twice(original: Any, stream: Any, after: Any, links: Any, standing: Any, *rest: Any) -> Any:
    """Records of which nobody knows an id yet do not stand."""
    known = [one for one in standing if one.state is not LinkState.WANTED]
    return original(stream, after, [one for one in links if one in known], known, *rest)


def _no_empty_ones(original: Any, *args: Any) -> Any:
    """Nothing is ever emptied in a system."""
    writes, *rest = original(*args)
    kept = [one for one in writes if not any(v in (None, "", []) for v in one.values.values())]
    return (kept, *rest)


def _one_system(original: Any, *args: Any) -> Any:
    """Only one record of a contact hears what was decided."""
    writes, *rest = original(*args)
    return (writes[:1], *rest)


def _union_grows(original: Any, question: Any, rule: str) -> Any:
    claims = [replace(one, removed=frozenset()) for one in question.claims]
    return original(replace(question, claims=claims), rule)


def _elements_taken(original: Any, question: Any, rule: str) -> Any:
    claims = [replace(one, added=frozenset()) for one in question.claims]
    return original(replace(question, claims=claims), rule)


def _tick_taken_away(original: Any, events: Any, channel: str, purpose: str) -> Any:
    """Whoever shows no opt-out any more may be mailed."""
    found = original(events, channel, purpose)
    mine = [one for one in events if (one.channel, one.purpose) == (channel, purpose)]
    return ConsentState.UNKNOWN if found is ConsentState.OPTED_OUT and len(mine) > 1 else found


def _without_a_source(original: Any, rule: Any, raw: Any) -> Any:
    return original(replace(rule, evidence=("time",)) if rule.evidence else rule, raw)


def _of_the_primary(original: Any, state: Any, case: Any, readings: Any, *rest: Any) -> Any:
    return original(state, case, list(readings)[:1], *rest)


def _first_part(original: Any, names: Any, state: Any) -> Any:
    """Whoever filled the first part of a name counts for the others, too."""
    return next((state.sources[name] for name in names if name in state.sources), None)


def _pins_forgotten(original: Any, winner: Any, *rest: Any) -> Any:
    return replace(original(winner, *rest), pinned=False)


def _one_of_several(original: Any, stranger: Any, holders: Any, identity: Any) -> set[str]:
    found = original(stranger, holders, identity)
    return {min(found)} if found else found


LOST = "no lost update, no lost element, no resurrection"
WORK = "silence, bounded cost"
GONE = "no resurrection, convergence, hub edits hold"

DECIDING = (
    defect("emptying is no edit", 0, GONE, (evidence, "claims", instead(_no_clears))),
    defect("nothing is ever emptied", 0, GONE, (reconcile, "_outward", instead(_no_empty_ones))),
    defect("losers are forgotten", 1, f"{LOST}, hub edits hold", (decide, "reconcile", _plan(conflicts=()))),
    defect(
        "the history has no winners", 0, "history names who won", (decide, "reconcile", instead(_loser_only))
    ),
    defect(
        "the history is forgotten", 0, f"{LOST}, hub edits hold", (decide, "reconcile", _plan(changes=()))
    ),
    defect(
        "nothing follows a decision", 0, "convergence, opt-outs hold", (decide, "reconcile", _plan(writes=()))
    ),
    defect(
        "only one record hears of it",
        0,
        "convergence, opt-outs hold",
        (reconcile, "_outward", instead(_one_system)),
    ),
    defect("edits in the hub are dropped", 0, "hub edits hold", (weighing, "edit_claims", always([]))),
    defect(
        "the first part of a name answers for all of it",
        "half-a-name-that-was-pinned",
        "hub edits hold",
        (decide_values, "_lead", instead(_first_part)),
    ),
    defect("pins are forgotten", 5, "hub edits hold", (decide_values, "source_of", instead(_pins_forgotten))),
    defect(
        "who opted out last counts",
        1,
        "opt-outs hold, opt-outs only tighten",
        (ledger, "state", instead(_newest_word)),
    ),
    defect(
        "an opt-out is not written",
        1,
        "opt-outs hold",
        (reconcile, "for_new_address", always([])),
        (differences, "must_change", always(False)),
    ),
    defect(
        "opt-outs are not written down",
        2,
        "opt-outs hold, opt-outs only tighten",
        (decide, "reconcile", _plan(consent=())),
    ),
    defect(
        "a second word lifts an opt-out",
        1,
        "opt-outs hold, opt-outs only tighten",
        (ledger, "state", instead(_tick_taken_away)),
    ),
    defect(
        "the opt-out of one record counts",
        5,
        "opt-outs hold",
        (weighing, "settle_consent", instead(_of_the_primary)),
    ),
    defect(
        "what was agreed is not stored",
        0,
        f"{LOST}, convergence, {WORK}, winners are people",
        (decide, "reconcile", _plan(links=())),
    ),
    defect(
        "an opt-in needs no source",
        history(
            newcomer(ALPHA, BETA),
            *SETTLED,
            Event("opt out", at=BETA),
            *SETTLED,
            Event("opt in", other=4),
            RUN,
            alpha=Traits("alpha", dated=True),
        ),
        "opt-outs hold, opt-outs only tighten",
        (consents, "consent_said", instead(_without_a_source)),
        (ledger, "consent_said", instead(_without_a_source)),
    ),
    defect(
        "an opt-out that is said again is not heard",
        "opted-out-again-where-the-hub-had-opted-out",
        "opt-outs hold",
        (ledger, "said_again", always([])),
    ),
    defect(
        "no opt-in is believed",
        history(
            newcomer(ALPHA, BETA),
            *SETTLED,
            Event("opt out", at=BETA),
            *SETTLED,
            Event("opt in", other=1),
            RUN,
            alpha=Traits("alpha", dated=True),
        ),
        "opt-ins are heard",
        (ledger, "_documented", always(False)),
    ),
    defect("consent is not listened to", 1, "opt-outs hold", (ledger, "events", always([]))),
    defect(
        "the newest stage counts",
        history(
            newcomer(ALPHA, BETA),
            *SETTLED,
            Event("phase", other=3),
            Event("run", of=(ALPHA,)),
            Event("phase", at=BETA),
            RUN,
        ),
        "stages only climb",
        (decide_values, "judge", instead(_newest_stage)),
    ),
    defect(
        "labels are never taken away",
        8,
        f"{GONE}, {WORK}, what was taken stays away",
        (verdict, "_union", instead(_union_grows)),
    ),
    defect(
        "labels are never given", 2, f"{LOST}, convergence", (verdict, "_union", instead(_elements_taken))
    ),
    defect(
        "a form that was learned leaves no trace",
        "an-edit-beside-a-form-that-was-learned",
        f"{LOST}, convergence",
        (formats, "left_out", always(True)),
    ),
    defect("all that differs was somebody", 7, "winners are people", (formats, "is_form", always(False))),
    defect("everybody is a stranger", 0, "no duplicate", (identifying, "match_keys", always([]))),
    defect(
        "addresses are told apart by case",
        history(newcomer(ALPHA, BETA, token=104), *SETTLED, beta=LOWER),
        "no duplicate",
        (normalise, "email_subject_key", lambda original: lambda email: email.strip()),
        (normalise, "email_key", lambda original: lambda email: email.strip()),
    ),
    defect(
        "whoever was deleted is made again",
        15,
        "the deleted stay so",
        (reconcile, "create", instead(_tombs_forgotten)),
    ),
    defect(
        "whoever is being made is made again",
        5,
        "no duplicate, links are sane, nothing waits for nobody, run ends, silence",
        (reconcile, "create", instead(_made_twice)),
    ),
    defect(
        "written over before the release",
        0,
        "only what is allowed",
        (
            decide,
            "context_for",
            instead(
                lambda original, parts, *rest: replace(
                    original(parts, *rest), released=frozenset(parts.connectors)
                )
            ),
        ),
    ),
    defect("every record is the primary one", 6, "one primary", (reconcile, "elect", instead(_all_primary))),
    defect("duplicates are written to", 6, "only what is allowed", (reconcile, "_follows", always(True))),
)
