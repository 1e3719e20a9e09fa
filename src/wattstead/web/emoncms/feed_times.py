"""Times as EmonCMS takes and gives them: seconds, milliseconds or a date in; five forms out."""

from __future__ import annotations

from datetime import UTC, datetime

from wattstead.metering.calendar import zone_info
from wattstead.web.emoncms.php import is_numeric


class TimeInvalid(ValueError):
    """A text that is no time; EmonCMS itself would have taken the present instead."""


def moment_s(text: str, zone: str) -> int:
    """Seconds since 1970 of seconds, of milliseconds (beyond 10^11) or of a date in the zone.

    >>> moment_s("1700000000000", "UTC"), moment_s("2023-11-14 22:13:20", "UTC")
    (1700000000, 1700000000)
    """
    if is_numeric(text):
        number = float(text)
        return int(number * 0.001 if number / 1e9 > 100 else number)
    if text.strip().lower() == "now":
        return int(datetime.now(UTC).timestamp())
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise TimeInvalid(f"Invalid time '{text[:40]}', use seconds, milliseconds or YYYY-MM-DD HH:MM:SS") from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=zone_info(zone))).timestamp())


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
