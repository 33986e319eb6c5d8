"""Opt-outs that a plan foretells: what records that it is the first to read say reaches others in the sync.

A sync hears of them when it decides: whoever holds the address, or may be the same person, is decided again.
A plan stores nothing, so it listens first: what each undecided record shows, by its address and by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace

from trueup.dedupe.normalise import match_keys
from trueup.mapping.apply import observed
from trueup.model.consent import ConsentEvent, ConsentState, consent_field
from trueup.model.entity import Link
from trueup.model.fields import Kind
from trueup.model.matching import MatchDecision, Verdict
from trueup.model.plan import Case, Plan
from trueup.model.record import Record
from trueup.model.values import Value
from trueup.sync.decide import CHUNK, chunks
from trueup.sync.parts import Parts
from trueup.sync.rules.ledger import addresses_of, last_words


@dataclass(slots=True)
class Foretold:
    """Opt-outs by the key of an address, and by the link of the record that shows them; and by link those
    with whom it may be one person. `others`: known contacts that hear of them. `channels`: of the opt-outs at
    addresses."""

    by_address: dict[str, list[ConsentEvent]] = field(default_factory=dict)
    by_link: dict[int, list[ConsentEvent]] = field(default_factory=dict)
    rivals: dict[int, set[int]] = field(default_factory=dict)
    others: set[int] = field(default_factory=set)
    channels: set[str] = field(default_factory=set)

    def with_more(self, case: Case, plan: Plan) -> Case | None:
        """The case as it will be when others have told what they show; None where that changes nothing."""
        own = {link.id for link in case.links}
        rivals = {other for link in case.links for other in self.rivals.get(link.id, ())} - own
        by_rivals = [event for link in sorted(rivals) for event in self.by_link.get(link, ())]
        heard = list(_new(plan, self.at_addresses(plan.entity.values)))
        beside = list(_new(plan, by_rivals))
        if not heard and not beside:
            return None
        return replace(case, consent=(*case.consent, *heard), rival_consent=(*case.rival_consent, *beside))

    def at_addresses(self, values: Mapping[str, Value]) -> Iterator[ConsentEvent]:
        """The opt-outs at the addresses among these values."""
        for key in sorted({key for channel in self.channels for key in addresses_of(channel, values)}):
            yield from self.by_address.get(key, ())

    def hear(self, link: Link, events: Iterable[ConsentEvent]) -> None:
        """Take down what a record shows."""
        for event in events:
            self.by_link.setdefault(link.id, []).append(event)
            if event.subject_kind == "address":
                self.by_address.setdefault(event.subject, []).append(event)
                self.channels.add(event.channel)

    def tell(self, links: Iterable[int], events: Iterable[ConsentEvent]) -> None:
        """Whoever may be the person of one of these records hears of these opt-outs."""
        told = list(events)
        for link in links if told else ():
            before = self.by_link.setdefault(link, [])
            before.extend(event for event in told if event not in before)

    def may_be_one(self, decisions: Iterable[MatchDecision]) -> None:
        """Take down who waits for a decision."""
        for one in decisions:
            if one.verdict is Verdict.UNSURE:
                self.rivals.setdefault(one.left, set()).add(one.right)
                self.rivals.setdefault(one.right, set()).add(one.left)


def _new(plan: Plan, events: Iterable[ConsentEvent]) -> Iterator[ConsentEvent]:
    """Those that are not known to the decision already."""
    for event in events:
        if plan.entity.values.get(consent_field(event.channel, event.purpose)) != event.state:
            yield event


def foretell(parts: Parts, strangers: Mapping[int, int | None], unsure: Sequence[MatchDecision]) -> Foretold:
    """Listen to all records of contacts that nobody has decided about: new ones (by link, with the known
    contact that they belong to, if any), and those that moved."""
    found = Foretold()
    if not parts.policy.consents():
        return found
    tellers: set[int] = set()
    for links in _undecided(parts, sorted(strangers)):
        for link in links:
            found.hear(link, _shown(parts, link))
            home = link.entity_id or strangers.get(link.id)
            if link.id in found.by_link and home is not None:
                tellers.add(home)
    found.may_be_one(unsure)
    holders = _holders(parts, found)
    _waiting(parts, found, tellers | holders)
    _known_rivals(parts, found, strangers)
    found.others |= holders
    return found


def _undecided(parts: Parts, strangers: Sequence[int]) -> Iterator[Sequence[Link]]:
    for some in chunks(strangers):
        yield parts.store.links(some)
    after = 0
    while links := parts.store.moved(Kind.CONTACT, after, CHUNK):
        after = max(link.entity_id or 0 for link in links)
        yield links


def _shown(parts: Parts, link: Link) -> list[ConsentEvent]:
    """The opt-outs that a record shows and that are not decided."""
    mapping = parts.policy.mappings.get(link.stream)
    if mapping is None or link.remote_id is None:
        return []
    consents = observed((one for one in mapping.bindings if one.consent), link.observed).values
    if ConsentState.OPTED_OUT not in consents.values():  # most show none: of these nothing else is read
        return []
    return last_words(mapping, Record(link.remote_id, {}, changed_at=link.changed_at), link, parts.now())


def _waiting(parts: Parts, found: Foretold, known: Set[int]) -> None:
    """Those of whom it is stored, and still waits for a decision, that they may be one of these contacts."""
    for some in chunks(sorted(known)):
        links = [link.id for case in parts.store.load(some) for link in case.links]
        last = {frozenset((one.left, one.right)): one for one in parts.store.verdicts(links)}
        found.may_be_one(last.values())


def _known_rivals(parts: Parts, found: Foretold, strangers: Mapping[int, int | None]) -> None:
    """What those have heard who may be the same person as another one; and the others hear of it."""
    homes: dict[int, int] = {}
    for some in chunks(sorted(found.rivals)):
        for link in parts.store.links(some):
            home = link.entity_id or strangers.get(link.id)
            if home is not None:
                homes[link.id] = home
            elif link.stream in parts.policy.mappings:
                values = observed(parts.policy.naming(link.stream), link.observed).values
                found.tell([link.id], found.at_addresses(values))
    records = _by_home({**strangers, **homes})
    for some in chunks(sorted(set(homes.values()))):
        for case in parts.store.load(some):
            mine = {*(link.id for link in case.links), *records[case.entity.id]}
            found.tell(sorted(mine & homes.keys()), _outs(found, case, mine))
    told = {link for link, others in found.rivals.items() if any(one in found.by_link for one in others)}
    found.others |= {home for link, home in homes.items() if link in told}


def _outs(found: Foretold, case: Case, mine: Set[int]) -> Iterator[ConsentEvent]:
    """The opt-outs of a known contact: stored ones, those at its addresses, those that its records show."""
    yield from (event for event in case.consent if event.state is ConsentState.OPTED_OUT)
    yield from found.at_addresses(case.entity.values)
    for link in sorted(mine):
        yield from found.by_link.get(link, ())


def _by_home(homes: Mapping[int, int | None]) -> dict[int, set[int]]:
    found: dict[int, set[int]] = {}
    for link, home in homes.items():
        if home is not None:
            found.setdefault(home, set()).add(link)
    return found


def _holders(parts: Parts, found: Foretold) -> set[int]:
    """Known contacts that hold an address at which somebody opted out."""
    keys = {
        key
        for subject in found.by_address
        for key in match_keys(Kind.CONTACT, {"email" if "@" in subject else "phone": subject})
    }
    return {
        one.entity_id
        for some in chunks(sorted(keys))
        for holders in parts.store.candidates(Kind.CONTACT, some).values()
        for one in holders
    }
