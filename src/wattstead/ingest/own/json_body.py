"""JSON bodies of the own route to columns: as rows, or as columns; well-formed ones fast, the others item by item."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
from msgspec import UNSET, Raw, UnsetType
from numpy.typing import NDArray

from wattstead.ingest.decoding.columns import Columns, Names, Rejections
from wattstead.ingest.decoding.instants import UNIT_US, from_column
from wattstead.ingest.decoding.loose_json import loads
from wattstead.ingest.errors import BodyInvalid, ParameterInvalid
from wattstead.ingest.own.items import Item, from_items
from wattstead.ingest.own.remembered import Remembered

_ESCAPED = "surrogateescape"
_READING = ("point", "time", "value", "unit")
_OF_ROWS = ("readings", "time_unit")
_OF_COLUMNS = (*_READING, "time_unit")


class _Row(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """A reading as nearly all are; one with a unit, or with a field that is not known, needs a closer look."""

    point: str
    value: float
    time: int | float | None = None


class _Body(msgspec.Struct, forbid_unknown_fields=True):
    readings: Raw | UnsetType = UNSET
    point: Raw | UnsetType = UNSET
    time: Raw | UnsetType = UNSET
    value: Raw | UnsetType = UNSET
    time_unit: str = "s"


_body = msgspec.json.Decoder(_Body)
_rows = msgspec.json.Decoder(list[_Row])
_texts = msgspec.json.Decoder(list[str])
_floats = msgspec.json.Decoder(list[float])
_whole = msgspec.json.Decoder(list[int])


class JsonDecoder:
    """Decodes JSON bodies and remembers point columns; the answer does not depend on what it remembers."""

    def __init__(self, remembered_bytes: int) -> None:
        self._names: Remembered[Names] = Remembered(remembered_bytes)

    def decode(self, body: bytes, now_us: int, time_unit: str = "") -> Columns:
        """The readings of a body; those without a time get ``now_us``; faulty ones are named, the others kept.

        Raises `BodyInvalid` when it is not JSON, or not of the two forms; `ParameterInvalid` for an unknown unit.

        >>> columns = JsonDecoder(1000).decode(b'{"point":["a","b"],"time":[1,2.5],"value":[3,4]}', 0)
        >>> columns.names.addresses, columns.time_us.tolist(), columns.value.tolist()
        (['a', 'b'], [1000000, 2500000], [3.0, 4.0])
        """
        try:
            found = _body.decode(body)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            return self._any_form(loads(body, _ESCAPED), now_us, time_unit)
        unit = checked_unit(time_unit or found.time_unit)
        fast = self._fast(found, unit, now_us)
        return self._any_form(loads(body, _ESCAPED), now_us, time_unit) if fast is None else fast

    def _fast(self, found: _Body, unit: str, now_us: int) -> Columns | None:
        """The columns of a well-formed body; None when something needs a closer look."""
        try:
            if found.readings is not UNSET:
                if found.point is not UNSET or found.time is not UNSET or found.value is not UNSET:
                    return None
                return _from_rows(_rows.decode(found.readings), unit, now_us)
            if found.point is UNSET or found.value is UNSET:
                return None
            values = np.array(_floats.decode(found.value), np.float64)
            names = self._column_names(bytes(found.point))
            times = _times(found.time, unit, now_us, len(values))
        except (msgspec.DecodeError, OverflowError, RecursionError, UnicodeDecodeError):
            return None
        if times is None or not len(names) == len(times) == len(values) or not bool(np.isfinite(values).all()):
            return None
        untimed = found.time is UNSET or bytes(found.time) == b"null"
        return Columns(names, times, values, untimed=untimed)

    def _column_names(self, text: bytes) -> Names:
        names = self._names.get(text)
        if names is None:
            names = Names.of_rows(_texts.decode(text))
            self._names.keep(text, names, len(names))
        return names

    def _any_form(self, found: Any, now_us: int, time_unit: str) -> Columns:
        rows = found
        if isinstance(found, dict):
            time_unit = time_unit or found.get("time_unit", "s")
            rows = found.get("readings")
            _check_fields(found, _OF_COLUMNS if rows is None else _OF_ROWS)
            if rows is None:
                return _from_any_columns(found, checked_unit(time_unit), now_us)
        if not isinstance(rows, list):
            raise BodyInvalid("body", 'expected {"readings": [...]} or {"point": [...], "time": [...], "value": [...]}')
        rejected = Rejections()
        items: list[Item] = []
        for at, row in enumerate(rows):
            if not isinstance(row, dict):
                rejected.add(f"readings[{at}]", f"is {type(row).__name__}; expected an object with point and value")
            elif unknown := [name for name in row if name not in _READING]:
                rejected.add(f"readings[{at}].{_shown(unknown[0])}", _unknown(_READING))
            else:
                items.append((row.get("point"), row.get("time"), row.get("value"), row.get("unit"), ("readings", at)))
        return from_items(items, rejected, checked_unit(time_unit or "s"), now_us)


def checked_unit(unit: Any) -> str:
    """A unit of time by name; raises `ParameterInvalid`."""
    if not isinstance(unit, str) or unit not in UNIT_US:
        raise ParameterInvalid("time_unit", str(unit), "s, ms, us or ns")
    return unit


def _from_rows(rows: list[_Row], unit: str, now_us: int) -> Columns | None:
    values = np.array([row.value for row in rows], np.float64)
    times = [row.time for row in rows]
    missing = times.count(None)
    time_us: NDArray[np.int64] | None
    if missing == len(rows):
        time_us = np.full(len(rows), now_us, np.int64)
    else:
        time_us = None if missing else from_column(np.array(times), unit)
    if time_us is None or not bool(np.isfinite(values).all()):
        return None
    names = Names.of_rows([row.point for row in rows])
    return Columns(names, time_us, values, untimed=bool(missing), place=_row_place)


def _times(text: Raw | UnsetType, unit: str, now_us: int, rows: int) -> NDArray[np.int64] | None:
    if text is UNSET or bytes(text) == b"null":
        return np.full(rows, now_us, np.int64)
    written = bytes(text)
    fractional = b"." in written or b"e" in written or b"E" in written
    return from_column(np.array((_floats if fractional else _whole).decode(written)), unit)


def _from_any_columns(found: dict[str, Any], unit: str, now_us: int) -> Columns:
    """Columns of which some entries are not as they should be, or of which some are single entries for all rows."""
    for name in ("point", "value"):
        if name not in found:
            raise BodyInvalid("body", f"{name} is missing; expected readings, or point, time and value")
    given = {name: found.get(name) for name in _READING}
    lengths = {name: len(column) for name, column in given.items() if isinstance(column, list)}
    if len(set(lengths.values())) > 1:
        shown = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise BodyInvalid("body", f"columns of different lengths ({shown}); one length is needed")
    rows = next(iter(lengths.values()), 1)
    point, time, value, symbol = (column if isinstance(column, list) else [column] * rows for column in given.values())
    items = ((point[at], time[at], value[at], symbol[at], ("", at)) for at in range(rows))
    return from_items(items, Rejections(), unit, now_us)


def _check_fields(found: dict[str, Any], known: tuple[str, ...]) -> None:
    for name in found:
        if name not in known:
            raise BodyInvalid(_shown(name) or "body", _unknown(known))


def _shown(name: str) -> str:
    """A name as an answer can hold it, whatever its letters."""
    return name[:40].encode("utf-8", "backslashreplace").decode()


def _unknown(known: tuple[str, ...]) -> str:
    return f"is no field that is known here; known are {', '.join(known)}"


def _row_place(row: int) -> str:
    return f"readings[{row}]"
