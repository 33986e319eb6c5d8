"""A small module that is changed to try the tool: not all that it says is held by `test_example.py`."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache


def above(limit: int) -> Callable[[int], bool]:
    def judge(number: int) -> bool:
        return number > limit

    return judge


above_ten = above(10)


def spoken(number: int, unit: str = "m") -> str:
    return _remembered(number) + unit


def _text(number: int) -> str:
    return str(number + 0)


@lru_cache
def _remembered(number: int) -> str:
    return _text(number)


class Counter:
    def __init__(self) -> None:
        self.count = 0

    @staticmethod
    def step() -> int:
        return 1

    def add(self) -> None:
        self.count += self.step()


def forgotten(number: int) -> int:
    return number + 1


def loose(number: int) -> bool:
    return number > 0


def signed(number: int) -> str:
    if number < 0:
        return "-" + str(-number)
    return "+" + str(number)
