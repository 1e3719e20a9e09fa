"""``feed/data`` and its older names: the history of feeds with EmonCMS's options; asks `history`, stores nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from wattstead.metering.calendar import CalendarError, Step, edges_us, zone_info
from wattstead.metering.quantity import Kind
from wattstead.registry.records import PointRow
from wattstead.web.emoncms.asked import Asked
from wattstead.web.emoncms.feed_times import Moment, TimeInvalid, moment_s
from wattstead.web.emoncms.php import Json, is_numeric, whole
from wattstead.web.readings import history

MOST_READINGS = 20_000
"""Slots of one feed in one answer, as in EmonCMS."""
_MOST_CELLS = 400_000
_MOST_FEEDS = 100
_CALENDAR = {"daily": Step.DAY, "weekly": Step.WEEK, "monthly": Step.MONTH, "annual": Step.YEAR}
_FORMATS = ("unix", "unixms", "excel", "iso8601", "notime")
_US = 1_000_000
_LATEST_S = 4_000_000_000

Row = tuple[float, float | None]


class Csv(NamedTuple):
    """An answer as a file."""

    name: str
    text: str


class DataError(Exception):
    """EmonCMS's own sentence for a question that cannot be answered."""


class Options(NamedTuple):
    """What is asked of each feed."""

    start_s: int
    end_s: int
    interval: str
    zone: str
    form: str
    csv: bool
    skip_missing: bool
    limit_interval: bool
    places: int


async def answered(asked: Asked) -> Json | Csv | str:
    """``feed/data``, ``feed/average`` and ``feed/csvexport``."""
    for name in ("start", "end"):
        if not asked.parameter(name):
            return f"missing {name} parameter"
    single = bool(asked.parameter("id"))
    texts = asked.parameter("id" if single else "ids").split(",")[:_MOST_FEEDS]
    if texts == [""]:
        return {"success": False, "message": "no ids given"}
    if asked.reader is None:
        return []
    ids = [whole(text) for text in texts]
    rows = await asked.points(ids)
    missing = [i for i in ids if i not in rows]
    if missing:
        what = f"feed {missing[0]} does not exist" if len(missing) == 1 else f"{len(missing)} feeds do not exist"
        return {"success": False, "message": what, "feeds": missing}
    return await _answered(asked, [rows[i] for i in ids], single)


async def _answered(asked: Asked, rows: Sequence[PointRow], single: bool) -> Json | Csv | str:
    try:
        options = _options(asked, rows[0].point.zone)
    except DataError as error:
        return {"success": False, "message": str(error)}
    slots = _slots(options)
    if slots <= MOST_READINGS and slots * len(rows) > _MOST_CELLS:
        return {"success": False, "message": _too_many(slots * len(rows), _MOST_CELLS)}
    averages, deltas = asked.parameter("average").split(","), asked.parameter("delta").split(",")
    found: list[list[Row] | Json] = []
    for place, row in enumerate(rows):
        average = asked.action == "average" or bool(whole(_nth(averages, place, asked.action)))
        delta = bool(whole(_nth(deltas, place, deltas[0])))
        try:
            found.append(await _history(asked, row, options, average, delta))
        except DataError as error:
            found.append({"success": False, "message": str(error)})
    if options.csv:
        return await asked.rooms.series_threads.run(_csv, rows, found, options)
    written = [await asked.rooms.series_threads.run(_written, rows_of, options) for rows_of in found]
    if single and len(rows) == 1:
        return written[0]
    return [{"feedid": str(row.point.id), "data": told} for row, told in zip(rows, written, strict=True)]


def _nth(texts: Sequence[str], place: int, default: str) -> str:
    return texts[place] if place < len(texts) else default


def _options(asked: Asked, zone: str) -> Options:
    zone = asked.parameter("timezone") or zone
    interval = asked.parameter("mode") or asked.parameter("interval") or "0"
    form = asked.parameter("timeformat") or "unixms"
    try:
        zone_info(zone)
        start_s, end_s = (moment_s(asked.parameter(name), zone) for name in ("start", "end"))
    except (TimeInvalid, CalendarError) as error:
        raise DataError(str(error)) from error
    end_s = min(end_s, _LATEST_S)
    if end_s <= start_s:
        raise DataError("Request end time before start time")
    if form not in _FORMATS:
        raise DataError("Invalid time format")
    if interval not in _CALENDAR and interval != "original":
        wanted_s = min(whole(interval), _LATEST_S)
        interval = str(wanted_s if wanted_s >= 1 else max(1, round((end_s - start_s) / 800)))
    csv = asked.action == "csvexport" or bool(whole(asked.parameter("csv")))
    return Options(
        start_s, end_s, interval, zone, form, csv,
        bool(whole(asked.parameter("skipmissing"))), bool(whole(asked.parameter("limitinterval"))),
        whole(asked.parameter("dp") or "-1"),
    )  # fmt: skip


async def _history(asked: Asked, row: PointRow, options: Options, average: bool, delta: bool) -> list[Row]:
    if options.interval == "original":
        return await _original(asked, row, options)
    if options.limit_interval and is_numeric(options.interval):
        options = await _limited(asked, row, options)
    edges = _edges_us(options, delta and not options.csv)
    if len(edges) - 1 > MOST_READINGS:
        raise DataError(_too_many(len(edges) - 1))
    if delta and row.point.kind is Kind.REGISTER:
        values = await history.amounts(asked.rooms, row, edges)
    else:
        columns = await history.own_buckets(asked.rooms, row, edges)
        values = columns.mean if average else columns.first
        if delta:
            values = np.diff(values, append=np.nan)
    starts = edges[:-1] // _US
    if delta:
        starts, values = starts[:-1], values[: len(edges) - 2]
    rows = [(t, None if np.isnan(v) else v) for t, v in zip(starts.tolist(), values.tolist(), strict=True)]
    return [kept for kept in rows if kept[1] is not None or not options.skip_missing]


async def _original(asked: Asked, row: PointRow, options: Options) -> list[Row]:
    """The readings as they came."""
    found = await history.readings(asked.rooms, row, options.start_s * _US, options.end_s * _US + 1, MOST_READINGS + 1)
    if len(found) > MOST_READINGS:
        raise DataError(_too_many(len(found)))
    return list(zip((found.time_us / _US).tolist(), found.value.tolist(), strict=True))


async def _limited(asked: Asked, row: PointRow, options: Options) -> Options:
    """``limitinterval``: never finer than the readings come, and a multiple of that."""
    extent = (await history.extents(asked.rooms, [row])).get(row.point.id)
    if extent is None or extent.readings < 2:
        return options
    own_s = max(1, round((extent.last_us - extent.first_us) / 1e6 / (extent.readings - 1)))
    wanted_s = max(int(options.interval), own_s)
    return options._replace(interval=str(max(1, round(wanted_s / own_s)) * own_s))


def _edges_us(options: Options, with_next: bool) -> NDArray[np.int64]:
    """Edges of EmonCMS's slots: from the start (a calendar's period that holds it), while not after the end."""
    step = _CALENDAR.get(options.interval)
    if step is None:
        interval_s = int(options.interval)
        end_s = (options.end_s // interval_s + 1) * interval_s if with_next else options.end_s
        slots = (end_s - options.start_s) // interval_s + 1
        if slots > MOST_READINGS:
            raise DataError(_too_many(slots))
        return (options.start_s + np.arange(slots + 1, dtype=np.int64) * interval_s) * _US
    edges = edges_us(options.zone, options.start_s * _US, options.end_s * _US + 1, step)
    if step is Step.WEEK:
        midnight = edges_us(options.zone, options.start_s * _US, options.start_s * _US + 1, Step.DAY)[0]
        edges = edges[edges >= midnight]
    if with_next and len(edges):
        following = edges_us(options.zone, int(edges[-1]), int(edges[-1]) + 1, step)[-1]
        edges = np.append(edges, following)
    return edges


def _slots(options: Options) -> int:
    """How many slots each feed has at most."""
    if options.interval == "original":
        return MOST_READINGS
    return (options.end_s - options.start_s) // (86_400 if options.interval in _CALENDAR else int(options.interval)) + 1


def _too_many(slots: int, most: int = MOST_READINGS) -> str:
    return (
        f"request datapoint limit reached ({most}), increase request interval or reduce time range, "
        f"requested datapoints = {slots}"
    )


def _written(rows: list[Row] | Json, options: Options) -> Json:
    if not isinstance(rows, list):
        return rows
    if options.form == "notime":
        return [_rounded(value, options.places) for _, value in rows]
    moment = Moment(options.form, options.zone)
    return [[moment.shown(time_s), _rounded(value, options.places)] for time_s, value in rows]


def _rounded(value: float | None, places: int) -> float | None:
    return value if value is None or places < 0 else round(value, min(places, 12))


def _csv(rows: Sequence[PointRow], found: list[list[Row] | Json], options: Options) -> Csv | str:
    """Lines of time and values with two decimals, no header, a line for each time that any feed has: ``null`` in a slot
    without a reading, nothing where a feed has no such slot or reading."""
    columns = [dict(rows_of) for rows_of in found if isinstance(rows_of, list)]
    if len(columns) < len(found):
        return next(str(told["message"]) for told in found if isinstance(told, dict))
    form = "unix" if len(rows) == 1 and options.form == "unixms" else options.form
    moment = Moment(form, options.zone)
    lines = [
        ",".join(
            [str(moment.shown(time_s)), *(_cell(column[time_s]) if time_s in column else "" for column in columns)]
        )
        for time_s in sorted(set[float]().union(*columns))
    ]
    name = "-".join(str(row.point.id) for row in rows) + ".csv"
    return Csv(name, "".join(f"{line}\n" for line in lines))


def _cell(value: float | None) -> str:
    return "null" if value is None else f"{value:.2f}"
