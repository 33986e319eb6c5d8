"""A connection whose file the list in hub.yaml does not name is read all the same, and `check` says so."""

from __future__ import annotations

import re
from pathlib import Path

from tests.cli.kit import say


def test_a_file_that_the_list_does_not_name_is_told_of(hub: Path) -> None:
    file = hub / "hub.yaml"
    assert "not name it" not in say("check").out
    file.write_text(re.sub(r"connections: \[.*\]", "connections: [news]", file.read_text("utf-8")), "utf-8")
    (line,) = (one for one in say("check").out.splitlines() if "not name it" in one)
    assert line.startswith("crm: connections/crm.yaml is read, though `connections:` in hub.yaml")
    assert say("check", "--json").json["unlisted"] == [line]


def test_where_there_is_no_list_nothing_is_told(hub: Path) -> None:
    file = hub / "hub.yaml"
    file.write_text(re.sub(r"connections: \[.*\]\n", "", file.read_text("utf-8")), "utf-8")
    assert say("check", "--json").json["unlisted"] == []
