"""Packets of MQTT 3.1, 3.1.1 and 5, as far as a receiver of messages needs them; pure.

OASIS MQTT 3.1.1 and 5.0, chapter 3.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from wattstead.ingest.errors import IngestError

CONNECT, PUBLISH, PUBREL, SUBSCRIBE, UNSUBSCRIBE, PINGREQ, DISCONNECT = 1, 3, 6, 8, 10, 12, 14
PUBACK, PUBREC, PUBCOMP = 4, 5, 7
V5 = 5
_LEVELS = {3: b"MQIsdp", 4: b"MQTT", V5: b"MQTT"}


class PacketInvalid(IngestError):
    """Bytes that are no packet of MQTT; the connection ends."""


class Accepted(Enum):
    """What is said to a CONNECT; the codes of MQTT 3 and 5."""

    YES = (0, 0)
    NO = (4, 0x86)
    """Bad user name or password."""
    FULL = (3, 0x97)
    """There are too many."""
    OFF = (5, 0x87)
    """Not allowed: the site's row is switched off."""


class Packet(NamedTuple):
    """A packet as it is cut from the stream."""

    kind: int
    flags: int
    body: bytes


class Connect(NamedTuple):
    """What a client says of itself."""

    version: int
    keepalive_s: int
    client_id: str
    user: str
    password: str


class Publish(NamedTuple):
    """A message; ``number`` is 0 for QoS 0."""

    topic: str
    payload: bytes
    qos: int
    number: int

    @property
    def size(self) -> int:
        """Bytes that it takes while it waits, about."""
        return len(self.topic) + len(self.payload)


def cut(buffer: bytearray, most_bytes: int) -> Packet | None:
    """The first packet of the buffer, which it is taken out of; None while it is not whole. Raises `PacketInvalid`."""
    if len(buffer) < 2:
        return None
    length, shift, at = 0, 0, 1
    while True:
        if at >= len(buffer):
            return None
        octet = buffer[at]
        length |= (octet & 127) << shift
        at, shift = at + 1, shift + 7
        if octet < 128:
            break
        if shift > 21:
            raise PacketInvalid("the length of a packet has more than four bytes")
    if length > most_bytes:
        raise PacketInvalid(f"a packet has {length:,} bytes; at most {most_bytes:,} are taken")
    if len(buffer) < at + length:
        return None
    packet = Packet(buffer[0] >> 4, buffer[0] & 15, bytes(buffer[at : at + length]))
    del buffer[: at + length]
    return packet


class _Body:
    """Reads a packet's body from front to back; raises `PacketInvalid` where it ends too early."""

    def __init__(self, body: bytes) -> None:
        self.body, self.at = body, 0

    def take(self, count: int) -> bytes:
        found = self.body[self.at : self.at + count]
        if len(found) < count:
            raise PacketInvalid("a packet ends too early")
        self.at += count
        return found

    def number(self, octets: int) -> int:
        return int.from_bytes(self.take(octets), "big")

    def data(self) -> bytes:
        return self.take(self.number(2))

    def text(self) -> str:
        try:
            return self.data().decode()
        except UnicodeDecodeError:
            raise PacketInvalid("a text of a packet is not UTF-8") from None

    def skip_properties(self) -> None:
        length, shift = 0, 0
        while True:
            octet = self.number(1)
            length |= (octet & 127) << shift
            shift += 7
            if octet < 128:
                break
            if shift > 21:
                raise PacketInvalid("the length of properties has more than four bytes")
        self.take(length)


def connect_of(body: bytes) -> Connect:
    """A CONNECT; its will is read over, since nobody can subscribe. Raises `PacketInvalid`."""
    read = _Body(body)
    name, version = read.data(), read.number(1)
    if _LEVELS.get(version) != name:
        raise PacketInvalid(f"protocol {name[:20]!r} of level {version}; known are MQTT 3.1, 3.1.1 and 5")
    flags, keepalive_s = read.number(1), read.number(2)
    if version == V5:
        read.skip_properties()
    client_id = read.text()
    if flags & 4:
        if version == V5:
            read.skip_properties()
        read.data()
        read.data()
    user = read.text() if flags & 128 else ""
    password = read.data().decode("latin-1") if flags & 64 else ""
    return Connect(version, keepalive_s, client_id, user, password)


def publish_of(flags: int, body: bytes, version: int) -> Publish:
    """A PUBLISH; raises `PacketInvalid`, also for a topic that is none.

    >>> publish_of(2, b"\\0\\x03a/b\\0\\x07\\x005", 5)
    Publish(topic='a/b', payload=b'5', qos=1, number=7)
    """
    qos = flags >> 1 & 3
    if qos == 3 or len(body) < 2:
        raise PacketInvalid("a PUBLISH is cut short, or of QoS 3")
    at = 2 + (body[0] << 8 | body[1])
    topic = topic_of(body[2:at])
    number = 0
    if qos:
        number = int.from_bytes(body[at : at + 2], "big")
        at += 2
    if version == V5:
        if body[at : at + 1] == b"\0":
            at += 1
        else:
            at += properties_bytes(body[at:])
    if at > len(body):
        raise PacketInvalid("a packet ends too early")
    return Publish(topic, body[at:], qos, number)


def properties_bytes(rest: bytes) -> int:
    """How many bytes the properties take that ``rest`` begins with, their length included; raises `PacketInvalid`."""
    read = _Body(rest)
    read.skip_properties()
    return read.at


def topic_of(raw: bytes) -> str:
    """The topic of a message; raises `PacketInvalid` for what can be none."""
    try:
        topic = raw.decode()
    except UnicodeDecodeError:
        raise PacketInvalid("the topic of a message is not UTF-8") from None
    if not topic or "+" in topic or "#" in topic or "\0" in topic:
        raise PacketInvalid(f"topic {topic[:60]!r} is none that can be published to")
    return topic


def number_of(body: bytes) -> int:
    """The packet identifier that a body begins with; raises `PacketInvalid`."""
    return _Body(body).number(2)


def subscriptions_of(body: bytes, version: int) -> tuple[int, int]:
    """Packet identifier and count of filters of a SUBSCRIBE; raises `PacketInvalid`."""
    read = _Body(body)
    number, count = read.number(2), 0
    if version == V5:
        read.skip_properties()
    while read.at < len(body):
        read.data()
        read.number(1)
        count += 1
    return number, count


def connack(version: int, accepted: Accepted) -> bytes:
    """The answer to a CONNECT; no session is ever kept here."""
    code = accepted.value[version == V5]
    return bytes((0x20, 3, 0, code, 0)) if version == V5 else bytes((0x20, 2, 0, code))


def answer(kind: int, number: int) -> bytes:
    """PUBACK, PUBREC or PUBCOMP."""
    return bytes((kind << 4, 2)) + number.to_bytes(2, "big")


def suback(version: int, number: int, count: int) -> bytes:
    """Every subscription refused."""
    codes = bytes((0x87 if version == V5 else 0x80,)) * min(count, 100)
    body = number.to_bytes(2, "big") + (b"\0" if version == V5 else b"") + codes
    return bytes((0x90, len(body))) + body


def unsuback(version: int, number: int) -> bytes:
    """There was no such subscription."""
    body = number.to_bytes(2, "big") + (b"\0\x11" if version == V5 else b"")
    return bytes((0xB0, len(body))) + body


PINGRESP = b"\xd0\0"
