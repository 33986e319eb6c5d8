"""Every check can fail: for each there is a connector, broken in just that way, which it rejects by name."""

from __future__ import annotations

import pytest

from tests.connectors.accept import broken_reading, broken_writing
from tests.connectors.accept.broken_reading import broken
from tests.connectors.accept.cards import Cards, Modest, shelf_of
from trueup.testing.acceptance.checks import Check, checks, named
from trueup.testing.acceptance.verdict import ask, ask_all

BROKEN = broken(vars(broken_reading), vars(broken_writing))


def asked_for(name: str) -> Check:
    """The check that is asked: this one, or the one that it stands in for."""
    return next(one for one in checks().values() if name in (one.name, one.otherwise and one.otherwise.name))


@pytest.mark.parametrize("connector", [Cards, Modest])
def test_a_sound_connector_passes_every_check(connector: type[Cards]) -> None:
    failed = [str(verdict) for verdict in ask_all(shelf_of(connector)).values() if not verdict.passed]
    assert failed == []


@pytest.mark.parametrize("connector", BROKEN, ids=lambda connector: connector.__name__)
def test_a_broken_connector_is_rejected_by_the_check_of_what_is_broken(connector: type[Cards]) -> None:
    name: str = connector.breaks  # type: ignore[attr-defined]
    verdict = ask(shelf_of(connector), asked_for(name).name)
    assert verdict.name == name
    assert not verdict.passed, f"{name} does not see what is wrong with {connector.__name__}"
    assert "cannot play" not in verdict.seen


def test_every_check_has_a_connector_that_it_rejects() -> None:
    assert {connector.breaks for connector in BROKEN} == named()  # type: ignore[attr-defined]
    assert len(BROKEN) >= 20 and len(checks()) >= 30
