"""Conditions of `create:` that ask for a field which no connection maps: it is known of nobody, told here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from trueup.config.condition_names import entity_names
from trueup.config.settings import HubConfig
from trueup.lifecycle.conditions import Condition, compile_condition
from trueup.mapping.schema import Direction
from trueup.model.fields import Kind

_NAMES = frozenset({"full_name", "first_name", "last_name"})
"""Each of these is made out of the others."""


@dataclass(frozen=True, slots=True)
class Unmapped:
    """One `create:`, and the fields in it that no system tells."""

    file: str
    line: int
    fields: tuple[str, ...]

    def __str__(self) -> str:
        named = " and ".join(f"`{one}`" for one in self.fields)
        them = "it" if len(self.fields) == 1 else "them"
        return (
            f"{self.file}:{self.line}  `create:` asks for {named}, and no connection maps {them}: nothing"
            f" of {them} is known of anybody. Map {them} below `fields:` of a connection that has {them}"
            " (`trueup connections fields NAME`), or ask for another field"
        )


def unmapped_conditions(config: HubConfig) -> Iterator[Unmapped]:
    """Every `create:` of a connection's file that asks for a field which nothing fills."""
    for name, connection in config.connections.items():
        document = config.documents[f"connections/{name}"]
        for object, rules in connection.objects.items():
            path = ("objects", object, "create")
            if rules.kind is None or rules.create is None or document.node(*path) is None:
                continue
            names = entity_names(config, rules.kind)
            asked = compile_condition(rules.create, names, "", config.hub.time_zone)
            if isinstance(asked, Condition) and (lacking := _lacking(config, rules.kind, asked)):
                yield Unmapped(document.file, document.mark(*path).line, lacking)


def _lacking(config: HubConfig, kind: Kind, asked: Condition) -> tuple[str, ...]:
    known = _told(config, kind)
    return tuple(one for one in asked.names if one in config.fields[kind] and one not in known)


def _told(config: HubConfig, kind: Kind) -> frozenset[str]:
    """The fields of a kind that some connection tells; of `phones[home]` it is `phones`."""
    told = {
        re.split(r"[\[.]", rule.field)[0]
        for connection in config.connections.values()
        for rules in connection.objects.values()
        if rules.kind is kind
        for rule in rules.fields
        if rule.direction is not Direction.OUT
    }
    return frozenset(told | _NAMES if told & _NAMES else told)
