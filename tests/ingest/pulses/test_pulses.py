"""Pulse meters: every form of line, bad ones refused with reason, ports that are lost and plugged in again."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from wattstead.ingest.pulses.lines import Blink, Told, read
from wattstead.ingest.pulses.source import PulseSettings, decode, look, run
from wattstead.ingest.pulses.stamps import Stamps
from wattstead.ingest.sources.source_protocol import Message, SourceFailed, Unreadable

PAYLOADS = Path(__file__).parent.parent.parent / "payloads" / "pulses"
NOW_MS = 1_700_000_000_000


@pytest.mark.unit
@pytest.mark.parametrize(
    "raw, found",
    [
        (b"1234\r", Blink(1, 1234)), (b" 2 12", Blink(2, 12)), (b"V2 90\r\n", Blink(2, 90)), (b"v1\t5", Blink(1, 5)),
        (b"007 5", Blink(7, 5)), (b"1 2147483647", Blink(1, 2**31 - 1)),
        (b"CONNECTED blipduino 1.2", Told("CONNECTED blipduino 1.2")),
        (rb"INFO 1 Fensmarksgade\20fl\c3\b8j", Told("meter 1: Fensmarksgade fløj")),
    ],
)  # fmt: skip
def test_lines(raw: bytes, found: Blink | Told) -> None:
    assert read(raw) == found


@pytest.mark.unit
@pytest.mark.parametrize(
    "raw, words",
    [
        (b"", "no line of a pulse meter"), (b"abc", "no line"), (b"-5", "no line"), (b"1 2 3", "no line"),
        (b"12.5", "no line"), (b"\xff\xfe12", "no line"), (b"INFO x text", "no line"), (b"1 0", "0 ms"),
        (b"2147483648", "lie outside"), (b"0 500", "meter 0 lies outside"), (b"123456 500", "lies outside"),
        (b"9" * 190, "no line"),
    ],
)  # fmt: skip
def test_bad_lines_say_what_is_wrong(raw: bytes, words: str) -> None:
    with pytest.raises(Unreadable, match=words):
        read(raw)


@pytest.mark.unit
def test_noise_and_strange_meters_are_refused() -> None:
    with pytest.raises(Unreadable, match="outside 600"):
        read(b"1 599", shortest_ms=600)
    with pytest.raises(Unreadable, match=r"none of those that are expected here \(1, 2\)"):
        read(b"3 700", meters=[2, 1])


@pytest.mark.unit
def test_a_blink_is_one_pulse_and_its_milliseconds() -> None:
    found = decode(Message(b"2 1234", "tty", NOW_MS * 1000), PulseSettings(port="tty"))
    assert (list(found.names.addresses), found.values) == (["pulse/2/blinks", "pulse/2/ms"], [1.0, 1234.0])
    assert (found.time_us, found.untimed) == (NOW_MS * 1000, False)
    again = decode(Message(b"2 99", "tty", NOW_MS * 1000), PulseSettings(port="tty"))
    assert again.names is found.names
    with pytest.raises(Unreadable, match="no reading"):
        decode(Message(b"CONNECTED", "tty", 0), PulseSettings(port="tty"))


@pytest.mark.unit
def test_stamps_are_set_apart_and_grow() -> None:
    stamps = Stamps()
    assert stamps.of([Blink(1, 500), Blink(2, 70), Blink(1, 200)], 10_000) == [9_800, 10_000, 10_000]
    assert stamps.of([Blink(1, 30)], 10_000) == [10_001]
    assert stamps.of([Blink(1, 30)], 9_000) == [10_002]  # the clock was set back a little
    assert stamps.of([Blink(1, 30)], 10_002 - 120_000) == [10_002 - 120_000]  # or much
    late = Stamps().of([Blink(1, 1_000)] * 5, 100_000)
    assert late == [96_000, 97_000, 98_000, 99_000, 100_000]


async def test_a_port_with_a_recorded_board(port: Any, way: Any, running: Any) -> None:
    task = running(run, PulseSettings(port=str(port.link)), way)
    await way.until(lambda: way.to)
    for line in (PAYLOADS / "blipduino.txt").read_bytes().splitlines(keepends=True):
        port.say(line[:3])
        port.say(line[3:])
    await way.until(lambda: len(way.readings) == 12 and len(way.refused) == 3)
    task.cancel()
    assert [row[::2] for row in way.readings] == [
        (f"pulse/{meter}/{name}", value)
        for meter, ms in ((1, 1520), (2, 903), (1, 1499), (2, 911), (1, 1503), (2, 17_250))
        for name, value in (("blinks", 1.0), ("ms", float(ms)))
    ]
    assert [raw for raw, _ in way.refused] == [b"1 88", b"2 12x4", b"garbage \xfe\xff"]
    assert "first 2 lines" in way.refused[0][1]
    assert any("Arresøgadefløjen" in told for told in way.to)
    stamps = {(address, time_us) for address, time_us, _ in way.readings}
    assert len(stamps) == 12 and all(time_us % 1000 == 0 for _, time_us in stamps)


async def test_a_port_that_is_pulled_out_and_plugged_in_again(port: Any, way: Any, running: Any) -> None:
    settings = PulseSettings(port=str(port.link), passed_over=1)
    task = running(run, settings, way)
    await way.until(lambda: way.to)
    port.say(b"7\n1000\n")
    await way.until(lambda: len(way.readings) == 2)
    port.unplug()
    with pytest.raises(SourceFailed, match="has gone"):
        await task
    port.link.unlink()
    with pytest.raises(SourceFailed, match="cannot be opened: there is none of that name; is it plugged in"):
        await run(settings, way)
    port.plug()
    task = running(run, settings, way)
    await way.until(lambda: len(way.to) == 2)
    port.say(b"3\n2000\n")
    await way.until(lambda: len(way.readings) == 4)
    task.cancel()


async def test_a_line_without_end_costs_no_memory(port: Any, way: Any, running: Any) -> None:
    task = running(run, PulseSettings(port=str(port.link), passed_over=1), way)
    await way.until(lambda: way.to)
    for _ in range(40):
        port.say(b"1" * 100)
    port.say(b"\n500\n")
    await way.until(lambda: way.readings)
    task.cancel()
    assert [len(raw) for raw, _ in way.refused] == [201]
    assert [value for *_, value in way.readings] == [1.0, 500.0]


async def test_over_tcp_and_who_else_has_the_port(port: Any, way: Any, running: Any) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"5\n700\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    where = f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    with pytest.raises(SourceFailed, match="closed it"):
        await run(PulseSettings(port=where, passed_over=1), way)
    assert [value for *_, value in way.readings] == [1.0, 700.0]
    server.close()
    await server.wait_closed()
    with pytest.raises(SourceFailed, match="cannot be reached"):
        await run(PulseSettings(port=where), way)
    with pytest.raises(SourceFailed, match="names no host") as failed:
        await run(PulseSettings(port="tcp://nowhere"), way)
    assert failed.value.hopeless
    task = running(run, PulseSettings(port=str(port.link)), way)
    await way.until(lambda: str(port.link) in way.to)
    with pytest.raises(SourceFailed, match="another program is using it"):
        await run(PulseSettings(port=str(port.link)), way)
    task.cancel()


async def test_no_other_file_is_opened(way: Any, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/dev/null")
    for where in (str(tmp_path), "/dev/null", "/etc/hostname", str(tmp_path / "link")):
        with pytest.raises(SourceFailed, match="is no serial port") as failed:
            await run(PulseSettings(port=where), way)
        assert failed.value.hopeless


async def test_looking_around_names_ports() -> None:
    assert isinstance(await look(None, {}), list)
