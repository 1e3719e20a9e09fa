"""Rules: step rule, zone and expiry of every point, in the store for its SQL, here for planning; computes no step."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from wattstead.metering.calendar import zone_info
from wattstead.metering.point import Point, step_rule
from wattstead.metering.step import RuleColumns
from wattstead.series.connection import Connection
from wattstead.series.marks import EXPIRY, Marks
from wattstead.series.native import Columns
from wattstead.series.rows import filled, text
from wattstead.series.tiers import Tier, among

_TYPES = {
    "point": "UInt32", "mode": "UInt8", "quantum": "Float64", "width": "Int64", "max_rate": "Float64",
    "tolerance": "Int64", "max_gap_us": "Int64", "zone": "String", "raw_from": "Int64", "minute_from": "Int64",
    "quarter_from": "Int64", "rule_version": "UInt32", "version": "UInt32",
}  # fmt: skip
_MEANING = ("mode", "quantum", "width", "max_rate", "tolerance", "max_gap_us", "zone")
_AT_A_TIME = 20_000


class Expired(msgspec.Struct, frozen=True):
    """The instants (µs) before which a point's readings, minutes and quarter hours have expired; 0: nothing has."""

    raw_us: int = 0
    minute_us: int = 0
    quarter_us: int = 0


NOTHING_EXPIRED = Expired()


class Rules:
    """The table ``rule``, for any thread; written by one process."""

    def __init__(self, connection: Connection, marks: Marks) -> None:
        self._connection, self._marks = connection, marks
        self._lock = threading.Lock()
        self._expired: dict[int, Expired] = {}
        self._expiry = 0
        self._zone_of: dict[int, str] = {}
        self._changing: frozenset[int] = frozenset()
        self._versions = np.zeros(0, np.uint32)

    def put(self, points: Iterable[Point]) -> list[int]:
        """Writes the rules of points, where they differ from what is stored; answers the points that did.

        Raises `CalendarError` for a zone that does not exist.
        """
        points = sorted({p.id: p for p in points}.values(), key=lambda p: p.id)
        changed: list[int] = []
        for at in range(0, len(points), _AT_A_TIME):
            changed += self._put(points[at : at + _AT_A_TIME])
        return changed

    def differing(self, points: Iterable[Point]) -> list[int]:
        """The points `put` would write; writes nothing."""
        points = sorted({p.id: p for p in points}.values(), key=lambda p: p.id)
        found: list[int] = []
        for at in range(0, len(points), _AT_A_TIME):
            fresh, same = self._compared(points[at : at + _AT_A_TIME])
            found += [int(p) for p in fresh["point"][~same]]
        return found

    def _put(self, points: Sequence[Point]) -> list[int]:
        fresh, same = self._compared(points)
        fresh["rule_version"], fresh["version"] = fresh["rule_version"] + 1, fresh["version"] + 1
        self._write({name: column[~same] for name, column in fresh.items()})
        self._note_versions(fresh["point"][~same], fresh["rule_version"][~same])
        with self._lock:
            self._zone_of |= {p.id: p.zone for p in points}
        return [int(p) for p in fresh["point"][~same]]

    def _compared(self, points: Sequence[Point]) -> tuple[Columns, NDArray[np.bool_]]:
        """The rows of points, and which of them are stored already with the same meaning."""
        fresh = _columns(points)
        known = self._known([p.id for p in points])
        place = np.searchsorted(known["point"], fresh["point"]).clip(max=max(0, len(known["point"]) - 1))
        there = known["point"][place] == fresh["point"] if len(known["point"]) else np.zeros(len(points), bool)
        for name in ("raw_from", "minute_from", "quarter_from", "rule_version", "version"):
            fresh[name] = np.where(there, known[name][place], 0) if len(known["point"]) else fresh[name]
        self._note_versions(known["point"], known["rule_version"])
        same = there.copy()
        if there.any():
            for name in _MEANING:
                same &= known[name][place] == fresh[name]
        with self._lock:
            self._zone_of |= dict(zip(known["point"].tolist(), known["zone"].tolist(), strict=True))
        return fresh, same

    def versions(self, point: NDArray[np.uint32]) -> NDArray[np.uint32]:
        """The stored version of each point's rule, as far as `put` and `differing` have been told of the point; else 0.

        Rules are written by one process: who tells it of all points knows all.
        """
        with self._lock:
            known = self._versions
        if not len(known):
            return np.zeros(len(point), np.uint32)
        inside = point < len(known)
        return np.where(inside, known[np.where(inside, point, 0)], 0).astype(np.uint32)

    def _note_versions(self, point: NDArray[Any], version: NDArray[Any]) -> None:
        if not len(point):
            return
        with self._lock:
            room = int(point.max()) + 1 - len(self._versions)
            known = np.append(self._versions, np.zeros(room, np.uint32)) if room > 0 else self._versions.copy()
            known[point] = version
            self._versions = known

    def expire(self, points: Sequence[int], before: Expired) -> None:
        """Notes that of those points everything before those instants has expired; never takes it back."""
        for at in range(0, len(points), _AT_A_TIME):
            self._expire(points[at : at + _AT_A_TIME], before)
        self._marks.next(EXPIRY)

    def _expire(self, points: Sequence[int], before: Expired) -> None:
        known = self._known(points)
        names = {"raw_from": before.raw_us, "minute_from": before.minute_us, "quarter_from": before.quarter_us}
        fresh = {**known, **{name: np.maximum(known[name], us) for name, us in names.items()}}
        fresh["version"] = known["version"] + 1
        moved = np.logical_or.reduce([fresh[name] > known[name] for name in names])
        self._write({name: column[moved] for name, column in fresh.items()})

    def days_change(self, points: Iterable[int]) -> None:
        """Local days of those points may be those of an earlier zone, until `days_stand`."""
        with self._lock:
            self._changing |= frozenset(points)

    def days_stand(self, points: Iterable[int]) -> None:
        """All local days of those points are those of their zone."""
        with self._lock:
            self._changing -= frozenset(points)

    def has_days(self, point: Point) -> bool:
        """Whether the stored days of a point, so far as this process knows, are those of the zone it is asked with."""
        return point.id not in self._changing and self._zone_of.get(point.id, point.zone) == point.zone

    def zones(self) -> list[str]:
        """The time zones of all points; UTC always, for points without a rule."""
        found = self._connection.columns(text("zones"))
        return sorted({"UTC", *found["zone"]}) if found else ["UTC"]

    def forget(self) -> None:
        """Has the store asked again."""
        with self._lock:
            self._expired, self._expiry = {}, 0
            self._zone_of = {}
            self._versions = self._versions[:0]

    def points_of_zones(self, points: Sequence[int]) -> dict[str, list[int]]:
        """Those points by time zone; points without a rule are in UTC."""
        found: dict[str, list[int]] = {}
        zone_of: dict[int, str] = {}
        for at in range(0, len(points), _AT_A_TIME):
            where = among(points[at : at + _AT_A_TIME])
            rows = self._connection.columns(filled("rules", names="point, zone", where=where))
            zone_of.update(zip(rows["point"].tolist(), rows["zone"], strict=True) if rows else ())
        for point in points:
            found.setdefault(zone_of.get(point, "UTC"), []).append(point)
        return found

    def expired_from(self, tier: Tier, points: Sequence[int] | None, start_us: int) -> dict[int, int]:
        """Of those points the instant before which a tier has expired, where that is after ``start_us``."""
        known = self._all_expired()
        chosen = known if points is None else {p: known[p] for p in points if p in known}
        times = {
            point: {Tier.RAW: gone.raw_us, Tier.MINUTE: gone.minute_us, Tier.QUARTER: gone.quarter_us}[tier]
            for point, gone in chosen.items()
        }
        return {point: time_us for point, time_us in times.items() if time_us > start_us}

    def expired(self, points: Sequence[int]) -> list[Expired]:
        """What has expired of each point."""
        known = self._all_expired()
        return [known.get(point, NOTHING_EXPIRED) for point in points]

    def _all_expired(self) -> dict[int, Expired]:
        expiry = self._marks.value(EXPIRY)
        with self._lock:
            stale = expiry != self._expiry
        if stale:
            found = self._connection.columns(
                filled(
                    "rules",
                    names="point, raw_from, minute_from, quarter_from",
                    where="raw_from > 0 OR minute_from > 0 OR quarter_from > 0",
                )
            )
            rows = zip(*(column.tolist() for column in found.values()), strict=True) if found else ()
            with self._lock:
                self._expired = {point: Expired(*times) for point, *times in rows}
                self._expiry = expiry
        return self._expired

    def _known(self, points: Sequence[int]) -> Columns:
        names = ", ".join(_TYPES)
        found = self._connection.columns(filled("rules", names=names, where=among(points)))
        return found or {name: np.zeros(0, object if kind == "String" else np.int64) for name, kind in _TYPES.items()}

    def _write(self, columns: Columns) -> None:
        if len(columns["point"]):
            self._connection.insert("rule", {name: (kind, columns[name]) for name, kind in _TYPES.items()})


def _columns(points: Sequence[Point]) -> Columns:
    rules = RuleColumns.of([step_rule(p) for p in points])
    for zone in {p.zone for p in points}:
        zone_info(zone)

    def zeros() -> NDArray[np.int64]:
        return np.zeros(len(points), np.int64)

    return {
        "point": np.array([p.id for p in points], np.uint32),
        "mode": rules.mode, "quantum": rules.quantum, "width": rules.width, "max_rate": rules.max_rate,
        "tolerance": rules.tolerance, "max_gap_us": rules.max_gap_us,
        "zone": np.array([p.zone for p in points], object),
        "raw_from": zeros(), "minute_from": zeros(), "quarter_from": zeros(),
        "rule_version": zeros(), "version": zeros(),
    }  # fmt: skip
