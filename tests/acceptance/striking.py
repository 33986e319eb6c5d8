"""Processes of `trueup` that are killed at random moments, over stand-ins on loopback."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from signal import SIGKILL

import httpx

from tests.acceptance.kit import prepare
from trueup.commands.desk import Reality
from trueup.commands.opening import environment_for
from trueup.commands.sandboxing import makers
from trueup.config.load import load
from trueup.sandbox.server import Sandbox

TRUEUP = Path(sys.executable).with_name("trueup")
LONGEST = 20.0
"""Seconds after which a run is killed in any case: it may rest for something in doubt."""


@dataclass
class Striker:
    """Kills the process at work around its n-th request from now, before it is done or a little after,
    and after so many seconds in any case."""

    process: subprocess.Popen[str] | None = None
    after: int = 0
    delay: float | None = None
    struck: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def aim(self, process: subprocess.Popen[str], chance: Random) -> None:
        seconds = chance.uniform(0.3, 4.0) if chance.random() < 0.2 else LONGEST
        with self.lock:
            self.process, self.after = process, chance.randint(1, 60)
            self.delay = chance.choice((None, 0.0, 0.01, 0.05, 0.2))
        self._later(seconds, process)

    def over(
        self, handle: Callable[[httpx.Request], httpx.Response]
    ) -> Callable[[httpx.Request], httpx.Response]:
        def handled(request: httpx.Request) -> httpx.Response:
            aimed = self._counts()
            if aimed is not None and self.delay is None:
                self._strike(aimed)
            answer = handle(request)
            if aimed is not None and self.delay is not None:
                self._later(self.delay, aimed)
            return answer

        return handled

    def _counts(self) -> subprocess.Popen[str] | None:
        with self.lock:
            self.after -= 1
            return self.process if self.after == 0 else None

    def _later(self, seconds: float, process: subprocess.Popen[str]) -> None:
        timer = threading.Timer(seconds, self._strike, [process])
        timer.daemon = True
        timer.start()

    def _strike(self, process: subprocess.Popen[str]) -> None:
        with self.lock:
            if process.returncode is None:
                process.send_signal(SIGKILL)


def start(config: Path) -> subprocess.Popen[str]:
    command = [TRUEUP, "sync", "--sandbox", "--approve-first", "--config", config]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def open_sandbox(config: Path) -> Sandbox:
    """The stand-ins of this configuration, as `trueup sandbox` makes them."""
    sandbox = Sandbox(makers(load(config, environment_for(config, Reality.SANDBOX))))
    prepare(sandbox)
    return sandbox
