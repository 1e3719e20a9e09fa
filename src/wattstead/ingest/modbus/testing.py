"""Testing a device: every register with its value, why it has none, and whether it can be right."""

from __future__ import annotations

import time

import numpy as np

from wattstead.ingest.modbus.asking import Inquiry
from wattstead.ingest.modbus.bus import Bus
from wattstead.ingest.modbus.frames import meaning
from wattstead.ingest.modbus.meters import Meter
from wattstead.ingest.modbus.settings import ModbusSettings
from wattstead.ingest.sources.source_protocol import Found
from wattstead.metering.quantity import UNITS

_PLAUSIBLE: dict[str, tuple[float, float]] = {
    "V": (-2_000, 500_000), "A": (-20_000, 20_000), "Hz": (-1, 500), "°C": (-100, 500), "%": (-200, 1_000),
    "W": (-1e9, 1e9), "VA": (-1e9, 1e9), "var": (-1e9, 1e9), "Wh": (-1e13, 1e13),
}  # fmt: skip
"""Between what a number in a base unit lies when it was read in the right form."""


async def tested(bus: Bus, meter: Meter, settings: ModbusSettings) -> list[Found]:
    """What each register of a device says now, and what is wrong with it; raises `SourceFailed`."""
    asked = await Inquiry(bus, meter, settings.timeout_s, lambda: time.time_ns() // 1000).ask(settings.retries)
    refused = {(block.table, block.at): meaning(code) for block, code in asked.refused}
    values: dict[str, float] = {}
    wrong = ""
    if asked.layout is not None and asked.message is not None:
        number, there, rejected = asked.layout.values(asked.message.raw)
        values = {one.name: float(number[row]) for row, one in enumerate(asked.layout.registers) if there[row]}
        wrong = rejected.listed[0].reason if rejected else ""
        answered = {one.name for one in asked.layout.registers}
    else:
        answered = set()
    found = []
    for one in meter.registers:
        value = values.get(one.name)
        fault = _implausible(value, one.unit)
        if value is None:
            none = wrong or "the device says that it has no value here" if one.name in answered else asked.fault
            fault = refused.get((one.table, one.at), none) or "it did not answer for this register"
        found.append(
            Found(
                where=f"unit {meter.unit} {one.table} {one.at}",
                name=meter.prefix + one.name,
                value="" if value is None else shown(value, one.form),
                unit=one.unit,
                fault=fault,
            )
        )
    return found


def _implausible(value: float | None, unit: str) -> str:
    """Why a number was hardly read as it was written; empty where it may be right.

    >>> _implausible(230.1, "V"), _implausible(3.1e30, "V")[:23]
    ('', '3.1e+30 V is not plausi')
    """
    known = UNITS.get(unit)
    if value is None or known is None or known.base not in _PLAUSIBLE:
        return ""
    low, high = _PLAUSIBLE[known.base]
    if low <= value * known.factor + known.offset <= high:
        return ""
    return f"{value:.3g} {unit} is not plausible; look at form, word order and scale"


def shown(number: float, form: str) -> str:
    """A number for people, with the digits that its form has.

    >>> shown(49.97999954223633, "float32"), shown(10542370.0, "int64")
    ('49.98', '10542370')
    """
    exact = np.float32(number) if form.startswith("float32") else np.float64(number)
    return np.format_float_positional(exact, trim="-")
