"""Stand-ins over real HTTP on loopback: the same `handle` that answers in process answers here.

One port for each stand-in, so that a connector reaches it with another base URL and nothing else. Where a
stand-in names its own address in an answer (attribute `base_url`), the port's address stands there. Under
`/_sandbox/` each port also lets a test in another process look into the ledger, plan faults, act as a
user and move the clock; these calls do not enter the ledger.
"""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any
from urllib.parse import urlsplit

import httpx
import orjson

from trueup.sandbox.standin import Fault, StandIn

HOST = "127.0.0.1"
CONTROL = "/_sandbox/"
LOCAL_NAMES = ("127.0.0.1", "localhost", "[::1]")
MOST_BODY = 256 * 1024 * 1024
LONGEST_ANSWER = 30.0
"""Seconds that `stop` waits for an answer under way."""

Maker = Callable[[Callable[[], datetime]], StandIn]
"""Makes a stand-in that asks this clock for the time."""


class SandboxClock:
    """Real time plus what it was advanced by; with `start`, time that stands still until it is advanced."""

    def __init__(self, start: datetime | None = None) -> None:
        self._start = start
        self._shift = timedelta()

    def now(self) -> datetime:
        return (self._start or datetime.now(UTC)) + self._shift

    def advance(self, by: timedelta) -> datetime:
        """Later by so much (or earlier, when negative); returns the time then."""
        self._shift += by
        return self.now()

    def run(self) -> None:
        """From now on time passes as the real one does."""
        self._shift += (self._start or datetime.now(UTC)) - datetime.now(UTC)
        self._start = None


class Sandbox:
    """Several stand-ins, each on a port of its own, under one clock.

    `makers` by connection name; `ports` fixes a port by name (default: any free one). `standins` are there
    from the beginning, so that they can be filled before `start()`; `urls` from `start()` to `stop()`.
    """

    def __init__(
        self,
        makers: Mapping[str, Maker],
        clock: SandboxClock | None = None,
        ports: Mapping[str, int] | None = None,
    ) -> None:
        self.clock = clock or SandboxClock()
        self.standins = {name: maker(self.clock.now) for name, maker in makers.items()}
        self.urls: dict[str, str] = {}
        self._ports = dict(ports or {})
        self._servers: dict[str, _Server] = {}

    def start(self) -> None:
        """Answers from now on. Raises OSError when a fixed port is taken; nothing is left running then."""
        try:
            for name, standin in self.standins.items():
                server = _Server(standin, self.clock, self._ports.get(name, 0))
                self._servers[name] = server
                self.urls[name] = f"http://{HOST}:{server.port}"
        except OSError:
            self.stop()
            raise

    def stop(self) -> None:
        """Answers what has arrived, closes every connection and gives the ports back."""
        for server in self._servers.values():
            server.stop()
        self._servers.clear()
        self.urls.clear()

    def __enter__(self) -> Sandbox:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


# -- one port ------------------------------------------------------------------------------------------


class _Server:
    """One stand-in on one port: a thread that accepts, a thread for each connection, one call at a time."""

    def __init__(self, standin: StandIn, clock: SandboxClock, port: int) -> None:
        self.standin = standin
        self.control = _Control(standin, clock)
        self.turn = threading.Lock()
        self.open: dict[socket.socket, threading.Thread] = {}
        self._http = _Listener((HOST, port), self)
        self.port = int(self._http.server_address[1])
        self._thread = threading.Thread(
            target=self._http.serve_forever, kwargs={"poll_interval": 0.05},
            name=f"sandbox-{standin.name}", daemon=True,
        )  # fmt: skip
        self._thread.start()

    def stop(self) -> None:
        self._http.shutdown()
        self._thread.join()
        waiting = list(self.open.items())
        for connection, _ in waiting:
            with contextlib.suppress(OSError):  # the other side was faster
                connection.shutdown(socket.SHUT_RD)  # no more requests; an answer under way still leaves
        for _, thread in waiting:
            thread.join(timeout=LONGEST_ANSWER)
        self._http.server_close()

    def at_home(self, text: str) -> str:
        """Links to the vendor's own address lead to this port."""
        away = str(getattr(self.standin, "base_url", ""))
        return text.replace(away, f"http://{HOST}:{self.port}") if away else text

    def answer(self, request: httpx.Request) -> httpx.Response:
        """Raises httpx.TransportError where a fault takes the answer away."""
        with self.turn:
            if request.url.path.startswith(CONTROL):
                return self.control.answer(request)
            response = self.standin.handle(request)
            response.read()
            return response


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], owner: _Server) -> None:
        self.owner = owner
        super().__init__(address, _Connection)

    def server_bind(self) -> None:
        """Without the look-up of our own name that HTTPServer does: a resolver may take seconds."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = HOST, int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:
        thread = threading.Thread(
            target=self.process_request_thread, args=(request, client_address), daemon=True
        )
        self.owner.open[request] = thread
        thread.start()

    def shutdown_request(self, request: Any) -> None:
        self.owner.open.pop(request, None)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news; anything else is a fault of ours and is shown."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class _Connection(BaseHTTPRequestHandler):
    """Reads requests off one connection and writes what the stand-in answers."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else each small answer waits for the other side's delayed ACK
    wbufsize = -1
    server: _Listener

    def log_message(self, format: str, *args: Any) -> None:
        """Silent: the ledger is the log."""

    def answer(self) -> None:
        try:
            request = self._request()
        except ValueError as wrong:
            self._send(_refusal(400, f"unreadable request: {wrong}"))
            self.close_connection = True
            return
        try:
            response = self.server.owner.answer(request)
        except httpx.TransportError:
            self.close_connection = True  # by plan: not one byte of an answer
            return
        self._send(response)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = answer  # noqa: N815

    def _request(self) -> httpx.Request:
        target = self.path if self.path.startswith("/") else _origin_form(self.path)
        host = self.headers.get("Host", f"{HOST}:{self.server.owner.port}")
        pairs = [(name, value) for name, value in self.headers.items() if name.lower() not in _HOP_BY_HOP]
        return httpx.Request(self.command, f"http://{host}{target}", headers=pairs, content=self._body())

    def _body(self) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return b"".join(iter(self._chunk, b""))
        length = int(self.headers.get("Content-Length") or 0)
        if not 0 <= length <= MOST_BODY:
            raise ValueError("Content-Length out of range")
        body = self.rfile.read(length)
        if len(body) < length:
            raise ValueError("the body ended early")
        return body

    def _chunk(self) -> bytes:
        size = int(self.rfile.readline(1000).split(b";")[0], 16)
        data = self.rfile.read(size)
        if not 0 <= size <= MOST_BODY or len(data) < size:
            raise ValueError("the body ended early")
        line = self.rfile.readline(1000)
        while size == 0 and line.strip():  # trailers
            line = self.rfile.readline(1000)
        return data

    def _send(self, response: httpx.Response) -> None:
        home = self.server.owner.at_home
        body = home(response.content.decode("utf-8", _KEEP)).encode("utf-8", _KEEP)
        self.send_response(response.status_code, response.reason_phrase)
        for name, value in response.headers.multi_items():
            if name.lower() not in _OWN_HEADERS:
                self.send_header(name, home(value))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()

    def send_response(self, code: int, message: str | None = None) -> None:
        """Only what the stand-in says; no Server and Date of ours."""
        self.log_request(code)
        self.send_response_only(code, message)


_KEEP = "surrogateescape"  # bytes that are no UTF-8 pass unchanged
_HOP_BY_HOP = frozenset({"connection", "transfer-encoding", "keep-alive", "expect"})
_OWN_HEADERS = frozenset({"content-length", "transfer-encoding", "connection", "content-encoding"})


def _origin_form(target: str) -> str:
    parts = urlsplit(target)
    return f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"


def _refusal(status: int, message: str) -> httpx.Response:
    return httpx.Response(status, json={"sandbox": message})


# -- what another process may do -----------------------------------------------------------------------


@dataclass(slots=True)
class _Control:
    """`/_sandbox/…` of one port. Every answer is JSON; a wrong call answers 400 and says why."""

    standin: StandIn
    clock: SandboxClock
    verbs: dict[tuple[str, str], Callable[[httpx.Request], Any]] = field(init=False)

    def __post_init__(self) -> None:
        self.verbs = {
            ("GET", "ledger"): self._ledger,
            ("GET", "calls"): self._calls,
            ("GET", "faults"): lambda request: self.standin.faults,
            ("POST", "faults"): self._plan_faults,
            ("DELETE", "faults"): self._forget_faults,
            ("POST", "user"): self._user,
            ("GET", "clock"): lambda request: {"now": self.clock.now()},
            ("POST", "clock"): self._advance,
        }

    def answer(self, request: httpx.Request) -> httpx.Response:
        if _host_name(request) not in LOCAL_NAMES:
            return _refusal(403, "the sandbox is controlled from this machine, by its loopback address")
        verb = self.verbs.get((request.method, request.url.path.removeprefix(CONTROL)))
        if verb is None:
            return _refusal(404, "no such control: " + ", ".join(f"{m} {CONTROL}{n}" for m, n in self.verbs))
        try:
            return httpx.Response(200, content=_json(verb(request)), headers=_JSON_HEADER)
        except Exception as wrong:
            # The stand-in's own refusals (a duplicate, an unknown id) are the caller's business here.
            return _refusal(400, f"{type(wrong).__name__}: {wrong}")

    def _ledger(self, request: httpx.Request) -> Any:
        """All that was asked and done; `?asked_from=` and `?effects_from=` leave out what was read before."""
        query = request.url.params
        asked = self.standin.ledger.asked[int(query.get("asked_from", 0)) :]
        effects = self.standin.ledger.effects[int(query.get("effects_from", 0)) :]
        return {"asked": asked, "effects": effects, "calls": self.standin.ledger.calls()}

    def _calls(self, request: httpx.Request) -> Any:
        """Numbers only: requests by kind, effects by author and action."""
        calls: dict[str, int] = {}
        effects: dict[str, dict[str, int]] = {}
        for entry in self.standin.ledger.asked:
            calls[entry.kind] = calls.get(entry.kind, 0) + 1
        for effect in self.standin.ledger.effects:
            done = effects.setdefault(effect.by, {})
            done[effect.action] = done.get(effect.action, 0) + 1
        return {"calls": calls, "effects": effects}

    def _plan_faults(self, request: httpx.Request) -> Any:
        """A list of faults as in `standin.Fault`; `next` in place of `nth` counts from now (1: the next)."""
        planned = [self._fault(raw) for raw in _listed(orjson.loads(request.content))]
        self.standin.faults.extend(planned)
        return self.standin.faults

    def _fault(self, raw: Mapping[str, Any]) -> Fault:
        known = {known.name for known in fields(Fault)} | {"next"}
        if unknown := sorted(set(raw) - known):
            raise ValueError(f"a fault has no {', '.join(unknown)}")
        given = dict(raw)
        if "next" in given:
            kind = None if given["kind"] == "*" else given["kind"]
            given["nth"] = self.standin.ledger.calls(kind) + int(given.pop("next"))
        given["body"] = str(given.get("body", "")).encode()
        fault = Fault(**given)
        if fault.what not in FAULTS:
            raise ValueError(f"what must be one of {', '.join(FAULTS)}")
        return fault

    def _forget_faults(self, request: httpx.Request) -> Any:
        self.standin.faults.clear()
        return []

    def _user(self, request: httpx.Request) -> Any:
        """`{"do": "edit", "args": […], "kwargs": {…}}` is `user_edit(…)` of the stand-in."""
        wanted = orjson.loads(request.content)
        act = getattr(self.standin, f"user_{wanted['do']}", None)
        if act is None:
            offered = [name[5:] for name in dir(self.standin) if name.startswith("user_")]
            raise ValueError(f"users of {self.standin.name} do: {', '.join(offered)}")
        return {"result": act(*wanted.get("args", ()), **wanted.get("kwargs", {}))}

    def _advance(self, request: httpx.Request) -> Any:
        """`{"seconds": 90}`."""
        return {"now": self.clock.advance(timedelta(seconds=float(orjson.loads(request.content)["seconds"])))}


FAULTS = ("lost_request", "lost_answer", "status", "status_after", "body_after", "body")
_JSON_HEADER = {"Content-Type": "application/json"}


def _host_name(request: httpx.Request) -> str:
    """The name that the caller used: a web page of elsewhere cannot use ours (DNS rebinding)."""
    return str(request.headers.get("Host", "")).removesuffix(f":{request.url.port}")


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _json(value: Any) -> bytes:
    return orjson.dumps(value, default=_plain, option=orjson.OPT_NON_STR_KEYS)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, set | frozenset | tuple):
        return sorted(value) if isinstance(value, set | frozenset) else list(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(value)
