"""`parse`: one function per type, chosen once for a field (`parser`) or at each call (`parse`)."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TypeAlias

from trueup.model.canonical.addresses import read_email, read_url
from trueup.model.canonical.locale import Locale
from trueup.model.canonical.moments import read_date, read_moment
from trueup.model.canonical.numbers import read_bool, read_decimal, read_int, read_money
from trueup.model.canonical.phones import read_phone
from trueup.model.canonical.placeholders import means_nothing, placeholder_test
from trueup.model.canonical.places import read_country, read_language, read_zone
from trueup.model.canonical.postal import address_of, parts_written
from trueup.model.canonical.sameness import comparable
from trueup.model.canonical.text import clean, described, read_text
from trueup.model.fields import ADDRESS_PARTS, Field
from trueup.model.record import LONGEST_ID, Json, is_id
from trueup.model.values import Rejected, Type, Value

Parser: TypeAlias = Callable[[Json], Value | Rejected]

MAX_ELEMENTS = 10_000
_NO_ID = Rejected(f"longer than {LONGEST_ID} characters, and so no record's id", "TU-VAL-002")
_LONGEST_SCALAR = 200


def parse(field: Field, raw: Json, locale: Locale) -> Value | Rejected:
    """The canonical value of a raw one; None for null, blanks and placeholders."""
    return parser(field, locale)(raw)


@lru_cache(maxsize=4096)
def parser(field: Field, locale: Locale) -> Parser:
    """`parse` for one field and locale, made ready."""
    if field.type.is_set:
        return _set_parser(field, locale)
    match field.type:
        case Type.CHOICE:
            return _choice_parser(field)
        case Type.BOOL | Type.INT | Type.DECIMAL | Type.MONEY | Type.DATE | Type.DATETIME:
            return _scalar_parser(field.type, locale)
        case Type.ADDRESS:
            return _address_parser(field, locale)
    return _text_parser(field, _text_reader(field.type, locale))


def _text_reader(type: Type, locale: Locale) -> Parser | None:
    match type:
        case Type.EMAIL:
            return read_email
        case Type.PHONE:
            region = locale.phone_region.upper()
            return lambda text: read_phone(text, region)
        case Type.URL:
            return read_url
        case Type.COUNTRY:
            return read_country
        case Type.LANGUAGE:
            return read_language
        case Type.ZONE:
            return read_zone
        case Type.REFERENCE:
            return lambda id: id if is_id(id) else _NO_ID
    return None


def _text_parser(field: Field, read: Parser | None) -> Parser:
    """Text, cleaned, and then what `read` makes of it; a field's own length is in characters."""
    nothing, limit = placeholder_test(field.type), field.max_length

    def parsed(raw: Json) -> Value | Rejected:
        if raw is None:
            return None
        text = read_text(raw)
        if text.__class__ is not str:
            return text
        if not text or nothing(text):
            return None
        if limit is not None and len(text) > limit:
            return Rejected(f"longer than the {limit} characters that this field holds", "TU-VAL-002")
        return text if read is None else read(text)

    return parsed


def _scalar_parser(type: Type, locale: Locale) -> Parser:
    sign, zone = locale.decimal, locale.time_zone
    readers: dict[Type, Parser] = {
        Type.BOOL: read_bool,
        Type.INT: lambda raw: read_int(raw, sign),
        Type.DECIMAL: lambda raw: read_decimal(raw, sign),
        Type.MONEY: lambda raw: read_money(raw, sign),
        Type.DATE: read_date,
        Type.DATETIME: lambda raw: read_moment(raw, zone),
    }
    read, nothing = readers[type], placeholder_test(type)

    def parsed(raw: Json) -> Value | Rejected:
        if raw is None:
            return None
        if isinstance(raw, str):
            raw = raw.strip() if raw.isprintable() or len(raw) > _LONGEST_SCALAR else clean(raw)
            if not raw or nothing(raw):
                return None
        return read(raw)

    return parsed


def _choice_parser(field: Field) -> Parser:
    """One of the options, whatever its case. An option that looks like a placeholder is an option."""
    options = {option.casefold(): option for option in reversed(field.options)}
    allowed = Rejected(f"not one of {', '.join(field.options)}", "TU-VAL-003")
    exact = frozenset(field.options)

    def parsed(raw: Json) -> Value | Rejected:
        if raw is None:
            return None
        text = ("true" if raw else "false") if isinstance(raw, bool) else read_text(raw)
        if text.__class__ is not str:
            return text
        if text in exact:
            return text
        if (option := options.get(text.casefold())) is not None:
            return option
        if not text or means_nothing(text):
            return None
        return allowed if options else text

    return parsed


def _address_parser(field: Field, locale: Locale) -> Parser:
    """Its parts by name, each read as what it is; or the text that is their canonical form."""
    text = parser(Field(field.name, Type.TEXT, max_length=field.max_length), locale)
    readers = dict.fromkeys(ADDRESS_PARTS, text) | {"country": parser(Field("country", Type.COUNTRY), locale)}

    def parsed(raw: Json) -> Value | Rejected:
        if isinstance(raw, str):
            raw = parts_written(raw)
        if raw is None:
            return None
        if not isinstance(raw, dict) or not raw.keys() <= readers.keys():
            return Rejected(f"expected an address by its parts ({', '.join(readers)})")
        parts = {name: readers[name](value) for name, value in raw.items()}
        for name, part in parts.items():
            if isinstance(part, Rejected):
                return Rejected(f"{name}: {part.reason}", part.code)
        return address_of(parts)

    return parsed


def _set_parser(field: Field, locale: Locale) -> Parser:
    """Each element parsed; sorted, without repeats; nothing left is None."""
    type = field.type.element
    read = parser(Field(field.name, type, max_length=field.max_length), locale)

    def parsed(raw: Json) -> Value | Rejected:
        if raw is None or (isinstance(raw, str) and (not raw.strip() or means_nothing(raw.strip()))):
            return None
        if not isinstance(raw, list | tuple):
            return Rejected(f"expected a list, found {described(raw)} (`comma_list` splits text)")
        if len(raw) > MAX_ELEMENTS:
            return Rejected(f"a list of more than {MAX_ELEMENTS:,} elements", "TU-VAL-002")
        return as_set(type, [read(element) for element in raw])

    return parsed


def as_set(type: Type, elements: list[Value]) -> Value | Rejected:
    """Canonical elements (or what was wrong with one) as a canonical set."""
    for position, element in enumerate(elements, 1):
        if isinstance(element, Rejected):
            return Rejected(f"element {position}: {element.reason}", element.code)
    present: list[str] = sorted(element for element in elements if element is not None)
    if type is Type.EMAIL or type is Type.ADDRESS:
        by_key = {comparable(type, element): element for element in reversed(present)}
        return [by_key[key] for key in sorted(by_key, key=str)] or None
    return sorted(set(present)) or None
