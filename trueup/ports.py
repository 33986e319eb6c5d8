"""The ports: everything undetermined comes in through one of these.

No transaction is ever open across a call of `Clock.sleep`, `Transport`, `Queue` or `Budget`.
The Store port is in verbs: each is one transaction, and what it answers are plain values.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from trueup.model.activity import Fact
from trueup.model.consent import ConsentEvent
from trueup.model.delivery import Delivery, DeliveryState, Lane, Settlement
from trueup.model.entity import Link, Quarantine, Reference
from trueup.model.fields import Kind
from trueup.model.formats import Format
from trueup.model.history import HistoryRow
from trueup.model.landing import Absences, Backlog, Landed, LandedFacts, Landing, StreamState
from trueup.model.matching import Assignment, Candidate, MatchDecision, Rekeyed
from trueup.model.plan import Case, Founding, Plan
from trueup.model.record import Record, Ref
from trueup.model.run import AuditRow, Chain, Fence, Gate, Run, RunOutcome
from trueup.model.values import Value


class Clock(Protocol):
    """Time. `now` is aware UTC; `sleep` takes seconds."""

    def now(self) -> datetime: ...

    def sleep(self, seconds: float) -> None: ...


class Random(Protocol):
    """Chance, for jitter only: a float in [0, 1)."""

    def random(self) -> float: ...


class Budget(Protocol):
    """Asked before every call to a system, in one place (`connectors/http.py`).

    `group` is the endpoint group of the manifest, `lane` the importance (`urgent`, `normal`),
    `cost` in the vendor's unit. The answer is the seconds to wait: 0 means go. `learn` takes what the
    vendor's answer headers say: what remains and in how many seconds it is reset.
    """

    def ask(self, connection: str, group: str, lane: str, cost: float) -> float: ...

    def learn(self, connection: str, group: str, remaining: float | None, reset_in: float | None) -> None: ...


class Store(Protocol):
    """The hub's memory. Every verb is one transaction; what it takes and answers are plain values.

    Raises LeaseLost where a fence is given and is not current any more, NotFound for ids that do not
    exist, Transient when the database is busy beyond its timeout.
    """

    # -- connections and streams ------------------------------------------------------------------

    def register(self, connections: Sequence[str], config_version: str) -> bool:
        """Make the configured connections known; links of others become dormant, of these wake up.

        Answers whether the configuration is another one than the last time; then everything is due.
        """
        ...

    def heed_terms(self, terms: Mapping[tuple[str, str], Mapping[str, str]], telling: Collection[str]) -> int:
        """Remember on which terms the fields of these streams take what is written to them: binding key to
        `Binding.terms`, of all bindings of a stream. Where they are others than before, entities become due
        of which a value was set aside there, or waits for the right to write it; and where one of the
        `telling` bindings, which tell who somebody is, takes other values now, contacts without a record
        there, too. Answers how many.
        """
        ...

    def released(self) -> frozenset[str]:
        """Connections whose first load was released."""
        ...

    def release(self, connection: str, user: str, at: datetime) -> int:
        """Release a connection: its withheld differences become due. Answers how many entities."""
        ...

    def approved(self) -> frozenset[str]:
        """Connections that a person has allowed the hub to write to."""
        ...

    def approve(self, connections: Sequence[str], user: str, at: datetime) -> None:
        """Record that a person allows writing to these connections (first contact)."""
        ...

    def remembered(self) -> frozenset[str]:
        """Every connection that a plan or a sync ran with, whether or not it is still configured."""
        ...

    def rename_connection(self, old: str, new: str, user: str, at: datetime) -> int:
        """Move all that belongs to a connection to its new name; the number of links moved."""
        ...

    def remove_connection(self, name: str, user: str, at: datetime) -> int:
        """Unlink everything of a connection (tombstones none, deletes nobody); number of links."""
        ...

    def stream(self, connection: str, object: str) -> StreamState: ...

    def begin_listing(self, connection: str, object: str, at: datetime) -> int:
        """Start listing number n+1 of a stream (forgetting an unfinished one); answers n+1."""
        ...

    # -- land -------------------------------------------------------------------------------------

    def land(self, landing: Landing, fence: Fence | None) -> Landed:
        """Store what was read and the cursor together; concerned entities and strangers become due.

        Applies `sync.rules.observe.observe` to each known link inside the transaction. A record that is
        deleted makes its link a tombstone; one with a successor moves the link there (the old id stays
        as an alias). Unknown Refs become links without an entity. Dangling references that this
        landing resolves make their referrers due. The last page of a listing also makes tombstones of
        what it did not contain, and what waits for its first end due.
        """
        ...

    def known(self, connection: str, object: str, ids: Sequence[str]) -> Mapping[str, Link]:
        """The links of these remote ids (aliases followed), with what was observed."""
        ...

    def late(
        self, connection: str, object: str, views: Sequence[Record], began: datetime, lag: timedelta
    ) -> Sequence[str]:
        """Of views in a list that began then and shows what is older than `lag`, the ids of those that differ
        from what the system itself has told since, and of which no stamp says which is newer; of those that
        show what stood there before a write of ours; and, whatever the lag, of those that were deleted
        and may have been brought back since."""
        ...

    def hidden(self, now: datetime, connections: Sequence[str], after: int, limit: int) -> Sequence[Link]:
        """Living links, by ascending id from `after`, that were read while they might still show what stood
        there before our write, did show it, and were not read since that time is over."""
        ...

    def land_facts(self, connection: str, facts: Sequence[Fact], at: datetime) -> LandedFacts:
        """Keep facts by remote id in their latest version; how many were new, how many moved."""
        ...

    # -- identify ---------------------------------------------------------------------------------

    def strangers(
        self,
        kinds: Sequence[Kind],
        after: int,
        limit: int,
        awaited: Sequence[tuple[str, str]] = (),
    ) -> Sequence[Link]:
        """Living links without an entity, by ascending id from `after`, with what was observed. Of the
        streams that are `awaited` those that a listing under way has brought are left out."""
        ...

    def links(self, ids: Sequence[int]) -> Sequence[Link]:
        """These links with what was observed, in id order."""
        ...

    def moved(self, kind: Kind, after: int, limit: int) -> Sequence[Link]:
        """Living links of which something moved that is not decided yet: those of the next `limit` entities
        of this kind that have any, by ascending id of the entity from `after`."""
        ...

    def find_too(
        self, kind: Kind, keys: Mapping[int, Sequence[tuple[str, str]]], fence: Fence | None
    ) -> None:
        """Links (by id) of this kind are found by these keys as well, besides those that they have; the next
        decision on their entities says by which they are found from then on."""
        ...

    def candidates(
        self, kind: Kind, keys: Sequence[tuple[str, str]]
    ) -> Mapping[tuple[str, str], Sequence[Candidate]]:
        """Who holds these match keys (links that belong to an entity), by entity and link id."""
        ...

    def assign(self, assignments: Sequence[Assignment], at: datetime, fence: Fence | None) -> Sequence[int]:
        """Give links their entities (new ones are made), under a lock on their keys.

        Answers the ids of links that were not assigned because a key's holders or the link moved.
        """
        ...

    def stale_keys(self, connection: str, object: str, version: int, limit: int) -> Sequence[Link] | None:
        """The next links of this stream, by ascending id, that have an entity and match keys of another
        version of the normaliser; none left: nothing. None where that is known of all of them."""
        ...

    def rekey(self, made: Rekeyed, fence: Fence | None) -> None:
        """Replace the match keys of these links, and remember how far that got."""
        ...

    def verdicts(self, links: Sequence[int]) -> Sequence[MatchDecision]:
        """Unrevoked match decisions that touch these links."""
        ...

    # -- decide -----------------------------------------------------------------------------------

    def due(self, kinds: Sequence[Kind], now: datetime, after: int, limit: int) -> Sequence[int]:
        """Entity ids to be decided, ascending from `after`: marked due, or `look_again_at` passed."""
        ...

    def load(self, ids: Sequence[int]) -> Sequence[Case]:
        """Everything known about these entities, in id order, in a few queries for all of them."""
        ...

    def resolve(self, refs: Sequence[Ref]) -> Mapping[Ref, str]:
        """Public ids of the entities that these records are linked to (aliases followed)."""
        ...

    def references(self, ids: Sequence[str]) -> Mapping[str, Reference]:
        """What referrers need to know of these entities (public ids; merged ones follow their alias)."""
        ...

    def gates_open(self) -> Mapping[tuple[str, str], bool]:
        """Streams of which one complete listing has landed, and whether no stranger is left there: of whom
        nobody knows yet who he is."""
        ...

    def commit(self, plans: Sequence[Plan], run_id: int, at: datetime, fence: Fence | None) -> Sequence[int]:
        """Entities, links, history, deliveries and consent of these plans; due marks gone.

        A plan whose entity, links or open deliveries moved since they were read is left out; answers
        the ids of those entities (they stay due).
        """
        ...

    def found(
        self, foundings: Sequence[Founding], run_id: int, at: datetime, fence: Fence | None
    ) -> Sequence[int]:
        """Make companies that contacts name, under a lock on their keys; the contacts that got a new one.

        One whose key somebody holds by now is not made. New companies, and all who named one, become due.
        """
        ...

    def mark_due(self, ids: Sequence[int], reason: str) -> None:
        """Make these entities due; `reason` is one word without blanks and stays until they are decided."""
        ...

    def edit(
        self,
        public_id: str,
        values: Mapping[str, Value],
        user: str,
        at: datetime,
        pin: bool,
        heard: Sequence[ConsentEvent] = (),
    ) -> None:
        """Record an operator's edit as a claim, and what he heard of consent; make the entity due, and
        whoever holds an address that the consent is about."""
        ...

    # -- outbox -----------------------------------------------------------------------------------

    def outstanding(
        self,
        now: datetime,
        lanes: Sequence[Lane],
        connections: Sequence[str],
        limit: int,
        among: Collection[int] | None = None,
    ) -> Sequence[Delivery]:
        """Deliveries that may be sent now: one connection, object, kind and lane; at most `limit`, and only
        those of the entities `among`, if they are named.

        The most important lane first, then the oldest. Outside the urgent lane none of an entity that is due:
        what is known of it moved, so it is decided again first.
        """
        ...

    def send(
        self, revisions: Mapping[int, int], worker: str, at: datetime, fence: Fence | None
    ) -> Sequence[int]:
        """Mark as sent, before the call. `revisions`: by delivery, the revision (`Link.rev`) at which its
        link was looked at. Answers those that go: still due (others were superseded), with a link of which
        nothing was stored since."""
        ...

    def settle(self, settlements: Sequence[Settlement], at: datetime, fence: Fence | None) -> frozenset[int]:
        """Record how attempts ended and what the systems now hold. Waiters on a new link become due.

        A create that turned out to be a record we know already joins its links; one whose record is another
        entity's is parked for a person. Answers the ids of those parked ones.
        """
        ...

    def doubtful(
        self, now: datetime, connections: Sequence[str], limit: int, lanes: Sequence[Lane] = tuple(Lane)
    ) -> Sequence[Delivery]:
        """Deliveries in doubt (or sent by a worker that is gone) whose look-up lag has passed, the
        oldest first."""
        ...

    def waiting(
        self, now: datetime, connections: Sequence[str], limit: int, lanes: Sequence[Lane] = tuple(Lane)
    ) -> Sequence[Delivery]:
        """Deliveries that remote jobs work on and that may be asked about now, the oldest first. Of a job all
        or none: what it tells of an item may be its number in the job."""
        ...

    def abandoned(self, worker_gone_before: datetime, lags: Mapping[tuple[str, str], float]) -> int:
        """Turn `sent` deliveries of dead workers into doubt; how many. `lags`: how many seconds a write stays
        unseen in a stream; the attempt may have lasted until its worker went, so they count from then.
        """
        ...

    def next_delivery_at(
        self,
        connections: Sequence[str],
        lanes: Sequence[Lane] = tuple(Lane),
        among: Collection[int] | None = None,
    ) -> datetime | None:
        """When the earliest delivery that waits for time may go, of these lanes, and of the entities `among`
        if they are named; None when nothing waits."""
        ...

    def gates(self, among: Collection[int] | None = None) -> Mapping[tuple[str, str], Gate]:
        """All that is gated now, by (connection, gate kind); of the entities `among`, if they are named."""
        ...

    def let_through(self, among: Collection[int] | None = None) -> Mapping[tuple[str, str], frozenset[int]]:
        """The links whose destructive writes a run let through, and not a person, and that have not ended
        yet, by (connection, gate kind); of the entities `among`, if they are named."""
        ...

    def gated(self, run_id: int, among: Collection[int] | None = None) -> Mapping[tuple[str, str], int]:
        """What is gated under this run, by (connection, gate kind); of the entities `among`, if they are
        named."""
        ...

    def unsent(
        self, now: datetime, after: int, limit: int, among: Collection[int] | None = None
    ) -> Sequence[Delivery]:
        """Deliveries beyond this id that nothing holds back and whose time has come, of all connections, by
        id; only those of the entities `among`, if they are named. Also those that go before or behind
        another one, and of entities that are due."""
        ...

    def pending(self) -> Mapping[tuple[str, str, str], int]:
        """How many deliveries are to be written still, by (connection, object, state); parked ones failed,
        and are not among them."""
        ...

    def held_by(self) -> int | None:
        """The run that holds gated deliveries; of several the newest. None where nothing is gated."""
        ...

    def gather_gated(self, fence: Fence | None) -> int | None:
        """Bring all that is gated under that one run, and note with the others which one has it now: a run
        that gates nothing itself leaves it under the number that people know. That run's number."""
        ...

    def open_gates(
        self,
        connection: str,
        gate: str,
        user: str,
        at: datetime,
        among: Collection[int] | None = None,
        fence: Fence | None = None,
    ) -> int:
        """Let the gated deliveries of this kind flow, those of the entities `among` if they are named; how
        many. No user: the hub by itself, behind its fence."""
        ...

    def close_gates(self, run_id: int, user: str, reason: str, at: datetime) -> int:
        """Discard a held run's gated deliveries (rejected by a person), for good; how many."""
        ...

    def hold_absences(self, run_id: int, missing: Mapping[tuple[str, str], int], fence: Fence | None) -> None:
        """Remember under this run how many records the last listing of each of these streams lacked, beyond
        what is believed to be deleted. Replaces what an earlier run found of the same stream."""
        ...

    def absences(self) -> Sequence[Absences]:
        """What is held so of configured connections, and nobody accepted yet."""
        ...

    def accept_absences(self, run_id: int, user: str, at: datetime) -> int:
        """A person says that what this run found missing was deleted; how many records. The next complete
        listing makes tombstones of those that it lacks too."""
        ...

    # -- leases, runs -----------------------------------------------------------------------------

    def lease(self, name: str, owner: str, now: datetime, until: datetime) -> Fence | None:
        """Own a piece of work; None while another owner's lease lasts."""
        ...

    def owner(self, name: str) -> Fence | None:
        """Who owns a piece of work, also where the lease has run out; None where it was let go."""
        ...

    def take_over(self, fence: Fence, owner: str, until: datetime) -> Fence | None:
        """Own what its owner (`fence`) certainly left; None where somebody was quicker."""
        ...

    def renew(self, fence: Fence, until: datetime) -> Fence: ...

    def let_go(self, fence: Fence) -> None: ...

    def start_run(self, kind: str, config_version: str, user: str, at: datetime) -> int:
        """Begin a run. Whoever does owns the hub, so an earlier run that never ended is closed as failed."""
        ...

    def finish_run(
        self, id: int, outcome: RunOutcome, counts: Mapping[str, int], notes: Sequence[str], at: datetime
    ) -> Sequence[str]:
        """Put down how a run ended, and put the database in order. What could not be is added to the run's
        notes, and answered."""
        ...

    # -- what people ask --------------------------------------------------------------------------

    def formats(self, connections: Sequence[str] | None = None) -> Sequence[Format]:
        """What fields of systems that do not answer with the record did with our values."""
        ...

    def runs(self, limit: int) -> Sequence[Run]: ...

    def run(self, id: int) -> Run: ...

    def audit(self, subject: str, limit: int) -> Sequence[AuditRow]:
        """Decisions of people, newest first; of one subject (`run 7`, `c-17`, a connection) if it is named.

        Every verb that takes a user adds one, in its own transaction, where it changed anything.
        """
        ...

    def verify_audit(self) -> Chain:
        """Whether the decisions of people stand as they were written: none changed, taken out or put in."""
        ...

    def find(self, kind: Kind, text: str, limit: int) -> Sequence[str]:
        """Public ids of entities whose keys, names or remote ids match a text that a person typed."""
        ...

    def named(self, kind: Kind, text: str, limit: int) -> Sequence[str]:
        """Public ids of entities whose id, key or record (`2325`, `crm/contacts/2325`) is this very text."""
        ...

    def case(self, public_id: str) -> Case:
        """One entity with everything known about it (aliases followed). Raises NotFound."""
        ...

    def history(self, public_id: str, limit: int) -> Sequence[HistoryRow]:
        """Changes and conflicts of an entity, newest first."""
        ...

    def past(self, ids: Sequence[int], since: datetime) -> Mapping[int, Sequence[HistoryRow]]:
        """What was decided about these entities since then, newest first; first sights are left out."""
        ...

    def deliveries(
        self, states: Sequence[DeliveryState], connection: str | None, limit: int, run_id: int | None = None
    ) -> Sequence[Delivery]:
        """The newest of these states, of one connection and of one run where they are named."""
        ...

    def past_deliveries(self, links: Sequence[int]) -> Sequence[Delivery]:
        """The ended deliveries to these links, newest first: what was sent, and what a person gave up (its
        code is one of GIVEN_UP). Of each what it was to write is gone, what stood there before is kept."""
        ...

    def rejections(self, run_id: int) -> Sequence[str]:
        """Who rejected what this run held back and why, newest first: `ann: wrong table`."""
        ...

    def delivery(self, id: int) -> Delivery: ...

    def retry(self, ids: Sequence[int], user: str, at: datetime) -> int:
        """Parked deliveries become due again with fresh attempts; how many were."""
        ...

    def discard(self, ids: Sequence[int], user: str, at: datetime) -> int:
        """Close parked deliveries for good: the difference is left as it is, and the same is not raised
        again until a side moves in it. Consent stays parked until it is delivered. How many were closed.
        """
        ...

    def quarantined(self, connection: str | None, limit: int) -> Sequence[tuple[Link, str, Quarantine]]:
        """Fields set aside: (link, binding key, why)."""
        ...

    def give_back(self, places: Sequence[tuple[int, str]], user: str, at: datetime) -> int:
        """Judge fields that were set aside again: (link id, binding key); how many were set aside."""
        ...

    def withheld(self, connection: str, object: str, after: int, limit: int) -> Sequence[int]:
        """Entities with withheld differences in an object of a connection, ascending by id."""
        ...

    def holders(self, connection: str, object: str, after: int, limit: int) -> Sequence[int]:
        """Entities with a living record in this stream, ascending by id from `after`."""
        ...

    def count_links(self) -> Mapping[tuple[str, str, str], int]:
        """Links by (connection, object, state); not those that sleep and belong to nobody any more."""
        ...

    def unsure(self, limit: int) -> Sequence[MatchDecision]:
        """Matches that wait for a steward."""
        ...

    def doubles(self, kind: Kind) -> Mapping[str, Sequence[str]]:
        """Of whom it waits for a steward whether they are one with another entity: public id to those of
        the others. Of a pair the one that is provisional is named, or the younger one."""
        ...

    def backlog(self) -> Backlog:
        """What was read, or moved otherwise, and nothing has decided about yet."""
        ...

    def close(self) -> None: ...
