"""The rule by which rows that vanished and rows that came are one."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence

from tests.sync.small_hub import rules
from trueup.mapping.apply import compile_mapping
from trueup.model.canonical import Locale
from trueup.model.entity import Link
from trueup.model.fields import TABLES, Kind
from trueup.sync.rules.recognise import recognised

FIELDS = ("first_name", "last_name", "email", "phone", "job_title", "department")
NAMING = compile_mapping("news", rules(fields=FIELDS), TABLES[Kind.CONTACT], Locale("DE")).bindings


def row(id: int, cells: str, entity: int | None = None, primary: bool = True) -> Link:
    """A row of these cells, by blanks; `-` for an empty one."""
    said = [None if cell == "-" else cell for cell in cells.split()]
    observed = dict(zip(FIELDS, said, strict=False))
    remote = f"{cells} #{id}" if entity is None else str(id)
    return Link(id, "news", "people", remote, entity, Kind.CONTACT, primary=primary, observed=observed)


def was(*cells: str, entities: Sequence[int] = ()) -> list[Link]:
    return [
        row(n, text, entities[n - 1] if entities else n, primary=n == 1)
        for n, text in enumerate(cells, start=1)
    ]


def came(*cells: str) -> list[Link]:
    return [row(100 + n, text) for n, text in enumerate(cells)]


def pairs(gone: list[Link], come: list[Link]) -> list[tuple[int, int]]:
    found = [(one.id, other.id) for one, other in recognised(NAMING, gone, come)]
    backwards = recognised(NAMING, gone[::-1], come[::-1])
    cells = {link.id: str(link.observed) for link in come}
    assert [cells[one.id] for _, one in backwards] == [cells[id] for _, id in found], "the order matters"
    return found


ANN = "Ann Lee ann@x.de 030901820 Boss North"


def test_most_cells_equal_is_the_same_row() -> None:
    assert pairs(was(ANN), came("Ann Lee ann@x.de 030901820 Chief West")) == [(1, 100)]


def test_half_of_the_cells_is_not_enough() -> None:
    assert pairs(was(ANN), came("Ann Lee ann.lee@x.de 030901829 Chief North")) == []


def test_half_of_the_cells_is_enough_with_a_match_key() -> None:
    assert pairs(was(ANN), came("Ann Stone ann@x.de 030901829 Boss West")) == [(1, 100)]


def test_cells_that_were_empty_on_both_sides_say_nothing() -> None:
    assert pairs(was("Ann Lee ann@x.de - - -"), came("Ann Lee ann.lee@x.de - - -")) == [(1, 100)]
    assert pairs(was("Ann - ann@x.de - - -"), came("Ann - ann.lee@x.de - - -")) == []


def test_cells_that_were_filled_count_against_it() -> None:
    assert pairs(was("Ann Lee - - - -"), came("Ann Lee ann@x.de 030901820 Boss -")) == []


def test_of_a_household_who_has_another_name_and_no_common_key_is_somebody_else() -> None:
    assert pairs(was(ANN), came("Tom Lee tom@x.de 030901820 Boss North")) == []


def test_another_spelling_of_the_name_is_no_other_name() -> None:
    assert pairs(was(ANN), came("Anne Lee ann.lee@x.de 030901820 Boss North")) == [(1, 100)]


def test_a_row_that_comes_as_near_to_two_people_is_nobodys() -> None:
    gone = was("Ann Lee ann@x.de 030901820 Boss North", "Ann Lee ann@x.de 030901820 Boss South")
    assert pairs(gone, came("Ann Lee ann@x.de 030901820 Boss West")) == []


def test_of_two_records_of_one_contact_it_is_the_primary_one() -> None:
    texts = ("Ann Lee ann@x.de 030901820 Boss North", "Ann Lee ann@x.de 030901820 Boss South")
    gone = was(*texts, entities=(7, 7))
    assert pairs(gone, came("Ann Lee ann@x.de 030901820 Boss West")) == [(1, 100)]


def test_a_row_that_comes_near_to_two_new_ones_is_neither() -> None:
    come = came("Ann Lee ann@x.de 030901820 Chief North", "Ann Lee ann@x.de 030901820 Boss South")
    assert pairs(was(ANN), come) == []


def test_the_nearest_of_several_is_the_one_for_both_sides() -> None:
    gone = was("Ann Lee ann@x.de 030901820 Boss North", "Bob Ray bob@x.de 030901829 Boss North")
    come = came("Bob Ray bob@x.de 030901829 Chief North", "Ann Lee ann@x.de 030901820 Chief North")
    assert pairs(gone, come) == [(1, 101), (2, 100)]


def test_equal_rows_of_several_people_go_each_to_one_if_there_are_enough() -> None:
    same = "- - - - Boss North"
    assert len(pairs(was(same, same), came(same, same))) == 2
    assert pairs(was(same, same), came(same)) == []


def test_equal_rows_of_one_contact_follow_as_far_as_there_are_any() -> None:
    assert pairs(was(ANN, ANN, entities=(7, 7)), came(ANN)) == [(1, 100)]


def test_eight_thousand_rows_of_which_every_one_was_edited_take_seconds() -> None:
    chance = random.Random(1)

    def person(n: int) -> list[str]:
        first, last = f"F{chance.randrange(200)}", f"L{chance.randrange(500)}"
        tail = f"0309{n:05}", f"J{chance.randrange(5)}", f"D{chance.randrange(20)}"
        return [first, last, f"p{n}@x.de", *tail]

    before = [person(n) for n in range(8000)]
    after = [[*cells] for cells in before]
    for cells in after:
        cells[chance.randrange(6)] = "edited"
    gone = was(*(" ".join(cells) for cells in before))
    come = came(*(" ".join(cells) for cells in after))
    started = time.process_time()
    found = recognised(NAMING, gone, come)
    assert time.process_time() - started < 10
    assert sum(other.id - 100 == one.id - 1 for one, other in found) == len(found) > 7900
