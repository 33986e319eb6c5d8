"""What was meant: the nearest known word to an unknown one, and why it is near."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping

from rapidfuzz import fuzz, process

_PAIRS = (  # Cyrillic and Greek letters, each before the Latin one that it is taken for
    "\u0430a \u0441c \u0435e \u043eo \u0440p \u0445x \u0443y \u0456i \u0458j \u0455s "
    "\u04bbh \u0432B \u043aK \u043cM \u043dH \u0442T "
    "\u0410A \u0412B \u0421C \u0415E \u041dH \u0406I \u041aK \u041cM \u041eO \u0420P "
    "\u0422T \u0425X \u0423Y "
    "\u03bfo \u03bdv \u0391A \u0392B \u0395E \u0396Z \u0397H \u0399I \u039aK \u039cM \u039dN "
    "\u039fO \u03a1P \u03a4T \u03a5Y \u03a7X"
)
LOOKALIKE = {pair[0]: pair[1] for pair in _PAIRS.split()}
_SKELETON = str.maketrans(LOOKALIKE)
_NEAR_ENOUGH = 72.0


def hint_for(word: str, known: Iterable[str], labels: Mapping[str, str] | None = None) -> str:
    """A half-sentence that says what was probably meant by an unknown `word`, empty if nothing is near.

    `labels` maps names to what people read on the screen: they often write that instead.
    """
    names = list(known)
    if word.strip() != word and word.strip() in names:
        return f"without the blank {'at the end' if word.rstrip() != word else 'before it'}: `{word.strip()}`"
    foreign = foreign_letters(word)
    if foreign and word.translate(_SKELETON) in names:
        return f"{foreign}; the name is spelt with Latin letters"
    by_label = _by_label(word, names, labels or {})
    if by_label:
        return f"the field's name is `{by_label}`"
    found = nearest(word, names)
    return f"did you mean `{found}`?" if found else ""


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that is most like `word`, if one is like it at all."""
    names = list(known)
    exact = [name for name in names if _plain(name) == _plain(word)]
    if exact:
        return exact[0]
    turned = [name for name in names if sorted(_plain(name)) == sorted(_plain(word))]
    if turned:
        return turned[0]
    found = process.extractOne(word, names, scorer=fuzz.ratio, processor=_plain, score_cutoff=_NEAR_ENOUGH)
    return str(found[0]) if found else None


def _by_label(word: str, names: list[str], labels: Mapping[str, str]) -> str | None:
    wanted = _plain(word)
    return next((name for name in names if labels.get(name) and _plain(labels[name]) == wanted), None)


def _plain(word: str) -> str:
    return "".join(sign for sign in word.translate(_SKELETON).casefold() if sign.isalnum())


def foreign_letters(word: str) -> str:
    """Which letters of a word are Cyrillic or Greek, as the beginning of a sentence; empty if none."""
    found = [sign for sign in dict.fromkeys(word) if script(sign) in ("Cyrillic", "Greek")]
    if not found:
        return ""
    shown = ", ".join(f"`{sign}`" for sign in found)
    name = script(found[0])
    return f"{shown} is a {name} letter" if len(found) == 1 else f"{shown} are {name} letters"


def script(sign: str) -> str:
    """Latin, Cyrillic, Greek, or the like; empty for what is no letter."""
    return unicodedata.name(sign, "").split(" ")[0].capitalize() if sign.isalpha() else ""


def listed(words: Iterable[str], most: int = 12) -> str:
    """Words for a message: `a, b, c`; the rest of a long list is left out, and that is visible."""
    names = list(words)
    return ", ".join(names[:most]) + (", …" if len(names) > most else "")
