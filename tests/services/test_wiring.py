"""What a configuration becomes when it is wired to its systems."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from trueup.dedupe.normalise import NORMALISER_VERSION
from trueup.model.matching import Rekeyed
from trueup.services.hub import Hub, open_hub
from trueup.services.syncing import Sync, plan, sync

SHOP = """\
connector: sql
role: operations
auth: {{kind: url, url: "sqlite:///{database}"}}
objects:
  customers:
    entity: contact
    key: id
    upsert_key: {upsert}
    create: 'true'
    fields: {{email: email, first_name: first}}
"""
NEWS = """\
connector: csv
role: marketing
options: {{path: "{table}"}}
guard_age: 5s
schedule: {{full_listing: 1d}}
objects:
  contacts:
    entity: contact
    key: id
    fields: {{email: mail, first_name: first, phone: phone}}
"""


def hub_over(folder: Path, upsert: str) -> Hub:
    """News knows Ann by her address and Bob by his number; the shop's table is empty."""
    with sqlite3.connect(folder / "shop.db") as database:
        database.execute(
            "create table customers (id integer primary key, hub_id text, email text, first text)"
        )
    (folder / "news.csv").write_text(
        "id,mail,first,phone\n1,ann@example.com,Ann,\n2,,Bob,+4930901820\n", "utf-8"
    )
    config = folder / "config"
    (config / "connections").mkdir(parents=True)
    (config / "hub.yaml").write_text("name: acme\n", "utf-8")
    shop = SHOP.format(database=folder / "shop.db", upsert=upsert)
    (config / "connections" / "shop.yaml").write_text(shop, "utf-8")
    (config / "connections" / "news.yaml").write_text(NEWS.format(table=folder / "news.csv"), "utf-8")
    return open_hub(config, {})


def customers(folder: Path) -> list[tuple[object, ...]]:
    with sqlite3.connect(folder / "shop.db") as database:
        return database.execute("select first, email, hub_id from customers order by first").fetchall()


@pytest.mark.parametrize(
    ("upsert", "rows"),
    [
        ("hub_id", [("Ann", "ann@example.com", "c-1"), ("Bob", None, "c-2")]),
        ("email", [("Ann", "ann@example.com", None), ("Bob", None, None)]),
    ],
)
def test_the_hubs_id_goes_into_an_upsert_key_of_its_own_and_never_into_a_mapped_one(
    upsert: str, rows: list[tuple[object, ...]], tmp_path: Path
) -> None:
    with hub_over(tmp_path, upsert) as hub:
        sync(hub, Sync("al", approve_first=True))
    assert customers(tmp_path) == rows


def test_each_connection_has_the_times_that_its_file_says(tmp_path: Path) -> None:
    with hub_over(tmp_path, "hub_id") as hub:
        news, shop = hub.parts.pace("news"), hub.parts.pace("shop")
    assert (news.guard_age, news.full_listing and news.full_listing.days) == (5.0, 1)
    assert (shop.guard_age, shop.full_listing) == (30.0, None)


def test_a_plan_compares_by_the_rules_of_today(tmp_path: Path) -> None:
    with hub_over(tmp_path, "hub_id") as hub:
        sync(hub, Sync("al", approve_first=True))
        hub.parts.store.rekey(Rekeyed("news", "contacts", NORMALISER_VERSION - 1, (), (), None), None)
        notes = plan(hub, offline=True).tally.notes
    assert [note for note in notes if note.startswith("2 records are compared by newer rules")]
