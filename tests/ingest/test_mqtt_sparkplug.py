"""Sparkplug B: what births, data and deaths say, and how a node without a birth is asked for one."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattstead.ingest.decoding.columns import Few
from wattstead.ingest.mqtt.decode import decode
from wattstead.ingest.mqtt.settings import MqttSettings
from wattstead.ingest.mqtt.sparkplug.nodes import Nodes, Ready
from wattstead.ingest.mqtt.sparkplug.payload import DataType, payload_class
from wattstead.ingest.mqtt.sparkplug.topic import sparkplug_topic
from wattstead.ingest.sources.source_protocol import Message, Unreadable

pytestmark = pytest.mark.unit
SETTINGS = MqttSettings(host="localhost")
NOW_US = 1_700_000_000_000_000


def packed(seq: int | None, *metrics: dict[str, Any], at_ms: int | None = 1_699_999_990_000) -> bytes:
    """A payload of Sparkplug B."""
    payload = payload_class()()
    if seq is not None:
        payload.seq = seq
    if at_ms is not None:
        payload.timestamp = at_ms
    for metric in metrics:
        added = payload.metrics.add()
        unit = metric.pop("unit", "")
        if unit:
            added.properties.keys.append("engUnit")
            added.properties.values.add(type=12, string_value=unit)
        for field, value in metric.items():
            setattr(added, field, value)
    raw: bytes = payload.SerializeToString()
    return raw


def read(topic: str, raw: bytes) -> dict[str, tuple[float, int, str]]:
    """Value, time and unit by address."""
    found = decode(Message(raw, topic, NOW_US), SETTINGS)
    columns = found.columns() if isinstance(found, Few) else found
    units = columns.units or [""] * len(columns)
    return {
        columns.names.address(row): (float(columns.value[row]), int(columns.time_us[row]), units[row])
        for row in range(len(columns))
    }


BORN = packed(
    0,
    {"name": "bdSeq", "datatype": 8, "long_value": 3},
    {"name": "Node Control/Rebirth", "datatype": 11, "boolean_value": False},
    {"name": "Grid/power", "alias": 1, "datatype": 9, "float_value": 230.1, "unit": "kW"},
    {"name": "Grid/net", "alias": 0, "datatype": 3, "int_value": 2**32 - 5},
    {"name": "Grid/total", "alias": 2, "datatype": 8, "long_value": 2**40},
    {"name": "Relay", "alias": 3, "datatype": 11, "boolean_value": True},
    {"name": "Serial", "alias": 4, "datatype": 12, "string_value": "AB1"},
    {"name": "Nothing", "alias": 5, "datatype": 9, "is_null": True},
)
BIRTH, DATA, DEATH = "spBv1.0/plant/NBIRTH/gate", "spBv1.0/plant/NDATA/gate", "spBv1.0/plant/NDEATH/gate"


def take(nodes: Nodes[str], token: str, topic: str, raw: bytes, now_us: int = NOW_US) -> list[Ready[str]]:
    """Hand a message to the nodes."""
    found = sparkplug_topic(topic)
    assert found is not None
    return list(nodes.take(token, found, raw, now_us))


def test_a_birth_says_all_that_it_has() -> None:
    at_us = 1_699_999_990_000_000
    assert read(BIRTH, BORN) == {
        "sparkplug/plant/gate/online": (1, NOW_US, ""),
        "sparkplug/plant/gate/Grid/power": (230.1, at_us, "kW"),
        "sparkplug/plant/gate/Grid/net": (-5, at_us, ""),
        "sparkplug/plant/gate/Grid/total": (2.0**40, at_us, ""),
        "sparkplug/plant/gate/Relay": (1, at_us, ""),
    }


def test_aliases_get_their_names_and_types() -> None:
    nodes: Nodes[str] = Nodes()
    assert [one.token for one in take(nodes, "birth", BIRTH, BORN)] == ["birth"]
    raw = packed(1, {"alias": 0, "int_value": 2**32 - 7, "timestamp": 1_699_999_991_000})
    (ready,) = take(nodes, "data", DATA, raw)
    assert read(DATA, ready.raw) == {"sparkplug/plant/gate/Grid/net": (-7, 1_699_999_991_000_000, "")}
    assert not nodes.rebirths(NOW_US)


def test_data_before_its_birth_waits_for_it() -> None:
    nodes: Nodes[str] = Nodes()
    assert take(nodes, "early", DATA, packed(7, {"alias": 1, "float_value": 1.5})) == []
    ((topic, raw),) = nodes.rebirths(NOW_US)
    assert topic == "spBv1.0/plant/NCMD/gate"
    command = payload_class().FromString(raw).metrics[0]
    assert (command.name, command.datatype, command.boolean_value) == ("Node Control/Rebirth", DataType.BOOLEAN, True)
    assert take(nodes, "again", DATA, packed(8, {"alias": 1, "float_value": 2.5})) == []
    assert not nodes.rebirths(NOW_US), "asked once, not at each message"
    assert [one.token for one in take(nodes, "birth", BIRTH, BORN)] == ["birth", "early", "again"]


def test_a_number_whose_sign_only_its_birth_tells_waits_for_it() -> None:
    """Data need not say the type; without it -7 and 4,294,967,289 are the same bytes."""
    nodes: Nodes[str] = Nodes()
    assert take(nodes, "small", DATA, packed(6, {"name": "Grid/net", "int_value": 7}))[0].refused == ""
    below = packed(7, {"name": "Grid/net", "int_value": 2**32 - 7})
    assert take(nodes, "below", DATA, below) == [] and len(nodes.rebirths(NOW_US)) == 1
    assert read(DATA, below) == {}, "nor is it guessed where it is read by itself"
    _, ready = take(nodes, "birth", BIRTH, BORN)
    assert [value for value, _, _ in read(DATA, ready.raw).values()] == [-7]


def test_who_is_never_born_becomes_a_dead_letter() -> None:
    nodes: Nodes[str] = Nodes()
    take(nodes, "early", DATA, packed(7, {"alias": 1, "float_value": 1.5}))
    assert not nodes.overdue(NOW_US + 1_000_000)
    (late,) = nodes.overdue(NOW_US + 40_000_000)
    assert late.token == "early" and "no birth certificate" in late.refused
    with_name = packed(9, {"name": "x", "float_value": 1.5, "datatype": 9})
    assert take(nodes, "named", DATA, with_name)[0].refused == "", "a name needs no birth"


def test_a_gap_in_the_numbers_asks_for_a_rebirth() -> None:
    nodes: Nodes[str] = Nodes()
    take(nodes, "birth", BIRTH, BORN)
    for seq in range(1, 258):
        take(nodes, "data", DATA, packed(seq % 256, {"alias": 1, "float_value": 1.0}))
    assert not nodes.rebirths(NOW_US)
    (kept,) = take(nodes, "gap", DATA, packed(9, {"alias": 1, "float_value": 1.0}))
    assert not kept.refused and len(nodes.rebirths(NOW_US)) == 1


def test_a_death_of_an_earlier_life_is_none() -> None:
    nodes: Nodes[str] = Nodes()
    take(nodes, "birth", BIRTH, BORN)
    old = packed(None, {"name": "bdSeq", "datatype": 8, "long_value": 2}, at_ms=None)
    assert "born again" in take(nodes, "old", DEATH, old)[0].refused
    (death,) = take(nodes, "death", DEATH, packed(None, {"name": "bdSeq", "datatype": 8, "long_value": 3}, at_ms=None))
    assert not death.refused
    assert read(DEATH, death.raw) == {"sparkplug/plant/gate/online": (0, NOW_US, "")}


def test_devices_of_a_node() -> None:
    nodes: Nodes[str] = Nodes()
    take(nodes, "birth", BIRTH, BORN)
    take(nodes, "device", "spBv1.0/plant/DBIRTH/gate/m1", packed(1, {"name": "P", "alias": 77, "datatype": 10}))
    topic = "spBv1.0/plant/DDATA/gate/m1"
    (ready,) = take(nodes, "data", topic, packed(2, {"alias": 77, "double_value": 12.25}))
    assert read(topic, ready.raw) == {"sparkplug/plant/gate/m1/P": (12.25, 1_699_999_990_000_000, "")}


@given(st.sampled_from([BIRTH, DATA, DEATH, "spBv1.0/g/DDATA/n/d"]), st.binary(max_size=200))
def test_any_bytes_are_read_or_named(topic: str, raw: bytes) -> None:
    nodes: Nodes[str] = Nodes()
    try:
        for ready in take(nodes, "x", topic, raw):
            read(topic, ready.raw)
        read(topic, raw)
    except Unreadable:
        pass


@given(
    st.lists(
        st.tuples(st.sampled_from(list(DataType)), st.integers(-(2**63), 2**63 - 1)),
        max_size=8,
    )
)
def test_integers_come_back_as_they_were(values: list[tuple[DataType, int]]) -> None:
    metrics, expected = [], []
    for at, (kind, value) in enumerate(values):
        bits = {DataType.INT8: 8, DataType.INT16: 16, DataType.INT32: 32, DataType.INT64: 64}.get(kind)
        if bits is None:
            continue
        number = (value + 2 ** (bits - 1)) % 2**bits - 2 ** (bits - 1)
        field, modulus = ("long_value", 2**64) if bits == 64 else ("int_value", 2**32)
        metrics.append({"name": f"m{at}", "datatype": int(kind), field: number % modulus})
        expected.append(float(number))
    found = read(DATA, packed(0, *metrics))
    assert [value for value, _, _ in found.values()] == expected


def test_a_death_lies_after_the_birth_that_it_was_written_before() -> None:
    will = packed(None, {"name": "bdSeq", "datatype": 8, "long_value": 3}, at_ms=1_699_999_980_000)
    birth, death = read(BIRTH, BORN), read(DEATH, will)
    assert birth["sparkplug/plant/gate/online"] == (1, NOW_US, "")
    assert death == {"sparkplug/plant/gate/online": (0, NOW_US, "")}
    device = read("spBv1.0/plant/DDEATH/gate/meter", packed(1))
    assert device == {"sparkplug/plant/gate/meter/online": (0, 1_699_999_990_000_000, "")}, "sent when it died"


def compressed(body: bytes) -> bytes:
    payload = payload_class()(uuid="SPBV1.0_COMPRESSED", seq=0, body=body)
    payload.metrics.add(name="algorithm", datatype=12, string_value="GZIP")
    raw: bytes = payload.SerializeToString()
    return raw


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress])
def test_a_compressed_payload_is_unpacked(pack: Callable[[bytes], bytes]) -> None:
    assert read(BIRTH, compressed(pack(BORN))) == read(BIRTH, BORN)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"neither", "neither by GZIP nor by DEFLATE"),
        (zlib.compress(BORN)[:-6], "cut short"),
        (zlib.compress(bytes(5_000_000)), "more than 4,194,304 bytes"),
        (zlib.compress(b"nothing of it"), "no Sparkplug B"),
    ],
)
def test_what_cannot_be_unpacked_says_why(body: bytes, said: str) -> None:
    with pytest.raises(Unreadable, match=said):
        read(BIRTH, compressed(body))
