"""What a connector's code did not foresee ends a call, never a run; and no value stands in the text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from trueup.connectors.base import Connector, Done, WebhookRequest, WriteItem
from trueup.connectors.boundary import Bounded
from trueup.errors import ConnectorError, Malformed, OutcomeUnknown, RateLimited
from trueup.model.delivery import WriteKind
from trueup.model.record import Reading, Record

SECRET = "canary@example.com"
ITEM = WriteItem("k", WriteKind.UPDATE, "1", {"email": SECRET})


class Odd:
    """A connector of somebody else; every method does what it was made with."""

    def __init__(self, does: Callable[[], Any]) -> None:
        self._does = does

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return lambda *_: self._does()


def _trips() -> Any:
    return {}[SECRET]


def odd(does: Callable[[], Any] = _trips) -> Bounded:
    connector: Any = Odd(does)
    return Bounded(connector, "crm")


READS: dict[str, Callable[[Connector], object]] = {
    "whoami": lambda connector: connector.whoami(),
    "fields": lambda connector: connector.fields("contacts"),
    "pull": lambda connector: connector.pull("contacts", Reading.LISTING, None, []),
    "read": lambda connector: connector.read("contacts", ["1"], []),
    "find": lambda connector: connector.find("contacts", "email", [SECRET], []),
    "poll": lambda connector: connector.poll("contacts", "job", [ITEM]),
    "hints": lambda connector: connector.hints(WebhookRequest("POST", "https://hub", {}, b"")),
}


@pytest.mark.parametrize("call", READS)
def test_a_read_that_trips_is_malformed_and_says_where_without_the_value(call: str) -> None:
    with pytest.raises(Malformed, match=r"KeyError in connectors/test_boundary.py:\d+") as caught:
        READS[call](odd())
    assert caught.value.connection == "crm"
    assert SECRET not in str(caught.value)


def test_a_write_that_trips_may_have_been_carried_out() -> None:
    with pytest.raises(OutcomeUnknown, match="KeyError") as caught:
        odd().write("contacts", [ITEM], [])
    assert SECRET not in str(caught.value)


def test_an_error_that_the_connector_means_comes_out_as_it_is() -> None:
    told = RateLimited("wait", retry_after=7.0)

    def limited() -> Any:
        raise told

    with pytest.raises(RateLimited) as caught:
        odd(limited).write("contacts", [ITEM], [])
    assert caught.value is told


@pytest.mark.parametrize(
    ("call", "kind"),
    [(READS["read"], Malformed), (READS["poll"], Malformed),
     (lambda connector: connector.write("contacts", [ITEM], []), OutcomeUnknown)],
)  # fmt: skip
def test_more_or_fewer_answers_than_questions_are_none(
    call: Callable[[Connector], object], kind: type[ConnectorError]
) -> None:
    with pytest.raises(kind, match="2 answers to 1 question"):
        call(odd(lambda: [Done("1"), Done("2")]))
    assert call(odd(lambda: [Record("1", {})]))
