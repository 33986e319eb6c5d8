"""`explain CODE`: the long form of a message."""

from __future__ import annotations

from collections.abc import Mapping

from trueup.config.suggest import nearest
from trueup.errors import NotFound
from trueup.services.codes import CODES
from trueup.services.codes.explanation import Explanation


def explained(code: str) -> tuple[str, Explanation]:
    """The code as it is written, and what it means. Raises NotFound with the nearest one."""
    wanted = code.strip().strip("[]`").upper()
    wanted = wanted if wanted.startswith("TU-") else f"TU-{wanted}"
    if wanted in CODES:
        return wanted, CODES[wanted]
    near = nearest(wanted, CODES)
    hint = f"; did you mean {near}?" if near else ";"
    raise NotFound(f"there is no code `{code}`{hint} `trueup explain` without a code lists all")


def all_codes() -> Mapping[str, Explanation]:
    """Every code, sorted."""
    return dict(sorted(CODES.items()))
