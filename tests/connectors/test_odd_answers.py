"""Systems that answer in forms that nobody described: whatever part of an answer is of another type or
missing, what comes out of the connector is an answer or an error that says what was wrong with it."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import orjson
import pytest

from tests.connectors.hubspot.conftest import AUTH as HUBSPOT
from tests.connectors.hubspot.conftest import TOKEN
from tests.connectors.kit import connect
from tests.connectors.salesforce.org import Desk as Org
from tests.connectors.zendesk.desk import Desk
from tests.connectors.zendesk.hub import AUTH as ZENDESK
from tests.connectors.zendesk.hub import DeskClock
from trueup.connectors.base import Connector, Done, Elements, WriteItem
from trueup.connectors.hubspot.vendor import HubSpotStandIn
from trueup.errors import ConfigError, ConnectorError, Malformed, OutcomeUnknown
from trueup.model.canonical import Locale, parse
from trueup.model.delivery import WriteKind
from trueup.model.fields import Field
from trueup.model.record import Cursor, Json, Reading
from trueup.model.values import Rejected, Type
from trueup.testing.acceptance.clock import HandClock

ODD: Sequence[Json] = (None, [], {}, "x", 7, True, [None], [7], {"a": 1}, -1.5)
SINCE: Cursor = {"since": "2026-02-01T00:00:00+00:00"}
ROUNDS = 60


class Spoiling(httpx.BaseTransport):
    """Passes calls on; of each answer, one part is replaced or left out while there is `chance`."""

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self._inner = inner
        self.chance: random.Random | None = None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = self._inner.handle_request(request)
        content = response.read()
        if self.chance is not None and "token" not in request.url.path and content:
            content = orjson.dumps(_spoiled(orjson.loads(content), self.chance))
        kept = {name: value for name, value in response.headers.items() if not name.startswith("content-")}
        return httpx.Response(response.status_code, headers=kept, content=content)


def _spoiled(body: Json, chance: random.Random) -> Json:
    *way, last = chance.choice([path for path in _paths(body) if path] or [(None,)])
    if last is None:
        return copy.deepcopy(chance.choice(ODD))
    inner = body
    for step in way:
        inner = inner[step]
    if isinstance(inner, dict) and chance.random() < 0.3:
        del inner[last]
    else:
        inner[last] = copy.deepcopy(chance.choice(ODD))
    return body


def _paths(body: Json, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield above
    inside = body.items() if isinstance(body, dict) else enumerate(body[:2]) if isinstance(body, list) else ()
    for step, value in inside:
        yield from _paths(value, (*above, step))


@dataclass
class Account:
    """One account with some people in it, and what the hub does there."""

    connector: Connector
    spoiling: Spoiling
    object: str
    fields: Sequence[str]
    ids: Sequence[str]
    key: tuple[str, str]
    writes: Sequence[Sequence[WriteItem]]

    def calls(self) -> Mapping[str, Callable[[], object]]:
        whole, object, fields = self.connector, self.object, self.fields
        writes = {
            f"write {number}": lambda items=items: whole.write(object, items, fields)
            for number, items in enumerate(self.writes)
        }
        return {
            "listing": lambda: whole.pull(object, Reading.LISTING, None, fields),
            "changes": lambda: whole.pull(object, Reading.CHANGES, SINCE, fields),
            "read": lambda: whole.read(object, self.ids, fields),
            "find": lambda: whole.find(object, self.key[0], [self.key[1]], fields),
            "fields": lambda: whole.fields(object),
            "whoami": lambda: whole.whoami(),
            **writes,
        }


def update(id: str, values: Mapping[str, Any]) -> WriteItem:
    return WriteItem(f"u{id}", WriteKind.UPDATE, id, values)


def hubspot() -> Account:
    clock = HandClock()
    portal = HubSpotStandIn(clock.now, token=TOKEN)
    portal.add_subscription("News")
    spoiling = Spoiling(portal.transport())
    company = portal.user_create("companies", {"name": "Acme", "domain": "acme.example"})
    ids = [portal.user_create("contacts", {"email": f"a{number}@example.com"}) for number in range(3)]
    clock.advance(100)
    fields = ["email", "associations.companies", "associations.companies.primary", "subscription.News"]
    off = {"subscription.News": {"status": "opted_out"}}
    writes = [
        [update(ids[0], {"firstname": "B"}), update(ids[1], {"firstname": "C"})],
        [update(ids[0], {"associations.companies": [company]})],
        [update(ids[1], {"associations.companies.primary": company})],
        [update(ids[2], off)],
    ]
    connector = connect("hubspot", spoiling, HUBSPOT, clock)
    return Account(connector, spoiling, "contacts", fields, ids, ("email", "a1@example.com"), writes)


def zendesk() -> Account:
    desk = Desk()
    spoiling = Spoiling(desk.vendor.transport())
    clock: Any = DeskClock(desk)
    ids = [str(desk.create(f"Al {number}", email=f"a{number}@example.com")) for number in range(3)]
    desk.wait(4000)
    fields = ["name", "email", "identities.email", "tags", "phone"]
    writes = [
        [update(ids[0], {"phone": "+1555"}), update(ids[1], {"phone": "+1556"})],
        [update(ids[0], {"email": "z@example.com"})],
        [update(ids[2], {"tags": Elements(("vip",), ())})],
    ]
    connector = connect("zendesk", spoiling, ZENDESK, clock)
    return Account(connector, spoiling, "users", fields, ids, ("email", "a1@example.com"), writes)


def salesforce() -> Account:
    desk = Org()
    spoiling = Spoiling(desk.org.transport())
    connector = desk.connector(spoiling)
    fields = ["FirstName", "LastName", "Email"]
    made = [
        WriteItem(f"c{number}", WriteKind.CREATE, None, {"LastName": "L", "Email": f"a{number}@example.com"})
        for number in range(3)
    ]
    ids = [one.id for one in connector.write("Contact", made, fields) if isinstance(one, Done)]
    desk.clock.pass_(seconds=1000)
    writes = [[update(ids[0], {"FirstName": "B"}), update(ids[1], {"FirstName": "C"})]]
    return Account(connector, spoiling, "Contact", fields, ids, ("Email", "a1@example.com"), writes)


CALLS = ("listing", "changes", "read", "find", "fields", "whoami", "write 0", "write 1", "write 2", "write 3")


@pytest.mark.parametrize("account", [hubspot, zendesk, salesforce])
@pytest.mark.parametrize("call", CALLS)
def test_an_answer_with_one_part_of_another_form_is_an_error_that_was_foreseen(
    account: Callable[[], Account], call: str
) -> None:
    here = account()
    act = here.calls().get(call)
    if act is None:
        return
    for number in range(ROUNDS):
        here.spoiling.chance = random.Random(f"{account.__name__} {call} {number}")
        try:
            act()
        except ConnectorError as error:
            assert "unexpected form" not in str(error), f"round {number}: {error}"


NO_RESULTS = (b"", b"[]", b"{}", b"null", b'{"result": 7}', b'{"result": [7]}', b'{"result": [{}]}')


@pytest.mark.parametrize("body", NO_RESULTS)
def test_tryton_answers_without_rows_are_no_empty_listing_and_no_made_party(body: bytes) -> None:
    def serve(request: httpx.Request) -> httpx.Response:
        method = orjson.loads(request.content)["method"]
        if method == "common.db.login":
            return httpx.Response(200, json={"id": 1, "result": [1, "session"]})
        if method.endswith("fields_get"):
            return httpx.Response(200, json={"result": {"name": {"type": "char", "string": "Name"}}})
        return httpx.Response(200, content=body, headers={"content-type": "application/json"})

    auth = {"url": "http://127.0.0.1:8000/db", "user": "u", "password": "pppp"}
    connector = connect("tryton", httpx.MockTransport(serve), auth)
    with pytest.raises(Malformed):
        connector.pull("parties", Reading.LISTING, None, ["name"])
    made = [WriteItem(key, WriteKind.CREATE, None, {"name": "Ann"}) for key in "ab"]
    with pytest.raises(OutcomeUnknown):
        connector.write("parties", made, ["name"])


@pytest.mark.parametrize("address", ["http://[::1", "/x y\x00", "//evil.example/x", 7])
def test_a_next_page_at_an_address_that_is_none_ends_the_reading(address: Json) -> None:
    page = {"organizations": [{"id": 1, "name": "A"}], "next_page": address, "end_of_stream": False}
    connector = connect("zendesk", httpx.MockTransport(lambda _: httpx.Response(200, json=page)), ZENDESK)

    def both() -> object:
        first = connector.pull("organizations", Reading.CHANGES, SINCE, ["name"])
        return connector.pull("organizations", Reading.CHANGES, first.cursor, ["name"])

    with pytest.raises(Malformed):
        both()


@pytest.mark.parametrize("row", [None, {}, {"Id": "1"}, {"SystemModstamp": "2026-01-01T00:00:00Z"}])
def test_a_contact_role_without_stamp_or_id_ends_the_sweep_over_roles(row: Json) -> None:
    def serve(request: httpx.Request) -> httpx.Response:
        if "token" in request.url.path:
            return httpx.Response(200, json={"access_token": "t", "instance_url": f"https://{HOST}"})
        return httpx.Response(200, json={"records": [row], "done": True})

    auth = {"kind": "client_credentials", "domain": HOST, "client_id": "cccc", "client_secret": "ssss"}
    connector = connect("salesforce", httpx.MockTransport(serve), auth)
    sweep = {**SINCE, "roles": SINCE["since"], "sweep": ["2026-02-01T00:00:00Z", ""]}
    with pytest.raises(Malformed, match="contact roles"):
        connector.pull("Opportunity", Reading.CHANGES, sweep, ["OpportunityContactRoles.ContactId"])


def test_half_a_character_sets_its_own_field_aside_and_a_record_whose_id_it_is_in() -> None:
    half = b'{"id": "%b", "properties": {"firstname": "%b"}}'
    rows = [half % pair for pair in ((b"1", b"Ann"), (b"2", b"Bob \\ud83d"), (b"3\\udc00", b"Cy"))]
    page = b'{"results": [%b]}' % b",".join(rows)
    connector = connect("hubspot", httpx.MockTransport(lambda _: httpx.Response(200, content=page)), HUBSPOT)
    read = connector.pull("contacts", Reading.LISTING, None, ["firstname"])
    assert [record.id for record in read.records] == ["1", "2"]
    assert [why for _, why in read.rejected] == ["it has no id"]
    name = Field("first_name", Type.TEXT)
    assert isinstance(parse(name, read.records[1].values["firstname"], Locale()), Rejected)


HOST = "acme.my.salesforce.com"


@pytest.mark.parametrize("domain", ["https://acme", "acme/", "acme.example:x", "[acme", "acme example"])
def test_a_salesforce_domain_that_is_no_host_is_said_before_anything_is_sent(domain: str) -> None:
    auth = {"kind": "client_credentials", "domain": domain, "client_id": "cccc", "client_secret": "ssss"}
    with pytest.raises(ConfigError):
        connect("salesforce", httpx.MockTransport(lambda _: httpx.Response(500)), auth)
