"""What a connection's configuration says about its tables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from trueup.connectors.base import Capability, ObjectSpec
from trueup.connectors.options import CONTACT_OBJECT, AuthKey, Options, SignIn, matching, names, text
from trueup.errors import ConfigError, Problem

DEFAULT_LOOKBACK = 300.0
_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_LENGTH = r"\s*(\d+(?:\.\d+)?)\s*([smhd]?)\s*"

_ALWAYS = frozenset({
    Capability.COMPLETE_LISTING, Capability.BATCH_READ, Capability.LOOKUP_BY_KEY, Capability.BATCH_WRITE,
    Capability.CONDITIONAL_WRITE, Capability.ANSWERS_WITH_RECORD, Capability.READ_YOUR_WRITES,
    Capability.DELETE, Capability.SCHEMA,
})  # fmt: skip
_WITH_STAMP = frozenset({Capability.INCREMENTAL, Capability.ORDERED_BY_CHANGE})


@dataclass(frozen=True, slots=True)
class TableSettings:
    """One object: which table or view, which column is the id, which one says when a row changed.

    `changed_at` may name several columns; the first that is not null counts. `upsert_key` is the column
    by which a repeated create finds what it made before; `keys` are more columns for look-ups.
    `lookback` is in seconds: how late a transaction may commit after the stamp that it wrote.
    """

    name: str
    table: str
    schema: str | None
    kind: str
    key: str
    changed_at: tuple[str, ...]
    upsert_key: str | None
    keys: tuple[str, ...]
    lookback: float
    deactivates: bool
    page: int = 1000


def table_settings(name: str, said: Mapping[str, Any]) -> TableSettings:
    """Read one entry of `objects:`. ConfigError when no key column is named or a value makes no sense."""
    key = said.get("key")
    if not isinstance(key, str) or not key:
        raise _wrong(f"objects.{name}: `key` must name the column that identifies a row")
    return TableSettings(
        name=name,
        table=str(said.get("table") or name),
        schema=said.get("schema"),
        kind=str(said.get("entity") or ("case" if "case" in said else "contact")),
        key=key,
        changed_at=_names(said.get("changed_at")),
        upsert_key=said.get("upsert_key"),
        keys=_names(said.get("keys")),
        lookback=_seconds(name, said.get("lookback", DEFAULT_LOOKBACK)),
        deactivates=bool(said.get("deactivate")),
    )


def object_spec(settings: TableSettings) -> ObjectSpec:
    """The capabilities that follow from the configuration alone."""
    capabilities = _ALWAYS
    if settings.changed_at:
        capabilities |= _WITH_STAMP
    if settings.upsert_key:
        capabilities |= {Capability.UPSERT_BY_KEY}
    if settings.deactivates:
        capabilities |= {Capability.DEACTIVATE}
    keys = [settings.upsert_key, *settings.keys, settings.key]
    return ObjectSpec(
        name=settings.name,
        kind=settings.kind,
        capabilities=capabilities,
        read_batch=500,
        write_batch=100,
        lookback=settings.lookback if settings.changed_at else 0.0,
        keys=tuple(dict.fromkeys(key for key in keys if key)),
        id_field=settings.key,
    )


def _names(said: Any) -> tuple[str, ...]:
    if not said:
        return ()
    return (said,) if isinstance(said, str) else tuple(str(name) for name in said)


def _seconds(name: str, said: Any) -> float:
    found = re.fullmatch(_LENGTH, str(said))
    if not found:
        raise _wrong(f"objects.{name}: `lookback` is a duration such as 300, 5m or 1h")
    return float(found[1]) * _UNITS[found[2]]


def _wrong(message: str) -> ConfigError:
    return ConfigError([Problem("", 0, 0, message)])


_COLUMN = "the name of a column"
SIGN_IN = SignIn(("url",), {"url": AuthKey(secret=False, help="postgresql://user:password@host/database")})
OBJECT_OPTIONS: Options = {
    "table": text("the table, where it is not the object's name", "the name of a table or view"),
    "schema": text("the schema of the table", "the name of a schema"),
    "key": replace(text("the column that identifies a row", _COLUMN), required=True),
    "keys": names("more columns that look-ups may use"),
    "changed_at": names("the column that says when a row changed"),
    "upsert_key": text("the column by which a repeated create finds its record", _COLUMN),
    "lookback": matching("how late a transaction may commit", "a length of time: 300, 5m, 1h", _LENGTH),
    "contact_object": CONTACT_OBJECT,
}
"""What a table may say; there are no options of a whole database."""
