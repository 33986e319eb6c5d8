"""What the conditions of the configuration may speak of, by dotted name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from trueup.config.case_fields import CASE_TABLE
from trueup.config.lifecycle_settings import Summary
from trueup.config.settings import HubConfig
from trueup.config.vocabulary import CASES, EVENT_FIELDS, Take
from trueup.lifecycle.conditions import Named
from trueup.model.consent import ConsentState, consent_field
from trueup.model.fields import Field, Kind, Strategy
from trueup.model.values import Type

_EVENT_TYPES = {"at": Type.DATETIME, "amount": Type.DECIMAL, "duration": Type.DECIMAL}
_CONSENT = Field(
    "consent", Type.CHOICE, Strategy.MOST_RESTRICTIVE, options=tuple(state.value for state in ConsentState)
)


def entity_names(config: HubConfig, kind: Kind) -> dict[str, Named]:
    """Names about an entity; about a contact also its company, its summaries, its consent."""
    names: dict[str, Named] = dict(config.fields[kind])
    if kind is Kind.CONTACT:
        names.update({f"company.{name}": field for name, field in config.fields[Kind.COMPANY].items()})
        names.update({name: summary_type(one) for name, one in config.lifecycle.summaries.items()})
        names["days_in_stage"] = Type.INT
        names.update(consent_fields(config))
    return names


def consent_fields(config: HubConfig) -> dict[str, Field]:
    """The consents that some connection keeps, by the addresses of their states."""
    names = [consent_field(*pair) for pair in _consents(config)]
    return {name: replace(_CONSENT, name=name) for name in names}


def fact_names(kind: str) -> Mapping[str, Named]:
    """Names about a fact: a case has its fields, an event those of events."""
    if kind in CASES:
        return dict(CASE_TABLE)
    return {name: _EVENT_TYPES.get(name, Type.TEXT) for name in EVENT_FIELDS}


def summary_type(summary: Summary) -> Type:
    """What a summary is: a number, or the time or text that it takes from a fact."""
    if summary.take is Take.COUNT:
        return Type.INT
    if summary.take is Take.SUM:
        return Type.DECIMAL
    if summary.field is None:
        return Type.DATETIME
    field = CASE_TABLE.get(summary.field)
    return (
        field.type
        if field is not None and summary.of in CASES
        else _EVENT_TYPES.get(summary.field, Type.TEXT)
    )


def _consents(config: HubConfig) -> list[tuple[str, str]]:
    """Every channel and purpose that some connection keeps."""
    found = {
        (rule.channel, rule.purpose): None
        for connection in config.connections.values()
        for rules in connection.objects.values()
        for rule in rules.consent
    }
    return list(found)
