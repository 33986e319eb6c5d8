"""`plan --csv`: all that a plan would write or withholds, as a table for a spreadsheet."""

from __future__ import annotations

import csv
import io
import tempfile
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import orjson

from trueup.mapping.compiled import remote_path
from trueup.model.counting import counted
from trueup.model.delivery import Lane, WriteKind
from trueup.model.record import Json
from trueup.services.ownfile import NotOurs, check_free, own_file

HEAD = (
    *("contact", "name", "email", "connection", "object", "record"),
    *("what", "field", "old", "new", "state", "differs_in"),
)
CAPITALS = "capitals only"
"""What stands in column `differs_in` of values that say the same otherwise."""
WITHHELD = "withheld"
"""What stands in column `state` of differences that are reported and not written. Others say `would be
written`, or by which run they were decided already."""
ASIDE = "set aside"
"""What stands in column `what` of values that cannot be used, and how column `state` begins; it goes on
with the reason."""
HELD = "will be held"
"""How column `state` begins where a fuse will hold the write back; it goes on with the fuse."""

WORDS = {
    "replace": "replacement",
    "fill": "fill",
    "clear": "clearing",
    "opt-out": "opt-out or opt-in",
    "create": "new record",
    "deactivate": "record to be switched off",
    "reactivate": "record to be switched on again",
    "delete": "deletion",
    "merge": "merging",
    ASIDE: "value set aside",
}
"""What stands in column `what`, and what people call it."""


@contextmanager
def plan_file(out: Path | None, table: Path | None) -> Iterator[Path | None]:
    """Where the plan is saved; a table alone needs it for a moment only.

    Raises NotOurs, before anything is read, when the table would go over a file that is none of ours.
    """
    if table is not None:
        check_table(table)
    if table is not None and out is not None and table.resolve() == out.resolve():
        raise NotOurs(f"--out and --csv name one file, {out}; give them two")
    if out is not None or table is None:
        yield out
        return
    with tempfile.TemporaryDirectory(prefix="trueup-") as folder:
        yield Path(folder) / "plan"


def check_table(table: Path) -> None:
    """Raises NotOurs where a table would go over a file of somebody else's."""
    check_free(table, _begins_our_table, "a table of differences")


def _begins_our_table(line: bytes) -> bool:
    return line.decode("utf-8-sig", "replace").startswith(",".join(HEAD))


def write_table(plan: Path, table: Path) -> Counter[str]:
    """A row for every value of a saved plan and every record that it makes or switches off; the numbers of
    `write_rows`."""
    return write_rows(table, _rows(plan))


def write_rows(table: Path, rows: Iterable[tuple[str, ...]]) -> Counter[str]:
    """Write a table for its owner only; how many rows there are of each `what`, of these `withheld WHAT` and
    `will be held WHAT`, and of the replacements of each `differs_in`."""
    counts: Counter[str] = Counter()
    with own_file(table) as bare, io.TextIOWrapper(bare, encoding="utf-8-sig", newline="") as file:
        written = csv.writer(file)
        written.writerow(HEAD)
        for row in rows:
            written.writerow(row)
            said = dict(zip(HEAD, row, strict=True))
            counts[said["what"]] += 1
            counts[f"{WITHHELD} {said['what']}"] += said["state"] == WITHHELD
            counts[f"{HELD} {said['what']}"] += said["state"].startswith(HELD)
            counts[said["differs_in"]] += said["what"] == "replace"
    return counts


def listed_line(counts: Mapping[str, int], table: Path) -> str:
    """What the table lists, in numbers; replacements are named also where there is none."""
    shown = [
        counted(counts.get(what, 0), word, _MANY.get(what, "")) + _of_them(what, counts)
        for what, word in WORDS.items()
        if counts.get(what) or what == "replace"
    ]
    return f"{', '.join(shown)} listed in {table}."


def _of_them(what: str, counts: Mapping[str, int]) -> str:
    small = counts.get(CAPITALS, 0) if what == "replace" else 0
    kept = [(counts.get(f"{state} {what}", 0), state) for state in (WITHHELD, HELD)]
    parts = [f"{number:,} {state}: column `state`" for number, state in kept if number]
    parts += [f"{small:,} in {CAPITALS}: column `differs_in`"] if small else []
    return f" ({'; '.join(parts)})" if parts else ""


_MANY = {
    ASIDE: "values set aside",
    "opt-out": "opt-outs or opt-ins",
    "deactivate": "records to be switched off",
    "reactivate": "records to be switched on again",
}


def _rows(plan: Path) -> Iterator[tuple[str, ...]]:
    held = _held(plan)
    with plan.open("rb") as lines:
        for line in lines:
            entity = orjson.loads(line)
            for write in entity.get("writes", ()):
                yield from rows_of_write(entity, write, _state(write, held))
            for write in entity.get("withheld", ()):
                yield from rows_of_write(entity, write, WITHHELD)
            for one in entity.get("aside", ()):
                place = (one["connection"], one["object"], one["record"] or "")
                head = (entity["entity"] or "", entity["name"], entity["email"], *place)
                yield (*head, ASIDE, one["field"], "", "", f"{ASIDE}: {one['why']}", "")
            for write in entity.get("unsent", ()):
                yield from rows_of_write(entity, write, f"decided by run {write['run']}")


def _held(plan: Path) -> frozenset[tuple[str, str]]:
    """Where fuses hold back, by (connection, gate): known when all is counted, so the last line tells it."""
    with plan.open("rb") as lines:
        (last,) = deque(lines, maxlen=1)
    return frozenset((connection, gate) for connection, gate in orjson.loads(last)["held"])


def _state(write: Mapping[str, Json], held: frozenset[tuple[str, str]]) -> str:
    if (write["connection"], write["gate"]) not in held:
        return "would be written"
    return f"{HELD} by the fuse {write['gate']}, until trueup runs approve"


def rows_of_write(
    entity: Mapping[str, Json], write: Mapping[str, Json], state: str
) -> Iterator[tuple[str, ...]]:
    """The rows of one write, as a saved plan tells of it and of whom it is about. Nothing is known of a
    contact that the hub does not have yet but name, address and records."""
    place = (write["connection"], write["object"], write["record"] or "")
    head = (entity["entity"] or "", entity["name"], entity["email"], *place)
    if write["kind"] != WriteKind.UPDATE:
        yield (*head, write["kind"], "", "", "", state, "")
        return
    for field, effect in sorted(write["effects"].items()):
        path = remote_path(field, write["values"])
        what = "opt-out" if write["lane"] == Lane.URGENT else effect
        old, new = write["replaces"].get(path), write["values"].get(path)
        yield (*head, what, field, _cell(old), _cell(new), state, differs_in(_cell(old), _cell(new)))


def differs_in(old: str, new: str) -> str:
    """Whether two values say the same but for capitals; empty if they do not."""
    return CAPITALS if old.casefold() == new.casefold() else ""


def _cell(value: Json) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else orjson.dumps(value).decode()
