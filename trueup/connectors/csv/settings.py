"""What a connection's configuration says about its files."""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from trueup.connectors.base import Capability, ObjectSpec
from trueup.connectors.options import CONTACT_OBJECT, Option, Options, names, text
from trueup.connectors.settings import ConnectionSettings
from trueup.errors import ConfigError, Problem

AUTO = "auto"
_DELIMITERS = {
    AUTO: AUTO,
    ",": ",",
    ";": ";",
    "|": "|",
    "\t": "\t",
    "tab": "\t",
    "comma": ",",
    "semicolon": ";",
}

_READS = frozenset({
    Capability.COMPLETE_LISTING, Capability.BATCH_READ, Capability.LOOKUP_BY_KEY,
    Capability.READ_YOUR_WRITES, Capability.SCHEMA,
})  # fmt: skip
_WRITES = frozenset({
    Capability.BATCH_WRITE, Capability.WRITE_WHOLE, Capability.CONDITIONAL_WRITE,
    Capability.ANSWERS_WITH_RECORD, Capability.DELETE,
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class FileSettings:
    """One object. `path` is a file, or a pattern with `*` for several files (which are only read).

    `key` is the column whose cell is the id; without it the id is made of the row's content.
    `columns` names the columns of a file that has no header line.
    """

    name: str
    path: Path
    kind: str
    key: str | None
    keys: tuple[str, ...]
    encoding: str
    delimiter: str
    columns: tuple[str, ...]
    deactivates: bool

    @property
    def pattern(self) -> bool:
        return "*" in self.path.name


def file_settings(
    connection: str, name: str, said: Mapping[str, Any], options: Mapping[str, Any], folder: Path
) -> FileSettings:
    """Read one entry of `objects:` over the connection's options; relative paths lead from `folder`.
    ConfigError for what makes no sense."""
    every = {**options, **said}
    return FileSettings(
        name=name,
        path=_path(connection, name, folder, said.get("path"), options.get("path")),
        kind=str(said.get("entity") or ("case" if "case" in said else "contact")),
        key=str(every["key"]) if every.get("key") else None,
        keys=_names(every.get("keys")),
        encoding=_encoding(connection, str(every.get("encoding") or AUTO)),
        delimiter=_delimiter(connection, str(every.get("delimiter") or AUTO)),
        columns=_names(every.get("columns")),
        deactivates=bool(said.get("deactivate")),
    )


def paths_of(settings: ConnectionSettings) -> Mapping[str, Path]:
    """Where the files of each object lie. ConfigError for what makes no sense."""
    return {
        name: file_settings(settings.name, name, said, settings.options, settings.folder).path
        for name, said in settings.objects.items()
    }


def object_spec(settings: FileSettings) -> ObjectSpec:
    """The capabilities that follow from the configuration alone.

    There is no INCREMENTAL: a file says only that it changed, not where. Every poll is a listing.
    """
    capabilities = _READS if settings.pattern else _READS | _WRITES
    if settings.deactivates and not settings.pattern:
        capabilities |= {Capability.DEACTIVATE}
    if settings.key is None:
        capabilities |= {Capability.CONTENT_IDS}
    if (settings.key or settings.keys) and not settings.pattern:
        capabilities |= {Capability.UPSERT_BY_KEY}
    keys = [settings.key, *settings.keys]
    return ObjectSpec(
        name=settings.name,
        kind=settings.kind,
        capabilities=capabilities,
        read_batch=10_000,
        write_batch=1_000_000,
        keys=tuple(dict.fromkeys(key for key in keys if key)),
        required=(settings.key,) if settings.key else (),
        id_field=settings.key or "",
    )


def _path(connection: str, name: str, folder: Path, own: Any, common: Any) -> Path:
    """The object's own path, inside the connection's folder where that is one."""
    if not own and not common:
        raise wrong(connection, "`path` is missing: a file, a folder, or a pattern such as exports/*.csv")
    base = folder / str(common or own)
    if own and common:
        return base / str(own)
    return base / f"{name}.csv" if base.is_dir() else base


def _encoding(connection: str, said: str) -> str:
    if not _is_encoding(said):
        raise wrong(connection, f"`{said}` is no known encoding")
    return said if said == AUTO else codecs.lookup(said).name


def _is_encoding(said: object) -> bool:
    try:
        "".encode(str(said))  # base64 and the like are codecs, but of no text
    except (LookupError, ValueError):
        return said == AUTO
    return True


def _delimiter(connection: str, said: str) -> str:
    if not _is_delimiter(said):
        raise wrong(connection, f"`{said}` cannot separate cells: one character is needed")
    return _DELIMITERS.get(said, said)


def _is_delimiter(said: object) -> bool:
    return isinstance(said, str) and (said in _DELIMITERS or (len(said) == 1 and said not in '"\r\n'))


def _names(said: Any) -> tuple[str, ...]:
    if not said:
        return ()
    return (said,) if isinstance(said, str) else tuple(str(name) for name in said)


def wrong(connection: str, message: str) -> ConfigError:
    return ConfigError([Problem(f"connections/{connection}.yaml", 0, 0, message)])


OPTIONS: Options = {
    "path": text(
        "where the files are, seen from the folder of hub.yaml",
        "a file, a folder, or a pattern such as exports/*.csv",
    ),
    "key": text("the column that identifies a row", "the name of a column"),
    "keys": names("more columns that look-ups may use"),
    "columns": names("the columns of a file without a header line"),
    "delimiter": Option(
        "the sign between columns",
        "one character, tab, comma, semicolon or auto",
        _is_delimiter,
        {"anyOf": [{"enum": [*_DELIMITERS]}, {"type": "string", "pattern": '^[^"\\r\\n]$'}]},
    ),
    "encoding": Option(
        "of the file",
        "an encoding of text, such as utf-8, windows-1251 or auto",
        _is_encoding,
        {"type": "string", "minLength": 1},
    ),
}
"""What holds for every file of a connection."""

OBJECT_OPTIONS: Options = {
    **OPTIONS,
    "path": replace(OPTIONS["path"], required=True),
    "contact_object": CONTACT_OBJECT,
}
"""What one file may say for itself."""
