"""On which terms fields take values: who waits for others is due when they are, on both databases."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.store.hub import NOON, Hub, plan
from trueup.model.entity import NEVER, Agreed, Quarantine

STREAM = ("sales", "contacts")
TELLING = ("title",)
ASIDE = Quarantine("out", "longer than the 4 characters", "TU-VAL-002", "d", NOON)


def noted(hub: Hub, id: str, quarantine: dict[str, Quarantine], agreed: dict[str, Agreed]) -> int:
    """An entity with a record of which this is remembered, nothing due."""
    case = hub.settled("sales", id, note="a")
    (patch,) = plan(case).links
    hub.commit(plan(case, links=(replace(patch, quarantine=quarantine, agreed=agreed),)))
    return case.entity.id


def heed(hub: Hub, **terms: str) -> int:
    return hub.store.heed_terms({STREAM: terms}, TELLING)


def test_whose_value_was_set_aside_is_due_when_the_terms_of_its_field_are_others(hub: Hub) -> None:
    heed(hub, note="short", title="x")
    lacks = noted(hub, "1", {"note": ASIDE}, {})
    noted(hub, "2", {"title": ASIDE}, {})
    hub.settled("sales", "3", note="a")
    assert heed(hub, note="long", title="x") == 1
    assert (hub.due(), hub.case(lacks).reasons) == ([lacks], ("terms",))


@pytest.mark.parametrize(
    ("agreed", "waits"),
    [
        (Agreed(NEVER, None), True),
        (Agreed(NEVER, None, withheld=True), False),
        (Agreed("b", "a", left=True), False),
    ],
    ids=["never written", "waits for a release", "left by its file"],
)
def test_what_was_never_written_is_due_and_what_is_withheld_or_left_is_not(
    agreed: Agreed, waits: bool, hub: Hub
) -> None:
    heed(hub, note="locked")
    noted(hub, "1", {}, {"note": agreed})
    assert heed(hub, note="open") == int(waits)


def test_the_same_terms_make_nobody_due(hub: Hub) -> None:
    heed(hub, note="short")
    noted(hub, "1", {"note": ASIDE}, {})
    assert [heed(hub, note="short"), heed(hub, note="long"), heed(hub, note="long")] == [0, 1, 0]


def test_a_stream_of_which_nothing_is_said_keeps_its_terms(hub: Hub) -> None:
    heed(hub, note="short")
    noted(hub, "1", {"note": ASIDE}, {})
    assert hub.store.heed_terms({}, TELLING) == 0
    assert heed(hub, note="short") == 0


def test_a_field_that_comes_or_goes_is_another(hub: Hub) -> None:
    heed(hub, title="x")
    noted(hub, "1", {"note": ASIDE}, {})
    assert heed(hub, title="x", note="new") == 1


def test_a_refusal_keeps_the_terms_on_which_it_was_made(hub: Hub) -> None:
    noted(hub, "1", {"note": replace(ASIDE, terms="short")}, {})
    assert hub.link("sales", "1").quarantine["note"].terms == "short"


def test_who_has_no_record_there_is_due_when_what_tells_who_somebody_is_takes_other_values(hub: Hub) -> None:
    heed(hub, note="x", title="short")
    elsewhere = hub.settled("shop", "1", note="a").entity.id
    hub.settled("sales", "2", note="a")
    assert (heed(hub, note="y", title="short"), hub.due()) == (0, [])
    assert (heed(hub, note="y", title="long"), hub.due()) == (1, [elsewhere])


def test_a_system_that_is_asked_for_the_first_time_makes_nobody_due(hub: Hub) -> None:
    hub.settled("shop", "1", note="a")
    assert (heed(hub, title="short"), hub.due()) == (0, [])
