"""The demonstration's systems, from their own side: what they hold, and what people do in their screens.

Nothing here asks the hub: what is told about a system is read from the stand-in, or from the shop's tables.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from trueup.connectors.hubspot.vendor import HubSpotStandIn
from trueup.connectors.salesforce.vendor import SalesforceStandIn
from trueup.connectors.zendesk.vendor import ZendeskStandIn
from trueup.model.record import Json
from trueup.sandbox.fill_hubspot import NEWSLETTER
from trueup.sandbox.shop import Shop
from trueup.sandbox.standin import StandIn

MARKETING, SALES, SUPPORT, SHOP = "marketing", "sales", "support", "shop"


@dataclass(frozen=True, slots=True)
class Place:
    """One value of one record of one system, in that system's words."""

    connection: str
    object: str
    id: str
    path: str

    def __str__(self) -> str:
        return f"{self.connection} {self.object} {self.id} {self.path}"


@dataclass(slots=True)
class Systems:
    """The three stand-ins and the shop's database."""

    marketing: HubSpotStandIn
    sales: SalesforceStandIn
    support: ZendeskStandIn
    shop: Shop

    @property
    def standins(self) -> Mapping[str, StandIn]:
        return {MARKETING: self.marketing, SALES: self.sales, SUPPORT: self.support}

    def value(self, place: Place) -> Json:
        """What the system holds there now; None for nothing, and for a record that is gone."""
        record = self.record(place.connection, place.object, place.id)
        if record is None:
            return None
        value: Any = record
        for part in place.path.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        return None if value == "" else value

    def record(self, connection: str, object: str, id: str) -> Mapping[str, Json] | None:
        """A record as its system holds it; None when it was deleted, or never was."""
        return {
            MARKETING: self._in_marketing,
            SALES: self._in_sales,
            SUPPORT: self._in_support,
            SHOP: self._in_shop,
        }[connection](object, id)

    def people(self, connection: str, object: str) -> Iterator[str]:
        """Every living record of an object that holds people, the oldest first."""
        match connection:
            case "marketing":
                every = list(self.marketing.portal.rows[object])
            case "sales":
                every = list(self.sales.org.rows[object])
            case "support":
                every = self._end_users()
            case _:
                every = self._customers()
        return (id for id in every if self.record(connection, object, id) is not None)

    def touched(self) -> dict[str, int]:
        """By system: how many changes of a record came over its API since it was made; for the shop, the
        sum of all its customers' rows, so that any change shows."""
        counts = {name: len(one.ledger.writes()) for name, one in self.standins.items()}
        return {**counts, SHOP: self._fingerprint()}

    # -- each in its own way --------------------------------------------------------------------------

    def _in_marketing(self, object: str, id: str) -> Mapping[str, Json] | None:
        row = self.marketing.portal.rows[object].get(id)
        if row is None or row.archived is not None:
            return None
        email = row.properties.get("email")
        return {**row.properties, **({NEWSLETTER: self._newsletter(email)} if email else {})}

    def _newsletter(self, email: str) -> str:
        portal = self.marketing.portal
        number = next(id for id, name in portal.subscriptions.items() if name == NEWSLETTER)
        return portal.consent(email, number).status

    def _in_sales(self, object: str, id: str) -> Mapping[str, Json] | None:
        row = self.sales.org.rows[object].get(id)
        return None if row is None or row["IsDeleted"] else row

    def _in_support(self, object: str, id: str) -> Mapping[str, Json] | None:
        if int(id) not in self.support.account.records.users:
            return None
        user = self.support.user(id)
        return user if user.get("active", True) else None

    def _in_shop(self, object: str, id: str) -> Mapping[str, Json] | None:
        return self.shop.customer(id)

    def _end_users(self) -> list[str]:
        users = self.support.account.records.users
        return [str(id) for id, row in users.items() if row["role"] == "end-user"]

    def _customers(self) -> list[str]:
        return self.shop.customers()

    def _fingerprint(self) -> int:
        return self.shop.fingerprint()
