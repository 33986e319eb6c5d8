"""What a connection takes for granted: region of phones, zone of naive times, decimal sign."""

from __future__ import annotations

from dataclasses import dataclass

AUTO = "auto"


@dataclass(frozen=True, slots=True)
class Locale:
    """How a system writes what it does not spell out.

    `phone_region`: ISO 3166 code for numbers without a country code; empty: such numbers are rejected.
    `time_zone`: IANA zone of times without an offset. `decimal`: `.`, `,` or `auto`, which reads a sign
    that can only mean one thing and rejects `1,234`, which can mean two.
    """

    phone_region: str = ""
    time_zone: str = "UTC"
    decimal: str = AUTO
