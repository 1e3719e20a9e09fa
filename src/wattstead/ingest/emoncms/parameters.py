"""Parameters of EmonCMS requests, from the query and the form, and the names in them; it knows no readings."""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

_DROPPED = re.compile(r"[^\w\s\-.]+")
_SPACES = re.compile(r"\s+")


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
        encoded = unquote_to_bytes(encoded)
    return encoded.decode("utf-8", "replace")


def clean(name: str) -> str:
    """A node or input name as EmonCMS keeps it: letters, digits, ``_``, ``-``, ``.`` and space of any script.

    >>> clean("sensor.power/kW"), clean("Küche 1")
    ('sensor.powerkW', 'Küche 1')
    """
    return _SPACES.sub(" ", _DROPPED.sub("", name)).strip()
