"""The state of the store in figures, for `GET /health`; judges nothing."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import msgspec

from wattstead.store.engine import Connection, Result

_STATE = """
SELECT
    (SELECT count() FROM system.parts WHERE active) AS parts,
    (SELECT sum(rows) FROM system.parts WHERE active) AS rows,
    (SELECT sum(bytes_on_disk) FROM system.parts WHERE active) AS bytes,
    (SELECT max(n) FROM (SELECT count() AS n FROM system.parts WHERE active GROUP BY table, database, partition_id))
        AS parts_in_a_partition,
    (SELECT count() FROM system.detached_parts WHERE startsWith(reason, 'broken')) AS broken_parts,
    (SELECT count() FROM system.merges) AS merges,
    (SELECT count() FROM system.mutations WHERE NOT is_done) AS mutations,
    (SELECT anyLast(latest_fail_reason) FROM system.mutations WHERE NOT is_done AND latest_fail_reason != '')
        AS mutation_failure,
    (SELECT value FROM system.metrics WHERE metric = 'MemoryTracking') AS engine_memory_bytes
FORMAT JSONEachRow SETTINGS output_format_json_quote_64bit_integers = 0
"""


class EngineState(msgspec.Struct, frozen=True):
    """What the engine says of its tables."""

    parts: int
    rows: int
    bytes: int
    parts_in_a_partition: int
    """In the fullest partition; inserts are refused at 3,000."""
    broken_parts: int
    merges: int
    mutations: int
    mutation_failure: str
    engine_memory_bytes: int


class LaneState(msgspec.Struct, frozen=True):
    """One lane: its connections, places to wait, and how many of each are taken."""

    width: int
    depth: int
    inside: int
    waiting: int


class Health(msgspec.Struct, frozen=True):
    """The answer of ``GET /health``."""

    engine: EngineState
    lanes: dict[str, LaneState]
    disk_free_bytes: int
    disk_bytes: int
    resident_bytes: int
    uptime_s: float
    pid: int


def ask_state(connection: Connection, mark: bytes) -> Result:
    """The question for `EngineState`, as a job of the admin lane."""
    return connection.ask(mark + _STATE.encode())


def health(state: Result, lanes: dict[str, LaneState], folder: Path, uptime_s: float) -> Health:
    """Puts together what the engine answered and what the system says."""
    disk = shutil.disk_usage(folder)
    return Health(
        engine=msgspec.json.decode(state.body, type=EngineState),
        lanes=lanes,
        disk_free_bytes=disk.free,
        disk_bytes=disk.total,
        resident_bytes=resident_bytes(),
        uptime_s=round(uptime_s, 1),
        pid=os.getpid(),
    )


def resident_bytes() -> int:
    """Resident memory of this process; 0 where the system does not say."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0
