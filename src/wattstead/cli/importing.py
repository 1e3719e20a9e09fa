"""``wattstead import``: a CSV or Excel file into a running server, with an exact account of every row.

Reading the file is `wattstead.ingest.decoding.table_file`'s affair; this counts, posts, and remembers where it was.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path

import typer

from wattstead.cli import green_button
from wattstead.cli.account import Account, opened
from wattstead.cli.client import Client, connect
from wattstead.cli.known import KnownReadings
from wattstead.ingest.decoding.table_file import TableDecoder, TableReadings, shape_of
from wattstead.ingest.decoding.table_rows import OddLines, Row, rows_of
from wattstead.metering.errors import Issue
from wattstead.registry.names import checked_zone

_ROWS = 5_000
_PLACE = re.compile(r"(?:^row |\[)(\d+)")


def run(
    file: Path,
    folder: Path,
    url: str,
    key: str,
    read_key: str,
    zone: str,
    prefix: str,
    sheet: str | None,
    time_column: str | None,
    decimal_comma: bool,
    encoding: str,
) -> int:
    """Import one file; exit code 0 when every reading was accepted or known, 2 when some were rejected."""
    if file.suffix.lower() == ".xml":
        return green_button.run(file, folder, url, key, prefix)
    checked_zone(zone)
    rows = rows_of(file, sheet, encoding)
    _, header = next(rows, (0, ()))
    decoder = TableDecoder(shape_of(header, prefix, time_column), zone, decimal_comma)
    notes = file.with_name(file.name + ".import.json")
    account = opened(notes, file.name, file.stat().st_size)
    client = connect(folder, url, key, read_key)
    known = KnownReadings(client)
    odd = OddLines()
    total = sum(1 for _ in rows_of(file, sheet, encoding, odd)) - 1
    if account.rows:
        typer.echo(f"going on after row {account.rows} of {total}")
    try:
        with typer.progressbar(length=total, label=file.name) as bar:
            bar.update(_skip(rows, decoder, account.rows))
            for chunk in _chunks(rows):
                _post(client, known, decoder.decode(chunk), account)
                account.rows += len(chunk)
                account.save(notes)
                bar.update(len(chunk))
    finally:
        client.close()
    notes.unlink(missing_ok=True)
    account.report(file.name, known.asked)
    _remark(odd, encoding)
    return 2 if account.rejected else 0


def _skip(rows: Iterator[Row], decoder: TableDecoder, count: int) -> int:
    """Pass over rows that are done; the decoder sees them, since local times depend on what came before."""
    for chunk in itertools.takewhile(bool, (list(itertools.islice(rows, n)) for n in _steps(count))):
        decoder.decode(chunk)
    return count


def _steps(count: int) -> Iterator[int]:
    while count > 0:
        yield min(count, _ROWS)
        count -= _ROWS


def _chunks(rows: Iterator[Row]) -> Iterator[list[Row]]:
    while chunk := list(itertools.islice(rows, _ROWS)):
        yield chunk


def _post(client: Client, known: KnownReadings, found: TableReadings, account: Account) -> None:
    """Post what the server does not have yet, and book every reading of the chunk exactly once."""
    sifted = known.sift(found)
    kept = sifted.post
    account.repeated += sifted.repeated
    account.corrected += sifted.overtaken
    account.empty += found.empty
    account.reject(found.issues)
    if not kept:
        return
    accepted, refused = client.post_readings(
        [found.point[i] for i in kept], [found.time_us[i] for i in kept], [found.value[i] for i in kept]
    )
    account.corrected += sifted.corrected
    account.accepted += accepted - sifted.corrected
    account.reject([_in_file(issue, found, kept) for issue in refused])
    account.rejected += len(kept) - accepted - len(refused)  # the server names the first thousand


def _in_file(issue: Issue, found: TableReadings, kept: list[int]) -> Issue:
    """The server's ``row 4`` or ``time[4]`` as the file's own row."""
    place = _PLACE.search(issue.place)
    if place is None or int(place[1]) >= len(kept):
        return issue
    at = kept[int(place[1])]
    return Issue(f"row {found.row[at]}, {found.point[at][:200]}", issue.reason)


def _remark(odd: OddLines, encoding: str) -> None:
    if odd.windows:
        typer.echo(
            f"  note: {odd.windows} lines, the first is line {odd.first}, are not UTF-8 and were read as Windows-1252; "
            "if names look wrong, say which with --encoding"
        )
    if odd.unreadable:
        typer.echo(
            f"  note: {odd.unreadable} lines have bytes that are no letters in {encoding or 'this encoding'}; "
            "a � stands for each"
        )
