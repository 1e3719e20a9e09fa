"""Times as InfluxQL writes them, into microseconds and back into the epoch or the text a client asked for."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from wattstead.web.influx.tokens import ParseError

_UNIT_NS = {
    "ns": 1,
    "u": 1_000,
    "µ": 1_000,
    "us": 1_000,
    "µs": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
    "d": 86_400_000_000_000,
    "w": 604_800_000_000_000,
}
_PART = re.compile(r"(\d+)(ns|ms|us|u|µs|µ|s|m|h|d|w)")
_MOMENT = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2})?)(?:\.(\d{1,9}))?)?\s*(Z|[+-]\d{2}:?\d{2})?")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EPOCHS = {"n": 1_000, "ns": 1_000, "u": 1, "µ": 1, "us": 1, "ms": 1e-3, "s": 1e-6, "m": 1e-6 / 60, "h": 1e-6 / 3600}
"""What a client may ask for with ``epoch=``, in its units per microsecond."""


def duration_us(text: str, place: int) -> int:
    """The microseconds of a duration such as ``1h30m``; `ParseError` when it has no unit.

    >>> duration_us("1m30s", 0)
    90000000
    """
    parts = _PART.findall(text)
    if "".join(number + unit for number, unit in parts) != text:
        raise ParseError(f"found {text}, expected a duration such as 10s, 5m, 1h or 1d", place)
    return sum(int(number) * _UNIT_NS[unit] for number, unit in parts) // 1_000


def moment_us(text: str, place: int) -> int:
    """The microseconds of a date or time in RFC 3339 or Influx's own form; UTC without an offset.

    >>> moment_us("1970-01-01T00:00:01.5Z", 0)
    1500000
    """
    found = _MOMENT.fullmatch(text.strip())
    if found is None:
        raise ParseError(f"invalid operation: time and '{text}' are not compatible", place)
    day, clock, fraction, offset = found.groups()
    try:
        moment = datetime.fromisoformat(f"{day}T{clock or '00:00'}{offset or 'Z'}")
    except ValueError as e:
        raise ParseError(f"invalid time '{text}': {e}", place) from None
    return (moment - _EPOCH) // timedelta(microseconds=1) + int((fraction or "0").ljust(9, "0")) // 1_000


def shown(time_us: int, epoch: str) -> int | str:
    """A time as the client wants it: a number in ``epoch`` units, or RFC 3339 without one."""
    if not epoch:
        moment = _EPOCH + timedelta(microseconds=time_us)
        fraction = f".{moment.microsecond:06d}".rstrip("0") if moment.microsecond else ""
        return f"{moment:%Y-%m-%dT%H:%M:%S}{fraction}Z"
    factor = EPOCHS[epoch]
    return time_us * int(factor) if factor >= 1 else time_us // round(1 / factor)
