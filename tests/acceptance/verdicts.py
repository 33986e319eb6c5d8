"""What must be true afterwards, whatever happened: read off the stand-ins and their ledgers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tests.acceptance.hands import Hands
from tests.acceptance.kit import House
from trueup.model.entity import LinkState
from trueup.model.fields import Kind

_WORD = re.compile(r"\w+")


def doubles(house: House) -> list[str]:
    """Records that the hub made for an address that somebody who lived there bore already, by the ledgers."""
    return [found for name in house.wires for found in _made_twice(house, name)]


def _made_twice(house: House, name: str) -> Iterator[str]:
    held: dict[tuple[str, str], str] = {}
    for effect in house.sandbox.standins[name].ledger.effects:
        if effect.object not in _PEOPLE:
            continue
        place, address = (effect.object, effect.id), effect.after.get("email", effect.after.get("Email"))
        if effect.action in ("delete", "merge", "convert"):
            held.pop(place, None)
        elif effect.action == "create" and effect.by == "api" and address:
            twins = [other for other, email in held.items() if email == str(address).lower()]
            if twins:
                yield f"{name}: {address} was made as {place} beside {twins}"
        if address and effect.action in ("create", "update", "restore"):
            held[place] = str(address).lower()


_PEOPLE = ("contacts", "Lead", "Contact", "users")


def lost(house: House) -> list[str]:
    """Words that people typed, that the hub wrote over, and of which its history knows nothing."""
    known = set(_words(list(_history(house))))
    typed: set[str] = set()
    for standin in house.sandbox.standins.values():
        for effect in standin.ledger.effects:
            if effect.by != "api":
                typed |= set(_words(list(effect.after.values())))
    gone: list[str] = []
    for name, effect in house.effects():
        if effect.action != "update":
            continue
        for path, before in effect.before.items():
            words = set(_words(before)) - set(_words(effect.after.get(path)))
            gone.extend(
                f"{name}/{effect.id} {path}: {one} of {before!r}, now {effect.after.get(path)!r}"
                for one in sorted((words & typed) - known)
            )
    return gone


def _history(house: House) -> Iterator[Any]:
    """Every value that a change or a conflict tells."""
    for kind in Kind:
        for entity, _ in house.entities(kind):
            for row in house.hub.store.history(entity.public_id, 100_000):
                for change in row.changes:
                    yield from (change.old, change.new)
                for conflict in row.conflicts:
                    yield from (conflict.lost, conflict.kept)


def _words(value: Any) -> Iterator[str]:
    """Names and addresses as single words, a phone number as its last eight digits."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for one in value:
            yield from _words(one)
    elif isinstance(value, str):
        digits = re.sub(r"\D", "", value)
        if len(digits) >= 8 and not re.search(r"[a-zA-Z]", value):
            yield digits[-8:]
        else:
            yield from (one.lower() for one in _WORD.findall(value) if one.startswith(("Z", "z")))


def unheard(house: House, hands: Hands) -> list[str]:
    """Addresses that opted out somewhere while a living record still may be mailed."""
    return [
        f"{name}/{object}/{id} {email}"
        for name in house.wires
        for object, id in hands.people(name)
        if (email := hands.address(name, object, id)) in hands.opted_out and mailable(house, name, object, id)
    ]


def mailable(house: House, name: str, object: str, id: str) -> bool:
    """Whether this system would send marketing mail to this person."""
    match name:
        case "marketing":
            portal = house.marketing.portal
            email = str(portal.rows["contacts"][id].properties.get("email") or "").lower()
            (newsletter,) = [key for key, label in portal.subscriptions.items() if label == "Newsletter"]
            said = portal.consents.get(email, {}).get(newsletter)
            return said is None or said.status != "UNSUBSCRIBED"
        case "sales":
            return not house.sales.org.get(object, id).get("HasOptedOutOfEmail")
        case _:
            return "no_marketing" not in house.support.account.records.users[int(id)]["tags"]


def too_early(house: House, pages: Mapping[str, int]) -> list[str]:
    """Creates that left for a system before its own people were listed to the end, by its ledger: `pages`
    is how many answered listing requests that takes."""
    found: list[str] = []
    for name, standin in house.sandbox.standins.items():
        asked = standin.ledger.asked
        first = next((one.number for one in asked if one.kind in _CREATES[name]), None)
        listed = [one.number for one in asked if one.kind == _LISTED[name] and one.status == 200]
        before = [number for number in listed if first is None or number < first]
        if first is not None and len(before) < pages[name]:
            found.append(f"{name}: the first create was request {first}, after {len(before)} pages")
    return found


_LISTED = {"marketing": "list", "sales": "query", "support": "users.list"}
_CREATES = {
    "marketing": ("batch_create",),
    "sales": ("create", "create_many", "upsert_many"),
    "support": ("users.create", "users.create_many", "users.upsert_many", "users.create_or_update"),
}


def strays(house: House) -> list[str]:
    """Living people in a system that the hub does not know, or knows under two contacts."""
    hands = Hands(house, None)  # type: ignore[arg-type]
    linked: dict[tuple[str, str, str], list[str]] = {}
    for entity, links in house.entities():
        for link in links:
            if link.state is LinkState.LIVE and link.remote_id is not None:
                linked.setdefault((link.connection, link.object, link.remote_id), []).append(entity.public_id)
    return [
        f"{name}/{object}/{id} belongs to {linked.get((name, object, id), [])}"
        for name in house.wires
        for object, id in hands.people(name)
        if len(linked.get((name, object, id), [])) != 1
    ]
