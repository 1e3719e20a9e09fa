"""Many messages of flat JSON, ``{"power":230.1,"time":1700000000}`` or ``230.1``, read at once into columns; pure.

It reads what is usual and names what is not; that, and all that is no flat JSON, is read one by one by its format.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import chain
from operator import itemgetter
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from wattstead.ingest.decoding.columns import Columns, Names
from wattstead.ingest.decoding.merging import Joined

_decoder = msgspec.json.Decoder(list[dict[str, float]])
_numbers = msgspec.json.Decoder(list[float])
Fields = tuple[str | None, ...]
NUMBER: Final[Fields] = (None,)
"""The fields of a message that is a number alone."""
_MOST_SHAPES: Final = 100
_SINGLY: Final = 16
"""So few messages are read one by one when one of them is no flat JSON."""
_USUAL_S: Final = 1e11
"""Seconds below which a time is one in seconds to everybody."""


class Form(NamedTuple):
    """What the fields of an object are, by their place; one object for all that are alike."""

    width: int
    time_at: int
    """Which field is the time; -1: none is."""
    readings: tuple[int, ...]


form_of = lru_cache(10_000)(Form)


class Shape(NamedTuple):
    """How objects with the same fields on one topic are read."""

    form: Form
    names: Names
    """Of the readings, in their order."""


_form: Any = itemgetter(0)
_names: Any = itemgetter(1)


class Flat(dict[Fields, Shape | None]):
    """The shapes of one topic by the fields of its objects, found when first asked for; None: read it singly."""

    def __init__(self, shape: Callable[[Fields], Shape | None]) -> None:
        super().__init__()
        self._shape = shape

    def __missing__(self, fields: Fields) -> Shape | None:
        if not fields:
            return None
        if len(self) >= _MOST_SHAPES:
            self.clear()
        found = self[fields] = self._shape(fields)
        return found


def read(
    flats: Sequence[Flat], payloads: Sequence[bytes], received_us: NDArray[np.int64]
) -> tuple[Columns | None, list[int]]:
    """The readings of messages in their order, None for none at all, and the positions of those to be read singly.

    ``received_us``: when each came, int64, microseconds since 1970.
    """
    found = _objects(payloads)
    shapes = [flat[tuple(one)] for flat, one in zip(flats, found, strict=True)]
    odd: list[int] = []
    forms: dict[Form, Sequence[int]] = {}
    try:  # usually all are there and alike
        alike = len(set(map(id, map(_form, shapes)))) == 1
    except TypeError:
        alike = False
    if alike:
        forms[_form(shapes[0])] = range(len(shapes))
    else:
        for at, shape in enumerate(shapes):
            if shape is None:
                odd.append(at)
            else:
                forms.setdefault(shape.form, []).append(at)  # type: ignore[attr-defined]
    blocks = [_block(form, at, found, received_us, odd) for form, at in forms.items()]
    rows = np.concatenate([block[0] for block in blocks]) if blocks else np.zeros(0, np.int64)
    if not len(rows):
        return None, odd
    time_us, value, untimed = (np.concatenate([block[column] for block in blocks]) for column in (1, 2, 3))
    if len(blocks) > 1:
        order = np.argsort(rows, kind="stable")
        rows, time_us, value, untimed = rows[order], time_us[order], value[order], untimed[order]
    if odd:
        skipped = set(odd)
        shapes = [shape for at, shape in enumerate(shapes) if at not in skipped]
    names = Joined(list(map(_names, shapes)), len(value))
    return Columns(names, time_us, value, untimed=untimed if bool(untimed.any()) else False), odd


_Block = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.bool_]]


def _block(form: Form, at: Sequence[int], found: list[Any], received_us: NDArray[np.int64], odd: list[int]) -> _Block:
    """Per reading: the message, the time, the value, whether it has the time of receiving. ``odd`` gets the rest."""
    width, time_at, readings = form
    here = found if len(at) == len(found) else [found[one] for one in at]
    rows = np.arange(len(at)) if isinstance(at, range) else np.array(at, np.int64)
    cells = np.fromiter(chain.from_iterable(map(dict.values, here)), np.float64, len(at) * width).reshape(-1, width)
    if time_at < 0:
        time_us = received_us[rows]
    else:
        told = cells[:, time_at]
        seconds = (told >= 0.0) & (told < _USUAL_S)
        if not seconds.all():
            odd.extend(rows[~seconds].tolist())
            rows, cells, told = rows[seconds], cells[seconds], told[seconds]
        time_us = np.rint(told * 1e6).astype(np.int64)
    count = len(readings)
    value = (cells[:, readings[0]] if count == 1 else cells[:, readings].ravel()) if count else np.zeros(0)
    if count != 1:
        rows, time_us = np.repeat(rows, count), np.repeat(time_us, count)
    return rows, time_us, value, np.full(len(rows), time_at < 0)


_Object = dict[Any, float]


def _objects(payloads: Sequence[bytes]) -> list[_Object]:
    """The objects of messages, each from its own bytes alone; an empty one for what is none of numbers only.

    >>> _objects([b'{"a":1}', b'{"a":2},{"a":3}', b'{"a":4', b'"b":5}', b'{"a":6,"b":7}', b"8"])
    [{'a': 1.0}, {}, {}, {}, {'a': 6.0, 'b': 7.0}, {None: 8.0}]
    """
    found = _together(payloads)
    if found is not None:
        return found
    braces = [raw[:1] == b"{" for raw in payloads]
    if not any(braces):
        return _alone(payloads)
    if not all(braces):
        objects = iter(_objects([raw for raw, brace in zip(payloads, braces, strict=True) if brace]))
        others = iter(_alone([raw for raw, brace in zip(payloads, braces, strict=True) if not brace]))
        return [next(objects if brace else others) for brace in braces]
    if len(payloads) > _SINGLY:
        middle = len(payloads) // 2
        return [*_objects(payloads[:middle]), *_objects(payloads[middle:])]
    return [(_together([one]) or [{}])[0] for one in payloads]


def _alone(payloads: Sequence[bytes]) -> list[_Object]:
    """`_objects` of messages that are numbers: each has at least one, so as many as messages are one of each."""
    try:
        found = _numbers.decode(b"[" + b",".join(payloads) + b"]")
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        found = []
    if len(found) == len(payloads):
        return [{None: number} for number in found]
    if len(payloads) == 1:
        return [{}]
    middle = len(payloads) // 2
    return [*_alone(payloads[:middle]), *_alone(payloads[middle:])]


def _together(payloads: Sequence[bytes]) -> list[_Object] | None:
    """All of them as one JSON array, where it is certain that no text of one reaches into another.

    No payload holds the new line that stands between two, each begins with ``{`` and ends with ``}``, and there are no
    other ``{``: so each object of the array begins where a payload does, and ends before the next one.
    """
    count, whole = len(payloads), b",\n".join(payloads)
    if not (
        whole.count(b"\n") == whole.count(b"},\n{") == count - 1
        and whole.count(b"{") == count
        and whole[:1] == b"{"
        and whole[-1:] == b"}"
    ):
        return None
    try:
        found = _decoder.decode(b"[" + whole + b"]")
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None
    return found if len(found) == count else None
