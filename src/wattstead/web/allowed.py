"""Which values a parameter, or a field of a body, may have, for the sentence that refuses another one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import inspect


def allowed(annotation: Any, path: Sequence[str] = ()) -> list[str]:
    """The values of an enumeration; ``path`` leads to it through fields of structs, lists are passed over.

    >>> from typing import Literal
    >>> allowed(list[Literal["a", "b"]] | None)
    ['a', 'b']
    """
    found: list[str] = []
    try:
        _collect(inspect.type_info(annotation), tuple(path), found)
    except TypeError:  # a type that comes from no request
        return []
    return found


def _collect(kind: Any, path: tuple[str, ...], found: list[str]) -> None:
    if isinstance(kind, inspect.Metadata):
        _collect(kind.type, path, found)
    elif isinstance(kind, inspect.UnionType):
        for one in kind.types:
            _collect(one, path, found)
    elif isinstance(kind, inspect.CollectionType):
        _collect(kind.item_type, path, found)
    elif path and isinstance(kind, inspect.StructType):
        for field in kind.fields:
            if field.encode_name == path[0]:
                _collect(field.type, path[1:], found)
    elif isinstance(kind, inspect.EnumType) and not path:
        found += [str(one.value) for one in kind.cls]
    elif isinstance(kind, inspect.LiteralType) and not path:
        found += map(str, kind.values)
