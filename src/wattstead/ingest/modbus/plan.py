"""Plan: which blocks of registers are read so that every wanted one comes with as few requests as may be; pure data."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

LONGEST_BLOCK = 125
"""Registers that one request may ask for at most, by the protocol."""
_LONGEST_NUMBER = 4


class Span(NamedTuple):
    """Registers that belong together because they hold one number."""

    table: str
    at: int
    words: int

    @property
    def end(self) -> int:
        """The first register after it."""
        return self.at + self.words


class Block(NamedTuple):
    """Registers that are read in one request."""

    table: str
    at: int
    words: int

    @property
    def end(self) -> int:
        """The first register after it."""
        return self.at + self.words

    def holds(self, span: Span) -> bool:
        """Whether the span lies wholly inside."""
        return self.table == span.table and self.at <= span.at and span.end <= self.end

    def __str__(self) -> str:
        return f"{self.table} {self.at}+{self.words}"


def plan(spans: Iterable[Span], longest_gap: int = 16, longest_block: int = LONGEST_BLOCK) -> list[Block]:
    """Blocks that hold each span wholly, in order of table and place; none longer than ``longest_block`` registers.

    Up to ``longest_gap`` registers that nobody wants are read along where that saves a request. Raises `ValueError`
    where ``longest_block`` cannot hold one number.

    >>> plan([Span("input", 0, 2), Span("input", 6, 2), Span("input", 70, 2), Span("holding", 8, 1)])
    [Block(table='holding', at=8, words=1), Block(table='input', at=0, words=8), Block(table='input', at=70, words=2)]
    """
    if not _LONGEST_NUMBER <= longest_block <= LONGEST_BLOCK or longest_gap < 0:
        raise ValueError(f"blocks of {longest_block} with gaps of {longest_gap}; expected 4 … 125 and 0 or more")
    blocks: list[Block] = []
    for span in sorted(set(spans)):
        last = blocks[-1] if blocks else None
        if last is not None and last.table == span.table and span.at - last.end <= longest_gap:
            end = max(last.end, span.end)
            if end - last.at <= longest_block:
                blocks[-1] = last._replace(words=end - last.at)
                continue
        blocks.append(Block(span.table, span.at, span.words))
    return blocks


def finer(block: Block, spans: Sequence[Span]) -> list[Block]:
    """What to ask instead of a block that a device refuses, until the number that it lacks stands alone.

    First without the gaps, then by halves. What none of the answer holds is refused for good: the only number of the
    block, or one that fills it.

    >>> wanted = [Span("input", 0, 2), Span("input", 6, 2)]
    >>> finer(Block("input", 0, 8), wanted)
    [Block(table='input', at=0, words=2), Block(table='input', at=6, words=2)]
    >>> finer(Block("input", 0, 2), wanted)
    []
    """
    inside = inside_of(block, spans)
    exact = plan(inside, 0)
    if exact != [block]:
        return exact
    middle = len(inside) // 2
    return [one for one in [*plan(inside[:middle], 0), *plan(inside[middle:], 0)] if one != block]


def inside_of(block: Block, spans: Sequence[Span]) -> list[Span]:
    """The spans that lie wholly in a block, each once, in order."""
    return sorted({span for span in spans if block.holds(span)})
