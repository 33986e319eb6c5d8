"""README shows what `make demo` says, word for word and number for number."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from trueup.commands.answer import Grid, Shown, cell_text
from trueup.commands.demo import Teller, perform
from trueup.commands.demo_world import set_up
from trueup.commands.desk import Form
from trueup.sandbox.server import SandboxClock

README = Path(__file__).resolve().parents[2] / "README.md"
DAY = datetime(2026, 11, 22, 13, 0, tzinfo=UTC)
"""When the numbers of README were taken: ages count from the day, another one may say a record more."""
PEOPLE, SEED = 2_000, 1
"""What `make demo` plays."""


def words(parts: Iterable[Shown]) -> set[str]:
    """Every line that was said, with single blanks."""
    said: list[str] = []
    for part in parts:
        if isinstance(part, Grid):
            said += [" ".join(map(cell_text, row)) for row in (part.head, *part.rows)]
        else:
            said += part.splitlines()
    return {" ".join(line.split()) for line in said}


def sample() -> list[str]:
    """The lines of the demonstration in README, without rules."""
    text = README.read_text(encoding="utf-8")
    told = text[text.index("## See it") : text.index("## Install")]
    blocks = [block for block in told.split("```")[1::2] if block.startswith("\n")]
    lines = [" ".join(line.split()) for block in blocks for line in block.splitlines()]
    return [line for line in lines if line.strip("─-")]


def test_every_line_that_readme_shows_of_the_demonstration_is_said_by_it(tmp_path: Path) -> None:
    stage = set_up(tmp_path / ".demo", PEOPLE, SEED, SandboxClock(DAY))
    said: list[Shown] = []
    try:
        said += perform(Teller(Form.TEXT, out=said.extend), stage).shown
    finally:
        stage.close()
    told = words(said)
    assert len(sample()) > 15
    assert [line for line in sample() if line not in told] == []
