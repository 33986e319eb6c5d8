"""After the demonstration: its hub can be looked at although its systems are gone, or they stay open.

What a hub asks systems when it is opened (a token, which fields there are) is written down at the end, and
answered from there later. Whatever else is asked finds nobody, as when a system is down.
"""

from __future__ import annotations

import os
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import orjson

from trueup.commands.standins import FOLDER, Standins, rerouted, running_standins, save_standins
from trueup.errors import NotFound

if TYPE_CHECKING:
    from trueup.commands.demo_world import Stage

_FILE = "after.json"
Way = Callable[[str], httpx.BaseTransport | None]
"""How a connection is reached; None: by its settings."""


@dataclass(frozen=True, slots=True)
class Answered:
    """One answer of a system: status, headers, content in base64."""

    status: int
    headers: tuple[tuple[str, str], ...]
    content: str


@dataclass(slots=True)
class Listening(httpx.BaseTransport):
    """Passes calls on and writes down the answers."""

    inner: httpx.BaseTransport
    heard: dict[str, Answered] = field(default_factory=dict)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = self.inner.handle_request(request)
        content = b64encode(answer.read()).decode()
        headers = tuple((name, value) for name, value in answer.headers.multi_items())
        self.heard[_key(request)] = Answered(answer.status_code, headers, content)
        return answer


@dataclass(slots=True)
class Remembering(httpx.BaseTransport):
    """Answers what was answered before; everything else finds nobody."""

    heard: dict[str, Answered]

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        known = self.heard.get(_key(request))
        if known is None:
            raise httpx.ConnectError(CLOSED, request=request)
        left_out = ("content-length", "content-encoding", "transfer-encoding")
        headers = [pair for pair in known.headers if pair[0].lower() not in left_out]
        return httpx.Response(known.status, headers=headers, content=b64decode(known.content))


CLOSED = "the systems of the demonstration are closed: `trueup demo --stay` keeps them open"


def _key(request: httpx.Request) -> str:
    body = blake2b(request.read(), digest_size=8).hexdigest()
    return f"{request.method} {request.url.copy_with(scheme='https')} {body}"


def keep(stage: Stage) -> None:
    """Write down what the systems say of themselves, for `way_in`. Only its owner may read it."""
    from trueup.commands.demo_world import open_stage_hub

    ears = {name: Listening(one.transport()) for name, one in stage.sandbox.standins.items()}
    open_stage_hub(stage.folder, stage.config, stage.standing, stage.sandbox.clock, ears).close()
    heard = {name: {key: asdict(one) for key, one in ear.heard.items()} for name, ear in ears.items()}
    path = stage.folder / FOLDER / _FILE
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(orjson.dumps({"standing": asdict(stage.standing), "heard": heard}))


def way_in(folder: Path) -> tuple[Standins, Way]:
    """The sandbox of a folder and how its systems are reached: those that run, else what a demonstration
    left. Raises NotFound when there is neither."""
    try:
        standing = running_standins(folder)
    except NotFound:
        return _left(folder)
    return standing, lambda connection: rerouted(standing, connection)


def _left(folder: Path) -> tuple[Standins, Way]:
    try:
        said = orjson.loads((folder / FOLDER / _FILE).read_bytes())
        standing = Standins(**said["standing"])
        heard = {name: _answers(answers.items()) for name, answers in said["heard"].items()}
    except (OSError, ValueError, TypeError, KeyError):
        return running_standins(folder), lambda connection: None  # says what is missing
    known = replace(standing, urls=dict.fromkeys(heard, ""))
    return known, lambda connection: Remembering(heard[connection]) if connection in heard else None


def _answers(said: Iterable[tuple[str, dict[str, object]]]) -> dict[str, Answered]:
    return {key: Answered(**one) for key, one in said}  # type: ignore[arg-type]


def stay_open(stage: Stage, announce: Callable[[], None]) -> None:
    """Answer over loopback, for the commands of other terminals, until Ctrl-C. Their time is the real one."""
    from trueup.commands.sandboxing import until_ended

    clock = stage.sandbox.clock
    clock.advance(max(datetime.now(UTC) - clock.now(), timedelta()))
    clock.run()
    with stage.sandbox:
        path = save_standins(
            stage.folder, replace(stage.standing, pid=os.getpid(), urls=dict(stage.sandbox.urls))
        )
        announce()
        try:
            until_ended()
        finally:
            path.unlink(missing_ok=True)
