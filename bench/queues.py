"""Readings through a broker to the journal: Mosquitto and RabbitMQ, with Wattstead behind them.

The sender is a process of its own and is not counted; the broker is.
"""

from __future__ import annotations

import shutil
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pika

sys.path[:0] = [str(Path(__file__).parents[1] / "tests"), str(Path(__file__).parent)]

import machine  # noqa: E402
from brokers import RabbitMq  # noqa: E402
from process import ServerProcess, free_port  # noqa: E402
from report import Table, figure  # noqa: E402

ROOT = Path(__file__).parents[1]
_DEVICES = 1_000
_WITHIN_S = 600.0
_ENV = {"PYTHONPATH": f"{ROOT / 'src'}"}


@contextmanager
def _mosquitto(folder: Path) -> Iterator[tuple[ServerProcess, int]]:
    folder.mkdir(parents=True)
    port = free_port()
    lines = [f"listener {port} 127.0.0.1", "allow_anonymous true", "max_queued_messages 0", "max_inflight_messages 0",
             "user root", "log_dest none"]  # fmt: skip
    (folder / "mosquitto.conf").write_text("\n".join(lines) + "\n")
    process = ServerProcess(
        [shutil.which("mosquitto") or "/usr/sbin/mosquitto", "-c", f"{folder}/mosquitto.conf"], folder / "log"
    )
    try:
        process.wait_for(port)
        yield process, port
    finally:
        process.stop()


class _Taking:
    """The process that takes the readings."""

    def __init__(self, command: list[str], folder: Path) -> None:
        self.log = folder / "taking.log"
        self.process = ServerProcess(command, self.log, _ENV)

    def says(self, word: str) -> str:
        """Waits for a line that begins so."""
        until = time.monotonic() + _WITHIN_S
        while time.monotonic() < until:
            found = [line for line in self.log.read_text().splitlines() if line.startswith(word)]
            if found:
                return found[0]
            time.sleep(0.01)
        raise TimeoutError(f"{word}: {self.log.read_text()[-2000:]}")


def _packet(topic: bytes, payload: bytes, qos: int, number: int) -> bytes:
    body = struct.pack("!H", len(topic)) + topic + (struct.pack("!H", number) if qos else b"") + payload
    length, head = len(body), bytearray((0x30 | qos << 1,))
    while True:
        length, octet = length >> 7, length & 127
        head.append(octet | (128 if length else 0))
        if not length:
            return bytes(head) + body


def _send(port: int, messages: int, readings: int, qos: int) -> None:
    """Publish from one connection, by a window of 500 unconfirmed messages with QoS 1."""
    link = socket.create_connection(("127.0.0.1", port))
    link.sendall(b"\x10\x10\0\x04MQTT\x04\x02\0\0\0\x04send")
    link.recv(4)
    began_s, confirmed = int(time.time()) - 3_600, 0
    for start in range(0, messages, 500):
        packets = []
        for at in range(start, min(start + 500, messages)):
            values = ",".join(f'"p{one}":{at % 3000 + one / 4}' for one in range(readings))
            payload = f'{{{values},"time":{began_s + at / 1000:.3f}}}'.encode()
            packets.append(_packet(f"emon/node{at % _DEVICES}".encode(), payload, qos, at % 65_000 + 1))
        link.sendall(b"".join(packets))
        confirmed += 4 * len(packets)
        while qos and confirmed > 0:
            confirmed -= len(link.recv(65_536))
    link.sendall(b"\xe0\0")
    link.close()


def _mqtt_row(folder: Path, messages: int, readings: int, qos: int) -> list[str]:
    with _mosquitto(folder) as (broker, port):
        count = messages * readings
        here = Path(__file__).parent
        command = [
            sys.executable,
            f"{here}/taking.py",
            "mqtt",
            str(port),
            str(folder),
            str(count),
            str(qos),
            str(_DEVICES * readings),
        ]
        taking = _Taking(command, folder)
        try:
            taking.says("ready")
            subprocess.run([sys.executable, __file__, str(port), str(_DEVICES), str(readings), str(qos)], check=True)
            taking.says("warm")
            before = broker.cpu_s(), taking.process.cpu_s()
            began_s = time.monotonic()
            sender = [sys.executable, __file__, str(port), str(messages), str(readings), str(qos)]
            subprocess.run(sender, check=True, timeout=_WITHIN_S)
            said = taking.says("done")
            lasted_s = time.monotonic() - began_s
            spent = broker.cpu_s() - before[0], taking.process.cpu_s() - before[1]
        finally:
            taking.process.stop()
    per_million = [figure(one / count * 1e6, 2) for one in (*spent, sum(spent))]
    return [str(qos), str(readings), figure(messages / lasted_s), *per_million, said.removeprefix("done ")]


def bench_mqtt(folder: Path, quick: bool) -> Table:
    """CPU for a million readings from a publisher's broker to the journal."""
    table = Table(
        "mqtt",
        "MQTT, through Mosquitto to the journal",
        [
            *("QoS", "readings in a message", "messages/s"),
            *("broker s/M", "Wattstead s/M", "together s/M", "readings"),
        ],
        "bench/run.py mqtt",
        machine.sentence(),
        notes=[f"CPU seconds per million readings of {_DEVICES:,} devices, JSON with a time; durable. "
               "The sender waits for nothing with QoS 0, and for 500 confirmations with QoS 1."],
    )  # fmt: skip
    scale = 10 if quick else 1
    for place, (messages, readings, qos) in enumerate(((400_000, 1, 0), (400_000, 1, 1), (40_000, 100, 1))):
        table.rows.append(_mqtt_row(folder / f"mqtt-{place}", messages // scale, readings, qos))
        print("  " + " | ".join(table.rows[-1]), flush=True)
    return table


def bench_amqp(folder: Path, quick: bool) -> Table:
    """How fast a full queue is read to the journal."""
    messages = 30_000 if quick else 300_000
    table = Table(
        "amqp",
        "RabbitMQ, a full queue to the journal",
        ["readings in a message", "messages/s", "Wattstead s/M", "messages/s on one core", "readings"],
        "bench/run.py amqp",
        machine.sentence(),
        notes=["CPU seconds per million readings of the process that reads the queue; the last but one: what one core "
               "makes of that. RabbitMQ runs beside it, not counted."],
    )  # fmt: skip
    folder = folder / "amqp"
    with _rabbitmq(folder) as port:
        _fill(port, messages)
        taking = _Taking([sys.executable, f"{Path(__file__).parent}/taking.py", "amqp", str(port), str(folder),
                          str(messages), "1"], folder)  # fmt: skip
        try:
            began = time.monotonic()
            taking.says("ready")
            said = taking.says("done")
            lasted_s, spent_s = time.monotonic() - began, taking.process.cpu_s()
        finally:
            taking.process.stop()
    per_s = messages / spent_s
    table.rows.append(
        ["1", figure(messages / lasted_s), figure(spent_s / messages * 1e6), figure(per_s), said.removeprefix("done ")]
    )
    print("  " + " | ".join(table.rows[-1]), flush=True)
    return table


@contextmanager
def _rabbitmq(folder: Path) -> Iterator[int]:
    broker = RabbitMq(folder)
    broker.start()
    try:
        yield broker.port
    finally:
        broker.close()


def _fill(port: int, messages: int) -> None:
    connection = pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", port))
    channel = connection.channel()
    channel.queue_declare("device_consumption", durable=True)
    began_s, properties = int(time.time()) - 3_600, pika.BasicProperties(delivery_mode=1)
    for at in range(messages):
        told = f'"timestamp":{began_s + at // _DEVICES},"measurement_value":{at % 40 / 10}'
        body = f'{{"device_id":"m{at % _DEVICES}",{told}}}'
        channel.basic_publish("", "device_consumption", body.encode(), properties)
    channel.queue_declare("device_consumption", passive=True)
    connection.close()


if __name__ == "__main__":
    _send(*(int(one) for one in sys.argv[1:5]))
