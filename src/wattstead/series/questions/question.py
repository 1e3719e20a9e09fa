"""Question: what is asked of the tiers, as a frozen value, and the one statement it becomes; asks nothing itself."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from enum import StrEnum
from itertools import pairwise

import msgspec

from wattstead.metering.point import StepMode, StepRule
from wattstead.series.rows import filled, from_readings, from_rows, lean_rows, single_rows, sums, unsettled_rows
from wattstead.series.tiers import LONGEST_DAY_US, Tier, among, within

_ROW = "point, bucket, count, min, max, sum, first_time, first_value, last_time, last_value, step, flags"
_PART = "point, bucket, counts AS part_counts, lowest AS part_lowest, highest AS part_highest, sums AS part_sums"


NO_CELL = 2**32 - 1
"""The cell of points that nobody asked for, in answers of sums."""
_SPARSE = 2


class Answer(StrEnum):
    """What the rows of an answer are."""

    ROWS = "rows"
    """The tier's own rows with their versions, of which the greatest stands, and readings as rows of one: for few
    rows, to be settled and merged by who asked. Needs no edges."""
    MERGED = "merged"
    """A row per bucket and piece, with first and last readings and steps."""
    CELLS = "cells"
    """A row per bucket and cell of points, with count, smallest, largest, sum, and the sum of the points' means."""
    SUMS = "sums"
    """The same for each piece, without the means of single points: a third of the work."""


class Piece(msgspec.Struct, frozen=True):
    """A part of the time asked for, [start, end), and the tier that answers it."""

    tier: Tier
    start_us: int
    end_us: int


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """Buckets of points: ``edges_us`` grows strictly; ``pieces`` lie in order of time and do not overlap.

    A row or reading counts in the bucket in which it begins. A bucket that several pieces touch has several rows in
    an answer of rows, to be merged by who asked.
    """

    points: tuple[int, ...]
    pieces: tuple[Piece, ...]
    edges_us: tuple[int, ...] = ()
    answer: Answer = Answer.MERGED
    modes: tuple[StepMode, ...] = tuple(StepMode)
    """All step modes there are among the points."""
    rule: StepRule | None = None
    """The rule of all points, where they share one."""
    cells: tuple[int, ...] = ()
    """The cell of each point, beside ``points``; for an answer of cells or sums."""
    numbers: bool = True
    """Whether merged rows of rollups come with the smallest, the largest and the sum."""
    most: int = 0
    """Of an answer of rows: how many readings of each piece at most, any of them; 0: all."""
    extremes: bool = True
    """Whether sums come with the smallest and the largest value."""


def statements(question: Question) -> list[str]:
    """What is to be asked: one statement, or of rows one for each piece, since the store takes longer to put them
    together than to answer each.

    >>> asked = Question(points=(7,), pieces=(Piece(Tier.DAY, 0, 1), Piece(Tier.RAW, 1, 2)), answer=Answer.ROWS)
    >>> len(statements(asked))
    2
    """
    if question.answer is not Answer.ROWS:
        return [compiled(question)] if question.pieces else []
    return [
        unsettled_rows(piece.tier, within(piece.tier, piece.start_us, piece.end_us, question.points), question.most)
        for piece in question.pieces
    ]


def compiled(question: Question) -> str:
    """The statement: one SELECT per piece, put together.

    >>> asked = Question(points=(7,), edges_us=(0, 60_000_000), pieces=(Piece(Tier.MINUTE, 0, 60_000_000),))
    >>> "FROM minute FINAL" in compiled(asked)
    True
    """
    if question.answer is Answer.CELLS:
        return _cells(question)
    if question.answer is Answer.SUMS:
        return "\nUNION ALL\n".join(_sums(question, piece) for piece in question.pieces)
    return "\nUNION ALL\n".join(_select(question, piece) for piece in question.pieces)


def _cells(question: Question) -> str:
    means = [
        lean_rows(
            piece.tier,
            _bucket(piece.tier, _edges_inside(question.edges_us, piece)),
            within(piece.tier, piece.start_us, piece.end_us, question.points),
        )
        for piece in question.pieces
    ]
    if len(means) > 1:
        parts = "\nUNION ALL\n".join(f"SELECT {_PART}\nFROM\n(\n{mean}\n)" for mean in means)
        means = [filled("joined_means", means=parts)]
    points, cells = (", ".join(map(str, numbers)) for numbers in (question.points, question.cells))
    return filled("cells", means=means[0], points=points, cells=cells)


def _sums(question: Question, piece: Piece) -> str:
    """Points that fill most of their range of numbers are asked for as that range, and others in it left out after."""
    low, high = min(question.points), max(question.points)
    if high - low < _SPARSE * len(question.points):
        where = f"point >= {low} AND point <= {high} AND {within(piece.tier, piece.start_us, piece.end_us)}"
    else:
        where = within(piece.tier, piece.start_us, piece.end_us, question.points)
    points, cells = (", ".join(map(str, numbers)) for numbers in (question.points, question.cells))
    cell = f"transform(point, [{points}]::Array(UInt32), [{cells}]::Array(UInt32), toUInt32({NO_CELL}))"
    bucket = _bucket(piece.tier, _edges_inside(question.edges_us, piece))
    return sums(piece.tier, cell, bucket, where, question.extremes)


def _select(question: Question, piece: Piece) -> str:
    where = within(piece.tier, piece.start_us, piece.end_us, question.points)
    edges = _edges_inside(question.edges_us, piece)
    if piece.tier is not Tier.RAW and _is_own_grid(piece, edges):
        return single_rows(piece.tier, where)
    if piece.tier is Tier.RAW:
        rows = from_readings(_bucket(piece.tier, edges), where, among(question.points), question.modes, question.rule)
    else:
        bucket, of_rules = _bucket(piece.tier, edges), among(question.points)
        rows = from_rows(piece.tier, bucket, where, of_rules, question.modes, question.numbers, question.rule)
    return f"SELECT {_ROW}\nFROM\n(\n{rows})"


def _edges_inside(edges_us: tuple[int, ...], piece: Piece) -> tuple[int, ...]:
    """The edges of the buckets that a piece touches."""
    first = max(bisect_right(edges_us, piece.start_us) - 1, 0)
    last = min(bisect_left(edges_us, piece.end_us), len(edges_us) - 1)
    return edges_us[first : last + 1]


def _bucket(tier: Tier, edges: tuple[int, ...]) -> str:
    """The start of the bucket in which a row begins, in µs, as an expression."""
    time = "time_us" if tier is Tier.RAW else tier.start_sql
    first, last = (1, -1) if len(edges) > 3 else (0, len(edges))
    width = edges[first + 1] - edges[first]
    if not all(b - a == width for a, b in pairwise(edges[first:last])):
        return f"roundDown({time}, [{', '.join(map(str, edges[:-1]))}]::Array(Int64))"
    if edges[first] - edges[0] == width:
        first = 0
    bucket = f"{edges[first]} + intDiv({time} - {edges[first]}, {width}) * {width}"
    if edges[-1] - edges[-2] > width:
        bucket = f"if({time} >= {edges[-2]}, {edges[-2]}, {bucket})"
    if first:
        bucket = f"if({time} < {edges[first]}, {edges[0]}, {bucket})"
    return bucket


def _is_own_grid(piece: Piece, edges: tuple[int, ...]) -> bool:
    """Whether each row of the tier is a bucket already, or as good as: what is left to merge is merged by who asked."""
    most_us = LONGEST_DAY_US if piece.tier is Tier.DAY else piece.tier.length_us
    return all(b - a <= most_us for a, b in pairwise(edges))
