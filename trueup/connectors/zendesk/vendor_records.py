"""The tables of an imitated Zendesk account: rows, order of change, unique ids. Pure memory."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from trueup.connectors.zendesk.vendor_rules import STAGES, Values, custom_field, iso

Note = Callable[[str, str, str, str, Mapping[str, Any], Mapping[str, Any]], None]
"""note(by, action, object, id, before, after)"""


class Records:
    """Rows by kind (`users`, `organizations`, `tickets`). Ids are deterministic: each kind counts from
    its own start. Keys that begin with `_` are internal and never shown."""

    def __init__(self, now: Callable[[], datetime], note: Note, base_url: str) -> None:
        self.now = now
        self.note = note
        self.base_url = base_url
        self.users: dict[int, Values] = {}
        self.organizations: dict[int, Values] = {}
        self.tickets: dict[int, Values] = {}
        self.user_fields = self._default_fields()
        self.organization_fields: list[Values] = []
        self._tables = {"users": self.users, "organizations": self.organizations, "tickets": self.tickets}
        self._last = {"users": 9000, "identities": 40000, "organizations": 700, "memberships": 60000}
        self._changes: dict[str, list[tuple[int, int]]] = {kind: [] for kind in self._tables}
        self._external: dict[tuple[str, str], int] = {}

    def _default_fields(self) -> list[Values]:
        defined = (
            ("contract_number", "text", ()),
            ("tier", "dropdown", ("standard", "gold")),
            ("stage", "dropdown", STAGES),
            ("current_offer", "text", ()),
        )
        return [custom_field(5001 + n, self.base_url, *field) for n, field in enumerate(defined)]

    def next_id(self, kind: str) -> int:
        self._last[kind] = self._last.get(kind, 0) + 1
        return self._last[kind]

    def table(self, kind: str) -> dict[int, Values]:
        return self._tables[kind]

    def touch(self, kind: str, id: int) -> None:
        """The record changed now: its stamp moves and so does its place in the exports."""
        moment = self.now()
        row = self._tables[kind][id]
        row["updated_at"] = iso(moment)
        row["_second"] = int(moment.timestamp())
        place = (row["_second"], id)
        changes = self._changes[kind]
        at = bisect_right(changes, place)
        if at == 0 or changes[at - 1] != place:
            insort(changes, place)

    def changed(self, kind: str, after: tuple[int, int], until: int) -> Iterator[tuple[int, int]]:
        """Places (second, id) after `after` up to second `until`, in order, each at its last change."""
        changes, table = self._changes[kind], self._tables[kind]
        for n in range(bisect_right(changes, after), len(changes)):
            second, id = changes[n]
            if second > until:
                return
            if table[id]["_second"] == second:
                yield second, id

    def public(self, kind: str, id: int) -> Values:
        """A record as the API shows it."""
        shown = {key: value for key, value in self._tables[kind][id].items() if not key.startswith("_")}
        shown["url"] = f"{self.base_url}/api/v2/{kind}/{id}.json"
        if kind == "users":
            shown["user_fields"] = _all_of(self.user_fields, shown["user_fields"])
        elif kind == "organizations":
            shown["organization_fields"] = _all_of(self.organization_fields, shown["organization_fields"])
        return shown

    # -- external ids -----------------------------------------------------------------------------

    def by_external(self, kind: str, external_id: str) -> int | None:
        """Whose external id this is; case is ignored."""
        return self._external.get((kind, external_id.lower()))

    def external_problem(self, kind: str, external: Any, id: int | None) -> tuple[str, str] | None:
        """Why record `id` may not hold this external id: (description, error)."""
        if external is None:
            return None
        if len(str(external)) > 255:
            return "External: is too long (maximum is 255)", "ValueTooLong"
        if self.by_external(kind, str(external)) not in (None, id):
            return f"External: {external} has already been taken", "DuplicateValue"
        return None

    def set_external(self, kind: str, row: Values, external: Any) -> None:
        if row["external_id"] is not None:
            self._external.pop((kind, row["external_id"].lower()), None)
        row["external_id"] = None if external in (None, "") else str(external)
        if row["external_id"] is not None:
            self._external[(kind, row["external_id"].lower())] = row["id"]


def _all_of(defined: list[Values], values: Mapping[str, Any]) -> Values:
    return {field["key"]: values.get(field["key"]) for field in defined}
