"""The store's folder: its lock and the engine's configuration file; never touches what the engine keeps there."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from xml.sax.saxutils import escape

from wattstead.store.errors import FolderTaken
from wattstead.store.limits import StoreLimits

ENGINE = "engine"
CONFIG = "engine.xml"
_LOCK = "lock"
_LEFT_BYTES = 16 << 20
"""Of the disk, that neither inserts nor merges fill."""


class StoreFolder:
    """The folder, locked for as long as this object is open.

    The lock is the kernel's (flock), so a process that died leaves none behind. Raises `FolderTaken`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = os.open(self.path / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.pread(self._lock, 20, 0).decode("ascii", "ignore").strip()
            os.close(self._lock)
            raise FolderTaken(str(self.path), int(holder) if holder.isdigit() else None) from None
        os.ftruncate(self._lock, 0)
        os.pwrite(self._lock, str(os.getpid()).encode(), 0)

    def configure(self, limits: StoreLimits, backups: Path) -> None:
        """Writes the engine's configuration: durability, small pools and caches, where backups may go."""
        (self.path / ENGINE).mkdir(exist_ok=True, mode=0o700)
        backups.mkdir(parents=True, exist_ok=True, mode=0o700)
        new = self.path / f"{CONFIG}.new"
        new.write_text(configuration(limits, backups), encoding="utf-8")
        new.replace(self.path / CONFIG)

    def close(self) -> None:
        """Gives the lock back; the file stays."""
        os.close(self._lock)

    def __enter__(self) -> StoreFolder:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def configuration(limits: StoreLimits, backups: Path) -> str:
    """The engine's configuration as XML.

    fsync after insert, of the part's directory and after merges: without the three, a power cut took everything recent
    and the engine then refused to start.
    """
    server = {
        "timezone": "UTC",
        "max_server_memory_usage": limits.memory_bytes,
        "max_server_memory_usage_to_ram_ratio": 0.9,
        "mark_cache_size": limits.mark_cache_bytes,
        "primary_index_cache_size": limits.index_cache_bytes,
        "index_mark_cache_size": 1 << 20,
        "uncompressed_cache_size": 0,
        "index_uncompressed_cache_size": 0,
        "query_condition_cache_size": 1 << 20,
        "mmap_cache_size": 0,
        "background_pool_size": limits.merge_threads,
        "background_merges_mutations_concurrency_ratio": 1,
        "background_schedule_pool_size": 2,
        "background_common_pool_size": 2,
        "background_move_pool_size": 1,
        "background_fetches_pool_size": 1,
        "background_buffer_flush_schedule_pool_size": 1,
        "background_message_broker_schedule_pool_size": 1,
        "background_distributed_schedule_pool_size": 1,
        "tables_loader_foreground_pool_size": 2,
        "tables_loader_background_pool_size": 2,
        "max_thread_pool_size": 200,
        "max_thread_pool_free_size": 8,
        "max_io_thread_pool_size": 4,
        "max_active_parts_loading_thread_pool_size": 2,
        "max_outdated_parts_loading_thread_pool_size": 2,
        "max_backups_io_thread_pool_size": 2,
        "concurrent_threads_soft_limit_num": 0,
        "memory_worker_period_ms": 1000,
        # A table whose next part finds every merge thread taken looks again after this, and so a removal from a table
        # of many parts slept a second for each two of them. At rest the looks soon are ten seconds apart: what a store
        # that rests costs is mostly them.
        "background_processing_pool_thread_sleep_seconds_if_nothing_to_do": 0.05,
        "background_processing_pool_task_sleep_seconds_when_no_work_random_part": 0.05,
        "background_processing_pool_task_sleep_seconds_when_no_work_multiplier": 1.5,
        "background_processing_pool_task_sleep_seconds_when_no_work_max": 10,
    }
    merge_tree = {
        "fsync_after_insert": 1,
        "fsync_part_directory": 1,
        "min_rows_to_fsync_after_merge": 1,
        "min_compressed_bytes_to_fsync_after_merge": 1,
        # Well packed readings are so few bytes that a week looks small: else each insert would rewrite all of it.
        "min_parts_to_merge_at_once": 10,
        # This would leave all but one of those ten out of the merge again, since each is small beside the week.
        "merge_selector_enable_heuristic_to_remove_small_parts_at_right": 0,
        # What was removed leaves the disk within some seconds.
        "cleanup_delay_period": 5,
        "cleanup_delay_period_random_add": 1,
        "max_cleanup_delay_period": 10,
        "max_suspicious_broken_parts": limits.broken_parts,
        "max_suspicious_broken_parts_bytes": 1 << 40,
        "max_bytes_to_merge_at_max_space_in_pool": limits.merge_bytes,
        "number_of_free_entries_in_pool_to_execute_mutation": 1,
        "number_of_free_entries_in_pool_to_lower_max_size_of_merge": 1,
        "number_of_free_entries_in_pool_to_execute_optimize_entire_partition": 1,
    }
    disk = {
        # A merge that met the end of the disk left a part with an empty file behind; so none is begun near it, and an
        # insert is refused before it, which the journal bears.
        "keep_free_space_bytes": _LEFT_BYTES,
    }
    return (
        "<clickhouse>\n"
        + _elements(server)
        + f"<storage_configuration><disks><default>{_elements(disk)}</default></disks></storage_configuration>\n"
        + f"<backups><allowed_path>{escape(str(backups.absolute()))}</allowed_path></backups>\n"
        + f"<merge_tree>\n{_elements(merge_tree)}</merge_tree>\n</clickhouse>\n"
    )


def _elements(values: Mapping[str, object]) -> str:
    return "".join(f"<{name}>{value}</{name}>\n" for name, value in values.items())
