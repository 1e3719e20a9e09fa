"""Parameters of a query or a form, as every protocol here reads them; what they mean is each protocol's affair."""

from __future__ import annotations

from urllib.parse import unquote_to_bytes

_MOST_KNOWN, _LONGEST_KNOWN = 4_096, 64
_known: dict[bytes, tuple[str, str]] = {}
"""Short parameters read lately: a sender's node and key are the same from one request to the next."""
_PERCENT, _PLUS = ord("%"), ord("+")
"""A byte is looked for by its number: looked for as bytes it costs an error in the making, and three times as much."""


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
    if len(part) <= _LONGEST_KNOWN and _PERCENT not in part:
        if len(_known) >= _MOST_KNOWN:
            _known.clear()
        _known[part] = pair
    return pair


def unescaped(encoded: bytes) -> bytes:
    """What was escaped for a query or a form, as it was.

    >>> unescaped(b"%7B%22a+b%22%3A1%7D")
    b'{"a b":1}'
    """
    if _PLUS in encoded:
        encoded = encoded.replace(b"+", b" ")
    if _PERCENT in encoded:  # what JSON is made of comes first; nothing of it can be the beginning of another escape
        encoded = encoded.replace(b"%22", b'"').replace(b"%3A", b":").replace(b"%2C", b",")
        encoded = encoded.replace(b"%7B", b"{").replace(b"%7D", b"}")
        if _PERCENT in encoded:
            encoded = unquote_to_bytes(encoded)
    return encoded


def _text(encoded: bytes) -> str:
    return unescaped(encoded).decode("utf-8", "replace")
