"""Values set aside: what a record does not get because its field cannot hold it, what nobody can read there.

A value is set aside as long as it is the same and the terms on which its field is written are (the mapping,
and what the system says of its field: length, choices, encoding, the right to write).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from trueup.mapping.compiled import Binding
from trueup.model.entity import NEVER, WAS_ABSENT, Agreed, Link, Quarantine
from trueup.model.jsontext import digest
from trueup.model.record import Json
from trueup.model.values import Absent, Rejected, Value
from trueup.sync.rules.evidence import Reading


def set_aside(
    link: Link, binding: Binding, direction: str, why: Rejected, value: Json, now: datetime
) -> Quarantine:
    """A value that we ourselves cannot read (`in`) or know not to fit (`out`); the reason is today's."""
    mark = digest([direction, why.code, None if isinstance(value, Absent) else value])
    before = link.quarantine.get(binding.key)
    since = before.since if before is not None and before.digest == mark else now
    return Quarantine(direction, why.reason, why.code, mark, since)


def refused(
    binding: Binding | None, hub: Value, sent: Json, reason: str, code: str, now: datetime
) -> Quarantine:
    """A value that the system refused, on the terms on which it was written."""
    terms = "" if binding is None else binding.terms
    return Quarantine("out", reason, code, _refusal(binding, hub, sent), now, terms)


def still_refused(link: Link, binding: Binding, hub: Value, sent: object) -> Quarantine | None:
    """The refusal of this very value, as long as nobody knows that its field is another by now."""
    known = _refused_before(link, binding, hub, sent)
    return None if known is None or _on_other_terms(binding, known) else known


def refusal_ended(link: Link, binding: Binding, hub: Value, sent: Json) -> bool:
    """Whether this very value was refused there, and its field is another by now."""
    known = _refused_before(link, binding, hub, sent)
    return known is not None and _on_other_terms(binding, known)


def _refused_before(link: Link, binding: Binding, hub: Value, sent: object) -> Quarantine | None:
    known = link.quarantine.get(binding.key) if link.quarantine else None
    return known if known is not None and known.digest == _refusal(binding, hub, sent) else None


def _on_other_terms(binding: Binding, known: Quarantine) -> bool:
    return bool(binding.terms) and binding.terms != known.terms


def _refusal(binding: Binding | None, hub: Value, sent: object) -> str:
    """By what a refused value is known again: what the hub holds. Of a reference it is the id that was sent:
    another record may stand for the same company one day. (Of several it is what the hub holds.)"""
    refers = binding is not None and binding.refers is not None
    return digest(["refused", sent if refers and isinstance(sent, str | int) else hub])


def is_empty(hub: Value) -> bool:
    """Whether the hub's side of a binding holds nothing at all."""
    return hub in (None, []) or (isinstance(hub, list) and not any(hub))


def as_never_there(reading: Reading, hub: Value) -> Reading:
    """The reading of a field of which our value was set aside before: that value never came there, whatever
    the field is said to hold by default. An empty value is none: it is not written over anything."""
    known = reading.link.quarantine.get(reading.binding.key)
    if known is None or known.direction != "out" or reading.moved or is_empty(hub):
        return reading
    if reading.agreed is not None:
        return replace(reading, agreed=reading.agreed._replace(hub=NEVER))
    return replace(
        reading, agreed=Agreed(NEVER, WAS_ABSENT if isinstance(reading.raw, Absent) else reading.raw)
    )
