"""`plan` and `sync`: what would be done, what was done, in numbers that add up."""

from __future__ import annotations

import csv
import shlex
import stat
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from tests.cli.kit import Said, kept, plain, rows, say
from tests.cli.played import Played, played
from trueup.commands.answer import Grid, number_lines

NOTHING = "Nothing has been written to any system."


def changed(path: str, old: str, new: str) -> None:
    file = Path(path)
    text = file.read_text("utf-8")
    assert text.count(old) == 1, f"{path} holds {text.count(old)} times: {old}"
    file.write_text(text.replace(old, new), "utf-8")


def synced() -> Said:
    said = say("sync", "--approve-first")
    assert said.code == 0, said.out + said.err
    return said


def unsure(desk: Path) -> None:
    """A hub over two tables in which Bob may be the same person as Ann: they share an address."""
    Path("a.csv").write_text("Email;First name;Last name\nhome@example.com;Ann;Lee\n", "utf-8")
    Path("b.csv").write_text("Email;First name;Last name\nhome@example.com;Bob;Lee\n", "utf-8")
    said = say("init", "--name", "t", "--connect", "a=a.csv:sales", "--connect", "b=b.csv:marketing")
    assert said.code == 0, said.err


# -- plan ---------------------------------------------------------------------------------------------


def test_a_first_plan_reads_like_this(hub: Path) -> None:
    said = say("plan")
    assert (said.code, said.err) == (0, "")
    assert plain(said.out) == kept("plan-first", plain(said.out))


def test_what_a_plan_cannot_count_is_said_until_a_sync_has_decided(hub: Path) -> None:
    told = "Some are decided for the first time: a sync may write a few more opt-outs"
    assert [told in say("plan").out for _ in range(2)] == [True, True]
    synced()
    assert told not in say("plan").out


def test_the_first_line_of_a_plan_says_that_nothing_was_written(hub: Path) -> None:
    before = (rows("crm.csv"), rows("news.csv"))
    assert say("plan").out.splitlines()[0] == NOTHING
    assert (rows("crm.csv"), rows("news.csv")) == before


def test_what_was_read_is_the_sum_of_what_it_turned_out_to_be(hub: Path) -> None:
    parts = ("new", "changed", "same", "deleted", "older", "filtered", "rejected")
    for said in (say("plan", "--json").json, say("sync", "--json").json):
        for one in said["objects"]:
            assert one.get("read", 0) == sum(one.get(part, 0) for part in parts), one


def test_a_second_plan_after_a_sync_finds_nothing(hub: Path) -> None:
    synced()
    said = say("plan", "--exit-code")
    assert said.code == 0
    assert "A sync would write nothing." in said.out


def test_a_file_that_lost_all_its_rows_is_not_said_to_be_unchanged(hub: Path) -> None:
    synced()
    file = Path("crm.csv")
    file.write_text(file.read_text("utf-8").splitlines()[0] + "\n", "utf-8")
    for command in ("plan", "sync"):
        said = say(command).out
        assert "crm contacts: 3 of 3 known records are missing" in said
        assert "Nothing has changed since it was read last" not in said


def test_what_a_plan_has_read_is_told_by_whoever_comes_after_it(hub: Path) -> None:
    assert "Read earlier" not in say("plan").out
    told = "and not decided yet: 5 records (crm contacts 3, news contacts 2)."
    assert told in say("plan").out
    said = say("sync", "--approve-first", "--json").json
    assert [one["number"] for one in said["read_earlier"]["records"]] == [3, 2]
    changed("crm.csv", "CTO", "CFO")
    say("plan")
    assert "and not decided yet: news of 1 contact or company." in say("sync").out
    assert "Read earlier" not in say("sync").out


def _written(said: Said) -> dict[tuple[str, str, str], int]:
    """What a plan would write, without what it read."""
    counts = ("creates", "updates", "fills", "replaces", "clears", "opt_outs")
    objects = said.json["objects"]
    return {
        (one["connection"], one["object"], what): one[what]
        for one in objects
        for what in counts
        if what in one
    }


def test_what_was_decided_and_not_sent_is_planned_like_what_is_new(hub: Path) -> None:
    changed("news.csv", "dan@example.com,,no", "dan@example.com,,no\nBob Ray,bob@example.com,,no")
    first = say("plan", "--json")
    assert say("sync").code == 1
    then = say("plan", "--json", "--exit-code")
    assert then.code == 3
    assert _written(then) == _written(first) != {}
    assert then.json["calls"] == first.json["calls"]
    assert then.json["decided_earlier"]
    assert {one["run"] for one in then.json["decided_earlier"]} == {1}


def test_a_plan_says_which_run_decided_what_it_counts(hub: Path) -> None:
    say("sync")
    said = say("plan").out
    assert "  2 writes of it run 1 decided already and did not send: news 2.\n" in said
    assert said.endswith("Next: trueup sync --approve-first\n")


def test_of_one_contact_what_waits_is_shown_field_by_field(hub: Path) -> None:
    say("sync")
    said = say("plan", "--only", "bob@example.com", "--exit-code")
    assert said.code == 3
    assert "news contacts: create (decided by run 1)" in said.out
    assert "bob@example.com" in said.out.partition("(decided by run 1)")[2]
    assert "in step" not in said.out
    assert "a new news/contacts" in said.out
    assert "None" not in said.out


def test_the_table_of_a_plan_lists_what_waits_and_which_run_decided_it(hub: Path) -> None:
    say("sync")
    assert say("plan", "--csv", "waits.csv").code == 0
    with Path("waits.csv").open(encoding="utf-8-sig", newline="") as file:
        found = [row for row in csv.DictReader(file) if row["state"] == "decided by run 1"]
    assert sorted((row["email"], row["connection"], row["what"]) for row in found) == [
        ("bob@example.com", "news", "create"),
        ("cid@example.com", "news", "create"),
    ]


def test_what_would_be_decided_anew_is_counted_once(hub: Path) -> None:
    say("sync")
    changed("crm.csv", "Bob;Ray", "Rob;Ray")
    said = say("plan", "--json").json
    (news,) = [one for one in said["objects"] if one["connection"] == "news"]
    assert news["creates"] == 2
    assert sum(one["writes"] for one in said["decided_earlier"]) == 1


def test_a_saved_plan_holds_while_what_earlier_runs_decided_waits(hub: Path) -> None:
    say("sync")
    changed("crm.csv", "3;Cid;Fox", "4;Eve;Elm;eve@example.com;;\n3;Cid;Fox")
    assert say("plan", "--out", "the.plan").code == 0
    said = say("sync", "--plan", "the.plan", "--approve-first")
    assert said.code == 0, said.out + said.err
    assert {name for row in rows("news.csv") for name in ("bob@", "cid@", "eve@") if name in row} == {
        "bob@",
        "cid@",
        "eve@",
    }


def test_after_it_was_sent_nothing_waits(hub: Path) -> None:
    say("sync")
    synced()
    said = say("plan", "--exit-code", "--json")
    assert said.code == 0
    assert said.json["decided_earlier"] == []


def test_exit_code_3_says_that_something_would_be_written(hub: Path) -> None:
    assert say("plan", "--exit-code").code == 3
    assert say("plan").code == 0


def test_one_contact_is_shown_with_everything_that_is_decided_about_it(hub: Path) -> None:
    said = say("plan", "--only", "dan@example.com")
    assert plain(said.out) == kept("plan-only", plain(said.out))


def test_a_limit_decides_on_so_many_contacts(hub: Path) -> None:
    assert say("plan", "--limit", "1", "--json").json["contacts"] == 1


def test_a_contact_that_nobody_knows_is_said_to_be_unknown(hub: Path) -> None:
    said = say("plan", "--only", "nobody@example.com")
    assert "No contact that has something to decide matches `nobody@example.com`" in said.out


def test_of_nobody_nothing_else_is_told(hub: Path) -> None:
    said = say("plan", "--only", "nobody@example.com").out
    assert "Read:" not in said and "A sync would write" not in said and "Writing this" not in said


def test_a_plan_that_could_not_read_a_system_says_that_it_is_incomplete(hub: Path) -> None:
    synced()
    Path("crm.csv").unlink()
    said = say("plan")
    assert said.code == 1
    assert "A sync would write nothing." not in said.out
    told = "This plan is incomplete: nothing would be written by what is known, but crm was not read."
    assert told in said.out


def test_a_contact_in_step_is_said_to_be_in_step(hub: Path) -> None:
    synced()
    assert "is in step" in say("plan", "--only", "bob@example.com").out


@pytest.mark.parametrize("command", ["plan", "sync"])
def test_half_a_name_means_nobody_and_nobody_is_said_to_be_in_step(hub: Path, command: str) -> None:
    synced()
    say("contacts", "edit", "bob@example.com", "job_title=Boss")
    said = say(command, "--only", "bo")
    assert (said.code, "in step" in said.out) == (2, False)
    assert "`trueup contacts find` searches" in said.out


def test_differences_are_listed_in_a_table_for_their_owner_only(hub: Path) -> None:
    said = say("plan", "--csv", "differs.csv")
    assert (
        "1 replacement (1 withheld: column `state`), 2 new records, 1 value set aside listed in differs.csv."
        in said.out
    )
    assert stat.S_IMODE(Path("differs.csv").stat().st_mode) == 0o600
    assert [(one["what"], one["name"], one["email"], one["state"]) for one in table("differs.csv")] == [
        ("replace", "Ann Lee", "ann@example.com", "withheld"),
        ("create", "Bob Ray", "bob@example.com", "would be written"),
        ("create", "Cid Fox", "cid@example.com", "would be written"),
        ("set aside", "Cid Fox", "cid@example.com", "set aside: not a phone number [TU-VAL-001]"),
    ]


def test_values_that_differ_in_capitals_only_are_told_apart(hub: Path) -> None:
    changed("news.csv", "Ann Lee,ann@example.com,Director", "ANN LEE,ann@example.com,Director")
    said = say("plan", "--csv", "differs.csv")
    told = (
        "3 replacements (3 withheld: column `state`; 2 in capitals only: column `differs_in`), 2 new records"
    )
    assert told in said.out
    found = [(one["old"], one["differs_in"]) for one in table("differs.csv") if one["what"] == "replace"]
    assert sorted(found) == [("Ann", "capitals only"), ("CTO", ""), ("Lee", "capitals only")]


def test_a_difference_in_the_table_names_record_field_and_both_values(hub: Path) -> None:
    say("plan", "--csv", "differs.csv")
    (found,) = [one for one in table("differs.csv") if one["what"] == "replace"]
    told = ("connection", "object", "record", "field", "old", "new")
    assert [found[name] for name in told] == ["crm", "contacts", "1", "Position", "CTO", "Director"]


def test_fills_and_opt_outs_are_in_the_table_as_what_they_are(hub: Path) -> None:
    synced()
    changed("crm.csv", "2;Bob;Ray;bob@example.com;;", "2;Bob;Ray;bob@example.com;;CFO")
    changed("news.csv", "Ann Lee,ann@example.com,Director,yes", "Ann Lee,ann@example.com,Director,no")
    Path("news.csv").write_text(
        Path("news.csv").read_text("utf-8") + "Ann Lee,ann@example.com,,yes\n", "utf-8"
    )
    say("plan", "--csv", "differs.csv")
    found = [(one["what"], one["contact"], one["field"]) for one in table("differs.csv")]
    assert ("fill", "c-2", "Job title") in found
    assert ("opt-out", "c-1", "Subscribed") in found


def test_samples_name_the_person_and_no_row_that_is_there_is_called_new(hub: Path) -> None:
    said = say("plan").out
    assert 'crm contacts Ann Lee, ann@example.com  Position: "CTO" -> "Director"  (replace, withheld)' in said
    assert "news contacts Bob Ray, bob@example.com: a new record" in said
    synced()
    changed("crm.csv", "2;Bob;Ray;bob@example.com;;", "2;Bob;Ray;bob@example.com;;CFO")
    assert (
        'news contacts c-2 Bob Ray, bob@example.com  Job title: nothing -> "CFO"  (fill)' in say("plan").out
    )


def opted_in_again(desk: Path) -> None:
    """Two tables with keys; Ann is opted out in news, and after a sync somebody takes that away."""
    Path("crm.csv").write_text("id,Name,Email\n1,Ann Lee,ann@example.com\n", "utf-8")
    Path("news.csv").write_text("id,Name,Email,Subscribed\n7,Ann Lee,ann@example.com,no\n", "utf-8")
    say("init", "--connect", "crm=crm.csv:sales", "--connect", "news=news.csv:marketing")
    synced()
    changed("news.csv", "ann@example.com,no", "ann@example.com,yes")


def test_an_opt_out_that_is_put_back_is_told_by_plan_and_by_sync(desk: Path) -> None:
    opted_in_again(desk)
    told = "Opt-outs that were taken away there and are put back:\n  news/contacts/7: c-1 Ann Lee, ann@"
    assert told in say("plan").out
    said = say("sync")
    assert told in said.out and rows("news.csv") == ["7,Ann Lee,ann@example.com,no"]
    assert "put back" not in say("sync").out


def test_an_opt_out_that_was_put_back_stands_in_the_history(desk: Path) -> None:
    opted_in_again(desk)
    say("sync")
    said = say("why", "ann@example.com", "consent.email.marketing").out
    assert 'lost: "unknown" from news/contacts/7' in said
    assert "an opt-out holds until a documented opt-in" in said


def test_samples_in_json_hold_no_values_and_no_names(hub: Path) -> None:
    text = say("plan", "--json").out
    assert "Ann" not in text and "ann@example.com" not in text and "Director" not in text


def table(path: str) -> list[dict[str, str]]:
    with Path(path).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def listed(path: str) -> list[tuple[str, ...]]:
    found = [one for one in table(path) if one["what"] == "replace"]
    return [(one["connection"], one["field"], one["old"], one["new"]) for one in found]


def test_between_the_first_sync_and_the_release_the_table_still_lists_what_a_release_would_replace(
    hub: Path,
) -> None:
    synced()
    said = say("plan", "--csv", "before.csv")
    assert listed("before.csv") == [("crm", "Position", "CTO", "Director")]
    assert "1 replacement" in said.out
    assert say("connections", "release", "crm", "--yes").code == 0
    say("plan", "--csv", "after.csv")
    assert listed("after.csv") == listed("before.csv")
    say("sync")
    say("plan", "--csv", "then.csv")
    assert listed("then.csv") == []


@pytest.mark.parametrize("option", ["--out", "--csv"])
def test_a_file_of_somebody_else_is_never_written_over(hub: Path, option: str) -> None:
    before = Path("crm.csv").read_bytes()
    said = say("plan", option, "crm.csv")
    assert (said.code, "TU-CLI-021" in said.err) == (2, True)
    assert Path("crm.csv").read_bytes() == before


def test_a_plan_takes_the_place_of_an_older_plan_and_keeps_to_its_owner(hub: Path) -> None:
    for _ in range(2):
        assert say("plan", "--out", "p.plan", "--csv", "p.csv").code == 0
    Path("p.plan").chmod(0o644)
    say("plan", "--out", "p.plan")
    assert stat.S_IMODE(Path("p.plan").stat().st_mode) == 0o600
    assert [one.name for one in Path().glob(".p.*")] == []


def test_plan_and_table_are_two_files(hub: Path) -> None:
    said = say("plan", "--out", "one", "--csv", "one")
    assert (said.code, "give them two" in said.err, Path("one").exists()) == (2, True, False)


def test_values_that_cannot_be_used_are_counted_with_their_reason(hub: Path) -> None:
    changed("crm.csv", "3;Cid;Fox;cid@example.com", "3;Cid;Fox;cid at example")
    said = say("plan")
    assert "Set aside: 2 values that cannot be used" in said.out
    (found,) = [one for one in say("plan", "--json").json["set_aside"] if one["field"] == "E-mail"]
    assert (found["connection"], found["count"]) == ("crm", 1)
    assert "cid at example" not in said.out


def test_a_plan_counts_what_is_set_aside_as_a_sync_and_failures_do_and_the_same_again(hub: Path) -> None:
    said = "Set aside: 1 value that cannot be used"
    assert said in say("plan").out
    assert "1 value set aside, for 1 cause" in say("sync", "--approve-first").out
    assert [cause["count"] for cause in say("failures", "--json").json["causes"]] == [1]
    assert said in say("plan").out
    changed("crm.csv", "1;Ann;Lee", "1;Anna;Lee")
    assert said in say("plan").out


def test_offline_decides_on_what_was_read_last(hub: Path) -> None:
    say("plan")
    changed("crm.csv", "3;Cid;Fox", "4;Dee;Elm;dee@example.com;;\n3;Cid;Fox")
    assert say("plan", "--offline", "--json").json["contacts"] == 4
    assert say("plan", "--json").json["contacts"] == 5


# -- back-fills ---------------------------------------------------------------------------------------

CRM_FILE = "config/connections/crm.yaml"
NEWS_FILE = "config/connections/news.yaml"


def remapped() -> None:
    """Both are in step; then the column of news that held job titles is said to hold departments."""
    synced()
    Path(NEWS_FILE).write_text(
        Path(NEWS_FILE).read_text("utf-8").replace("job_title:", "department:"), "utf-8"
    )
    assert say("sync").code == 0


def department(who: str) -> object:
    fields = say("contacts", "show", who, "--json").json["fields"]
    return next((one["value"] for one in fields if one["field"] == "department"), None)


def test_a_back_fill_is_counted_with_samples_and_changes_nothing(hub: Path) -> None:
    remapped()
    before = (rows("crm.csv"), rows("news.csv"))
    said = say("plan", "--backfill", "news.department=pull")
    assert (said.code, said.err) == (0, "")
    assert plain(said.out) == kept("plan-backfill", plain(said.out))
    assert (rows("crm.csv"), rows("news.csv")) == before
    assert "A sync would write nothing" in say("plan").out


def test_a_back_fill_is_carried_out_from_a_saved_plan(hub: Path) -> None:
    remapped()
    planned = say("plan", "--backfill", "news.department=pull", "--out", "the.plan", "--json").json
    assert [one["fills"] for one in planned["backfill"]] == [2]
    said = say("sync", "--plan", "the.plan")
    assert said.code == 0, said.out + said.err
    assert department("ann@example.com") == "Director"
    assert "A sync would write nothing" in say("plan").out


@pytest.mark.parametrize("typed", ["department", "Job title"])
def test_a_back_fill_is_named_as_contacts_call_it_and_asked_for_again_as_it_was_typed(
    hub: Path, typed: str
) -> None:
    remapped()
    said = say("plan", "--backfill", f"news.{typed}=pull")
    assert 'department: nothing -> "Director"  (in the hub)' in said.out
    assert f"Next: trueup plan --backfill {shlex.quote(f'news.{typed}=pull')} --out FILE" in said.out
    (told,) = say("plan", "--backfill", f"news.{typed}=pull", "--json").json["backfill"]
    assert (told["field"], told["remote"]) == ("department", "Job title")


def test_of_a_name_that_means_several_fields_those_that_are_only_read_are_left_out_and_named(
    hub: Path,
) -> None:
    changed("crm.csv", ";Phone;", ";job_title;")
    changed(CRM_FILE, 'phone: "Phone"', "department: {field: job_title, direction: in}")
    said = say("plan", "--backfill", "crm.job_title=push")
    assert said.code == 0, said.err
    told = say("plan", "--backfill", "crm.job_title=push", "--json").json["backfill"]
    assert [one["remote"] for one in told] == ["Position"]
    assert "crm contacts `job_title` is only read (`direction: in`, or not writable there)" in said.out
    assert "it is left out of the back-fill" in said.out


def mapped(systems: Played, name: str, line: str) -> None:
    """One more line of the mapping of marketing or support."""
    file = str(systems.folder / f"config/connections/{name}.yaml")
    changed(file, "{consent: none,", f"{{fields: {{{line}}}, consent: none,")


def test_a_list_that_says_its_primary_one_is_no_part_of_a_back_fill_of_names(desk: Path) -> None:
    with played(desk) as systems:
        primary = "item: {value: value, id: id, primary: primary}"
        changed(str(systems.folder / "config/connections/support.yaml"), "[company]", "[company, email]")
        mapped(systems, "support", f"'emails[]': {{field: identities.email, shape: elements, {primary}}}")
        said = systems.say("plan", "--backfill", "support.full_name=push", "--json")
        assert said.code == 0, said.out
        told = said.json["backfill"]
        assert [(one["field"], one["remote"]) for one in told] == [("full_name", "name")]


def test_a_field_that_its_system_does_not_let_us_write_is_pushed_by_no_back_fill(desk: Path) -> None:
    with played(desk) as systems:
        mapped(systems, "marketing", "source: {field: hs_analytics_source, direction: out}")
        said = systems.say("plan", "--backfill", "marketing.source=push")
        assert (said.code, "push cannot be" in said.err) == (2, True), said.out


def test_a_back_fill_that_no_longer_holds_is_not_begun(hub: Path) -> None:
    remapped()
    say("plan", "--backfill", "news.department=pull", "--out", "the.plan")
    changed("news.csv", "Ann Lee,ann@example.com,Director", "Ann Lee,ann@example.com,Boss")
    assert "TU-RUN-030" in say("sync", "--plan", "the.plan").err
    assert say("sync").code == 0
    assert (department("ann@example.com"), department("cid@example.com")) == ("Boss", None)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("new.job_title=push", "there is no connection `new`; did you mean `news`?"),
        ("news.job_titel=push", "did you mean `job_title`?"),
        ("news.job_title=both", "it is said CONN.FIELD=push or CONN.FIELD=pull"),
        ("job_title=push", "it is said CONN.FIELD=push or CONN.FIELD=pull"),
    ],
)
def test_a_back_fill_that_cannot_be_is_explained(hub: Path, said: str, told: str) -> None:
    answer = say("plan", "--backfill", said)
    assert answer.code != 0
    assert told in answer.err


@pytest.mark.parametrize(("direction", "way"), [("in", "push"), ("out", "pull")])
def test_a_back_fill_against_the_direction_of_its_field_is_refused(
    hub: Path, direction: str, way: str
) -> None:
    text = Path(NEWS_FILE).read_text("utf-8")
    both, one_way = 'job_title: "Job title"', f'job_title: {{field: "Job title", direction: {direction}}}'
    Path(NEWS_FILE).write_text(text.replace(both, one_way), "utf-8")
    answer = say("plan", "--backfill", f"news.job_title={way}")
    assert (answer.code, f"{way} cannot be" in answer.err) == (2, True)


# -- sync ---------------------------------------------------------------------------------------------


def test_a_first_sync_reads_like_this(hub: Path) -> None:
    said = say("sync", "--approve-first")
    assert (said.code, said.err) == (0, "")
    assert plain(said.out) == kept("sync-first", plain(said.out))
    assert {row.split(",")[1] for row in rows("news.csv")} == {
        "ann@example.com", "bob@example.com", "cid@example.com", "dan@example.com",
    }  # fmt: skip


def test_a_quiet_sync_writes_nothing_and_is_fine(hub: Path) -> None:
    synced()
    said = say("sync")
    assert said.code == 0
    assert "Written:\n  nothing" in said.out


def test_nothing_is_written_for_the_first_time_before_a_person_has_allowed_it(hub: Path) -> None:
    before = (rows("crm.csv"), rows("news.csv"))
    said = say("sync")
    assert said.code == 1
    assert "trueup sync --approve-first" in said.out
    assert (rows("crm.csv"), rows("news.csv")) == before


def test_decided_and_pending_writes_are_all_accounted_for(hub: Path) -> None:
    for command in (["sync"], ["sync", "--approve-first"], ["sync"]):
        for one in say(*command, "--json").json["writes"]:
            ended = one["done"] + one["failed"] + one["overtaken"] + one["replaced"]
            assert one["pending before"] + one["decided"] == ended + one["held"] + one["pending"]
            assert one["replaced"] >= 0


def test_a_differing_value_is_reported_and_written_only_after_a_release(hub: Path) -> None:
    assert "connections release crm" in synced().out
    assert rows("crm.csv")[0].endswith(";CTO")
    assert say("connections", "release", "crm", "--yes").code == 0
    assert say("sync").code == 0
    assert rows("crm.csv")[0].endswith(";Director")


def test_a_sync_says_how_many_people_wait_for_a_decision_and_how_to_see_them(desk: Path) -> None:
    unsure(desk)
    said = say("sync", "--approve-first").out
    assert "1 contact waits for a decision: the same person as another one?" in said
    assert "trueup contacts waiting\n" in said
    assert "may be" not in say("contacts", "find", "Lee").out
    (bob,) = say("contacts", "waiting", "--json").json["contacts"]
    assert [one["systems"] for one in (bob, *bob["may_be"])] == [["b"], ["a"]]
    assert bob["id"] in say("contacts", "waiting").out


def test_where_everybody_is_known_nobody_waits(hub: Path) -> None:
    assert "for a decision" not in synced().out
    assert say("contacts", "waiting").out == "No contact waits for a decision.\n"


def test_one_contact_can_be_synced_alone(hub: Path) -> None:
    assert say("sync", "--only", "bob@example.com", "--approve-first").code == 0
    assert [row for row in rows("news.csv") if "bob@" in row]
    assert not [row for row in rows("news.csv") if "cid@" in row]


def test_a_saved_plan_is_applied_as_it_was_shown(hub: Path) -> None:
    assert say("plan", "--out", "the.plan").code == 0
    assert stat.S_IMODE(Path("the.plan").stat().st_mode) == 0o600
    said = say("sync", "--plan", "the.plan", "--approve-first")
    assert said.code == 0, said.out + said.err
    assert [row for row in rows("news.csv") if "bob@" in row]


def test_a_saved_plan_that_no_longer_fits_stops_before_the_first_write(hub: Path) -> None:
    say("plan", "--out", "the.plan")
    changed("crm.csv", "2;Bob;Ray", "2;Robert;Ray")
    before = rows("news.csv")
    said = say("sync", "--plan", "the.plan", "--approve-first")
    assert (said.code, "TU-RUN-030" in said.err) == (1, True)
    assert rows("news.csv") == before


def test_a_saved_plan_of_another_configuration_is_refused(hub: Path) -> None:
    say("plan", "--out", "the.plan")
    changed("config/hub.yaml", "name: acme", "name: other")
    said = say("sync", "--plan", "the.plan")
    assert (said.code, "TU-RUN-031" in said.err) == (1, True)


def test_a_file_that_is_no_plan_is_named(hub: Path) -> None:
    said = say("sync", "--plan", "crm.csv")
    assert said.code == 2
    assert "crm.csv is not a plan" in said.err


def test_a_plan_and_a_choice_of_contacts_do_not_go_together(hub: Path) -> None:
    assert say("sync", "--plan", "x", "--only", "ann@example.com").code == 2


def test_an_object_of_which_nothing_was_read_is_explained(hub: Path) -> None:
    Path("crm.csv").write_text("id;First name;Last name;E-mail;Phone;Position\n", "utf-8")
    said = say("plan")
    told = (
        "Nothing was read of crm contacts: no record there. If there should be, `trueup connections test crm`"
    )
    assert told in said.out


def test_objects_of_one_system_of_which_nothing_was_read_are_one_line(desk: Path) -> None:
    with played(desk) as three:
        switched_on(three, "marketing", "companies: off, owners: off, ")
        said = three.say("plan").out.splitlines()
    (line,) = [line for line in said if line.startswith("Nothing was read of marketing")]
    assert line.startswith("Nothing was read of marketing owners, companies, contacts: no record there.")


def test_tickets_that_are_read_for_the_first_time_are_new_and_not_changed(desk: Path) -> None:
    with played(desk) as three:
        switched_on(three, "support", "tickets: off, ")
        three.support.user_create_ticket(three.support.user_create("Cid Fox", "cid@example.com"), "Broken")
        three.sandbox.clock.advance(timedelta(minutes=5))  # a ticket of this minute is not listed yet
        rows = three.say("plan", "--json").json["objects"]
    (tickets,) = [each for each in rows if each["object"] == "tickets"]
    assert (tickets["read"], tickets.get("new", 0), tickets.get("changed", 0)) == (1, 1, 0)


def test_who_is_waited_for_is_named_with_his_record(desk: Path) -> None:
    with played(desk) as three:
        switched_on(three, "marketing", "companies: off, owners: off, ")
        switched_on(three, "marketing", ", without: [company, owner]")
        switched_on(three, "sales", "  User: off\n  Group: off\n")
        switched_on(three, "sales", "owner, ")
        owner = three.sales.integration_user
        three.people()
        planned = three.say("plan", "--only", "bob@example.com").out
    told = " ".join(planned.split())
    assert "waits for the user Integration User, integration@acme.example" in told, planned
    assert f"sales/User/{owner}" in told


def switched_on(hub: Played, connection: str, off: str) -> None:
    """The file of a connection without these lines."""
    file = hub.folder / f"config/connections/{connection}.yaml"
    file.write_text(file.read_text("utf-8").replace(off, ""), "utf-8")


def test_a_missing_table_is_told_and_the_other_system_goes_on(hub: Path) -> None:
    synced()
    Path("crm.csv").unlink()
    said = say("sync")
    assert said.code == 1
    assert "crm could not be read or written to the end" in said.out
    assert "trueup explain TU-CON-010" in said.out


def test_a_narrow_terminal_gets_lines_in_place_of_wide_tables() -> None:
    grid = Grid(("connection", "object", "= done", "+ failed", "+ held"), [("sales", "Lead", 1200, 0, 3)])
    assert number_lines(grid, [False, False, True, True, True]) == ["  sales Lead: done 1,200, held 3"]


# -- processes ----------------------------------------------------------------------------------------


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "trueup.cli", *words], capture_output=True, text=True, check=False
    )


def test_a_real_process_ends_with_the_exit_codes_that_are_promised(hub: Path) -> None:
    assert run("plan", "--exit-code").returncode == 3
    assert run("sync").returncode == 1
    assert run("sync", "--approve-first").returncode == 0
    Path("config/hub.yaml").write_text("nam: acme\n", "utf-8")
    assert run("plan").returncode == 2


@pytest.mark.parametrize(
    "words", [("plan",), ("sync",), ("check",), ("runs",), ("connections",), ("failures",)]
)
def test_json_is_one_document_and_nothing_else(hub: Path, words: tuple[str, ...]) -> None:
    said = run(*words, "--json")
    assert said.stderr == ""
    assert said.stdout.startswith("{")
    assert isinstance(say(*words, "--json").json, dict)


def test_what_is_gone_stands_in_the_table_of_what_was_read_and_adds_up(hub: Path) -> None:
    synced()
    known = {one["connection"]: one["read"] for one in say("sync", "--json").json["objects"]}
    for name in ("crm", "news"):
        lines = Path(f"{name}.csv").read_text("utf-8").splitlines(keepends=True)
        Path(f"{name}.csv").write_text("".join([*lines[:1], *lines[2:]]), "utf-8")
    said = say("sync", "--json").json["objects"]
    assert {one["connection"]: one["gone"] for one in said} == {"crm": 1, "news": 1}
    for one in said:
        assert one["read"] - one.get("new", 0) + one["gone"] == known[one["connection"]]


def test_the_table_shows_gone_only_where_something_is(hub: Path) -> None:
    assert " gone" not in synced().out
    Path("crm.csv").write_text("".join(Path("crm.csv").read_text("utf-8").splitlines(True)[:-1]), "utf-8")
    assert " gone" in say("sync").out


# -- what a table's encoding cannot hold --------------------------------------------------------------


def polish(crm: str = "") -> None:
    """A table in windows-1251 that gets people with Polish names from one in UTF-8."""
    Path("crm.csv").write_bytes(
        f"ПІБ;Телефон;Ел. пошта;Місто\nКоваль Ірина;;koval@ukr.net;Львів\n{crm}".encode("cp1251")
    )
    rows = [
        "first name,last name,email,phone,city",
        "Michał,Wiśniewski,mw@wp.pl,+48660200016,Warszawa",
        "Łukasz,,,,Gdynia",
        "Jan,Nowak,jn@o2.pl,,Łódź",
        "Ірина,Коваль,koval@ukr.net,,Львів",
    ]
    Path("news.csv").write_text("\n".join(rows) + "\n", "utf-8")
    said = say(
        "init",
        "--name",
        "t",
        "--region",
        "UA",
        "--connect",
        "crm=crm.csv:sales",
        "--connect",
        "news=news.csv:marketing",
    )
    assert said.code == 0, said.err
    assert say("check").code == 0


def test_a_plan_counts_and_lists_the_cells_that_a_table_cannot_hold(desk: Path) -> None:
    polish()
    said = say("plan", "--csv", "would.csv").out
    assert "Set aside: 2 values that cannot be used" in said
    for column in ("ПІБ", "Місто"):
        assert f"crm contacts {column}: 1 record: holds a character that windows-1251 has not" in said
    assert "2 values set aside" in said
    with Path("would.csv").open(encoding="utf-8-sig", newline="") as file:
        aside = [row for row in csv.DictReader(file) if row["what"] == "set aside"]
    assert {(row["email"], row["field"], row["state"]) for row in aside} == {
        (email, field, "set aside: holds a character that windows-1251 has not [TU-VAL-005]")
        for email, field in (("mw@wp.pl", "ПІБ"), ("jn@o2.pl", "Місто"))
    }


def test_what_a_plan_sets_aside_the_sync_sets_aside_and_nothing_more(desk: Path) -> None:
    polish()
    planned = say("plan", "--json").json["set_aside"]
    synced()
    assert say("plan", "--json").json["set_aside"] == planned
    assert [one["code"] for one in say("failures", "--json").json["causes"]] == ["TU-VAL-005"] * 2
    assert ";+48660200016;mw@wp.pl;Warszawa" in Path("crm.csv").read_bytes().decode("cp1251")


def test_no_row_is_made_of_somebody_whom_nothing_in_it_would_tell(desk: Path) -> None:
    polish()
    assert "what tells who it is (name, address, number) cannot be kept there" in say("plan").out
    synced()
    assert "Gdynia" not in Path("crm.csv").read_bytes().decode("cp1251")
