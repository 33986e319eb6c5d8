"""Webhooks: is it really from the system, and which records does it point at."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from datetime import timedelta

import orjson

from trueup.connectors import manifest as words
from trueup.connectors.base import WebhookRequest
from trueup.connectors.paths import path
from trueup.connectors.records import text_id
from trueup.connectors.session import Session
from trueup.connectors.stamps import parse_stamp
from trueup.errors import Malformed, Unauthorized
from trueup.model.record import Hint, Json

AHEAD = timedelta(minutes=1)
"""How far a vendor's clock may be ahead of ours. What is dated later could be replayed for as much longer."""


def hints(session: Session, request: WebhookRequest) -> list[Hint]:
    """The records that a webhook points at, each once. Unauthorized for a forged or an outdated one."""
    webhook = session.manifest.webhook
    if webhook is None:
        raise Unauthorized(f"{session.manifest.title} sends no webhooks", connection=session.settings.name)
    verify(session, webhook.signature, request)
    try:
        body = orjson.loads(request.body)
    except ValueError:
        raise Malformed("the webhook holds no JSON", connection=session.settings.name) from None
    events = path(webhook.events)(body)
    found = (hint for event in _listed(events) for hint in _hints_of(webhook, event))
    return list(dict.fromkeys(found))


def verify(session: Session, words_: words.Signature, request: WebhookRequest) -> None:
    """Raises Unauthorized unless the signature is right and its time lies in the replay window."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    secret = session.values.get(words_.secret, "")
    if not secret:
        raise _unauthorized(session, f"no `{words_.secret}` is set, so no webhook can be checked")
    stamp = ""
    if words_.timestamp is not None:
        stamp = headers.get(words_.timestamp.header.lower(), "")
        _check_time(session, words_.timestamp, stamp)
    expected = _digest(words_, secret, request, stamp)
    if not hmac.compare_digest(expected, _given(words_, headers)):
        raise _unauthorized(session, "the webhook's signature is wrong")


def _check_time(session: Session, words_: words.SignedTime, stamp: str) -> None:
    moment = parse_stamp(stamp, words_.format)
    if moment is None:
        raise _unauthorized(session, "the webhook has no usable time")
    age, window = session.clock.now() - moment, timedelta(seconds=words_.tolerance)
    if not -min(AHEAD, window) <= age <= window:
        raise _unauthorized(session, "the webhook's time lies outside the replay window")


def _given(words_: words.Signature, headers: Mapping[str, str]) -> bytes:
    """The digest that came, as bytes; empty for what is no digest, so that it never matches."""
    text = headers.get(words_.header.lower(), "")
    if not text.isascii() or not text.startswith(words_.prefix):
        return b""
    text = text[len(words_.prefix) :]
    try:
        return bytes.fromhex(text) if words_.encoding == "hex" else base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        return b""


def _digest(words_: words.Signature, secret: str, request: WebhookRequest, stamp: str) -> bytes:
    parts = b"".join(_part(words_, part, request, stamp) for part in words_.parts)
    return hmac.new(secret.encode(), parts, getattr(hashlib, words_.algorithm)).digest()


def _part(words_: words.Signature, part: str, request: WebhookRequest, stamp: str) -> bytes:
    if part.startswith("="):
        return part[1:].encode()
    match part:
        case "method":
            return request.method.upper().encode()
        case "url":
            return _undone(request.url, words_.url_decode).encode("utf-8", "surrogateescape")
        case "body":
            return request.body
        case "timestamp":
            return stamp.encode("utf-8", "surrogateescape")
        case _:
            raise Malformed(f"the manifest signs an unknown part `{part}`")


def _undone(url: str, codes: list[str]) -> str:
    for code in codes:
        plain = chr(int(code[1:], 16))
        url = url.replace(code.upper(), plain).replace(code.lower(), plain)
    return url


def _hints_of(webhook: words.Webhook, event: Json) -> list[Hint]:
    kind = str(path(webhook.object)(event) or "")
    begins = (key for key in webhook.objects if key[-1:] in (".", ":", "/") and kind.startswith(key))
    fitting = [kind] if kind in webhook.objects else list(begins)
    if not fitting:
        return []
    object = webhook.objects[max(fitting, key=len)]
    return [Hint(object, id) for id in _ids(webhook, path(webhook.id)(event))]


def _ids(webhook: words.Webhook, value: Json) -> list[str]:
    texts = (text_id(part) for part in _listed(value))
    if webhook.id_after:
        texts = (text.rpartition(webhook.id_after)[2] for text in texts)
    return [text for text in texts if text]


def _listed(value: Json) -> list[Json]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _unauthorized(session: Session, message: str) -> Unauthorized:
    return Unauthorized(message, connection=session.settings.name, operation="webhook")
