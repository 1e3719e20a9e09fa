"""Many messages of one piece of the stream: cut wherever it ends, read together as each would be read alone."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from wattstead.ingest.decoding.columns import Columns, Few
from wattstead.ingest.mqtt import flat
from wattstead.ingest.mqtt.decode import Reader
from wattstead.ingest.mqtt.frames import Frames, Messages, Other
from wattstead.ingest.mqtt.port.packets import PUBLISH, V5, PacketInvalid, cut, publish_of
from wattstead.ingest.mqtt.settings import MqttSettings, TopicMapping
from wattstead.ingest.sources.source_protocol import Unreadable

pytestmark = pytest.mark.unit
NOW_US = 1_700_000_000_000_000
SIZES = st.sampled_from([0, 1, 40, 110, 130, 200, 16_400])
PROPERTIES = [b"\0", b"\x05\x02\0\0\0\x3c", b"\x02\x01\x01"]


def framed(head: int, body: bytes) -> bytes:
    """A packet."""
    length, told = len(body), bytearray((head,))
    while True:
        length, octet = length >> 7, length & 127
        told.append(octet | (128 if length else 0))
        if not length:
            return bytes(told) + body


@st.composite
def packets(draw: st.DrawFn, properties: bool) -> bytes:
    """A packet as a broker sends it."""
    kind = draw(st.sampled_from(["message", "message", "message", "other"]))
    if kind == "other":
        body = draw(st.sampled_from([b"", b"\0", b"\0\x01\0", b"\0\x07\0\x01"]))
        return framed(draw(st.sampled_from([0x20, 0x90, 0xB0, 0xD0, 0xE0])), body)
    qos, kept = draw(st.sampled_from([0, 1, 2])), draw(st.booleans())
    topic = draw(st.sampled_from([b"a", b"emon/n/x", "größe/∆".encode(), b"t" * 300]))
    number = draw(st.integers(1, 65_535)).to_bytes(2, "big") if qos else b""
    told = draw(st.sampled_from(PROPERTIES)) if properties else b""
    payload = bytes(draw(SIZES))
    return framed(0x30 | qos << 1 | kept, len(topic).to_bytes(2, "big") + topic + number + told + payload)


def pieces(frames: Frames, stream: bytes, ends: list[int]) -> tuple[Messages, list[Other]]:
    """What comes of a stream that is cut at those places."""
    whole, others = Messages(), list[Other]()
    places = sorted({0, len(stream), *(end for end in ends if end < len(stream))})
    for begin, end in pairwise(places):
        messages, more = frames.cut(stream[begin:end])
        whole.retained += [len(whole) + at for at in messages.retained]
        whole.topics += messages.topics
        whole.payloads += messages.payloads
        whole.numbers += messages.numbers
        others += more
    return whole, others


@pytest.mark.parametrize("properties", [False, True])
@given(data=st.data())
def test_any_split_of_the_stream_gives_the_same_packets(properties: bool, data: st.DataObject) -> None:
    stream = b"".join(data.draw(st.lists(packets(properties), max_size=8)))
    ends = data.draw(st.lists(st.integers(0, max(1, len(stream))), max_size=20))
    messages, others = pieces(Frames(properties), stream, ends)
    buffer, wanted, wanted_others = bytearray(stream), [], []
    while (packet := cut(buffer, 1 << 28)) is not None:  # by what reads one packet at a time
        if packet.kind == PUBLISH:
            wanted.append((*publish_of(packet.flags, packet.body, V5 if properties else 4), packet.flags & 1))
        else:
            wanted_others.append((packet.kind << 4 | packet.flags, packet.body))
    kept = [at in messages.retained for at in range(len(messages))]
    found = zip(messages.topics, messages.payloads, messages.numbers, kept, strict=True)
    assert [(topic.decode(), payload, number, retained) for topic, payload, number, retained in found] == [
        (topic, payload, number, bool(retained)) for topic, payload, _, number, retained in wanted
    ]
    assert others == wanted_others


@pytest.mark.parametrize("properties", [False, True])
@given(data=st.data())
def test_of_what_is_too_large_the_beginning_is_kept_and_nothing_after_it_is_lost(
    properties: bool, data: st.DataObject
) -> None:
    told = b"\x05\x02\0\0\0\x3c" if properties else b""
    large = framed(0x33, b"\0\x03pic\0\x07" + told + b"x" * 200_000)
    parts = data.draw(st.lists(st.sampled_from([large, framed(0x30, b"\0\x01a" + told + b"5"), b"\xd0\0"]), max_size=4))
    stream = b"".join(parts)
    ends = data.draw(st.lists(st.integers(0, max(1, len(stream))), max_size=12))
    frames = Frames(properties, 100_000)
    messages, others = Messages(), list[Other]()
    places = sorted({0, len(stream), *(end for end in ends if end < len(stream))})
    most = 0
    for begin, end in pairwise(places):
        found, more = frames.cut(stream[begin:end])
        messages.large |= {len(messages) + at: size for at, size in found.large.items()}
        messages.topics += found.topics
        messages.payloads += found.payloads
        messages.numbers += found.numbers
        others += more
        most = max(most, sum(map(len, frames._held)))
    wanted = [(b"pic", b"x" * 1_000, 7) if one is large else (b"a", b"5", 0) for one in parts if one != b"\xd0\0"]
    assert list(zip(messages.topics, messages.payloads, messages.numbers, strict=True)) == wanted
    assert others == [(0xD0, b"")] * parts.count(b"\xd0\0")
    assert messages.large == {at: len(large) for at, one in enumerate(wanted) if one[0] == b"pic"}
    assert most < 100_000


@pytest.mark.parametrize("properties", [False, True])
@given(stream=st.binary(max_size=200), ends=st.lists(st.integers(0, 200), max_size=5))
@example(stream=b"\x30\x01a", ends=[])
@example(stream=b"\x32\x03\0\x01a", ends=[])
@example(stream=b"\x30\xff\xff\xff\xff\x01", ends=[2])
@example(stream=b"\x30\x04\0\x09ab\xd0\0", ends=[])
def test_garbage_is_named_and_nothing_else_happens(properties: bool, stream: bytes, ends: list[int]) -> None:
    try:
        messages, _ = pieces(Frames(properties), stream, ends)
    except PacketInvalid:
        return
    assert sum(map(len, messages.payloads)) <= len(stream)


MAPPED = MqttSettings(
    host="h", mappings=(TopicMapping(topic="m/{id}", address="meter/{id}", value="power", time="ts"),
                        TopicMapping(topic="now/{id}", value="power", address="now/{id}"),
                        TopicMapping(topic="bare/{id}"))
)  # fmt: skip
READER = Reader(MAPPED)
TOPICS = [b"emon/a", b"emon/b", b"emon/b/c", b"m/1", b"m/2", b"now/1", b"bare/1", b"emon/b/describe"]
VALUES: st.SearchStrategy[Any] = st.one_of(
    st.integers(-10, 10), st.floats(-1e6, 1e6), st.sampled_from([1_700_000_000, 1_700_000_000_000, -5, 1e12]),
    st.sampled_from(["x", None, True, [1], {"a": 1}]),
)  # fmt: skip
PAYLOADS = st.one_of(
    st.dictionaries(st.sampled_from(["power", "ts", "time", "Time", "b", ""]), VALUES, max_size=4).map(
        lambda found: json.dumps(found).encode()
    ),
    st.sampled_from([b'{"power":1},{"power":2}', b'{"power":3', b'"b":4}', b"5", b" 5", b"-6.5e2", b"6,7",
                     b"[8", b"9]", b"", b"true", b'{"a}', b'{":1}', b"{}",
                     b'{"power":1e999}', b'{"power":1}}', b'{"power":1,}', b'{\n"power": 8, "ts": 1700000000}',
                     b'{"power":NaN}', b'\xff{"power":1}', b'{"power":1,"power":2}', b'{"power":1},\n{"power":2}']),
)  # fmt: skip


def flats_of(came: list[tuple[bytes, bytes]]) -> list[flat.Flat]:
    """How each is read together with others."""
    return [topic.flat for one, _ in came if (topic := READER.known[one]) is not None and topic.flat is not None]


def rows(found: Columns | Few) -> list[tuple[str, int, float, bool]]:
    """Each reading with all that is said of it."""
    whole = found.columns() if isinstance(found, Few) else found
    untimed = np.broadcast_to(whole.untimed, len(whole)).tolist()
    names = [whole.names.address(row) for row in range(len(whole))]
    return list(zip(names, whole.time_us.tolist(), whole.value.tolist(), untimed, strict=True))


@given(came=st.lists(st.tuples(st.sampled_from(TOPICS), PAYLOADS), min_size=1, max_size=40))
def test_read_together_messages_say_what_each_says_alone(came: list[tuple[bytes, bytes]]) -> None:
    topics = [READER.known[topic] for topic, _ in came]
    received_us = np.arange(len(came), dtype=np.int64) + NOW_US
    columns, odd = flat.read(flats_of(came), [raw for _, raw in came], received_us)
    together = iter([] if columns is None else rows(columns))
    for at, (topic, (_, raw)) in enumerate(zip(topics, came, strict=True)):
        if at not in odd and topic is not None:
            alone = rows(topic.read(raw, int(received_us[at])))
            assert alone and [next(together) for _ in alone] == alone
    assert next(together, None) is None


def test_what_is_usual_is_read_together() -> None:
    """So that the property above is not met by reading everything alone."""
    usual = [(b"emon/a", b'{"p":1,"time":1700000000.5}'), (b"m/1", b'{"ts":1700000000,"power":2,"x":3}'),
             (b"now/1", b'{"power":4}'), (b"bare/1", b"7"), (b"emon/a/q", b"8"),
             (b"emon/a", b'{"p":5,"q":6}')]  # fmt: skip
    broken = (b"emon/b", b'{"p":')
    for came, left in ((usual, []), ([*usual * 20, broken, *usual * 20], [120])):
        columns, odd = flat.read(flats_of(came), [raw for _, raw in came], np.full(len(came), NOW_US, np.int64))
        assert odd == left and columns is not None
        assert rows(columns)[:3] == [
            ("emon/a/p", NOW_US + 500_000, 1.0, False), ("meter/1", NOW_US, 2.0, False), ("now/1", NOW_US, 4.0, True),
        ]  # fmt: skip
    with pytest.raises(Unreadable):
        topic = READER.known[broken[0]]
        assert topic is not None
        topic.read(broken[1], NOW_US)
