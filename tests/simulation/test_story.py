"""The story of a simulated life: what people did, why the hub decided as it did, and what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from trueup.testing.drawing import plan_of
from trueup.testing.plan import Event, Plan
from trueup.testing.story import Story
from trueup.testing.traits import Traits
from trueup.testing.trial import tried
from trueup.testing.watch import Invariants
from trueup.testing.world import lived

BOTH = (0, 1)
LIFE = (
    Event("create", of=BOTH, token=101),
    Event("run", of=BOTH),
    Event("release"),
    Event("edit", at=1, field="title", token=102),
    Event("operator", what="edit", field="given", token=103),
    Event("fault", at=1, route="update", nth=1, what="500"),
    Event("run", of=BOTH),
)
LOST = "no lost update: c-1 job_title: 'T102 officer', typed at beta/b001, is neither held nor in the history"


def story(folder: Path, *wrong: str) -> list[str]:
    """The story of a small life, with this verdict."""
    plan = Plan(1, "edits", (Traits("alpha"), Traits("beta")), LIFE)
    told = Story()
    with lived(plan, folder, told.beside(Invariants().watch())) as world:
        return list(told.told(world, wrong))


@pytest.mark.parametrize(
    "said",
    [
        "beta/b001: somebody does update title",
        "ann sets given of c-1 to G103",
        "500 will strike the 1. update from now at beta",
        "alpha/a001: the hub does update given 'G101' -> 'G103', title",
        "c-1 job_title 'T101097 officer' -> 'T102 officer', from beta/people/b001 (authority)",
        "c-1 first_name 'G101' -> 'G103', from hub (edited in the hub)",
        "of beta/people/b001 loses against 'T101097 officer' of alpha/people/a001 (first sight)",
    ],
)
def test_acts_misfortunes_and_decisions_with_their_rules_are_told(tmp_path: Path, said: str) -> None:
    assert [line for line in story(tmp_path) if said in line]


def test_what_happened_is_told_before_what_was_decided_about_it(tmp_path: Path) -> None:
    lines = story(tmp_path)
    (typed,) = (n for n, line in enumerate(lines) if "somebody does update title" in line)
    (decided,) = (n for n, line in enumerate(lines) if "-> 'T102 officer', from beta" in line)
    assert typed < decided


def test_the_verdict_names_the_check_the_contact_the_record_the_field_and_where_it_is_told(
    tmp_path: Path,
) -> None:
    lines = story(tmp_path, LOST)
    verdict = lines[lines.index("Verdict: 1 things are wrong.") :]
    assert verdict[1].startswith("* The check `no lost update` failed: c-1 job_title")
    assert verdict[2:5] == ["    contacts: c-1", "    records: beta/b001", "    fields: title"]
    places = {int(one) for one in verdict[5].removeprefix("    told in journal lines ").split(", ")}
    told = [line for line in lines if "title" in line and ("c-1 " in line or "b001" in line)]
    assert places == {int(line[:5]) for line in told if line[:5].strip().isdigit()}


def test_where_all_is_well_the_verdict_says_so(tmp_path: Path) -> None:
    assert story(tmp_path)[-1] == "Verdict: every check holds."


def test_who_listens_does_not_change_the_history() -> None:
    lines: list[str] = []
    assert tried(plan_of(7), lines.append).digest == tried(plan_of(7)).digest
    assert lines
