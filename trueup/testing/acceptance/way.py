"""The way of connectors that speak HTTP: a transport that counts, watches and strikes."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import orjson

from trueup.testing.acceptance.harness import WAIT, CannotPlay, Trouble

ELSEWHERE = "elsewhere.example"

_STATUS = {Trouble.RATE_LIMITED: 429, Trouble.UNAUTHORIZED: 401, Trouble.SERVER_ERROR: 500}


class HttpWay(httpx.BaseTransport):
    """Give it to the connector as its transport. `inner` leads to the system.

    `writes` tells which requests may change something (all but GET, if it is not named), `signs` which only
    sign in: those are neither counted nor disturbed, but by UNAUTHORIZED and LOST_REQUEST.
    """

    def __init__(
        self,
        inner: httpx.BaseTransport,
        writes: Callable[[httpx.Request], bool] = lambda request: request.method != "GET",
        signs: Callable[[httpx.Request], bool] = lambda request: False,
    ) -> None:
        self.calls = 0
        self.writes = 0
        self.reached: set[str] = set()
        self._inner, self._writes, self._signs = inner, writes, signs
        self._trouble: tuple[Trouble, str] | None = None
        self._limits: list[float | None] = []
        self._open = 0

    @property
    def patience(self) -> float | None:
        if not self._limits:
            raise CannotPlay("nothing was sent")
        return None if None in self._limits else max(limit for limit in self._limits if limit is not None)

    def opened(self) -> HttpWay:
        """This way for one more connector: to be asked for by each, so that `held` can count."""
        self._open += 1
        return self

    def close(self) -> None:
        self._open -= 1
        self._inner.close()

    def held(self) -> int:
        return self._open

    def strike(self, trouble: Trouble, says: str) -> None:
        self._trouble = (trouble, says)

    def heal(self) -> None:
        self._trouble = None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.reached.add(request.url.host)
        limits = request.extensions.get("timeout", {})
        self._limits += [limits.get(name) for name in ("connect", "read", "write", "pool")]
        writes, signs = self._writes(request), self._signs(request)
        if not signs:
            self.calls += 1
            self.writes += writes
        response = self._handled(request, writes, signs)
        response.request = request
        return response

    def _handled(self, request: httpx.Request, writes: bool, signs: bool) -> httpx.Response:
        trouble, says = self._trouble or (None, "")
        if request.url.host == ELSEWHERE:
            return httpx.Response(200, json={"caught": True})
        if trouble is None or (signs and trouble not in (Trouble.UNAUTHORIZED, Trouble.LOST_REQUEST)):
            return self._inner.handle_request(request)
        if trouble is Trouble.LOST_REQUEST:
            raise httpx.ConnectError("connection refused", request=request)
        if trouble is Trouble.LOST_ANSWER:
            answer = self._inner.handle_request(request)
            if writes:
                raise httpx.ReadTimeout("no answer", request=request)
            return answer
        if trouble is Trouble.ELSEWHERE:
            return self._elsewhere(request)
        return _struck(trouble, says)

    def _elsewhere(self, request: httpx.Request) -> httpx.Response:
        """Every address in the answer leads to another host; one without any is a redirect there."""
        answer = self._inner.handle_request(request)
        content = answer.read()
        host = request.url.host.encode()
        if host not in content:
            return httpx.Response(302, headers={"Location": f"https://{ELSEWHERE}{request.url.path}"})
        return httpx.Response(answer.status_code, content=content.replace(host, ELSEWHERE.encode()))


def _struck(trouble: Trouble, says: str) -> httpx.Response:
    words = {"message": f"no: {says}", "error": says, "errors": [{"message": says, "code": "refused"}]}
    if trouble in _STATUS:
        headers = {"Retry-After": str(int(WAIT))} if trouble is Trouble.RATE_LIMITED else {}
        return httpx.Response(_STATUS[trouble], headers=headers, json=words)
    match trouble:
        case Trouble.HTML:
            page = f"<!doctype html><html><body>Sign in. {says}</body></html>"
            return httpx.Response(200, headers={"Content-Type": "text/html"}, content=page.encode())
        case Trouble.HALF:
            return httpx.Response(200, content=orjson.dumps({"results": [words]})[:-6])
        case Trouble.OTHER_FORM:
            return httpx.Response(200, json={"surprise": [7, None, says]})
    raise CannotPlay(f"no such trouble: {trouble}")
