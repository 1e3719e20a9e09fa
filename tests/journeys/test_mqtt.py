"""MQTT through the whole product: every family of devices over TLS, the own port, and what Home Assistant finds."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from tests.brokers import Mosquitto, authority, free_port, issued, mosquitto, pem
from tests.ingest.test_mqtt_payloads import EXPECTED, NOW_S, SETTINGS, captured
from tests.ingest.test_mqtt_sparkplug import BORN
from tests.journeys.test_buses import _values
from tests.journeys.test_sources import Serving, _sight

FAMILIES = [name for name in EXPECTED if EXPECTED[name]]


class Broker:
    """A broker with a door for devices by their certificates, and one for everybody on this machine."""

    def __init__(self, folder: Path) -> None:
        root = authority()
        self.ca, self.ours = pem(root[0]), issued(root, "wattstead")
        server, self.tls_port = issued(root, "broker"), free_port()
        for name, text in (("ca.pem", self.ca), ("server.pem", server.certificate), ("server.key", server.key),
                           ("device.pem", self.ours.certificate), ("device.key", self.ours.key)):  # fmt: skip
            (folder / name).write_text(text)
        self.files = ["--cafile", f"{folder}/ca.pem", "--cert", f"{folder}/device.pem", "--key", f"{folder}/device.key"]
        self.lines = [f"listener {self.tls_port} 127.0.0.1", f"cafile {folder}/ca.pem", f"certfile {folder}/server.pem",
                      f"keyfile {folder}/server.key", "require_certificate true"]  # fmt: skip
        self.plain: Mosquitto

    @property
    def settings(self) -> dict[str, Any]:
        """Of a source that enters by its certificate."""
        mappings = msgspec.to_builtins(SETTINGS.mappings)
        return {"host": "127.0.0.1", "port": self.tls_port, "tls": True, "ca": self.ca, "mappings": mappings,
                "certificate": self.ours.certificate, "private_key": self.ours.key,
                "tasmota_zone": SETTINGS.tasmota_zone}  # fmt: skip

    def publish(self, topic: str, payload: bytes, *more: str) -> None:
        """As a device would, with QoS 1 and by its certificate."""
        words = ["mosquitto_pub", "-h", "127.0.0.1", "-p", str(self.tls_port), "-q", "1", "-t", topic, "-s"]
        subprocess.run([*words, *self.files, *more], input=payload, check=True, timeout=60)

    def heard(self, topic: str) -> bytes:
        """The first message there; one that is retained comes at once."""
        words = ["mosquitto_sub", "-h", "127.0.0.1", "-p", str(self.plain.port), "-t", topic, "-C", "1", "-W", "60"]
        return subprocess.run(words, check=True, capture_output=True, timeout=90).stdout


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    made = Broker(tmp_path)
    with mosquitto(tmp_path / "broker", *made.lines) as made.plain:
        yield made


@pytest.fixture
def serving(tmp_path: Path, broker: Broker, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serving]:
    """A server that listens to devices itself, and tells the broker what it knows."""
    monkeypatch.setenv("WATTSTEAD_MQTT_PORT", str(free_port()))
    monkeypatch.setenv("WATTSTEAD_MQTT_PUBLISH", f"mqtt://127.0.0.1:{broker.plain.port}/house")
    monkeypatch.setenv("WATTSTEAD_MQTT_PUBLISH_SITES", "all")
    monkeypatch.setenv("WATTSTEAD_MQTT_PUBLISH_EVERY_S", "0.2")
    made = Serving(tmp_path / "data")
    made.start()
    yield made
    if made.process is not None and made.process.poll() is None:
        made.kill()


def _points(client: httpx.Client) -> dict[str, dict[str, Any]]:
    return {row["address"]: row for row in client.get("/points", params={"limit": 1000}).json()}


def test_from_devices_to_the_picture_and_on_to_home_assistant(
    serving: Serving, broker: Broker, eventually: Callable[..., Any]
) -> None:
    client = serving.client()
    body = {"site_id": serving.site, "name": "Broker", "protocol": "mqtt", "settings": broker.settings, "past_days": 0}
    source = client.post("/sources", json=body).raise_for_status().json()["id"]
    eventually(lambda: _sight(client, source)["state"], lambda state: state == "connected")
    _families(client, broker, eventually)
    _own_port(client, serving, eventually)
    assert _sight(client, source)["letters"] == 2, "of a list, which came twice, one part was none"
    said = json.loads(broker.heard("house/+/cellar/level"))
    assert said["value"] == 2.5
    point = _points(client)["cellar/level"]["id"]
    config = json.loads(broker.heard(f"homeassistant/sensor/+/point_{point}/config"))
    assert config["state_topic"] == f"house/{serving.site}/cellar/level"
    told = client.get("/sources").text + (serving.folder.parent / "log").read_text()
    assert "PRIVATE KEY" not in told
    serving.stop()


def _families(client: httpx.Client, broker: Broker, eventually: Callable[..., Any]) -> None:
    """What each device's documentation shows becomes the readings that it means, once, however often it comes."""
    wanted: dict[str, set[tuple[float | None, float]]] = {}
    for name in FAMILIES:
        topic, payload = captured(name)
        for _ in range(2 if all(after_s is not None for _, after_s, _ in EXPECTED[name].values()) else 1):
            broker.publish(topic, payload)
        for address, (value, after_s, _) in EXPECTED[name].items():
            at = None if after_s is None else round((NOW_S + after_s) * 1000)
            wanted.setdefault(address, set()).add((at, value))
    broker.publish("spBv1.0/Plant/NBIRTH/Hall", BORN)
    there = wanted.keys() | {"sparkplug/Plant/Hall/Grid/power"}
    points = eventually(lambda: _points(client), lambda found: there <= found.keys())
    for address, rows in wanted.items():
        point = points[address]["id"]
        found = eventually(lambda point=point: _values(client, point), lambda found, rows=rows: len(found) >= len(rows))
        timed = {row for row in rows if row[0] is not None}
        assert len(found) == len(rows) and timed <= set(found), address
        assert sorted(value for _, value in found) == sorted(value for _, value in rows), address
    power = points["tasmota/tasmota_9CF9D1/ENERGY/Power"]
    assert power["suggestion"]["unit"] == "W"
    query = {"points": power["id"], "start": (NOW_S - 60) * 1000, "end": (NOW_S + 60) * 1000, "step": "1min"}
    told = eventually(
        lambda: client.get("/series", params=query).json().get("points", [{}])[0].get("mean", ()),
        lambda mean: any(one is not None for one in mean),
    )
    assert [one for one in told if one is not None] == [51.0]


def _own_port(client: httpx.Client, serving: Serving, eventually: Callable[..., Any]) -> None:
    """Without a broker: by a write key, acknowledged from the disk; a device's own time is that of its readings."""
    key = client.post("/keys", json={"site_id": serving.site, "name": "device", "scope": "write"})
    secret, now_s = key.raise_for_status().json()["secret"], int(time.time())
    words = ["mosquitto_pub", "-h", "127.0.0.1", "-p", os.environ["WATTSTEAD_MQTT_PORT"], "-u", "any", "-q", "1"]
    message = ["-t", "cellar", "-m", json.dumps({"level": 2.5, "ts": now_s - 30})]
    for _ in range(2):
        subprocess.run([*words, "-P", secret, *message], check=True, timeout=60)
    assert subprocess.run([*words, "-P", "wrong", *message], capture_output=True, timeout=60).returncode
    point = eventually(lambda: _points(client).get("cellar/level"))["id"]
    assert eventually(lambda: _values(client, point)) == [((now_s - 30) * 1000, 2.5)]
    assert "cellar/ts" not in _points(client)
