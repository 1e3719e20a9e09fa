"""A broker that hangs, dies, or is behind a line that loses packets: nothing acknowledged is lost or counts twice."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest
import uvloop
from tests.brokers import Mosquitto, mosquitto
from tests.ingest.recording_way import RecordingWay

from wattstead.ingest.mqtt.run import run
from wattstead.ingest.mqtt.settings import MqttSettings
from wattstead.ingest.sources.source_protocol import SourceFailed

_FIRST_S = 1_700_000_000
_LOSS_PERCENT = 20


@pytest.fixture(scope="module")
def event_loop_policy() -> uvloop.EventLoopPolicy:
    """The loop that the server runs in."""
    return uvloop.EventLoopPolicy()


def line(number: int) -> str:
    """A reading whose time says which it is."""
    return f'{{"x":{number},"time":{_FIRST_S + number}}}'


def reads(host: str, port: int) -> MqttSettings:
    """A source that takes what one device sends, however fast."""
    return MqttSettings(host=host, port=port, keepalive_s=5, device_rate=100_000.0)


def check(way: RecordingWay, count: int) -> None:
    """Each reading is there; what came twice is the same reading of the same instant, which is stored once."""
    assert {(one.time_us // 1_000_000 - _FIRST_S, one.value) for one in way.kept} == {
        (number, float(number)) for number in range(count)
    }
    firsts = list(dict.fromkeys(way.kept))
    assert firsts == sorted(firsts, key=lambda one: one.time_us), "in order"
    assert not way.refused


@asynccontextmanager
async def supervised(settings: MqttSettings, way: RecordingWay) -> AsyncIterator[list[str]]:
    """The source runs, and is started again when it fails; why it did."""
    failures: list[str] = []

    async def again() -> None:
        while True:
            try:
                await run(settings, way)
            except SourceFailed as failed:
                failures.append(str(failed))
                way.changed.set()
                await asyncio.sleep(0.05)

    task = asyncio.create_task(again())
    try:
        await way.until(lambda way: way.others)
        yield failures
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def publisher(port: int, *before: str, host: str = "127.0.0.1") -> AsyncIterator[asyncio.StreamWriter]:
    """A device that publishes with QoS 1 what is written to it, a message a line."""
    words = [*before, "mosquitto_pub", "-h", host, "-p", str(port), "-t", "emon/n", "-q", "1", "-l"]
    device = await asyncio.create_subprocess_exec(*words, stdin=subprocess.PIPE)
    assert device.stdin is not None
    try:
        yield device.stdin
        device.stdin.close()
        await asyncio.wait_for(device.wait(), 60)
    finally:
        if device.returncode is None:
            device.kill()
            await device.wait()


async def test_a_broker_that_hangs_for_a_while_under_load(tmp_path: Path) -> None:
    way = RecordingWay()
    with mosquitto(tmp_path / "data") as broker:
        async with supervised(reads("127.0.0.1", broker.port), way) as failures:
            async with publisher(broker.port) as device:
                for number in range(600):
                    device.write(line(number).encode() + b"\n")
                    if number == 300:
                        await way.until(lambda way: len(way.kept) > 50)
                        broker.send(signal.SIGSTOP)
                        await asyncio.sleep(0.3)
                        broker.send(signal.SIGCONT)
            await way.until(lambda way: len(way.kept) >= 600)
    assert failures == [] and len(way.kept) == 600
    check(way, 600)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
async def test_a_broker_that_dies_under_load(tmp_path: Path, number: signal.Signals) -> None:
    way, count, at = RecordingWay(), 30, 0
    broker = Mosquitto(tmp_path / "data")
    broker.start()
    try:
        async with supervised(reads("127.0.0.1", broker.port), way) as failures:
            while at < count:
                try:
                    await asyncio.to_thread(broker.publish, "emon/n", line(at))
                    at += 1
                except subprocess.CalledProcessError:
                    await asyncio.sleep(0.05)
                if at == 15 and not failures:
                    await asyncio.to_thread(broker.stop, number)
                    if number is signal.SIGKILL:  # what the broker has not written down it has lost itself
                        kept = {one.value for one in way.kept}
                        at = next((one for one in range(at) if one not in kept), at)
                    await way.until(lambda way: failures)
                    broker.start()
            await way.until(lambda way: len(set(way.kept)) == count)
        assert failures
        check(way, count)
    finally:
        broker.stop()


@contextmanager
def lossy_line(folder: Path) -> Iterator[tuple[str, str]]:
    """A network of its own behind a line that loses packets both ways: its name, and the address there."""
    assert os.geteuid() == 0, "this proof makes a network namespace: run it as root"
    for program, package in (("ip", "iproute2"), ("nft", "nftables")):
        assert shutil.which(program), f"{program} is missing; install it with: apt-get install {package}"
    name, here, there = f"ws{os.getpid()}", f"wsa{os.getpid()}", f"wsb{os.getpid()}"
    rules = folder / "loss.nft"
    drop = f"numgen random mod 100 < {_LOSS_PERCENT} drop"
    rules.write_text(
        f"table inet loss {{\n chain i {{ type filter hook input priority 0; iifname {there} {drop}; }}\n"
        f" chain o {{ type filter hook output priority 0; oifname {there} {drop}; }}\n}}\n"
    )
    inside = ["ip", "netns", "exec", name]
    steps = [
        ["ip", "netns", "add", name],
        ["ip", "link", "add", here, "type", "veth", "peer", "name", there, "netns", name],
        ["ip", "address", "add", "10.213.77.1/30", "dev", here],
        ["ip", "link", "set", here, "up"],
        [*inside, "ip", "address", "add", "10.213.77.2/30", "dev", there],
        [*inside, "ip", "link", "set", there, "up"],
        [*inside, "ip", "link", "set", "lo", "up"],
        [*inside, "nft", "-f", str(rules)],
    ]
    try:
        for step in steps:
            subprocess.run(step, check=True)
        yield name, "10.213.77.2"
    finally:
        subprocess.run(["ip", "netns", "delete", name], check=False)
        with contextlib.suppress(subprocess.CalledProcessError):
            subprocess.run(["ip", "link", "delete", here], check=True, stderr=subprocess.DEVNULL)


@pytest.mark.prove
@pytest.mark.parametrize("day_s", [120])
async def test_a_day_behind_a_line_that_loses_packets_and_is_cut(tmp_path: Path, day_s: int) -> None:
    """A day in two minutes, a fifth of all packets lost, the line cut from the eighth to the sixteenth hour."""
    way, count = RecordingWay(), 2_400
    with lossy_line(tmp_path) as (name, address):
        inside = ("ip", "netns", "exec", name)
        data = tmp_path / "data"
        data.mkdir()
        config = [f"listener 1883 {address}", "listener 1884 127.0.0.1", "allow_anonymous true", "user root",
                  "max_queued_messages 0", "persistence true", f"persistence_location {data}/"]  # fmt: skip
        (data / "mosquitto.conf").write_text("\n".join(config) + "\n")
        program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
        broker = await asyncio.create_subprocess_exec(
            *inside, program, "-c", str(data / "mosquitto.conf"), stderr=subprocess.DEVNULL
        )
        try:
            async with supervised(reads(address, 1883), way) as failures:
                async with publisher(1884, *inside) as device:
                    begun_s, cut = time.monotonic(), False
                    for number in range(count):
                        await asyncio.sleep(max(0.0, begun_s + number * day_s / count - time.monotonic()))
                        device.write(line(number).encode() + b"\n")
                        if cut != (count // 3 <= number < 2 * count // 3):
                            cut = not cut
                            link = ["ip", "link", "set", f"wsa{os.getpid()}", "down" if cut else "up"]
                            await asyncio.to_thread(subprocess.run, link, check=True)
                await way.until(lambda way: len(set(way.kept)) == count, 300)
            assert failures, "the cut was noticed"
            check(way, count)
        finally:
            broker.terminate()
            await asyncio.wait_for(broker.wait(), 30)
