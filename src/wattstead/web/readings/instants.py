"""Times as the JSON API takes and gives them: ISO 8601 or milliseconds in, milliseconds and ISO 8601 out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from wattstead.metering.calendar import zone_info
from wattstead.web.problem import invalid

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST_US, LAST_US = -6_000_000_000_000_000, 6_000_000_000_000_000
"""Instants the API takes: the years 1780 to 2160, within what calendar and store can hold."""


def instant_us(text: str, place: str, zone: str = "UTC") -> int:
    """The microseconds of ISO 8601 or of a number of milliseconds; without an offset the zone's wall clock.

    Raises `Refused`, naming ``place``.

    >>> instant_us("2026-11-20T10:00+01:00", "start") == instant_us("1795165200000", "start")
    True
    """
    try:
        found = round(float(text) * 1_000) if _number(text) else _moment_us(text, zone)
    except (ValueError, OverflowError):
        reason = f"{text[:40]!r} is not a time; give ISO 8601 such as 2026-11-20T10:00:00Z, or milliseconds since 1970"
        raise invalid(place, reason) from None
    if not FIRST_US < found < LAST_US:
        raise invalid(place, f"{text[:40]!r} is outside the years 1780 to 2160")
    return found


def shown(time_us: int, zone: str) -> str:
    """ISO 8601 with the zone's offset, to the microsecond where there is one.

    >>> shown(1_763_629_200_000_000, "Europe/Berlin")
    '2025-11-20T10:00:00+01:00'
    """
    return (_EPOCH + timedelta(microseconds=time_us)).astimezone(zone_info(zone)).isoformat()


def now_us() -> int:
    """This machine's clock."""
    return (datetime.now(UTC) - _EPOCH) // timedelta(microseconds=1)


def _number(text: str) -> bool:
    digits = text.lstrip("-").replace(".", "", 1)
    return digits.isascii() and digits.isdecimal() and len(digits) != len("20261120")


def _moment_us(text: str, zone: str) -> int:
    moment = datetime.fromisoformat(text.strip().replace(" ", "+") if "T" in text else text.strip())
    aware = moment if moment.tzinfo else moment.replace(tzinfo=zone_info(zone))
    return (aware - _EPOCH) // timedelta(microseconds=1)
