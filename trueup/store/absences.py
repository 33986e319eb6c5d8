"""What complete listings lack beyond what is believed to be deleted: held until a person accepts it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from trueup.model.landing import Absences
from trueup.model.run import Fence
from trueup.store.audit import note
from trueup.store.leases import check
from trueup.store.sql import Tx
from trueup.store.streams import streams


def hold(tx: Tx, run_id: int, missing: Mapping[tuple[str, str], int], fence: Fence | None) -> None:
    """See `Store.hold_absences`."""
    check(tx, fence)
    known = streams(tx)
    for place, number in sorted(missing.items()):
        tx.run(
            "update streams set missing_run = ?, missing_number = ?, missing_listing = listed,"
            " missing_before = listing_began_at, missing_accepted = 0 where id = ?",
            run_id,
            number,
            known.ids[place],
        )


def held(tx: Tx) -> list[Absences]:
    """See `Store.absences`."""
    found = tx.rows(f"{_HELD} order by s.id")
    return [Absences(run, name, object, number) for _, run, name, object, number in found]


_HELD = (
    "select s.id, s.missing_run, c.name, s.object, s.missing_number from streams s"
    " join connections c on c.id = s.connection_id"
    " where s.missing_run is not null and s.missing_accepted = 0 and c.configured = 1"
)


def accept(tx: Tx, run_id: int, user: str, at: datetime) -> int:
    """See `Store.accept_absences`."""
    found = tx.rows(f"{_HELD} and s.missing_run = ? order by s.id", run_id)
    tx.run("update streams set missing_accepted = 1 where id in ints(?)", [row[0] for row in found])
    for _, _, connection, object, number in found:
        details = {"connection": connection, "object": object, "missing": number}
        note(tx, user, "runs approve", f"run {run_id}", details, at)
    return sum(number for *_, number in found)


def accepted(tx: Tx, stream_id: int, absent: Collection[int]) -> frozenset[int]:
    """Of links that a listing lacks, those that the listing lacked too which a person accepted."""
    state = tx.row(
        "select missing_listing, missing_before from streams where id = ? and missing_accepted = 1", stream_id
    )
    if state is None:
        return frozenset()
    sql = "select id from links where id in ints(?) and listing < ? and (seen_at is null or seen_at < ?)"
    return frozenset(id for (id,) in tx.rows(sql, sorted(absent), *state))


def believed(tx: Tx, stream_id: int) -> None:
    """A listing was believed: nothing is held of the ones before it."""
    nothing = "missing_run = null, missing_accepted = 0"
    tx.run(f"update streams set {nothing} where id = ? and missing_run is not null", stream_id)
