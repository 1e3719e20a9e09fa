"""RefineryState: what a person or a health check needs to know of the refinery at one instant."""

from __future__ import annotations

import msgspec


class RefineryState(msgspec.Struct, frozen=True, kw_only=True):
    """How far the refinery is; ``last_error`` empty means all goes well."""

    running: bool
    lag_bytes: int
    """Bytes in the journal behind which the saved position is."""
    lag_s: float
    """Age of the oldest reading that is in the journal but not in the store."""
    stands_still: bool
    """Whether readings come no further; else what fails is done beside them."""
    last_error: str
    """Why storing or reading stands still at present, or what fails beside."""
    failed_tries: int
    """How often in a row it was tried without success."""
    read_rows: int
    stored_rows: int
    waiting_rows: int
    replaced_rows: int
    """Readings that took the place of another, since the start."""
    refused: dict[str, int]
    """Readings that were not stored, by reason, since the start."""
    closed_us: int
    """All minutes before this instant are rolled up."""
    dirty_spans: int
    """Spans of late readings that wait to be rolled up again."""
    generation: int | None
    """The generation of the points that is followed."""
    adopting: int
    """Points whose history is being rolled up under a new rule."""
