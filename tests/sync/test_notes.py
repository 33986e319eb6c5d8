"""What a run leaves behind in the database about faults: never a secret, never somebody's address."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tests.sync.memory import Clock, Memory
from tests.sync.small_hub import SmallHub, small_hub
from trueup.errors import Broken, Malformed

SECRET, PERSON = "hunter2-canary", "canary.zulu@example.com"
SAID = f"cannot log in {PERSON} with password={SECRET}"


@pytest.fixture
def hub(tmp_path: Path) -> SmallHub:
    clock = Clock()
    return small_hub(tmp_path, clock, {"sales": Memory(clock), "marketing": Memory(clock)})


def stored(folder: Path) -> str:
    """Everything that the database holds, in its own words."""
    with sqlite3.connect(folder / "hub.sqlite") as database:
        return "\n".join(database.iterdump())


def test_the_words_of_an_error_that_nobody_foresaw_are_not_stored(hub: SmallHub, tmp_path: Path) -> None:
    hub.systems["sales"].broken.append(KeyError(SAID))
    with pytest.raises(KeyError):
        hub.sync()
    (note,) = hub.store.runs(1)[0].notes
    assert note.startswith("a fault of trueup itself: KeyError in tests.sync.memory, line ")
    assert SECRET not in stored(tmp_path) and PERSON not in stored(tmp_path)


def test_an_error_of_our_own_is_stored_in_its_words_with_values_covered(
    hub: SmallHub, tmp_path: Path
) -> None:
    hub.systems["sales"].broken.append(Broken(SAID))
    with pytest.raises(Broken):
        hub.sync()
    (note,) = hub.store.runs(1)[0].notes
    assert note.startswith("cannot log in ‹e-mail› with password=")
    assert SECRET not in stored(tmp_path) and PERSON not in stored(tmp_path)


def test_what_a_system_says_when_it_fails_is_stored_covered_too(hub: SmallHub, tmp_path: Path) -> None:
    hub.systems["sales"].broken.append(Malformed("answered nonsense", vendor_says=SAID))
    hub.sync()
    assert any("cannot log in ‹e-mail›" in note for note in hub.store.runs(1)[0].notes)
    assert SECRET not in stored(tmp_path) and PERSON not in stored(tmp_path)
