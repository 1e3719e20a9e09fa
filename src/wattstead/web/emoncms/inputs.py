"""Inputs: the addresses that EmonCMS senders made, by node and name, with their latest values; lists no feeds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from wattstead.ingest.emoncms.address import input_of
from wattstead.ingest.emoncms.names import clean
from wattstead.registry.records import KeyGrant, PointRow
from wattstead.web.emoncms.asked import Asked
from wattstead.web.emoncms.php import Json
from wattstead.web.rooms import Rooms


class Newest(NamedTuple):
    """The latest reading of a point in its own unit; None and None before the first."""

    time_s: int | None
    value: float | None


def newest(rooms: Rooms, point_ids: list[int]) -> dict[int, Newest]:
    """The latest readings of those points; a point without one is not in the answer."""
    found = rooms.latest.of(np.asarray(point_ids, np.int64))
    times_s = (found.time_us // 1_000_000).tolist()
    return {
        point: Newest(time_s, value)
        for point, time_s, value in zip(found.point.tolist(), times_s, found.value.tolist(), strict=True)
    }


async def listed(asked: Asked) -> Json:
    """``input/list``."""
    return [
        {
            "id": str(row.point.id),
            "nodeid": node,
            "name": name,
            "description": "" if row.name == name else row.name,
            "processList": "",
            "time": last.time_s,
            "value": last.value,
        }
        for node, name, row, last in await _inputs(asked)
    ]


async def get_inputs(asked: Asked) -> Json:
    """``input/getinputs`` and ``input/get_inputs``: ids by node and name."""
    nodes: dict[str, dict[str, Json]] = {}
    for node, name, row, _ in await _inputs(asked):
        nodes.setdefault(node, {})[name] = {"id": str(row.point.id), "processList": ""}
    return _array({node: _array(names) for node, names in nodes.items()})


async def get(asked: Asked) -> Json:
    """``input/get``, all or of a node or one of a node; EmonCMS's own sentences where there is none.

    A write key is told the times alone: IoTaWatt asks with its only key where it has to go on.
    """
    nodes: dict[str, dict[str, Json]] = {}
    for node, name, _, last in await _inputs(asked):
        nodes.setdefault(node, {})[name] = {"time": last.time_s, "value": last.value, "processList": ""}
    wanted = clean(asked.subaction or asked.parameter("node"))
    if not asked.subaction and not asked.has("node"):
        return _array({node: _array(names) for node, names in nodes.items()})
    if wanted not in nodes:
        return "Node does not exist"
    if not asked.subaction2 and not asked.has("name"):
        return _array(nodes[wanted])
    return nodes[wanted].get(clean(asked.subaction2 or asked.parameter("name")), "Node variable does not exist")


async def _inputs(asked: Asked) -> list[tuple[str, str, PointRow, Newest]]:
    """Node, name, point and latest reading of every input, in order of nodes and names."""
    directory, viewer = asked.rooms.directory, asked.viewer
    if viewer is None:
        return []
    if isinstance(viewer.who, KeyGrant) and not viewer.may_read:
        rows = await directory.rows_of_sender(viewer.who)
        last = {point: found._replace(value=None) for point, found in newest(asked.rooms, list(rows)).items()}
    else:
        rows = await asked.all_points()
        last = newest(asked.rooms, list(rows))
    found = [
        (*place, row, last.get(row.point.id, Newest(None, None)))
        for row in rows.values()
        if (place := input_of(row.address)) is not None
    ]
    return sorted(found, key=lambda row: row[:2])


def _array(rows: Mapping[str, Json]) -> Json:
    """A PHP array: one whose keys are 0, 1, 2 … is written as a list."""
    return list(rows.values()) if list(rows) == [str(i) for i in range(len(rows))] else rows
