"""Times as EmonCMS takes and gives them: seconds, milliseconds or a date in; five forms out."""

from __future__ import annotations

from datetime import UTC, datetime

from wattstead.metering.calendar import zone_info
from wattstead.web.emoncms.php import is_numeric

_EARLIEST_S, _LATEST_S = -6_000_000_000, 100_000_000_000


class TimeInvalid(ValueError):
    """A text that is no time; EmonCMS itself would have taken the present instead."""


def moment(text: str, zone: str) -> float:
    """Seconds since 1970, fractions kept, of seconds, of milliseconds (beyond 10^11) or of a date in the zone.

    Raises `TimeInvalid`, also for what lies before 1780 or beyond 10^11 seconds.

    >>> moment("1700000000500", "UTC"), moment("2023-11-14 22:13:20", "UTC")
    (1700000000.5, 1700000000.0)
    """
    found = _moment(text, zone)
    if not _EARLIEST_S <= found <= _LATEST_S:
        raise TimeInvalid(f"Invalid time '{text[:40]}', it lies outside of what can be asked for (from 1780 on)")
    return found


def moment_s(text: str, zone: str) -> int:
    """The whole seconds of `moment`.

    >>> moment_s("1700000000000", "UTC"), moment_s("2023-11-14 22:13:20", "UTC")
    (1700000000, 1700000000)
    """
    return int(moment(text, zone))


def _moment(text: str, zone: str) -> float:
    if is_numeric(text):
        number = float(text)
        return number * 0.001 if number / 1e9 > 100 else number
    if text.strip().lower() == "now":
        return datetime.now(UTC).timestamp()
    try:
        found = datetime.fromisoformat(text.strip())
        return (found if found.tzinfo else found.replace(tzinfo=zone_info(zone))).timestamp()
    except (ValueError, OverflowError):
        raise TimeInvalid(f"Invalid time '{text[:40]}', use seconds, milliseconds or YYYY-MM-DD HH:MM:SS") from None


class Moment:
    """Writes times in one form and zone."""

    def __init__(self, form: str, zone: str) -> None:
        self.form, self.zone = form, zone_info(zone)

    def shown(self, time_s: float) -> float | str:
        """A time in seconds as this form has it."""
        if self.form == "unixms":
            return round(time_s * 1000)
        if self.form == "excel":
            return datetime.fromtimestamp(time_s, self.zone).strftime("%d/%m/%Y %H:%M:%S")
        if self.form == "iso8601":
            return datetime.fromtimestamp(int(time_s), self.zone).isoformat()
        return int(time_s) if time_s == int(time_s) else time_s
