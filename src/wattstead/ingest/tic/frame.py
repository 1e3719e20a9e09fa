"""A frame of a Linky's customer output: groups of label, perhaps a date, value and checksum; opens no port.

Mode historique separates by spaces, mode standard by tabs, and counts the last separator into the checksum.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

STX, ETX = b"\x02", b"\x03"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SEASONS = {"E": 2, "H": 1}
"""Hours that legal time is ahead of UTC in summer (été) and winter (hiver)."""
_SHOWN = 40


class Group(NamedTuple):
    """One group: what is wrong with it, empty for nothing, and what it says."""

    label: str
    text: str
    time_us: int | None = None
    """The date in it, where it has one."""
    fault: str = ""


def groups(frame: bytes) -> Iterator[Group]:
    r"""The groups of a frame without its STX and ETX, in order.

    >>> list(groups(b"\nIINST 002 Y\r\nURMS1\t235\tD\r"))[0]
    Group(label='IINST', text='002', time_us=None, fault='')
    """
    for line in frame.replace(b"\r", b"\n").split(b"\n"):
        if line.strip(b" \0"):
            yield _group(line)


def _group(line: bytes) -> Group:
    text = line.decode("ascii", "replace")
    standard = "\t" in text
    if len(text) < 4 or text[-2] != ("\t" if standard else " "):
        return Group(_shown(text), "", fault="is no group: label, value and checksum are expected")
    counted = text[:-1] if standard else text[:-2]
    expected = chr((sum(counted.encode("latin-1", "replace")) & 0x3F) + 0x20)
    label, *rest = text[:-2].split("\t") if standard else text[:-2].split(" ", 1)
    if expected != text[-1]:
        return Group(_shown(label), "", fault=f"its checksum is {text[-1]!r}, and {expected!r} by its bytes")
    if standard and len(rest) == 2:
        return _dated(label, *rest)
    return Group(label, rest[0] if rest else "")


def _shown(text: str) -> str:
    """The beginning of a text, with what nobody can read replaced."""
    return "".join(letter if letter.isprintable() else "·" for letter in text[:_SHOWN])


def _dated(label: str, date: str, text: str) -> Group:
    """A group with a date, such as ``E200426132229``: summer, 2020-04-26 13:22:29."""
    hours = _SEASONS.get(date[:1])
    if hours is None:
        return Group(label, text, fault=f"its date {date[:_SHOWN]!r} is that of a clock which is not set")
    try:
        wall = datetime.strptime(date[1:], "%y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return Group(label, text, fault=f"its date {date[:_SHOWN]!r} is none")
    return Group(label, text, (wall - timedelta(hours=hours) - _EPOCH) // timedelta(microseconds=1))
