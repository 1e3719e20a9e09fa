"""Devices on a bus: those that answer keep their pace whatever the others do; what comes is kept, and nothing else."""

from __future__ import annotations

import asyncio
import contextlib
import struct
import time
from collections.abc import AsyncIterator

import pytest
from tests.ingest.modbus.devices import PAYLOADS, Gateway, Image, answering, gateway
from tests.ingest.recording_way import RecordingWay

from wattstead.ingest.modbus.layout import decode
from wattstead.ingest.modbus.polling import Turn, next_instant_us, run
from wattstead.ingest.modbus.settings import Device, ModbusSettings, NamedRegister
from wattstead.ingest.sources.source_protocol import SourceFailed

METER = Image(PAYLOADS / "eastron-sdm630.txt")


def settings(port: int, *devices: Device, **more: object) -> ModbusSettings:
    chosen = devices or (Device(unit_id=1, template="eastron-sdm630"),)
    given = {"every_s": 0.1, "timeout_s": 0.2, "retries": 0, **more}
    return ModbusSettings(host="127.0.0.1", port=port, devices=chosen, **given)  # type: ignore[arg-type]


@contextlib.asynccontextmanager
async def running(made: ModbusSettings, way: RecordingWay) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(run(made, way))
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def failure(made: ModbusSettings, way: RecordingWay) -> SourceFailed:
    with pytest.raises(SourceFailed) as found:
        async with asyncio.timeout(60):
            await run(made, way)
    return found.value


async def test_a_meter_is_read_at_whole_multiples_and_stamped_when_it_answered() -> None:
    way = RecordingWay()
    async with gateway(answering({1: METER.registers})) as device, running(settings(device.port), way):
        begun_us = way.present_us()
        await way.until(lambda way: len(way.messages) >= 5)
        ended_us = way.present_us()
    assert way.others == [f"127.0.0.1:{device.port}"]
    assert set(device.asked) == {(1, 4, 0, 18), (1, 4, 52, 24)}, "two requests, gaps of more than 16 are not read along"
    for address, value in METER.expected.items():
        found = way.readings("eastron-sdm630/" + address)
        assert [one for _, one in found] == pytest.approx([value] * len(found))
        times = [at for at, _ in found]
        assert times == sorted(set(times)) and begun_us <= times[0] <= times[-1] <= ended_us
        instants = [at // 100_000 for at in times]
        assert len(instants) == len(set(instants)), "never twice in an interval"


async def test_what_was_kept_can_be_read_again_from_its_message() -> None:
    way = RecordingWay()
    async with gateway(answering({1: METER.registers})) as device, running(settings(device.port), way):
        await way.until(lambda way: bool(way.messages))
        columns, message = way.messages[0]
    again = decode(message, settings(1))
    assert again.value.tolist() == columns.value.tolist()
    assert [again.names.address(row) for row in range(len(again))] == [
        columns.names.address(row) for row in range(len(columns))
    ]
    assert message.where == "unit 1 input 0+18 input 52+24"


async def test_a_dead_device_does_not_hold_up_the_others() -> None:
    way = RecordingWay()
    dead = [Device(unit_id=unit, template="eastron-sdm630", prefix=f"{unit}/") for unit in (2, 3)]
    three = Device(unit_id=1, template="eastron-sdm630", prefix="1/"), *dead
    async with (
        gateway(answering({1: METER.registers})) as device,
        running(settings(device.port, *three, every_s=0.2), way),
    ):
        await way.until(lambda way: len(way.messages) >= 15)
    living = [at for at, one in enumerate(device.asked) if one[0] == 1]
    tried = len(device.asked) - len(living)
    assert tried < len(living) / 2, "the dead are tried more and more seldom"
    assert "1 of 3 devices answer (unit 2 did not answer for input" in way.others[-1]


async def test_a_device_that_comes_back_is_heard_again() -> None:
    way, devices = RecordingWay(), {1: METER.registers}
    pair = (
        Device(unit_id=1, template="eastron-sdm630", prefix="1/"),
        Device(unit_id=2, template="eastron-sdm630", prefix="2/"),
    )
    async with gateway(answering(devices)) as device, running(settings(device.port, *pair, timeout_s=0.05), way):
        await way.until(lambda way: "1 of 2" in (way.others or [""])[-1])
        devices[2] = METER.registers
        await way.until(lambda way: bool(way.readings("2/power")))
        await way.until(lambda way: way.others[-1] == f"127.0.0.1:{device.port}")


async def test_a_bus_on_which_nobody_answers_is_given_up() -> None:
    way = RecordingWay()
    async with gateway(answering({})) as device:
        error = await failure(settings(device.port), way)
    assert "no device on 127.0.0.1:" in str(error) and "unit 1 did not answer for input" in str(error)
    assert not error.hopeless and not way.others and not way.messages


async def test_an_answer_is_asked_for_again_as_often_as_told() -> None:
    way, lost, good = RecordingWay(), [True, True], answering({1: METER.registers})
    answer = lambda *asked: None if lost and lost.pop() else good(*asked)  # noqa: E731
    async with gateway(answer) as device, running(settings(device.port, retries=2), way):
        await way.until(lambda way: bool(way.messages))
    assert device.asked[:4] == [(1, 4, 0, 18)] * 3 + [(1, 4, 52, 24)]
    assert way.others == [f"127.0.0.1:{device.port}"]


async def test_a_device_that_refuses_gaps_is_read_without_them() -> None:
    way = RecordingWay()
    exact = Device(unit_id=1, template="eastron-sdm630", longest_gap=60)
    async with (
        gateway(answering({1: METER.registers}, only_exact=True)) as device,
        running(settings(device.port, exact), way),
    ):
        await way.until(lambda way: len(way.messages) >= 3)
    assert device.asked[:5] == [(1, 4, 0, 76), (1, 4, 0, 18), (1, 4, 52, 2), (1, 4, 70, 6), (1, 4, 0, 18)]
    assert all(len(columns) == 13 for columns, _ in way.messages) and not way.refused


async def test_a_device_that_answers_short_blocks_only() -> None:
    way = RecordingWay()
    async with gateway(answering({1: METER.registers}, longest=8)) as device, running(settings(device.port), way):
        await way.until(lambda way: len(way.messages) >= 2)
        assert all(count <= 8 for _, _, _, count in device.asked[-4:])
    assert all(len(columns) == 13 for columns, _ in way.messages) and not way.refused


async def test_a_register_that_is_not_there_is_named_once_and_the_others_are_read() -> None:
    way = RecordingWay()
    lacking = {place: word for place, word in METER.registers.items() if place[1] not in (74, 75)}
    async with gateway(answering({1: lacking}, only_exact=True)) as device, running(settings(device.port), way):
        await way.until(lambda way: len(way.messages) >= 3)
    assert {len(columns) for columns, _ in way.messages} == {12}
    ((message, reason),) = way.refused
    assert message.where == "unit 1 input 74+2" and message.raw == b"\2"
    assert reason == "the device refuses these registers with exception 2 (illegal data address); they are left out"


async def test_a_device_that_has_nothing_is_said_to_have_nothing() -> None:
    way = RecordingWay()
    async with gateway(answering({1: {("holding", 9999): 1}})) as device:
        error = await failure(settings(device.port), way)
    assert "unit 1 has none of its registers: exception 2 (illegal data address)" in str(error)
    assert not way.refused


@pytest.mark.parametrize("code", [4, 6, 10, 11])
async def test_exceptions_that_pass_are_no_reason_to_leave_registers_out(code: int) -> None:
    way, good, sick = RecordingWay(), answering({1: METER.registers}), [True] * 2
    answer = lambda unit, function, at, count: (  # noqa: E731
        bytes([function | 0x80, code]) if at == 52 and sick and sick.pop() else good(unit, function, at, count)
    )
    async with gateway(answer) as device, running(settings(device.port), way):
        await way.until(lambda way: len(way.messages) >= 4)
    assert [len(columns) for columns, _ in way.messages[:4]] == [9, 9, 13, 13]
    assert not way.refused


async def test_registers_that_a_device_is_silent_about_are_found_out() -> None:
    """Some do not refuse what they have not: they say nothing."""
    way, good = RecordingWay(), answering({1: METER.registers})
    answer = lambda unit, function, at, count: None if at <= 74 < at + count else good(unit, function, at, count)  # noqa: E731
    async with gateway(answer) as device, running(settings(device.port, timeout_s=0.05), way):
        await way.until(lambda way: bool(way.refused))
        await way.until(lambda way: len(way.messages[-1][0]) == 12)
    ((message, reason),) = way.refused
    assert message.where == "unit 1 input 74+2" and "exception 0 (no answer)" in reason


async def test_answers_of_another_transaction_are_never_taken() -> None:
    way = RecordingWay()
    async with gateway(answering({1: METER.registers})) as device:
        device.number_off = 1
        error = await failure(settings(device.port), way)
    assert "did not answer" in str(error) and not way.messages


async def test_an_answer_that_comes_too_late_is_not_taken_for_the_next_one() -> None:
    """Answers to a request of long ago, with its number, come in front of each right one."""
    way = RecordingWay()
    async with gateway(answering({1: METER.registers})) as device:
        device.before = struct.pack(">HHHB", 0xFFF0, 0, 3 + 36, 1) + bytes([4, 36]) + b"\x55" * 36
        async with running(settings(device.port), way):
            await way.until(lambda way: len(way.messages) >= 3)
    assert [value for _, value in way.readings("eastron-sdm630/voltage L1")] == pytest.approx(
        [230.2] * len(way.messages)
    )


async def test_what_is_no_modbus_ends_the_connection() -> None:
    way = RecordingWay()
    async with gateway(answering({1: METER.registers})) as device:
        device.before = b"SSH-2.0-OpenSSH_9.2\r\n"
        error = await failure(settings(device.port), way)
    assert "does not speak Modbus: it sent 53 53 48 2d 32" in str(error) and not way.messages


async def test_half_an_answer_is_none() -> None:
    way = RecordingWay()

    async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while head := await reader.readexactly(12):
                writer.write(head[:4] + b"\x00\x27" + head[6:8] + b"\x24" + b"\x11" * 9)

    server = await asyncio.start_server(half, "127.0.0.1", 0)
    async with server:
        error = await failure(settings(server.sockets[0].getsockname()[1]), way)
    assert "no device on" in str(error) and not way.messages


async def test_a_device_that_hangs_up_between_two_readings_is_called_again() -> None:
    way = RecordingWay()
    async with gateway(answering({1: METER.registers})) as device:
        device.hangs_up_after = 52
        async with running(settings(device.port), way) as task:
            await way.until(lambda way: len(way.messages) >= 6)
            assert not task.done() and way.others == [f"127.0.0.1:{device.port}"]
    assert device.connections >= 6 and {len(columns) for columns, _ in way.messages} == {13}


async def test_a_bus_that_is_cut_fails_and_is_read_again_when_started_again() -> None:
    way = RecordingWay()
    async with gateway(answering({1: METER.registers})) as device:
        made = settings(device.port)
        async with running(made, way) as task:
            await way.until(lambda way: len(way.messages) >= 2)
            await device.stop()
            with pytest.raises(SourceFailed, match=r"closed the connection|cannot be reached"):
                await asyncio.wait_for(task, 60)
        assert "cannot be reached" in str(await failure(made, way))
        before = len(way.messages)
        await device.start()
        async with running(made, way):
            await way.until(lambda way: len(way.messages) >= before + 2)


async def test_readings_wait_while_they_cannot_be_kept_and_all_are_kept_in_the_end() -> None:
    way = RecordingWay()
    way.open.clear()
    async with gateway(answering({1: METER.registers})) as device, running(settings(device.port), way) as task:
        await way.until(lambda way: len(device.asked) >= 8)
        assert not way.messages
        await device.stop()
        way.open.set()
        with pytest.raises(SourceFailed):
            await asyncio.wait_for(task, 60)
    assert len(way.messages) >= 4, "what was read before the bus was cut"


@pytest.mark.parametrize(
    "made, reason",
    [
        (ModbusSettings(host="127.0.0.1"), "no device is named"),
        (ModbusSettings(devices=(Device(template="abb-b23"),)), "no host is given"),
        (ModbusSettings(host="127.0.0.1", devices=(Device(),)), "expected registers, or one of"),
    ],
)
async def test_settings_that_only_a_person_can_mend(made: ModbusSettings, reason: str) -> None:
    error = await failure(made, RecordingWay())
    assert reason in str(error) and error.hopeless


@pytest.mark.unit
def test_a_silent_device_rests_twice_as_long_each_time_up_to_five_minutes() -> None:
    turn, now_us, rests = Turn(None, 10, 0), 10_000_000, []  # type: ignore[arg-type]
    for _ in range(9):
        turn.done(now_us, "silent", silent=True)
        rests.append((turn.due_us - now_us) // 1_000_000)
        now_us = turn.due_us
    assert rests == [10, 20, 40, 80, 160, 300, 300, 300, 300]
    turn.done(now_us, "", silent=False)
    assert turn.due_us == now_us + 10_000_000
    assert next_instant_us(1_700_000_003_999_999, 2_000_000) == 1_700_000_004_000_000


async def test_many_buses_at_once_keep_apart() -> None:
    ways = [RecordingWay() for _ in range(10)]
    async with contextlib.AsyncExitStack() as stack:
        for number, way in enumerate(ways):
            registers = {("input", 0): number}
            device: Gateway = await stack.enter_async_context(gateway(answering({1: registers})))
            only = Device(unit_id=1, registers=(NamedRegister(name="n", table="input", at=0, form="uint16"),))
            await stack.enter_async_context(running(settings(device.port, only), way))
        begun = time.monotonic()
        for number, way in enumerate(ways):
            await way.until(lambda way: len(way.messages) >= 3)
            assert {value for _, value in way.readings("modbus/1/n")} == {float(number)}
        assert time.monotonic() - begun < 60
