"""SELECT of readings themselves: bounded, joined by time; computes nothing."""

from __future__ import annotations

from wattstead.metering.batch import ReadingBatch
from wattstead.web.influx.catalogue import Listed, grouped_by
from wattstead.web.influx.instant import shown
from wattstead.web.influx.question import Select
from wattstead.web.influx.rows import Rows
from wattstead.web.influx.table import Table
from wattstead.web.influx.tokens import ParseError
from wattstead.web.readings import history
from wattstead.web.rooms import Rooms

MOST_ROWS = 100_000
"""Rows of one answer; a longer one is cut and says so."""
MOST_SKIPPED = 800_000
"""Rows that OFFSET may pass over."""
_MOST_POINTS = 200


async def readings_of(
    select: Select, rooms: Rooms, points: list[Listed], span: tuple[int, int], epoch: str
) -> list[Table]:
    """The tables of a SELECT without an aggregate; raises `ParseError` for more than may be asked at once."""
    if len(points) > _MOST_POINTS:
        raise ParseError(f"readings of {len(points)} series; narrow the question to {_MOST_POINTS}, or aggregate")
    if select.offset > MOST_SKIPPED:
        raise ParseError(f"OFFSET {select.offset} passes over more than {MOST_SKIPPED} rows; narrow the time instead")
    tables = []
    for (measurement, pairs), members in grouped_by(points, select.tags, select.every_tag).items():
        fields = _fields(select, members)
        names = sorted({field for field, _ in fields})
        owns = sorted({tuple(sorted(one.tags.items())) for one in members})
        rows = Rows(select.offset + min(select.limit or MOST_ROWS, MOST_ROWS) + 1, select.descending)
        for one in members:
            batch = await _readings(select, rooms, one, span, rows.wanted)
            at = owns.index(tuple(sorted(one.tags.items()))), names.index(one.field)
            await rooms.answer_threads.run(rows.add, batch.time_us, batch.value, *at)
        shown_fields = [(names.index(field), name) for field, name in fields]
        table = await rooms.answer_threads.run(
            _table, select, rows, owns, shown_fields, _tags(select, members), measurement, dict(pairs), epoch
        )
        tables += [table] if table.values else []
    return tables


def _table(
    select: Select, rows: Rows, owns: list[tuple[tuple[str, str], ...]], fields: list[tuple[int, str]],
    tags: list[str], measurement: str, pairs: dict[str, str], epoch: str,
) -> Table:  # fmt: skip
    most = min(select.limit or MOST_ROWS, MOST_ROWS)
    values: list[list[object]] = [
        [shown(time_us, epoch), *(cells.get(field) for field, _ in fields), *(dict(owns[own]).get(tag) for tag in tags)]
        for time_us, own, cells in rows.between(select.offset, select.offset + most)
    ]
    cut = len(rows) > select.offset + most and most != select.limit
    return Table(measurement, pairs, ["time", *(name for _, name in fields), *tags], values, cut)


def _fields(select: Select, members: list[Listed]) -> list[tuple[str, str]]:
    """Field and column name; ``*`` stands for every field."""
    every = sorted({one.field for one in members})
    return [(f, c.name or f) for c in select.columns for f in (every if c.field == "*" else [c.field])]


def _tags(select: Select, members: list[Listed]) -> list[str]:
    """The tags that ``SELECT *`` shows as columns: those that do not group."""
    if select.every_tag or all(column.field != "*" for column in select.columns):
        return []
    return sorted({tag for one in members for tag in one.tags} - set(select.tags))


async def _readings(select: Select, rooms: Rooms, one: Listed, span: tuple[int, int], wanted: int) -> ReadingBatch:
    """So many of the first readings of one point, in the order of the answer."""
    ask = history.newest if select.descending else history.readings
    return await ask(rooms, one.row, *span, wanted)
