"""Labels: what a point is called among those of its site, so that two of the same name are told apart by their devices.

It names points for people; the name that somebody gave a point stays as it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from wattstead.registry.records import PointRow
from wattstead.registry.registry import Registry


def twins(rows: Mapping[int, PointRow]) -> frozenset[int]:
    """Those of all points of sites that stand at a device and share their name with another point of their site."""
    count = Counter((row.site_id, row.name) for row in rows.values())
    return frozenset(point_id for point_id, row in rows.items() if row.device_id and count[row.site_id, row.name] > 1)


def labels(registry: Registry, rows: Iterable[PointRow], alike: frozenset[int]) -> dict[int, str]:
    """The label of each point: its name, behind its device's where it is one of those that are ``alike``. Blocks."""
    rows = list(rows)
    sites = {row.site_id for row in rows if row.point.id in alike}
    devices = registry.device_labels(sorted(sites)) if sites else {}
    return {row.point.id: _label(row, devices if row.point.id in alike else {}) for row in rows}


def _label(row: PointRow, devices: Mapping[int, str]) -> str:
    device = devices.get(row.device_id or 0)
    return f"{device} · {row.name}" if device else row.name
