"""What an InfluxQL statement asks, as frozen values; asks nobody and formats nothing."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from wattstead.web.influx.pattern import Pattern


class Fill(StrEnum):
    """What stands in a time bucket without readings."""

    NULL = "null"
    NONE = "none"
    PREVIOUS = "previous"
    NUMBER = "number"


class TagMatch(msgspec.Struct, frozen=True):
    """One tag fits a pattern, or does not; a tag that a point lacks reads as an empty text."""

    tag: str
    pattern: Pattern
    negated: bool = False

    def holds(self, tags: Mapping[str, str]) -> bool:
        """Whether these tags fulfil the condition."""
        return self.pattern.matches(tags.get(self.tag, "")) is not self.negated


class AllOf(msgspec.Struct, frozen=True):
    """All terms hold; without terms always."""

    terms: tuple[Condition, ...] = ()

    def holds(self, tags: Mapping[str, str]) -> bool:
        """Whether these tags fulfil all terms."""
        return all(term.holds(tags) for term in self.terms)


class AnyOf(msgspec.Struct, frozen=True):
    """One of the terms holds."""

    terms: tuple[Condition, ...]

    def holds(self, tags: Mapping[str, str]) -> bool:
        """Whether these tags fulfil one of the terms."""
        return any(term.holds(tags) for term in self.terms)


Condition = TagMatch | AllOf | AnyOf

AGGREGATES = ("mean", "sum", "min", "max", "first", "last", "count")
"""What may be computed of a field."""
SELECTORS = frozenset({"min", "max", "first", "last"})
"""Those that pick a reading, whose own time is told when there is no time grouping."""


class Column(msgspec.Struct, frozen=True):
    """One column of the answer: a field (``*``: every field), and what is computed of it; empty: the readings."""

    field: str
    aggregate: str
    name: str
    """The column's name in the answer; for ``*`` the fields' names are added."""


class Span(msgspec.Struct, frozen=True):
    """From ``start_us`` up to and without ``end_us``; None: open."""

    start_us: int | None = None
    end_us: int | None = None


class Select(msgspec.Struct, frozen=True):
    """SELECT: columns of the points of some measurements within a span, by tags and by time."""

    columns: tuple[Column, ...]
    measurements: tuple[Pattern, ...]
    condition: Condition
    span: Span
    every_us: int = 0
    offset_us: int = 0
    tags: tuple[str, ...] = ()
    every_tag: bool = False
    fill: Fill = Fill.NULL
    fill_value: float = 0.0
    descending: bool = False
    limit: int = 0
    offset: int = 0
    series_limit: int = 0
    series_offset: int = 0
    zone: str = "UTC"


class Show(msgspec.Struct, frozen=True):
    """SHOW …: what there is; ``subject`` in capitals, such as ``TAG VALUES``."""

    subject: str
    measurements: tuple[Pattern, ...] = ()
    condition: Condition = AllOf()
    keys: tuple[Pattern, ...] = ()
    limit: int = 0
    offset: int = 0


class Done(msgspec.Struct, frozen=True):
    """A statement that clients send before they write and that has nothing to do here: CREATE DATABASE."""


Statement = Select | Show | Done
