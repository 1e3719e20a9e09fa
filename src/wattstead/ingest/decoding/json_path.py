"""JsonPath: where in a JSON value something stands: ``a.b``, ``a[0].b``, ``*`` for every key or item; nothing else.

>>> [*JsonPath("phases[*].w").find({"phases": [{"w": 1}, {"w": 2}]})]
[(('0',), 1), (('1',), 2)]
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from wattstead.ingest.errors import ParameterInvalid

_STEP = re.compile(r"(?:^|\.)([^.\[\]]+)|\[(\d+|\*)\]|\[\"([^\"\]]*)\"\]")
MISSING: Final = object()
"""What `JsonPath.one` gives where there is nothing."""


class JsonPath:
    """A path; empty: the value itself. Raises `ParameterInvalid` for what is none."""

    __slots__ = ("stars", "steps")

    def __init__(self, text: str) -> None:
        self.steps: list[str | int | None] = []
        """Keys and positions; None for every one."""
        plain = text.strip().removeprefix("$").removeprefix(".")
        at = 0
        while at < len(plain):
            step = _STEP.match(plain, at) or (_STEP.match("." + plain[at:]) if at == 0 else None)
            if step is None or step.end() == step.start():
                raise ParameterInvalid("path", text, 'names with dots, and positions: a.b, a[0].b, a[*].b, a["b.c"]')
            name, position, quoted = step.groups()
            if position is not None:
                self.steps.append(None if position == "*" else int(position))
            else:
                self.steps.append(quoted if quoted is not None else None if name == "*" else name)
            at = step.end()
        self.stars = self.steps.count(None)

    def one(self, found: Any, stars: Sequence[str] = ()) -> Any:
        """What stands there, each star replaced by what it met elsewhere; `MISSING` where nothing does."""
        met = iter(stars)
        for step in self.steps:
            key = next(met, None) if step is None else step
            if isinstance(found, dict):
                found = found.get(key, MISSING)
            elif isinstance(found, list):
                try:
                    found = found[int(key)]  # type: ignore[arg-type]
                except (IndexError, ValueError, TypeError):
                    return MISSING
            else:
                return MISSING
        return found

    def find(self, found: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
        """All that stands there, each with what the stars met."""
        yield from _walk(self.steps, 0, found, ())


def _walk(
    steps: Sequence[str | int | None], at: int, found: Any, met: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], Any]]:
    if at == len(steps):
        yield met, found
        return
    step = steps[at]
    if step is not None:
        inside = isinstance(step, int) and isinstance(found, list) and step < len(found)
        if inside or (isinstance(found, dict) and step in found):
            yield from _walk(steps, at + 1, found[step], met)
    elif isinstance(found, dict):
        for key, value in found.items():
            yield from _walk(steps, at + 1, value, (*met, key))
    elif isinstance(found, list):
        for position, value in enumerate(found):
            yield from _walk(steps, at + 1, value, (*met, str(position)))
