"""Who writes a connector in a folder of his own, and has but the package, needs one line of pytest."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from trueup.testing.acceptance.checks import checks

HERE = Path(__file__).parent
ONE_LINE = """
from cards import Cards, shelf_of
from trueup.testing.acceptance import accepted

test_acceptance = accepted(shelf_of(Cards))
"""
FORGETFUL = """
from dataclasses import replace

from cards import Cards, shelf_of
from trueup.testing.acceptance import accepted


class Forgetful(Cards):
    def listing(self, place, fields):
        page = super().listing(place, fields)
        return page if page.more else replace(page, records=page.records[:-1])


test_acceptance = accepted(shelf_of(Forgetful))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The author's own: the connector and an imitation of its system."""
    (tmp_path / "shelf.py").write_text((HERE / "shelf.py").read_text("utf-8"), "utf-8")
    cards = (HERE / "cards.py").read_text("utf-8").replace("tests.connectors.accept.shelf", "shelf")
    (tmp_path / "cards.py").write_text(cards, "utf-8")
    return tmp_path


def ended_as(folder: Path, test: str) -> tuple[Counter[str], str]:
    """How many tests of this file ended how, and what was printed."""
    (folder / "test_connector.py").write_text(test, "utf-8")
    known = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "LANG") if name in os.environ}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", "-rA", "--rootdir", "."]
    ended = subprocess.run(command, cwd=folder, env=known, capture_output=True, text=True, check=False)
    outcomes = (line.partition(" ")[0] for line in ended.stdout.splitlines() if "::test_acceptance[" in line)
    return Counter(one for one in outcomes if one in ("PASSED", "FAILED", "ERROR")), ended.stdout


def test_an_author_outside_takes_part_with_one_line(folder: Path) -> None:
    outcomes, said = ended_as(folder, ONE_LINE)
    assert outcomes == {"PASSED": len(checks())}, said


def test_what_is_broken_there_is_rejected_by_name_and_said(folder: Path) -> None:
    outcomes, said = ended_as(folder, FORGETFUL)
    assert outcomes["FAILED"], said
    assert "FAILED test_connector.py::test_acceptance[a_listing_is_complete]" in said
    assert "Forgetful: a_listing_is_complete" in said
