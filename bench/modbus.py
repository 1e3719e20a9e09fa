"""Modbus: 100 devices of 120 registers each, asked every second, to durable; the devices run in a process of their own.

``python bench/modbus.py PORTS…`` is that process.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import struct
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import cast

import structlog
import uvloop

import machine
from doorway import Doorway, reception
from process import ServerProcess
from report import Table, figure
from wattstead.ingest.modbus.bus import opened
from wattstead.ingest.modbus.plan import Block
from wattstead.ingest.modbus.polling import run
from wattstead.ingest.modbus.settings import Device, ModbusSettings, NamedRegister

DEVICES, REGISTERS, EVERY_S = 100, 120, 1.0
_SETTLE_S = 3.0


class _Answers(asyncio.Protocol):
    """A gateway whose devices have every register."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport, self.rest = cast(asyncio.Transport, transport), b""

    def data_received(self, data: bytes) -> None:
        self.rest += data
        while len(self.rest) >= 12:
            number, _, _, unit, function, at, count = struct.unpack(">HHHBBHH", self.rest[:12])
            self.rest = self.rest[12:]
            words = b"".join((at + step + number & 0x7FFF).to_bytes(2, "big") for step in range(count))
            head = struct.pack(">HHHBBB", number, 0, 3 + len(words), unit, function, len(words))
            self.transport.write(head + words)


def _free_ports(count: int) -> list[int]:
    """So many ports that nobody listens on, each once."""
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


async def _devices(ports: Sequence[int]) -> None:
    loop = asyncio.get_running_loop()
    servers = [await loop.create_server(_Answers, "127.0.0.1", port) for port in ports]
    await asyncio.gather(*(server.serve_forever() for server in servers))


def _settings(port: int, units: int) -> ModbusSettings:
    registers = tuple(
        NamedRegister(name=f"register {at}", table="input", at=at, form="uint16", factor=0.1, unit="V")
        for at in range(REGISTERS)
    )
    devices = tuple(Device(unit_id=unit, prefix=f"{unit}/", registers=registers) for unit in range(1, units + 1))
    return ModbusSettings(host="127.0.0.1", port=port, every_s=EVERY_S, devices=devices)


async def _ours(folder: Path, ports: Sequence[int], seconds: float) -> tuple[float, float]:
    async with reception(folder) as way_in:
        ways = [Doorway(way_in, number) for number in range(len(ports))]
        made = [_settings(port, DEVICES // len(ports)) for port in ports]
        tasks = [asyncio.create_task(run(*pair)) for pair in zip(made, ways, strict=True)]
        try:
            return await _measured(lambda: sum(way.readings for way in ways), seconds)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def _library(ports: Sequence[int], seconds: float) -> tuple[float, float]:
    """The same requests by pymodbus, its numbers thrown away."""
    from pymodbus.client import AsyncModbusTcpClient  # noqa: PLC0415 - for comparison only

    read = 0

    async def poll(port: int, units: int) -> None:
        nonlocal read
        client = AsyncModbusTcpClient("127.0.0.1", port=port)
        await client.connect()
        with contextlib.closing(client):
            while True:
                await asyncio.sleep(EVERY_S - time.time() % EVERY_S)
                for unit in range(1, units + 1):
                    answer = await client.read_input_registers(0, count=REGISTERS, device_id=unit)
                    read += len(answer.registers)

    tasks = [asyncio.create_task(poll(port, DEVICES // len(ports))) for port in ports]
    try:
        return await _measured(lambda: read, seconds)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _frames(ports: Sequence[int], seconds: float) -> tuple[float, float]:
    """The same by our own frames, the numbers thrown away."""
    read = 0

    async def poll(port: int, units: int) -> None:
        nonlocal read
        async with opened(_settings(port, 1)) as bus:
            while True:
                await asyncio.sleep(EVERY_S - time.time() % EVERY_S)
                for unit in range(1, units + 1):
                    registers = await bus.read(unit, Block("input", 0, REGISTERS), 30.0)
                    read += len(registers) // 2

    tasks = [asyncio.create_task(poll(port, DEVICES // len(ports))) for port in ports]
    try:
        return await _measured(lambda: read, seconds)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _measured(count: Callable[[], int], seconds: float) -> tuple[float, float]:
    """Readings a second, and the part of a core that this process took meanwhile."""
    await asyncio.sleep(_SETTLE_S)
    before, begun, cpu = count(), time.perf_counter(), time.process_time()
    await asyncio.sleep(seconds)
    span = time.perf_counter() - begun
    return (count() - before) / span, (time.process_time() - cpu) / span


def bench(folder: Path, seconds: int) -> Table:
    """Ours on 100 buses and on 10, and the library alone on the same."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    table = Table(
        "modbus",
        f"Modbus: {DEVICES} devices × {REGISTERS} registers every second",
        ["what", "buses", "readings/s", "of a core"],
        "bench/run.py modbus",
        machine.sentence(),
        notes=[
            "To durable: asked, decoded, scaled, resolved to points, synced to the journal's disk. The devices run in "
            "a process of their own, which is not counted. Read only: the same requests, the numbers thrown away. The "
            "library costs about the same: our frames are there for late answers, exceptions and serial lines, not for "
            "speed."
        ],
    )
    for buses in (100, 10):
        ports = _free_ports(buses)
        cases: list[tuple[str, Callable[[Path], Awaitable[tuple[float, float]]]]] = [
            ("to durable", lambda fresh, ports=ports: _ours(fresh, ports, seconds)),
            ("our frames, read only", lambda fresh, ports=ports: _frames(ports, seconds)),
            ("pymodbus, read only", lambda fresh, ports=ports: _library(ports, seconds)),
        ]
        with ServerProcess([sys.executable, __file__, *map(str, ports)], folder / f"devices-{buses}.log") as devices:
            devices.wait_for(ports[-1])
            for name, case in cases:
                with tempfile.TemporaryDirectory(dir=folder) as fresh:
                    rate, core = uvloop.run(case(Path(fresh)))
                table.rows.append([name, str(buses), figure(rate), f"{core:.1%}"])
    return table


if __name__ == "__main__":
    uvloop.run(_devices([int(word) for word in sys.argv[1:]]))
