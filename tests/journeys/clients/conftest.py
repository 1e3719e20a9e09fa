"""What a person who is signed in sees of what devices have sent: points, their history, the live stream."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

_PATIENCE_S = 60.0


class Eyes:
    """One signed-in person, for the questions that any journey ends with."""

    def __init__(self, http: httpx.Client, eventually: Callable[..., Any]) -> None:
        self.http = http
        self._eventually = eventually

    def rows(self, prefix: str) -> dict[str, dict[str, Any]]:
        """The points whose address begins so, by address."""
        rows = self.http.get("/api/v1/points").json()
        return {row["address"]: row for row in rows if row["address"].startswith(prefix)}

    def point(self, address: str) -> int:
        """The id of a point; waits for it to appear."""
        found = self._eventually(lambda: self.rows(address).get(address))
        return int(found["id"])

    def readings(self, address: str, start_s: float, end_s: float) -> list[tuple[float, float]]:
        """The readings in the store, (seconds, value), from ``start_s`` up to ``end_s``."""
        query = {"point": self.point(address), "start": _ms(start_s), "end": _ms(end_s), "limit": 50_000}
        given = self.http.get("/api/v1/readings", params=query)
        if given.status_code == 503:  # received and being stored: to be asked again
            return []
        answer = given.raise_for_status().json()
        return [(ms / 1000, value) for ms, value in zip(answer["time"], answer["value"], strict=True)]

    def stored(self, address: str, expected: list[tuple[float, float]]) -> None:
        """Waits until the store holds exactly these readings of a point, and buckets count each of them once."""
        start_s, end_s = min(expected)[0], max(expected)[0] + 1
        self._eventually(lambda: self.readings(address, start_s, end_s), lambda found: found == sorted(expected))
        query = {"points": self.point(address), "start": _ms(start_s), "end": _ms(end_s), "buckets": 100}
        (series,) = self.http.get("/api/v1/series", params=query).raise_for_status().json()["points"]
        assert series["readings"] == len(expected)
        values = [value for _, value in expected]
        lowest = min(value for value in series["min"] if value is not None)
        highest = max(value for value in series["max"] if value is not None)
        assert (lowest, highest) == (min(values), max(values))

    @contextmanager
    def live(self, *addresses: str) -> Iterator[Iterator[tuple[str, float, float]]]:
        """The live stream of some points as (address, seconds, value); the latest values come first."""
        names = {self.point(address): address for address in addresses}
        query = {"points": ",".join(map(str, names))}
        with self.http.stream("GET", "/api/v1/live", params=query, timeout=_PATIENCE_S) as answer:
            assert answer.status_code == 200
            yield _told(answer, names)


def _told(answer: httpx.Response, names: dict[int, str]) -> Iterator[tuple[str, float, float]]:
    until = time.monotonic() + _PATIENCE_S
    for line in answer.iter_lines():
        assert time.monotonic() < until, "nothing that was waited for came on the live stream"
        if line.startswith("data: "):
            columns = json.loads(line[6:])
            for point, ms, value in zip(columns["point"], columns["time"], columns["value"], strict=True):
                yield names[point], ms / 1000, value


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


@pytest.fixture(scope="session")
def eyes(product: Any, eventually: Callable[..., Any]) -> Iterator[Eyes]:
    """The owner of the product, signed in."""
    with product.signed_in() as http:
        yield Eyes(http, eventually)


@pytest.fixture(scope="session")
def bearer(product: Any) -> dict[str, str]:
    """The headers of a sender with a write key."""
    return {"Authorization": f"Bearer {product.write_key}"}
