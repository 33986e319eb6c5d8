"""Words in a column of consent that no line of the configuration names: they opt nobody out, and say so here.

Local tables only: to read a system to its end for this would cost its calls.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from trueup.config.settings import HubConfig
from trueup.connectors.base import Connector
from trueup.connectors.registry import connector_kind
from trueup.errors import ConnectorError
from trueup.mapping.consents import state_typed
from trueup.mapping.schema import ConsentRule, Shape
from trueup.mapping.words import word_key
from trueup.model.canonical import clean
from trueup.model.canonical.placeholders import means_nothing
from trueup.model.consent import ConsentState
from trueup.model.counting import counted
from trueup.model.covering import covered
from trueup.model.record import Cursor, Json, Reading
from trueup.services.consent_words import contrary

SHOWN = 5
LONGEST = 40
"""Characters of a word that are shown: what is longer is a sentence of somebody."""


@dataclass(frozen=True, slots=True)
class Unheard:
    """One column whose words mean opted out. `others`: words that are not named, with the number of their
    rows, the commonest first; `absent`: those that are named and that no row holds."""

    connection: str
    object: str
    column: str
    others: Mapping[str, int] = field(default_factory=dict)
    absent: tuple[str, ...] = ()

    def others_told(self) -> str:
        """A sentence, empty where every word is named. At most SHOWN words."""
        if not self.others:
            return ""
        shown = list(self.others.items())[:SHOWN]
        first, *rest = (f"`{_short(word)}` ({number:,})" for word, number in shown)
        first = first.removesuffix(")") + (" row)" if shown[0][1] == 1 else " rows)")
        left = len(self.others) - len(shown)
        words = ", ".join([first, *rest]) + (f" and {counted(left, 'more word')}" if left else "")
        return (
            f"{self.connection} {self.object}: column `{self.column}` also holds {words}:"
            " they opt nobody out. `opted_out: [WORD, WORD]` names each that means no"
        )

    def absent_told(self) -> str:
        """A sentence, empty where rows hold every named word."""
        if not self.absent:
            return ""
        words = " or ".join(f"`{word}`" for word in self.absent)
        return (
            f"{self.connection} {self.object}: no row of column `{self.column}` holds {words} (`opted_out`)"
        )


def unheard(config: HubConfig, connectors: Mapping[str, Connector]) -> Iterator[Unheard]:
    """Each column of a local table that is mapped in `consent:` by words and holds others, or not all of
    them. A table that cannot be read is left out: what reads it tells why."""
    for name, connector in connectors.items():
        connection = config.connections[name]
        if not connector_kind(connection.connector).local:
            continue
        for object, rules in connection.objects.items():
            named = dict(_by_words(rules.consent))
            cells = _cells(connector, object, tuple(named)) if named else {}
            for column, counts in cells.items():
                found = _compared(named[column], counts)
                if found is not None:
                    yield Unheard(name, object, column, *found)


def _by_words(rules: Iterable[ConsentRule]) -> Iterator[tuple[str, list[str]]]:
    """Columns with the words that are named for them; none of yes and no, and no lists."""
    for rule in rules:
        words = rule.opted_out if isinstance(rule.opted_out, list | tuple) else [rule.opted_out]
        if rule.shape is Shape.VALUE and all(isinstance(word, str) for word in words):
            yield rule.remote, [str(word) for word in words]


def _compared(words: Iterable[str], cells: Counter[str]) -> tuple[Mapping[str, int], tuple[str, ...]] | None:
    """The other words and the absent ones; None where there is neither."""
    known = {word_key(word): word for word in words}
    quiet = known.keys() | contrary(known.values())
    held: Counter[Json] = Counter()
    spelled: dict[Json, str] = {}
    for cell, number in cells.most_common():
        held[word_key(cell)] += number
        spelled.setdefault(word_key(cell), cell)
    others = {spelled[key]: number for key, number in held.most_common() if key not in quiet}
    others = {word: number for word, number in others.items() if not _says_in(word)}
    absent = tuple(word for key, word in known.items() if key not in held)
    return (others, absent) if others or absent else None


def _says_in(word: str) -> bool:
    return state_typed(word) is ConsentState.OPTED_IN


def _cells(connector: Connector, object: str, columns: Sequence[str]) -> Mapping[str, Counter[str]]:
    """By column the words in it with the number of their rows, without what counts as empty: the table is
    read once for all. Nothing where it, or one of the columns, cannot be read."""
    found: dict[str, Counter[str]] = {column: Counter() for column in columns}
    cursor: Cursor | None = None
    try:
        while True:
            page = connector.pull(object, Reading.LISTING, cursor, tuple(columns))
            for column, counts in found.items():
                texts = (clean(str(one.values.get(column) or "")) for one in page.records)
                counts.update(text for text in texts if text and not means_nothing(text))
            if not page.more:
                return found
            cursor = page.cursor
    except ConnectorError:
        return {}


def _short(word: str) -> str:
    word = covered(word)
    return word if len(word) <= LONGEST else f"{word[:LONGEST]}…"
