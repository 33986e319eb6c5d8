"""`check`: files, examples, costs, idle links, and the systems themselves."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from tests.cli.kit import kept, rows, say
from tests.cli.played import fails, played
from tests.cli.test_plan_and_sync import changed
from tests.config.hubs import ENVIRONMENT, example_hub

EXAMPLE = """
- name: a form in the newsletter names the person
  given: {news: {contacts: {Name: Ann Lee, Email: ANN@example.com, Job title: CTO}}}
  expect:
    contact: {first_name: Ann, last_name: Lee, job_title: CTO}
    consent: {email.marketing: unknown}
- name: a no is an opt-out
  given: {news: {contacts: {Name: Ann Lee, Email: ann@example.com, Subscribed: "no"}}}
  expect: {consent: {email.marketing: opted_out}}
- name: an edit of the title goes to the newsletter
  given:
    crm: {contacts: {id: 7, First name: Ann, Last name: Lee, E-mail: ann@example.com, Position: COO}}
    news: {contacts: {Name: Ann Lee, Email: ann@example.com, Job title: CTO}}
  before: {first_name: Ann, last_name: Lee, email: ann@example.com, job_title: CTO}
  expect:
    contact: {job_title: COO}
    written: {news: {contacts: {Job title: COO}}}
"""


@pytest.fixture
def example(desk: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    return example_hub(desk)


def test_the_example_hub_reads_like_this(example: Path) -> None:
    said = say("check")
    assert said.code == 0
    assert said.out == kept("check-example", said.out)


def _without_secrets(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    for name in names:
        monkeypatch.delenv(name)


def test_without_any_secret_the_sandbox_is_named(example: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _without_secrets(monkeypatch, *ENVIRONMENT)
    assert "All secrets are missing still. `--sandbox` needs none" in say("check").out
    said = say("check", "--sandbox")
    assert (said.code, "secrets" in said.out) == (0, False)


def test_where_one_secret_is_there_only_the_others_are_asked_for(
    example: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _without_secrets(monkeypatch, *(name for name in ENVIRONMENT if name != "HUBSPOT_TOKEN"))
    said = say("check").out
    assert "`ZENDESK_TOKEN` is not there" in said
    assert "--sandbox" not in said


def test_a_type_of_a_custom_field_that_there_is_not_is_a_problem_like_any_other(example: Path) -> None:
    changed("config/hub.yaml", "tier: {type: choice, options: [standard, gold]}", "tier: {type: number}")
    changed("config/connections/sales.yaml", "role: sales", "role: sails")
    said = say("check")
    assert (said.code, said.err) == (2, "")
    assert "did you mean `int` or `decimal`?" in said.out
    assert "`sails` is not a role" in said.out


def test_a_wrong_file_is_told_with_every_problem(example: Path) -> None:
    changed("config/hub.yaml", "name: acme", "nam: acme")
    changed("config/connections/sales.yaml", "role: sales", "role: sails")
    said = say("check")
    assert said.code == 2
    assert "config/hub.yaml:3:1" in said.out
    assert "config/connections/sales.yaml:3:7" in said.out
    assert said.out.rstrip().endswith("tells more about each.")


def test_the_first_line_says_something(hub: Path) -> None:
    assert say("check").out.splitlines()[0].startswith("crm: no consent is mapped")


def test_the_next_command_has_the_flags_that_were_given(desk: Path) -> None:
    with played(desk) as systems:
        assert systems.say("check").out.endswith("Next: trueup check --live --sandbox\n")
        assert systems.say("check", "--live").out.endswith("Next: trueup plan --sandbox\n")
        there = str(desk / "config")
        assert say("check", "--config", there, "--sandbox").out.endswith(
            f"Next: trueup check --live --config {there} --sandbox\n"
        )


def test_lines_that_nothing_acts_on_are_told(example: Path) -> None:
    assert "nothing acts on these lines yet" in say("check").out
    assert say("check", "--json").json["inactive"]


def test_golden_records_are_run(hub: Path) -> None:
    (hub / "examples.yaml").write_text(EXAMPLE, "utf-8")
    said = say("check")
    assert (said.code, "Examples: 3 of 3 as expected." in said.out) == (0, True), said.out


def test_a_golden_record_that_comes_out_otherwise_is_told_with_both_values(hub: Path) -> None:
    text = EXAMPLE.replace("job_title: CTO}\n    consent", "job_title: Boss}\n    consent")
    (hub / "examples.yaml").write_text(text.replace("opted_out}}", "opted_in}}"), "utf-8")
    said = say("check")
    assert said.code == 2
    assert "contact.job_title: expected 'Boss', got 'CTO' (from news contacts: first sight)" in said.out
    assert "consent.email.marketing: expected opted_in, got opted_out" in said.out
    assert "Examples: 1 of 3 as expected." in said.out


def test_what_is_written_otherwise_is_told_too(hub: Path) -> None:
    (hub / "examples.yaml").write_text(EXAMPLE.replace("{Job title: COO}", "{Job title: Boss}"), "utf-8")
    said = say("check")
    assert "written: expected news contacts {Job title: 'Boss'}, got {Job title: 'COO'}" in said.out


def test_nothing_is_asked_or_stored_by_an_ordinary_check(hub: Path) -> None:
    say("check")
    assert not list(hub.glob("trueup.sqlite*"))


def test_a_column_that_a_local_table_does_not_have_is_told_without_asking_any_system(hub: Path) -> None:
    file = hub / "connections/crm.yaml"
    file.write_text(file.read_text("utf-8").replace('"E-mail"', '"E-mial"'), "utf-8")
    said = say("check")
    assert said.code == 2
    assert "`E-mial`" in said.out and "did you mean `E-mail`" in said.out, said.out


def test_a_local_table_that_is_not_there_yet_is_no_mistake_of_the_configuration(hub: Path) -> None:
    Path("crm.csv").unlink()
    assert say("check").code == 0


def test_a_renamed_header_stops_the_reading_and_changes_nothing(hub: Path) -> None:
    say("sync", "--approve-first")
    before = Path("news.csv").read_text("utf-8")
    Path("news.csv").write_text(before.replace("Email", "Mail"), "utf-8")
    said = say("sync")
    assert said.code != 0
    assert "news.csv has no column `Email`; did you mean `Mail`?" in said.out + said.err
    assert rows("news.csv") == before.splitlines()[1:]


def test_live_says_who_we_are_in_each_system(desk: Path) -> None:
    with played(desk) as hub:
        said = hub.say("check", "--live")
        assert said.code == 0, said.out + said.err
        assert "marketing: logged in as HubSpot: portal" in said.out
        assert "The systems agree with it." in said.out


def test_live_tells_a_field_that_the_system_does_not_have(desk: Path) -> None:
    with played(desk) as hub:
        file = desk / "config/connections/marketing.yaml"
        file.write_text(
            file.read_text("utf-8").replace("owner]", "owner], fields: {department: depratment}"), "utf-8"
        )
        said = hub.say("check", "--live")
        assert said.code == 2
        assert "HubSpot has no field `depratment`" in said.out


def test_live_tells_a_system_that_does_not_let_us_in(desk: Path) -> None:
    with played(desk) as hub:
        hub.marketing.tokens.clear()
        said = hub.say("check", "--live")
        assert said.code == 2
        assert "`marketing` cannot be asked" in said.out
        assert "TU-CFG-084" in said.out


def test_live_tells_a_system_that_ignores_what_has_changed(desk: Path) -> None:
    with played(desk) as hub:
        stamp = "2026-01-05T10:00:00.000Z"
        record = {
            "id": "1",
            "properties": {"email": "ann@example.com"},
            "createdAt": stamp,
            "updatedAt": stamp,
        }
        fails(hub.marketing, "search", "body", body=orjson.dumps({"total": 1, "results": [record]}))
        said = hub.say("check", "--live")
        assert said.code == 2
        assert "marketing ignores the question what has changed in contacts" in said.out


def test_live_writes_nothing(desk: Path) -> None:
    with played(desk) as hub:
        hub.people()
        hub.say("check", "--live")
        assert [standin.ledger.writes() for standin in hub.sandbox.standins.values()] == [[], [], []]


def test_a_folder_without_a_hub_is_named_as_it_was_given(desk: Path) -> None:
    assert "/there/is/none/hub.yaml  there is no such file" in say("check", "--config", "/there/is/none").out


def test_a_misspelt_transform_is_answered_with_its_brackets(desk: Path) -> None:
    Path("people.csv").write_text("Email,Birthday\nann@example.com,28.7.1977\n", "utf-8")
    say("init", "--connect", "people=people.csv:sales")
    changed("config/connections/people.yaml", "date_dmy(.)", "date_dym(.)")
    assert "did you mean `date_dmy(.)`?" in say("check").out


def test_a_key_where_nobody_signs_in_is_told_so(desk: Path) -> None:
    Path("people.csv").write_text("Email\nann@example.com\n", "utf-8")
    say("init", "--connect", "people=people.csv:sales")
    changed("config/connections/people.yaml", "objects:", "auth: {token: x}\nobjects:")
    assert "allowed: nothing: nobody signs in to csv" in say("check").out


def test_a_key_that_does_not_tell_rows_apart_is_told_by_check_and_by_plan(hub: Path) -> None:
    people = "".join(f"{n};P{n};Lee;p{n}@example.com;;Boss\n" for n in range(9))
    Path("crm.csv").write_text(f"id;First name;Last name;E-mail;Phone;Position\n{people}", "utf-8")
    changed("config/connections/crm.yaml", 'key: "id"', 'key: "Position"')
    said = say("check", "--live")
    assert (said.code, "in 8 of 9 rows it is empty or repeats the value" in said.out) == (2, True)
    assert "TU-CFG-085" in said.out
    planned = say("plan")
    assert planned.code == 1
    assert "This plan is incomplete" in planned.out
    assert "8 of 9 rows of crm contacts were left out" in planned.out


def test_a_single_row_that_repeats_a_key_is_no_problem_of_the_configuration(hub: Path) -> None:
    people = "".join(f"{n};P{n};Lee;p{n}@example.com;;Boss\n" for n in (*range(19), 3))
    Path("crm.csv").write_text(f"id;First name;Last name;E-mail;Phone;Position\n{people}", "utf-8")
    assert say("check", "--live").code == 0
    assert say("plan").code == 0


# -- words that opt nobody out ------------------------------------------------------------------------


def consenting(desk: Path, cells: list[str], opted_out: str, column: str = "Статус") -> None:
    """A hub over one table with a column of consent, and the line for it."""
    lines = [f"{place};p{place}@example.com;{cell}" for place, cell in enumerate(cells)]
    (desk / "news.csv").write_text("\n".join([f"id;Email;{column}", *lines]) + "\n", "utf-8")
    assert say("init", "--region", "UA", "--connect", "news=news.csv:marketing").code == 0
    file = Path("config/connections/news.yaml")
    rule = f'    consent: {{email.marketing: {{field: "{column}", opted_out: {opted_out}}}}}\n    fields:'
    text = file.read_text("utf-8")
    head, _, tail = text.partition("    consent:")
    text = head + tail[tail.index("    fields:") :] if tail else text
    file.write_text(text.replace("    fields:", rule, 1), "utf-8")


CELLS = ["відписався", *["Відписалася"] * 2, "не писать", "", "-", "відписалася", "так"]


def test_words_that_no_line_names_are_told_once_with_their_rows(desk: Path) -> None:
    consenting(desk, CELLS, "відписався")
    told = "news contacts: column `Статус` also holds `Відписалася` (3 rows), `не писать` (1), `так` (1):"
    for command in ("check", "plan"):
        said = say(command)
        assert said.code == 0, said.err
        assert " ".join(said.out.split()).count(f"{told} they opt nobody out.") == 1, said.out


def test_they_are_in_the_document_of_check(desk: Path) -> None:
    consenting(desk, CELLS, "[відписався, відписалася]")
    (told,) = say("check", "--json").json["opt_out_words"]
    assert (told["column"], told["not_named"]) == ("Статус", {"не писать": 1, "так": 1})


@pytest.mark.parametrize(
    ("cells", "opted_out"),
    [
        (["відписався", "Відписався ", "", "n/a"], "відписався"),
        (["відписався", "не писати", "не писати"], "[відписався, не писати]"),
        (["ні", "так", "Да", "yes"], '"ні"'),
        (["unsubscribed", "subscribed"], "unsubscribed"),
        (["yes", "maybe"], "true"),
    ],
)
def test_named_words_their_contrary_empty_cells_and_flags_are_not_told(
    desk: Path, cells: list[str], opted_out: str
) -> None:
    consenting(desk, cells, opted_out)
    said = say("check")
    assert (said.code, "opt nobody out" in said.out) == (0, False), said.out


def test_of_many_words_the_commonest_are_told_and_an_address_is_covered(desk: Path) -> None:
    words = [f"слово{one}" for one in "абвгдеє"]
    consenting(desk, ["відписався", *words, *["ask ann@example.com"] * 2], "відписався")
    out = " ".join(say("check").out.split())
    assert "also holds `ask ‹e-mail›` (2 rows), `словоа` (1)" in out
    assert "ann@example.com" not in out
    assert "and 3 more words: they opt nobody out" in out


def test_a_named_word_that_no_row_holds_is_told_with_live(desk: Path) -> None:
    consenting(desk, ["відписалась", ""], "[відписався, відписалась]")
    told = "news contacts: no row of column `Статус` holds `відписався` (`opted_out`)"
    assert told not in " ".join(say("check").out.split())
    said = say("check", "--live")
    assert (said.code, told in " ".join(said.out.split())) == (0, True), said.out


def test_an_env_file_that_others_can_read_is_the_only_cause_that_is_told(desk: Path) -> None:
    say("init", "--connect", "one=hubspot:sales")
    wanted = (desk / "config/.env.example").read_text("utf-8").splitlines()[1:]
    env = desk / "config/.env"
    env.write_text("\n".join(f"{line.partition('=')[0]}=secret" for line in wanted), "utf-8")
    env.chmod(0o644)
    said = say("check")
    assert "everybody on this machine can read this file" in said.out
    assert [word for word in ("is not there", "All secrets are missing") if word in said.out] == []
    env.write_text("OTHER=secret", "utf-8")
    assert "is not there, or is empty" in say("check").out
