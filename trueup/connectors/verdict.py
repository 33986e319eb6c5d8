"""Judging an answer: what a vendor's error means, by what happens next.

Pure. The table of the manifest comes first, then what the status says by itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum

from trueup.connectors.base import GoneItem, NotApplied, Outcome, RefusedItem, StaleItem, UnknownItem
from trueup.connectors.manifest import ErrorBody, ErrorRule, Errors, Wait
from trueup.connectors.paths import path
from trueup.errors import (
    ConnectorError,
    Gone,
    Malformed,
    OutcomeUnknown,
    RateLimited,
    Refused,
    Stale,
    Transient,
    Unauthorized,
)
from trueup.model.record import Json, legible

MOST_SECONDS = 86_400.0
"""No vendor makes us wait longer than a day in one go: absurd values are cut to this."""
MOST_TEXT = 300


class Effect(StrEnum):
    """Whether a call may change something there. It decides what a lost answer means."""

    READ = "read"
    WRITE = "write"


class ExpiredPaging(ConnectorError):
    """The vendor forgot where the reading stood: it starts again from its last safe position."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it came. `body` is the parsed JSON; `readable` False means it was none."""

    status: int
    headers: Mapping[str, str]
    body: Json
    readable: bool = True
    text: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why a call, or one item of it, failed, and what follows. `kind` as in the manifest's rules."""

    kind: str
    message: str
    says: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    existing_id: str | None = None
    successor: str | None = None
    retry_after: float | None = None
    remedy: str = ""
    code: str = ""


_ERRORS: Mapping[str, type[ConnectorError]] = {
    "unknown": OutcomeUnknown,
    "stale": Stale,
    "unauthorized": Unauthorized,
    "malformed": Malformed,
    "expired_paging": ExpiredPaging,
}


def as_error(verdict: Verdict, connection: str, operation: str) -> ConnectorError:
    """The exception for a verdict about a whole call."""
    details = {
        "connection": connection,
        "operation": operation,
        "vendor_says": discreet(verdict.says),
        "remedy": verdict.remedy,
        "code": verdict.code,
    }
    if verdict.kind == "transient":
        return Transient(verdict.message, retry_after=verdict.retry_after, **details)
    if verdict.kind == "rate_limited":
        return RateLimited(verdict.message, retry_after=verdict.retry_after, **details)
    if verdict.kind == "refused":
        return Refused(verdict.message, fields=verdict.fields, **details)
    if verdict.kind == "gone":
        return Gone(verdict.message, successor=verdict.successor, **details)
    return _ERRORS[verdict.kind](verdict.message, **details)


def as_outcome(verdict: Verdict) -> Outcome:
    """The outcome for a verdict about one item of a write."""
    reason = verdict.says or verdict.message
    match verdict.kind:
        case "refused":
            code = verdict.code or Refused.code
            return RefusedItem(reason, verdict.fields or {"": reason}, verdict.existing_id, code)
        case "stale":
            return StaleItem()
        case "gone":
            return GoneItem(verdict.successor)
        case "transient" | "rate_limited":
            return NotApplied(reason, verdict.retry_after, tried=verdict.kind == "transient")
        case _:
            return UnknownItem(reason)


ABOUT_THE_CONNECTION = frozenset({"rate_limited", "unauthorized", "malformed"})
"""Kinds that concern the whole connection even when one item met them."""


def judge(errors: Errors, answer: Answer, effect: Effect, now: datetime) -> Verdict | None:
    """None when the answer is a success as far as the table and the status can tell."""
    if 200 <= answer.status < 300:
        return _judge_success(errors, answer, effect, now)
    code, says, fields = told(errors.body, answer.body)
    says = says or shorten(answer.text if not _is_html(answer) else "an HTML page")
    rule = find_rule(errors.rules, answer.status, code, says)
    if rule is not None:
        return by_rule(rule, answer, code, says, fields, now)
    return by_status(answer, effect, says, fields, now)


def _judge_success(errors: Errors, answer: Answer, effect: Effect, now: datetime) -> Verdict | None:
    if not answer.readable:
        kind = "unknown" if effect is Effect.WRITE else "malformed"
        what = "an HTML page" if _is_html(answer) else "no JSON"
        return Verdict(kind, f"answered {answer.status} with {what}", shorten(answer.text, 80))
    if not errors.failed or not path(errors.failed)(answer.body):
        return None
    code, says, fields = told(errors.body, answer.body)
    rule = find_rule(errors.rules, answer.status, code, says)
    if rule is not None:
        return by_rule(rule, answer, code, says, fields, now)
    return Verdict("refused", f"answered {answer.status} with an error {code}".strip(), says, fields)


def told(where: ErrorBody, body: Json) -> tuple[str, str, dict[str, str]]:
    """Code, sentence and fields as the vendor says them; empty where it says nothing."""
    code = path(where.code)(body)
    says = path(where.message)(body)
    sentence = shorten(says if isinstance(says, str) else "")
    return str(code or ""), sentence, named_fields(path(where.fields)(body), sentence)


def named_fields(found: Json, reason: str) -> dict[str, str]:
    """Field to reason, out of the shapes that vendors use: names, objects, or a mapping."""
    if isinstance(found, str):
        return {found: reason}
    if isinstance(found, Mapping):
        return {str(name): _reason(value) or reason for name, value in found.items()}
    if not isinstance(found, list):
        return {}
    named: dict[str, str] = {}
    for entry in found:
        if isinstance(entry, str):
            named[entry] = reason
        elif isinstance(entry, Mapping) and (name := entry.get("field") or entry.get("name")):
            named[str(name)] = _reason(entry) or reason
    return named


def _reason(value: Json) -> str:
    if isinstance(value, str):
        return shorten(value)
    if isinstance(value, list):
        return shorten("; ".join(filter(None, (_reason(part) for part in value))))
    if isinstance(value, Mapping):
        return _reason(value.get("description") or value.get("message") or value.get("error") or "")
    return ""


def find_rule(rules: Iterable[ErrorRule], status: int, code: str, says: str) -> ErrorRule | None:
    """The first rule that fits."""
    for rule in rules:
        if rule.status and status not in rule.status:
            continue
        if rule.code and code not in rule.code:
            continue
        if rule.text and not re.search(rule.text, says):
            continue
        return rule
    return None


def by_rule(
    rule: ErrorRule, answer: Answer, code: str, says: str, fields: Mapping[str, str], now: datetime
) -> Verdict:
    """The verdict of a rule, with what its pattern and paths find."""
    caught = _caught(rule.text, says)
    existing = caught.get("existing_id") or path(rule.existing_id)(answer.body)
    named = {**fields, **dict.fromkeys(_all_fields(rule.text, says), says)}
    waits = rule.kind in ("transient", "rate_limited")
    return Verdict(
        rule.kind,
        f"answered {answer.status} {code}".strip(),
        says,
        named,
        str(existing) if existing else None,
        caught.get("successor"),
        wait_seconds(rule.wait or Wait(), answer.headers, now) if waits else None,
        rule.remedy,
        rule.tu_code,
    )


def _caught(pattern: str, says: str) -> dict[str, str]:
    found = re.search(pattern, says) if pattern else None
    return {name: text for name, text in found.groupdict().items() if text} if found else {}


def _all_fields(pattern: str, says: str) -> list[str]:
    if "(?P<field>" not in pattern:
        return []
    return [found["field"] for found in re.finditer(pattern, says) if found["field"]]


def by_status(answer: Answer, effect: Effect, says: str, fields: Mapping[str, str], now: datetime) -> Verdict:
    """What a status means where no rule says otherwise."""
    status, message = answer.status, f"answered {answer.status}"
    wait = wait_seconds(Wait(), answer.headers, now)
    writing = effect is Effect.WRITE
    if status == 429:
        return Verdict("rate_limited", "the rate limit is reached", says, retry_after=wait)
    if status == 401:
        return Verdict("unauthorized", message, says, remedy="check the credentials of this connection")
    if status == 403:
        return Verdict("unauthorized", message, says, remedy="check this connection's permissions")
    if status in (404, 410):
        return _not_there(answer, effect, says)
    if status == 412:
        return Verdict("stale", message, says)
    if status in (423, 425):
        return Verdict("transient", message, says, retry_after=wait)
    if status == 408 or status >= 500:
        return Verdict("unknown" if writing else "transient", message, says, retry_after=wait)
    if status < 400:
        return Verdict("unknown" if writing else "malformed", f"{message}, which points elsewhere", says)
    return Verdict("refused", message, says, fields)


def _not_there(answer: Answer, effect: Effect, says: str) -> Verdict:
    """A proxy's 404 page must never look like the deletion of a record."""
    if answer.readable and answer.body is not None:
        return Verdict("gone", f"answered {answer.status}", says)
    kind = "unknown" if effect is Effect.WRITE else "malformed"
    return Verdict(kind, f"answered {answer.status} without saying why", says)


def wait_seconds(wait: Wait, headers: Mapping[str, str], now: datetime) -> float | None:
    """How long the vendor asks to wait: between 0 and a day, None (or the default) if it does not say."""
    text = headers.get(wait.header, "").strip()
    try:
        seconds = float(text) / (1000.0 if wait.unit == "ms" else 1.0)
    except ValueError:
        seconds = _until(text, now)
    if seconds != seconds:  # NaN: said nothing usable
        return wait.default
    return min(max(seconds, 0.0), MOST_SECONDS)


def _until(text: str, now: datetime) -> float:
    try:
        return (parsedate_to_datetime(text) - now).total_seconds()
    except (ValueError, TypeError, IndexError):
        return float("nan")


def shorten(text: str, most: int = MOST_TEXT) -> str:
    """One line of at most `most` characters, all of which can be encoded."""
    line = " ".join(text.encode("utf-8", "replace").decode().split())
    return line if len(line) <= most else line[: most - 1] + "…"


_ADDRESS = re.compile(r"[\w.+%'-]+(?=@[\w-]+(?:\.[\w-]+)+)")


def discreet(text: str) -> str:
    """A system's sentence, so that it can be kept, without people's e-mail addresses: `***@example.com`."""
    text = legible(text)
    return _ADDRESS.sub("***", text) if "@" in text else text


def _is_html(answer: Answer) -> bool:
    return answer.text.lstrip()[:1] == "<" or "html" in answer.headers.get("content-type", "")
