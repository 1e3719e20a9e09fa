"""JSON and numbers as PHP writes them, because clients of EmonCMS compare texts; knows no routes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from json.encoder import encode_basestring_ascii

Json = None | bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"]


def number(value: float) -> str:
    """A number as PHP's json_encode writes it; ``null`` for what is none.

    >>> [number(v) for v in (1.0, 0.1, -2.5, 1e25, 0.00001, float("nan"))]
    ['1', '0.1', '-2.5', '1.0e+25', '1.0e-5', 'null']
    """
    if not math.isfinite(value):
        return "null"
    if value == int(value) and abs(value) < 1e17:
        return "-0.0" if value == 0 and math.copysign(1, value) < 0 else str(int(value))
    text = repr(float(value))
    mantissa, mark, exponent = text.partition("e")
    if not mark:
        return text
    return f"{mantissa if '.' in mantissa else mantissa + '.0'}e{int(exponent):+d}"


def json(value: Json) -> str:
    r"""A value as PHP's json_encode writes it: no blanks, ``\/`` and ``\u00e9``.

    >>> json({"success": True, "name": "é/b", "value": [1.0, None]})
    '{"success":true,"name":"\\u00e9\\/b","value":[1,null]}'
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return number(value)
    if isinstance(value, str):
        return encode_basestring_ascii(value).replace("/", "\\/")
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{json(str(k))}:{json(v)}" for k, v in value.items()) + "}"
    return "[" + ",".join(json(v) for v in value) + "]"


def whole(text: str | None) -> int:
    """What ``(int)`` makes of a text: its leading whole number, or 0.

    >>> whole("12abc"), whole("x"), whole(None), whole("-3.9")
    (12, 0, 0, -3)
    """
    digits = ""
    for letter in (text or "").strip()[:19]:
        if not (letter.isascii() and letter.isdigit()) and not (letter in "+-" and not digits):
            break
        digits += letter
    return int(digits) if digits.strip("+-") else 0


def is_numeric(text: str) -> bool:
    """What PHP's ``is_numeric`` says.

    >>> is_numeric(" 1.5e3"), is_numeric("1,5"), is_numeric("daily")
    (True, False, False)
    """
    try:
        return math.isfinite(float(text)) and "_" not in text
    except ValueError:
        return False
