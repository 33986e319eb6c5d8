"""The forms of lists and blocks: each reads a node, and describes itself to editors.

One description per key serves the loader, its messages, the JSON Schemas and the reference. `read`
gives the typed value, or UNREAD after it has noted why; it never raises.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from trueup.config.codes import Code
from trueup.config.nodes import Listing, Node, Scalar, Table
from trueup.config.notes import UNREAD, Failed, Notes, quoted
from trueup.config.scalars import Shape
from trueup.config.suggest import hint_for, listed
from trueup.model.covering import holds_secret
from trueup.model.record import Json

T = TypeVar("T")
U = TypeVar("U")


@dataclass(frozen=True, slots=True)
class ListOf(Generic[T]):
    """A list; items that cannot be read are left out after they were noted. `short`: one item may
    stand without brackets."""

    item: Shape[T]
    wanted: str = "a list"
    short: bool = False

    def read(self, node: Node, notes: Notes) -> tuple[T, ...] | Failed:
        if isinstance(node, Listing):
            items = [self.item.read(item, notes) for item in node.items]
            return tuple(item for item in items if item is not UNREAD)
        if isinstance(node, Scalar) and node.plain and not node.text:
            return ()
        if self.short:
            item = self.item.read(node, notes)
            return UNREAD if item is UNREAD else (item,)
        remedy = (
            f"put brackets around it: [{node.text}]"
            if isinstance(node, Scalar)
            else "begin each item with `- `"
        )
        shown = remedy if not (isinstance(node, Scalar) and holds_secret(node.text)) else ""
        return notes.say(node.mark, Code.TYPE, f"{self.wanted} is wanted here", remedy=shown)

    def schema(self) -> Json:
        many = {"type": "array", "items": self.item.schema()}
        return {"anyOf": [self.item.schema(), many]} if self.short else many


@dataclass(frozen=True, slots=True)
class MapOf(Generic[T]):
    """Keys that people choose, or (`keys`) take from a list, each with a value of one shape."""

    item: Shape[T]
    wanted: str = "a block of `key: value`"
    keys: tuple[str, ...] = ()
    called: str = "one of these words"

    def read(self, node: Node, notes: Notes) -> dict[str, T] | Failed:
        table = _table(node, notes, self.wanted)
        if table is UNREAD:
            return UNREAD
        result: dict[str, T] = {}
        for entry in table.entries:
            if self.keys and entry.key.text not in self.keys:
                notes.say(
                    entry.key.mark,
                    Code.WORD,
                    f"{quoted(entry.key)} is not {self.called}",
                    hint=hint_for(entry.key.text, self.keys),
                    allowed=listed(self.keys),
                )
                continue
            value = self.item.read(entry.value, notes)
            if value is not UNREAD:
                result[entry.key.text] = value
        return result

    def schema(self) -> Json:
        if self.keys:
            properties = {key: self.item.schema() for key in self.keys}
            return {"type": "object", "properties": properties, "additionalProperties": False}
        return {"type": "object", "additionalProperties": self.item.schema()}


_NO_KEYS = Table((), mark=None)  # type: ignore[arg-type]


def _table(node: Node, notes: Notes, wanted: str) -> Table | Failed:
    if isinstance(node, Table):
        return node
    if isinstance(node, Scalar) and node.plain and not node.text:
        return _NO_KEYS
    glued = isinstance(node, Scalar) and re.fullmatch(r"[\w.]+:\S.*", node.text)
    return notes.say(
        node.mark,
        Code.TYPE,
        f"{wanted} is wanted here",
        hint="a blank is missing behind the `:`" if glued else "",
        remedy="remove the `- `" if isinstance(node, Listing) else "",
    )


@dataclass(frozen=True, slots=True)
class Key(Generic[T]):
    """One key of a Struct. `about` is what editors and the reference say; `default` holds when the key
    is not there; a required key has none."""

    shape: Shape[T]
    about: str
    default: Any = None
    required: bool = False


@dataclass(frozen=True, slots=True)
class Struct(Generic[T]):
    """A block of known keys, made into T by `build(**values)`.

    `name` is what messages call the block. `homes`: where keys belong that people look for here.
    `place`: the mark's `file:line` is handed to `build` as `origin`.
    """

    name: str
    build: Callable[..., T]
    keys: Mapping[str, Key[Any]]
    homes: Mapping[str, str] = field(default_factory=dict)
    place: bool = False

    def read(self, node: Node, notes: Notes) -> T | Failed:
        table = _table(node, notes, f"a block of keys ({listed(self.keys, 4)})")
        if table is UNREAD:
            return UNREAD
        values = {_argument(name): UNREAD if key.required else key.default for name, key in self.keys.items()}
        for entry in table.entries:
            self._entry(entry.key, entry.value, table, values, notes)
        if not self._complete(table, node, notes):
            return UNREAD
        if any(value is UNREAD for value in values.values()):
            notes.lost = True
            return UNREAD
        if self.place:
            values["origin"] = notes.document.origin(node.mark)
        return self.build(**values)

    def _entry(self, key: Scalar, value: Node, table: Table, values: dict[str, Any], notes: Notes) -> None:
        known = self.keys.get(key.text)
        if known is None:
            say_unknown_key(key, value, table, self, notes)
            return
        read = known.shape.read(value, notes)
        if read is not UNREAD:
            values[_argument(key.text)] = read

    def _complete(self, table: Table, node: Node, notes: Notes) -> bool:
        missing = [name for name, key in self.keys.items() if key.required and table.entry(name) is None]
        for name in missing:
            about = self.keys[name].about
            notes.say(
                node.mark,
                Code.MISSING,
                f"{self.name}: `{name}` is missing",
                remedy=f"add `{name}:` ({about})",
            )
        return not missing and all(
            not key.required or (entry := table.entry(name)) is None or not _empty(entry.value)
            for name, key in self.keys.items()
        )

    def schema(self) -> Json:
        properties = {
            name: {**key.shape.schema(), "description": key.about} for name, key in self.keys.items()
        }
        required = [name for name, key in self.keys.items() if key.required]
        whole: dict[str, Json] = {"type": "object", "properties": properties, "additionalProperties": False}
        return {**whole, "required": required} if required else whole


def _argument(name: str) -> str:
    """A key as a Python argument: `from` and `as` are words of the language."""
    return f"{name}_" if name in ("from", "as") else name


def _empty(node: Node) -> bool:
    return isinstance(node, Scalar) and node.plain and not node.text


def say_unknown_key(key: Scalar, value: Node, table: Table, struct: Struct[Any], notes: Notes) -> None:
    """The problem of a key that nobody knows, with its home or what was probably meant."""
    home = struct.homes.get(key.text)
    if home:
        notes.say(
            key.mark,
            Code.HOME,
            f"{struct.name}: {quoted(key)} does not belong here",
            hint=f"its home is {home}",
            remedy=f"move it to {home}",
        )
        return
    torn = table.flow and _empty(value) and not re.fullmatch(r"[\w.]+", key.text)
    hint = "a comma ends a value inside `{…}`" if torn else hint_for(key.text, struct.keys)
    notes.say(
        key.mark,
        Code.KEY,
        f"{struct.name}: {quoted(key)} is not a key here",
        hint=hint,
        allowed=listed(struct.keys, 30),
        remedy="quote the value that holds the comma" if torn else "",
    )


@dataclass(frozen=True, slots=True)
class Either(Generic[T, U]):
    """A short form (one value) or a long one (a block)."""

    short: Shape[T]
    long: Shape[U]

    def read(self, node: Node, notes: Notes) -> T | U | Failed:
        if isinstance(node, Table):
            return self.long.read(node, notes)
        return self.short.read(node, notes)

    def schema(self) -> Json:
        return {"anyOf": [self.short.schema(), self.long.schema()]}


@dataclass(frozen=True, slots=True)
class Made(Generic[T, U]):
    """A shape whose value is turned into another; `make` must not fail."""

    shape: Shape[T]
    make: Callable[[T], U]

    def read(self, node: Node, notes: Notes) -> U | Failed:
        value = self.shape.read(node, notes)
        return UNREAD if value is UNREAD else self.make(value)

    def schema(self) -> Json:
        return self.shape.schema()


@dataclass(frozen=True, slots=True)
class Placed(Generic[T]):
    """A value together with the `file:line` it stands at: (value, origin)."""

    shape: Shape[T]

    def read(self, node: Node, notes: Notes) -> tuple[T, str] | Failed:
        value = self.shape.read(node, notes)
        return UNREAD if value is UNREAD else (value, notes.document.origin(node.mark))

    def schema(self) -> Json:
        return self.shape.schema()


def enum_words(members: Iterable[T]) -> dict[str, T]:
    """The words of a StrEnum."""
    return {str(member): member for member in members}
