"""``wattstead simulate device``: plays a table of times and values as one smart meter, in order, at its pace or faster.

Where the readings go, and in which form, is `wattstead.cli.simulation.outlets`' affair.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import typer

from wattstead.cli.simulation.outlets import Outlet, Reading, outlet_of
from wattstead.ingest.decoding.table_file import TableDecoder, TableReadings, shape_of
from wattstead.ingest.decoding.table_rows import TableFileError, rows_of
from wattstead.metering.wording import counted
from wattstead.registry.names import checked_zone

_GROUP = 1_000
"""Readings that are handed over at once where time does not matter."""
_SAY_EVERY_S = 10.0


def run(
    csv: Path,
    device: str,
    to: str,
    key: str,
    pace: float,
    column: str,
    factor: float,
    zone: str,
    from_now: bool,
    folder: Path,
) -> int:
    """Play the file; exit code 0 when all of it was handed over."""
    checked_zone(zone)
    found, faults = readings_of(csv, column, zone, factor)
    if from_now and found:
        shift_us = time.time_ns() // 1000 - found[0].time_us
        found = [Reading(one.time_us + shift_us, one.value) for one in found]
    sent = asyncio.run(_play(found, outlet_of(to, device, key, folder), pace))
    typer.echo(f"{counted(sent, 'reading')} of {device} handed over; {counted(faults, 'row')} of {csv.name} had none")
    return 0


def readings_of(file: Path, column: str, zone: str, factor: float) -> tuple[list[Reading], int]:
    """Times and values of one column, in the file's order, and how many rows had none; raises `TableFileError`."""
    rows = rows_of(file)
    _, header = next(rows, (0, ()))
    table: TableReadings = TableDecoder(shape_of(header), zone).decode(rows)
    names = list(dict.fromkeys(table.point))
    wanted = column or (names[0] if names else "")
    if wanted not in names:
        raise TableFileError(f"{file.name} has no readings in column {wanted!r}; it has {', '.join(names)[:300]}")
    chosen = [
        Reading(time_us, value * factor)
        for point, time_us, value in zip(table.point, table.time_us, table.value, strict=True)
        if point == wanted
    ]
    return chosen, table.empty + len(table.issues)


async def _play(readings: Sequence[Reading], outlet: Outlet, pace: float) -> int:
    sent, said_s = 0, time.monotonic()
    async with outlet:
        async for group in _paced(readings, pace):
            await outlet.send(group)
            sent += len(group)
            if time.monotonic() - said_s > _SAY_EVERY_S:
                said_s = time.monotonic()
                typer.echo(f"{sent:,} of {len(readings):,}")
    return sent


async def _paced(readings: Sequence[Reading], pace: float) -> AsyncIterator[Sequence[Reading]]:
    """The readings when they are due: ``pace`` seconds of the file in each second, 0 for as fast as they are taken."""
    if not pace:
        for at in range(0, len(readings), _GROUP):
            yield readings[at : at + _GROUP]
        return
    began_s = time.monotonic()
    for _, group in itertools.groupby(readings, lambda one: one.time_us):
        due = list(group)
        wait_s = (due[0].time_us - readings[0].time_us) / 1e6 / pace - (time.monotonic() - began_s)
        if wait_s > 0:
            await asyncio.sleep(wait_s)
        yield due
