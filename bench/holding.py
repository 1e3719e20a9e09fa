"""Putting an estate into servers before they are asked: tables and rollups as the product leaves them, or an import."""

from __future__ import annotations

import asyncio
import http.client
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np

from estate import ZONE, Estate, Kin
from servers import Target
from wattstead.app import open_store
from wattstead.ingest.influx.address import address_of
from wattstead.metering.batch import ReadingBatch
from wattstead.metering.point import Point
from wattstead.metering.quantity import Kind, Quantity
from wattstead.registry.records import PointDeclaration, Scope
from wattstead.registry.registry import Registry
from wattstead.series import Series
from wattstead.settings import Settings

_S = 1_000_000
_HOUR_S = 3_600
_SETTLE_S = 20.0
_IMPORT_BYTES = 4_000_000
_SCOPES = (Scope.WRITE, Scope.READ)


def fill_wattstead(folder: Path, estate: Estate) -> tuple[list[int], list[str]]:
    """Registry, readings and rollups in a folder that ``wattstead serve`` can be started on; ids of the points, and a
    write and a read key.

    Readings go through `Series.append` and rollups are made as they are in the product; only the journal is left out.
    """
    folder.mkdir(parents=True)
    registry = Registry(f"sqlite:///{folder / 'registry.db'}")
    try:
        registry.migrate()
        made = registry.first_owner("bench@localhost.localdomain", "a long password for the bench")
        owner = made.account if made else registry.accounts()[0]
        site = registry.create_site(owner.organization_id, "bench", ZONE, "")
        ids = registry.create_points(site.id, [d for kin in estate.kins for d in _declared(estate, kin)])
        keys = [registry.create_key(site.id, scope, "bench", point_limit=100_000).secret for scope in _SCOPES]
        points = [row.point for row in registry.points(point_ids=ids)]
        asyncio.run(_fill_store(folder, estate, points))
        return ids, keys
    finally:
        registry.close()


def _declared(estate: Estate, kin: Kin) -> list[PointDeclaration]:
    first = estate.first_of(kin)
    kind, symbol = (Kind.REGISTER, "Wh") if kin.is_register else (Kind.GAUGE, "W")
    return [
        PointDeclaration(
            address=address_of(kin.name, estate.tags(number), "value"),
            name=f"{kin.name} {number}",
            kind=kind,
            quantity=Quantity.ELECTRICITY,
            unit=symbol,
        )
        for number in range(first, first + kin.points)
    ]


async def _fill_store(folder: Path, estate: Estate, points: Sequence[Point]) -> None:
    async with open_store(Settings(folder=folder)) as (address, _):
        await asyncio.to_thread(_append, address, estate, points)
        await asyncio.sleep(_SETTLE_S)


def _append(address: str, estate: Estate, points: Sequence[Point]) -> None:
    series = Series(address)
    ids = np.array([point.id for point in points], np.uint32)
    try:
        series.migrate()
        series.put_rules(points)
        for number, piece in enumerate(estate.pieces()):
            columns, rows = piece.value.shape
            point = np.tile(ids[piece.first : piece.first + columns], rows)
            time_us = np.repeat(piece.time_s * _S, columns)
            version = (int(piece.time_s[-1]) * _S << 8) + number
            series.append([ReadingBatch.of(point, time_us, piece.value.T.ravel(), version=version)])
        recent_s = max(kin.span_s for kin in estate.kins if kin.name == "home")
        for begin_s in range(estate.end_s - recent_s, estate.end_s, _HOUR_S):
            series.roll(begin_s * _S, (begin_s + _HOUR_S) * _S)
        for kin in estate.kins:
            if kin.name != "home":
                begin = np.array([(estate.end_s - kin.span_s) * _S])
                first = estate.first_of(kin)
                series.roll_spans(ids[first : first + 1], begin, np.array([estate.end_s * _S]))
    finally:
        series.close()


def fill_victoria(target: Target, estate: Estate) -> None:
    """The same readings as VictoriaMetrics imports them fastest: a line of JSON for each point and stretch of time."""
    link = http.client.HTTPConnection("127.0.0.1", target.port, timeout=120)
    lines: list[bytes] = []
    size = 0
    for piece in estate.pieces():
        times = msgspec.Raw(msgspec.json.encode((piece.time_s * 1000).tolist()))
        for row, values in enumerate(piece.value.astype(np.int64).tolist()):
            metric = {"__name__": piece.kin.name, **estate.tags(piece.first + row)}
            lines.append(msgspec.json.encode({"metric": metric, "values": values, "timestamps": times}))
            size += len(lines[-1])
            if size > _IMPORT_BYTES:
                _import(link, lines)
                lines, size = [], 0
    _import(link, lines)
    link.request("GET", "/internal/force_flush")
    link.getresponse().read()
    link.close()


def _import(link: http.client.HTTPConnection, lines: list[bytes]) -> None:
    link.request("POST", "/api/v1/import", b"\n".join(lines) + b"\n")
    answer = link.getresponse()
    text = answer.read()
    if answer.status >= 300:
        raise SystemExit(f"the import was refused: {answer.status} {text[:300]!r}")
