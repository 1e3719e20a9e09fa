"""Parameters of a query or a form, as every protocol here reads them; what they mean is each protocol's affair."""

from __future__ import annotations

from urllib.parse import unquote_to_bytes

_MOST_KNOWN, _LONGEST_KNOWN = 4_096, 64
_known: dict[bytes, tuple[str, str]] = {}
"""Short parameters read lately: a sender's node and key are the same from one request to the next."""
_OF_JSON = ((b"%22", b'"'), (b"%3A", b":"), (b"%2C", b","), (b"%7B", b"{"), (b"%7D", b"}"))
"""Most of what is escaped. None of it is a percent sign or a hexadecimal digit, so no new escape comes of it."""


def parameters(encoded: bytes, into: dict[str, str]) -> dict[str, str]:
    """Adds the parameters of a query or a form to ``into``; of a name given twice the last stands, as in PHP.

    >>> parameters(b"node=emon+tx&json=%7Ba:1%7D&time", {})
    {'node': 'emon tx', 'json': '{a:1}', 'time': ''}
    """
    for part in encoded.split(b"&"):
        if part:
            name, value = _known.get(part) or _pair(part)
            into[name] = value
    return into


def _pair(part: bytes) -> tuple[str, str]:
    name, _, value = part.partition(b"=")
    pair = _text(name), _text(value)
    if len(part) <= _LONGEST_KNOWN and b"%" not in part:
        if len(_known) >= _MOST_KNOWN:
            _known.clear()
        _known[part] = pair
    return pair


def _text(encoded: bytes) -> str:
    if b"+" in encoded:
        encoded = encoded.replace(b"+", b" ")
    if b"%" in encoded:
        for escaped, plain in _OF_JSON:
            encoded = encoded.replace(escaped, plain)
        if b"%" in encoded:
            encoded = unquote_to_bytes(encoded)
    return encoded.decode("utf-8", "replace")
