"""Text: NFC, trimmed, without invisible characters, line breaks as `\\n`."""

from __future__ import annotations

import re
import unicodedata

from trueup.model.record import Json, impossible
from trueup.model.values import Rejected

MAX_TEXT = 262_144
"""Characters. Salesforce's longest text holds 131,072; anything longer than twice that is no field."""

_BREAKS = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_GHOSTS = (
    "\x01-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e"
    "\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb"
)
_GHOST = re.compile(f"[{_GHOSTS}]")
_FILLERS = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0]")  # unseen, but `printable` to Python
# A joiner means something between two letters of a script that joins (Persian, Hindi, emoji); elsewhere
# it is litter. Tag characters mean something behind a black flag (the flag of Wales).
_JOINABLE = "\u0300-\u167f\u1681-\u1fff\u2010-\u2027\u2030-\u205e\u2070-\u2fff\u3001-\U000dffff"
_LONE_JOINER = re.compile(f"(?<![{_JOINABLE}])[\u200c\u200d]|[\u200c\u200d](?![{_JOINABLE}])")
_LONE_TAGS = re.compile("(?<![\U0001f3f4\U000e0020-\U000e007f])[\U000e0000-\U000e007f]+")

TOO_LONG = Rejected(f"longer than {MAX_TEXT:,} characters", "TU-VAL-002")
IMPOSSIBLE = Rejected("holds a NUL or half of a character, which no system can store")


def clean(text: str) -> str:
    """The canonical form of a text; a fixed point of itself. The text holds no NUL or surrogate."""
    if text.isprintable() and (text.isascii() or not _FILLERS.search(text)):
        return unicodedata.normalize("NFC", text).strip()
    previous = None
    while text != previous:
        previous, text = text, _cleaned_once(text)
    return text


def _cleaned_once(text: str) -> str:
    text = _GHOST.sub("", _BREAKS.sub("\n", text)).strip()
    text = _LONE_TAGS.sub("", _LONE_JOINER.sub("", unicodedata.normalize("NFC", text)))
    return unicodedata.normalize("NFC", text).strip()


def read_text(raw: Json) -> str | Rejected:
    """Text, or a number as text. Empty text is empty text here; the caller makes None of it."""
    if type(raw) is str:
        if len(raw) > MAX_TEXT:
            return TOO_LONG
        if raw.isascii() and raw.isprintable():
            return raw.strip()
        return IMPOSSIBLE if impossible(raw) else clean(raw)
    if type(raw) is int:
        return str(raw) if raw.bit_length() <= 128 else Rejected("a number of too many digits")
    if type(raw) is float:
        return _number_as_text(raw)
    return Rejected(f"expected text, found {described(raw)}")


def _number_as_text(raw: float) -> str | Rejected:
    if raw != raw or raw in (float("inf"), float("-inf")):
        return Rejected("expected text, found a number that is not one")
    return str(int(raw)) if raw.is_integer() and abs(raw) < 1e15 else repr(raw)


def described(raw: Json) -> str:
    """What kind of JSON value this is, in words and without the value."""
    if raw is None:
        return "nothing"
    if isinstance(raw, bool):
        return "true or false"
    if isinstance(raw, int | float):
        return "a number"
    if isinstance(raw, str):
        return "text"
    if isinstance(raw, list | tuple):
        return "a list"
    return "an object" if isinstance(raw, dict) else f"a {type(raw).__name__}"
