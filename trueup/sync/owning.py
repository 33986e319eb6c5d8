"""Who works on the hub: one run or plan at a time, from whichever process."""

from __future__ import annotations

from datetime import timedelta

from trueup.errors import Held
from trueup.model.run import Fence
from trueup.sync.parts import Parts

LEASE = timedelta(minutes=3)
"""Whoever does not renew it for so long is taken over; every sign of progress renews it."""


def own(parts: Parts) -> Fence:
    """Own the hub. From a process that has certainly ended it is taken over at once.

    Raises Held while another one is, or may be, at work.
    """
    now = parts.now()
    fence = parts.store.lease("run", parts.worker, now, now + LEASE)
    if fence is not None:
        return fence
    holder = parts.store.owner("run")
    if holder is not None and parts.ended(holder.owner):
        fence = parts.store.take_over(holder, parts.worker, now + LEASE)
    if fence is None:
        raise Held(_at_work(holder), code="TU-RUN-011")
    return fence


def _at_work(holder: Fence | None) -> str:
    if holder is None:
        return "another run was at work a moment ago; start again"
    who = holder.owner.partition("@")[0]
    return f"another run is at work ({who}); if it died, it is taken over after {holder.until:%H:%M:%S} UTC"
