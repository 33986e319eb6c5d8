"""Opt-outs that a plan foretells: what records that it is the first to read say reaches others in the sync.

A sync hears of them when it decides: whoever holds the address, or may be the same person, is decided again.
A plan stores nothing, so it listens first: what each undecided record shows, by its address and by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from trueup.dedupe.normalise import match_keys
from trueup.mapping.apply import observed
from trueup.model.consent import ConsentEvent, ConsentState, consent_field
from trueup.model.entity import Link
from trueup.model.fields import Kind
from trueup.model.matching import MatchDecision, Verdict
from trueup.model.plan import Case, Plan
from trueup.model.record import Record
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
        heard = list(_new(plan, self._at_addresses(plan)))
        beside = list(_new(plan, by_rivals))
        if not heard and not beside:
            return None
        return replace(case, consent=(*case.consent, *heard), rival_consent=(*case.rival_consent, *beside))

    def _at_addresses(self, plan: Plan) -> Iterator[ConsentEvent]:
        values = plan.entity.values
        for key in sorted({key for channel in self.channels for key in addresses_of(channel, values)}):
            yield from self.by_address.get(key, ())

    def hear(self, link: Link, events: Iterable[ConsentEvent]) -> None:
        """Take down what a record shows."""
        for event in events:
            self.by_link.setdefault(link.id, []).append(event)
            if event.subject_kind == "address":
                self.by_address.setdefault(event.subject, []).append(event)
                self.channels.add(event.channel)


def _new(plan: Plan, events: Iterable[ConsentEvent]) -> Iterator[ConsentEvent]:
    """Those that are not known to the decision already."""
    for event in events:
        if plan.entity.values.get(consent_field(event.channel, event.purpose)) != event.state:
            yield event


def foretell(parts: Parts, strangers: Sequence[int], unsure: Sequence[MatchDecision]) -> Foretold:
    """Listen to all records of contacts that nobody has decided about: new ones, and those that moved."""
    found = Foretold()
    if not parts.policy.consents():
        return found
    for links in _undecided(parts, strangers):
        for link in links:
            found.hear(link, _shown(parts, link))
    for one in unsure:
        if one.verdict is Verdict.UNSURE:
            found.rivals.setdefault(one.left, set()).add(one.right)
            found.rivals.setdefault(one.right, set()).add(one.left)
    _known_rivals(parts, found)
    found.others |= _holders(parts, found)
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


def _known_rivals(parts: Parts, found: Foretold) -> None:
    """What is known of those who may be the same person as a newcomer; and they hear of the newcomer."""
    homes = {
        link.id: link.entity_id
        for some in chunks(sorted(found.rivals))
        for link in parts.store.links(some)
        if link.entity_id is not None
    }
    told = {link for link, others in found.rivals.items() if any(one in found.by_link for one in others)}
    found.others |= {home for link, home in homes.items() if link in told}
    for some in chunks(sorted(set(homes.values()))):
        for case in parts.store.load(some):
            outs = [event for event in case.consent if event.state is ConsentState.OPTED_OUT]
            for link in case.links:
                if outs and link.id in homes:
                    found.by_link.setdefault(link.id, []).extend(outs)


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
