"""One field rule as a Binding: empties, words, transform and length put together, once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from trueup.mapping import names
from trueup.mapping.amounts import as_number
from trueup.mapping.compiled import Binding, Read, Write
from trueup.mapping.elements import elements_of, present
from trueup.mapping.items import Items, items_of, postal_codec
from trueup.mapping.schema import Direction, FieldRule, Shape, TooLong
from trueup.mapping.terms import terms_of
from trueup.mapping.transforms import Transform, UnknownTransform, transform
from trueup.mapping.words import Codec, with_options, with_words, word_key
from trueup.model.canonical import Locale, Parser, parser
from trueup.model.canonical.moments import day_in_zone
from trueup.model.canonical.reading import MAX_ELEMENTS, as_set
from trueup.model.fields import KINDS, NAME_PARTS, Field
from trueup.model.record import FieldSpec, Json
from trueup.model.values import ABSENT, Rejected, Type, Value

TOO_LONG_CODE = "TU-VAL-002"
READ_ONLY_CODE = "TU-VAL-004"
NO_SUCH_CHARACTER_CODE = "TU-VAL-005"

_SHORT, _REMEMBERED = 48, 1024

_NOTHING: Mapping[str, Value] = {}
_UNCUTTABLE = frozenset(
    {Type.EMAIL, Type.PHONE, Type.URL, Type.DATE, Type.DATETIME, Type.REFERENCE, Type.MONEY, Type.DECIMAL}
)


@dataclass(frozen=True, slots=True)
class Site:
    """All that is known where a rule is compiled. `reserved`: elements that have a binding of their own,
    `sign`: what stands between the elements where that list is one text."""

    rule: FieldRule
    field: Field
    locale: Locale
    spec: FieldSpec | None
    reserved: frozenset[Json] = frozenset()
    sign: str = ""


def field_binding(site: Site, key: str) -> Binding:
    """The binding of one field rule. Raises UnknownTransform where transform or shape cannot fit."""
    rule, field = site.rule, site.field
    items = _items(site)
    read, write, fields = _functions(site, items)
    return Binding(
        key=key,
        remote=rule.remote.partition("#")[0] if rule.shape is Shape.ELEMENT else rule.remote,
        fields=fields,
        direction=_direction(site),
        shape=rule.shape or (Shape.LIST if field.type.is_set else Shape.VALUE),
        read=read,
        write=_refused_writer if _cannot_write(site) else write,
        refused=rule.refused,
        clear=rule.clear,
        unmapped=rule.unmapped,
        default=rule.default,
        publish=rule.publish,
        create_only=rule.create_only,
        element=rule.remote.partition("#")[2] if rule.shape is Shape.ELEMENT else "",
        sign=site.sign,
        type=field.type if len(fields) == 1 or items else Type.TEXT,
        refers=field.refers if not field.derived else None,
        to=rule.to,
        items=items,
        locked=_cannot_write(site) and rule.direction is not Direction.IN,
        terms=terms_of(rule, site.spec),
        origin=rule.origin,
    )


def _functions(site: Site, items: Items | None) -> tuple[Read, Write, tuple[str, ...]]:
    if items is not None:
        return items.read, items.write, items.fields
    if site.rule.shape is Shape.ELEMENT:
        return (*_presence(site), (site.field.name,))
    if site.field.name == "full_name":
        return (*_full_name(site), NAME_PARTS)
    codec = _set_codec(site) if site.field.type.is_set else _value_codec(site)
    codec = _limited(site, codec)
    return (*_single(site, codec), (site.field.name,))


def _direction(site: Site) -> Direction:
    """Derived fields are only ever carried outward (but a company's name that people typed on a contact
    is read too); what the system does not let us write, inward."""
    if site.field.derived and site.field.name not in ("full_name", "company.name"):
        return Direction.OUT
    if site.rule.direction is Direction.BOTH and site.spec is not None and not site.spec.writable:
        return Direction.IN
    return site.rule.direction


def _cannot_write(site: Site) -> bool:
    return site.spec is not None and not site.spec.writable


def is_locked(binding: Binding) -> bool:
    """Whether its system does not let this field be written, whatever the file says."""
    return binding.write is _refused_writer


def _refused_writer(_: Mapping[str, Value]) -> Json | Rejected:
    return Rejected("the system does not let this field be written", READ_ONLY_CODE)


def _single(site: Site, codec: Codec) -> tuple[Read, Write]:
    """Reading and writing one field: None is empty on both sides, the default stands for it there."""
    name, default = site.field.name, site.rule.default
    empty: Mapping[str, Value] = {name: None}
    filler = _filler_keys(site)
    decode, encode = codec.read, codec.write

    def read(raw: Json) -> Mapping[str, Value] | Rejected:
        if raw is None or (filler and word_key(raw) in filler):
            return empty
        value = decode(raw)
        if value.__class__ is Rejected:
            return value
        return _NOTHING if value is ABSENT else {name: value}

    def write(values: Mapping[str, Value]) -> Json | Rejected:
        value = values.get(name)
        remote = None if value is None else encode(value)
        return default if remote is None else remote

    return _remembered(read), write


def _remembered(read: Read) -> Read:
    """The same function, which knows what it last said of short texts: most fields repeat a few words."""
    known: dict[str, Mapping[str, Value] | Rejected] = {}

    def reading(raw: Json) -> Mapping[str, Value] | Rejected:
        if raw.__class__ is not str:
            return read(raw)
        result = known.get(raw)
        if result is None:
            result = read(raw)
            if len(raw) <= _SHORT:
                if len(known) >= _REMEMBERED:
                    known.clear()
                known[raw] = result
        return result

    return reading


def _filler_keys(site: Site) -> frozenset[Json]:
    """What is read as empty: the default, whole or cut, unless the value map gives it a meaning."""
    rule = site.rule
    if rule.default is None or not isinstance(rule.default, str | int | float):
        return frozenset()
    mapped = {word_key(word) for words in (rule.values or {}).values() for word in words}
    cut = str(rule.default)[: limit(site)] if isinstance(rule.default, str) else rule.default
    return frozenset({word_key(rule.default), word_key(cut)} - mapped)


def _transform(site: Site) -> Transform | None:
    if site.rule.transform is None:
        return None
    return transform(site.rule.transform, site.field.type, site.locale)


def _value_codec(site: Site) -> Codec:
    return _worded(site, site.field, _transform(site))


def _worded(site: Site, field: Field, named: Transform | None) -> Codec:
    """The codec of one value: transform or the system's type, then the value map, then its options."""
    if field.type is Type.ADDRESS:
        return postal_codec(field, site.locale)
    parse = parser(field, site.locale)
    if named is not None:
        base = Codec(_read_through(named, parse), named.write)
    else:
        base = Codec(parse, _writer_for(field.type, site))
    worded = with_words(base, site.rule, field.type, parse)
    return with_options(worded, site.rule, site.spec, field.type, parse)


def _read_through(named: Transform, parse: Parser) -> Callable[[Json], Json | Rejected]:
    step = named.read

    def read(raw: Json) -> Json | Rejected:
        plain = step(raw)
        return plain if plain.__class__ is Rejected else parse(plain)

    return read


def _writer_for(type: Type, site: Site) -> Callable[[Json], Json | Rejected]:
    """How a canonical value is written where no transform says: by the type that the system names."""
    remote = site.spec.type if site.spec is not None else ""
    zone = site.locale.time_zone
    match type:
        case Type.DECIMAL | Type.INT if remote in ("int", "decimal"):
            return as_number
        case Type.INT | Type.BOOL if remote in ("text", "choice"):
            return lambda value: str(value).lower()
        case Type.DATETIME if remote == "date":
            return lambda value: day_in_zone(value, zone)
        case Type.DATE if remote == "datetime":
            return lambda value: f"{value}T00:00:00Z"
        case Type.PHONE:
            return lambda value: value.replace(";ext=", " ext. ")
        case Type.MONEY if remote in ("text", ""):
            return lambda value: f"{value['amount']} {value['currency']}"
    return lambda value: value


def _set_codec(site: Site) -> Codec:
    """A set: split and joined as a whole, each element read and written by itself."""
    named = _transform(site)
    split, join = _container(site, named)
    element = replace(site.field, type=site.field.type.element)
    codec = _worded(site, element, None if named is None or named.whole else named)
    whole, type, reserved = parser(site.field, site.locale), element.type, site.reserved

    def read(raw: Json) -> Json | Rejected:
        elements = split(raw)
        if not isinstance(elements, list | tuple):
            return elements if isinstance(elements, Rejected) else whole(elements)
        if len(elements) > MAX_ELEMENTS:
            return whole(elements)
        mine = [each for each in elements if each is not None]
        if reserved:
            mine = [each for each in mine if word_key(each) not in reserved]
        values = [codec.read(each) for each in mine]
        return as_set(type, [value for value in values if value is not ABSENT])

    def write(value: Value) -> Json | Rejected:
        words = [codec.write(each) for each in value]
        held = [word for word in words if word is not None and word is not ABSENT]
        if type is not Type.ADDRESS:  # those are objects, each another one
            held = list(dict.fromkeys(held))
        return _first_rejected(words) or join(held)

    return Codec(read, write)


def sign_of(rule: FieldRule, field: Field, locale: Locale, spec: FieldSpec | None) -> str:
    """What stands between the elements where this rule's set is held as one text, else nothing.
    Raises UnknownTransform."""
    if not field.type.is_set:
        return ""
    site = Site(rule, field, locale, spec)
    text = _container(site, _transform(site))[1](["a", "b"])
    return text[1:-1] if isinstance(text, str) else ""


def _container(
    site: Site, named: Transform | None
) -> tuple[Callable[[Json], Json | Rejected], Callable[[Json], Json | Rejected]]:
    """How the list as a whole is held: a JSON list, or text joined by a sign."""
    spec = site.spec
    if named is None and spec is not None and spec.type == "multi_choice" and site.rule.shape is None:
        sign = {",": "comma"}.get(spec.joined_by, spec.joined_by)
        named = transform(f"joined_list({sign})", site.field.type, site.locale) if sign else None
    if named is not None and named.whole:
        return named.read, named.write
    return (lambda raw: raw), (lambda elements: elements or None)


def _first_rejected(values: Sequence[Json]) -> Rejected | None:
    return next((value for value in values if isinstance(value, Rejected)), None)


def limit(site: Site) -> int | None:
    """The most characters that the remote field keeps, None if nobody says."""
    known = (site.rule.max_length, site.spec.max_length if site.spec is not None else None)
    return min((length for length in known if length), default=None)


def _limited(site: Site, codec: Codec) -> Codec:
    """The codec with text refused that the target cannot hold: longer than it keeps (or cut, where the rule
    says so), or with characters that its encoding has not."""
    return _encodable(site, _short_enough(site, codec))


def _encodable(site: Site, codec: Codec) -> Codec:
    encoding = site.spec.encoding if site.spec is not None else ""
    if not encoding:
        return codec
    refused = Rejected(f"holds a character that {encoding} has not", NO_SUCH_CHARACTER_CODE)

    def write(value: Value) -> Json | Rejected:
        remote = codec.write(value)
        return refused if isinstance(remote, str) and not holds(encoding, remote) else remote

    return Codec(codec.read, write)


def holds(encoding: str, text: str) -> bool:
    """Whether an encoding has all characters of a text."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _short_enough(site: Site, codec: Codec) -> Codec:
    most = limit(site)
    if most is None:
        return codec
    cut = site.rule.too_long is TooLong.TRUNCATE and site.field.type not in _UNCUTTABLE
    refused = Rejected(f"longer than the {most} characters that the system keeps", TOO_LONG_CODE)

    def write(value: Value) -> Json | Rejected:
        remote = codec.write(value)
        if not isinstance(remote, str) or len(remote) <= most:
            return remote
        return _cut(codec, value, remote, most) if cut else refused

    return Codec(codec.read, write)


def _cut(codec: Codec, value: Value, remote: str, most: int) -> Json | Rejected:
    """The longest beginning that fits: of a set its first elements, of text its first characters."""
    if not isinstance(value, list):
        return remote[:most].rstrip()
    for kept in range(len(value) - 1, 0, -1):
        shorter = codec.write(value[:kept])
        if not isinstance(shorter, str) or len(shorter) <= most:
            return shorter
    return None


def _full_name(site: Site) -> tuple[Read, Write]:
    """The view of the name parts as one text."""
    parse = parser(replace(site.field, type=Type.TEXT), site.locale)
    named = _transform(site)
    parts_of, order = _name_order(named)
    codec = _limited(site, Codec(parse, lambda parts: order(parts) or None))
    filler, default = _filler_keys(site), site.rule.default
    empty: Mapping[str, Value] = dict.fromkeys(NAME_PARTS)

    def read(raw: Json) -> Mapping[str, Value] | Rejected:
        if raw is None or (filler and word_key(raw) in filler):
            return empty
        text = parse(raw)
        if text.__class__ is Rejected:
            return text
        return empty if text is None else dict(zip(NAME_PARTS, parts_of(text), strict=True))

    def write(values: Mapping[str, Value]) -> Json | Rejected:
        remote = codec.write(names.of_values(values))
        return default if remote is None else remote

    return _remembered(read), write


def _name_order(named: Transform | None) -> tuple[Callable[[Any], names.Parts], Callable[[names.Parts], str]]:
    """How a name in one text is read, and how it is written."""
    if named is None or named.name != "last_first":
        return names.parts_of, names.joined
    sign = named.arguments[0] if named.arguments else ","
    return names.parts_of_register, lambda parts: names.last_first(parts, sign)


def _items(site: Site) -> Items | None:
    """A list of objects, each of which holds one element of the set."""
    rule, field = site.rule, site.field
    if rule.item is None:
        return None
    if field.name not in KINDS or rule.shape not in (None, Shape.LIST, Shape.ELEMENTS):
        raise UnknownTransform(f"`item` is for lists of {', '.join(KINDS)}, in shape `list` or `elements`")
    element = replace(field, type=field.type.element)
    return items_of(field, rule.item, _limited(site, _worded(site, element, _transform(site))), site.locale)


def _presence(site: Site) -> tuple[Read, Write]:
    """A truth value held as one element of a list: `remote#element`, there or not there."""
    path, _, element = site.rule.remote.partition("#")
    if site.field.type is not Type.BOOL or not element:
        raise UnknownTransform(f"shape `element` is for true/false fields, written `{path}#NAME`")
    name, sign = site.field.name, site.sign

    def read(raw: Json) -> Mapping[str, Value] | Rejected:
        elements = elements_of(raw, sign)
        if isinstance(elements, Rejected):
            return elements
        return {name: present(elements, element)}

    return read, lambda values: bool(values.get(name))
