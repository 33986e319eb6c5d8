"""F108, F110, F112, F114: what webhooks say, in whatever order and however often, is only where to look."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import pytest

from tests.connectors.hubspot.conftest import AUTH
from tests.connectors.kit import connect
from tests.demands.hubs import Setting, ann, hub_of, until_quiet, written
from tests.sync.memory import Clock, Memory
from tests.sync.small_hub import SmallHub
from trueup.connectors.hubspot.vendor import HubSpotStandIn
from trueup.errors import Unauthorized
from trueup.model.record import Hint
from trueup.sync.inbox import reread
from trueup.testing.acceptance.clock import HandClock

NAMES = ("a", "b", "c")


def ring(folder: Path, clock: Clock) -> SmallHub:
    folder.mkdir()
    systems = {name: Memory(clock) for name in NAMES}
    hub = hub_of(folder, clock, systems, Setting(create=NAMES))
    systems["a"].add(**ann(job_title="CTO"))
    hub.sync()
    hub.release()
    until_quiet(hub, clock)
    return hub


def heard(hub: SmallHub, names: tuple[str, ...]) -> None:
    """Webhooks of these systems arrive, one after another."""
    for name in names:
        reread(hub.parts, (name, "people"), ["1"], None)
        hub.sync()


def test_f108_webhooks_in_every_order_lost_and_doubled_end_in_the_same_state(tmp_path: Path) -> None:
    ends, costs = set(), set()
    orders = [*permutations(NAMES), ("c",), ("a", "a", "b", "c", "c"), ()]
    for number, order in enumerate(orders):
        clock = Clock()
        hub = ring(tmp_path / str(number), clock)
        before = written(hub)
        edits = {"a": {"job_title": "COO"}, "b": {"job_title": "CFO"}, "c": {"department": "R&D"}}
        for name, edit in edits.items():
            hub.systems[name].edit("1", **edit)
        heard(hub, order)
        until_quiet(hub, clock)
        now = [hub.systems[name].values("1") for name in NAMES]
        ends.update((one["job_title"], one["department"]) for one in now)
        costs.add(written(hub) - before)
        hub.store.close()
    assert ends == {("COO", "R&D")}
    assert max(costs) <= 4


def test_f112_a_webhook_that_is_replayed_within_its_window_changes_nothing(tmp_path: Path) -> None:
    clock = Clock()
    hub = ring(tmp_path / "hub", clock)
    hub.systems["a"].edit("1", job_title="COO")
    heard(hub, ("a",))
    before = written(hub)
    heard(hub, ("a",) * 5)
    assert written(hub) == before


@pytest.mark.parametrize(("seconds", "believed"), [(59, True), (61, False), (299, False)])
def test_f114_a_webhook_from_the_future_is_believed_as_far_as_clocks_differ_and_no_further(
    seconds: int, believed: bool
) -> None:
    clock, ahead = HandClock(), HandClock()
    ahead.advance(seconds)
    portal = HubSpotStandIn(ahead.now)
    id = portal.user_create("contacts", {"email": "ann@example.com"})
    (hook,) = portal.webhooks("https://hub.example.com/in/marketing")
    connector = connect("hubspot", portal.transport(), AUTH, clock)
    if believed:
        assert connector.hints(hook) == [Hint("contacts", id)]
        return
    with pytest.raises(Unauthorized):
        connector.hints(hook)
