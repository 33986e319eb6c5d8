"""A first load of two systems that both know everybody: fill what is empty, report what differs, wait."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from tests.acceptance.kit import House, dice, disagreements, house, phone, word
from trueup.services.syncing import plan

PEOPLE = int(os.environ.get("TRUEUP_FIRST_LOAD_PEOPLE", "500"))
DIFFERENT = 0.3
FIELDS = {"jobtitle": "Title", "phone": "Phone"}
"""Compared fields: what marketing and what sales call them."""
ADDRESS = {"address": "Street", "city": "City", "state": "State", "zip": "PostalCode"}
"""The same of the parts of an address, which goes as a whole."""

Said = dict[tuple[str, str], str]
"""(e-mail, marketing's field) to the value that is to stand there."""


@dataclass
class Two:
    """Two filled systems. `differ`: what marketing would be given for its own; `empty`: what it lacks."""

    house: House
    differ: Said = field(default_factory=dict)
    empty: Said = field(default_factory=dict)


def two_filled_systems(folder: Path) -> Two:
    two = Two(house(folder, ("marketing", "sales")))
    chance = dice(3)
    for number in range(PEOPLE):
        email = f"{word(number).lower()}@example.com"
        name = {"firstname": word(number), "lastname": word(number + 100_000)}
        mine = {**name, "email": email, "lifecyclestage": "marketingqualifiedlead"}
        theirs = {
            "FirstName": name["firstname"],
            "LastName": name["lastname"],
            "Status": "Open - Not Contacted",
        }
        for here, there in FIELDS.items():
            mine[here] = theirs[there] = phone(number) if here == "phone" else f"Job {word(number)}"
            if chance.random() < DIFFERENT:
                theirs[there] = (
                    phone(number + 500_000) if here == "phone" else f"Job {word(number + 500_000)}"
                )
                two.differ[email, here] = theirs[there]
            elif chance.random() < 0.2:
                del mine[here]
                two.empty[email, here] = theirs[there]
        live_somewhere(two, email, number, mine, theirs)
        two.house.marketing.user_create("contacts", mine)
        two.house.sales.user_create("Lead", {**theirs, "Email": email, "Company": "Private person"})
    two.house.wait(hours=1)
    return two


def live_somewhere(two: Two, email: str, number: int, mine: dict[str, str], theirs: dict[str, str]) -> None:
    """An address; some have moved away in sales, where the new one lacks some of the parts."""
    chance = dice(number)
    for here, there in ADDRESS.items():
        mine[here] = theirs[there] = f"{there} {number}"
    if chance.random() < DIFFERENT:
        for here, there in ADDRESS.items():
            if there == "State" and chance.random() < 0.5:
                del theirs[there]
            else:
                theirs[there] = f"{there} {number + 500_000}"
            two.differ[email, here] = theirs.get(there, "")


def written(two: Two, since: int) -> tuple[Said, Said]:
    """What the hub filled and what it replaced at marketing, by its ledger from this effect on."""
    fills, replaces = Said(), Said()
    rows = two.house.marketing.portal.rows["contacts"]
    for effect in two.house.marketing.ledger.effects[since:]:
        for name in (*FIELDS, *ADDRESS) if effect.by == "api" else ():
            if effect.before.get(name) != effect.after.get(name):
                place = (rows[effect.id].properties["email"], name)
                (replaces if effect.before.get(name) else fills)[place] = _plain(effect.after.get(name))
    return fills, replaces


def _plain(value: object) -> str:
    return str(value or "").replace(" ", "")


def plain(said: Said) -> Said:
    return {place: _plain(value) for place, value in said.items()}


def planned(two: Two, folder: Path) -> Said:
    """What a saved plan says is withheld at marketing."""
    plan(two.house.hub, out=folder / "plan")
    lines = [orjson.loads(line) for line in (folder / "plan").read_bytes().splitlines()]
    emails = {id: row.properties["email"] for id, row in two.house.marketing.portal.rows["contacts"].items()}
    found = Said()
    for line in lines[1:-1]:
        ids = [id for connection, _, id, _ in line["links"] if connection == "marketing"]
        for write in line["withheld"]:
            assert write["connection"] == "marketing"
            found |= {(emails[ids[0]], name): _plain(value) for name, value in write["values"].items()}
    return found


def test_a_first_load_replaces_nothing_reports_what_differs_and_does_so_after_the_release(
    tmp_path: Path,
) -> None:
    two = two_filled_systems(tmp_path)
    assert any(not value for value in two.differ.values()), "nobody whose new address lacks a part"
    assert planned(two, tmp_path) == plain(two.differ)
    report = two.house.sync()
    fills, replaces = written(two, 0)
    assert replaces == {}
    assert fills == plain(two.empty)
    assert report.tally.get("withheld") == len(two.differ)
    assert report.tally.get("withheld", "marketing") == len(two.differ)
    assert report.tally.get("creates") == 0
    assert not two.house.sales.ledger.writes()
    two.house.settle()
    before = len(two.house.marketing.ledger.effects)
    two.house.release()
    two.house.settle()
    fills, replaces = written(two, before)
    assert (fills, replaces) == ({}, plain(two.differ))
    assert not two.house.sales.ledger.writes()
    assert disagreements(two.house) == []
