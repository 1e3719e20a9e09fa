"""Single values, times and names of EmonCMS requests: what counts as a number, what as no reading, what as a fault."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from wattstead.ingest.decoding.columns import Names, Rejections
from wattstead.ingest.decoding.instants import TimeInvalid, from_any
from wattstead.ingest.decoding.remembered import Remembered, size_of
from wattstead.ingest.emoncms.address import address_of
from wattstead.ingest.emoncms.names import clean
from wattstead.ingest.errors import BodyInvalid, IngestError

_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?", re.ASCII)
_REMEMBERED_BYTES = 32_000_000


class PostRefused(IngestError):
    """What EmonCMS itself refuses; in its words and, as its senders expect, with status 200."""

    status = 200


def number_of(found: Any) -> float | None:
    """The number that was written; None for null and empty text, which are no reading.

    Raises `ValueError` with the reason for anything else: EmonCMS would store 0.

    >>> number_of(-1), number_of("12.5 "), number_of(None), number_of(True)
    (-1.0, 12.5, None, 1.0)
    """
    if found is None:
        return None
    if isinstance(found, str):
        text = found.strip()
        if not text or text.lower() == "null":
            return None
        if not _NUMBER.fullmatch(text):
            raise ValueError(f"value is {found[:40]!r}; expected a number")
        number = float(text)
    elif isinstance(found, int | float):
        try:
            number = float(found)
        except OverflowError:
            number = math.inf
    else:
        raise ValueError(f"value is {type(found).__name__}; expected a number")
    if not math.isfinite(number):
        raise ValueError(f"value is {number}; expected a finite number")
    return number


def numbers_of(found: Mapping[str, Any], rejected: Rejections) -> dict[str, float]:
    """The numbers; null and empty text left out, faults named."""
    kept: dict[str, float] = {}
    for name, value in found.items():
        try:
            number = number_of(value)
        except ValueError as fault:
            rejected.add(name[:60], str(fault))
        else:
            if number is not None:
                kept[name] = number
    return kept


def instant_of(name: str, found: Any) -> int:
    """Microseconds of a time in seconds or as ISO 8601 with a zone.

    Raises `BodyInvalid` where EmonCMS would take the present instead.
    """
    try:
        if isinstance(found, str) and _NUMBER.fullmatch(found.strip()):
            found = float(found) if "." in found or "e" in found.lower() else int(found)
        return from_any(found)
    except TimeInvalid as fault:
        raise BodyInvalid(name, str(fault)) from None


class NameMemory:
    """The names of posts by node and raw names, so that a sender's next post finds the same `Names` again."""

    def __init__(self) -> None:
        self._found: Remembered[tuple[str, ...], Names] = Remembered(_REMEMBERED_BYTES)

    def names(self, node: str, raw: tuple[str, ...]) -> Names | None:
        """The addresses of the inputs of one node; None when a name has no address of its own: see `named_alone`."""
        key = (node, *raw)
        names = self._found.get(key)
        if names is None:
            if len({clean(name) for name in raw} - {""}) < len(raw):
                return None
            names = Names([address_of(node, name) for name in raw])
            self._found.keep(key, names, size_of(key) + size_of(names.addresses))
        return names


def named_alone(found: Mapping[str, float], rejected: Rejections) -> dict[str, float]:
    """The values whose name is left with something, and differs from the others', once cleaned; the rest is rejected.

    >>> named_alone({"a+b": 1.0, "ab": 2.0, "+": 3.0}, rejected := Rejections()), rejected.count
    ({'a+b': 1.0}, 2)
    """
    kept: dict[str, float] = {}
    taken: dict[str, str] = {}
    for name, value in found.items():
        plain = clean(name)
        if not plain:
            rejected.add(f"input {name[:40]!r}", "has no letter or digit; give it a name")
        elif plain in taken:
            rejected.add(f"input {name[:40]!r}", f"is the same as {taken[plain][:40]!r} once cleaned; rename one")
        else:
            taken[plain] = name
            kept[name] = value
    return kept
