"""XML from strangers, read as a tree: no document types, no entities, nothing that lies elsewhere."""

from __future__ import annotations

from typing import Any
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from wattstead.ingest.errors import BodyInvalid

_MOST_DEPTH = 100


def tree_of(raw: bytes) -> Element:
    """The root; names are local ones, without their namespaces. Raises `BodyInvalid`.

    >>> tree_of(b'<a xmlns="urn:x"><b c="1">t</b></a>').findtext("b")
    't'
    """
    builder = TreeBuilder()
    depth = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > _MOST_DEPTH:
            raise BodyInvalid("XML", f"elements lie more than {_MOST_DEPTH} deep")
        builder.start(_local(name), {_local(key): value for key, value in attributes.items()})

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(_local(name))

    def refuse(*told: Any) -> None:
        raise BodyInvalid("XML", "it has a document type, which is not read")

    parser = expat.ParserCreate(namespace_separator="}")
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(raw, True)
        root: Element = builder.close()
    except expat.ExpatError as fault:
        raise BodyInvalid("XML", f"{fault}; is it XML at all?") from None
    return root


def _local(name: str) -> str:
    return name.rpartition("}")[2]


def text_of(element: Element | None, path: str) -> str:
    """The text at a path below an element, stripped; empty where there is none."""
    found = None if element is None else element.findtext(path)
    return (found or "").strip()
