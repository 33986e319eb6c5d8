"""PutGet and GetPut hold for every mapping that trueup ships, up to what the target keeps.

PutGet: what is written is read again as the target keeps it, binding by binding and in a whole new record.
GetPut: what was read, written back, is read again. A mapping that breaks one takes its own writes for edits.
TRUEUP_LAW_CASES sets how many records each mapping is tried on.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from tests.mapping.drawn import cases, made
from tests.mapping.shipped import HOME, Shipped, all_shipped, hubs, with_a_mapping
from trueup.mapping.apply import compile_bindings, keeps, observe
from trueup.mapping.check import Law, violations
from trueup.mapping.compiled import Binding, ObjectMapping
from trueup.mapping.schema import FieldRule, ObjectRules, Shape
from trueup.model.canonical import comparable
from trueup.model.fields import Kind
from trueup.model.record import Json
from trueup.model.values import Rejected, Value

CASES = int(os.environ.get("TRUEUP_LAW_CASES", "1000"))
LEAST = 0.1
"""Of the cases, at least this share writes something by each binding, and reads something by it."""
WHOLE = "a whole record is read as it was made"


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Shipped]:
    return all_shipped(tmp_path_factory.mktemp("shipped") / "demo")


@dataclass
class Found:
    """What many cases showed of a mapping: the laws they broke, and where; how often a binding wrote
    something, and how often something was read there."""

    broken: set[str] = field(default_factory=set)
    wrote: Counter[str] = field(default_factory=Counter)
    read: Counter[str] = field(default_factory=Counter)


def tried(shipped: Shipped, number: int, mistaken: ObjectMapping | None = None) -> Found:
    """A mapping on so many cases; a mistaken one on those of the mapping that it is made of."""
    found, mapping = Found(), mistaken or shipped.mapping
    for values, record in cases(shipped, number):
        said = observe(mapping, record)  # whatever stands there, reading raises nothing
        told = (one for one in mapping.bindings if one.inward and one.remote in record)
        found.read.update(one.key for one in told if one.key not in said.rejected)
        laws = violations(mapping.bindings, [values], [record], shipped.table)
        found.broken |= {f"{one.law}: {one.binding}" for one in laws}
        if any(one.law is Law.TOTAL for one in laws):
            continue
        new, given = made(mapping, values)
        found.wrote.update(one.key for one in given)
        found.broken |= {f"{WHOLE}: {one.key}" for one in given if not _read_alike(one, values, new)}
    return found


def _read_alike(binding: Binding, values: Mapping[str, Value], new: Mapping[str, Json]) -> bool:
    """Whether it is read out of a new record as what it wrote alone."""
    return _equal(binding, keeps(binding, values), binding.read(new[binding.remote]))


def _equal(binding: Binding, one: Any, other: Any) -> bool:
    if isinstance(one, Rejected) or isinstance(other, Rejected):
        return one == other
    return all(
        comparable(binding.type_of(name), one.get(name)) == comparable(binding.type_of(name), other.get(name))
        for name in {*one, *other}
    )


def test_every_shipped_mapping_keeps_the_laws(shipped: Mapping[str, Shipped]) -> None:
    found = {name: tried(one, CASES) for name, one in shipped.items()}
    assert {name: one.broken for name, one in found.items() if one.broken} == {}
    idle = {name: _idle(shipped[name].mapping, one) for name, one in found.items()}
    assert {name: keys for name, keys in idle.items() if keys} == {}, "of these nothing was tried"


def _idle(mapping: ObjectMapping, found: Found) -> list[str]:
    """Bindings of which hardly any case tried anything."""
    written = (one for one in mapping.bindings if one.outward and found.wrote[one.key] < LEAST * CASES)
    read = (one for one in mapping.bindings if one.inward and found.read[one.key] < LEAST * CASES)
    return [one.key for one in (*written, *read)]


def test_every_mapping_that_there_is_is_among_them(shipped: Mapping[str, Shipped]) -> None:
    assert with_a_mapping() == {"hubspot", "salesforce", "tryton", "zendesk"}
    assert with_a_mapping() <= {name.partition(" ")[0] for name in shipped}
    assert [hub.name for hub in hubs()] == ["config"]
    assert {"config: marketing contacts", "demo: marketing contacts"} <= set(shipped)
    tied = [one for one in shipped.values() if any(spec.options for spec in one.specs.values())]
    assert len(tied) >= 4, "no system told of its words"


def _shorter(binding: Binding) -> Binding:
    """What is written is cut by one sign each time."""
    return replace(binding, write=lambda values: str(binding.write(values) or "")[:-1] or None)


def _louder(binding: Binding) -> Binding:
    """What is read is not what stands there."""

    def read(raw: Any) -> Mapping[str, Value] | Rejected:
        said = binding.read(raw)
        if isinstance(said, Rejected):
            return said
        return {name: f"{value}!" if isinstance(value, str) else value for name, value in said.items()}

    return replace(binding, read=read)


def _deaf(binding: Binding) -> Binding:
    """What this system was given cannot be read back."""
    return replace(binding, read=lambda raw: Rejected("not understood") if raw else binding.read(raw))


def _raising(binding: Binding) -> Binding:
    return replace(binding, write=lambda values: values["nothing"])


@pytest.mark.parametrize(
    ("mistake", "law"),
    [
        (_shorter, Law.STABLE),
        (_louder, Law.STABLE),
        (_louder, Law.FAITHFUL),
        (_deaf, Law.READABLE),
        (_raising, Law.TOTAL),
    ],
)
@pytest.mark.parametrize("remote", ["jobtitle", "firstname"])
def test_a_binding_that_breaks_a_law_is_rejected(
    shipped: Mapping[str, Shipped], mistake: Callable[[Binding], Binding], law: Law, remote: str
) -> None:
    whole = shipped["demo: marketing contacts"]
    bindings = tuple(mistake(one) if one.remote == remote else one for one in whole.mapping.bindings)
    found = tried(whole, 100, replace(whole.mapping, bindings=bindings))
    assert f"{law}: {remote}" in found.broken
    assert all(one.endswith(f": {remote}") for one in found.broken)


def test_two_bindings_that_each_keep_the_laws_and_meet_in_one_list_are_rejected(
    shipped: Mapping[str, Shipped],
) -> None:
    """The set takes the tag of an opt-out for a tag, because nobody told it whose that is."""
    whole = shipped["demo: support users"]
    (alone,) = compile_bindings(
        ObjectRules("users", Kind.CONTACT, (FieldRule("tags", "tags", shape=Shape.ELEMENTS),)),
        whole.table,
        HOME,
    )
    bindings = tuple(alone if one.key == alone.key else one for one in whole.mapping.bindings)
    found = tried(whole, 100, replace(whole.mapping, bindings=bindings))
    assert found.broken == {f"{WHOLE}: tags"}
