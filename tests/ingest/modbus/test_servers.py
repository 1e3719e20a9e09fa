"""Servers of another's making: Modbus TCP, serial frames over TCP, and a serial line of two pseudo-terminals."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import AsyncIterator

import pytest
import serial
from pymodbus import FramerType
from pymodbus.server import ModbusSerialServer, ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice
from tests.ingest.modbus.devices import PAYLOADS, Image, line
from tests.ingest.modbus.test_polling import failure, running
from tests.ingest.recording_way import RecordingWay

from wattstead.ingest.modbus.bus import NoAnswer, opened
from wattstead.ingest.modbus.frames import crc
from wattstead.ingest.modbus.look import look
from wattstead.ingest.modbus.plan import Block
from wattstead.ingest.modbus.settings import Device, ModbusSettings
from wattstead.ingest.sources import wire
from wattstead.ingest.sources.source_protocol import SourceFailed

METERS = {1: "eastron-sdm630", 5: "abb-b23", 9: "fronius-symo"}
DEVICES = tuple(Device(unit_id=unit, template=template) for unit, template in METERS.items())


def devices() -> list[SimDevice]:
    """Three devices with the registers of their payloads and no others: what lies between is refused."""
    return [SimDevice(unit, simdata=blocks(Image(PAYLOADS / f"{template}.txt"))) for unit, template in METERS.items()]


def blocks(image: Image) -> tuple[list[SimData], list[SimData], list[SimData], list[SimData]]:
    bits = [SimData(0, values=[False] * 16, datatype=DataType.BITS)]
    tables = {"holding": [SimData(0, values=[0], datatype=DataType.REGISTERS)]}
    tables["input"] = list(tables["holding"])
    for table in {kind for kind, _ in image.registers}:
        runs: dict[int, list[int]] = {}
        for at, word in sorted((at, word) for (kind, at), word in image.registers.items() if kind == table):
            start = next((start for start, words in runs.items() if start + len(words) == at), at)
            runs.setdefault(start, []).append(word)
        tables[table] = [SimData(at, values=words, datatype=DataType.REGISTERS) for at, words in runs.items()]
    return bits, bits, tables["holding"], tables["input"]


@contextlib.asynccontextmanager
async def served(server: ModbusTcpServer | ModbusSerialServer) -> AsyncIterator[None]:
    await server.serve_forever(background=True)
    try:
        yield
    finally:
        await server.shutdown()


async def read_by(settings: ModbusSettings) -> RecordingWay:
    way = RecordingWay()
    async with running(settings, way):
        await way.until(
            lambda way: len({message.where.split()[1] for _, message in way.messages}) == 3 and len(way.messages) >= 6
        )
    for unit, template in METERS.items():
        image = Image(PAYLOADS / f"{template}.txt")
        kept = [columns for columns, message in way.messages if message.where.startswith(f"unit {unit} ")]
        for address, value in image.expected.items():
            found = [
                float(c.value[row])
                for c in kept
                for row in range(len(c))
                if c.names.address(row) == f"{template}/{address}"
            ]
            assert found == pytest.approx([value] * len(kept)), address
    assert not way.refused
    return way


@pytest.mark.parametrize("link, framer", [("tcp", FramerType.SOCKET), ("rtu-over-tcp", FramerType.RTU)])
async def test_over_tcp(link: str, framer: FramerType, free_port: int) -> None:
    settings = ModbusSettings(link=link, host="127.0.0.1", port=free_port, devices=DEVICES, every_s=0.2)  # type: ignore[arg-type]
    async with served(ModbusTcpServer(devices(), framer=framer, address=("127.0.0.1", free_port))):
        await read_by(settings)
        found = {one.where: one for one in await look(settings, {"what": "scan", "last": 9})}
        assert found["unit 1"].value == "answers"
        assert found["unit 5"].value == "answers with exception 2 (illegal data address)"
        assert found["unit 9"].name == "Fronius Symo 5.0-3-M 34119102"
        assert found["unit 9"].settings == {"devices": [{"unit_id": 9, "template": "fronius-symo"}]}
    assert "cannot be reached" in str(await failure(settings, RecordingWay()))


async def test_over_a_serial_line() -> None:
    async with line() as (ours, theirs):
        settings = ModbusSettings(link="serial", serial=ours, baud=115_200, devices=DEVICES, every_s=0.2)
        async with served(ModbusSerialServer(devices(), framer=FramerType.RTU, port=theirs, baudrate=115_200)):
            way = await read_by(settings)
    assert way.others == [ours]


async def test_a_line_is_opened_beside_the_loop_and_by_one_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A USB adapter may take its time, in which the loop goes on."""
    opening = list[str]()

    class Slow(serial.Serial):  # type: ignore[misc]
        def open(self) -> None:
            opening.append(threading.current_thread().name)
            super().open()

    monkeypatch.setattr(serial, "Serial", Slow)
    async with line() as (ours, _):
        settings = ModbusSettings(link="serial", serial=ours, devices=DEVICES)
        async with opened(settings):
            with pytest.raises(SourceFailed, match="cannot be opened: another program is using it"):
                async with wire.opened(ours, wire.Line(), lambda: 0):
                    pass
    assert len(opening) == 2 and threading.current_thread().name not in opening


async def test_a_line_that_is_not_there_or_goes(tmp_path: object) -> None:
    settings = ModbusSettings(link="serial", serial=f"{tmp_path}/ttyUSB7", devices=DEVICES)
    error = await failure(settings, RecordingWay())
    assert "ttyUSB7 cannot be opened: there is none of that name; is it plugged in?" in str(error)
    assert not error.hopeless
    assert (await failure(ModbusSettings(link="serial", devices=DEVICES), RecordingWay())).hopeless
    other = await failure(ModbusSettings(link="serial", serial="/dev/../etc/hostname", devices=DEVICES), RecordingWay())
    assert other.hopeless and "is no serial port" in str(other), "no other file of this machine is opened"
    master, slave = os.openpty()
    settings = ModbusSettings(link="serial", serial=os.ttyname(slave), devices=DEVICES, every_s=0.2, timeout_s=30)
    async with running(settings, RecordingWay()) as task:
        asked = await asyncio.get_running_loop().run_in_executor(None, os.read, master, 8)
        assert asked[:2] == b"\x01\x04"
        os.close(master)
        with pytest.raises(SourceFailed, match="has gone"):
            await asyncio.wait_for(task, 60)
    os.close(slave)


async def test_an_answer_that_comes_too_late_is_none_to_the_next_question() -> None:
    """Frames of the line have no number: of two questions alike the second had the first one's registers."""
    asked: list[int] = []
    in_vain = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                question = await reader.readexactly(8)
                asked.append(question[3])
                await in_vain.wait()  # the first one's comes while others are asked
                said = question[:2] + b"\x02\x00" + question[3:4]
                writer.write(said + crc(said))
        writer.close()

    served = await asyncio.start_server(serve, "127.0.0.1", 0)
    made = ModbusSettings(link="rtu-over-tcp", host="127.0.0.1", port=served.sockets[0].getsockname()[1])
    async with opened(made) as bus:
        with pytest.raises(NoAnswer):
            await bus.read(1, Block("holding", 7, 1), 1.0)
        in_vain.set()
        assert await bus.read(1, Block("holding", 9, 1), 60) == b"\x00\x09"
        assert await bus.read(1, Block("holding", 7, 1), 60) == b"\x00\x07"
    assert asked == [7, 9, 7]
    served.close()
