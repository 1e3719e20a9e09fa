"""The bytes of real devices, replayed as they are: the answer each device waits for, and every reading it sent."""

from __future__ import annotations

import base64
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Door

FOLDER = Path(__file__).parent.parent / "payloads" / "http"
NOW_S = 1_700_000_000

Expected = dict[str, list[tuple[float, float]]]
"""Seconds from the present and value, by address."""

EXPECTED: dict[str, tuple[bytes, Expected]] = {
    "emonhub_bulk": (b"ok", {
        "emon/5/1": [(-10, 100)], "emon/5/2": [(-10, 200)], "emon/5/3": [(-10, 242.91)],
        "emon/emonth1/temperature": [(-5, 19.4)], "emon/emonth1/humidity": [(-5, 55.1)],
    }),
    "emonesp_post": (b'{"success": true}', {
        "emon/emonesp/CT1": [(0, 3935)], "emon/emonesp/CT2": [(0, 325)], "emon/emonesp/T1": [(0, 12.5)],
        "emon/emonesp/T2": [(0, -16.9)], "emon/emonesp/pulse": [(0, 0)],
    }),
    "mppt_post": (b"ok", {
        f"emon/MySolarController/{name}": [(0, value)]
        for name, value in {"vpv": 13.71, "ppv": 0, "v": 12.94, "i": -0.83, "yt": 0.06, "cs": 0}.items()
    }),
    "openevse_post": (b"ok", {
        "emon/0/OpenEVSE_AMP": [(0, 0)], "emon/0/OpenEVSE_TEMP1": [(0, 248)], "emon/0/OpenEVSE_PILOT": [(0, 32)],
    }),
    "iotawatt_bulk": (b"ok", {
        "emon/IotaWatt/1": [(-20, 122.5), (-10, 122.4)], "emon/IotaWatt/2": [(-20, 1041.3), (-10, 1038)],
        "emon/IotaWatt/4": [(-20, 60), (-10, 60)],
    }),
    "iotawatt_influx": (b"", {
        "influx/heat_pump,ct=heat_pump,device=iotawatt/Watts": [(-20, 1041.3)],
        "influx/mains,ct=mains,device=iotawatt/Watts": [(-20, 2310.05)],
    }),
    "telegraf_write": (b"", {
        "influx/modbus,host=pi4,name=sdm630,slave_id=1,type=input_register/l1_power": [(-10, 512.25)],
        "influx/modbus,host=pi4,name=sdm630,slave_id=1,type=input_register/l2_power": [(-10, 0)],
        "influx/modbus,host=pi4,name=sdm630,slave_id=1,type=input_register/energy": [(-10, 10234.5)],
        "influx/system,host=pi4/load1": [(-10, 0.05)], "influx/system,host=pi4/n_cpus": [(-10, 4)],
        "influx/system,host=pi4/n_users": [(-10, 0)], "influx/system,host=pi4/uptime": [(-10, 86462)],
        "influx/switch,host=pi4/closed": [(-10, 1)], "influx/switch,host=pi4/count": [(-10, 2.0**64)],
    }),
    "senml_pack": (b'{"accepted":6,"rejected":[]}', {
        f"senml/urn:dev:ow:10e2073a01080063:{name}": readings
        for name, readings in {
            "voltage": [(-10, 120.1)], "current": [(-15, 1.2), (-14, 1.3)], "temperature": [(-10, 21.5)],
            "temperature/sum": [(-10, 30)], "open": [(-10, 1)],
        }.items()
    }),
    "own_curl": (b'{"accepted":2,"rejected":[]}', {"kitchen": [(-10, 230.5)], "cellar": [(-15, 11)]}),
    "homeassistant_write": (b"", {
        "influx/W,domain=sensor,entity_id=kitchen_power/value": [(-9.876544, 230.5)],
        "influx/°C,domain=sensor,entity_id=hall way/value": [(-9, 19.25)],
    }),
}  # fmt: skip


def test_every_payload_has_an_expectation() -> None:
    assert {file.stem for file in FOLDER.iterdir()} == set(EXPECTED)
    readme = (FOLDER.parent / "README.md").read_text()
    assert all(f"http/{name}.http" in readme for name in EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_payload(door: Door, name: str) -> None:
    sent = (FOLDER / f"{name}.http").read_bytes()
    sent = sent.replace(b"KEY", door.key.encode())
    sent = sent.replace(b"BASIC", base64.b64encode(f"me:{door.key}".encode()))
    expected_body, expected = EXPECTED[name]
    for _ in range(2):
        with socket.create_connection(("127.0.0.1", door.server.port), 30) as line:
            line.sendall(sent)
            received = line.recv(65_536)
            while expected_body not in received:
                received += line.recv(65_536)
        head, _, body = received.partition(b"\r\n\r\n")
        assert head.split(b" ")[1] == (b"200" if expected_body else b"204") and body == expected_body
    found: Expected = {}
    for row in door.stored():
        found.setdefault(row.address, []).append((row.time_us / 1e6 - NOW_S, row.value))
    assert set(found) == set(expected)
    for address, readings in expected.items():
        assert found[address] == [(pytest.approx(time, abs=1e-6), value) for time, value in readings * 2]
