"""No connector goes without the acceptance suite, and no exemption without a reason that still holds."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from tests.connectors.accept.cards import Cards, Modest, shelf_of
from trueup.connectors.registry import connectors
from trueup.testing.acceptance import Harness, accepted
from trueup.testing.acceptance.checks import checks, named
from trueup.testing.acceptance.suite import judge
from trueup.testing.acceptance.verdict import Verdict, ask, exemptions


@pytest.mark.parametrize("name", sorted(connectors()))
def test_every_connector_of_the_registry_runs_through_the_suite(name: str) -> None:
    module = importlib.import_module(f"tests.connectors.{name}.test_acceptance")
    harness = module.HARNESS
    assert isinstance(harness, Harness) and harness.name == name
    assert harness.quality == connectors()[name].quality_file, "its exemptions are those beside the connector"
    assert callable(module.test_acceptance)


@pytest.mark.parametrize("name", sorted(connectors()))
def test_every_exemption_names_a_check_and_has_a_reason(name: str) -> None:
    exemptions(connectors()[name].quality_file)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        (
            "exempt: {a_rate_limt_tells_when: a file has no rate limit}",
            "there is no check `a_rate_limt_tells_when`",
        ),
        ("exempt: {a_rate_limit_tells_when: later}", "`a_rate_limit_tells_when` has no reason"),
        ("exempt: {a_rate_limit_tells_when: }", "`a_rate_limit_tells_when` has no reason"),
        ("a_rate_limit_tells_when: done", "one key, `exempt`"),
        ("exempt: [a_rate_limit_tells_when]", "one key, `exempt`"),
    ],
)
def test_an_exemption_that_is_none_is_an_error(tmp_path: Path, text: str, wrong: str) -> None:
    file = tmp_path / "quality.yaml"
    file.write_text(text, "utf-8")
    with pytest.raises(ValueError, match=wrong.replace("`", ".")):
        exemptions(file)


def _verdict(seen: str) -> Verdict:
    return Verdict("closing_lets_go", "", "it lets go", "close the client", seen)


def test_a_check_that_fails_says_what_was_promised_seen_and_is_to_be_done() -> None:
    with pytest.raises(pytest.fail.Exception) as caught:
        judge("crm", _verdict("1 connection is open"), {})
    for part in ("crm: closing_lets_go", "it lets go", "1 connection is open", "close the client"):
        assert part in str(caught.value)


def test_an_exempt_check_that_fails_is_expected_to() -> None:
    with pytest.raises(pytest.xfail.Exception, match="files are the machine's affair"):
        judge("crm", _verdict("1 is open"), {"closing_lets_go": "files are the machine's affair"})


def test_an_exemption_that_is_no_longer_true_fails() -> None:
    with pytest.raises(pytest.fail.Exception, match=r"passes, but is exempt \(the library cannot\)"):
        judge("crm", _verdict(""), {"closing_lets_go": "the library cannot"})


def test_a_capability_that_is_not_claimed_moves_a_connector_to_the_check_of_the_fallback() -> None:
    assert ask(shelf_of(Cards), "deletions_arrive").name == "deletions_arrive"
    moved = ask(shelf_of(Modest), "deletions_arrive")
    assert (moved.name, moved.instead_of) == ("absence_tells_of_deletions", "deletions_arrive")


def test_an_author_writes_one_line_and_gets_a_test_for_each_check() -> None:
    (mark,) = accepted(shelf_of(Cards)).pytestmark  # type: ignore[attr-defined]
    assert mark.args == ("check", sorted(checks()))


def test_every_check_says_in_a_sentence_what_it_promises_and_what_to_do() -> None:
    every = [*checks().values(), *(one.otherwise for one in checks().values() if one.otherwise)]
    assert {one.name for one in every} == named()
    assert [one.name for one in every if len(one.promise) < 20 or len(one.remedy) < 20] == []
