"""Parameters of a query or a form, as every protocol here reads them; what they mean is each protocol's affair."""

from __future__ import annotations

from urllib.parse import unquote_to_bytes

_OF_JSON = ((b"%22", b'"'), (b"%3A", b":"), (b"%2C", b","), (b"%7B", b"{"), (b"%7D", b"}"))
"""Most of what is escaped. None of it is a percent sign or a hexadecimal digit, so no new escape comes of it."""


def parameters(encoded: bytes, into: dict[str, str]) -> dict[str, str]:
    """Adds the parameters of a query or a form to ``into``; of a name given twice the last stands, as in PHP.

    >>> parameters(b"node=emon+tx&json=%7Ba:1%7D&time", {})
    {'node': 'emon tx', 'json': '{a:1}', 'time': ''}
    """
    for part in encoded.split(b"&"):
        if part:
            name, _, value = part.partition(b"=")
            into[_text(name)] = _text(value)
    return into


def _text(encoded: bytes) -> str:
    if b"+" in encoded:
        encoded = encoded.replace(b"+", b" ")
    if b"%" in encoded:
        for escaped, plain in _OF_JSON:
            encoded = encoded.replace(escaped, plain)
        if b"%" in encoded:
            encoded = unquote_to_bytes(encoded)
    return encoded.decode("utf-8", "replace")
