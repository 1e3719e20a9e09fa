"""KnownReadings: which readings of an import are there already, in the file itself or on the server.

It asks and compares; it never posts.
"""

from __future__ import annotations

from typing import NamedTuple

from wattstead.cli.client import Client
from wattstead.ingest.decoding.table_file import TableReadings
from wattstead.metering.quantity import conversion, unit
from wattstead.series.tiers import FIRST_US, LAST_US

_PAGE = 50_000
_REMEMBERED = 1_000_000


class Sifted(NamedTuple):
    """What is to be done with the readings of one chunk."""

    post: list[int]
    """Indices of readings to post."""
    repeated: int
    """Readings that are there already with the same value."""
    corrected: int
    """How many of ``post`` give another value to an instant that the server or an earlier chunk has."""
    overtaken: int
    """Readings whose instant has another value further down in the chunk; the last one stands."""


class KnownReadings:
    """What has been seen so far, by point and instant; without a read key only what the file itself repeats."""

    def __init__(self, client: Client) -> None:
        self.asked = bool(client.read_key)
        self._client = client
        self._points: dict[str, tuple[int, str]] | None = None
        self._posted: dict[tuple[str, int], float] = {}
        self._before: dict[tuple[str, int], float] = {}

    def sift(self, found: TableReadings) -> Sifted:
        """Compare a chunk with itself, with what was posted and with what is stored."""
        stored = self._stored(found)
        last: dict[tuple[str, int], int] = {}
        repeated = corrected = overtaken = 0
        for i, place in enumerate(zip(found.point, found.time_us, strict=True)):
            before = last.get(place)
            if before is not None:
                same = found.value[before] == found.value[i]
                repeated += same
                overtaken += not same
            last[place] = i
        post = []
        for place, i in last.items():
            old = self._posted.get(place, self._before.get(place, stored.get(place)))
            if old is not None and _same(old, found.value[i]):
                repeated += 1
                continue
            corrected += old is not None
            post.append(i)
            self._posted[place] = found.value[i]
        if self.asked and len(self._posted) > _REMEMBERED:
            self._before, self._posted = self._posted, {}
        return Sifted(sorted(post), repeated, corrected, overtaken)

    def _stored(self, found: TableReadings) -> dict[tuple[str, int], float]:
        """What the server holds of these points between the first and the last instant that it can hold."""
        if not self.asked:
            return {}
        spans: dict[str, tuple[int, int]] = {}
        for name, time_us in zip(found.point, found.time_us, strict=True):
            if FIRST_US <= time_us < LAST_US:
                low, high = spans.get(name, (time_us, time_us))
                spans[name] = (min(low, time_us), max(high, time_us))
        out: dict[tuple[str, int], float] = {}
        for name, (low, high) in spans.items():
            known = self._known_points().get(name)
            if known is not None:
                self._page(name, known, low, high, out)
        return out

    def _page(
        self, name: str, point: tuple[int, str], low_us: int, high_us: int, out: dict[tuple[str, int], float]
    ) -> None:
        number, symbol = point
        factor, offset = conversion(unit(symbol).base, symbol)
        while low_us <= high_us:
            answer = self._client.get(
                "/api/v1/readings", point=number, start=low_us / 1000, end=(high_us + 1) / 1000, limit=_PAGE
            )
            times = [round(t * 1000) for t in answer["time"]]
            out.update({(name, t): v * factor + offset for t, v in zip(times, answer["value"], strict=True)})
            if len(times) < _PAGE:
                return
            low_us = times[-1] + 1

    def _known_points(self) -> dict[str, tuple[int, str]]:
        if self._points is None:
            self._points = {row["address"]: (row["id"], row["unit"]) for row in self._client.points()}
        return self._points


def _same(a: float, b: float) -> bool:
    return abs(a - b) <= 1e-9 * max(abs(a), abs(b), 1.0)
