"""Topic patterns with named levels: the filter to subscribe to, and which names a topic gives them.

>>> pattern = TopicPattern("meters/{site}/+/{rest...}")
>>> pattern.filter, pattern.match("meters/a/b/c/d")
('meters/+/+/#', {'site': 'a', 'rest': 'c/d'})
"""

from __future__ import annotations

import re

from wattstead.ingest.errors import ParameterInvalid

_NAMED = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)(\.\.\.)?\}")


class TopicPattern:
    """A topic filter of MQTT whose wildcards may have names: ``{name}`` is ``+``, a last ``{name...}`` is ``#``."""

    __slots__ = ("_levels", "_rest", "filter", "names")

    def __init__(self, pattern: str) -> None:
        """Raises `ParameterInvalid` for a pattern that is none."""
        self._levels: list[tuple[str, str | None]] = []
        """Per level its text, and the name of a wildcard: empty for none, None where the text must be met."""
        self._rest: str | None = None
        self.names: set[str] = set()
        levels = pattern.split("/")
        for at, level in enumerate(levels):
            last = at == len(levels) - 1
            named = _NAMED.fullmatch(level)
            if named is not None and named[2] is None:
                self._levels.append(("+", self._name(pattern, named[1])))
            elif level == "+":
                self._levels.append(("+", ""))
            elif last and named is not None:
                self._rest = self._name(pattern, named[1])
            elif last and level == "#":
                self._rest = ""
            elif any(one in level for one in "+#{}\0"):
                raise ParameterInvalid("topic", pattern, "levels of text, +, {name}, and at the end # or {name...}")
            else:
                self._levels.append((level, None))
        self.filter = "/".join([text for text, _ in self._levels] + ([] if self._rest is None else ["#"]))

    def _name(self, pattern: str, name: str) -> str:
        if name in self.names:
            raise ParameterInvalid("topic", pattern, f"each name once; {name} occurs twice")
        self.names.add(name)
        return name

    def match(self, topic: str) -> dict[str, str] | None:
        """The named levels of a topic; None when it does not match. A ``#`` matches no level too, as in MQTT."""
        given = topic.split("/")
        count = len(self._levels)
        if len(given) < count or (self._rest is None and len(given) > count):
            return None
        if topic.startswith("$") and self._levels[:1] and self._levels[0][1] is not None:
            return None
        found: dict[str, str] = {}
        for (text, name), level in zip(self._levels, given, strict=False):
            if name is None:
                if level != text:
                    return None
            elif name:
                found[name] = level
        if self._rest:
            found[self._rest] = "/".join(given[count:])
        return found
