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
_OWN = range(1, 251)
"""Primary addresses that a meter has for its own."""
_PAUSE_S = 0.25
"""How long an answer may pause in its middle: bytes come slowly, and over gateways in pieces."""


class Silent(Exception):
    """No answer came, as often as it was asked."""


class Garbled(Exception):
    """Something came that is no frame: bytes are broken, or several answered at once."""


class Stranger(Exception):
    """Another meter answered than the one that was asked."""

    def __init__(self, asked: str, answered: str) -> None:
        self.asked, self.answered = asked, answered
        super().__init__(f"meter {asked} was asked and meter {answered} answered: do two have one address?")


class Bus:
    """One line, on which one question is asked at a time."""

    def __init__(self, pieces: Pieces, settings: MbusSettings) -> None:
        self._pieces, self._settings = pieces, settings
        self._rest = b""

    async def read(self, address: str) -> bytes:
        """All telegrams of a meter, one behind another; raises `Silent`, `Garbled`, `Stranger`, `SourceFailed`."""
        number = await self.choose(address)
        return await self.telegrams(number, address)

    async def choose(self, address: str) -> int:
        """Begin with a meter; the number by which it is asked. Raises `Silent`, `Garbled`, `SourceFailed`."""
        if len(address) <= _PRIMARY_DIGITS:
            await self._acknowledged(reset(int(address)), needed=False)
            return int(address)
        await self._acknowledged(select(address), needed=True)
        return SELECTED

    async def telegrams(self, number: int, address: str = "") -> bytes:
        """Every telegram of the meter that was begun with, which is known by its ``address``; raises as `read` does."""
        whole = b""
        bit = True
        for _ in range(_MOST_TELEGRAMS):
            frame = await self._frame(request(number, bit), address)
            if len(address) > _PRIMARY_DIGITS:  # what a meter passes on for others may bear their numbers
                address = ""
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

    async def _frame(self, question: bytes, address: str) -> bytes:
        failed: Exception = Silent()
        for _ in range(1 + self._settings.retries):
            try:
                found = await self._answer(question)
            except Silent:
                continue
            except Garbled as fault:
                failed = fault
                continue
            if len(found) <= 1:
                continue
            answered = other_than(address, found)
            if not answered:
                return found
            failed = Stranger(address, answered)
        raise failed

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


def other_than(address: str, frame: bytes) -> str:
    """Who answers, where that is another meter than the one of an address; empty: it is the one, or does not say.

    What stands there for none or any (0, 251 to 255, as some gateways answer) is nobody's address.
    """
    if len(address) <= _PRIMARY_DIGITS:
        asked, number = int(address or "0"), frame[5]
        return str(number) if asked in _OWN and number in _OWN and asked != number else ""
    try:
        answered = telegram_of(frame).who.secondary
    except Unreadable:  # whoever decodes it says why
        return ""
    wanted = address.upper()
    same = all(one in ("F", is_) for one, is_ in zip(wanted[:8], answered, strict=False))
    rest = zip(*(bytes.fromhex(one[8:]) for one in (wanted, answered)), strict=False)
    return "" if same and all(one in (0xFF, is_) for one, is_ in rest) else answered
