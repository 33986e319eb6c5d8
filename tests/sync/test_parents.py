"""Parents and children that are created in one run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.demands.hubs import Setting, Several, hub_of, mapped
from tests.sync.memory import Clock, Memory
from tests.sync.small_hub import Always, SmallHub, rules
from trueup.mapping.schema import FieldRule
from trueup.model.fields import Kind


def crm(clock: Clock) -> Several:
    firms = Memory(clock, name="firms", kind="company", keys=("name",))
    return Several({"people": Memory(clock), "firms": firms})


def two_crms(tmp_path: Path) -> tuple[SmallHub, Several, Several]:
    """Ann works for Acme in the old one; the new one takes both, and is empty."""
    clock = Clock()
    systems = {"old": crm(clock), "new": crm(clock)}
    company = FieldRule("company", "firm", to="firms")
    objects = [
        one
        for name in systems
        for one in (
            (name, rules("people", [*mapped("email", "first_name"), company])),
            (name, rules("firms", mapped("name"), Kind.COMPANY)),
        )
    ]
    conditions = {("new", "people"): Always(), ("new", "firms"): Always()}
    hub = hub_of(tmp_path, clock, systems, Setting(objects, conditions=conditions))
    systems["old"]["firms"].put("77", name="Acme")
    systems["old"]["people"].add(email="ann@example.com", first_name="Ann", firm="77")
    return hub, systems["old"], systems["new"]


def test_a_company_is_made_before_its_contact_and_both_in_one_run_with_one_write_each(
    tmp_path: Path,
) -> None:
    hub, _, new = two_crms(tmp_path)
    hub.sync()
    ((firm, _),) = new["firms"].living().items()
    (ann,) = new["people"].living().values()
    assert ann["firm"] == firm
    assert (len(new["firms"].written), len(new["people"].written)) == (1, 1)


def test_a_contact_whose_company_is_refused_is_made_without_it(tmp_path: Path) -> None:
    hub, _, new = two_crms(tmp_path)
    new["firms"].refuse = lambda values: {"": "no more firms"}
    hub.sync()
    (ann,) = new["people"].living().values()
    assert (ann["email"], ann.get("firm")) == ("ann@example.com", None)


@pytest.mark.parametrize("comes", [False, True], ids=["it never comes", "it comes meanwhile"])
def test_who_leaves_a_company_that_nobody_knows_yet_belongs_to_none(tmp_path: Path, comes: bool) -> None:
    """What both sides agreed on is known for what it is, though the record points elsewhere meanwhile."""
    hub, old, new = two_crms(tmp_path)
    hub.sync()
    hub.release()
    old["people"].edit("1", firm="78")
    hub.sync()
    if comes:
        old["firms"].put("78", name="Bolt")
    old["people"].edit("1", firm=None)
    hub.sync()
    (ann,) = new["people"].living().values()
    assert (old["people"].values("1")["firm"], ann["firm"]) == (None, None)
