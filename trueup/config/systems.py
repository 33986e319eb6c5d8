"""What configuration needs to know about a kind of connector: its objects, fields, settings, defaults.

`registered_systems` takes it from the connectors' manifests. Tests hand in their own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from trueup.config.env import Variables
from trueup.config.files.objects import DEFAULT_MAPPING
from trueup.config.notes import Notes
from trueup.config.said import SaidObject
from trueup.config.yaml import parse_document
from trueup.connectors.base import Capability
from trueup.connectors.manifest import Manifest, StaticField
from trueup.connectors.metadata import joined_by
from trueup.connectors.options import AuthKey, Options
from trueup.connectors.registry import ConnectorKind, connectors
from trueup.errors import Problem
from trueup.model.record import FieldSpec


@dataclass(frozen=True, slots=True)
class SystemObject:
    """One object that a kind of system has. `fields`: those that are known without asking an account.

    `write_batch`: how many updates one call carries.
    """

    name: str
    kind: str
    fields: Mapping[str, FieldSpec] = field(default_factory=dict)
    capabilities: frozenset[Capability] = frozenset()
    write_batch: int = 1


@dataclass(frozen=True, slots=True)
class System:
    """A kind of connector. `open`: its objects are named by the user (tables, files).

    `auth`: the ways to sign in; with no `settings` either, nobody signs in. `mapping`: the default one.
    `options` and `object_options`: what a connection and an object may say that only it understands.
    `calls_per_day`: the vendor's limit, None if it states none.
    """

    name: str
    title: str
    objects: Mapping[str, SystemObject] = field(default_factory=dict)
    open: bool = False
    auth: tuple[str, ...] = ()
    settings: Mapping[str, AuthKey] = field(default_factory=dict)
    mapping: Mapping[str, SaidObject] = field(default_factory=dict)
    options: Options = field(default_factory=dict)
    object_options: Options = field(default_factory=dict)
    calls_per_day: int | None = None
    problems: tuple[Problem, ...] = ()


Systems = Mapping[str, System]


@lru_cache(maxsize=1)
def registered_systems() -> Systems:
    """Every connector that is installed, by name."""
    return {name: _system(kind) for name, kind in connectors().items()}


def _system(kind: ConnectorKind) -> System:
    manifest = kind.manifest
    mapping, problems = read_mapping(kind.mapping_file, f"connectors/{kind.name}/mapping.yaml")
    if manifest is None:
        return System(
            kind.name,
            kind.name,
            open=True,
            auth=kind.sign_in.ways,
            settings=kind.sign_in.keys,
            mapping=mapping,
            options=kind.options,
            object_options=kind.object_options,
            problems=problems,
        )
    return System(
        kind.name,
        manifest.title,
        objects={name: _object(name, manifest) for name in manifest.objects},
        auth=kind.sign_in.ways,
        settings=kind.sign_in.keys,
        mapping=mapping,
        options=kind.options,
        object_options=kind.object_options,
        calls_per_day=_calls_per_day(manifest),
        problems=problems,
    )


def _object(name: str, manifest: Manifest) -> SystemObject:
    words = manifest.objects[name]
    sign = joined_by(manifest.formats)
    fields = {field: _field(field, words.fields[field], sign) for field in words.fields}
    batch = words.write.update.batch if words.write.update else 1
    return SystemObject(name, words.kind, fields, frozenset(words.capabilities), batch)


def _field(name: str, words: StaticField, sign: str) -> FieldSpec:
    return FieldSpec(
        name,
        words.label or name,
        words.type,
        words.writable,
        words.required,
        words.unique,
        words.max_length,
        words.options,
        tuple(words.reference_to),
        sign,
    )


def _calls_per_day(manifest: Manifest) -> int | None:
    """The tightest limit that is counted over a day or longer."""
    days = [int(limit.calls * 86400 / limit.seconds) for limit in manifest.limits if limit.seconds >= 86400]
    return min(days) if days else None


def read_mapping(path: Path, shown: str) -> tuple[Mapping[str, SaidObject], tuple[Problem, ...]]:
    """A default mapping; nothing and no problem where there is no such file."""
    if not path.is_file():
        return {}, ()
    return parse_mapping(path.read_text(encoding="utf-8"), shown)


def parse_mapping(text: str, shown: str) -> tuple[Mapping[str, SaidObject], tuple[Problem, ...]]:
    """The text of a mapping.yaml. Rules in it have no origin but `default`."""
    document = parse_document(text, shown)
    notes = Notes(document, Variables(Path(), {}), list(document.syntax))
    if document.root is None:
        return {}, tuple(notes.problems)
    read = DEFAULT_MAPPING.read(document.root, notes)
    return (read if isinstance(read, Mapping) else {}), tuple(notes.problems)


def where_issued(system: System | None, setting: str) -> str:
    """Where the vendor issues a setting, in the manifest's words; empty if it does not say."""
    if system is None or setting not in system.settings:
        return ""
    text = system.settings[setting].help
    return re.sub(r"\s+", " ", text).strip()
