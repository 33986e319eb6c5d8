"""The field tables of the canonical entities: Contact, Company, Deal, User over one engine.

A field's *address* is its name here. Contacts hold several e-mails and phones: `email` is the primary
one, `emails.work` the one of a kind, `emails` (written `emails[]` in mappings) the set of all; likewise
phones and postal addresses, of which a slot is a group of fields (`address.city`, `addresses.billing.city`)
and an element one value with all its parts. What is known of one element of such a set
has an address of its own: `emails[ann@x.com].kind`, `emails[ann@x.com].label`. `company.name` and
`owner.email` read through a reference and are never decided, only carried outward.
`consent.<channel>.<purpose>` is computed from the ledger.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from trueup.model.values import Type


class Kind(StrEnum):
    """The canonical entities; the prefix of their public ids."""

    CONTACT = "contact"
    COMPANY = "company"
    DEAL = "deal"
    USER = "user"


PREFIX = {Kind.CONTACT: "c", Kind.COMPANY: "co", Kind.DEAL: "d", Kind.USER: "u"}


class Strategy(StrEnum):
    """How several claims on one field are judged (one library, for a sync and for a merge)."""

    AUTHORITY = "authority"
    LATEST = "latest"
    MOST_COMPLETE = "most_complete"
    MOST_RESTRICTIVE = "most_restrictive"
    UNION = "union"
    MAX = "max"
    MIN = "min"
    FIRST = "first"
    FURTHEST = "furthest"


@dataclass(frozen=True, slots=True)
class Field:
    """One canonical field.

    `group`: fields that survive together. `options`: the words of a choice, in order. `refers`: kind of
    entity a reference points at. `derived`: carried outward only, computed from elsewhere. `confined_to`:
    roles or connections that it may not leave. `custom`: declared in hub.yaml. `of`: the set of one of whose
    elements this is an attribute.
    """

    name: str
    type: Type
    strategy: Strategy = Strategy.AUTHORITY
    group: str = ""
    options: tuple[str, ...] = ()
    max_length: int | None = None
    refers: Kind | None = None
    derived: bool = False
    confined_to: tuple[str, ...] = ()
    special: str = ""
    custom: bool = False
    label: str = ""
    of: str = ""


def _table(*fields: Field) -> Mapping[str, Field]:
    return {field.name: field for field in fields}


def _texts(*names: str, group: str = "") -> tuple[Field, ...]:
    return tuple(Field(name, Type.TEXT, group=group) for name in names)


def _address(prefix: str) -> tuple[Field, ...]:
    types = dict.fromkeys(ADDRESS_PARTS, Type.TEXT) | {"country": Type.COUNTRY}
    return tuple(Field(f"{prefix}.{part}", type, group=prefix) for part, type in types.items())


ADDRESS_PARTS = ("street", "city", "region", "postcode", "country")
"""What a postal address consists of. `street` may have several lines: house, floor, care of."""


NAME = "name"
"""The group of the name parts: at first sight they come from one record (no middle name of another is mixed
in, but of one that says the same name), while later edits are judged part by part."""

DEFAULT_STAGES = ("name", "lead", "mql", "sal", "sql", "opportunity", "customer")
DEFAULT_OFF_RAMPS = ("recycled", "disqualified", "former")

CONTACT = _table(
    Field("email", Type.EMAIL),
    Field("emails.work", Type.EMAIL),
    Field("emails.home", Type.EMAIL),
    Field("emails.other", Type.EMAIL),
    Field("emails", Type.EMAILS, Strategy.UNION),
    Field("former_emails", Type.EMAILS, Strategy.UNION, derived=True),
    Field("phone", Type.PHONE),
    Field("phones.work", Type.PHONE),
    Field("phones.mobile", Type.PHONE),
    Field("phones.home", Type.PHONE),
    Field("phones.fax", Type.PHONE),
    Field("phones.other", Type.PHONE),
    Field("phones", Type.PHONES, Strategy.UNION),
    Field("former_phones", Type.PHONES, Strategy.UNION, derived=True),
    *_texts("first_name", "middle_name", "last_name", group=NAME),
    *_texts("salutation", "name_suffix"),
    Field("full_name", Type.TEXT, derived=True),
    *_texts("job_title", "department"),
    Field("company", Type.REFERENCE, refers=Kind.COMPANY),
    Field("company_name", Type.TEXT),
    Field("company.name", Type.TEXT, derived=True),
    Field("company.domain", Type.TEXT, derived=True),
    *_address("address"),
    *_address("addresses.billing"),
    *_address("addresses.shipping"),
    *_address("addresses.home"),
    *_address("addresses.work"),
    *_address("addresses.other"),
    Field("addresses", Type.ADDRESSES, Strategy.UNION),
    Field("former_addresses", Type.ADDRESSES, Strategy.UNION, derived=True),
    Field("language", Type.LANGUAGE),
    Field("time_zone", Type.ZONE),
    Field("birthday", Type.DATE),
    Field("wedding_day", Type.DATE),
    Field("gender", Type.CHOICE, options=("female", "male", "other")),
    Field("website", Type.URL),
    Field("tags", Type.TEXTS, Strategy.UNION),
    Field("interests", Type.TEXTS, Strategy.UNION),
    Field("products", Type.TEXTS, Strategy.UNION),
    Field("former_products", Type.TEXTS, Strategy.UNION),
    Field("social", Type.TEXTS, Strategy.UNION),
    Field("stage", Type.CHOICE, Strategy.FURTHEST, options=DEFAULT_STAGES + DEFAULT_OFF_RAMPS),
    Field("score", Type.INT, Strategy.MAX),
    Field("owner", Type.REFERENCE, refers=Kind.USER),
    Field("owner.email", Type.EMAIL, derived=True),
    Field("owner.name", Type.TEXT, derived=True),
    Field("owner.phone", Type.PHONE, derived=True),
    Field("source", Type.TEXT, Strategy.FIRST),
    Field("external_id", Type.TEXT),
    Field("national_id", Type.TEXT),
    Field("notes", Type.TEXT),
    Field("next_contact_allowed_at", Type.DATETIME, derived=True),
    Field("open_tickets", Type.INT, derived=True),
    Field("created_at", Type.DATETIME, Strategy.MIN),
)

COMPANY = _table(
    *_texts("name", "legal_form"),
    Field("domain", Type.TEXT),
    Field("domains", Type.TEXTS, Strategy.UNION),
    Field("registration_number", Type.TEXT),
    Field("vat_number", Type.TEXT),
    Field("phone", Type.PHONE),
    Field("email", Type.EMAIL),
    Field("website", Type.URL),
    *_address("address"),
    *_texts("industry"),
    Field("size", Type.INT),
    Field("parent", Type.REFERENCE, refers=Kind.COMPANY),
    Field("owner", Type.REFERENCE, refers=Kind.USER),
    Field("owner.email", Type.EMAIL, derived=True),
    Field("tags", Type.TEXTS, Strategy.UNION),
    Field("external_id", Type.TEXT),
    Field("created_at", Type.DATETIME, Strategy.MIN),
)

DEAL = _table(
    Field("name", Type.TEXT),
    Field("company", Type.REFERENCE, refers=Kind.COMPANY),
    Field("company.name", Type.TEXT, derived=True),
    Field("contacts", Type.REFERENCES, Strategy.UNION, refers=Kind.CONTACT),
    Field("owner", Type.REFERENCE, refers=Kind.USER),
    Field("owner.email", Type.EMAIL, derived=True),
    *_texts("pipeline", "stage"),
    Field("amount", Type.DECIMAL, group="amount"),
    Field("currency", Type.TEXT, group="amount"),
    Field("expected_close", Type.DATE),
    Field("closed_at", Type.DATETIME),
    Field("probability", Type.DECIMAL),
    Field("outcome", Type.CHOICE, options=("open", "won", "lost")),
    Field("lost_reason", Type.TEXT),
    Field("products", Type.TEXTS, Strategy.UNION),
    Field("offer_state", Type.TEXT),
    Field("offer_valid_until", Type.DATE),
    Field("next_step", Type.TEXT),
    Field("next_step_on", Type.DATE),
    Field("source", Type.TEXT, Strategy.FIRST),
    Field("created_at", Type.DATETIME, Strategy.MIN),
)

USER = _table(
    Field("email", Type.EMAIL),
    Field("full_name", Type.TEXT, derived=True),
    *_texts("first_name", "middle_name", "last_name", group=NAME),
    *_texts("salutation", "name_suffix"),
    Field("phone", Type.PHONE),
    Field("active", Type.BOOL),
)

TABLES: Mapping[Kind, Mapping[str, Field]] = {
    Kind.CONTACT: CONTACT,
    Kind.COMPANY: COMPANY,
    Kind.DEAL: DEAL,
    Kind.USER: USER,
}

NAME_PARTS = ("salutation", "first_name", "middle_name", "last_name", "name_suffix")
"""What `full_name` is made of; the view is read into these parts and joined out of them."""


def with_stages(table: Mapping[str, Field], stages: tuple[str, ...]) -> Mapping[str, Field]:
    """The table with the stages that lifecycle.yaml declares, in order."""
    return {**table, "stage": replace(table["stage"], options=stages)}


KIND, LABEL = "kind", "label"
"""What may be known of one element of a set of addresses: its kind, and what people call it."""

KINDS: Mapping[str, tuple[str, ...]] = {
    "emails": ("work", "home", "other"),
    "phones": ("work", "mobile", "home", "other"),
    "addresses": ("billing", "shipping", "home", "work", "other"),
}
"""The sets whose elements have kind and label, with the kinds; each has a slot of that name. A fax is no
number of a person: it has its own field and is in no set."""

PRIMARY = {"emails": "email", "phones": "phone", "addresses": "address"}
"""The slot of the primary element of each of these sets."""

_LONGEST_LABEL = 200


def attribute(many: str, key: str, what: str) -> str:
    """The address of an attribute of one element of a set: `emails[ann@x.com].kind`."""
    return f"{many}[{key}].{what}"


def attribute_of(name: str) -> tuple[str, str, str] | None:
    """Set, key of the element and attribute that an address means; None for any other address."""
    many, bracket, rest = name.partition("[")
    key, close, what = rest.rpartition("].")
    return (many, key, what) if bracket and close and many in KINDS and what in (KIND, LABEL) else None


def field_of(table: Mapping[str, Field], name: str) -> Field | None:
    """The field of an address, attributes of elements among them; None where the table has none."""
    field = table.get(name)
    if field is not None or "[" not in name:
        return field
    known = attribute_of(name)
    if known is None or known[0] not in table:
        return None
    many, _, what = known
    return kind_field(many, name) if what == KIND else label_field(many, name)


def kind_field(many: str, name: str) -> Field:
    """The kind of one element of a set."""
    return Field(name, Type.CHOICE, options=KINDS[many], of=many)


def label_field(many: str, name: str) -> Field:
    """The label of one element of a set."""
    return Field(name, Type.TEXT, max_length=_LONGEST_LABEL, of=many)
