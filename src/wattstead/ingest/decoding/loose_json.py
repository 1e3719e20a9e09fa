"""Any JSON a sender may write, also what Python writes for numbers that are not finite; readings are unknown here."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from wattstead.ingest.errors import BodyInvalid

_decoder = msgspec.json.Decoder()


def loads(body: bytes | str, odd_bytes: str = "strict") -> Any:
    """The value; ``NaN`` and ``Infinity`` come as such, so that the one reading can be named.

    ``odd_bytes``: what becomes of bytes that are not UTF-8, in Python's words; with ``surrogateescape`` too the one
    reading can be named. Raises `BodyInvalid` with the place.
    """
    try:
        return _decoder.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        pass
    try:
        return json.loads(body.decode("utf-8-sig", odd_bytes) if isinstance(body, bytes) else body)
    except json.JSONDecodeError as error:
        if isinstance(body, bytes) and odd_bytes != "strict":
            return loads(body)  # one that is no UTF-8 either is told by that
        raise BodyInvalid(f"line {error.lineno}, column {error.colno}", f"not JSON: {error.msg}") from None
    except UnicodeDecodeError as error:
        raise BodyInvalid(f"byte {error.start}", "not UTF-8") from None
    except (RecursionError, ValueError) as error:
        raise BodyInvalid("body", f"not JSON that can be read: {error}") from None
