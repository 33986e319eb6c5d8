"""`runs`: what was done, and letting held writes go."""

from __future__ import annotations

import csv
import shlex
import sqlite3
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.cli.kit import Said, kept, plain, rows, say
from tests.cli.test_plan_and_sync import changed, synced
from trueup.sync.outbox import Push


def held_run(hub: Path) -> Said:
    """A sync whose clearings trip a fuse: more than 20 values were emptied at once."""
    released(hub)
    text = Path("crm.csv").read_text("utf-8")
    Path("crm.csv").write_text(text.replace(";Boss", ";"), "utf-8")
    return say("sync")


def released(hub: Path) -> None:
    """Forty people in step in both tables, which are released."""
    people = [f"{n};Ann{n};Lee;ann{n}@example.com;;Boss" for n in range(1, 41)]
    Path("crm.csv").write_text(
        "id;First name;Last name;E-mail;Phone;Position\n" + "\n".join(people) + "\n", "utf-8"
    )
    synced()
    for name in ("crm", "news"):
        say("connections", "release", name, "--yes")
    say("sync")


def test_no_run_yet_says_what_comes_first(hub: Path) -> None:
    assert "There was no run yet" in say("runs").out


def test_runs_are_listed_newest_first(hub: Path) -> None:
    say("sync")
    synced()
    listed = say("runs", "--json").json["runs"]
    assert [(one["run"], one["outcome"], one["user"]) for one in listed] == [
        (2, "completed", "ops"),
        (1, "held", "ops"),
    ]


def test_a_run_can_be_looked_at_again(hub: Path) -> None:
    first = plain(synced().out)
    again = plain(say("runs", "show", "1").out)
    for begin, end in (("Read:", "Decided:"), ("Written:", "Notes:")):
        table = first[first.index(begin) : first.index(end)] if end in first else first[first.index(begin) :]
        assert table.partition("\n\n")[0] in again


def test_what_a_later_run_wrote_of_earlier_decisions_is_shown(hub: Path) -> None:
    (decided,) = [one for one in say("sync", "--json").json["writes"] if one["connection"] == "news"]
    assert decided["pending"] == 2
    synced()
    shown = plain(say("runs", "show", "2").out)
    line = next(line for line in shown[shown.index("Written:") :].splitlines() if line.startswith("news"))
    assert line.split() == ["news", "contacts", "2", "0", "2", "0", "0", "0", "0", "0"]


def test_a_run_that_waits_for_the_first_permission_says_how_much_waits_and_what_allows_it(hub: Path) -> None:
    say("sync")
    waits = "Never written to before, so it waits for you: news (2 writes)."
    said = say("runs", "show", "1").out
    assert waits in said and "trueup sync --approve-first" in said
    assert "2 left pending" in say("runs").out
    synced()
    assert "Never written to before" not in say("runs", "show", "1").out


def test_everything_that_a_run_holds_can_be_seen_before_it_is_approved(hub: Path) -> None:
    held_run(hub)
    said = say("runs", "show", "3", "--csv", "held.csv")
    assert said.code == 0 and "40 clearings listed in held.csv" in said.out
    with Path("held.csv").open(encoding="utf-8-sig", newline="") as file:
        listed = list(csv.DictReader(file))
    assert sorted(one["email"] for one in listed) == sorted(f"ann{n}@example.com" for n in range(1, 41))
    assert {(one["what"], one["field"], one["old"], one["new"], one["state"]) for one in listed} == {
        ("clear", "Job title", "Boss", "", "held")
    }
    assert Path("held.csv").stat().st_mode & 0o777 == 0o600


def test_the_table_of_held_writes_goes_over_no_other_file(hub: Path) -> None:
    held_run(hub)
    before = Path("crm.csv").read_bytes()
    said = say("runs", "show", "3", "--csv", "crm.csv")
    assert (said.code, "TU-CLI-021" in said.err, Path("crm.csv").read_bytes()) == (2, True, before)


def test_a_run_that_somebody_stops_says_so_and_what_it_had_decided(
    hub: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: object) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as here:
        here.setattr(Push, "run", stopped)
        assert say("sync", "--approve-first").code == 130
    (run,) = say("runs", "--json").json["runs"]
    assert (run["outcome"], run["ended_at"] is not None) == ("stopped", True)
    assert run["counts"]["news.contacts.pending"] == 2
    assert "Run 1 was stopped by somebody" in say("runs", "show", "1").out
    assert synced().code == 0
    assert say("runs", "--json").json["runs"][1]["outcome"] == "stopped"


def test_a_tripped_fuse_holds_the_run_and_says_how_it_goes_on(hub: Path) -> None:
    said = held_run(hub)
    assert said.code == 1
    assert "Held back by fuses:" in said.out
    assert "values to be cleared" in said.out
    run = say("runs", "--json").json["runs"][0]
    assert run["outcome"] == "held"
    assert f"trueup runs approve {run['run']}" in said.out
    assert len([row for row in rows("news.csv") if ",Boss," in row]) == 40


def test_an_approved_run_goes_on(hub: Path) -> None:
    held_run(hub)
    run = str(say("runs", "--json").json["runs"][0]["run"])
    assert say("runs", "approve", run, "--yes").code == 0
    assert say("sync").code == 0
    assert [row for row in rows("news.csv") if ",Boss," in row] == []


def test_a_rejected_run_leaves_the_systems_as_they_are(hub: Path) -> None:
    held_run(hub)
    run = str(say("runs", "--json").json["runs"][0]["run"])
    assert say("runs", "reject", run, "--yes").code == 0
    assert len([row for row in rows("news.csv") if ",Boss," in row]) == 40
    assert say("runs", "approve", run, "--yes").code == 2


def test_nothing_is_approved_without_a_yes(hub: Path) -> None:
    held_run(hub)
    run = str(say("runs", "--json").json["runs"][0]["run"])
    said = say("runs", "approve", run)
    assert (said.code, "TU-CLI-001" in said.err) == (1, True)


def test_a_run_that_there_was_not_is_named(hub: Path) -> None:
    said = say("runs", "show", "99")
    assert said.code == 2
    assert "99" in said.err


def test_too_many_missing_records_are_no_deletions(hub: Path) -> None:
    synced()
    lines = Path("crm.csv").read_text("utf-8").splitlines()
    Path("crm.csv").write_text(lines[0] + "\n", "utf-8")
    said = say("sync")
    assert said.code == 1
    assert "more than may be believed" in said.out
    changed("crm.csv", lines[0], "\n".join(lines))
    assert say("sync").code == 0


def many_missing(hub: Path) -> str:
    """A sync that finds 30 of 40 records missing; the number of the run."""
    people = [f"{n};Ann{n};Lee;ann{n}@example.com;;Boss" for n in range(1, 41)]
    head = Path("crm.csv").read_text("utf-8").splitlines()[0]
    Path("crm.csv").write_text("\n".join([head, *people]) + "\n", "utf-8")
    synced()
    Path("crm.csv").write_text("\n".join([head, *people[:10]]) + "\n", "utf-8")
    assert say("sync").code == 1
    return str(say("runs", "--json").json["runs"][0]["run"])


def test_who_deleted_many_records_is_told_how_to_say_so(hub: Path) -> None:
    run = many_missing(hub)
    said = say("sync")
    assert ": 30 records" in said.out and "trueup runs approve" in said.out
    assert "30 missing" in say("runs").out
    latest = str(int(run) + 1)
    assert f"`trueup runs approve {latest}`" in say("runs", "show", latest).out


def test_missing_records_that_a_person_accepted_are_deleted_with_the_next_sync(hub: Path) -> None:
    run = many_missing(hub)
    said = say("runs", "approve", run, "--yes")
    assert said.code == 0 and "30 missing records accepted" in said.out
    assert say("decisions", "--about", f"run {run}", "--json").json["decisions"][0]["user"] == "ops"
    say("sync")
    assert say("runs", "approve", "--yes").code == 2


def test_missing_records_are_nothing_to_reject(hub: Path) -> None:
    run = many_missing(hub)
    said = say("runs", "reject", run, "--yes")
    assert said.code == 2 and "30 records missing" in said.err


def test_without_a_number_the_run_that_holds_something_is_meant(hub: Path) -> None:
    held_run(hub)
    said = say("runs", "approve", "--yes", "--json")
    assert said.json == {"run": 3, "approved": 40, "accepted_missing": 0}
    assert say("sync").code == 0
    assert [row for row in rows("news.csv") if ",Boss," in row] == []


def test_what_is_held_keeps_its_number_while_nothing_is_added(hub: Path) -> None:
    held_run(hub)
    said = say("sync")
    assert (said.code, said.out.splitlines()[0]) == (
        1,
        "Run 4 is done, but what run 3 holds back still waits for a person.",
    )
    assert "`trueup runs approve 3` lets them go" in said.out
    assert [one["outcome"] for one in say("runs", "--json").json["runs"]][:2] == ["held", "held"]
    assert [line.split()[0] for line in say("runs").out.splitlines() if "; 40 held" in line] == ["3"]
    said = say("runs", "approve", "3", "--yes", "--json")
    assert said.json == {"run": 3, "approved": 40, "accepted_missing": 0}


def test_a_run_whose_held_writes_went_over_to_a_newer_one_says_to_which(hub: Path) -> None:
    held_run(hub)
    changed("crm.csv", ";Ann1;Lee;ann1@example.com;", ";Ann1;;ann1@example.com;")
    say("sync")
    said = say("runs", "approve", "3", "--yes")
    assert said.code == 2
    assert "run 3 holds nothing back" in said.err and "trueup runs show 4" in said.err
    assert "what it held back went over to run 4" in say("runs", "show", "3").out
    assert say("runs", "reject", "--yes", "--json").json["run"] == 4


def test_a_held_run_shows_what_it_would_write(hub: Path) -> None:
    held_run(hub)
    said = say("runs", "show", "3").out
    line = next(line for line in said.splitlines() if "Ann40 Lee, ann40@example.com" in line)
    assert line.split()[-4:] == ["Job", "title", '"Boss"', "nothing"]
    assert "and 20 more writes: `trueup runs show 3 --csv FILE` lists all" in said
    (first, *_) = say("runs", "show", "3", "--json").json["samples"]
    assert (first["connection"], first["kind"], first["fields"]) == ("news", "update", ["Job title"])
    assert "Ann40" not in say("runs", "show", "3", "--json").out


def test_a_plan_foretells_what_the_fuses_of_the_sync_hold(hub: Path) -> None:
    held_run(hub)
    say("runs", "approve", "--yes")
    say("sync")
    text = Path("crm.csv").read_text("utf-8")
    Path("crm.csv").write_text(text.replace(";Lee;", ";Leigh;"), "utf-8")
    plan, shown = say("plan", "--json").json["held"], say("plan").out
    assert plan == [{"connection": "news", "kind": "change", "writes": 20}]
    assert "Of this, fuses would hold back until you approve it:" in shown
    assert "  news: 20 replacements beyond what one run may change" in shown
    hold = "  The fuse `change` (news 20) will hold back 20 writes; when you have looked at them:"
    assert shown.endswith(f"Next: trueup sync\n{hold} trueup runs approve\n")
    assert say("sync", "--json").json["held"] == plan


@pytest.mark.parametrize(
    ("fuse", "before", "after", "held"),
    [("clear", ";Boss", ";", 40), ("change", ";Lee;", ";Leigh;", 20)],
)
def test_the_table_of_a_plan_says_which_rows_a_fuse_will_hold_and_what_lets_them_go(
    hub: Path, fuse: str, before: str, after: str, held: int
) -> None:
    released(hub)
    text = Path("crm.csv").read_text("utf-8")
    Path("crm.csv").write_text(text.replace(before, after), "utf-8")
    said = say("plan", "--csv", "differs.csv").out
    with Path("differs.csv").open(encoding="utf-8-sig", newline="") as file:
        states = Counter(one["state"] for one in csv.DictReader(file))
    assert states.pop(f"will be held by the fuse {fuse}, until trueup runs approve") == held
    assert states == ({"would be written": 40 - held} if held < 40 else {})
    assert f"({held} will be held: column `state`) listed in differs.csv" in said


def test_the_table_of_a_plan_says_of_what_no_fuse_will_hold_that_it_would_be_written(hub: Path) -> None:
    released(hub)
    text = Path("crm.csv").read_text("utf-8")
    Path("crm.csv").write_text(text.replace(";Boss", ";", 10), "utf-8")
    say("plan", "--csv", "differs.csv")
    with Path("differs.csv").open(encoding="utf-8-sig", newline="") as file:
        states = [one["state"] for one in csv.DictReader(file)]
    assert states == ["would be written"] * 10


def test_a_plan_says_what_is_held_already(hub: Path) -> None:
    held_run(hub)
    assert "until you approve it, what run 3 holds already included:" in say("plan").out


def test_where_nothing_is_held_there_is_nothing_to_approve(hub: Path) -> None:
    synced()
    said = say("runs", "approve", "--yes")
    assert (said.code, "no run holds anything back" in said.err) == (2, True)


def test_a_run_shows_who_decided_about_it(hub: Path) -> None:
    held_run(hub)
    say("runs", "approve", "--yes")
    (decision,) = say("runs", "show", "3", "--json").json["decisions"]
    assert (decision["user"], decision["action"]) == ("ops", "runs approve")
    assert decision["details"] == {"connection": "news", "gate": "clear", "writes": 40}
    assert "Decided by people:" in say("runs", "show", "3").out


def test_all_decisions_of_people_are_listed_newest_first_without_values(hub: Path) -> None:
    synced()
    say("contacts", "edit", "ann@example.com", "job_title=Chief")
    said = say("decisions", "--json").json["decisions"]
    assert [(one["user"], one["action"], one["about"]) for one in said] == [
        ("ops", "contacts edit", "c-1"),
        ("ops", "sync --approve-first", "news"),
        ("ops", "sync --approve-first", "crm"),
    ]
    assert say("decisions", "--about", "c-1", "--json").json["decisions"] == said[:1]
    text = say("decisions").out
    assert "Chief" not in text and "ann@example.com" not in text and "job_title" in text


def test_decisions_that_stand_are_counted_and_the_last_one_is_named(hub: Path) -> None:
    synced()
    said = say("decisions", "--verify")
    last = say("decisions", "--json").json["decisions"][0]["digest"]
    assert (said.code, said.out) == (
        0,
        f"2 decisions, all as they were written.\nThe last one has the number {last}.\n",
    )


def test_a_decision_that_was_changed_in_the_database_is_told(hub: Path) -> None:
    synced()
    with sqlite3.connect("config/trueup.sqlite") as database:
        database.execute("update audit set author = 'nobody' where id = 2")
    said = say("decisions", "--verify")
    assert said.code == 1
    assert plain(said.out) == kept("decisions-broken", plain(said.out))
    assert say("decisions", "--verify", "--json").json["broken"]["user"] == "nobody"


@pytest.mark.parametrize("number", ["7", "0", "99999999999999999999999"])
def test_a_run_that_there_is_not_is_told_plainly(hub: Path, number: str) -> None:
    said = say("runs", "show", number)
    assert (said.code, f"there is no run {number}  [TU-GEN-404]" in said.err) == (2, True), said.err


def standing(who: str, name: str) -> dict[str, Any]:
    (found,) = [one for one in say("why", who, "--json").json["systems"] if one["connection"] == name]
    return dict(found)


def rejected_clearing(hub: Path) -> None:
    held_run(hub)
    say("runs", "reject", "--yes", "--reason", "positions stay")
    say("sync")


def test_why_says_what_a_rejected_write_left_different_who_rejected_it_and_why(hub: Path) -> None:
    rejected_clearing(hub)
    told = standing("ann1@example.com", "news")
    run = say("decisions", "--json").json["decisions"][0]["about"]
    assert told["stands"] == "rejected"
    assert told["because"] == (
        f"differs in Job title: the write was rejected with {run} (ops: positions stay);"
        " it stays so until that is edited, in a system or here"
    )
    assert told["differences"] == [{"field": "Job title", "there": "Boss", "proposed": None}]
    assert 'news Job title: "Boss" -> nothing' in say("why", "ann1@example.com").out
    assert standing("ann1@example.com", "crm")["stands"] == "in step"


def test_a_rejected_clearing_is_taken_up_by_the_edit_that_why_names(hub: Path) -> None:
    rejected_clearing(hub)
    _, _, command = standing("ann1@example.com", "news")["then"].partition("trueup ")
    say(*command.replace("VALUE", "Chief").split())
    say("sync")
    assert standing("ann1@example.com", "news")["stands"] == "in step"
    assert any("ann1@example.com" in row and "Chief" in row for row in rows("news.csv"))


def test_a_rejected_write_is_told_no_more_once_the_system_holds_what_the_hub_does(hub: Path) -> None:
    rejected_clearing(hub)
    Path("news.csv").write_text(Path("news.csv").read_text("utf-8").replace("Boss", ""), "utf-8")
    say("sync")
    assert standing("ann1@example.com", "news")["stands"] == "in step"


def test_a_rejected_replacement_is_taken_up_by_the_back_fill_that_why_names(hub: Path) -> None:
    released(hub)
    text = Path("crm.csv").read_text("utf-8")
    Path("crm.csv").write_text(text.replace(";Boss", ";Chief"), "utf-8")
    (hub / "hub.yaml").write_text(
        (hub / "hub.yaml").read_text("utf-8").replace("{count: 5000, share: 20%}", "{count: 1}"), "utf-8"
    )
    say("sync")
    say("runs", "reject", "--yes")
    say("sync")
    who = next(
        f"ann{n}@example.com"
        for n in range(1, 41)
        if standing(f"ann{n}@example.com", "news")["stands"] == "rejected"
    )
    for command in standing(who, "news")["then"].split(", then "):
        say(*shlex.split(command.removeprefix("trueup ").replace("FILE", "again.jsonl")))
    assert any(who in row and "Chief" in row for row in rows("news.csv"))
    assert standing(who, "news")["stands"] == "in step"


def test_the_reason_of_a_rejection_is_shown_with_its_run(hub: Path) -> None:
    rejected_clearing(hub)
    run = say("decisions", "--json").json["decisions"][0]["about"].removeprefix("run ")
    assert "Rejected by ops: positions stay" in say("runs", "show", run).out
    assert say("runs", "show", run, "--json").json["rejected"] == ["ops: positions stay"]
