"""The stream of bytes from a broker cut into packets: many messages at once, as columns; pure, it connects nothing.

A message costs less than a microsecond here, which is why it stands beside `wattstead.ingest.mqtt.port.packets`: that
reads one packet of one device at a time. OASIS MQTT 3.1.1 and 5.0, chapter 3.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from struct import Struct
from typing import Final

from wattstead.ingest.mqtt.port.packets import PacketInvalid, properties_bytes

_START: Final = Struct(">BBH").unpack_from
"""The first bytes of most messages: kind and flags, length, length of the topic."""
_PUBLISH: Final = 0x30
_SHORT: Final = "a PUBLISH is cut short"
MOST_BYTES: Final = 4 << 20
"""Of a message, far above those of devices with readings; larger ones are pictures, or a mistake."""
_HEAD: Final = 70_000
"""Bytes at the beginning of a message in which its topic and number are certain to be."""
_KEPT: Final = 1_000
"""Bytes of a payload that is too large that are kept for people."""
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
    large: dict[int, int] = field(default_factory=dict)
    """Bytes of those that are too large to be read, by position; of their payloads the beginning is here."""

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

    def __init__(self, properties: bool, most_bytes: int = MOST_BYTES) -> None:
        """``properties``: messages have such, as in MQTT 5. Of one with more than ``most_bytes`` only the beginning is
        kept."""
        self._properties, self._most = properties, max(most_bytes, _HEAD)
        self._held: list[bytes] = []
        self._held_bytes = self._needed = 0
        self._passed_over = 0
        """Bytes that are still to come of a message that is too large."""

    def cut(self, piece: bytes) -> tuple[Messages, list[Other]]:
        """The messages, and the other packets, that are whole now. Raises `PacketInvalid`; then nothing more is cut."""
        messages, others = Messages(), list[Other]()
        if self._passed_over:
            over = min(self._passed_over, len(piece))
            self._passed_over -= over
            piece = piece[over:]
        if self._held:
            self._held.append(piece)
            self._held_bytes += len(piece)
            if self._held_bytes < self._needed:
                return messages, others
            piece, self._held = b"".join(self._held), []
        try:
            while piece:
                at = _cut(piece, self._properties, self._most, messages, others)
                end = self._put_large(piece, at, messages)
                if not end:
                    break
                self._passed_over = max(0, end - len(piece))
                piece, at = piece[end:], 0
        except IndexError:
            raise PacketInvalid(_SHORT) from None
        if piece and at < len(piece):
            self._held = [piece[at:]]
            self._held_bytes = len(piece) - at
            whole = _bounds(piece, at)
            needed = self._held_bytes + 1 if whole is None else whole[1] - at
            self._needed = needed if needed <= self._most else _HEAD
        return messages, others

    def _put_large(self, data: bytes, at: int, messages: Messages) -> int:
        """Put what is kept of a message that is too large, once its beginning is there; where it ends, 0: none is."""
        whole = _bounds(data, at)
        if whole is None or whole[1] - at <= self._most or len(data) - at < _HEAD:
            return 0
        (body, end), head = whole, data[at]
        if head & 0xF0 != _PUBLISH:
            raise PacketInvalid(f"a packet of kind {head >> 4} has {end - at:,} bytes")
        start = body + 2 + int.from_bytes(data[body : body + 2], "big")
        messages.topics.append(data[body + 2 : start])
        messages.numbers.append(int.from_bytes(data[start : start + 2], "big") if head & 6 else 0)
        start += 2 if head & 6 else 0
        if self._properties:
            with suppress(PacketInvalid):  # they are longer than what is kept
                start += properties_bytes(data[start : at + _HEAD])
        messages.payloads.append(data[start : start + _KEPT] or b" ")
        messages.large[len(messages.topics) - 1] = end - at
        if head & 1:
            messages.retained.append(len(messages.topics) - 1)
        return end


def _cut(data: bytes, properties: bool, most_bytes: int, messages: Messages, others: list[Other]) -> int:
    """Put all whole packets where they belong; how far they go, at most to one that is too large."""
    put_topic, put_payload = messages.topics.append, messages.payloads.append
    put_number, numbered = messages.numbers.append, messages.numbers
    at, size = 0, len(data)
    while size - at >= 4:  # a message has at least five bytes
        head, length, topic_length = _START(data, at)
        body = at + 2
        if length >= _TWO_BYTES:
            body, end = _of_a_size(data, at, most_bytes) or (at, size + 1)
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


def _of_a_size(data: bytes, at: int, most_bytes: int) -> tuple[int, int] | None:
    """`_bounds` of a packet that is not too large; None for one that is."""
    bounds = _bounds(data, at)
    return None if bounds is None or bounds[1] - at > most_bytes else bounds


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
