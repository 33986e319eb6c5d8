"""Fills stand-ins and the shop's database with what each system knows of the people.

Rows come from `dirt.views`. Filling goes through what people do in the vendors' screens, so the vendors'
rules hold: what a system would never have let in (two users with one e-mail address) is left out of the
row, and the row that cannot stand at all is named in `Filled.left_out`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta

import sqlalchemy as sa

from trueup.connectors.hubspot.vendor import HubSpotStandIn
from trueup.connectors.salesforce.vendor import SalesforceStandIn
from trueup.connectors.zendesk.vendor import ZendeskStandIn
from trueup.sandbox.dirt import RecordView, example_sources, view
from trueup.sandbox.fill_hubspot import fill_hubspot
from trueup.sandbox.fill_salesforce import fill_salesforce
from trueup.sandbox.fill_zendesk import fill_zendesk
from trueup.sandbox.filling import Filled
from trueup.sandbox.people import Mix, generate
from trueup.sandbox.server import Maker, Sandbox, SandboxClock
from trueup.sandbox.shop import fill_shop
from trueup.sandbox.standin import StandIn


def fill(standin: StandIn, rows: Iterable[RecordView]) -> Filled:
    """Puts the rows into the stand-in as its own people would have. Raises TypeError for one not known."""
    match standin:
        case HubSpotStandIn():
            return fill_hubspot(standin, rows)
        case SalesforceStandIn():
            return fill_salesforce(standin, rows)
        case ZendeskStandIn():
            return fill_zendesk(standin, rows)
        case _:
            raise TypeError(f"no way to fill a {type(standin).__name__} with people")


ENVIRONMENT: Mapping[str, str] = {
    "HUBSPOT_TOKEN": "pat-eu1-sandbox",
    "SALESFORCE_CLIENT_ID": "sandbox",
    "SALESFORCE_CLIENT_SECRET": "sandbox-secret",
    "ZENDESK_USER": "robot@acme.example",
    "ZENDESK_TOKEN": "sandbox-token",
}
"""What the example hub's connections need to log in to the sandbox; SHOP_DATABASE comes with the database."""


def example_sandbox(clock: SandboxClock | None = None, ports: Mapping[str, int] | None = None) -> Sandbox:
    """The example hub's `marketing`, `sales` and `support`, empty and not started; they know ENVIRONMENT."""
    known = ENVIRONMENT
    makers: dict[str, Maker] = {
        "marketing": lambda now: HubSpotStandIn(now, token=known["HUBSPOT_TOKEN"]),
        "sales": lambda now: SalesforceStandIn(
            now,
            client_id=known["SALESFORCE_CLIENT_ID"],
            client_secret=known["SALESFORCE_CLIENT_SECRET"],
        ),
        "support": lambda now: ZendeskStandIn(now, user=known["ZENDESK_USER"], token=known["ZENDESK_TOKEN"]),
    }
    return Sandbox(makers, clock, ports)


AGE = timedelta(days=2)
"""How long before now the records of a sandbox were made: past every search lag."""


def fill_sandbox(sandbox: Sandbox, shop: str | sa.URL, seed: int, people: int) -> dict[str, Filled]:
    """Fills those of `marketing`, `sales`, `support` that the sandbox has, and the database of the shop.

    Everybody is seen from the sandbox's today. Returns where each row went, by system.
    """
    today = sandbox.clock.now().date()
    population = generate(seed, people, Mix(today=today))
    filled: dict[str, Filled] = {}
    sandbox.clock.advance(-AGE)
    try:
        for source in example_sources():
            if source.name in sandbox.standins:
                filled[source.name] = fill(sandbox.standins[source.name], view(population, source))
            elif source.name == "shop":
                filled["shop"] = fill_shop(shop, view(population, source), today)
    finally:
        sandbox.clock.advance(AGE)
    return filled
