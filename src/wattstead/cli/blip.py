"""``wattstead import blip``: the pulses that another server has kept, into a running one, with an account of each.

Reading table or dump is `wattstead.ingest.pulses.kept`'s affair. A pulse is two readings; they are posted together, so
that both are kept or neither is.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import typer

from wattstead.cli.account import Account, opened
from wattstead.cli.client import Client, connect
from wattstead.cli.known import KnownReadings
from wattstead.ingest.decoding.table_file import TableReadings
from wattstead.ingest.pulses.kept import Kept, PulseTable, rows_of_dump
from wattstead.ingest.pulses.lines import LARGEST_METER, LONGEST_MS
from wattstead.metering.errors import Issue, WattsteadError
from wattstead.metering.wording import counted

_ROWS = 5_000
_PLACE = re.compile(r"(?:^row |\[)(\d+)")
_NUMBER = re.compile(r"-?[0-9]{1,18}")


class SourceMissing(WattsteadError):
    """Neither a file nor an address of a database."""


def run(
    source: str, folder: Path, url: str, key: str, read_key: str, table: str, meter: int, notes: Path | None
) -> int:
    """Import all pulses; exit code 0 when every one was accepted or known, 2 when some were rejected."""
    by_connection = "://" in source or "=" in source
    file = Path(source)
    if not by_connection and not file.is_file():
        raise SourceMissing(
            f"{source!r} is no file; give a dump, or such as postgresql://powermeter@localhost/powermeter"
        )
    name = f"table {table}" if by_connection else file.name
    notes = notes or (Path(f"{table}.blip.import.json") if by_connection else file.with_name(f"{name}.import.json"))
    account = opened(notes, name, 0 if by_connection else file.stat().st_size)
    if account.rows:
        typer.echo(f"going on after {counted(account.rows, 'row')}")
    importer = _Importer(connect(folder, url, key, read_key), account, meter, notes)
    with closing(importer):
        if by_connection:
            with closing(PulseTable(source, table)) as kept:
                importer.all_of(kept.rows(account.after), kept.count())
        else:
            importer.all_of(_chunks(rows_of_dump(file, table), account.rows), None)
    notes.unlink(missing_ok=True)
    account.report(name, importer.known.asked)
    return 2 if account.rejected else 0


def _chunks(rows: Iterator[Kept], done: int) -> Iterator[list[Kept]]:
    """Rows some thousand at a time, without those that are done."""
    rows = itertools.islice(rows, done, None)
    while chunk := list(itertools.islice(rows, _ROWS)):
        yield chunk


class _Importer:
    """Posts pulses and books each exactly once."""

    def __init__(self, client: Client, account: Account, meter: int, notes: Path) -> None:
        self._client, self._account, self._meter, self._notes = client, account, meter, notes
        self.known = KnownReadings(client)

    def close(self) -> None:
        """Give the connection back."""
        self._client.close()

    def all_of(self, chunks: Iterator[list[Kept]], total: int | None) -> None:
        """Every row; the account is on disk after each some thousand."""
        with typer.progressbar(length=total or 0, label="pulses", hidden=total is None) as bar:
            bar.update(self._account.rows)
            for chunk in chunks:
                found = self._readings(chunk)
                self._account.reject(found.issues)
                self._post(found)
                self._account.rows += len(chunk)
                self._account.after = _key(chunk[-1])
                self._account.save(self._notes)
                bar.update(len(chunk))

    def _readings(self, chunk: list[Kept]) -> TableReadings:
        """The readings of the points of milliseconds; what is none is named."""
        out = TableReadings()
        for at, kept in enumerate(chunk):
            fault, numbers = _checked(kept, self._meter)
            if fault:
                out.issues.append(Issue(kept.place, fault))
                continue
            meter, stamp, ms = numbers
            out.point.append(f"pulse/{meter}/ms")
            out.time_us.append(stamp * 1_000)
            out.value.append(float(ms))
            out.row.append(at)
        return out

    def _post(self, found: TableReadings) -> None:
        sifted = self.known.sift(found)
        self._account.repeated += sifted.repeated
        self._account.corrected += sifted.overtaken
        kept = sifted.post
        if not kept:
            return
        names = [found.point[at] for at in kept]
        times = [found.time_us[at] for at in kept]
        accepted, refused = self._client.post_readings(
            [*names, *(name.removesuffix("ms") + "blinks" for name in names)],
            [*times, *times],
            [*(found.value[at] for at in kept), *([1.0] * len(kept))],
        )
        reasons = {row: issue.reason for issue in refused if (row := _row(issue, len(kept))) is not None}
        all_told = accepted + len(refused) == 2 * len(kept)
        lost = len(reasons) if all_told else len(kept) - accepted // 2
        self._account.reject(
            [Issue(f"{names[row]}, stamp {times[row] // 1_000}", reasons[row]) for row in sorted(reasons)]
        )
        self._account.rejected += lost - len(reasons)  # the server names the first thousand
        corrected = min(sifted.corrected, len(kept) - lost)
        self._account.corrected += corrected
        self._account.accepted += len(kept) - lost - corrected


def _row(issue: Issue, count: int) -> int | None:
    """Which pulse a refused reading belongs to."""
    place = _PLACE.search(issue.place)
    return int(place[1]) % count if place else None


def _key(kept: Kept) -> list[int]:
    try:
        return [int(kept.meter or 0), int(kept.stamp)]
    except ValueError:
        return []


def _checked(kept: Kept, own_meter: int) -> tuple[str, tuple[int, int, int]]:
    """What is wrong with a row, empty for nothing, and its numbers."""
    given = (own_meter if kept.meter is None else kept.meter, kept.stamp, kept.ms)
    for name, text in zip(("id", "stamp", "ms"), given, strict=True):
        if _NUMBER.fullmatch(str(text)) is None:
            return f"{name} is {str(text)[:40]!r}; expected a whole number", (0, 0, 0)
    meter, stamp, ms = (int(text) for text in given)
    if not 1 <= meter <= LARGEST_METER:
        return f"id {meter} lies outside 1 to {LARGEST_METER}", (0, 0, 0)
    if not 1 <= ms <= LONGEST_MS:
        return f"{ms} ms since the last blink lie outside 1 to {LONGEST_MS} ms", (0, 0, 0)
    return "", (meter, stamp, ms)
