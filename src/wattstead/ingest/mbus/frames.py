"""Frames of M-Bus (EN 13757-2): what a master sends, and the answers cut out of a stream; no meter is known here."""

from __future__ import annotations

import re
from typing import NamedTuple

ACK = 0xE5
SELECTED = 0xFD
"""The address that stands for the meter that was selected."""
_SHORT, _LONG, _STOP = 0x10, 0x68, 0x16
_SND_NKE, _REQ_UD2, _SND_UD = 0x40, 0x5B, 0x53
_FCB = 0x20
_SELECT = 0x52
_OVERHEAD, _SMALLEST = 6, 3
_SECONDARY = re.compile(r"([0-9Ff]{8})([0-9A-Fa-f]{8})?")


def checksum(raw: bytes) -> int:
    """The sum of bytes, its lowest eight bits."""
    return sum(raw) & 0xFF


def reset(address: int) -> bytes:
    """Begin anew with a meter (SND_NKE).

    >>> reset(5).hex()
    '1040054516'
    """
    return _short(_SND_NKE, address)


def request(address: int, bit: bool) -> bytes:
    """Ask for data (REQ_UD2); the ``bit`` changes when the last answer arrived, and the meter goes on to its next one.

    >>> request(1, True).hex()
    '107b017c16'
    """
    return _short(_REQ_UD2 | (_FCB if bit else 0), address)


def select(secondary: str) -> bytes:
    """Select a meter by its secondary address: 8 digits, and 8 hex digits of maker, version and medium, F for any.

    >>> select("12345678").hex(" ")
    '68 0b 0b 68 53 fd 52 78 56 34 12 ff ff ff ff b2 16'
    """
    found = _SECONDARY.fullmatch(secondary)
    if found is None:
        raise ValueError(f"{secondary!r} is no secondary address")
    whose = bytes.fromhex(found[1])[::-1] + bytes.fromhex(found[2] or "FFFFFFFF")
    body = bytes((_SND_UD, SELECTED, _SELECT)) + whose
    return bytes((_LONG, len(body), len(body), _LONG)) + body + bytes((checksum(body), _STOP))


def _short(control: int, address: int) -> bytes:
    body = bytes((control, address))
    return bytes((_SHORT,)) + body + bytes((checksum(body), _STOP))


class Cut(NamedTuple):
    """What was cut off the front of a stream."""

    frame: bytes
    """A whole long frame, or one byte of acknowledgement; empty: not yet."""
    rubbish: int
    """Bytes before it that belong to no frame."""
    rest: bytes


def cut(stream: bytes) -> Cut:
    """The first whole frame; bytes that cannot begin one, or whose checksum is wrong, are passed over and counted.

    >>> cut(bytes.fromhex("00e5")).frame.hex(), cut(b"\\x68\\x03").frame
    ('e5', b'')
    """
    at = 0
    while at < len(stream):
        if stream[at] == ACK:
            return Cut(stream[at : at + 1], at, stream[at + 1 :])
        if stream[at] != _LONG:
            at += 1
            continue
        if at + 4 > len(stream):
            break
        length = stream[at + 1]
        if stream[at + 2] != length or stream[at + 3] != _LONG or length < _SMALLEST:
            at += 1
            continue
        end = at + length + _OVERHEAD
        if end > len(stream):
            break
        body = stream[at + 4 : end - 2]
        if stream[end - 1] == _STOP and stream[end - 2] == checksum(body):
            return Cut(stream[at:end], at, stream[end:])
        at += 1
    return Cut(b"", at, stream[at:])


def frames_of(raw: bytes) -> list[bytes]:
    """The long frames that lie one behind another."""
    found: list[bytes] = []
    while True:
        frame, _, raw = cut(raw)
        if not frame:
            return found
        if frame[0] == _LONG:
            found.append(frame)
