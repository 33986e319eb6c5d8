"""`--only` and `--limit`: what is about some people writes to nobody else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.kit import House, house, word
from trueup.model.run import Gate
from trueup.services.scope import Scope
from trueup.services.syncing import Sync, plan, sync
from trueup.sync.decide import Deciding, decide_all
from trueup.sync.engine import Report, landing, meter_for
from trueup.sync.tally import Tally

PEOPLE = 6
ANN = "ann@example.com"


@pytest.fixture
def home(tmp_path: Path) -> House:
    """Ann works at a company of many; each has a deal; nobody but marketing knows them."""
    home = house(tmp_path, ("marketing", "sales"))
    stage = {"lifecyclestage": "customer"}
    for number in range(PEOPLE):
        company = home.marketing.user_create(
            "companies", {"name": f"{word(number)} Works", "domain": f"{word(number).lower()}.example"}
        )
        email = ANN if number == 0 else f"{word(number).lower()}@example.com"
        person = {"email": email, "firstname": word(number), "lastname": "Lee", "jobtitle": "Fitter", **stage}
        contact = home.marketing.user_create("contacts", {**person, "company": f"{word(number)} Works"})
        assert company and contact
    home.wait(hours=1)
    return home


def written(home: House) -> set[str]:
    """The names that the hub wrote to sales."""
    effects = [one for one in home.sales.ledger.effects if one.by == "api"]
    return {
        str(one.after.get("LastName") and one.after.get("Email") or one.after.get("Name")) for one in effects
    }


def test_a_first_sync_about_one_person_writes_them_and_their_company_only(home: House) -> None:
    sync(home.hub, Sync("ann", Scope(only=ANN), approve_first=True))
    assert ANN in written(home)
    assert written(home) <= {ANN, f"{word(0)} Works"}


def test_what_waited_for_others_waits_on(home: House) -> None:
    sync(home.hub, Sync("ann"))
    assert written(home) == set()
    home.wait(minutes=20)
    sync(home.hub, Sync("ann", Scope(only=ANN), approve_first=True))
    assert ANN in written(home)
    assert written(home) <= {ANN, f"{word(0)} Works"}


def test_it_allows_writing_for_this_run_only(home: House) -> None:
    sync(home.hub, Sync("ann", Scope(only=ANN), approve_first=True))
    assert home.hub.store.approved() == frozenset()
    before = written(home)
    home.wait(minutes=20)
    sync(home.hub, Sync("cron"))
    assert written(home) == before


def test_a_plan_about_one_person_is_about_them_and_their_company(home: House) -> None:
    report = plan(home.hub, Scope(only=ANN))
    names = {one.entity.values.get("email") or one.entity.values.get("name") for _, one in report.plans}
    assert report.contacts == 1
    assert ANN in names and names <= {ANN, f"{word(0)} Works"}
    assert report.tally.get("creates") <= 2


def test_a_plan_of_some_contacts_has_no_more_of_anything(home: House) -> None:
    report = plan(home.hub, Scope(limit=2))
    assert report.contacts == 2
    assert 2 <= report.tally.get("creates") <= 4


def test_all_follow_when_nobody_is_chosen(home: House) -> None:
    sync(home.hub, Sync("ann", Scope(only=ANN), approve_first=True))
    home.settle()
    assert len([one for one in written(home) if "@" in one]) == PEOPLE


def test_an_opt_out_is_outside_every_choice(home: House) -> None:
    """Bob's was decided while only marketing was at work; a run about Ann passes it on."""
    home.sync()
    home.settle()
    home.marketing.user_unsubscribe(f"{word(1).lower()}@example.com", "Newsletter")
    home.wait(minutes=20)
    home.sync("marketing")
    before = len(home.sales.ledger.effects)
    sync(home.hub, Sync("ann", Scope(only=ANN)))
    told = [one.after for one in home.sales.ledger.effects[before:] if one.by == "api"]
    assert [one.get("HasOptedOutOfEmail") for one in told] == [True]


def test_a_run_about_one_person_opens_no_fuse_for_others(home: House) -> None:
    """A run that was killed right after its decisions left what clears for a run about all to count."""
    home.sync()
    home.release()
    home.settle()
    parts = home.hub.parts
    bob = next(
        row for row in home.sales.ledger.effects if row.after.get("LastName") and row.after["Email"] != ANN
    )
    home.sales.user_edit("Lead", bob.id, {"Title": None})
    home.wait(minutes=20)
    landing(parts, tuple(parts.connectors), Report(0), None)
    tally = Tally()
    run = parts.store.start_run("sync", parts.policy.config_version, "ann", parts.now())
    decide_all(parts, Deciding(run, meter_for(parts, frozenset()), tally.planned, tally.undecided), None)
    held = dict(parts.store.gates())
    assert held == {("marketing", "clear"): Gate(1, False)}
    sync(home.hub, Sync("ann", Scope(only=ANN)))
    assert dict(parts.store.gates()) == held
    sync(home.hub, Sync("ann"))
    assert dict(parts.store.gates()) == {}
