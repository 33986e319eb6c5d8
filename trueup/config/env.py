"""Secrets and the environment: `${env:NAME}`, `${file:PATH}`, and the .env file beside hub.yaml.

A secret is never written by trueup, never shown, and never accepted literally in a configuration file.
"""

from __future__ import annotations

import re
import stat
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from trueup.config.codes import Code
from trueup.config.nodes import Document, Mark
from trueup.errors import Problem

_REFERENCE = re.compile(r"\$\{([^}]*)\}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LARGEST_SECRET = 65_536


@dataclass(frozen=True, slots=True)
class Secret:
    """Text that is shown nowhere: every way of printing it gives `•••`. `reveal` is for the wire only."""

    _text: str

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return "Secret(•••)"

    def __str__(self) -> str:
        return "•••"

    def __bool__(self) -> bool:
        return bool(self._text)


@dataclass(slots=True)
class Variables:
    """Looks names up and remembers which were missing, and every line that asked for them."""

    folder: Path
    environment: Mapping[str, str]
    missing: dict[str, list[tuple[Document, Mark]]] = field(default_factory=dict)

    def look_up(self, kind: str, name: str, document: Document, mark: Mark) -> str | None:
        """The value of `${kind:name}`; None if it is not there, which is noted."""
        imitated = isinstance(self.environment, SandboxEnvironment)  # a real secret is no use there
        value = self._from_file(name) if kind == "file" and not imitated else self.environment.get(name)
        if not value:
            self.missing.setdefault(f"{kind}:{name}", []).append((document, mark))
            return None
        return value

    def _from_file(self, name: str) -> str | None:
        path = self.folder / name
        try:
            with path.open(encoding="utf-8") as file:
                return file.read(_LARGEST_SECRET).rstrip("\r\n")
        except (OSError, UnicodeDecodeError):
            return None


def references(text: str) -> Iterator[re.Match[str]]:
    """Every `${…}` in a text."""
    return _REFERENCE.finditer(text)


def has_reference(text: str) -> bool:
    return _REFERENCE.search(text) is not None


def reference_parts(inside: str) -> tuple[str, str] | None:
    """`env:NAME` or `file:PATH` taken apart; None if it is neither."""
    kind, colon, name = inside.partition(":")
    if not colon or kind not in ("env", "file") or not name:
        return None
    if kind == "env" and not _NAME.fullmatch(name):
        return None
    return kind, name


class SandboxEnvironment(Mapping[str, str]):
    """An environment in which no variable is missing: what the stand-ins are greeted with.

    Real values win, so that a database of one's own can be named.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def __getitem__(self, name: str) -> str:
        return self._environment.get(name) or f"sandbox-{name.lower().replace('_', '-')}"

    def __iter__(self) -> Iterator[str]:
        return iter(self._environment)

    def __len__(self) -> int:
        return len(self._environment)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str)

    def get(self, name: str, default: object = None) -> str:
        return self[name]


def read_environment(
    folder: Path, shown: str, environment: Mapping[str, str]
) -> tuple[Mapping[str, str], tuple[Problem, ...]]:
    """The environment with what `.env` in `folder` adds; variables that are set already win.

    A `.env` that others can read, or that git tracks, is not used at all.
    """
    path = folder / ".env"
    if not path.is_file():
        return environment, ()
    problems = tuple(_careless(path, shown))
    if problems:
        return environment, problems
    if isinstance(environment, SandboxEnvironment):
        return environment, ()
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError):
        return environment, (_env_problem(shown, 0, "cannot be read as UTF-8 text", "save it as plain text"),)
    values, problems = _parse(lines, shown)
    return {**values, **environment}, problems


def names_in(folder: Path) -> frozenset[str]:
    """The names that `.env` sets, also of one that is not used; none where it cannot be read as text."""
    try:
        lines = (folder / ".env").read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError):
        return frozenset()
    return frozenset(_parse(lines, "")[0])


def _careless(path: Path, shown: str) -> Iterator[Problem]:
    if stat.S_IMODE(path.stat().st_mode) & stat.S_IROTH:
        yield _env_problem(shown, 0, "everybody on this machine can read this file", f"chmod 600 {shown}")
    if _tracked(path):
        yield _env_problem(
            shown,
            0,
            "git tracks this file: its secrets are in the history of the project",
            "git rm --cached .env, add it to .gitignore, and have every secret in it issued anew",
        )


def _tracked(path: Path) -> bool:
    if not any((parent / ".git").exists() for parent in path.resolve().parents):
        return False
    command = ["git", "-C", str(path.parent), "ls-files", "--error-unmatch", path.name]
    try:
        done = subprocess.run(command, capture_output=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _parse(lines: list[str], shown: str) -> tuple[dict[str, str], tuple[Problem, ...]]:
    """`NAME=value` lines; `export` before, quotes around, `#` lines and blank lines are fine."""
    values: dict[str, str] = {}
    problems: list[Problem] = []
    for number, line in enumerate(lines, start=1):
        text = line.strip().removeprefix("export ")
        if not text or text.startswith("#"):
            continue
        name, equals, value = text.partition("=")
        if not equals or not _NAME.fullmatch(name.strip()):
            problems.append(_env_problem(shown, number, "this line is not NAME=value", "write NAME=value"))
        else:
            values[name.strip()] = _unquoted(value.strip())
    return values, tuple(problems)


def _unquoted(value: str) -> str:
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
        return value[1:-1]
    return re.split(r"\s#", value, maxsplit=1)[0].rstrip()


def _env_problem(shown: str, line: int, message: str, remedy: str) -> Problem:
    return Problem(shown, line, 1 if line else 0, message, Code.ENV_FILE.value, remedy=remedy)
