"""Golden records: what an example may hold, and how a miss is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.config.hubs import ENVIRONMENT, example_hub
from trueup.config.load import load
from trueup.services.examples import ExampleResult, run_examples


def results(folder: Path, text: str) -> list[ExampleResult]:
    hub = example_hub(folder)
    (hub / "examples.yaml").write_text(text, encoding="utf-8")
    return run_examples(load(hub, ENVIRONMENT))


def test_no_examples_no_results(tmp_path: Path) -> None:
    assert run_examples(load(example_hub(tmp_path), ENVIRONMENT)) == []


@pytest.mark.parametrize(
    ("given", "expect"),
    [
        ("marketing: {contacts: {email: ANN@Example.com}}", "contact: {email: ANN@example.com}"),
        ("sales: {Lead: {LastName: Lee, Status: Recycled}}", "stage: recycled"),
        ("sales: {Lead: {LastName: Lee, HasOptedOutOfEmail: true}}", "consent: {email.marketing: opted_out}"),
        ("sales: {Lead: {LastName: Lee, HasOptedOutOfEmail: false}}", "consent: {email.marketing: unknown}"),
        ("support: {users: {name: Ann Lee, tags: [no_marketing]}}", "consent: {email.marketing: opted_out}"),
        ("marketing: {contacts: {firstname: Ann}}", "contact: {last_name: null}"),
    ],
)
def test_what_a_record_says_can_be_expected(tmp_path: Path, given: str, expect: str) -> None:
    (result,) = results(tmp_path, f"- name: it holds\n  given: {{{given}}}\n  expect: {{{expect}}}\n")
    assert result.misses == ()


def test_an_opt_out_in_one_system_is_written_to_the_others(tmp_path: Path) -> None:
    text = """
- name: a no in sales reaches support
  given:
    sales: {Lead: {LastName: Lee, Email: ann@example.com, HasOptedOutOfEmail: true}}
    support: {users: {name: Ann Lee, email: ann@example.com, tags: []}}
  expect:
    consent: {email.marketing: opted_out}
    written: {support: {users: {tags: [no_marketing]}}}
"""
    assert results(tmp_path, text)[0].misses == ()


def test_with_a_before_records_are_edits_and_the_rank_decides(tmp_path: Path) -> None:
    text = """
- name: sales leads an opportunity, so its title wins
  before: {first_name: Ann, last_name: Lee, email: ann@example.com, job_title: CTO, stage: opportunity}
  given:
    sales: {Lead: {FirstName: Ann, LastName: Lee, Email: ann@example.com, Title: COO}}
    marketing: {contacts: {firstname: Ann, lastname: Lee, email: ann@example.com, jobtitle: Boss}}
  expect: {contact: {job_title: COO}, written: {marketing: {contacts: {jobtitle: COO}}}}
"""
    assert results(tmp_path, text)[0].misses == ()


def test_a_miss_names_both_values_and_the_rule(tmp_path: Path) -> None:
    text = """
- name: marketing is believed
  before: {last_name: Lee, job_title: CTO, stage: opportunity}
  given:
    sales: {Lead: {LastName: Lee, Title: COO}}
    marketing: {contacts: {lastname: Lee, jobtitle: Boss}}
  expect: {contact: {job_title: Boss}}
"""
    (miss,) = results(tmp_path, text)[0].misses
    assert (
        miss
        == "contact.job_title: expected 'Boss', got 'COO' (lost: 'Boss' from marketing contacts: authority)"
    )


def test_records_of_companies_are_refused(tmp_path: Path) -> None:
    text = "- name: x\n  given: {sales: {Account: {Name: Lee Ltd}}}\n  expect: {contact: {}}\n"
    (miss,) = results(tmp_path, text)[0].misses
    assert miss == "sales Account: an example can hold records of contacts only"


def test_a_value_that_has_no_form_is_told_without_repeating_it(tmp_path: Path) -> None:
    text = (
        "- name: x\n  given: {sales: {Lead: {LastName: Lee}}}\n"
        "  before: {birthday: yesterday}\n  expect: {contact: {}}\n"
    )
    (miss,) = results(tmp_path, text)[0].misses
    assert miss.startswith("before.birthday: ")
    assert "yesterday" not in miss
