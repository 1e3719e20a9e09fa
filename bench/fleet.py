"""A made-up fleet that speaks line protocol: 6,000 sites of 8 channels, one reading a second each; sends nothing."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

SITES = 6_000
CHANNELS = ("grid", "solar", "home", "battery", "ev", "heatpump", "voltage", "frequency")
POINTS = SITES * len(CHANNELS)


class Fleet:
    """The same readings for every server: values walk at random from a fixed seed."""

    def __init__(self, start_s: int) -> None:
        self.start_s = start_s
        self._random = np.random.default_rng(20240229)
        self._tenths = self._random.integers(0, 50_000, POINTS)
        self._heads = [
            f"power,site=s{site:04d},channel={channel} value=" for site in range(SITES) for channel in CHANNELS
        ]

    def second(self, number: int) -> list[str]:
        """One line per point for second ``number`` after the start."""
        self._tenths += self._random.integers(-30, 31, POINTS)
        stamp = f" {self.start_s + number}"
        return [f"{head}{tenths / 10}{stamp}" for head, tenths in zip(self._heads, self._tenths.tolist(), strict=True)]


def cut(lines: list[str], batch: int) -> list[bytes]:
    """Lines as bodies of at most ``batch`` lines.

    >>> cut(["a", "b", "c"], 2)
    [b'a\\nb', b'c']
    """
    return ["\n".join(lines[at : at + batch]).encode() for at in range(0, len(lines), batch)]


def requests_of(fleet: Fleet, batch: int, request: Callable[[bytes], bytes]) -> Callable[[int], list[bytes]]:
    """What a sender at pace wants: the requests of second n."""
    return lambda number: [request(body) for body in cut(fleet.second(number), batch)]
