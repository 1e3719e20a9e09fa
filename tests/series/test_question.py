"""Questions become the statements in ``golden``; rewrite those with `python tests/series/test_question.py` and read the
difference.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from wattstead.metering.rollup import DAY_US, MINUTE_US, QUARTER_US
from wattstead.series.questions.question import Answer, Piece, Question, compiled, statements
from wattstead.series.tiers import Tier

pytestmark = pytest.mark.unit

GOLDEN = Path(__file__).parent / "golden"
T0 = 1_774_569_600_000_000
HOURS = tuple(T0 + hour * 3_600_000_000 for hour in range(25))
DAYS = (
    T0 - 3_600_000_000,
    T0 + DAY_US - 3_600_000_000,
    T0 + 2 * DAY_US - 3_600_000_000,
    T0 + 3 * DAY_US - 7_200_000_000,
)

QUESTIONS = {
    "rows_of_all_tiers": Question(
        points=(7, 11),
        pieces=(
            Piece(Tier.DAY, DAYS[0], DAYS[2]),
            Piece(Tier.QUARTER, DAYS[2], DAYS[2] + QUARTER_US),
            Piece(Tier.MINUTE, DAYS[2] + QUARTER_US, DAYS[2] + QUARTER_US + MINUTE_US),
            Piece(Tier.RAW, DAYS[2] + QUARTER_US + MINUTE_US, DAYS[3]),
        ),
        edges_us=DAYS,
        answer=Answer.ROWS,
    ),
    "hours_of_quarters_and_readings": Question(
        points=(7,),
        pieces=(Piece(Tier.QUARTER, HOURS[0], HOURS[20]), Piece(Tier.RAW, HOURS[20], HOURS[24])),
        edges_us=HOURS,
    ),
    "days_as_they_are": Question(points=(7,), pieces=(Piece(Tier.DAY, DAYS[0], DAYS[3]),), edges_us=DAYS),
    "uneven_days_of_quarters": Question(points=(7, 8), pieces=(Piece(Tier.QUARTER, DAYS[0], DAYS[3]),), edges_us=DAYS),
    "means_of_minutes_and_readings": Question(
        points=(7, 8, 9),
        pieces=(Piece(Tier.MINUTE, HOURS[0], HOURS[23]), Piece(Tier.RAW, HOURS[23], HOURS[24])),
        edges_us=HOURS,
        answer=Answer.CELLS,
        cells=(0, 1, 0),
    ),
    "sums_of_minutes_and_readings": Question(
        points=(7, 8, 20),
        pieces=(Piece(Tier.MINUTE, HOURS[0], HOURS[23]), Piece(Tier.RAW, HOURS[23], HOURS[24])),
        edges_us=HOURS,
        answer=Answer.SUMS,
        cells=(0, 1, 0),
        extremes=False,
    ),
}


def asked(question: Question) -> str:
    """All statements of a question."""
    return ";\n".join(statements(question)) + "\n"


def test_every_golden_statement_has_its_question() -> None:
    assert {path.stem for path in GOLDEN.glob("*.sql")} == set(QUESTIONS)


@pytest.mark.parametrize("name", QUESTIONS)
def test_the_statement_is_the_golden_one(name: str) -> None:
    assert asked(QUESTIONS[name]) == (GOLDEN / f"{name}.sql").read_text()


def test_no_pieces_are_no_statement() -> None:
    assert statements(Question(points=(1,), pieces=())) == []


@pytest.mark.parametrize("before", [0, 30, 60, 600])
@pytest.mark.parametrize("after", [0, 30, 60, 600])
def test_even_buckets_between_others_need_no_list_of_edges(before: int, after: int) -> None:
    edges = tuple(range(6_000, 6_360, 60))
    edges = ((edges[0] - before,) if before else ()) + edges + ((edges[-1] + after,) if after else ())
    even = Question(points=(1,), pieces=(Piece(Tier.RAW, edges[0], edges[-1]),), edges_us=edges)
    assert "roundDown" not in compiled(even)
    assert "roundDown" in compiled(msgspec.structs.replace(even, edges_us=(*edges[:3], edges[3] + 1, *edges[4:])))


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for title, question in QUESTIONS.items():
        (GOLDEN / f"{title}.sql").write_text(asked(question))
