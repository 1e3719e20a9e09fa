"""What can go wrong when the store is asked, one class per thing a caller can act on; nothing is caught here."""

from __future__ import annotations

from wattstead.metering.errors import WattsteadError


class SeriesError(WattsteadError):
    """Base of the errors of this room."""


class StoreUnavailable(SeriesError):
    """The store cannot do it now: not there, too busy, disk full, too many parts. The same call may succeed later.

    ``code`` is ClickHouse's error number, None when the store did not answer at all.
    """

    retryable = True

    def __init__(self, reason: str, code: int | None = None) -> None:
        self.reason, self.code = reason, code
        cause = "does not answer" if code is None else f"cannot do this now (code {code})"
        super().__init__(f"the store {cause}: {reason}; the same call may be made again")


class StoreRefused(SeriesError):
    """The store understood and says no: a wrong key, a statement it does not accept, a table that is missing."""

    def __init__(self, reason: str, code: int) -> None:
        self.reason, self.code = reason, code
        super().__init__(f"the store refuses (code {code}): {reason}")


class AnswerTooLarge(StoreRefused):
    """The answer to a question is larger than the store gives at once; nothing is wrong with the store."""

    def __str__(self) -> str:
        return (
            "the answer is larger than the store gives at once; ask for a shorter time, longer buckets or fewer points"
        )


class NotAllWritten(SeriesError):
    """The store answered without an error and wrote another number of rows than it was given."""

    retryable = True

    def __init__(self, table: str, sent: int, written: int) -> None:
        self.table, self.sent, self.written = table, sent, written
        super().__init__(f"{sent} rows were sent to {table} and {written} written; send the same batch again")


class TimeOutOfRange(SeriesError):
    """A reading of a time that no table can hold."""

    def __init__(self, point: int, time_us: int, first_us: int, last_us: int) -> None:
        self.point, self.time_us, self.first_us, self.last_us = point, time_us, first_us, last_us
        super().__init__(
            f"a reading of point {point} at {time_us} µs since 1970; times from {first_us} to {last_us} can be stored, "
            "refuse it where it is received"
        )


class RollupsChange(SeriesError):
    """Rollups of a point are being computed under another zone, and the old and the new ones met in one answer."""

    retryable = True
    retry_after_s = 2.0

    def __init__(self, points: int) -> None:
        self.points = points
        super().__init__(
            f"the local days of one of {points} points are being computed anew for another time zone; "
            f"ask again in {self.retry_after_s:g} s"
        )


class SchemaMismatch(SeriesError):
    """The tables are not those of this program."""

    def __init__(self, found: int, expected: int) -> None:
        self.found, self.expected = found, expected
        todo = "run a newer Wattstead" if found > expected else "call migrate()"
        super().__init__(f"the store's tables are of version {found}, this program needs {expected}; {todo}")


class TooManyBuckets(SeriesError):
    """A question for more buckets, or buckets of more points, than one answer may have."""

    def __init__(self, asked: int, most: int) -> None:
        self.asked, self.most = asked, most
        super().__init__(f"{asked} buckets; at most {most} in one answer, ask for longer buckets or fewer points")
