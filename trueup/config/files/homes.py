"""Where a key belongs that people look for in another file."""

from __future__ import annotations

from collections.abc import Mapping

_HUB = "hub.yaml"
_LIFE = "lifecycle.yaml"
_DEDUPE = "dedupe.yaml"
_CONNECTION = "the connection's file (connections/NAME.yaml)"
_OBJECT = "an object of a connection (connections/NAME.yaml: objects)"

_HOMES = {
    **dict.fromkeys(("phone_region", "database", "broker", "fuses", "drift_limit", "batch_from"), _HUB),
    **dict.fromkeys(("retention", "alerts", "time_zone", "first_load"), _HUB),
    "survivorship": "hub.yaml: contact.survivorship",
    "authority": "hub.yaml: contact.survivorship",
    "strategy": "hub.yaml: contact.survivorship",
    "custom_fields": "hub.yaml: contact.custom_fields",
    **dict.fromkeys(("stages", "off_ramps", "transitions", "summaries", "scoring"), _LIFE),
    **dict.fromkeys(("contact_pressure", "max_cycles"), _LIFE),
    **dict.fromkeys(
        ("auto_link", "review", "unsure_after", "never_identifies", "vetoes", "relationships"), _DEDUPE
    ),
    **dict.fromkeys(("connector", "role", "auth", "schedule", "budget", "owners", "guard_age"), _CONNECTION),
    **dict.fromkeys(("create", "take", "leaves", "secondary", "deactivate", "reactivate", "merge"), _OBJECT),
    **dict.fromkeys(("deleted_elsewhere", "consent", "handoff", "without"), _OBJECT),
}


def homes(*own: str) -> Mapping[str, str]:
    """Every key with its home, without those that are at home in `own` (names of files or blocks)."""
    return {key: home for key, home in _HOMES.items() if not any(home.startswith(name) for name in own)}
