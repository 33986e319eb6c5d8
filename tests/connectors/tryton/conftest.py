"""A real Tryton server, and a person who works in it with a client of their own."""

from __future__ import annotations

import base64
import itertools
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from tests.live.tryton_server import TrytonServer, tryton_server
from trueup.connectors.base import Connector, Outcome, WriteItem
from trueup.connectors.registry import connector_kind
from trueup.connectors.settings import ConnectionSettings
from trueup.model.delivery import WriteKind
from trueup.model.record import Cursor, Page, Reading, Record

FIELDS = (
    "name", "code", "active", "email", "phone", "mobile", "website", "mechanisms.email", "address.street",
    "address.city", "address.postal_code", "address.country", "addresses", "mechanisms.phones",
    "company", "categories",
)  # fmt: skip
_numbers = itertools.count(1)


class Clock:
    """Real time."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


class Free:
    """A budget without limits that counts what it is asked for."""

    def __init__(self) -> None:
        self.calls = 0

    def ask(self, connection: str, group: str, lane: str, cost: float) -> float:
        self.calls += 1
        return 0.0

    def learn(self, connection: str, group: str, remaining: float | None, reset_in: float | None) -> None:
        """Tryton tells no limits."""


class Person:
    """Somebody who works in Tryton, by calls of their own that share no code with the connector."""

    def __init__(self, server: TrytonServer) -> None:
        self._client = httpx.Client(timeout=60, trust_env=False)
        self._url = f"{server.url}/rpc/"
        login = [server.user, {"password": server.password}, "en"]
        body = {"id": 1, "method": "common.db.login", "params": login}
        user_id, token, *_ = self._client.post(self._url, json=body).json()["result"]
        session = base64.b64encode(f"{server.user}:{user_id}:{token}".encode()).decode()
        self._client.headers["Authorization"] = f"Session {session}"

    def call(self, method: str, *params: Any, **context: Any) -> Any:
        body = {"id": 1, "method": f"model.{method}", "params": [*params, context]}
        answer = self._client.post(self._url, json=body).json()
        assert "error" not in answer, answer
        return answer["result"]

    def make(self, model: str, **values: Any) -> int:
        made: list[int] = self.call(f"{model}.create", [values])
        return made[0]

    def change(self, model: str, id: int, **values: Any) -> None:
        self.call(f"{model}.write", [id], values)

    def look(self, model: str, id: int, *fields: str) -> dict[str, Any]:
        found: dict[str, Any] = self.call(f"{model}.read", [id], list(fields))[0]
        return found

    def party(self, name: str = "Ada", **parts: Any) -> int:
        """A party; keywords are types of contact mechanisms (one value or several), or `address`."""
        address = parts.pop("address", None)
        mechanisms = [
            {"type": type, "value": value}
            for type, values in parts.items()
            for value in ([values] if isinstance(values, str) else values)
        ]
        values: dict[str, Any] = {"name": name}
        if mechanisms:
            values["contact_mechanisms"] = [["create", mechanisms]]
        if address:
            values["addresses"] = [["create", [address]]]
        return self.make("party.party", **values)

    def company(self, name: str) -> int:
        category = self.once("party.category", "Company")
        return self.make("party.party", name=name, categories=[["add", [category]]])

    def once(self, model: str, name: str, **values: Any) -> int:
        """The record of this name, made if there is none."""
        found = self.call(f"{model}.search", [["name", "=", name]], 0, 1, None)
        return int(found[0]) if found else self.make(model, name=name, **values)

    def employ(self, person: int, company: int, **dates: Any) -> None:
        """As it is recorded from the side of the person."""
        type, _ = self.relation_types()
        self.make("party.relation.all", from_=person, to=company, type=type, **dates)

    def employ_from_the_company(self, person: int, company: int) -> None:
        _, type = self.relation_types()
        self.make("party.relation.all", from_=company, to=person, type=type)

    def sell_to(self, party: int, description: str) -> int:
        """An opportunity; the office that it needs is made at the first one."""
        found = self.call("company.employee.search_read", [], 0, 1, None, ["company"])
        if found:
            company, employee = found[0]["company"], found[0]["id"]
        else:
            currency = self.make("currency.currency", name="Franc", symbol="Fr", code="CHF")
            company = self.make("company.company", party=self.party("Own"), currency=currency)
            employee = self.make("company.employee", party=self.party("Rep"), company=company)
            mine = {"companies": [["add", [company]]], "company": company}
            self.change("res.user", 1, **mine, employees=[["add", [employee]]], employee=employee)
        amount = {"__class__": "Decimal", "decimal": "12.50"}
        values = {"party": party, "description": description, "amount": amount}
        made = self.call("sale.opportunity.create", [values], company=company, employee=employee)
        return int(made[0])

    def relation_types(self) -> tuple[int, int]:
        """`Employee of` and its reverse `Employs`."""
        straight = self.once("party.relation.type", "Employee of")
        reverse = self.once("party.relation.type", "Employs", reverse=straight)
        self.change("party.relation.type", straight, reverse=reverse)
        return straight, reverse

    def replace(self, loser: int, winner: int) -> None:
        """Join two parties with Tryton's own wizard."""
        context = {"active_model": "party.party", "active_id": loser, "active_ids": [loser]}
        wizard = "wizard.party.replace"
        body = {"id": 1, "method": f"{wizard}.create", "params": [context]}
        session, _, _ = self._client.post(self._url, json=body).json()["result"]
        warned = {"ask": {"source": loser, "destination": winner}}
        for _ in range(5):
            body = {"id": 1, "method": f"{wizard}.execute", "params": [session, warned, "replace", context]}
            answer = self._client.post(self._url, json=body).json()
            if "error" not in answer:
                return
            assert answer["error"][0] == "UserWarning", answer
            self.make("res.user.warning", user=1, name=answer["error"][1][0], always=False)
        raise AssertionError("the wizard keeps warning")

    def close(self) -> None:
        self._client.close()


@pytest.fixture(scope="session")
def server() -> Iterator[TrytonServer]:
    with tryton_server() as running:
        yield running


@pytest.fixture(scope="session")
def person(server: TrytonServer) -> Iterator[Person]:
    """Somebody who has set up what a plain installation lacks."""
    person = Person(server)
    person.once("party.category", "Company")
    person.relation_types()
    yield person
    person.close()


class Desk:
    """The connector, and short ways to use it."""

    def __init__(self, server: TrytonServer, **settings: Any) -> None:
        self.budget = Free()
        auth = {"url": server.url, "user": server.user, "password": server.password}
        auth |= settings.pop("auth", {})
        said = ConnectionSettings("erp", auth, **settings)
        self.connector: Connector = connector_kind("tryton").build(said, None, Clock(), self.budget)

    def record(self, id: int | str, object: str = "parties") -> Record:
        (found,) = self.connector.read(object, [str(id)], FIELDS)
        assert isinstance(found, Record), found
        return found

    def write(self, kind: WriteKind, *items: tuple[int | str | None, dict[str, Any]]) -> list[Outcome]:
        made = [
            WriteItem(f"k{number}", kind, None if id is None else str(id), values)
            for number, (id, values) in enumerate(items)
        ]
        return list(self.connector.write("parties", made, FIELDS))

    def update(self, id: int | str, version: str | None = None, **values: Any) -> Outcome:
        """Update one party; `__` in a keyword stands for a dot."""
        dotted = {name.replace("__", "."): value for name, value in values.items()}
        item = WriteItem("k", WriteKind.UPDATE, str(id), dotted, version=version)
        return self.connector.write("parties", [item], FIELDS)[0]

    def read_all(
        self, reading: Reading, cursor: Cursor | None = None, object: str = "parties"
    ) -> tuple[dict[str, Record], Page]:
        records: dict[str, Record] = {}
        while True:
            page = self.connector.pull(object, reading, cursor, FIELDS)
            records |= {record.id: record for record in page.records}
            if not page.more:
                return records, page
            cursor = page.cursor

    def read_all_ids(self, object: str) -> set[str]:
        return set(self.read_all(Reading.LISTING, object=object)[0])


@pytest.fixture
def desk(server: TrytonServer, person: Person) -> Iterator[Desk]:
    desk = Desk(server)
    yield desk
    desk.connector.close()


@pytest.fixture
def unique() -> str:
    """A word that no other test uses."""
    return f"u{next(_numbers):04}"
