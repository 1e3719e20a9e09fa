"""Files in and out of the running product: import with an exact report, export, simulated years."""

from __future__ import annotations

import csv
import gzip
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl

HEADER = "time,imported/kitchen,imported/cellar\n"


def report(text: str) -> dict[str, int]:
    words = (line.split() for line in text.splitlines())
    return {w[0]: int(w[1]) for w in words if len(w) >= 2 and w[0] in ("accepted", "repeated", "corrected", "rejected")}


def stored(product: Any, address: str) -> list[float]:
    with product.signed_in() as http:
        rows = http.get("/api/v1/points").json()
        found = [row["id"] for row in rows if row["address"] == address]
        if not found:
            return []
        query = {"point": found[0], "start": "2024-01-01T00:00Z", "end": "2025-01-01T00:00Z", "limit": 50_000}
        return http.get("/api/v1/readings", params=query).json()["value"]


def test_every_row_is_in_one_line_of_the_report(
    product: Any, verb: Callable[..., str], eventually: Callable[..., Any], tmp_path: Path
) -> None:
    file = tmp_path / "readings.csv"
    rows = [f"2024-03-01T00:{minute:02}Z,{minute},{minute * 2}\n" for minute in range(60)]
    file.write_text(HEADER + "".join(rows) + "2024-03-01T01:00Z,n/a,7\nyesterday,1,2\n" + rows[3])
    said = verb("import", file, "--data", product.folder, expect=2)
    assert report(said) == {"accepted": 121, "repeated": 2, "corrected": 0, "rejected": 2}
    assert "row 62, imported/kitchen: 'n/a' is not a number" in said
    assert "row 63: 'yesterday' is not a time" in said
    assert not file.with_name("readings.csv.import.json").exists()
    eventually(lambda: len(stored(product, "imported/cellar")), lambda count: count == 61)
    assert stored(product, "imported/kitchen") == [float(minute) for minute in range(60)]

    again = verb("import", file, "--data", product.folder, expect=2)
    assert report(again) == {"accepted": 0, "repeated": 123, "corrected": 0, "rejected": 2}
    file.write_text(HEADER + "2024-03-01T00:05Z,500,\n")
    corrected = verb("import", file, "--data", product.folder)
    assert report(corrected) == {"accepted": 0, "repeated": 0, "corrected": 1, "rejected": 0}
    eventually(lambda: stored(product, "imported/kitchen")[5], lambda value: value == 500.0)


def test_an_excel_file_and_a_packed_one(
    product: Any, verb: Callable[..., str], eventually: Callable[..., Any], tmp_path: Path
) -> None:
    book = openpyxl.Workbook()
    book.active.append(["date", "imported/excel"])
    book.active.append(["2024-05-01 10:00", 1.5])
    book.save(tmp_path / "a.xlsx")
    assert report(verb("import", tmp_path / "a.xlsx", "--data", product.folder))["accepted"] == 1
    (tmp_path / "b.csv.gz").write_bytes(gzip.compress(b"point;time;value\nimported/long;1714557600;4\n"))
    assert report(verb("import", tmp_path / "b.csv.gz", "--data", product.folder))["accepted"] == 1
    eventually(
        lambda: (stored(product, "imported/excel"), stored(product, "imported/long")), lambda v: v == ([1.5], [4])
    )


def test_a_file_of_an_older_spreadsheet_is_imported_whole(
    product: Any, verb: Callable[..., str], eventually: Callable[..., Any], tmp_path: Path
) -> None:
    file = tmp_path / "alt.csv"
    rows = "".join(f"2024-08-01 {hour:02}:00;{hour},5;Wärmepumpe läuft\r\n" for hour in range(24))
    file.write_bytes(("Zeit;imported/Küche;note\r\n" + rows).encode("cp1252"))
    said = verb("import", file, "--decimal-comma", "--data", product.folder, expect=2)
    assert report(said) == {"accepted": 24, "repeated": 0, "corrected": 0, "rejected": 24}
    assert "note: 25 lines, the first is line 1, are not UTF-8 and were read as Windows-1252" in said
    eventually(lambda: stored(product, "imported/Küche"), lambda values: values == [n + 0.5 for n in range(24)])
    assert "not UTF-8" not in verb("import", file, "--decimal-comma", "--encoding", "cp1252", "--data", product.folder,
                               expect=2)  # fmt: skip
    assert "encoding 'klingon' is not known" in verb("import", file, "--encoding", "klingon", "--data",
                                                     product.folder, expect=1)  # fmt: skip


def test_an_import_that_is_killed_goes_on_where_it_was(
    product: Any, verb: Callable[..., str], eventually: Callable[..., Any], tmp_path: Path
) -> None:
    file, rows = tmp_path / "long.csv", 48_000
    file.write_text("time,imported/resumed\n" + "".join(f"{1704067200 + 60 * n},{n}\n" for n in range(rows)))
    notes = file.with_name("long.csv.import.json")
    words = [sys.executable, "-m", "wattstead", "import", file, "--data", product.folder]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL) as importing:
        eventually(notes.exists)
        importing.kill()
    done = json.loads(notes.read_bytes())["rows"]
    assert 0 < done < rows
    said = verb("import", file, "--data", product.folder)
    assert f"going on after row {done} of {rows}" in said
    booked = report(said)
    assert booked["accepted"] + booked["repeated"] == rows, "each in one line, though some were posted twice"
    assert (booked["corrected"], booked["rejected"]) == (0, 0)
    assert eventually(lambda: stored(product, "imported/resumed"), lambda found: len(found) == rows) == [*range(rows)]
    assert not notes.exists()


def test_an_interrupted_import_of_another_file_is_refused(
    product: Any, verb: Callable[..., str], tmp_path: Path
) -> None:
    file = tmp_path / "changed.csv"
    file.write_text("time,imported/changed\n1704067200,1\n")
    file.with_name("changed.csv.import.json").write_text('{"size":1,"rows":5000}')
    assert "1 bytes when its import was interrupted" in verb("import", file, "--data", product.folder, expect=1)


def test_what_is_exported_is_what_was_sent(
    product: Any, verb: Callable[..., str], eventually: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "a.csv").write_text("time,imported/out\n2024-07-01T00:00Z,3.25\n2024-07-01T00:01Z,-1\n")
    verb("import", tmp_path / "a.csv", "--data", product.folder)
    eventually(lambda: stored(product, "imported/out"), lambda values: len(values) == 2)
    options = ("--point", "imported/out", "--zone", "Europe/Paris", "--data", product.folder)
    verb("export", tmp_path / "out.csv", *options)
    rows = list(csv.reader((tmp_path / "out.csv").open()))
    assert rows[0] == ["time", "point", "value", "unit", "quality"]
    assert [row[:3] for row in rows[1:]] == [
        ["2024-07-01T02:00:00+02:00", "imported/out", "3.25"],
        ["2024-07-01T02:01:00+02:00", "imported/out", "-1.0"],
    ]
    verb("export", tmp_path / "out.xlsx", *options)
    page = openpyxl.load_workbook(tmp_path / "out.xlsx").worksheets[0]
    assert [cell.value for cell in page[2]][1:3] == ["imported/out", 3.25]
    assert "no point nowhere" in verb("export", "--point", "nowhere", "--data", product.folder, expect=1)


def test_simulated_years_are_there_to_zoom(
    product: Any, verb: Callable[..., str], eventually: Callable[..., Any]
) -> None:
    said = verb("simulate", "--years", "0.1", "--every", "900", "--data", product.folder)
    assert "of 5 points over 0.1 years" in said
    with product.signed_in() as http:
        ids = [row["id"] for row in http.get("/api/v1/points").json() if row["address"].startswith("simulated/")]
        assert len(ids) == 5
        query = {"points": ",".join(map(str, ids))}
        month_ms = 35 * 86_400_000
        eventually(
            lambda: http.get("/api/v1/span", params=query).json(),
            lambda span: span["first"] is not None and span["last"] - span["first"] > month_ms,
        )
