"""The properties that the HubSpot stand-in knows, and what it makes of values for them.

Rules as of the vendor's public guides: e-mails are trimmed and lower-cased; enumerations are checked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

Properties = dict[str, str]

STAGES = (
    "subscriber",
    "lead",
    "marketingqualifiedlead",
    "salesqualifiedlead",
    "opportunity",
    "customer",
    "evangelist",
    "other",
)
_LEAD_STATUS = (
    "NEW",
    "OPEN",
    "IN_PROGRESS",
    "OPEN_DEAL",
    "UNQUALIFIED",
    "ATTEMPTED_TO_CONTACT",
    "CONNECTED",
    "BAD_TIMING",
)
_DEAL_STAGES = (
    "appointmentscheduled",
    "qualifiedtobuy",
    "presentationscheduled",
    "decisionmakerboughtin",
    "contractsent",
    "closedwon",
    "closedlost",
)
_TEXTS = {
    "contacts": "firstname lastname middlename salutation jobtitle department company address city state zip "
    "country fax hs_language hs_timezone twitterhandle message partner_name",
    "companies": "name domain description industry address city state zip country numberofemployees about_us "
    "linkedin_company_page",
    "deals": "dealname description closed_lost_reason hs_next_step",
}
_READ_ONLY = {
    "contacts": "hs_object_id createdate lastmodifieddate hs_merged_object_ids hs_additional_emails "
    "hs_email_optout hs_analytics_source",
    "companies": "hs_object_id createdate hs_lastmodifieddate hs_merged_object_ids",
    "deals": "hs_object_id createdate hs_lastmodifieddate hs_merged_object_ids hs_is_closed_won",
}
DEFAULTS = {
    "contacts": ("createdate", "email", "firstname", "lastname", "hs_object_id", "lastmodifieddate"),
    "companies": ("createdate", "domain", "name", "hs_object_id", "hs_lastmodifieddate"),
    "deals": (
        "amount",
        "closedate",
        "createdate",
        "dealname",
        "dealstage",
        "hs_lastmodifieddate",
        "hs_object_id",
        "pipeline",
    ),
}
MODIFIED = {
    "contacts": "lastmodifieddate",
    "companies": "hs_lastmodifieddate",
    "deals": "hs_lastmodifieddate",
}
_EMAIL = re.compile(r"[^@\s,;<>()]+@[^@\s,;<>()]+\.[^@\s,;<>().]+")


@dataclass(frozen=True, slots=True)
class Definition:
    """One property. `options` holds the values of an enumeration."""

    name: str
    type: str = "string"
    field_type: str = "text"
    label: str = ""
    options: tuple[str, ...] = ()
    read_only: bool = False
    unique: bool = False


class Invalid(Exception):
    """Properties that HubSpot refuses: (name, code, sentence) for each."""

    def __init__(self, problems: tuple[tuple[str, str, str], ...]) -> None:
        super().__init__(problems)
        self.problems = problems


def iso(moment: datetime) -> str:
    """As HubSpot writes times: UTC with milliseconds."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def standard(object: str) -> dict[str, Definition]:
    known = [Definition(name) for name in _TEXTS[object].split()]
    known += [Definition(name, read_only=True) for name in _READ_ONLY[object].split()]
    known += [Definition("hubspot_owner_id", "enumeration", "select"), Definition("website")]
    if object == "contacts":
        known += [
            Definition("email"),
            Definition("date_of_birth"),
            Definition("phone", "string", "phonenumber"),
            Definition("mobilephone", "string", "phonenumber"),
            Definition("lifecyclestage", "enumeration", "radio", options=STAGES),
            Definition("hs_lead_status", "enumeration", "radio", options=_LEAD_STATUS),
            Definition("hubspotscore", "number", "number", read_only=True),
        ]
    if object == "companies":
        known += [
            Definition("phone", "string", "phonenumber"),
            Definition("annualrevenue", "number", "number"),
            Definition("lifecyclestage", "enumeration", "radio", options=STAGES),
        ]
    if object == "deals":
        known += [
            Definition("amount", "number", "number"),
            Definition("closedate", "datetime", "date"),
            Definition("pipeline", "enumeration", "select", options=("default",)),
            Definition("dealstage", "enumeration", "radio", options=_DEAL_STAGES),
            Definition("deal_currency_code", "enumeration", "select", options=("EUR", "USD", "GBP", "CHF")),
            Definition("hs_deal_stage_probability", "number", "number"),
        ]
    return {definition.name: definition for definition in known}


def problem_with(definition: Definition | None, name: str, value: object) -> tuple[str, str] | None:
    if definition is None:
        return "PROPERTY_DOESNT_EXIST", f'Property "{name}" does not exist'
    if definition.read_only:
        return "READ_ONLY_VALUE", f'"{name}" is a read only property; its value cannot be set.'
    if isinstance(value, list | dict) or value is None:
        return "INVALID_TYPE", f"{name} takes one plain value"
    text = _text(value)
    if text == "":
        return None
    if len(text) > 65_536:
        return "PROPERTY_VALUE_TOO_LONG", f"{name} is longer than 65536 characters"
    return _problem_of_type(definition, text)


def _problem_of_type(definition: Definition, text: str) -> tuple[str, str] | None:
    name = definition.name
    if name == "email" and not _EMAIL.fullmatch(text.strip()):
        return "INVALID_EMAIL", f"Email address {text} is invalid"
    if definition.type == "number" and not re.fullmatch(r"-?\d+(\.\d+)?", text):
        return "INVALID_NUMBER", f"{text} was not a valid number."
    if definition.type in ("date", "datetime") and moment_of(text) is None:
        return "INVALID_DATE", f"{text} was not a valid date."
    if definition.type == "bool" and text not in ("true", "false"):
        return "INVALID_BOOLEAN", f"{text} was not true or false."
    wanted = text.split(";") if definition.field_type == "checkbox" else [text]
    if definition.options and any(option.strip() not in definition.options for option in wanted):
        allowed = ", ".join(definition.options)
        return "INVALID_OPTION", f"{text} was not one of the allowed options: [{allowed}]"
    return None


def kept_as(name: str, definition: Definition, value: object) -> str:
    text = _text(value)
    if name == "email":
        return text.strip().lower()
    if definition.type == "date" and text:
        moment = moment_of(text)
        return moment.date().isoformat() if moment else text
    if definition.type == "datetime" and text:
        moment = moment_of(text)
        return iso(moment) if moment else text
    return text


def _text(value: object) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def moment_of(text: str) -> datetime | None:
    try:
        if text.lstrip("-").isdigit():
            return datetime.fromtimestamp(int(text) / 1000, UTC)
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
