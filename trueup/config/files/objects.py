"""The `objects:` block of a connection's file; a connector's default mapping.yaml has the same form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from trueup.config.codes import Code
from trueup.config.files.homes import homes
from trueup.config.files.lifecycle import CONDITION, TASK
from trueup.config.nodes import Node, Scalar
from trueup.config.notes import Failed, Notes, quoted
from trueup.config.said import OptedInWhen, SaidConsent, SaidField, SaidObject, SaidStage
from trueup.config.scalars import AnyJson, Count, Duration, Flag, Text, Word, words
from trueup.config.shapes import Either, Key, ListOf, Made, MapOf, Placed, Struct, enum_words
from trueup.config.vocabulary import CASES, NOTE_PARTS
from trueup.mapping.schema import Clearing, Direction, ItemRule, Publish, Refusal, Shape, TooLong, Unmapped
from trueup.model.fields import Kind
from trueup.model.record import Json

_DIRECTION = Word(enum_words(Direction), "in (into the hub), out (from the hub) or both")
_VALUES = MapOf(ListOf(AnyJson(), short=True), "a block of `our word: their word`")
_REMOTE = Text("the name of a remote field")
_CLEAR = Word(enum_words(Clearing), "propagate or ignore")
_REFUSED = Word(enum_words(Refusal), "write_back or leave")
_UNMAPPED = Word(enum_words(Unmapped), "error, default, pass, create or leave")

_PUBLISH = Struct(
    "publish",
    Publish,
    {
        "at_most_every": Key(Duration(), "least time between two writes"),
        "when_changed_by": Key(Text("a number or a share"), "least change that is worth a write"),
    },
)

_PART = Text("the name of a field of an item, or a path to it")

_ITEM = Struct(
    "item",
    ItemRule,
    {
        "value": Key(_PART, "the address or number itself; of postal addresses it is their parts", ""),
        "kind": Key(_PART, "its kind (`kinds` says in which words)", ""),
        "label": Key(_PART, "what people call it there", ""),
        "primary": Key(_PART, "true at the primary one", ""),
        "id": Key(_PART, "the system's own id of the item", ""),
        "street": Key(_PART, "of postal addresses: street and house, in one or more lines", ""),
        "line2": Key(_PART, "of postal addresses: the lines after the first, where they stand apart", ""),
        "city": Key(_PART, "of postal addresses: the city", ""),
        "region": Key(_PART, "of postal addresses: the region or state", ""),
        "postcode": Key(_PART, "of postal addresses: the postcode", ""),
        "country": Key(_PART, "of postal addresses: the country", ""),
    },
)

FIELD = Struct(
    "field",
    SaidField,
    {
        "field": Key(_REMOTE, "the remote field, or a path to it", required=True),
        "direction": Key(_DIRECTION, "in: into the hub; out: from the hub; both"),
        "transform": Key(Text("the name of a transform"), "how the value is turned, both ways"),
        "values": Key(_VALUES, "our word: their word, or a list: the first is written, all are read"),
        "unmapped": Key(_UNMAPPED, "what happens to a word that is not in the map or the target's list"),
        "default": Key(AnyJson(), "written where the hub has nothing and the field is required"),
        "clear": Key(_CLEAR, "whether a value that became empty is a change"),
        "refused": Key(_REFUSED, "what happens to an edit that is not accepted"),
        "too_long": Key(
            Word(enum_words(TooLong), "error or truncate"), "a text longer than the target takes"
        ),
        "max_length": Key(Count(1), "longest text the target takes, where it does not say so itself"),
        "shape": Key(
            Word(enum_words(Shape), "value, list, elements or element"), "how it holds several values"
        ),
        "publish": Key(_PUBLISH, "how often it is written"),
        "to": Key(Text("an object"), "for references: the object that the remote id points at"),
        "currency": Key(_REMOTE, "for money: the field of the currency"),
        "create_only": Key(Flag(), "true: written with a new record, never afterwards", False),
        "item": Key(_ITEM, "the remote field is a list of objects, and this is where they hold what"),
        "kinds": Key(
            _VALUES, "of such a list: our kind: their word, or a list: the first is written, all are read"
        ),
    },
    place=True,
)
_FIELD_LINE = Either(Made(Placed(_REMOTE), lambda said: SaidField(said[0], origin=said[1])), FIELD)

STAGE = Struct(
    "stage",
    SaidStage,
    {
        "field": Key(_REMOTE, "the remote field that holds the stage", required=True),
        "values": Key(_VALUES, "stage: their word, or a list: the first is written, all are read"),
        "unlisted": Key(
            Word({"leave": Unmapped.LEAVE, "error": Unmapped.ERROR}, "leave or error"),
            "leave: the other stages neither write nor read this field",
        ),
        "direction": Key(_DIRECTION, "in, out or both"),
        "reason": Key(_REMOTE, "the remote field that holds the reason of a stage edit"),
    },
    place=True,
)

_OPTED_IN = Struct(
    "opted_in_when",
    OptedInWhen,
    {
        "evidence": Key(
            ListOf(words("time", "source", wanted="evidence")), "what the system keeps with it", ()
        ),
        "field": Key(_REMOTE, "where it keeps that"),
    },
)
CONSENT = Struct(
    "consent",
    SaidConsent,
    {
        "field": Key(_REMOTE, "the remote field"),
        "tag": Key(Text("a tag"), "a tag that is there or not"),
        "subscription": Key(Text("a subscription"), "the name of a subscription"),
        "list": Key(Text("a list"), "the name of a list"),
        "opted_out": Key(AnyJson(), "the value that means opted out (a tag: present); others say nothing"),
        "opted_in_when": Key(_OPTED_IN, "left out: nobody is opted in by this", OptedInWhen()),
    },
    place=True,
)
_HANDOFF = Struct(
    "handoff",
    lambda **said: {name: _json(value) for name, value in said.items() if value},
    {
        "fields": Key(
            ListOf(Text("a field of the contact")), "these arrive together, or the stage does not move", ()
        ),
        "note": Key(ListOf(Text("a part of a note")), f"what the note tells: {', '.join(NOTE_PARTS)}", ()),
        "task": Key(TASK, "a task for the receiver", {}),
    },
)
_SEGMENTS = Struct(
    "segments",
    lambda **said: {name: _json(value) for name, value in said.items() if value},
    {
        "publish": Key(ListOf(Text("a segment")), "the segments that are kept up there", ()),
        "into": Key(Text("a kind of list"), "how: static_lists, tags, …", ""),
    },
)


def _json(value: Any) -> Json:
    return list(value) if isinstance(value, tuple) else value


TABLE_KEYS: Mapping[str, Key[Any]] = {
    "table": Key(Text("a table or view"), "the table, where it is not the object's name"),
    "schema": Key(Text("a schema"), "the schema of the table"),
    "key": Key(Text("a column"), "the column that identifies a row"),
    "keys": Key(ListOf(Text("a column"), short=True), "more columns that look-ups may use"),
    "changed_at": Key(ListOf(Text("a column"), short=True), "the column that says when a row changed"),
    "upsert_key": Key(Text("a column"), "the column by which a repeated create finds its record"),
    "lookback": Key(Text("a length of time"), "how late a transaction may commit"),
    "path": Key(Text("a file"), "the file, or a pattern with * for several"),
    "columns": Key(ListOf(Text("a column")), "the columns of a file without a header line"),
    "delimiter": Key(Text("a sign"), "between the columns"),
    "encoding": Key(Text("an encoding"), "of the file"),
}
"""Keys of objects that people name themselves: tables, views, files."""

_CONSENTS = MapOf(CONSENT, "a block of `channel.purpose`, or none,")


class _ConsentOrNone:
    """Where consent is kept; `none` (read as None) where nothing is sent, so there is nothing to map."""

    def read(self, node: Node, notes: Notes) -> Mapping[str, SaidConsent] | None | Failed:
        if isinstance(node, Scalar) and node.text == "none":
            return None
        return _CONSENTS.read(node, notes)

    def schema(self) -> Json:
        return {"anyOf": [{"const": "none"}, _CONSENTS.schema()]}


_KEYS: Mapping[str, Key[Any]] = {
    "entity": Key(
        Word({str(kind): kind for kind in Kind}, "contact, company, deal or user"), "what its records are"
    ),
    "case": Key(
        words(*CASES, wanted="a kind of case"), "what its records are, if they are facts with a state"
    ),
    "direction": Key(_DIRECTION, "for every field that does not say its own"),
    "take": Key(CONDITION, "which remote records come in; left out: all"),
    "create": Key(CONDITION, "which contacts may be created there; left out: never"),
    "leaves": Key(words("keep", "stop", "deactivate"), "a linked contact that no longer meets `create`"),
    "secondary": Key(words("quiet", "follow"), "further records of one contact in this object"),
    "deactivate": Key(MapOf(AnyJson()), "what `switched off` means there"),
    "reactivate": Key(MapOf(AnyJson()), "what `switched on` means there"),
    "deleted_elsewhere": Key(
        words("keep", "deactivate", "delete"), "the record was deleted in another system"
    ),
    "merge": Key(words("ask", "never", "auto"), "whether duplicates are merged in this system"),
    "company": Key(words("link", "create", "ignore"), "companies named by its records"),
    "clear": Key(_CLEAR, "for every field that does not say its own"),
    "unmapped": Key(_UNMAPPED, "for every field that does not say its own"),
    "refused": Key(_REFUSED, "for every field that does not say its own"),
    "stage": Key(STAGE, "where the life-cycle stage is kept"),
    "consent": Key(
        _ConsentOrNone(), "where consent is kept, per channel.purpose; none: nothing is sent from there", {}
    ),
    "fields": Key(MapOf(_FIELD_LINE, "a block of fields"), "our field: their field", {}),
    "without": Key(ListOf(Text("a field")), "fields of the default mapping that stay away", ()),
    "handoff": Key(_HANDOFF, "what arrives as one unit when control comes here"),
    "segments": Key(_SEGMENTS, "segments that are kept up there"),
    "contact": Key(_REMOTE, "for cases: the remote field that names the person's record"),
    "options": Key(MapOf(AnyJson()), "what only this connector understands", {}),
    "renamed_from": Key(Text("an object"), "the name it had before"),
}


def _object(options: Mapping[str, Json], **said: Any) -> SaidObject:
    own = {name: _json(said.pop(name)) for name in TABLE_KEYS}
    told = {name: value for name, value in own.items() if value is not None}
    consent = said.pop("consent")
    return SaidObject(options={**told, **options}, consent=consent or {}, no_consent=consent is None, **said)


OBJECT = Struct("object", _object, {**_KEYS, **TABLE_KEYS}, homes=homes("an object"), place=True)


class _ObjectOrOff:
    """An object's block, or `off` for one of the default mapping."""

    def read(self, node: Node, notes: Notes) -> SaidObject | Failed:
        """The block; `off` gives an object that is switched off."""
        if isinstance(node, Scalar) and node.text:
            if node.text == "off":
                return SaidObject(off=True, origin=notes.document.origin(node.mark))
            return notes.say(
                node.mark,
                Code.TYPE,
                f"{quoted(node)} is not an object's block",
                allowed="off, or keys such as entity, fields, create",
            )
        read = OBJECT.read(node, notes)
        return (
            replace(read, origin=notes.document.origin(node.mark)) if isinstance(read, SaidObject) else read
        )

    def schema(self) -> Json:
        return {"anyOf": [{"const": "off"}, OBJECT.schema(), {"type": "null"}]}


OBJECTS = MapOf(_ObjectOrOff(), "a block of objects")

DEFAULT_MAPPING: Struct[Mapping[str, SaidObject]] = Struct(
    "default mapping",
    lambda objects, consent_examples, activities: {
        name: replace(said, consent_example=consent_examples.get(name, ())) for name, said in objects.items()
    },
    {
        "objects": Key(OBJECTS, "the objects that are active unless a connection says `off`", {}),
        "consent_examples": Key(
            MapOf(ListOf(Text())), "lines of `consent` for the file that `init` writes, by object", {}
        ),
        "activities": Key(ListOf(Text()), "facts that the connector brings", ()),
    },
)
"""A connector's mapping.yaml."""
