"""The words that configuration files may use for things that are not fields: kinds, channels, roles."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """What a connection is for."""

    MARKETING = "marketing"
    SALES = "sales"
    OPERATIONS = "operations"


CONTROL = "control"
"""In an authority list: whoever leads in the contact's stage."""

HUB = "hub"
"""The hub itself: no connection may be called so."""

CASES = (
    "order", "invoice", "payment", "subscription", "ticket", "task", "project", "appointment", "contract",
    "quote", "checkout", "asset", "deal",
)  # fmt: skip
"""Facts whose state changes; `deal` is an entity and summarised like one."""

CASE_FIELDS = (
    "state", "amount", "currency", "at", "number", "subject", "plan", "owner", "products", "quantity", "kind",
    "priority", "opened_at", "closed_at", "due_at", "starts_at", "ends_at", "paid_at", "cancelled_at",
    "url", "location", "company", "contact",
)  # fmt: skip

EVENTS = (
    "email_sent", "email_delivered", "email_opened", "email_clicked", "email_bounced", "email_replied",
    "negative_reply", "unsubscribed", "spam_report", "complaint", "page_viewed", "content_downloaded",
    "form_submitted", "contact_requested", "trial_started", "webinar_registered", "webinar_attended",
    "webinar_no_show", "event_registered", "event_attended", "ad_clicked", "post_made", "basket_abandoned",
    "call", "meeting", "note", "sms_sent", "sms_received", "chat", "letter_sent", "document", "visit",
)  # fmt: skip
"""Facts that happened once and never change."""

EVENT_FIELDS = (
    "at",
    "url",
    "subject",
    "amount",
    "currency",
    "campaign",
    "channel",
    "outcome",
    "duration",
    "kind",
)

CHANNELS = ("email", "phone", "sms", "post", "fax", "messenger", "push")
PURPOSES = ("marketing", "newsletter", "event", "profiling", "service", "research")
PRESSURE_CHANNELS = ("total", *CHANNELS, "meeting")

NOTE_PARTS = ("score_breakdown", "campaign_results", "interests", "last_activities", "source", "history")
"""What a handoff note can be made of."""

RELATIONSHIPS = ("household", "spouse", "parent", "sibling", "employer", "referred_by", "assistant")


class FirstLoad(StrEnum):
    """Until a connection is released: fill empty fields and report the rest, or decide at once."""

    FILL = "fill"
    AUTHORITY = "authority"


class Edits(StrEnum):
    """Whether a listed system's edit is taken from any rank, or only from a rank not below the value's."""

    ACCEPTED = "accepted"
    RANKED = "ranked"


class OnClash(StrEnum):
    """One element added and removed in one decision: which of the two holds."""

    ADD = "add"
    REMOVE = "remove"


class Take(StrEnum):
    """What a summary makes of the facts it counts."""

    COUNT = "count"
    SUM = "sum"
    FIRST = "first"
    LAST = "last"
    MIN = "min"
    MAX = "max"


class Since(StrEnum):
    """From when on facts count."""

    EVER = "ever"
    STAGE = "stage"
    STAGE_CYCLE = "stage_cycle"


class ScorePolicy(StrEnum):
    """What happens to the score on entry to a stage."""

    KEEP = "keep"
    HALVE = "halve"
    RESET = "reset"


class FuseKind(StrEnum):
    """What a run may do only so many times before a person is asked. Fills have no fuse."""

    CREATE = "create"
    CHANGE = "change"
    CLEAR = "clear"
    DELETE = "delete"
    DEACTIVATE = "deactivate"
    MERGE = "merge"
    OPT_IN = "opt_in"
