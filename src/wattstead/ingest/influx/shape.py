"""The shape of a regular line-protocol body: all its bytes but the numbers, remembered so that names are read once.

A sender posts the same names in the same order again and again; only numbers and times change. The first body of a
shape is cut by looking at every delimiter; later ones are cut where the remembered shape says, and their names are
known when the bytes between the numbers are those of the shape. A body with escapes, quotes, comments or empty lines
has no shape: it is read line by line elsewhere.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from wattstead.ingest.decoding.columns import Names

_NEWLINE, _SPACE, _COMMA, _EQUALS = 10, 32, 44, 61
_IRREGULAR = (b"\\", b'"', b"\n#")
_ALIKE = 8
"""Shapes that may begin with the same name."""

Ints = NDArray[np.int64]


class Layout:
    """Which numbers of a body are values and which are times; numbers are counted in the order they stand in."""

    __slots__ = ("_gaps", "_times", "_values", "last_of_line", "line_of", "lines", "values_count")

    def __init__(self, fields: Ints, timed: bool) -> None:
        """``fields``: values per line."""
        self.lines = len(fields)
        line_of = np.repeat(np.arange(self.lines), fields)
        self.values_count = len(line_of)
        count = len(line_of) + (self.lines if timed else 0)
        values = np.arange(len(line_of)) + (line_of if timed else 0)
        self.line_of = None if len(line_of) == self.lines else line_of.astype(np.int32)
        self._values = _picks(2 * values + 1)
        self.last_of_line = np.cumsum(fields) + (np.arange(self.lines) if timed else -1)
        self._times = _picks(2 * self.last_of_line + 1) if timed else None
        self._gaps = _picks(np.arange(0, 2 * count + 1, 2))

    def gaps(self, pieces: Any) -> Any:
        """The bytes between the numbers, as one buffer."""
        return pieces.take(self._gaps).buffers()[2]

    def values(self, pieces: Any) -> Any:
        """The values as an array of texts."""
        return pieces.take(self._values)

    def times(self, pieces: Any) -> Any:
        """The times as an array of texts; None when the lines have none."""
        return None if self._times is None else pieces.take(self._times)


@dataclass(slots=True)
class Shape:
    """A remembered body: where its numbers end among its delimiters, how long the gaps before them are, its names."""

    layout: Layout
    commas: bool
    """Whether commas count as delimiters: only where a line has several fields."""
    delimiters: int
    ends: Ints
    gap_lengths: Ints
    gaps: Any
    names: Names

    @property
    def size_bytes(self) -> int:
        """Roughly what it occupies in memory."""
        return int(self.gaps.size) + 16 * len(self.ends) + 200 * len(self.names.addresses) + 20 * len(self.names)

    def cut(self, body: bytes, delimiters: Ints) -> Any:
        """The body in pieces, gap and number in turn; None when it does not have this shape."""
        if len(delimiters) != self.delimiters:
            return None
        ends = delimiters[self.ends]
        starts = np.empty_like(ends)
        starts[0] = self.gap_lengths[0]
        np.add(ends[:-1], self.gap_lengths[1:], out=starts[1:])
        if bool((starts > ends).any()):
            return None
        pieces = in_pieces(body, starts, ends)
        return pieces if self.layout.gaps(pieces).equals(self.gaps) else None


class Shapes:
    """The shapes of regular senders, the least recently seen forgotten beyond a number of bytes."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self.held_bytes = 0
        self._by_head: OrderedDict[bytes, list[Shape]] = OrderedDict()

    def find(self, body: bytes) -> tuple[Shape, Any] | None:
        """The shape of a body and the body in pieces; None when it was not seen before."""
        head = _head(body)
        alike = self._by_head.get(head)
        if alike is None:
            return None
        octets = np.frombuffer(body, np.uint8)
        found: dict[bool, Ints] = {}
        for at, shape in enumerate(alike):
            delimiters = found.get(shape.commas)
            if delimiters is None:
                delimiters = found[shape.commas] = _delimiters(octets, shape.commas)
            pieces = shape.cut(body, delimiters)
            if pieces is not None:
                if at:
                    alike.insert(0, alike.pop(at))
                self._by_head.move_to_end(head)
                return shape, pieces
        return None

    def keep(self, body: bytes, shape: Shape) -> None:
        """Remember the shape of a body."""
        head = _head(body)
        alike = self._by_head.setdefault(head, [])
        self._by_head.move_to_end(head)
        alike.insert(0, shape)
        self.held_bytes += shape.size_bytes
        if len(alike) > _ALIKE:
            self.held_bytes -= alike.pop().size_bytes
        while self.held_bytes > self._limit_bytes and self._by_head:
            _, gone = self._by_head.popitem(last=False)
            self.held_bytes -= sum(one.size_bytes for one in gone)

    def learn(self, other: Shapes, body: bytes) -> None:
        """Keep the shape that others keep of a body; theirs may be changed meanwhile."""
        head = _head(body)
        theirs = other._by_head.get(head)
        if theirs and not any(shape is theirs[0] for shape in self._by_head.get(head, ())):
            self.keep(body, theirs[0])


@dataclass(slots=True)
class Scan:
    """A regular body as its delimiters show it: where each number starts and ends."""

    layout: Layout
    starts: Ints
    ends: Ints
    commas: bool
    delimiters: Ints

    def shape(self, gaps: Any, names: Names) -> Shape:
        """What is to be remembered."""
        at = np.searchsorted(self.delimiters, self.ends)
        return Shape(self.layout, self.commas, len(self.delimiters), at, self._gap_lengths(), gaps, names)

    def line_texts(self, gaps: Any) -> list[bytes]:
        """Each line without its numbers."""
        stops = np.cumsum(self._gap_lengths())[self.layout.last_of_line].tolist()
        begins = [0, *(stop + 1 for stop in stops[:-1])]
        text = gaps.to_pybytes()
        return [text[begin:stop] for begin, stop in zip(begins, stops, strict=True)]

    def _gap_lengths(self) -> Ints:
        lengths = self.starts.copy()
        lengths[1:] -= self.ends[:-1]
        return lengths


def scan(body: bytes) -> Scan | None:
    """A body that ends with a line end, cut by its delimiters; None when it is not regular."""
    if body[:1] == b"#" or any(mark in body for mark in _IRREGULAR):
        return None
    octets = np.frombuffer(body, np.uint8)
    places = np.flatnonzero((octets <= _SPACE) | (octets == _COMMA) | (octets == _EQUALS))
    kinds = octets[places]
    newlines, spaces = np.flatnonzero(kinds == _NEWLINE), np.flatnonzero(kinds == _SPACE)
    lines = len(newlines)
    timed = len(spaces) == 2 * lines
    if not lines or not (timed or len(spaces) == lines) or bool((kinds < _SPACE).sum() != lines):
        return None
    first = spaces[::2] if timed else spaces
    last = spaces[1::2] if timed else newlines
    if bool((first >= last).any()) or bool((first[1:] < newlines[:-1]).any()):
        return None
    if timed and bool((last + 1 != newlines).any()):
        return None
    fields, odd = np.divmod(last - first, 2)
    if bool(odd.any()) or not bool((fields >= 1).all()):
        return None
    return _numbers(places, kinds, first, fields, newlines if timed else None)


def _numbers(places: Ints, kinds: NDArray[np.uint8], first: Ints, fields: Ints, newlines: Ints | None) -> Scan | None:
    """The numbers of a body whose lines have ``fields`` fields after delimiter ``first`` and a time before newlines."""
    layout = Layout(fields, newlines is not None)
    line_of = np.repeat(np.arange(len(fields)), fields)
    within = np.arange(len(line_of)) - np.repeat(np.cumsum(fields) - fields, fields)
    equals = first[line_of] + 1 + 2 * within
    if not bool((kinds[equals] == _EQUALS).all()) or not bool((kinds[equals[within > 0] - 1] == _COMMA).all()):
        return None
    opening, closing = places[equals] + 1, places[equals + 1]
    if newlines is not None:
        order = np.argsort(np.concatenate((line_of, np.arange(len(fields)))), kind="stable")
        opening = np.concatenate((opening, places[newlines - 1] + 1))[order]
        closing = np.concatenate((closing, places[newlines]))[order]
    commas = len(line_of) > len(fields)
    wanted = (kinds <= _COMMA) if commas else (kinds <= _SPACE)
    return Scan(layout, opening, closing, commas, places[wanted])


def in_pieces(body: bytes, starts: Ints, ends: Ints) -> Any:
    """The body as an array of texts, gap and number in turn, without copying it."""
    offsets = np.empty(2 * len(starts) + 2, np.int32)
    offsets[0] = 0
    offsets[1:-1:2] = starts
    offsets[2:-1:2] = ends
    offsets[-1] = len(body)
    return pa.Array.from_buffers(pa.string(), len(offsets) - 1, [None, pa.py_buffer(offsets), pa.py_buffer(body)])


def _delimiters(octets: NDArray[np.uint8], commas: bool) -> Ints:
    marks = octets <= _SPACE
    if commas:
        marks |= octets == _COMMA
    return np.flatnonzero(marks)


def _head(body: bytes) -> bytes:
    """How a body begins: its first line up to the first number."""
    space = body.find(b" ", 0, 4096)
    return body[: body.find(b"=", space, space + 4096) + 1]


def _picks(places: Ints) -> Any:
    return pa.array(places.astype(np.int32))
