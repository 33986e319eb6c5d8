"""`make soak` runs every proof at its full figure: no figure that a test reads is forgotten there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FIGURE = re.compile(r'environ\.get\("(TRUEUP_[A-Z_]+)", "([\d,]+)"\)')


def figures() -> dict[str, str]:
    """Every figure that tests read from the environment, with its small default."""
    texts = [path.read_text("utf-8") for path in sorted((ROOT / "tests").rglob("*.py"))]
    return {name: small for text in texts for name, small in FIGURE.findall(text)}


def full() -> dict[str, str]:
    text = (ROOT / "Makefile").read_text("utf-8")
    recipe = text[text.index("\nsoak:") :].partition("\n\n")[0]
    return dict(re.findall(r"(TRUEUP_[A-Z_]+)=(\S+)", recipe))


def test_the_soak_names_every_figure_that_a_test_reads() -> None:
    assert len(figures()) >= 8
    assert set(full()) == set(figures())


def test_no_figure_of_the_soak_is_smaller_than_that_of_everyday() -> None:
    def first(figure: str) -> int:
        return int(figure.split(",")[0])

    assert [name for name, small in figures().items() if first(full()[name]) <= first(small)] == []
