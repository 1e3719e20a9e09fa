"""SELECT of readings themselves: bounded, joined by time; computes nothing."""

from __future__ import annotations

from wattstead.metering.batch import ReadingBatch
from wattstead.web import history
from wattstead.web.influx.catalogue import Listed, grouped_by
from wattstead.web.influx.instant import shown
from wattstead.web.influx.question import Select
from wattstead.web.influx.table import Table
from wattstead.web.influx.tokens import ParseError
from wattstead.web.rooms import Rooms

MOST_ROWS = 100_000
"""Rows of one answer; a longer one is cut and says so."""
_MOST_POINTS = 200
_FIRST_LOOK_US = 3_600_000_000


async def readings_of(
    select: Select, rooms: Rooms, points: list[Listed], span: tuple[int, int], epoch: str
) -> list[Table]:
    """The tables of a SELECT without an aggregate."""
    if len(points) > _MOST_POINTS:
        raise ParseError(f"readings of {len(points)} series; narrow the question to {_MOST_POINTS}, or aggregate")
    tables = []
    for (measurement, pairs), members in grouped_by(points, select.tags, select.every_tag).items():
        fields = _fields(select, members)
        tags = _tags(select, members)
        rows: dict[tuple[int, tuple[tuple[str, str], ...]], dict[str, float]] = {}
        partial = False
        for one in members:
            batch, cut = await _readings(select, rooms, one, span)
            partial = partial or cut
            own = tuple(sorted(one.tags.items()))
            for time_us, value in zip(batch.time_us.tolist(), batch.value.tolist(), strict=True):
                rows.setdefault((time_us, own), {})[one.field] = value
        order = sorted(rows, reverse=select.descending)
        kept = order[select.offset : select.offset + min(select.limit or MOST_ROWS, MOST_ROWS)]
        values: list[list[object]] = [
            [shown(time_us, epoch), *(rows[time_us, own].get(field) for field, _ in fields),
             *(dict(own).get(tag) for tag in tags)]
            for time_us, own in kept
        ]  # fmt: skip
        if values:
            names = ["time", *(name for _, name in fields), *tags]
            partial = partial and not select.limit
            tables.append(Table(measurement, dict(pairs), names, values, partial))
    return tables


def _fields(select: Select, members: list[Listed]) -> list[tuple[str, str]]:
    """Field and column name; ``*`` stands for every field."""
    every = sorted({one.field for one in members})
    return [(f, c.name or f) for c in select.columns for f in (every if c.field == "*" else [c.field])]


def _tags(select: Select, members: list[Listed]) -> list[str]:
    """The tags that ``SELECT *`` shows as columns: those that do not group."""
    if select.every_tag or all(column.field != "*" for column in select.columns):
        return []
    return sorted({tag for one in members for tag in one.tags} - set(select.tags))


async def _readings(select: Select, rooms: Rooms, one: Listed, span: tuple[int, int]) -> tuple[ReadingBatch, bool]:
    """Enough readings of one point for the answer, and whether there are more."""
    wanted = min(select.offset + (select.limit or MOST_ROWS), MOST_ROWS)
    start_us, end_us = span
    if not select.descending:
        batch = await history.readings(rooms, one.row, start_us, end_us, wanted + 1)
        return batch, len(batch) > wanted
    look_us = _FIRST_LOOK_US
    end_us = min(end_us, await _after_last_us(rooms, one, end_us))
    while True:
        begin_us = max(start_us, end_us - look_us)
        batch = await history.readings(rooms, one.row, begin_us, end_us, MOST_ROWS)
        if len(batch) >= wanted or begin_us <= start_us:
            return batch, begin_us > start_us
        look_us *= 8


async def _after_last_us(rooms: Rooms, one: Listed, end_us: int) -> int:
    extents = await history.extents(rooms, [one.row])
    return extents[one.row.point.id].last_us + 1 if one.row.point.id in extents else end_us
