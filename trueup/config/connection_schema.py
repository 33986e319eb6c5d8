"""The schema of a connection's file, with what each connector understands: an editor completes it by name.

The keys that all connections share come from the description that reads them. What differs stands in one
condition for each connector: how it signs in, its options, the options of its objects.
"""

from __future__ import annotations

from collections.abc import Mapping

from trueup.config.files.objects import TABLE_KEYS
from trueup.config.systems import System, Systems
from trueup.connectors.options import Option, Options
from trueup.model.record import Json

_REFERENCE: Json = {"type": "string", "pattern": "\\$\\{(env|file):[^}]+\\}"}


def with_connectors(schema: Mapping[str, Json], systems: Systems) -> Mapping[str, Json]:
    """`schema` of any connection, narrowed to what is known of these connectors."""
    connector = {"enum": [*systems], "description": "the kind of system"}
    properties = {**schema["properties"], "connector": connector}
    known = [_when(name, system) for name, system in systems.items()]
    return {**schema, "properties": properties, "allOf": known}


def _when(name: str, system: System) -> Json:
    there = {"properties": {"connector": {"const": name}}, "required": ["connector"]}
    return {
        "if": there,
        "then": {
            "properties": {
                "auth": _auth(system),
                "options": _closed(_forms(system.options)),
                "objects": _objects(system),
            }
        },
    }


def _auth(system: System) -> Json:
    kind: dict[str, Json] = {"kind": {"enum": [*system.auth]}} if system.auth else {}
    keys: dict[str, Json] = {name: _described(one.help) for name, one in system.settings.items()}
    return _closed({**kind, **keys})


def _objects(system: System) -> Json:
    """What an object may say: under `options`, and beside the rest where the key is one of tables."""
    said = _forms(system.object_options)
    of_tables: dict[str, Json] = {key: said.get(key, False) for key in TABLE_KEYS}
    object = {"properties": {**of_tables, "options": _closed(said)}}
    named = {"propertyNames": {"enum": [*system.objects]}} if not system.open else {}
    return {**named, "additionalProperties": object}


def _closed(properties: Mapping[str, Json]) -> Json:
    return {"properties": properties, "additionalProperties": False}


def _forms(options: Options) -> dict[str, Json]:
    return {name: _form(option) for name, option in options.items()}


def _form(option: Option) -> Json:
    """A value of the option's form, or a variable that stands for one."""
    words = option.about if option.form == option.about else f"{option.about} ({option.form})"
    return {**_described(words), "anyOf": [option.schema, _REFERENCE]}


def _described(text: str) -> dict[str, Json]:
    words = " ".join(text.split())
    return {"description": words} if words else {}
