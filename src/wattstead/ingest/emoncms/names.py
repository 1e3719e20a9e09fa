"""Names of nodes and inputs as EmonCMS keeps them; it looks nothing up."""

from __future__ import annotations

import re

_DROPPED = re.compile(r"[^\w\s\-.]+")
_SPACES = re.compile(r"\s+")


def clean(name: str) -> str:
    """A node or input name as EmonCMS keeps it: letters, digits, ``_``, ``-``, ``.`` and space of any script.

    >>> clean("sensor.power/kW"), clean("Küche 1")
    ('sensor.powerkW', 'Küche 1')
    """
    return _SPACES.sub(" ", _DROPPED.sub("", name)).strip()
