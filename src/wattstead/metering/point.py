"""Point: one series and everything that is needed to read its numbers; StepRule: how its readings become energy.

Who owns the point, and what it is called, is the registry's affair.
"""

from __future__ import annotations

from enum import IntEnum

import msgspec

from wattstead.metering.quantity import Direction, Kind, Quantity, unit


class StepMode(IntEnum):
    """Which step rule a point follows; the number is what the store keeps."""

    NONE = 0
    REGISTER = 1
    POWER = 2
    DELTA = 3
    MEAN = 4


INTEGRATED = frozenset({StepMode.POWER, StepMode.MEAN})
"""Modes whose amount is a level over time: nothing is known of a longer gap."""


class StepRule(msgspec.Struct, frozen=True):
    """What turns two neighbouring readings into a whole number of steps; see `wattstead.metering.step`.

    ``quantum``: one step in the point's unit (register, delta); a step of POWER or MEAN is one unit · millisecond.
    ``width``: steps after which a register starts again at zero (10^n or 2^n); 0: never wraps.
    ``max_rate``: largest believable steps per second, by which a wrap is told too; 0: unknown; below 0: what no meter
    of its quantity exceeds, which tells a jump alone, and in five minutes at the least.
    ``tolerance``: steps a register may fall back and still be jitter, counted with its sign.
    ``max_gap_us``: a longer silence is a gap: power is not integrated across it, and no mean is believed for it.
    """

    mode: StepMode
    quantum: float = 1.0
    width: int = 0
    max_rate: float = 0.0
    tolerance: int = 0
    max_gap_us: int = 1_800_000_000


class Point(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A series of readings. Its numbers are stored in ``unit`` and shown in the base unit of ``unit``."""

    id: int
    kind: Kind = Kind.GAUGE
    quantity: Quantity = Quantity.UNKNOWN
    direction: Direction = Direction.NONE
    unit: str = ""
    resolution: float = 0.0
    """Smallest step of a register or delta in ``unit``; 0: the default of the unit, see `default_resolution`."""
    width: int = 0
    """Register width in resolutions, 10^n or 2^n; 0: unknown, never wraps."""
    max_rate: float = 0.0
    """Largest believable resolutions per second; 0: unknown."""
    max_gap_s: float = 1800.0
    pulses_per_kwh: float = 0.0
    """Of a point in pulses: how many are a kWh, so that its amounts are energy; 0: not known, they stay pulses."""
    zone: str = "UTC"
    """IANA time zone of the site, for local days."""


def usual_gap_s(kind: Kind) -> float:
    """The longest gap of a point of which nobody says another: a mean counts for as long as it was made of.

    >>> usual_gap_s(Kind.GAUGE), usual_gap_s(Kind.MEAN)
    (1800.0, 86400.0)
    """
    return 86_400.0 if kind is Kind.MEAN else 1_800.0


BEYOND_METERS: dict[tuple[Quantity, str], float] = {
    (Quantity.ELECTRICITY, "Wh"): 25e9 / 3600,  # Three Gorges, the largest power station, has 22.5 GW
    (Quantity.HEAT, "Wh"): 25e9 / 3600,  # the largest networks of heat have some GW
    (Quantity.COLD, "Wh"): 25e9 / 3600,
    (Quantity.GAS, "Wh"): 250e9 / 3600,  # Nord Stream carried 55e9 m³ of some 10 kWh a year: 63 GW
    (Quantity.GAS, "m³"): 10_000.0,  # the same, 1,750 m³ a second
    (Quantity.WATER, "m³"): 1_000.0,  # the Edmonston plant, the largest lift of California's aqueduct, pumps 126
    (Quantity.OIL, "m³"): 100.0,  # Druzhba, the longest pipeline, carries 2.6
}
"""An amount a second that no meter of a quantity shows, in its base unit; a new row is a new bound. Not listed: any."""


def default_resolution(symbol: str) -> float:
    """The step of a register in that unit: 1 mWh for energy, one for pulses, a thousandth for the rest.

    >>> default_resolution("kWh")
    1e-06
    """
    base = unit(symbol)
    if base.base == "Wh":
        return 1e-3 / base.factor
    return 1.0 if base.base == "pulse" else 1e-3


def step_rule(point: Point) -> StepRule:
    """The step rule that follows from what the point is.

    >>> step_rule(Point(id=1, kind=Kind.GAUGE, quantity=Quantity.ELECTRICITY, unit="kW")).mode.name
    'POWER'
    """
    gap = round(point.max_gap_s * 1_000_000)
    quantum = point.resolution or default_resolution(point.unit)
    if point.kind is Kind.REGISTER:
        tolerance = max(1, round(1 / quantum / 1000)) if quantum < 1 else 1
        beyond = BEYOND_METERS.get((point.quantity, unit(point.unit).base), 0.0) / unit(point.unit).factor / quantum
        return StepRule(StepMode.REGISTER, quantum, point.width, point.max_rate or -beyond, tolerance, gap)
    if point.kind is Kind.DELTA:
        return StepRule(StepMode.DELTA, quantum, max_gap_us=gap)
    if point.kind in (Kind.GAUGE, Kind.MEAN) and unit(point.unit).base == "W":
        return StepRule(StepMode.MEAN if point.kind is Kind.MEAN else StepMode.POWER, 1.0, max_gap_us=gap)
    return StepRule(StepMode.NONE, max_gap_us=gap)


def amount_per_step(point: Point) -> float:
    """What one step is worth in the base unit of the amount: Wh for power and energy, m³, pulses.

    >>> round(1 / amount_per_step(Point(id=1, kind=Kind.GAUGE, quantity=Quantity.ELECTRICITY, unit="W")))
    3600000
    >>> amount_per_step(Point(id=1, kind=Kind.DELTA, unit="pulse", pulses_per_kwh=800))
    1.25
    """
    rule = step_rule(point)
    if rule.mode in INTEGRATED:
        return unit(point.unit).factor / 3_600_000
    if counts_energy(point):
        return rule.quantum * 1_000 / point.pulses_per_kwh
    return rule.quantum * unit(point.unit).factor


def counts_energy(point: Point) -> bool:
    """Whether a point's numbers are pulses of which it is known how many are a kWh."""
    return point.pulses_per_kwh > 0 and unit(point.unit).base == "pulse"
