"""Records on their way into the store, and where a stream's reading stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from trueup.model.consent import ConsentEvent
from trueup.model.entity import Link
from trueup.model.fields import Kind
from trueup.model.record import Cursor, Record


@dataclass(frozen=True, slots=True)
class Landing:
    """Records to be stored as observed, with the cursor and what follows from them, in one transaction.

    `listing` is the number of the listing that they belong to (absence is judged by it), None for
    CHANGES and for single reads. `cursor` None leaves the stream's position alone. `complete`: this
    was the last page of that listing; `ended`: of this reading, whichever it was; `began` when it began
    (of one that goes on where it was broken off the beginning is known). `moved` lists records
    that answered under another id than asked: (asked id, index into records). `fields` are the remote
    paths that were asked for; a completed listing remembers them. `consent`: opt-outs that no decision will
    read, of records that were deleted, merged away or not taken. `unreadable` are records that are there
    and could not be read, `rejected` the number of rows of which nobody can tell whose they are.
    `implausible` (missing, living) tells whether a complete listing lacks more records than may be believed
    to be deleted, None where absence says nothing; `opens`: the kinds of which something may be made once a
    first listing is complete. `asked`: the ids of a single read; `told_at`: when that was, where the lists of
    this system may show something older for a while. `recognise` is given where an id is made of the record's
    content: of (what vanished, the strangers that came, how many rows could not be read) the pairs that are
    one record. `config_version`: of whoever reads outside of a run, empty in one: a run works with the
    configuration that is registered.
    """

    connection: str
    object: str
    kind: Kind
    records: tuple[Record, ...]
    at: datetime
    cursor: Cursor | None = None
    listing: int | None = None
    complete: bool = False
    ended: bool = False
    began: datetime | None = None
    fields: tuple[str, ...] = ()
    moved: tuple[tuple[str, int], ...] = ()
    consent: tuple[ConsentEvent, ...] = ()
    unreadable: tuple[str, ...] = ()
    rejected: int = 0
    implausible: Callable[[int, int], bool] | None = None
    opens: tuple[Kind, ...] = ()
    asked: tuple[str, ...] = ()
    told_at: datetime | None = None
    recognise: Callable[[Sequence[Link], Sequence[Link], int], Sequence[tuple[Link, Link]]] | None = None
    config_version: str = ""


@dataclass(frozen=True, slots=True)
class LandedFacts:
    """How many facts were heard of for the first time, and how many known ones moved or were deleted."""

    new: int = 0
    changed: int = 0

    def __add__(self, other: LandedFacts) -> LandedFacts:
        return LandedFacts(self.new + other.new, self.changed + other.changed)


@dataclass(frozen=True, slots=True)
class Landed:
    """What a landing found; the counts up to `older` add up to `read`.

    `buried` are the known records among the `deleted`. `recognised`: records that count as new in this
    landing or an earlier one of the reading, and are known ones under another id. `vanished` were missing
    from a complete listing and are deleted for us; `doubted` of `living` links are missing and not believed
    to be deleted: they are too many, or stand beside `unread` rows of which nobody can tell whose they are.
    """

    read: int = 0
    new: int = 0
    changed: int = 0
    same: int = 0
    deleted: int = 0
    older: int = 0  # an older version than already seen is not evidence
    buried: int = 0
    recognised: int = 0
    vanished: int = 0
    doubted: int = 0
    living: int = 0
    unread: int = 0


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits for a decision of the hub: records that belong to nobody yet, by (connection, object), and
    how many entities that moved."""

    strangers: Mapping[tuple[str, str], int]
    entities: int


NO_BACKLOG = Backlog({}, 0)


@dataclass(frozen=True, slots=True)
class Absences:
    """`number` records of a stream that a complete listing of run `run_id` lacked: more than is believed to
    be deleted, so they were not treated so, until a person accepts it."""

    run_id: int
    connection: str
    object: str
    number: int


@dataclass(frozen=True, slots=True)
class StreamState:
    """Where reading of one connection's object stands.

    `cursor` is where CHANGES go on; `listing_cursor` where an unfinished listing (number `listing`) goes
    on, and `listing_fields` what it was read for up to there; `listed_at` when a listing was last
    complete, None if never; `read_at` when a reading last ended, `read_since` when that one began: what
    stood there by then was read; `fields` the remote paths that the last complete listing asked for, and
    every reading of changes since; `rejected` how many rows of the last listing could not be read, nor told
    whose they are; `accepted`: a person said that what it lacked was deleted. `broken_off`: when the reading
    of CHANGES began that has not come to its end, None if the last one did.
    """

    connection: str
    object: str
    cursor: Cursor | None = None
    listing_cursor: Cursor | None = None
    listing: int = 0
    listed_at: datetime | None = None
    read_at: datetime | None = None
    read_since: datetime | None = None
    fields: tuple[str, ...] = ()
    rejected: int = 0
    accepted: bool = False
    broken_off: datetime | None = None
    listing_fields: tuple[str, ...] = ()
