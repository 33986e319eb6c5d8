"""Lines that are read, checked and kept, and that this version does not act on yet: told, never ignored."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from trueup.config.nodes import Document, Listing, Node, Step, Table
from trueup.config.settings import HubConfig


@dataclass(frozen=True, slots=True, order=True)
class InactiveLine:
    """One line, what it asks for, and what happens without it."""

    file: str
    line: int
    what: str
    why: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}  `{self.what}`: {self.why}"


_BY_SYSTEMS = "stages move as systems and people say, within the mapping"
_NO_FACTS = "facts are not counted yet"
_NOT_PUBLISHED = "it is not computed, so nothing is published"
_NO_SCHEDULER = "nothing starts runs yet: let cron call `trueup sync`"
_EXACT = "records are linked by exact keys only"

INACTIVE: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("lifecycle", ("transitions",), _BY_SYSTEMS),
    ("lifecycle", ("stages", "*", "enter"), "nothing is done on entry"),
    ("lifecycle", ("stages", "*", "accept"), "no answer is waited for"),
    ("lifecycle", ("stages", "*", "score"), "there is no score to change"),
    ("lifecycle", ("stages", "*", "may_return_after"), "the way back is always open"),
    ("lifecycle", ("off_ramps", "*", "enter"), "nothing is done on entry"),
    ("lifecycle", ("off_ramps", "*", "accept"), "no answer is waited for"),
    ("lifecycle", ("off_ramps", "*", "score"), "there is no score to change"),
    ("lifecycle", ("off_ramps", "*", "may_return_after"), "the way back is always open"),
    ("lifecycle", ("summaries",), _NO_FACTS),
    ("lifecycle", ("scoring",), _NO_FACTS),
    ("lifecycle", ("fields",), "these fields keep the values that systems give them"),
    ("lifecycle", ("segments",), _NOT_PUBLISHED),
    ("lifecycle", ("contact_pressure",), "contacts are not counted over systems yet"),
    ("lifecycle", ("max_cycles",), "cycles are not counted yet"),
    ("dedupe", ("auto_link",), _EXACT),
    ("dedupe", ("review",), _EXACT),
    ("dedupe", ("unsure_after",), "a question waits for its answer"),
    ("dedupe", ("vetoes",), _EXACT),
    ("dedupe", ("relationships",), _EXACT),
    ("hub", ("alerts",), "nobody is alerted yet: look at `trueup runs`"),
    ("hub", ("retention",), "everything is kept"),
    ("hub", ("broker",), "there are no workers yet: runs are started by `trueup sync`"),
    ("hub", ("batch_from",), "records are matched one after another, however many they are"),
    ("hub", ("contact", "survivorship", "*", "pin"), "only an edit in the hub can be pinned"),
    ("connections/*", ("schedule", "every"), _NO_SCHEDULER),
    ("connections/*", ("schedule", "cron"), _NO_SCHEDULER),
    ("connections/*", ("schedule", "webhooks"), "nothing receives them yet: each run reads what changed"),
    ("connections/*", ("budget", "parallel"), "one call goes out at a time"),
    ("connections/*", ("budget", "reserve"), "a tenth is kept for opt-outs"),
    ("connections/*", ("owners",), "owners are matched by e-mail; one that is not there is left as it is"),
    ("connections/*", ("renamed_from",), "rename with `trueup connections rename`"),
    ("connections/*", ("objects", "*", "merge"), "records are never merged inside a system"),
    ("connections/*", ("objects", "*", "handoff"), "fields travel one by one, without note and task"),
    ("connections/*", ("objects", "*", "segments"), _NOT_PUBLISHED),
    ("connections/*", ("objects", "*", "case"), _NO_FACTS),
    ("connections/*", ("objects", "*", "stage", "reason"), "no reason is asked for"),
    (
        "connections/*",
        ("objects", "*", "consent", "*", "opted_in_when", "field"),
        "evidence is read where the connector keeps it",
    ),
    ("connections/*", ("activities",), _NO_FACTS),
)
"""Which file, which path (`*`: any key), what happens instead. A line leaves this table with the version
that acts on it."""


def inactive_lines(config: HubConfig) -> list[InactiveLine]:
    """The lines of this configuration that nothing acts on yet, in the order of files and lines."""
    found: list[InactiveLine] = []
    for key, document in config.documents.items():
        for file, pattern, why in INACTIVE:
            if file == key or (file == "connections/*" and key.startswith("connections/")):
                found.extend(_matches(document, pattern, why))
    return sorted(found)


def _matches(document: Document, pattern: tuple[str, ...], why: str) -> Iterator[InactiveLine]:
    for path in _paths(document.root, pattern):
        line = document.key_mark(*path).line
        yield InactiveLine(document.file, line, ".".join(map(str, path)), why)


def _paths(node: Node | None, pattern: tuple[str, ...]) -> Iterator[tuple[Step, ...]]:
    """Every path below `node` that fits a pattern."""
    if not pattern:
        yield ()
        return
    if isinstance(node, Table):
        for entry in node.entries:
            if pattern[0] in ("*", entry.key.text):
                yield from ((entry.key.text, *rest) for rest in _paths(entry.value, pattern[1:]))
    elif isinstance(node, Listing) and pattern[0] == "*":
        for position, item in enumerate(node.items):
            yield from ((position, *rest) for rest in _paths(item, pattern[1:]))
