"""Tables of what a plan would do or a sync did, in numbers that add up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trueup.commands.answer import Grid, value_text
from trueup.model.counting import counted
from trueup.model.covering import covered
from trueup.model.record import Json

if TYPE_CHECKING:
    from trueup.model.landing import Backlog
    from trueup.sync.tally import Sample, Tally

Stream = tuple[str, str]
Counts = Mapping[tuple[str, str, str], int]

READ_PARTS = ("new", "changed", "same", "deleted", "older", "filtered", "rejected")
"""What a record that was read turned out to be; together they are `read`."""
RECORDS = ("creates", "updates", "deactivates", "reactivates", "deletes", "merges")
"""What is written to a record."""
FIELDS = ("fills", "replaces", "clears", "opt_outs")
"""What an update does to single fields."""

_ALWAYS_READ = ("new", "changed", "same")
_ALWAYS_WRITE = ("creates", "updates", "fills", "replaces", "clears", "opt_outs", "deactivates", "withheld")
_REASONED = {"skipped": "skipped: ", "left_out": "left out: "}
"""Why a whole record, and why one field of a record that is written otherwise, is not written."""


@dataclass(frozen=True, slots=True)
class Row:
    """The numbers of one object of one connection."""

    stream: Stream
    numbers: Mapping[str, int]

    @property
    def unaccounted(self) -> int:
        """Records that were read and are in none of the parts. Anything but 0 is a fault of ours."""
        return self.number("read") - sum(self.number(part) for part in READ_PARTS)

    @property
    def skipped(self) -> Mapping[str, int]:
        return self._by_reason(_REASONED["skipped"])

    @property
    def left_out(self) -> Mapping[str, int]:
        return self._by_reason(_REASONED["left_out"])

    def _by_reason(self, sign: str) -> Mapping[str, int]:
        return {
            what.removeprefix(sign): number
            for what, number in sorted(self.numbers.items())
            if what.startswith(sign)
        }

    def number(self, what: str) -> int:
        return self.numbers.get(what, 0)


def rows_of(counts: Counts, streams: Sequence[Stream] = ()) -> list[Row]:
    """One row for each object, in the order of `streams`, then those that it does not name."""
    by_stream: dict[Stream, dict[str, int]] = {stream: {} for stream in streams}
    for (connection, object, what), number in sorted(counts.items()):
        if not what.startswith("sampled "):
            by_stream.setdefault((connection, object), {})[what] = number
    return [Row(stream, numbers) for stream, numbers in by_stream.items()]


def counts_of_run(flat: Mapping[str, int]) -> Counts:
    """The counts that are stored with a run: `sales.Lead.read` to number."""
    found: dict[tuple[str, str, str], int] = {}
    for place, number in flat.items():
        connection, _, rest = place.partition(".")
        sign = next((one for one in _REASONED.values() if f".{one}" in rest), "")
        object, _, what = rest.partition(f".{sign}") if sign else rest.rpartition(".")
        found[(connection, object, sign + what)] = number
    return found


# -- tables -------------------------------------------------------------------------------------------


def reading_grid(rows: Sequence[Row]) -> Grid:
    """`read` and what it is made of; beside it, where there are any, the known records that are gone."""
    shown = [what for what in READ_PARTS if what in _ALWAYS_READ or any(row.number(what) for row in rows)]
    beside = ["gone"] if any(row.number("gone") for row in rows) else []
    lines = [
        [*row.stream, row.number("read"), *(row.number(what) for what in (*shown, *beside))] for row in rows
    ]
    parts = (f"= {w}" if w == "new" else f"+ {w}" for w in shown)
    return Grid(("connection", "object", "read", *parts, *beside), lines)


def earlier_lines(earlier: Backlog) -> list[str]:
    """What had been read before: it is decided now, and `read` does not count it as new."""
    records, moved = sum(earlier.strangers.values()), earlier.entities
    parts = [f"{counted(records, 'record')} ({_by_place(earlier.strangers)})"] if records else []
    parts += [f"news of {counted(moved, 'contact or company', 'contacts or companies')}"] if moved else []
    return (
        [f"Read earlier, by a plan or another run, and not decided yet: {', '.join(parts)}."] if parts else []
    )


def _by_place(numbers: Mapping[Stream, int]) -> str:
    return ", ".join(f"{name} {object} {number:,}" for (name, object), number in sorted(numbers.items()))


def writing_grid(rows: Sequence[Row]) -> Grid | str:
    """What is to be written, skipped and withheld, for each object where there is anything."""
    every = (*RECORDS[:2], *FIELDS, *RECORDS[2:], "withheld")
    shown = [what for what in every if what in _ALWAYS_WRITE or any(row.number(what) for row in rows)]
    lines = [
        [*row.stream, *(row.number(what) for what in shown), sum(row.skipped.values()), row.number("failed")]
        for row in rows
    ]
    return (
        Grid(("connection", "object", *shown, "skipped", "failed"), with_numbers(lines))
        if with_numbers(lines)
        else "  nothing"
    )


def with_numbers(lines: Sequence[Sequence[object]]) -> list[Sequence[object]]:
    """Lines in which some number is not 0."""
    return [line for line in lines if any(line[2:])]


def skipped_lines(rows: Sequence[Row]) -> list[str]:
    """Every reason for not writing a record, or a field of one, with how many it concerns."""
    lines = [
        f"  {row.stream[0]} {row.stream[1]}: {number:,} skipped: {reason}"
        for row in rows
        for reason, number in row.skipped.items()
    ]
    fields = [
        f"  {row.stream[0]} {row.stream[1]}: {counted(number, 'record')} without it: {reason}"
        for row in rows
        for reason, number in row.left_out.items()
    ]
    return [
        *(["", "Skipped, by reason:", *lines] if lines else []),
        *(["", "Left out (one field; the others are written):", *fields] if fields else []),
    ]


def unaccounted_lines(rows: Sequence[Row]) -> list[str]:
    """What must never be seen: numbers that do not add up."""
    return [
        f"  {row.stream[0]} {row.stream[1]}: "
        f"{counted(row.unaccounted, 'record is', 'records are')} accounted for nowhere; "
        "please report this  [TU-GEN-500]"
        for row in rows
        if row.unaccounted
    ]


_FEW = 5
_ORDER = ("replace", "clear", "opt-out", "fill", "create")


def sample_lines(samples: Iterable[Sample]) -> list[str]:
    """A few intended changes of each sort, old -> new; replacements first."""
    lines: list[str] = []
    given: Counter[tuple[str, str, bool]] = Counter()
    ordered = sorted(samples, key=lambda one: (one.withheld, _ORDER.index(one.effect), one.connection))
    for one in ordered:
        place = (one.connection, one.effect, one.withheld)
        given[place] += 1
        if given[place] <= (_FEW if one.effect in _TELLING else 2):
            lines.append(f"  {one.connection} {one.object} {_sample_text(one)}")
    return ["", "Samples:", *lines] if lines else []


_TELLING = ("replace", "clear", "opt-out")


def _sample_text(one: Sample) -> str:
    if one.effect == "create":
        return f"{who(one.entity, one.called)}: a new record"
    state = ", withheld" if one.withheld else ""
    change = f"{one.field}: {value_text(one.old)} -> {value_text(one.new)}"
    return f"{who(one.entity, one.called)}  {change}  ({one.effect}{state})"


def who(public_id: str, called: str) -> str:
    """An entity for people: its id, if the hub has it already, and its name."""
    known = "" if is_unknown(public_id) else public_id
    return " ".join(one for one in (known, called) if one) or "without name and address"


def is_unknown(public_id: str) -> bool:
    """Whether the hub does not have this entity yet: then it has a negative number."""
    return public_id.partition("-")[2].startswith("-")


def put_back_lines(tally: Tally) -> list[str]:
    """Opt-outs that somebody took away in a system: they stand, and nobody shall wonder why."""
    found = tally.put_back
    lines = [
        f"  {one.lost_source}: {who(entity, name)}  {one.field} (opted out in {one.kept_source})"
        for entity, name, one in found[:_FEW]
    ]
    if len(found) > _FEW:
        lines.append(f"  and {len(found) - _FEW:,} more")
    then = "  Only a documented opt-in lifts one: `consent` in the connection's file says what documents it."
    return ["", "Opt-outs that were taken away there and are put back:", *lines, then] if found else []


def calls_line(calls: Mapping[str, int]) -> str:
    """The estimated calls that writing costs."""
    if not calls:
        return "Writing this takes no call."
    each = ", ".join(f"{name} {number:,}" for name, number in sorted(calls.items()))
    return f"Writing this takes about {counted(sum(calls.values()), 'call')}: {each}."


def _is_reasoned(what: str) -> bool:
    return what.startswith(tuple(_REASONED.values()))


def tally_document(tally: Tally, rows: Sequence[Row]) -> dict[str, Json]:
    """The same numbers for machines. Samples say where, not what: values are personal, and JSON goes into
    logs; `plan --csv` and `plan --out` write them to a file that only its owner may read."""
    return {
        "objects": [
            {
                "connection": row.stream[0],
                "object": row.stream[1],
                **{what: number for what, number in row.numbers.items() if not _is_reasoned(what)},
                "skipped": dict(row.skipped),
                "left_out": dict(row.left_out),
            }
            for row in rows
        ],
        "samples": [
            {
                "entity": None if is_unknown(one.entity) else one.entity,
                "connection": one.connection,
                "object": one.object,
                "field": one.field or None,
                "effect": one.effect,
                "withheld": one.withheld,
            }
            for one in tally.samples
        ],
        "notes": [covered(note) for note in tally.notes],
    }


def earlier_document(earlier: Backlog) -> Json:
    """The same as `earlier_lines`."""
    return {
        "records": [
            {"connection": name, "object": object, "number": number}
            for (name, object), number in sorted(earlier.strangers.items())
        ],
        "contacts_and_companies": earlier.entities,
    }
