"""Errors as people read them: what, where, what was meant, what to do. Never a traceback, never a secret."""

from __future__ import annotations

import traceback
from dataclasses import dataclass

from trueup.commands.answer import CONFIGURATION
from trueup.errors import (
    ConfigError,
    ConnectorError,
    Gone,
    Held,
    LeaseLost,
    Malformed,
    NotFound,
    OutcomeUnknown,
    PlanDrifted,
    RateLimited,
    Refused,
    Stale,
    Transient,
    TrueupError,
    Unauthorized,
)
from trueup.model.counting import counted
from trueup.model.covering import covered, first_line
from trueup.model.record import Json


@dataclass(frozen=True, slots=True)
class Complaint:
    """One error, ready to be shown: `lines` for people, `document` for `--json`."""

    lines: tuple[str, ...]
    document: Json
    exit_code: int


def complaint(error: TrueupError) -> Complaint:
    """How an error of our own is told."""
    if isinstance(error, ConfigError):
        return _of_config(error)
    if isinstance(error, ConnectorError):
        lines = connector_lines(error)
    else:
        lines = _plain_lines(error)
    document = {"code": error.code, "message": covered(_message(error)), **_details(error)}
    return Complaint(lines, {"error": document}, error.exit_code)


def _of_config(error: ConfigError) -> Complaint:
    count = counted(len(error.problems), "problem")
    last = f"{count} in the configuration. `trueup explain CODE` tells more."
    lines = [line for problem in error.problems for line in (*str(problem).splitlines(), "")]
    return Complaint((*lines, last), {"error": config_document(error)}, CONFIGURATION)


def config_document(error: ConfigError) -> Json:
    """A ConfigError as JSON: every problem with its place."""
    return {
        "code": error.code,
        "message": f"{counted(len(error.problems), 'problem')} in the configuration",
        "problems": [problem_document(problem) for problem in error.problems],
    }


def problem_document(problem: object) -> Json:
    """One Problem as JSON; what is empty is left out."""
    names = ("file", "line", "column", "code", "message", "hint", "allowed", "remedy")
    said = {name: getattr(problem, name) for name in names}
    return {name: value for name, value in said.items() if value not in ("", 0)}


# -- systems ------------------------------------------------------------------------------------------

_SENTENCES: tuple[tuple[type[ConnectorError], str], ...] = (
    (RateLimited, "asks us to wait"),
    (Transient, "cannot be used now"),
    (OutcomeUnknown, "gave no usable answer, and may have done what was asked"),
    (Stale, "has changed this record meanwhile"),
    (Gone, "does not have this record any more"),
    (Refused, "does not take this as it is"),
    (Unauthorized, "does not let us in, or not that far"),
    (Malformed, "did not answer what it promises; nothing of the answer was used"),
)
_REMEDIES: tuple[tuple[type[ConnectorError], str], ...] = (
    (RateLimited, "wait; the next run goes on where this one stopped. If it happens often, poll less often"),
    (Transient, "wait, and run again; nothing was lost"),
    (OutcomeUnknown, "run again: what may have been done is looked up before anything is sent once more"),
    (Stale, "run again: the record is read and decided anew"),
    (Gone, "run again: the record is unlinked, or followed to where it went"),
    (Refused, "correct the value or the mapping, or change the rule in that system"),
    (Unauthorized, "check the credentials of this connection, and what they are allowed to do"),
    (
        Malformed,
        "look at the address and the account of this connection; a proxy or a login page may stand between",
    ),
)


def connector_lines(error: ConnectorError) -> tuple[str, ...]:
    """Our sentence, the system's own words, what to do, the command."""
    name = error.connection or "the system"
    during = f" (during {error.operation})" if error.operation else ""
    first = f"{name} {_by_class(error, _SENTENCES)}: {covered(error.message)}{during}  [{error.code}]"
    lines = [first]
    if error.vendor_says:
        lines.append(f"    it says: {covered(error.vendor_says)}")
    wait = getattr(error, "retry_after", None)
    lines.append(
        f"    do: {error.remedy or _by_class(error, _REMEDIES).replace('wait', f'wait{_time(wait)}', 1)}"
    )
    lines.append(f"    then: {_command(error)}   (`trueup explain {error.code}` tells more)")
    return tuple(lines)


def _by_class(error: ConnectorError, table: tuple[tuple[type[ConnectorError], str], ...]) -> str:
    return next((text for kind, text in table if isinstance(error, kind)), "could not do this")


def _time(seconds: float | None) -> str:
    """How long a system asks us to wait, as people say it; empty if it did not."""
    if not seconds:
        return ""
    for size, word in ((3600.0, "hour"), (60.0, "minute"), (1.0, "second")):
        if seconds >= 1.5 * size or word == "second":
            number = max(1, round(seconds / size))
            return f" {counted(number, word)}, as it asks"
    return ""


def _command(error: ConnectorError) -> str:
    if isinstance(error, Unauthorized | Malformed) and error.connection:
        return f"trueup connections test {error.connection}"
    if isinstance(error, Refused):
        return "trueup failures"
    return "trueup sync"


# -- the rest -----------------------------------------------------------------------------------------

_THEN: tuple[tuple[type[TrueupError], str], ...] = (
    (PlanDrifted, "trueup plan --out FILE, look at it, then trueup sync --plan FILE"),
    (Held, "trueup runs, and when that one has ended: trueup sync"),
    (LeaseLost, "trueup runs, then trueup sync"),
)


def _plain_lines(error: TrueupError) -> tuple[str, ...]:
    message = covered(_message(error))
    if isinstance(error, NotFound) and error.typed:
        message = message.replace(covered(error.typed), error.typed)
    lines = [f"{message}  [{error.code}]"]
    remedy = getattr(error, "remedy", "")
    if remedy:
        lines.append(f"    do: {remedy}")
    then = next((text for kind, text in _THEN if isinstance(error, kind)), "")
    if then:
        lines.append(f"    then: {then}")
    if not isinstance(error, NotFound):
        lines.append(f"    `trueup explain {error.code}` tells more")
    return tuple(lines)


def _message(error: TrueupError) -> str:
    return error.message if isinstance(error, ConnectorError) else str(error)


def _details(error: TrueupError) -> dict[str, Json]:
    if not isinstance(error, ConnectorError):
        return {}
    said = {
        "connection": error.connection,
        "operation": error.operation,
        "vendor_says": covered(error.vendor_says),
        "remedy": error.remedy or _by_class(error, _REMEDIES),
        "retry_after": getattr(error, "retry_after", None),
    }
    return {name: value for name, value in said.items() if value}


# -- what nobody foresaw ------------------------------------------------------------------------------


def unexpected_lines(error: BaseException) -> list[str]:
    """A traceback with places and types only: messages may hold values, so they are covered."""
    lines = []
    for one in traceback.extract_tb(error.__traceback__):
        lines.append(f"  {one.filename}:{one.lineno} in {one.name}")
    kind = type(error)
    lines.append(f"{kind.__module__}.{kind.__qualname__}: {first_line(str(error))}")
    cause = error.__cause__ or error.__context__
    if cause is not None and cause is not error:
        lines.append("because of")
        lines.extend(unexpected_lines(cause))
    return lines
