"""One sync in a process of its own, over the stand-ins of a sandbox on loopback: it may be killed.

`python -m tests.acceptance.one_sync CONFIG '{"marketing": "http://127.0.0.1:…", …}'`
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from trueup.commands.standins import Loopback
from trueup.config.load import load
from trueup.sandbox.seed import ENVIRONMENT
from trueup.services.hub import World, wire
from trueup.services.syncing import Sync, sync
from trueup.services.system import SystemRandom


class SandboxTime:
    """The sandbox's clock from outside: who sleeps asks it to go on, so that nobody really waits."""

    def __init__(self, url: str) -> None:
        self._client = httpx.Client(base_url=url, trust_env=False)
        told = self._client.get("/_sandbox/clock").json()["now"]
        self._ahead = datetime.fromisoformat(told) - datetime.now(UTC)

    def now(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    def sleep(self, seconds: float) -> None:
        self._client.post("/_sandbox/clock", json={"seconds": seconds})
        self._ahead += timedelta(seconds=seconds)


def main() -> None:
    folder, urls = Path(sys.argv[1]), json.loads(sys.argv[2])
    config = load(folder, {**ENVIRONMENT, "TRUEUP_ALERTS": "ops@acme.example"})
    clock = SandboxTime(next(iter(urls.values())))
    world = World(clock, SystemRandom(), lambda name: Loopback(urls[name]), worker="the only one")
    with wire(folder, config, world) as hub:
        sync(hub, Sync("ann", approve_first=True))


if __name__ == "__main__":
    main()
