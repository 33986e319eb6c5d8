"""A stand-in with a clock that tests move, and a plain client to ask it with."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from trueup.connectors.zendesk.vendor import ZendeskStandIn

START = datetime(2026, 3, 2, 9, 0, 0, tzinfo=UTC)


class Desk:
    """`now` moves only by `wait`. `get`, `post`, `put` and `delete` answer the parsed body."""

    def __init__(self) -> None:
        self.now = START
        self.vendor = ZendeskStandIn(lambda: self.now)
        self.vendor.per_minute = 0
        self.client = httpx.Client(
            base_url=f"{self.vendor.base_url}/api/v2/",
            auth=("robot@acme.example/token", "zd-token"),
            transport=self.vendor.transport(),
        )

    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def get(self, path: str, **query: Any) -> Any:
        return self.client.get(path, params=query).json()

    def post(self, path: str, body: Any) -> httpx.Response:
        return self.client.post(path, json=body)

    def put(self, path: str, body: Any) -> httpx.Response:
        return self.client.put(path, json=body)

    def create(self, name: str, **values: Any) -> int:
        answer = self.post("users", {"user": {"name": name, "skip_verify_email": True, **values}})
        assert answer.status_code == 201, answer.text
        return int(answer.json()["user"]["id"])

    def start_time(self, seconds_ago: float) -> int:
        return int((self.now - timedelta(seconds=seconds_ago)).timestamp())
