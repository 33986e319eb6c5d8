"""What a person may see of a line: secrets covered, invisible characters made visible.

Both keep the length of the text, so that a caret below it still points at the right place.
"""

from __future__ import annotations

import re

COVER = "•"

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
_EVERY = (_NAMED, _USERINFO, _TOKEN, _OPAQUE)


def masked(line: str) -> str:
    """The line with whatever looks like a secret covered, character for character."""
    for pattern in _EVERY:
        line = pattern.sub(_cover, line)
    return line


def _cover(match: re.Match[str]) -> str:
    start, end = match.start("secret") - match.start(), match.end("secret") - match.start()
    whole = match.group(0)
    return whole[:start] + COVER * (end - start) + whole[end:]


def holds_secret(text: str) -> bool:
    """Whether a value, whatever it is for, is certainly a secret: a vendor's token, a password in a URL."""
    return any(pattern.search(text) for pattern in (_USERINFO, _TOKEN))


INVISIBLE = {
    "\u00a0": "a no-break space (U+00A0, as wiki pages paste it)",
    "\u1680": "an Ogham space (U+1680)",
    **{chr(code): f"a typographic space (U+{code:04X})" for code in range(0x2000, 0x200B)},
    "\u202f": "a narrow no-break space (U+202F)",
    "\u205f": "a mathematical space (U+205F)",
    "\u3000": "an ideographic space (U+3000)",
    "\u00ad": "a soft hyphen (U+00AD)",
    "\u200b": "a zero-width space (U+200B)",
    "\u200c": "a zero-width sign (U+200C)",
    "\u200d": "a zero-width sign (U+200D)",
    "\u2060": "a word joiner (U+2060)",
    "\ufeff": "a byte order mark (U+FEFF)",
}
_SHOWN = str.maketrans({"\t": "→", **dict.fromkeys(INVISIBLE, "␣")})


def visible(line: str) -> str:
    """The line with tabs as → and invisible characters as ␣."""
    return line.translate(_SHOWN)
