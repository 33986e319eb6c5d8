"""Checks of a connector's life: what it says of itself, what it takes, what it lets go."""

from __future__ import annotations

from trueup.connectors.base import Capability, ObjectSpec
from trueup.errors import RateLimited
from trueup.model.record import FieldSpec, Reading
from trueup.testing.acceptance.checks import check, expect
from trueup.testing.acceptance.desk import Desk, attempt

TYPES = frozenset(
    ("text", "email", "phone", "url", "bool", "int", "decimal", "date", "datetime", "choice", "multi_choice")
    + ("reference", "object", "unknown")
)
OWN_LIMIT = 3600.0
"""Seconds that the budget says to wait: too long to be slept in a call."""
MOST_WAIT = 600.0


@check(
    "who we are there is told in a sentence, by one call that needs the credentials",
    "ask for the account that is signed in to; a person must recognise it",
)
def the_account_is_named(desk: Desk) -> None:
    before = desk.system.way.calls
    said = desk.connector.whoami()
    expect(said.strip(), "whoami says nothing")
    expect(desk.system.way.calls > before, "whoami asked nobody: it cannot know")
    expect(not any(secret in said for secret in desk.system.secrets), "whoami shows a secret")


@check(
    "the fields of the object are described, those that are written as writable",
    "`fields` must name the paths that pull and write use; `trueup check --live` rests on it",
)
def fields_are_described(desk: Desk) -> None:
    said = {spec.name: spec for spec in desk.connector.fields(desk.object)}
    missing = [name for name in desk.harness.fields if name not in said]
    expect(not missing, f"{missing} can be read and written and are not described")
    for name in desk.harness.fields:
        _described(said[name])
    required = {name for name, spec in said.items() if spec.required and spec.writable}
    expect(required <= set(desk.harness.fields), f"{sorted(required)} are required, a create worked without")


def _described(spec: FieldSpec) -> None:
    expect(spec.type in TYPES, f"`{spec.name}` is of the type {spec.type!r}, which there is not")
    expect(spec.writable, f"`{spec.name}` can be written and is described as read-only")
    expect(spec.label, f"`{spec.name}` has no label")


@check(
    "what the object says of itself fits together",
    "a capability that needs a figure or a key (batches, look-ups, merges) must have it",
)
def capabilities_fit_together(desk: Desk) -> None:
    spec = desk.spec
    expect(spec.name == desk.object, f"the object `{desk.object}` calls itself `{spec.name}`")
    for capability, holds, needs in _needs(spec):
        expect(capability not in spec.capabilities or holds, f"{capability} is claimed without {needs}")
    expect(spec.read_batch >= 1 and spec.write_batch >= 1, "a batch has room for nothing")
    expect(spec.lag >= 0 and spec.lookback >= 0, "a time is negative")


def _needs(spec: ObjectSpec) -> tuple[tuple[Capability, bool, str], ...]:
    capabilities = spec.capabilities
    return (
        (Capability.LOOKUP_BY_KEY, bool(spec.keys), "`keys`"),
        (Capability.UPSERT_BY_KEY, bool(spec.keys), "`keys`"),
        (Capability.BATCH_WRITE, spec.write_batch > 1, "a `write_batch` of more than one"),
        (Capability.BATCH_READ, spec.read_batch > 1, "a `read_batch` of more than one"),
        (Capability.MERGE, bool(spec.merge_undo), "a word on how it is undone (`merge_undo`)"),
        (Capability.READ_YOUR_WRITES, spec.lag == 0, "a `lag` of none"),
        (Capability.ORDERED_BY_CHANGE, Capability.INCREMENTAL in capabilities, "incremental"),
        (Capability.DELETES_VISIBLE, Capability.INCREMENTAL in capabilities, "incremental"),
        (Capability.CONTENT_IDS, Capability.COMPLETE_LISTING in capabilities, "complete_listing"),
        (Capability.ASYNC_BATCH, Capability.BATCH_WRITE in capabilities, "batch_write"),
    )


@check(
    "an account can be probed a second time, and by another process, with the same answers",
    "keep nothing between calls but tokens and names of fields",
)
def two_processes_see_the_same(desk: Desk) -> None:
    other = desk.another()
    expect(other.whoami() == desk.connector.whoami(), "two connectors of one account name it differently")
    here, there = desk.connector.fields(desk.object), other.fields(desk.object)
    expect({one.name for one in here} == {one.name for one in there}, "they describe different fields")
    expect(dict(other.objects()) == dict(desk.connector.objects()), "they know different objects")


@check(
    "the budget is asked before each call",
    "go through the shared client, or ask the budget yourself: all workers share the account's limit",
)
def calls_are_counted(desk: Desk) -> None:
    calls, asked = desk.system.way.calls, desk.budget.asked
    desk.connector.whoami()
    desk.pages(Reading.LISTING)
    desk.connector.read(desk.object, desk.ids, desk.harness.fields)
    desk.write(desk.change(desk.ids[0], "counted"))
    made, counted = desk.system.way.calls - calls, desk.budget.asked - asked
    expect(counted >= made, f"{made} calls were made and the budget was asked {counted} times")


@check(
    "nothing is sent while the budget says to wait long",
    "raise RateLimited with the budget's time; the worker does something else meanwhile",
)
def a_used_up_budget_stops_calls(desk: Desk) -> None:
    desk.connector.whoami()
    calls, desk.budget.wait = desk.system.way.calls, OWN_LIMIT
    _, error = attempt(lambda: desk.connector.pull(desk.object, Reading.LISTING, None, desk.harness.fields))
    desk.budget.wait = 0.0
    expect(isinstance(error, RateLimited), f"a reading without budget ended with {type(error).__name__}")
    expect(desk.system.way.calls == calls, "a call was made against the budget")
    told = getattr(error, "retry_after", None)
    expect(
        told is not None and told >= OWN_LIMIT, f"the budget said {OWN_LIMIT:.0f} seconds, the error {told}"
    )


@check(
    "no call waits for ever",
    "give every call a timeout: a system that never answers must not hold a worker",
)
def calls_have_a_timeout(desk: Desk) -> None:
    desk.pages(Reading.LISTING)
    desk.write(desk.change(desk.ids[0], "in time"))
    longest = desk.system.way.patience
    expect(longest is not None, "a call without a timeout was made")
    expect(longest is not None and longest <= MOST_WAIT, f"a call may take {longest} seconds")


@check(
    "a connector that is closed holds nothing open, also in the middle of a reading",
    "close the client, the pool, the files; closing twice does no harm",
    many=True,
)
def closing_lets_go(desk: Desk) -> None:
    desk.connector.pull(desk.object, Reading.LISTING, None, desk.harness.fields)
    desk.connector.close()
    for other in desk.opened:
        other.close()
    desk.opened.clear()
    held = desk.system.way.held()
    expect(held == 0, f"{held} connections or files are still open")
    desk.connector.close()
