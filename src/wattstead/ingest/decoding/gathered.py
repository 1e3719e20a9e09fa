"""Gathered: what a payload says, reading by reading, and as columns at the end; it reads no payload itself."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np

from wattstead.ingest.decoding.columns import FEW, Columns, Few, Names, Rejections

WORDS = {"on": 1.0, "off": 0.0, "true": 1.0, "false": 0.0, "open": 1.0, "closed": 0.0, "online": 1.0, "offline": 0.0}
"""Texts that are states, as devices write them; case does not matter."""


@lru_cache(20_000)
def names_of(addresses: tuple[str, ...]) -> Names:
    """The same `Names` for the same addresses, so that their points are found once."""
    return Names.of_rows(addresses)


def number(found: Any) -> float | None:
    """A JSON value as a reading: numbers, booleans, texts that are numbers or states; None for what is none.

    Raises `ValueError` for a number that is not finite.

    >>> number(1), number(True), number("ON"), number(" 2.5"), number("idle"), number(None)
    (1.0, 1.0, 1.0, 2.5, None, None)
    """
    if isinstance(found, str):
        text = found.strip()
        word = WORDS.get(text.lower())
        if word is not None:
            return word
        if not text or not (text[0].isdecimal() or text[0] in "+-.") or "_" in text or not text.isascii():
            return None
        try:
            made = float(text)
        except ValueError:
            return None
    elif isinstance(found, int | float):
        try:
            made = float(found)
        except OverflowError:
            made = math.inf
    else:
        return None
    if not math.isfinite(made):
        raise ValueError(f"value is {str(found)[:40]}; expected a finite number")
    return made


class Gathered:
    """Readings of one message as they are found; those without a time get that of receiving."""

    __slots__ = ("addresses", "received_us", "rejected", "skipped", "times", "units", "untimed", "values")

    def __init__(self, received_us: int) -> None:
        self.received_us = received_us
        self.addresses: list[str] = []
        self.values: list[float] = []
        self.times: list[int] = []
        self.untimed: list[bool] = []
        self.units: list[str] = []
        self.rejected = Rejections()
        self.skipped = 0

    def put(self, address: str, found: Any, time_us: int | None = None, unit: str = "", factor: float = 1.0) -> None:
        """A reading; what is no number is counted as skipped, what is no finite one is named."""
        try:
            value = number(found)
            if value is not None and factor != 1.0:
                value = number(value * factor)
        except ValueError as fault:
            self.rejected.add(address[:80], str(fault))
            return
        if value is None:
            self.skipped += 1
            return
        self.addresses.append(address)
        self.values.append(value)
        self.times.append(self.received_us if time_us is None else time_us)
        self.untimed.append(time_us is None)
        self.units.append(unit)

    def columns(self) -> Columns | Few:
        """All of it; as `Few` where that is possible, since it is cheaper."""
        names, untimed = names_of(tuple(self.addresses)), any(self.untimed)
        addresses = self.addresses
        same = not any(self.units) and not self.skipped and len(set(self.times)) <= 1 and untimed == all(self.untimed)
        if same and len(addresses) <= FEW:
            time_us = self.times[0] if self.times else self.received_us
            return Few(names, time_us, self.values, self.rejected, untimed, lambda row: addresses[row][:80])
        return Columns(
            names,
            np.array(self.times, np.int64),
            np.array(self.values, np.float64),
            self.rejected,
            np.array(self.untimed, np.bool_) if untimed else False,
            place=lambda row: addresses[row][:80],
            skipped=self.skipped,
            units=self.units if any(self.units) else None,
        )


def single(names: Names, value: float, time_us: int, untimed: bool) -> Few:
    """One reading, at the least cost."""
    return Few(names, time_us, [value], Rejections(), untimed, names.address)


def leaves(found: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every value of nested JSON with the names that lead to it; items of lists are numbered from 1.

    >>> list(leaves({"a": {"b": 1}, "c": [2, 3]}))
    [(('a', 'b'), 1), (('c', '1'), 2), (('c', '2'), 3)]
    """
    if isinstance(found, dict):
        for name, value in found.items():
            yield from leaves(value, (*path, name))
    elif isinstance(found, list):
        for at, value in enumerate(found, 1):
            yield from leaves(value, (*path, str(at)))
    else:
        yield path, found
