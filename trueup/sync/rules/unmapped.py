"""What a record says of fields that today's mapping does not have, and that were read for an earlier one."""

from __future__ import annotations

from trueup.mapping.compiled import ObjectMapping
from trueup.model.entity import NEVER, WAS_ABSENT, Agreed, Link
from trueup.sync.rules.policy import Policy


def kept(link: Link, mapping: ObjectMapping, policy: Policy) -> dict[str, Agreed]:
    """What is agreed of such fields, which a decision that cannot judge them leaves as it is. An edit that
    was read and not judged is one on the day its field is mapped again, and what a record held when nobody
    had decided about it yet is a first sight then."""
    found = {key: one for key, one in link.agreed.items() if mapping.binding(key) is None}
    unjudged = dict(link.base)
    if link.fresh:
        unjudged |= {path: WAS_ABSENT for path, value in link.observed.items() if value not in (None, "", [])}
    if unjudged:
        for path in unjudged.keys() - set(policy.asked(link.stream)):
            found.setdefault(path, Agreed(NEVER, unjudged[path]))
    return found
