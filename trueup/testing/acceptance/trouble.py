"""Checks of what a connector says when something goes wrong: by what happens next."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from trueup.connectors.base import Done, NotApplied, Outcome, UnknownItem, WriteItem
from trueup.errors import (
    ConnectorError,
    Malformed,
    OutcomeUnknown,
    RateLimited,
    Transient,
    TrueupError,
    Unauthorized,
)
from trueup.model.delivery import WriteKind
from trueup.model.record import Reading
from trueup.testing.acceptance.checks import check, expect, fail
from trueup.testing.acceptance.desk import Desk, attempt
from trueup.testing.acceptance.harness import WAIT, CannotPlay, Trouble

FEW_CALLS = 3
"""So often a call may be made at most that was refused for its credentials, or told to wait."""


@contextmanager
def _in(desk: Desk, trouble: Trouble) -> Iterator[None]:
    desk.strike(trouble)
    try:
        yield
    finally:
        desk.heal()


def _reads(desk: Desk) -> dict[str, Callable[[], object]]:
    fields, object = desk.harness.fields, desk.object
    return {
        "a listing": lambda: desk.connector.pull(object, Reading.LISTING, None, fields),
        "a read by id": lambda: desk.connector.read(object, desk.ids, fields),
    }


def _write_ends(desk: Desk, *items: WriteItem) -> tuple[Sequence[Outcome], ConnectorError | None]:
    """How a write ends, seen as the hub sees it: outcomes, or an error for all of them."""
    outcomes, error = attempt(lambda: desk.write(*items))
    return (outcomes if isinstance(outcomes, list) else []), error


def _is_doubt(outcomes: Sequence[Outcome], error: ConnectorError | None) -> bool:
    if error is not None:
        return isinstance(error, OutcomeUnknown)
    return all(isinstance(outcome, UnknownItem) for outcome in outcomes)


def _create_is_doubt(desk: Desk) -> None:
    """A create is in doubt, unless nothing that writes was sent: the connector looked first, in vain."""
    sent = desk.system.way.writes
    outcomes, error = _write_ends(desk, desk.creation())
    unsent = desk.system.way.writes == sent and error is not None
    expect(unsent or _is_doubt(outcomes, error), f"a create ended with {_seen(outcomes, error)}")


def _seen(outcomes: Sequence[Outcome], error: ConnectorError | None) -> str:
    return type(error).__name__ if error else ", ".join(type(outcome).__name__ for outcome in outcomes)


@check(
    "a write whose answer is lost is in doubt",
    "a timeout while reading the answer is OutcomeUnknown: it is neither done nor certainly not applied",
)
def a_lost_answer_is_doubt(desk: Desk) -> None:
    for item in (desk.creation(), desk.change(desk.ids[0], "perhaps")):
        with _in(desk, Trouble.LOST_ANSWER):
            outcomes, error = _write_ends(desk, item)
        expect(
            _is_doubt(outcomes, error), f"a lost answer to a {item.kind} ended with {_seen(outcomes, error)}"
        )


@check(
    "a create whose answer is lost is sent once",
    "never repeat a write in the connector: the hub looks before it acts again",
)
def writes_are_sent_once(desk: Desk) -> None:
    before = desk.system.ids()
    with _in(desk, Trouble.LOST_ANSWER):
        _write_ends(desk, desk.creation())
    made = len(desk.system.ids() - before)
    expect(made <= 1, f"one create whose answer was lost made {made} records")


@check(
    "a request that never went out is certainly not applied, and can be repeated",
    "no connection is Transient, or NotApplied for the items: no doubt that has to be looked into",
)
def a_lost_request_is_not_applied(desk: Desk) -> None:
    before, item = desk.system.ids(), desk.creation()
    with _in(desk, Trouble.LOST_REQUEST):
        outcomes, error = _write_ends(desk, item)
        told = isinstance(error, Transient) or (
            outcomes and all(isinstance(outcome, NotApplied) for outcome in outcomes)
        )
        expect(told, f"a create that never went out ended with {_seen(outcomes, error)}")
        for name, read in _reads(desk).items():
            _, error = attempt(read)
            expect(isinstance(error, Transient), f"{name} without a connection ended with {_seen([], error)}")
    expect(desk.system.ids() == before, "a record was made although nothing was sent")
    expect(isinstance(desk.write(item)[0], Done), "it could not be repeated when the connection was back")


@check(
    "a fault of the server passes for reads and is doubt for writes",
    "5xx: a read may be asked again, of a write nobody knows whether it was applied",
)
def a_server_fault_is_classified(desk: Desk) -> None:
    desk.write(desk.creation())  # what has to be asked before a write is known now
    with _in(desk, Trouble.SERVER_ERROR):
        for name, read in _reads(desk).items():
            _, error = attempt(read)
            expect(isinstance(error, Transient), f"{name} ended with {_seen([], error)}")
        _create_is_doubt(desk)


@check(
    "a rate limit is told with the time to wait, and nothing is sent again before",
    "RateLimited with retry_after from the answer's Retry-After; no sleeping, no further calls",
)
def a_rate_limit_tells_when(desk: Desk) -> None:
    with _in(desk, Trouble.RATE_LIMITED):
        calls = desk.system.way.calls
        for name, read in _reads(desk).items():
            _, error = attempt(read)
            expect(isinstance(error, RateLimited), f"{name} ended with {_seen([], error)}")
            told = getattr(error, "retry_after", None)
            expect(
                told is not None and told >= WAIT, f"the system said {WAIT:.0f} seconds, {name} says {told}"
            )
        made = desk.system.way.calls - calls
        expect(made <= FEW_CALLS, f"{made} calls were made although the first was told to wait")


@check(
    "a write that meets the rate limit is not applied and waits as long as it was told",
    "RateLimited for the call, or NotApplied(retry_after, tried=False) for the items",
)
def a_write_at_the_limit_waits(desk: Desk) -> None:
    with _in(desk, Trouble.RATE_LIMITED):
        outcomes, error = _write_ends(desk, desk.change(desk.ids[0], "later"))
    found = [error] if error else list(outcomes)
    for one in found:
        expect(isinstance(one, RateLimited | NotApplied), f"it ended with {_seen(outcomes, error)}")
        told = getattr(one, "retry_after", None)
        expect(
            told is not None and told >= WAIT, f"the system said {WAIT:.0f} seconds, the outcome says {told}"
        )
        expect(getattr(one, "tried", False) is False, "it counts as an attempt of the item")
    expect(desk.text(desk.ids[0]) != "later", "it was written all the same")


@check(
    "credentials that are not taken stop the connection, and are not tried again and again",
    "401 is Unauthorized, for reads and writes alike; at most one renewal of a token",
)
def refused_credentials_are_told(desk: Desk) -> None:
    with _in(desk, Trouble.UNAUTHORIZED):
        for name, read in {**_reads(desk), "whoami": desk.connector.whoami}.items():
            calls = desk.system.way.calls
            _, error = attempt(read)
            expect(isinstance(error, Unauthorized), f"{name} ended with {_seen([], error)}")
            expect(desk.system.way.calls - calls <= FEW_CALLS, f"{name} was tried again and again")
        outcomes, error = _write_ends(desk, desk.creation())
    told = isinstance(error, Unauthorized) or (
        outcomes and all(isinstance(one, NotApplied) and not one.tried for one in outcomes)
    )
    expect(told, f"a create ended with {_seen(outcomes, error)}")


def _unusable(desk: Desk, trouble: Trouble) -> None:
    """An answer that is none: reads must not take it for one, writes are in doubt."""
    desk.write(desk.creation())  # what has to be asked before a write is known now
    with _in(desk, trouble):
        for name, read in _reads(desk).items():
            answer, error = attempt(read)
            expect(error is not None, f"{name} took it for an answer: {type(answer).__name__}")
            expect(isinstance(error, Malformed), f"{name} ended with {_seen([], error)}")
        _create_is_doubt(desk)


@check(
    "a page for people is no answer, whatever its status",
    "check that the answer is what the system promises: a login page with 200 must not be an empty listing",
)
def a_login_page_is_no_answer(desk: Desk) -> None:
    _unusable(desk, Trouble.HTML)


@check("half an answer is no answer", "use nothing of an answer that breaks off")
def half_an_answer_is_no_answer(desk: Desk) -> None:
    _unusable(desk, Trouble.HALF)


@check(
    "an answer of another form is no answer",
    "a missing list of records is Malformed, never an empty page: else the hub takes all for deleted",
)
def an_answer_of_another_form_is_none(desk: Desk) -> None:
    _unusable(desk, Trouble.OTHER_FORM)


@check(
    "nothing is sent to another host, wherever an answer points",
    "no redirects; addresses in answers are followed only on the host of the settings",
    many=True,
)
def only_the_own_host_is_spoken_to(desk: Desk) -> None:
    for read in _reads(desk).values():
        attempt(read)
    known = set(desk.system.way.reached)
    if not known:
        raise CannotPlay("it speaks to no hosts")
    with _in(desk, Trouble.ELSEWHERE):
        attempt(lambda: desk.pages(Reading.LISTING))
        for read in _reads(desk).values():
            attempt(read)
        _write_ends(desk, desk.change(desk.ids[0], "elsewhere"))
    strangers = set(desk.system.way.reached) - known
    expect(not strangers, f"{sorted(strangers)} was spoken to, as an answer pointed there")


class _Heard(logging.Handler):
    """Everything that is logged, as text."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.getMessage()} {record.exc_info or ''}")


@contextmanager
def _listening() -> Iterator[list[str]]:
    heard, root = _Heard(), logging.getLogger()
    level = root.level
    root.addHandler(heard)
    root.setLevel(logging.DEBUG)
    try:
        yield heard.lines
    finally:
        root.removeHandler(heard)
        root.setLevel(level)


@check(
    "no error shows a secret, even where the system repeats it",
    "mask the settings' secrets in the system's words; do not chain exceptions that hold the request",
)
def errors_show_no_secret(desk: Desk) -> None:
    _with_secrets(desk)
    for trouble in Trouble:
        for name, shown in _shown(desk, trouble):
            for secret in desk.system.secrets:
                expect(secret not in shown, f"the error of {name} under {trouble} shows a secret")
    for secret in desk.system.secrets:
        expect(secret not in repr(desk.connector), "the connector's repr shows a secret")


@check(
    "no log holds a secret or a value",
    "log no requests, answers, headers or addresses: personal values stand in them",
)
def logs_hold_no_secret_and_no_value(desk: Desk) -> None:
    item = desk.creation()
    with _listening() as lines:
        desk.pages(Reading.LISTING)
        desk.write(item)
        for trouble in Trouble:
            _shown(desk, trouble)
    told = [
        *desk.system.secrets,
        *(str(item.values[name]) for name in (desk.harness.field, desk.harness.other)),
    ]
    for line in lines:
        expect(
            not any(text in line for text in told), f"a log line holds a secret or a value: {line[:60]}..."
        )


def _with_secrets(desk: Desk) -> None:
    if not desk.system.secrets:
        raise CannotPlay("there are no secrets")


def _shown(desk: Desk, trouble: Trouble) -> list[tuple[str, str]]:
    """What people get to see of every call under this trouble; nothing where it cannot be played."""
    try:
        desk.strike(trouble)
    except CannotPlay:
        return []
    wrong = desk.item(WriteKind.UPDATE, desk.ids[0], values=desk.harness.wrong)
    calls = {**_reads(desk), "whoami": desk.connector.whoami, "a write": lambda: desk.write(wrong)}
    try:
        return [(name, _text(call)) for name, call in calls.items()]
    finally:
        desk.heal()


def _text(call: Callable[[], object]) -> str:
    """The error with all that hangs on it, or the answer."""
    try:
        return repr(call())
    except TrueupError as error:
        told: BaseException | None = error
        parts = []
        while told is not None:
            parts += [str(told), repr(told), repr(vars(told))]
            told = told.__cause__ or (None if told.__suppress_context__ else told.__context__)
        return "\n".join(parts)
    except Exception as error:
        fail(f"an error that is none of trueup came out: {type(error).__name__}")
