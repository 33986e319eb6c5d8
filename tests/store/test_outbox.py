"""The outbox: what may go, what went, and how it ended."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.store.hub import Hub, assignment, at, create, done, plan, record, update
from trueup.errors import NotFound
from trueup.model.delivery import Delivery, DeliveryState, Lane, Settlement, Write, WriteKind
from trueup.model.entity import NEVER, Agreed, Link, LinkState, Quarantine
from trueup.model.fields import Kind
from trueup.model.matching import Verdict
from trueup.model.plan import Case
from trueup.model.record import Record
from trueup.model.run import Gate, RunOutcome


def mine(case: Case, connection: str = "shop") -> Link:
    (link,) = [link for link in case.links if link.connection == connection]
    return link


def writing(hub: Hub, case: Case, values: dict[str, object], *writes: Write) -> Case:
    hub.store.mark_due([case.entity.id], "test")
    assert hub.commit(plan(hub.case(case.entity.id), values, *writes)) == []
    return hub.case(case.entity.id)


def sent(hub: Hub, id: str = "1", **values: object) -> Delivery:
    """An update of a record in the shop that went out."""
    case = hub.linked("sales", id, "shop", a=1, b=1)
    values = values or {"a": 2}
    writing(hub, case, {"a": 1, "b": 1, **values}, update(mine(case), **values))
    (delivery,) = hub.send()
    return delivery


# -- outstanding and send ------------------------------------------------------------------------------


def test_a_write_may_go_with_all_that_the_call_needs(hub: Hub) -> None:
    case = hub.linked("sales", "1", "shop", a=1)
    case = writing(hub, case, {"a": 2}, update(mine(case), a=2))
    (delivery,) = hub.outstanding()
    assert delivery.write == update(mine(case), a=2)
    assert delivery.link == mine(case)
    assert (delivery.entity_id, delivery.entity_revision) == (case.entity.id, case.entity.revision)
    assert (delivery.state, delivery.attempts, delivery.config_version) == (DeliveryState.DUE, 0, "v1")


def test_what_waits_to_be_sent_comes_in_portions_of_all_connections_in_order(hub: Hub) -> None:
    one, other = hub.linked("sales", "1", "shop", "mail", a=1), hub.linked("sales", "2", "shop", a=1)
    writing(hub, one, {"a": 2}, update(mine(one), a=2), update(mine(one, "mail"), a=2))
    writing(hub, other, {"a": 3}, update(mine(other), Lane.URGENT, a=3))
    found, after = [], 0
    while some := hub.store.unsent(at(0), after, 2):
        assert len(some) <= 2
        after = some[-1].id
        found += [(each.write.connection, each.write.values["a"]) for each in some]
    assert found == [("shop", 2), ("mail", 2), ("shop", 3)]
    assert [each.entity_id for each in hub.store.unsent(at(0), 0, 9, [other.entity.id])] == [other.entity.id]


def test_a_new_record_does_not_leave_while_nobody_knows_who_came_there_meanwhile(hub: Hub) -> None:
    case = hub.linked("sales", "1", "shop", a=1)
    case = writing(hub, case, {"a": 2}, update(mine(case), a=2), create("mail", a=2))
    due = {one.id: one.link.rev for one in hub.store.unsent(at(0), 0, 9)}
    hub.land("mail", record("m1", 1, a=9))
    assert len(due) == 2
    left = hub.store.send(due, "w", at(1), None)
    assert [hub.store.delivery(id).write.connection for id in left] == ["shop"]
    hub.identify()
    left = hub.store.send(due, "w", at(2), None)
    assert [hub.store.delivery(id).write.connection for id in left] == ["mail"]


def test_a_write_does_not_leave_where_something_was_read_since_it_was_looked_at(hub: Hub) -> None:
    case = hub.linked("sales", "1", "shop", "mail", a=1)
    writing(hub, case, {"a": 2}, update(mine(case), a=2), update(mine(case, "mail"), a=2))
    due = {one.id: one.link.rev for one in hub.store.unsent(at(0), 0, 9)}
    shop = hub.case(case.entity.id).links
    hub.land("shop", record(next(one.remote_id for one in shop if one.connection == "shop"), 1, a=7))
    left = hub.store.send(due, "w", at(1), None)
    assert [hub.store.delivery(id).write.connection for id in left] == ["mail"]


def test_what_was_sent_waits_to_be_sent_no_more(hub: Hub) -> None:
    sent(hub)
    assert hub.store.unsent(at(0), 0, 9) == []


def test_one_batch_is_of_one_connection_object_kind_and_lane_the_urgent_first(hub: Hub) -> None:
    one, other = hub.linked("sales", "1", "shop", "mail", a=1), hub.linked("sales", "2", "shop", a=1)
    writing(hub, one, {"a": 2}, update(mine(one), a=2), update(mine(one, "mail"), a=2))
    writing(hub, other, {"a": 3}, update(mine(other), Lane.URGENT, a=3))
    batches = []
    while batch := hub.send():
        batches.append([(one.write.lane, one.write.connection, one.write.values["a"]) for one in batch])
    assert batches[0] == [(Lane.URGENT, "shop", 3)]
    assert sorted(batches[1:]) == [[(Lane.NORMAL, "mail", 2)], [(Lane.NORMAL, "shop", 2)]]


def test_a_batch_is_no_larger_than_asked_and_the_oldest_go_first(hub: Hub) -> None:
    cases = [hub.settled("sales", str(n), a=n) for n in range(3)]
    for case in cases:
        writing(hub, case, {"a": case.entity.id}, create("shop", a=case.entity.id))
    batch = hub.outstanding(limit=2)
    assert [one.entity_id for one in batch] == [case.entity.id for case in cases[:2]]


def test_only_the_asked_connections_are_served(hub: Hub) -> None:
    case = hub.settled("sales", "1", a=1)
    writing(hub, case, {"a": 1}, create("shop", a=1))
    assert hub.store.outstanding(at(0), list(Lane), ["mail"], 10) == []
    assert hub.store.outstanding(at(0), [Lane.URGENT], ["shop"], 10) == []


def test_a_gated_write_waits_for_its_gate(hub: Hub) -> None:
    case = hub.linked("sales", "1", "shop", a=1)
    writing(hub, case, {}, replace(update(mine(case), a=None), gate="clear"))
    assert hub.outstanding() == []
    assert hub.store.gated(1) == {("shop", "clear"): 1}
    assert hub.store.gated(2) == {}
    assert hub.store.open_gates("shop", "clear", "ann", at(5)) == 1
    assert len(hub.outstanding()) == 1
    assert hub.store.gates() == {}


def test_what_is_gated_is_gathered_under_the_newest_run_that_gates_and_the_others_say_so(hub: Hub) -> None:
    store = hub.store
    assert (store.held_by(), store.gather_gated(None)) == (None, None)
    runs = [store.start_run("sync", "c", "ann", at(0)) for _ in range(3)]
    for run_id, name in ((runs[0], "1"), (runs[1], "2")):
        case = hub.linked("sales", name, "shop", a=1)
        store.mark_due([case.entity.id], "test")
        cleared = replace(update(mine(case), a=None), gate="clear")
        assert hub.commit(plan(hub.case(case.entity.id), {}, cleared), run=run_id) == []
    assert store.gather_gated(None) == store.held_by() == runs[1]
    assert store.gated(runs[1]) == {("shop", "clear"): 2}
    told = [run_id for run_id in runs if any("went over" in note for note in store.run(run_id).notes)]
    assert told == runs[:1]
    assert store.run(runs[0]).notes[-1] == f"what it held back went over to run {runs[1]}"


def test_a_gate_tells_how_many_wait_of_whom_and_whether_an_ended_run_holds_them_back(hub: Hub) -> None:
    store, entities = hub.store, []
    runs = [store.start_run("sync", "c", "ann", at(0)) for _ in range(2)]
    for run_id, name, target in ((runs[0], "1", "shop"), (runs[1], "2", "shop"), (runs[1], "3", "mail")):
        case = hub.linked("sales", name, target, a=1)
        store.mark_due([case.entity.id], "test")
        cleared = replace(update(mine(case, target), a=None), gate="clear")
        assert hub.commit(plan(hub.case(case.entity.id), {}, cleared), run=run_id) == []
        entities.append(case.entity.id)
    assert store.gates() == {("shop", "clear"): Gate(2, False), ("mail", "clear"): Gate(1, False)}
    store.finish_run(runs[0], RunOutcome.HELD, {}, [], at(1))
    store.finish_run(runs[1], RunOutcome.STOPPED, {}, [], at(1))
    assert store.gates() == {("shop", "clear"): Gate(2, True), ("mail", "clear"): Gate(1, False)}
    assert store.gates(entities[1:2]) == {("shop", "clear"): Gate(1, False)}
    later = store.start_run("sync", "c", "ann", at(2))
    store.finish_run(later, RunOutcome.HELD, {}, [], at(3))
    assert store.gates(entities[1:]) == {("shop", "clear"): Gate(1, True), ("mail", "clear"): Gate(1, True)}


def test_the_gated_writes_of_a_rejected_run_are_closed(hub: Hub) -> None:
    case = hub.linked("sales", "1", "shop", a=1)
    writing(hub, case, {}, replace(update(mine(case), a=None), gate="clear"))
    assert hub.store.close_gates(1, "ann", "too many", at(5)) == 1
    (closed,) = hub.store.deliveries([DeliveryState.SUPERSEDED], "shop", 10)
    assert (closed.error, closed.write.values) == ("ann: too many", {})


def test_nothing_goes_to_a_tombstone_or_a_sleeping_connection(hub: Hub) -> None:
    case = hub.linked("sales", "1", "shop", a=1)
    writing(hub, case, {"a": 2}, update(mine(case), a=2))
    hub.store.register(["sales", "mail"], "v1")
    assert hub.outstanding() == []
    hub.store.register(["sales", "mail", "shop"], "v1")
    assert len(hub.outstanding()) == 1


def test_what_was_sent_is_not_sent_again(hub: Hub) -> None:
    delivery = sent(hub)
    assert hub.store.send({delivery.id: delivery.link.rev}, "w2", at(1), None) == []
    after = hub.store.delivery(delivery.id)
    assert (after.state, after.attempts, after.sent_at) == (DeliveryState.SENT, 1, at(0))
    assert hub.outstanding() == []


def test_the_urgent_lane_does_not_wait_for_the_ordinary_one(hub: Hub) -> None:
    delivery = sent(hub)
    hub.settle(Settlement(delivery.id, DeliveryState.DOUBT, not_before=at(60)))
    case = hub.case(delivery.entity_id)
    writing(hub, case, {"a": 2, "b": 2}, update(mine(case), Lane.URGENT, b=2))
    assert [one.write.lane for one in hub.outstanding()] == [Lane.URGENT]


def test_a_write_that_must_wait_says_when_it_may_go(hub: Hub) -> None:
    delivery = sent(hub)
    hub.settle(Settlement(delivery.id, DeliveryState.DUE, not_before=at(30), error="busy", code="TU-CON-010"))
    assert hub.outstanding(29) == []
    assert hub.store.next_delivery_at(["shop"]) == at(30)
    assert hub.store.next_delivery_at(["mail"]) is None
    (again,) = hub.outstanding(30)
    assert (again.id, again.write, again.error) == (delivery.id, delivery.write, "busy")


# -- settle --------------------------------------------------------------------------------------------


def test_a_write_that_was_applied_is_observed_and_agreed(hub: Hub) -> None:
    delivery = sent(hub)
    hub.settle(done(delivery, version="v9", changed_at=at(7)), now=8)
    link = mine(hub.case(delivery.entity_id))
    assert link.observed == {"a": 2, "b": 1}
    assert (link.agreed, link.base, link.version, link.changed_at) == ({}, {}, "v9", at(7))
    after = hub.store.delivery(delivery.id)
    assert (after.state, after.ended_at, after.write.values) == (DeliveryState.DONE, at(8), {})
    assert after.write.replaced == {"a": 1}
    assert hub.due() == []


def test_the_echo_of_our_own_write_is_no_news(hub: Hub) -> None:
    delivery = sent(hub)
    hub.settle(done(delivery, version="9", changed_at=at(9)))
    assert hub.land("shop", record("x-1", 9, a=2, b=1)).same == 1
    assert hub.due() == []


def test_what_the_system_keeps_of_it_is_agreed_too(hub: Hub) -> None:
    delivery = sent(hub, a="LONG")
    hub.settle(done(delivery, observed={"a": "LO"}, agreed={"a": Agreed("LONG", "LO")}))
    link = mine(hub.case(delivery.entity_id))
    assert (link.observed["a"], link.agreed) == ("LO", {})


def test_the_agreement_is_kept_where_the_entity_moved_on_meanwhile(hub: Hub) -> None:
    delivery = sent(hub)
    case = hub.case(delivery.entity_id)
    hub.store.mark_due([case.entity.id], "test")
    hub.commit(plan(hub.case(case.entity.id), {"a": 3}, links=()))
    hub.settle(done(delivery))
    assert mine(hub.case(case.entity.id)).agreed == {"a": Agreed(2, 2)}
    assert hub.due() == [case.entity.id]


def test_a_value_that_was_never_there_is_an_agreement_to_keep(hub: Hub) -> None:
    delivery = sent(hub)
    hub.settle(done(delivery, observed={}, agreed={"a": Agreed(NEVER, 1)}))
    assert mine(hub.case(delivery.entity_id)).agreed == {"a": Agreed(NEVER, 1)}


def test_what_was_read_on_the_way_and_written_over_is_remembered_until_it_is_told(hub: Hub) -> None:
    delivery = sent(hub)
    hub.land("shop", record("x-1", 6, a=9, b=1))
    hub.settle(done(delivery))
    assert mine(hub.case(delivery.entity_id)).agreed == {"a": Agreed(2, 2, unheard=9)}
    assert hub.due() == [delivery.entity_id]


def test_elements_that_were_read_on_the_way_and_written_over_are_remembered(hub: Hub) -> None:
    case = hub.linked("sales", "1", "shop", a=["old"])
    writing(hub, case, {"a": ["ours"]}, update(mine(case), a=["ours"]))
    (delivery,) = hub.send()
    hub.land("shop", record(delivery.link.remote_id or "", 6, a=["old", "theirs"]))
    hub.settle(done(delivery, observed={"a": ["ours"]}, agreed={"a": Agreed(["ours"], ["ours"])}))
    assert mine(hub.case(case.entity.id)).agreed["a"].unheard == ["old", "theirs"]


@pytest.mark.parametrize("there", [["old"], ["Ours"], ["old", "ours"], []])
def test_a_list_that_says_nothing_new_on_the_way_is_not_remembered(hub: Hub, there: list[str]) -> None:
    case = hub.linked("sales", "1", "shop", a=["old"])
    writing(hub, case, {"a": ["ours"]}, update(mine(case), a=["ours"]))
    (delivery,) = hub.send()
    hub.land("shop", record(delivery.link.remote_id or "", 6, a=list(there)))
    hub.settle(done(delivery, observed={"a": ["ours"]}, agreed={"a": Agreed(["ours"], ["ours"])}))
    assert "a" not in mine(hub.case(case.entity.id)).agreed


def test_our_own_value_that_was_read_before_the_answer_came_is_nothing_that_was_written_over(
    hub: Hub,
) -> None:
    delivery = sent(hub, a="LONG")
    hub.land("shop", record("x-1", 6, a="long", b=1))
    hub.settle(done(delivery, observed={"a": "LONG"}, agreed={"a": Agreed("LONG", "LONG")}))
    assert mine(hub.case(delivery.entity_id)).agreed == {}


def test_what_else_an_answer_tells_is_somebodys_edit(hub: Hub) -> None:
    delivery = sent(hub)
    hub.settle(done(delivery, said={"b": 7}))
    link = mine(hub.case(delivery.entity_id))
    assert (link.observed, link.base) == ({"a": 2, "b": 7}, {"b": 1})
    assert hub.case(delivery.entity_id).reasons == ("read",)


def test_an_edit_made_after_our_write_and_read_before_its_answer_is_kept(hub: Hub) -> None:
    delivery = sent(hub)
    hub.land("shop", record("x-1", 9, a=7, b=8), now=9)
    hub.settle(done(delivery, said={"b": 1}, version="5", changed_at=at(5)), now=10)
    link = mine(hub.case(delivery.entity_id))
    assert (link.observed, link.base, link.version) == ({"a": 7, "b": 8}, {"a": 2, "b": 1}, "9")
    assert "read" in hub.case(delivery.entity_id).reasons


def test_an_edit_that_our_write_replaced_is_over(hub: Hub) -> None:
    delivery = sent(hub)
    hub.land("shop", record("x-1", 3, a=7, b=1), now=9)
    hub.settle(done(delivery, version="5", changed_at=at(5)), now=10)
    link = mine(hub.case(delivery.entity_id))
    assert (link.observed["a"], link.base, link.version) == (2, {}, "5")


def test_an_answer_that_tells_nothing_new_makes_nobody_due(hub: Hub) -> None:
    delivery = sent(hub)
    hub.settle(done(delivery, said={"b": 1}))
    assert hub.due() == []


def test_a_prediction_holds_until_the_system_shows_it_or_time_is_up(hub: Hub) -> None:
    delivery = sent(hub)
    assumed = {"a": {"was": 1, "until": at(60).isoformat()}}
    hub.settle(done(delivery, assumed=assumed, version=None, drops_version=True))
    assert mine(hub.case(delivery.entity_id)).assumed == assumed
    assert hub.land("shop", record("x-1", 5, a=1, b=1), now=30).changed == 0
    assert mine(hub.case(delivery.entity_id)).observed["a"] == 2
    hub.land("shop", record("x-1", 6, a=2, b=1), now=40)
    assert mine(hub.case(delivery.entity_id)).assumed == {}
    assert hub.land("shop", record("x-1", 7, a=1, b=1), now=41).changed == 1


def test_a_prediction_that_was_shown_is_over(hub: Hub) -> None:
    delivery = sent(hub)
    hub.settle(done(delivery, assumed={"a": {"was": 1, "until": at(60).isoformat()}}))
    hub.land("shop", record("x-1", 5, a=2, b=1), now=10)
    assert mine(hub.case(delivery.entity_id)).assumed == {}
    assert hub.land("shop", record("x-1", 6, a=1, b=1), now=20).changed == 1


def test_a_prediction_that_never_came_true_is_given_up_when_time_is_up(hub: Hub) -> None:
    delivery = sent(hub)
    hub.settle(done(delivery, assumed={"a": {"was": 1, "until": at(60).isoformat()}}))
    assert hub.land("shop", record("x-1", 5, a=1, b=1), now=30).changed == 0
    assert hub.land("shop", record("x-1", 5, a=1, b=1), now=59).changed == 0
    assert hub.land("shop", record("x-1", 5, a=1, b=1), now=61).changed == 1
    assert mine(hub.case(delivery.entity_id)).observed["a"] == 1


def test_a_prediction_outlives_a_change_of_another_field(hub: Hub) -> None:
    delivery = sent(hub)
    hub.settle(done(delivery, assumed={"a": {"was": 1, "until": at(60).isoformat()}}))
    assert hub.land("shop", record("x-1", 5, a=1, b=9), now=30).changed == 1
    assert mine(hub.case(delivery.entity_id)).observed == {"a": 2, "b": 9}
    assert hub.land("shop", record("x-1", 5, a=1, b=9), now=61).changed == 1


ASSUMED = {"a": {"was": 1, "until": at(60).isoformat()}}


def unseen(hub: Hub, now: float) -> list[str | None]:
    return [one.remote_id for one in hub.store.hidden(at(now), ["shop"], 0, 10)]


def test_what_a_reading_hid_is_to_be_read_again_when_its_time_is_up(hub: Hub) -> None:
    hub.settle(done(sent(hub), assumed=ASSUMED))
    assert unseen(hub, 99) == []
    hub.land("shop", record("x-1", 5, a=1, b=1), now=30)
    assert unseen(hub, 59) == []
    assert unseen(hub, 60) == ["x-1"]
    assert hub.store.hidden(at(60), ["sales", "mail"], 0, 10) == []
    assert hub.store.hidden(at(60), ["shop"], hub.link("shop", "x-1").id, 10) == []


@pytest.mark.parametrize(("value", "now"), [(2, 40), (1, 61)])
def test_what_a_later_reading_settles_need_not_be_read_again(hub: Hub, value: int, now: float) -> None:
    delivery = sent(hub)
    hub.settle(done(delivery, assumed=ASSUMED))
    hub.land("shop", record("x-1", 5, a=1, b=1), now=30)
    hub.land("shop", record("x-1", 6, a=value, b=1), now=now)
    assert unseen(hub, 99) == []


def test_a_view_of_what_stood_there_before_our_write_is_asked_for_while_lists_may_be_older(hub: Hub) -> None:
    delivery = sent(hub)
    hub.settle(done(delivery, assumed=ASSUMED))
    before, ours = record("x-1", 5, a=1, b=1), record("x-1", 5, a=2, b=1)
    assert (_asked_for(hub, before, 59), _asked_for(hub, before, 60)) == (["x-1"], [])
    assert _asked_for(hub, ours, 59) == []


def test_what_the_system_itself_shows_within_the_lag_is_what_stands_there(hub: Hub) -> None:
    delivery = sent(hub)
    hub.settle(done(delivery, assumed=ASSUMED))
    here = record("x-1", 5, a=1, b=1)
    assert hub.land("shop", here, now=30).changed == 0
    assert hub.land("shop", here, now=31, asked=("x-1",), told_at=at(31)).changed == 1
    assert _asked_for(hub, here, 32) == []


def _asked_for(hub: Hub, view: Record, began: float) -> list[str]:
    return list(hub.store.late("shop", "contacts", [view], at(began), timedelta(seconds=1)))


def test_what_was_asked_for_again_is_not_asked_for_twice_whatever_was_answered(hub: Hub) -> None:
    hub.settle(done(sent(hub), assumed=ASSUMED))
    hub.land("shop", record("x-1", 5, a=1, b=1), now=30)
    hub.land("shop", record("x-1", 5, b=1), now=50, asked=("x-1",))
    assert unseen(hub, 60) == ["x-1"]
    hub.land("shop", record("x-1", 5, b=1), now=61, asked=("x-1",))
    assert unseen(hub, 99) == []


def test_what_was_asked_for_again_is_not_armed_by_what_is_read_of_other_fields_later(hub: Hub) -> None:
    hub.settle(done(sent(hub), assumed=ASSUMED))
    hub.land("shop", record("x-1", 5, a=1, b=1), now=30)
    hub.land("shop", record("x-1", 5, b=1), now=61, asked=("x-1",))
    hub.land("shop", record("x-1", 6, b=7), now=70)
    assert unseen(hub, 99) == []


def test_what_is_hidden_for_longer_than_another_field_is_asked_for_when_its_own_time_is_up(hub: Hub) -> None:
    longer = {"b": {"was": 1, "until": at(90).isoformat()}}
    hub.settle(done(sent(hub), observed={"a": 2, "b": 2}, assumed=ASSUMED | longer))
    hub.land("shop", record("x-1", 5, a=1, b=1), now=30)
    hub.land("shop", record("x-1", 5, c=1), now=61, asked=("x-1",))
    assert (unseen(hub, 89), unseen(hub, 90)) == ([], ["x-1"])


def test_what_answers_a_question_under_another_id_was_read(hub: Hub) -> None:
    hub.settle(done(sent(hub), assumed=ASSUMED))
    hub.land("shop", record("x-1", 5, a=1, b=1), now=30)
    hub.land("shop", record("x-9", 5, b=1), now=61, asked=("x-1",), moved=(("x-1", 0),))
    assert unseen(hub, 99) == []


def test_what_is_only_told_to_have_moved_is_to_be_read_under_its_new_id(hub: Hub) -> None:
    hub.settle(done(sent(hub), assumed=ASSUMED))
    hub.land("shop", record("x-1", 5, a=1, b=1), now=30)
    hub.land("shop", replace(record("x-1"), successor="x-9"), now=61, asked=("x-1",))
    assert unseen(hub, 61) == ["x-9"]


def test_a_record_that_is_gone_is_not_read_again(hub: Hub) -> None:
    hub.settle(done(sent(hub), assumed=ASSUMED))
    hub.land("shop", record("x-1", 5, a=1, b=1), now=30)
    hub.land("shop", replace(record("x-1", 6), deleted=True), now=40)
    assert unseen(hub, 99) == []


def test_a_decision_about_something_else_forgets_nothing_of_what_is_hidden(hub: Hub) -> None:
    delivery = sent(hub)
    hub.settle(done(delivery, assumed=ASSUMED))
    hub.land("shop", record("x-1", 5, a=1, b=9), now=30)
    case = hub.case(delivery.entity_id)
    assert hub.commit(plan(case, {"a": 2, "b": 9})) == []
    assert unseen(hub, 60) == ["x-1"]


def test_when_a_record_with_a_prediction_was_read_last_is_known(hub: Hub) -> None:
    hub.settle(done(sent(hub), assumed=ASSUMED))
    for now in (30, 40):
        hub.land("shop", record("x-1", 5, a=1, b=1), now=now)
        assert hub.link("shop", "x-1").seen_at == at(now)


def test_settling_twice_is_settling_once(hub: Hub) -> None:
    delivery = sent(hub)
    hub.settle(done(delivery))
    before = hub.case(delivery.entity_id)
    hub.settle(Settlement(delivery.id, DeliveryState.DOUBT, observed={"a": 99}))
    assert hub.case(delivery.entity_id) == before
    assert hub.store.delivery(delivery.id).state is DeliveryState.DONE


def test_a_refused_field_is_set_aside_and_comes_back_with_a_good_write(hub: Hub) -> None:
    delivery = sent(hub)
    aside = {"a": Quarantine("out", "too long", "TU-REF-001", "ab", at(1))}
    refused = Settlement(delivery.id, DeliveryState.PARKED, error="no", code="TU-REF-001", quarantine=aside)
    hub.settle(refused)
    case = hub.case(delivery.entity_id)
    assert mine(case).quarantine == aside
    assert hub.store.retry([delivery.id], "ann", at(5)) == 1
    (again,) = hub.send(5)
    assert (again.attempts, again.error) == (0, "")
    hub.settle(done(again))
    assert mine(hub.case(delivery.entity_id)).quarantine == {}


def test_a_parked_write_can_be_closed_for_good(hub: Hub) -> None:
    delivery = sent(hub)
    hub.settle(Settlement(delivery.id, DeliveryState.PARKED, error="no"))
    assert [one.id for one in hub.store.deliveries([DeliveryState.PARKED], None, 10)] == [delivery.id]
    assert hub.store.discard([delivery.id], "ann", at(5)) == 1
    assert hub.store.discard([delivery.id], "ann", at(5)) == 0
    assert hub.store.delivery(delivery.id).state is DeliveryState.SUPERSEDED
    assert hub.case(delivery.entity_id).open == ()


def test_a_write_in_doubt_is_asked_about_after_the_lag(hub: Hub) -> None:
    delivery = sent(hub)
    hub.settle(Settlement(delivery.id, DeliveryState.DOUBT, not_before=at(30)), now=10)
    assert hub.store.doubtful(at(29), ["shop"], 10) == []
    (doubt,) = hub.store.doubtful(at(30), ["shop"], 10)
    assert (doubt.id, doubt.ended_at, doubt.write) == (delivery.id, at(10), delivery.write)
    assert hub.outstanding(60) == []


def test_a_write_in_doubt_that_was_not_applied_goes_again_with_the_same_payload(hub: Hub) -> None:
    delivery = sent(hub)
    hub.settle(Settlement(delivery.id, DeliveryState.DOUBT, not_before=at(30)))
    hub.settle(Settlement(delivery.id, DeliveryState.DUE, not_before=at(31)), now=31)
    (again,) = hub.send(31)
    assert (again.id, again.write) == (delivery.id, delivery.write)


def test_a_remote_job_is_named_before_it_is_asked(hub: Hub) -> None:
    delivery = sent(hub)
    hub.settle(Settlement(delivery.id, DeliveryState.WAITING, job="j1", not_before=at(2)))
    assert hub.store.waiting(at(1), ["shop"], 10) == []
    (waiting,) = hub.store.waiting(at(2), ["shop"], 10)
    assert waiting.job == "j1"


def test_of_a_remote_job_all_are_asked_about_or_none(hub: Hub) -> None:
    for id, job in (("1", "j1"), ("2", "j2"), ("3", "j2"), ("4", "j3")):
        ended = Settlement(sent(hub, id).id, DeliveryState.WAITING, job=job, not_before=at(float(id)))
        hub.settle(ended)
    found = hub.store.waiting(at(9), ["shop"], 2)
    assert [one.job for one in found] == ["j1", "j2", "j2"]


def test_what_is_in_doubt_or_under_way_can_be_asked_for_by_lane(hub: Hub) -> None:
    ids = [sent(hub, id).id for id in ("1", "2")]
    hub.settle(Settlement(ids[0], DeliveryState.DOUBT), Settlement(ids[1], DeliveryState.WAITING, job="j"))
    for verb, id in ((hub.store.doubtful, ids[0]), (hub.store.waiting, ids[1])):
        assert verb(at(0), ["shop"], 9, [Lane.URGENT]) == []
        assert [one.id for one in verb(at(0), ["shop"], 9, [Lane.NORMAL])] == [id]


def test_what_a_dead_worker_sent_is_in_doubt_and_looked_up_when_it_must_be_visible(hub: Hub) -> None:
    delivery = sent(hub)
    lags = {("shop", "contacts"): 30.0}
    assert hub.store.abandoned(at(0), lags) == 0
    assert hub.store.abandoned(at(100), lags) == 1
    assert list(hub.store.doubtful(at(129), ["shop"], 10)) == []
    (doubt,) = hub.store.doubtful(at(130), ["shop"], 10)
    assert (doubt.id, doubt.ended_at) == (delivery.id, at(100))


def test_a_deleted_record_is_a_tombstone(hub: Hub) -> None:
    delivery = sent(hub)
    hub.settle(Settlement(delivery.id, DeliveryState.SUPERSEDED, tombstone=True, due="deleted"))
    case = hub.case(delivery.entity_id)
    assert mine(case).state is LinkState.TOMBSTONE
    assert case.reasons == ("deleted",)


def test_a_deactivated_record_is_known_to_be_inactive(hub: Hub) -> None:
    delivery = sent(hub)
    hub.settle(done(delivery, active=False))
    assert mine(hub.case(delivery.entity_id)).active is False


def test_a_delivery_that_does_not_exist_is_named(hub: Hub) -> None:
    with pytest.raises(NotFound, match="delivery 99"):
        hub.settle(Settlement(99, DeliveryState.DONE))
    with pytest.raises(NotFound, match="delivery 99"):
        hub.store.delivery(99)


def test_two_lanes_of_one_record_settle_together(hub: Hub) -> None:
    case = hub.linked("sales", "1", "shop", a=1, b=1)
    link = mine(case)
    writing(hub, case, {"a": 2, "b": 2}, update(link, a=2), update(link, Lane.URGENT, b=2))
    one, other = hub.send()[0], hub.send()[0]
    hub.settle(done(one), done(other))
    assert mine(hub.case(case.entity.id)).observed == {"a": 2, "b": 2}


# -- creates -------------------------------------------------------------------------------------------


def creating(hub: Hub) -> Delivery:
    case = hub.settled("sales", "1", a=1)
    writing(hub, case, {"a": 1, "email": "ann@example.com"}, create("shop", a=1))
    (delivery,) = hub.send()
    return delivery


def test_a_created_record_is_a_link_like_any_other(hub: Hub) -> None:
    delivery = creating(hub)
    assert (delivery.write.kind, delivery.link.state) == (WriteKind.CREATE, LinkState.WANTED)
    hub.settle(done(delivery, remote_id="x", version="1", changed_at=at(1)))
    link = hub.link("shop", "x")
    assert (link.id, link.entity_id, link.state) == (delivery.link.id, delivery.entity_id, LinkState.LIVE)
    assert (link.observed, link.fresh, link.version) == ({"a": 1}, False, "1")
    assert hub.land("shop", record("x", 1, a=1)).same == 1
    assert hub.due() == []


def test_a_record_that_was_read_before_the_answer_came_is_the_one_that_was_created(hub: Hub) -> None:
    delivery = creating(hub)
    hub.land("shop", record("x", 5, a=7, c=1))
    hub.settle(done(delivery, remote_id="x", version="1"))
    link = hub.link("shop", "x")
    assert (link.id, link.entity_id, link.version) == (delivery.link.id, delivery.entity_id, "5")
    assert (link.observed, link.base["a"]) == ({"a": 7, "c": 1}, 1)
    assert hub.due() == [delivery.entity_id]
    assert hub.store.strangers([Kind.CONTACT], 0, 10) == []


def test_a_created_record_that_the_entity_has_already_is_one_link(hub: Hub) -> None:
    delivery = creating(hub)
    hub.land("shop", record("x", 5, a=1))
    (stranger,) = hub.store.strangers([Kind.CONTACT], 0, 10)
    hub.store.assign([assignment(stranger, entity_id=delivery.entity_id)], at(1), None)
    hub.settle(done(delivery, remote_id="x", version="6"))
    case = hub.case(delivery.entity_id)
    assert [link.remote_id for link in case.links] == ["1", "x"]
    assert hub.store.delivery(delivery.id).state is DeliveryState.DONE
    assert hub.store.delivery(delivery.id).link.id == stranger.id


def test_a_created_record_of_somebody_else_is_a_question_for_a_person(hub: Hub) -> None:
    delivery = creating(hub)
    other = hub.settled("shop", "x", a=9)
    hub.settle(done(delivery, remote_id="x"))
    parked = hub.store.delivery(delivery.id)
    assert (parked.state, parked.code) == (DeliveryState.PARKED, "TU-ID-409")
    assert other.entity.public_id in parked.error
    assert hub.link("shop", "x").entity_id == other.entity.id
    assert hub.link("shop", "x").observed == {"a": 9}
    assert hub.case(delivery.entity_id).links[1].state is LinkState.WANTED
    (asked,) = hub.store.unsure(10)
    assert (asked.left, asked.right, asked.verdict) == (delivery.link.id, other.links[0].id, Verdict.UNSURE)


def test_a_record_that_was_there_already_is_new_to_the_agreement(hub: Hub) -> None:
    delivery = creating(hub)
    there = Settlement(
        delivery.id, DeliveryState.DONE, remote_id="x", drops_version=True, fresh=True, due="there"
    )
    hub.settle(there)
    link = hub.link("shop", "x")
    assert (link.entity_id, link.fresh, link.observed, link.version) == (delivery.entity_id, True, {}, None)
    assert hub.case(delivery.entity_id).reasons == ("there",)


def test_two_creates_that_answer_with_one_record_make_one_link(hub: Hub) -> None:
    one, other = hub.settled("sales", "1", a=1), hub.settled("sales", "2", a=1)
    writing(hub, one, {"a": 1}, create("shop", a=1))
    writing(hub, other, {"a": 1}, create("shop", a=1))
    batch = hub.send()
    hub.settle(*(done(delivery, remote_id="x") for delivery in batch))
    assert hub.link("shop", "x").entity_id == one.entity.id
    assert [hub.store.delivery(d.id).state for d in batch] == [DeliveryState.DONE, DeliveryState.PARKED]


def test_who_waited_for_a_link_hears_of_it(hub: Hub) -> None:
    company, person = hub.settled("sales", "1", name="Acme"), hub.settled("sales", "2", a=1)
    target = company.entity.public_id
    hub.store.mark_due([person.entity.id], "test")
    pointing = plan(hub.case(person.entity.id), {"company": target}, references=(("company", target),))
    hub.commit(pointing)
    writing(hub, company, {"name": "Acme"}, create("shop", name="Acme"))
    (delivery,) = hub.send()
    assert hub.due() == []
    hub.settle(done(delivery, remote_id="x"))
    assert hub.case(person.entity.id).reasons == ("reference",)
