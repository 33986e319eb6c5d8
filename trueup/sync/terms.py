"""On which terms fields take what is written to them: who waited for others is due when they are."""

from __future__ import annotations

from trueup.sync.parts import Parts


def heed_terms(parts: Parts) -> int:
    """Make due whose values were set aside on terms that are others now (a longer field, another encoding,
    one more choice, a right to write); how many. Of a system that could not be asked nothing is known, so
    nothing is another there."""
    told = {
        stream: {one.key: one.terms for one in mapping.bindings if one.terms}
        for stream, mapping in parts.policy.mappings.items()
    }
    return parts.store.heed_terms({stream: terms for stream, terms in told.items() if terms})
