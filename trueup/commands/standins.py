"""Where a running sandbox is, and how calls for the real systems get there.

`trueup sandbox` leaves a small file beside hub.yaml; other commands find the stand-ins by it. A call keeps
the address that the configuration names: only the way it is carried is another, so that the same
configuration is tested that will run.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import httpx
import orjson

from trueup.errors import NotFound

FOLDER = ".sandbox"
_FILE = "state.json"


@dataclass(frozen=True, slots=True)
class Standins:
    """A sandbox at work. `urls`: where each connection's stand-in listens; `settings`: what is laid over a
    connection that is no HTTP service; `files`: of each connection's objects the copy that stands in for
    its table; `database`: the URL of the hub's memory in the sandbox."""

    pid: int
    database: str
    urls: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    files: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    people: int = 0
    seed: int = 0


def state_file(folder: Path) -> Path:
    return folder / FOLDER / _FILE


def save_standins(folder: Path, standins: Standins) -> Path:
    """Tell other commands where the sandbox is; only its owner may read it."""
    path = state_file(folder)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    (path.parent / ".gitignore").write_text("*\n", encoding="utf-8")
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(orjson.dumps(asdict(standins), option=orjson.OPT_INDENT_2))
    return path


def running_standins(folder: Path) -> Standins:
    """The sandbox that runs for this folder. Raises NotFound when there is none."""
    path = state_file(folder)
    try:
        said = orjson.loads(path.read_bytes())
        standins = Standins(**said)
    except (OSError, ValueError, TypeError):
        raise _none_running() from None
    if not _alive(standins.pid):
        raise _none_running()
    return standins


def _none_running() -> NotFound:
    return NotFound(
        "no sandbox is running for this hub: start `trueup sandbox` in another terminal",
        code="TU-CLI-030",
    )


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def rerouted(standins: Standins, connection: str) -> httpx.BaseTransport | None:
    """The way to a connection's stand-in; None for one that is reached by its settings."""
    url = standins.urls.get(connection)
    return Loopback(url) if url else None


class Loopback(httpx.BaseTransport):
    """Carries every call to one port of this machine, whatever host it names, and back.

    Addresses of the port in an answer are turned into those of the host that was asked for, so that
    next pages and instance URLs lead there again.
    """

    def __init__(self, url: str) -> None:
        self._url = httpx.URL(url)
        self._inner = httpx.HTTPTransport(trust_env=False)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        asked = request.url
        target = asked.copy_with(scheme=self._url.scheme, host=self._url.host, port=self._url.port)
        body = request.read()
        headers = [(name, value) for name, value in request.headers.multi_items() if name != "host"]
        going = httpx.Request(
            request.method, target, headers=headers, content=body, extensions=request.extensions
        )
        answer = self._inner.handle_request(going)
        try:
            content = answer.read()
        finally:
            answer.close()
        return self._returned(answer, content, asked)

    def _returned(self, answer: httpx.Response, content: bytes, asked: httpx.URL) -> httpx.Response:
        here = str(self._url).rstrip("/").encode()
        there = f"{asked.scheme}://{asked.netloc.decode()}".encode()
        headers = [
            (name, value.replace(here, there))
            for name, value in answer.headers.raw
            if name.lower() not in (b"content-length", b"content-encoding", b"transfer-encoding")
        ]
        return httpx.Response(answer.status_code, headers=headers, content=content.replace(here, there))

    def close(self) -> None:
        self._inner.close()
