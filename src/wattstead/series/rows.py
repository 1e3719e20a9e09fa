"""SQL that makes rollup rows, put together from the files in ``sql``; the one place where steps are computed in SQL.

The rows of rollups and those of answers are made by the same statements: a question is a rollup nobody keeps.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

from wattstead.series.tiers import Tier

_STEPS = ("register_count", "register_flag", "register_step", "power_flag", "power_step")
_PLACE = re.compile(r"\{(\w+)\}")


@cache
def text(name: str) -> str:
    """The statement or expression of that file, without its comments."""
    lines = files("wattstead.series").joinpath("sql", f"{name}.sql").read_text("utf-8").splitlines()
    return "\n".join(line for line in lines if not line.startswith("--"))


def filled(name: str, **places: str) -> str:
    """The text of a file with its ``{places}`` filled in.

    >>> filled("single_rows", table="day", bucket="start", where="1").count("day FINAL")
    1
    """
    return _PLACE.sub(lambda found: places[found[1]], text(name))


def from_readings(bucket: str, where: str, rule_where: str = "1") -> str:
    """Rows made of readings: ``bucket`` is an expression over ``time`` and ``time_us``."""
    readings = filled("readings_in_buckets", bucket=bucket, where=where)
    return filled("from_readings", pairs=_pairs(readings, rule_where), register_count=text("register_count"))


def from_rows(tier: Tier, bucket: str, where: str, rule_where: str = "1") -> str:
    """Coarser rows made of rows of a tier: ``bucket`` is an expression over ``start``."""
    rows = filled("rows_in_buckets", table=tier.value, bucket=bucket, where=where, order=tier.order_sql)
    return filled("from_rows", pairs=_pairs(rows, rule_where))


def single_rows(tier: Tier, where: str) -> str:
    """Rows of a tier as they are, readings as rows of one; ``bucket`` is where each begins, in µs."""
    if tier is Tier.RAW:
        return filled("reading_rows", where=where)
    return filled("single_rows", table=tier.value, bucket=tier.start_sql, where=where)


def lean_rows(tier: Tier, bucket: str, where: str) -> str:
    """Counts, sums, smallest and largest values only, which is all that means need."""
    name = "lean_readings" if tier is Tier.RAW else "lean_rows"
    return filled(name, table=tier.value, bucket=bucket, where=where)


def _pairs(rows: str, rule_where: str) -> str:
    return filled("pairs", rows=rows, rule_where=rule_where, **{name: text(name) for name in _STEPS})
