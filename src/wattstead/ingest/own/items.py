"""Readings that need a closer look, item by item: each faulty one is named with its place, each good one is kept."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from wattstead.ingest.decoding.columns import Columns, Names, Rejections
from wattstead.ingest.decoding.instants import TimeInvalid, from_any
from wattstead.metering.quantity import ALIASES, UNITS, UnitError

_LARGEST_ID = 2**32 - 1
Place = tuple[str, int]
"""Name of the list (empty: parallel columns) and position in it."""


Item = tuple[Any, Any, Any, Any, Place]
"""Point, time, value and unit as the sender wrote them, and where."""


def from_items(items: Iterable[Item], rejected: Rejections, unit: str, now_us: int) -> Columns:
    """The good items as columns; the others are named in ``rejected``."""
    addresses: list[str] = []
    points: list[int] = []
    times: list[int] = []
    values: list[float] = []
    units: list[str] = []
    untimed: list[bool] = []
    places: list[Place] = []
    for point, time, value, symbol, place in items:
        part = "point"
        try:
            address, identity = _point(point)
            part = "time"
            time_us = now_us if time is None else from_any(time, unit)
            part = "value"
            number = _number(value)
            part = "unit"
            named = "" if symbol is None else known_unit(symbol)
        except (TimeInvalid, UnitError, ValueError) as fault:
            rejected.add(_shown(place, part), str(fault))
            continue
        addresses.append(address)
        points.append(identity)
        times.append(time_us)
        values.append(number)
        units.append(named)
        untimed.append(time is None)
        places.append(place)
    return Columns(
        Names.of_rows(addresses),
        np.array(times, np.int64),
        np.array(values, np.float64),
        rejected,
        np.array(untimed, np.bool_) if any(untimed) else False,
        _shower(places),
        np.array(points, np.uint32) if any(points) else None,
        units=units if any(units) else None,
    )


def known_unit(found: Any) -> str:
    """The symbol of a unit that a sender names; raises `UnitError`, or `ValueError` for what is no text."""
    if not isinstance(found, str):
        raise ValueError(f"unit is {type(found).__name__}; expected one such as kWh")
    if found and found not in UNITS and found not in ALIASES:
        raise UnitError(f"unit {found[:40]!r} is not known; known are {', '.join(filter(None, UNITS))}")
    return ALIASES.get(found, found)


def _point(found: Any) -> tuple[str, int]:
    """Address, or id, of a point; the other is empty."""
    if isinstance(found, str):
        return found, 0
    if isinstance(found, int) and not isinstance(found, bool):
        if not 1 <= found <= _LARGEST_ID:
            raise ValueError(f"point {str(found)[:20]} is no id of a point")
        return "", found
    if found is None:
        raise ValueError("point is missing; expected a name")
    raise ValueError(f"point is {type(found).__name__}; expected a name")


def _number(found: Any) -> float:
    if isinstance(found, bool) or not isinstance(found, int | float):
        shown = "missing" if found is None else repr(found)[:40]
        raise ValueError(f"value is {shown}; expected a number")
    try:
        number = float(found)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ValueError(f"value is {number}; expected a finite number")
    return number


def _shown(place: Place, part: str) -> str:
    name, at = place
    return f"{name}[{at}].{part}" if name else f"{part}[{at}]"


def _shower(places: list[Place]) -> Callable[[int], str]:
    def shown(row: int) -> str:
        name, at = places[row]
        return f"{name}[{at}]" if name else f"row {at}"

    return shown
