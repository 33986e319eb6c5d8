"""Words that people and forms put where nothing is known. A placeholder is read as empty.

`docs/configuration.md` lists them, and a test holds it to that.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from trueup.model.values import Type

NOTHING = frozenset(
    word
    for words in (
        "n/a|#n/a|n.a.|n.a|n\\a|<n/a>|(n/a)|[n/a]|unknown|(unknown)|<unknown>|[unknown]|[[unknown]]",
        "[not provided]|not provided|not available|not applicable|not specified|not given",
        "undefined|(undefined)|none|(none)|<none>|[none]|(null)|<null>|[null]|#null!|#ref!|#value!",
        "tbd|t.b.d.|no name|noname|(blank)|(empty)|<empty>|xxx|xxxx|xxxxx",
        "unbekannt|k.a.|keine angabe|inconnu|non renseigné|desconocido|sconosciuto|onbekend",
        "n.v.t.|nieznany|brak danych|neznámý|okänd|ukjent|ukendt|bilinmiyor",
        "неизвестно|неизвестен|не указано|не указан|нет данных",
        "невідомо|невідомий|не вказано|немає даних|غير معروف|不明|未知|不详",
    )
    for word in words.split("|")
)
NONE = frozenset({"немає", "нема", "нет", "brak", "nie ma"})
"""Words for `there is none` that may be a value, too: a name (Brak), an answer (нет). They are read as empty
where no word can be one."""
_NOTHING_AS_WRITTEN = frozenset({"null", "NULL", "nan", "NaN"})  # Null and Nan are names of people
_MARKS = re.compile(r"[-\u2010-\u2015_.?*/\\!#]+|0{5,}")
MAILBOXES = frozenset(
    f"{local}@{domain}"
    for local, domains in {
        "test": "test.com test.test test.de test.ru",
        "none": "none.com none.none",
        "no": "no.com email.com mail.com",
        "na": "na.com",
        "noemail": "noemail.com email.com none.com",
        "no-email": "no-email.com",
        "nomail": "nomail.com",
        "email": "email.com",
        "unknown": "unknown.com",
        "asdf": "asdf.com",
        "a": "a.com a.a",
        "xxx": "xxx.com",
        "example": "example.com",
        "invalid": "invalid.com invalid.invalid",
    }.items()
    for domain in domains.split()
)
_COUNTING = frozenset({"123456", "1234567", "12345678", "123456789", "1234567890", "0123456789"})
_NO_DATE = ("0000-00-00", "0001-01-01", "1753-01-01", "1899-12-30", "1899-12-31", "1900-01-01")
_NO_DATE_WORDS = frozenset({"00/00/0000", "00.00.0000", "0000/00/00", "00000000"})
LONGEST = 32
_DIGITS = re.compile(r"\D+")


def is_placeholder(type: Type, text: str) -> bool:
    """Whether this text stands for `nothing known` in a field of this type (`N/A`, `-`, `00000`).

    `0`, `NA` (Namibia) and `Null` (a surname) are values. Dates that databases keep for `none`
    (0001-01-01, 1899-12-30, 1900-01-01, …) are placeholders of dates only. Nothing is one of a reference.
    """
    if type is Type.REFERENCE or type is Type.REFERENCES:
        return False
    return means_nothing(text) or (type in _SPECIAL and len(text) <= LONGEST and _SPECIAL[type](text))


def placeholder_test(type: Type) -> Callable[[str], bool]:
    """`is_placeholder` for one type, made ready."""
    if type is Type.REFERENCE or type is Type.REFERENCES:
        return lambda text: False  # ids are whatever a system makes them
    special = _SPECIAL.get(type)
    if special is None:
        return means_nothing
    return lambda text: len(text) <= LONGEST and (means_nothing(text) or special(text))


def means_nothing(text: str) -> bool:
    """Whether the text is a placeholder in any type."""
    if len(text) > LONGEST:
        return False
    if text.casefold() in NOTHING or text in _NOTHING_AS_WRITTEN:
        return True
    return not text[:1].isalpha() and _MARKS.fullmatch(text) is not None


def _is_no_mailbox(text: str) -> bool:
    return text.lower() in MAILBOXES


def _is_no_date(text: str) -> bool:
    return text.startswith(_NO_DATE) or text in _NO_DATE_WORDS


def _is_no_number(text: str) -> bool:
    digits = _DIGITS.sub("", text)
    return digits.endswith("0000000") or digits in _COUNTING or (len(digits) > 4 and len(set(digits)) == 1)


def _is_none(text: str) -> bool:
    return text.casefold() in NONE


_SPECIAL: Mapping[Type, Callable[[str], bool]] = {
    **dict.fromkeys((Type.EMAIL, Type.EMAILS), lambda text: _is_none(text) or _is_no_mailbox(text)),
    **dict.fromkeys((Type.PHONE, Type.PHONES), lambda text: _is_none(text) or _is_no_number(text)),
    **dict.fromkeys((Type.DATE, Type.DATETIME), lambda text: _is_none(text) or _is_no_date(text)),
    **dict.fromkeys((Type.INT, Type.DECIMAL, Type.MONEY, Type.URL), _is_none),
    **dict.fromkeys((Type.COUNTRY, Type.LANGUAGE, Type.ZONE), _is_none),
}
