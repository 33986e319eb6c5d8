"""A hub over two tables, and the command line over it; texts are compared with those that are kept."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from typer.testing import CliRunner

from trueup.cli import app

HERE = Path(__file__).parent
_TIMES = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d)?(\.\d+)?([+]00:00)?")

CRM = """id;First name;Last name;E-mail;Phone;Position
1;Ann;Lee;ann@example.com;+49 30 901820;CTO
2;Bob;Ray;bob@example.com;;
3;Cid;Fox;cid@example.com;not a number;Boss
"""
NEWS = """Name,Email,Job title,Subscribed
Ann Lee,ann@example.com,Director,yes
Dan Oak,dan@example.com,,no
"""


@dataclass(frozen=True, slots=True)
class Said:
    """What a command answered: exit code, stdout, stderr."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """stdout as the one JSON document that it has to be."""
        return orjson.loads(self.out)


def say(*words: str, answer: str | None = None) -> Said:
    """Run a command line in this process, not at a terminal."""
    result = CliRunner().invoke(app, list(words), input=answer)
    return Said(result.exit_code, result.stdout, result.stderr)


def two_tables(folder: Path) -> Path:
    """The configuration folder of a hub over crm.csv (with a key) and news.csv (without one). News
    is believed: what differs stands in the table with a key."""
    (folder / "crm.csv").write_text(CRM, encoding="utf-8")
    (folder / "news.csv").write_text(NEWS, encoding="utf-8")
    said = say(
        "init", "--name", "acme", "--region", "DE",
        "--connect", "crm=crm.csv:sales", "--connect", "news=news.csv:marketing",
    )  # fmt: skip
    assert said.code == 0, said.err
    hub = folder / "config/hub.yaml"
    written = hub.read_text("utf-8")
    assert written.count("{authority: [sales, marketing]}") == 1
    hub.write_text(
        written.replace("{authority: [sales, marketing]}", "{authority: [control, marketing, sales]}"),
        "utf-8",
    )
    return folder / "config"


def rows(path: str) -> list[str]:
    """The lines of a table in the working directory, without its header."""
    return Path(path).read_text(encoding="utf-8").splitlines()[1:]


def kept(name: str, text: str, folder: str = "golden") -> str:
    """The text that is kept under this name, after it was written anew if TRUEUP_GALLERY says so."""
    path = HERE / folder / f"{name}.txt"
    if os.environ.get("TRUEUP_GALLERY") == "write":
        path.write_text(text, encoding="utf-8")
    return path.read_text(encoding="utf-8")


def plain(text: str) -> str:
    """A text with times replaced, and without blanks at the ends of lines."""
    text = _TIMES.sub("TIME", text)
    return "\n".join(line.rstrip() for line in text.splitlines()) + "\n"
