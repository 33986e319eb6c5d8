"""Writing back: only what was asked changes, the file is replaced whole or not at all."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.connectors.csv.conftest import COLUMNS, Desk
from trueup.connectors.base import Done, GoneItem, NotApplied, Outcome, RefusedItem, StaleItem, WriteItem
from trueup.connectors.csv.connector import CsvConnector
from trueup.errors import Transient
from trueup.model.delivery import WriteKind
from trueup.model.record import Record


def item(kind: WriteKind, id: str | None, values: Mapping[str, Any], **more: Any) -> WriteItem:
    return WriteItem(f"k{id}", kind, id, values, **more)


def update(id: str, version: str | None = None, **values: Any) -> WriteItem:
    return item(WriteKind.UPDATE, id, values, version=version)


def rekeyed(id: str, new: str) -> WriteItem:
    return item(WriteKind.UPDATE, id, {"id": new})


def create(**values: Any) -> WriteItem:
    return item(WriteKind.CREATE, None, values)


def delete(id: str) -> WriteItem:
    return item(WriteKind.DELETE, id, {})


def send(connector: CsvConnector, *items: WriteItem) -> list[Outcome]:
    return list(connector.write("people", items, COLUMNS))


def done(outcome: Outcome) -> Record:
    assert isinstance(outcome, Done) and outcome.record is not None, outcome
    return outcome.record


WINDOWS = (
    'id;name;"Email";x\r\n1;"Ann ""A""";a@example.com;"7"\r\n2;Bob;;=1+1\r\nbroken line\r\n3;"C;D";c@x;\r\n'
)


def test_an_update_changes_one_cell_and_not_one_byte_more(desk: Desk) -> None:
    desk.put(WINDOWS, "utf-8-sig")
    (outcome,) = send(desk.connector(), update("2", Email="+b@x"))
    assert isinstance(outcome, Done) and outcome.id == "2"
    assert desk.file.read_bytes() == WINDOWS.replace("Bob;;", "Bob;+b@x;").encode("utf-8-sig")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1251", "utf-16-be"])
def test_encoding_mark_line_ends_and_quotes_stay(desk: Desk, encoding: str) -> None:
    text = 'id;name;note\r\n1;"Анна";старый текст\r\n2;Борис;"две\r\nстроки"\r\n'
    desk.put(text, encoding)
    outcomes = send(desk.connector(), update("1", name="Вера"), update("2", note="три;"))
    assert [type(outcome) for outcome in outcomes] == [Done, Done]
    expected = text.replace('"Анна"', '"Вера"').replace('"две\r\nстроки"', '"три;"')
    assert desk.file.read_bytes() == expected.encode(encoding)


WIDE = {"utf-8-sig": "utf-8", "utf-16": "utf-16-le", "utf-32": "utf-32-be"}


@pytest.mark.parametrize("option", WIDE)
def test_a_named_encoding_puts_no_mark_into_a_file_that_has_none(desk: Desk, option: str) -> None:
    text = "id,name\n1,Анна\n2,Боб\n"
    desk.put(text, WIDE[option])
    assert done(send(desk.connector(encoding=option), update("1", name="Вера"))[0]).values["name"] == "Вера"
    assert desk.file.read_bytes() == text.replace("Анна", "Вера").encode(WIDE[option])


def test_writing_what_is_there_leaves_the_file_alone(desk: Desk) -> None:
    desk.put(WINDOWS)
    before = desk.file.stat()
    assert done(send(desk.connector(), update("1", name='Ann "A"', x=7))[0]).values["name"] == 'Ann "A"'
    assert desk.file.stat() == before


def test_new_rows_come_last_and_follow_the_quotes_of_the_file(desk: Desk) -> None:
    desk.put('"id","name","note"\n"1","A","x"')
    (outcome,) = send(desk.connector(), create(id="2", name='B "b"', note=True))
    assert isinstance(outcome, Done) and outcome.created
    assert desk.file.read_text() == '"id","name","note"\n"1","A","x"\n"2","B ""b""","true"'


def test_quotes_that_a_cell_needs_itself_are_no_habit_of_the_file(desk: Desk) -> None:
    desk.put('id,name,note\n1,A,"wine, tennis"\n')
    send(desk.connector(), create(id="2", name="B"))
    assert desk.file.read_text() == 'id,name,note\n1,A,"wine, tennis"\n2,B,\n'


def test_a_first_row_is_added_to_a_bare_header(desk: Desk) -> None:
    desk.put("id,name\r\n")
    assert done(send(desk.connector(), create(id="1", name="A\nB"))[0]).values["name"] == "A\nB"
    assert desk.file.read_bytes() == b'id,name\r\n1,"A\nB"\r\n'


def test_a_row_is_deleted_and_the_rest_stays(desk: Desk) -> None:
    desk.put(WINDOWS)
    assert send(desk.connector(), delete("1"), delete("1")) == [Done("1"), GoneItem()]
    assert desk.file.read_bytes().decode() == WINDOWS.replace('1;"Ann ""A""";a@example.com;"7"\r\n', "")


def test_none_clears_and_a_number_is_written_as_text(desk: Desk) -> None:
    desk.put("id,name,note\n1,A,x\n")
    assert done(send(desk.connector(), update("1", name=None, note=5))[0]).values["name"] is None
    assert desk.file.read_text() == "id,name,note\n1,,5\n"


def test_several_writes_to_one_row_add_up(desk: Desk) -> None:
    desk.put("id,name,note\n1,A,x\n")
    outcomes = send(
        desk.connector(), update("1", name="B"), update("1", note="y"), create(id="2"), delete("2")
    )
    assert [type(outcome) for outcome in outcomes] == [Done] * 4
    assert desk.file.read_text() == "id,name,note\n1,B,y\n"


def test_an_old_version_is_stale_and_other_rows_are_written(desk: Desk) -> None:
    desk.put("id,name\n1,A\n2,B\n")
    version = desk.records()["1"].version
    desk.put("id,name\n1,edited\n2,B\n")
    outcomes = send(desk.connector(), update("1", version, name="X"), update("2", name="Y"))
    assert outcomes[0] == StaleItem() and isinstance(outcomes[1], Done)
    assert desk.file.read_text() == "id,name\n1,edited\n2,Y\n"


def test_a_write_moves_the_version(desk: Desk) -> None:
    desk.put("id,name\n1,A\n")
    connector, version = desk.connector(), desk.records()["1"].version
    record = done(send(connector, update("1", version, name="B"))[0])
    assert record == desk.records()["1"] or record.version == desk.records()["1"].version
    assert send(connector, update("1", version, name="C")) == [StaleItem()]


def test_nothing_is_written_over_a_file_that_changed_meanwhile(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.put("id,name\n1,A\n")
    sync = os.fsync

    def while_a_user_saves(handle: int) -> None:
        sync(handle)
        desk.put("id,name\n1,saved by a user\n", name="other.csv").replace(desk.file)

    monkeypatch.setattr(os, "fsync", while_a_user_saves)
    assert send(desk.connector(), update("1", name="B"), create(id="2")) == [
        StaleItem(),
        NotApplied("another program changed the file meanwhile"),
    ]
    assert desk.file.read_text() == "id,name\n1,saved by a user\n"
    assert sorted(path.name for path in desk.folder.iterdir()) == ["people.csv"]


@pytest.mark.parametrize(
    ("items", "column"),
    [
        (update("1", nickname="x"), "nickname"),
        (update("1", name={"first": "A"}), "name"),
        (item(WriteKind.UPDATE, "1", {"id": ""}), "id"),
        (create(name="A"), "id"),
        (create(id="1"), "id"),
    ],
)
def test_a_refused_item_names_its_column_and_the_others_are_written(
    desk: Desk, items: WriteItem, column: str
) -> None:
    desk.put("id,name\n1,A\n2,B\n")
    refused, other = send(desk.connector(), items, update("2", name="C"))
    assert isinstance(refused, RefusedItem) and list(refused.fields) == [column]
    assert isinstance(other, Done) and desk.file.read_text() == "id,name\n1,A\n2,C\n"


def test_a_character_that_the_encoding_has_not_is_refused(desk: Desk) -> None:
    desk.put("id;name\n1;Анна\n", "cp1251")
    (refused,) = send(desk.connector(), update("1", name="Łukasz"))
    assert isinstance(refused, RefusedItem) and "windows-1251" in refused.fields["name"]


def test_a_taken_key_names_the_row_that_has_it(desk: Desk) -> None:
    desk.put("id,name\n1,A\n")
    (refused,) = send(desk.connector(), create(id=" 1 "))
    assert isinstance(refused, RefusedItem) and refused.existing_id == "1"


def upsert(email: str, **values: Any) -> WriteItem:
    return item(WriteKind.CREATE, None, {"email": email, **values}, upsert=("email", email))


def test_an_upsert_makes_one_row_however_often_it_is_sent(desk: Desk) -> None:
    desk.put("email,name\nAnn@x,A\n")
    connector = desk.connector("email")
    twice = send(connector, upsert("ann@x", name="B"), upsert("new@x", name="C"), upsert("NEW@x", name="D"))
    assert [outcome.created for outcome in twice if isinstance(outcome, Done)] == [False, True, False]
    assert desk.file.read_text() == "email,name\nann@x,B\nNEW@x,D\n"


def test_an_upsert_by_a_value_that_several_rows_have_is_refused(desk: Desk) -> None:
    desk.put("id,email\n1,a@x\n2,a@x\n")
    (refused,) = send(desk.connector(keys=["email"]), upsert("a@x", id="3"))
    assert isinstance(refused, RefusedItem) and list(refused.fields) == ["email"]


def test_a_changed_key_or_content_answers_with_the_new_id(desk: Desk) -> None:
    desk.put("id,name\n1,A\n")
    assert done(send(desk.connector(), item(WriteKind.UPDATE, "1", {"id": "9"}))[0]).id == "9"
    (id,) = desk.records(None)
    moved = done(send(desk.connector(None), update(id, name="B"))[0]).id
    assert moved != id and set(desk.records(None)) == {moved}


def test_rows_of_the_same_content_are_told_apart_by_number(desk: Desk) -> None:
    desk.put("name\nA\nA\nB\n")
    ids = sorted(desk.records(None))
    second = next(id for id in ids if id.endswith("-2"))
    (b,) = (id for id, record in desk.records(None).items() if record.values["name"] == "B")
    moved, made = send(desk.connector(None), update(b, name="A"), create(name="A"))
    assert (done(moved).id, done(made).id) == (second.replace("-2", "-3"), second.replace("-2", "-4"))
    assert set(desk.records(None)) == {second.replace("-2", ""), second, done(moved).id, done(made).id}


def test_rights_and_links_stay(desk: Desk) -> None:
    target = desk.put("id,name\n1,A\n", name="real.csv")
    target.chmod(0o640)
    desk.file.symlink_to(target)
    send(desk.connector(), update("1", name="B"))
    assert desk.file.is_symlink() and target.read_text() == "id,name\n1,B\n"
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


def test_a_disk_that_is_full_leaves_the_old_file(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.put("id,name\n1,A\n")

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Transient):
        send(desk.connector(), update("1", name="B"))
    assert desk.file.read_text() == "id,name\n1,A\n"
    assert sorted(path.name for path in desk.folder.iterdir()) == ["people.csv"]


def test_what_a_killed_writer_left_behind_goes_with_the_next_write(desk: Desk) -> None:
    desk.put("id,name\n1,A\n")
    desk.put("id,name\n1,B\n", name=".people.csv.k1ll3d.part")
    desk.put("id,name\n1,B\n", name=".peoples.csv.0ther.part")
    send(desk.connector(), update("1", name="C"))
    assert sorted(path.name for path in desk.folder.iterdir()) == [".peoples.csv.0ther.part", "people.csv"]


def test_writers_at_the_same_time_lose_nothing(desk: Desk) -> None:
    desk.put("id,name\n" + "".join(f"{number},A\n" for number in range(40)))

    def write(number: int) -> None:
        assert isinstance(send(desk.connector(), update(str(number), name=f"B{number}"))[0], Done)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    kept = {id: record.values["name"] for id, record in desk.records().items()}
    assert kept == {str(number): f"B{number}" if number < 8 else "A" for number in range(40)}


def test_eight_thousand_rows_are_written_in_one_go(desk: Desk) -> None:
    rows = "".join(f"{number};Иван;i{number}@example.com\n" for number in range(8000))
    desk.put("id;name;email\n" + rows, "cp1251")
    outcomes = send(desk.connector(), *(update(str(number), name="Пётр") for number in range(8000)))
    assert all(isinstance(outcome, Done) for outcome in outcomes)
    assert desk.file.read_bytes() == ("id;name;email\n" + rows.replace("Иван", "Пётр")).encode("cp1251")


def test_several_files_as_one_object_are_not_written(desk: Desk) -> None:
    desk.put("id,name\n1,A\n")
    (refused,) = send(desk.connector(path=str(Path(desk.folder) / "*.csv")), update("1", name="B"))
    assert isinstance(refused, RefusedItem)


def test_a_row_does_not_get_the_key_of_another_row(desk: Desk) -> None:
    desk.put("id,name\n1,Ann\n2,Bob\n")
    taken, empty, own = send(desk.connector(), *(rekeyed("1", new) for new in ("2", " ", "1")))
    assert isinstance(taken, RefusedItem) and isinstance(empty, RefusedItem)
    assert (taken.existing_id, list(taken.fields), taken.code) == ("2", ["id"], "TU-REF-011")
    assert isinstance(own, Done)
    assert desk.file.read_text() == "id,name\n1,Ann\n2,Bob\n"


def test_a_key_that_another_write_of_the_batch_let_go_is_free(desk: Desk) -> None:
    desk.put("id,name\n1,Ann\n2,Bob\n")
    moved, after, last = send(desk.connector(), rekeyed("2", "3"), rekeyed("1", "2"), create(id="3"))
    assert [type(one) for one in (moved, after, last)] == [Done, Done, RefusedItem]
    assert desk.file.read_text() == "id,name\n2,Ann\n3,Bob\n"


def test_a_row_without_a_key_that_is_not_there_as_it_was_read_may_have_been_edited(desk: Desk) -> None:
    desk.put("name,city\nAnn,Bonn\n")
    (id,) = desk.records(None)
    desk.put("name,city\nAnn,Rome\n")
    for sent in (update(id, name="Zoe"), delete(id)):
        (outcome,) = send(desk.connector(None), sent)
        assert isinstance(outcome, NotApplied) and outcome.retry_after is not None
    assert desk.file.read_text() == "name,city\nAnn,Rome\n"
