"""Buckets of points: asks the tiers, fills the buckets, turns steps and numbers into base units.

The one place where a point's unit is applied to what is stored.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial
from typing import TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from wattstead.metering.point import Point, amount_per_step
from wattstead.metering.quantity import unit
from wattstead.metering.rollup import UnsortedError
from wattstead.series.connection import Connection
from wattstead.series.errors import AnswerTooLarge, RollupsChange, SeriesError, TooManyBuckets
from wattstead.series.marks import Marks
from wattstead.series.native import Columns
from wattstead.series.questions.answers import Buckets
from wattstead.series.questions.filling import Filled, fill, fill_nothing, rollup_rows
from wattstead.series.questions.nearest import nearest
from wattstead.series.questions.parts import SPLIT_POINTS, Part, parts
from wattstead.series.questions.plan import MANY_PIECES, after, before
from wattstead.series.questions.question import NO_CELL, Answer, Piece, Question, compiled, statements
from wattstead.series.questions.stretch import halves
from wattstead.series.questions.windows import gathered
from wattstead.series.rows import settled, together
from wattstead.series.rules import Rules
from wattstead.series.tiers import FIRST_US, LAST_US, Tier

Instants = NDArray[np.int64]
MOST_BUCKETS = 4_000_000
"""Buckets times points of one answer."""
_BUCKETS_AT_A_TIME = 250_000
"""Buckets times points of one question to the store, whose answers are limited to 64 MB."""
_MEANS_AT_A_TIME = 1_000_000
"""The same of means, which the store puts together before it answers."""
_AT_ONCE = 6
"""Statements for pieces of questions asked at once; apart from the parts of a question, which wait for them."""
_HALVED_ROWS = 100_000
"""From so many rows of few points on, the time is asked in two halves at once."""
_SUMS_SPLIT = 20_000
"""Points of one question for sums: half of them take the store nearly as long as all."""
_T = TypeVar("_T")


class Asking:
    """Questions for buckets, asked of one store."""

    def __init__(self, connection: Connection, marks: Marks, rules: Rules, executor: Executor) -> None:
        self._connection, self._marks, self._rules, self._executor = connection, marks, rules, executor
        self._pieces = ThreadPoolExecutor(_AT_ONCE, "series-pieces")

    def close(self) -> None:
        """Gives up the threads."""
        self._pieces.shutdown()

    def whole(
        self, points: Sequence[Point], edges_us: Instants, numbers: bool = True
    ) -> Iterator[tuple[list[Point], Filled]]:
        """The buckets of all points, some points at a time, in the points' own units and steps; without ``numbers``
        smallest, largest and sum may be NaN.

        Raises `SeriesError` for edges that do not grow, `TooManyBuckets`, `RollupsChange`, `AnswerTooLarge`, and what
        `Connection.columns` raises.
        """
        found = self._parts(points, edges_us, _BUCKETS_AT_A_TIME)
        for part, filled in zip(found, self._map(partial(self._whole, numbers=numbers), found), strict=True):
            yield list(part.points), filled

    def cells(self, cells: Mapping[Point, int], edges_us: Instants) -> Iterator[Columns]:
        """Means of points put together by cell: rows as of `question.Answer.CELLS`. Raises as `whole`."""
        found = self._parts(list(cells), edges_us, _MEANS_AT_A_TIME)
        yield from self._map(lambda part: self._cells(part, [cells[point] for point in part.points]), found)

    def sums(self, cells: Mapping[Point, int], edges_us: Instants, extremes: bool) -> Iterator[Columns]:
        """Sums of points put together by cell: rows as of `question.Answer.SUMS`. Raises as `whole`."""
        found = self._parts(list(cells), edges_us, _MEANS_AT_A_TIME, _SUMS_SPLIT)

        def ask(part: Part) -> Columns:
            return self._cells(part, [cells[point] for point in part.points], Answer.SUMS, extremes)

        for rows in self._map(ask, found):
            asked = rows["cell"] != NO_CELL if rows else []
            yield {name: values[asked] for name, values in rows.items()}

    def _parts(
        self, points: Sequence[Point], edges_us: Instants, most_buckets: int, split: int = SPLIT_POINTS
    ) -> list[Part]:
        edges_us = checked_edges(edges_us, len(points))
        expired = self._rules.expired([p.id for p in points])
        return parts(points, edges_us, self._marks.reach(), expired, most_buckets, self._rules.has_days, split)

    def _map(self, ask: Callable[[Part], _T], found: Sequence[Part]) -> Iterator[_T]:
        return self._executor.map(ask, found) if len(found) > 1 else map(ask, found)

    def _cells(self, part: Part, cells: Sequence[int], answer: Answer = Answer.CELLS, extremes: bool = True) -> Columns:
        edges = tuple(part.edges_us[1:-1].tolist())
        pieces = part.pieces(beside=False)
        return self._columns(
            Question(
                points=part.ids, edges_us=edges, pieces=pieces, answer=answer, cells=tuple(cells), extremes=extremes
            )
        )

    def _whole(self, part: Part, numbers: bool) -> Filled:
        """All buckets of a part; about half of its points at a time where that is more than the store gives at once, as
        when rollups are hours behind."""
        try:
            return self._at_once(part, numbers)
        except AnswerTooLarge:
            if len(part.points) < 2:
                raise
        first, second = (self._whole(half, numbers) for half in part.halved())
        return Filled(*(np.concatenate([getattr(first, n), getattr(second, n)]) for n in Filled.__slots__))

    def _at_once(self, part: Part, numbers: bool) -> Filled:
        pieces = part.pieces(beside=True)
        columns = self._pieced(part, pieces, numbers) if len(pieces) <= MANY_PIECES else self._windowed(part, pieces)
        columns = self._with_far_neighbours(columns, part)
        edges = part.edges_us
        if not columns:
            return _inside(fill_nothing(part.ids, edges))
        try:
            return _inside(fill(rollup_rows(columns, part.rules), part.ids, part.rules, edges))
        except UnsortedError as error:
            raise RollupsChange(len(part.ids)) from error

    def _pieced(self, part: Part, pieces: tuple[Piece, ...], numbers: bool) -> Columns:
        now_us, most = time.time_ns() // 1000, self._connection.limits.few_rows
        if _rows(pieces, min(now_us, part.reach.minute_us)) * len(part.ids) <= most:
            columns = self._few(part, pieces, most)
            if columns is not None:
                return columns
        question = Question(points=part.ids, edges_us=tuple(part.edges_us.tolist()), pieces=pieces, modes=part.modes,
                            rule=part.rule, numbers=numbers)  # fmt: skip
        many = _rows(pieces, now_us) * len(part.ids) >= _HALVED_ROWS and len(part.ids) < SPLIT_POINTS
        cut = halves(pieces, question.edges_us) if many else [pieces]
        asked = [compiled(msgspec.structs.replace(question, pieces=some)) for some in cut if some]
        return together(self._several(asked)) if asked else {}

    def _few(self, part: Part, pieces: tuple[Piece, ...], most: int) -> Columns | None:
        """The rows as they are; None where of some piece there are more than ``most``, as there may be of readings that
        are not rolled up yet: nobody knows how many those are before they are asked for."""
        asked = statements(Question(points=part.ids, pieces=pieces, answer=Answer.ROWS, most=most + 1))
        try:
            answers = list(map(self._connection.columns, asked) if len(asked) < 2 else self._several(asked))
        except AnswerTooLarge:
            return None
        if any(columns and len(columns["point"]) > most for columns in answers):
            return None
        columns = settled(answers)
        _check_days(columns, part, pieces)
        return columns

    def _windowed(self, part: Part, pieces: tuple[Piece, ...]) -> Columns:
        """The rows of many pieces: of short ones a statement for each tier."""
        alone, windows = gathered(pieces)
        asked = statements(Question(points=part.ids, pieces=tuple(alone), answer=Answer.ROWS))
        answers = list(self._several([*asked, *(one.statement(part.ids) for one in windows)]))
        near = [one.inside(columns) for one, columns in zip(windows, answers[len(asked) :], strict=True)]
        for one, columns in zip(windows, near, strict=True):
            if one.tier is Tier.DAY:
                _check_days(settled([columns]), part, [Piece(Tier.DAY, int(one.start_us[0]), int(one.end_us[-1]))])
        return settled([*answers[: len(asked)], *near])

    def _several(self, asked: Sequence[str]) -> Iterator[Columns]:
        """The answers to several statements, all asked at once; one of them from this thread."""
        others = [self._pieces.submit(self._connection.columns, sql) for sql in asked[1:]]
        yield self._connection.columns(asked[0])
        yield from (other.result() for other in others)

    def _columns(self, question: Question) -> Columns:
        return self._connection.columns(compiled(question)) if question.pieces else {}

    def _with_far_neighbours(self, columns: Columns, part: Part) -> Columns:
        """Beside the rows the readings next to the span, for registers that have none close to it."""
        low, high = int(part.edges_us[0]), int(part.edges_us[-1])
        lonely = _lonely(columns, part, last=True)
        if lonely and low > FIRST_US:
            found = nearest(self._connection, lonely, before(low, part.reach), last=True)
            columns = _joined(columns, found, low)
        lonely = _lonely(columns, part, last=False)
        if lonely and high < LAST_US:
            found = nearest(self._connection, lonely, after(high, part.reach, part.expired, len(lonely)), last=False)
            columns = _joined(columns, found, int(part.edges_us[-2]))
        return columns


def to_buckets(point: Point, filled: Filled, row: int, start_us: Instants) -> Buckets:
    """One point's buckets in base units."""
    base, worth = unit(point.unit), amount_per_step(point)
    count = filled.count[row]
    mean = filled.sum[row] / np.where(count > 0, count, 1) * base.factor + base.offset
    return Buckets(
        start_us=start_us,
        count=count,
        min=filled.min[row] * base.factor + base.offset,
        mean=mean,
        sum=np.where(count > 0, filled.sum[row] * base.factor + count * base.offset, np.nan),
        max=filled.max[row] * base.factor + base.offset,
        first=filled.first[row] * base.factor + base.offset,
        last=filled.last[row] * base.factor + base.offset,
        first_time_us=filled.first_time_us[row],
        last_time_us=filled.last_time_us[row],
        total=mean,
        amount=np.where(filled.known[row], filled.steps[row] * worth, np.nan),
        steps=filled.steps[row],
        flags=filled.flags[row],
    )


def checked_edges(edges_us: Instants, points: int) -> Instants:
    """The edges, where they grow and are not too many. Raises `SeriesError`, `TooManyBuckets`."""
    edges_us = np.asarray(edges_us, np.int64)
    if len(edges_us) < 2 or not bool((edges_us[1:] > edges_us[:-1]).all()):
        raise SeriesError(f"{len(edges_us)} edges; at least two are needed, each later than the one before")
    if (len(edges_us) - 1) * points > MOST_BUCKETS:
        raise TooManyBuckets((len(edges_us) - 1) * points, MOST_BUCKETS)
    return edges_us


def _rows(pieces: Sequence[Piece], until_us: int) -> float:
    """How many rows a point usually has in those pieces; none from ``until_us`` on."""
    paces_us = (1_000_000 if piece.tier is Tier.RAW else piece.tier.length_us for piece in pieces)
    return sum(max(0, min(p.end_us, until_us) - p.start_us) / pace for p, pace in zip(pieces, paces_us, strict=True))


def _check_days(columns: Columns, part: Part, pieces: Sequence[Piece]) -> None:
    """Raises `RollupsChange` where a local day begins at no midnight of the zone that was asked for."""
    for piece in pieces:
        if columns and piece.tier is Tier.DAY:
            start_us = columns["bucket"][(columns["bucket"] >= piece.start_us) & (columns["bucket"] < piece.end_us)]
            if not bool(np.isin(start_us, part.midnights(piece.start_us, piece.end_us)).all()):
                raise RollupsChange(len(part.ids))


def _lonely(columns: Columns, part: Part, last: bool) -> list[int]:
    """Registers that have readings on one side of the span or inside, and none on the other."""
    if not part.registers:
        return []
    if not columns:
        return part.registers if last else []
    beside = columns["bucket"] < part.edges_us[1] if last else columns["bucket"] >= part.edges_us[-2]
    there = set(np.unique(columns["point"][beside]).tolist())
    some = part.registers if last else set(np.unique(columns["point"]).tolist())
    return [p for p in part.registers if p in some and p not in there]


def _joined(columns: Columns, found: Columns, bucket_us: int) -> Columns:
    """The rows with single readings beside them."""
    size = len(found["point"])
    value = found["value"]
    more: Columns = {
        "point": found["point"], "bucket": np.full(size, bucket_us), "count": np.ones(size, np.uint32), "min": value,
        "max": value, "sum": value, "first_time": found["time"], "first_value": value, "last_time": found["time"],
        "last_value": value, "step": np.zeros(size, np.int64), "flags": np.zeros(size, np.uint16),
    }  # fmt: skip
    if not columns or not size:
        return columns or (more if size else {})
    return {name: np.concatenate([values, more[name]]) for name, values in columns.items()}


def _inside(filled: Filled) -> Filled:
    """Without the first and the last bucket."""
    return Filled(*(getattr(filled, name)[:, 1:-1] for name in Filled.__slots__))
