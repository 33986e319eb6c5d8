"""Characters that nobody sees, made visible. The length stays, so that a caret below still points right."""

from __future__ import annotations

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
