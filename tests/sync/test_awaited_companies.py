"""A contact that names a company nobody knew yet belongs to it as soon as one of that name comes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sync.memory import Clock
from tests.sync.small_hub import SmallHub
from tests.sync.test_founding import ann, bob, employers, hub_with, until_quiet
from trueup.model.fields import Kind
from trueup.sync.engine import Report, landing
from trueup.sync.identifying import identify_all


@pytest.fixture
def hub(tmp_path: Path) -> SmallHub:
    """Sales has people and firms; contacts are linked to the companies that they name, none is made."""
    clock = Clock()
    hub = hub_with(tmp_path, clock, company="link", condition=None)
    hub.systems["marketing"].add(**ann(employer="ACME, Inc."))
    hub.systems["marketing"].add(**bob(employer="Bolt"))
    until_quiet(hub)
    assert employers(hub) == [None, None]
    return hub


def firm(hub: SmallHub, name: str) -> None:
    hub.systems["sales"]["firms"].add(name=name, domain=None)  # type: ignore[index]


def rename(hub: SmallHub, id: str, name: str) -> None:
    hub.systems["sales"]["firms"].edit(id, name=name)  # type: ignore[index]


def test_who_named_it_is_linked_when_the_company_appears(hub: SmallHub) -> None:
    firm(hub, "Acme GmbH")
    until_quiet(hub)
    assert employers(hub) == ["1", None]


def test_who_named_it_is_linked_when_a_company_is_renamed_to_it(hub: SmallHub) -> None:
    firm(hub, "Globex")
    until_quiet(hub)
    assert employers(hub) == [None, None]
    rename(hub, "1", "acme")
    until_quiet(hub)
    assert employers(hub) == ["1", None]


def test_who_named_one_of_two_is_linked_when_the_other_is_renamed_away(hub: SmallHub) -> None:
    firm(hub, "Globex")
    firm(hub, "Initech")
    until_quiet(hub)
    rename(hub, "1", "Acme")
    rename(hub, "2", "Acme")
    until_quiet(hub)
    assert employers(hub) == [None, None]
    rename(hub, "2", "Initech")
    until_quiet(hub)
    assert employers(hub) == ["1", None]


def test_who_names_another_company_by_then_does_not_come_back(hub: SmallHub) -> None:
    hub.systems["marketing"].edit("1", employer="Bolt")
    until_quiet(hub)
    firm(hub, "Acme")
    until_quiet(hub)
    assert employers(hub) == [None, None]
    firm(hub, "Bolt")
    until_quiet(hub)
    assert employers(hub) == ["2", "2"]


@pytest.mark.parametrize(("name", "number"), [("Acme", 1), ("Globex", 0)])
def test_a_company_makes_due_who_names_it_and_nobody_else(hub: SmallHub, name: str, number: int) -> None:
    firm(hub, name)
    landing(hub.parts, ("sales",), Report(0), None)
    identify_all(hub.parts, None)
    assert len(hub.store.due([Kind.CONTACT], hub.parts.now(), 0, 10)) == number
