"""A SenML pack in JSON to columns: base fields are resolved as RFC 8428 says; knows no request."""

from __future__ import annotations

import math
from collections.abc import Mapping

import msgspec
import numpy as np

from wattstead.ingest.decoding.columns import Columns, Names, Rejections
from wattstead.ingest.errors import BodyInvalid

PREFIX = "senml/"
_VERSION = 10
_ABSOLUTE_S = 2**28
"""Times from here on are seconds since 1970; smaller ones are relative to now."""
_FURTHEST_S = 9e12
_UNITS: Mapping[str, str] = {
    "W": "W", "kW": "kW", "VA": "VA", "kVA": "kVA", "var": "var", "kvar": "kvar", "Wh": "Wh", "kWh": "kWh", "J": "J",
    "V": "V", "mV": "mV", "A": "A", "mA": "mA", "Hz": "Hz", "Cel": "°C", "K": "K", "%": "%", "%RH": "%", "%EL": "%",
    "W/m2": "W/m²", "m3": "m³", "l": "l", "m/s": "m/s", "km/h": "km/h", "Pa": "Pa", "hPa": "hPa", "dBm": "dBm",
    "s": "s", "ms": "ms",
}  # fmt: skip
"""Registered units of SenML (RFC 8428, RFC 8798) that have one here; of others the number is kept without."""


class _Record(msgspec.Struct, rename={
    "base_name": "bn", "base_time": "bt", "base_unit": "bu", "base_value": "bv", "base_sum": "bs", "version": "bver",
    "name": "n", "unit": "u", "value": "v", "text": "vs", "boolean": "vb", "data": "vd", "sum": "s", "time": "t",
}):  # fmt: skip
    base_name: str | None = None
    base_time: float | None = None
    base_unit: str | None = None
    base_value: float | None = None
    base_sum: float | None = None
    version: float | None = None
    name: str = ""
    unit: str | None = None
    value: float | None = None
    text: str | None = None
    boolean: bool | None = None
    data: str | None = None
    sum: float | None = None
    time: float | None = None


_records = msgspec.json.Decoder(list[msgspec.Raw])
_record = msgspec.json.Decoder(_Record)


class _Base:
    """The base fields as they stand at a record."""

    def __init__(self) -> None:
        self.name, self.time, self.unit, self.value, self.sum = "", 0.0, "", 0.0, 0.0

    def take(self, record: _Record) -> None:
        """A record may set some of them for itself and all that follow."""
        self.name = self.name if record.base_name is None else record.base_name
        self.time = self.time if record.base_time is None else record.base_time
        self.unit = self.unit if record.base_unit is None else record.base_unit
        self.value = self.value if record.base_value is None else record.base_value
        self.sum = self.sum if record.base_sum is None else record.base_sum


def decode(body: bytes, now_us: int) -> Columns:
    """The readings of a pack; texts and data are passed over, faulty records named, the others kept.

    Raises `BodyInvalid` when the body is no JSON array, or of a later version.

    >>> found = decode(b'[{"bn":"urn:dev:ow:1:","bt":1320067464,"n":"temp","u":"Cel","v":23.1}]', 0)
    >>> found.names.addresses, found.value.tolist(), found.units
    (['senml/urn:dev:ow:1:temp'], [23.1], ['°C'])
    """
    try:
        raw = _records.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise BodyInvalid("a SenML pack", str(error)) from None
    rows: list[tuple[str, int, float, str, bool, int]] = []
    rejected, base, skipped = Rejections(), _Base(), 0
    for place, one in enumerate(raw):
        try:
            record = _record.decode(one)
            base.take(record)
            found = _readings(record, base, now_us)
        except (msgspec.DecodeError, RecursionError, ValueError) as fault:
            rejected.add(f"record {place}", str(fault))
            continue
        skipped += not found
        rows += [(*row, place) for row in found]
    places = [row[5] for row in rows]
    return Columns(
        Names.of_rows([row[0] for row in rows]), np.array([row[1] for row in rows], np.int64),
        np.array([row[2] for row in rows], np.float64), rejected,
        np.array([row[4] for row in rows], np.bool_) if any(row[4] for row in rows) else False,
        lambda row: f"record {places[row]}", skipped=skipped, units=[row[3] for row in rows],
    )  # fmt: skip


def _readings(record: _Record, base: _Base, now_us: int) -> list[tuple[str, int, float, str, bool]]:
    """Address, time, number, unit, and whether its time depends on when it is received; a value and its sum are two."""
    if record.version is not None and record.version > _VERSION:
        raise BodyInvalid("a SenML pack", f"it is of version {record.version:g}; at most {_VERSION} is read")
    name = base.name + record.name
    numbers: list[tuple[str, float]] = []
    if record.value is not None or (record.boolean is None and record.text is None and record.data is None
                                    and record.sum is None and base.value):  # fmt: skip
        numbers.append((name, base.value + (record.value or 0.0)))
    elif record.boolean is not None:
        numbers.append((name, float(record.boolean)))
    if record.sum is not None:
        numbers.append((f"{name}/sum", base.sum + record.sum))
    if numbers and not name:
        raise ValueError("the record has no name; n and bn together must be one")
    if not all(math.isfinite(number) for _, number in numbers):
        raise ValueError("the value is not a finite number")
    seconds = base.time + (record.time or 0.0)
    if not abs(seconds) < _FURTHEST_S:
        raise ValueError(f"time {seconds:g} is too large; expected seconds since 1970")
    time_us = round(seconds * 1_000_000) + (0 if seconds >= _ABSOLUTE_S else now_us)
    unit = _UNITS.get(record.unit if record.unit is not None else base.unit, "")
    return [
        (PREFIX + address, time_us, number, "" if address.endswith("/sum") else unit, seconds < _ABSOLUTE_S)
        for address, number in numbers
    ]
