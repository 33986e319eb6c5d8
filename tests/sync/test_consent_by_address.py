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


def out_in_source(folder: Path, **target: str) -> Memory:
    """Ann opted out in one system; the other one, which tells nothing of it, knows `target` of her."""
    clock = Clock()
    systems = {"source": Memory(clock), "target": Memory(clock, hidden={NEWS.remote})}
    objects = {"source": rules(consent=(FLAG,)), "target": rules(consent=(NEWS,))}
    hub = consent_hub(folder, clock, systems, objects)
    systems["source"].add(**ann(phone="+14155550123", optout=True))
    systems["target"].add(**target)
    hub.sync()
    for _ in range(3):
        later(hub, clock)
    return systems["target"]


def test_an_address_of_which_the_system_tells_nothing_gets_the_opt_out(tmp_path: Path) -> None:
    target = out_in_source(tmp_path, **ann())
    assert [one.values[NEWS.remote] for one in target.written if NEWS.remote in one.values] == [OUT]


def test_a_record_without_an_address_gets_none(tmp_path: Path) -> None:
    target = out_in_source(tmp_path, first_name="Ann", last_name="Lee", phone="+14155550123", email="")
    alone = [one.values for one in target.written if NEWS.remote in one.values and "email" not in one.values]
    assert alone == []
