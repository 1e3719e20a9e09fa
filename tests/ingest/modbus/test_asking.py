"""Asking one device: what it refused once is asked for again, without telling it again."""

from __future__ import annotations

from typing import Any

import pytest

from wattstead.ingest.modbus.asking import Inquiry
from wattstead.ingest.modbus.bus import Refused
from wattstead.ingest.modbus.meters import meters_of
from wattstead.ingest.modbus.plan import Block
from wattstead.ingest.modbus.settings import Device, ModbusSettings

pytestmark = pytest.mark.unit
HOUR_US = 3_600_000_000


class StartingDevice:
    """Refuses a register until it has started."""

    def __init__(self) -> None:
        self.started = False
        self.asked: list[Block] = []

    async def read(self, unit: int, block: Block, timeout_s: float) -> bytes:
        self.asked.append(block)
        if not self.started and block.at <= 74 < block.end:
            raise Refused(unit, block, 2)
        return bytes(2 * block.words)


def inquiry(device: StartingDevice, now_us: list[int]) -> Inquiry:
    settings = ModbusSettings(host="h", devices=(Device(unit_id=1, template="eastron-sdm630"),))
    bus: Any = device
    return Inquiry(bus, meters_of(settings)[0], 1.0, lambda: now_us[0])


@pytest.mark.parametrize(("step_us", "rounds"), [(1, 100), (HOUR_US // 4, 4)])
async def test_what_was_refused_is_asked_for_again(step_us: int, rounds: int) -> None:
    device, now_us = StartingDevice(), [0]
    asking = inquiry(device, now_us)
    lacking = Block("input", 74, 2)
    told = []
    for _ in range(2 * rounds + 2):
        asked = await asking.ask(0)
        assert asked.message is not None and not asked.fault
        told += asked.refused
        now_us[0] += step_us
    assert told == [(lacking, 2)], "told once"
    assert device.asked.count(lacking) == 3
    device.started = True
    for _ in range(rounds + 2):
        last = await asking.ask(0)
        now_us[0] += step_us
    assert last.layout is not None and last.message is not None
    assert len(last.layout.columns(last.message)) == 13 and not last.refused
    assert device.asked[-2:] == asking.meter.plan(), "in as few requests as before"
