"""Whether a column of whole names that is read first name first looks as if it held the family name first.

Two things tell: the names of the same addresses that somebody says in two fields, and the endings of Slavic
family names. Neither changes a mapping: what is surer than most is said, with the line to write.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from trueup.config.settings import HubConfig
from trueup.connectors.base import Connector
from trueup.dedupe.names import fit
from trueup.errors import ConnectorError
from trueup.mapping.names import of_values, other_cuts, parts_of
from trueup.mapping.schema import Direction, FieldRule, ObjectRules
from trueup.model.canonical import clean
from trueup.model.fields import NAME_PARTS, Kind
from trueup.model.record import Json, Reading

SAID_BY_OTHERS, BY_ENDINGS = 5, 10
"""The fewest names that tell anything: said in two fields elsewhere, or of a family name's ending."""

MOST = 0.8
"""The share of the names that tell which have to tell the same."""

NAMED = ("email", "full_name", "first_name", "last_name")
"""The fields that `names_of` asks for."""

REMEDY = "transform: last_first(space)"

Halves = tuple[str, str]
"""First and last name."""


@dataclass(frozen=True, slots=True)
class Looks:
    """How many of the names that tell anything begin with the family name. `elsewhere`: as others say them in
    two fields; else by their endings."""

    turned: int
    telling: int
    elsewhere: bool

    def told(self, column: str, mapped: str) -> str:
        """A sentence with what to write; `mapped` is the field or connection it is about."""
        of = "that others say in two fields" if self.elsewhere else "whose ending tells it"
        return (
            f"{mapped}: `{column}` looks as if it held the family name first: {self.turned:,} of the"
            f" {self.telling:,} names {of} do. Where it is so, write"
            f' `full_name: {{field: "{column}", {REMEDY}}}`'
        )


@dataclass(frozen=True, slots=True)
class Names:
    """Some names of a table: `whole` by e-mail address (or row), and those in two fields by address."""

    whole: Mapping[str, str]
    halves: Mapping[str, Halves]


def look(names: Names, others: Sequence[Names]) -> Looks | None:
    """Whether the whole names look turned; None where too little tells it, or they do not."""
    pairs = [
        (text, one.halves[address])
        for address, text in names.whole.items()
        for one in others
        if address in one.halves
    ]
    found = _counted((_by_others(*pair) for pair in pairs), SAID_BY_OTHERS, elsewhere=True)
    if found is None:
        found = _counted((_by_endings(text) for text in names.whole.values()), BY_ENDINGS, elsewhere=False)
    return found if found is not None and found.turned >= found.telling * MOST else None


def _counted(said: Iterator[bool | None], least: int, *, elsewhere: bool) -> Looks | None:
    telling = [one for one in said if one is not None]
    return Looks(sum(telling), len(telling), elsewhere) if len(telling) >= least else None


def _by_others(text: str, halves: Halves) -> bool | None:
    """Whether a whole name is turned against what somebody says; None where it is another name."""
    if "," in text:
        return None
    read = dict(zip(NAME_PARTS, parts_of(text), strict=True))
    straight = fit(_halves(read), halves)
    crossed = max(fit(_halves(one), halves) for one in other_cuts(read))
    return crossed > straight if crossed != straight else None


def _halves(values: Mapping[str, Json]) -> Halves:
    _, first, _, last, _ = of_values(values)
    return (first or "", last or "")


_FAMILY = re.compile(
    r"\w{2,}(?:енко|чук|щук|ський|ська|ский|ская|цький|цька|цкий|цкая|\wов|\wова|\wев|\wева|\wєв|\wєва"
    r"|enko|chuk|skyi|skyy|skiy|ska|skaia|ski|cki|cka|tskyi|tska|\wov|\wova|\wev|\weva|wicz|czyk)",
    re.IGNORECASE,
)
"""Endings that first names do not have, or hardly ever."""


def _by_endings(text: str) -> bool | None:
    """Whether the first word ends as family names do and the last one does not; None where neither tells."""
    words = text.split()
    if "," in text or len(words) not in (2, 3):
        return None
    first, last = (_FAMILY.fullmatch(word) is not None for word in (words[0], words[-1]))
    return first if first != last else None


# -- configured connections ---------------------------------------------------------------------------


def turned_columns(config: HubConfig, connectors: Mapping[str, Connector]) -> Iterator[str]:
    """A sentence for each field of whole names that looks turned, out of one page of each system. What cannot
    be read is left out: what reads it tells why."""
    mapped = [rules for name in connectors for rules in config.connections[name].objects.values()]
    if all(whole_name(rules) is None for rules in mapped):
        return
    samples = {
        (name, rules.name): (rules, names)
        for name, connector in connectors.items()
        for rules in config.connections[name].objects.values()
        if rules.kind is Kind.CONTACT and (names := _page(connector, rules)) is not None
    }
    for (name, object), (rules, names) in samples.items():
        others = [one for _, one in samples.values() if one is not names]
        looks = look(names, others)
        if looks is not None and (whole := whole_name(rules)) is not None:
            yield looks.told(whole.remote, f"{name} {object}")


def whole_name(rules: ObjectRules) -> FieldRule | None:
    """The field of whole names that is read first name first; None where names are said in fields of their
    own as well."""
    fields = {one.field: one for one in rules.fields}
    whole = fields.get("full_name")
    if whole is None or "last_name" in fields or whole.direction is Direction.OUT:
        return None
    return None if (whole.transform or "").startswith("last_first") else whole


def _page(connector: Connector, rules: ObjectRules) -> Names | None:
    fields = {one.field: one.remote for one in rules.fields}
    named = {name: fields[name] for name in NAMED if name in fields}
    if not named.keys() & {"full_name", "last_name"}:
        return None
    try:
        page = connector.pull(rules.name, Reading.LISTING, None, tuple(named.values()))
    except ConnectorError:
        return None
    rows = [{str(name): one.values.get(path) for name, path in named.items()} for one in page.records]
    return names_of(rows, whole=whole_name(rules) is not None)


def names_of(rows: Sequence[Mapping[str, Json]], *, whole: bool) -> Names:
    """The names of rows by field. An address that repeats names nobody."""
    said = [{name: clean(str(value or "")) for name, value in row.items()} for row in rows]
    addresses = [row.get("email", "").casefold() for row in said]
    once = {one for one, number in Counter(addresses).items() if one and number == 1}
    keys = [one if one in once else f"row {place}" for place, one in enumerate(addresses)]
    texts = {key: row["full_name"] for key, row in zip(keys, said, strict=True) if row.get("full_name")}
    halves = {
        key: (row["first_name"], row["last_name"])
        for key, row in zip(keys, said, strict=True)
        if key in once and row.get("first_name") and row.get("last_name")
    }
    return Names(texts if whole else {}, halves)
