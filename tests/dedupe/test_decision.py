"""Who a record without an entity is, and who waits for a person's decision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from trueup.dedupe.decision import MOST_DOUBTS, Formed, Holders, Identity, Stranger, identify
from trueup.dedupe.names import name_of
from trueup.dedupe.normalise import match_keys
from trueup.model.entity import Link
from trueup.model.fields import Kind
from trueup.model.matching import Assignment, Candidate
from trueup.model.values import Value

NOW = datetime(2026, 1, 1, tzinfo=UTC)
OFFICE = "office@firma.ua"
ANNA = {"first_name": "Anna", "last_name": "Savchuk", "email": OFFICE}
OTHER_ANNA = {"first_name": "Savchuk", "last_name": "ANNA", "email": OFFICE}


@dataclass
class Records:
    """Records as they are read, of a system each; and what is known of entities before."""

    identity: Identity = Identity()
    known: dict[int, list[tuple[str, dict[str, Value], bool]]] = field(default_factory=dict)
    formed: Formed = field(default_factory=Formed)
    number: int = 100

    def knows(self, entity: int, *streams: str, undecided: bool = False, **values: Value) -> None:
        """An entity with a record of these values in each of these systems."""
        self.known.setdefault(entity, []).extend((one, values, undecided) for one in streams)

    def read(self, *records: tuple[str, dict[str, Value]]) -> list[Assignment]:
        strangers = [self._stranger(system, values) for system, values in records]
        return identify(strangers, self._holders(strangers), self.identity, NOW)

    def _stranger(self, system: str, values: dict[str, Value]) -> Stranger:
        self.number += 1
        link = Link(self.number, system, "contacts", str(self.number), None, Kind.CONTACT)
        return Stranger(link, tuple(match_keys(Kind.CONTACT, values)), values)

    def _holders(self, strangers: Sequence[Stranger]) -> Holders:
        stored: dict[tuple[str, str], list[Candidate]] = {}
        for entity, records in sorted(self.known.items()):
            for place, (system, values, undecided) in enumerate(records):
                keys = match_keys(Kind.CONTACT, values)
                self.formed.learn(f"e{entity}", name_of(values), keys)
                for key in keys:
                    one = Candidate(entity, 10 * entity + place, system, "contacts", undecided)
                    stored.setdefault(key, []).append(one)
        return Holders(stored, self.formed)


def waits(found: Sequence[Assignment]) -> list[bool]:
    return [one.provisional for one in found]


def people(found: Sequence[Assignment]) -> int:
    return len({one.group for one in found})


# -- the same name with what identifies nobody by itself ----------------------------------------------


@pytest.mark.parametrize("systems", [("crm", "news"), ("crm", "crm")])
@pytest.mark.parametrize("other", [ANNA, OTHER_ANNA, ANNA | {"phone": "+380931295898"}])
def test_the_same_name_at_one_role_mailbox_waits(systems: tuple[str, str], other: dict[str, Value]) -> None:
    found = Records().read((systems[0], ANNA), (systems[1], other))
    assert (people(found), waits(found)) == (2, [False, True])
    assert [(one.left, one.right) for one in found[1].decisions] == [(102, 101)]


def test_the_same_name_as_somebody_who_is_known_there_waits() -> None:
    records = Records()
    records.knows(7, "crm", **ANNA)
    (found,) = records.read(("news", ANNA))
    assert (found.entity_id, found.provisional) == (None, True)
    assert [one.right for one in found.decisions] == [70]


def test_a_role_mailbox_alone_makes_nobody_wait() -> None:
    nameless = {"email": OFFICE}
    found = Records().read(("crm", ANNA), ("news", ANNA | {"first_name": "Olha"}), ("crm", nameless))
    assert waits([*found, *Records().read(("crm", nameless), ("news", nameless))]) == [False] * 5


@pytest.mark.parametrize(
    "own",
    [
        ({"phone": "+380931295898"}, {"phone": "+380931295899"}),
        ({"emails": ["anna@a.example"]}, {"emails": ["anna@b.example"]}),
        ({"external_id": "1"}, {"external_id": "2"}),
    ],
)
def test_namesakes_who_have_something_of_their_own_stay_apart(
    own: tuple[dict[str, Value], dict[str, Value]],
) -> None:
    found = Records().read(("crm", ANNA | own[0]), ("news", ANNA | own[1]))
    assert (people(found), waits(found)) == (2, [False, False])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("Anna", "Savchuk"), ("Анна", "Савчук")),
        (("Anna", "Savchuk"), ("А.", "Савчук")),
        (("Anna", "Savchuk"), ("Savchuk", "A.")),
        (("Taras", "Shevchenko"), ("T. G.", "Шевченко")),
        (("Taras Hryhorovych", "Shevchenko"), ("Taras", "Shevchenko")),
    ],
)
def test_a_name_with_an_initial_or_in_another_script_at_a_role_mailbox_waits(
    one: tuple[str, str], other: tuple[str, str]
) -> None:
    said = [{"first_name": first, "last_name": last, "email": OFFICE} for first, last in (one, other)]
    for first, second in (said, said[::-1]):
        found = Records().read(("crm", first), ("news", second))
        assert (people(found), waits(found)) == (2, [False, True])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("Anna", "Savchuk"), ("Olena", "Savchuk")),
        (("Anna", "Savchuk"), ("O.", "Savchuk")),
        (("Anna", "Savchuk"), ("A.", "Bondar")),
        (("A.", "S."), ("Anna", "Savchuk")),
        (("Anna", "Savchuk"), ("Anna", "")),
        (("Anna Maria", "Savchuk"), ("Anna Olha", "Savchuk")),
    ],
)
def test_another_name_or_one_of_which_too_little_is_said_does_not_wait_at_a_role_mailbox(
    one: tuple[str, str], other: tuple[str, str]
) -> None:
    said = [{"first_name": first, "last_name": last, "email": OFFICE} for first, last in (one, other)]
    found = Records().read(("crm", said[0]), ("news", said[1]))
    assert (people(found), waits(found)) == (2, [False, False])


def test_another_role_mailbox_is_nothing_of_ones_own() -> None:
    found = Records().read(
        ("crm", ANNA | {"emails": ["info@firma.ua"]}), ("news", ANNA | {"emails": ["sales@firma.ua"]})
    )
    assert waits(found) == [False, True]


def test_an_address_that_the_hub_leaves_out_makes_namesakes_wait() -> None:
    said = {**ANNA, "email": "front@firma.ua"}
    found = Records(Identity({"email": ("front@*",)})).read(("crm", said), ("news", said))
    assert (people(found), waits(found)) == (2, [False, True])


def test_a_number_that_the_hub_leaves_out_makes_namesakes_wait_instead_of_one() -> None:
    said = {"first_name": "Anna", "last_name": "Savchuk", "phone": "+380931295898"}
    assert people(Records().read(("crm", said), ("news", said))) == 1
    found = Records(Identity({"phone": ("+38093*",)})).read(("crm", said), ("news", said))
    assert (people(found), waits(found)) == (2, [False, True])


def test_an_address_with_many_holders_makes_namesakes_wait() -> None:
    names = ["Anna", "Olha", "Ivan", "Taras", "Zoya", "Roman"]
    everybody = [("crm", {**ANNA, "first_name": name, "email": "firma@ukr.net"}) for name in names]
    found = Records().read(*everybody, ("news", {**ANNA, "email": "firma@ukr.net"}))
    assert waits(found) == [False] * 6 + [True]
    assert [one.right for one in found[6].decisions] == [101]


def test_of_thousands_with_one_name_each_waits_with_few() -> None:
    found = Records().read(*[("crm", ANNA)] * 3000)
    assert waits(found) == [False] + [True] * 2999
    assert {len(one.decisions) for one in found[MOST_DOUBTS:]} == {MOST_DOUBTS}


# -- half a name at one number ------------------------------------------------------------------------

NUMBER = {"phone": "+380631112233"}


def at_number(first: str, last: str, **more: Value) -> dict[str, Value]:
    return {"first_name": first, "last_name": last, **NUMBER, **more}


@pytest.mark.parametrize("systems", [("crm", "news"), ("crm", "crm")])
@pytest.mark.parametrize(
    ("half", "whole"),
    [
        (("Софія", ""), ("Софія", "Лисенко")),
        (("", "Лисенко"), ("Софія", "Лисенко")),
        (("Лисенко", ""), ("Софія", "Лисенко")),
        (("", "Софія"), ("Софія", "Лисенко")),
        (("Sofiia", ""), ("Софія", "Лисенко")),
        (("", "Lysenko"), ("С.", "Лисенко")),
        (("Dmitry", ""), ("Дмитро", "Лисенко")),
        (("Anna", ""), ("Anna Maria", "Schmidt")),
        (("小龙", ""), ("小龙", "李")),
        (("", "李"), ("小龙", "李")),
    ],
)
def test_half_a_name_at_the_number_of_who_bears_it_waits_whoever_is_met_first(
    half: tuple[str, str], whole: tuple[str, str], systems: tuple[str, str]
) -> None:
    said = [at_number(*half), at_number(*whole)]
    for first, second in (said, said[::-1]):
        found = Records().read((systems[0], first), (systems[1], second))
        assert (people(found), waits(found)) == (2, [False, True])
        records = Records()
        records.knows(7, systems[0], **first)
        (later,) = records.read((systems[1], second))
        assert (later.entity_id, later.provisional, [one.right for one in later.decisions]) == (
            None,
            True,
            [70],
        )


@pytest.mark.parametrize(
    ("half", "whole"),
    [
        (("Іван", ""), ("Софія", "Лисенко")),
        (("Іван", ""), ("Софія", "Іваненко")),
        (("", "Бондар"), ("Софія", "Лисенко")),
        (("С.", ""), ("Софія", "Лисенко")),
        (("Софія", ""), ("С.", "Лисенко")),
        (("Софія", ""), ("Іван", "")),
        (("", ""), ("Софія", "Лисенко")),
        (("Софія Лисенко", ""), ("Іван", "Лисенко")),
    ],
)
def test_half_a_name_that_the_other_does_not_bear_waits_for_nobody(
    half: tuple[str, str], whole: tuple[str, str]
) -> None:
    said = [at_number(*half), at_number(*whole)]
    for first, second in (said, said[::-1]):
        found = Records().read(("crm", first), ("news", second))
        assert (people(found), waits(found)) == (2, [False, False])


@pytest.mark.parametrize("other", [("", "Лисенко"), ("", "Lysenko"), ("Лисенко", "")])
def test_nothing_but_the_same_family_name_at_one_number_waits_and_does_not_link(
    other: tuple[str, str],
) -> None:
    said = [at_number("", "Лисенко"), at_number(*other)]
    for first, second in (said, said[::-1]):
        found = Records().read(("crm", first), ("news", second))
        assert (people(found), waits(found)) == (2, [False, True])


@pytest.mark.parametrize("parts", [("Софія", ""), ("", "Софія Лисенко")])
def test_the_same_given_name_or_a_whole_name_in_one_field_still_links_at_one_number(
    parts: tuple[str, str],
) -> None:
    found = Records().read(("crm", at_number(*parts)), ("news", at_number(*parts)))
    assert (people(found), waits(found)) == (1, [False, False])


def test_half_a_name_with_another_address_of_its_own_waits_for_nobody() -> None:
    found = Records().read(
        ("crm", at_number("Софія", "Лисенко", email="sofiia@ukr.net")),
        ("news", at_number("Софія", "", email="other@ukr.net")),
    )
    assert (people(found), waits(found)) == (2, [False, False])


def test_half_a_name_at_the_address_of_who_bears_it_is_linked_as_before() -> None:
    said = [at_number("Софія", "Лисенко", email="s@ukr.net"), at_number("", "Лисенко", email="s@ukr.net")]
    found = Records().read(("crm", said[0]), ("news", said[1]))
    assert (people(found), waits(found)) == (1, [False, False])


def test_half_a_name_at_a_number_that_many_hold_or_the_hub_leaves_out_waits_for_nobody() -> None:
    others = [("crm", at_number(name, "Бондар")) for name in ("Ганна", "Іван", "Тарас", "Зоя", "Роман")]
    family = [("crm", at_number("Софія", "Лисенко")), ("news", at_number("Софія", ""))]
    assert waits(Records().read(*others, *family)) == [False] * 7
    assert waits(Records(Identity({"phone": ("+38063*",)})).read(*family)) == [False, False]


def test_who_is_known_by_a_whole_name_is_not_met_by_a_half_that_another_record_of_theirs_says() -> None:
    records = Records()
    records.knows(7, "crm", **at_number("Софія", "Лисенко"))
    records.knows(7, "news", **at_number("", "Лисенко"))
    assert waits(records.read(("shop", at_number("Іван", "Лисенко")))) == [False]


# -- how many hold a value ----------------------------------------------------------------------------

SHARED = {"first_name": "Anna", "last_name": "Savchuk", "email": "savchuk@ukr.net"}


def test_who_has_a_record_in_each_of_many_systems_holds_a_value_once() -> None:
    records = Records()
    records.knows(7, "a", "b", "c", "d", "e", "f", **SHARED)
    (found,) = records.read(("news", SHARED))
    assert found.entity_id == 7


def test_records_that_the_hub_makes_change_nothing_about_who_matches() -> None:
    family = ["Anna", "Olha", "Ivan", "Taras", "Zoya"]
    before, after = Records(), Records()
    for number, name in enumerate(family, 1):
        before.knows(number, "crm", **{**SHARED, "first_name": name})
        after.knows(number, "crm", "news", **{**SHARED, "first_name": name})
    (first,), (second,) = before.read(("news", SHARED)), after.read(("news", SHARED))
    assert (first.entity_id, second.entity_id) == (1, 1)


def test_what_so_many_records_of_one_system_hold_identifies_nobody() -> None:
    nameless = {"email": "savchuk@ukr.net"}
    assert people(Records().read(*[("crm", nameless)] * 5)) == 1
    assert people(Records().read(*[("crm", nameless)] * 6)) == 6


def test_duplicates_that_come_one_by_one_are_taken_for_one_only_up_to_a_number() -> None:
    records = Records()
    records.knows(7, *["crm"] * 5, **SHARED)
    assert [one.entity_id for one in records.read(("crm", SHARED))] == [7]
    records.knows(7, "crm", **SHARED)
    assert [one.entity_id for one in records.read(("crm", SHARED))] == [None]


def test_what_was_read_a_chunk_before_counts_as_in_one() -> None:
    nameless = {"email": "savchuk@ukr.net"}
    planned = Records()
    parts = [*planned.read(*[("crm", nameless)] * 4), *planned.read(*[("crm", nameless)] * 2)]
    assert [one.group for one in parts][3:] == ["new101", "new105", "new106"]
    stored = Records()
    stored.knows(7, *["crm"] * 4, undecided=True, **nameless)
    assert [one.entity_id for one in stored.read(*[("crm", nameless)] * 2)] == [None, None]
