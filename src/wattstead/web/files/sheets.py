"""Tables as files: CSV and Excel, written part by part so that no table is ever whole in memory; asks nothing.

A cell that a spreadsheet would take for a formula is quoted, so that nobody's name runs on somebody's computer.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Protocol

_DANGEROUS = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20", "\t", "\r", "\n")
"""With what a cell begins that reckons; the wide forms do where Chinese, Japanese or Korean is written."""
_MOST_ROWS = 1_048_575
"""Of a sheet, beside its head."""


class Part(Protocol):
    """Some rows of a table."""

    @property
    def columns(self) -> tuple[str, ...]: ...

    @property
    def rows(self) -> Sequence[Sequence[Any]]: ...


def safe(text: str) -> str:
    """A text as a spreadsheet shows it, never as it would reckon it; `unquoted` gives it back.

    >>> safe("=1+1"), safe("Lyon"), safe(" =1+1"), safe("'=1+1"), safe("'s Gravenhage")
    ("'=1+1", 'Lyon', "' =1+1", "''=1+1", "'s Gravenhage")
    """
    return f"'{text}" if _reckons(text.lstrip("'")) else text


def unquoted(cell: str) -> str:
    """A text that was written by `safe`.

    >>> unquoted("'=1+1"), unquoted("'s Gravenhage"), unquoted("Lyon")
    ('=1+1', "'s Gravenhage", 'Lyon')
    """
    return cell[1:] if cell.startswith("'") and _reckons(cell.lstrip("'")) else cell


def _reckons(text: str) -> bool:
    return text.startswith(_DANGEROUS) or text.lstrip().startswith(_DANGEROUS)


def csv_lines(parts: Iterable[Part]) -> Iterator[bytes]:
    """The file, a part at a time; begins with the mark by which Excel knows UTF-8."""
    yield "\ufeff".encode()
    for number, part in enumerate(parts):
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\r\n")
        if number == 0:
            writer.writerow(part.columns)
        writer.writerows([_plain(value) for value in row] for row in part.rows)
        yield text.getvalue().encode()


def write_workbook(file: Path, name: str, parts: Iterable[Part]) -> int:
    """Write an Excel file with one sheet; the number of its rows, cut at what a sheet can hold."""
    import xlsxwriter  # noqa: PLC0415 - only who asks for such a file waits for it

    options = {
        "constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False,
        "nan_inf_to_errors": True, "tmpdir": str(file.parent),
    }  # fmt: skip
    written = 0
    with xlsxwriter.Workbook(str(file), options) as book:
        sheet, bold = book.add_worksheet(name), book.add_format({"bold": True})
        day, moment = (book.add_format({"num_format": form}) for form in ("yyyy-mm-dd", "yyyy-mm-dd hh:mm:ss"))
        for number, part in enumerate(parts):
            if number == 0:
                sheet.freeze_panes(1, 0)
                for place, column in enumerate(part.columns):
                    sheet.write_string(0, place, column, bold)
            for row in part.rows[: _MOST_ROWS - written]:
                written += 1
                _write(sheet, written, row, day, moment)
    return written


def _write(sheet: Any, line: int, row: Sequence[Any], day: Any, moment: Any) -> None:
    for place, value in enumerate(row):
        if value is None or value == "":
            continue
        if isinstance(value, str):
            sheet.write_string(line, place, safe(value)[:32_767])
        elif isinstance(value, bool):
            sheet.write_string(line, place, "yes" if value else "no")
        elif isinstance(value, datetime):
            sheet.write_datetime(line, place, value.astimezone(UTC).replace(tzinfo=None), moment)
        elif isinstance(value, date):
            sheet.write_datetime(line, place, value, day)
        else:
            sheet.write_number(line, place, value)


def _plain(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, str):
        return safe(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value.isoformat() if isinstance(value, date) else value
