"""Remote records: what a connected system says, in its own form."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeAlias

Json: TypeAlias = Any
"""A JSON value: str, int, float, bool, None, list, or dict with string keys."""

Cursor: TypeAlias = Mapping[str, Json]
"""A connector's position in a stream; opaque to everybody else, small, and JSON."""


LONGEST_ID = 500
"""Characters: what every database finds by an index, whatever they are (PostgreSQL: 2,700 bytes)."""

_IMPOSSIBLE = re.compile("[\x00\ud800-\udfff]")


def is_id(text: str) -> bool:
    """Whether a record may be called so: not at all empty or long, without a NUL or half of a character."""
    return 0 < len(text) <= LONGEST_ID and not impossible(text)


def impossible(text: str) -> bool:
    """Whether it holds a NUL or half of a character, which no database keeps."""
    return _IMPOSSIBLE.search(text) is not None


def legible(text: str) -> str:
    """A text that databases keep: a NUL, and half of a character, become question marks."""
    return text if text.isascii() and text.isprintable() else _IMPOSSIBLE.sub("?", text)


@dataclass(frozen=True, slots=True, order=True)
class Ref:
    """The address of a remote record: connection name, object (`contacts`, `Lead`), remote id."""

    connection: str
    object: str
    id: str

    def __str__(self) -> str:
        return f"{self.connection}/{self.object}/{self.id}"


@dataclass(frozen=True, slots=True)
class Record:
    """One remote record as read.

    `values` is flat: remote field path (`firstname`, `user_fields.tier`, `Account.Name`) to value, in
    the system's own form. A path that is missing was *not said*; None is *said to be empty*.
    `version` is whatever the system calls a version, as text; None where it has none.
    `changed_at` is the system's own stamp (aware UTC), None if it gave none.
    `deleted`: the system says that the record is deleted (its values may be missing).
    `successor`: the id of the record that it was merged or converted into, `successor_object` the
    object of that, when it differs (a Salesforce Lead that became a Contact).
    `aliases`: other ids that the system resolves to this record (merged-away ones).
    """

    id: str
    values: Mapping[str, Json]
    version: str | None = None
    changed_at: datetime | None = None
    deleted: bool = False
    successor: str | None = None
    successor_object: str | None = None
    aliases: tuple[str, ...] = ()


class Reading(StrEnum):
    """What a pull is to bring."""

    LISTING = "listing"  # every living record, once, in any order; makes absence mean something
    CHANGES = "changes"  # what changed since the cursor; may repeat, must not miss


@dataclass(frozen=True, slots=True)
class Page:
    """Some records and the position that is safe once they are stored.

    `cursor` continues this reading while `more`; when `more` is False it is where the next
    CHANGES reading starts. `total` is the system's own count for the whole reading, if it told one.
    `rejected` are rows that could not be read as records at all: (what it was, why). `anew`: what the
    reading had brought so far is not the same any more, and it begins again with this page.
    """

    records: tuple[Record, ...]
    cursor: Cursor
    more: bool
    total: int | None = None
    rejected: tuple[tuple[str, str], ...] = ()
    anew: bool = False


@dataclass(frozen=True, slots=True)
class Hint:
    """`Look at this record`: all that a webhook is trusted for. `object` may be empty if unknown."""

    object: str
    id: str


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """What a system says about one of its fields (live metadata).

    `type` is one of the connector vocabulary: text, email, phone, url, bool, int, decimal, date,
    datetime, choice, multi_choice, reference, object, unknown. `options` maps value to label.
    `required` means: a record cannot be created without it. `writable` False covers calculated,
    read-only and no-permission. `joined_by`: the sign between the options where a multi_choice is held as one
    text; empty where it is a list. `encoding`: it holds only the characters of this encoding (a name that
    Python knows); empty where it holds any.
    """

    name: str
    label: str
    type: str
    writable: bool = True
    required: bool = False
    unique: bool = False
    max_length: int | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    reference_to: tuple[str, ...] = ()
    joined_by: str = ""
    encoding: str = ""
