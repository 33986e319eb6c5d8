"""The rule by which rows that vanished and rows that came are one."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from tests.sync.small_hub import rules
from trueup.mapping.apply import compile_mapping
from trueup.mapping.compiled import Binding
from trueup.model.canonical import Locale
from trueup.model.entity import Link
from trueup.model.fields import TABLES, Kind
from trueup.sync.rules.recognise import recognised

FIELDS = ("first_name", "last_name", "email", "phone", "job_title", "department")


@dataclass(frozen=True)
class Sheet:
    """A table of these columns."""

    fields: Sequence[str]
    kind: Kind = Kind.CONTACT

    @property
    def bindings(self) -> Sequence[Binding]:
        said = rules(fields=self.fields, kind=self.kind)
        return compile_mapping("news", said, TABLES[self.kind], Locale("DE")).bindings

    def row(self, id: int, cells: str, entity: int | None = None, primary: bool = True) -> Link:
        """A row of these cells, by blanks; `-` for an empty one."""
        said = [None if cell == "-" else cell for cell in cells.split()]
        observed = dict(zip(self.fields, said, strict=False))
        remote = f"{cells} #{id}" if entity is None else str(id)
        return Link(id, "news", "people", remote, entity, self.kind, primary=primary, observed=observed)


PEOPLE = Sheet(FIELDS)


def was(*cells: str, entities: Sequence[int] = (), sheet: Sheet = PEOPLE) -> list[Link]:
    return [
        sheet.row(n, text, entities[n - 1] if entities else n, primary=n == 1)
        for n, text in enumerate(cells, start=1)
    ]


def came(*cells: str, sheet: Sheet = PEOPLE) -> list[Link]:
    return [sheet.row(100 + n, text) for n, text in enumerate(cells)]


def pairs(
    gone: list[Link], come: list[Link], sheet: Sheet = PEOPLE, unread: int = 0
) -> list[tuple[int, int]]:
    bindings = sheet.bindings
    found = [(one.id, other.id) for one, other in recognised(bindings, gone, come, unread)]
    backwards = recognised(bindings, gone[::-1], come[::-1], unread)
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


# -- two of whom one went and the other came ----------------------------------------------------------


def one_row(fields: str, before: str, after: str, kind: Kind = Kind.CONTACT, unread: int = 0) -> bool:
    """Whether a row that vanished and one that came are taken for one."""
    sheet = Sheet(fields.split(), kind)
    return bool(pairs(was(before, sheet=sheet), came(after, sheet=sheet), sheet, unread))


PLACE = "address.city address.postcode language"


def test_without_a_name_another_address_is_another_person() -> None:
    assert not one_row(f"email {PLACE}", "ann@a.example Kiel 24103 de", "zoe@z.example Kiel 24103 de")


def test_a_first_name_alone_does_not_say_who_it_is() -> None:
    fields = f"first_name email {PLACE}"
    assert not one_row(fields, "Ann ann@a.example Kiel 24103 de", "Ann ann@z.example Kiel 24103 de")


def test_the_same_first_name_with_another_last_name_is_another_person() -> None:
    fields = f"first_name last_name email {PLACE}"
    gone, come = "Anna Meier meier@a.example Kiel 24103 de", "Anna Schulz schulz@z.example Kiel 24103 de"
    assert not one_row(fields, gone, come)


def test_another_middle_name_is_another_person() -> None:
    fields = f"first_name middle_name last_name email {PLACE}"
    gone, come = "Ann Ida Lee a@a.example Kiel 24103 de", "Ann Ruth Lee r@z.example Kiel 24103 de"
    assert not one_row(fields, gone, come)


def test_a_name_that_was_swapped_and_spelled_otherwise_is_the_same_name() -> None:
    fields = "first_name last_name email address.city address.postcode job_title department"
    gone, come = (
        "Ann Meier ann@a.example Kiel 24103 Boss North",
        "Maier Anne a@z.example Kiel 24103 Boss North",
    )
    assert one_row(fields, gone, come)


def test_a_changed_last_name_and_address_need_the_number() -> None:
    fields = f"first_name last_name email phone {PLACE}"
    gone, come = "Ann Lee lee@a.example {} Kiel 24103 de", "Ann Stone stone@a.example {} Kiel 24103 de"
    assert one_row(fields, gone.format("030901820"), come.format("030901820"))
    assert not one_row(fields, gone.format("030901820"), come.format("030901829"))


def test_an_offices_mailbox_does_not_make_two_people_one() -> None:
    fields = f"first_name last_name email {PLACE}"
    gone, come = "Ann Lee info@a.example Kiel 24103 de", "Tom Fox info@a.example Kiel 24103 de"
    assert not one_row(fields, gone, come)


def test_a_country_a_language_and_a_choice_weigh_nothing() -> None:
    fields = "first_name last_name email address.city address.country language gender"
    gone, come = "Ann Lee ann@a.example Kiel DE de female", "Ann Lee lee@z.example Bonn DE de female"
    assert not one_row(fields, gone, come)
    assert one_row(fields, gone, come.replace("Bonn", "Kiel"))


def test_what_no_mapping_reads_weighs_nothing() -> None:
    gone, come = was("Ann Lee ann@a.example - Boss"), came("Ann Lee lee@z.example - Chief")
    more = {"x_1": "asked for", "x_2": "by a switch"}
    gone, come = (
        [replace(link, observed={**link.observed, **more}) for link in links] for links in (gone, come)
    )
    assert pairs(gone, come) == []


def test_another_companys_row_in_the_same_town_is_another_company() -> None:
    fields = "name domain address.city address.postcode industry"
    gone, come = "Acme acme.example Kiel 24103 Retail", "Zeta zeta.example Kiel 24103 Retail"
    assert not one_row(fields, gone, come, Kind.COMPANY)
    assert one_row(fields, gone, come.replace("Zeta", "Acme"), Kind.COMPANY)
    assert one_row(fields, gone, come.replace("zeta.", "acme."), Kind.COMPANY)


def test_another_deal_of_the_same_stage_is_another_deal() -> None:
    fields = "name pipeline stage amount"
    assert not one_row(fields, "Roof New open 100", "Cellar New open 100", Kind.DEAL)
    assert one_row(fields, "Roof New open 100", "roof New won 100", Kind.DEAL)


HOUSE = "first_name last_name email phone address.city address.postcode"


def test_of_a_household_with_one_mailbox_one_who_goes_is_not_one_who_comes() -> None:
    fields = f"{HOUSE} birthday"
    gone = "Ann Lee lee@a.example 030901820 Kiel 24103 1970-01-02"
    assert not one_row(fields, gone, "Tom Lee lee@a.example 030901820 Kiel 24103 1968-03-04")


def test_of_a_couple_whose_addresses_were_exchanged_each_keeps_the_own_name() -> None:
    sheet = Sheet(["first_name", "last_name", "email"])
    gone = was("Ann Lee tom@a.example", "Tom Lee ann@a.example", sheet=sheet)
    come = came("Ann Lee ann@a.example", "Tom Lee tom@a.example", sheet=sheet)
    assert pairs(gone, come, sheet) == [(1, 100), (2, 101)]


def test_who_gets_another_first_name_and_keeps_everything_else_is_the_same() -> None:
    gone, come = (
        "Bob Lee lee@a.example 030901820 Kiel 24103",
        "Robert Lee lee@a.example 030901820 Kiel 24103",
    )
    assert one_row(HOUSE, gone, come)
    assert not one_row(HOUSE, gone, come.replace("Kiel", "Bonn"))
    assert not one_row(HOUSE, gone, come, unread=1)
    assert not one_row(HOUSE, gone.replace("lee@", "info@"), come.replace("lee@", "info@"))


def test_of_one_name_with_another_birthday_it_is_the_son() -> None:
    fields = f"{HOUSE} birthday"
    gone = "Jan Lee jan@a.example 030901820 Kiel 24103 1950-01-02"
    come = "Jan Lee lee@z.example 030901820 Kiel 24103 1985-07-08"
    assert not one_row(fields, gone, come)
    assert one_row(fields, gone, come.replace("1985-07-08", "1950-01-02"))
    assert one_row(fields, gone, come.replace("lee@z.", "jan@a."))


def test_another_number_of_its_own_is_another_one() -> None:
    fields = f"{HOUSE} external_id"
    gone = "Jan Lee jan@a.example - Kiel 24103 17"
    come = "Jan Lee lee@z.example - Kiel 24103 99"
    assert not one_row(fields, gone, come)
    assert one_row(fields, gone, come.replace("99", "17").replace("Jan", "Tom"))


def test_a_deal_of_the_same_name_with_another_company_is_another_deal() -> None:
    fields = "name company pipeline amount currency"
    gone = "Renewal 7 New 100 EUR"
    assert not one_row(fields, gone, "Renewal 8 New 100 EUR", Kind.DEAL)
    assert one_row(fields, gone, "Renewal 7 New 200 EUR", Kind.DEAL)


def test_where_a_row_was_left_unread_a_match_key_or_one_emptied_cell_makes_a_pair() -> None:
    fields = f"first_name last_name email {PLACE}"
    gone = "Ann Lee ann@a.example Kiel 24103 de"
    assert one_row(fields, gone, "Ann Lee - Kiel 24103 de", unread=1)
    assert one_row(fields, "Ann Lee - Kiel 24103 de", "Ann Lee - Kiel 24105 de", unread=1)
    assert not one_row(fields, gone, "Ann Lee - Kiel 24105 de", unread=1)
    assert not one_row(fields, gone, "Ann Lee lee@z.example Kiel 24103 de", unread=1)
    assert one_row(fields, gone, "Ann Lee ann@a.example Bonn 24103 de", unread=1)


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
    found = recognised(PEOPLE.bindings, gone, come)
    assert time.process_time() - started < 10
    assert sum(other.id - 100 == one.id - 1 for one, other in found) == len(found) > 7900
