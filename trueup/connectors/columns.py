"""The columns that a table must have to be read: one that is mapped and not there is no empty one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from trueup.errors import Refused

_MOST_NAMED = 30


def require_columns(source: str, wanted: Iterable[str], there: Sequence[str]) -> None:
    """Refused when a wanted column is missing: read without it, everybody would count as having no value
    there, and where it is the one by which people are known, as somebody new."""
    missing = [name for name in dict.fromkeys(wanted) if name not in there]
    if not missing:
        return
    names = ", ".join(f"`{name}`" for name in missing)
    near = [_near(name, there) for name in missing]
    meant = ", ".join(f"`{name}`" for name in dict.fromkeys(near) if name)
    rest = f" and {len(there) - _MOST_NAMED} more" if len(there) > _MOST_NAMED else ""
    raise Refused(
        f"{source} has no column {names}" + (f"; did you mean {meant}?" if meant else ""),
        fields=dict.fromkeys(missing, "there is no such column"),
        remedy="correct the name in the connection's file, or put the column back; nothing was read;"
        f" the columns are {', '.join(there[:_MOST_NAMED])}{rest}",
        code="TU-REF-020",
    )


def _near(name: str, there: Sequence[str]) -> str:
    """The column that was probably meant; empty without one."""
    folded = {column.casefold(): column for column in reversed(there)}
    found = get_close_matches(name.casefold(), list(folded), n=1, cutoff=0.6)
    return folded[found[0]] if found else ""
