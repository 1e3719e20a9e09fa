"""Tables in files become readings; each bad cell is named and nothing else of the file is lost."""

from __future__ import annotations

import gzip
import re
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import openpyxl
import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from wattstead.ingest.decoding.table_file import TableDecoder, TableReadings, shape_of
from wattstead.ingest.decoding.table_rows import OddLines, TableFileError, rows_of

pytestmark = pytest.mark.unit


def read(path: Path, zone: str = "UTC", **options: object) -> TableReadings:
    rows = rows_of(path)
    _, header = next(rows)
    return TableDecoder(shape_of(header), zone, **options).decode(rows)  # type: ignore[arg-type]


def us(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) * 1_000_000


def test_a_wide_table_has_a_reading_per_cell(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("time,Kitchen,Cellar\n2026-01-01T00:00Z,1.5,2\n2026-01-01T00:15Z,,3\n")
    found = read(file)
    assert found.point == ["Kitchen", "Cellar", "Cellar"]
    assert found.value == [1.5, 2.0, 3.0]
    assert found.time_us[2] == us("2026-01-01T00:15+00:00")
    assert (found.empty, found.issues) == (1, [])


def test_a_long_table_names_its_points(tmp_path: Path) -> None:
    file = tmp_path / "a.csv.gz"
    file.write_bytes(gzip.compress(b"point;timestamp;value\nmain;1767225600;7\nmain;1767225600000;8\n"))
    found = read(file)
    assert found.point == ["main", "main"]
    assert found.time_us == [us("2026-01-01T00:00+00:00")] * 2


def test_excel_dates_are_times(tmp_path: Path) -> None:
    file = tmp_path / "a.xlsx"
    book = openpyxl.Workbook()
    book.active.append(["Date", "Meter"])
    book.active.append([datetime(2026, 7, 1, 12), 42.5])
    book.active.append([datetime(2026, 7, 1, 13), "many"])
    book.save(file)
    found = read(file, zone="Europe/Berlin")
    assert found.time_us == [us("2026-07-01T12:00+02:00")]
    assert [issue.place for issue in found.issues] == ["row 3, Meter"]


def test_the_hour_that_comes_twice_is_told_apart_and_the_one_that_never_comes_is_named(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    hours = ["2026-10-25 01:00", "2026-10-25 02:00", "2026-10-25 02:00", "2026-10-25 03:00", "2026-03-29 02:30"]
    file.write_text("time,p\n" + "".join(f"{hour},1\n" for hour in hours))
    found = read(file, zone="Europe/Berlin")
    assert [t - found.time_us[0] for t in found.time_us] == [0, 3_600_000_000, 7_200_000_000, 10_800_000_000]
    assert found.issues[0].place == "row 6"
    assert "does not exist" in found.issues[0].reason


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("nan", "finite"),
        ("inf", "finite"),
        ("abc", "not a number"),
        ("1_000", "not a number"),
        ("=1+1", "not a number"),
    ],
)
def test_a_bad_number_spoils_only_itself(tmp_path: Path, cell: str, reason: str) -> None:
    file = tmp_path / "a.csv"
    file.write_text(f"time,p,q\n2026-01-01T00:00Z,{cell},5\n")
    found = read(file)
    assert found.value == [5.0]
    assert found.issues[0].place == "row 2, p"
    assert reason in found.issues[0].reason


def test_decimal_commas(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("Datum;Strom\n01.02.2026 10:00;1,25\n")
    assert read(file, decimal_comma=True).value == [1.25]


@pytest.mark.parametrize("content", [b"\x00\x01\x02\n", b"a,b\n1,2\n", b"time\n1\n", b"\xff\xfe\xfa"])
def test_what_is_no_table_is_one_clear_error(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes(content)
    with pytest.raises(TableFileError):
        read(file)


def test_a_broken_workbook_is_one_clear_error(tmp_path: Path) -> None:
    file = tmp_path / "a.xlsx"
    file.write_bytes(b"PK\x03\x04 not really")
    with pytest.raises(TableFileError, match="not an Excel workbook"):
        read(file)


cells = st.one_of(st.text(st.characters(exclude_characters='\r\n"\0', exclude_categories=["Cs"])), st.just("3.5"))


@given(st.lists(st.tuples(st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1)), cells), max_size=20))
def test_every_row_is_a_reading_an_empty_cell_or_an_issue(rows: list[tuple[datetime, str]]) -> None:
    decoder = TableDecoder(shape_of(["time", "p"]), "UTC")
    found = decoder.decode((n, [t.replace(tzinfo=UTC).isoformat(), cell]) for n, (t, cell) in enumerate(rows, 2))
    assert len(found.value) + found.empty + len(found.issues) == len(rows)


def test_a_quote_left_open_takes_one_line_and_a_closed_one_may_take_more(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text('time,a,note\n1,2,"two\nlines"\n3,"4,open\n' + "".join(f"{n},{n},\n" for n in range(5, 100)))
    rows = list(rows_of(file))
    assert rows[1] == (2, ["1", "2", "two\nlines"])
    assert rows[2] == (3, ["3", "4,open"])
    assert len(rows) == 98


def test_a_cell_too_many_is_named(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("time,a\n1,2,5\n3,4,\n")
    rows = rows_of(file)
    found = TableDecoder(shape_of(next(rows)[1]), "UTC").decode(rows)
    assert found.value == [4.0]
    assert [issue.place for issue in found.issues] == ["row 2"]
    assert "3 cells; the header names 2" in found.issues[0].reason


@pytest.mark.parametrize(
    ("encoding", "windows"), [("utf-8", 0), ("utf-8-sig", 0), ("cp1252", 3), ("utf-16", 0), ("utf-16-be", 0)]
)
@pytest.mark.parametrize("packed", [False, True])
def test_a_text_in_any_usual_encoding_is_read(tmp_path: Path, encoding: str, windows: int, packed: bool) -> None:
    text = "time;Küche [°C];Café €\r\n2026-01-01T00:00Z;20.5;1\r\n2026-01-01T00:01Z;21 °C;2\r\n1767225720;«3»;3\r\n"
    content = (b"\xfe\xff" if encoding == "utf-16-be" else b"") + text.encode(encoding)
    file = tmp_path / ("a.csv.gz" if packed else "a.csv")
    file.write_bytes(gzip.compress(content) if packed else content)
    odd = OddLines()
    rows = list(rows_of(file, odd=odd))
    assert rows[0] == (1, ["time", "Küche [°C]", "Café €"])
    assert [row[-1] for _, row in rows[1:]] == ["1", "2", "3"]
    assert (odd.windows, odd.unreadable, odd.first) == (windows, 0, 1 if windows else 0)
    found = TableDecoder(shape_of(rows[0][1]), "UTC").decode(rows[1:])
    assert found.value == [20.5, 1.0, 2.0, 3.0]
    assert [issue.reason[:8] for issue in found.issues] == ["'21 °C' ", "'«3»' is"]


def test_one_bad_byte_spoils_neither_its_line_nor_the_names(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    lines = ["time,Küche,note\n", *(f"{1_767_225_600 + 60 * n},{n},Ä\n" for n in range(9_000))]
    content = [line.encode() for line in lines]
    content[5_000] = content[5_000].replace("Ä".encode(), b"\xc4")
    content[7_000] = content[7_000].replace("Ä".encode(), b"\x81")
    file.write_bytes(b"".join(content))
    odd = OddLines()
    rows = list(rows_of(file, odd=odd))
    assert len(rows) == 9_001
    assert rows[0][1][1] == "Küche"
    assert (rows[4_999][1][2], rows[5_000][1][2], rows[7_000][1][2]) == ("Ä", "Ä", "\ufffd")
    assert (odd.windows, odd.unreadable, odd.first) == (2, 1, 5_001)


def test_an_encoding_that_is_named_is_taken(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes("time,Кухня\n1767225600,1\n".encode("cp1251"))
    assert next(rows_of(file, encoding="cp1251"))[1] == ["time", "Кухня"]
    for unknown in ("klingon", "hex"):
        with pytest.raises(TableFileError, match=f"encoding '{unknown}' is not known"):
            list(rows_of(file, encoding=unknown))
    odd = OddLines()
    assert next(rows_of(file, encoding="ascii", odd=odd))[1][0] == "time"
    assert odd.unreadable == 1


def test_formulas_that_nobody_reckoned_are_named_and_reckoned_ones_are_readings(tmp_path: Path) -> None:
    file = tmp_path / "formulas.xlsx"
    with xlsxwriter.Workbook(str(file)) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["time", "kitchen", "cellar"])
        sheet.write_row(1, 0, ["2026-01-01T00:00Z", 1.5])
        sheet.write_formula(1, 2, "=B2*2", None, 3.0)
    reckoned = openpyxl.load_workbook(file)
    assert read(file).value == [1.5, 3.0]
    reckoned.active.append(["2026-01-01T00:01Z", 2.5, "=B3*2"])
    reckoned.active.append(["=A3+1", 1, 2])
    reckoned.active.append(["2026-01-01T00:03Z", None, 4])
    reckoned.save(file)  # which drops the values that were there
    found = read(file)
    assert (found.value, found.empty) == ([1.5, 2.5, 4.0], 1)
    assert [issue.place for issue in found.issues] == ["row 2, cellar", "row 3, cellar", "row 4"]
    assert "the formula '=B2*2' has no value in the file" in found.issues[0].reason


def test_a_cell_that_is_a_book_is_told_by_its_size(tmp_path: Path) -> None:
    file = tmp_path / "book.xlsx"
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.append(["time", "a"])
    sheet.append(["x", "y"])
    book.save(file)
    with zipfile.ZipFile(file) as packed:
        parts = {name: packed.read(name) for name in packed.namelist()}
    cell = b'<c r="A1" t="inlineStr"><is><t>' + b"a" * 1_000_000 + b"</t></is></c>"
    name = "xl/worksheets/sheet1.xml"
    parts[name] = re.sub(rb'<c r="A1".*?</c>', lambda _: cell, parts[name], count=1)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        for part, content in parts.items():
            packed.writestr(part, content)
    with pytest.raises(TableFileError, match="a cell of 1,000,000 characters in row 1") as raised:
        read(file)
    assert len(str(raised.value)) < 200


def test_long_headings_are_cut_where_they_are_told() -> None:
    with pytest.raises(TableFileError) as raised:
        shape_of(["a" * 5_000, "b"])
    assert f"'{'a' * 40}, b'" in str(raised.value)
