"""What fields of systems that do not answer with the record did with our values. Counts, never values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from trueup.model.formats import Format, How, Kept
from trueup.store.sql import Tx
from trueup.store.streams import Streams, streams
from trueup.sync.rules.formats import FEW

Path = tuple[int, str]
"""(stream id, remote path)"""

_COUNTS = ("as_sent", "otherwise", "in_row", "learned")


def formats(tx: Tx, connections: Sequence[str] | None = None) -> list[Format]:
    """Every field of which something is known, in the order of streams and paths."""
    known = streams(tx)
    chosen = sorted(known.names) if connections is None else known.of(connections)
    found = tx.rows(
        "select stream_id, path, as_sent, otherwise, learned from formats where stream_id in ints(?)"
        " order by stream_id, path",
        chosen,
    )
    return [
        Format(*known.names[stream_id], path, as_sent, otherwise, learned == 1)
        for stream_id, path, as_sent, otherwise, learned in found
    ]


def learn(tx: Tx, known: Streams, kept: Iterable[Kept]) -> None:
    """Count what decisions have found."""
    kept = list(kept)
    if kept:
        as_sent: Counter[Path] = Counter()
        otherwise: Counter[Path] = Counter()
        for one in kept:
            counter = as_sent if one.how is How.AS_SENT else otherwise
            counter[known.ids[one.connection, one.object], one.path] += 1
        count(tx, as_sent, otherwise)


def count(tx: Tx, as_sent: Mapping[Path, int], otherwise: Mapping[Path, int]) -> None:
    """Add to the counts; more than a few records in a row that kept something else are a form of its own."""
    places = sorted({*as_sent, *otherwise})
    rows = []
    for stream_id, path in places:
        found = tx.row(
            f"select {', '.join(_COUNTS)} from formats where stream_id = ? and path = ?" + tx.lock,
            stream_id,
            path,
        )
        same, other, in_row, learned = found or (0, 0, 0, 0)
        more, odd = as_sent.get((stream_id, path), 0), otherwise.get((stream_id, path), 0)
        in_row = odd if more else in_row + odd
        learned = int(learned or in_row > FEW)
        rows.append((stream_id, path, same + more, other + odd, in_row, learned))
    tx.upsert("formats", ("stream_id", "path"), _COUNTS, rows)
