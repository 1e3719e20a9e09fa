"""The stream of bytes from a broker cut into packets: many messages at once, as columns; pure, it connects nothing.

A message costs less than a microsecond here, which is why it stands beside `wattstead.ingest.mqtt.port.packets`: that
reads one packet of one device at a time. OASIS MQTT 3.1.1 and 5.0, chapter 3.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from struct import Struct
from typing import Final

from wattstead.ingest.mqtt.port.packets import PacketInvalid, properties_bytes

_START: Final = Struct(">BBH").unpack_from
"""The first bytes of most messages: kind and flags, length, length of the topic."""
_PUBLISH: Final = 0x30
_SHORT: Final = "a PUBLISH is cut short"
_TWO_BYTES: Final = 128
"""Lengths from here on have more bytes than one."""


@dataclass(slots=True)
class Messages:
    """Messages in their order, as columns of one length; a topic is as it came, whatever it is."""

    topics: list[bytes] = field(default_factory=list)
    payloads: list[bytes] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    """By which each is acknowledged; 0 where nobody waits for that (QoS 0)."""
    retained: list[int] = field(default_factory=list)
    """Positions of those that the broker had kept."""

    def __len__(self) -> int:
        return len(self.topics)


Other = tuple[int, bytes]
"""First byte and body of a packet that is no message."""


class Frames:
    """Cuts what comes, piece by piece, wherever the pieces end.

    >>> frames = Frames(properties=False)
    >>> frames.cut(b"0\\x06\\0\\x01a15")[1], frames.cut(b"00\\x04\\0\\x01a6\\xd0\\0")[0].payloads
    ([], [b'150', b'6'])
    """

    def __init__(self, properties: bool) -> None:
        """``properties``: messages have such, as in MQTT 5."""
        self._properties = properties
        self._held: list[bytes] = []
        self._held_bytes = self._needed = 0

    def cut(self, piece: bytes) -> tuple[Messages, list[Other]]:
        """The messages, and the other packets, that are whole now. Raises `PacketInvalid`; then nothing more is cut."""
        if self._held:
            self._held.append(piece)
            self._held_bytes += len(piece)
            if self._held_bytes < self._needed:
                return Messages(), []
            piece, self._held = b"".join(self._held), []
        messages, others = Messages(), list[Other]()
        try:
            at = _cut(piece, self._properties, messages, others)
        except IndexError:
            raise PacketInvalid(_SHORT) from None
        if at < len(piece):
            self._held = [piece[at:]]
            self._held_bytes = len(piece) - at
            whole = _bounds(piece, at)
            self._needed = self._held_bytes + 1 if whole is None else whole[1] - at
        return messages, others


def _cut(data: bytes, properties: bool, messages: Messages, others: list[Other]) -> int:
    """Put all whole packets where they belong; how far they go."""
    put_topic, put_payload = messages.topics.append, messages.payloads.append
    put_number, numbered = messages.numbers.append, messages.numbers
    at, size = 0, len(data)
    while size - at >= 4:  # a message has at least five bytes
        head, length, topic_length = _START(data, at)
        body = at + 2
        if length >= _TWO_BYTES:
            body, end = _bounds(data, at) or (at, size + 1)
            topic_length = int.from_bytes(data[body : body + 2], "big")
        else:
            end = body + length
        if end > size:
            return at
        if head & 0xF0 != _PUBLISH:
            others.append((head, data[body:end]))
            at = end
            continue
        start = body + 2 + topic_length
        put_topic(data[body + 2 : start])
        if head & 6:
            put_number(data[start] << 8 | data[start + 1])
            start += 2
        else:
            put_number(0)
        if properties:
            if not data[start]:
                start += 1
            else:
                start += properties_bytes(data[start:end])
        if start > end:
            raise PacketInvalid(_SHORT)
        put_payload(data[start:end])
        if head & 1:
            messages.retained.append(len(numbered) - 1)
        at = end
    return _tail(data, at, others)


def _tail(data: bytes, at: int, others: list[Other]) -> int:
    """The last bytes, too few for a message; how far whole packets go."""
    while (bounds := _bounds(data, at)) is not None and bounds[1] <= len(data):
        if data[at] & 0xF0 == _PUBLISH:
            raise PacketInvalid(_SHORT)
        others.append((data[at], data[bounds[0] : bounds[1]]))
        at = bounds[1]
    return at


def _bounds(data: bytes, at: int) -> tuple[int, int] | None:
    """Where the body of the packet begins and where it ends; None while its length has not come."""
    length = shift = 0
    for body in range(at + 1, min(at + 5, len(data))):
        octet = data[body]
        length |= (octet & 127) << shift
        if octet < _TWO_BYTES:
            return body + 1, body + 1 + length
        shift += 7
    if len(data) >= at + 5:
        raise PacketInvalid("the length of a packet has more than four bytes")
    return None
