"""What a simulated system answers to who asks for its records of one sort, where nothing goes wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import httpx
import orjson

from trueup.connectors.stamps import EPOCH, parse_stamp, write_stamp
from trueup.model.record import Json
from trueup.testing.sorts import PEOPLE
from trueup.testing.system import HUB_ID, OTHERWISE, Problem, Row, System, Version
from trueup.testing.traits import OPT_OUT, OPTED_IN, plain_address, subscription

_SIZES = (-1, 2, 0, -2, 1)
"""How many more than asked for the pages of a system hold where they are uneven, one after another."""

_STATUS = {"stale": 412, "gone": 410, "exists": 409, "invalid": 422}


class Answers:
    """The requests for one sort of records. `calls` of the account so far, by route; `odd` counts what its
    habits made of answers; `person_of` tells whose an address or a domain is."""

    def __init__(
        self,
        system: System,
        now: Callable[[], datetime],
        person_of: Callable[[str], str],
        calls: Counter[str],
        odd: Counter[str],
    ) -> None:
        self.system = system
        self.calls = calls
        self.odd = odd
        self._now = now
        self._person_of = person_of

    def answer(self, request: httpx.Request, path: str) -> httpx.Response:
        body = body_of(request)
        match path:
            case "list":
                return self._listed(request.url.params)
            case "changes":
                return self._changed(request.url.params)
            case "read":
                rows = [self.system.rows.get(str(id)) for id in body["ids"]]
                return self._said([row for row in rows if row is not None and row.living])
            case "find":
                return self._said(self._found(body["key"], body["values"]))
            case "create" | "update" as route:
                return self._written(route, body["items"])
            case "upsert":
                return self._upserted(body)
            case "update/one":
                item = {"id": body["id"], "values": body["values"], "tag": body["tag"]}
                return self._single(self._one("update", item, request.headers.get("If-Match")))
        return httpx.Response(404, json={"message": "no such place"})

    def _listed(self, query: httpx.QueryParams) -> httpx.Response:
        now, size = self._now(), self._size(int(query["limit"]))
        shown = [
            (row, version) for row in self._rows() if (version := row.shown(now)) and not version.deleted
        ]
        if self.system.traits.offset:
            start = int(query.get("after") or 0)
            return self._page(shown[start : start + size], None)
        after = query.get("after") or ""
        rest = [pair for pair in shown if pair[0].id > after]
        return self._page(rest[:size], rest[size - 1][0].id if len(rest) > size else None)

    def _changed(self, query: httpx.QueryParams) -> httpx.Response:
        now, size, after = self._now(), self._size(int(query["limit"])), query.get("after") or ""
        since = parse_stamp(query["since"], "iso") or EPOCH
        found = [
            (row, version)
            for row in self._rows()
            if (version := row.shown(now)) and version.stamp >= since
            if self.system.traits.feed or not version.deleted
        ]
        if self.system.traits.ordered:
            found.sort(key=lambda pair: (pair[1].stamp, pair[0].id))
            mark = query.get("after_stamp")
            stamp = parse_stamp(mark, "iso") if mark else None
            rest = [
                one
                for one in found
                if not after or stamp is None or (one[1].stamp, one[0].id) > (stamp, after)
            ]
        else:
            rest = [one for one in found if one[0].id > after]
        return self._page(rest[:size], None)

    def _size(self, asked: int) -> int:
        """How many records a page holds: where pages are uneven another number each time."""
        if not self.system.traits.uneven:
            return asked
        number = max(1, asked + _SIZES[self.calls.total() % len(_SIZES)])
        self.odd["uneven page"] += number != asked
        return number

    def _rows(self) -> list[Row]:
        return sorted(self.system.rows.values(), key=lambda row: row.id)

    def _found(self, key: str, values: Sequence[Json]) -> list[Row]:
        wanted = {plain_address(value) for value in values}
        now = self._now()
        return [
            row
            for row in self._rows()
            if (version := row.shown(now)) is not None and row.living and not version.deleted
            if plain_address(version.values.get(key)) in wanted
        ]

    def _page(self, pairs: Sequence[tuple[Row, Version]], next_one: str | None) -> httpx.Response:
        body: dict[str, Json] = {"items": [self._record(row, version) for row, version in pairs]}
        if next_one is not None:
            body["next"] = next_one
        return httpx.Response(200, content=orjson.dumps(body))

    def _said(self, rows: Iterable[Row]) -> httpx.Response:
        return self._page([(row, row.now) for row in rows], None)

    def _record(self, row: Row, version: Version) -> dict[str, Json]:
        row.served.add(version.number)
        return {
            "id": row.id,
            "version": version.number,
            "changed": write_stamp(version.stamp, "iso_ms"),
            "deleted": version.deleted and version.successor is None,
            "successor": version.successor,
            "fields": {} if version.deleted else self._shown(version.values),
        }

    def _shown(self, values: Mapping[str, Json]) -> dict[str, Json]:
        shown = {name: value for name, value in values.items() if self.system.shows(name)}
        for name, what in self.system.drifts.items():
            if what in OTHERWISE and name in shown:
                shown |= OTHERWISE[what](name, shown.pop(name))
        if self.system.sort is not PEOPLE:
            return shown
        del shown[OPTED_IN]
        return shown | ({OPT_OUT: subscription(values)} if self.system.traits.dated else {})

    # -- writing ------------------------------------------------------------------------------------------

    def _written(self, route: str, items: Sequence[Mapping[str, Any]]) -> httpx.Response:
        problems = [problem for item in items if (problem := self._trial(route, item)) is not None]
        if self.system.traits.whole and problems:
            named = _told(problems[0]) if problems[0].what == "invalid" and len(items) == 1 else {}
            return httpx.Response(422, json={**named, "message": "one of them cannot be taken"})
        said: dict[str, Json] = {"results": [one for one in self._results(route, items) if one is not None]}
        if self.system.traits.forgets:
            said["summary"] = {"status": "completed", "done": len(items), "failed": 0}
        return httpx.Response(200, content=orjson.dumps(said))

    def _results(self, route: str, items: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Json] | None]:
        """What is told of each item; None: nothing. Every second that is forgotten was not done, either."""
        forgotten = self._forgotten(len(items))
        for place, item in enumerate(items):
            if place == forgotten:
                self.odd["forgotten item"] += 1
                if self.odd["forgotten item"] % 2:
                    self._result(route, item)
                yield None
            else:
                yield self._result(route, item)

    def _forgotten(self, number: int) -> int | None:
        """The place of the item that this answer leaves out; of every third batch it leaves out none."""
        batch = sum(self.calls[route] for route in ("create", "update"))
        if not self.system.traits.forgets or number < 2 or batch % 3 == 0:
            return None
        return batch % number

    def _trial(self, route: str, item: Mapping[str, Any]) -> Problem | None:
        """What is wrong with an item, found out without doing anything."""
        row = self.system.rows.get(item.get("id", ""))
        if route == "update" and (row is None or not row.living):
            return Problem("gone")
        return self.system.problem(item["values"], row)

    def _result(self, route: str, item: Mapping[str, Any]) -> dict[str, Json]:
        done = self._one(route, item, None)
        if isinstance(done, Problem):
            return {"tag": item["tag"], "problem": _told(done)}
        return {"tag": item["tag"], **self._done(done)}

    def _one(self, route: str, item: Mapping[str, Any], version: str | None) -> Row | Problem:
        if route == "create":
            return self.system.create(item["values"], self._owner(item["values"]))
        return self.system.update(str(item["id"]), item["values"], version)

    def _done(self, row: Row) -> dict[str, Json]:
        if not self.system.traits.answers:
            return {"id": row.id}
        return {"id": row.id, "record": self._record(row, row.now)}

    def _single(self, done: Row | Problem) -> httpx.Response:
        if isinstance(done, Problem):
            return httpx.Response(_STATUS[done.what], json=_told(done))
        return httpx.Response(200, content=orjson.dumps(self._done(done)))

    def _upserted(self, body: Mapping[str, Any]) -> httpx.Response:
        person = self._owner(body["values"])
        return self._single(self.system.upsert(str(body[HUB_ID]), body["values"], person))

    def _owner(self, values: Mapping[str, Any]) -> str:
        return self._person_of(str(values.get(self.system.sort.key) or ""))


def _told(problem: Problem) -> dict[str, Json]:
    return {"code": problem.what, "message": problem.what, "existing": problem.id, "fields": [problem.field]}


def body_of(request: httpx.Request) -> Mapping[str, Any]:
    return orjson.loads(request.content) if request.content else {}
