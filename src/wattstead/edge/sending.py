"""Sending: hands what waits to the server, one upload at a time; what the server refuses goes to quarantine."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import msgspec
import structlog

from wattstead.edge.amounts import DOUBTFUL
from wattstead.edge.budget import Budget
from wattstead.edge.link import Link, LinkLost, OutOfStep, ServerRefuses
from wattstead.edge.thinning import Meaning
from wattstead.edge.waiting import Plan, Waiting
from wattstead.ingest.edge.wire import Refused, Upload, Uploaded, unpacked
from wattstead.ingest.sources.letters import Letters
from wattstead.ingest.sources.source_protocol import Message
from wattstead.metering.errors import WattsteadError
from wattstead.registry.records import EdgeSettings
from wattstead.stream import JournalCorrupt, JournalGap

_log = structlog.get_logger("wattstead.edge")
_FIRST_WAIT_S = 0.5
_MOST_ROWS, _LEAST_ROWS = 20_000, 500
_SLOW_S, _SWIFT_S = 3.0, 1.0
_MOST_BYTES = 64_000_000
_LETTER_ROWS = 2_000
UPLOADS = 0
"""Under this number of a source the letters of refused readings are kept."""


class Sender:
    """The sending end of an edge; for one event loop, whose threads it gives all work on disk."""

    def __init__(
        self, waiting: Waiting, budget: Budget, link: Link, letters: Letters,
        settings: Callable[[], EdgeSettings | None], plan: Callable[[], Plan],
        meanings: Callable[[], Mapping[int, Meaning]], longest_wait_s: float = 60.0,
    ) -> None:  # fmt: skip
        """``settings``: None before the server has said how to send. ``longest_wait_s``: between attempts, while the
        server is away.
        """
        self._waiting, self._budget, self._link, self._letters = waiting, budget, link, letters
        self._settings, self._plan, self._meanings = settings, plan, meanings
        self._rows, self._longest_wait_s = _MOST_ROWS, longest_wait_s
        self._wait_s = _FIRST_WAIT_S
        self.contact = 0.0
        """When the server last took something, by the monotonic clock."""
        self.trouble = ""
        """Why nothing can be sent at present."""
        self.last_trouble, self.last_trouble_us = "", 0
        """What it last was, and when."""

    async def run(self) -> None:
        """Send until cancelled."""
        while True:
            try:
                await asyncio.sleep(await self._once())
            except (WattsteadError, OSError) as error:
                await asyncio.sleep(await self._troubled(error))
            except Exception as error:
                _log.error("sending_broke", exc_info=error)
                await asyncio.sleep(await self._troubled(error))

    async def _once(self) -> float:
        """One upload; for how long to wait then."""
        settings, meanings, began = self._settings(), self._meanings(), time.monotonic()
        if settings is None:
            return _FIRST_WAIT_S  # the site may want that no single reading leaves it
        try:
            await asyncio.to_thread(self._budget.enforce, settings.disk_mb * 1_000_000, meanings)
        except OSError as error:  # the disk is full, and only sending will make room
            _log.error("budget_not_kept", error=str(error))
        rows = min(self._rows, max(_LEAST_ROWS, settings.drain_per_s))
        try:
            body = await asyncio.to_thread(self._waiting.next_upload, self._plan(), rows, _MOST_ROWS, meanings)
        except OSError as error:  # as before
            body = self._waiting.lanes.pending or None
            _log.error("progress_not_kept", error=str(error))
        await self._doubtful_kept()
        if body is None:
            self.trouble = ""
            return 0.0 if self._waiting.more else settings.send_every_s
        count = await self._handed_over(body)
        took_s = time.monotonic() - began
        if took_s > _SLOW_S:
            self._rows = max(_LEAST_ROWS, self._rows // 2)
        elif took_s < _SWIFT_S:
            self._rows = min(_MOST_ROWS, 2 * self._rows)
        if self._waiting.more:
            return max(0.0, count / settings.drain_per_s - took_s)
        return max(0.0, settings.send_every_s - took_s)

    async def _handed_over(self, body: bytes) -> int:
        """The server has this upload when this returns; how many readings it has. Raises `LinkLost` and the like."""
        try:
            answer = await self._link.upload(body)
        except OutOfStep as error:
            upload = await asyncio.to_thread(unpacked, body, _MOST_BYTES)
            _log.warning("uploads_counted_anew", here=upload.sequence, server=error.sequence)
            again = msgspec.structs.replace(upload, sequence=error.sequence + 1)
            body = await asyncio.to_thread(self._waiting.renumbered, again)
            answer = await self._link.upload(body)
        await self._quarantined(body, answer)
        count = answer.accepted + len(answer.refused)
        self._waiting.arrived(count)
        self.contact, self.trouble, self._wait_s = time.monotonic(), "", _FIRST_WAIT_S
        return count

    async def _quarantined(self, body: bytes, answer: Uploaded) -> None:
        """What the server does not keep is kept here, with its reasons."""
        if not answer.refused:
            return
        upload = await asyncio.to_thread(unpacked, body, _MOST_BYTES)
        for at in range(0, len(answer.refused), _LETTER_ROWS):
            part = answer.refused[at : at + _LETTER_ROWS]
            await self._lettered(_told(upload, part), f"upload {upload.sequence}", part[0].reason)

    async def _doubtful_kept(self) -> None:
        """Amounts of which nobody knows any more whether they left are kept here, and told."""
        left = self._waiting.lanes.amounts
        for at in range(0, len(left.doubtful), _LETTER_ROWS):
            rows = [self._waiting.told(*one) | {"reason": DOUBTFUL} for one in left.doubtful[at : at + _LETTER_ROWS]]
            await self._lettered(msgspec.json.encode(rows), "amounts that came late", DOUBTFUL)
        left.doubtful = []

    async def _lettered(self, raw: bytes, where: str, reason: str) -> None:
        """A dead letter is on disk when this returns."""
        put = partial(self._letters.put, UPLOADS, Message(raw, where, time.time_ns() // 1000), reason, True)
        while not await asyncio.wrap_future(put()):  # noqa: ASYNC110 - nobody tells when there is room again
            await asyncio.sleep(1.0)

    async def _troubled(self, error: Exception) -> float:
        """For how long to wait after a failure."""
        self.trouble = self.last_trouble = str(error)
        self.last_trouble_us = time.time_ns() // 1000
        if isinstance(error, JournalCorrupt | JournalGap):
            _log.error("journal_not_read", error=str(error))
            if await asyncio.to_thread(self._waiting.skip_broken):
                return 0.0
        if not isinstance(error, LinkLost):
            _log.error("not_sent", error=str(error))
        wait_s, self._wait_s = self._wait_s, min(2 * self._wait_s, self._longest_wait_s)
        if isinstance(error, ServerRefuses):
            wait_s = max(wait_s, 5.0)
        told = error.retry_after_s if isinstance(error, LinkLost) else 0.0
        return max(told, random.uniform(wait_s / 2, wait_s))  # noqa: S311


def _told(upload: Upload, refused: list[Refused]) -> bytes:
    """Refused readings as JSON, so that people can read them."""
    batch = upload.readings()
    rows: list[dict[str, Any]] = []
    for one in refused:
        name = upload.names[int(batch.point[one.row])]
        rows.append(
            {"point": name.address, "time_us": int(batch.time_us[one.row]), "value": float(batch.value[one.row]),
             "unit": name.unit, "reason": one.reason}
        )  # fmt: skip
    return msgspec.json.encode(rows)
