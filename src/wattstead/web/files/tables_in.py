"""Tables that people bring: CSV and Excel read into rows of texts; formulas, bombs and endless cells are refused."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import msgspec

from wattstead.web.files.sheets import unquoted
from wattstead.web.problem import Refused

LARGEST = 10_000_000
MOST_ROWS = 20_000
_LONGEST_CELL = 10_000
_LARGEST_UNPACKED = 100_000_000
_MOST_COLUMNS = 200
csv.field_size_limit(LARGEST)  # a longer cell than it knows ends the whole reading: here it costs its line
_FORMULA = ("=", "@", "\t=", "+=", "-=")


class Line(msgspec.Struct, frozen=True):
    """One row: what stands under each heading."""

    number: int
    """In the file, the heading being line 1."""
    cells: dict[str, str]


class Fault(msgspec.Struct, frozen=True):
    """What is wrong with one cell or line, in a sentence and by a word that pages have their own words for."""

    line: int
    column: str
    reason: str
    code: str = ""
    figures: dict[str, str | float] = {}


class Sheet(msgspec.Struct, frozen=True):
    """A table as it was read."""

    columns: list[str]
    lines: list[Line]
    problems: list[Fault]
    """Cells that were refused; their lines are not among the others."""


def read(content: bytes) -> Sheet:
    """The first sheet of an Excel file, or a CSV file in UTF-8 with commas, semicolons or tabs.

    Raises `Refused`.
    """
    if len(content) > LARGEST:
        raise _too_large(f"the file has {len(content):,} bytes", len(content), LARGEST)
    rows = _workbook(content) if content.startswith(b"PK\x03\x04") else _csv(content)
    columns: list[str] = []
    lines: list[Line] = []
    problems: list[Fault] = []
    for number, row in enumerate(rows, 1):
        if number == 1:
            columns = _heading(row)
            continue
        if number > MOST_ROWS + 1:
            sentence = f"the table has more than {MOST_ROWS:,} rows; cut it into several files"
            raise Refused(413, sentence, code="table.long", most=MOST_ROWS)
        cells, wrong = _cells(number, columns, row)
        problems += wrong
        if any(cells.values()) and not wrong:
            lines.append(Line(number, cells))
    if not columns:
        raise Refused(400, "the file is empty; its first line names the columns", code="table.empty")
    return Sheet(columns, lines, problems)


def _too_large(what: str, size: int, most: int) -> Refused:
    return Refused(413, f"{what}; at most {most:,} are taken", code="file.large", bytes=size, most=most)


def _heading(row: list[Any]) -> list[str]:
    columns = [str(cell or "").strip().lstrip("\ufeff") for cell in row]
    while columns and not columns[-1]:
        columns.pop()
    if len(columns) > _MOST_COLUMNS or any(len(name) > 100 for name in columns):
        sentence = f"the table has {len(columns)} columns, or a heading of many letters; see an export for one"
        raise Refused(400, sentence, code="table.wide", columns=len(columns))
    twice = {name for name in columns if columns.count(name) > 1}
    if twice:
        column = min(twice)[:60]
        raise Refused(400, f"the column {column!r} stands in the table twice", code="table.twice", column=column)
    return columns


def _cells(number: int, columns: list[str], row: list[Any]) -> tuple[dict[str, str], list[Fault]]:
    cells: dict[str, str] = {}
    problems: list[Fault] = []
    for name, value in zip(columns, row, strict=False):
        text = _text(value)
        if len(text) > _LONGEST_CELL:
            letters: dict[str, str | float] = {"letters": len(text), "most": _LONGEST_CELL}
            problems.append(Fault(number, name, f"has {len(text):,} characters", "cell.long", letters))
        elif text.startswith(_FORMULA) or isinstance(value, _Formula):
            problems.append(Fault(number, name, "is a formula; give its value", "cell.formula"))
        elif name:
            cells[name] = unquoted(text)
    return cells, problems


class _Formula(str):
    """The text of a cell that reckons."""

    __slots__ = ()


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.isoformat() if value.time() != datetime.min.time() else value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value).strip(" ")


def _csv(content: bytes) -> Iterator[list[Any]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        sentence = "the file is neither Excel nor CSV in UTF-8; save it as CSV UTF-8"
        raise Refused(400, sentence, code="table.kind") from None
    if "\x00" in text:
        raise Refused(400, "the file is neither Excel nor CSV", code="table.kind")
    head = text.partition("\n")[0]
    separator = max((",", ";", "\t"), key=head.count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    while True:
        begins = rows.line_num + 1
        try:
            yield next(rows)
        except StopIteration:
            return
        except csv.Error:
            sentence = (
                f"line {begins} has a cell whose quote is not closed, or goes on after it; a quote inside is doubled"
            )
            raise Refused(400, sentence, code="table.quote", line=begins) from None


def _defines(part: bytes) -> bool:
    """Whether an XML part may define entities, by which a few bytes stand for endless text."""
    return any("<!DOCTYPE".encode(encoding) in part for encoding in ("ascii", "utf-16-le", "utf-16-be"))


def _workbook(content: bytes) -> Iterator[list[Any]]:
    """The rows of the first sheet; what the file unpacks to is looked at before it is unpacked."""
    import openpyxl  # noqa: PLC0415 - only who brings such a file waits for it

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            unpacked = sum(part.file_size for part in packed.infolist())
            if unpacked > _LARGEST_UNPACKED:
                raise _too_large(f"the file unpacks to {unpacked:,} bytes", unpacked, _LARGEST_UNPACKED)
            if any(_defines(packed.read(part)) for part in packed.infolist()):
                raise Refused(
                    400, "the workbook defines entities, as no program that saves tables does", code="table.damaged"
                )
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=False, keep_links=False)
    except Refused:
        raise
    except Exception as error:
        raise Refused(400, "the file cannot be read as an Excel workbook", code="table.damaged") from error
    try:
        for row in book.worksheets[0].iter_rows(max_col=_MOST_COLUMNS + 1):
            yield [_Formula(cell.value) if cell.data_type == "f" else cell.value for cell in row]
    except Refused:
        raise
    except Exception as error:
        raise Refused(400, "the workbook is damaged", code="table.damaged") from error
    finally:
        book.close()
