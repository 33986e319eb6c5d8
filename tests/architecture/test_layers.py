"""Imports go downwards only, rooms on one floor do not know each other, pure rooms stay pure."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "trueup"

FLOORS: tuple[tuple[str, ...], ...] = (
    ("cli",),
    ("commands", "jobs", "console", "testing"),
    ("services", "sandbox"),
    ("config",),
    ("sync",),
    ("connectors", "store"),
    ("sync.rules",),
    ("mapping", "dedupe", "lifecycle"),
    ("ports",),
    ("model", "errors"),
)
"""From the top; a module may import from floors below its own, and from its own room."""

PURE = ("model", "mapping", "dedupe", "lifecycle", "sync.rules")
FORBIDDEN = ("httpx", "sqlalchemy", "alembic", "redis", "dramatiq", "tenacity", "random", "time", "os")
FORBIDDEN += ("socket", "threading", "uuid", "requests", "typer", "rich")


def _modules() -> Iterator[tuple[str, Path]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        if "__pycache__" not in path.parts and "migrations" not in path.parts:
            yield ".".join(path.relative_to(PACKAGE).with_suffix("").parts), path


def room(module: str) -> str:
    """The room a module lies in: `sync.rules` apart from `sync`, a vendor's stand-in in `sandbox`."""
    parts = module.split(".")
    if parts[0] == "connectors" and parts[-1].startswith("vendor"):
        return "sandbox"
    return "sync.rules" if parts[:2] == ["sync", "rules"] else parts[0]


def floor(name: str) -> int | None:
    return next((level for level, rooms in enumerate(FLOORS) if name in rooms), None)


def imports(source: str) -> Iterator[tuple[int, str]]:
    """Every absolute import with its line; those under TYPE_CHECKING do not count."""
    tree = ast.parse(source)
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.lineno, node.module


def violations(module: str, source: str) -> list[str]:
    """What is wrong with the imports of one module."""
    found = []
    mine = room(module)
    level = floor(mine)
    for line, name in imports(source):
        head = name.split(".")[0]
        if mine in PURE and head in FORBIDDEN:
            found.append(f"{module}:{line} is pure and imports {name}")
        if head != "trueup" or "." not in name:
            continue
        other = room(name.removeprefix("trueup."))
        below = floor(other)
        if other == mine or level is None or below is None:
            continue
        if below <= level and (mine, other) != ("errors", "model"):
            found.append(f"{module}:{line} ({mine}) imports {name} ({other})")
    return found


def clock_reads(source: str) -> list[int]:
    """Lines that ask the machine for the time."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("now", "utcnow", "today")
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id in ("datetime", "date")
    ]


def test_imports_go_downwards_only() -> None:
    found = [line for module, path in _modules() for line in violations(module, path.read_text("utf-8"))]
    assert found == []


def test_every_room_has_its_floor() -> None:
    unknown = sorted({room(module) for module, _ in _modules()} - {r for rooms in FLOORS for r in rooms})
    assert unknown == ["__init__", "__main__"] or unknown == ["__init__"]


def test_pure_rooms_never_ask_the_clock() -> None:
    found = [
        f"{module}:{line}"
        for module, path in _modules()
        if room(module) in PURE
        for line in clock_reads(path.read_text("utf-8"))
    ]
    assert found == []


def test_the_check_sees_each_kind_of_violation() -> None:
    upward = violations("model.record", "from trueup.store.open import open_store\n")
    sideways = violations("mapping.apply", "import trueup.dedupe.normalise\n")
    impure = violations("sync.rules.reconcile", "import httpx\n")
    vendor = violations("connectors.rest", "from trueup.connectors.hubspot.vendor import HubSpotStandIn\n")
    assert [len(one) for one in (upward, sideways, impure, vendor)] == [1, 1, 1, 1]
    assert clock_reads("from datetime import datetime\ndatetime.now()\n") == [2]


def test_sqlalchemy_stays_in_the_store_and_the_sql_connector() -> None:
    found = [
        f"{module}:{line}"
        for module, path in _modules()
        for line, name in imports(path.read_text("utf-8"))
        if name.split(".")[0] in ("sqlalchemy", "alembic")
        and not module.startswith(("store.", "connectors.sql.", "sandbox."))
    ]
    assert found == []
