"""What the HubSpot stand-in keeps: records, property definitions, associations, consent.

Rules as of the vendor's public guides: e-mails are unique; `lifecyclestage` does not move backwards; a
merge makes a third record; a search shows what was true some seconds ago.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from trueup.connectors.hubspot.vendor_properties import (
    DEFAULTS,
    MODIFIED,
    STAGES,
    Definition,
    Invalid,
    Properties,
    iso,
    kept_as,
    problem_with,
    standard,
)


@dataclass(slots=True)
class Row:
    """One record with the states that it had, for the search index."""

    id: str
    properties: Properties
    created: datetime
    updated: datetime
    archived: datetime | None = None
    past: list[tuple[datetime, Properties]] = field(default_factory=list)

    def keep(self, now: datetime, horizon: datetime) -> None:
        """Remember the present state; forget those that no index can show any more."""
        self.past.append((now, dict(self.properties)))
        visible = [index for index, (at, _) in enumerate(self.past) if at <= horizon]
        del self.past[: visible[-1] if visible else 0]

    def seen(self, at: datetime) -> Properties | None:
        """What an index that is as old as `at` shows; None if it does not know the record."""
        states = [properties for moment, properties in self.past if moment <= at]
        return states[-1] if states else None


class Taken(Exception):
    """Another record of this object holds a unique value: its id."""

    def __init__(self, id: str, object: str) -> None:
        super().__init__(id)
        self.id = id
        self.object = object


@dataclass(frozen=True, slots=True)
class Consent:
    """The state of one address and subscription."""

    status: str = "NOT_SPECIFIED"
    source: str = ""
    at: datetime | None = None
    explanation: str = ""


class Portal:
    """The records and rules of one HubSpot account. Time is handed in with every change."""

    def __init__(self, index_lag: float = 5.0, forward_only: bool = True) -> None:
        self.index_lag = index_lag
        self.forward_only = forward_only
        self.rows: dict[str, dict[str, Row]] = {name: {} for name in DEFAULTS}
        self.moved: dict[str, dict[str, str]] = {name: {} for name in DEFAULTS}
        self.definitions = {name: standard(name) for name in DEFAULTS}
        self.links: dict[tuple[str, str], dict[str, list[str]]] = {}
        self.primary: dict[tuple[str, str, str], str] = {}
        self.subscriptions: dict[int, str] = {}
        self.consents: dict[str, dict[int, Consent]] = {}
        self._held: dict[tuple[str, str, str], str] = {}
        self._next = dict.fromkeys(DEFAULTS, 101)

    # -- properties -------------------------------------------------------------------------------

    def define(self, object: str, definition: Definition) -> None:
        self.definitions[object][definition.name] = definition

    def checked(self, object: str, given: Mapping[str, object]) -> Properties:
        """The properties as HubSpot would keep them. Raises Invalid with all that is wrong."""
        kept: Properties = {}
        problems = []
        for name, value in given.items():
            definition = self.definitions[object].get(name)
            problem = problem_with(definition, name, value)
            if problem:
                problems.append((name, *problem))
            elif definition is not None:
                kept[name] = kept_as(name, definition, value)
        if problems:
            raise Invalid(tuple(problems))
        return kept

    # -- records ----------------------------------------------------------------------------------

    def find(self, object: str, id: str) -> Row | None:
        """The living record that an id leads to, also after merges."""
        seen = set()
        while id in self.moved[object] and id not in seen:
            seen.add(id)
            id = self.moved[object][id]
        row = self.rows[object].get(id)
        return row if row is not None and row.archived is None else None

    def holder(self, object: str, name: str, value: str) -> Row | None:
        """The living record that holds a unique value."""
        id = self._held.get((object, name, value))
        row = self.rows[object].get(id) if id is not None else None
        return row if row is not None and row.archived is None and value in _values_of(row, name) else None

    def create(self, object: str, properties: Properties, now: datetime) -> Row:
        """Raises Taken where a unique value is."""
        self.check_unique(object, properties, None)
        id = str(self._next[object])
        self._next[object] += 1
        filled = {name: value for name, value in properties.items() if value != ""}
        row = Row(id, {**filled, "hs_object_id": id, "createdate": iso(now)}, now, now)
        if object == "contacts":
            row.properties.setdefault("lifecyclestage", "lead")
        self.rows[object][id] = row
        self.touch(object, row, now)
        return row

    def update(self, object: str, row: Row, properties: Properties, now: datetime) -> None:
        """Raises Taken where a unique value is."""
        self.check_unique(object, properties, row)
        for name, value in properties.items():
            if name == "lifecyclestage" and self._backwards(row, value):
                continue
            if value == "":
                row.properties.pop(name, None)
            else:
                row.properties[name] = value
        self.touch(object, row, now)

    def touch(self, object: str, row: Row, now: datetime) -> None:
        row.updated = now
        row.properties[MODIFIED[object]] = iso(now)
        for name in self._unique(object):
            self._held.update({(object, name, value): row.id for value in _values_of(row, name) if value})
        row.keep(now, now - timedelta(seconds=self.index_lag))

    def archive(self, object: str, row: Row, now: datetime) -> None:
        row.archived = now
        row.updated = now
        for (one, other), links in self.links.items():
            if one == object:
                links.pop(row.id, None)
            if other == object:
                for linked in links.values():
                    linked[:] = [id for id in linked if id != row.id]

    def restore(self, object: str, row: Row, now: datetime) -> None:
        row.archived = None
        self.touch(object, row, now)

    def merge(self, object: str, primary: Row, other: Row, now: datetime) -> Row:
        """A third record with a new id; both old ids lead to it."""
        properties = {**other.properties, **primary.properties}
        merged = [primary.id, other.id, *_split(primary, other, "hs_merged_object_ids")]
        properties["hs_merged_object_ids"] = ";".join(dict.fromkeys(merged))
        mails = [other.properties.get("email", ""), *_split(primary, other, "hs_additional_emails")]
        rest = [mail for mail in dict.fromkeys(mails) if mail and mail != properties.get("email")]
        if object == "contacts" and rest:
            properties["hs_additional_emails"] = ";".join(rest)
        id = str(self._next[object])
        self._next[object] += 1
        created = min(primary.created, other.created)
        row = Row(id, {**properties, "hs_object_id": id, "createdate": iso(created)}, created, now)
        for old in (primary.id, other.id):
            del self.rows[object][old]
            self.moved[object][old] = id
            self._relink(object, old, id)
        self.rows[object][id] = row
        self.touch(object, row, now)
        return row

    def indexed(self, object: str, now: datetime) -> Iterable[tuple[Row, Properties]]:
        """The living records as the search sees them now, by id."""
        horizon = now - timedelta(seconds=self.index_lag)
        for row in self.rows[object].values():  # ids only grow, so they stand in order
            state = row.seen(horizon) if row.archived is None else None
            if state is not None:
                yield row, state

    # -- associations -----------------------------------------------------------------------------

    def linked(self, one: str, other: str, id: str) -> list[str]:
        return list(self.links.get((one, other), {}).get(id, []))

    def is_primary(self, one: str, other: str, id: str, to: str) -> bool:
        return self.primary.get((one, other, id)) == to

    def link(self, one: str, other: str, id: str, to: str, primary: bool = False) -> None:
        """The first company of a record becomes its primary one by itself."""
        for key, start, end in (((one, other), id, to), ((other, one), to, id)):
            ends = self.links.setdefault(key, {}).setdefault(start, [])
            if end not in ends:
                ends.append(end)
        for key, start, end in (((one, other), id, to), ((other, one), to, id)):
            first = key[1] == "companies" and (*key, start) not in self.primary
            if first or (primary and key == (one, other)):
                self.primary[(*key, start)] = end

    def unlink(self, one: str, other: str, id: str, to: str) -> None:
        for key, start, end in (((one, other), id, to), ((other, one), to, id)):
            ends = self.links.get(key, {}).get(start, [])
            ends[:] = [known for known in ends if known != end]
            if self.primary.get((*key, start)) == end:
                del self.primary[(*key, start)]

    # -- consent ----------------------------------------------------------------------------------

    def consent(self, email: str, subscription: int) -> Consent:
        return self.consents.get(email, {}).get(subscription, Consent())

    def set_consent(self, email: str, subscription: int, consent: Consent, now: datetime) -> None:
        self.consents.setdefault(email, {})[subscription] = replace(consent, at=now)
        row = self.holder("contacts", "email", email)
        if row is not None:
            self.touch("contacts", row, now)

    # -- inside -----------------------------------------------------------------------------------

    def _unique(self, object: str) -> list[str]:
        unique = [name for name, words in self.definitions[object].items() if words.unique]
        return ["email", *unique] if object == "contacts" else unique

    def _backwards(self, row: Row, value: str) -> bool:
        now = row.properties.get("lifecyclestage", "")
        if not self.forward_only or value not in STAGES or now not in STAGES:
            return False
        return STAGES.index(value) < STAGES.index(now)

    def check_unique(self, object: str, properties: Properties, row: Row | None) -> None:
        for name in self._unique(object):
            value = properties.get(name, "")
            holder = self.holder(object, name, value) if value else None
            if holder is not None and holder is not row:
                raise Taken(holder.id, object)

    def _relink(self, object: str, old: str, new: str) -> None:
        for (one, other, id), end in list(self.primary.items()):
            if (one, id) == (object, old):
                self.primary.setdefault((one, other, new), self.primary.pop((one, other, id)))
            if (other, end) == (object, old):
                self.primary[(one, other, id)] = new
        for (one, other), links in self.links.items():
            if one == object and old in links:
                ends = links.setdefault(new, [])
                ends += [id for id in links.pop(old) if id not in ends]
            if other == object:
                for linked in links.values():
                    linked[:] = list(dict.fromkeys(new if id == old else id for id in linked))


def _values_of(row: Row, name: str) -> list[str]:
    values = [row.properties.get(name, "")]
    if name == "email":
        values += row.properties.get("hs_additional_emails", "").split(";")
    return values


def _split(one: Row, other: Row, name: str) -> list[str]:
    return [part for row in (one, other) for part in row.properties.get(name, "").split(";") if part]
