"""Systems that do not answer with the record, and keep what they are sent in a form of their own."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.demands.hubs import until_quiet
from tests.sync.memory import ALL, Clock, Memory
from tests.sync.small_hub import SmallHub, small_hub
from trueup.connectors.base import Capability
from trueup.model.fields import Kind
from trueup.model.formats import Format
from trueup.model.record import Json
from trueup.sync.rules.formats import is_form

SILENT = ALL - {Capability.ANSWERS_WITH_RECORD}
NO_VERSIONS = SILENT - {Capability.CONDITIONAL_WRITE}


def shouts(value: str) -> str:
    return value.upper()


def drops_vowels(value: str) -> str:
    return "".join(sign for sign in value if sign.lower() not in "aeiou") or value


def marks(value: str) -> str:
    return f"{value} (imported)"


def shuffles(value: str) -> str:
    return value[::-1]


HABITS = (shouts, drops_vowels, marks, shuffles)


def odd(habit: Callable[[str], str], fields: tuple[str, ...] = ("job_title",)) -> Callable[[str, Json], Json]:
    return lambda path, value: habit(value) if path in fields and isinstance(value, str) else value


def hub_with(
    folder: Path,
    keeps: Callable[[str, Json], Json],
    capabilities: frozenset[Capability] = SILENT,
    lag: float = 0.0,
) -> SmallHub:
    clock = Clock()
    systems = {
        "sales": Memory(clock),
        "support": Memory(clock, capabilities=capabilities, keeps=keeps, lag=lag, page=50),
        "marketing": Memory(clock),
    }
    hub = small_hub(folder, clock, systems, create=tuple(systems))
    hub.sync()
    hub.release()
    return hub


def title(hub: SmallHub, number: int) -> Json:
    return hub.contact(f"p{number}@example.com").get("job_title")


def clock_of(hub: SmallHub) -> Clock:
    return hub.systems["sales"].clock


def id_of(system: Memory, number: int) -> str:
    (found,) = [id for id, row in system.living().items() if row["email"] == f"p{number}@example.com"]
    return found


def lost(hub: SmallHub) -> list[object]:
    """What the history keeps of those who lost, the oldest first."""
    who = (hub.store.find(Kind.CONTACT, f"p{number}@example.com", 1)[0] for number in range(6))
    rows = [row for id in who for row in reversed(hub.store.history(id, 50))]
    return [conflict.lost for row in rows for conflict in row.conflicts]


WORDS = ("Head of Sales", "CTO", "Assistant", "rhythm", "Boss", "Engineer II", "Owner", "QC")


@pytest.mark.parametrize("capabilities", [SILENT, NO_VERSIONS])
@pytest.mark.parametrize("lag", [0.0, 30.0])
@pytest.mark.parametrize("habit", HABITS)
@pytest.mark.parametrize("seed", range(3))
def test_a_form_of_its_own_corrupts_nothing_and_ends_quiet(
    seed: int, habit: Callable[[str], str], lag: float, capabilities: frozenset[Capability], tmp_path: Path
) -> None:
    dice = random.Random(seed)
    hub = hub_with(tmp_path, odd(habit), capabilities, lag)
    sales, support, marketing = (hub.systems[name] for name in ("sales", "support", "marketing"))
    wanted: dict[int, str] = {}
    for number in range(dice.choice((1, 4, 12))):
        wanted[number] = dice.choice(WORDS)
        sales.add(email=f"p{number}@example.com", first_name=f"P{number}", job_title=wanted[number])
    until_quiet(hub, clock_of(hub))
    for _ in range(6):
        number, where = dice.choice(sorted(wanted)), dice.choice((sales, marketing))
        wanted[number] = dice.choice(WORDS)
        where.edit(id_of(where, number), job_title=wanted[number])
        hub.sync()
    until_quiet(hub, clock_of(hub))
    for number, word in wanted.items():
        assert title(hub, number) == word
        assert sales.values(id_of(sales, number))["job_title"] == word
        assert marketing.values(id_of(marketing, number))["job_title"] == word
        assert support.values(id_of(support, number))["job_title"] == habit(word)


@pytest.mark.parametrize("lag", [0.0, 30.0])
@pytest.mark.parametrize("habit", HABITS)
def test_a_persons_edit_in_such_a_field_is_still_taken(
    habit: Callable[[str], str], lag: float, tmp_path: Path
) -> None:
    hub = hub_with(tmp_path, odd(habit), lag=lag)
    sales, support = hub.systems["sales"], hub.systems["support"]
    for number in range(6):
        sales.add(email=f"p{number}@example.com", first_name=f"P{number}", job_title="Engineer")
    until_quiet(hub, clock_of(hub))
    support.edit(id_of(support, 3), job_title="Zoo keeper")
    until_quiet(hub, clock_of(hub))
    assert title(hub, 3) == "Zoo keeper"
    assert sales.values(id_of(sales, 3))["job_title"] == "Zoo keeper"
    assert {title(hub, number) for number in (0, 1, 2, 4, 5)} == {"Engineer"}


def test_a_field_with_a_form_of_its_own_is_reported_and_learned(tmp_path: Path) -> None:
    hub = hub_with(tmp_path, odd(marks))
    for number in range(6):
        hub.systems["sales"].add(email=f"p{number}@example.com", first_name=f"P{number}", job_title="CTO")
    until_quiet(hub, clock_of(hub))
    known = {one.path: one for one in hub.store.formats(["support"])}
    assert known["job_title"] == Format("support", "people", "job_title", 0, 6, True)
    assert known["first_name"] == Format("support", "people", "first_name", 6, 0, False)
    notes = [note for report in hub.reports for note in report.tally.notes]
    assert [note for note in notes if "`job_title` keeps what it is sent in a form of its own" in note]
    assert not [note for note in notes if "first_name" in note]


def test_an_edit_right_after_our_write_is_no_form_where_the_field_keeps_what_it_is_sent(
    tmp_path: Path,
) -> None:
    hub = hub_with(tmp_path, lambda path, value: value, lag=30.0)
    sales, support = hub.systems["sales"], hub.systems["support"]
    for number in range(6):
        sales.add(email=f"p{number}@example.com", first_name=f"P{number}", job_title="Engineer")
    until_quiet(hub, clock_of(hub))
    sales.edit(id_of(sales, 2), job_title="Boss")
    hub.sync()
    support.edit(id_of(support, 2), job_title="Somebody else")
    until_quiet(hub, clock_of(hub))
    assert title(hub, 2) == "Somebody else"


def test_what_may_have_been_an_edit_is_kept_in_the_history(tmp_path: Path) -> None:
    hub = hub_with(tmp_path, odd(marks))
    hub.systems["sales"].add(email="p1@example.com", first_name="P1", job_title="CTO")
    until_quiet(hub, clock_of(hub))
    (row, *_) = [row for row in hub.store.history("c-1", 10) if row.conflicts]
    assert [(one.lost, one.kept) for one in row.conflicts] == [("CTO (imported)", "CTO")]


@pytest.mark.parametrize("edited", [True, False])
def test_of_a_field_known_to_leave_out_only_what_says_something_else_is_kept_in_the_history(
    tmp_path: Path, edited: bool
) -> None:
    hub = hub_with(tmp_path, odd(drops_vowels))
    sales, support = hub.systems["sales"], hub.systems["support"]
    for number in range(6):
        sales.add(email=f"p{number}@example.com", first_name=f"P{number}", job_title="Engineer")
    until_quiet(hub, clock_of(hub))
    known = Counter(lost(hub))
    sales.edit(id_of(sales, 2), job_title="Head of Sales")
    hub.sync()
    if edited:  # within the same step of its stamps
        row = id_of(support, 2)
        stamp = support.rows[row].stamp
        support.edit(row, job_title="Boss")
        support.rows[row].stamp = stamp
    until_quiet(hub, clock_of(hub))
    assert Counter(lost(hub)) - known == Counter(["Boss"] if edited else [])


def test_a_write_that_changes_nothing_there_is_not_taken_for_an_edit(tmp_path: Path) -> None:
    hub = hub_with(tmp_path, lambda path, value: value)
    sales, support = hub.systems["sales"], hub.systems["support"]
    sales.add(email="p1@example.com", first_name="P1", job_title="CTO")
    until_quiet(hub, clock_of(hub))
    support.keeps = lambda path, value: support.values("1").get(path)
    sales.edit("1", department="R&D")
    until_quiet(hub, clock_of(hub))
    assert hub.contact("p1@example.com")["department"] == "R&D"


@pytest.mark.parametrize(
    ("sent", "has", "known", "edited", "form"),
    [
        ("Head of Sales", "HEAD OF  SALES", (9, 0, False), True, True),
        ("Head of Sales", "Head of Sal", (9, 0, False), False, True),
        ("Head of Sales", "Head of Sal", (9, 0, False), True, True),
        ("Germany", "DE-1", (0, 0, False), None, True),
        ("Germany", "DE-1", (9, 0, False), None, False),
        ("Germany", "DE-1", (9, 4, True), True, True),
        ("Germany", None, (9, 0, False), False, False),
        (["VIP"], ["vip"], (0, 0, False), None, True),
    ],
)
def test_what_tells_a_form_from_an_edit(
    sent: Json, has: Json, known: tuple[int, int, bool], edited: bool | None, form: bool
) -> None:
    assert is_form(sent, has, Format("a", "b", "c", *known), edited) is form


def test_a_doubtful_write_to_a_field_with_a_known_form_is_found_done(tmp_path: Path) -> None:
    hub = hub_with(tmp_path, odd(marks))
    sales, support = hub.systems["sales"], hub.systems["support"]
    for number in range(6):
        sales.add(email=f"p{number}@example.com", first_name=f"P{number}", job_title="CTO")
    until_quiet(hub, clock_of(hub))
    support.loses = lambda item: True
    sales.edit(id_of(sales, 2), job_title="COO")
    hub.sync()
    support.loses = lambda item: False
    until_quiet(hub, clock_of(hub))
    assert title(hub, 2) == "COO"
    assert support.values(id_of(support, 2))["job_title"] == "COO (imported)"


def test_a_clock_that_runs_ahead_is_found_out_after_a_few_records(tmp_path: Path) -> None:
    hub = hub_with(tmp_path, odd(marks))
    sales, support = hub.systems["sales"], hub.systems["support"]
    put = support._put

    def later(id: str, values: dict[str, Json]) -> None:
        put(id, values)
        row = support.rows[id]
        support.rows[id].stamp = row.stamp.replace(minute=(row.stamp.minute + 5) % 60)

    support._put = later  # type: ignore[method-assign,assignment]
    for number in range(12):
        sales.add(email=f"p{number}@example.com", first_name=f"P{number}", job_title="CTO")
        until_quiet(hub, clock_of(hub))
    assert [title(hub, number) for number in range(6, 12)] == ["CTO"] * 6


def test_a_system_that_silently_drops_a_value_empties_nobody_else(tmp_path: Path) -> None:
    hub = hub_with(tmp_path, lambda path, value: None if path == "job_title" else value)
    hub.systems["sales"].add(email="a@example.com", first_name="Ann", job_title="CTO")
    until_quiet(hub, hub.parts.clock)  # type: ignore[arg-type]
    hub.systems["sales"].edit("1", job_title="COO")
    for _ in range(6):
        hub.parts.clock.sleep(3600)
        hub.sync()
    held = {
        name: [row.get("job_title") for row in one.living().values()] for name, one in hub.systems.items()
    }
    assert held == {"sales": ["COO"], "support": [None], "marketing": ["COO"]}


@pytest.mark.parametrize("lag", [0.0, 30.0])
def test_an_element_that_the_system_drops_is_missing_there_and_removed_nowhere_else(
    lag: float, tmp_path: Path
) -> None:
    """Also where the field was seen to keep whole lists: it is read right after the write, before anybody can
    have taken the element away."""
    hub = hub_with(
        tmp_path,
        lambda path, value: [one for one in value or [] if one != "vip"] if path == "tags" else value,
        lag=lag,
    )
    sales, support = hub.systems["sales"], hub.systems["support"]
    for number in range(6):
        sales.add(email=f"p{number}@example.com", first_name=f"P{number}", tags=["a"])
    until_quiet(hub, clock_of(hub))
    sales.edit(id_of(sales, 2), tags=["a", "b", "vip"])
    until_quiet(hub, clock_of(hub))
    assert support.values(id_of(support, 2))["tags"] == ["a", "b"]
    assert sorted(sales.values(id_of(sales, 2))["tags"]) == ["a", "b", "vip"]
    support.edit(id_of(support, 2), tags=["a"])
    until_quiet(hub, clock_of(hub))
    assert sorted(sales.values(id_of(sales, 2))["tags"]) == ["a", "vip"]


def losing(hub: SmallHub) -> tuple[Memory, Memory, str]:
    """Six people of whom `support` keeps what it is sent, until `losses` says otherwise; sales, support, and
    the second person's id in both."""
    sales, support = hub.systems["sales"], hub.systems["support"]
    for number in range(6):
        sales.add(email=f"p{number}@example.com", first_name=f"P{number}", job_title="Engineer")
    until_quiet(hub, clock_of(hub))
    return sales, support, id_of(support, 2)


def loses_titles(support: Memory, id: str, times: int) -> None:
    """Drop so many writes of this person's title: what stood there before stays, and no error is told."""
    left = [times]

    def keeps(path: str, value: Json) -> Json:
        if path == "job_title" and left[0]:
            left[0] -= 1
            return support.values(id).get(path)
        return value

    support.keeps = keeps


def titles_sent(support: Memory, since: int) -> list[Json]:
    return [item.values["job_title"] for item in support.written[since:] if "job_title" in item.values]


def test_a_value_that_was_lost_arrived_and_is_lost_again_later_is_sent_once_more_again(
    tmp_path: Path,
) -> None:
    hub = hub_with(tmp_path, lambda path, value: value)
    sales, support, id = losing(hub)
    for word, losses in (("Boss", 1), ("Engineer", 0), ("Boss", 1)):
        loses_titles(support, id, losses)
        sales.edit(id_of(sales, 2), job_title=word)
        until_quiet(hub, clock_of(hub))
        assert support.values(id)["job_title"] == word
    assert title(hub, 2) == "Boss"


def test_a_value_that_is_lost_twice_is_agreed_however_late_that_is_seen(tmp_path: Path) -> None:
    hub = hub_with(tmp_path, lambda path, value: value)
    sales, support, id = losing(hub)
    since = len(support.written)
    loses_titles(support, id, 99)
    sales.edit(id_of(sales, 2), job_title="Boss")
    for _ in range(4):
        hub.sync()
        clock_of(hub).sleep(40 * 24 * 3600)
    assert titles_sent(support, since) == ["Boss", "Boss"]
    assert (support.values(id)["job_title"], title(hub, 2)) == ("Engineer", "Boss")


def test_another_value_than_the_one_sent_once_more_has_its_own_second_try(tmp_path: Path) -> None:
    hub = hub_with(tmp_path, lambda path, value: value)
    sales, support, id = losing(hub)
    since = len(support.written)
    loses_titles(support, id, 2)
    sales.edit(id_of(sales, 2), job_title="Boss")
    hub.sync()
    sales.edit(id_of(sales, 2), job_title="Chief")
    until_quiet(hub, clock_of(hub))
    assert titles_sent(support, since)[-2:] == ["Chief", "Chief"]
    assert support.values(id)["job_title"] == "Chief"


def test_what_stands_in_a_list_beside_all_that_we_sent_somebody_put_there(tmp_path: Path) -> None:
    """Where no stamp tells, and little is known of the field."""
    hub = hub_with(tmp_path, lambda path, value: value)
    sales, support = hub.systems["sales"], hub.systems["support"]
    sales.add(email="p1@example.com", first_name="P1", tags=["a"])
    hub.sync()
    id = id_of(support, 1)
    stamp = support.rows[id].stamp
    support.edit(id, tags=["a", "b"])
    support.rows[id].stamp = stamp
    until_quiet(hub, clock_of(hub))
    assert sales.values(id_of(sales, 1))["tags"] == ["a", "b"]


def test_what_stands_in_a_list_that_we_emptied_somebody_put_there(tmp_path: Path) -> None:
    """Where no stamp tells, and little is known of the field."""
    hub = hub_with(tmp_path, lambda path, value: value)
    sales, support = hub.systems["sales"], hub.systems["support"]
    sales.add(email="p1@example.com", first_name="P1", tags=["a"])
    until_quiet(hub, clock_of(hub))
    id = id_of(support, 1)
    sales.edit(id_of(sales, 1), tags=[])
    hub.sync()
    stamp = support.rows[id].stamp
    support.edit(id, tags=["b"])
    support.rows[id].stamp = stamp
    until_quiet(hub, clock_of(hub))
    assert sales.values(id_of(sales, 1))["tags"] == ["b"]
