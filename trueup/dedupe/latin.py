"""Letters of other scripts in Latin, for comparing names. Modest on purpose: one spelling per letter."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

_CYRILLIC = (
    "абвгґдежзиійклмнопрстуфхцчшщъыьэюяєѓђѕјљњќћўџ",
    "a b v g g d e zh z i i y k l m n o p r s t u f kh ts ch sh shch _ y _ e yu ya ye"
    " g dj dz j lj nj k c u dz",
)
_GREEK = (
    "αβγδεζηθικλμνξοπρσςτυφχψω",
    "a v g d e z i th i k l m n x o p r s s t y f ch ps o",
)
_ARABIC = (
    "ابتثجحخدذرزسشصضطظعغفقكلمنهويةىءپچژگکی",
    "a b t th j h kh d dh r z s sh s d t z _ gh f q k l m n h w y a a _ p ch zh g k y",
)
_LATIN = {
    "ß": "ss",
    "æ": "ae",
    "œ": "oe",
    "ø": "o",
    "ł": "l",
    "đ": "d",
    "ð": "d",
    "þ": "th",
    "ı": "i",
    "ħ": "h",
    "ŋ": "n",
    "ə": "a",
    "ĸ": "k",
    "ŧ": "t",
    "’": "'",
    "ʼ": "'",
}
_TABLE = str.maketrans(_LATIN)
for _letters, _spellings in (_CYRILLIC, _GREEK, _ARABIC):
    _each = (spelling.replace("_", "") for spelling in _spellings.split())
    _TABLE |= {ord(letter): spelling for letter, spelling in zip(_letters, _each, strict=True)}
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
# Spellings that two people give one name: Müller and Mueller, Dmitriy and Dmitry.
_SPELLINGS = (("ae", "a"), ("oe", "o"), ("ue", "u"), ("iy", "y"), ("yy", "y"), ("ii", "y"))


@lru_cache(maxsize=32_768)
def latin(text: str) -> str:
    """Lower case, without diacritics, in Latin letters where a table has them."""
    if text.isascii():
        return text.lower()
    text = text.casefold().replace("й", "y").replace("ї", "yi").replace("ё", "e")  # before their marks go
    plain = unicodedata.normalize("NFKD", text)
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return unicodedata.normalize("NFKC", plain.translate(_TABLE))


def words(text: str) -> list[str]:
    """The words of a text in Latin, an apostrophe inside a word left out."""
    return [word.replace("'", "") for word in _WORD.findall(latin(text))]


def spelled(word: str) -> str:
    """A word under its commonest other spelling."""
    for longer, shorter in _SPELLINGS:
        word = word.replace(longer, shorter)
    return word


# One letter of another script is written in several ways: Сергій is Serhii, Sergiy and Sergej.
_SOUNDS = (
    *(("shch", "sh"), ("sch", "sh"), ("kh", "h"), ("zh", "z"), ("ts", "c"), ("tz", "c"), ("ck", "k")),
    *(("ph", "f"), ("th", "t"), ("x", "ks"), ("g", "h"), ("w", "v"), ("j", "i"), ("y", "i"), ("ie", "e")),
)
_REPEATED = re.compile(r"([^\W\d_])\1+")


def sounded(word: str) -> str:
    """A spelled word reduced to what its spellings have in common. Coarse: names that differ may become one,
    so it tells nothing without a second key (the same number)."""
    for written, sound in _SOUNDS:
        word = word.replace(written, sound)
    return _REPEATED.sub(r"\1", word)


@lru_cache(maxsize=16_384)
def spelled_words(text: str) -> tuple[str, ...]:
    """The words of a text, each under its commonest other spelling."""
    return tuple(spelled(word) for word in words(text))


@lru_cache(maxsize=16_384)
def sounds(text: str) -> tuple[str, ...]:
    """The words of a text, each as it sounds."""
    return tuple(map(sounded, spelled_words(text)))


def same_words(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether two names say the same words as they sound, in any order. Of two words and more some may be
    initials, and one side may say more; but one whole word must be the same."""
    few, many = sorted((Counter(one), Counter(other)), key=Counter.total)
    if few == many:
        return bool(few)
    same = few & many
    if few.total() < 2 or all(map(is_initial, same)):
        return False
    left = list((many - same).elements())
    for word in (few - same).elements():
        found = next((long for long in left if _abbreviates(word, long) or _abbreviates(long, word)), None)
        if found is None:
            return False
        left.remove(found)
    return True


_LONG_INITIALS = frozenset(word for letter in "шщчюяψξذ" for word in sounds(letter))
"""One letter of another script that sounds like two: Ш. is Sh., Ю. is Yu."""


def is_initial(word: str) -> bool:
    """Whether a word, as it sounds, is one letter of some script."""
    return len(word) == 1 or word in _LONG_INITIALS


def _abbreviates(short: str, long: str) -> bool:
    return is_initial(short) and long.startswith(short)
