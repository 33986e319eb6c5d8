"""Numbers with the words that they count."""

from __future__ import annotations


def counted(number: int, word: str, many: str = "") -> str:
    """`1 contact`, `2 contacts`, `12,431 entries`. What follows agrees too: `1 row is`, `2 rows are`."""
    return f"{number:,} {word if number == 1 else many or word + 's'}"
