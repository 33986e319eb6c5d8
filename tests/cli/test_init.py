"""`init`: a working hub from a few answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.kit import kept, rows, say, two_tables
from trueup.config.load import load
from trueup.sandbox.dirty_csvs import dirty_csvs
from trueup.services.headers import KEY, field_of, is_surname_first


def test_two_tables_become_a_hub_that_passes_check(desk: Path) -> None:
    two_tables(desk)
    assert say("check").code == 0
    text = (desk / "config/connections/crm.yaml").read_text("utf-8")
    assert text == kept("init-crm", text)


def test_the_hub_and_the_tables_beside_it_work_from_anywhere_and_can_be_moved_together(
    desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (desk / "school").mkdir()
    (desk / "school/people.csv").write_text("Name,Email\nAnn Lee,ann@example.com\n", "utf-8")
    said = say("init", "school/config", "--connect", "people=school/people.csv:sales")
    assert said.code == 0, said.err
    (desk / "school").rename(desk / "elsewhere")
    (desk / "nook").mkdir()
    monkeypatch.chdir(desk / "nook")
    said = say("plan", "--json", "--config", "../elsewhere/config")
    assert (said.code, said.json["contacts"]) == (0, 1)


def test_a_table_that_lies_elsewhere_is_named_by_its_whole_path(desk: Path) -> None:
    (desk / "far").mkdir()
    (desk / "far/people.csv").write_text("Name,Email\nAnn Lee,ann@example.com\n", "utf-8")
    say("init", "near/config", "--connect", "people=far/people.csv:sales")
    text = (desk / "near/config/connections/people.yaml").read_text("utf-8")
    assert f'path: "{desk.resolve()}/far/people.csv"' in text


def test_it_ends_with_the_next_three_commands(desk: Path) -> None:
    (desk / "people.csv").write_text("Name,Email\nAnn Lee,ann@example.com\n", "utf-8")
    said = say("init", "--connect", "people=people.csv:sales")
    assert [line.strip() for line in said.out.splitlines()[-3:]] == [
        "trueup check",
        "trueup plan",
        "trueup sync --approve-first",
    ]


def test_where_tables_differ_sales_is_believed_and_marketing_last(desk: Path) -> None:
    for name in ("m", "o", "s"):
        (desk / f"{name}.csv").write_text("Name,Email\nAnn Lee,ann@example.com\n", "utf-8")
    words = (
        "--connect",
        "m=m.csv:marketing",
        "--connect",
        "o=o.csv:operations",
        "--connect",
        "s=s.csv:sales",
    )
    said = say("init", *words)
    order = "s (sales), then o (operations), then m (marketing)"
    assert f"Where they differ, this one is believed: {order}.\n  It stands in config/hub.yaml" in said.out
    text = (desk / "config/hub.yaml").read_text("utf-8")
    assert f"# Believed first: {order}." in text
    assert "default: {authority: [sales, operations, marketing]}" in text


def test_what_the_crm_says_stands_after_both_are_released(desk: Path) -> None:
    (desk / "crm.csv").write_text("id,Email,Position\n1,ann@example.com,CTO\n", "utf-8")
    (desk / "news.csv").write_text("id,Email,Position\n7,ann@example.com,Boss\n", "utf-8")
    say("init", "--connect", "news=news.csv:marketing", "--connect", "crm=crm.csv:sales")
    say("sync", "--approve-first")
    for name in ("crm", "news"):
        say("connections", "release", name, "--yes")
    assert say("sync").code == 0
    assert (rows("crm.csv"), rows("news.csv")) == (["1,ann@example.com,CTO"], ["7,ann@example.com,CTO"])


def test_who_leads_in_a_stage_comes_first_where_a_system_knows_stages(desk: Path) -> None:
    said = say("init", "--connect", "sales=salesforce", "--connect", "m=hubspot")
    assert "believed: who leads in the contact's stage, then sales (sales), then m (marketing)." in said.out
    assert "authority: [control, sales, marketing]" in (desk / "config/hub.yaml").read_text("utf-8")


def test_columns_of_numbers_that_never_meet_are_told(desk: Path) -> None:
    (desk / "a.csv").write_text("Name,Телефон\nAnn Lee,+49 30 901820\n", "utf-8")
    (desk / "b.csv").write_text("Name,Mobile\nAnn Lee,+49 170 9018201\n", "utf-8")
    said = say("init", "--connect", "a=a.csv:sales", "--connect", "b=b.csv:marketing")
    told = "a `Телефон` = phone and b `Mobile` = phones.mobile are two fields: no number goes from one"
    assert told in said.out
    assert "If they mean the same, give both one field in config/connections." in said.out


def test_columns_that_meet_are_not_told(desk: Path) -> None:
    (desk / "a.csv").write_text("Name,Phone,Mobile\nAnn Lee,+49 30 901820,\n", "utf-8")
    (desk / "b.csv").write_text("Name,Telefon\nAnn Lee,+49 170 9018201\n", "utf-8")
    said = say("init", "--connect", "a=a.csv:sales", "--connect", "b=b.csv:marketing")
    assert "no number goes" not in said.out


def test_it_lists_the_consent_column_that_it_mapped_and_the_word_that_means_no(desk: Path) -> None:
    (desk / "news.csv").write_text("Name,Email,Subscribed\nAnn Lee,ann@example.com,no\n", "utf-8")
    said = say("init", "--connect", "news=news.csv:marketing")
    assert "  consent:    Subscribed = email.marketing, where `no` is an opt-out" in said.out
    assert "left out" not in said.out


def test_a_consent_column_that_never_says_no_is_listed_as_left_out(desk: Path) -> None:
    (desk / "news.csv").write_text("Name,Email,Subscribed\nAnn Lee,ann@example.com,yes\n", "utf-8")
    said = say("init", "--connect", "news=news.csv:marketing", "--json")
    (table,) = said.json["tables"].values()
    assert (table["consent"], table["left_out"]) == ([], ["Subscribed"])


@pytest.mark.parametrize(
    ("header", "words", "rule"),
    [
        ("Subscribed", "yes no", 'email.marketing: {field: "Subscribed", opted_out: "no"}'),
        ("Unsubscribed", "yes no", 'email.marketing: {field: "Unsubscribed", opted_out: "yes"}'),
        (
            "Підписка на розсилку",
            "так ні",
            'email.marketing: {field: "Підписка на розсилку", opted_out: "ні"}',
        ),
        ("Отписан", "да нет", 'email.marketing: {field: "Отписан", opted_out: "да"}'),
        ("HasOptedOutOfEmail", "1 0", 'email.marketing: {field: "HasOptedOutOfEmail", opted_out: "1"}'),
        ("Do not call", "x", 'phone.marketing: {field: "Do not call", opted_out: "x"}'),
        ("Status", "active unsubscribed no", 'email.marketing: {field: "Status", opted_out: "unsubscribed"}'),
        ("Newsletter", "nein No ja", 'email.marketing: {field: "Newsletter", opted_out: ["No", "nein"]}'),
        ("Підписка", "так ні НІ Ні ні", 'email.marketing: {field: "Підписка", opted_out: "ні"}'),
        (
            "Newsletter",
            "No NEIN nein ja nein",
            'email.marketing: {field: "Newsletter", opted_out: ["nein", "No"]}',
        ),
    ],
)
def test_the_words_in_a_column_that_mean_opted_out_are_proposed(
    desk: Path, header: str, words: str, rule: str
) -> None:
    lines = [f"{place}@example.com,{word}" for place, word in enumerate(words.split())]
    (desk / "news.csv").write_text("\n".join([f"Email,{header}", *lines]) + "\n", "utf-8")
    said = say("init", "--connect", "news=news.csv:marketing")
    assert (said.code, say("check").code) == (0, 0)
    assert rule in Path("config/connections/news.yaml").read_text("utf-8")


@pytest.mark.parametrize("header", ["Status", "Subscribed", "Unsubscribed", "Favourite colour"])
def test_a_column_in_which_nothing_surely_means_opted_out_is_left_out(desk: Path, header: str) -> None:
    (desk / "news.csv").write_text(f"Email,{header}\na@example.com,maybe\nb@example.com,\n", "utf-8")
    said = say("init", "--json", "--connect", "news=news.csv:marketing")
    (table,) = said.json["tables"].values()
    assert (table["consent"], table["left_out"]) == ([], [header])


@pytest.mark.parametrize(
    "word",
    [
        "відписався", "відписалась", "Відписалася", "не писати", "отписалась", "отписан", "не писать",
        "abgemeldet", "wypisany", "désabonné", "Désabonnée", "baja", "unsubscribed", "opted out", "Opt-out",
    ],
)  # fmt: skip
@pytest.mark.parametrize("header", ["Розсилка?", "статус підписки", "Subscribed", "Unsubscribed"])
def test_common_forms_of_having_left_are_proposed_in_every_column_of_consent(
    desk: Path, header: str, word: str
) -> None:
    (desk / "news.csv").write_text(f"Email,{header}\na@example.com,{word}\nb@example.com,\n", "utf-8")
    say("init", "--connect", "news=news.csv:marketing")
    rule = f'email.marketing: {{field: "{header}", opted_out: "{word}"}}'
    assert rule in Path("config/connections/news.yaml").read_text("utf-8")


def left_out(desk: Path, header: str, *cells: str) -> tuple[str, str]:
    """What `init` says, and the connection that it writes, for a table with this column beside addresses."""
    lines = [f"p{place}@example.com;{cell}" for place, cell in enumerate(cells)]
    (desk / "news.csv").write_text("\n".join([f"Email;{header}", *lines]) + "\n", "utf-8")
    said = say("init", "--connect", "news=news.csv:marketing")
    assert (said.code, say("check").code) == (0, 0)
    return said.out, Path("config/connections/news.yaml").read_text("utf-8")


@pytest.mark.parametrize(
    ("header", "cells", "rule"),
    [
        ("Розсилка?", ["ага", "неа"], 'email.marketing: {field: "Розсилка?", opted_out: "WORD"}'),
        ("Підписка 2024", ["ага", "неа"], 'email.marketing: {field: "Підписка 2024", opted_out: "WORD"}'),
        ("Group", ["a", "не писать"], 'email.marketing: {field: "Group", opted_out: "не писать"}'),
        ("Do not call", ["never"], 'phone.marketing: {field: "Do not call", opted_out: "WORD"}'),
    ],
)
def test_a_column_left_out_that_may_tell_of_consent_is_told_with_the_lines_to_write(
    desk: Path, header: str, cells: list[str], rule: str
) -> None:
    told, written = left_out(desk, header, *cells)
    what = "calls" if rule.startswith("phone") else "mail"
    assert f"`{header}` may tell who wants no more {what}; it holds `{cells[0]}`" in told
    assert f"    consent:\n      {rule}\n" in told
    assert f"    # consent:\n    #   {rule}\n" in written


def test_the_lines_that_are_told_opt_out_whom_they_say(desk: Path) -> None:
    _, written = left_out(desk, "Group", "a", "не писать")
    file = Path("config/connections/news.yaml")
    file.write_text(written.replace("    # consent:\n    #   ", "    consent:\n      "), "utf-8")
    assert say("check").code == 0
    said = say("plan", "--only", "p1@example.com")
    assert "opted_out" in said.out


def test_several_columns_that_may_tell_of_consent_are_told_in_one_block(desk: Path) -> None:
    (desk / "news.csv").write_text('Email;Розсилка;Newsletter\na@example.com;ага;"x\ny"\n', "utf-8")
    said = say("init", "--connect", "news=news.csv:marketing")
    assert (said.out.count("    consent:\n"), said.out.count("may tell who")) == (1, 2)
    assert say("check").code == 0


def test_a_second_column_of_consent_is_told_for_another_purpose(desk: Path) -> None:
    (desk / "news.csv").write_text("Email;Розсилка;Newsletter\na@example.com;ні;nein\n", "utf-8")
    said = say("init", "--connect", "news=news.csv:marketing")
    assert 'email.newsletter: {field: "Newsletter", opted_out: "nein"}' in said.out


def test_other_columns_are_left_out_without_a_word_of_consent(desk: Path) -> None:
    told, written = left_out(desk, "Favourite colour", "red", "blue")
    assert ("may tell" in told, "may tell" in written, "left out:   Favourite colour" in told) == (
        False,
        False,
        True,
    )


def test_notes_of_people_are_not_shown(desk: Path) -> None:
    told, _ = left_out(desk, "Marketing notes", *(f"called {one}" for one in range(20)))
    assert ("may tell" in told, "called" in told) == (True, False)


def test_who_unsubscribed_in_one_table_is_opted_out_in_the_other(desk: Path) -> None:
    (desk / "crm.csv").write_text("ID,Email,Do not email\n1,a@example.com,no\n2,b@example.com,yes\n", "utf-8")
    (desk / "news.csv").write_text(
        "Nr,Email,Status\n7,a@example.com,unsubscribed\n8,b@example.com,active\n", "utf-8"
    )
    say("init", "--connect", "crm=crm.csv:sales", "--connect", "news=news.csv:marketing")
    assert say("sync", "--approve-first").code == 0
    assert rows("crm.csv") == ["1,a@example.com,yes", "2,b@example.com,yes"]
    assert rows("news.csv") == ["7,a@example.com,unsubscribed", "8,b@example.com,unsubscribed"]


def test_it_never_writes_over_a_file(hub: Path) -> None:
    before = (hub / "hub.yaml").read_text("utf-8")
    said = say("init", "--connect", "other=crm.csv:sales")
    assert (said.code, "TU-INI-001" in said.err) == (2, True)
    assert (hub / "hub.yaml").read_text("utf-8") == before


def test_it_says_what_it_needs_where_nobody_can_be_asked(desk: Path) -> None:
    said = say("init")
    assert said.code == 2
    assert "--connect" in said.err


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("Color,Size\nred,4\n", "no column could be recognised"),
        ("", "the file is empty"),
        ("SQLite format 3\0\0\0", "things.csv is a SQLite database, not a text table"),
    ],
)
def test_a_file_that_is_no_table_of_people_is_refused_with_the_reason(
    desk: Path, text: str, why: str
) -> None:
    (desk / "things.csv").write_text(text, "utf-8")
    said = say("init", "--connect", "things=things.csv:sales")
    assert said.code == 2
    assert why in said.err
    assert not (desk / "config").exists()


def test_a_missing_file_is_named(desk: Path) -> None:
    said = say("init", "--connect", "things=nowhere.csv:sales")
    assert (said.code, "nowhere.csv" in said.err) == (2, True)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("a=hubspott", "`hubspott` is neither a system nor a file here; did you mean `hubspot`?"),
        ("a=qqqq", "the systems are csv, hubspot"),
        ("a=people.csv:saless", "there is no role `saless`; did you mean `sales`?"),
        ("a=hubspot:boss", "there is no role `boss`; there are marketing, sales, operations"),
    ],
)
def test_a_misspelt_system_or_role_is_told_with_what_was_meant(desk: Path, said: str, meant: str) -> None:
    (desk / "people.csv").write_text("Name,Email\nAnn Lee,ann@example.com\n", "utf-8")
    told = say("init", "--connect", said)
    assert (told.code, meant in told.err) == (2, True), told.err
    assert not (desk / "config").exists()


@pytest.mark.parametrize("name", ["rule", "hub", "2crm"])
def test_a_name_that_check_would_refuse_is_refused(desk: Path, name: str) -> None:
    Path("crm.csv").write_text("id;E-mail\n1;ann@example.com\n", "utf-8")
    said = say("init", "--name", "acme", "--region", "DE", "--connect", f"{name}=crm.csv:sales")
    assert (said.code, "give it another name" in said.err, Path("config").exists()) == (2, True, False)


@pytest.mark.parametrize(
    ("region", "hint"), [("UKR", "two letters"), ("ua", "did you mean `UA`?"), ("UK", "did you mean `GB`?")]
)
def test_a_country_that_check_would_refuse_is_refused(desk: Path, region: str, hint: str) -> None:
    told = say("init", "--region", region, "--connect", "a=hubspot")
    assert (told.code, "TU-INI-003" in told.err, hint in told.err) == (2, True, True)
    assert not (desk / "config").exists()


def test_dirty_exports_in_another_alphabet_are_mapped_and_synced(desk: Path) -> None:
    dirty_csvs(3, 20, desk)
    said = say(
        "init", "--json", "--region", "UA",
        "--connect", "crm=customers.csv:sales", "--connect", "news=newsletter.csv:marketing",
    )  # fmt: skip
    tables = said.json["tables"]
    assert tables["crm"]["encoding"] == "windows-1251"
    assert set(tables["crm"]["fields"]) >= {
        "first_name",
        "last_name",
        "email",
        "phone",
        "phones.mobile",
        "birthday",
    }
    assert "full_name" in tables["news"]["fields"]
    assert say("sync", "--approve-first").code == 0
    again = say("sync", "--json").json
    assert [one["decided"] for one in again["writes"]] == [0, 0]


def test_a_known_system_gets_its_settings_with_where_the_vendor_issues_them(desk: Path) -> None:
    said = say("init", "--connect", "sales=salesforce", "--connect", "support=zendesk:operations")
    assert said.code == 0, said.err
    text = (desk / "config/connections/sales.yaml").read_text("utf-8")
    assert "role: sales" in text
    assert "${env:SALES_CLIENT_SECRET}" in text
    assert "SALES_CLIENT_SECRET=" in (desk / "config/.env.example").read_text("utf-8")


def test_files_for_known_systems_pass_check_once_their_secrets_are_there(desk: Path) -> None:
    say(
        "init",
        "--connect",
        "sales=salesforce",
        "--connect",
        "support=zendesk:operations",
        "--connect",
        "m=hubspot",
    )
    names = [
        line.partition("=")[0]
        for line in Path("config/.env.example").read_text("utf-8").splitlines()
        if "=" in line
    ]
    usual = {
        "SUPPORT_USER": "ann@example.com",
        "SUPPORT_SUBDOMAIN": "acme",
        "SALES_DOMAIN": "acme.my.salesforce.com",
    }
    load(Path("config"), {name: usual.get(name, "some-secret") for name in names})


@pytest.mark.parametrize(
    ("header", "field"),
    [
        ("E-Mail", "email"), ("EMail_Address", "email"), ("електронна пошта", "email"),
        ("Эл. почта", "email"),
        ("Ім'я", "first_name"), ("Имя", "first_name"), ("Vorname", "first_name"), ("firstName", "first_name"),
        ("Прізвище", "last_name"), ("Фамилия", "last_name"), ("Nachname", "last_name"),
        ("ПІБ", "full_name"), ("ФИО", "full_name"), ("Kunde", "full_name"),
        ("Моб.", "phones.mobile"), ("Handy", "phones.mobile"), ("Телефон", "phone"),
        ("PLZ", "address.postcode"), ("Індекс", "address.postcode"), ("ZIP code", "address.postcode"),
        ("Geburtsdatum", "birthday"), ("Дата рождения", "birthday"),
        ("Kunden-Nr.", KEY), ("№", KEY), ("Farbe", None),
    ],
)  # fmt: skip
def test_headers_are_recognised_in_four_languages(header: str, field: str | None) -> None:
    assert field_of(header) == field


@pytest.mark.parametrize(
    "header",
    [
        "ПІБ", "П.І.Б.", "ФИО", "Прізвище та ім'я", "Прізвище Ім’я", "Прізвище, ім'я, по батькові",
        "Фамилия Имя", "Фамилия, имя", "Surname, name", "Last name, first name", "Name (last first)",
        "LastName FirstName", "Nachname, Vorname", "Nazwisko i imię",
    ],
)  # fmt: skip
def test_a_column_that_is_called_family_name_first_is_a_whole_name_in_that_order(header: str) -> None:
    assert (field_of(header), is_surname_first(header)) == ("full_name", True)


@pytest.mark.parametrize("header", ["Name", "Full name", "Прізвище", "Клієнт", "Повне ім'я", "Kunde"])
def test_a_plain_name_says_nothing_of_an_order(header: str) -> None:
    assert not is_surname_first(header)


@pytest.mark.parametrize(
    ("header", "cells", "line"),
    [
        ("ПІБ", ["Бойко Іван", "Мороз Ярина"], '{field: "ПІБ", transform: last_first(space)}'),
        ("ПІБ", ["Бойко, Іван", "Мороз, Ярина"], '{field: "ПІБ", transform: last_first}'),
        ("Name", ["Ivan Boiko", "Yaryna Moroz"], '"Name"'),
    ],
)
def test_the_order_of_names_is_proposed_by_what_the_column_is_called_or_holds(
    desk: Path, header: str, cells: list[str], line: str
) -> None:
    lines = [f"{cell};{place}@ivan.ua" for place, cell in enumerate(cells)]
    (desk / "crm.csv").write_text("\n".join([f"{header};E-mail", *lines]) + "\n", "utf-8")
    assert say("init", "--connect", "crm=crm.csv:sales").code == 0
    assert f"full_name: {line}\n" in Path("config/connections/crm.yaml").read_text("utf-8")


def test_a_name_column_that_looks_turned_is_told_with_the_line_to_write(desk: Path) -> None:
    people = [("Іван", "Бойко"), ("Ярина", "Мороз"), ("Олена", "Кравчук"), ("Taras", "Luts"), ("Jan", "Vos")]
    crm = [f"{first};{last};{place}@a.ua" for place, (first, last) in enumerate(people)]
    news = [f"{last} {first};{place}@a.ua" for place, (first, last) in enumerate(people)]
    (desk / "crm.csv").write_text("\n".join(["First name;Last name;E-mail", *crm]) + "\n", "utf-8")
    (desk / "news.csv").write_text("\n".join(["Name;E-mail", *news]) + "\n", "utf-8")
    told = say("init", "--connect", "crm=crm.csv:sales", "--connect", "news=news.csv:marketing").out
    line = '{field: "Name", transform: last_first(space)}'
    assert f"`full_name: {line}`" in told
    assert line in say("check").out
    assert line in say("check", "--live").out
    path = Path("config/connections/news.yaml")
    path.write_text(path.read_text("utf-8").replace('full_name: "Name"', f"full_name: {line}"), "utf-8")
    assert say("check", "--json").json["family_name_first"] == []


def test_family_names_of_a_register_stay_family_names_in_every_table(desk: Path) -> None:
    crm = "ПІБ;E-mail;Телефон\nБойко Іван;ivan@a.ua;0671112244\nМороз Ярина;yar@a.ua;0671112255\n"
    news = "Ім'я;Прізвище;E-mail\nІван;Бойко;ivan@a.ua\nЯрина;Мороз;yar@a.ua\nОлена;Кравчук;ok@a.ua\n"
    (desk / "crm.csv").write_text(crm, "utf-8")
    (desk / "news.csv").write_text(news, "utf-8")
    say("init", "--region", "UA", "--connect", "crm=crm.csv:sales", "--connect", "news=news.csv:marketing")
    said = say("sync", "--approve-first")
    assert (said.code, "differ" in said.out) == (0, False), said.out
    assert [one.split(";")[0] for one in rows("crm.csv")] == ["Бойко Іван", "Мороз Ярина", "Кравчук Олена"]
    assert [one.split(";")[:2] for one in rows("news.csv")] == [
        ["Іван", "Бойко"],
        ["Ярина", "Мороз"],
        ["Олена", "Кравчук"],
    ]
    for name in ("crm", "news"):
        say("connections", "release", name, "--yes")
    assert [one["decided"] for one in say("sync", "--json").json["writes"]] == [0, 0]


def test_a_column_that_repeats_is_no_key(desk: Path) -> None:
    (desk / "people.csv").write_text("id,Name\n1,Ann\n1,Bob\n", "utf-8")
    said = say("init", "--json", "--connect", "people=people.csv:sales")
    assert said.json["tables"]["people"]["key"] is None


def test_the_word_that_means_no_newsletter_is_found(desk: Path) -> None:
    (desk / "people.csv").write_text(
        "Name,Email,Newsletter\nAnn,a@example.com,ja\nBob,b@example.com,nein\n", "utf-8"
    )
    say("init", "--connect", "people=people.csv:marketing")
    text = Path("config/connections/people.yaml").read_text("utf-8")
    assert 'email.marketing: {field: "Newsletter", opted_out: "nein"}' in text


def test_nothing_of_the_table_is_changed(desk: Path) -> None:
    two_tables(desk)
    say("check")
    assert len(rows("crm.csv")) == 3


@pytest.mark.parametrize(
    ("dates", "transform"),
    [
        (["28.7.1977", "07.08.1981", "09/14/1963"], "date_dmy(.)"),
        (["28/7/1977", "07/08/1981", "1.2.1970"], "date_dmy(slash)"),
        (["7/28/1977", "07/08/1981", "13.2.1970"], "date_mdy(slash)"),
        (["28/7/1977", "7/28/1977", "07/08/1981"], ""),
        (["07/08/1981", "01/02/1981"], ""),
        (["1981-08-07", "1981-02-01", "28/7/1977"], ""),
    ],
)
def test_the_order_of_day_and_month_is_guessed_only_where_the_dates_show_it(
    dates: list[str], transform: str, desk: Path
) -> None:
    rows = [f"a{number}@example.com;{date}" for number, date in enumerate(dates)]
    Path("t.csv").write_text("\n".join(["Email;Birthday", *rows]), "utf-8")
    assert say("init", "--name", "t", "--connect", "t=t.csv:sales").code == 0
    text = Path("config/connections/t.yaml").read_text("utf-8")
    said = f"transform: {transform}" if transform else 'birthday: "Birthday"'
    assert said in text


def test_a_column_named_like_one_of_ids_is_proposed_as_key_where_it_identifies(desk: Path) -> None:
    (desk / "a.csv").write_text("Student ID,Email\n7,a@example.com\n8,b@example.com\n", "utf-8")
    (desk / "b.csv").write_text("Class ID,Email\n7,a@example.com\n7,b@example.com\n", "utf-8")
    said = say("init", "--connect", "a=a.csv:sales", "--connect", "b=b.csv:marketing").out
    assert said.count("rows are told apart by: ") == 1
    assert "  rows are told apart by: Student ID\n" in said
    assert 'key: "Student ID"' in Path("config/connections/a.yaml").read_text("utf-8")
    told = Path("config/connections/b.yaml").read_text("utf-8")
    assert "# key: COLUMN" in told and '"Class ID"' not in told


def test_an_address_is_not_proposed_as_key_though_no_two_are_the_same(desk: Path) -> None:
    (desk / "a.csv").write_text("Name,Email\nAnn,a@example.com\nBob,b@example.com\n", "utf-8")
    say("init", "--connect", "a=a.csv:sales")
    assert "# key: COLUMN" in Path("config/connections/a.yaml").read_text("utf-8")


def test_check_tells_which_tables_have_no_key_and_that_is_no_problem(hub: Path) -> None:
    said = say("check")
    assert said.code == 0
    assert "news contacts: no column identifies a row" in said.out
    assert "crm contacts: no column identifies" not in said.out
    assert say("check", "--json").json["without_key"] == [{"connection": "news", "object": "contacts"}]


def test_the_files_go_where_config_says_and_the_next_commands_find_them(desk: Path) -> None:
    said = say("init", "--name", "x", "--connect", "a=hubspot", "--config", "elsewhere")
    assert said.code == 0 and Path("elsewhere/hub.yaml").is_file() and not Path("config").exists()
    assert "trueup plan --config elsewhere\n" in said.out


def test_two_folders_for_the_files_are_one_too_many(desk: Path) -> None:
    said = say("init", "here", "--name", "x", "--connect", "a=hubspot", "--config", "there")
    assert (said.code, list(desk.iterdir())) == (2, [])
    assert "name two folders" in said.err


@pytest.mark.parametrize("system", ["hubspot", "salesforce", "zendesk"])
def test_the_condition_that_is_proposed_for_creating_holds_when_it_is_uncommented(
    desk: Path, system: str
) -> None:
    said = say("init", "--connect", f"one={system}:sales")
    assert said.code == 0, said.err
    file = desk / "config/connections/one.yaml"
    text = file.read_text("utf-8")
    assert "    # create: " in text
    file.write_text(text.replace("    # create: ", "    create: "), "utf-8")
    checked = say("check", "--sandbox")
    assert (checked.code, "no connection maps" in checked.out) == (0, False), checked.out


def test_a_condition_on_a_field_that_no_connection_maps_is_told_with_its_line(desk: Path) -> None:
    say("init", "--connect", "one=hubspot:sales")
    file = desk / "config/connections/one.yaml"
    text = file.read_text("utf-8").replace(
        "# create: email != null", "create: stage == 'lead' && email != null"
    )
    file.write_text(text, "utf-8")
    line = 1 + next(number for number, one in enumerate(text.splitlines()) if "create: stage" in one)
    said = say("check", "--sandbox")
    assert said.code == 0, said.out
    assert f"connections/one.yaml:{line}  `create:` asks for `stage`, and no connection maps it" in said.out
    (told,) = say("check", "--sandbox", "--json").json["unmapped"]
    assert (told["line"], told["fields"]) == (line, ["stage"])
