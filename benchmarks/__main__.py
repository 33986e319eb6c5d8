"""`python -m benchmarks` (or `make bench`): measure, and write RESULTS.md beside this file.

TRUEUP_BENCH_CONTACTS contacts (default 10,000) and TRUEUP_BENCH_MEMORY (default 100,000) for the memory.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from benchmarks.floor import Floor, floor, floor_over_sockets
from benchmarks.hubs import Pair, as_the_command, pair
from benchmarks.portal import Portal
from benchmarks.postgres import Server, postgres
from benchmarks.served import served

HERE = Path(__file__).parent
CONTACTS = int(os.environ.get("TRUEUP_BENCH_CONTACTS", "10000"))
MEMORY = int(os.environ.get("TRUEUP_BENCH_MEMORY", "100000"))
OTHERS = "\n<!-- what follows was measured by other commands -->\n"
STEPS = {"read": "land", "identify": "identify", "decide": "decide", "write": "push", "rest": "rest"}


@dataclass(slots=True)
class Measured:
    """One hub's figures. CPU seconds by step for the first load and in all for the other runs."""

    first: Mapping[str, float]
    calls: dict[str, int] = field(default_factory=dict)
    cpu: dict[str, float] = field(default_factory=dict)
    wrote: dict[str, int] = field(default_factory=dict)
    size: int = 0


def measured(folder: Path, contacts: int, server: Server | None) -> Measured:
    """First load, the pass that sees its own writes, nothing changed, 1 % changed."""
    source = Portal()
    source.fill(contacts)
    watch: Callable[[], float] = server.cpu if server else lambda: 0.0
    empty = server.size() if server else 0
    two = pair(folder, source, server.url if server else None, watch)
    with closing(two.hub):
        _, first, calls = two.run()
        found = Measured(first, calls={"first load": calls}, cpu={"first load": sum(first.values())})
        found.wrote["first load"] = two.target.created
        for name in STEPS:
            found.first = {**found.first, name: found.first.get(name, 0.0)}
        two.hub.store.release("target", "bench", two.clock.now())
        _again(two, found, "echo pass")
        _again(two, found, "nothing changed")
        source.touch([str(number) for number in range(1, contacts + 1, 100)], "Moved on")
        _again(two, found, "1 % changed")
    found.size = server.size() - empty if server else (two.folder / "trueup.sqlite").stat().st_size
    return found


def _again(two: Pair, found: Measured, name: str) -> None:
    two.wait(minutes=30)
    before = two.target.updated + two.target.created
    _, steps, calls = two.run()
    found.cpu[name], found.calls[name] = sum(steps.values()), calls
    found.wrote[name] = two.target.updated + two.target.created - before


def memory(contacts: int) -> dict[str, float]:
    """A first load of so many in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.load", str(contacts)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=HERE.parent)
    told: dict[str, float] = json.loads(done.stdout)
    return told


# -- the report -------------------------------------------------------------------------------------------


def main() -> None:
    as_the_command()
    with tempfile.TemporaryDirectory() as name:
        folder, source = Path(name), Portal()
        source.fill(CONTACTS)
        bare = floor(source, Portal())
        with served(CONTACTS) as address:
            sockets = floor_over_sockets(address)
        hubs = {"SQLite": measured(folder / "sqlite", CONTACTS, None)}
        with postgres() as server:
            if server is not None:
                hubs["PostgreSQL"] = measured(folder / "postgres", CONTACTS, server)
    small, large = memory(MEMORY // 10), memory(MEMORY)
    text = "\n".join([*_head(), *_floor(bare, sockets), *_hubs(hubs, bare, sockets), *_memory(small, large)])
    results = HERE / "RESULTS.md"
    _, mark, others = results.read_text("utf-8").partition(OTHERS)
    results.write_text(f"{text}\n{mark}{others}", encoding="utf-8")
    print(text)


def _head() -> list[str]:
    parts = ("httpx", "orjson", "sqlalchemy", "pydantic")
    versions = ", ".join(f"{name} {version(name)}" for name in parts)
    return [
        "# What a sync costs",
        "",
        f"Written by `TRUEUP_BENCH_CONTACTS={CONTACTS} TRUEUP_BENCH_MEMORY={MEMORY} python -m benchmarks`"
        " (`make bench`).",
        f"Python {platform.python_version()}, {versions}, SQLite {_sqlite()}; {os.cpu_count()} cores,"
        f" load {os.getloadavg()[0]:.1f}.",
        "",
        "CPU time (user + system) of this process, the portals' own taken off, PostgreSQL's backends added.",
        "One hub between two HubSpot portals without latency: one has everybody (20 fields), in the other",
        "they are made. Pages and batches of 100.",
        "",
    ]


def _sqlite() -> str:
    import sqlite3

    return sqlite3.sqlite_version


def _floor(bare: Floor, sockets: Floor) -> list[str]:
    return [
        "## The floor: httpx + orjson, nothing kept, nothing decided (µs a contact)",
        "",
        "| | read | push | both |",
        "|---|---|---|---|",
        f"| in process, as the hub below | {_us(bare.read)} | {_us(bare.push)} | {_us(bare.all)} |",
        f"| over loopback sockets | {_us(sockets.read)} | {_us(sockets.push)} | {_us(sockets.all)} |",
        "",
    ]


def _us(seconds: float) -> str:
    return f"{seconds / CONTACTS * 1e6:.1f}"


def _hubs(hubs: Mapping[str, Measured], bare: Floor, sockets: Floor) -> list[str]:
    wire = sockets.all - bare.all
    lines = ["## First load (µs CPU a contact)", ""]
    lines += [f"| | {' | '.join(STEPS.values())} | all | x floor | with sockets | x floor | bytes kept |"]
    lines += ["|---" * (len(STEPS) + 6) + "|"]
    for name, one in hubs.items():
        whole = one.cpu["first load"]
        steps = " | ".join(_us(one.first[step]) for step in STEPS)
        lines.append(
            f"| {name} | {steps} | {_us(whole)} | {whole / bare.all:.1f} | {_us(whole + wire)} |"
            f" {(whole + wire) / sockets.all:.1f} | {one.size / CONTACTS:,.0f} |"
        )
    lines += [
        "",
        "`with sockets` adds what the same calls cost the raw client over loopback beyond those in process.",
        "",
        "## All runs",
        "",
        "| | run | CPU s | calls | records written |",
        "|---|---|---|---|---|",
    ]
    for name, one in hubs.items():
        lines += [
            f"| {name} | {run} | {cpu:.3f} | {one.calls[run]} | {one.wrote[run]} |"
            for run, cpu in one.cpu.items()
        ]
    return [*lines, ""]


def _memory(small: Mapping[str, float], large: Mapping[str, float]) -> list[str]:
    lines = [
        "## Memory of a first load (SQLite)",
        "",
        "| contacts | peak MB | before it began |",
        "|---|---|---|",
    ]
    for one in (small, large):
        lines.append(f"| {one['read']:,.0f} | {one['rss'] / 1e6:.0f} | {one['start'] / 1e6:.0f} |")
    return [*lines, "", f"Ten times the contacts: {large['rss'] / small['rss']:.2f} x the peak."]


if __name__ == "__main__":
    main()
