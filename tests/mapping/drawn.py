"""Records drawn by dice: canonical ones, and what systems may hold. Fast, for very many.

Values come from pools, of which each holds some hundred odd ones of a field, parsed as all that is read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from random import Random
from typing import Any

from tests.mapping.shipped import Shipped
from tests.mapping.strategies import KYIV
from trueup.mapping.apply import put
from trueup.mapping.compiled import Binding, ObjectMapping
from trueup.model.canonical import element_key, parse
from trueup.model.fields import ADDRESS_PARTS, KIND, KINDS, LABEL, Field, attribute
from trueup.model.record import Json
from trueup.model.values import ABSENT, Rejected, Type, Value

_POOL = 400
_SIGNS = "abc XYZ äßŁİı éę́ жї 中 🙂 0189 .,;:|/\\-_+@#&'\"<>()%\n\t\r\u00a0\u200b\u200d\u202e\u0301\u037e"
_WORDS = ("N/A", "Unknown", "null", "0", "1", "true", "No", "Ja", "-", "Ann", "O'Hara", "de Vries", "02142")
_NOISE: Sequence[Json] = (
    *(None, "", " ", 0, 1, -7, 12.5, True, False, [], {}, "1e400", 2**70, float("nan")),
    *(
        [""],
        ["a", None],
        [1, "b;c"],
        [["deep"]],
        {"amount": "x"},
        {"value": "a"},
        [{"value": "a@b.de"}],
        [{}],
    ),
)


def text(dice: Random) -> str:
    if dice.random() < 0.2:
        return dice.choice(_WORDS)
    length = dice.choice((1, 2, 5, 5, 12, 40, 300))
    return "".join(dice.choices(_SIGNS, k=dice.randint(1, length)))


def _address(dice: Random) -> dict[str, str]:
    parts = {part: text(dice)[:40] for part in ADDRESS_PARTS[:-1] if dice.random() < 0.6}
    return parts | ({"country": dice.choice(("DE", "US", "UA"))} if dice.random() < 0.5 else {})


def _email(dice: Random) -> str:
    local = "".join(dice.choices("abcXYZ019._+'-", k=dice.randint(1, 12)))
    return f"{local}@{dice.choice(('ex.com', 'EX.com', 'пример.укр', 'a-b.co.uk', 'xn--bcher-kva.de'))}"


def _phone(dice: Random) -> str:
    number = dice.choice(("+38067", "067", "+4930", "+1650253", "+39021", "0044 20 7946 ", "8 (800) 555-"))
    return number + "".join(dice.choices("0123456789", k=7)) + dice.choice(("", "", " x12", ";ext=7"))


def _number(dice: Random) -> str:
    return f"{dice.choice(('', '-'))}{dice.randint(0, 10 ** dice.randint(1, 15))}.{dice.randint(0, 10**6)}"


def raw(field: Field, dice: Random) -> Any:
    """Something that may become a value of this field."""
    if field.type.is_set:
        one = Field(field.name, field.type.element, options=field.options)
        return [raw(one, dice) for _ in range(dice.randint(0, 4))]
    if field.options:
        return dice.choice(field.options)
    moment = datetime(1900, 1, 1) + timedelta(0, dice.randrange(2**33), dice.randrange(10**6))
    match field.type:
        case Type.EMAIL:
            return _email(dice)
        case Type.PHONE:
            return _phone(dice)
        case Type.URL:
            scheme, rest = dice.choice(("", "http://", "HTTPS://")), dice.choice(("", "/a?b=c#d", ":8080/X"))
            return f"{scheme}Ex-{dice.randint(0, 99)}.com{rest}"
        case Type.DATE:
            return str(date(1, 1, 1) + timedelta(days=dice.randrange(3_600_000)))
        case Type.DATETIME:
            return str(moment.replace(microsecond=0) if dice.random() < 0.5 else moment)
        case Type.BOOL:
            return dice.random() < 0.5
        case Type.INT:
            return dice.choice((0, 1, -1, dice.randint(-(10**9), 10**9), dice.randint(-(2**62), 2**62)))
        case Type.DECIMAL:
            return _number(dice)
        case Type.MONEY:
            return {"amount": _number(dice), "currency": dice.choice(("EUR", "JPY", "KWD"))}
        case Type.COUNTRY:
            return dice.choice(("DE", "US", "UA", "XK", "NA", "CI", "KR", "TW", "Germany"))
        case Type.LANGUAGE:
            return dice.choice(("de", "pt-BR", "zh-Hans-CN", "uk", "no", "el", "he"))
        case Type.ZONE:
            return dice.choice(("Europe/Kyiv", "UTC", "America/New_York"))
        case Type.ADDRESS:
            return _address(dice)
        case Type.REFERENCE:
            return str(dice.randint(1, 10**9))
        case _:
            return text(dice)


@lru_cache(maxsize=1_000)
def pool(field: Field) -> Sequence[Value]:
    """Canonical values of a field, None among them."""
    dice = Random(field.name)
    found = (parse(field, raw(field, dice), KYIV) for _ in range(_POOL))
    return [None, *(one for one in found if not isinstance(one, Rejected))]


def canonical(shipped: Shipped, dice: Random) -> dict[str, Value]:
    """A whole record as the hub holds one: kinds and labels of its elements, and consents too."""
    table = shipped.table
    values = {name: None if dice.random() < 0.2 else dice.choice(pool(one)) for name, one in table.items()}
    for many, kinds in KINDS.items():
        for one in (values.get(many) or ()) if many in table else ():
            key = element_key(table[many].type)(one)
            values[attribute(many, key, KIND)] = dice.choice((None, *kinds))
            values[attribute(many, key, LABEL)] = dice.choice((None, text(dice)[:40].strip() or None))
    for binding in shipped.mapping.bindings:
        if binding.consent:
            values[binding.fields[0]] = dice.choice((None, "opted_out", "opted_in", "unknown"))
        elif (words := _words(shipped, binding)) and dice.random() < 0.5:
            said = binding.read(dice.choice(words))
            values.update({} if isinstance(said, Rejected) else said)
    return values


def _words(shipped: Shipped, binding: Binding) -> Sequence[str]:
    """Those that the system lets stand there."""
    spec = shipped.specs.get(binding.remote)
    return tuple(spec.options) if spec is not None else ()


def made(mapping: ObjectMapping, values: Mapping[str, Value]) -> tuple[dict[str, Json], list[Binding]]:
    """A new record of these values, as a create makes it, and the bindings that gave something to it."""
    record: dict[str, Json] = {}
    given: list[Binding] = []
    for binding in mapping.bindings:
        written = binding.write(values) if binding.outward else ABSENT
        if written is not ABSENT and not isinstance(written, Rejected) and put(record, binding, written):
            given.append(binding)
    return record, given


def remote(shipped: Shipped, dice: Random) -> dict[str, Json]:
    """A record as a system may hold it: what was made of other values, noise, and what is not told."""
    record, _ = made(shipped.mapping, canonical(shipped, dice))
    found: dict[str, Json] = {}
    for path in shipped.mapping.remote_fields:
        chance = dice.random()
        if chance < 0.6:
            found[path] = record.get(path)
        elif chance < 0.75:
            found[path] = dice.choice(_NOISE)
        elif chance < 0.9:
            found[path] = dice.choice((text(dice), f" {record.get(path)} ", _number(dice)))
    return found


def cases(shipped: Shipped, number: int) -> Iterator[tuple[dict[str, Value], dict[str, Json]]]:
    """So many pairs of a record as the hub holds it and one as the system does, always the same."""
    dice = Random(f"{shipped.mapping.connection} {shipped.mapping.object}")
    for _ in range(number):
        yield canonical(shipped, dice), remote(shipped, dice)
