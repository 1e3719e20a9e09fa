"""Rows of tables in files: CSV in whatever encoding, also gzipped, and Excel; what cells mean is read elsewhere."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import itertools
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from wattstead.metering.errors import WattsteadError

_MOST_LINES = 50
"""Lines that one quoted cell may go over."""
_ESCAPED = 0xDC00
"""Python's stand-in for a byte that is not UTF-8 is this plus the byte."""
_WINDOWS = {_ESCAPED + byte: bytes([byte]).decode("cp1252", "replace") for byte in range(128, 256)}
_UNREADABLE = "\ufffd"

_LONGEST_CELL = 32_767
"""Characters of a cell; Excel holds no longer ones."""
_MARK = b"<f"
_PIECE = 1_000_000

Cell = object
Row = tuple[int, Sequence[Cell]]


class TableFileError(WattsteadError):
    """A file that cannot be read as a table of readings at all; bad cells are issues, not errors."""


class FormulaWithoutValue(str):
    """A formula of a workbook that no spreadsheet has reckoned: the file holds no value for the cell."""

    __slots__ = ()


@dataclass(slots=True)
class OddLines:
    """Lines of a text file that were not simply in its encoding."""

    windows: int = 0
    """Lines with bytes that are not UTF-8 and were read as Windows-1252."""
    unreadable: int = 0
    """Lines with bytes that no letter belongs to; a � stands for each."""
    first: int = 0
    """Number of the first such line, from 1; 0 when there is none."""


def rows_of(path: Path, sheet: str | None = None, encoding: str = "", odd: OddLines | None = None) -> Iterator[Row]:
    """Every row that has a cell, with its number from 1; `TableFileError` when it is no table.

    Text is UTF-8, or UTF-16 where it says so at its beginning; a byte that is not UTF-8 is read as Windows-1252, as
    older spreadsheets write it. ``encoding`` names another. ``odd`` is told of lines that were not as expected.
    """
    name = path.name.lower()
    odd = odd if odd is not None else OddLines()
    try:
        if name.endswith((".xlsx", ".xlsm")):
            yield from _excel_rows(path, sheet)
        elif name.endswith(".gz"):
            with gzip.open(path, "rb") as packed:
                yield from _csv_rows(_lines(packed, encoding, odd), path)
        else:
            with path.open("rb") as plain:
                yield from _csv_rows(_lines(plain, encoding, odd), path)
    except LookupError as error:
        raise TableFileError(f"encoding {encoding!r} is not known: {error}; try utf-8, cp1252 or utf-16") from error
    except (OSError, EOFError, UnicodeError, csv.Error, ValueError) as error:
        raise TableFileError(f"{path.name} cannot be read as a table: {error}") from error


def _lines(file: gzip.GzipFile | io.BufferedReader, encoding: str, odd: OddLines) -> Iterator[str]:
    """The lines of a text, whatever its bytes."""
    errors = "replace"
    if not encoding:
        marked = file.peek(2)[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
        encoding, errors = ("utf-16", "replace") if marked else ("utf-8-sig", "surrogateescape")
    text = io.TextIOWrapper(cast("IO[bytes]", file), encoding=encoding, errors=errors, newline="")
    for number, line in enumerate(text, start=1):
        if line.isascii():
            yield line
            continue
        plain = line.translate(_WINDOWS) if errors == "surrogateescape" else line
        foreign, unreadable = plain != line, _UNREADABLE in plain
        odd.windows += foreign
        odd.unreadable += unreadable
        odd.first = odd.first or (number if foreign or unreadable else 0)
        yield plain


def _csv_rows(lines: Iterator[str], path: Path) -> Iterator[Row]:
    head = next(lines, "")
    if "\0" in head:
        raise TableFileError(f"{path.name} is not text; CSV or Excel (.xlsx) is expected")
    delimiter = max(",;\t|", key=head.count)
    for number, row in enumerate(_records(itertools.chain([head], lines), delimiter), start=1):
        if any(cell.strip() for cell in row):
            yield number, [cell.strip() for cell in row]


def _records(lines: Iterator[str], delimiter: str) -> Iterator[list[str]]:
    """Rows of cells. A quoted cell may go on over some lines; a quote left open takes no more than its own line."""
    width = 0
    for line in lines:
        held = [line]
        odd = line.count('"') % 2
        while odd and len(held) < _MOST_LINES and (more := next(lines, None)) is not None:
            held.append(more)
            odd ^= more.count('"') % 2
        joined = next(csv.reader(held, delimiter=delimiter))
        if len(held) == 1 or (not odd and len(joined) == width):
            width = width or len(joined)
            yield joined
        else:
            yield from (next(csv.reader([one], delimiter=delimiter)) for one in held)


def _excel_rows(path: Path, sheet: str | None) -> Iterator[Row]:
    import openpyxl  # noqa: PLC0415 - only who brings such a file waits for it

    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except Exception as error:  # openpyxl raises whatever the broken part of the archive made it raise
        raise TableFileError(f"{path.name} is not an Excel workbook: {error}") from error
    if sheet is not None and sheet not in book.sheetnames:
        raise TableFileError(f"{path.name} has no sheet {sheet!r}; it has {', '.join(book.sheetnames)}")
    name = sheet or book.worksheets[0].title
    rows: Iterator[Sequence[Cell]] = book[name].iter_rows(values_only=True)
    try:
        if _has_formulas(path):
            rows = map(_told, rows, openpyxl.load_workbook(path, read_only=True)[name].iter_rows())
        for number, row in enumerate(rows, start=1):
            _check_cells(path, number, row)
            if any(cell is not None and cell != "" for cell in row):
                yield number, row
    except KeyError as error:
        raise TableFileError(f"{path.name} lacks a part of a workbook: {error}") from error


def _has_formulas(path: Path) -> bool:
    """Whether a sheet may have a formula: then it is read twice, for the values and for the formulas without one."""
    with zipfile.ZipFile(path) as book:
        for name in book.namelist():
            if not name.startswith("xl/worksheets/"):
                continue
            with book.open(name) as sheet:
                end = b""
                while piece := sheet.read(_PIECE):
                    found = end + piece
                    if any(_MARK + after in found for after in (b">", b" ", b"/")):
                        return True
                    end = found[-len(_MARK) :]
    return False


def _told(values: Sequence[Cell], formulas: Sequence[Any]) -> list[Cell]:
    """The values of a row, with the formulas of which there is none."""
    return [
        FormulaWithoutValue(getattr(cell.value, "text", cell.value))
        if value is None and cell.data_type == "f"
        else value
        for value, cell in zip(values, formulas, strict=True)
    ]


def _check_cells(path: Path, number: int, row: Sequence[Cell]) -> None:
    for cell in row:
        if isinstance(cell, str) and len(cell) > _LONGEST_CELL:
            raise TableFileError(
                f"{path.name} has a cell of {len(cell):,} characters in row {number}, which begins with "
                f"{cell[:20]!r}; a cell has at most {_LONGEST_CELL:,}"
            )
