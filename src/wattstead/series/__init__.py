"""Questions and appends over readings: tables, rollups, retention, backup; ClickHouse SQL is in this room only.

It knows an address, not what answers there, and applies no permissions: callers ask for points they may see.
"""

from wattstead.series.connection import Limits
from wattstead.series.errors import (
    AnswerTooLarge,
    NotAllWritten,
    SchemaMismatch,
    SeriesError,
    StoreRefused,
    StoreUnavailable,
    TimeOutOfRange,
    TooManyBuckets,
)
from wattstead.series.keeping.checking import SeriesState
from wattstead.series.keeping.retention import Retention
from wattstead.series.marks import Reach
from wattstead.series.questions.answers import Buckets, LatestColumns, SpanColumns
from wattstead.series.rollups.known import KnownMinutes
from wattstead.series.rollups.rolling import Rolled
from wattstead.series.series import Series

__all__ = [
    "AnswerTooLarge",
    "Buckets",
    "KnownMinutes",
    "LatestColumns",
    "Limits",
    "NotAllWritten",
    "Reach",
    "Retention",
    "Rolled",
    "SchemaMismatch",
    "Series",
    "SeriesError",
    "SeriesState",
    "SpanColumns",
    "StoreRefused",
    "StoreUnavailable",
    "TimeOutOfRange",
    "TooManyBuckets",
]
