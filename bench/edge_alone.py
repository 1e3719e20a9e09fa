"""An edge as a process of its own that drains what its folder holds to a server, and says what memory that took.

``python bench/edge_alone.py FOLDER`` ends when nothing waits any more, and prints the megabytes.
"""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

from wattstead.edge.running import Edge, memory_mb

_AHEAD_US = 2 * 3_600_000_000
"""By the clock of sending whatever was received is over, whole hours too."""


async def _drained(folder: Path) -> None:
    edge = Edge(folder, sync_s=1.0)
    edge.waiting._clock_us = lambda: time.time_ns() // 1000 + _AHEAD_US
    task = asyncio.create_task(edge.run())
    while edge.configuration.settings is None or edge.waiting.more or not edge.waiting.lanes.sent or _waits(edge):
        if task.done():
            task.result()
        await asyncio.sleep(0.2)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    print(f"{edge.waiting.lanes.sent} {memory_mb():.1f}")


def _waits(edge: Edge) -> bool:
    return bool(edge.waiting.lanes.pending) or edge.waiting.oldest_us > 0


if __name__ == "__main__":
    asyncio.run(_drained(Path(sys.argv[1])))
