"""A hub over the three vendors' stand-ins, in process, under one clock.

The stand-ins are judged by their own ledgers. What a system should hold is worked out through the mapping:
a system that shortens, lower-cases or knows fewer words is right when it holds what it would keep.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from trueup.config.load import load
from trueup.connectors.hubspot.vendor import HubSpotStandIn
from trueup.connectors.hubspot.vendor_properties import Definition
from trueup.connectors.salesforce.vendor import Field, SalesforceStandIn
from trueup.connectors.zendesk.vendor import ZendeskStandIn
from trueup.mapping.compiled import Binding
from trueup.model.delivery import DeliveryState
from trueup.model.entity import Entity, Link, LinkState
from trueup.model.fields import Kind
from trueup.model.record import Json, Record, Ref
from trueup.model.run import RunOutcome
from trueup.model.values import Absent, Rejected
from trueup.sandbox.people import INTERESTS
from trueup.sandbox.seed import ENVIRONMENT, example_sandbox
from trueup.sandbox.server import Sandbox, SandboxClock
from trueup.sandbox.standin import Effect, StandIn
from trueup.services.hub import Hub, World, wire
from trueup.sync.engine import Order, Report, run
from trueup.sync.rules.differences import Waits, wanted

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
NAMES = ("marketing", "sales", "support")
EVERYBODY = "true"
KNOWN = {**ENVIRONMENT, "TRUEUP_ALERTS": "ops@acme.example"}


class HubClock:
    """The sandbox's clock as the hub's: who sleeps lets it go on."""

    def __init__(self, clock: SandboxClock) -> None:
        self._clock = clock

    def now(self) -> datetime:
        return self._clock.now()

    def sleep(self, seconds: float) -> None:
        self._clock.advance(timedelta(seconds=seconds))


class Chance:
    """The same jitter every time."""

    def random(self) -> float:
        return 0.5


class Wire(httpx.BaseTransport):
    """The way to one stand-in. `between` is called before each request arrives; `sent` keeps what went
    over the wire where `listen` says so."""

    def __init__(self, standin: StandIn) -> None:
        self.standin = standin
        self.between: Callable[[], None] = lambda: None
        self.listen = False
        self.sent: list[bytes] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if self.listen:
            head = f"{request.method} {request.url}\n{dict(request.headers)}\n"
            self.sent.append(head.encode() + request.read())
        self.between()
        return self.standin.handle(request)


@dataclass
class House:
    """Three stand-ins and the hub over them. `wires` by connection."""

    folder: Path
    sandbox: Sandbox
    hub: Hub
    wires: Mapping[str, Wire]
    reports: list[Report] = field(default_factory=list)

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

    def sync(self, *connections: str, approve: bool = True) -> Report:
        """One run over these connections (all, if none are named)."""
        order = Order(connections or tuple(self.hub.parts.connectors), user="ann", approve_first=approve)
        report = run(self.hub.parts, order)
        self.reports.append(report)
        return report

    def release(self) -> None:
        for name in self.hub.parts.connectors:
            self.hub.store.release(name, "ann", self.sandbox.clock.now())

    def wait(self, **time: float) -> None:
        """Time passes; what a vendor does in the background by then is done."""
        self.sandbox.clock.advance(timedelta(**time))
        for standin in self.sandbox.standins.values():
            if isinstance(standin, ZendeskStandIn):
                standin.jobs.advance()

    def settle(self, most: int = 8) -> list[Report]:
        """Let all lags pass and sync until a run writes nothing; fails when there is no end to it."""
        reports = []
        for _ in range(most):
            self.wait(minutes=20)
            before = self.writes()
            reports.append(self.sync())
            if self.writes() == before and reports[-1].outcome in QUIET:
                return reports
        raise AssertionError(f"no silence after {most} runs: {self.complaints()}")

    def complaints(self) -> list[str]:
        """What a person would look at when things do not come to rest."""
        states = (DeliveryState.PARKED, DeliveryState.GATED, DeliveryState.DOUBT, DeliveryState.WAITING)
        found = self.hub.store.deliveries(states, None, 20)
        said = [f"{one.write.connection} {one.state} {one.error} {dict(one.write.values)}" for one in found]
        set_aside = [
            f"{link.stream} {key}: {why.reason}" for link, key, why in self.hub.store.quarantined(None, 20)
        ]
        last = self.reports[-1] if self.reports else None
        run_says = [f"{last.outcome} {last.failed} {last.held} {last.tally.notes[:5]}"] if last else []
        return [*run_says, *said, *set_aside]

    def effects(self, by: str = "api") -> Iterator[tuple[str, Effect]]:
        for name, standin in self.sandbox.standins.items():
            for effect in standin.ledger.writes(by):
                yield name, effect

    def writes(self) -> int:
        """How many effects the API had on records, over all stand-ins."""
        return sum(1 for _ in self.effects())

    def calls(self) -> dict[str, int]:
        return {name: standin.ledger.calls() for name, standin in self.sandbox.standins.items()}

    def entities(self, kind: Kind = Kind.CONTACT) -> Iterator[tuple[Entity, tuple[Link, ...]]]:
        """Every entity with its links, by its number; stops after a long gap in the numbers."""
        number, gap = 0, 0
        while gap < 300:
            number += 1
            found = self.hub.store.load([number])
            gap = 0 if found else gap + 1
            for case in found:
                if case.entity.kind is kind:
                    yield case.entity, case.links

    def contact(self, text: str) -> Entity:
        """The one contact that this text finds."""
        found = self.hub.store.find(Kind.CONTACT, text, 10)
        assert len(found) == 1, f"{text} finds {found}"
        return self.hub.store.case(found[0]).entity

    def records(self, connection: str, object: str, ids: Sequence[str]) -> dict[str, Record]:
        """What the system says of these records now, over its own API."""
        parts, stream = self.hub.parts, (connection, object)
        fields = parts.policy.mappings[stream].remote_fields
        found: dict[str, Record] = {}
        size = max(1, parts.specs[stream].read_batch)
        for start in range(0, len(ids), size):
            chunk = list(ids[start : start + size])
            for asked, answer in zip(
                chunk, parts.connectors[connection].read(object, chunk, fields), strict=True
            ):
                if isinstance(answer, Record) and not answer.deleted:
                    found[asked] = answer
        return found

    def close(self) -> None:
        self.hub.close()


QUIET = (RunOutcome.COMPLETED, RunOutcome.WITH_ERRORS)


# -- configuration ------------------------------------------------------------------------------------

HUB = """name: proof
time_zone: Europe/Berlin
phone_region: DE
contact:
  custom_fields:
    secret_note: {{type: text, confined_to: [operations]}}
  survivorship:
    default: {{authority: [sales, operations, marketing]}}
    tags: {{strategy: union}}
    interests: {{strategy: union}}
fuses:
  create: {{count: 1000000}}
  change: {{count: 1000000, share: 100%}}
  clear: {{count: 1000000, share: 100%}}
  deactivate: {{count: 1000000, share: 100%}}
  delete: {{count: 1000000, share: 100%}}
  opt_in: {{count: 1000000, share: 100%}}
{more}
"""

MARKETING = """connector: hubspot
role: marketing
auth: {{kind: bearer, token: "${{env:HUBSPOT_TOKEN}}"}}
objects:
  contacts:
    entity: contact
    create: '{create}'
    stage:
      field: lifecyclestage
      values:
        name: subscriber
        lead: lead
        mql: marketingqualifiedlead
        sql: salesqualifiedlead
        opportunity: opportunity
        customer: customer
      unlisted: leave
    consent:
      email.marketing: {{subscription: Newsletter, opted_in_when: {{evidence: [time, source]}}}}
    fields:
      interests: {{field: interests, transform: semicolon_list}}
    without: [created_at, source, owner, fax]
  companies:
    entity: company
    create: '{create}'
    without: [created_at, owner]
  deals: off
  owners: off
"""

SALES = """connector: salesforce
role: sales
auth:
  kind: client_credentials
  domain: acme.my.salesforce.com
  client_id: ${{env:SALESFORCE_CLIENT_ID}}
  client_secret: ${{env:SALESFORCE_CLIENT_SECRET}}
objects:
  Lead:
    entity: contact
    create: '{create}'
    stage:
      field: Status
      values:
        mql: Open - Not Contacted
        sal: Working - Contacted
        recycled: Recycled
        disqualified: Unqualified
      unlisted: leave
    fields:
      company_name: {{field: Company, default: Private person}}
      interests: {{field: Interests__c, transform: semicolon_list}}
    without: [created_at, source, owner, phones.fax]
  Contact:
    entity: contact
    fields:
      interests: {{field: Interests__c, transform: semicolon_list}}
    without: [created_at, source, owner, phones.fax]
  Account:
    entity: company
    create: '{create}'
    without: [created_at, owner]
  Opportunity: off
  User: off
  Group: off
"""

SUPPORT = """connector: zendesk
role: operations
auth: {{kind: basic, subdomain: acme, user: "${{env:ZENDESK_USER}}", token: "${{env:ZENDESK_TOKEN}}"}}
objects:
  users:
    entity: contact
    create: '{create}'
    consent:
      email.marketing: {{tag: no_marketing, opted_out: present}}
    fields:
      full_name: name
      secret_note: user_fields.contract_number
      stage: user_fields.stage
    without: [created_at]
  organizations:
    entity: company
    create: '{create}'
    without: [created_at]
  tickets: off
"""

FILES = {"marketing": MARKETING, "sales": SALES, "support": SUPPORT}


def write_config(folder: Path, names: Sequence[str] = NAMES, create: str = EVERYBODY, more: str = "") -> Path:
    """A small configuration of these connections; `create` is the condition under which each creates."""
    config = folder / "config"
    (config / "connections").mkdir(parents=True)
    (config / "hub.yaml").write_text(HUB.format(more=more), encoding="utf-8")
    for name in names:
        text = FILES[name].format(create=create)
        (config / "connections" / f"{name}.yaml").write_text(text, encoding="utf-8")
    return config


def empty_sandbox(names: Sequence[str] = NAMES, clock: SandboxClock | None = None) -> Sandbox:
    """The stand-ins with the custom fields that the configuration names, without people."""
    sandbox = example_sandbox(clock or SandboxClock(START))
    for name in set(sandbox.standins) - set(names):
        del sandbox.standins[name]
    prepare(sandbox)
    return sandbox


def prepare(sandbox: Sandbox) -> None:
    """What an administrator did before the hub came."""
    for standin in sandbox.standins.values():
        match standin:
            case HubSpotStandIn():
                standin.add_property(
                    "contacts", Definition("interests", "enumeration", "checkbox", options=INTERESTS)
                )
                standin.add_subscription("Newsletter")
            case SalesforceStandIn():
                for object in ("Lead", "Contact"):
                    standin.add_field(object, Field("Interests__c", "multipicklist", 4099, options=INTERESTS))
            case ZendeskStandIn():
                standin.per_minute = 0


def house(
    folder: Path,
    names: Sequence[str] = NAMES,
    create: str = EVERYBODY,
    sandbox: Sandbox | None = None,
    config: Path | None = None,
    environment: Mapping[str, str] = KNOWN,
) -> House:
    """A hub over these stand-ins with the small configuration (or `config`), nothing synced yet."""
    stage = sandbox or empty_sandbox(names)
    where = config or write_config(folder, names, create)
    wires = {name: Wire(stage.standins[name]) for name in names}
    world = World(clock=HubClock(stage.clock), random=Chance(), transport=lambda name: wires.get(name))
    hub = wire(where, load(where, environment), world)
    return House(where, stage, hub, wires)


# -- what should stand where --------------------------------------------------------------------------


def disagreements(house: House, kinds: Sequence[Kind] = (Kind.COMPANY, Kind.CONTACT)) -> list[str]:
    """Every field in which a system does not hold what it would keep of the hub's value, apart from those
    that it refused and that are set aside for a person (`refused_values`)."""
    wrong: list[str] = []
    for kind in kinds:
        everyone = list(house.entities(kind))
        held = _held(house, [link for _, links in everyone for link in links])
        context = _references(house, [entity for entity, _ in everyone])
        for entity, links in everyone:
            for link in links:
                if link.state is LinkState.LIVE and link.primary:
                    record = held.get((link.connection, link.object, link.remote_id or ""))
                    wrong.extend(_wrong(house, entity, link, record, context))
    return wrong


def _held(house: House, links: Sequence[Link]) -> dict[tuple[str, str, str], Record]:
    ids: dict[tuple[str, str], list[str]] = {}
    for link in links:
        if link.state is LinkState.LIVE and link.remote_id is not None:
            ids.setdefault(link.stream, []).append(link.remote_id)
    return {
        (*stream, id): record
        for stream, some in ids.items()
        for id, record in house.records(*stream, some).items()
    }


def _references(house: House, entities: Sequence[Entity]) -> Any:
    from trueup.model.plan import Context

    ids = {
        value
        for entity in entities
        for name, value in entity.values.items()
        if isinstance(value, str)
        and (field := house.hub.parts.policy.tables[entity.kind].get(name))
        and field.refers
    }
    return Context(references=house.hub.store.references(sorted(ids)) if ids else {})


def _wrong(house: House, entity: Entity, link: Link, record: Record | None, context: Any) -> Iterator[str]:
    where = f"{entity.public_id} {link.connection}/{link.object}/{link.remote_id}"
    if record is None:
        yield f"{where}: the hub thinks it lives, the system does not have it"
        return
    for binding in house.hub.parts.policy.mappings[link.stream].bindings:
        if binding.key in link.quarantine:
            continue
        if binding.outward and binding.inward and not binding.consent:
            want = wanted(binding, link, entity.values, context)
            if binding.refers is not None and _same_target(house, entity, link, binding, record):
                continue
            if not isinstance(want, Rejected | Absent | Waits) and not _equal(binding, want, record):
                yield f"{where} {binding.key}: {record.values.get(binding.remote)!r} is not {want!r}"


def _same_target(house: House, entity: Entity, link: Link, binding: Binding, record: Record) -> bool:
    """A reference to any record of the right entity is right: it may be in a system twice."""
    ref = Ref(link.connection, binding.to or "", str(record.values.get(binding.remote)))
    return house.hub.store.resolve([ref]).get(ref) == entity.values.get(binding.fields[0])


def _equal(binding: Binding, want: Json, record: Record) -> bool:
    """Whether the record holds what it would keep of `want`; a filler is as good as empty."""
    has = record.values.get(binding.remote)
    if binding.refers is not None:
        return str(want or "") == str(has or "")
    kept, held = binding.read(want), binding.read(has)
    return bool(kept == held) or isinstance(held, Rejected)


def refused_values(house: House) -> list[str]:
    """Fields set aside because a value had no form there or here."""
    return [
        f"{link.stream} {key}: {why.reason}" for link, key, why in house.hub.store.quarantined(None, 1000)
    ]


# -- what people do -----------------------------------------------------------------------------------


def word(number: int) -> str:
    """A name that nobody else bears: letters only, as names are."""
    letters = ""
    while True:
        number, rest = divmod(number, 20)
        letters = "bcdfghjklmnpqrstvwxz"[rest] + "aeiou"[rest % 5] + letters
        if not number:
            return f"Z{letters}n".capitalize()


def phone(number: int) -> str:
    return f"+49 30 {23456789 + number}"


def dice(seed: int) -> random.Random:
    return random.Random(seed)
