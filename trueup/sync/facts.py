"""Records of case objects (orders, tickets, subscriptions) as facts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from trueup.connectors.stamps import parse_stamp
from trueup.mapping.schema import FieldRule, ObjectRules
from trueup.model.activity import Fact, FactKind
from trueup.model.record import Json, Record, is_id, legible

OWN_FIELDS = ("state", "amount", "currency", "at")


def facts(rules: ObjectRules, records: Iterable[Record]) -> list[Fact]:
    """One case per record, with its state in the words of the mapping."""
    return [_fact(rules, record) for record in records]


def _fact(rules: ObjectRules, record: Record) -> Fact:
    by_name = {rule.field: rule for rule in rules.fields}
    amount = by_name.get("amount")
    currency = amount.currency if amount is not None and amount.currency else None
    return Fact(
        FactKind.CASE,
        rules.case or rules.name,
        record.id,
        rules.name,
        subject=_id(record.values.get(rules.contact or "")),
        subject_object=_text(rules.options.get("contact_object")),
        at=_moment(_value(by_name.get("at"), record)) or record.changed_at,
        state=_state(by_name.get("state"), record),
        amount=_text(_value(amount, record)) or None,
        currency=_text(record.values.get(currency or "")) or _text(_value(by_name.get("currency"), record)),
        version=record.version,
        deleted=record.deleted,
        changed_at=record.changed_at,
        values=_rest(rules.fields, record),
    )


def _value(rule: FieldRule | None, record: Record) -> Json:
    return record.values.get(rule.remote) if rule is not None else None


def _state(rule: FieldRule | None, record: Record) -> str:
    """The mapping's word for the remote state; an unmapped one stays in the system's own word."""
    raw = _text(_value(rule, record))
    words: Mapping[str, Sequence[Json]] = (rule.values if rule is not None else None) or {}
    return next((word for word, remote in words.items() if raw in map(str, remote)), raw)


def _rest(rules: Sequence[FieldRule], record: Record) -> dict[str, Json]:
    return {
        rule.field: record.values[rule.remote]
        for rule in rules
        if rule.field not in OWN_FIELDS and rule.remote in record.values
    }


def _text(value: Json) -> str:
    return "" if value is None else legible(str(value))


def _id(value: Json) -> str:
    text = _text(value)
    return text if is_id(text) else ""


def _moment(value: Json) -> datetime | None:
    return parse_stamp(value) if isinstance(value, str) else None
