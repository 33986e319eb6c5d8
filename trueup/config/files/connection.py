"""connections/NAME.yaml: one configured account of a connector."""

from __future__ import annotations

import re

from trueup.config.codes import Code
from trueup.config.env import Secret, has_reference
from trueup.config.files.homes import homes
from trueup.config.files.objects import OBJECTS
from trueup.config.nodes import Node, Scalar, Table
from trueup.config.notes import UNREAD, Failed, Notes, quoted
from trueup.config.said import SaidConnection
from trueup.config.scalars import AnyJson, Count, Duration, Flag, SecretText, Share, Text, Word
from trueup.config.settings import Auth, BudgetSettings, Owners, Schedule
from trueup.config.shapes import Key, ListOf, MapOf, Struct, enum_words
from trueup.config.vocabulary import FirstLoad, Role
from trueup.model.record import Json

_SECRET_NAME = re.compile(
    r"(?i)(token|password|passwd|pwd|secret|api_?key|access_?key|private_?key|credential)s?$"
)


class _AuthShape:
    """`kind` and what it needs. What is secret by its name is taken from `${…}` only."""

    def read(self, node: Node, notes: Notes) -> Auth | Failed:
        """The settings, secrets resolved and covered; UNREAD after a problem was noted."""
        if not isinstance(node, Table):
            return notes.say(node.mark, Code.TYPE, "a block of keys is wanted here", allowed="{kind: …, …}")
        kind, settings = "", {}
        for entry in node.entries:
            value = _auth_value(entry.key.text, entry.value, notes)
            if value is UNREAD:
                continue
            if entry.key.text == "kind":
                kind = str(value)
            else:
                settings[entry.key.text] = value
        return Auth(kind, settings)

    def schema(self) -> Json:
        return {
            "type": "object",
            "properties": {"kind": {"type": "string", "description": "the way to sign in"}},
            "patternProperties": {"(token|password|secret|key)$": SecretText().schema()},
            "additionalProperties": {"type": ["string", "number", "boolean"]},
        }


def _auth_value(name: str, node: Node, notes: Notes) -> str | Secret | Failed:
    if _SECRET_NAME.search(name):
        return SecretText().read(node, notes)
    if isinstance(node, Scalar) and has_reference(node.text):
        return SecretText().read(node, notes)
    return Text().read(node, notes)


class _Cron:
    """Five fields: minute, hour, day of the month, month, day of the week."""

    def read(self, node: Node, notes: Notes) -> str | Failed:
        """The text as it is; UNREAD after a problem was noted."""
        text = Text("a cron expression").read(node, notes)
        if text is UNREAD:
            return UNREAD
        fields = text.split()
        if len(fields) == 5 and all(
            _fits(field, low, high) for field, (low, high) in zip(fields, _CRON_RANGES, strict=True)
        ):
            return text
        return notes.say(
            node.mark,
            Code.TYPE,
            f"{quoted(node)} is not a cron expression",
            allowed="minute hour day month weekday, as '15 3 * * *' (every day at 03:15)",
        )

    def schema(self) -> Json:
        return {"type": "string"}


_CRON_RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))


def _fits(field: str, low: int, high: int) -> bool:
    """Whether one field of a cron expression is made of numbers in range."""
    for part in field.split(","):
        match = re.fullmatch(r"(?:\*|(\d+)(?:-(\d+))?)(?:/([1-9]\d*))?", part)
        if not match or any(not low <= int(number) <= high for number in match.groups()[:2] if number):
            return False
    return True


_SCHEDULE = Struct(
    "schedule",
    lambda every, cron, **rest: Schedule(
        every=None if cron and every is None else every or 300.0, cron=cron, **rest
    ),
    {
        "every": Key(Duration(), "time between two polls"),
        "cron": Key(_Cron(), "instead of `every`: when it is polled"),
        "webhooks": Key(Flag(), "true: changes are announced; polling goes on beside", False),
        "full_listing": Key(Duration(), "how often everything is read again"),
    },
)
_BUDGET = Struct(
    "budget",
    BudgetSettings,
    {
        "calls_per_day": Key(Count(1), "how many calls the hub may make in 24 hours"),
        "calls_per_second": Key(Count(1), "how many calls in a second"),
        "parallel": Key(Count(1), "how many calls at once"),
        "reserve": Key(Share(), "kept for opt-outs and transitions", 0.10),
    },
)
_OWNERS = Struct(
    "owners",
    Owners,
    {
        "match_by": Key(Text("a field of users"), "how owners are recognised", "email"),
        "fallback": Key(Text("an owner or a queue"), "who gets what has no owner there", ""),
    },
)

CONNECTION = Struct(
    "connection",
    SaidConnection,
    {
        "connector": Key(Text("a connector"), "the kind of system", required=True),
        "role": Key(Word(enum_words(Role), "a role"), "marketing, sales or operations", required=True),
        "auth": Key(_AuthShape(), "how to sign in; secrets as ${env:NAME} or ${file:PATH}", Auth()),
        "schedule": Key(_SCHEDULE, "when it is polled", Schedule()),
        "budget": Key(_BUDGET, "the account's allowance", BudgetSettings()),
        "owners": Key(_OWNERS, "who owns records there", Owners()),
        "guard_age": Key(Duration(), "how long ago a reading may have begun that guards a write", 30.0),
        "time_zone": Key(
            Text("a time zone as Europe/Kyiv"), "for its dates without a zone; left out: the hub's"
        ),
        "phone_region": Key(Text("a country code of two letters", r"[A-Z]{2}"), "left out: the hub's"),
        "first_load": Key(Word(enum_words(FirstLoad), "fill or authority"), "left out: the hub's"),
        "objects": Key(OBJECTS, "what differs from, or adds to, the connector's default mapping", {}),
        "activities": Key(ListOf(Text("a kind of activity")), "the facts that are read", ()),
        "options": Key(MapOf(AnyJson()), "what only this connector understands", {}),
        "renamed_from": Key(Text("a connection"), "the name it had before"),
    },
    homes=homes("the connection"),
)
