"""The laws of a mapping, tried on sample values. `trueup check` runs this before anything is synced.

For a value v that `write` accepts: read(write(v)) is v's normal form, and the normal form of a normal
form is itself. For a remote value r that `read` accepts: writing what was read and reading it again
gives the same. A mapping that breaks these would see its own writes as edits, for ever.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from trueup.mapping.apply import keeps
from trueup.mapping.compiled import Binding
from trueup.model.canonical import comparable, element_key
from trueup.model.fields import KIND, KINDS, LABEL, Field, attribute, field_of
from trueup.model.record import Json
from trueup.model.values import ABSENT, Rejected, Type, Value

Table: TypeAlias = Mapping[str, Field]


class Law(StrEnum):
    """What must hold of every binding."""

    READABLE = "what is written can be read back"
    STABLE = "the normal form is a fixed point"
    FAITHFUL = "what was read is read again after it was written back"
    TOTAL = "bad data is rejected, never raised"


@dataclass(frozen=True, slots=True)
class LawViolation:
    """One broken law. Names the binding, its fields and rule; holds no value."""

    binding: str
    law: Law
    remote: str
    reason: str
    fields: tuple[str, ...]
    origin: str


def violations(
    bindings: Iterable[Binding],
    samples: Iterable[Mapping[str, Value]],
    remote: Iterable[Mapping[str, Json]] = (),
    types: Mapping[str, Field] | None = None,
) -> list[LawViolation]:
    """The laws that these samples break, each once per binding.

    `samples` are canonical values by field, `remote` records in the system's own form. With `types`
    equality is that of the type (e-mails without case).
    """
    table = types or {}
    samples, remote = list(samples), list(remote)
    found: dict[tuple[str, Law], LawViolation] = {}
    for binding in bindings:
        tried = (
            *(_outward(binding, values, table) for values in samples if binding.outward),
            *(_inward(binding, raw, table) for raw in _raw_values(binding, remote)),
        )
        for broken in tried:
            if broken is not None:
                found.setdefault((broken.binding, broken.law), broken)
    return list(found.values())


def _raw_values(binding: Binding, remote: Iterable[Mapping[str, Json]]) -> Sequence[Json]:
    """What these records hold for the binding. Evidence of consent is read, never written: no law there."""
    if binding.consent or not binding.outward:
        return []
    return [record[binding.remote] for record in remote if binding.remote in record]


def _outward(binding: Binding, values: Mapping[str, Value], table: Table) -> LawViolation | None:
    """READABLE and STABLE for one sample; a value that is refused breaks nothing."""
    try:
        if isinstance(binding.write(values), Rejected):
            return None
        kept = keeps(binding, values)
        if isinstance(kept, Rejected):
            return _broken(binding, Law.READABLE, kept.reason)
        again = keeps(binding, {**values, **kept})
    except Exception as error:
        return _broken(binding, Law.TOTAL, type(error).__name__)
    if isinstance(again, Rejected):
        return _broken(binding, Law.STABLE, again.reason)
    moved = _moved(kept, again, table)
    return _broken(binding, Law.STABLE, f"{moved} changes when it is written twice") if moved else None


def _inward(binding: Binding, raw: Json, table: Table) -> LawViolation | None:
    """FAITHFUL for one remote value; a value that is rejected, or cannot be written, breaks nothing."""
    try:
        said = binding.read(raw)
        if isinstance(said, Rejected):
            return None
        written = binding.write(said)
        if isinstance(written, Rejected) or written is ABSENT:
            return None
        again = keeps(binding, said)
    except Exception as error:
        return _broken(binding, Law.TOTAL, type(error).__name__)
    if isinstance(again, Rejected):
        return _broken(binding, Law.FAITHFUL, again.reason)
    moved = _moved(said, again, table)
    return _broken(binding, Law.FAITHFUL, f"{moved} is read back as another value") if moved else None


def _moved(before: Mapping[str, Value], after: Mapping[str, Value], table: Table) -> str:
    names = dict.fromkeys((*before, *after))
    return ", ".join(name for name in names if _key(name, before, table) != _key(name, after, table))


def _key(name: str, values: Mapping[str, Value], table: Table) -> object:
    known = field_of(table, name)
    kind = known.type if known is not None else Type.TEXT
    return comparable(kind, values.get(name))


def _broken(binding: Binding, law: Law, reason: str) -> LawViolation:
    return LawViolation(binding.key, law, binding.remote, reason, binding.fields, binding.origin)


def samples_of(field: Field) -> Sequence[Value]:
    """Canonical values that try a field's format: long, with marks, foreign, at the edges."""
    if field.type.is_set:
        one = samples_of(Field(field.name, field.type.element, options=field.options))
        return [None, *([value] for value in one if value is not None), [v for v in one if v is not None]]
    if field.options:
        return [None, *field.options]
    most = field.max_length
    return [
        one for one in _SAMPLES[field.type] if most is None or not isinstance(one, str) or len(one) <= most
    ]


_SAMPLES: Mapping[Type, Sequence[Value]] = {
    Type.TEXT: [None, "a", "Ünï, cödé; \"x\"\n'y' | z", "0", "1e3", "02142", "NO", "Ł" * 300],
    Type.EMAIL: [None, "Ann.O'Hara+x@ex.com", "анна@пример.укр"],
    Type.PHONE: [None, "+380671234567", "+16502530000;ext=12", "+390212345678"],
    Type.URL: [None, "https://bücher.de/a?b=c#d"],
    Type.DATE: [None, "1990-12-31", "2024-02-29", "2001-02-03"],
    Type.DATETIME: [None, "2024-03-31T01:00:00Z", "1969-12-31T23:59:59.999999Z"],
    Type.BOOL: [None, True, False],
    Type.INT: [None, 0, -7, 2**53 + 1],
    Type.DECIMAL: [None, "0", "12.5", "-0.001", "9007199254740993.25"],
    Type.MONEY: [None, {"amount": "12.5", "currency": "EUR"}, {"amount": "0", "currency": "JPY"}],
    Type.CHOICE: [None, "a", "B c"],
    Type.COUNTRY: [None, "DE", "US", "NA", "XK"],
    Type.LANGUAGE: [None, "de", "pt-BR", "zh-Hans-CN"],
    Type.ZONE: [None, "Europe/Kyiv", "UTC"],
    Type.ADDRESS: [
        None,
        '{"street":"Straße 5 \\"b\\"\\nHof; links","city":"Łódź","region":"BE","postcode":"02142"}',
        '{"city":"Ulm"}',
        '{"street":"вул. Хрещатик, 1","country":"UA"}',
    ],
    Type.REFERENCE: [None, "17", "0031x00000AbCdE"],
}


def sample_records(table: Mapping[str, Field]) -> Sequence[Mapping[str, Value]]:
    """Whole records out of `samples_of`: as many as the longest list, shorter ones repeat."""
    columns = {name: samples_of(field) for name, field in table.items()}
    rows = max(map(len, columns.values()), default=0)
    plain = [{name: values[row % len(values)] for name, values in columns.items()} for row in range(rows)]
    return [{**values, **_attributes(table, values, row)} for row, values in enumerate(plain)]


def _attributes(table: Mapping[str, Field], values: Mapping[str, Value], row: int) -> dict[str, Value]:
    """Kinds and labels for the elements of the sets that have such."""
    found: dict[str, Value] = {}
    labels = samples_of(Field(LABEL, Type.TEXT, max_length=40))
    for many, kinds in KINDS.items():
        for number, one in enumerate((values.get(many) or ()) if many in table else (), row):
            key = element_key(table[many].type)(one)
            found[attribute(many, key, KIND)] = (None, *kinds)[number % (len(kinds) + 1)]
            found[attribute(many, key, LABEL)] = labels[number % len(labels)]
    return found
