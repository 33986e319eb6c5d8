"""A real Tryton 8.2 for tests: installed once into a cache, started on a free loopback port.

The first use installs Tryton with pip into a virtual environment of its own and initialises a SQLite
database (about a minute of CPU); both are kept under `TRUEUP_CACHE` (default `~/.cache/trueup-tests`).
After that a server with a fresh copy of the database is up in two seconds.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import pytest

VERSION = "8.2"
MODULES = ("party", "party_relationship", "sale_opportunity")
USER = "admin"
PASSWORD = "hub-admin-pass-1"
DATABASE = "hub"
START_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class TrytonServer:
    """A running server. `url` ends with the database, as a connection's settings name it."""

    url: str
    user: str
    password: str
    process: subprocess.Popen[bytes]
    log: Path


@contextmanager
def tryton_server() -> Iterator[TrytonServer]:
    """A server with a database that nobody used before. Stopped by its process id at the end.

    Skips the calling test where Tryton cannot be installed, and fails it in CI.
    """
    program, database = _prepared()
    with tempfile.TemporaryDirectory(prefix="trueup-tryton-") as name:
        folder = Path(name)
        shutil.copy(database, folder / f"{DATABASE}.sqlite")
        server = _started(program, folder)
        try:
            yield server
        finally:
            _stop(server.process)


def _started(program: Path, folder: Path) -> TrytonServer:
    port = _free_port()
    config = _configured(folder, port)
    log = folder / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [program / "trytond", "-c", config, "-d", DATABASE],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    _wait_for(process, port, log)
    return TrytonServer(f"http://127.0.0.1:{port}/{DATABASE}", USER, PASSWORD, process, log)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(10)


def _wait_for(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        with suppress(urllib.error.URLError, ConnectionError, TimeoutError):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5).close()
            except urllib.error.HTTPError as answer:
                answer.close()  # any answer is one
            return
        time.sleep(0.1)
    _stop(process)
    _unavailable(f"Tryton does not start here: {log.read_text(errors='replace')[-500:]}")


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


# -- once ---------------------------------------------------------------------------------------------


def _prepared() -> tuple[Path, Path]:
    """The folder of the installed programs and the initialised database; made at the first use."""
    home = Path(os.environ.get("TRUEUP_CACHE", "~/.cache/trueup-tests")).expanduser()
    cache = home / f"tryton-{VERSION}-{'-'.join(MODULES)}"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several test processes may come here at once
        program = _installed(cache)
        return program, _initialised(cache, program)


def _installed(cache: Path) -> Path:
    program, done = cache / "venv" / "bin", cache / "installed"
    if not done.exists():
        shutil.rmtree(cache / "venv", ignore_errors=True)
        wanted = [f"trytond=={VERSION}.*"]
        wanted += [f"trytond-{module.replace('_', '-')}=={VERSION}.*" for module in MODULES]
        _run(cache, [sys.executable, "-m", "venv", str(cache / "venv")])
        _run(cache, [str(program / "pip"), "install", "--quiet", *wanted])
        done.touch()
    return program


def _initialised(cache: Path, program: Path) -> Path:
    kept = cache / f"{DATABASE}.sqlite"
    if not kept.exists():
        with tempfile.TemporaryDirectory(prefix="trueup-tryton-") as name:
            folder = Path(name)
            (folder / f"{DATABASE}.sqlite").touch()  # an absent file would be "no such database"
            (folder / "password").write_text(PASSWORD)
            admin = [str(program / "trytond-admin"), "-c", str(_configured(folder, 8000)), "-d", DATABASE]
            admin += ["--email", "admin@example.com", "--activate-dependencies", "-u", *MODULES]
            _run(cache, admin, TRYTONPASSFILE=str(folder / "password"))
            shutil.copy(folder / f"{DATABASE}.sqlite", f"{kept}.part")
            Path(f"{kept}.part").rename(kept)
    return kept


def _configured(folder: Path, port: int) -> Path:
    config = folder / "trytond.conf"
    config.write_text(
        f"[database]\nuri = sqlite://\npath = {folder}\n[web]\nlisten = 127.0.0.1:{port}\n"
        "[email]\nuri = smtp://127.0.0.1:1\n"
    )
    return config


def _run(cache: Path, command: list[str], **environment: str) -> None:
    """Run a step of the preparation, with low priority; what it prints goes to a file in the cache."""
    polite = ["nice", "-n", "10"] if shutil.which("nice") else []
    with (cache / "log").open("ab") as log:
        code = subprocess.run(
            [*polite, *command],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, **environment},
            check=False,
        ).returncode
    if code != 0:
        said = (cache / "log").read_text(errors="replace").strip()[-500:]
        _unavailable(f"Tryton {VERSION} cannot be installed here: {said}")


def _unavailable(reason: str) -> NoReturn:
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
