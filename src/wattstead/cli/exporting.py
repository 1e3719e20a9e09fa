"""``wattstead export``: readings of a running server into a CSV or Excel file; reads page by page, holds one page."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import typer
import xlsxwriter
from xlsxwriter.exceptions import XlsxWriterException

from wattstead.cli.client import Client, ServerRefused, connect
from wattstead.metering.errors import WattsteadError
from wattstead.metering.quantity import Quality
from wattstead.metering.wording import counted
from wattstead.registry.names import checked_zone

_PAGE = 50_000
_TOGETHER = 200
"""Points that are asked for at once."""
_EXCEL_ROWS = 1_048_575
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HEADER = ("time", "point", "value", "unit", "quality")


class FileUnwritable(WattsteadError):
    """The file that was named cannot be written."""

    def __init__(self, file: Path, error: Exception) -> None:
        reason = getattr(error, "strerror", None) or error
        super().__init__(f"{file} cannot be written: {reason}; name another file")


class _Table(Protocol):
    """Where rows go."""

    def writerow(self, row: list[object], /) -> object: ...


def run(
    file: Path | None, folder: Path, url: str, read_key: str, points: list[str], start: str, end: str, zone: str
) -> int:
    """Write the readings of the points named (all when none is) to ``file``, or as CSV to standard output."""
    checked_zone(zone)
    client = connect(folder, url, "", read_key)
    rows = client.points()
    known = {row["address"]: row for row in rows} | {str(row["id"]): row for row in rows}
    missing = [name for name in points if name not in known]
    if missing:
        raise ServerRefused(f"no point {', '.join(missing)}; there are {', '.join(r['address'] for r in rows)[:500]}")
    chosen = [known[name] for name in points] if points else rows
    count = 0
    with _table(file) as table:
        table.writerow(list(_HEADER))
        for at in range(0, len(chosen), _TOGETHER):
            for line in _lines(client, chosen[at : at + _TOGETHER], start, end, zone):
                table.writerow(line)
                count += 1
    typer.echo(f"{counted(count, 'reading')} of {counted(len(chosen), 'point')}", err=True)
    return 0


def _lines(client: Client, points: Sequence[dict[str, Any]], start: str, end: str, zone: str) -> Iterator[list[object]]:
    """The readings of some points, one after the other in the order of their ids."""
    known = {row["id"]: row for row in points}
    query: dict[str, str | float] = {"points": ",".join(map(str, known)), "limit": _PAGE, "start": start or 0}
    if end:
        query["end"] = end
    at = ZoneInfo(zone)
    while True:
        page = client.get("/api/v1/readings/page", **query)
        columns = (page[name] for name in ("point", "time", "value", "quality"))
        for point, time_ms, value, quality in zip(*columns, strict=True):
            moment, row = (_EPOCH + timedelta(milliseconds=time_ms)).astimezone(at), known[point]
            yield [moment.isoformat(), row["address"], value, row["base_unit"], Quality(quality).name.lower()]
        if not page["cursor"]:
            return
        query["cursor"] = page["cursor"]


@contextmanager
def _table(file: Path | None) -> Iterator[_Table]:
    if file is None:
        yield csv.writer(sys.stdout)
        return
    try:
        out = file.open("w", newline="", encoding="utf-8")
    except OSError as error:
        raise FileUnwritable(file, error) from error
    with out:
        if file.suffix.lower() != ".xlsx":
            yield csv.writer(out)
            return
    book = _Workbook(file)  # which opens its file only at the end
    yield book
    try:
        book.close()
    except XlsxWriterException as error:
        raise FileUnwritable(file, error) from error


class _Workbook:
    """An Excel file written row by row; a sheet that is full is followed by another."""

    def __init__(self, file: Path) -> None:
        self._book = xlsxwriter.Workbook(str(file), {"constant_memory": True, "strings_to_formulas": False})
        self._sheet = self._book.add_worksheet()
        self._row = 0

    def writerow(self, row: list[object]) -> None:
        """Add one row."""
        if self._row > _EXCEL_ROWS:
            self._sheet, self._row = self._book.add_worksheet(), 0
        for column, cell in enumerate(row):
            self._sheet.write(self._row, column, cell)
        self._row += 1

    def close(self) -> None:
        """Finish the file."""
        self._book.close()
