"""Credentials: what is put on a call, and how a token is asked for. No I/O here.

A renewal is a generator in the manner of `httpx.Auth`: it yields the request to send and is sent the
answer. `http.py` drives it, one at a time for each account.
"""

from __future__ import annotations

import base64
from collections.abc import Generator, Mapping
from datetime import datetime, timedelta
from typing import Protocol
from urllib.parse import urlencode

import httpx
import orjson

from trueup.connectors.fill import fill
from trueup.connectors.manifest import Auth, BasicAuth, BearerAuth, TokenAuth, Wait
from trueup.connectors.paths import path
from trueup.connectors.verdict import Answer, shorten, wait_seconds
from trueup.errors import RateLimited, Transient, Unauthorized
from trueup.model.record import Json

Renewal = Generator[httpx.Request, Answer, None]
_EARLY = 60.0  # seconds: a token is not used in its last minute
_FOR_EVER = 1e10  # seconds: longer than that, a token is used until it is refused


class Credential(Protocol):
    """How calls of one account are signed."""

    def headers(self, now: datetime) -> Mapping[str, str] | None:
        """What to put on a call; None when a token must be fetched first."""
        ...

    def renew(self, now: datetime) -> Renewal | None:
        """The steps to a new token; None where there is none to get. Raises Unauthorized in the end."""
        ...

    def told(self) -> Mapping[str, Json]:
        """The token endpoint's answer (`{token.instance_url}`), empty before the first."""
        ...

    def secrets(self) -> tuple[str, ...]:
        """Whatever may never appear in a text."""
        ...


class FixedCredential:
    """Headers that never change."""

    def __init__(self, headers: Mapping[str, str], secrets: tuple[str, ...]) -> None:
        self._headers = dict(headers)
        self._secrets = secrets

    def headers(self, now: datetime) -> Mapping[str, str] | None:
        return self._headers

    def renew(self, now: datetime) -> Renewal | None:
        return None

    def told(self) -> Mapping[str, Json]:
        return {}

    def secrets(self) -> tuple[str, ...]:
        return self._secrets

    def __repr__(self) -> str:
        return "FixedCredential()"


class TokenCredential:
    """A token from a token endpoint, kept in memory only."""

    def __init__(self, words: TokenAuth, settings: Mapping[str, str], secrets: tuple[str, ...]) -> None:
        self._words = words
        self._settings = dict(settings)
        self._secrets = secrets
        self._token = ""
        self._until: datetime | None = None
        self._told: Mapping[str, Json] = {}

    def headers(self, now: datetime) -> Mapping[str, str] | None:
        if not self._token or (self._until is not None and now >= self._until):
            return None
        return {self._words.header: self._words.prefix + self._token}

    def told(self) -> Mapping[str, Json]:
        return self._told

    def secrets(self) -> tuple[str, ...]:
        rotated = self._settings.get("refresh_token", "")
        return tuple(dict.fromkeys(one for one in (*self._secrets, self._token, rotated) if one))

    def renew(self, now: datetime) -> Renewal | None:
        return self._renewal(now)

    def _renewal(self, now: datetime) -> Renewal:
        answer = yield self._request()
        _raise_unless_token(answer, self._words, now)
        self._told = answer.body
        self._token = str(path(self._words.access_token)(answer.body))
        self._until = self._expiry(answer.body, now)
        rotated = path(self._words.refresh_token)(answer.body)
        if isinstance(rotated, str) and rotated and "refresh_token" in self._settings:
            self._settings["refresh_token"] = rotated

    def _expiry(self, body: Json, now: datetime) -> datetime | None:
        said = path(self._words.expires_in)(body)
        try:
            seconds = float(said) if said is not None else self._words.lifetime
        except (TypeError, ValueError):
            seconds = self._words.lifetime
        if not 0 < seconds < _FOR_EVER:
            return None
        return now + timedelta(seconds=max(seconds - _EARLY, seconds * 0.5))

    def _request(self) -> httpx.Request:
        words = self._words
        url = str(fill(words.url, self._settings))
        form = fill(dict(words.form), self._settings)
        if words.encoding == "json":
            content, kind = orjson.dumps(form), "application/json"
        else:
            content, kind = urlencode(form).encode(), "application/x-www-form-urlencoded"
        headers = {"content-type": kind, "accept": "application/json"}
        return httpx.Request("POST", url, content=content, headers=headers)

    def __repr__(self) -> str:
        return "TokenCredential()"


def _raise_unless_token(answer: Answer, words: TokenAuth, now: datetime) -> None:
    token = path(words.access_token)(answer.body)
    if answer.status < 300 and isinstance(token, str) and token:
        return
    body = answer.body if isinstance(answer.body, Mapping) else {}
    parts = (body.get(name) for name in ("error", "error_description", "status", "message"))
    says = shorten(": ".join(str(part) for part in parts if part))
    if answer.status == 429:
        wait = wait_seconds(Wait(), answer.headers, now)
        raise RateLimited("the token endpoint's rate limit is reached", retry_after=wait, vendor_says=says)
    if answer.status >= 500 or not answer.readable:
        raise Transient(f"the token endpoint answered {answer.status} without a token", vendor_says=says)
    raise Unauthorized(
        f"the token endpoint gave no token (status {answer.status})",
        vendor_says=says,
        remedy="check the credentials of this connection; a revoked grant has to be given again",
    )


def credential(words: Auth, settings: Mapping[str, str], secrets: tuple[str, ...]) -> Credential:
    """The credential that the manifest's words and the connection's settings describe."""
    if isinstance(words, BearerAuth):
        return FixedCredential({words.header: words.prefix + _filled(words.token, settings)}, secrets)
    if isinstance(words, BasicAuth):
        pair = f"{_filled(words.username, settings)}:{_filled(words.password, settings)}"
        coded = base64.b64encode(pair.encode()).decode()
        return FixedCredential({"Authorization": f"Basic {coded}"}, (*secrets, coded))
    return TokenCredential(words, settings, secrets)


def _filled(template: str, settings: Mapping[str, str]) -> str:
    text = fill(template, settings)
    if not isinstance(text, str) or not text.isascii() or not text.isprintable():
        raise Unauthorized(
            "a credential is missing or holds characters that no header can carry",
            remedy="check the credentials of this connection for line ends and pasted characters",
        )
    return text
