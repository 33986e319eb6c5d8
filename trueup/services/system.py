"""The ports as this machine offers them: the real clock, real chance."""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


class SystemRandom:
    """Chance for jitter."""

    def random(self) -> float:
        return random.random()
