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
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import pika

sys.path[:0] = [str(Path(__file__).parents[1] / "tests"), str(Path(__file__).parent)]

import machine  # noqa: E402
import servers  # noqa: E402
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


def _send(port: int, messages: int, readings: int, qos: int, pace: int) -> None:
    """Publish from one connection, by a window of 500 unconfirmed messages with QoS 1; ``pace``: so many a second."""
    link = socket.create_connection(("127.0.0.1", port))
    link.sendall(b"\x10\x10\0\x04MQTT\x04\x02\0\0\0\x04send")
    link.recv(4)
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    began_s, confirmed, begun, many = int(time.time()) - 3_600, 0, time.monotonic(), 10 if pace else 500
    for start in range(0, messages, many):
        packets = []
        for at in range(start, min(start + many, messages)):
            values = ",".join(f'"p{one}":{at % 3000 + one / 4}' for one in range(readings))
            payload = f'{{{values},"time":{began_s + at / 1000:.3f}}}'.encode()
            packets.append(_packet(f"emon/node{at % _DEVICES}".encode(), payload, qos, at % 65_000 + 1))
        if pace:
            time.sleep(max(0.0, begun + start / pace - time.monotonic()))
        link.sendall(b"".join(packets))
        confirmed += 4 * len(packets)
        if pace:  # nobody waits; what was confirmed is only read
            with suppress(BlockingIOError):
                confirmed -= len(link.recv(65_536, socket.MSG_DONTWAIT))
        while qos and confirmed > (2_000 if pace else 0):
            confirmed -= len(link.recv(65_536))
    while qos and confirmed > 0:
        confirmed -= len(link.recv(65_536))
    link.sendall(b"\xe0\0")
    link.close()


def _publish(port: int, messages: int, readings: int, qos: int, pace: int = 0) -> None:
    """`_send` in a process of its own, to its end."""
    told = [str(one) for one in (port, messages, readings, qos, pace)]
    subprocess.run([sys.executable, __file__, *told], check=True, timeout=_WITHIN_S)


_WATTSTEAD, _PAHO, _NOBODY = "Wattstead", "paho-mqtt and InfluxDB", "mosquitto_sub, thrown away"


@contextmanager
def _receiver(who: str, folder: Path, port: int, count: int, messages: int, readings: int, qos: int) -> Iterator[Any]:
    """Who takes the messages, as what says when and what says the processor time spent."""
    here, warm = Path(__file__).parent, _DEVICES * (readings if who == _WATTSTEAD else 1)
    with ExitStack() as stack:
        if who == _NOBODY:
            taking = _Taking(["mosquitto_sub", "-p", str(port), "-t", "#", "-q", str(qos), "-V", "5", "-F", "%p",
                              "-c", "-i", "nobody"], folder)  # fmt: skip
            stack.callback(taking.process.stop)
            time.sleep(1.0)
            yield taking, taking.process.cpu_s
            return
        if who == _WATTSTEAD:
            told = [sys.executable, f"{here}/taking.py", "mqtt", port, folder, count, qos, warm]
        else:
            influx = stack.enter_context(servers.influxdb(folder / "influx"))
            told = ["/usr/bin/python3", f"{here}/paho_to_influx.py", port, influx.port, messages, qos, warm]
        taking = _Taking([str(one) for one in told], folder)
        stack.callback(taking.process.stop)
        taking.says("ready")
        _publish(port, _DEVICES, readings, qos)
        taking.says("warm")
        stored = (lambda: 0.0) if who == _WATTSTEAD else influx.process.cpu_s
        yield taking, lambda: taking.process.cpu_s() + stored()


def _mqtt_row(folder: Path, who: str, messages: int, readings: int, qos: int, pace: int = 0) -> list[str]:
    with _mosquitto(folder) as (broker, port):
        count = messages * readings
        with _receiver(who, folder, port, count, messages, readings, qos) as (taking, spent_s):
            before, began_s = (broker.cpu_s(), spent_s()), time.monotonic()
            _publish(port, messages, readings, qos, pace)
            if who == _NOBODY:
                while taking.log.read_bytes().count(b"\n") < messages:
                    time.sleep(0.02)
            else:
                taking.says("done")
            lasted_s = time.monotonic() - began_s
            spent = broker.cpu_s() - before[0], spent_s() - before[1]
    shown = [figure(one / count * 1e6, 2) for one in spent]
    if who == _NOBODY:
        shown[1] = "–"
    rate = figure(messages / lasted_s) + (" (pace)" if pace else "")
    return [who, str(qos), str(readings), rate, *shown, figure(sum(spent) / count * 1e6, 2) if who != _NOBODY else "–"]


def bench_mqtt(folder: Path, quick: bool, with_peer: bool = True) -> Table:
    """CPU for a million readings from a publisher's broker to the journal."""
    servers.needed("mosquitto_sub", "mosquitto-clients")
    if with_peer and subprocess.run(["/usr/bin/python3", "-c", "import paho.mqtt.client"], check=False).returncode:
        raise SystemExit("Debian's paho is missing; install it with: apt-get install python3-paho-mqtt")
    table = Table(
        "mqtt",
        "MQTT, through Mosquitto to durable",
        [
            *("receiver", "QoS", "readings in a message", "messages/s"),
            *("broker s/M", "receiver s/M", "together s/M", "of the peer's"),
        ],
        "bench/run.py mqtt",
        machine.sentence(),
        notes=[f"CPU seconds per million readings of {_DEVICES:,} devices, JSON with a time. The sender, not counted, "
               "waits for nothing with QoS 0, and for 500 confirmations with QoS 1; at a pace it sends ten messages at "
               "a time. Wattstead acknowledges what is in the journal, synced to disk. The peer is what people write "
               "today: a script of Debian's paho-mqtt 1.6 that sends lines in bodies of 1,000 to InfluxDB 1.6, both "
               "counted; it acknowledges before InfluxDB has them. Thrown away: the broker's own cost, the least there "
               "can be."],
    )  # fmt: skip
    scale = 10 if quick else 1
    runs = (
        (_PAHO, 100_000, 1, 0, 0), (_PAHO, 100_000, 1, 1, 0), (_PAHO, 10_000, 100, 1, 0), (_PAHO, 40_000, 1, 1, 4_000),
        (_WATTSTEAD, 400_000, 1, 0, 0), (_WATTSTEAD, 400_000, 1, 1, 0), (_WATTSTEAD, 40_000, 100, 1, 0),
        (_WATTSTEAD, 40_000, 1, 1, 4_000), (_NOBODY, 200_000, 1, 0, 0), (_NOBODY, 200_000, 1, 1, 0),
        (_NOBODY, 40_000, 1, 1, 4_000),
    )  # fmt: skip
    peers: dict[tuple[int, int, int], float] = {}
    for place, (who, messages, readings, qos, pace) in enumerate(runs):
        if who == _PAHO and not with_peer:
            continue
        row = _mqtt_row(folder / f"mqtt-{place}", who, messages // scale, readings, qos, pace)
        load = (readings, qos, pace)
        if who == _PAHO:
            peers[load] = float(row[-1])
        row.append(f"{float(row[-1]) / peers[load]:.2f}" if who == _WATTSTEAD and load in peers else "–")
        table.rows.append(row)
        print("  " + " | ".join(row), flush=True)
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
    _send(*(int(one) for one in sys.argv[1:6]))
