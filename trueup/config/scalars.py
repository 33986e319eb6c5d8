"""The forms of single values: text, words, numbers, lengths of time, shares, secrets.

Each reads a node and describes itself to editors; see `shapes` for blocks and lists.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from trueup.config.codes import Code
from trueup.config.env import Secret, has_reference
from trueup.config.nodes import Listing, Node, Scalar
from trueup.config.notes import UNREAD, Failed, Notes, quoted
from trueup.config.suggest import hint_for, listed
from trueup.model.covering import holds_secret
from trueup.model.record import Json

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
U = TypeVar("U")


class Shape(Protocol[T_co]):
    """How one value is written."""

    def read(self, node: Node, notes: Notes) -> T_co | Failed: ...

    def schema(self) -> Json:
        """The JSON Schema of the value, for editors."""
        ...


def _scalar(node: Node, notes: Notes, wanted: str) -> Scalar | Failed:
    """The scalar at this place, or a problem that says what is wanted."""
    if isinstance(node, Scalar):
        if node.text == "" and node.plain:
            return notes.say(node.mark, Code.TYPE, "nothing is said here", remedy=_EMPTY.format(wanted))
        return node
    found = "a list" if isinstance(node, Listing) else "a block of keys"
    return notes.say(node.mark, Code.TYPE, f"{wanted} is wanted here, and this is {found}")


_EMPTY = "write {}, or leave the line out (a `#` begins a comment: quote values that hold one)"


@dataclass(frozen=True, slots=True)
class Text:
    """Any text; `${…}` in it is put in its place. Literal secrets are refused."""

    wanted: str = "a text"
    pattern: str = ""

    def read(self, node: Node, notes: Notes) -> str | Failed:
        scalar = _scalar(node, notes, self.wanted)
        if scalar is UNREAD:
            return UNREAD
        if holds_secret(scalar.text):
            return _refuse_secret(scalar, notes)
        text = notes.expand(scalar)
        if text is not UNREAD and self.pattern and not re.fullmatch(self.pattern, text):
            return notes.say(scalar.mark, Code.TYPE, f"{quoted(scalar)} is not {self.wanted}")
        return text

    def schema(self) -> Json:
        return {"type": ["string", "number", "boolean"]} if not self.pattern else {"type": "string"}


@dataclass(frozen=True, slots=True)
class SecretText:
    """Text that may hold a secret: from `${…}` only where it is secret-like, masked ever after."""

    wanted: str = "${env:NAME} or ${file:PATH}"
    literal: bool = False

    def read(self, node: Node, notes: Notes) -> Secret | Failed:
        scalar = _scalar(node, notes, self.wanted)
        if scalar is UNREAD:
            return UNREAD
        if holds_secret(scalar.text) or not (self.literal or has_reference(scalar.text)):
            return _refuse_secret(scalar, notes)
        text = notes.expand(scalar)
        return UNREAD if text is UNREAD else Secret(text)

    def schema(self) -> Json:
        return (
            {"type": "string"} if self.literal else {"type": "string", "pattern": r"\$\{(env|file):[^}]+\}"}
        )


def _refuse_secret(scalar: Scalar, notes: Notes) -> Failed:
    return notes.say(
        scalar.mark,
        Code.SECRET,
        f"line {scalar.mark.line} holds what looks like a secret",
        remedy="put it into an environment variable and write ${env:NAME} here; and have it issued anew"
        " if this file was ever shared",
    )


@dataclass(frozen=True, slots=True)
class Word(Generic[T]):
    """One of some words. `wanted` names them in messages: `a strategy`; `usual`: what others call them."""

    words: Mapping[str, T]
    wanted: str = "one of these words"
    usual: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def read(self, node: Node, notes: Notes) -> T | Failed:
        scalar = _scalar(node, notes, self.wanted)
        if scalar is UNREAD:
            return UNREAD
        if scalar.text in self.words:
            return self.words[scalar.text]
        return notes.say(
            scalar.mark,
            Code.WORD,
            f"{quoted(scalar)} is not {self.wanted}",
            hint=self._meant(scalar.text),
            allowed=listed(self.words, 24),
        )

    def _meant(self, text: str) -> str:
        usual = self.usual.get(text.lower(), ())
        if not usual:
            return hint_for(text, self.words)
        return f"did you mean {' or '.join(f'`{word}`' for word in usual)}?"

    def schema(self) -> Json:
        return {"enum": list(self.words)}


def words(*names: str, wanted: str = "one of these words") -> Word[str]:
    """A Word that stands for itself."""
    return Word({name: name for name in names}, wanted)


@dataclass(frozen=True, slots=True)
class Flag:
    """true or false."""

    def read(self, node: Node, notes: Notes) -> bool | Failed:
        scalar = _scalar(node, notes, "true or false")
        if scalar is UNREAD:
            return UNREAD
        if scalar.plain and scalar.text in ("true", "false"):
            return scalar.text == "true"
        meant = {"yes": "true", "on": "true", "no": "false", "off": "false"}.get(scalar.text.lower(), "")
        meant = meant or scalar.text.lower() if scalar.text.lower() in ("true", "false") or meant else ""
        return notes.say(
            scalar.mark,
            Code.TYPE,
            f"{quoted(scalar)} is a word, and true or false is wanted here",
            remedy=f"write {meant}, without quotes" if meant else "write true or false, without quotes",
        )

    def schema(self) -> Json:
        return {"type": "boolean"}


_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_DECIMAL = re.compile(r"[-+]?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")


@dataclass(frozen=True, slots=True)
class Count:
    """A whole number. Thousands may not be separated."""

    least: int | None = 0

    def read(self, node: Node, notes: Notes) -> int | Failed:
        scalar = _scalar(node, notes, "a whole number")
        if scalar is UNREAD:
            return UNREAD
        if not _INTEGER.fullmatch(scalar.text):
            digits = re.sub(r"[\s.,'_]", "", scalar.text).lstrip("0")
            remedy = f"write {digits}" if digits.isdigit() else "write digits only, as 2000"
            return notes.say(scalar.mark, Code.TYPE, f"{quoted(scalar)} is not a whole number", remedy=remedy)
        if self.least is not None and int(scalar.text) < self.least:
            return notes.say(
                scalar.mark, Code.TYPE, f"{quoted(scalar)} is too small", allowed=f"{self.least} or more"
            )
        return int(scalar.text)

    def schema(self) -> Json:
        return {"type": "integer"} if self.least is None else {"type": "integer", "minimum": self.least}


_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
DURATION = r"([0-9]+(?:\.[0-9]+)?)\s?([smhdw])"


@dataclass(frozen=True, slots=True)
class Duration:
    """A length of time (`30s`, `5m`, `2h`, `1d`, `2w`), as seconds."""

    def read(self, node: Node, notes: Notes) -> float | Failed:
        scalar = _scalar(node, notes, "a length of time")
        if scalar is UNREAD:
            return UNREAD
        match = re.fullmatch(DURATION, scalar.text.strip())
        if match:
            return float(match[1]) * _UNITS[match[2]]
        digits = re.fullmatch(r"\s*([0-9]+)\s*(\w*)\s*", scalar.text)
        units = "" if digits is None else listed(digits[1] + unit for unit in "smhd")
        return notes.say(
            scalar.mark,
            Code.TYPE,
            f"{quoted(scalar)} is not a length of time",
            hint="of what?" if digits and not digits[2] else "",
            allowed=f"{units or '30s, 5m, 2h, 1d'}  (seconds, minutes, hours, days)",
        )

    def schema(self) -> Json:
        return {"type": "string", "pattern": f"^{DURATION}$"}


@dataclass(frozen=True, slots=True)
class Share:
    """A share of a whole (`20%`), as a number from 0 to 1."""

    def read(self, node: Node, notes: Notes) -> float | Failed:
        scalar = _scalar(node, notes, "a share, as 20%")
        if scalar is UNREAD:
            return UNREAD
        match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)\s?%", scalar.text.strip())
        if match and float(match[1]) <= 100:
            return round(float(match[1]) / 100, 9)
        remedy = (
            f"write {scalar.text}%"
            if _INTEGER.fullmatch(scalar.text)
            else "write a share of the whole, as 20%"
        )
        return notes.say(
            scalar.mark, Code.TYPE, f"{quoted(scalar)} is not a share", allowed="0% to 100%", remedy=remedy
        )

    def schema(self) -> Json:
        return {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?\s?%$"}


@dataclass(frozen=True, slots=True)
class AnyJson:
    """A value for a system, as YAML 1.2 reads it; what two people would read differently is refused."""

    def read(self, node: Node, notes: Notes) -> Json | Failed:
        if isinstance(node, Scalar):
            return self._scalar(node, notes)
        if isinstance(node, Listing):
            items = [self.read(item, notes) for item in node.items]
            return [item for item in items if item is not UNREAD]
        pairs = {entry.key.text: self.read(entry.value, notes) for entry in node.entries}
        return {key: value for key, value in pairs.items() if value is not UNREAD}

    def _scalar(self, scalar: Scalar, notes: Notes) -> Json | Failed:
        doubt = _doubtful(scalar)
        if doubt:
            return notes.say(scalar.mark, Code.UNQUOTED, doubt[0], remedy=doubt[1])
        if holds_secret(scalar.text):
            return _refuse_secret(scalar, notes)
        return plain_value(scalar) if not has_reference(scalar.text) else notes.expand(scalar)

    def schema(self) -> Json:
        return {}


_TRUTH = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}


def _doubtful(scalar: Scalar) -> tuple[str, str] | None:
    """What is unclear about an unquoted value, and how to write it."""
    text = scalar.text
    if not scalar.plain:
        return None
    truth = _TRUTH.get(text.lower()) or (text.lower() if text.lower() in ("true", "false") else "")
    if truth and text not in ("true", "false"):
        return (
            f"`{text}` may be the word or the value {truth}",
            f'write "{text}" for the word, {truth} for the value',
        )
    if re.fullmatch(r"[-+]?0[0-9]+", text) or re.fullmatch(r"0[xo][0-9a-fA-F]+", text):
        return (
            f"`{text}` may be text or a number",
            f'write "{text}" for the text, {text.lstrip("0") or 0} for the number',
        )
    if re.fullmatch(r"[0-9]+(:[0-5]?[0-9])+", text):
        return f"`{text}` may be a time or a number", f'write "{text}" for the text'
    return None


def plain_value(scalar: Scalar) -> Json:
    """A scalar by the core schema of YAML 1.2, without its octal and hexadecimal numbers."""
    text = scalar.text
    if not scalar.plain:
        return text
    if text in ("", "~", "null"):
        return None
    if text in ("true", "false"):
        return text == "true"
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _DECIMAL.fullmatch(text) else text
