"""A system that keeps consent by address never has a new address of somebody who opted out without it."""

from __future__ import annotations

from pathlib import Path

from tests.sync.consenting import FLAG, ann, consent_hub, later
from tests.sync.memory import Clock, Memory
from tests.sync.small_hub import rules
from trueup.mapping.schema import ConsentRule

NEWS = ConsentRule("email", "marketing", "subscription.News", opted_out="opted_out")
OUT = {"status": "UNSUBSCRIBED"}


def test_the_opt_out_goes_in_the_write_that_brings_the_address(tmp_path: Path) -> None:
    clock = Clock()
    systems = {"source": Memory(clock), "target": Memory(clock)}
    objects = {"source": rules(consent=(FLAG,)), "target": rules(consent=(NEWS,))}
    hub = consent_hub(tmp_path, clock, systems, objects)
    source, target = systems.values()
    source.add(**ann(optout=True))
    target.add(**ann(**{NEWS.remote: {"status": "SUBSCRIBED"}}))
    hub.sync()
    hub.release()
    target.written.clear()
    source.edit("1", email="new@example.com", job_title="CTO")
    later(hub, clock)
    (item,) = target.written
    assert item.values == {"email": "new@example.com", "job_title": "CTO", NEWS.remote: OUT}
    target.written.clear()
    source.edit("1", job_title="COO")
    later(hub, clock)
    assert [one.values for one in target.written] == [{"job_title": "COO"}]
