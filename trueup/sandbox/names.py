"""What people, companies and places are called: our own modest lists, and how they are put together.

The lists are in `data/`: one file per culture (names, nicknames, spellings in Latin letters) and one
of countries (places, numbering ranges, legal forms, mail providers). Everything random comes from the
`random.Random` that is handed in.
"""

from __future__ import annotations

import json
import re
import unicodedata
from bisect import bisect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from itertools import accumulate
from random import Random
from typing import Any

CULTURES = ("uk", "ru", "ar", "de", "en", "fr", "pl", "es")


@dataclass(frozen=True, slots=True)
class Culture:
    """The names of one culture. `spellings`: native word to its Latin spellings, where rules are no help.

    `countries` are where its people live, with weights. `roots` and `endings` make rarer surnames.
    """

    code: str
    script: str
    language: str
    countries: tuple[tuple[str, float], ...]
    given: Mapping[str, tuple[str, ...]]  # by gender, "f" and "m"
    last: tuple[str, ...]
    roots: tuple[str, ...]
    endings: tuple[str, ...]
    nicknames: Mapping[str, tuple[str, ...]]
    spellings: Mapping[str, tuple[str, ...]]
    double_surname: bool


@dataclass(frozen=True, slots=True)
class Country:
    """How addresses, numbers, companies and mail look in one country (ISO 3166 alpha-2 `code`).

    `mobile` and `fixed` are (national prefix, digits that follow): ranges that are assigned, so that
    every number made of them is valid. `cities` are (local name, English name, postcode pattern) with
    `#` for a digit and `@` for a letter.
    """

    code: str
    english: str
    local: str
    dial: str
    trunk: str
    tld: str
    mobile: tuple[tuple[str, int], ...]
    fixed: tuple[tuple[str, int], ...]
    cities: tuple[tuple[str, str, str], ...]
    streets: tuple[str, ...]
    address: str
    flat: str
    legal: tuple[str, ...]
    legal_latin: str
    heads: tuple[str, ...]
    tails: tuple[str, ...]
    mail: tuple[str, ...]


@cache
def culture(code: str) -> Culture:
    """The culture of this code (one of CULTURES)."""
    raw = load(f"{code}.json")
    spellings: dict[str, tuple[str, ...]] = {}
    return Culture(
        code=code,
        script=raw["script"],
        language=raw["language"],
        countries=tuple(raw["countries"].items()),
        given={"m": _words(raw["male"], spellings), "f": _words(raw["female"], spellings)},
        last=_words(raw["last"], spellings),
        roots=_split(raw.get("roots", "")),
        endings=_split(raw.get("endings", "")),
        nicknames={name: _split(short) for name, short in raw["nicknames"].items()},
        spellings=spellings,
        double_surname=raw.get("double_surname", False),
    )


@cache
def countries() -> Mapping[str, Country]:
    """Every country of the sandbox, by code."""
    return {code: _country(code, raw) for code, raw in load("countries.json").items()}


def given_name(rng: Random, of: Culture, gender: str) -> str:
    """A first name in the culture's own script; common ones come often."""
    return skewed(rng, of.given[gender])


def surname(rng: Random, of: Culture, gender: str) -> str:
    """A surname in the form for this gender; about a quarter are rarer ones made from root and ending."""
    if of.roots and rng.random() < 0.25:
        last = rng.choice(of.roots) + rng.choice(of.endings)
    else:
        last = skewed(rng, of.last)
    if of.double_surname:
        return f"{last} {skewed(rng, of.last)}"
    if of.script == "latin" and gender == "f" and " " not in last and rng.random() < 0.05:
        last = f"{last}-{skewed(rng, of.last)}"
    return for_gender(last, of.code, gender)


def for_gender(last: str, code: str, gender: str) -> str:
    """The form that a woman (`f`) of this culture bears of a surname given in the man's form."""
    if gender != "f":
        return last
    for ending, feminine in _FEMININE.get(code, ()):
        if last.endswith(ending):
            return last[: -len(ending)] + feminine
    return last


def patronymic(father: str, code: str, gender: str) -> str:
    """The middle name after the father's first name (Ukrainian, Russian); empty for other cultures."""
    if code not in ("uk", "ru"):
        return ""
    woman = gender == "f"
    if father in _PATRONYMICS:
        return _PATRONYMICS[father][woman]
    if code == "uk":
        if father.endswith("й"):
            return father[:-1] + ("ївна" if woman else "йович")
        base = father.rstrip("о")
        return base.rstrip("ь") + "івна" if woman else base + "ович"
    if father.endswith(("й", "ь")):
        return father[:-1] + ("евна" if woman else "евич")
    if father.endswith(("а", "я")):
        return father[:-1] + ("ична" if woman else "ич")
    return father + ("овна" if woman else "ович")


def latin(text: str, of: Culture, style: int) -> str:
    """The text in Latin letters without marks. `style` picks one of several customs of spelling."""
    if text in of.spellings:
        spellings = of.spellings[text]
        return spellings[style % len(spellings)]
    if of.script == "arabic":
        return " ".join(of.spellings[word][0] if word in of.spellings else word for word in text.split())
    if of.script == "cyrillic":
        return _cyrillic(text, of.code, style % 2)
    return plain(text, german=style % 2 == 1)


@lru_cache(maxsize=20_000)
def plain(text: str, german: bool = False) -> str:
    """Latin letters without marks: `Łódź` is `Lodz`; with `german`, `ü` is `ue`."""
    if german:
        text = text.translate(_GERMAN)
    folded = unicodedata.normalize("NFKD", text.translate(_LETTERS))
    return "".join(char for char in folded if not unicodedata.combining(char))


@lru_cache(maxsize=20_000)
def slug(text: str) -> str:
    """Lower-case letters and digits only, as in a mail address or a domain (Cyrillic is spelled out)."""
    spelled = _cyrillic(text, "uk", 0)
    return re.sub(r"[^a-z0-9]+", "", plain(spelled).lower())


def mobile(rng: Random, of: Country) -> str:
    """A valid mobile number, E.164."""
    return _number(rng, of, of.mobile)


def fixed(rng: Random, of: Country) -> str:
    """A valid fixed-line number, E.164."""
    return _number(rng, of, of.fixed)


def postcode(rng: Random, pattern: str) -> str:
    """A postcode by a pattern: `#` is a digit, `@` a letter."""
    filled = [
        str(rng.randrange(1, 10)) if char == "#" else rng.choice("ABDEFGHJLN") if char == "@" else char
        for char in pattern
    ]
    return "".join(filled)


def skewed(rng: Random, items: Sequence[str]) -> str:
    """One item; the earlier in the list, the likelier, as common names are."""
    return items[int(len(items) * rng.random() ** 1.5)]


def weighted(rng: Random, pairs: tuple[tuple[Any, float], ...]) -> Any:
    """One of (item, weight) pairs."""
    bounds = _bounds(pairs)
    return pairs[bisect(bounds, rng.random() * bounds[-1], 0, len(pairs) - 1)][0]


@cache
def _bounds(pairs: tuple[tuple[Any, float], ...]) -> tuple[float, ...]:
    return tuple(accumulate(weight for _, weight in pairs))


def _number(rng: Random, of: Country, ranges: Sequence[tuple[str, int]]) -> str:
    prefix, digits = rng.choice(ranges)
    return f"+{of.dial}{prefix}{rng.randrange(10**digits):0{digits}d}"


@lru_cache(maxsize=20_000)
def _cyrillic(text: str, code: str, style: int) -> str:
    table = _TABLES[code][style]
    out = []
    for index, char in enumerate(text):
        low = char.lower()
        if low not in table:
            out.append(char)
            continue
        initial = index == 0 or not text[index - 1].isalpha()
        spelled = table[low][0 if initial else 1]
        out.append(spelled.capitalize() if char.isupper() else spelled)
    return "".join(out)


def _table(base: str, **initial: str) -> Mapping[str, tuple[str, str]]:
    """`base` is `а=a б=b …`; keywords give the other spelling at the start of a word."""
    pairs = dict(entry.split("=") for entry in base.split())
    return {char: (initial.get(char, spelled), spelled) for char, spelled in pairs.items()}


def load(name: str) -> Any:
    """One of our data files, parsed."""
    return json.loads(resources.files("trueup.sandbox.data").joinpath(name).read_text("utf-8"))


def _split(text: str) -> tuple[str, ...]:
    return tuple(word for word in text.split(", ") if word)


def _words(raw: str | Mapping[str, str], spellings: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    if isinstance(raw, str):
        return _split(raw)
    for word, ways in raw.items():
        spellings.setdefault(word, _split(ways))
    return tuple(raw)


def _country(code: str, raw: Mapping[str, str]) -> Country:
    city = [tuple(entry.split("=")) for entry in _split(raw["cities"])]
    lists = {key: _split(raw[key]) for key in ("streets", "legal", "heads", "tails", "mail")}
    texts = ("english", "local", "dial", "trunk", "tld", "address", "flat", "legal_latin")
    return Country(
        code=code,
        mobile=_ranges(raw["mobile"]),
        fixed=_ranges(raw["fixed"]),
        cities=tuple((local, english, pattern) for local, english, pattern in city),
        **lists,  # type: ignore[arg-type]
        **{key: raw[key] for key in texts},  # type: ignore[arg-type]
    )


def _ranges(text: str) -> tuple[tuple[str, int], ...]:
    """`44:2:6` is: numbers that start with 442, and six digits more."""
    split = [entry.split(":") for entry in _split(text)]
    return tuple(("".join(parts[:-1]), int(parts[-1])) for parts in split)


_FEMININE: Mapping[str, tuple[tuple[str, str], ...]] = {
    "uk": (("ський", "ська"), ("цький", "цька"), ("ий", "а")),
    "ru": (("ский", "ская"), ("цкий", "цкая"), ("ов", "ова"), ("ев", "ева"), ("ёв", "ёва"), ("ин", "ина")),
    "pl": (("ski", "ska"), ("cki", "cka"), ("ny", "na")),
}
_PATRONYMICS = {  # what the rules get wrong: son's, daughter's
    "Микола": ("Миколайович", "Миколаївна"),
    "Григорій": ("Григорович", "Григорівна"),
    "Федір": ("Федорович", "Федорівна"),
    "Илья": ("Ильич", "Ильинична"),
    "Пётр": ("Петрович", "Петровна"),
    "Павел": ("Павлович", "Павловна"),
    "Фёдор": ("Фёдорович", "Фёдоровна"),
    "Василий": ("Васильевич", "Васильевна"),
    "Юрий": ("Юрьевич", "Юрьевна"),
    "Валерий": ("Валерьевич", "Валерьевна"),
    "Геннадий": ("Геннадьевич", "Геннадьевна"),
    "Григорий": ("Григорьевич", "Григорьевна"),
    "Евгений": ("Евгеньевич", "Евгеньевна"),
}
_LETTERS = str.maketrans(
    {"ł": "l", "Ł": "L", "ß": "ss", "ø": "o", "Ø": "O", "đ": "d", "æ": "ae", "ı": "i", "’": "'"}
)
_GERMAN = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"})
# Ukrainian: the official romanisation of 2010, and the looser custom of older papers and mail addresses.
# Russian: that of passports (ICAO), and the everyday one.
_UK = (
    "а=a б=b в=v г=h ґ=g д=d е=e є=ie ж=zh з=z и=y і=i ї=i й=i к=k л=l м=m н=n о=o п=p р=r с=s т=t у=u "
    "ф=f х=kh ц=ts ч=ch ш=sh щ=shch ь= ю=iu я=ia '= ы=y э=e ё=e ъ="
)
_UK_OLD = (
    "а=a б=b в=v г=g ґ=g д=d е=e є=ye ж=zh з=z и=i і=i ї=yi й=y к=k л=l м=m н=n о=o п=p р=r с=s т=t у=u "
    "ф=f х=h ц=ts ч=ch ш=sh щ=sch ь= ю=yu я=ya '= ы=y э=e ё=yo ъ="
)
_RU = (
    "а=a б=b в=v г=g д=d е=e ё=e ж=zh з=z и=i й=i к=k л=l м=m н=n о=o п=p р=r с=s т=t у=u ф=f х=kh ц=ts "
    "ч=ch ш=sh щ=shch ъ=ie ы=y ь= э=e ю=iu я=ia і=i ї=i є=e"
)
_RU_EASY = (
    "а=a б=b в=v г=g д=d е=e ё=yo ж=zh з=z и=i й=y к=k л=l м=m н=n о=o п=p р=r с=s т=t у=u ф=f х=h ц=ts "
    "ч=ch ш=sh щ=sch ъ= ы=y ь= э=e ю=yu я=ya і=i ї=i є=e"
)
_TABLES: Mapping[str, tuple[Mapping[str, tuple[str, str]], ...]] = {
    "uk": (_table(_UK, є="ye", ї="yi", й="y", ю="yu", я="ya"), _table(_UK_OLD)),
    "ru": (_table(_RU), _table(_RU_EASY)),
}
