"""Columns of a table that tell who wants no more of something, and those that may tell it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from trueup.mapping.words import word_key
from trueup.model.covering import covered
from trueup.model.record import Json
from trueup.services.consent_words import Asks, consent_of, may_tell, means_out


@dataclass(frozen=True, slots=True)
class OptOut:
    """A column that tells of consent (`email.marketing`), and the words in it that mean opted out."""

    consent: str
    column: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Perhaps:
    """A column that may tell of consent. `words`: those in it that surely mean opted out, there may be none;
    `held`: the commonest words in it, none where it holds too many different ones."""

    consent: str
    column: str
    words: tuple[str, ...]
    held: tuple[str, ...]


FEW_WORDS = 12
"""Different words up to which a column tells one thing of everybody; more are notes, or names."""
SHOWN = 5


def opt_outs(columns: Sequence[str], samples: Mapping[str, Sequence[Json]]) -> Iterator[OptOut]:
    """For each kind of consent the first column that tells of it and in which somebody is opted out: what no
    row says yet nobody can be sure about."""
    found: set[str] = set()
    for column in columns:
        asks = consent_of(column)
        if asks is None or asks.consent in found:
            continue
        out = _meaning_out(_words(samples[column]), asks)
        if out:
            found.add(asks.consent)
            yield OptOut(asks.consent, column, out)


def perhaps(
    left: Sequence[str], known: Sequence[OptOut], samples: Mapping[str, Sequence[Json]]
) -> Iterator[Perhaps]:
    """Those of the columns left out that may tell of consent: by their name, or by what cells say."""
    taken = {one.consent for one in known}
    for column in left:
        asks, counts = consent_of(column), _words(samples[column])
        out = _meaning_out(counts, asks)
        if not out and not may_tell(column):
            continue
        consent = _free(asks.consent if asks is not None else _USUAL[0], taken)
        taken.add(consent)
        yield Perhaps(consent, column, out, _held(counts))


_USUAL = ("email.marketing", "email.newsletter", "email.event", "email.service", "email.profiling")


def _free(wanted: str, taken: set[str]) -> str:
    """A consent is kept in one column: a second one that tells of mail is for another purpose."""
    return next((one for one in (wanted, *_USUAL) if one not in taken), wanted)


def _words(values: Sequence[Json]) -> Counter[str]:
    return Counter(word for value in values if value and (word := str(value).strip()))


def _meaning_out(counts: Counter[str], asks: Asks | None) -> tuple[str, ...]:
    """The words that mean opted out, the commonest first, for that one is written. Capitals make no
    difference to what is read: each word once, as most cells spell it."""
    ranked = sorted(
        (word for word in counts if means_out(word, asks)), key=lambda word: (-counts[word], word)
    )
    spelled: dict[object, str] = {}
    for word in ranked:
        spelled.setdefault(word_key(word), word)
    return tuple(spelled.values())


def _held(counts: Counter[str]) -> tuple[str, ...]:
    if len(counts) > FEW_WORDS:
        return ()
    return tuple(covered(" ".join(word.split())) for word, _ in counts.most_common(SHOWN))
