"""Time names: which field of a JSON object is its time where nobody has said so; by its name, and what stands there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from wattstead.ingest.decoding.instants import TimeInvalid, from_written

_NAMES: Final = frozenset(
    ("time", "timestamp", "time_stamp", "ts", "t", "datetime", "date_time", "date", "utc", "epoch", "unixtime",
     "unix_time", "time_ms", "timestamp_ms", "ts_ms", "lastupdate", "last_update", "last_seen")
)  # fmt: skip
"""In lower case."""
_EARLIEST_US, _LATEST_US = 946_684_800_000_000, 4_102_444_800_000_000
"""2000 and 2100, between which what has such a name is a time."""


def is_time(name: str, found: Any) -> bool:
    """Whether a field is a time, not a reading: seconds, ms, µs or ns since 1970 by its size, or ISO 8601 with a zone.

    >>> is_time("TS", 1_700_000_000_000), is_time("t", 21.5), is_time("power", 1_700_000_000)
    (True, False, False)
    """
    if name.lower() not in _NAMES:
        return False
    try:
        return _EARLIEST_US < from_written(found, "auto") < _LATEST_US
    except TimeInvalid:
        return False


def time_name(found: Mapping[str, Any]) -> str:
    """The first field of an object that is a time; empty for none."""
    return next((name for name, value in found.items() if is_time(name, value)), "")
