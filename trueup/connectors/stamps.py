"""Vendor time stamps to aware UTC times and back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime

from trueup.model.record import Json

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def parse_stamp(value: Json, format: str = "iso") -> datetime | None:
    """The time that a vendor wrote, in UTC; None for nothing and for what is no time.

    ISO texts may end in `Z`, `+00:00` or `+0000`; without a zone they are UTC.
    """
    if value is None or value == "" or isinstance(value, bool):
        return None
    try:
        if format == "epoch_s":
            return EPOCH + timedelta(seconds=float(value))
        if format == "epoch_ms":
            return EPOCH + timedelta(milliseconds=float(value))
        if format == "http_date":
            return parsedate_to_datetime(str(value)).astimezone(UTC)
        moment = datetime.fromisoformat(str(value))
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, TypeError, OverflowError):
        return None


def write_stamp(moment: datetime, format: str) -> str | int:
    """The time as the vendor wants it; finer parts than the format holds are cut off."""
    moment = moment.astimezone(UTC)
    if format == "epoch_s":
        return int((moment - EPOCH) // timedelta(seconds=1))
    if format == "epoch_ms":
        return str((moment - EPOCH) // timedelta(milliseconds=1))
    if format == "http_date":
        return format_datetime(moment.replace(microsecond=0), usegmt=True)
    digits = "milliseconds" if format == "iso_ms" else "seconds"
    return moment.isoformat(timespec=digits).replace("+00:00", "Z")


def floor_stamp(moment: datetime, granularity: float) -> datetime:
    """The time rounded down to whole multiples of `granularity` seconds since 1970."""
    step = timedelta(seconds=granularity)
    return EPOCH + (moment - EPOCH) // step * step if step else moment
