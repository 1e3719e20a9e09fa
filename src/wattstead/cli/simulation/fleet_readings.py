"""What the sites of a simulated fleet measure: sun, habits, registers; the same for the same seed, site and instant.

It computes columns and posts nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from wattstead.cli.simulation import sunshine
from wattstead.cli.simulation.cities import CITIES
from wattstead.cli.simulation.fleet import GRID, INVERTERS, METERS, Sitting
from wattstead.metering.batch import ReadingBatch
from wattstead.metering.quantity import Kind, Quantity, unit
from wattstead.registry.templates.library import Library, shipped
from wattstead.registry.templates.template import TemplatePoint

DAY_S = 86_400
_FULL_YEAR_H = 950.0
"""Hours at full power that modules give in a year."""
Floats = NDArray[np.float64]


class _Feed(NamedTuple):
    """Addresses of an inverter's points, and its codes for idle and for running."""

    power: str
    energy: str
    temperature: str
    state: str
    idle: float
    runs: float


_FEEDS: Mapping[str, _Feed] = {
    "fronius-symo": _Feed("W", "WH", "TmpCab", "St", 2, 4),
    "solaredge": _Feed("W", "WH", "TmpCab", "St", 2, 4),
    "sma-tripower": _Feed("power", "energy", "temperature", "state", 303, 307),
    "huawei-sun2000": _Feed("power", "energy", "temperature", "state", 0, 512),
    "kostal-plenticore": _Feed("power", "energy", "", "state", 0, 6),
}
_STEADY: Mapping[Quantity, float] = {
    Quantity.VOLTAGE: 231.0,
    Quantity.FREQUENCY: 50.0,
    Quantity.POWER_FACTOR: 0.97,
    Quantity.CURRENT: 2.4,
    Quantity.CHARGE_LEVEL: 62.0,
}
"""What is told once of points that the simulation does not follow."""


@dataclass(frozen=True, slots=True)
class SiteReadings:
    """Readings of one site: point ids, instants and values, row by row."""

    sitting: Sitting
    point: NDArray[np.uint32]
    time_us: NDArray[np.int64]
    value: Floats


def batch_of(readings: Sequence[SiteReadings]) -> ReadingBatch:
    """The readings of several sites as one batch for the journal."""
    return ReadingBatch.of(
        np.concatenate([one.point for one in readings]),
        np.concatenate([one.time_us for one in readings]),
        np.concatenate([one.value for one in readings]),
    )


def joined(parts: Sequence[SiteReadings]) -> SiteReadings:
    """Readings of one site as one."""
    batch = batch_of(parts)
    return SiteReadings(parts[0].sitting, batch.point, batch.time_us, batch.value)


class FleetReadings:
    """The readings of some sites from a first day on; registers count from that day."""

    def __init__(self, sittings: Sequence[Sitting], first_day: int, every_s: int, seed: int) -> None:
        """``first_day`` counts from 1970, ``every_s`` divides a day."""
        self.sittings, self.first_day, self.every_s, self.seed = sittings, first_day, every_s, seed
        self._column = {name: np.array([getattr(one, name) for one in sittings], np.float64) for name in _NUMBERS}
        self._city = np.array([one.city for one in sittings])
        self._made_wh = self._column["age_years"] * self._column["peak_w"] / 1000 * _FULL_YEAR_H * 1000
        self._used_wh = self._column["age_years"] * self._column["habit_w"] * 8766
        self._bought_wh, self._fed_wh = 0.6 * self._used_wh, 0.7 * self._made_wh
        self._next_day = first_day
        self._templates = {one.template.name: one.template.points for one in shipped()}

    def days(self, until_s: float) -> Iterator[tuple[int, list[SiteReadings]]]:
        """Day by day what lies before an instant; a later call goes on where this one ended, day by day anew."""
        while self._next_day * DAY_S < until_s:
            before = self._made_wh, self._used_wh, self._bought_wh, self._fed_wh
            readings = self._day(self._next_day, until_s)
            whole = (self._next_day + 1) * DAY_S <= until_s
            day, self._next_day = self._next_day, self._next_day + 1
            yield day, readings
            if not whole:  # the rest of this day comes with a later call, counted from its beginning
                self._next_day = day
                self._made_wh, self._used_wh, self._bought_wh, self._fed_wh = before
                return

    def _day(self, day: int, until_s: float) -> list[SiteReadings]:
        time_s = np.arange(day * DAY_S, (day + 1) * DAY_S, self.every_s, dtype=np.float64)
        random = np.random.default_rng([self.seed, day, len(self.sittings)])
        column, hours = self._column, self.every_s / 3600
        noise = random.normal(0, 0.4, (len(self.sittings), len(time_s)))
        air_c = sunshine.air_c(time_s, column["latitude"], column["longitude"], noise)
        height, azimuth = sunshine.sun(time_s, column["latitude"], column["longitude"])
        light = sunshine.on_plane(height, azimuth, column["tilt_deg"], column["azimuth_deg"], self._clear(day, time_s))
        made_w = np.round(sunshine.power_w(light, air_c, column["peak_w"]))
        used_w = np.round(self._load(time_s) * random.gamma(6, 1 / 6, made_w.shape))
        net_w = used_w - made_w
        self._made_wh, made_wh = _counted(self._made_wh, made_w * hours)
        self._used_wh, used_wh = _counted(self._used_wh, used_w * hours)
        self._bought_wh, bought_wh = _counted(self._bought_wh, np.clip(net_w, 0, None) * hours)
        self._fed_wh, fed_wh = _counted(self._fed_wh, np.clip(-net_w, 0, None) * hours)
        cabinet_c = np.round(air_c + 12 + 25 * made_w / column["peak_w"][:, None], 1)
        past = int(np.searchsorted(time_s, until_s))
        instants = (time_s[:past] * 1e6).astype(np.int64)
        return [
            self._of_site(
                one, instants,
                made_w=made_w[at, :past], made_wh=made_wh[at, :past], cabinet_c=cabinet_c[at, :past],
                used_w=used_w[at, :past], used_wh=used_wh[at, :past], net_w=net_w[at, :past],
                bought_wh=bought_wh[at, :past], fed_wh=fed_wh[at, :past],
            )
            for at, one in enumerate(self.sittings)
        ]  # fmt: skip

    def _clear(self, day: int, time_s: Floats) -> Floats:
        """How clear the sky is over each site: one weather for a city, made of the day and of passing clouds."""
        each = np.random.default_rng([self.seed, day, 7]).random((len(CITIES), 9))
        hour = (time_s / 3600 % 24)[None, :]
        clouds = sum(
            each[:, [k]] * np.sin(hour * (0.7 + 1.9 * each[:, [k + 1]]) + 6.28 * each[:, [k + 2]]) for k in (1, 3, 5)
        )
        whole = 0.15 + 0.85 * each[:, [0]] ** 0.6
        found: Floats = np.clip(whole * (0.85 + 0.18 * clouds), 0.06, 1.0)[self._city]
        return found

    def _load(self, time_s: Floats) -> Floats:
        """Mean power by the clock: little at night, some in the morning, most in the evening; more in winter."""
        hour = (time_s[None, :] / 3600 + self._column["longitude"][:, None] / 15) % 24
        season = 1 + 0.25 * np.cos(2 * np.pi * (time_s / DAY_S % 365.2425 - 15) / 365.2425)
        habit = 0.45 + 1.1 * np.exp(-(((hour - 7.5) / 1.4) ** 2)) + 2.0 * np.exp(-(((hour - 19.3) / 2.2) ** 2))
        found: Floats = self._column["habit_w"][:, None] * habit * season
        return found

    def _of_site(self, one: Sitting, instants: NDArray[np.int64], **made: Floats) -> SiteReadings:
        feed = _FEEDS[one.inverter]
        told: dict[str, Floats] = {
            f"inverter/{feed.power}": made["made_w"],
            f"inverter/{feed.energy}": made["made_wh"],
            f"inverter/{feed.state}": np.where(made["made_w"] > 0, feed.runs, feed.idle),
            "home/power": made["used_w"],
            "home/import": made["used_wh"],
        }
        if feed.temperature:
            told[f"inverter/{feed.temperature}"] = made["cabinet_c"]
        if one.grid:
            told |= {
                "grid/emeter/0/power": made["net_w"],
                "grid/emeter/0/total": made["bought_wh"],
                "grid/emeter/0/total_returned": made["fed_wh"],
            }
        points, values = [], []
        for address, value in told.items():
            points.append(one.points[address])
            values.append(self._in_unit(one, address, value))
        count = len(instants)
        return SiteReadings(
            one, np.repeat(np.array(points, np.uint32), count), np.tile(instants, len(points)), np.concatenate(values)
        )

    def steady(self, one: Sitting, time_us: int) -> SiteReadings:
        """One reading of each point that the simulation does not follow, so that none stands empty."""
        found: list[tuple[int, float]] = []
        for name, prefix in ((one.inverter, "inverter/"), (METERS[0], "home/"), (GRID, "grid/")):
            for point in self._templates[name]:
                point_id = one.points.get(prefix + point.address)
                if point_id and point.kind is Kind.GAUGE and point.quantity in _STEADY:
                    found.append((point_id, _STEADY[point.quantity] / unit(point.unit).factor))
        ids, values = np.array([p for p, _ in found], np.uint32), np.array([v for _, v in found], np.float64)
        return SiteReadings(one, ids, np.full(len(ids), time_us, np.int64), values)

    def _in_unit(self, one: Sitting, address: str, value: Floats) -> Floats:
        """Values in base units as the point has them: kWh to its last digit."""
        part, _, rest = address.partition("/")
        point = _POINTS[{"inverter": one.inverter, "home": METERS[0], "grid": GRID}[part], rest]
        found: Floats = value / unit(point.unit).factor
        return np.floor(found / point.scale + 1e-9) * point.scale if point.scale else found


_NUMBERS = ("latitude", "longitude", "tilt_deg", "azimuth_deg", "peak_w", "habit_w", "age_years")


def _points() -> dict[tuple[str, str], TemplatePoint]:
    library = Library(shipped())
    return {
        (name, point.address): point
        for name in (*INVERTERS, METERS[0], GRID)
        for point in library.find(name).template.points
    }


_POINTS = _points()


def _counted(start: Floats, added: Floats) -> tuple[Floats, Floats]:
    """What a register holds after a day, and at each instant of it, before what is added there."""
    sums = np.cumsum(added, axis=1)
    return start + sums[:, -1], start[:, None] + sums - added
