"""Any JSON a sender may write, also what Python writes for numbers that are not finite; readings are unknown here."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from wattstead.ingest.errors import BodyInvalid

_decoder = msgspec.json.Decoder()


def loads(body: bytes | str) -> Any:
    """The value; ``NaN`` and ``Infinity`` come as such, so that the one reading can be named.

    Raises `BodyInvalid` with the place.
    """
    try:
        return _decoder.decode(body)
    except (msgspec.DecodeError, RecursionError):
        pass
    try:
        return json.loads(body.decode("utf-8-sig") if isinstance(body, bytes) else body)
    except json.JSONDecodeError as error:
        raise BodyInvalid(f"line {error.lineno}, column {error.colno}", f"not JSON: {error.msg}") from None
    except UnicodeDecodeError as error:
        raise BodyInvalid(f"byte {error.start}", "not UTF-8") from None
    except (RecursionError, ValueError) as error:
        raise BodyInvalid("body", f"not JSON that can be read: {error}") from None
