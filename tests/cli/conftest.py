from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.kit import two_tables


@pytest.fixture(autouse=True)
def _usual_width(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("USER", "ops")
    monkeypatch.setenv("LOGNAME", "ops")
    return tmp_path


@pytest.fixture
def hub(desk: Path) -> Path:
    """A hub over two tables; the working directory is the one that holds config/."""
    return two_tables(desk)
