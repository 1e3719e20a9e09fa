"""Tables as readings: finds shape and columns, names bad cells; where the rows come from is `table_rows`' affair.

Two shapes are understood: long (time, point, value) and wide (time, then a column per point). It posts nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from wattstead.ingest.decoding.table_rows import Cell, FormulaWithoutValue, Row, TableFileError
from wattstead.metering.errors import Issue

TIME_NAMES = ("time", "timestamp", "datetime", "date_time", "ts", "start", "date", "zeit", "datum")
POINT_NAMES = ("point", "name", "series", "sensor", "meter", "address")
VALUE_NAMES = ("value", "reading", "wert")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MAX_NAME = 200
_SHOWN = 40


@dataclass(frozen=True, slots=True)
class TableShape:
    """Where time, points and values stand; either ``point`` and ``value`` are set, or ``columns``.

    ``hour`` is the column of an hour of day 0–23 that belongs to a date column, or None; ``width`` counts the columns.
    """

    time: int
    hour: int | None = None
    point: int | None = None
    value: int | None = None
    columns: tuple[tuple[int, str], ...] = ()
    width: int = 1_000_000


@dataclass(slots=True)
class TableReadings:
    """Readings of some rows as columns, with the file's row number of each, and what was wrong with the rest."""

    point: list[str] = field(default_factory=list)
    time_us: list[int] = field(default_factory=list)
    value: list[float] = field(default_factory=list)
    row: list[int] = field(default_factory=list)
    empty: int = 0
    issues: list[Issue] = field(default_factory=list)


def shape_of(header: Sequence[Cell], prefix: str = "", time_column: str | None = None) -> TableShape:
    """The shape that a header row announces; ``prefix`` goes before the points' names of a wide table.

    >>> shape_of(["time", "Kitchen", "Cellar"]).columns
    ((1, 'Kitchen'), (2, 'Cellar'))
    """
    names = [str(cell or "").strip() for cell in header]
    lower = [name.lower() for name in names]
    wanted = (time_column.lower(),) if time_column else TIME_NAMES
    found = [lower.index(name) for name in wanted if name in lower]
    if not found:
        raise TableFileError(
            f"no column of times in {', '.join(name[:_SHOWN] for name in names)[:300]!r}; "
            f"name one of {', '.join(TIME_NAMES)} or give --time-column"
        )
    at = found[0]
    hour = lower.index("hour") if "hour" in lower else None
    point = next((lower.index(name) for name in POINT_NAMES if name in lower), None)
    value = next((lower.index(name) for name in VALUE_NAMES if name in lower), None)
    if point is not None and value is not None:
        return TableShape(time=at, hour=hour, point=point, value=value, width=len(names))
    columns = tuple((i, prefix + name) for i, name in enumerate(names) if name and i not in (at, hour))
    if not columns:
        raise TableFileError("the table has times but no column of values")
    return TableShape(time=at, hour=hour, columns=columns, width=len(names))


class TableDecoder:
    """Turns rows into readings; remembers wall-clock times, to tell apart the hour that comes twice in autumn."""

    def __init__(self, shape: TableShape, zone: str, decimal_comma: bool = False) -> None:
        """``zone`` is the IANA zone of times that name none."""
        self.shape = shape
        self.zone = ZoneInfo(zone)
        self.decimal_comma = decimal_comma
        self._last: dict[str, datetime] = {}

    def decode(self, rows: Iterable[Row]) -> TableReadings:
        """The readings of those rows; each bad cell is one issue and spoils nothing else."""
        out = TableReadings()
        for number, cells in rows:
            try:
                self._row(number, cells, out)
            except (ValueError, OverflowError) as error:
                out.issues.append(Issue(f"row {number}", str(error)))
        return out

    def _row(self, number: int, cells: Sequence[Cell], out: TableReadings) -> None:
        shape = self.shape
        if any(cell is not None and cell != "" for cell in cells[shape.width :]):
            raise ValueError(f"{len(cells)} cells; the header names {shape.width}: quote a cell that has the separator")
        stamp = _cell(cells, shape.time)
        if shape.point is not None and shape.value is not None:
            name = str(_cell(cells, shape.point) or "").strip()
            if not name or len(name) > _MAX_NAME:
                raise ValueError(f"point name of {len(name)} letters; 1 to {_MAX_NAME} are expected")
            pairs: Sequence[tuple[str, Cell]] = ((name, _cell(cells, shape.value)),)
        else:
            pairs = [(name, _cell(cells, column)) for column, name in shape.columns]
        time_us = self._time_us(stamp, _cell(cells, shape.hour) if shape.hour is not None else None, pairs[0][0])
        for name, cell in pairs:
            if cell is None or cell == "":
                out.empty += 1
                continue
            try:
                value = self._number(cell)
            except ValueError as error:
                out.issues.append(Issue(f"row {number}, {name[:_MAX_NAME]}", str(error)))
                continue
            out.point.append(name)
            out.time_us.append(time_us)
            out.value.append(value)
            out.row.append(number)

    def _number(self, cell: Cell) -> float:
        _check_reckoned(cell)
        if isinstance(cell, bool | int | float):
            value = float(cell)
        else:
            text = str(cell)
            if "_" in text:
                raise ValueError(f"{text[:40]!r} is not a number")
            try:
                value = float(text.replace(",", ".") if self.decimal_comma else text)
            except ValueError:
                raise ValueError(f"{text[:40]!r} is not a number") from None
        if not math.isfinite(value):
            raise ValueError(f"{str(cell)[:40]!r} is not a finite number")
        return value

    def _time_us(self, cell: Cell, hour: Cell, series: str) -> int:
        moment = _moment(cell)
        if hour is not None and hour != "":
            moment += timedelta(hours=float(str(hour)))
        if moment.tzinfo is None:
            moment = self._placed(moment, series)
        return (moment - _EPOCH) // timedelta(microseconds=1)

    def _placed(self, wall: datetime, series: str) -> datetime:
        """A wall-clock time in the table's zone: the second of two when the first was already passed."""
        early, late = wall.replace(tzinfo=self.zone, fold=0), wall.replace(tzinfo=self.zone, fold=1)
        if early.utcoffset() == late.utcoffset():
            self._last[series] = early
            return early
        if early.astimezone(UTC).astimezone(self.zone).replace(tzinfo=None) != wall:
            raise ValueError(f"{wall.isoformat()} does not exist in {self.zone.key}: clocks jumped over it")
        before = self._last.get(series)
        passed = before is not None and before.astimezone(UTC) >= early.astimezone(UTC)
        self._last[series] = late if passed else early
        return self._last[series]


def _cell(cells: Sequence[Cell], index: int) -> Cell:
    return cells[index] if index < len(cells) else None


def _check_reckoned(cell: Cell) -> None:
    if isinstance(cell, FormulaWithoutValue):
        raise ValueError(
            f"the formula {str(cell)[:_SHOWN]!r} has no value in the file; open it in a spreadsheet and save it"
        )


def _moment(cell: Cell) -> datetime:
    """The instant a cell names: an Excel date, ISO 8601, or seconds / milliseconds since 1970."""
    _check_reckoned(cell)
    if isinstance(cell, datetime):
        return cell
    if isinstance(cell, date):
        return datetime.combine(cell, time())
    text = str(cell).strip() if cell is not None else ""
    if not text:
        raise ValueError("no time")
    if text.replace(".", "", 1).isdigit() and not (len(text) == 8 and text[:2] in ("19", "20")):
        number = float(text)
        return _EPOCH + timedelta(seconds=number / 1000 if number >= 1e11 else number)
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    for form in ("%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%d.%m.%Y"):
        try:
            return datetime.strptime(text, form)
        except ValueError:
            continue
    raise ValueError(f"{text[:40]!r} is not a time; ISO 8601 is expected, such as 2026-11-20T14:02:00Z")
