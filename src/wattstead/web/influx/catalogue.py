"""Points as an Influx client sees them: measurement, tags, field; finds nothing out about readings.

A point that did not come by line protocol is listed too: the last part of its address is the field, the rest the
measurement; without parts the field is ``value``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

import msgspec

from wattstead.ingest.influx.address import Series, series_of
from wattstead.registry.records import PointRow
from wattstead.web.influx.pattern import Pattern
from wattstead.web.influx.question import AllOf, Condition

FIELD = "value"
_ANY = AllOf()


class Listed(msgspec.Struct, frozen=True, gc=False):
    """A point and where an Influx client finds it."""

    row: PointRow
    measurement: str
    tags: dict[str, str]
    field: str


@lru_cache(maxsize=65_536)
def place_of(address: str) -> Series:
    """Measurement, tags and field of any address.

    >>> place_of("emon/emontx/power1")
    Series(measurement='emon/emontx', tags={}, field='power1')
    """
    found = series_of(address)
    if found is not None:
        return found
    measurement, _, field = address.rpartition("/")
    return Series(measurement, {}, field) if measurement and field else Series(address, {}, FIELD)


def listed(rows: Iterable[PointRow]) -> list[Listed]:
    """The points with their places."""
    return [Listed(row, *place_of(row.address)) for row in rows]


def matching(points: Iterable[Listed], measurements: Sequence[Pattern], condition: Condition) -> list[Listed]:
    """The points in measurements of such names (any when none is given) whose tags fulfil the condition."""
    points = list(points)
    names = {one.measurement for one in points}
    if measurements:
        names = {name for name in names if any(pattern.matches(name) for pattern in measurements)}
    found = [one for one in points if one.measurement in names]
    return found if condition == _ANY else [one for one in found if condition.holds(one.tags)]


def grouped_by(
    points: Iterable[Listed], tags: Sequence[str], every_tag: bool
) -> dict[tuple[str, tuple[tuple[str, str], ...]], list[Listed]]:
    """Points by their measurement and the values of those tags, in Influx's order."""
    groups: dict[tuple[str, tuple[tuple[str, str], ...]], list[Listed]] = {}
    points = list(points)
    names = sorted({*tags, *(tag for one in points for tag in one.tags)}) if every_tag else sorted(tags)
    for one in points:
        pairs = tuple((name, one.tags.get(name, "")) for name in names)
        groups.setdefault((one.measurement, pairs), []).append(one)
    return dict(sorted(groups.items(), key=lambda item: item[0]))


def fields(points: Iterable[Listed]) -> dict[str, list[str]]:
    """The fields of each measurement, in order."""
    found: dict[str, set[str]] = {}
    for one in points:
        found.setdefault(one.measurement, set()).add(one.field)
    return {measurement: sorted(names) for measurement, names in sorted(found.items())}


def tag_values(points: Iterable[Listed]) -> dict[str, Mapping[str, list[str]]]:
    """The values of each tag of each measurement, in order."""
    found: dict[str, dict[str, set[str]]] = {}
    for one in points:
        tags = found.setdefault(one.measurement, {})
        for name, value in one.tags.items():
            tags.setdefault(name, set()).add(value)
    return {m: {name: sorted(values) for name, values in sorted(tags.items())} for m, tags in sorted(found.items())}
