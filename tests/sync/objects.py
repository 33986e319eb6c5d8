"""A system in memory whose records hold lists of objects, each with an id that the system gives."""

from __future__ import annotations

from dataclasses import dataclass

from tests.sync.memory import Memory, Row
from trueup.connectors.base import Elements
from trueup.model.record import Json


@dataclass
class ItemMemory(Memory):
    """Items get an id when they are written; single ones are changed and removed by it, and what a write does
    not say of an item stays."""

    ids: int = 0

    def _kept(self, path: str, value: Json, row: Row) -> Json:
        if isinstance(value, Elements) and any(isinstance(one, dict) for one in (*value.add, *value.remove)):
            return self._changed(row.values.get(path) or [], value)
        if isinstance(value, list) and any(isinstance(one, dict) for one in value):
            return [self._named(one) for one in value]
        return super()._kept(path, value, row)

    def _changed(self, held: list[Json], value: Elements) -> list[Json]:
        gone = [one["id"] for one in value.remove]
        rows = {one["id"]: dict(one) for one in held if one["id"] not in gone}
        for one in value.add:
            if "id" in one:
                rows.get(one["id"], {}).update(one)  # of an item that is gone nothing is changed
            else:
                new = self._named(one)
                rows[new["id"]] = new
        return list(rows.values())

    def _named(self, item: Json) -> Json:
        if "id" in item:
            return item
        self.ids += 1
        return {**item, "id": self.ids}

    def edit(self, id: str, **values: Json) -> None:
        made = {
            path: [self._named(one) for one in value]
            if isinstance(value, list) and all(isinstance(one, dict) for one in value)
            else value
            for path, value in values.items()
        }
        super().edit(id, **made)
