"""From raw to canonical: the one place where a system's word becomes a canonical value. Pure.

`parse` reads any JSON value as a field's canonical form, or says why it has none; it never raises for
data and its reasons never repeat the value. The forms are the table in `trueup.model.values`.
"""

from trueup.model.canonical.locale import AUTO, Locale
from trueup.model.canonical.placeholders import is_placeholder
from trueup.model.canonical.reading import Parser, parse, parser
from trueup.model.canonical.sameness import comparable, element_key, same
from trueup.model.canonical.text import MAX_TEXT, clean

__all__ = [
    "AUTO",
    "MAX_TEXT",
    "Locale",
    "Parser",
    "clean",
    "comparable",
    "element_key",
    "is_placeholder",
    "parse",
    "parser",
    "same",
]
