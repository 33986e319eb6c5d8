"""A connection's whole mapping as a file: what `connections show NAME --yaml` prints."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

from ruamel.yaml import YAML

from trueup.config.files.objects import TABLE_KEYS
from trueup.config.join import address
from trueup.config.nodes import Listing, Node, Scalar, Table
from trueup.config.said import SaidObject
from trueup.config.scalars import plain_value
from trueup.config.settings import Connection, HubConfig
from trueup.config.systems import registered_systems
from trueup.mapping.schema import (
    ConsentRule,
    Direction,
    FieldRule,
    ItemRule,
    ObjectRules,
    Publish,
    Shape,
    Unmapped,
)
from trueup.model.record import Json

_LEFT = ("objects",)


def connection_yaml(config: HubConfig, connection: Connection) -> str:
    """The file that says everything that holds for this connection, default lines included.

    Secrets stand in it as they do in the file: by the names of their variables.
    """
    document = config.documents[f"connections/{connection.name}"]
    said = {
        entry.key.text: _plain(entry.value)
        for entry in (document.root.entries if isinstance(document.root, Table) else ())
        if entry.key.text not in _LEFT
    }
    system = registered_systems().get(connection.connector)
    default = system.mapping if system is not None else {}
    said["objects"] = {
        **{name: _object(rules, default.get(name)) for name, rules in connection.objects.items()},
        **{name: "off" for name in default if name not in connection.objects},
    }
    writer = YAML()
    writer.width = 110
    writer.allow_unicode = True
    text = io.StringIO()
    writer.dump(said, text)
    return text.getvalue()


def _plain(node: Node) -> Json:
    if isinstance(node, Scalar):
        return plain_value(node)
    if isinstance(node, Listing):
        return [_plain(item) for item in node.items]
    return {entry.key.text: _plain(entry.value) for entry in node.entries}


def _object(rules: ObjectRules, default: SaidObject | None) -> dict[str, Any]:
    said: dict[str, Any] = {"entity": rules.kind.value} if rules.kind is not None else {"case": rules.case}
    said |= {name: value for name, value in rules.options.items() if name in TABLE_KEYS}
    others = {name: _json(value) for name, value in rules.options.items() if name not in TABLE_KEYS}
    said |= {"options": others} if others else {}
    plain = ("take", "create", "contact", "renamed_from")
    said |= {name: value for name in plain if (value := getattr(rules, name)) is not None}
    usual = {
        "leaves": "keep",
        "secondary": "quiet",
        "deleted_elsewhere": "keep",
        "merge": "ask",
        "company": "link",
    }
    said |= {name: value for name, other in usual.items() if (value := getattr(rules, name)) != other}
    blocks = ("deactivate", "reactivate", "segments")
    said |= {name: _json(value) for name in blocks if (value := getattr(rules, name))}
    said |= {"handoff": _handoff(rules.handoff)} if rules.handoff else {}
    stage = next((rule for rule in rules.fields if _is_stage(rule)), None)
    if stage is not None:
        said["stage"] = _stage(stage)
    if rules.consent:
        said["consent"] = {f"{one.channel}.{one.purpose}": _consent(one) for one in rules.consent}
    said["fields"] = {rule.field: _field(rule) for rule in rules.fields if rule is not stage}
    away = _away(rules, default) if default is not None else []
    return {**said, "without": away} if away else said


def _away(rules: ObjectRules, default: SaidObject) -> list[str]:
    """Lines of the default mapping that do not hold here."""
    fields = {rule.field for rule in rules.fields}
    consent = {f"{rule.channel}.{rule.purpose}" for rule in rules.consent}
    return [
        *(name for name in default.fields if address(name) not in fields),
        *(name for name in default.consent if name not in consent),
    ]


def _handoff(handoff: Mapping[str, Json]) -> dict[str, Json]:
    said = {name: _json(value) for name, value in handoff.items()}
    if isinstance(task := said.get("task"), dict) and isinstance(task.get("due"), int | float):
        task["due"] = f"{task['due']:g}s"
    return said


def _is_stage(rule: FieldRule) -> bool:
    return (
        rule.field == "stage"
        and rule.values is not None
        and rule.unmapped in (Unmapped.LEAVE, Unmapped.ERROR)
    )


def _stage(rule: FieldRule) -> dict[str, Json]:
    said: dict[str, Json] = {"field": rule.remote, "values": _words(rule.values or {})}
    if rule.unmapped is Unmapped.LEAVE:
        said["unlisted"] = "leave"
    if rule.direction is not Direction.BOTH:
        said["direction"] = rule.direction.value
    return said


def _words(values: Mapping[str, tuple[Json, ...]]) -> dict[str, Json]:
    return {ours: theirs[0] if len(theirs) == 1 else list(theirs) for ours, theirs in values.items()}


_USUAL = FieldRule("", "")
_KEYS = (
    "direction",
    "transform",
    "unmapped",
    "default",
    "clear",
    "refused",
    "too_long",
    "max_length",
    "shape",
    "to",
    "currency",
    "create_only",
)


def _field(rule: FieldRule) -> Json:
    """The short form where nothing else is said."""
    said: dict[str, Json] = {"field": rule.remote}
    for key in _KEYS:
        value = getattr(rule, key)
        if value != getattr(_USUAL, key):
            said[key] = str(value) if not isinstance(value, bool | int | float | list | dict) else value
    if rule.values is not None:
        said["values"] = _words(rule.values)
    if rule.publish is not None:
        said["publish"] = _publish(rule.publish)
    if rule.item is not None:
        said |= _items(rule.item)
    return rule.remote if len(said) == 1 else said


def _items(item: ItemRule) -> dict[str, Json]:
    parts = {
        "value": item.value,
        "kind": item.kind,
        "label": item.label,
        "primary": item.primary,
        "id": item.id,
        **item.parts,
    }
    said: dict[str, Json] = {"item": {part: path for part, path in parts.items() if path}}
    return {**said, "kinds": _words(item.kinds)} if item.kinds else said


def _publish(publish: Publish) -> dict[str, Json]:
    said: dict[str, Json] = {}
    if publish.at_most_every is not None:
        said["at_most_every"] = f"{publish.at_most_every:g}s"
    if publish.when_changed_by is not None:
        said["when_changed_by"] = publish.when_changed_by
    return said


def _consent(rule: ConsentRule) -> dict[str, Json]:
    said: dict[str, Json] = {}
    if rule.shape is Shape.ELEMENT:
        said["list" if rule.remote == "lists" else "tag"] = rule.element
        if rule.remote not in ("tags", "lists"):
            said["field"] = rule.remote
    else:
        said["field"] = rule.remote
    said["opted_out"] = rule.opted_out
    if rule.evidence:
        said["opted_in_when"] = {"evidence": list(rule.evidence)}
    return said


def _json(value: Json) -> Json:
    if isinstance(value, Mapping):
        return {name: _json(one) for name, one in value.items()}
    return [_json(one) for one in value] if isinstance(value, list | tuple) else value
