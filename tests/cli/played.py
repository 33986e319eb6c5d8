"""A hub over stand-ins on loopback HTTP, with misfortunes planned: what operators read then."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from tests.cli.kit import Said, say
from trueup.commands.desk import Reality
from trueup.commands.opening import environment_for
from trueup.commands.sandboxing import fresh_folder, makers
from trueup.commands.standins import FOLDER, Standins, save_standins
from trueup.config.load import load
from trueup.connectors.hubspot.vendor import HubSpotStandIn
from trueup.connectors.salesforce.vendor import SalesforceStandIn
from trueup.connectors.zendesk.vendor import ZendeskStandIn
from trueup.sandbox.server import Sandbox
from trueup.sandbox.standin import Fault, StandIn

HUB = """\
name: acme
contact: {survivorship: {default: {authority: [control, sales, operations, marketing]}}}
"""
MARKETING = """\
connector: hubspot
role: marketing
auth: {kind: bearer, token: "${env:HUBSPOT_TOKEN}"}
objects: {companies: off, owners: off, deals: off,
  contacts: {consent: none, create: 'true', without: [company, owner]}}
"""
SALES = """\
connector: salesforce
role: sales
auth:
  kind: client_credentials
  domain: acme.my.salesforce.com
  client_id: ${env:SALESFORCE_CLIENT_ID}
  client_secret: ${env:SALESFORCE_CLIENT_SECRET}
objects:
  Account: off
  Contact: off
  Opportunity: off
  User: off
  Group: off
  Lead:
    create: 'true'
    fields: {company.name: {field: Company, default: Private person}}
    without: [owner, company_name]
"""
SUPPORT = """\
connector: zendesk
role: operations
auth: {kind: basic, subdomain: acme, user: "${env:ZENDESK_USER}", token: "${env:ZENDESK_TOKEN}"}
objects: {organizations: off, tickets: off, users: {consent: none, entity: contact, without: [company]}}
"""


@dataclass
class Played:
    """The stand-ins and the command line over them."""

    folder: Path
    sandbox: Sandbox

    @property
    def marketing(self) -> HubSpotStandIn:
        found = self.sandbox.standins["marketing"]
        assert isinstance(found, HubSpotStandIn)
        return found

    @property
    def sales(self) -> SalesforceStandIn:
        found = self.sandbox.standins["sales"]
        assert isinstance(found, SalesforceStandIn)
        return found

    @property
    def support(self) -> ZendeskStandIn:
        found = self.sandbox.standins["support"]
        assert isinstance(found, ZendeskStandIn)
        return found

    def say(self, *words: str) -> Said:
        return say(*words, "--sandbox")

    def people(self) -> None:
        """One person in marketing, one in sales, one in support."""
        self.marketing.user_create(
            "contacts", {"email": "ann@example.com", "firstname": "Ann", "lastname": "Lee"}, "mo"
        )
        self.sales.user_create(
            "Lead", {"Email": "bob@example.com", "LastName": "Ray", "Company": "Ray Ltd"}, "sue"
        )
        self.support.user_create("Cid Fox", "cid@example.com", "al")


def fails(
    standin: StandIn,
    kind: str,
    what: str = "status",
    *,
    status: int = 500,
    headers: Mapping[str, str] | None = None,
    body: Any = b"",
    times: int = 6,
) -> None:
    """The next `times` calls of a kind meet with this. `body` that is no bytes is JSON."""
    content = body if isinstance(body, bytes) else orjson.dumps(body)
    seen = standin.ledger.calls(None if kind == "*" else kind)
    given = {"content-type": "application/json", **(headers or {})}
    standin.faults += [Fault(kind, seen + n + 1, what, status, given, content) for n in range(times)]


@contextmanager
def played(folder: Path) -> Iterator[Played]:
    """The hub of three systems in `folder`/config, its stand-ins answering on loopback."""
    config = folder / "config"
    (config / "connections").mkdir(parents=True)
    (config / "hub.yaml").write_text(HUB, "utf-8")
    for name, text in (("marketing", MARKETING), ("sales", SALES), ("support", SUPPORT)):
        (config / "connections" / f"{name}.yaml").write_text(text, "utf-8")
    place = config / FOLDER
    fresh_folder(place)
    sandbox = Sandbox(makers(load(config, environment_for(config, Reality.SANDBOX))))
    with sandbox:
        save_standins(config, Standins(os.getpid(), f"sqlite:///{place / 'hub.sqlite'}", dict(sandbox.urls)))
        yield Played(folder, sandbox)


def mapped_consent(hub: Played, name: str, said: str) -> None:
    """Map a consent in marketing or support, which have none: `said` is its line."""
    file = hub.folder / "config/connections" / f"{name}.yaml"
    text = file.read_text("utf-8")
    assert text.count("consent: none") == 1, text
    file.write_text(text.replace("consent: none", f"consent: {{{said}}}"), "utf-8")
