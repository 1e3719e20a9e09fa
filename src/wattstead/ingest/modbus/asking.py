"""Asking: one device's blocks read one after the other, finer where it refuses them; not when it is asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

from wattstead.ingest.modbus.bus import Bus, NoAnswer, Refused
from wattstead.ingest.modbus.frames import meaning
from wattstead.ingest.modbus.layout import Layout, where_of
from wattstead.ingest.modbus.meters import Meter
from wattstead.ingest.modbus.plan import Block, finer, inside_of
from wattstead.ingest.sources.source_protocol import Message

_NOT_THERE = frozenset({1, 2, 3})
"""Exceptions that say that registers are not there, or not so many at once; others pass by themselves."""
_MOST_SILENT = 2
"""Blocks without an answer after which a device is left for this time: the bus is for others too."""
_MUTE_AFTER = 3
"""Times in a row that a block has no answer while others of its device have, after which it is taken for not there."""

_AGAIN_AFTER, _AGAIN_AFTER_US = 100, 3_600_000_000
"""Rounds or microseconds, whichever are over first, after which numbers that were refused are asked for once more."""


class Asked(NamedTuple):
    """What came of asking a device once."""

    message: Message | None
    """What it answered; None: nothing."""
    layout: Layout | None
    fault: str
    """Why not everything came; empty when it did."""
    refused: tuple[tuple[Block, int], ...] = ()
    """Single numbers that the device has not, with the exception; each is told once."""


class Inquiry:
    """A device and what is known of it: which blocks it answers."""

    def __init__(self, bus: Bus, meter: Meter, timeout_s: float, present_us: Callable[[], int]) -> None:
        self.meter = meter
        self._bus, self._timeout_s, self._present_us = bus, timeout_s, present_us
        self._blocks = meter.plan()
        self._mute: Counter[Block] = Counter()
        self._layouts: dict[tuple[Block, ...], Layout] = {}
        self._lacking: set[Block] = set()
        self._told: set[Block] = set()
        self._rounds, self._since_us = 0, present_us()

    async def ask(self, retries: int) -> Asked:
        """Read everything once; raises `SourceFailed`. When its first block has no answer no other is asked for."""
        waiting, kept = [*self._blocks, *self._once_more()][::-1], list[Block]()
        came, last = list[tuple[Block, bytes]](), list[Block]()
        refused: list[tuple[Block, int]] = []
        fault, answered_us, silent = "", 0, 0
        while waiting:
            block = waiting.pop()
            try:
                came.append(await self._read(block, retries))
                answered_us = self._present_us()
                kept.append(block)
                self._mute.pop(block, None)
            except NoAnswer as error:
                fault = str(error)
                if not came:
                    kept, last = [*kept, *reversed(waiting)], [*last, block]  # another one is the first next time
                    break
                self._mute[block] += 1
                if self._mute[block] < _MUTE_AFTER:
                    last.append(block)
                else:
                    self._without(block, 0, waiting, refused)
                silent += 1
                if silent == _MOST_SILENT:
                    last += reversed(waiting)
                    break
            except Refused as error:
                if error.code in _NOT_THERE:
                    self._without(block, error.code, waiting, refused)
                else:
                    fault = str(error)
                    kept.append(block)
        if not came and not fault:  # asleep, or another device: everything is asked for again
            block, code = refused[0]
            return Asked(None, None, f"unit {self.meter.unit} has none of its registers: {meaning(code)} for {block}")
        self._blocks = [*kept, *last]
        told = self._noted(refused, came)
        if not came:
            return Asked(None, None, fault, told)
        answered = tuple(block for block, _ in came)
        raw = b"".join(registers for _, registers in came)
        message = Message(raw, where_of(self.meter.unit, answered), answered_us)
        return Asked(message, self._layout(answered), fault, told)

    def _once_more(self) -> list[Block]:
        """What was refused, when it is time: a device may have it later, as after its start."""
        self._rounds += 1
        if self._rounds <= _AGAIN_AFTER and self._present_us() - self._since_us < _AGAIN_AFTER_US:
            return []
        self._rounds, self._since_us = 0, self._present_us()
        return sorted(self._lacking.difference(self._blocks))

    def _noted(
        self, refused: Sequence[tuple[Block, int]], came: Sequence[tuple[Block, bytes]]
    ) -> tuple[tuple[Block, int], ...]:
        """Of what was refused that which is new; where something came that had been refused, all is planned anew."""
        if any(block in self._lacking for block, _ in came):
            self._blocks, self._lacking = self.meter.plan(), set()
        else:
            self._lacking = {*self._lacking, *(block for block, code in refused if code)}
        new = tuple(one for one in refused if one[0] not in self._told)
        self._told.update(block for block, _ in new)
        return new

    def _without(self, block: Block, code: int, waiting: list[Block], refused: list[tuple[Block, int]]) -> None:
        """A block that is not there is asked for in smaller ones, until the number that is not there stands alone."""
        smaller = finer(block, self.meter.spans)
        waiting += reversed(smaller)
        inside = inside_of(block, self.meter.spans)
        refused += [(Block(*span), code) for span in inside if not any(one.holds(span) for one in smaller)]

    async def _read(self, block: Block, retries: int) -> tuple[Block, bytes]:
        while True:
            try:
                return block, await self._bus.read(self.meter.unit, block, self._timeout_s)
            except NoAnswer:
                if retries <= 0:
                    raise
                retries -= 1

    def _layout(self, blocks: tuple[Block, ...]) -> Layout:
        known = self._layouts.get(blocks)
        if known is None:
            if len(self._layouts) > len(self._blocks):
                self._layouts.clear()
            known = self._layouts[blocks] = Layout(self.meter, blocks)
        return known
