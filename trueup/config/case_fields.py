"""The fields of a case (order, ticket, subscription, …) as a field table: what its mapping is read with."""

from __future__ import annotations

from collections.abc import Mapping

from trueup.config.vocabulary import CASE_FIELDS
from trueup.model.fields import Field
from trueup.model.values import Type

_TYPES = {
    "amount": Type.DECIMAL,
    "quantity": Type.DECIMAL,
    "products": Type.TEXTS,
    "url": Type.URL,
    **dict.fromkeys(
        ("at", "opened_at", "closed_at", "due_at", "starts_at", "ends_at", "paid_at", "cancelled_at"),
        Type.DATETIME,
    ),
}

CASE_TABLE: Mapping[str, Field] = {name: Field(name, _TYPES.get(name, Type.TEXT)) for name in CASE_FIELDS}
"""Every case may have any of these; `state` is text, so each system's words can be mapped onto ours."""
