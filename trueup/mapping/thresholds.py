"""How much a value must change before it is worth a write: `5`, `2.5`, `10%`; of times `3d`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache

from trueup.model.values import Type, Value

NUMBERS = (Type.INT, Type.DECIMAL, Type.MONEY)
TIMES = (Type.DATE, Type.DATETIME)

_NUMBER = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(%?)")
_LENGTH = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s?([smhdw])")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


@dataclass(frozen=True, slots=True)
class Threshold:
    """The least change that counts, in units of the value (seconds for times), or as a share of what was."""

    least: Decimal
    share: bool = False

    def reached(self, before: Value, after: Value) -> bool:
        """Whether a value moved far enough. From or to empty, and into another currency, is always far."""
        if before is None or after is None or _unit(before) != _unit(after):
            return True
        old, new = _size(before), _size(after)
        least = self.least * abs(old) / 100 if self.share else self.least
        return new != old and abs(new - old) >= least


@lru_cache(maxsize=256)
def threshold(text: str, type: Type) -> Threshold | None:
    """What `when_changed_by` says of a field of this type; None where it can say nothing."""
    found = _LENGTH.fullmatch(text.strip()) if type in TIMES else _NUMBER.fullmatch(text.strip())
    if found is None or type not in (*NUMBERS, *TIMES) or Decimal(found[1]) == 0:
        return None
    if type in TIMES:
        return Threshold(Decimal(found[1]) * _UNITS[found[2]])
    return Threshold(Decimal(found[1]), found[2] == "%")


def _unit(value: Value) -> str:
    return str(value["currency"]) if isinstance(value, dict) else ""


def _size(value: Value) -> Decimal:
    """A number, an amount, or the seconds of a time."""
    if isinstance(value, dict):
        return Decimal(str(value["amount"]))
    if isinstance(value, str) and not _NUMBER.fullmatch(value.removeprefix("-")):
        moment = datetime.fromisoformat(value.replace("Z", "+00:00")).replace(tzinfo=None)
        return Decimal((moment - datetime.min) // timedelta(seconds=1))
    return Decimal(str(value))
