"""Connections that keep no consent, and do not say so on purpose: opt-outs stop there, and that is told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from trueup.config.settings import Connection, HubConfig
from trueup.mapping.schema import ObjectRules
from trueup.model.fields import Kind


@dataclass(frozen=True, slots=True)
class WithoutConsent:
    """One connection that maps no consent. `consents`: those that others map (`email.marketing`), if any."""

    connection: str
    consents: tuple[str, ...]

    def __str__(self) -> str:
        named = " and ".join(filter(None, (", ".join(self.consents[:-1]), *self.consents[-1:])))
        of = f" of {named}" if named else ""
        return (
            f"{self.connection}: no consent is mapped (`consent:`), so opt-outs{of} neither reach it"
            " nor come from it; if nothing is sent from there, say `consent: none`"
        )


def without_consent(config: HubConfig) -> Iterator[WithoutConsent]:
    """Each connection that holds contacts and says nothing of consent."""
    for name, connection in config.connections.items():
        others = [one for other, one in config.connections.items() if other != name]
        consents = dict.fromkeys(consent for one in others for consent in _consents(one))
        if _says_nothing(connection):
            yield WithoutConsent(name, tuple(consents))


def _says_nothing(connection: Connection) -> bool:
    return not _consents(connection) and not all(one.no_consent for one in _contacts(connection))


def _consents(connection: Connection) -> list[str]:
    return [f"{rule.channel}.{rule.purpose}" for one in _contacts(connection) for rule in one.consent]


def _contacts(connection: Connection) -> list[ObjectRules]:
    return [one for one in connection.objects.values() if one.kind is Kind.CONTACT]
