"""``wattstead modbus``: looks at devices from this machine; needs no server and keeps nothing."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import typer

from wattstead.ingest.modbus.look import look
from wattstead.ingest.modbus.settings import ModbusSettings
from wattstead.ingest.sources.source_protocol import Found

_RANGE_BEGINS_AT = "127.0.0.1"
"""Stands for the host while a range is scanned; nobody is asked there."""


def run(what: str, bus: str, rtu: bool, baud: int, parity: Any, timeout_s: float, **wish: Any) -> int:
    """Print what was found; exit code 1 when nothing was, or something of it has a fault."""
    wish = {**wish, "what": what}
    if what == "scan":
        wish["timeout_s"] = timeout_s
        if ("/" in bus.lstrip("/") and not bus.startswith("/")) or "-" in bus.rpartition(".")[2]:
            wish["hosts"], bus = bus, _RANGE_BEGINS_AT
    settings = settings_of(bus, rtu, baud, parity, timeout_s)
    found = asyncio.run(look(settings, wish))
    for one in found:
        typer.echo(line_of(one))
    if not found:
        typer.echo("nobody answers")
    return 0 if found and not any(one.fault for one in found) else 1


def settings_of(bus: str, rtu: bool, baud: int, parity: Any, timeout_s: float) -> ModbusSettings:
    """A bus as it is written on the command line.

    >>> settings_of("10.0.0.7:1502", False, 9600, "none", 1.0).where
    '10.0.0.7:1502'
    """
    if bus.startswith("/"):
        return ModbusSettings(link="serial", serial=bus, baud=baud, parity=parity, timeout_s=timeout_s)
    host, colon, port = bus.rpartition(":")
    if not colon or not port.isdecimal():
        host, port = bus, "502"
    return ModbusSettings(link="rtu-over-tcp" if rtu else "tcp", host=host, port=int(port), timeout_s=timeout_s)


def line_of(one: Found) -> str:
    """What was found, on one line; what to add to the settings where it is short."""
    number = f"{one.value} {one.unit}".strip()
    text = "  ".join(filter(None, (f"{one.where:24}", one.name, number)))
    device = json.dumps(one.settings, ensure_ascii=False) if one.settings else ""
    if 0 < len(device) < 120:
        text += f"  {device}"
    return f"{text}  BAD {one.fault}" if one.fault else text
