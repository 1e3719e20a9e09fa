"""Instants as senders write them, turned into microseconds since 1970; a bad one is a named error, never now."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wattstead.metering.errors import WattsteadError

UNIT_US: dict[str, float] = {"s": 1_000_000, "ms": 1_000, "us": 1, "ns": 0.001}
"""Microseconds in each unit that a sender may name."""
_FURTHEST_US = 9.2e18
_AUTO = ((1e11, "s"), (1e14, "ms"), (1e17, "us"))
"""Below which size a number since 1970 is in that unit; nanoseconds beyond."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class TimeInvalid(WattsteadError):
    """A time that is no instant; its message is the reason alone, the caller knows the place."""


def from_text(text: str) -> int:
    """Microseconds of an ISO 8601 text with a zone; raises `TimeInvalid`.

    >>> from_text("1970-01-01T01:00:00.5+01:00")
    500000
    """
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise TimeInvalid(f"time {text[:60]!r} is not ISO 8601; expected like 2024-05-01T12:00:00Z") from None
    if instant.tzinfo is None:
        raise TimeInvalid(f"time {text[:60]!r} has no zone; add Z or an offset such as +02:00")
    try:
        return (instant - _EPOCH) // _MICROSECOND
    except OverflowError:
        raise TimeInvalid(f"time {text[:60]!r} lies outside the calendar") from None


def from_number(number: float, unit: str = "s") -> int:
    """Microseconds of a number of units since 1970, halves to even; raises `TimeInvalid`.

    >>> from_number(1.5), from_number(1_700_000_000_123_456_789, "ns")
    (1500000, 1700000000123456)
    """
    if isinstance(number, int):
        time_us = number // 1000 if unit == "ns" else number * int(UNIT_US[unit])
    elif not math.isfinite(number):
        raise TimeInvalid(f"time {number} is not a number; expected {unit} since 1970")
    else:
        time_us = round(min(max(number * UNIT_US[unit], -1e19), 1e19))
    if abs(time_us) > _FURTHEST_US:
        raise TimeInvalid(f"time {str(number)[:40]} is too large; expected {unit} since 1970")
    return time_us


def from_any(found: Any, unit: str = "s") -> int:
    """Microseconds of whatever a JSON sender wrote; raises `TimeInvalid`."""
    if isinstance(found, str):
        return from_text(found)
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise TimeInvalid(f"time is {type(found).__name__}; expected ISO 8601 text or a number of {unit} since 1970")
    return from_number(found, unit)


def from_written(found: Any, form: str) -> int:
    """Microseconds of a time as it is written; ``auto`` goes by the size of a number. Raises `TimeInvalid`.

    >>> {from_written(found, "auto") for found in (1_700_000_000, "1700000000000", "2023-11-14T22:13:20Z")}
    {1700000000000000}
    """
    if isinstance(found, str):
        if form == "iso":
            return from_text(found)
        try:
            found = float(found) if "." in found or "e" in found.lower() else int(found)
        except ValueError:
            if form == "auto":
                return from_text(found)
            raise TimeInvalid(f"time is {found[:40]!r}; expected {form} since 1970") from None
    if isinstance(found, bool) or not isinstance(found, int | float) or form == "iso":
        raise TimeInvalid(f"time is {found!r:.40}; expected {'ISO 8601' if form == 'iso' else 'a number or ISO 8601'}")
    if form == "auto":
        form = next((unit for most, unit in _AUTO if abs(found) < most), "ns")
    return from_number(found, form)


def from_column(numbers: NDArray[Any], unit: str) -> NDArray[np.int64] | None:
    """Microseconds of a column of numbers, None when one of them is out of range: then look at each."""
    if numbers.dtype.kind == "i":
        whole = numbers.astype(np.int64, copy=False)
        if unit == "ns":
            return whole // 1000
        factor = int(UNIT_US[unit])
        furthest = int(_FURTHEST_US) // factor
        if len(whole) and (int(whole.max()) > furthest or int(whole.min()) < -furthest):
            return None
        return whole if factor == 1 else whole * factor
    if numbers.dtype.kind != "f":
        return None
    scaled = numbers.astype(np.float64, copy=False) * UNIT_US[unit]
    if not bool((np.abs(scaled) <= _FURTHEST_US).all()):
        return None
    return np.rint(scaled).astype(np.int64)


def fits(numbers: NDArray[Any], unit: str) -> NDArray[np.bool_]:
    """Which numbers of a column are instants at all."""
    with np.errstate(invalid="ignore"):
        return np.abs(numbers.astype(np.float64)) <= _FURTHEST_US / UNIT_US[unit] * 0.999
