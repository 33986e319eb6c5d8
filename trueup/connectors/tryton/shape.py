"""The objects, and what Tryton tells about their fields.

Beside the model's own fields a party has paths into its parts:
`email phone mobile fax website`: the first active contact mechanism of that type;
`mechanisms.TYPE`: all active ones of a type, `{id, type, value, name}` each; `mechanisms.phones`: phones and
mobiles;
`address.street …`: the first active address (`country` and `subdivision` by code);
`addresses`: all active ones, `{id, street, city, …, party_name}` each;
`company`: the party that it is employed by; `categories`: the names of its categories.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from trueup.connectors.base import Capability, ObjectSpec
from trueup.connectors.tryton.rpc import ALL, Rpc
from trueup.connectors.tryton.settings import TrytonSettings
from trueup.model.record import FieldSpec, Json

PARTIES, COMPANIES, OPPORTUNITIES = "parties", "companies", "opportunities"
PARTY, OPPORTUNITY = "party.party", "sale.opportunity"

SLOTS = ("email", "phone", "mobile", "fax", "website")
MECHANISM_TYPES = (*SLOTS, "skype", "sip", "irc", "jabber", "other")
MECHANISM = ("type", "value", "name")
ADDRESSES = "addresses"
ADDRESS = ("street", "city", "postal_code", "country", "subdivision", "party_name")
CODED = {"country": "country.country", "subdivision": "country.subdivision"}

_READS = frozenset({
    Capability.INCREMENTAL, Capability.COMPLETE_LISTING, Capability.BATCH_READ,
    Capability.READ_YOUR_WRITES, Capability.SCHEMA,
})  # fmt: skip
_PARTY = _READS | {
    Capability.LOOKUP_BY_KEY, Capability.BATCH_WRITE, Capability.CONDITIONAL_WRITE,
    Capability.ANSWERS_WITH_RECORD, Capability.ELEMENT_WRITES, Capability.DEACTIVATE, Capability.DELETE,
}  # fmt: skip
_KEYS = ("code", "email", "phone", "mobile", "website", "name")

_TYPES = {
    "char": "text", "text": "text", "integer": "int", "biginteger": "int", "float": "decimal",
    "numeric": "decimal", "boolean": "bool", "date": "date", "datetime": "datetime",
    "timestamp": "datetime", "time": "text", "selection": "choice", "many2one": "reference",
}  # fmt: skip
_SLOT_TYPES = {"email": "email", "phone": "phone", "mobile": "phone", "fax": "phone", "website": "url"}
_MODELS = {PARTY: (PARTIES, COMPANIES)}


@dataclass(frozen=True, slots=True)
class Group:
    """Types of contact mechanisms that some list holds together, and the lists: types by path, of which the
    first is that of an item that says none."""

    types: tuple[str, ...]
    lists: Mapping[str, tuple[str, ...]]


_PHONES = ("phone", "mobile")
PHONES = "mechanisms.phones"
GROUPS = (
    Group(_PHONES, {PHONES: _PHONES, **{f"mechanisms.{type}": (type,) for type in _PHONES}}),
    *(Group((type,), {f"mechanisms.{type}": (type,)}) for type in MECHANISM_TYPES if type not in _PHONES),
)
LISTS = {path: types for group in GROUPS for path, types in group.lists.items()}


@dataclass(frozen=True, slots=True)
class Object:
    """One object: a model, and the domain of those of its records that belong to it."""

    name: str
    model: str
    where: Json


@dataclass(frozen=True, slots=True)
class Fields:
    """What `fields_get` says: per field its type, label, choices."""

    said: Mapping[str, Mapping[str, Json]]

    def has(self, name: str) -> bool:
        """Whether the field is there and holds one value."""
        return name in self.said and self.said[name]["type"] in _TYPES

    def kind(self, name: str) -> str:
        return str(self.said[name]["type"])

    def named(self, label: str) -> str | None:
        """The field with this label, as error messages name it."""
        return next((name for name, said in self.said.items() if said.get("string") == label), None)


def objects_of(settings: TrytonSettings) -> dict[str, Object]:
    """The three objects with their domains."""
    inside = [["categories", "where", [["name", "=", settings.company_category]]]]
    outside = [["categories", "not where", [["name", "=", settings.company_category]]]]
    return {
        PARTIES: Object(PARTIES, PARTY, settings.where.get(PARTIES, outside)),
        COMPANIES: Object(COMPANIES, PARTY, settings.where.get(COMPANIES, inside)),
        OPPORTUNITIES: Object(OPPORTUNITIES, OPPORTUNITY, settings.where.get(OPPORTUNITIES, [])),
    }


def specs(settings: TrytonSettings) -> dict[str, ObjectSpec]:
    """What is known without asking. A mechanism or relation that is deleted by itself leaves no stamp:
    it is found by the next listing only."""
    kinds = {PARTIES: "contact", COMPANIES: "company"}
    party = {
        name: ObjectSpec(
            name, kind, _PARTY, read_batch=200, write_batch=50, lookback=settings.lookback, keys=_KEYS
        )
        for name, kind in kinds.items()
    }
    return {
        **party,
        OPPORTUNITIES: ObjectSpec(
            OPPORTUNITIES, "deal", _READS, read_batch=200, lookback=settings.lookback, required=("party",)
        ),
    }


def fields_of(rpc: Rpc, model: str) -> Fields:
    """Ask for a model's fields. A model that is not installed is an error of Tryton's (Refused)."""
    return Fields(rpc.ask(f"{model}.fields_get", [[]], ALL))


def field_specs(object: Object, fields: Fields, employed: bool) -> list[FieldSpec]:
    """The model's own fields, then the paths. `employed`: whether the relation to companies exists."""
    party = object.model == PARTY
    own = [
        _own(name, said, writable=party)
        for name, said in sorted(fields.said.items())
        if fields.has(name) and not (party and name in SLOTS)
    ]
    return own + (_paths(employed) if party else [])


def _own(name: str, said: Mapping[str, Json], writable: bool) -> FieldSpec:
    choices = said.get("selection")
    fixed = name in ("code", "replaced_by") or bool(said.get("readonly")) or said["type"] == "many2one"
    return FieldSpec(
        name=name,
        label=str(said.get("string") or name),
        type=_TYPES[said["type"]],
        writable=writable and not fixed,
        required=bool(said.get("required")) and name != "code",
        unique=name == "code",
        max_length=said.get("size") if isinstance(said.get("size"), int) else None,
        options={str(word): str(label) for word, label in choices} if isinstance(choices, list) else {},
        reference_to=_MODELS.get(said.get("relation", ""), (str(said.get("relation")),))
        if said["type"] == "many2one"
        else (),
    )


def _paths(employed: bool) -> list[FieldSpec]:
    slots = [FieldSpec(name, name.capitalize(), _SLOT_TYPES[name]) for name in SLOTS]
    lists = [FieldSpec(path, f"All of type {' and '.join(types)}", "object") for path, types in LISTS.items()]
    address = [FieldSpec(f"address.{name}", f"Address: {name.replace('_', ' ')}", "text") for name in ADDRESS]
    company = [FieldSpec("company", "Employer", "reference", reference_to=(COMPANIES,))] if employed else []
    return [
        *slots,
        *lists,
        *address,
        FieldSpec(ADDRESSES, "All addresses", "object"),
        FieldSpec("categories", "Categories", "object"),
        *company,
    ]


def native(names: Sequence[str], fields: Fields, party: bool) -> list[str]:
    """Those wanted paths that the model itself answers: own fields, and fields of what they refer to."""
    kept = []
    for name in names:
        first, dot, _ = name.partition(".")
        if party and (
            name in SLOTS or first in ("mechanisms", "address", ADDRESSES, "categories", "company")
        ):
            continue
        if fields.has(first) and (not dot or fields.kind(first) == "many2one"):
            kept.append(name)
    return kept
