"""Every mistake of the gallery gets exactly the text that is kept beside it.

After a change of wording, run `TRUEUP_GALLERY=write pytest tests/config/test_gallery.py` and read every
changed text aloud: it must say what is wrong, where, what was meant, and what to do.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.config.hubs import ENVIRONMENT, change, example_hub, problems
from tests.config.mistakes import MISTAKES, Mistake

GALLERY = Path(__file__).parent / "gallery"


def _told(mistake: Mistake, folder: Path) -> str:
    hub = example_hub(folder)
    for file, old, new in mistake.changes:
        change(hub, file, old, new)
    environment = {name: value for name, value in ENVIRONMENT.items() if name not in mistake.unset}
    return "\n\n".join(map(str, problems(hub, environment))) + "\n"


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_a_mistake_is_told_in_these_words(mistake: Mistake, tmp_path: Path) -> None:
    told = _told(mistake, tmp_path)
    kept = GALLERY / f"{mistake.name}.txt"
    if os.environ.get("TRUEUP_GALLERY") == "write":
        kept.write_text(told, encoding="utf-8")
    assert told == kept.read_text(encoding="utf-8")


def test_no_text_is_kept_without_its_mistake() -> None:
    kept = {path.stem for path in GALLERY.glob("*.txt") if not path.stem.startswith("live-")}
    assert kept == {mistake.name for mistake in MISTAKES}
