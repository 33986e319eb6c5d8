"""Companies that contacts name, fields that are given back, times of publishing, and who entered."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from tests.store.hub import NOON, Hub, at, done, plan, update
from tests.store.test_races import together, workers  # noqa: F401  (a fixture)
from trueup.model.entity import LinkState, Quarantine
from trueup.model.fields import Kind
from trueup.model.history import Conflict
from trueup.model.plan import Founding
from trueup.model.values import Value

ACME = (("domain", "acme.example"), ("name", "acme"))


def named(contact: int, *keys: tuple[str, str], **values: Value) -> Founding:
    return Founding("sales", "firms", values or {"name": "Acme"}, keys or ACME, contact, f"c-{contact}")


def test_a_named_company_has_a_wanted_record_is_found_by_its_keys_and_is_due(hub: Hub) -> None:
    contact = hub.settled("sales", "1", email="ann@acme.example").entity.id
    assert list(hub.store.found([named(contact)], 7, at(1), None)) == [contact]
    (holder,) = hub.store.candidates(Kind.COMPANY, [ACME[1]])[ACME[1]]
    case = hub.case(holder.entity_id)
    (link,) = case.links
    assert (link.state, link.stream, link.remote_id, link.entered) == (
        LinkState.WANTED,
        ("sales", "firms"),
        None,
        True,
    )
    assert case.entity.values == {"name": "Acme"}
    assert hub.due(2) == [contact, case.entity.id]
    (row,) = hub.store.history(case.entity.public_id, 5)
    assert (row.run_id, row.changes[0].source, row.changes[0].new) == (7, f"c-{contact}", "Acme")


def test_those_who_share_a_name_or_a_domain_get_one_company(hub: Hub) -> None:
    ids = [hub.settled("sales", str(n), email=f"p{n}@acme.example").entity.id for n in range(3)]
    one, two = named(ids[0]), named(ids[1], ("domain", "acme.example"), ("name", "acme holdings"))
    other = named(ids[2], ("name", "bolt"), name="Bolt")
    assert sorted(hub.store.found([one, two, other], 1, at(1), None)) == ids
    assert (
        len(hub.store.candidates(Kind.COMPANY, [("name", "acme holdings")])[("name", "acme holdings")]) == 0
    )
    assert len(hub.store.candidates(Kind.COMPANY, [("name", "bolt")])[("name", "bolt")]) == 1


def test_a_company_that_is_held_by_now_is_not_made_again(hub: Hub) -> None:
    ids = [hub.settled("sales", str(n), email=f"p{n}@acme.example").entity.id for n in range(2)]
    hub.store.found([named(ids[0])], 1, at(1), None)
    assert list(hub.store.found([named(ids[1])], 1, at(2), None)) == []
    assert ids[1] in hub.due(3)
    assert len(hub.store.candidates(Kind.COMPANY, [ACME[1]])[ACME[1]]) == 1


def test_workers_with_people_of_one_company_make_one(hub: Hub, workers: list[Hub]) -> None:  # noqa: F811
    ids = [hub.settled("sales", str(n), email=f"p{n}@acme.example").entity.id for n in range(4)]
    for turn in range(6):
        key = ("name", f"firm {turn}")
        asked = [named(id, key, name=f"Firm {turn}") for id in ids]
        made = together(
            *(
                partial(worker.store.found, [one], 1, at(turn), None)
                for worker, one in zip(workers, asked, strict=True)
            )
        )
        assert sum(map(len, made)) == 1
        assert len(hub.store.candidates(Kind.COMPANY, [key])[key]) == 1


def test_what_is_given_back_is_due_told_in_the_history_and_set_aside_no_more(hub: Hub) -> None:
    case = hub.settled("sales", "1", email="ann@x.example")
    why = Quarantine("both", "in turn", "TU-VAL-010", "d", NOON)
    (patch,) = plan(case).links
    hub.commit(plan(case, links=(replace(patch, quarantine={"email": why, "phone": why}),)))
    link = hub.link("sales", "1")
    assert hub.store.give_back([(link.id, "email"), (link.id, "fax")], "ops", at(5)) == 1
    after = hub.link("sales", "1")
    assert (after.quarantine, after.rev) == ({"phone": why}, link.rev + 1)
    assert hub.due(6) == [case.entity.id]
    (row,) = hub.store.past([case.entity.id], at(1))[case.entity.id]
    assert row.released == (("sales/contacts/1", "email"),)


def test_the_past_begins_where_it_is_asked_for(hub: Hub) -> None:
    case = hub.settled("sales", "1", email="ann@x.example")
    lost = Conflict("email", "a@x.example", "sales/contacts/1", "b@x.example", "shop/contacts/2", "authority")
    hub.commit(plan(case, conflicts=(lost,)), now=100)
    id = case.entity.id
    assert [row.conflicts for row in hub.store.past([id], at(100))[id]] == [(lost,)]
    assert id not in hub.store.past([id], at(101))


def test_when_a_field_was_published_is_kept_through_decisions(hub: Hub) -> None:
    case = hub.settled("sales", "1", score=1)
    link = hub.link("sales", "1")
    hub.commit(plan(case, {"score": 2}, update(link, score=2)))
    (delivery,) = hub.send()
    hub.settle(done(delivery, published={"score": NOON}))
    hub.store.mark_due([case.entity.id], "test")
    hub.commit(plan(hub.case(case.entity.id)))
    assert hub.link("sales", "1").published == {"score": NOON}


def test_who_entered_and_who_is_active_is_changed_only_where_it_is_said(hub: Hub) -> None:
    case = hub.settled("sales", "1", email="ann@x.example")
    (patch,) = plan(case).links
    hub.commit(plan(case, links=(replace(patch, entered=True, active=False),)))
    hub.store.mark_due([case.entity.id], "test")
    hub.commit(plan(hub.case(case.entity.id)))
    link = hub.link("sales", "1")
    assert (link.entered, link.active) == (True, False)
