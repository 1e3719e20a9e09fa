"""Arrow IPC streams of the own route to columns; one record batch or many, names as texts, dictionaries or ids."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from wattstead.ingest.decoding.columns import Columns, Names, Rejections, row_place
from wattstead.ingest.decoding.instants import fits, from_column
from wattstead.ingest.errors import BodyInvalid, BodyTooLarge
from wattstead.ingest.own.arrow_size import unpacked_bytes, viewed_bytes
from wattstead.ingest.own.items import known_unit
from wattstead.metering.quantity import ALIASES, UnitError

_LARGEST_ID = 2**32 - 1


def decode(body: bytes, now_us: int, time_unit: str, most_bytes: int) -> Columns:
    """The readings of a stream with columns ``point``, ``value`` and, if they have them, ``time`` and ``unit``.

    ``time`` is a timestamp with a zone, or a number of ``time_unit``. Rows with a null or a number that is not finite
    are named, the others kept. Raises `BodyInvalid` for what is no such stream, `BodyTooLarge` for one that unpacks to
    more than ``most_bytes``.
    """
    table = _table(body, most_bytes)
    rejected = Rejections()
    good = np.ones(table.num_rows, np.bool_)
    value = _values(table.column("value"), good, rejected)
    untimed = "time" not in table.column_names
    time_us = np.full(len(value), now_us, np.int64) if untimed else _times(table, time_unit, good, rejected)
    names, points = _points(table.column("point"), good, rejected)
    units = _units(_chunk(table.column("unit")), good, rejected) if "unit" in table.column_names else None
    columns = Columns(names, time_us, value, rejected, untimed, points=points, units=units)
    return columns if bool(good.all()) else columns.keep(good)


def _table(body: bytes, most_bytes: int) -> Any:
    """The whole stream; what its schema says is checked before any column is looked at."""
    try:
        if unpacked_bytes(body) > most_bytes:
            raise BodyTooLarge("the stream, unpacked,", most_bytes)
        with pa.ipc.open_stream(pa.BufferReader(body)) as reader:
            _check(reader.schema)
            table = reader.read_all()
        table.validate()
        if sum(viewed_bytes(chunk) for column in table.columns for chunk in column.chunks) > most_bytes:
            raise BodyTooLarge("the stream, its texts written out,", most_bytes)
        table.validate(full=True)
        return table.combine_chunks()
    except (pa.ArrowException, OSError, UnicodeError, struct.error) as error:
        raise BodyInvalid("stream", f"not an Arrow IPC stream that can be read: {str(error)[:200]}") from None


def _check(schema: Any) -> None:
    """Raises `BodyInvalid` for a column that is missing, unknown, there twice, or of a type that is not read here."""
    for name in ("point", "value"):
        if name not in schema.names:
            raise BodyInvalid("schema", f"column {name} is missing; expected point, time and value")
    for name in schema.names:
        if name not in _READ:
            raise BodyInvalid("schema", f"column {name[:40]} is not known here; known are {', '.join(_READ)}")
        if schema.names.count(name) > 1:
            raise BodyInvalid("schema", f"column {name} is there {schema.names.count(name)} times; expected once")
    for field in schema:
        read, expected = _READ[field.name]
        if not read(field.type):
            raise BodyInvalid(f"column {field.name}", f"is {field.type}; expected {expected}")


def _is_number(kind: Any) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def _is_text(kind: Any) -> bool:
    named = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_string(named) or pa.types.is_large_string(named) or pa.types.is_string_view(named))


_READ: dict[str, tuple[Callable[[Any], bool], str]] = {
    "point": (
        lambda kind: pa.types.is_integer(kind) or _is_text(kind),
        "names as string or dictionary, or ids as integer",
    ),
    "time": (
        lambda kind: (pa.types.is_timestamp(kind) and kind.tz is not None) or _is_number(kind),
        "a timestamp with a zone, such as timestamp[us, tz=UTC], or a number",
    ),
    "value": (_is_number, "a number type"),
    "unit": (_is_text, "units as string or dictionary"),
}
"""The columns there may be: whether a type is read, and which ones are."""


def _values(column: Any, good: NDArray[np.bool_], rejected: Rejections) -> NDArray[np.float64]:
    value: NDArray[np.float64] = _chunk(column).cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    if bool(np.isfinite(value).all()):
        return value
    missing = ~np.isfinite(value)
    nulls = column.is_null().to_numpy()
    _reject(missing, good, rejected, lambda row: f"value is {'null' if nulls[row] else value[row]}")
    return value


def _times(table: Any, unit: str, good: NDArray[np.bool_], rejected: Rejections) -> NDArray[np.int64]:
    column = _chunk(table.column("time"))
    kind = column.type
    if pa.types.is_timestamp(kind):
        unit = kind.unit
        column = column.cast(pa.int64())
    missing = column.is_null().to_numpy(zero_copy_only=False)
    if column.null_count:
        column = column.fill_null(0)
    if pa.types.is_unsigned_integer(kind):
        column = column.cast(pa.float64(), safe=False) if kind == pa.uint64() else column.cast(pa.int64())
    numbers = column.to_numpy(zero_copy_only=False)
    time_us = from_column(numbers, unit)
    if time_us is None:
        usable = fits(numbers, unit)
        _reject(~usable, good, rejected, lambda row: f"time {numbers[row]} is no number of {unit} since 1970")
        time_us = from_column(np.where(usable, numbers, 0), unit)
        if time_us is None:
            raise BodyInvalid("column time", f"is {kind}; expected a timestamp with a zone, or a number of {unit}")
    if bool(missing.any()):
        _reject(missing, good, rejected, lambda row: "time is null")
    return time_us


def _points(column: Any, good: NDArray[np.bool_], rejected: Rejections) -> tuple[Names, NDArray[np.uint32] | None]:
    column = _chunk(column)
    kind = column.type
    if pa.types.is_integer(kind):
        ids = column.fill_null(0).cast(pa.int64(), safe=False).to_numpy(zero_copy_only=False)
        _reject((ids < 1) | (ids > _LARGEST_ID), good, rejected, lambda row: f"point {ids[row]} is no id of a point")
        points = np.where((ids < 1) | (ids > _LARGEST_ID), 0, ids).astype(np.uint32)
        return Names([""], np.zeros(len(ids), np.int32)), points
    names, index, missing = _texts(column)
    if bool(missing.any()):
        _reject(missing, good, rejected, lambda row: "point is null")
    return Names(names or [""], index), None


def _units(column: Any, good: NDArray[np.bool_], rejected: Rejections) -> list[str]:
    """The unit of each row, "" where it is null."""
    given, index, missing = _texts(column)
    index = np.where(missing, len(given), index)
    faults: dict[int, str] = {}
    for at, symbol in enumerate(given):
        try:
            known_unit(symbol)
        except UnitError as error:
            faults[at] = str(error)
    _reject(np.isin(index, list(faults)), good, rejected, lambda row: faults[int(index[row])])
    symbols = [ALIASES.get(symbol, symbol) for symbol in (*given, "")]
    return [symbols[at] for at in index.tolist()]


def _texts(column: Any) -> tuple[list[str], NDArray[np.int32], NDArray[np.bool_]]:
    """The different texts of a column, which of them each row has, and which rows have none."""
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    index = column.indices.cast(pa.int32()).fill_null(0).to_numpy(zero_copy_only=False)
    missing = pc.is_null(column).to_numpy(zero_copy_only=False)
    return [text or "" for text in column.dictionary.to_pylist()], index, missing


def _reject(rows: NDArray[np.bool_], good: NDArray[np.bool_], rejected: Rejections, reason: Any) -> None:
    rejected.add_rows(rows & good, row_place, reason)
    good &= ~rows


def _chunk(column: Any) -> Any:
    """A column of a combined table as one array."""
    return column.chunk(0) if column.num_chunks else pa.nulls(0, column.type)
