"""What of a text may be shown or kept: secrets, addresses and numbers are covered."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

_COVER = "•"

_NAMED = re.compile(
    r"(?i)\b\w*?(?:token|password|passwd|pwd|secret|api_?key|access_?key|private_?key)\b[\"']?\s*[:=]\s*[\"']?"
    r"(?!\$\{|[\"'\s])(?P<secret>[^\s\"',}#]+)"
)
_USERINFO = re.compile(r"://[^/\s:@]*:(?!\$\{)(?P<secret>[^@\s/]+)@")
_TOKEN = re.compile(
    r"(?P<secret>(?:\b(?:[sr]k_(?:live|test)_|pat-[a-z]{2}\d-|gh[pousr]_|github_pat_|xox[abeprs]-"
    r"|shp(?:at|ss|ca|pa)_|SG\.|AKIA|AIza|xkeysib-|eyJ[A-Za-z0-9_-]{8,}\.)[A-Za-z0-9_.\-]{6,})"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----)"
)
_OPAQUE = re.compile(
    r"(?<![A-Za-z0-9+/_-])(?P<secret>(?=[A-Za-z+/_-]*\d)(?=[\d+/_-]*[A-Za-z])[A-Za-z0-9+/_-]{32,}={0,2})"
)
_FILE = re.compile(
    r"\.(?:csv|tsv|txt|log|xlsx?|ods|ya?ml|json|jsonl|xml|toml|ini|env|py|sql|sqlite3?|db|zip|gz)(?![\w.-])"
)
_WORD = re.compile(  # no word is longer than its figures here; the last of the forms is no hex
    r"[A-Z]?[a-z]{0,20}|[A-Z]{1,20}|\d{1,14}"
    r"|(?=[A-Za-z]*[g-zG-Z])(?:[A-Z]?[a-z]{2,20}|[A-Z]{3,20})\d{1,8}"
)
_EVERY = (_NAMED, _USERINFO, _TOKEN, _OPAQUE)


def masked(line: str) -> str:
    """The line with whatever looks like a secret covered, character for character: a caret below it still
    points at the right place."""
    for pattern in _EVERY:
        line = pattern.sub(_shown if pattern is _OPAQUE else _cover, line)
    return line


def _shown(match: re.Match[str]) -> str:
    return match.group(0) if _is_path(match) else _cover(match)


def _is_path(match: re.Match[str]) -> bool:
    """Whether it is the path of a file that somebody named: before an ending like `.csv`, and made of words
    and numbers, each in one piece and short. Of what a machine drew they are mixed, or long."""
    if _FILE.match(match.string, match.end()) is None:
        return False
    return all(map(_WORD.fullmatch, re.split("[/_-]+", match.group("secret"))))


def _cover(match: re.Match[str]) -> str:
    start, end = match.start("secret") - match.start(), match.end("secret") - match.start()
    whole = match.group(0)
    return whole[:start] + _COVER * (end - start) + whole[end:]


def holds_secret(text: str) -> bool:
    """Whether a value, whatever it is for, is certainly a secret: a vendor's token, a password in a URL."""
    return any(pattern.search(text) for pattern in (_USERINFO, _TOKEN))


# -- personal values ----------------------------------------------------------------------------------

_EMAIL = re.compile(r"[\w.+%'-]+@[\w-]+(?:\.[\w-]+)+")
_NUMBER = re.compile(r"(?<![\w.-])\+?\d(?:[ ()./-]{0,2}\d){8,}(?![\w-])")
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_ID = re.compile(r"\b(?=[A-Za-z]*\d)[A-Za-z0-9]{15,18}\b|(?<![\w-])\d{4,}(?![\w-])")


def covered(text: str) -> str:
    """Text without secrets, e-mail addresses and telephone numbers: the rest stands verbatim."""
    # "sales token: the endpoint …" names an operation of ours, not a secret
    text = _EMAIL.sub("‹e-mail›", masked(text.replace(" token: the ", " token request: the ")))
    return _NUMBER.sub("‹number›", text)


def without_values(text: str) -> str:
    """As `covered`, and without record ids: sentences that differ only in them are one cause."""
    return _ID.sub("‹id›", covered(text))


_SAID = re.compile(
    r"(?<!\w)'(?P<a>[^'\n]*)'(?!\w)|\"(?P<b>[^\"\n]*)\"|“(?P<c>[^”\n]*)”|„(?P<d>[^“\n]*)“|«(?P<e>[^»\n]*)»"
)
_ANY_NUMBER = re.compile(
    r"(?P<encoding>(?<![\w-])(?:windows-\d{3,4}|iso-8859-\d{1,2}|utf-(?:8|16|32))(?![\w-]))"
    r"|(?<![\w‹])\d+(?:[.,:]\d+)*(?![\w›])"
)
_SHORTEST = 3
"""A value of fewer signs may be a part of any word."""


def shape_of(text: str, fields: Collection[str] = (), sent: Iterable[object] = ()) -> str:
    """The sentence without what is another one each time: values in quotes, numbers, ids, and the values that
    were `sent`. Names of `fields` stand, in quotes too: of two fields there are two causes. So does the
    number of an encoding (`windows-1251`), which is its name."""

    def said(match: re.Match[str]) -> str:
        words = next(group for group in match.groups() if group is not None)
        return match.group(0) if words in fields else "‹value›"

    values = {one for one in sent if isinstance(one, str) and len(one) >= _SHORTEST and one in text}
    for one in sorted(values, key=lambda one: (-len(one), one)):
        text = re.sub(rf"(?<!\w){re.escape(one)}(?!\w)", "‹value›", text)
    return _ANY_NUMBER.sub(
        lambda found: found["encoding"] or "‹number›", without_values(_SAID.sub(said, text))
    )


def first_line(text: str) -> str:
    """The first line of what a program says of a fault, short, with everything in quotes covered too."""
    first = text.splitlines()[0] if text else ""
    return covered(_QUOTED.sub("'…'", first))[:300]


def place_of(error: Exception) -> str:
    """The kind of an error and the line that raised it: its words may hold values."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return type(error).__name__
    name = trace.tb_frame.f_globals.get("__name__", "?")
    return f"{type(error).__name__} in {name}, line {trace.tb_lineno}"
