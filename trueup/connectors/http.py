"""The one place where trueup talks HTTP: budget, credentials, limits of trust, classes of errors.

Promises: every call has a timeout; redirects are not followed; nothing leaves for another host than
the base URL's; no secret stands in an exception, repr or log; only reads are repeated here.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

import httpx
import orjson
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt

from trueup.connectors.auth import Credential
from trueup.connectors.fill import as_text, fill
from trueup.connectors.manifest import Errors, Learn
from trueup.connectors.paths import ABSENT
from trueup.connectors.soft import learned
from trueup.connectors.verdict import Answer, Effect, Verdict, as_error, judge, shorten
from trueup.errors import (
    ConnectorError,
    Malformed,
    OutcomeUnknown,
    RateLimited,
    Refused,
    Transient,
    Unauthorized,
)
from trueup.model.record import Json
from trueup.ports import Budget, Clock

MOST_BYTES = 64 * 1024 * 1024
"""A larger answer is not read to its end."""
_SHORT_WAIT = 1.0  # seconds: waits up to this are slept here, longer ones free the worker
_TRIES = 3
_STICKY = 30.0  # seconds for which a refused token renewal is not tried again
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)


@dataclass(frozen=True, slots=True)
class Call:
    """One call. `url` is a path below the base URL, or an address on the base URL's host.

    `operation` names it in messages (`contacts.update`); it holds no personal value.
    """

    method: str
    url: str
    operation: str
    effect: Effect = Effect.READ
    query: Mapping[str, Json] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Json = ABSENT
    form: bool = False
    group: str = "default"
    cost: float = 1.0


@dataclass(frozen=True, slots=True)
class Account:
    """What a client must know about the account that it talks to."""

    connection: str
    base_url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    errors: Errors = field(default_factory=Errors)
    learn: tuple[Learn, ...] = ()
    lane: str = "normal"
    timeout: float = 30.0


class HttpClient:
    """Calls to one account. May be used from several threads."""

    def __init__(
        self,
        account: Account,
        credential: Credential,
        clock: Clock,
        budget: Budget,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._account = account
        self._credential = credential
        self._clock = clock
        self._budget = budget
        self._renewing = threading.Lock()
        self._refusal: tuple[float, str, str] | None = None
        timeout = httpx.Timeout(account.timeout, connect=min(10.0, account.timeout))
        self._client = httpx.Client(
            transport=transport, timeout=timeout, follow_redirects=False, trust_env=False
        )

    # -- calling ----------------------------------------------------------------------------------

    def send(self, call: Call) -> Answer:
        """The answer to a call that succeeded. Raises the ConnectorError of what went wrong.

        A read is repeated, a few times and soon, while it fails for a passing reason.
        """
        if call.effect is Effect.WRITE:
            return self._send_once(call)
        for attempt in _short_retries(self._clock):
            with attempt:
                return self._send_once(call)
        raise AssertionError("unreachable: the last attempt raises")

    def exchange(self, call: Call) -> tuple[Answer, Verdict | None]:
        """The answer, whatever it is, with what it means; None for a success. Sent once.

        Raises for what leaves no answer to judge: no budget, no connection, no usable credential.
        """
        headers = self._signed()
        answer = self._once(call, headers)
        if answer.status == 401 and self._credential.renew(self._clock.now()) is not None:
            answer = self._once(call, self._signed(refused=headers))
        verdict = judge(self._account.errors, answer, call.effect, self._clock.now())
        return answer, self._masked(verdict) if verdict else None

    def error(self, verdict: Verdict, operation: str) -> ConnectorError:
        """The exception for a verdict."""
        return as_error(verdict, self._account.connection, operation)

    def token_answer(self) -> Mapping[str, Json]:
        """What the token endpoint said, fetching a token first if need be."""
        self._signed()
        return self._credential.told()

    def close(self) -> None:
        self._client.close()

    def __repr__(self) -> str:
        return f"HttpClient({self._account.connection!r})"

    def _send_once(self, call: Call) -> Answer:
        answer, verdict = self.exchange(call)
        if verdict is not None:
            raise self.error(verdict, call.operation)
        return answer

    def _once(self, call: Call, headers: Mapping[str, str]) -> Answer:
        self._ask_budget(call)
        answer = self._transmit(self._request(call, headers), call.effect, call.operation)
        self._learn(answer)
        return answer

    # -- building ---------------------------------------------------------------------------------

    def _request(self, call: Call, signed: Mapping[str, str]) -> httpx.Request:
        content, kind = _encoded(call, self._account.connection)
        headers = {"accept": "application/json", **self._account.headers, **call.headers}
        if content is not None:
            headers["content-type"] = kind
        try:
            return self._client.build_request(
                call.method,
                self._address(call),
                params={name: as_text(value) for name, value in call.query.items()} or None,
                content=content,
                headers={**headers, **signed},
            )
        except (httpx.InvalidURL, ValueError) as error:
            raise self._refused(call, f"cannot be sent: {type(error).__name__}") from None

    def _address(self, call: Call) -> httpx.URL:
        base = self._base()
        if call.url.startswith("/") and not call.url.startswith("//"):
            return httpx.URL(str(base).rstrip("/") + call.url)
        url = self._joined(call.url, call.operation)
        if (url.scheme, url.host, url.port) != (base.scheme, base.host, base.port) or url.userinfo:
            raise Malformed(
                "the answer points to another host; nothing is sent there",
                connection=self._account.connection,
                operation=call.operation,
            )
        return url

    def root(self, url: str) -> str:
        """An address from the root of the host (as vendors write next pages) as a whole URL."""
        return str(self._joined(url, "paging"))

    def _joined(self, url: str, operation: str) -> httpx.URL:
        try:
            return self._base().join(url)
        except httpx.InvalidURL:
            raise Malformed(
                "the answer points to an address that is none",
                connection=self._account.connection,
                operation=operation,
            ) from None

    def _base(self) -> httpx.URL:
        template = self._account.base_url
        if "{token." in template:
            told = {f"token.{name}": value for name, value in self.token_answer().items()}
            template = fill(template, told)
        url = _url(template)
        secure = url.scheme == "https" or (url.scheme == "http" and url.host in ("127.0.0.1", "localhost"))
        if not secure or not url.host or url.userinfo:
            raise Unauthorized(
                "the base URL is no https address",
                connection=self._account.connection,
                remedy="check the address settings of this connection",
            )
        return url

    # -- sending ----------------------------------------------------------------------------------

    def _transmit(self, request: httpx.Request, effect: Effect, operation: str) -> Answer:
        try:
            response = self._client.send(request, stream=True)
            try:
                return self._read(response, effect, operation)
            finally:
                response.close()
                # httpx ties the response and its stream to each other: untied, a page's body goes at once
                # instead of waiting for the garbage collector.
                response.stream = httpx.ByteStream(b"")
        except _NEVER_SENT as error:
            raise Transient(
                f"no connection ({type(error).__name__})",
                connection=self._account.connection,
                operation=operation,
            ) from None
        except (httpx.LocalProtocolError, httpx.UnsupportedProtocol) as error:
            raise Refused(
                f"cannot be sent: {type(error).__name__}",
                connection=self._account.connection,
                operation=operation,
            ) from None
        except (httpx.TransportError, httpx.DecodingError) as error:
            raise self._lost(effect, operation, f"no answer ({type(error).__name__})") from None

    def _read(self, response: httpx.Response, effect: Effect, operation: str) -> Answer:
        chunks, size = [], 0
        for chunk in response.iter_bytes():
            size += len(chunk)
            if size > MOST_BYTES:
                raise self._unusable(effect, operation, f"the answer is larger than {MOST_BYTES} bytes")
            chunks.append(chunk)
        return _answer(response, b"".join(chunks))

    def _lost(self, effect: Effect, operation: str, message: str) -> ConnectorError:
        kind = OutcomeUnknown if effect is Effect.WRITE else Transient
        return kind(message, connection=self._account.connection, operation=operation)

    def _unusable(self, effect: Effect, operation: str, message: str) -> ConnectorError:
        kind = OutcomeUnknown if effect is Effect.WRITE else Malformed
        return kind(message, connection=self._account.connection, operation=operation)

    def _refused(self, call: Call, message: str) -> Refused:
        return Refused(message, connection=self._account.connection, operation=call.operation)

    # -- budget -----------------------------------------------------------------------------------

    def _ask_budget(self, call: Call) -> None:
        account = self._account
        while (wait := self._budget.ask(account.connection, call.group, account.lane, call.cost)) > 0:
            if wait > _SHORT_WAIT:
                raise RateLimited(
                    f"our own budget for {call.group} calls is used up",
                    retry_after=wait,
                    connection=account.connection,
                    operation=call.operation,
                )
            self._clock.sleep(wait)

    def _learn(self, answer: Answer) -> None:
        for words in self._account.learn:
            remaining, reset_in = learned(words, answer.headers)
            if remaining is not None or reset_in is not None:
                self._budget.learn(self._account.connection, words.group, remaining, reset_in)

    # -- credentials ------------------------------------------------------------------------------

    def _signed(self, refused: Mapping[str, str] | None = None) -> Mapping[str, str]:
        """Headers of a valid credential; one thread renews, the others wait for it.

        The lock is never waited for, because the thread that holds it may be asleep in a port.
        """
        while True:
            headers = self._credential.headers(self._clock.now())
            if headers is not None and headers != refused:
                return headers
            if self._renewing.acquire(blocking=False):
                try:
                    return self._renewed(refused)
                finally:
                    self._renewing.release()
            self._clock.sleep(0.05)

    def _renewed(self, refused: Mapping[str, str] | None) -> Mapping[str, str]:
        now = self._clock.now()
        headers = self._credential.headers(now)
        if headers is not None and headers != refused:
            return headers
        self._raise_if_just_refused(now.timestamp())
        try:
            self._renew()
        except Unauthorized as error:
            self._refusal = (now.timestamp(), error.message, error.vendor_says)
            raise
        renewed = self._credential.headers(self._clock.now())
        if renewed is None:
            raise Unauthorized("the token expired at once", connection=self._account.connection)
        return renewed

    def _raise_if_just_refused(self, now: float) -> None:
        if self._refusal is not None and now - self._refusal[0] < _STICKY:
            raise Unauthorized(
                self._refusal[1],
                vendor_says=self._refusal[2],
                connection=self._account.connection,
                operation="token",
                remedy="check the credentials of this connection",
            )

    def _renew(self) -> None:
        steps = self._credential.renew(self._clock.now())
        if steps is None:
            return
        try:
            request = next(steps)
            while True:
                answer = self._transmit(self._secured(request), Effect.READ, "token")
                request = steps.send(answer)
        except StopIteration:
            return
        except httpx.InvalidURL:
            raise Unauthorized(
                "the address of the sign-in is none",
                connection=self._account.connection,
                operation="token",
                remedy="check the address settings of this connection",
            ) from None
        except ConnectorError as error:
            error.connection, error.operation = self._account.connection, "token"
            error.vendor_says = self._mask(error.vendor_says)
            raise

    def _secured(self, request: httpx.Request) -> httpx.Request:
        if request.url.scheme != "https" and request.url.host not in ("127.0.0.1", "localhost"):
            raise Unauthorized("the token endpoint is no https address")
        request.extensions = {"timeout": self._client.timeout.as_dict()}
        return request

    # -- secrets ----------------------------------------------------------------------------------

    def _masked(self, verdict: Verdict) -> Verdict:
        fields = {name: self._mask(reason) for name, reason in verdict.fields.items()}
        return Verdict(
            verdict.kind,
            verdict.message,
            self._mask(verdict.says),
            fields,
            verdict.existing_id,
            verdict.successor,
            verdict.retry_after,
            verdict.remedy,
            verdict.code,
        )

    def _mask(self, text: str) -> str:
        for secret in self._credential.secrets():
            if len(secret) >= 4:
                text = text.replace(secret, "***")
        return text


def _url(said: Json) -> httpx.URL:
    """An address from the settings or a token's answer; an empty one for what is none."""
    try:
        return httpx.URL(said) if isinstance(said, str) else httpx.URL("")
    except httpx.InvalidURL:
        return httpx.URL("")


def _encoded(call: Call, connection: str) -> tuple[bytes | None, str]:
    if call.body is ABSENT:
        return None, ""
    try:
        if call.form:
            pairs = {name: as_text(value) for name, value in call.body.items()}
            return urlencode(pairs).encode(), "application/x-www-form-urlencoded"
        return orjson.dumps(call.body), "application/json"
    except (TypeError, ValueError) as error:
        raise Refused(
            f"a value cannot be written as JSON: {shorten(str(error), 80)}",
            connection=connection,
            operation=call.operation,
        ) from None


def _answer(response: httpx.Response, content: bytes) -> Answer:
    if not content:
        return Answer(response.status_code, response.headers, None)
    try:
        return Answer(response.status_code, response.headers, _parsed(content))
    except (ValueError, RecursionError):
        text = content[:2000].decode("utf-8", "replace")
        return Answer(response.status_code, response.headers, None, readable=False, text=text)


def _parsed(content: bytes) -> Json:
    """A body as JSON. ValueError for what is none.

    Half of a surrogate pair (an emoji that was cut) is legal in JSON and refused by orjson: it must cost
    its own field, not the page that it stands in.
    """
    try:
        return orjson.loads(content)
    except ValueError:
        if not _SURROGATE.search(content):
            raise
        return json.loads(content.decode(), parse_constant=_no_number)


def _no_number(word: str) -> Json:
    raise ValueError(f"{word} is no JSON")


def _passing(error: BaseException) -> bool:
    if isinstance(error, RateLimited):
        return error.retry_after is not None and error.retry_after <= _SHORT_WAIT
    return isinstance(error, Transient) and (error.retry_after or 0.0) <= 5.0


def _pause(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    told = error.retry_after if isinstance(error, Transient) else None
    return told if told is not None else 0.5 * 2.0 ** (state.attempt_number - 1)


def _short_retries(clock: Clock) -> Retrying:
    return Retrying(
        stop=stop_after_attempt(_TRIES),
        wait=_pause,
        retry=retry_if_exception(_passing),
        sleep=clock.sleep,
        reraise=True,
    )
