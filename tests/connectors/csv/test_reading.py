"""Files as people make them: read whole, with a reason for every line that is no record."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.connectors.csv.conftest import COLUMNS, Desk, read_all
from trueup.connectors.base import Capability, GoneItem
from trueup.connectors.csv.connector import CsvConnector
from trueup.errors import ConfigError, Malformed, NotFound, Refused, Transient
from trueup.model.record import Reading

RUSSIAN = "id;name;city\n1;Анна Каренина;Москва\n2;Лев Мышкин;Санкт-Петербург\n"
GERMAN = "id;name;city\n1;Jürgen Groß;München\n2;Zoë Français;Genève\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1251"])
def test_russian_is_read_in_every_usual_encoding(desk: Desk, encoding: str) -> None:
    desk.put(RUSSIAN, encoding)
    assert desk.records()["1"].values == {"id": "1", "name": "Анна Каренина", "city": "Москва"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_german_is_read_in_every_usual_encoding(desk: Desk, encoding: str) -> None:
    desk.put(GERMAN, encoding)
    assert desk.records()["1"].values == {"id": "1", "name": "Jürgen Groß", "city": "München"}


def test_the_encoding_can_be_said(desk: Desk) -> None:
    desk.put("id;name\n1;Łódź\n", "cp1250")
    assert desk.records(encoding="windows-1250")["1"].values["name"] == "Łódź"


@pytest.mark.parametrize("wrong", [{"encoding": "nonsense"}, {"delimiter": "::"}, {"path": None}])
def test_options_that_make_no_sense_are_config_errors(desk: Desk, wrong: dict[str, str]) -> None:
    with pytest.raises(ConfigError):
        desk.connector(**wrong)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(desk: Desk, delimiter: str) -> None:
    desk.put(f'id{delimiter}name{delimiter}city\n1{delimiter}"Meier, Dr.; ret."{delimiter}Basel\n')
    assert desk.records()["1"].values == {"id": "1", "name": "Meier, Dr.; ret.", "city": "Basel"}


def test_a_first_line_that_names_the_delimiter_is_no_header(desk: Desk) -> None:
    desk.put("sep=;\r\nid;name,first\r\n1;A,B\r\n2;C,D\r\n")
    assert desk.records()["2"].values == {"id": "2"}
    assert [spec.name for spec in desk.connector().fields("people")] == ["id", "name,first"]


def test_header_names_are_tidied_counted_and_numbered(desk: Desk) -> None:
    desk.put("\ufeff id ,E-mail\u00a0 address,,E-mail address,\n1,a,b,c,\n")
    assert [spec.name for spec in desk.connector().fields("people")] == [
        "id",
        "E-mail address",
        "column 3",
        "E-mail address (2)",
        "column 5",
    ]


def test_a_file_without_header_gets_its_names_from_the_options(desk: Desk) -> None:
    desk.put("1,Ann\n2,Bob\n")
    assert {id: r.values["name"] for id, r in desk.records(columns=["id", "name"]).items()} == {
        "1": "Ann",
        "2": "Bob",
    }


def test_a_quoted_cell_may_hold_line_ends_quotes_and_delimiters(desk: Desk) -> None:
    desk.put('id,note\r\n1,"line one\r\nline ""two"", end"\r\n2,x\r\n')
    records = desk.records()
    assert records["1"].values["note"] == 'line one\r\nline "two", end'
    assert records["2"].values["note"] == "x"


def test_an_empty_cell_is_said_to_be_empty_and_blanks_are_kept(desk: Desk) -> None:
    desk.put('id,name,city\n1,,""\n2, Ann ,B\n')
    records = desk.records()
    assert records["1"].values == {"id": "1", "name": None, "city": None}
    assert records["2"].values["name"] == " Ann "


def test_lines_that_are_no_record_are_reported_with_line_and_reason(desk: Desk) -> None:
    desk.put('id,name,city\n1,A,B\n2,C\n3,D,E,F\n\n,G,H\n 1 ,I,J\n4,"K\nL",M,N\n5,O,P,,\n')
    records, page = read_all(desk.connector())
    assert [record.id for record in records] == ["1", "5"]
    assert page.rejected == (
        ("line 3", "has 2 cells where the header has 3"),
        ("line 4", "has 4 cells where the header has 3"),
        ("line 6", "`id` is empty"),
        ("line 7", "`id` is the same as in line 2"),
        ("lines 8-9", "has 4 cells where the header has 3"),
    )


def test_rows_that_an_unclosed_quote_swallowed_are_no_cell_of_the_row_before(desk: Desk) -> None:
    desk.put('id,name,city\n1,A,"B\n2,C,D\n3,E,"F"\n4,G,"H\nI"\n5,J,K\n')
    records, page = read_all(desk.connector())
    assert [(record.id, record.values["city"]) for record in records] == [("4", "H\nI"), ("5", "K")]
    ((where, why),) = page.rejected
    assert where == "lines 2-4" and "quote that is not closed" in why


def test_odd_quotes_and_odd_blanks_within_one_line_are_kept(desk: Desk) -> None:
    desk.put('id,name,city\n1,"The Boss" Lee,5" high\x0b\u2028\n')
    assert desk.records()["1"].values == {"name": "The Boss Lee", "city": '5" high\x0b\u2028', "id": "1"}


def test_a_few_damaged_bytes_cost_their_rows_only(desk: Desk) -> None:
    rows = "".join(f"{number},Zoë,Genève\n" for number in range(2, 50)).encode()
    desk.put_bytes(b"id,name,city\n1,Zo\xeb,Basel\n" + rows)
    records, page = read_all(desk.connector())
    assert len(records) == 48 and records[0].values["name"] == "Zoë"
    assert page.rejected == (("line 2", "holds bytes that are not utf-8"),)


def test_without_key_the_id_is_the_content_and_does_not_hang_on_the_order(desk: Desk) -> None:
    rows = ["Ann,Basel\n", "Bob,Bern\n", "Ann,Basel\n", "Ann,Basel\n"]
    desk.put("name,city\n" + "".join(rows))
    first = desk.records(None)
    desk.put("name,city\n" + "".join(reversed(rows)))
    second = desk.records(None)
    desk.put("city,name\n" + "".join(",".join(reversed(row.strip().split(","))) + "\n" for row in rows))
    third = desk.records(None)
    assert set(first) == set(second) == set(third) and len(first) == 4
    assert sorted(id.partition("-")[2] for id in first) == ["", "", "2", "3"]


def test_eight_thousand_rows_of_an_old_windows_export_are_read_fast(desk: Desk) -> None:
    rows = "".join(f"{number % 7000};Иван {number};i{number}@example.com;Тверь;\n" for number in range(8000))
    desk.put("id;name;email;city;note\n" + rows, "cp1251")
    began = time.monotonic()
    records, page = read_all(desk.connector())
    assert (len(records), len(page.rejected)) == (7000, 1000)
    assert len(desk.records(None)) == 8000
    assert time.monotonic() - began < 5


def test_a_large_cell_is_read(desk: Desk) -> None:
    desk.put("id,note\n1," + "é" * 1_000_000 + "\n")
    assert len(str(desk.records()["1"].values["note"])) == 1_000_000


def test_a_file_says_only_that_it_changed(desk: Desk) -> None:
    desk.put("id,name\n1,A\n2,B\n")
    connector = desk.connector()
    capabilities = connector.objects()["people"].capabilities
    assert Capability.INCREMENTAL not in capabilities
    assert {Capability.COMPLETE_LISTING, Capability.WRITE_WHOLE} <= capabilities


def test_a_mapped_column_that_the_file_does_not_have_stops_the_reading(desk: Desk) -> None:
    desk.put("id,E-mail,City\n1,a@example.com,Basel\n")
    with pytest.raises(Refused) as caught:
        desk.connector().pull("people", Reading.LISTING, None, ["E-mail", "e-mial", "born"])
    assert caught.value.message == "people.csv has no column `e-mial`, `born`; did you mean `E-mail`?"
    assert "the columns are id, E-mail, City" in caught.value.remedy
    assert caught.value.code == "TU-REF-020"


def test_one_export_of_a_series_without_a_mapped_column_stops_the_reading(desk: Desk) -> None:
    desk.put("id,name\n1,A\n", name="a1.csv")
    desk.put("id,Name\n1,B\n", name="a2.csv")
    connector = desk.connector(path=str(desk.folder / "a*.csv"))
    with pytest.raises(Refused, match="a2.csv has no column `name`; did you mean `Name`"):
        connector.pull("people", Reading.LISTING, None, ["name"])


def test_the_version_of_a_row_moves_with_its_content_only(desk: Desk) -> None:
    desk.put("id,name,city\n1,A,X\n2,B,Y\n")
    before = desk.records()
    desk.put("id,name,city\n2,B,Y\n1,A,Z\n")
    after = desk.records()
    assert before["1"].version != after["1"].version and before["2"].version == after["2"].version


def test_a_listing_goes_on_in_another_process_and_starts_again_if_the_file_moved(desk: Desk) -> None:
    desk.put("id,name\n" + "".join(f"{number},A\n" for number in range(2500)))
    first = desk.connector().pull("people", Reading.LISTING, None, ["name"])
    rest, _ = read_all(desk.connector(), cursor=first.cursor)
    assert [len(first.records), len(rest)] == [1000, 1500]
    desk.put("id,name\n" + "".join(f"{number},B\n" for number in range(2500)))
    again, _ = read_all(desk.connector(), cursor=first.cursor)
    assert [record.values["name"] for record in again] == ["B"] * 2500


def test_a_file_that_is_written_while_it_is_read_is_read_again_later(desk: Desk) -> None:
    desk.put("id,name\n" + "".join(f"{number},A\n" for number in range(2500)))
    connector = desk.connector()
    first = connector.pull("people", Reading.LISTING, None, ["name"])
    with desk.file.open("a") as file:
        file.write("9999,B\n")
    with pytest.raises(Transient, match="being written"):
        read_all(connector, cursor=first.cursor)
    assert len(read_all(connector, cursor=first.cursor)[0]) == 2501


@pytest.mark.parametrize("broken", ['id,name\n1,A\n2,"B', "id,name\n1,A\n2", "", "\n\n"])
def test_a_file_that_breaks_off_may_still_be_on_its_way(desk: Desk, broken: str) -> None:
    desk.put(broken)
    with pytest.raises(Transient) as caught:
        read_all(desk.connector())
    assert caught.value.connection == "files"


def test_a_file_that_stays_broken_is_malformed_or_its_last_line_rejected(desk: Desk) -> None:
    from datetime import timedelta

    desk.later = timedelta(hours=1)
    desk.put('id,name\n1,A\n2,"B\n')
    with pytest.raises(Malformed, match="line 3"):
        read_all(desk.connector())
    desk.put("id,name\n1,A\n2")
    assert read_all(desk.connector())[1].rejected == (("line 3", "has 1 cell where the header has 2"),)


def test_a_last_line_without_line_end_is_a_row(desk: Desk) -> None:
    desk.put("id,name\n1,A\n2,B")
    assert set(desk.records()) == {"1", "2"}


def test_half_a_wide_character_at_the_end_may_still_be_on_its_way(desk: Desk) -> None:
    desk.put_bytes("id,name\n1,A\n".encode("utf-16")[:-1])
    with pytest.raises(Transient):
        read_all(desk.connector())


def test_records_are_read_by_id_in_the_order_asked(desk: Desk) -> None:
    desk.put("id,name\n1,A\n2,B\n")
    found = desk.connector().read("people", ["2", "9", "1"], ["name"])
    assert [item if isinstance(item, GoneItem) else item.values["name"] for item in found] == [
        "B",
        GoneItem(),
        "A",
    ]


def test_a_row_is_the_same_record_however_it_is_read(desk: Desk) -> None:
    desk.put("id,email\n1,a@x\n2,b@x\n")
    connector, record = desk.connector(), desk.records()["2"]
    assert [record] == list(connector.read("people", ["2"], COLUMNS))
    assert [record] == list(connector.find("people", "email", ["b@x"], COLUMNS))


def test_cells_are_found_without_regard_to_case_and_blanks(desk: Desk) -> None:
    desk.put("id,email\n1, Ann@Example.COM \n2,b@example.com\n3,ann@example.com\n")
    found = desk.connector().find("people", "email", ["ann@EXAMPLE.com"], ["email"])
    assert [record.id for record in found] == ["1", "3"]
    with pytest.raises(Refused):
        desk.connector().find("people", "phone", ["1"], [])


def test_of_several_files_the_last_name_counts_and_they_are_only_read(desk: Desk) -> None:
    desk.put("id,name\n1,old\n2,kept\n", name="people-2026-01.csv")
    desk.put("name;id\nnew;1\nadded;3\nbad\n", name="people-2026-02.csv")
    connector = desk.connector(path=str(desk.folder / "people-*.csv"))
    records, page = read_all(connector)
    assert {record.id: record.values["name"] for record in records} == {"1": "new", "2": "kept", "3": "added"}
    assert page.rejected == (("people-2026-02.csv line 4", "has 1 cell where the header has 2"),)
    assert Capability.BATCH_WRITE not in connector.objects()["people"].capabilities


def test_a_row_that_moves_to_another_file_while_both_are_read_is_not_missed(desk: Desk) -> None:
    rows = "name\n" + "".join(f"A{number}\n" for number in range(1500))
    desk.put(rows, name="people-2.csv")
    desk.put("name\nZed\n", name="people-1.csv")
    connector = desk.connector(None, path=str(desk.folder / "people-*.csv"))
    first = connector.pull("people", Reading.LISTING, None, ["name"])
    desk.put(rows + "Zed\n", name="new").replace(desk.folder / "people-2.csv")
    desk.put("name\nYan\n", name="people-1.csv")
    with pytest.raises(Transient, match="while the others were read"):
        connector.pull("people", Reading.LISTING, first.cursor, ["name"])
    again = connector.pull("people", Reading.LISTING, first.cursor, ["name"])
    rest = connector.pull("people", Reading.LISTING, again.cursor, ["name"])
    assert again.anew and {"Zed", "Yan"} <= {one.values["name"] for one in rest.records}


def test_hidden_files_are_no_exports(desk: Desk) -> None:
    desk.put("id,name\n1,A\n")
    desk.put_bytes(b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X", name="._people.csv")
    assert set(desk.records(path=str(desk.folder / "*.csv"))) == {"1"}


def test_a_folder_holds_one_file_per_object(desk: Desk) -> None:
    desk.put("id,name\n1,A\n")
    desk.put("id,name\nx,Y\n", name="firms.txt")
    objects = {"people": {"key": "id"}, "firms": {"key": "id", "path": "firms.txt", "entity": "company"}}
    connector = CsvConnector("files", {"path": str(desk.folder)}, objects, desk.now)
    assert connector.whoami() == "files people.csv, firms.txt"
    assert [spec.kind for spec in connector.objects().values()] == ["contact", "company"]
    assert connector.pull("firms", Reading.LISTING, None, ["name"]).records[0].id == "x"


def test_a_missing_file_is_no_empty_file(desk: Desk) -> None:
    with pytest.raises(Transient, match="there is no file"):
        desk.records()
    with pytest.raises(Transient, match="no file fits"):
        desk.records(path=str(desk.folder / "*.csv"))
    with pytest.raises(NotFound):
        desk.connector().pull("firms", Reading.LISTING, None, [])


def test_a_missing_key_column_names_the_columns_that_there_are(desk: Desk) -> None:
    desk.put("name,city\nA,B\n")
    with pytest.raises(Malformed, match="name, city"):
        desk.records()


def test_brackets_blanks_and_letters_beyond_ascii_in_a_path_are_no_pattern(desk: Desk) -> None:
    path = desk.put("id,name\n1,A\n", name="Kunden [neu] (1) ä.csv")
    assert set(desk.records(path=str(path))) == {"1"}


def test_a_link_is_followed(desk: Desk, tmp_path: Path) -> None:
    target = desk.put("id,name\n1,A\n", name="real.csv")
    desk.file.symlink_to(target)
    assert set(desk.records()) == {"1"}


def test_a_reading_that_begins_again_says_so_once(desk: Desk) -> None:
    rows = "".join(f"{number},A\n" for number in range(2500))
    desk.put("id,name\n" + rows)
    first = desk.connector().pull("people", Reading.LISTING, None, ["name"])
    on = desk.connector().pull("people", Reading.LISTING, first.cursor, ["name"])
    desk.put("id,name\n" + rows.replace("A", "B"))
    connector = desk.connector()
    again = connector.pull("people", Reading.LISTING, first.cursor, ["name"])
    then = connector.pull("people", Reading.LISTING, again.cursor, ["name"])
    assert [page.anew for page in (first, on, again, then)] == [False, False, True, False]


def test_only_without_a_key_the_ids_are_made_of_the_content(desk: Desk) -> None:
    assert Capability.CONTENT_IDS in desk.connector(None).objects()["people"].capabilities
    assert Capability.CONTENT_IDS not in desk.connector("id").objects()["people"].capabilities
