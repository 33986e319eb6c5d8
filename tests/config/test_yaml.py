"""YAML files are read safely, with marks, and nothing in them changes its meaning."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trueup.config.nodes import Document, Listing, Mark, Scalar, Table
from trueup.config.yaml import parse_document, read_document


def _read(text: str) -> Document:
    return parse_document(text, "config/x.yaml")


@pytest.mark.parametrize(
    "written",
    ["NO", "no", "on", "off", "02142", "08", "1e3", "12:30", "2020-01-01", "0x1F", "~", "null", "y"],
)
def test_an_unquoted_word_stays_the_text_that_was_typed(written: str) -> None:
    node = _read(f"key: {written}\n").node("key")
    assert isinstance(node, Scalar)
    assert (node.text, node.plain) == (written, True)


def test_keys_and_values_know_their_line_column_and_width() -> None:
    document = _read("a:\n  bee: [one, 'two three']\n")
    assert document.key_mark("a", "bee") == Mark(2, 3, 3)
    assert document.mark("a", "bee", 0) == Mark(2, 9, 3)
    assert document.mark("a", "bee", 1) == Mark(2, 14, 11)


@pytest.mark.parametrize("text", ["\ufeffa: 1\r\nb: 2\r\n", "a: 1\rb: 2\r"])
def test_byte_order_mark_and_foreign_line_ends_are_no_mistake(text: str) -> None:
    document = _read(text)
    assert document.syntax == ()
    assert document.mark("b") == Mark(2, 4, 1)


def test_a_python_tag_constructs_nothing_and_is_refused() -> None:
    document = _read("a: !!python/object/apply:os.system [date]\nb: 1\n")
    assert [problem.line for problem in document.syntax] == [1]
    assert isinstance(document.node("b"), Scalar)


def test_a_tag_inside_a_list_is_refused_as_well() -> None:
    assert _read("a: [!!binary aGVsbG8=]\n").syntax


def test_a_billion_laughs_are_stopped_within_a_second() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    started = time.perf_counter()
    document = _read("\n".join(lines))
    assert time.perf_counter() - started < 1.0
    assert "100,000 values" in document.syntax[-1].message


def test_brackets_a_thousand_deep_are_stopped() -> None:
    assert any("32 levels" in problem.message for problem in _read("[" * 1000).syntax)


def test_an_alias_may_repeat_a_block_but_not_contain_itself() -> None:
    fine = _read("a: &x [1]\nb: *x\n")
    assert fine.syntax == ()
    assert isinstance(fine.node("b"), Listing)
    assert "contains it" in _read("a: &x [*x]\n").syntax[-1].message


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text("a: 1\n" * 300_000)
    assert "larger than" in read_document(path, "x.yaml").syntax[0].message


def test_bytes_that_are_no_utf_8_are_told_with_their_line(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes(b"a: 1\nb: \xe4\n")
    assert read_document(path, "x.yaml").syntax[0].message == "line 2 is not UTF-8 text"


def test_a_control_character_is_told_without_being_printed() -> None:
    problem = _read("a: 1\nb: x\x1b[31m\n").syntax[0]
    assert (problem.line, problem.column) == (2, 5)
    assert "\x1b" not in str(problem)


def test_block_text_is_not_searched_for_slips() -> None:
    document = _read("a: |\n  x: y: z\n  @foo ${env:X}\nb: 2\n")
    assert document.syntax == ()
    assert document.node("a") == Scalar("x: y: z\n@foo ${env:X}\n", False, Mark(1, 4, 1))


def test_comments_may_hold_anything() -> None:
    assert _read("a: 1  # ${env:X} “x” \u00a0 @ : : {\n# \u00a0 [\nb: 2\n").syntax == ()


def test_a_mended_line_is_read_as_it_was_typed() -> None:
    document = _read("auth: {token: ${env:X}, user: @ann}\n")
    assert len(document.syntax) == 2
    assert [document.node("auth", key).text for key in ("token", "user")] == ["${env:X}", "@ann"]  # type: ignore[union-attr]


def test_reading_goes_on_behind_a_bracket_that_was_forgotten() -> None:
    document = _read("a: {b: 1  # one\nc: [2\nd: 'three\ne: 4\n")
    assert [(problem.line, problem.column) for problem in document.syntax] == [(1, 4), (2, 4), (3, 4)]
    assert isinstance(document.root, Table)
    assert [entry.key.text for entry in document.root.entries] == ["a", "c", "d", "e"]


def test_a_quoted_text_and_a_list_over_several_lines_are_fine() -> None:
    document = _read('a: "one\n  two"\nb: [1,\n    2]\nc:\n  d: {e: 1,\n      f: 2}\n')
    assert document.syntax == ()
    assert document.node("c", "d", "f") is not None


_TYPED = st.text(alphabet="ab :-#,{}[]()\"'\n\t|>@%!*&$\u00a0\u201c\u0430\\", max_size=120)


@settings(max_examples=400, deadline=None)
@given(_TYPED)
def test_whatever_is_typed_gives_a_document_and_no_exception(text: str) -> None:
    document = _read(text)
    assert all(str(problem) for problem in document.syntax)
    assert document.complete or document.syntax


def test_a_very_long_line_is_refused_at_once() -> None:
    started = time.perf_counter()
    assert "10,000 characters" in _read("a: {b: " + "(" * 900_000 + "}\n").syntax[0].message
    assert time.perf_counter() - started < 1.0


def test_many_brackets_in_one_line_take_no_longer_than_their_number() -> None:
    started = time.perf_counter()
    _read("a: {b: " + "(" * 9_000 + "}\n")
    assert time.perf_counter() - started < 1.0
