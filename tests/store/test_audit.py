"""What people decided is written down, chained, without anybody's values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import create_engine, text

from tests.store.hub import Hub, at, create, plan, update
from trueup.model.delivery import DeliveryState, Settlement
from trueup.model.run import AuditRow, Chain
from trueup.store.audit import FIRST, digest_of


def told(hub: Hub) -> list[tuple[str, str, str]]:
    return [(one.user, one.action, one.subject) for one in hub.store.audit("", 100)]


def gated(hub: Hub) -> None:
    case = hub.linked("sales", "1", "shop", a=1)
    hub.store.mark_due([case.entity.id], "test")
    case = hub.case(case.entity.id)
    (mine,) = [link for link in case.links if link.connection == "shop"]
    hub.commit(plan(case, {}, replace(update(mine, a=None), gate="clear")))


def parked(hub: Hub) -> int:
    case = hub.settled("sales", "1", a=1)
    hub.store.mark_due([case.entity.id], "test")
    hub.commit(plan(hub.case(case.entity.id), {}, create("shop", a=1)))
    (delivery,) = hub.send()
    hub.settle(Settlement(delivery.id, DeliveryState.PARKED, error="ann@example.com is taken"))
    return delivery.id


def opens(hub: Hub) -> None:
    gated(hub)
    hub.store.open_gates("shop", "clear", "ann", at(5))


def closes(hub: Hub) -> None:
    gated(hub)
    hub.store.close_gates(1, "ann", "ask bob@example.com first", at(5))


def retries(hub: Hub) -> None:
    hub.store.retry([parked(hub)], "ann", at(5))


def discards(hub: Hub) -> None:
    hub.store.discard([parked(hub)], "ann", at(5))


def edits(hub: Hub) -> None:
    hub.settled("sales", "1", a=1)
    hub.store.edit("c-1", {"email": "ann@example.com"}, "ann", at(5), True)


DECISIONS: list[tuple[Callable[[Hub], object], str, str]] = [
    (opens, "runs approve", "run 1"),
    (closes, "runs reject", "run 1"),
    (retries, "failures retry", "1 write"),
    (discards, "failures discard", "1 write"),
    (edits, "contacts edit", "c-1"),
    (lambda hub: hub.store.release("shop", "ann", at(5)), "connections release", "shop"),
    (lambda hub: hub.store.approve(["shop"], "ann", at(5)), "sync --approve-first", "shop"),
    (lambda hub: hub.store.rename_connection("shop", "store", "ann", at(5)), "connections rename", "shop"),
    (lambda hub: hub.store.remove_connection("shop", "ann", at(5)), "connections remove", "shop"),
]


@pytest.mark.parametrize(("decide", "action", "subject"), DECISIONS, ids=[row[1] for row in DECISIONS])
def test_every_decision_of_a_person_says_who_when_and_what(
    hub: Hub, decide: Callable[[Hub], object], action: str, subject: str
) -> None:
    decide(hub)
    (one,) = hub.store.audit("", 100)
    assert (one.user, one.action, one.subject, one.at) == ("ann", action, subject, at(5))
    assert "example.com" not in f"{one.subject} {one.details}"


def test_an_edit_names_the_fields_and_not_what_stands_there(hub: Hub) -> None:
    edits(hub)
    (one,) = hub.store.audit("", 100)
    assert one.details == {"fields": ["email"], "pinned": True}


def test_what_the_hub_does_by_itself_is_no_decision(hub: Hub) -> None:
    gated(hub)
    hub.store.open_gates("shop", "clear", "", at(5))
    assert told(hub) == []


def test_what_changed_nothing_is_not_told(hub: Hub) -> None:
    hub.store.approve(["shop"], "ann", at(1))
    hub.store.approve(["shop"], "bob", at(2))
    hub.store.retry([], "ann", at(3))
    hub.store.close_gates(1, "ann", "no", at(4))
    assert told(hub) == [("ann", "sync --approve-first", "shop")]


def test_the_newest_decision_comes_first_and_one_subject_can_be_asked_for(hub: Hub) -> None:
    hub.store.approve(["shop", "mail"], "ann", at(1))
    hub.store.release("shop", "bob", at(2))
    assert [subject for _, _, subject in told(hub)] == ["shop", "shop", "mail"]
    assert [one.user for one in hub.store.audit("shop", 100)] == ["bob", "ann"]
    assert len(hub.store.audit("", 1)) == 1


def test_each_row_is_chained_to_the_one_before(hub: Hub) -> None:
    hub.store.approve(["shop", "mail"], "ann", at(1))
    hub.store.release("shop", "bob", at(2))
    rows = list(reversed(hub.store.audit("", 100)))
    assert [one.previous for one in rows] == [FIRST, *(one.digest for one in rows[:-1])]
    assert [one.digest for one in rows] == [digest_of(one) for one in rows]
    assert digest_of(replace(rows[0], user="eve")) != rows[0].digest
    assert isinstance(rows[0], AuditRow)


# -- whether they stand as they were written ----------------------------------------------------------


def decided(hub: Hub) -> None:
    """Three decisions."""
    hub.store.approve(["shop", "mail"], "ann", at(1))
    hub.store.release("shop", "bob", at(2))


def tampered(url: str, sql: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text(sql))
    engine.dispose()


def test_decisions_that_nobody_touched_are_found_whole(hub: Hub) -> None:
    assert hub.store.verify_audit() == Chain(0, FIRST)
    decided(hub)
    assert hub.store.verify_audit() == Chain(3, hub.store.audit("", 1)[0].digest)


@pytest.mark.parametrize(
    ("sql", "stand"),
    [
        ("update audit set author = 'eve' where id = 2", 1),
        ("update audit set at = at + 1 where id = 1", 0),
        ("update audit set details = 'no JSON' where id = 3", 2),
        ("delete from audit where id = 2", 1),
        ("delete from audit where id = 1", 0),
        ("update audit set digest = previous where id = 2", 1),
        (
            "insert into audit (id, at, author, action, subject, details, previous, digest)"
            " select 4, at, author, action, subject, details, previous, digest from audit where id = 3",
            3,
        ),
    ],
)
def test_one_that_was_changed_taken_out_or_put_in_is_found(hub: Hub, url: str, sql: str, stand: int) -> None:
    decided(hub)
    tampered(url, sql)
    found = hub.store.verify_audit()
    assert (found.rows, found.broken is not None) == (stand, True)


def test_long_chains_are_looked_through_to_their_end(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trueup.store.audit._CHUNK", 2)
    decided(hub)
    assert hub.store.verify_audit().rows == 3
