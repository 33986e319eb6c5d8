"""What the Zendesk stand-in insists on: refusals, field definitions, paging limits (vendor sheet 2-6)."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

Values = dict[str, Any]
Details = dict[str, list[dict[str, str]]]

STAGES = (
    *("name", "lead", "mql", "sal", "sql", "opportunity", "customer"),
    *("recycled", "disqualified", "former"),
)
ZONES = {
    "UTC": "Etc/UTC",
    "London": "Europe/London",
    "Berlin": "Europe/Berlin",
    "Paris": "Europe/Paris",
    "Madrid": "Europe/Madrid",
    "Tokyo": "Asia/Tokyo",
    "Pacific Time (US & Canada)": "America/Los_Angeles",
    "Eastern Time (US & Canada)": "America/New_York",
}
LOCALES = {"en-US": 1, "en-GB": 2, "de": 3, "fr": 4, "es": 5, "it": 6, "nl": 7, "pt-BR": 8, "ja": 9, "pl": 10}
ROLES = ("end-user", "agent", "admin")
TICKET_STATES = ("new", "open", "pending", "hold", "solved", "closed")
MOST_PER_PAGE = 100
DEEPEST_OFFSET = 10_000
MOST_PER_EXPORT = 1000
MOST_IDS = 100

_EMAIL = re.compile(r"^[^@\s,;<>]+@[^@\s,;<>.]+(\.[^@\s,;<>.]+)*$")


class VendorError(Exception):
    """A refusal in the vendor's own form."""

    def __init__(
        self, status: int, error: Any, description: str = "", details: Details | None = None
    ) -> None:
        super().__init__(str(error))
        self.status = status
        self.body: Values = {"error": error}
        if description:
            self.body["description"] = description
        if details:
            self.body["details"] = details
        self.headers: dict[str, str] = {}


def not_found() -> VendorError:
    return VendorError(404, "RecordNotFound", "Not found")


def invalid(details: Details) -> VendorError:
    """The 422 of a record that breaks rules; `details` by field."""
    return VendorError(422, "RecordInvalid", "Record validation errors", details)


def bad_request(title: str, message: str) -> VendorError:
    return VendorError(400, {"title": title, "message": message})


def complaint(description: str, error: str) -> list[dict[str, str]]:
    return [{"description": description, "error": error}]


def is_email(value: object) -> bool:
    return isinstance(value, str) and len(value) <= 255 and bool(_EMAIL.match(value))


def iso(moment: datetime) -> str:
    """UTC with seconds, as the vendor writes stamps."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def tidy_tags(tags: Iterable[str]) -> list[str]:
    """Tags as they are kept: lower case, no spaces, each once, sorted."""
    return sorted({re.sub(r"\s+", "_", tag.strip().lower()) for tag in tags} - {""})


def custom_field(
    id: int, base_url: str, key: str, type: str, options: Sequence[str] = (), title: str = ""
) -> Values:
    """A user or organization field as the metadata endpoints describe it."""
    shown = title or key.replace("_", " ").capitalize()
    described: Values = {
        "id": id,
        "url": f"{base_url}/api/v2/user_fields/{id}.json",
        "key": key,
        "type": type,
        "title": shown,
        "raw_title": shown,
        "description": "",
        "active": True,
        "system": False,
        "position": id % 1000,
    }
    if options:
        described["custom_field_options"] = [
            {"id": id * 100 + n, "name": value.capitalize(), "raw_name": value.capitalize(), "value": value}
            for n, value in enumerate(options)
        ]
    return described


def custom_value_problems(defined: Sequence[Values], values: Mapping[str, Any]) -> Details:
    """Which custom values the account would refuse; keys that it does not know are ignored silently."""
    known = {field["key"]: field for field in defined}
    problems: Details = {}
    for key, value in values.items():
        if key in known and value is not None and not _fits(known[key], value):
            problems[key] = complaint(f"{known[key]['title']}: is not a valid value", "InvalidValue")
    return problems


def _fits(field: Values, value: Any) -> bool:
    if field["type"] == "dropdown":
        return value == "" or value in {option["value"] for option in field.get("custom_field_options", [])}
    if field["type"] == "checkbox":
        return isinstance(value, bool)
    if field["type"] == "integer":
        return isinstance(value, int) or (isinstance(value, str) and value.lstrip("-").isdigit())
    if field["type"] == "date":
        return isinstance(value, str) and bool(re.match(r"^\d{4}-\d{2}-\d{2}", value))
    return isinstance(value, str | int | float)


def pack(second: int, id: int) -> str:
    """An opaque cursor naming a place in the order (second, id)."""
    return base64.b64encode(f"{second}.0||{id}|".encode()).decode()


def unpack(cursor: str) -> tuple[int, int]:
    """The place that a cursor names; VendorError for one that we never gave out."""
    try:
        second, _, rest = base64.b64decode(cursor, validate=True).decode().partition(".0||")
        return int(second), int(rest.rstrip("|"))
    except ValueError:
        raise VendorError(400, "InvalidPaginationParameter", "cursor is not valid") from None


def ids_of(text: str) -> list[str]:
    """A comma-separated list of at most 100 ids."""
    ids = [part.strip() for part in text.split(",") if part.strip()]
    if len(ids) > MOST_IDS:
        raise bad_request("Too many ids", f"at most {MOST_IDS} are allowed")
    return ids
