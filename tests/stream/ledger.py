"""A sender with a ledger, to be killed: appends numbered batches, notes each acknowledged number; run as a script."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from wattstead.metering.batch import ReadingBatch
from wattstead.stream import Journal, JournalLimits


def batch_of(serial: int) -> ReadingBatch:
    """Batches of 1 to 300 readings, so that some take many pages."""
    rows = 1 if serial % 4 else 1 + serial % 300
    return ReadingBatch.of([serial] * rows, [serial * 1_000_000 + 7 * i for i in range(rows)], [serial / 8] * rows)


async def send(folder: Path, worker: int, ledger: Path, first: int, last: int) -> None:
    """Send from ``first`` on with 20 requests under way; one ledger line per acknowledged number."""
    limits = JournalLimits(rotate_bytes=400_000, checkpoint_bytes=100_000, commit_requests=50)
    journal = Journal.open(folder, worker, limits)
    note = os.open(ledger, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    serials = iter(range(first, last))

    async def sender() -> None:
        for serial in serials:
            version = await journal.append(batch_of(serial))
            os.write(note, f"{serial} {version}\n".encode())

    print("ready", flush=True)  # noqa: T201
    await asyncio.gather(*(sender() for _ in range(20)))
    await journal.close()


if __name__ == "__main__":
    asyncio.run(send(Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5])))
