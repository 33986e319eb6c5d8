"""What people do in the systems of a world. They know who is who, and what they replace."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime

from trueup.testing.plan import Event
from trueup.testing.system import ROBOT, Row, System
from trueup.testing.traits import OPT_OUT, STAGES, in_other_letters, plain_address


class People:
    """Everybody at work in these systems. `addresses` learns whose an address is, `seen` counts acts."""

    def __init__(self, systems: Mapping[str, System], addresses: dict[str, str], seen: Counter[str]) -> None:
        self._systems, self._addresses, self._seen = systems, addresses, seen
        self._names = list(systems)

    def live(self, event: Event) -> None:
        system = self._systems[self._names[event.at % len(self._names)]]
        living = system.living()
        if event.do == "create":
            for place in event.of:
                self._move_in(self._systems[self._names[place % len(self._names)]], event)
            return
        if event.do == "revive":
            for row in system.archived()[event.pick % max(1, len(system.archived())) :][:1]:
                system.user_revive(row)
            return
        if not living:
            return
        row, other = living[event.pick % len(living)], living[event.other % len(living)]
        match event.do:
            case "edit":
                self._edit(system, row, event.field, typed(event.field, event.token))
            case "clear":
                self._edit(system, row, event.field, None)
            case "restore":
                self._restore(system, row, event)
            case "email":
                self._edit(system, row, "email", self._new_address(row.person, event.token))
            case "label" | "unlabel":
                self._label(system, row, event)
            case "phase":
                self._promote(system, row, event)
            case "opt out":
                self._edit(system, row, "no_mail", True)
            case "opt in":
                self._opt_in(system, row, event)
            case "twin":
                self._twin(system, row, event)
            case "misdate":
                moment = datetime.fromisoformat(event.what)
                system.user_edit(row, event.field, typed(event.field, event.token), stamp=moment)
                self._seen["stamp far ahead"] += 1
            case "archive":
                system.user_archive(row)
            case "delete":
                system.user_delete(row)
            case "merge":
                twins = [one for one in living if one.person == row.person and one is not row]
                if twins:
                    system.user_merge(twins[event.other % len(twins)], row)
            case "chain":
                self._chain(system, row, event)
            case "sweep":
                self._seen["integration"] += 1
                for place, one in enumerate(living):
                    system.user_edit(one, event.field, typed(event.field, event.token * 1_000 + place), ROBOT)
            case "set back":
                self._set_back(system, row, event)
            case "accent":
                self._edit(system, row, "email", self._accented(row.person, event.token))
            case "retype":
                self._retype(system, row, event)
            case "drift":
                system.drift(event.field, event.what)
                self._seen["drift"] += 1
                self._seen[f"drift {event.what}"] += 1
            case "drift over":
                system.mend()
            case "swap" if other is not row and not system.traits.unique_email:
                mine, theirs = row.now.values.get("email"), other.now.values.get("email")
                self._edit(system, row, "email", theirs)
                self._edit(system, other, "email", mine)

    def _opt_in(self, system: System, row: Row, event: Event) -> None:
        """Somebody who is out wants to be in again, or it only looks so: nobody wrote down where."""
        everywhere = [one for each in self._systems.values() for one in each.living()]
        persons = {one.person for one in everywhere if one.now.values.get(OPT_OUT)}
        out = [one for one in system.living() if one.person in persons]
        row = out[event.pick % len(out)] if out else row
        if not (system.traits.dated or row.now.values.get(OPT_OUT)):
            return
        source = "form" if event.other % 4 else ""
        system.user_opt_in(row, {"at": system.true_time().isoformat(), "source": source})
        self._seen["opt-in" if source and system.traits.dated else "opt-in without evidence"] += 1

    def _twin(self, system: System, row: Row, event: Event) -> None:
        values = {"email": row.now.values.get("email"), "given": typed("given", event.token)}
        if values["email"] and not system.traits.unique_email:
            system.user_create(row.person, values)

    def _chain(self, system: System, row: Row, event: Event) -> None:
        """Of three records of a person one goes into the second, and that into the third; until somebody
        has three, one is made for whoever has most."""
        living = system.living()
        number = Counter(one.person for one in living)
        most = [one for one in living if number[one.person] == max(number.values())]
        row = most[event.pick % len(most)]
        twins = [one for one in living if one.person == row.person and one is not row]
        if len(twins) < 2:
            self._twin(system, row, event)
            return
        system.user_merge(row, twins[0])
        system.user_merge(twins[0], twins[1])
        self._seen["merge chain"] += 1

    def _move_in(self, system: System, event: Event) -> None:
        person = f"p{event.token}"
        letter = ord(system.traits.name[0])
        values = {
            "email": self._new_address(person, event.token),
            "given": typed("given", event.token),
            "family": typed("family", event.token),
        }
        for place, name in enumerate(("phone", "title", "unit")):
            if (event.token * 7 + letter + place) % 3:
                values[name] = typed(name, event.token * 1000 + letter)
        system.user_create(person, values)

    def _edit(self, system: System, row: Row, name: str, value: object) -> None:
        if name == "email" and value and system._taken({"email": value}, row) is not None:
            return
        if row.now.values.get(name) != system.traits.keeps(name, value) and not system.refuses(
            {name: value}, "user"
        ):
            system.user_edit(row, name, value)
            self._seen[f"user {'clear' if value is None else 'edit'}"] += 1

    def _restore(self, system: System, row: Row, event: Event) -> None:
        former = [one.values.get(event.field) for one in row.versions if one.values.get(event.field)]
        if former:
            self._edit(system, row, event.field, former[event.other % len(former)])

    def _label(self, system: System, row: Row, event: Event) -> None:
        held = list(row.now.values.get("labels") or [])
        if event.do == "unlabel":
            held = [one for place, one in enumerate(held) if place != event.other % max(1, len(held))]
        else:
            held = [*held, f"l{event.token}"]
        self._edit(system, row, "labels", held)

    def _promote(self, system: System, row: Row, event: Event) -> None:
        now = row.now.values.get("phase")
        place = STAGES.index(now) if now in STAGES else -1
        if place + 1 < len(STAGES):
            self._edit(system, row, "phase", STAGES[place + 1 + event.other % (len(STAGES) - place - 1)])

    def _set_back(self, system: System, row: Row, event: Event) -> None:
        """Somebody thinks that a contact is not so far: at an earlier stage, or at none."""
        now = row.now.values.get("phase")
        if now in STAGES:
            self._edit(system, row, "phase", (None, *STAGES)[event.other % (STAGES.index(now) + 1)])
            self._seen["set back"] += 1

    def _retype(self, system: System, row: Row, event: Event) -> None:
        """The same is typed in other letters: an address in another case, a name with its accents apart or
        together. One without accents gets some."""
        held = row.now.values.get(event.field)
        if not isinstance(held, str) or not held:
            return
        if event.field == "email" and held.isascii():
            again = held.upper() if held == held.lower() else held.lower()
        elif held.isascii():
            again = f"{typed(event.field, event.token)}\N{LATIN SMALL LETTER E WITH DIAERESIS}"
        else:
            again = in_other_letters(held)
        self._edit(system, row, event.field, again)
        self._seen["retyped"] += 1

    def _accented(self, person: str, token: int) -> str:
        """A new address whose accent is in one letter with its vowel, or in two."""
        address = f"ren\N{LATIN SMALL LETTER E WITH ACUTE}{token}@people.example"
        self._addresses[plain_address(address)] = person
        self._seen["accented address"] += 1
        return in_other_letters(address) if token % 2 else address

    def _new_address(self, person: str, token: int) -> str:
        address = f"m{token}@people.example"
        self._addresses[address] = person
        return address if token % 4 else address.capitalize()


def typed(field: str, token: int) -> str:
    """A value that nobody else types."""
    match field:
        case "phone":
            return f"+4930{2_000_000 + token}"
        case "title":
            return f"T{token} officer"
        case _:
            return f"{field[0].upper()}{token}"
