"""Jobs that the hub does, each as a short history in which the last process that is started does the job.

Fail-at-n lives each once to count its steps, then again with a kill, a failing database and a failing
system at every one of them. Plain systems are `Traits`; what matters for the job is said.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from trueup.testing.plan import Event, Plan
from trueup.testing.traits import Traits

ALPHA, BETA, GAMMA = 0, 1, 2
BOTH = (ALPHA, BETA)
RUN = Event("run", of=BOTH)
SAVE, APPLY = Event("plan"), Event("apply")
WAIT = Event("wait", seconds=400.0)
RELEASE = Event("release")


def job(*events: Event, alpha: Traits | None = None, beta: Traits | None = None, tight: bool = False) -> Plan:
    """Two systems."""
    systems = (alpha or Traits("alpha"), beta or Traits("beta"))
    return Plan(-1, "job", systems, events, tight)


def known(*events: Event, alpha: Traits | None = None, beta: Traits | None = None, last: Event = RUN) -> Plan:
    """Two people whom both systems have and the hub has brought in step, what happens then, and the job."""
    both = (newcomer(*BOTH, token=101), newcomer(*BOTH, token=102))
    return job(*both, RUN, RELEASE, WAIT, RUN, WAIT, *events, last, alpha=alpha, beta=beta)


def newcomer(*of: int, token: int = 103) -> Event:
    return Event("create", of=of, token=token)


def act(
    do: str, at: int = ALPHA, token: int = 900, field: str = "title", pick: int = 0, other: int = 0
) -> Event:
    return Event(do, at=at, pick=pick, other=other, field=field, token=token)


def told(what: str, field: str = "title", token: int = 950) -> Event:
    return Event("operator", what=what, field=field, token=token)


def meanwhile(step: int, event: Event) -> Event:
    return replace(RUN, during=((step, event),))


SILENT = Traits("beta", answers=False)
GUARDED = Traits("beta", versions=True)
UPSERT = Traits("beta", upsert=True)
UNIQUE = Traits("beta", unique_email=True)
BLIND = Traits("beta", feed=False)
LAGGING = Traits("beta", answers=False, lag=30.0)
REWRITING = Traits("beta", habits=(("email", "lower"), ("given", "upper"), ("phone", "spaced")))
CUTTING = Traits("beta", habits=(("title", "cut"),))
CLOSED = Traits("beta", creates=False)
TOKENS = Traits("beta", tokens=2)

PLANNED = (newcomer(ALPHA), newcomer(BETA, token=104), act("edit"), act("edit", BETA, 903, "unit", pick=1))
"""What a plan is made of: two to be created, two to be written to."""

SCENARIOS: Mapping[str, Plan] = {
    # first loads
    "a first sync of two filled systems": job(newcomer(*BOTH), newcomer(*BOTH, token=104), RUN),
    "a first sync that creates": job(
        newcomer(ALPHA), newcomer(ALPHA, token=104), newcomer(BETA, token=105), RUN
    ),
    "a release of what differs": job(newcomer(*BOTH), newcomer(*BOTH, token=104), RUN, WAIT, RELEASE, RUN),
    "a first sync page by page": job(
        *(newcomer(ALPHA, token=token) for token in range(103, 107)),
        RUN,
        alpha=Traits("alpha", page=1, batch=1),
        beta=Traits("beta", page=1, batch=1),
    ),
    "a first sync by counted pages": job(
        *(newcomer(*BOTH, token=token) for token in range(103, 107)),
        RUN,
        alpha=Traits("alpha", page=2, offset=True),
    ),
    # creates
    "a create": known(newcomer(ALPHA)),
    "a create where the answer holds no record": known(newcomer(ALPHA), beta=SILENT),
    "a create by the hub's own id": known(newcomer(ALPHA), beta=UPSERT),
    "a create where addresses are unique": known(newcomer(ALPHA), beta=UNIQUE),
    "creates in batches that fail as a whole": known(
        *(newcomer(ALPHA, token=token) for token in range(103, 106)),
        beta=Traits("beta", whole=True, unique_email=True),
    ),
    "a create in a system that shows it late": known(newcomer(ALPHA), beta=LAGGING),
    "a create while a person makes the same record": known(
        newcomer(ALPHA), replace(WAIT, seconds=1.0), meanwhile(20, newcomer(BETA, token=103)), WAIT
    ),
    # edits
    "an edit": known(act("edit")),
    "an edit both ways": known(act("edit"), act("edit", BETA, 901, "unit")),
    "an edit of a guarded record": known(act("edit"), beta=GUARDED),
    "an edit of a record that somebody edits meanwhile": known(
        act("edit"), meanwhile(30, act("edit", BETA, 902, "unit")), WAIT, beta=GUARDED
    ),
    "an edit that loses": known(act("edit"), act("edit", BETA, 901)),
    "a cleared field": known(act("clear", field="family")),
    "a former value": known(act("edit"), RUN, WAIT, act("restore", field="title")),
    "a changed address": known(act("email")),
    "a changed address of a record that the hub made": known(
        newcomer(ALPHA), RUN, WAIT, act("email", pick=2)
    ),
    "two people whose addresses were swapped": known(act("swap", other=1)),
    "a label": known(act("label")),
    "a label taken away": known(act("label"), RUN, WAIT, act("unlabel", BETA)),
    "labels on both sides": known(act("label"), act("label", BETA, 901)),
    "a step forward": known(act("phase")),
    "steps forward on both sides": known(act("phase"), act("phase", BETA, 901, other=2)),
    # consent
    "an opt-out": known(act("opt out", BETA)),
    "an opt-out with an edit": known(
        act("opt out", BETA), act("edit", BETA), act("edit", token=901, field="unit")
    ),
    "an opt-out of somebody just made": known(newcomer(ALPHA), act("opt out", pick=2)),
    # deletions and merges inside a system
    "a deletion": known(act("delete")),
    "a deletion that nothing tells of": known(act("delete", BETA), beta=BLIND),
    "two records of one person": known(act("twin")),
    "a merge inside a system": known(act("twin"), RUN, WAIT, act("merge")),
    # people at the hub
    "an edit in the hub": known(told("edit")),
    "a pin in the hub": known(told("pin"), act("edit", BETA)),
    "an approval of what fuses held": job(
        *(newcomer(ALPHA, token=token) for token in range(103, 108)),
        RUN,
        RELEASE,
        WAIT,
        told("approve"),
        RUN,
        tight=True,
    ),
    # saved plans
    "the saving of a plan": known(*PLANNED, last=SAVE),
    "the apply of a saved plan": known(*PLANNED, SAVE, last=APPLY),
    "the apply of a saved plan, and once more": known(*PLANNED, SAVE, last=APPLY),
    "the apply of a saved plan of which a part is outdated": known(
        *PLANNED, SAVE, newcomer(ALPHA, token=105), act("edit", token=904), WAIT, last=APPLY
    ),
    # systems with habits
    "values that a system rewrites": known(newcomer(ALPHA), act("edit", field="phone"), beta=REWRITING),
    "values that a system cuts": known(act("edit"), beta=CUTTING),
    "stamps of a day": known(
        act("edit"), act("edit", BETA, 901, "unit"), beta=Traits("beta", grain=86_400.0)
    ),
    "a clock that is ahead": known(act("edit", BETA), beta=Traits("beta", skew=20.0, grain=1.0)),
    "a create and an edit with tokens that expire": known(newcomer(ALPHA), act("edit"), beta=TOKENS),
    "an edit and a create while a field is gone": known(
        newcomer(ALPHA), act("edit"), Event("drift", at=BETA, field="title", what="removed")
    ),
    "a system in which nobody is made": known(newcomer(ALPHA), act("edit", BETA), beta=CLOSED),
}
"""What waits: merges and unmerges in the hub for identity; promotion with handoff and demotion for the
lifecycle. (Migrations: `tests/store/test_killed_migrations.py`.)"""

AFTERWARDS: Mapping[str, tuple[Event, ...]] = {
    "the saving of a plan": (APPLY,),
    "the apply of a saved plan, and once more": (APPLY,),
}
"""What is started after a job, however it ended. After that, everybody is synced until nothing moves."""
