"""Frames: requests and answers of Modbus as bytes, behind a TCP header or before a checksum; pure.

Only what reads registers (functions 3 and 4): nothing that changes a device can be made here.
"""

from __future__ import annotations

import struct
from typing import ClassVar, NamedTuple, Protocol

from wattstead.ingest.modbus.plan import Block

FUNCTIONS = {"holding": 3, "input": 4}
_REFUSED = 0x80
_MBAP = struct.Struct(">HHHB")
_LONGEST_TCP = 254
_LONGEST_RTU = 256
CODES = {
    0: "no answer",
    1: "illegal function",
    2: "illegal data address",
    3: "illegal data value",
    4: "device failure",
    5: "acknowledged, takes longer",
    6: "device busy",
    8: "memory parity error",
    10: "gateway path unavailable",
    11: "gateway: the device did not answer",
}
"""What exceptions mean, as the protocol has them."""


class NotModbus(Exception):
    """Bytes that no Modbus device sends; the connection they came on leads to something else."""


class Request(NamedTuple):
    """What was asked last; there is never more than one."""

    unit: int
    block: Block
    number: int
    """Counts requests; TCP carries it, so that late answers are told from others."""

    @property
    def function(self) -> int:
        """The function code."""
        return FUNCTIONS[self.block.table]


class Answer(NamedTuple):
    """What a device said: the registers asked for, two bytes each, or the code of an exception."""

    registers: bytes
    refused: int = 0


class Frames(Protocol):
    """One direction of a connection: requests become bytes, bytes that come become the answer to the last request."""

    numbered: ClassVar[bool]
    """Whether an answer says which request it is to."""
    strays: int
    """Whole answers to other requests, or bytes of none, that were passed over."""

    def ask(self, request: Request) -> bytes:
        """The bytes of a request; what came before it and was not its answer is forgotten."""
        ...

    def feed(self, data: bytes) -> Answer | None:
        """The answer, once it is complete; raises `NotModbus`."""
        ...


class TcpFrames:
    """Modbus TCP: a header with the number of the request and the length.

    >>> frames = TcpFrames()
    >>> frames.ask(Request(1, Block("input", 0, 2), 7)).hex(" ")
    '00 07 00 00 00 06 01 04 00 00 00 02'
    >>> frames.feed(bytes.fromhex("0007 0000 0007 01 04 04 4366"))
    >>> frames.feed(bytes.fromhex("3333")).registers.hex()
    '43663333'
    """

    numbered: ClassVar[bool] = True

    def __init__(self) -> None:
        self.strays = 0
        self._buffer = b""
        self._request: Request | None = None

    def ask(self, request: Request) -> bytes:
        """See `Frames`, as what follows. Half an answer that came too late stays, so that its rest is understood."""
        self._request = request
        block = request.block
        return _MBAP.pack(request.number & 0xFFFF, 0, 6, request.unit) + struct.pack(
            ">BHH", request.function, block.at, block.words
        )

    def feed(self, data: bytes) -> Answer | None:
        self._buffer += data
        found = None
        while len(self._buffer) >= _MBAP.size:
            number, protocol, length, unit = _MBAP.unpack_from(self._buffer)
            if protocol or not 3 <= length <= _LONGEST_TCP:
                raise NotModbus(
                    f"it sent {self._buffer[:16].hex(' ')}, which is no Modbus TCP; look at address and port"
                )
            if len(self._buffer) < length + 6:
                break
            body, self._buffer = self._buffer[7 : length + 6], self._buffer[length + 6 :]
            answer = None if found else self._answer(number, unit, body)
            self.strays += answer is None
            found = found or answer
        return found

    def _answer(self, number: int, unit: int, body: bytes) -> Answer | None:
        request = self._request
        if request is None or number != request.number & 0xFFFF or unit != request.unit:
            return None
        answer = _answer(request, body)
        if answer is not None:
            self._request = None
        return answer


class RtuFrames:
    """Frames of the serial line: unit, function, bytes, checksum; used over TCP by simple converters too.

    >>> RtuFrames().ask(Request(1, Block("holding", 0, 1), 1)).hex(" ")
    '01 03 00 00 00 01 84 0a'
    """

    numbered: ClassVar[bool] = False

    def __init__(self) -> None:
        self.strays = 0
        self._buffer = b""
        self._request: Request | None = None

    def ask(self, request: Request) -> bytes:
        """See `Frames`, as what follows."""
        self.strays += len(self._buffer)
        self._buffer, self._request = b"", request
        block = request.block
        body = struct.pack(">BBHH", request.unit, request.function, block.at, block.words)
        return body + crc(body)

    def feed(self, data: bytes) -> Answer | None:
        request = self._request
        if request is None:
            self.strays += len(data)
            return None
        self._buffer = (self._buffer + data)[-2 * _LONGEST_RTU :]
        for start in range(len(self._buffer) - 4):
            answer = self._at(request, start)
            if answer is not None:
                self.strays += start
                self._buffer, self._request = b"", None
                return answer
        return None

    def _at(self, request: Request, start: int) -> Answer | None:
        """The answer that begins at a byte, where one does and is complete."""
        buffer = self._buffer
        if buffer[start] != request.unit or buffer[start + 1] & 0x7F != request.function:
            return None
        end = start + (3 if buffer[start + 1] & _REFUSED else 3 + buffer[start + 2])
        if len(buffer) < end + 2 or crc(buffer[start:end]) != buffer[end : end + 2]:
            return None
        return _answer(request, buffer[start + 1 : end])


def _answer(request: Request, body: bytes) -> Answer | None:
    """The answer in a body (function, then what it says); None where it is not one to this request."""
    if len(body) == 2 and body[0] == request.function | _REFUSED:
        return Answer(b"", body[1] or 4)
    octets = 2 * request.block.words
    if len(body) == octets + 2 and body[0] == request.function and body[1] == octets:
        return Answer(body[2:])
    return None


def _crc_row(at: int) -> int:
    for _ in range(8):
        at = at >> 1 ^ (0xA001 if at & 1 else 0)
    return at


_CRC = [_crc_row(at) for at in range(256)]


def crc(data: bytes) -> bytes:
    """The checksum of a serial frame, as it is sent.

    >>> crc(bytes.fromhex("01 03 00 00 00 01")).hex(" ")
    '84 0a'
    """
    rest = 0xFFFF
    for byte in data:
        rest = rest >> 8 ^ _CRC[(rest ^ byte) & 0xFF]
    return rest.to_bytes(2, "little")


def meaning(code: int) -> str:
    """An exception for people.

    >>> meaning(2)
    'exception 2 (illegal data address)'
    """
    return f"exception {code} ({CODES.get(code, 'not of the protocol')})"
