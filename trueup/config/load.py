"""config/ into one typed HubConfig, or every problem of every file at once."""

from __future__ import annotations

import hashlib
import json
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar
from zoneinfo import available_timezones

from phonenumbers import SUPPORTED_REGIONS

from trueup.config.checks import check_config
from trueup.config.codes import Code
from trueup.config.consequences import certain, half_read, told_once
from trueup.config.env import Variables, names_in, read_environment
from trueup.config.files.connection import CONNECTION
from trueup.config.files.dedupe import DEDUPE
from trueup.config.files.examples import EXAMPLES
from trueup.config.files.hub import HUB, HubFile
from trueup.config.files.lifecycle import LIFECYCLE
from trueup.config.join import joined_objects, object_rules
from trueup.config.lifecycle_settings import Lifecycle, Stage
from trueup.config.lookalikes import mixed_words
from trueup.config.nodes import Document, Listing, Mark, Node, Scalar, Table
from trueup.config.notes import UNREAD, Notes
from trueup.config.said import SaidConnection, SaidObject
from trueup.config.scalars import Shape, plain_value
from trueup.config.settings import Connection, Dedupe, Example, HubConfig, HubSettings
from trueup.config.suggest import hint_for
from trueup.config.systems import System, Systems, registered_systems, where_issued
from trueup.config.vocabulary import Role
from trueup.config.yaml import read_document
from trueup.errors import ConfigError, Problem
from trueup.model.fields import DEFAULT_OFF_RAMPS, DEFAULT_STAGES, TABLES, Field, Kind, with_stages

T = TypeVar("T")


def load(folder: Path, environment: Mapping[str, str], systems: Systems | None = None) -> HubConfig:
    """The configuration in `folder`. Raises ConfigError with every problem of all its files.

    `environment` is what `${env:NAME}` is looked up in; `.env` beside hub.yaml adds to it.
    `systems`: the kinds of connectors there are, by default those that are installed.
    """
    config, problems = examine(folder, environment, systems)
    if problems or config is None:
        raise ConfigError(problems)
    return config


def examine(
    folder: Path, environment: Mapping[str, str], systems: Systems | None = None
) -> tuple[HubConfig | None, tuple[Problem, ...]]:
    """As `load`, but gives what could be read together with the problems."""
    reading = _Reading(folder, shown_folder(folder), registered_systems() if systems is None else systems)
    env, problems = read_environment(folder, f"{reading.shown}/.env", environment)
    reading.problems.extend(problems)
    reading.variables = Variables(folder, env)
    if not (folder / "hub.yaml").is_file():
        inner = folder / "config"
        remedy = "run `trueup init`, or name the folder that holds hub.yaml"
        if (inner / "hub.yaml").is_file():
            remedy = f"hub.yaml is in the folder below: --config {shlex.quote(str(inner))}"
        near = folder.resolve().is_relative_to(Path.cwd())
        missing = f"{reading.shown if near else folder.as_posix()}/hub.yaml"
        return None, (
            *problems,
            Problem(missing, 0, 0, "there is no such file", Code.FILE.value, remedy=remedy),
        )
    config = _config(reading)
    held_back = names_in(folder) if any(one.line == 0 for one in problems) else frozenset()
    reading.problems.extend(_missing_variables(reading, held_back))
    partial = half_read(reading.documents, reading.unread)
    found = check_config(config, reading.systems, reading.said)
    reading.problems.extend(certain(found, partial, reading.lost, reading.documents))
    return config, told_once(reading.problems)


def shown_folder(folder: Path) -> str:
    """The folder as people would type it from where they are."""
    resolved, here = folder.resolve(), Path.cwd()
    if resolved != here and resolved.is_relative_to(here):
        return resolved.relative_to(here).as_posix()
    return resolved.name


_NOTHING = Scalar("", True, Mark(1, 1))
"""What an empty file says."""


@dataclass(slots=True)
class _Reading:
    """One pass over a folder. `said`: per connection, what its own file says about objects.

    `unread`: files of which nothing usable could be read; `lost`: those of which some block could not.
    """

    folder: Path
    shown: str
    systems: Systems
    variables: Variables = field(default_factory=lambda: Variables(Path(), {}))
    problems: list[Problem] = field(default_factory=list)
    documents: dict[str, Document] = field(default_factory=dict)
    said: dict[str, SaidConnection] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)

    def document(self, key: str) -> Document | None:
        path = self.folder / f"{key}.yaml"
        if not path.is_file():
            return None
        document = read_document(path, f"{self.shown}/{key}.yaml")
        self.documents[key] = document
        self.problems.extend(document.syntax)
        self.problems.extend(mixed_words(document))
        return document

    def read(self, key: str, shape: Shape[T]) -> T | None:
        """What a file says; None where it is not there or says nothing usable."""
        document = self.document(key)
        if document is None:
            return None
        if document.root is None and not document.complete:
            self.unread.append(key)
            return None
        notes = Notes(document, self.variables)
        read = shape.read(document.root or _NOTHING, notes)
        self.problems.extend(notes.problems)
        self.lost += [key] if notes.lost else []
        if read is UNREAD:
            self.unread.append(key)
            return None
        return read


def _config(reading: _Reading) -> HubConfig:
    hub = reading.read("hub", HUB) or HubFile(HubSettings("hub"), {})
    lifecycle = reading.read("lifecycle", LIFECYCLE) or default_lifecycle()
    dedupe = reading.read("dedupe", DEDUPE) or Dedupe()
    examples: tuple[Example, ...] = reading.read("examples", EXAMPLES) or ()
    for path in sorted((reading.folder / "connections").glob("*.yaml")):
        said = reading.read(f"connections/{path.stem}", CONNECTION)
        if said is not None:
            reading.said[path.stem] = said
    reading.problems.extend(_stray_files(reading))
    reading.problems.extend(_zones(reading, hub.hub))
    connections = {
        name: _connection(name, reading.said[name], hub.hub, reading) for name in _ordered(reading, hub.hub)
    }
    return HubConfig(
        hub=hub.hub,
        fields=_fields(hub, lifecycle),
        entities=hub.entities,
        lifecycle=lifecycle,
        dedupe=dedupe,
        connections=connections,
        examples=examples,
        version=_version(reading, connections),
        documents=reading.documents,
    )


def default_lifecycle() -> Lifecycle:
    """The stages that hold without a lifecycle.yaml: who leads, and no transition by itself."""
    control = {"sal": Role.SALES, "mql": Role.SALES, "sql": Role.SALES, "opportunity": Role.SALES}
    control["customer"] = Role.OPERATIONS
    stages = {
        name: Stage(name, control.get(name, Role.MARKETING).value, off_ramp=name in DEFAULT_OFF_RAMPS)
        for name in (*DEFAULT_STAGES, *DEFAULT_OFF_RAMPS)
    }
    return Lifecycle(stages)


def _fields(hub: HubFile, lifecycle: Lifecycle) -> Mapping[Kind, Mapping[str, Field]]:
    """The tables with custom fields and the stages of the life cycle."""
    tables = {}
    for kind, table in TABLES.items():
        own = hub.entities[kind].custom_fields if kind in hub.entities else {}
        tables[kind] = {**table, **{name: one for name, one in own.items() if name not in table}}
    tables[Kind.CONTACT] = dict(with_stages(tables[Kind.CONTACT], tuple(lifecycle.stages)))
    return tables


def _ordered(reading: _Reading, hub: HubSettings) -> list[str]:
    """The connections that have a file: as hub.yaml orders them, then by name."""
    return [
        *(n for n in dict.fromkeys(hub.connections) if n in reading.said),
        *(n for n in sorted(reading.said) if n not in hub.connections),
    ]


def _connection(name: str, said: SaidConnection, hub: HubSettings, reading: _Reading) -> Connection:
    system = reading.systems.get(said.connector)
    objects = joined_objects(system.mapping if system else {}, said.objects)
    return Connection(
        name=name,
        connector=said.connector,
        role=said.role,
        auth=said.auth,
        schedule=said.schedule,
        budget=said.budget,
        owners=said.owners,
        guard_age=said.guard_age,
        time_zone=said.time_zone or hub.time_zone,
        phone_region=said.phone_region or hub.phone_region,
        first_load=said.first_load or hub.first_load,
        objects={one: object_rules(one, block) for one, block in objects.items()},
        activities=said.activities,
        options=said.options,
        stage_reason={one: b.stage.reason for one, b in objects.items() if b.stage and b.stage.reason},
        renamed_from=said.renamed_from,
        file=f"{reading.shown}/connections/{name}.yaml",
        folder=reading.folder,
    )


# -- what belongs to no single key --------------------------------------------------------------------


_KNOWN_FILES = ("hub.yaml", "lifecycle.yaml", "dedupe.yaml", "examples.yaml")


def _stray_files(reading: _Reading) -> Iterable[Problem]:
    """Files that look like configuration and would silently be ignored."""
    for path in sorted(reading.folder.iterdir()):
        if path.suffix in (".yml", ".yaml") and path.name not in _KNOWN_FILES:
            name = path.with_suffix(".yaml").name
            remedy = (
                f"rename it to {name}"
                if name in _KNOWN_FILES
                else "move connections to connections/, remove the rest"
            )
            yield Problem(
                f"{reading.shown}/{path.name}",
                0,
                0,
                "nothing reads this file",
                Code.FILE.value,
                hint=hint_for(path.name, _KNOWN_FILES),
                remedy=remedy,
            )
    for path in sorted((reading.folder / "connections").glob("*.yml")):
        remedy = f"rename it to {path.with_suffix('.yaml').name}"
        yield Problem(
            f"{reading.shown}/connections/{path.name}",
            0,
            0,
            "nothing reads this file",
            Code.FILE.value,
            remedy=remedy,
        )


def _zones(reading: _Reading, hub: HubSettings) -> Iterable[Problem]:
    zones = available_timezones()
    said = [("hub", hub.time_zone), *((f"connections/{n}", s.time_zone) for n, s in reading.said.items())]
    for key, zone in said:
        document = reading.documents.get(key)
        if document is None:
            continue
        yield from _region(document)
        if zone and zone not in zones:
            yield document.problem(
                document.mark("time_zone"),
                Code.WORD,
                f"`{zone}` is not a time zone",
                hint=hint_for(zone, sorted(zones)),
                allowed="names such as Europe/Kyiv, America/New_York, UTC",
            )


def _region(document: Document) -> Iterable[Problem]:
    """Phone regions are ISO codes; the United Kingdom is GB."""
    said = document.node("phone_region")
    readable = isinstance(said, Scalar) and re.fullmatch("[A-Z]{2}", said.text)
    if isinstance(said, Scalar) and readable and said.text not in SUPPORTED_REGIONS:
        yield document.problem(
            said.mark,
            Code.WORD,
            f"`{said.text}` is not a country code",
            hint=country_hint(said.text),
            allowed="ISO 3166 codes such as UA, DE, GB, US",
        )


def country_hint(said: str) -> str:
    """Which country was probably meant by an unknown code, as a half-sentence; empty if none is near."""
    meant = {"UK": "GB", "EN": "GB", "JA": "JP"}.get(said.upper(), said.upper())
    return f"did you mean `{meant}`?" if meant in SUPPORTED_REGIONS else ""


def _missing_variables(reading: _Reading, held_back: frozenset[str]) -> Iterable[Problem]:
    """One problem for each missing variable, with every line that asks for it. Those `held_back` stand in a
    `.env` that may not be used: that is what is wrong, and is told already."""
    for asked, places in reading.variables.missing.items():
        kind, _, name = asked.partition(":")
        if kind == "env" and name in held_back:
            continue
        document, mark = places[0]
        others = ", ".join(dict.fromkeys(other.origin(place) for other, place in places[1:]))
        remedy = f"put `{name}=…` into {reading.shown}/.env (chmod 600), or set it where trueup runs"
        if kind == "file":
            remedy = f"write the secret into {name} (chmod 600), as its only content"
        what = "environment variable" if kind == "env" else "file"
        yield document.problem(
            mark,
            Code.VARIABLE,
            f"the {what} `{name}` is not there, or is empty",
            hint=f"also asked for in {others}" if others else "",
            remedy="; ".join(filter(None, (remedy, _issuer(reading, places)))),
        )


def _issuer(reading: _Reading, places: Sequence[tuple[Document, Mark]]) -> str:
    """Where the vendor issues what a variable stands for, if a connection's `auth` asks for it."""
    for name, said in reading.said.items():
        document = reading.documents[f"connections/{name}"]
        auth = document.node("auth")
        if not isinstance(auth, Table) or not any(document is place[0] for place in places):
            continue
        system = reading.systems.get(said.connector)
        for entry in auth.entries:
            if isinstance(entry.value, Scalar) and any(entry.value.mark == place[1] for place in places):
                issued = where_issued(system, entry.key.text)
                return f"{system.title}: {issued}" if system and issued else ""
    return ""


# -- the version --------------------------------------------------------------------------------------


def _version(reading: _Reading, connections: Mapping[str, Connection]) -> str:
    """A digest of what the files say, in their words: no comment, no blank, no secret is in it."""
    content = {
        key: _content(document.root) for key, document in reading.documents.items() if key != "examples"
    }
    used = sorted({connection.connector for connection in connections.values()})
    defaults = {name: _defaults(reading.systems.get(name)) for name in used}
    text = json.dumps([content, defaults], ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _content(node: Node | None) -> object:
    if isinstance(node, Table):
        return [[entry.key.text, _content(entry.value)] for entry in node.entries]
    if isinstance(node, Listing):
        return {"list": [_content(item) for item in node.items]}
    return plain_value(node) if node is not None else None


def _defaults(system: System | None) -> list[list[str]]:
    mapping: Mapping[str, SaidObject] = system.mapping if system else {}
    return [[name, repr(object_rules(name, said))] for name, said in mapping.items()]
