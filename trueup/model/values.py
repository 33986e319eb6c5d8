"""Canonical values: what the hub holds, always plain JSON, one form per type.

| type        | canonical form                                                                   |
|-------------|----------------------------------------------------------------------------------|
| text        | NFC, trimmed, invisible characters gone; line breaks kept as `\\n`                |
| email       | text; domain lower-case and IDN-decoded to Unicode; the local part as it was typed |
| phone       | E.164, with `;ext=N` when there is an extension                                   |
| url         | text with scheme and lower-case host                                             |
| date        | `YYYY-MM-DD`                                                                     |
| datetime    | `YYYY-MM-DDTHH:MM:SS[.ffffff]Z`, always UTC                                       |
| bool        | true / false                                                                     |
| int         | int                                                                              |
| decimal     | text without exponent or trailing zeros (`12.5`)                                 |
| money       | `{"amount": decimal text, "currency": ISO 4217}`                                 |
| choice      | one of the field's options, as text                                              |
| country     | ISO 3166-1 alpha-2                                                               |
| language    | BCP 47 (`de`, `pt-BR`)                                                           |
| zone        | IANA time zone name                                                              |
| texts …     | sorted list without repeats of the element's canonical form                      |
| address     | JSON text of its parts in a fixed order, without empty ones (`{"city":"Ulm"}`)    |
| reference   | public id of an entity (`co-17`)                                                 |

None is empty. Absent is a missing key, never a value. `0` and `false` are values.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias

Value: TypeAlias = Any
"""A canonical value (see the table above); None is empty."""


class Type(StrEnum):
    """The types of canonical fields."""

    TEXT = "text"
    EMAIL = "email"
    PHONE = "phone"
    URL = "url"
    DATE = "date"
    DATETIME = "datetime"
    BOOL = "bool"
    INT = "int"
    DECIMAL = "decimal"
    MONEY = "money"
    CHOICE = "choice"
    COUNTRY = "country"
    LANGUAGE = "language"
    ZONE = "zone"
    TEXTS = "texts"
    EMAILS = "emails"
    PHONES = "phones"
    ADDRESS = "address"
    ADDRESSES = "addresses"
    REFERENCE = "reference"
    REFERENCES = "references"

    @property
    def is_set(self) -> bool:
        """Whether values are merged element by element."""
        return self in _SETS

    @property
    def element(self) -> Type:
        """The type of a set's elements."""
        return _SETS[self]


_SETS = {
    Type.TEXTS: Type.TEXT,
    Type.EMAILS: Type.EMAIL,
    Type.PHONES: Type.PHONE,
    Type.ADDRESSES: Type.ADDRESS,
    Type.REFERENCES: Type.REFERENCE,
}


@dataclass(frozen=True, slots=True)
class Rejected:
    """A raw value that has no canonical form; the value itself is not repeated here."""

    reason: str
    code: str = "TU-VAL-001"


class Absent(StrEnum):
    """The one value that means: the system did not say."""

    ABSENT = "absent"


ABSENT = Absent.ABSENT
