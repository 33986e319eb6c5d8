"""Small histories, written by hand, in which a mistake shows that most random ones never come to."""

from __future__ import annotations

from dataclasses import replace

from trueup.testing.plan import Event, Plan
from trueup.testing.traits import Traits

ALPHA, BETA = 0, 1
_BOTH = (ALPHA, BETA)
RUN = Event("run", of=_BOTH)
SETTLED = (RUN, Event("release"), Event("wait", seconds=400.0), RUN, Event("wait", seconds=400.0))
"""All is listed, released, and in step."""


def history(*events: Event, alpha: Traits | None = None, beta: Traits | None = None) -> Plan:
    """Two systems, as plain as they can be unless it is said otherwise."""
    systems = (alpha or Traits("alpha"), beta or Traits("beta"))
    return Plan(-1, "by hand", systems, tuple(events), False, False)


def newcomer(*of: int, token: int = 101) -> Event:
    return Event("create", of=of, token=token)


def typed(at: int, token: int, field: str = "title") -> Event:
    return Event("edit", at=at, field=field, token=token)


def goes_wrong(at: int, route: str, what: str, nth: int = 1) -> Event:
    return Event("fault", at=at, route=route, what=what, nth=nth)


def killed(step: int) -> Event:
    return replace(RUN, crash=step)


SILENT = Traits("beta", answers=False)
"""It does not answer with the record."""
LOWER = Traits("beta", habits=(("email", "lower"),))
"""It keeps addresses in small letters."""
