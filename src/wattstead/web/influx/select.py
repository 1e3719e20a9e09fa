"""SELECT of aggregates: points into groups, groups into one question, its columns into Influx's tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from wattstead.metering.point import Point
from wattstead.web.influx.catalogue import Listed, grouped_by, matching
from wattstead.web.influx.instant import shown
from wattstead.web.influx.question import SELECTORS, Column, Fill, Select
from wattstead.web.influx.raw import readings_of
from wattstead.web.influx.span import bucket_edges_us
from wattstead.web.influx.table import Table
from wattstead.web.influx.tokens import ParseError
from wattstead.web.readings import history
from wattstead.web.readings.history import Buckets
from wattstead.web.rooms import Rooms

MOST_CELLS = 1_000_000
"""Values of one answer."""
MOST_POINTS = 20_000
"""Points of one question."""


class Cell(NamedTuple):
    """One column of one table: what is computed, of which question's answer."""

    name: str
    aggregate: str
    question: str


def chosen(select: Select, points: Sequence[Listed]) -> list[Listed]:
    """The points that one SELECT is about; raises `ParseError` for more than may be asked at once."""
    wanted = {column.field for column in select.columns}
    matches = matching(points, select.measurements, select.condition)
    found = [one for one in matches if "*" in wanted or one.field in wanted]
    if len(found) > MOST_POINTS:
        raise ParseError(f"the question is about {len(found)} series; narrow it to {MOST_POINTS}")
    return found


async def answered(select: Select, rooms: Rooms, found: list[Listed], epoch: str, now_us: int) -> list[Table]:
    """The tables of one SELECT about those points; raises `ParseError` for more values than may be asked at once."""
    if not found:
        return []
    span = await _span_us(select, rooms, found, now_us)
    if span is None:
        return []
    if not select.columns[0].aggregate:
        tables = await readings_of(select, rooms, found, span, epoch)
    else:
        tables = await _aggregated(select, rooms, found, span, epoch)
    stop = select.series_offset + select.series_limit if select.series_limit else None
    return tables[select.series_offset : stop]


async def _span_us(select: Select, rooms: Rooms, points: list[Listed], now_us: int) -> tuple[int, int] | None:
    """The span asked for, an open start replaced by the first reading, an open end by now or the last reading."""
    start_us, end_us = select.span.start_us, select.span.end_us
    if start_us is None or (end_us is None and not select.every_us):
        known = (await history.spans(rooms, [one.row.point for one in points])).values()
        if not known:
            return None
        start_us = min(first_us for first_us, _ in known) if start_us is None else start_us
        end_us = max(last_us for _, last_us in known) + 1 if end_us is None else end_us
    end_us = max(now_us, start_us + 1) if end_us is None else end_us
    return (start_us, end_us) if start_us < end_us else None


async def _aggregated(
    select: Select, rooms: Rooms, points: list[Listed], span: tuple[int, int], epoch: str
) -> list[Table]:
    labels = bucket_edges_us(select, *span)
    edges = np.clip(labels, *span)  # readings outside the span do not count, in the first and last bucket neither
    groups, cells, asked = await rooms.answer_threads.run(_questions, select, points, len(edges) - 1)
    aggregates = {cell.aggregate for row in cells for cell in row}
    ends, extremes = bool(aggregates & {"first", "last"}), bool(aggregates & {"min", "max"})
    answers = await history.grouped(rooms, asked, edges, ends, extremes)
    return await rooms.answer_threads.run(_tables, select, groups, cells, answers, labels, epoch)


def _questions(
    select: Select, points: list[Listed], buckets: int
) -> tuple[list[tuple[str, tuple[tuple[str, str], ...]]], list[list[Cell]], dict[str, list[Point]]]:
    """The groups that points fall into, their cells, and the points that are asked about for these; of thousands of
    points work for a thread. Raises `ParseError` for more values than may be asked at once."""
    groups = grouped_by(points, select.tags, select.every_tag)
    if len(groups) * len(select.columns) * max(1, buckets) > MOST_CELLS:
        raise ParseError(f"the answer has more than {MOST_CELLS} values; use a longer GROUP BY time() or fewer tags")
    questions: dict[str, list[Point]] = {}
    cells: list[list[Cell]] = []
    for place, members in enumerate(groups.values()):
        cells.append([])
        for column, field in _columns(select, members):
            question = f"{place} {field}"
            questions[question] = history.own_numbers([one.row.point for one in members if one.field == field])
            cells[-1].append(Cell(_name(column, field), column.aggregate, question))
    return list(groups), cells, {question: points_of for question, points_of in questions.items() if points_of}


def _tables(
    select: Select,
    groups: list[tuple[str, tuple[tuple[str, str], ...]]],
    cells: list[list[Cell]],
    answers: dict[str, Buckets],
    edges: NDArray[np.int64],
    epoch: str,
) -> list[Table]:
    tables = []
    for (measurement, pairs), row in zip(groups, cells, strict=True):
        values = _rows(select, row, answers, edges, epoch)
        if values:
            tables.append(Table(measurement, dict(pairs), ["time", *(cell.name for cell in row)], values))
    return tables


def _columns(select: Select, members: list[Listed]) -> list[tuple[Column, str]]:
    """Each column with the one field it stands for; ``*`` stands for every field of the group."""
    every = sorted({one.field for one in members})
    return [(c, field) for c in select.columns for field in (every if c.field == "*" else [c.field])]


def _name(column: Column, field: str) -> str:
    return f"{column.name}_{field}" if column.field == "*" else column.name


def _rows(
    select: Select, cells: list[Cell], answers: dict[str, Buckets], edges: NDArray[np.int64], epoch: str
) -> list[list[object]]:
    """The rows of one table; none when no column has a reading."""
    found = [answers.get(cell.question) for cell in cells]
    if not any(buckets is not None and buckets.count.any() for buckets in found):
        return []
    columns = [_filled(select, cell, buckets, len(edges) - 1) for cell, buckets in zip(cells, found, strict=True)]
    times = edges[:-1].tolist() if select.every_us else [_own_time(select, cells, found)]
    rows = [[shown(t, epoch), *values] for t, *values in zip(times, *columns, strict=True)]
    if select.every_us and select.fill is Fill.NONE:
        rows = [row for row in rows if any(value is not None for value in row[1:])]
    if select.descending:
        rows.reverse()
    return rows[select.offset : select.offset + select.limit if select.limit else None]


def _own_time(select: Select, cells: list[Cell], found: list[Buckets | None]) -> int:
    """Without time grouping: the time of the reading a lone selector picks, else the start of the span, else 1970."""
    if len(cells) == 1 and found[0] is not None and cells[0].aggregate in SELECTORS:
        picked = history.time_of(found[0], cells[0].aggregate)
        if picked is not None:
            return picked
    return select.span.start_us or 0


def _filled(select: Select, cell: Cell, buckets: Buckets | None, size: int) -> list[float | int | None]:
    """One column's values with what FILL says where there are none."""
    if buckets is None:
        values = np.full(size, np.nan)
        empty = np.ones(size, bool)
    else:
        values, empty = history.aggregate(buckets, cell.aggregate), buckets.count == 0
    if not select.every_us or select.fill is Fill.NONE:
        return [None if e else _plain(cell, v) for v, e in zip(values.tolist(), empty.tolist(), strict=True)]
    if select.fill is Fill.PREVIOUS:
        last = np.maximum.accumulate(np.where(empty, -1, np.arange(size)))
        values, empty = np.where(last >= 0, values[last], np.nan), last < 0
    elif select.fill is Fill.NUMBER:
        values, empty = np.where(empty, select.fill_value, values), np.zeros(size, bool)
    elif cell.aggregate == "count":
        values, empty = np.where(empty, 0, values), np.zeros(size, bool)
    return [None if e else _plain(cell, v) for v, e in zip(values.tolist(), empty.tolist(), strict=True)]


def _plain(cell: Cell, value: float) -> float | int:
    return int(value) if cell.aggregate == "count" else value
