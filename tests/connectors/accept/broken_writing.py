"""Connectors that write wrong, or tell wrongly what went wrong, each in one way, with the check that must
see it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import httpx

from tests.connectors.accept.cards import Cards, Modest
from trueup.connectors.base import (
    Done,
    GoneItem,
    NotApplied,
    Outcome,
    Pending,
    RefusedItem,
    WriteItem,
)
from trueup.errors import ConnectorError, OutcomeUnknown, RateLimited, Refused, Unauthorized
from trueup.model.delivery import WriteKind
from trueup.model.record import Json, Record


class NamesTheKey(Cards):
    """Calls the new record by the key of the item."""

    breaks = "a_create_names_its_record"

    def done(self, result: Any, item: WriteItem, fields: Sequence[str]) -> Outcome:
        done = super().done(result, item, fields)
        assert isinstance(done, Done)
        return replace(done, id=item.key) if item.kind is WriteKind.CREATE else done


class ReadsFromTheIndex(Cards):
    """By id it reads what the search index shows, some seconds late."""

    breaks = "what_is_written_can_be_read"

    def read(self, object: str, ids: Sequence[str], fields: Sequence[str]) -> Sequence[Record | GoneItem]:
        found = super().read(object, ids, fields)
        now = self.clock.now()
        late = [isinstance(one, Record) and one.changed_at == now for one in found]
        return [GoneItem() if hidden else one for hidden, one in zip(late, found, strict=True)]


class AnswersWithTheStateBefore(Cards):
    """The record in its outcome is the one that it had read before it wrote."""

    breaks = "answers_hold_what_is_kept"

    def done(self, result: Any, item: WriteItem, fields: Sequence[str]) -> Outcome:
        done = super().done(result, item, fields)
        assert isinstance(done, Done) and done.record is not None
        return replace(done, record=replace(done.record, values=dict.fromkeys(fields, "before")))


class SendsEveryFieldItRead(Cards):
    """Fills an update up with what it read last."""

    breaks = "an_update_changes_what_it_names"

    def __init__(self, *ports: Any) -> None:
        super().__init__(*ports)
        self.seen: dict[str, dict[str, Json]] = {}

    def values(self, card: Any, fields: Sequence[str]) -> dict[str, Json]:
        said = super().values(card, fields)
        self.seen[self.id(card)] = said
        return said

    def sent(self, item: WriteItem) -> dict[str, Json]:
        return self.seen.get(item.id or "", {}) | dict(item.values)


class LosesClears(Cards):
    breaks = "none_empties_a_field"

    def sent(self, item: WriteItem) -> dict[str, Json]:
        return {name: value for name, value in item.values.items() if value is not None}


class GoesByPosition(Cards):
    """The results come in another order than the items were sent."""

    breaks = "outcomes_stand_in_the_order_of_items"

    def matched(
        self, results: Sequence[Any], items: Sequence[WriteItem], fields: Sequence[str]
    ) -> Sequence[Outcome]:
        return [self.outcome(result, item, fields) for result, item in zip(results, items, strict=True)]


class SwallowsItemErrors(Cards):
    """A batch that was answered was done."""

    breaks = "an_error_meets_its_item"

    def outcome(self, result: Any, item: WriteItem, fields: Sequence[str]) -> Outcome:
        if "error" in result and item.kind is WriteKind.UPDATE:
            return Done(str(item.id))
        return super().outcome(result, item, fields)


class BlamesTheFirst(Cards):
    """Lays the error of a create on the first item."""

    breaks = "an_error_meets_its_create"

    def matched(
        self, results: Sequence[Any], items: Sequence[WriteItem], fields: Sequence[str]
    ) -> Sequence[Outcome]:
        outcomes = super().matched(results, items, fields)
        if items[0].kind is not WriteKind.CREATE:
            return outcomes
        return sorted(outcomes, key=lambda outcome: not isinstance(outcome, RefusedItem))


class BlamesNoField(Cards):
    breaks = "a_refusal_names_its_field"

    def outcome(self, result: Any, item: WriteItem, fields: Sequence[str]) -> Outcome:
        outcome = super().outcome(result, item, fields)
        return replace(outcome, fields={"": "no"}) if isinstance(outcome, RefusedItem) else outcome


class PromisesLargerBatches(Cards):
    """Takes more than the system does in one call."""

    breaks = "full_batches_are_written"

    def objects(self) -> Any:
        return {name: replace(spec, write_batch=25) for name, spec in super().objects().items()}


class WritesOneByOne(Cards):
    breaks = "writing_goes_in_batches"

    def write(self, object: str, items: Sequence[WriteItem], fields: Sequence[str]) -> Sequence[Outcome]:
        return [outcome for item in items for outcome in self.batch([item], fields)]


class RefusesTheGone(Cards):
    """A record that is not there is a refusal like any other."""

    breaks = "an_update_of_a_deleted_record_is_gone"

    def outcome(self, result: Any, item: WriteItem, fields: Sequence[str]) -> Outcome:
        outcome = super().outcome(result, item, fields)
        return RefusedItem("not found", {"": "not found"}) if isinstance(outcome, GoneItem) else outcome


class ClaimsVersionsOnly(Cards):
    """Says that it guards, and does not send the version."""

    breaks = "stale_versions_are_refused"

    def item(self, item: WriteItem) -> dict[str, Json]:
        return super().item(item) | {"version": None}


class DeletesByClearing(Cards):
    """The record is still there, empty."""

    breaks = "deletes_take_their_record"

    def item(self, item: WriteItem) -> dict[str, Json]:
        said = super().item(item)
        return said | ({"do": "update"} if item.kind is WriteKind.DELETE else {})


class DeletesUnasked(Modest):
    breaks = "deletions_are_refused"

    def batch(self, items: Sequence[WriteItem], fields: Sequence[str]) -> Sequence[Outcome]:
        if items[0].kind is WriteKind.DELETE:
            return [Done(str(item.id)) for item in items]
        return super().batch(items, fields)


class ForgetsTheUpsertKey(Cards):
    breaks = "a_repeated_upsert_makes_one_record"

    def item(self, item: WriteItem) -> dict[str, Json]:
        return super().item(item) | {"upsert": None}


class MakesInAnotherPlace(Modest):
    """What it makes has another id than what it lists."""

    breaks = "a_created_record_can_be_found"

    def done(self, result: Any, item: WriteItem, fields: Sequence[str]) -> Outcome:
        return Done(f"new-{self.id(result['card'])}")


class ForgetsTheIdempotencyKey(Cards):
    breaks = "a_repeated_request_acts_once"

    def item(self, item: WriteItem) -> dict[str, Json]:
        return super().item(item) | {"once": False}


class KeepsTheJobToItself(Cards):
    """Another process cannot tell what became of a job."""

    breaks = "jobs_can_be_asked_about"

    def __init__(self, *ports: Any) -> None:
        super().__init__(*ports)
        self.mine: set[str] = set()

    def batch(self, items: Sequence[WriteItem], fields: Sequence[str]) -> Sequence[Outcome]:
        outcomes = super().batch(items, fields)
        self.mine |= {one.job for one in outcomes if isinstance(one, Pending)}
        return outcomes

    def poll(self, object: str, job: str, items: Sequence[WriteItem]) -> Sequence[Outcome]:
        return super().poll(object, job, items) if job in self.mine else [Pending(job) for _ in items]


class WaitsForNothing(Modest):
    """Calls a write a job although there are none."""

    breaks = "writes_do_not_wait"

    def batch(self, items: Sequence[WriteItem], fields: Sequence[str]) -> Sequence[Outcome]:
        super().batch(items, fields)
        return [Pending("job-1") for _ in items]


class NamesTheLoser(Cards):
    breaks = "merges_leave_one_record"

    def done(self, result: Any, item: WriteItem, fields: Sequence[str]) -> Outcome:
        done = super().done(result, item, fields)
        assert isinstance(done, Done)
        return replace(done, id=str(item.id)) if item.kind is WriteKind.MERGE else done


class MergesByDeleting(Modest):
    breaks = "merges_are_refused"

    def batch(self, items: Sequence[WriteItem], fields: Sequence[str]) -> Sequence[Outcome]:
        if items[0].kind is WriteKind.MERGE:
            return [Done(str(item.merge_into)) for item in items]
        return super().batch(items, fields)


# -- trouble ----------------------------------------------------------------------------------------------


class TakesSilenceForSuccess(Cards):
    """No answer within the time: it will have worked."""

    breaks = "a_lost_answer_is_doubt"

    def write(self, object: str, items: Sequence[WriteItem], fields: Sequence[str]) -> Sequence[Outcome]:
        try:
            return super().write(object, items, fields)
        except OutcomeUnknown:
            return [NotApplied("no answer") for _ in items]


class RepeatsWritesBlindly(Cards):
    breaks = "writes_are_sent_once"

    def item(self, item: WriteItem) -> dict[str, Json]:
        return super().item(item) | {"once": False}

    def transmit(self, method: str, path: str, query: Any, body: Any) -> httpx.Response:
        try:
            return super().transmit(method, path, query, body)
        except httpx.ReadTimeout:
            return super().transmit(method, path, query, body)


class DoubtsWhatNeverLeft(Cards):
    """Without a connection it does not know either."""

    breaks = "a_lost_request_is_not_applied"

    def transmit(self, method: str, path: str, query: Any, body: Any) -> httpx.Response:
        try:
            return super().transmit(method, path, query, body)
        except httpx.ConnectError as error:
            raise httpx.ReadError("no answer", request=error.request) from None


class CallsServerFaultsRefusals(Cards):
    breaks = "a_server_fault_is_classified"

    def judged(self, answer: httpx.Response, lost: Any, odd: Any) -> Any:
        if answer.status_code >= 500:
            raise Refused("it does not want to")
        return super().judged(answer, lost, odd)


class IgnoresRetryAfter(Cards):
    breaks = "a_rate_limit_tells_when"

    def limited(self, answer: httpx.Response) -> Exception:
        return RateLimited("too many calls", retry_after=1.0)


class CountsTheLimitAsAnAttempt(Cards):
    """After some rounds at the limit the write is given up."""

    breaks = "a_write_at_the_limit_waits"

    def write(self, object: str, items: Sequence[WriteItem], fields: Sequence[str]) -> Sequence[Outcome]:
        try:
            return super().write(object, items, fields)
        except RateLimited as error:
            return [NotApplied("too many calls", error.retry_after, tried=True) for _ in items]


class TriesTheTokenAgain(Cards):
    """A refused token is tried until the account is locked."""

    breaks = "refused_credentials_are_told"

    def call(self, method: str, path: str, query: Any, body: Any, lost: Any, odd: Any) -> Any:
        for _ in range(5):
            try:
                return super().call(method, path, query, body, lost, odd)
            except Unauthorized as error:
                refused = error
        raise refused


class TakesPagesForEmpty(Cards):
    """A login page has no records: so there are none."""

    breaks = "a_login_page_is_no_answer"

    def parsed(self, answer: httpx.Response, odd: Any) -> Any:
        if answer.headers.get("Content-Type") == "text/html":
            return {"cards": [], "more": False, "results": []}
        return super().parsed(answer, odd)


class UsesWhatItHas(Cards):
    """Reads the first half of an answer."""

    breaks = "half_an_answer_is_no_answer"

    def parsed(self, answer: httpx.Response, odd: Any) -> Any:
        if answer.content.startswith(b"{") and not answer.content.endswith(b"}"):
            return {"cards": [], "more": False, "results": []}
        return super().parsed(answer, odd)


class MissesNothing(Cards):
    """An answer without a list of records is an empty list."""

    breaks = "an_answer_of_another_form_is_none"

    def parsed(self, answer: httpx.Response, odd: Any) -> Any:
        body = answer.json() if answer.content.endswith(b"}") else None
        if isinstance(body, dict) and "surprise" in body:
            return {"cards": [], "more": False, "results": []}
        return super().parsed(answer, odd)


class FollowsWhereverItIsSent(Cards):
    """Redirects too, with the token."""

    breaks = "only_the_own_host_is_spoken_to"

    def transmit(self, method: str, path: str, query: Any, body: Any) -> httpx.Response:
        answer = super().transmit(method, path, query, body)
        following = "" if answer.status_code >= 300 or not _is_json(answer) else answer.json().get("next")
        if following:
            self.client.head(following)
        return answer


def _is_json(answer: httpx.Response) -> bool:
    return answer.content.startswith(b"{") and answer.content.endswith(b"}")


class RepeatsTheSystemsWords(Cards):
    """The system names the token in its error, and so does it."""

    breaks = "errors_show_no_secret"

    def judged(self, answer: httpx.Response, lost: Any, odd: Any) -> Any:
        try:
            return super().judged(answer, lost, odd)
        except ConnectorError as error:
            error.vendor_says = answer.text
            raise


class LogsItsRequests(Cards):
    breaks = "logs_hold_no_secret_and_no_value"

    def transmit(self, method: str, path: str, query: Any, body: Any) -> httpx.Response:
        logging.getLogger("cards").debug("%s %s %s", method, path, body)
        return super().transmit(method, path, query, body)


# -- living -----------------------------------------------------------------------------------------------


class AsksOnce(Cards):
    """Asks the budget for its first call."""

    breaks = "calls_are_counted"
    paid = False

    def pay(self) -> None:
        if not self.paid:
            super().pay()
        self.paid = True


class SpendsWhatItHasNot(Cards):
    """Asks the budget, and goes on whatever it says."""

    breaks = "a_used_up_budget_stops_calls"

    def pay(self) -> None:
        self.budget.ask("shelf", "default", "normal", 1.0)


class WaitsForEver(Cards):
    breaks = "calls_have_a_timeout"

    def transmit(self, method: str, path: str, query: Any, body: Any) -> httpx.Response:
        return self.client.request(method, path, params=query or None, json=body, timeout=None)


class NeverCloses(Cards):
    breaks = "closing_lets_go"

    def close(self) -> None:
        """The garbage collector will see to it."""
