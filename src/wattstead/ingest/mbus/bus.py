"""Bus: asks meters one after another and waits for their answers; what they mean is not its affair."""

from __future__ import annotations

import asyncio

from wattstead.ingest.mbus.frames import ACK, SELECTED, Cut, cut, request, reset, select
from wattstead.ingest.mbus.records import telegram_of
from wattstead.ingest.mbus.settings import MbusSettings
from wattstead.ingest.sources.source_protocol import Unreadable
from wattstead.ingest.sources.wire import Pieces

_PRIMARY_DIGITS = 3
_MOST_TELEGRAMS = 30
_PAUSE_S = 0.25
"""How long an answer may pause in its middle: bytes come slowly, and over gateways in pieces."""


class Silent(Exception):
    """No answer came, as often as it was asked."""


class Garbled(Exception):
    """Something came that is no frame: bytes are broken, or several answered at once."""


class Bus:
    """One line, on which one question is asked at a time."""

    def __init__(self, pieces: Pieces, settings: MbusSettings) -> None:
        self._pieces, self._settings = pieces, settings
        self._rest = b""

    async def read(self, address: str) -> bytes:
        """All telegrams of a meter, one behind another; raises `Silent`, `Garbled`, `SourceFailed`."""
        number = await self.choose(address)
        return await self.telegrams(number)

    async def choose(self, address: str) -> int:
        """Begin with a meter; the number by which it is asked. Raises `Silent`, `Garbled`, `SourceFailed`."""
        if len(address) <= _PRIMARY_DIGITS:
            await self._acknowledged(reset(int(address)), needed=False)
            return int(address)
        await self._acknowledged(select(address), needed=True)
        return SELECTED

    async def telegrams(self, number: int) -> bytes:
        """Every telegram of the meter that was begun with; raises as `read` does."""
        whole = b""
        bit = True
        for _ in range(_MOST_TELEGRAMS):
            frame = await self._frame(request(number, bit))
            whole += frame
            try:
                if not telegram_of(frame).more_follows:
                    break
            except Unreadable:  # whoever decodes it says why
                break
            bit = not bit
        return whole

    async def _acknowledged(self, question: bytes, needed: bool) -> None:
        """Ask until it is acknowledged; once, where that is not ``needed``: not all meters answer a reset."""
        for attempt in range(1 + self._settings.retries if needed else 1):
            del attempt
            try:
                found = await self._answer(question)
            except Silent:
                continue
            if found[0] == ACK:
                return
        if needed:
            raise Silent

    async def _frame(self, question: bytes) -> bytes:
        garbled = False
        for _ in range(1 + self._settings.retries):
            try:
                found = await self._answer(question)
            except Silent:
                continue
            except Garbled:
                garbled = True
                continue
            if len(found) > 1:
                return found
        raise Garbled if garbled else Silent

    async def _answer(self, question: bytes) -> bytes:
        self._rest = b""
        await self._drain()
        self._pieces.send(question)
        wait_s = self._settings.timeout_s + len(question) * 11 / self._settings.baud
        seen = False
        while True:
            try:
                async with asyncio.timeout(wait_s):
                    piece = await anext(self._pieces)
            except TimeoutError:
                if seen:
                    raise Garbled from None
                raise Silent from None
            seen = True
            found: Cut = cut(self._without_echo(self._rest + piece.raw, question))
            if found.frame:
                return found.frame
            self._rest = found.rest
            wait_s = max(_PAUSE_S, self._settings.timeout_s)

    @staticmethod
    def _without_echo(raw: bytes, question: bytes) -> bytes:
        """Some converters hear themselves."""
        return raw.removeprefix(question)

    async def _drain(self) -> None:
        """Throw away what came too late for an earlier question."""
        while True:
            try:
                async with asyncio.timeout(0.0):
                    await anext(self._pieces)
            except TimeoutError:
                return
