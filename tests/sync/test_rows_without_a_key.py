"""Two tables, one without a column that identifies its rows: its rows are known again after an edit."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.sync.memory import Clock
from tests.sync.small_hub import Always, SmallHub, rules, small_hub
from trueup.connectors.base import Outcome, StaleItem, WriteItem
from trueup.connectors.csv.connector import CsvConnector
from trueup.errors import NotFound, Transient
from trueup.mapping.schema import ConsentRule, ObjectRules
from trueup.model.delivery import DeliveryState
from trueup.model.entity import LinkState
from trueup.model.fields import Kind
from trueup.model.record import Cursor, Page, Reading
from trueup.model.run import RunOutcome
from trueup.sync.engine import Report, landing
from trueup.sync.owning import own
from trueup.sync.rules.guard import Fuse

FIELDS = ("first_name", "last_name", "email", "job_title", "department")
HEAD = "first_name,last_name,email,job_title,department,remark"
ANN = "Ann,Lee,ann@example.com,Boss,North,"
BOB = "Bob,Ray,bob@example.com,Clerk,South,"
CID = "Cid,Fox,cid@example.com,Cook,East,"


class Tables:
    """`crm.csv` with a key and `news.csv` without one, and the hub between them. `strongest` is believed
    where both say something new."""

    def __init__(self, folder: Path, strongest: str = "crm", rows: Sequence[str] = (ANN, BOB, CID)) -> None:
        self.folder, self.clock = folder, Clock()
        self.write("crm", ["id," + HEAD, *(f"{number},{row}" for number, row in enumerate(rows))])
        self.write("news", [HEAD, *rows])
        self.connectors: dict[str, Any] = {name: self.connector(name) for name in ("crm", "news")}
        objects = {name: self._rules() for name in self.connectors}
        order = (strongest, *({"crm", "news"} - {strongest}))
        self.hub: SmallHub = small_hub(folder, self.clock, self.connectors, order, objects)
        self.sync()
        self.hub.release()

    def _rules(self) -> ObjectRules:
        return rules("people", FIELDS)

    def connector(self, name: str) -> CsvConnector:
        options = {"path": str(self.folder / f"{name}.csv"), "key": "id" if name == "crm" else None}
        return CsvConnector(name, options, {"people": {"entity": "contact"}}, self.clock.now)

    def write(self, name: str, lines: Sequence[str]) -> None:
        text = "\n".join(lines) + "\n"
        (self.folder / f"{name}.csv").write_text(text, encoding="utf-8")

    def news(self, *rows: str) -> None:
        """Somebody saves the table without a key."""
        self.write("news", [HEAD, *rows])

    def crm(self, old: str, new: str) -> None:
        """Somebody edits a cell of the table with a key."""
        text = (self.folder / "crm.csv").read_text(encoding="utf-8")
        assert text.count(old) == 1
        (self.folder / "crm.csv").write_text(text.replace(old, new), encoding="utf-8")

    def rows(self, name: str) -> list[str]:
        return (self.folder / f"{name}.csv").read_text(encoding="utf-8").splitlines()[1:]

    def sync(self) -> Any:
        self.clock.tick(3600)
        report = self.hub.sync()
        self.clock.tick(1)
        return report

    def contacts(self) -> list[str]:
        """First name and e-mail of each contact that has a living record."""
        found = []
        for number in itertools.count(1):
            try:
                case = self.hub.store.case(f"c-{number}")
            except NotFound:
                return sorted(found)
            if any(link.state == "live" for link in case.links):
                found.append(f"{case.entity.values.get('first_name')} {case.entity.values.get('email')}")
        raise AssertionError

    def contacts_of(self, text: str) -> Sequence[str]:
        return self.hub.store.find(Kind.CONTACT, text, 10)

    def opted_out(self, id: str) -> bool:
        return self.hub.store.case(id).entity.values.get("consent.email.marketing") == "opted_out"

    def lost(self, text: str) -> list[tuple[Any, Any, str]]:
        """(lost, kept, source of the lost) of all conflicts of a contact."""
        (id,) = self.hub.store.find(Kind.CONTACT, text, 10)
        history = self.hub.store.history(id, 100)
        return [(one.lost, one.kept, one.lost_source) for row in history for one in row.conflicts]


@pytest.fixture
def tables(tmp_path: Path) -> Tables:
    return Tables(tmp_path)


ALL = ["Ann ann@example.com", "Bob bob@example.com", "Cid cid@example.com"]


def test_an_edited_name_reaches_the_other_table_also_where_the_other_is_believed_first(
    tables: Tables,
) -> None:
    tables.news(ANN.replace("Ann", "Anna", 1), BOB, CID)
    tables.sync()
    assert tables.rows("news")[0].startswith("Anna,Lee,ann@")
    assert tables.rows("crm")[0].startswith("0,Anna,Lee,ann@")
    assert tables.sync().tally.get("updates") == 0


def test_an_edited_row_counts_as_changed_and_nothing_as_new_or_gone(tables: Tables) -> None:
    tables.news(ANN.replace("Boss", "Chief"), BOB, CID)
    tally = tables.sync().tally
    found = [tally.get(what, "news") for what in ("read", "new", "changed", "same", "gone")]
    assert found == [3, 0, 1, 2, 0]


def test_an_edited_address_stays_with_its_person(tables: Tables) -> None:
    tables.news(ANN.replace("ann@", "ann.lee@"), BOB, CID)
    tables.sync()
    assert "ann.lee@example.com" in tables.rows("crm")[0]
    assert tables.contacts() == ["Ann ann.lee@example.com", *ALL[1:]]


def test_two_rows_edited_at_once_and_sorted_anew_are_each_known(tables: Tables) -> None:
    tables.news(CID, BOB.replace("Clerk", "Boss"), ANN.replace("North", "South"))
    tables.sync()
    assert tables.rows("crm") == [
        "0,Ann,Lee,ann@example.com,Boss,South,",
        "1,Bob,Ray,bob@example.com,Boss,South,",
        f"2,{CID}",
    ]
    assert tables.contacts() == ALL


def test_rows_in_another_order_are_no_news(tables: Tables) -> None:
    tables.news(CID, ANN, BOB)
    tally = tables.sync().tally
    assert (tally.get("same"), tally.get("changed"), tally.get("gone")) == (6, 0, 0)


def test_a_column_that_is_added_moves_every_row_and_no_contact(tables: Tables) -> None:
    tables.write("news", [f"{HEAD},shoe size", *(f"{row},4{row[0]}" for row in (ANN, BOB, CID))])
    tally = tables.sync().tally
    assert (tally.get("new"), tally.get("gone"), tally.get("updates")) == (0, 0, 0)
    assert tables.contacts() == ALL


def test_a_row_that_was_deleted_and_a_strangers_row_are_not_one(tables: Tables) -> None:
    tables.news("Dan,Oak,dan@example.com,Boss,North,", BOB, CID)
    tally = tables.sync().tally
    assert (tally.get("new", "news"), tally.get("gone", "news")) == (1, 1)
    assert tables.rows("crm")[0] == f"0,{ANN}"
    assert tables.contacts() == sorted([*ALL, "Dan dan@example.com"])


def test_of_two_edits_the_loser_is_named(tables: Tables) -> None:
    tables.news(ANN.replace("Boss", "Clerk"), BOB, CID)
    tables.crm("ann@example.com,Boss", "ann@example.com,Chief")
    tables.sync()
    assert tables.rows("news")[0] == ANN.replace("Boss", "Chief")
    ((lost, kept, source),) = tables.lost("ann@example.com")
    assert (lost, kept, source.split("/")[0]) == ("Clerk", "Chief", "news")


def test_the_edit_of_whoever_is_believed_first_wins_without_a_key_as_with_one(tmp_path: Path) -> None:
    tables = Tables(tmp_path, strongest="news")
    tables.news(ANN.replace("Boss", "Clerk"), BOB, CID)
    tables.crm("ann@example.com,Boss", "ann@example.com,Chief")
    tables.sync()
    assert tables.rows("crm")[0] == f"0,{ANN.replace('Boss', 'Clerk')}"


def test_what_cannot_be_told_apart_is_not_put_back_without_a_trace(tables: Tables) -> None:
    """So much is changed that nobody can know the row again but by its address, as a record of its own."""
    tables.news("Ann,Stone,ann@example.com,Chief,West,moved", BOB, CID)
    tally = tables.sync().tally
    assert (tally.get("new", "news"), tally.get("gone", "news")) == (1, 1)
    lost = str([one[0] for one in tables.lost("ann@example.com")])
    stands = tables.rows("news")[0]
    assert all((value in lost) != (value in stands) for value in ("Stone", "Chief", "West")), (lost, stands)


def test_an_edit_back_to_what_stood_there_is_an_edit(tables: Tables) -> None:
    tables.news(ANN.replace("Boss", "Chief"), BOB, CID)
    tables.sync()
    tables.news(ANN, BOB, CID)
    tables.sync()
    assert tables.rows("crm")[0] == f"0,{ANN}"
    assert tables.contacts() == ALL


def test_a_row_that_the_hub_wrote_may_be_put_back_by_a_person(tables: Tables) -> None:
    tables.crm("ann@example.com,Boss", "ann@example.com,Chief")
    tables.sync()
    assert tables.rows("news")[0] == ANN.replace("Boss", "Chief")
    tables.news(ANN, BOB, CID)
    tables.sync()
    assert tables.rows("crm")[0] == f"0,{ANN}"
    assert tables.sync().tally.get("updates") == 0


def test_of_equal_rows_one_may_be_edited(tmp_path: Path) -> None:
    tables = Tables(tmp_path)
    tables.news(ANN, ANN, BOB, CID)
    tables.sync()
    tables.news(ANN, ANN.replace("Boss", "Chief"), BOB, CID)
    tables.sync()
    assert tables.contacts() == ALL
    assert tables.rows("crm")[0] == f"0,{ANN.replace('Boss', 'Chief')}"
    assert tables.sync().tally.get("gone") == 0


def test_of_equal_rows_one_may_be_deleted(tmp_path: Path) -> None:
    tables = Tables(tmp_path)
    tables.news(ANN, ANN, BOB, CID)
    tables.sync()
    tables.news(ANN, BOB, CID)
    assert tables.sync().tally.get("gone") == 1
    assert tables.contacts() == ALL


def test_a_whole_table_may_be_edited_at_once_without_any_fuse(tmp_path: Path) -> None:
    people = [f"P{n},Q{n},p{n}@example.com,Boss,North," for n in range(60)]
    tables = Tables(tmp_path, rows=people)
    tables.hub.parts = replace(tables.hub.parts, fuses={"delete": Fuse(count=3)})
    tables.news(*(row.replace("Boss", "Chief") for row in people))
    tables.sync()
    assert all("Chief" in row for row in tables.rows("crm"))


def test_a_row_that_could_not_be_read_keeps_its_place_from_a_similar_one(tables: Tables) -> None:
    similar = ANN.replace("ann@example.com", "ann@other.example")
    tables.news(f"{ANN},too,many", similar, BOB, CID)
    tables.sync()
    assert tables.rows("crm")[0] == f"0,{ANN}"
    tables.news(ANN, similar, BOB, CID)
    tables.sync()
    assert ANN in tables.rows("news")
    assert tables.rows("crm")[0] == f"0,{ANN}"


def test_rows_put_right_after_they_were_only_read_make_no_contact_of_what_stood_there(
    tables: Tables,
) -> None:
    """`trueup plan` reads, and gives nobody a contact."""
    typos = [f"P{n},Q{n},p{n}@exampel.com,Boss,North," for n in range(60)]
    tables.hub.parts = replace(tables.hub.parts, fuses={"delete": Fuse(count=3)})
    tables.news(ANN, BOB, CID, *typos)
    fence = own(tables.hub.parts)
    landing(tables.hub.parts, ("crm", "news"), Report(0), fence)
    tables.hub.parts.store.let_go(fence)
    tables.clock.tick(3600)
    tables.news(ANN, BOB, CID, *(row.replace("exampel", "example") for row in typos))
    assert tables.sync().outcome is RunOutcome.COMPLETED
    assert [len(tables.contacts_of(f"p7@{domain}")) for domain in ("exampel.com", "example.com")] == [0, 1]


class Flagged(Tables):
    """Of nobody an address is known, and the last column takes an opt-out."""

    def _rules(self) -> ObjectRules:
        names = ("first_name", "last_name", "job_title", "department")
        return rules("people", names, consent=(OPT_OUT,))


OPT_OUT = ConsentRule("email", "marketing", "remark", opted_out="no")


def test_an_opt_out_stays_with_its_row_where_another_one_says_now_what_it_said_then(tmp_path: Path) -> None:
    tables, out = Flagged(tmp_path), f"{ANN}no"
    tables.news(out, BOB, CID)
    tables.sync()
    (c_4,) = (id for id in tables.contacts_of("Ann Lee") if tables.opted_out(id))
    tables.news(out.replace("Boss", "Chief"), BOB, CID)
    tables.sync()
    for title in ("Chief", "Cook"):
        tables.news(out.replace("Boss", title), out, BOB, CID)
        tables.sync()
    assert tables.hub.store.case(c_4).entity.values["job_title"] == "Cook"
    assert tables.opted_out(c_4)


# -- interrupted --------------------------------------------------------------------------------------


class Breaks:
    """A connector whose readings break off after so many pages, and whose writes may lose their answer."""

    def __init__(self, inner: CsvConnector, pages: int | None = None, loses: bool = False) -> None:
        self._inner, self._pages, self._loses = inner, pages, loses

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def pull(self, object: str, reading: Reading, cursor: Cursor | None, fields: Sequence[str]) -> Page:
        if self._pages == 0:
            raise Transient("the disk is away")
        self._pages = None if self._pages is None else self._pages - 1
        return self._inner.pull(object, reading, cursor, fields)

    def write(self, object: str, items: Sequence[WriteItem], fields: Sequence[str]) -> Sequence[Outcome]:
        outcomes = self._inner.write(object, items, fields)
        if self._loses:
            raise Killed
        return outcomes


class Killed(BaseException):
    """The process ends here."""


def people(number: int) -> list[str]:
    return [f"P{n},Q{n},p{n}@example.com,Boss,North," for n in range(number)]


def through(tables: Tables, make: Callable[[CsvConnector], Any]) -> None:
    """Another process, in which the connector of the table without a key is made into this."""
    connectors = {name: tables.connector(name) for name in tables.connectors}
    connectors["news"] = make(connectors["news"])
    tables.hub.parts = replace(tables.hub.parts, connectors=connectors)


def big(tmp_path: Path) -> tuple[Tables, list[str]]:
    rows = people(1500)
    return Tables(tmp_path, rows=rows), rows


def test_an_edited_row_waits_for_the_end_of_the_reading_that_broke_off(tmp_path: Path) -> None:
    tables, rows = big(tmp_path)
    edited = [rows[0].replace("p0@", "new@").replace("Boss", "Chief"), *rows[1:]]
    tables.news(*edited)
    through(tables, lambda inner: Breaks(inner, pages=1))
    assert "news" in tables.sync().failed
    assert len(tables.contacts_of("new@example.com")) == 0
    through(tables, lambda inner: inner)
    tables.sync()
    assert tables.rows("crm")[0].startswith("0,P0,Q0,new@example.com,Chief")
    assert len(tables.contacts_of("P0 Q0")) == 1


def test_what_a_reading_that_broke_off_brought_and_the_next_one_lacks_is_nobody(tmp_path: Path) -> None:
    tables, rows = big(tmp_path)
    tables.hub.parts = replace(tables.hub.parts, fuses={"delete": Fuse(count=100, share=0.01)})
    tables.news(*(row.replace("Boss", "Chief") for row in rows))
    through(tables, lambda inner: Breaks(inner, pages=1))
    tables.sync()
    tables.news(*(row.replace("Boss", "Clerk") for row in rows))
    through(tables, lambda inner: inner)
    assert tables.sync().outcome is RunOutcome.COMPLETED
    assert tables.hub.store.count_links()["news", "people", "live"] == len(rows)
    assert all("Clerk" in row for row in tables.rows("crm"))


def test_a_file_that_was_edited_while_its_reading_was_interrupted_is_read_from_its_beginning(
    tmp_path: Path,
) -> None:
    tables, rows = big(tmp_path)
    tables.news(*rows, "Zed,Zed,zed@example.com,Cook,West,")
    through(tables, lambda inner: Breaks(inner, pages=1))
    tables.sync()
    tables.news(rows[0].replace("Boss", "Chief"), *rows[1:])
    through(tables, lambda inner: inner)
    tally = tables.sync().tally
    assert tables.rows("crm")[0].startswith("0,P0,Q0,p0@example.com,Chief")
    assert tally.get("gone") == 0
    assert len(tables.contacts_of("P0 Q0")) == 1


def test_a_write_whose_answer_was_lost_with_the_process_is_found_in_the_file(tables: Tables) -> None:
    through(tables, lambda inner: Breaks(inner, loses=True))
    tables.crm("ann@example.com,Boss", "ann@example.com,Chief")
    with pytest.raises(Killed):
        tables.sync()
    assert tables.rows("news")[0] == ANN.replace("Boss", "Chief")
    through(tables, lambda inner: inner)
    tables.clock.tick(7200)
    tables.sync()
    assert tables.contacts() == ALL
    assert tables.lost("ann@example.com") == []
    assert tables.rows("news")[0] == ANN.replace("Boss", "Chief")
    assert tables.sync().tally.get("updates") == 0
    assert not tables.hub.store.deliveries([DeliveryState.DUE, DeliveryState.DOUBT], None, 10)


def test_a_row_that_was_made_by_a_process_that_ended_is_not_made_again(tmp_path: Path) -> None:
    """Nothing about him can be looked up, and nothing but his row tells who he is."""
    tables = Tables(tmp_path)
    policy = replace(tables.hub.parts.policy, create={("news", "people"): Always()})
    tables.hub.parts = replace(tables.hub.parts, policy=policy)
    through(tables, lambda inner: Breaks(inner, loses=True))
    tables.crm(f"2,{CID}\n", f"2,{CID}\n3,Dan,Oak,,Boss,North,\n4,Dan,Oak,,Boss,North,\n")
    with pytest.raises(Killed):
        tables.sync()
    through(tables, lambda inner: inner)
    for _ in range(3):
        tables.sync()
    assert tables.rows("news") == [ANN, BOB, CID, *["Dan,Oak,,Boss,North,"] * 2]
    assert [one for one in tables.contacts() if one.startswith("Dan")] == ["Dan None"] * 2


def test_a_row_that_is_edited_between_reading_and_writing_is_not_taken_for_deleted(tables: Tables) -> None:
    class Meanwhile(Breaks):
        def write(self, object: str, items: Sequence[WriteItem], fields: Sequence[str]) -> Sequence[Outcome]:
            tables.news(ANN.replace("North", "West"), BOB, CID)
            return self._inner.write(object, items, fields)

    through(tables, lambda inner: Meanwhile(inner))
    tables.crm("ann@example.com,Boss", "ann@example.com,Chief")
    tables.sync()
    through(tables, lambda inner: inner)
    tables.sync()
    assert tables.rows("news")[0] == "Ann,Lee,ann@example.com,Chief,West,"
    assert tables.rows("crm")[0] == "0,Ann,Lee,ann@example.com,Chief,West,"


def test_a_row_that_is_looked_at_again_after_an_edit_is_not_taken_for_deleted(tables: Tables) -> None:
    class Overtaken(Breaks):
        def write(self, object: str, items: Sequence[WriteItem], fields: Sequence[str]) -> Sequence[Outcome]:
            if tables.rows("news")[0] == ANN:
                tables.news(ANN.replace("North", "West"), BOB, CID)
                return [StaleItem() for _ in items]
            return self._inner.write(object, items, fields)

    through(tables, lambda inner: Overtaken(inner))
    tables.crm("ann@example.com,Boss", "ann@example.com,Chief")
    tables.sync()
    (link,) = [one for one in tables.hub.store.case("c-1").links if one.connection == "news"]
    assert link.state is LinkState.LIVE
    tables.sync()
    assert tables.rows("news")[0] == "Ann,Lee,ann@example.com,Chief,West,"


def test_the_order_of_the_rows_changes_nothing(tmp_path: Path) -> None:
    rows = people(15)
    edited = [row.replace("Boss", f"Chief {n % 4}") for n, row in enumerate(rows)]
    answers = []
    for seed in range(3):
        folder = tmp_path / str(seed)
        folder.mkdir()
        tables = Tables(folder, rows=rows)
        random.Random(seed).shuffle(edited)
        tables.news(*edited)
        tables.sync()
        answers.append(tables.rows("crm"))
    assert answers[0] == answers[1] == answers[2]
    assert all("Chief" in row for row in answers[0])


class Nameless(Tables):
    """Nothing but a name tells who somebody is, and the table without a key may get new rows."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, rows=[])
        policy = replace(self.hub.parts.policy, create={("news", "people"): Always()})
        self.hub.parts = replace(self.hub.parts, policy=policy)

    def _rules(self) -> ObjectRules:
        return rules("people", ("first_name", "last_name", "job_title", "department"))

    def titles(self, *titles: str) -> None:
        """The table with a key has people of one name with these titles; then the hub comes to rest."""
        self.write("crm", ["id," + HEAD, *(f"{n},Jo,Lee,,{title},North," for n, title in enumerate(titles))])
        for _ in range(3):
            self.sync()

    def said(self) -> list[tuple[str, list[tuple[str, Any]]]]:
        """Of each contact its title, and state and title of its records."""
        cases = [self.hub.store.case(id) for id in self.contacts_of("Jo Lee")]
        return sorted(
            (
                str(case.entity.values["job_title"]),
                [(str(link.state), link.observed["job_title"]) for link in case.links],
            )
            for case in cases
        )


def alike(*titles: str) -> list[tuple[str, list[tuple[str, Any]]]]:
    return [(title, [("live", title)] * 2) for title in sorted(titles)]


def test_a_row_that_is_written_what_another_one_said_before_stays_its_own(tmp_path: Path) -> None:
    tables = Nameless(tmp_path)
    for titles in (("Boss", "Clerk"), ("Chief", "Clerk"), ("Chief", "Boss")):
        tables.titles(*titles)
        assert tables.said() == alike(*titles)
    assert len(tables.rows("news")) == 2


def test_two_rows_may_exchange_what_they_say_in_one_write(tmp_path: Path) -> None:
    tables = Nameless(tmp_path)
    for titles in (("Boss", "Clerk"), ("Clerk", "Boss")):
        tables.titles(*titles)
        assert tables.said() == alike(*titles)
    assert [row.split(",")[4] for row in tables.rows("crm")] == ["Clerk", "Boss"]
    assert len(tables.rows("news")) == 2


def test_a_new_row_may_say_what_another_one_said_before(tmp_path: Path) -> None:
    tables = Nameless(tmp_path)
    for titles in (("Boss",), ("Chief",), ("Chief", "Boss")):
        tables.titles(*titles)
        assert tables.said() == alike(*titles)
    assert len(tables.rows("news")) == 2
    assert not tables.hub.store.deliveries([DeliveryState.PARKED], None, 10)


def test_a_row_that_is_written_what_another_one_said_until_just_now_is_nobody_elses(tmp_path: Path) -> None:
    class Meanwhile(Breaks):
        def write(self, object: str, items: Sequence[WriteItem], fields: Sequence[str]) -> Sequence[Outcome]:
            tables.news(*(row.replace("Clerk", "Cook") for row in tables.rows("news")))
            return self._inner.write(object, items, fields)

    tables = Nameless(tmp_path)
    tables.titles("Boss", "Clerk")
    through(tables, lambda inner: Meanwhile(inner))
    tables.write("crm", ["id," + HEAD, "0,Jo,Lee,,Clerk,North,", "1,Jo,Lee,,Clerk,North,"])
    tables.sync()
    through(tables, lambda inner: inner)
    for _ in range(3):
        tables.sync()
    assert tables.said() == alike("Clerk", "Cook")
    assert len(tables.rows("news")) == len(tables.rows("crm")) == 2
