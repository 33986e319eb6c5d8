"""Progress on stderr: one line per connection and object that is being read, decided or written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from trueup.commands.answer import console_on
from trueup.services.hub import Progress

_WORDS = {
    "read": "reading",
    "rekey": "making match keys anew",
    "identify": "finding who is who",
    "decide": "deciding",
    "write": "writing",
}


@contextmanager
def shown_progress() -> Iterator[Progress]:
    """A function to tell progress to; its lines go away at the end."""
    from rich.progress import Progress as Bars
    from rich.progress import SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TextColumn("{task.completed:,}"),
        TimeElapsedColumn(),
    )
    bars = Bars(*columns, console=console_on("stderr"), transient=True)
    tasks: dict[str, TaskID] = {}

    def told(step: str, connection: str, object: str, count: int) -> None:
        text = " ".join(filter(None, (_WORDS.get(step, step), connection, object)))
        if not tasks:
            bars.start()  # not before: a question may still be asked
        if text not in tasks:
            tasks[text] = bars.add_task(text, total=None)
        bars.advance(tasks[text], count)

    try:
        yield told
    finally:
        bars.stop()
