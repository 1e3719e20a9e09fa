"""Time buckets of InfluxQL: by the wall clock of ``tz()``, over changes of the clock, as InfluxDB 1.8 places them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from wattstead.web.influx.parse import parse
from wattstead.web.influx.question import Select
from wattstead.web.influx.span import bucket_edges_us
from wattstead.web.influx.tokens import ParseError

pytestmark = pytest.mark.unit


def us(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000


def edges(group: str, zone: str, start: str, end: str) -> list[str]:
    (select,) = parse(f"SELECT mean(v) FROM m WHERE time > 0 GROUP BY time({group}) tz('{zone}')", 0)
    assert isinstance(select, Select)
    found = bucket_edges_us(select, us(start), us(end)).tolist()
    return [datetime.fromtimestamp(at / 1e6, UTC).strftime("%d %H:%M") for at in found]


@pytest.mark.parametrize(
    ("group", "zone", "start", "end", "expected"),
    [
        ("12h", "Europe/Paris", "2026-10-24T22:00", "2026-10-26T11:00",
         ["24 22:00", "25 11:00", "25 23:00", "26 11:00"]),
        ("1d", "Europe/Paris", "2026-10-24T22:00", "2026-10-26T23:00", ["24 22:00", "25 23:00", "26 23:00"]),
        ("2d", "Europe/Paris", "2026-10-24T22:00", "2026-10-28T23:00",
         ["23 22:00", "25 23:00", "27 23:00", "29 23:00"]),
        ("1d, 6h", "Europe/Paris", "2026-10-24T04:00", "2026-10-26T05:00", ["24 04:00", "25 04:00", "26 05:00"]),
        ("2h", "Europe/Paris", "2026-10-24T22:00", "2026-10-25T03:00", ["24 22:00", "25 00:00", "25 03:00"]),
        ("1h", "Europe/Paris", "2026-10-25T00:00", "2026-10-25T02:00", ["25 00:00", "25 01:00", "25 02:00"]),
        ("2h", "Europe/Paris", "2026-03-28T23:00", "2026-03-29T02:00", ["28 23:00", "29 01:00", "29 02:00"]),
        ("1h", "Australia/Lord_Howe", "2026-04-04T14:00", "2026-04-04T16:30", ["04 14:00", "04 15:30", "04 16:30"]),
        ("7m", "Asia/Kolkata", "1970-01-01T00:00", "1970-01-01T00:10", ["31 23:59", "01 00:06", "01 00:13"]),
        ("1w", "UTC", "2026-10-25T00:00", "2026-10-30T00:00", ["22 00:00", "29 00:00", "05 00:00"]),
    ],
)  # fmt: skip
def test_edges(group: str, zone: str, start: str, end: str, expected: list[str]) -> None:
    assert edges(group, zone, start, end) == expected


def test_buckets_that_no_calendar_has() -> None:
    with pytest.raises(ParseError, match="100 years"):
        edges("10000w", "Europe/Paris", "2026-10-24T22:00", "2026-10-26T11:00")
    with pytest.raises(ParseError, match="unable to find time zone Mars/Base"):
        edges("1h", "Mars/Base", "2026-10-24T22:00", "2026-10-26T11:00")
