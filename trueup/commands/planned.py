"""What a plan shows."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from trueup.commands.answer import CHANGES, CONFIGURATION, FAILED, FINE, Answer, Grid, Shown, value_text
from trueup.commands.complaints import complaint, connector_lines
from trueup.commands.counts import (
    Row,
    calls_line,
    earlier_document,
    earlier_lines,
    put_back_lines,
    reading_grid,
    rows_of,
    sample_lines,
    skipped_lines,
    tally_document,
    unaccounted_lines,
    who,
    writing_grid,
)
from trueup.commands.empty import empty_lines
from trueup.commands.held import foretold_lines, fuse_lines, held_document
from trueup.commands.later import unsent_lines, unwritten_lines
from trueup.commands.plan_table import listed_line
from trueup.commands.waited import reason_text
from trueup.config.without_consent import without_consent
from trueup.errors import ConnectorError
from trueup.model.calling import called
from trueup.model.counting import counted
from trueup.model.covering import covered
from trueup.model.delivery import Write
from trueup.model.fields import Kind
from trueup.model.plan import Case
from trueup.model.record import Json
from trueup.services.backfilling import Filled
from trueup.services.hub import Hub
from trueup.services.scope import mentions
from trueup.services.syncing import PlanReport
from trueup.sync.rules.backfill import Way
from trueup.sync.tally import is_of_field

NOTHING_WRITTEN = "Nothing has been written to any system."


@dataclass(frozen=True, slots=True)
class Asked:
    """How the plan was asked for. `listed`: how many rows of each sort went to the table; `fills`: the
    back-fills, as they were typed."""

    only: str | None
    out: Path | None
    csv: Path | None
    listed: Mapping[str, int]
    exit_code: bool
    fills: Sequence[str]


# -- the answer ---------------------------------------------------------------------------------------


def answer(hub: Hub, report: PlanReport, asked: Asked) -> Answer:
    """The first line says that nothing was written; the last ones what to do next."""
    rows = rows_of(report.tally.counts, hub_streams(hub))
    shown: list[Shown] = [NOTHING_WRITTEN, ""]
    if asked.only is not None and not report.contacts:
        shown += _nobody(hub, report, asked.only)
        code = _exit(report, rows, asked) or (FINE if known_by(hub, asked.only) else CONFIGURATION)
        return Answer(_document(report, rows, hub, asked), shown, code)
    shown += [*_filled(report), "Read:", reading_grid(rows), *earlier_lines(report.earlier), ""]
    shown += [
        "A sync would write, back-fills included:" if report.filled else "A sync would write:",
        writing_grid(rows),
        *unsent_lines(report.unsent),
        *skipped_lines(rows),
        *_aside_lines(report),
    ]
    shown += [*_first_decided_lines(hub, report, rows), *put_back_lines(report.tally)]
    shown += foretold_lines(report.held, hub.parts.store.held_by())
    shown += [*unaccounted_lines(rows), *sample_lines(report.tally.samples)]
    shown += _one_by_one(hub, report) if asked.only is not None else []
    shown += [
        "",
        calls_line(report.calls),
        *failed_lines(report.failed),
        *empty_lines(hub, rows, report.failed),
        *without_consent_lines(hub, rows),
    ]
    shown += [*note_lines(notes_of(hub, report.failed), report.tally.notes), *_next(hub, report, rows, asked)]
    return Answer(_document(report, rows, hub, asked), shown, _exit(report, rows, asked))


def _first_decided_lines(hub: Hub, report: PlanReport, rows: list[Row]) -> list[str]:
    """What a plan cannot count: opt-outs reach others only when somebody's are decided."""
    policy = hub.parts.policy
    contacts = set(policy.streams(Kind.CONTACT))
    new = sum(row.number("new") for row in rows if row.stream in contacts)
    new += sum(report.earlier.strangers.get(stream, 0) for stream in contacts)
    if not new or not any(binding.consent for one in contacts for binding in policy.mappings[one].bindings):
        return []
    return [
        "",
        "Some are decided for the first time: a sync may write a few more opt-outs than are counted here,",
        "those at addresses that people get by the sync itself.",
    ]


def _aside_lines(report: PlanReport) -> list[str]:
    """Values that are not used, by reason; the commonest first. Counted as `trueup failures` counts them."""
    found = sorted(report.aside.items(), key=lambda one: (-one[1], one[0]))
    lines = [
        f"  {connection} {object} {field}: {counted(number, 'record')}: {reason}"
        for (connection, object, field, reason), number in found[:MOST_ASIDE]
    ]
    if len(found) > MOST_ASIDE:
        lines.append(
            f"  and {counted(len(found) - MOST_ASIDE, 'more reason')}: trueup failures, after the sync"
        )
    if not lines:
        return []
    total = counted(sum(report.aside.values()), "value")
    head = f"Set aside: {total} that cannot be used, those known before included (the other fields go on):"
    return ["", head, *lines]


MOST_ASIDE = 12


def _filled(report: PlanReport) -> list[Shown]:
    """What each back-fill alone would do, with samples."""
    if not report.filled:
        return []
    rows: list[tuple[object, ...]] = []
    samples: list[str] = []
    for one in report.filled:
        fill, numbers = one.backfill, (getattr(one, what) for what in _FILLED)
        place = f"{fill.connection} {fill.object}"
        rows.append((*fill.stream, one.ours, fill.key, fill.way.value, *numbers))
        field, where = (one.ours, "in the hub") if fill.way is Way.PULL else (fill.key, "there")
        samples += [
            f"  {place} {who(entity, name)}  {field}: {value_text(old)} -> {value_text(new)}  ({where})"
            for entity, name, old, new in one.samples
        ]
    head = ("connection", "object", "field", "theirs", "way", *(what.replace("_", " ") for what in _FILLED))
    return ["Back-fill, as asked:", Grid(head, rows), *samples, ""]


_FILLED = ("records", "fills", "replaces", "clears", "withheld", "as_is")


def error_document(error: ConnectorError) -> Json:
    return complaint(error).document["error"]


def hub_streams(hub: Hub) -> list[tuple[str, str]]:
    """Every object of every connection, in the order of the configuration."""
    return [stream for name in hub.parts.connectors for stream in hub.parts.streams(name)]


def failed_lines(failed: Mapping[str, ConnectorError]) -> list[str]:
    """Systems that could not be used to the end, each with what to do."""
    lines: list[str] = []
    for name, error in sorted(failed.items()):
        lines += [
            "",
            f"{name} could not be read or written to the end; what was known of it before still counts.",
        ]
        error.connection = error.connection or name
        lines += connector_lines(error)
    return lines


def without_consent_lines(hub: Hub, rows: Sequence[Row]) -> list[str]:
    """Where opt-outs stop, a line for each connection; and how many of the records that are made there are
    of people who opted out."""
    lines: list[str] = []
    for one in without_consent(hub.config):
        made = sum(row.number("creates_opted_out") for row in rows if row.stream[0] == one.connection)
        lines.append(str(one))
        if made:
            what = counted(made, "new record there is", "new records there are")
            lines.append(f"  {what} of people who opted out, and {one.connection} does not show it")
    return ["", *lines] if lines else []


def note_lines(*notes: list[str]) -> list[str]:
    """What is worth knowing; many of a kind are cut short."""
    lines = [f"  {covered(note)}" for some in notes for note in some]
    if not lines:
        return []
    more = [f"  and {counted(len(lines) - _MOST_NOTES, 'more note')}: `--json` lists all"]
    return ["", "Notes:", *lines[:_MOST_NOTES], *(more if len(lines) > _MOST_NOTES else [])]


_MOST_NOTES = 20


def notes_of(hub: Hub, failed: Mapping[str, object]) -> list[str]:
    """What opening the hub met; nothing more of systems whose failure is told anyway."""
    return [note for note in hub.notes if note.partition(" ")[0] not in failed]


def _nobody(hub: Hub, report: PlanReport, only: str) -> list[str]:
    """There is nothing to tell but that, and what could not be read."""
    said = f"No contact that has something to decide matches `{only}`."
    return [said, *_about_only(hub, only), *failed_lines(report.failed)]


def _about_only(hub: Hub, text: str) -> list[str]:
    known = known_by(hub, text)
    if known:
        return [
            f"  {', '.join(known)} is in step, as far as its systems have been read: `trueup why {known[0]}`."
        ]
    return [UNKNOWN]


UNKNOWN = "  It may not have been read yet, or be spelt otherwise: `trueup contacts find` searches."


def known_by(hub: Hub, text: str) -> Sequence[str]:
    """The contacts that a person means by an id, an address, or another value that they hold."""
    store = hub.parts.store
    return [id for id in store.find(Kind.CONTACT, text, 5) if mentions(store.case(id), text)]


def _one_by_one(hub: Hub, report: PlanReport) -> list[Shown]:
    """Everything that one contact's decision says."""
    shown: list[Shown] = []
    for case, plan in report.plans:
        title = f"{who(case.entity.public_id, called(plan.entity.values))}: {_records(case)}"
        shown += ["", title]
        changes = [(c.field, value_text(c.old), value_text(c.new), c.source, c.rule) for c in plan.changes]
        if changes:
            shown.append(Grid(("the contact's field", "now", "would be", "says", "because"), changes))
        for write in (*plan.writes, *plan.withheld):
            shown.append(_write_grid(write, " (withheld until release)" if write in plan.withheld else ""))
        for connection, object, reason in plan.skipped:
            why = reason_text(hub, report.plans, connection, reason)
            what = "one field left out" if is_of_field(reason) else "not written"
            shown.append(f"  {connection} {object}: {what}: {why}")
    for one in report.unsent_samples:
        shown += [
            "",
            f"{who(one.case.entity.public_id, called(one.case.entity.values))}: {_records(one.case)}",
        ]
        shown += [_write_grid(each.write, f" (decided by run {each.run_id})") for each in one.deliveries]
    return shown


def _records(case: Case) -> str:
    """Its records; of one that is still to be made where."""
    return ", ".join(
        f"a new {link.connection}/{link.object}"
        if link.remote_id is None
        else f"{link.connection}/{link.object}/{link.remote_id}"
        for link in case.links
    )


def _write_grid(write: Write, state: str) -> Grid:
    title = f"  {write.connection} {write.object}: {write.kind.value}{state}"
    rows = [
        (path, value_text(write.replaced.get(path)), value_text(value))
        for path, value in sorted(write.values.items())
    ]
    return Grid((f"field in {write.connection}", "now", "would be"), rows, title)


def _withheld_line(counts: Mapping[tuple[str, str, str], int], number: int) -> str:
    """Where differences wait, the most of them first, and what lets those go."""
    by_name = Counter[str]()
    for (name, _, what), some in counts.items():
        if what == "withheld":
            by_name[name] += some
    (first, _), *others = by_name.most_common()
    names = ", ".join(f"{name} ({some:,})" for name, some in by_name.most_common()) if others else first
    release = f"`trueup connections release {first}`"
    return f"{counted(number, 'difference')} withheld in {names}: {release} lets rules decide there."


def _next(hub: Hub, report: PlanReport, rows: list[Row], asked: Asked) -> list[str]:
    lines = [""]
    if asked.csv is not None:
        lines.append(listed_line(asked.listed, asked.csv))
    if asked.out is not None:
        lines.append(f"The plan is saved in {asked.out} (it holds personal data; only you can read it).")
    if withheld := report.tally.get("withheld"):
        lines.append(_withheld_line(report.tally.counts, withheld))
    incomplete = _incomplete(report, rows)
    lines += incomplete
    first = sorted(set(hub.parts.connectors) - hub.parts.store.approved())
    flag = " --approve-first" if first else ""
    if not report.changes_something:
        waits = unwritten_lines(hub.parts.store.pending(), f"trueup sync{flag}")
        return [*lines, *waits] if incomplete or waits else [*lines, "A sync would write nothing."]
    saved = f" --plan {shlex.quote(str(asked.out))}" if asked.out is not None else ""
    if report.filled and asked.out is None:
        again = " ".join(f"--backfill {shlex.quote(text)}" for text in asked.fills)
        return [*lines, f"Next: trueup plan {again} --out FILE, then trueup sync --plan FILE{flag}"]
    return [*lines, f"Next: trueup sync{saved}{flag}", *fuse_lines(report.held)]


def _incomplete(report: PlanReport, rows: list[Row]) -> list[str]:
    """Nobody shall take a plan for whole that a system, or most of what it holds, is missing from."""
    missing = [f"{name} was not read" for name in sorted(report.failed)]
    missing += [_left_out(row) for row in rows if _is_left_out(row)]
    if not missing:
        return []
    found = "this" if report.changes_something else "nothing"
    return [f"This plan is incomplete: {found} would be written by what is known, but {', '.join(missing)}."]


def _is_left_out(row: Row) -> bool:
    """Whether most of what an object holds could not be used: then its rows are not at fault."""
    return row.number("rejected") * 2 > row.number("read")


def _left_out(row: Row) -> str:
    name = " ".join(row.stream)
    rows, out = row.number("read"), row.number("rejected")
    left = f"{out:,} of {counted(rows, 'row')} of {name} {'was' if out == 1 else 'were'} left out"
    return f"{left} (the notes say why; `trueup check --live` looks at its `key:`)"


def _exit(report: PlanReport, rows: list[Row], asked: Asked) -> int:
    if report.failed or any(map(_is_left_out, rows)):
        return FAILED
    return CHANGES if asked.exit_code and report.changes_something else FINE


def _document(report: PlanReport, rows: list[Row], hub: Hub, asked: Asked) -> Json:
    return {
        "written": False,
        "contacts": report.contacts,
        "backfill": [_filled_document(one) for one in report.filled],
        "changes": report.changes_something,
        **tally_document(report.tally, rows),
        "set_aside": [
            {
                "connection": connection,
                "object": object,
                "field": field,
                "reason": why,
                "count": number,
            }
            for (connection, object, field, why), number in sorted(report.aside.items())
        ],
        "read_earlier": earlier_document(report.earlier),
        "decided_earlier": [
            {"connection": name, "run": run, "writes": number}
            for (name, run), number in sorted(report.unsent.items())
        ],
        "held": held_document(report.held),
        "calls": dict(report.calls),
        "failed": {name: error_document(error) for name, error in report.failed.items()},
        "without_consent": [one.connection for one in without_consent(hub.config)],
        "hub_notes": list(hub.notes),
        "plan": str(asked.out) if asked.out else None,
    }


def _filled_document(one: Filled) -> Json:
    place = {"connection": one.backfill.connection, "object": one.backfill.object}
    named = {"field": one.ours, "remote": one.backfill.key}
    return {**place, **named, "way": one.backfill.way.value, **{what: getattr(one, what) for what in _FILLED}}
