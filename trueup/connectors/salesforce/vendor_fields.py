"""What the stand-in org knows about its objects: the fields that `describe` tells.

Names, lengths and rules follow the vendor sheet (section 8); the custom fields are those that the
example hub uses. An admin of the org adds others through the constructor of the stand-in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

TEXT_TYPES = frozenset(
    {"string", "email", "phone", "url", "picklist", "multipicklist", "textarea", "id", "reference"}
)
NUMBER_TYPES = frozenset({"double", "int", "currency", "percent"})

LEAD_STATUS = (
    "Open - Not Contacted",
    "Working - Contacted",
    "Recycled",
    "Closed - Converted",
    "Closed - Not Converted",
    "Unqualified",
)
SALUTATIONS = ("Mr.", "Ms.", "Mrs.", "Dr.", "Prof.")
SOURCES = ("Web", "Phone Inquiry", "Partner Referral", "Purchased List", "Other")
STAGES = (
    "Prospecting",
    "Qualification",
    "Needs Analysis",
    "Value Proposition",
    "Proposal/Price Quote",
    "Negotiation/Review",
    "Closed Won",
    "Closed Lost",
)
PROBABILITY = dict(zip(STAGES, (10, 10, 20, 50, 75, 90, 100, 0), strict=True))


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an object. `refers_to` names the objects that a reference may point at,
    `relationship` the name under which SOQL walks there (`Account` for `AccountId`)."""

    name: str
    type: str = "string"
    length: int = 0
    nillable: bool = True
    createable: bool = True
    updateable: bool = True
    default: Any = None
    options: tuple[str, ...] = ()
    restricted: bool = False
    unique: bool = False
    external_id: bool = False
    refers_to: tuple[str, ...] = ()
    relationship: str = ""
    scale: int = 2

    @property
    def custom(self) -> bool:
        return self.name.endswith("__c")

    @property
    def filterable(self) -> bool:
        """Long text and compound fields cannot stand in WHERE or ORDER BY."""
        return self.type != "address" and (self.type != "textarea" or self.length <= 255)

    def describe(self) -> dict[str, Any]:
        """This field as an entry of `fields` in a describe answer."""
        return {
            "name": self.name,
            "label": _label(self.name),
            "type": self.type,
            "length": self.length,
            "scale": self.scale if self.type in NUMBER_TYPES else 0,
            "nillable": self.nillable,
            "createable": self.createable,
            "updateable": self.updateable,
            "defaultedOnCreate": self.default is not None or self.type == "boolean",
            "calculated": False,
            "custom": self.custom,
            "unique": self.unique,
            "externalId": self.external_id,
            "idLookup": self.external_id or self.type == "id",
            "filterable": self.filterable,
            "restrictedPicklist": self.restricted,
            "picklistValues": [_option(value, self.default) for value in self.options],
            "referenceTo": list(self.refers_to),
            "relationshipName": self.relationship or None,
        }


@dataclass(slots=True)
class ObjectType:
    """One object: its id prefix, its fields by name, and the child relations that SOQL may nest."""

    name: str
    prefix: str
    fields: dict[str, Field]
    writable: bool = True
    updateable: bool = True
    children: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Relation name to (child object, the field there that points here)."""

    def find(self, name: str) -> Field | None:
        """The field of this name; SOQL does not care about case, JSON does (see `fields`)."""
        return self.fields.get(name) or next(
            (known for known in self.fields.values() if known.name.lower() == name.lower()), None
        )

    def related(self, relationship: str) -> Field | None:
        """The reference field behind a relationship name."""
        wanted = relationship.lower()
        found = (f for f in self.fields.values() if f.relationship.lower() == wanted)
        return next(found, None) if wanted else None

    def describe(self, url: str) -> dict[str, Any]:
        return {
            "name": self.name,
            "label": _label(self.name),
            "keyPrefix": self.prefix,
            "createable": self.writable,
            "updateable": self.writable and self.updateable,
            "queryable": True,
            "fields": [known.describe() for known in self.fields.values()],
            "childRelationships": [
                {"relationshipName": name, "childSObject": child, "field": via}
                for name, (child, via) in self.children.items()
            ],
            "urls": {"sobject": f"{url}/sobjects/{self.name}"},
        }


def _label(name: str) -> str:
    plain = name.removesuffix("__c").replace("_", " ")
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", plain)


def _option(value: str, default: Any) -> dict[str, Any]:
    return {"value": value, "label": value, "active": True, "defaultValue": value == default}


def _fixed(name: str, type: str, **more: Any) -> Field:
    return Field(name, type, createable=False, updateable=False, nillable=False, **more)


def _reference(name: str, *targets: str, relationship: str = "", **more: Any) -> Field:
    return Field(name, "reference", 18, refers_to=targets, relationship=relationship or name[:-2], **more)


def _picklist(name: str, options: tuple[str, ...], **more: Any) -> Field:
    return Field(name, "picklist", 255, options=options, **more)


def _readonly(name: str, type: str, length: int = 0, **more: Any) -> Field:
    return Field(name, type, length, createable=False, updateable=False, **more)


def _owner(*targets: str) -> Field:
    return _reference("OwnerId", *targets, nillable=False, default="(running user)")


def _system(name: str, mergeable: bool) -> list[Field]:
    """What every record of business has; users, queues and the org itself cannot be deleted."""
    fields = [*_stamps(), _fixed("IsDeleted", "boolean")]
    if mergeable:
        fields.append(_readonly("MasterRecordId", "reference", 18, refers_to=(name,)))
    return fields


def _stamps() -> list[Field]:
    return [
        _fixed("Id", "id", length=18),
        _fixed("CreatedDate", "datetime"),
        _fixed("LastModifiedDate", "datetime"),
        _fixed("LastModifiedById", "reference", refers_to=("User",), relationship="LastModifiedBy"),
        _fixed("SystemModstamp", "datetime"),
    ]


def _person() -> list[Field]:
    return [
        _picklist("Salutation", SALUTATIONS),
        Field("FirstName", "string", 40),
        Field("MiddleName", "string", 40),
        Field("LastName", "string", 80, nillable=False),
        Field("Suffix", "string", 40),
        _readonly("Name", "string", 121, nillable=False),
        Field("Email", "email", 80),
        Field("Title", "string", 128),
        Field("Phone", "phone", 40),
        Field("MobilePhone", "phone", 40),
        Field("Fax", "phone", 40),
        _picklist("LeadSource", SOURCES),
        Field("Description", "textarea", 32000),
        Field("HasOptedOutOfEmail", "boolean", default=False, nillable=False),
        Field("HasOptedOutOfFax", "boolean", default=False, nillable=False),
        Field("DoNotCall", "boolean", default=False, nillable=False),
        Field("EmailBouncedReason", "string", 255),
        Field("EmailBouncedDate", "datetime"),
        _readonly("LastActivityDate", "date"),
    ]


def _address(prefix: str) -> list[Field]:
    return [
        Field(f"{prefix}Street", "textarea", 255),
        Field(f"{prefix}City", "string", 40),
        Field(f"{prefix}State", "string", 80),
        Field(f"{prefix}PostalCode", "string", 20),
        Field(f"{prefix}Country", "string", 80),
        _readonly(f"{prefix}Address", "address"),
    ]


def _lead() -> list[Field]:
    return [
        *_system("Lead", mergeable=True),
        *_person(),
        Field("Company", "string", 255, nillable=False),
        Field("Website", "url", 255),
        *_address(""),
        _picklist("Status", LEAD_STATUS, default=LEAD_STATUS[0], nillable=False, restricted=True),
        _picklist("Rating", ("Hot", "Warm", "Cold")),
        _owner("User", "Group"),
        Field("IsConverted", "boolean", createable=False, updateable=False, nillable=False),
        _readonly("ConvertedDate", "date"),
        _readonly("ConvertedContactId", "reference", 18, refers_to=("Contact",)),
        _readonly("ConvertedAccountId", "reference", 18, refers_to=("Account",)),
        _readonly("ConvertedOpportunityId", "reference", 18, refers_to=("Opportunity",)),
    ]


def _contact() -> list[Field]:
    return [
        *_system("Contact", mergeable=True),
        *_person(),
        _reference("AccountId", "Account"),
        Field("Department", "string", 80),
        Field("HomePhone", "phone", 40),
        Field("OtherPhone", "phone", 40),
        Field("AssistantPhone", "phone", 40),
        Field("Birthdate", "date"),
        *_address("Mailing"),
        *_address("Other"),
        _owner("User"),
    ]


def _account() -> list[Field]:
    return [
        *_system("Account", mergeable=True),
        Field("Name", "string", 255, nillable=False),
        Field("Phone", "phone", 40),
        Field("Website", "url", 255),
        _picklist("Industry", ("Agriculture", "Banking", "Healthcare", "Retail", "Technology")),
        Field("NumberOfEmployees", "int", scale=0),
        Field("Description", "textarea", 32000),
        _reference("ParentId", "Account"),
        *_address("Billing"),
        _owner("User"),
    ]


def _opportunity() -> list[Field]:
    return [
        *_system("Opportunity", mergeable=False),
        Field("Name", "string", 120, nillable=False),
        _reference("AccountId", "Account"),
        _picklist("StageName", STAGES, nillable=False, restricted=True),
        Field("CloseDate", "date", nillable=False),
        Field("Amount", "currency"),
        Field("Probability", "percent", scale=0),
        Field("NextStep", "string", 255),
        Field("Description", "textarea", 32000),
        _picklist("LeadSource", SOURCES),
        _readonly("IsClosed", "boolean", nillable=False),
        _readonly("IsWon", "boolean", nillable=False),
        _owner("User"),
    ]


def _contact_role() -> list[Field]:
    return [
        *_system("OpportunityContactRole", mergeable=False),
        _reference("OpportunityId", "Opportunity", nillable=False, updateable=False),
        _reference("ContactId", "Contact", nillable=False),
        Field("Role", "picklist", 255, options=("Decision Maker", "Business User", "Evaluator")),
        Field("IsPrimary", "boolean", default=False, nillable=False),
    ]


def _task() -> list[Field]:
    return [
        *_system("Task", mergeable=False),
        Field("Subject", "string", 255),
        _picklist("Status", ("Not Started", "In Progress", "Completed"), default="Not Started"),
        _picklist("Priority", ("High", "Normal", "Low"), default="Normal"),
        _picklist("TaskSubtype", ("Task", "Call", "Email"), default="Task", restricted=True),
        Field("ActivityDate", "date"),
        Field("Description", "textarea", 32000),
        _reference("WhoId", "Contact", "Lead"),
        _reference("WhatId", "Account", "Opportunity"),
        _owner("User"),
    ]


def _user() -> list[Field]:
    return [
        *_stamps(),
        Field("Username", "string", 80, nillable=False),
        Field("Name", "string", 121),
        Field("Email", "email", 128, nillable=False),
        Field("IsActive", "boolean", default=True, nillable=False),
    ]


def _group() -> list[Field]:
    return [
        *_stamps(),
        Field("Name", "string", 40, nillable=False),
        _picklist("Type", ("Queue", "Regular"), default="Queue"),
        Field("Email", "email", 255),
    ]


def _organization() -> list[Field]:
    return [
        *_stamps(),
        Field("Name", "string", 80),
        Field("IsSandbox", "boolean", default=False),
        Field("OrganizationType", "picklist", 40, options=("Enterprise Edition",)),
    ]


def default_custom() -> dict[str, tuple[Field, ...]]:
    """The custom fields of the example hub: a new list every time, an admin may change the own."""
    hub_id = Field("Hub_Id__c", "string", 64, unique=True, external_id=True)
    person = (
        Field("Active__c", "boolean", default=True, nillable=False),
        Field("Score__c", "double"),
        Field("Interests__c", "multipicklist", 4099, options=("Automation", "CRM", "Data", "Reporting")),
        hub_id,
    )
    contact = (
        _picklist("Tier__c", ("standard", "gold"), restricted=True),
        Field("Open_Tickets__c", "double", scale=0),
    )
    return {"Lead": person, "Contact": (*person, *contact), "Account": (hub_id,)}


def catalogue(custom: Mapping[str, Iterable[Field]]) -> dict[str, ObjectType]:
    """Every object of the org with its standard and these custom fields."""
    standard = (
        ("Lead", "00Q", _lead()),
        ("Contact", "003", _contact()),
        ("Account", "001", _account()),
        ("Opportunity", "006", _opportunity()),
        ("OpportunityContactRole", "00K", _contact_role()),
        ("Task", "00T", _task()),
        ("User", "005", _user()),
        ("Group", "00G", _group()),
        ("Organization", "00D", _organization()),
    )
    types = {
        name: ObjectType(name, prefix, {f.name: f for f in (*fields, *custom.get(name, ()))})
        for name, prefix, fields in standard
    }
    for name in ("User", "Group", "Organization"):
        types[name].writable = False
    types["Task"].updateable = False
    types["Opportunity"].children = {"OpportunityContactRoles": ("OpportunityContactRole", "OpportunityId")}
    return types
