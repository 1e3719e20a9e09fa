"""What the source says about structs and their fields, for the reference; changes nothing of them."""

from __future__ import annotations

import ast
import inspect
import textwrap
from itertools import pairwise

import msgspec


def field_texts(struct: type[msgspec.Struct]) -> dict[str, str]:
    """The texts written below the fields of a struct, by field.

    >>> from wattstead.metering.errors import Issue
    >>> field_texts(Issue)["reason"]
    'What was found and what was expected, one sentence.'
    """
    (found,) = ast.parse(textwrap.dedent(inspect.getsource(struct))).body
    texts: dict[str, str] = {}
    body = found.body if isinstance(found, ast.ClassDef) else []
    for field, text in pairwise(body):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(text, ast.Expr)
            and isinstance(text.value, ast.Constant)
        ):
            texts[field.target.id] = inspect.cleandoc(str(text.value.value))
    return texts


def structs() -> list[type[msgspec.Struct]]:
    """Every struct of ours that has been loaded."""
    found: list[type[msgspec.Struct]] = []
    waiting = list(msgspec.Struct.__subclasses__())
    while waiting:
        struct = waiting.pop()
        waiting += struct.__subclasses__()
        if struct.__module__.startswith("wattstead."):
            found.append(struct)
    return found
