"""F126, F127: one text in several byte sequences is one text, and stays as each system wrote it."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from tests.demands.hubs import Setting, contacts, hub_of, mapped, until_quiet, written
from tests.sync.memory import Clock, Memory
from tests.sync.small_hub import SmallHub, rules
from trueup.dedupe.normalise import email_key, name_key
from trueup.model.fields import Kind

FIELDS = ("email", "first_name", "last_name", "job_title", "tags")
TEXTS = ["José Núñez", "Zoë", "Йорґ", "Dvořák", "각하", "Ởnh"]


def form(name: str, text: str) -> str:
    return unicodedata.normalize(name, text)  # type: ignore[arg-type]


def two(folder: Path, clock: Clock) -> SmallHub:
    systems = {name: Memory(clock) for name in ("a", "b")}
    objects = [(name, rules(fields=mapped(*FIELDS))) for name in systems]
    return hub_of(folder, clock, systems, Setting(objects, create=("a", "b")))


@pytest.mark.parametrize("text", TEXTS)
def test_f126_composed_and_decomposed_letters_are_equal_and_each_system_keeps_its_own(
    text: str, tmp_path: Path
) -> None:
    clock = Clock()
    hub = two(tmp_path, clock)
    composed, decomposed = form("NFC", text), form("NFD", text)
    assert composed != decomposed
    for name, said in (("a", composed), ("b", decomposed)):
        hub.systems[name].add(email="ann@example.com", last_name=said, job_title=said, tags=[said])
    until_quiet(hub, clock)
    hub.release()
    until_quiet(hub, clock)
    assert written(hub) == 0
    assert hub.systems["a"].values("1")["last_name"] == composed
    assert hub.systems["b"].values("1")["last_name"] == decomposed


def test_f126_another_form_of_the_same_text_is_no_edit(tmp_path: Path) -> None:
    clock = Clock()
    hub = two(tmp_path, clock)
    hub.systems["a"].add(email="ann@example.com", last_name=form("NFC", "Dvořák"), tags=["é"])
    until_quiet(hub, clock)
    hub.release()
    until_quiet(hub, clock)
    before = written(hub)
    hub.systems["b"].edit("1", last_name=form("NFD", "Dvořák"), tags=[form("NFD", "é")])
    until_quiet(hub, clock)
    assert written(hub) == before


@pytest.mark.parametrize("text", TEXTS)
def test_f127_a_person_is_found_and_matched_in_either_form(text: str, tmp_path: Path) -> None:
    clock = Clock()
    hub = two(tmp_path, clock)
    local = "".join(letter for letter in text if letter.isalpha())
    for name, said in (("a", "NFC"), ("b", "NFD")):
        hub.systems[name].add(email=f"{form(said, local)}@example.com", last_name=form(said, text))
    hub.sync()
    assert len(contacts(hub)) == 1
    for typed in (form("NFC", text), form("NFD", text), f"\u200b{text}"):
        assert len(hub.store.find(Kind.CONTACT, typed, 10)) == 1
    assert hub.store.find(Kind.CONTACT, "\u200b", 10) == []


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("straße", "STRASSE", True),
        ("ann\u200b lee", "ann lee", True),
        ("\u200fלאה", "לאה", True),
        ("İpek", "ipek", True),
        ("ann 🎈", "ann", True),
        ("anı", "ani", True),
        ("ann", "anna", False),
    ],
    ids=[
        "sharp s",
        "zero width",
        "right to left mark",
        "dotted capital i",
        "emoji",
        "dotless i",
        "another name",
    ],
)
def test_f127_letters_that_fold_in_odd_ways_are_one_name_where_people_read_one(
    one: str, other: str, same: bool
) -> None:
    assert (name_key(one, "Lee") == name_key(other, "Lee")) is same


@pytest.mark.parametrize("hidden", ["\u200b", "\u2060", "\u00ad", "\u200e", "\ufeff"])
def test_f127_what_nobody_sees_makes_no_second_address(hidden: str) -> None:
    assert email_key(f"a{hidden}nn@example.com") == email_key("ann@example.com")
