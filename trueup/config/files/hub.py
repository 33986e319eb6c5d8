"""hub.yaml: what holds for every connection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from trueup.config.env import Secret
from trueup.config.files.homes import homes
from trueup.config.scalars import Count, Duration, Flag, SecretText, Share, Text, Word, words
from trueup.config.settings import FUSES, Alerts, EntitySettings, HubSettings, SurvivorshipRule
from trueup.config.shapes import Key, ListOf, Made, MapOf, Struct, enum_words
from trueup.config.vocabulary import Edits, FirstLoad, FuseKind, OnClash
from trueup.model.fields import Field, Kind, Strategy
from trueup.model.values import Type
from trueup.sync.rules.guard import Fuse

NAMES = ListOf(Text("a role or a connection"), "a list of roles and connections", short=True)


@dataclass(frozen=True, slots=True)
class HubFile:
    hub: HubSettings
    entities: Mapping[Kind, EntitySettings]


@dataclass(frozen=True, slots=True)
class _CustomField:
    type: Type
    options: tuple[str, ...]
    max_length: int | None
    confined_to: tuple[str, ...]
    special: str
    label: str

    def named(self, name: str) -> Field:
        strategy = Strategy.UNION if self.type.is_set else Strategy.AUTHORITY
        return Field(
            name,
            self.type,
            strategy,
            options=self.options,
            max_length=self.max_length,
            confined_to=self.confined_to,
            special=self.special,
            custom=True,
            label=self.label,
        )


_TYPES = {str(kind): kind for kind in Type if kind not in (Type.REFERENCE, Type.REFERENCES)}

_USUAL: Mapping[str, tuple[str, ...]] = {
    "number": ("int", "decimal"),
    "numeric": ("int", "decimal"),
    "integer": ("int",),
    "float": ("decimal",),
    "double": ("decimal",),
    "string": ("text",),
    "str": ("text",),
    "varchar": ("text",),
    "boolean": ("bool",),
    "checkbox": ("bool",),
    "enum": ("choice",),
    "picklist": ("choice",),
    "select": ("choice",),
    "timestamp": ("datetime",),
}
"""What programs and systems call the types, and ours."""

_CUSTOM = Struct(
    "custom field",
    _CustomField,
    {
        "type": Key(Word(_TYPES, "a type of field", _USUAL), "what it holds", required=True),
        "options": Key(ListOf(Text()), "the words of a choice, in order", ()),
        "max_length": Key(Count(1), "longest text, in characters"),
        "confined_to": Key(NAMES, "roles or connections; it is written to no other, and masked", ()),
        "special": Key(words("health", "finance", "legal", wanted="a special kind"), "why it is special", ""),
        "label": Key(Text(), "what people call it", ""),
    },
    homes=homes("hub.yaml"),
)

_RULE = Struct(
    "survivorship",
    SurvivorshipRule,
    {
        "authority": Key(NAMES, "who may decide, highest rank first: roles, connections, `control`"),
        "strategy": Key(Word(enum_words(Strategy), "a strategy"), "how differing values are judged"),
        "group": Key(Made(Flag(), lambda on: "*" if on else ""), "true: its parts survive together"),
        "edits": Key(Word(enum_words(Edits), "accepted or ranked"), "ranked: a lower rank never overrides"),
        "on_clash": Key(Word(enum_words(OnClash), "add or remove"), "an element added and removed at once"),
        "pin": Key(Flag(), "true: an edit made in the hub holds until it is released"),
    },
    homes=homes("hub.yaml: contact.survivorship"),
    place=True,
)


def _entity(
    custom_fields: Mapping[str, _CustomField], survivorship: Mapping[str, SurvivorshipRule]
) -> EntitySettings:
    rules = {
        name.removesuffix("[]"): replace(rule, group=name) if rule.group == "*" else rule
        for name, rule in survivorship.items()
    }
    return EntitySettings({name: said.named(name) for name, said in custom_fields.items()}, rules)


def _entity_shape(name: str) -> Struct[EntitySettings]:
    return Struct(
        name,
        _entity,
        {
            "custom_fields": Key(MapOf(_CUSTOM, "a block of fields"), "fields beyond the built-in ones", {}),
            "survivorship": Key(
                MapOf(_RULE, "a block of fields"), "which value wins, per field and `default`", {}
            ),
        },
        homes=homes("hub.yaml: contact"),
    )


_FUSE = Struct(
    "fuse",
    Fuse,
    {
        "count": Key(Count(), "at most so many a run"),
        "share": Key(Share(), "at most this share of the links"),
    },
)

_ALERTS = Struct(
    "alerts",
    Alerts,
    {
        "send_to": Key(SecretText("an address or URL", literal=True), "e-mail address or web hook"),
        "opt_out_later_than": Key(Duration(), "an opt-out that is older and not everywhere yet"),
        "no_change_for": Key(Duration(), "silence of a connection that is usually busy"),
        "freshness": Key(MapOf(Duration()), "per role or connection: how old its data may become", {}),
    },
)

RETAINED = ("events", "history", "runs", "plans", "parked", "audit", "geo")


def _hub(
    contact: EntitySettings | None,
    company: EntitySettings | None,
    deal: EntitySettings | None,
    fuses: Mapping[str, Fuse],
    database: Secret | None,
    broker: Secret | None,
    **rest: Any,
) -> HubFile:
    told = {FuseKind(kind): fuse for kind, fuse in fuses.items()}
    settings = HubSettings(fuses={**FUSES, **told}, database=database, broker=broker, **rest)
    said = {Kind.CONTACT: contact, Kind.COMPANY: company, Kind.DEAL: deal}
    return HubFile(settings, {kind: one or EntitySettings() for kind, one in said.items()})


HUB = Struct(
    "hub",
    _hub,
    {
        "name": Key(Text("a short name", r"[\w.-]+"), "a short name for this hub", required=True),
        "time_zone": Key(Text("a time zone as Europe/Kyiv"), "for dates without a zone", "UTC"),
        "phone_region": Key(Text("a country code of two letters", r"[A-Z]{2}"), "for numbers without +", ""),
        "database": Key(SecretText("a database URL", literal=True), "left out: SQLite beside this file"),
        "broker": Key(SecretText("a Redis URL", literal=True), "left out: everything in one process"),
        "connections": Key(ListOf(Text("a connection")), "their order; left out: by name", ()),
        "contact": Key(_entity_shape("contact"), "fields of contacts and which value wins"),
        "company": Key(_entity_shape("company"), "the same for companies"),
        "deal": Key(_entity_shape("deal"), "the same for deals"),
        "first_load": Key(
            Word(enum_words(FirstLoad), "fill or authority"),
            "until a connection is released: fill empty fields and report, or decide at once",
            FirstLoad.FILL,
        ),
        "fuses": Key(
            MapOf(_FUSE, "a block of fuses", tuple(map(str, FuseKind)), "a fuse"),
            "beyond the smaller of the two a run is held until someone approves it",
            {},
        ),
        "drift_limit": Key(Share(), "how much of a saved plan may be outdated", 0.05),
        "batch_from": Key(Count(1), "so many new records are matched in one batch", 10_000),
        "retention": Key(
            MapOf(Duration(), keys=RETAINED, called="something kept"), "how long things are kept", {}
        ),
        "alerts": Key(_ALERTS, "who is told, and when", Alerts()),
    },
    homes=homes("hub.yaml"),
)
