"""Bounded threads: refusing instead of queueing without end, whatever the callers do."""

from __future__ import annotations

import asyncio
import threading

import pytest

from wattstead.web.threads import Busy, Threads

pytestmark = pytest.mark.unit


async def test_a_full_queue_refuses_and_recovers() -> None:
    threads, gate = Threads("test", threads=1, queue=1), threading.Event()
    try:
        running = [asyncio.ensure_future(threads.run(gate.wait)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(Busy, match="2 questions to the test are waiting"):
            await threads.run(int, "1")
        running[0].cancel()
        with pytest.raises(Busy):  # a caller that goes away does not free the thread it occupies
            await threads.run(int, "1")
        gate.set()
        assert await running[1]
        assert await threads.run(int, "7") == 7
    finally:
        gate.set()
        threads.close()


async def test_errors_come_back() -> None:
    threads = Threads("test", threads=1, queue=1)
    with pytest.raises(ValueError, match="invalid literal"):
        await threads.run(int, "x")
    threads.close()
