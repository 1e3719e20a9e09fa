"""Line protocol to columns: at once where the body is regular, line by line where it is not, with the same answer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wattstead.ingest.decoding.columns import Columns, Few, Names, Rejections
from wattstead.ingest.decoding.remembered import Remembered, size_of
from wattstead.ingest.errors import ParameterInvalid
from wattstead.ingest.influx.line import LineInvalid, SeriesMemory, lines, parse, time_of, value_of

try:
    from wattstead.ingest.influx.numerals import times_of, values_of
    from wattstead.ingest.influx.shape import Scan, Shape, Shapes, in_pieces, scan
except ImportError as missing:  # on site there is no Arrow: there every body is read line by line
    if missing.name is None or not missing.name.startswith("pyarrow"):
        raise
    _HAS_ARROW = False
else:
    _HAS_ARROW = True

PRECISIONS: dict[str, float] = {
    "ns": 1e-3, "n": 1e-3, "us": 1, "u": 1, "µ": 1, "ms": 1e3, "s": 1e6, "m": 60e6, "h": 3_600e6,
}  # fmt: skip
"""Microseconds in one step of each precision."""
_FURTHEST_US = 9_200_000_000_000_000_000
_NAMES_BYTES = 48_000_000
"""Of the names of lines that are remembered beside whole bodies."""
_SHOWN = 200
_SHORT_LINE = 1_000
_PLAIN_LINE = re.compile(rb"([^ \\\"\n\t\0\r#][^ \\\"\n]*) ([^ \\\"\n]+) (-?[0-9]{1,19})\n?")
"""A line with a time, and nothing in it that is escaped, quoted or a text."""


class LineDecoder:
    """Decodes line protocol and remembers names between bodies; the answer does not depend on what it remembers."""

    def __init__(self, remembered_bytes: int) -> None:
        self._shapes = Shapes(remembered_bytes) if _HAS_ARROW else None
        self._line_names: Remembered[bytes, tuple[str, ...]] = Remembered(_NAMES_BYTES)
        self._series = SeriesMemory(_NAMES_BYTES // 2)
        self._few_names: Remembered[tuple[bytes, ...], Names] = Remembered(_NAMES_BYTES // 2)

    @property
    def remembered_bytes(self) -> int:
        """Roughly the memory that remembered shapes occupy."""
        return self._shapes.held_bytes if self._shapes is not None else 0

    def decode(self, body: bytes, precision: str, now_us: int) -> Columns:
        """The readings of a body; lines without a time get ``now_us``. Faulty lines are named, the others kept.

        Raises `ParameterInvalid` for an unknown precision.

        >>> columns = LineDecoder(1_000_000).decode(b"meter,id=7 power=1.5 1700000000", "s", 0)
        >>> columns.names.address(0), columns.value.tolist(), columns.time_us.tolist()
        ('influx/meter,id=7/power', [1.5], [1700000000000000])
        """
        step_us = PRECISIONS.get(precision)
        if step_us is None:
            raise ParameterInvalid("precision", precision, "ns, us, ms or s")
        regular = self._regular(body, step_us, now_us)
        return self._line_by_line(body, step_us, now_us) if regular is None else regular

    def known(self, body: bytes, precision: str, now_us: int) -> Columns | None:
        """`decode` where the names of the body are remembered, which takes no time to speak of; None otherwise.

        >>> decoder, body = LineDecoder(1_000_000), b"meter,id=7 power=1.5 5\\nmeter,id=8 power=2.5 5\\n"
        >>> decoder.known(body, "s", 0) is None, len(decoder.decode(body, "s", 0)), len(decoder.known(body, "s", 0))
        (True, 2, 2)
        """
        step_us = PRECISIONS.get(precision)
        if self._shapes is None or step_us is None or not body:
            return None
        remembered = self._shapes.find(_ended(body))
        return None if remembered is None else _columns(*remembered, step_us, now_us)

    def learn(self, other: LineDecoder, body: bytes) -> None:
        """Remember what the other, which may be at work in a thread, has found out about such a body."""
        if self._shapes is not None and other._shapes is not None:
            self._shapes.learn(other._shapes, _ended(body))

    def one_line(self, body: bytes, precision: str) -> Few | None:
        """The readings of a body of one short line with a time, at a fraction of the cost; None for any other body.

        >>> few = LineDecoder(1_000_000).one_line(b"meter,id=7 power=1.5 1700000000", "s")
        >>> few.values, few.time_us
        ([1.5], 1700000000000000)
        """
        step_us = PRECISIONS.get(precision)
        found = _PLAIN_LINE.fullmatch(body) if len(body) <= _SHORT_LINE else None
        if step_us is None or found is None:
            return None
        series, fields, time = found.groups()
        pairs = [field.partition(b"=") for field in fields.split(b",")]
        try:
            time_us = _microseconds(time_of(time), step_us)
            values = [value_of(value) for _, _, value in pairs]
            names = self._few_names.get((series, *[name for name, _, _ in pairs])) or self._names_of_line(body, pairs)
        except LineInvalid:
            return None
        return Few(names, time_us, values, Rejections(), False, _first_line)

    def _names_of_line(self, line: bytes, pairs: Sequence[tuple[bytes, bytes, bytes]]) -> Names:
        """The names of a plain line, as `parse` finds them; raises `LineInvalid`."""
        names = Names.of_rows(parse(line.removesuffix(b"\n"), self._series).addresses)
        key = line[: line.index(b" ")], *[name for name, _, _ in pairs]
        self._few_names.keep(key, names, size_of(key) + size_of(names.addresses))
        return names

    def line_by_line(self, body: bytes, precision: str, now_us: int) -> Columns:
        """The same answer as `decode`, by the slower way alone."""
        return self._line_by_line(body, PRECISIONS[precision], now_us)

    def _regular(self, body: bytes, step_us: float, now_us: int) -> Columns | None:
        if self._shapes is None or not body:
            return None
        body = _ended(body)
        remembered = self._shapes.find(body)
        if remembered is not None:
            return _columns(*remembered, step_us, now_us)
        cut = scan(body)
        if cut is None:
            return None
        pieces = in_pieces(body, cut.starts, cut.ends)
        shape = self._named(body, cut, pieces)
        columns = None if shape is None else _columns(shape, pieces, step_us, now_us)
        if shape is not None and columns is not None:
            self._shapes.keep(body, shape)
        return columns

    def _named(self, body: bytes, cut: Scan, pieces: Any) -> Shape | None:
        """The shape of a body seen for the first time; None when a line of it is not as it should be."""
        gaps = cut.layout.gaps(pieces)
        texts = cut.line_texts(gaps)
        known = self._line_names
        named = [known.get(text) for text in texts]
        if None in named:
            whole = body.split(b"\n")
            for at, names in enumerate(named):
                if names is None:
                    found = known.get(texts[at]) or self._names_of(whole[at])
                    if found is None:
                        return None
                    named[at] = found
                    known.keep(texts[at], found, size_of((texts[at], *found)))
        rows = list(chain.from_iterable(names for names in named if names is not None))
        return cut.shape(gaps, Names.of_rows(rows)) if len(rows) == cut.layout.values_count else None

    def _names_of(self, line: bytes) -> tuple[str, ...] | None:
        try:
            found = parse(line, SeriesMemory())
        except LineInvalid:
            return None
        return tuple(found.addresses) if not found.texts else None

    def _line_by_line(self, body: bytes, step_us: float, now_us: int) -> Columns:
        rows: list[str] = []
        values: list[float] = []
        times: list[int] = []
        numbers: list[int] = []
        untimed: list[bool] = []
        rejected = Rejections()
        texts = 0
        for number, line in lines(body):
            try:
                found = parse(line, self._series)
                time_us = now_us if found.time is None else _microseconds(found.time, step_us)
            except LineInvalid as fault:
                rejected.add(f"line {number}", f"unable to parse '{_shown(line)}': {fault}")
                continue
            texts += found.texts
            count = len(found.values)
            rows += found.addresses
            values += found.values
            times += [time_us] * count
            numbers += [number] * count
            untimed += [found.time is None] * count
        return Columns(
            Names.of_rows(rows),
            np.array(times, np.int64),
            np.array(values, np.float64),
            rejected,
            np.array(untimed, np.bool_) if any(untimed) else False,
            lambda row: f"line {numbers[row]}",
            skipped=texts,
        )


def _ended(body: bytes) -> bytes:
    """The body with a line end after its last line."""
    return body if body.endswith(b"\n") else body + b"\n"


def _columns(shape: Shape, pieces: Any, step_us: float, now_us: int) -> Columns | None:
    layout = shape.layout
    values = values_of(layout.values(pieces))
    if values is None:
        return None
    texts = layout.times(pieces)
    line_of = layout.line_of
    if texts is None:
        time_us: NDArray[np.int64] = np.full(len(values), now_us, np.int64)
    else:
        times = times_of(texts)
        scaled = None if times is None else _scaled(times, step_us)
        if scaled is None:
            return None
        time_us = scaled if line_of is None else scaled[line_of]
    return Columns(
        shape.names,
        time_us,
        values,
        untimed=texts is None,
        place=lambda row: f"line {1 + (row if line_of is None else int(line_of[row]))}",
    )


def _scaled(times: NDArray[np.int64], step_us: float) -> NDArray[np.int64] | None:
    """Times in microseconds; None when one does not fit."""
    if step_us < 1:
        return times // 1000
    factor = int(step_us)
    furthest = _FURTHEST_US // factor
    if int(times.max()) > furthest or int(times.min()) < -furthest:
        return None
    return times if factor == 1 else times * factor


def _microseconds(time: int, step_us: float) -> int:
    time_us = time // 1000 if step_us < 1 else time * int(step_us)
    if abs(time_us) > _FURTHEST_US:
        raise LineInvalid("time outside range")
    return time_us


def _first_line(row: int) -> str:
    return "line 1"


def _shown(line: bytes) -> str:
    text = line[:_SHOWN].decode("utf-8", "backslashreplace")
    return text if len(line) <= _SHOWN else f"{text}…"
