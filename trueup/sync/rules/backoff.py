"""When a failed attempt may be repeated, and when to give up."""

from __future__ import annotations

from datetime import datetime, timedelta

LAST_ATTEMPT = 8
FIRST_WAIT = 2.0  # seconds
LONGEST_WAIT = 3600.0


def next_try(attempts: int, now: datetime, retry_after: float | None, jitter: float) -> datetime | None:
    """When to try again after `attempts` failures; None: give up. `jitter` in [0, 1) spreads the herd."""
    if attempts >= LAST_ATTEMPT:
        return None
    wait = min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** max(0, attempts - 1))
    if retry_after is not None:
        wait = max(wait, retry_after)
    return now + timedelta(seconds=wait * (1 + jitter / 4))
