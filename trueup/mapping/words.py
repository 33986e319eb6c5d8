"""Words of a system for words of the hub: value maps, and the options that a system allows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

from trueup.mapping.schema import FieldRule, Unmapped
from trueup.model.canonical import Parser, clean, comparable
from trueup.model.canonical.numbers import decimal_text
from trueup.model.record import FieldSpec, Json
from trueup.model.values import ABSENT, Rejected, Type, Value

Step: TypeAlias = Callable[[Json], Json | Rejected]

UNMAPPED_CODE = "TU-VAL-003"
_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Codec:
    """One value both ways. `read` and `write` never see None; ABSENT from either means: leave it alone."""

    read: Step
    write: Step


def word_key(word: Json) -> Json:
    """Under which two remote words are one: `1` and `"1"`, true and `"True"`, `Gold` and `gold `."""
    if isinstance(word, bool):
        return "true" if word else "false"
    if isinstance(word, int):
        return str(word)
    if isinstance(word, float):
        return decimal_text(Decimal(repr(word))) if word == word and abs(word) < 1e300 else str(word)
    return clean(word).casefold() if isinstance(word, str) else None


def with_words(base: Codec, rule: FieldRule, type: Type, parse: Parser) -> Codec:
    """The codec with the rule's value map before it. Of shared remote words the first canonical one is read.

    What the map does not have follows `unmapped`; blanks and placeholders are empty all the same.
    """
    if rule.values is None:
        return base
    canonical = {word: parse(word) for word in rule.values}
    inward: dict[Json, Value] = {}
    outward: dict[Json, Json] = {}
    for word, remote in rule.values.items():
        for name in remote:
            inward.setdefault(word_key(name), canonical[word])
        if remote:
            outward.setdefault(comparable(type, canonical[word]), remote[0])
    allowed = [name for remote in rule.values.values() for name in remote]
    read = _reader(base, rule, inward, unmapped(allowed))
    return Codec(read, _writer(base, rule, type, outward, unmapped([*rule.values])))


def _reader(base: Codec, rule: FieldRule, inward: Mapping[Json, Value], refused: Rejected) -> Step:
    policy = rule.unmapped
    substitute = inward.get(word_key(rule.default), refused) if rule.default is not None else refused

    def read(raw: Json) -> Json | Rejected:
        found = inward.get(word_key(raw), ABSENT)
        if found is not ABSENT:
            return found
        plain = base.read(raw)
        if plain is None or policy in (Unmapped.PASS, Unmapped.CREATE):
            return plain
        if policy is Unmapped.LEAVE:
            return ABSENT
        return substitute if policy is Unmapped.DEFAULT else refused

    return read


def _writer(
    base: Codec, rule: FieldRule, type: Type, outward: Mapping[Json, Json], refused: Rejected
) -> Step:
    def write(value: Value) -> Json | Rejected:
        found = outward.get(comparable(type, value), ABSENT)
        return otherwise(rule, refused, lambda: base.write(value)) if found is ABSENT else found

    return write


def with_options(base: Codec, rule: FieldRule, spec: FieldSpec | None, type: Type, plain: Parser) -> Codec:
    """The codec with what is written checked against the system's own list, and put in its spelling.

    A canonical value meets the option that reads as it, by value or by label: `DE` the option `Germany`.
    """
    if spec is None or not spec.options:
        return base
    spelled: dict[Json, Json] = {}
    for option, label in (*((o, o) for o in spec.options), *((o, x) for o, x in spec.options.items())):
        spelled.setdefault(word_key(label), option)
    meaning: dict[Json, Json] = {}
    for word, option in spelled.items():
        if not isinstance(value := plain(word), Rejected) and value is not None:
            meaning.setdefault(comparable(type, value), option)
    return Codec(_option_reader(base, spec), _option_writer(base, rule, type, spelled, meaning))


def _option_reader(base: Codec, spec: FieldSpec) -> Step:
    labels = {word_key(option): label for option, label in spec.options.items()}

    def read(raw: Json) -> Json | Rejected:
        value = base.read(raw)
        if not isinstance(value, Rejected):
            return value
        label = labels.get(word_key(raw))
        by_label = base.read(label) if label is not None else value
        return value if isinstance(by_label, Rejected) else by_label

    return read


def _option_writer(
    base: Codec, rule: FieldRule, type: Type, spelled: Mapping[Json, Json], meaning: Mapping[Json, Json]
) -> Step:
    refused = unmapped(sorted(set(spelled.values()), key=str))

    def write(value: Value) -> Json | Rejected:
        word = base.write(value)
        if word is ABSENT or word is None or isinstance(word, Rejected):
            return word
        option = spelled.get(word_key(word))
        if option is None and rule.values is None:
            option = meaning.get(comparable(type, value))
        return otherwise(rule, refused, lambda: word) if option is None else option

    return write


def otherwise(rule: FieldRule, refused: Rejected, through: Callable[[], Json | Rejected]) -> Json | Rejected:
    """What is written for a value that has no word there."""
    match rule.unmapped:
        case Unmapped.PASS | Unmapped.CREATE:
            return through()
        case Unmapped.LEAVE:
            return ABSENT
        case Unmapped.DEFAULT:
            return refused if rule.default is None else rule.default
    return refused


def unmapped(allowed: list[Json]) -> Rejected:
    """The refusal of a word, naming the words there are."""
    allowed = list(dict.fromkeys(map(str, allowed)))
    words = ", ".join(allowed[:_SHOWN])
    more = f" and {len(allowed) - _SHOWN} more" if len(allowed) > _SHOWN else ""
    return Rejected(f"not one of the words that are known for this field: {words}{more}", UNMAPPED_CODE)
