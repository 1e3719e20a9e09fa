"""Block reads: every wanted register once, never too many at once, never across tables."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattstead.ingest.modbus.plan import Block, Span, finer, inside_of, plan

pytestmark = pytest.mark.unit

SPANS = st.lists(
    st.builds(Span, st.sampled_from(["holding", "input"]), st.integers(0, 600), st.sampled_from([1, 2, 4])),
    max_size=120,
)


def apart(spans: list[Span]) -> list[Span]:
    """Those of the spans that share no register with an earlier one."""
    taken: set[tuple[str, int]] = set()
    kept = []
    for span in spans:
        registers = {(span.table, at) for at in range(span.at, span.end)}
        if not registers & taken:
            taken |= registers
            kept.append(span)
    return kept


@given(SPANS, st.integers(0, 40), st.integers(4, 125))
def test_every_number_lies_wholly_in_one_block(spans: list[Span], gap: int, longest: int) -> None:
    blocks = plan(spans, gap, longest)
    assert all(any(block.holds(span) for block in blocks) for span in spans)
    assert all(1 <= block.words <= longest for block in blocks)


@given(SPANS, st.integers(0, 40), st.integers(4, 125))
def test_no_register_is_read_twice(spans: list[Span], gap: int, longest: int) -> None:
    blocks = plan(apart(spans), gap, longest)
    read = [(block.table, at) for block in blocks for at in range(block.at, block.end)]
    assert len(read) == len(set(read))


@given(SPANS, st.integers(0, 40), st.integers(4, 125))
def test_a_block_begins_and_ends_with_what_is_wanted_and_bridges_no_longer_gap(
    spans: list[Span], gap: int, longest: int
) -> None:
    wanted = {(span.table, at) for span in spans for at in range(span.at, span.end)}
    for block in plan(spans, gap, longest):
        assert (block.table, block.at) in wanted and (block.table, block.end - 1) in wanted
        unwanted = 0
        for at in range(block.at, block.end):
            unwanted = 0 if (block.table, at) in wanted else unwanted + 1
            assert unwanted <= gap


@given(SPANS)
def test_what_one_request_could_hold_is_one_request(spans: list[Span]) -> None:
    blocks = plan(spans, 16, 125)
    for before, after in itertools.pairwise(blocks):
        if before.table == after.table:
            assert after.at - before.end > 16 or after.at + 1 - before.at > 125 - 4


@given(SPANS.filter(bool))
def test_refused_blocks_become_smaller_until_one_number_stands_alone(spans: list[Span]) -> None:
    waiting, single, asked = plan(spans), [], 0
    while waiting:
        block = waiting.pop()
        asked += 1
        smaller = finer(block, spans)
        assert all(block.at <= one.at and one.end <= block.end and one.table == block.table for one in smaller)
        assert block not in smaller
        single += [span for span in inside_of(block, spans) if not any(one.holds(span) for one in smaller)]
        waiting += smaller
    assert set(single) == set(spans)
    assert asked <= 4 * len(set(spans)) + len(plan(spans))


@pytest.mark.parametrize("gap, longest", [(-1, 125), (0, 3), (0, 126)])
def test_limits_that_the_protocol_has_not(gap: int, longest: int) -> None:
    with pytest.raises(ValueError, match="expected 4"):
        plan([Span("input", 0, 1)], gap, longest)


def test_a_meter_of_120_registers_is_one_request() -> None:
    assert plan([Span("input", at, 2) for at in range(0, 120, 2)]) == [Block("input", 0, 120)]
