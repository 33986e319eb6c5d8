"""When a failed attempt may be repeated, and when to give up."""

from __future__ import annotations

from datetime import datetime, timedelta

GIVE_UP_AFTER = timedelta(days=3)
"""How long a write is tried again: a weekend's outage is none."""

FIRST_WAIT = 2.0  # seconds
LONGEST_WAIT = 3600.0


def next_try(failures: int, now: datetime, retry_after: float | None, jitter: float) -> datetime:
    """When to try again after so many failures. `jitter` in [0, 1) spreads the herd."""
    wait = min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(max(0, failures - 1), 20))
    if retry_after is not None:
        wait = max(wait, retry_after)
    return now + timedelta(seconds=wait * (1 + jitter / 4))
