"""The connector for Tryton: parties as persons and companies, opportunities as deals (read only)."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence

import httpx

from trueup.connectors.auth import Credential, FixedCredential
from trueup.connectors.base import GoneItem, ObjectSpec, Outcome, RefusedItem, WebhookRequest, WriteItem
from trueup.connectors.http import Account as HttpAccount
from trueup.connectors.http import HttpClient
from trueup.connectors.settings import ConnectionSettings
from trueup.connectors.tryton import reading, writing
from trueup.connectors.tryton.reading import Account
from trueup.connectors.tryton.rpc import ERRORS, Rpc, SessionCredential
from trueup.connectors.tryton.settings import (
    BASIC,
    OBJECT_OPTIONS,
    OPTIONS,
    SIGN_IN,
    TrytonSettings,
    tryton_settings,
)
from trueup.connectors.tryton.shape import PARTY, Object, field_specs, objects_of, specs
from trueup.errors import NotFound, Refused, Unauthorized
from trueup.model.record import Cursor, FieldSpec, Hint, Json, Page, Reading, Record
from trueup.ports import Budget, Clock

__all__ = ["OBJECT_OPTIONS", "OPTIONS", "SIGN_IN", "TrytonConnector", "connect"]

TIMEOUT = 60.0


def connect(
    settings: ConnectionSettings, transport: httpx.BaseTransport | None, clock: Clock, budget: Budget
) -> TrytonConnector:
    """The connector for `auth: {kind: session | basic, url, database, user, password}`.

    ConfigError if something is missing; nothing is sent.
    """
    said = tryton_settings(settings)
    account = HttpAccount(said.name, said.url, errors=ERRORS, lane=settings.lane, timeout=TIMEOUT)
    client = HttpClient(account, _credential(said), clock, budget, transport)
    return TrytonConnector(Account(said, Rpc(client), clock))


def _credential(said: TrytonSettings) -> Credential:
    if said.kind == BASIC:
        pair = base64.b64encode(f"{said.user}:{said.password}".encode()).decode()
        return FixedCredential({"Authorization": f"Basic {pair}"}, (said.password, pair))
    return SessionCredential(said.url, said.user, said.password)


class TrytonConnector:
    """One database of a Tryton server, as one of its users sees it."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._objects = objects_of(account.settings)
        self._specs = specs(account.settings)

    def objects(self) -> Mapping[str, ObjectSpec]:
        return self._specs

    def whoami(self) -> str:
        """The database and the user, after a call that only a signed-in user may make."""
        self._account.rpc.ask("res.user.get_preferences", [True], {})
        settings = self._account.settings
        return f"Tryton database {settings.url.rsplit('/', 1)[-1]} as {settings.user}"

    def fields(self, object: str) -> Sequence[FieldSpec]:
        found = self._object(object)
        self._account.forget()
        employed = found.model == PARTY and self._account.employed is not None
        return field_specs(found, self._account.fields(found.model), employed)

    def pull(self, object: str, reading_: Reading, cursor: Cursor | None, fields: Sequence[str]) -> Page:
        return reading.page(self._account, self._object(object), reading_, cursor, fields)

    def read(self, object: str, ids: Sequence[str], fields: Sequence[str]) -> Sequence[Record | GoneItem]:
        found = self._object(object)
        numbers = [int(id) for id in ids if id.isdigit()]
        there = reading.by_ids(self._account, found, numbers, fields)
        return [
            reading.to_record(self._account, found, there[int(id)], fields)
            if id.isdigit() and int(id) in there
            else GoneItem()
            for id in ids
        ]

    def find(self, object: str, key: str, values: Sequence[Json], fields: Sequence[str]) -> Sequence[Record]:
        found = self._object(object)
        if key not in self._specs[object].keys:
            raise Refused(f"`{object}` cannot be searched by `{key}`", fields={key: "is no key here"})
        return reading.by_key(self._account, found, key, values, fields)

    def write(self, object: str, items: Sequence[WriteItem], fields: Sequence[str]) -> Sequence[Outcome]:
        found = self._object(object)
        if found.model != PARTY:
            return [RefusedItem("opportunities are only read") for _ in items]
        return writing.write(self._account, found, items, fields)

    def poll(self, object: str, job: str, items: Sequence[WriteItem]) -> Sequence[Outcome]:
        raise Refused("Tryton has no remote jobs", connection=self._account.settings.name)

    def hints(self, request: WebhookRequest) -> Sequence[Hint]:
        raise Unauthorized("Tryton sends no webhooks", connection=self._account.settings.name)

    def close(self) -> None:
        self._account.rpc.http.close()

    def _object(self, name: str) -> Object:
        if name not in self._objects:
            raise NotFound(f"connection `{self._account.settings.name}` has no object `{name}`")
        return self._objects[name]
