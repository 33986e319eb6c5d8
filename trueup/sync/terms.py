"""On which terms fields take what is written to them: who waited for others is due when they are."""

from __future__ import annotations

from trueup.sync.parts import Parts
from trueup.sync.rules.creating import TELLING


def heed_terms(parts: Parts) -> int:
    """Make due whose values were set aside on terms that are others now (a longer field, another encoding,
    one more choice, a right to write), and who has no record where what tells who somebody is may be kept
    otherwise now; how many. Of a system that could not be asked nothing is known: nothing is another there.
    """
    bindings = {stream: mapping.bindings for stream, mapping in parts.policy.mappings.items()}
    told = {stream: {one.key: one.terms for one in some if one.terms} for stream, some in bindings.items()}
    telling = {one.key for some in bindings.values() for one in some if not TELLING.isdisjoint(one.fields)}
    return parts.store.heed_terms({stream: terms for stream, terms in told.items() if terms}, telling)
