"""Kinds of connectors as the tests of configuration know them: fixed, so that texts stay the same."""

from __future__ import annotations

from trueup.config.systems import System, SystemObject, parse_mapping
from trueup.connectors.base import Capability
from trueup.connectors.options import AuthKey, matching, text
from trueup.connectors.sql.settings import OBJECT_OPTIONS
from trueup.model.record import FieldSpec

_SALESFORCE = """
objects:
  Lead:
    entity: contact
    fields: {email: Email, first_name: FirstName, last_name: LastName, company_name: Company, phone: Phone}
    consent: {email.marketing: {field: HasOptedOutOfEmail, opted_out: true}}
  Contact:
    entity: contact
    fields: {email: Email, first_name: FirstName, last_name: LastName, job_title: Title}
  Account: {entity: company, fields: {name: Name}}
  Opportunity: {entity: deal, fields: {name: Name, stage: StageName, amount: {field: Amount, direction: out}}}
"""
_HUBSPOT = """
objects:
  contacts:
    entity: contact
    fields: {email: email, first_name: firstname, last_name: lastname, website: website, phones.fax: fax}
"""
_ZENDESK = """
objects:
  users: {entity: contact, fields: {email: email, full_name: name, tags: {field: tags, shape: elements}}}
"""


def _system(name: str, title: str, mapping: str, objects: dict[str, str], **more: object) -> System:
    said, problems = parse_mapping(mapping, f"connectors/{name}/mapping.yaml")
    assert not problems
    known = {
        one: SystemObject(one, kind, capabilities=frozenset({Capability.MERGE} if kind == "contact" else ()))
        for one, kind in objects.items()
    }
    return System(name, title, known, mapping=said, **more)  # type: ignore[arg-type]


def _read_only(name: str) -> FieldSpec:
    return FieldSpec(name, name, "text", writable=False)


SYSTEMS = {
    "salesforce": _system(
        "salesforce",
        "Salesforce",
        _SALESFORCE,
        {"Lead": "contact", "Contact": "contact", "Account": "company", "Opportunity": "deal"},
        auth=("client_credentials",),
        settings={
            "domain": AuthKey(secret=False),
            "client_id": AuthKey(help="Setup > App Manager > your external client app > Consumer Key"),
            "client_secret": AuthKey(help="Setup > App Manager > your external client app > Consumer Secret"),
        },
        options={
            "external_id_field": text("a unique field that holds the hub's id", "the name of a custom field"),
            "save_duplicates": matching("", "true or false", "(?i:true|false)"),
        },
        calls_per_day=100_000,
    ),
    "hubspot": _system(
        "hubspot",
        "HubSpot",
        _HUBSPOT,
        {"contacts": "contact", "companies": "company"},
        auth=("bearer", "refresh_token"),
        settings={"token": AuthKey(help="Settings > Integrations > Private Apps > your app > Auth")},
    ),
    "zendesk": _system(
        "zendesk",
        "Zendesk",
        _ZENDESK,
        {"users": "contact", "organizations": "company"},
        auth=("basic",),
        settings={
            "subdomain": AuthKey(secret=False),
            "user": AuthKey(secret=False),
            "token": AuthKey(help="Admin Center > Apps and integrations > APIs > Zendesk API"),
        },
    ),
    "sql": System(
        "sql",
        "SQL",
        open=True,
        auth=("url",),
        settings={"url": AuthKey(secret=False)},
        object_options=OBJECT_OPTIONS,
    ),
}
SYSTEMS["hubspot"].objects["contacts"].fields["hs_analytics_source"] = _read_only("hs_analytics_source")  # type: ignore[index]
