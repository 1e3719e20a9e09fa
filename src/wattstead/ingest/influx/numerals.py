"""Columns of number texts to numbers, as line protocol writes them; None where one of them needs a closer look."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

_FIRST, _SPAN = ord("-"), ord("9") - ord("-")  # minus, dot, slash and digits; unsigned, so what is smaller wraps round
_WHOLE = re.compile(r"-?[0-9]{1,18}|1[0-9]{18}")
_INTEGER, _UNSIGNED = ord("i"), ord("u")


def values_of(texts: Any) -> NDArray[np.float64] | None:
    """Field values of an array of texts: floats, integers with ``i``, unsigned with ``u``; None for anything else.

    >>> values_of(pa.array(["1.5", "-2i", "1e3"])).tolist()
    [1.5, -2.0, 1000.0]
    """
    octets = np.frombuffer(texts.buffers()[2], np.uint8)
    if _plain(texts):
        return _finite(_cast(texts, pa.float64()))
    offsets = np.frombuffer(texts.buffers()[1], np.int32)
    if bool((offsets[1:] == offsets[:-1]).any()):
        return None
    last = octets[offsets[1:] - 1]
    whole = (last == _INTEGER) | (last == _UNSIGNED)
    if not bool(whole.any()):
        return _scientific(texts, octets)
    values = np.empty(len(texts))
    for kind, of_kind in ((pa.int64(), last == _INTEGER), (pa.uint64(), last == _UNSIGNED)):
        if bool(of_kind.any()):
            digits = pc.utf8_slice_codeunits(texts.filter(pa.array(of_kind)), 0, -1)
            numbers = _cast(digits, kind) if _plain(digits) else None
            if numbers is None:
                return None
            values[of_kind] = numbers
    if not bool(whole.all()):
        floats = texts.filter(pa.array(~whole))
        numbers = _scientific(floats, np.frombuffer(floats.buffers()[2], np.uint8))
        if numbers is None:
            return None
        values[~whole] = numbers
    return values


def times_of(texts: Any) -> NDArray[np.int64] | None:
    """Whole numbers of an array of texts; None when one is not.

    >>> times_of(pa.array(["17", "-5"])).tolist(), times_of(pa.array(["1.5"]))
    ([17, -5], None)
    """
    first: str = texts[0].as_py()
    if texts.buffers()[2].equals(pa.py_buffer(first.encode() * len(texts))):
        return np.full(len(texts), int(first), np.int64) if _WHOLE.fullmatch(first) else None
    return _cast(texts, pa.int64()) if _plain(texts) else None


def _scientific(texts: Any, octets: NDArray[np.uint8]) -> NDArray[np.float64] | None:
    """Floats that may have exponents."""
    text = octets.tobytes()
    if text.translate(None, b"0123456789.-+eE") or text.count(b"+") != text.count(b"e+") + text.count(b"E+"):
        return None
    return _finite(_cast(texts, pa.float64()))


def _plain(texts: Any) -> bool:
    """Digits, minus signs, dots: Arrow would also read hexadecimal."""
    return not bool((np.frombuffer(texts.buffers()[2], np.uint8) - _FIRST > _SPAN).any())


def _cast(texts: Any, kind: Any) -> Any:
    try:
        return texts.cast(kind).to_numpy(zero_copy_only=False)
    except pa.ArrowInvalid:
        return None


def _finite(numbers: Any) -> NDArray[np.float64] | None:
    return None if numbers is None or not bool(np.isfinite(numbers).all()) else numbers
