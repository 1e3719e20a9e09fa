"""``wattstead modbus``: looks at devices from this machine; needs no server and keeps nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import typer

from wattstead.ingest.modbus.look import look, scan_hosts
from wattstead.ingest.modbus.settings import ModbusSettings
from wattstead.ingest.sources.source_protocol import Found

_UNITS = 247
"""On a serial line, as the protocol has them."""


def run(what: str, bus: str, rtu: bool, baud: int, parity: Any, timeout_s: float, **wish: Any) -> int:
    """Print what was found; exit code 1 when nothing was, or something of it has a fault."""
    settings = settings_of(bus, rtu, baud, parity, timeout_s)
    if what == "scan" and is_range(bus):
        found: Sequence[Found] = asyncio.run(scan_hosts(settings, bus, wish["unit"], timeout_s))
    else:
        if what == "scan":
            last = wish["last"] or (_UNITS if settings.link == "serial" else 0)
            wish = {"first": wish["first"], "last": last, "timeout_s": timeout_s}
        found = asyncio.run(look(settings, {**wish, "what": what}))
    for one in found:
        typer.echo(line_of(one))
    if not found:
        typer.echo("nobody answers")
    return 0 if found and not any(one.fault for one in found) else 1


def is_range(bus: str) -> bool:
    """Whether it names many hosts.

    >>> is_range("10.0.0.0/24"), is_range("10.0.0.1-9"), is_range("/dev/ttyS0"), is_range("my-gateway")
    (True, True, False, False)
    """
    first, _, last = bus.rpartition("-")
    return not bus.startswith("/") and ("/" in bus or (first.count(".") == 3 and last.isdecimal()))


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
