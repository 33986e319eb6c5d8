"""What people do with companies: they make, change, join and delete them, and say who works where."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from trueup.testing.people import typed
from trueup.testing.plan import Event
from trueup.testing.sorts import EMPLOYER
from trueup.testing.system import ROBOT, Row, System

FIRM_ACTS: Mapping[str, int] = {
    "hire": 8,
    "fire": 3,
    "found": 4,
    "firm": 1,
    "firm edit": 5,
    "firm clear": 2,
    "firm rename": 1,
    "firm twin": 2,
    "firm merge": 3,
    "firm delete": 2,
}
"""What may happen, and how often against the others."""


class Firms:
    """Everybody at work with companies, in the systems that keep some. `owners` learns whose a domain is,
    `seen` counts acts."""

    def __init__(self, systems: Mapping[str, System], owners: dict[str, str], seen: Counter[str]) -> None:
        self._people = [one for one in systems.values() if one.companies is not None]
        self._owners, self._seen = owners, seen

    def live(self, event: Event) -> None:
        if not self._people:
            return
        people = self._people[event.at % len(self._people)]
        firms = people.companies
        assert firms is not None
        if event.do == "firm":
            for place in event.of:
                there = self._people[place % len(self._people)].companies
                assert there is not None
                self._founded(there, event.token)
            return
        staff, living = people.living(), firms.living()
        if event.do in ("hire", "fire", "found"):
            if staff:
                self._employ(people, firms, staff[event.pick % len(staff)], event)
            return
        if not living:
            return
        row = living[event.other % len(living)]
        twins = [one for one in living if one.person == row.person and one is not row]
        match event.do:
            case "firm edit":
                self._edit(firms, row, event.field, typed(event.field, event.token))
            case "firm clear":
                self._edit(firms, row, event.field, None)
            case "firm rename":
                self._edit(firms, row, "firm", typed("firm", event.token))
            case "firm twin" if not firms.traits.unique_email:
                known = {name: row.now.values.get(name) for name in ("firm", "domain")}
                firms.user_create(row.person, known)
                self._seen["company twin"] += 1
            case "firm merge" if twins:
                loser = twins[event.pick % len(twins)]
                firms.user_merge(loser, row)
                self._let_go(people, loser, row.id)
                self._seen["company merge"] += 1
            case "firm delete":
                firms.user_delete(row)
                self._let_go(people, row, None)
                self._seen["company deletion"] += 1

    def _employ(self, people: System, firms: System, person: Row, event: Event) -> None:
        if event.do == "found":
            self._founded(firms, event.token)
        living = firms.living()
        if event.do == "fire":
            self._says(people, person, None)
        elif living:
            chosen = living[-1] if event.do == "found" else living[event.other % len(living)]
            self._says(people, person, chosen.id)

    def _says(self, people: System, person: Row, company: str | None) -> None:
        if person.now.values.get(EMPLOYER) != company and not people.refuses({EMPLOYER: company}, "user"):
            people.user_edit(person, EMPLOYER, company)
            self._seen[f"company {'left' if company is None else 'joined'}"] += 1

    def _let_go(self, people: System, gone: Row, instead: str | None) -> None:
        """What the system itself makes of people's records that tell a company which is gone."""
        if not people.traits.lets_go:
            return
        for one in people.living():
            if one.now.values.get(EMPLOYER) == gone.id:
                people.user_edit(one, EMPLOYER, instead, ROBOT)

    def _founded(self, firms: System, token: int) -> None:
        domain = f"f{token}.example"
        self._owners[domain] = f"f{token}"
        values = {"firm": typed("firm", token), "domain": domain}
        letter = ord(firms.traits.name[0])
        for place, name in enumerate(("phone", "branch")):
            if (token * 7 + letter + place) % 3:
                values[name] = typed(name, token * 1_000 + letter)
        if firms.problem(values, None) is None:
            firms.user_create(f"f{token}", values)
            self._seen["company made"] += 1

    def _edit(self, firms: System, row: Row, name: str, value: object) -> None:
        if row.now.values.get(name) != firms.traits.keeps(name, value):
            firms.user_edit(row, name, value)
            self._seen["company edit"] += 1
