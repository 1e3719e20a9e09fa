"""What devices publish, as their documentation shows it: every reading with its point, time and unit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from wattstead.ingest.decoding.columns import Few
from wattstead.ingest.emoncms import post
from wattstead.ingest.emoncms.values import NameMemory
from wattstead.ingest.mqtt.decode import decode, reader_of
from wattstead.ingest.mqtt.settings import MqttSettings, TopicMapping
from wattstead.ingest.sources.source_protocol import Message, Unreadable

pytestmark = pytest.mark.unit
FOLDER = Path(__file__).parent.parent / "payloads" / "mqtt"
NOW_S = 1_700_000_000
SETTINGS = MqttSettings(
    host="localhost",
    tasmota_zone="Europe/Berlin",
    mappings=(
        TopicMapping(topic="meters/{site}/{meter}/power", address="meter {meter}/power", unit="W"),
        TopicMapping(topic="fronius/{name}/inverter", value="PAC.Value", time="ts", address="pv/{name}", unit="W"),
        TopicMapping(
            topic="gateway/+/batch",
            value="readings[*].kwh",
            time="readings[*].t",
            address="heat/{.readings[*].id}",
            unit="kWh",
        ),
    ),
)

Expected = dict[str, tuple[float, float | None, str]]
"""Value, seconds from the present (None: without a time), and unit, by address."""
S, E2 = "shelly/shellypro3em-ece334ed1980/em:0", "tasmota/tasmota_9CF9D1"
EXPECTED: dict[str, Expected] = {
    "emoncms_value": {"emon/emontx3/power1": (1243, None, "")},
    "emoncms_deeper": {"emon/emonpi/rfm_rssi": (-61, None, "")},
    "emoncms_json": {
        "emon/emonth5/temperature": (19.4, -10, ""), "emon/emonth5/humidity": (55.1, -10, ""),
        "emon/emonth5/battery": (2.71, -10, ""),
    },
    "emoncms_json_of_input": {
        "emon/house/tank_top": (61.5, -20, ""), "emon/house/tank_bottom": (38.25, -20, ""),
    },
    "emoncms_csv": {"emon/5/1": (100, None, ""), "emon/5/2": (200, None, ""), "emon/5/3": (242.91, None, "")},
    "tasmota_sensor": {
        f"{E2}/ENERGY/Total": (123.456, -10, "kWh"), f"{E2}/ENERGY/Yesterday": (1.234, -10, "kWh"),
        f"{E2}/ENERGY/Today": (0.567, -10, "kWh"), f"{E2}/ENERGY/Period": (5, -10, "Wh"),
        f"{E2}/ENERGY/Power": (51, -10, "W"), f"{E2}/ENERGY/ApparentPower": (78, -10, "VA"),
        f"{E2}/ENERGY/ReactivePower": (59, -10, "var"), f"{E2}/ENERGY/Factor": (0.65, -10, ""),
        f"{E2}/ENERGY/Voltage": (231, -10, "V"), f"{E2}/ENERGY/Current": (0.337, -10, "A"),
        f"{E2}/DS18B20/Temperature": (22.6, -10, "°C"),
    },
    "tasmota_sensor_zone": {
        "tasmota/sdm630/ENERGY/Total": (9012.875, -10, "kWh"), "tasmota/sdm630/ENERGY/Frequency": (50.01, -10, "Hz"),
        "tasmota/sdm630/ENERGY/Power/1": (120, -10, "W"), "tasmota/sdm630/ENERGY/Power/2": (0, -10, "W"),
        "tasmota/sdm630/ENERGY/Power/3": (-35, -10, "W"), "tasmota/sdm630/ENERGY/Voltage/1": (230.1, -10, "V"),
        "tasmota/sdm630/ENERGY/Voltage/2": (231.4, -10, "V"), "tasmota/sdm630/ENERGY/Voltage/3": (229.8, -10, "V"),
    },
    "tasmota_state": {
        f"{E2}/POWER": (0, -10, ""), f"{E2}/UptimeSec": (611, -10, ""), f"{E2}/Wifi/RSSI": (44, -10, ""),
        f"{E2}/Wifi/Signal": (-78, -10, "dBm"),
    },
    "shelly1_power": {"shelly/shellyem-B9E4D1/emeter/0/power": (-412.36, None, "W")},
    "shelly1_energy": {"shelly/shellyplug-s-7AE0B2/relay/0/energy": (121, None, "Wh")},
    "shelly1_relay": {"shelly/shellyplug-s-7AE0B2/relay/0": (1, None, "")},
    "shelly1_total": {"shelly/shellyem3-349454/emeter/2/total": (120345.2, None, "Wh")},
    "shelly2_em": {
        f"{S}/{phase}_{name}": (value, None, unit)
        for phase, row in {
            "a": (0.028, 236.3, -3.2, 6.6, 0.57, 50.0), "b": (1.252, 235.1, 281.4, 294.5, 0.96, 50.0),
            "c": (0.0, 235.7, 0.0, 0.0, 0.0, 50.0),
        }.items()
        for (name, unit), value in zip(
            (("current", "A"), ("voltage", "V"), ("act_power", "W"), ("aprt_power", "VA"), ("pf", ""), ("freq", "Hz")),
            row, strict=True,
        )
    } | {
        f"{S}/total_current": (1.28, None, "A"), f"{S}/total_act_power": (278.2, None, "W"),
        f"{S}/total_aprt_power": (301.1, None, "VA"),
    },
    "shelly2_emdata": {
        f"{S.replace('em:0', 'emdata:0')}/a_total_act_energy": (1234.56, None, "Wh"),
        f"{S.replace('em:0', 'emdata:0')}/a_total_act_ret_energy": (12.5, None, "Wh"),
        f"{S.replace('em:0', 'emdata:0')}/total_act": (4321.09, None, "Wh"),
        f"{S.replace('em:0', 'emdata:0')}/total_act_ret": (12.5, None, "Wh"),
    },
    "shelly2_switch": {
        f"shelly/shellyplus1pm-a8032abe54dc/switch:0/{name}": (value, None, unit)
        for name, value, unit in (
            ("output", 1, ""), ("apower", 8.9, "W"), ("voltage", 237.5, "V"), ("current", 0.061, "A"), ("pf", 0.62, ""),
            ("aenergy/total", 6.532, "Wh"), ("temperature/tC", 23.5, "°C"), ("temperature/tF", 74.4, "°F"),
        )
    },
    "shelly2_notify": {
        f"{S}/a_current": (2.09, -9.38, "A"), f"{S}/a_voltage": (234.2, -9.38, "V"),
        f"{S}/a_act_power": (100.9, -9.38, "W"),
    },
    "homeassistant_state": {"homeassistant/sensor.power_consumption": (231.5, None, "")},
    "homeassistant_switch": {"homeassistant/switch.heat_pump": (1, None, "")},
    "homeassistant_away": {},
    "zigbee_plug": {
        "zigbee/Kitchen/Fridge plug/current": (0.42, -15, "A"),
        "zigbee/Kitchen/Fridge plug/energy": (310.27, -15, "kWh"),
        "zigbee/Kitchen/Fridge plug/linkquality": (123, -15, ""), "zigbee/Kitchen/Fridge plug/power": (84, -15, "W"),
        "zigbee/Kitchen/Fridge plug/state": (1, -15, ""), "zigbee/Kitchen/Fridge plug/voltage": (232, -15, "V"),
    },
    "zigbee_sensor": {
        "zigbee/0x00158d0001dc126a/battery": (97, -15, "%"), "zigbee/0x00158d0001dc126a/humidity": (48.93, -15, "%"),
        "zigbee/0x00158d0001dc126a/linkquality": (78, -15, ""),
        "zigbee/0x00158d0001dc126a/pressure": (1002.4, -15, "hPa"),
        "zigbee/0x00158d0001dc126a/temperature": (21.53, -15, "°C"),
        "zigbee/0x00158d0001dc126a/voltage": (2995, -15, "mV"),
    },
    "sparkplug_birth": {
        "sparkplug/plant/gate/online": (1, None, ""), "sparkplug/plant/gate/Grid/power": (230.5, -10, "kW"),
        "sparkplug/plant/gate/Grid/total": (10234.25, -10, "kWh"), "sparkplug/plant/gate/Relay": (1, -10, ""),
    },
    "consumption": {"device_consumption/meter-4711/power": (1.52, -20, "kW")},
    "mapping_value": {"meter 4711/power": (1520.5, None, "W")},
    "mapping_json": {"pv/solar1": (2350, -20, "W")},
    "mapping_list": {"heat/m1": (101.5, -30, "kWh"), "heat/m2": (55, -29, "kWh")},
}  # fmt: skip


def read(topic: str, payload: bytes | str, settings: MqttSettings = SETTINGS) -> Expected:
    """The readings of a message, as expectations are written."""
    raw = payload.encode() if isinstance(payload, str) else payload
    found = decode(Message(raw, topic, NOW_S * 1_000_000), settings)
    columns = found.columns() if isinstance(found, Few) else found
    untimed = [columns.untimed] * len(columns) if isinstance(columns.untimed, bool) else columns.untimed.tolist()
    units = columns.units or [""] * len(columns)
    return {
        columns.names.address(row): (
            float(columns.value[row]),
            None if untimed[row] else (int(columns.time_us[row]) - NOW_S * 1_000_000) / 1e6,
            units[row],
        )
        for row in range(len(columns))
    }


def captured(name: str) -> tuple[str, bytes]:
    """Topic and payload of a file."""
    topic, _, payload = (FOLDER / f"{name}.mqtt").read_bytes().partition(b"\n")
    return topic.decode(), payload


def test_every_payload_has_an_expectation() -> None:
    assert {file.stem for file in FOLDER.glob("*.mqtt")} == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_each_reading_with_point_time_and_unit(name: str) -> None:
    assert read(*captured(name)) == EXPECTED[name]


def test_a_device_that_changes_from_http_to_mqtt_keeps_its_points() -> None:
    body = '{"power 1":1,"Küche/T":2.5,"a.b-c":3}'
    over_http = post.decode({"node": "emon tx:5", "fulljson": body}, "", 0, NameMemory())
    assert list(read("emon/emon tx:5", body)) == list(over_http.names.addresses)
    csv = post.decode({"node": "7", "csv": "1,2"}, "", 0, NameMemory())
    assert list(read("emon/7", "1,2")) == list(csv.names.addresses)


@pytest.mark.parametrize(
    "topic, payload, reason",
    [
        ("emon/a/b", "12,13", "expected one number"),
        ("emon/a", '{"x":1,"time":"soon"}', "time 'soon' is not ISO 8601"),
        ("emon/a", '{"x":', "no JSON"),
        ("tele/a/SENSOR", '{"Time":"yesterday","X":1}', "Time is 'yesterday'"),
        ("tele/a/SENSOR", "[1]", "expected an object"),
        ("shellypro/events/rpc", '{"method":"NotifyStatus","params":{"ts":"x","em:0":{"a":1}}}', "params.ts"),
        ("zigbee2mqtt/a", '{"last_seen":"noon","power":1}', "last_seen"),
        ("meters/a/b/power", "lots", "expected a number"),
        ("fronius/a/inverter", '{"PAC":{"Value":1}}', "ts is missing"),
        ("fronius/a/inverter", '{"ts":1}', "PAC.Value is missing"),
        ("gateway/1/batch", '{"other":1}', "readings[*].kwh is missing"),
        ("spBv1.0/g/NDATA/n", "\x0a\x05x", "no Sparkplug B"),
        ("device_consumption/m1", '{"measurement_value":1}', "timestamp is missing"),
    ],
)
def test_what_cannot_be_read_is_named(topic: str, payload: str, reason: str) -> None:
    with pytest.raises(Unreadable) as fault:
        read(topic, payload)
    assert reason in str(fault.value)


def test_single_faults_are_named_beside_what_is_kept() -> None:
    topic, payload = captured("mapping_list")
    found = decode(Message(payload, topic, 0), SETTINGS)
    assert [issue.place for issue in found.rejected.listed] == ["2"]
    found = decode(Message(b'{"a":1,"b":"much"}', "emon/x", 0), SETTINGS)
    assert [issue.place for issue in found.rejected.listed] == ["b"]


@pytest.mark.parametrize(
    "topic",
    ["zigbee2mqtt/bridge/state", "zigbee2mqtt/a/set", "zigbee2mqtt/a/availability", "tele/a/LWT", "stat/a/POWER",
     "shellies/announce", "shellies/a/online", "x/status/sys", "spBv1.0/STATE/host", "spBv1.0/g/NCMD/n", "nobody/knows",
     "homeassistant/sensor/a/config"],
)  # fmt: skip
def test_what_is_no_reading_is_left_alone(topic: str) -> None:
    assert reader_of(SETTINGS).topic(topic) is None
    assert read(topic, '{"a":1}') == {}


def test_local_times_without_a_zone() -> None:
    berlin, nowhere = SETTINGS, MqttSettings(host="localhost")
    told = '{"Time":"2023-10-29T02:30:00","X":1}'
    for received_s, expected_s in ((1_698_539_410, 1_698_539_400), (1_698_543_010, 1_698_543_000)):
        found = decode(Message(told.encode(), "tele/a/SENSOR", received_s * 1_000_000), berlin)
        assert isinstance(found, Few) and found.time_us == expected_s * 1_000_000, "the nearer of two half past two"
    without = decode(Message(told.encode(), "tele/a/SENSOR", 7), nowhere)
    assert isinstance(without, Few) and without.untimed and without.time_us == 7


@pytest.mark.parametrize(
    "identifier",
    [
        '"Id":"01131B123456"', '"Id":"011312345678"', '"Id":"3C01E0000012"', '"Id":"0E5"', '"Address":72',
        '"Id":["011312345678","0316A2790B42"]', '"Serial":"00481516"', '"Meter_id":"1234567890"',
        '"mac":"582d34500102"', '"UID":"11223344"',
    ],
)  # fmt: skip
def test_identifiers_of_tasmotas_sensors_are_no_readings(identifier: str) -> None:
    for sensor in ("DS18B20", "DS18B20-1"):
        told = f'{{"Time":"2023-11-14T23:13:10","{sensor}":{{{identifier},"Temperature":22.6}},"TempUnit":"C"}}'
        assert list(read("tele/a/SENSOR", told)) == [f"tasmota/a/{sensor}/Temperature"]


def test_full_topics_of_tasmota_in_another_order() -> None:
    settings = MqttSettings(host="localhost", tasmota_topic="home/%topic%/%prefix%")
    assert read("home/plug/tele/SENSOR", '{"X":1}', settings) == {"tasmota/plug/X": (1.0, None, "")}
    assert "home/+/tele/SENSOR" in reader_of(settings).filters


@pytest.mark.parametrize(
    "row, topic, payload, expected",
    [
        ({"topic": "a/#"}, "a/b/c", "1", {"a/b/c": 1.0}),
        ({"topic": "a/{rest...}", "address": "x/{rest}"}, "a/b/c", "1", {"x/b/c": 1.0}),
        ({"topic": "a", "value": "*"}, "a", '{"u":230,"i":1.5,"name":"x"}', {"a/u": 230.0, "a/i": 1.5}),
        ({"topic": "a", "value": "p.q"}, "a", '{"p":{"q":3}}', {"a/p/q": 3.0}),
        ({"topic": "a", "value": "[1]", "address": "z"}, "a", "[5,6]", {"z": 6.0}),
        ({"topic": "a", "value": 'x["b.c"]', "address": "z"}, "a", '{"x":{"b.c":4}}', {"z": 4.0}),
        ({"topic": "a", "value": "v", "address": "{.id}/{*}"}, "a", '{"id":9,"v":2}', {"9/": 2.0}),
        ({"topic": "a", "value": "*", "time": "ts"}, "a", '{"u":230,"ts":1700000000}', {"a/u": 230.0}),
        ({"topic": "a", "value": "*.*", "time": "*.t"}, "a", '{"x":{"u":2,"t":17e8}}', {"a/x/u": 2.0}),
        ({"topic": "a", "factor": 0.5}, "a", "3", {"a": 1.5}),
        ({"topic": "a"}, "a", "ON", {"a": 1.0}),
        ({"topic": "a"}, "a", "null", {}),
    ],
)  # fmt: skip
def test_free_mapping(row: dict[str, Any], topic: str, payload: str, expected: dict[str, float]) -> None:
    settings = MqttSettings(host="localhost", formats=(), mappings=(TopicMapping(**row),))
    assert {address: value for address, (value, _, _) in read(topic, payload, settings).items()} == expected


def test_mapped_times() -> None:
    for form, time in (
        ("auto", 1_699_999_990_000_000),
        ("auto", '"2023-11-14T22:13:10Z"'),
        ("ns", 1_699_999_990 * 10**9),
        ("ms", 1_699_999_990_000.0),
        ("s", '"1699999990"'),
        ("iso", '"2023-11-14T23:13:10+01:00"'),
    ):
        row = TopicMapping(topic="a", value="v", time="t", time_format=form)  # type: ignore[arg-type]
        settings = MqttSettings(host="localhost", formats=(), mappings=(row,))
        assert read("a", f'{{"v":1,"t":{time}}}', settings) == {"a/v": (1.0, -10.0, "")}, (form, time)
