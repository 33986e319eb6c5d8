"""Whether what is read is what a system keeps of what it was sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from trueup.mapping.compiled import Binding
from trueup.model.delivery import Delivery
from trueup.model.formats import Format
from trueup.model.record import Json
from trueup.model.values import Rejected
from trueup.sync.parts import Parts
from trueup.sync.rules import acknowledge, made
from trueup.sync.rules.formats import is_surely_form
from trueup.sync.rules.policy import Stream


def kept_as(
    parts: Parts, stream: Stream, delivery: Delivery, forms: bool = True
) -> Callable[[str, Json], bool]:
    """Whether a value read is what this system keeps of what was sent. A consent, and an element that is
    written by itself, have to show: neither a form nor the rest of the list stands for them. What stood
    there before is no form: it says that nothing was written; nor is an empty field of a record that a
    create may have made. Without `forms` nothing is one."""
    mapping = parts.policy.mappings[stream]
    sent, before = acknowledge.predicted(delivery), delivery.write.replaced
    known = known_formats(parts, stream)
    own = [one for one in map(mapping.binding, delivery.write.wants) if one is not None]

    def keeps(path: str, value: Json) -> bool:
        if value == sent.get(path):
            return True
        if path in before and value == before[path]:
            return False
        single = (one for one in own if one.remote == path and (one.element or one.consent))
        if not all(_says_the_same(one, sent.get(path), value) for one in single):
            return False
        shown = path in before or value not in made.EMPTY
        if forms and shown and is_surely_form(sent.get(path), value, known.get(path)):
            return True
        whole = (one for one in mapping.bindings if one.remote == path and not one.element)
        first = next(whole, None)
        return first is not None and _says_the_same(first, sent.get(path), value)

    return keeps


def known_formats(parts: Parts, stream: Stream) -> Mapping[str, Format]:
    return {one.path: one for one in parts.store.formats([stream[0]]) if one.object == stream[1]}


def _says_the_same(binding: Binding, sent: Json, has: Json) -> bool:
    one, other = binding.read(sent), binding.read(has)
    return not isinstance(one, Rejected) and one == other
