"""JSON-RPC with Tryton: sessions, typed values, and errors that come with status 200.

Measured with Tryton 8.2: calls go to `/DATABASE/rpc/`; the last parameter is the context; a session
that is gone answers 401, too many failed logins 429, a method that is not exposed 403.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from decimal import Decimal
from email.utils import parsedate_to_datetime

import httpx
import orjson

from trueup.connectors.auth import Renewal
from trueup.connectors.http import Call, HttpClient
from trueup.connectors.manifest import ErrorBody, ErrorRule, Errors
from trueup.connectors.verdict import Answer, Effect, Verdict
from trueup.errors import (
    ConnectorError,
    Malformed,
    OutcomeUnknown,
    RateLimited,
    Transient,
    Unauthorized,
)
from trueup.model.record import Json

ALL = {"active_test": False}
"""A context in which inactive records are found too."""

_CONFIRM = "Tryton asks for a confirmation: do this once in its own client, or switch the warning off there"
ERRORS = Errors(
    body=ErrorBody(code="error[0]", message="error[1][0] || error[0]"),
    failed="error",
    rules=[
        ErrorRule(code=["ConcurrencyException"], kind="stale"),
        ErrorRule(code=["LoginException"], kind="unauthorized"),
        ErrorRule(code=["UserWarning"], kind="refused", remedy=_CONFIRM),
        ErrorRule(code=["UserError"], text=r"don't exist|does not exist", kind="gone"),
        ErrorRule(status=[404], kind="unauthorized", remedy="check the address and the database's name"),
        ErrorRule(status=[403], kind="unauthorized", remedy="this Tryton does not offer the method or model"),
    ],
)

_NAMED = re.compile(r'\b(record|records|value|party) "[^"]*"')


class SessionCredential:
    """A Tryton session: user and password buy a token that lives until the server forgets it."""

    def __init__(self, url: str, user: str, password: str) -> None:
        self._url, self._user, self._password = url, user, password
        self._token = ""

    def headers(self, now: datetime) -> Mapping[str, str] | None:
        return {"Authorization": f"Session {self._token}"} if self._token else None

    def renew(self, now: datetime) -> Renewal | None:
        return self._login()

    def told(self) -> Mapping[str, Json]:
        return {}

    def secrets(self) -> tuple[str, ...]:
        return (self._password, self._token) if self._token else (self._password,)

    def _login(self) -> Renewal:
        params = [self._user, {"password": self._password}, "en"]
        body = orjson.dumps({"id": 1, "method": "common.db.login", "params": params})
        headers = {"content-type": "application/json", "accept": "application/json"}
        answer = yield httpx.Request("POST", f"{self._url}/rpc/", content=body, headers=headers)
        user_id, token = _logged_in(answer)
        self._token = base64.b64encode(f"{self._user}:{user_id}:{token}".encode()).decode()

    def __repr__(self) -> str:
        return "SessionCredential()"


def _logged_in(answer: Answer) -> tuple[int, str]:
    if answer.status == 429:
        raise RateLimited("too many failed logins; Tryton waits before it takes another")
    if answer.status >= 500:
        raise Transient(f"the login answered {answer.status}")
    result = answer.body.get("result") if isinstance(answer.body, Mapping) else None
    if answer.status == 200 and isinstance(result, list) and len(result) >= 2:
        return int(result[0]), str(result[1])
    remedy = "check the database's name" if answer.status == 404 else "check user and password"
    raise Unauthorized(f"no session was given (status {answer.status})", remedy=remedy)


@dataclass(frozen=True, slots=True)
class Rpc:
    """Calls of model methods."""

    http: HttpClient

    def ask(self, method: str, params: Sequence[Json], context: Mapping[str, Json] = ALL) -> Json:
        """The result of a reading method. Raises the ConnectorError of what went wrong."""
        return _result(self.http.send(_call(method, params, context, Effect.READ)), method, Malformed)

    def ask_dated(self, method: str, params: Sequence[Json]) -> tuple[Json, datetime | None]:
        """The same, with the server's own time as its answer's header tells it."""
        answer = self.http.send(_call(method, params, ALL, Effect.READ))
        return _result(answer, method, Malformed), _date_of(answer)

    def tell(self, method: str, params: Sequence[Json], context: Mapping[str, Json]) -> Json | Verdict:
        """The result of a writing method, or why it was not carried out. One call is one transaction."""
        answer, verdict = self.http.exchange(_call(method, params, context, Effect.WRITE))
        if verdict is None:
            return _result(answer, method, OutcomeUnknown)
        return replace(verdict, says=_NAMED.sub(r"\1", verdict.says))


def _call(method: str, params: Sequence[Json], context: Mapping[str, Json], effect: Effect) -> Call:
    body = {"id": 1, "method": f"model.{method}", "params": [*params, dict(context)]}
    return Call("POST", "/rpc/", method, effect, body=body)


def _result(answer: Answer, method: str, otherwise: type[ConnectorError]) -> Json:
    """What the method returned; where the answer does not tell, the error that this means."""
    if not isinstance(answer.body, Mapping) or "result" not in answer.body:
        raise otherwise("the answer has no result", operation=method)
    return answer.body["result"]


def _date_of(answer: Answer) -> datetime | None:
    try:
        return parsedate_to_datetime(answer.headers.get("date", "")).astimezone(UTC)
    except ValueError:
        return None


# -- typed values -------------------------------------------------------------------------------------


def plain(value: Json) -> Json:
    """A typed value as plain JSON: dates ISO, date-times ISO in UTC, decimals as text, bytes None."""
    if not isinstance(value, Mapping):
        return value
    match value.get("__class__"):
        case "datetime":
            return moment_in(value).isoformat()
        case "date":
            return date(value["year"], value["month"], value["day"]).isoformat()
        case "time":
            return time(value["hour"], value["minute"], value["second"], value["microsecond"]).isoformat()
        case "timedelta":
            return str(value["seconds"])
        case "Decimal":
            return str(value["decimal"])
        case "bytes":
            return None
        case _:
            return dict(value)


def moment_in(value: Mapping[str, int]) -> datetime:
    """A typed date-time; Tryton's are in UTC."""
    parts = ("year", "month", "day", "hour", "minute", "second", "microsecond")
    return datetime(*(value[part] for part in parts), tzinfo=UTC)  # type: ignore[misc,arg-type]


def typed_moment(moment: datetime) -> Json:
    """A date-time as Tryton takes it."""
    utc = moment.astimezone(UTC)
    return {
        "__class__": "datetime",
        **{part: getattr(utc, part) for part in ("year", "month", "day", "hour", "minute", "second")},
        "microsecond": utc.microsecond,
    }


def typed_date(day: date) -> Json:
    return {"__class__": "date", "year": day.year, "month": day.month, "day": day.day}


def typed_decimal(number: Decimal) -> Json:
    return {"__class__": "Decimal", "decimal": str(number)}
