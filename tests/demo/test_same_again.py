"""One seed and one start time give one history, in whatever folder and process: nothing is left to chance."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import trueup

ROOT = Path(trueup.__file__).resolve().parents[1]

PERFORM = """
import sys
from datetime import datetime
from pathlib import Path
from trueup.commands.demo import Teller, perform
from trueup.commands.demo_world import set_up
from trueup.commands.desk import Form
from trueup.sandbox.server import SandboxClock

stage = set_up(Path(sys.argv[1]), 150, 1, SandboxClock(datetime.fromisoformat("2026-11-01T09:00:00+00:00")))
perform(Teller(Form.JSON), stage)
stage.close()
"""

REMEMBERED = {
    "history": "*",
    "entities": "*",
    "match_keys": "*",
    "match_decisions": "*",
    "consent_events": "*",
    "runs": "*",
    # without `owner`, the name of the process that sent it
    "deliveries": "id, link_id, kind, lane, state, replaced, hex(digest), sent_at, ended_at, error, code",
    # without the stamps: the shop's database stamps its rows by a clock of its own
    "links": "id, stream_id, remote_id, entity_id, state, is_primary, hex(digest), seen_at, withheld",
    "link_docs": "*",
}


def performed(folder: Path, hashes: str) -> list[tuple[object, ...]]:
    """All that the hub remembers of a demonstration, in a process that iterates over sets in this order."""
    known = {**os.environ, "PYTHONHASHSEED": hashes, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", PERFORM, str(folder)], check=True, env=known, cwd=folder.parent)
    with sqlite3.connect(folder / "config" / ".sandbox" / "hub.sqlite") as connection:
        return [
            (table, *row)
            for table, columns in REMEMBERED.items()
            for row in sorted(connection.execute(f"select {columns} from {table}"), key=str)
        ]


def test_the_same_seed_and_start_in_another_folder_and_process_give_the_same_history(tmp_path: Path) -> None:
    once, again = (performed(tmp_path / name, name) for name in ("1", "2"))
    assert len(once) > 1000
    assert [(one, other) for one, other in zip(once, again, strict=True) if one != other] == []
