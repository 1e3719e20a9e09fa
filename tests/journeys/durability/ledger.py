"""What a sender knows to be acknowledged, and how the product's answers differ from it; starts and breaks nothing."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from itertools import pairwise

import httpx
import numpy as np
from numpy.typing import NDArray

from wattstead.metering.batch import ReadingBatch
from wattstead.metering.point import Point, amount_per_step, step_rule
from wattstead.metering.quantity import Kind, Quantity
from wattstead.metering.rollup import MINUTE_US, amounts, bucket_starts, roll

DAY_MS = 86_400_000
ZONE = "Europe/Berlin"
PAGE = 100_000


@dataclass(frozen=True)
class Write:
    """One request's readings: a value of each address at each time."""

    addresses: tuple[str, ...]
    time_us: tuple[int, ...]
    value: tuple[tuple[float, ...], ...]

    def __len__(self) -> int:
        return len(self.addresses) * len(self.time_us)


@dataclass
class Ledger:
    """The newest acknowledged value at each address and time; and what was sent once and not acknowledged."""

    value: dict[str, dict[int, float]] = field(default_factory=dict)
    unanswered: list[Write] = field(default_factory=list)
    acknowledged: int = 0
    """Requests."""
    readings: int = 0
    refused: int = 0
    """Requests answered with 503."""
    repeated: int = 0
    corrected: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, write: Write) -> None:
        """The sender has heard that these are kept."""
        with self.lock:
            for address, column in zip(write.addresses, zip(*write.value, strict=True), strict=True):
                self.value.setdefault(address, {}).update(zip(write.time_us, column, strict=True))
            self.acknowledged += 1
            self.readings += len(write)

    def columns(self, address: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Times and values of an address, in order of time."""
        with self.lock:
            known = dict(self.value[address])
        time_us = np.array(list(known), np.int64)
        order = np.argsort(time_us)
        return time_us[order], np.array(list(known.values()))[order]

    def settle(self, http: httpx.Client) -> None:
        """Of what was not acknowledged the product has whole requests or nothing; what it has is known from now on."""
        ids = _points(http)
        stored: dict[str, set[int]] = {}
        for write in self.unanswered:
            [address] = write.addresses
            if address not in ids:
                continue
            if address not in stored:
                stored[address] = set(_stored(http, ids[address]["id"], 0, 2**53)[0].tolist())
            found = stored[address]
            there = [time_us in found for time_us in write.time_us]
            assert all(there) or not any(there), f"a part of a request is stored: {sum(there)} of {len(there)} readings"
            if all(there):
                self.note(write)
        self.unanswered.clear()


def differences(ledger: Ledger, http: httpx.Client) -> list[str]:
    """Everything in which readings and rollups differ from the ledger; raw first, then minutes, quarter hours, days."""
    rows, found = _points(http), []
    for address in sorted(ledger.value):
        if address not in rows:
            found.append(f"{address}: no such point")
            continue
        point, (time_us, value) = _point(rows[address]), ledger.columns(address)
        factor = 1000.0 if point.unit == "kWh" else 1.0
        stored_us, stored = _stored(http, point.id, 0, 2**53)
        lost, extra = np.setdiff1d(time_us, stored_us), np.setdiff1d(stored_us, time_us)
        if len(lost) or len(extra) or len(stored) != len(value):
            found.append(f"{address}: {len(lost)} lost, {len(extra)} unknown, {len(stored)} for {len(value)} readings")
        elif not np.array_equal(stored, value * factor):
            found.append(f"{address}: {int((stored != value * factor).sum())} of {len(value)} values differ")
        else:
            for step in ("1min", "15min", "day"):
                found += _rolled(http, address, point, time_us, value, factor, step)
    return found


def _rolled(
    http: httpx.Client, address: str, point: Point, time_us: NDArray[np.int64], value: NDArray[np.float64],
    factor: float, step: str,
) -> list[str]:  # fmt: skip
    """How the buckets of one step differ; asked for day by day, and once over all for days."""
    first_ms, last_ms = int(time_us[0]) // 1000 // DAY_MS * DAY_MS, int(time_us[-1]) // 1000 + 1
    starts = [first_ms] if step == "day" else list(range(first_ms, last_ms, DAY_MS))
    answers = [_series(http, point.id, step, a, b) for a, b in pairwise([*starts, last_ms]) if a < b]
    start_us = np.concatenate([np.array(answer["start"], np.int64) for answer in answers]) * 1000
    start_us, place = np.unique(start_us, return_index=True)
    edges = np.append(start_us, answers[-1]["end"] * 1000)
    cells = {
        name: np.concatenate([np.array(answer["points"][0][name], float) for answer in answers])[place]
        for name in ("count", "min", "max", "mean", "first", "last")
    }
    low, high = np.searchsorted(time_us, edges[:-1]), np.searchsorted(time_us, edges[1:])
    some = high > low
    wanted = {"count": (high - low).astype(float)}
    scaled = value * factor
    wanted["min"], wanted["max"] = (_cells(f.reduceat(scaled, low[some]), some) for f in (np.minimum, np.maximum))
    wanted["mean"] = _cells(np.add.reduceat(scaled, low[some]) / (high - low)[some], some)
    wanted["first"], wanted["last"] = _cells(scaled[low[some]], some), _cells(scaled[high[some] - 1], some)
    found = [
        f"{address} by {step}: {name} of {int((~same).sum())} buckets differs"
        for name, column in wanted.items()
        if not (same := np.isclose(cells[name], column, rtol=1e-9, atol=1e-9, equal_nan=True)).all()
    ]
    if int(cells["count"].sum()) != len(time_us):
        found.append(f"{address} by {step}: {int(cells['count'].sum())} counted, {len(time_us)} acknowledged")
    if answers[0]["points"][0]["amount_unit"]:
        amount = np.concatenate([np.array(answer["points"][0]["amount"], float) for answer in answers])[place]
        found += _amounts(f"{address} by {step}", point, time_us, value, edges, amount, some)
    return found


def _amounts(
    name: str, point: Point, time_us: NDArray[np.int64], value: NDArray[np.float64], edges: NDArray[np.int64],
    amount: NDArray[np.float64], some: NDArray[np.bool_],
) -> list[str]:  # fmt: skip
    rule = step_rule(point)
    batch = ReadingBatch.of(np.full(len(time_us), point.id, np.uint32), time_us, value)
    minutes = roll(batch, bucket_starts(time_us, MINUTE_US), {point.id: rule})
    wanted = np.array(amounts(minutes, rule, edges), float) * amount_per_step(point)
    same = np.isclose(amount, wanted, rtol=1e-9, atol=1e-9) | (np.isnan(amount) & ~some)
    return [] if same.all() else [f"{name}: amount of {int((~same).sum())} buckets differs"]


def _cells(values: NDArray[np.float64], some: NDArray[np.bool_]) -> NDArray[np.float64]:
    column = np.full(len(some), np.nan)
    column[some] = values
    return column


def _series(http: httpx.Client, point: int, step: str, start_ms: int, end_ms: int) -> dict:
    query = {"points": point, "step": step, "start": start_ms, "end": end_ms, "zone": ZONE}
    return http.get("/api/v1/series", params=query).raise_for_status().json()


def _stored(http: httpx.Client, point: int, start_ms: float, end_ms: int) -> tuple[NDArray[np.int64], NDArray]:
    """All readings of a point as the product shows them, a page at a time."""
    time_us, value = [], []
    while True:
        query = {"point": point, "start": int(start_ms), "end": min(end_ms, 4_000_000_000_000), "limit": PAGE}
        page = http.get("/api/v1/readings", params=query).raise_for_status().json()
        times = [round(1000 * ms) for ms in page["time"]]
        fresh = next((at for at, us in enumerate(times) if not time_us or us > time_us[-1]), len(times))
        time_us += times[fresh:]
        value += page["value"][fresh:]
        if not page["more"]:
            return np.array(time_us, np.int64), np.array(value, float)
        start_ms = time_us[-1] // 1000


def _points(http: httpx.Client) -> dict[str, dict]:
    return {row["address"]: row for row in http.get("/api/v1/points").raise_for_status().json()}


def _point(row: dict) -> Point:
    kind, quantity = Kind(row["kind"]), Quantity(row["quantity"])
    return Point(id=row["id"], kind=kind, quantity=quantity, unit=row["unit"], resolution=row["resolution"], zone=ZONE)
