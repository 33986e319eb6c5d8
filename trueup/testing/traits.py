"""What a simulated system is like: its capabilities, its limits and its habits, drawn from a seed."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from trueup.model.record import Json

FIELDS: Mapping[str, str] = {
    "email": "email",
    "given": "first_name",
    "family": "last_name",
    "phone": "phone",
    "title": "job_title",
    "unit": "department",
    "labels": "tags",
    "phase": "stage",
}
"""Remote field to the contact's field. `no_mail`, beside these, is the opt-out."""
OPT_OUT = "no_mail"
OPTED_IN = "opted_in"
"""With what a person opted in, where a system keeps that: never a field of its own in an answer."""
STAGES = ("name", "lead", "mql", "opportunity", "customer")
TYPED = ("given", "family", "phone", "title", "unit")
"""Fields in which people type values that nobody else types."""


def plain_address(value: object) -> str:
    """What makes an address the same whoever types it: neither case nor how accents are put together tells
    two apart; empty for none."""
    return unicodedata.normalize("NFC", str(value or "").lower())


def in_other_letters(text: str) -> str:
    """The same text, its accents apart where they were together, or together where they were apart."""
    apart = unicodedata.normalize("NFD", text)
    return apart if apart != text else unicodedata.normalize("NFC", text)


def _cut(length: int) -> Callable[[Json], Json]:
    return lambda value: value[:length] if isinstance(value, str) else value


def _spaced(value: Json) -> Json:
    """A number as people write it: +49 30 1234567."""
    if not isinstance(value, str) or not value.startswith("+"):
        return value
    digits = value.replace(" ", "")
    return f"{digits[:3]} {digits[3:5]} {digits[5:]}"


def _case(way: Callable[[str], str]) -> Callable[[Json], Json]:
    return lambda value: way(value) if isinstance(value, str) else value


HABITS: Mapping[str, Callable[[Json], Json]] = {
    "keep": lambda value: value,
    "lower": _case(str.lower),
    "upper": _case(str.upper),
    "spaced": _spaced,
    "cut": _cut(9),
    "sorted": lambda value: sorted(value) if isinstance(value, list) else value,
}
"""What a system makes of a value that it is sent or that is typed there."""

_POSSIBLE: Mapping[str, Sequence[str]] = {
    "email": ("keep", "keep", "lower"),
    "given": ("keep", "keep", "upper"),
    "family": ("keep", "keep", "keep", "upper"),
    "phone": ("keep", "spaced"),
    "title": ("keep", "keep", "cut"),
    "labels": ("keep", "sorted"),
}


@dataclass(frozen=True, slots=True)
class Traits:
    """One simulated system.

    `creates`: the hub may make records there. `unique_email`: it refuses a second record with an address.
    `versions`: a write may be guarded. `upsert`: it keeps the hub's id in a unique field. `feed`: its changes
    tell of deletions. `answers`: a write's answer holds the record. `whole`: a batch with one bad item is
    refused as a whole. `ordered`: changes come oldest first. `offset`: pages are counted, so they shift.
    `tokens`: so many calls a token is good for (0: there are none, but a key for ever), `lives`: so many
    seconds, which the answer to who asks for one says (0: as long as it is good for calls).
    `uneven`: its pages hold fewer or more than they were asked for, each another number. `forgets`: of a
    batch the summary says that all was done, and many a time its list leaves one out.
    `dated`: it keeps when and where somebody opted in, so that it counts.
    `hints`: it tells which record moved, as web hooks do: some are lost, doubled, late or early.
    `grain`: the step of its stamps, `lag`: until lists and look-ups show a change, `skew`: how far its clock
    is ahead of the true one, all but the last in seconds. `habits`: remote field to a name in HABITS.
    `robot`: a remote field that a workflow of its own rewrites, some seconds after anybody wrote it.
    `companies`: whether it keeps companies, of which its people's records tell one each (empty: it does not;
    `kept`, or `made` where the hub makes some, too). `lets_go`: when one is deleted or joined to another it
    does the same to what its people's records tell; else that stays as it was.
    """

    name: str
    creates: bool = True
    unique_email: bool = False
    versions: bool = False
    upsert: bool = False
    feed: bool = True
    answers: bool = True
    whole: bool = False
    ordered: bool = False
    offset: bool = False
    batch: int = 3
    page: int = 3
    tokens: int = 0
    lives: float = 0.0
    grain: float = 0.001
    lag: float = 0.0
    skew: float = 0.0
    uneven: bool = False
    forgets: bool = False
    dated: bool = False
    hints: bool = False
    habits: tuple[tuple[str, str], ...] = ()
    robot: str = ""
    companies: str = ""
    lets_go: bool = False

    def keeps(self, name: str, value: Json) -> Json:
        """What stands there after this value was sent or typed."""
        if name == OPT_OUT and isinstance(value, dict):
            return value.get("status") == OUT
        return HABITS[dict(self.habits).get(name, "keep")](value)


OUT, IN = "UNSUBSCRIBED", "SUBSCRIBED"
KEPT, MADE = "kept", "made"
"""Where companies are (`Traits.companies`)."""


def subscription(values: Mapping[str, Json]) -> Json:
    """The consent in a record as a system tells it that keeps when and where it was given."""
    if values.get(OPT_OUT):
        return {"status": OUT}
    given = values.get(OPTED_IN)
    return {"status": IN, **given} if isinstance(given, dict) else {"status": "UNKNOWN"}


NAMES = ("alpha", "beta", "gamma")


def drawn(dice: Random, name: str) -> Traits:
    """A system that differs from the plainest in a few things."""

    def maybe(share: float) -> bool:
        return dice.random() < share

    upsert = maybe(0.25)
    tokens = dice.choice((0, 0, 0, 0, 2, 5, 12))
    grain = dice.choice((0.001, 0.001, 1.0, 1.0, 60.0, 86_400.0))
    return Traits(
        name,
        creates=maybe(0.7),
        unique_email=maybe(0.4),
        versions=maybe(0.5),
        upsert=upsert,
        feed=maybe(0.7),
        answers=maybe(0.6),
        whole=maybe(0.25),
        ordered=maybe(0.4),
        offset=maybe(0.15),
        batch=dice.choice((1, 2, 3, 100)),
        page=dice.choice((1, 2, 3, 100)),
        tokens=tokens,
        lives=dice.choice((0.0, 0.0, 90.0, 900.0)) if tokens else 0.0,
        grain=grain,
        lag=dice.choice((0.0, 0.0, 2.0, 30.0)),
        skew=dice.choice((0.0,) * 6 + (-20.0, -20.0, 20.0, 20.0, -3_600.0, 3_600.0)),
        uneven=maybe(0.2),
        forgets=maybe(0.15),
        dated=maybe(0.4),
        hints=maybe(0.25),
        habits=tuple((field, dice.choice(ways)) for field, ways in _POSSIBLE.items()),
    )
