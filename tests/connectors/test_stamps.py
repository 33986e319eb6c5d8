"""Vendor stamps: every format that is read and written, and what is none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from trueup.connectors.stamps import EPOCH, floor_stamp, parse_stamp, write_stamp
from trueup.model.record import Json

AT = datetime(2026, 3, 1, 12, 30, 15, 250_000, UTC)


@pytest.mark.parametrize(
    ("value", "format"),
    [
        ("2026-03-01T12:30:15.250Z", "iso"),
        ("2026-03-01T12:30:15.250", "iso"),
        ("2026-03-01T14:30:15.250+02:00", "iso"),
        ("2026-03-01T12:30:15.250+0000", "iso_ms"),
        (1772368215.25, "epoch_s"),
        ("1772368215.25", "epoch_s"),
        (1772368215250, "epoch_ms"),
        ("1772368215250", "epoch_ms"),
    ],
)
def test_a_stamp_is_read_in_utc(value: Json, format: str) -> None:
    found = parse_stamp(value, format)
    assert found == AT
    assert found is not None
    assert found.tzinfo is UTC


@pytest.mark.parametrize("value", ["9999-12-31T23:59:59-01:00", "0001-01-01T00:00:00+01:00"])
def test_a_stamp_that_is_no_time_in_utc_is_none(value: str) -> None:
    assert parse_stamp(value) is None


def test_without_a_word_a_stamp_is_iso_and_a_date_of_http_has_whole_seconds() -> None:
    assert parse_stamp("2026-03-01T12:30:15.250Z") == AT
    assert parse_stamp(1772368215) is None
    assert parse_stamp("Sun, 01 Mar 2026 12:30:15 GMT", "http_date") == AT.replace(microsecond=0)
    assert parse_stamp("Sun, 01 Mar 2026 13:30:15 +0100", "http_date") == AT.replace(microsecond=0)


@pytest.mark.parametrize("value", [None, "", True, False, "soon", [], {}, "9e99"])
@pytest.mark.parametrize("format", ["iso", "epoch_s", "epoch_ms", "http_date"])
def test_what_is_no_time_is_none(value: Json, format: str) -> None:
    assert parse_stamp(value, format) is None


@pytest.mark.parametrize(
    ("format", "text"),
    [
        ("iso", "2026-03-01T12:30:15Z"),
        ("iso_ms", "2026-03-01T12:30:15.250Z"),
        ("epoch_s", 1772368215),
        ("epoch_ms", "1772368215250"),
        ("http_date", "Sun, 01 Mar 2026 12:30:15 GMT"),
    ],
)
def test_a_stamp_is_written_as_the_vendor_wants_it_and_what_is_finer_is_cut_off(
    format: str, text: str | int
) -> None:
    elsewhere = timezone(timedelta(hours=5))
    for moment in (AT, AT.astimezone(elsewhere), AT + timedelta(microseconds=900)):
        assert write_stamp(moment, format) == text


def test_a_stamp_is_rounded_down_to_whole_steps() -> None:
    assert floor_stamp(AT, 60.0) == AT.replace(second=0, microsecond=0)
    assert floor_stamp(AT, 0.1) == AT - timedelta(milliseconds=50)
    assert floor_stamp(AT, 0.0) == AT
    assert floor_stamp(EPOCH + timedelta(seconds=60), 60.0) == EPOCH + timedelta(seconds=60)
    assert floor_stamp(EPOCH - timedelta(seconds=1), 60.0) == EPOCH - timedelta(seconds=60)
