"""Which columns tell of consent, by their headers."""

from __future__ import annotations

import pytest

from trueup.services.consent_words import consent_of


@pytest.mark.parametrize(
    "header", ["No Mail", "no_mail", "No e-mails", "Do not mail", "Unsubscribed", "no mailings"]
)
def test_a_column_of_those_who_want_no_mail_says_so_with_a_yes(header: str) -> None:
    said = consent_of(header)
    assert said is not None
    assert said.consent == "email.marketing"
    assert "yes" in said.out and "no" not in said.out


@pytest.mark.parametrize("header", ["Subscribed", "Newsletter"])
def test_a_column_of_those_who_want_mail_says_it_with_a_no(header: str) -> None:
    said = consent_of(header)
    assert said is not None
    assert "no" in said.out and "yes" not in said.out


@pytest.mark.parametrize("header", ["Mail", "Email", "City", ""])
def test_other_columns_say_nothing_of_consent(header: str) -> None:
    assert consent_of(header) is None
