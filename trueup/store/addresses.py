"""The addresses by which consent follows a person, and the events that are known of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

from trueup.model.canonical.subject import email_subject_key, phone_subject_key
from trueup.model.consent import ConsentEvent
from trueup.model.values import Value
from trueup.store.codec import address_digest, micros
from trueup.store.sql import Row, Tx

_SEVERAL = {"emails": "email", "former_emails": "email", "phones": "phone", "former_phones": "phone"}
_KEYS = {"email": email_subject_key, "phone": phone_subject_key}


def subjects_of(values: Mapping[str, Value]) -> set[str]:
    """The frozen keys of all addresses and numbers among these canonical values."""
    found: set[str] = set()
    for name, value in values.items():
        if value and (family := _family(name)) is not None:
            found.update(_KEYS[family](one) for one in (value if isinstance(value, list) else [value]))
    return found


@cache
def _family(name: str) -> str | None:
    """Which kind of address a field holds (`email`, `emails.work`, `phones.mobile`), None for no address."""
    head = name.partition(".")[0]
    known = {"email": "email", "emails": "email", "phone": "phone", "phones": "phone"}.get(head)
    return known or _SEVERAL.get(name)


_EVENT = (
    *("subject", "subject_kind", "channel", "purpose", "state", "at", "certain", "source", "evidence"),
    "key",
)


LOCK = "consent"
"""Who writes events, and who writes down who holds an address: of two at one moment one sees the other."""


def remember_consent(tx: Tx, events: Sequence[ConsentEvent]) -> list[tuple[int, int]]:
    """Append the events that are new. If any is, who holds which of their addresses: (its digest, entity)."""
    if events:
        tx.hold([LOCK])
    rows = sorted({_event(event) for event in events}, key=lambda row: row[:-1])  # as PostgreSQL appends them
    if not tx.insert_new("consent_events", _EVENT, rows):
        return []
    found = tx.rows(
        "select key, entity_id from consent_addresses where key in ints(?) order by entity_id, key",
        sorted({address_digest(event.subject) for event in events if event.subject_kind == "address"}),
    )
    return [(key, entity) for key, entity in found]


def repeat_consent(tx: Tx, refs: Mapping[str, str]) -> None:
    """What was heard of each of these records counts for another one, too."""
    found = tx.rows(
        f"select {', '.join(_EVENT)} from consent_events where subject_kind = 'ref' and subject in texts(?)"
        " order by id",
        sorted(refs),
    )
    tx.insert_new("consent_events", _EVENT, [(refs[subject], *rest) for subject, *rest in found])


def _event(event: ConsentEvent) -> Row:
    return (
        event.subject,
        event.subject_kind,
        event.channel,
        event.purpose,
        str(event.state),
        micros(event.at),
        int(event.certain),
        event.source,
        event.evidence,
        address_digest(event.subject) if event.subject_kind == "address" else None,
    )
