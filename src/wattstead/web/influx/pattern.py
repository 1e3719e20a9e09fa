"""The regular expressions that InfluxQL clients really send: alternatives of literal texts with ``.*`` and anchors.

Anything beyond is refused by name, so that no pattern can take more than linear time.
"""

from __future__ import annotations

from functools import lru_cache

import msgspec

from wattstead.web.influx.tokens import ParseError

MOST_ALTERNATIVES = 2_000
"""Alternatives one pattern may have after its groups are multiplied out."""

_START, _END, _ANY = object(), object(), object()
_SPECIAL = frozenset("[]{}+?.*")


class Alternative(msgspec.Struct, frozen=True):
    """Literal pieces with anything between them, anchored at either end or not."""

    pieces: tuple[str, ...]
    at_start: bool
    at_end: bool

    def matches(self, text: str) -> bool:
        """Whether the pieces stand in ``text`` in this order, without overlap.

        >>> Alternative(("a", "c"), True, True).matches("abc")
        True
        """
        first, last = self.pieces[0], self.pieces[-1]
        if len(self.pieces) == 1 and self.at_start and self.at_end:
            return text == first
        if self.at_start and not text.startswith(first):
            return False
        stop = len(text) - len(last) if self.at_end else len(text)
        if stop < 0 or (self.at_end and not text.endswith(last)):
            return False
        place = len(first) if self.at_start else 0
        middle = self.pieces[1 if self.at_start else 0 : len(self.pieces) - 1 if self.at_end else None]
        for piece in middle:
            found = text.find(piece, place, stop)
            if found < 0:
                return False
            place = found + len(piece)
        return place <= stop


class Pattern(msgspec.Struct, frozen=True):
    """What a tag's value or a measurement's name must be: one of some alternatives."""

    alternatives: tuple[Alternative, ...]
    any_case: bool = False

    def matches(self, text: str) -> bool:
        """Whether one of the alternatives fits ``text``."""
        shown = text.lower() if self.any_case else text
        return any(alternative.matches(shown) for alternative in self.alternatives)

    @staticmethod
    def exactly(text: str) -> Pattern:
        """The pattern that fits this text and no other."""
        return Pattern((Alternative((text,), True, True),))


@lru_cache(maxsize=256)
def pattern(regex: str) -> Pattern:
    """The pattern of a regular expression; `ParseError` when it is more than alternatives of texts and ``.*``.

    >>> pattern("^(a|b.*)$").matches("bee"), pattern("^(a|b.*)$").matches("xb")
    (True, False)
    """
    any_case = regex.startswith("(?i)")
    body = regex[4:] if any_case else regex
    reader = _Reader(body.lower() if any_case else body, regex)
    rows = reader.alternatives(depth=0)
    if reader.place < len(reader.text):
        raise reader.refuse("an unbalanced )")
    if any(_START in row[1:] or _END in row[:-1] for row in rows):
        raise reader.refuse("an anchor in the middle")
    return Pattern(tuple(_alternative(row) for row in rows), any_case)


def _alternative(row: tuple[object, ...]) -> Alternative:
    at_start = bool(row) and row[0] is _START
    at_end = bool(row) and row[-1] is _END
    pieces = [""]
    for part in row:
        if part is _ANY:
            pieces.append("")
        elif isinstance(part, str):
            pieces[-1] += part
    return Alternative(tuple(pieces), at_start, at_end)


class _Reader:
    """Reads one expression from left to right."""

    def __init__(self, text: str, whole: str) -> None:
        self.text, self.whole, self.place = text, whole, 0

    def refuse(self, what: str) -> ParseError:
        return ParseError(
            f"error parsing regexp: /{self.whole}/ has {what}; supported are alternatives of texts, .*, ^, $ and (?i)"
        )

    def alternatives(self, depth: int) -> list[tuple[object, ...]]:
        rows = self.sequence(depth)
        while self.place < len(self.text) and self.text[self.place] == "|":
            self.place += 1
            rows += self.sequence(depth)
        return self.bounded(rows)

    def sequence(self, depth: int) -> list[tuple[object, ...]]:
        rows: list[tuple[object, ...]] = [()]
        while self.place < len(self.text) and self.text[self.place] not in "|)":
            parts = self.part(depth)
            rows = self.bounded([(*row, *part) for row in rows for part in parts])
        return rows

    def bounded(self, rows: list[tuple[object, ...]]) -> list[tuple[object, ...]]:
        if len(rows) > MOST_ALTERNATIVES:
            raise self.refuse(f"more than {MOST_ALTERNATIVES} alternatives")
        return rows

    def part(self, depth: int) -> list[tuple[object, ...]]:
        letter = self.text[self.place]
        if letter == "(":
            return self.group(depth)
        if self.text.startswith(".*", self.place):
            self.place += 2
            return [(_ANY,)]
        if letter == "\\" and self.place + 1 < len(self.text):
            if self.text[self.place + 1].isalnum():
                raise self.refuse(f"the class \\{self.text[self.place + 1]}")
            self.place += 2
            return [(self.text[self.place - 1],)]
        if letter in _SPECIAL:
            raise self.refuse(f"a {letter}")
        self.place += 1
        return [({"^": _START, "$": _END}.get(letter, letter),)]

    def group(self, depth: int) -> list[tuple[object, ...]]:
        self.place += 3 if self.text.startswith("(?:", self.place) else 1
        if self.text.startswith("?", self.place) or depth > 8:
            raise self.refuse("a group of a kind or depth that is not supported")
        rows = self.alternatives(depth + 1)
        if not self.text.startswith(")", self.place):
            raise self.refuse("an unclosed (")
        self.place += 1
        return rows
