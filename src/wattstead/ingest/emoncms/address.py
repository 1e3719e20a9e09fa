"""The address of an EmonCMS input: ``emon/<node>/<name>``; it looks nothing up."""

from __future__ import annotations

from wattstead.ingest.emoncms.names import clean

PREFIX = "emon/"


def address_of(node: str, name: str) -> str:
    """The address of an input; names are cleaned first, so neither holds a slash.

    >>> address_of("emontx", "power1"), address_of("", "1")
    ('emon/emontx/power1', 'emon/0/1')
    """
    return f"{PREFIX}{clean(node) or '0'}/{clean(name)}"


def input_of(address: str) -> tuple[str, str] | None:
    """Node and name of an input; None when the address is not one of EmonCMS.

    >>> input_of("emon/emontx/power1")
    ('emontx', 'power1')
    """
    if not address.startswith(PREFIX):
        return None
    node, slash, name = address[len(PREFIX) :].partition("/")
    return (node, name) if slash else None
