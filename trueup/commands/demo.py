"""`demo`: a full two-way sync over three imitated systems and a database, told as it happens."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trueup.commands.answer import FAILED, FINE, Answer, Shown, print_shown
from trueup.commands.desk import Desk, Form
from trueup.model.counting import counted

if TYPE_CHECKING:
    from trueup.commands.demo_stories import Story
    from trueup.commands.demo_world import Stage
    from trueup.model.plan import Case
    from trueup.model.record import Json
    from trueup.sync.engine import Report

USER = "demo"
BETWEEN = timedelta(minutes=10)
"""What passes between two steps: longer than any search's lag."""


STAYING = "The systems are open until Ctrl-C. Meanwhile, in another terminal:"


class End(Enum):
    """What becomes of the systems when all is told."""

    LEAVES = "leaves"
    STAYS = "stays"


@dataclass(slots=True)
class Teller:
    """Tells as it goes, or, for `--json`, keeps silent and collects."""

    form: Form
    document: dict[str, Json] = field(default_factory=dict)
    out: Callable[[Sequence[Shown]], None] = print_shown

    def say(self, *parts: Shown) -> None:
        if self.form is Form.TEXT:
            self.out(parts)

    def head(self, text: str) -> None:
        self.say("", text, "-" * len(text))


def demo(
    desk: Desk,
    people: Annotated[
        int, typer.Option("--people", min=60, metavar="N", help="How many people there are.")
    ] = 2000,
    seed: Annotated[
        int, typer.Option("--seed", metavar="N", help="The same seed makes the same people.")
    ] = 1,
    to: Annotated[
        Path, typer.Option("--to", metavar="DIR", help="The folder to work in; it is made anew.")
    ] = Path(".demo"),
    stay: Annotated[
        bool,
        typer.Option("--stay", help="At the end keep the systems open until Ctrl-C, for other commands."),
    ] = False,
) -> Answer:
    """Show a full two-way sync over three imitated systems and a database, in under two minutes.

    Works on a copy of the example hub in a folder of its own. Nothing leaves this machine. Ends with 1
    when anything comes out otherwise than it is told, above all when the last sync writes anything.
    """
    from trueup.commands.demo_world import BEHIND, set_up
    from trueup.sandbox.server import SandboxClock

    # Standing still: how fast this machine fills the systems must not decide which of two duplicates was
    # changed last, and with that what the demonstration shows.
    clock = SandboxClock(datetime.now(UTC) - BEHIND)
    teller = Teller(desk.form)
    teller.say(f"{counted(people, 'person', 'people')}, seed {seed}; everything happens in {to} …")
    stage = set_up(to, people, seed, clock)
    try:
        return perform(teller, stage, End.STAYS if stay else End.LEAVES)
    finally:
        stage.close()


def perform(teller: Teller, stage: Stage, end: End = End.LEAVES) -> Answer:
    """The demonstration on a stage. Raises Unlike when it comes out otherwise than it tells."""
    from trueup.commands.demo_after import keep, stay_open

    began = time.monotonic()
    _introduced(teller, stage)
    _planned(teller, stage)
    _first_sync(teller, stage)
    _released(teller, stage)
    _edited(teller, stage)
    wrong = _quiet_sync(teller, stage)
    keep(stage)
    answer = _ended(teller, stage, wrong, time.monotonic() - began)
    if wrong:
        return answer
    if end is End.STAYS:
        teller.say(*answer.shown)
        stay_open(stage, lambda: teller.say("", *staying_lines(stage.folder, program())))
        return Answer(answer.document)
    return replace(answer, shown=[*answer.shown, "", leaving_line(program())])


# -- step by step --------------------------------------------------------------------------------------


def _introduced(teller: Teller, stage: Stage) -> None:
    from trueup.commands.demo_told import systems_grid

    teller.say("", systems_grid(stage), "")
    teller.say(
        f"They spell names, numbers and addresses as such systems do, hold duplicates, and contradict each "
        f"other. The configuration is in {stage.folder}."
    )


def _planned(teller: Teller, stage: Stage) -> None:
    from trueup.commands.counts import calls_line, rows_of, writing_grid
    from trueup.commands.planned import NOTHING_WRITTEN, hub_streams
    from trueup.services.syncing import plan

    teller.head("1. The plan: read everything, decide, write nothing")
    before = stage.systems.touched()
    report = plan(stage.hub)
    _demand(stage.systems.touched() == before, "the plan wrote something")
    rows = rows_of(report.tally.counts, hub_streams(stage.hub))
    read = report.tally.get("read")
    teller.say(f"{NOTHING_WRITTEN} {counted(read, 'record')} read, {counted(report.contacts, 'contact')}.")
    teller.say("A sync would write:", writing_grid(rows), calls_line(report.calls))
    teller.document["plan"] = {"read": read, "contacts": report.contacts, "calls": dict(report.calls)}


def _first_sync(teller: Teller, stage: Stage) -> None:
    from trueup.commands.demo_told import done_line, opt_out_lines, sample_grid, withheld_grid

    teller.head("2. The first sync: it fills what is empty, and replaces nothing")
    report = _sync(teller, stage, approve_first=True)
    tally = report.tally
    teller.say(f"Run {report.run_id}: {done_line(tally)}", *opt_out_lines(tally))
    teller.say(
        "Where systems contradict each other, it reports and does not write:", withheld_grid(stage, tally)
    )
    held_back = [one for one in tally.samples if one.withheld]
    teller.say("", "For example:", sample_grid(stage, held_back))
    teller.document["withheld"] = tally.get("withheld")


def _released(teller: Teller, stage: Stage) -> None:
    from trueup.commands.demo_told import cause_lines, done_line
    from trueup.commands.held import gate_lines
    from trueup.services.connecting import release
    from trueup.services.syncing import plan

    teller.head("3. The release: from now on the rules decide what differs")
    for name in stage.config.connections:
        release(stage.hub, name, USER)
    would = plan(stage.hub).tally
    replaced, records = counted(would.get("replaces"), "value"), counted(would.get("updates"), "record")
    others = f"{would.get('fills'):,} filled and {would.get('clears'):,} cleared"
    follows = f"{replaced} replaced, {others}, in {records}"
    teller.say(
        f"All four connections are released. A plan says first what follows: {follows}.",
        f"Of these step 2 told of {teller.document['withheld']:,}; the others follow from what it wrote",
        "(the CRM gave its new leads an owner).",
    )
    report = _sync(teller, stage)
    teller.say(f"Run {report.run_id}: {done_line(report.tally)}")
    if report.held:
        teller.say("Held back by fuses, until a person has looked:", *gate_lines(report.held))
        freed = sum(
            stage.hub.store.open_gates(name, gate, USER, stage.hub.parts.now()) for name, gate in report.held
        )
        teller.say(f"A person looks, and approves (`trueup runs approve`): {counted(freed, 'write')} may go.")
    _settle(teller, stage)
    if causes := cause_lines(stage):
        teller.say("What systems did not take waits for a person (`trueup failures`), by cause:", *causes)


ROUNDS = 5


def _settle(teller: Teller, stage: Stage) -> None:
    """Sync until nothing follows any more, as a schedule would."""
    from trueup.commands.demo_told import done_line

    for _ in range(ROUNDS):
        report = _sync(teller, stage)
        if not report.tally.get("done"):
            teller.say(f"Run {report.run_id}: nothing more follows.")
            return
        teller.say(f"Run {report.run_id}: {done_line(report.tally)}")
    _demand(False, f"the systems were not in step after {ROUNDS} syncs")


def _edited(teller: Teller, stage: Stage) -> None:
    from trueup.commands.demo_people import Search
    from trueup.commands.demo_stories import stories
    from trueup.commands.demo_told import acts_grid, done_line, story_parts

    teller.head("4. People go on working in their systems")
    told = stories(Search(stage.hub, stage.systems))
    for story in told:
        story.happen(stage.systems)
    teller.say(acts_grid(told))
    stage.sandbox.clock.advance(BETWEEN)

    teller.head("5. The second sync")
    since = stage.sandbox.clock.now()
    report = _sync(teller, stage)
    teller.say(f"Run {report.run_id}: {done_line(report.tally)}")
    teller.document["second_sync"] = report.run_id
    _echo(teller, stage)
    for number, story in enumerate(told, 1):
        case = _case(stage, story)
        story.end(stage.systems, _newly(case))
        teller.say("", f"Story {number}: {story.title}", *story_parts(stage, story, case, since))
    teller.document["stories"] = [_story_document(story, _case(stage, story)) for story in told]


def _echo(teller: Teller, stage: Stage) -> None:
    """What systems add to new records by themselves is news, and goes round once more."""
    from trueup.commands.demo_told import done_line

    report = _sync(teller, stage)
    if report.tally.get("done"):
        said = "A CRM gives each new lead an owner. That is news, and goes to the other systems."
        teller.say(f"Run {report.run_id}: {done_line(report.tally)} {said}")


def _quiet_sync(teller: Teller, stage: Stage) -> str:
    """The last sync; what it wrote, empty for nothing."""
    teller.head("6. The third sync: nothing happened since, so it must write nothing")
    before = stage.systems.touched()
    report = _sync(teller, stage)
    after = stage.systems.touched()
    wrote = [name for name in before if before[name] != after[name]]
    tally = report.tally
    if wrote or tally.get("done") or tally.get("failed"):
        return f"run {report.run_id} wrote to {', '.join(wrote) or 'a system'} although nothing had happened"
    teller.say(
        f"Run {report.run_id}: {counted(tally.get('read'), 'record')} read again, 0 writes. The systems' own "
        "ledgers and the shop's table say the same."
    )
    return ""


def _ended(teller: Teller, stage: Stage, wrong: str, seconds: float) -> Answer:
    teller.document["zero_writes_at_the_end"] = not wrong
    if wrong:
        return Answer(teller.document, ["", f"The demonstration failed: {wrong}.  [TU-GEN-500]"], FAILED)
    shown = ["", f"Done in {seconds:.0f} seconds.", "", *next_lines(teller.document, stage.folder, program())]
    return Answer(teller.document, shown, FINE)


def next_lines(document: Mapping[str, Json], config: Path, program: str) -> list[str]:
    """Commands that work on what the demonstration left, about the very people of its stories."""
    who = {story["title"]: story["contact"] for story in document["stories"]}
    edited, twice = list(who.values())[0], list(who.values())[3]
    where = f"--sandbox --config {config}"
    looks = (
        (f"contacts show {edited}", "one contact: what it holds, and how it stands in each system"),
        (f"why {twice} job_title", "why a field holds what it holds, and who lost"),
        (f"runs show {document['second_sync']}", "the second sync, in numbers that add up"),
        ("failures", "what systems did not take, by cause"),
        ("connections list", "what is connected, and what may be written there"),
    )
    lines = ["Look at it (this asks the hub only):"]
    return [*lines, *(f"  {program} {what} {where}    # {about}" for what, about in looks)]


def leaving_line(program: str) -> str:
    """How the systems are had open: everything is played anew."""
    return (
        "The systems are closed now. To plan and sync on, play it again and keep them open until Ctrl-C: "
        f"{program} demo --stay"
    )


def staying_lines(config: Path, program: str) -> list[str]:
    """What can be done while the systems are open."""
    return [STAYING, *(f"  {program} {what} --sandbox --config {config}" for what in ("plan", "sync"))]


def program() -> str:
    """How `trueup` is called here: by its name if that finds this one, else by its path."""
    here = Path(sys.argv[0])
    found = shutil.which("trueup")
    if here.name != "trueup" or (found and Path(found).resolve() == here.resolve()):
        return "trueup"
    return os.path.relpath(here)


# -- parts ---------------------------------------------------------------------------------------------


def _sync(teller: Teller, stage: Stage, approve_first: bool = False) -> Report:
    """One run, after some time. Raises Unlike when a system could not be used."""
    from trueup.services.syncing import Sync, sync

    stage.sandbox.clock.advance(BETWEEN)
    report = sync(stage.hub, Sync(USER, approve_first=approve_first)).report
    _demand(not report.failed, f"run {report.run_id} could not use {', '.join(report.failed)}")
    runs = teller.document.setdefault("runs", [])
    numbers = {what: report.tally.get(what) for what in ("read", "done", "failed", "creates", "replaces")}
    runs.append({"run": report.run_id, "outcome": report.outcome.value, **numbers})
    return report


def _demand(true: bool, otherwise: str) -> None:
    from trueup.commands.demo_world import Unlike

    if not true:
        raise Unlike(f"the demonstration came out otherwise than it tells: {otherwise}")


def _case(stage: Stage, story: Story) -> Case:
    """The contact that a story is about. Raises Unlike when the hub does not know its record."""
    from trueup.commands.demo_people import case_of

    return case_of(stage.hub, *story.root)


def _newly(case: Case) -> dict[str, tuple[str, str]]:
    """Where the contact has a record, by connection: object and id."""
    return {
        link.connection: (link.object, link.remote_id)
        for link in case.links
        if link.state.value == "live" and link.remote_id is not None
    }


def _story_document(story: Story, case: Case) -> Json:
    return {
        "title": story.title,
        "contact": case.entity.public_id,
        "places": [
            {
                "connection": place.connection,
                "object": place.object,
                "record": place.id,
                "field": place.path,
                "before": story.before.get(place),
                "edited": story.edited.get(place),
                "after": story.after.get(place),
            }
            for place in story.watched
        ],
    }
