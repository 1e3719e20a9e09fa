"""SQL that makes rollup rows, put together from the files in ``sql``; the one place where steps are computed in SQL.

The rows of rollups and those of answers are made by the same statements: a question is a rollup nobody keeps.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from functools import cache
from importlib.resources import files

import numpy as np

from wattstead.metering.point import StepMode, StepRule
from wattstead.series.native import Columns
from wattstead.series.tiers import Tier

Modes = Collection[StepMode]
ALL_MODES = frozenset(StepMode)
_COLUMNS = ("count", "min", "max", "sum", "first_time", "first_value", "last_time", "last_value", "step", "flags")
_NAMES = {"point": "point", "start": "bucket"} | {name: name for name in _COLUMNS}
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


def from_readings(
    bucket: str, where: str, rule_where: str = "1", modes: Modes = ALL_MODES, rule: StepRule | None = None
) -> str:
    """Rows made of readings: ``bucket`` is an expression over ``time`` and ``time_us``; ``modes`` all there may be.
    Of points that share one ``rule`` it is written out, which is cheaper than to look it up."""
    readings = filled("readings_in_buckets", bucket=bucket, where=where)
    step = "pair_step"
    if StepMode.DELTA in modes:
        step = filled("delta_steps", register_count=text("register_count"))
    return filled("from_readings", pairs=_pairs(readings, rule_where, modes, rule), step=step)


def from_rows(
    tier: Tier, bucket: str, where: str, rule_where: str = "1", modes: Modes = ALL_MODES, numbers: bool = True,
    rule: StepRule | None = None,
) -> str:  # fmt: skip
    """Coarser rows made of rows of a tier: ``bucket`` is an expression over ``start``; ``modes`` and ``rule`` as above.
    Without ``numbers`` smallest, largest and sum are NaN, and it takes a fifth less."""
    rows = filled(
        "rows_in_buckets",
        table=tier.value,
        bucket=bucket,
        where=where,
        order=tier.order_sql,
        numbers=text("row_numbers" if numbers else "no_numbers"),
    )
    return filled("from_rows", pairs=_pairs(rows, rule_where, modes, rule))


def single_rows(tier: Tier, where: str) -> str:
    """Rows of a tier as they are, readings as rows of one; ``bucket`` is where each begins, in µs."""
    if tier is Tier.RAW:
        return filled("reading_rows", where=where)
    return filled("single_rows", table=tier.value, bucket=tier.start_sql, where=where)


def unsettled_rows(tier: Tier, where: str, most: int = 0) -> str:
    """Rows with all their versions, empty ones too, and readings, of which ``most`` at most unless that is 0: what
    `settled` takes, at the least cost here."""
    if tier is Tier.RAW:
        return filled("few_readings", where=where) + (f"\nLIMIT {most}" if most else "")
    return filled("unsettled_rows", table=tier.value, where=where)


def settled(answers: Iterable[Columns]) -> Columns:
    """The rows of several such answers: of one point and bucket the greatest version, without those that are empty."""
    found = [_settled(columns) if "version" in columns else _rows_of_one(columns) for columns in answers if columns]
    return together(columns for columns in found if len(columns["point"]))


def together(answers: Iterable[Columns]) -> Columns:
    """The rows of several answers of one shape, one after another; without those that have none."""
    found = [columns for columns in answers if columns]
    if len(found) < 2:
        return found[0] if found else {}
    return {name: np.concatenate([columns[name] for columns in found]) for name in found[0]}


def _settled(columns: Columns) -> Columns:
    point, start, version = columns["point"], columns["start"], columns["version"]
    order = np.lexsort((version, start, point))
    last = np.append((np.diff(point[order]) != 0) | (np.diff(start[order]) != 0), True)
    stands = order[last & (columns["count"][order] > 0)]
    columns = {**columns, "start": start.astype(np.int64) * 1_000_000}
    return {name: columns[kept][stands] for kept, name in _NAMES.items()}


def _rows_of_one(columns: Columns) -> Columns:
    time, value, size = columns["time"], columns["value"], len(columns["point"])
    given = {
        "point": columns["point"], "bucket": time, "count": np.ones(size, np.uint32), "step": np.zeros(size, np.int64),
        "flags": np.zeros(size, np.uint16), "first_time": time, "last_time": time,
    }  # fmt: skip
    return {name: given.get(name, value) for name in _NAMES.values()}


def lean_rows(tier: Tier, bucket: str, where: str) -> str:
    """Counts, sums, smallest and largest values only, which is all that means need."""
    name = "lean_readings" if tier is Tier.RAW else "lean_rows"
    return filled(name, table=tier.value, bucket=bucket, where=where)


def sums(tier: Tier, cell: str, bucket: str, where: str, extremes: bool) -> str:
    """Counts and sums of cells of points, which is all that means over all of them need; ``extremes``: and the smallest
    and largest values."""
    name, low, high = ("sums_of_readings", "value", "value") if tier is Tier.RAW else ("sums_of_rows", "min", "max")
    more = f",\n    min({low}) AS lowest,\n    max({high}) AS highest" if extremes else ""
    return filled(name, table=tier.value, cell=cell, bucket=bucket, where=where, extremes=more)


def _pairs(rows: str, rule_where: str, modes: Modes, rule: StepRule | None) -> str:
    """The rows with the steps of their pairs; a rule that no point has costs the store time to understand."""
    count = text("register_count")
    flags, steps, counts = {}, {}, ""
    if StepMode.REGISTER in modes:
        counts = filled("register_counts", register_count=count)
        flags[StepMode.REGISTER] = filled("register_flags", register_flag=text("register_flag"))
        steps[StepMode.REGISTER] = text("register_steps")
    if StepMode.POWER in modes:
        flags[StepMode.POWER], steps[StepMode.POWER] = text("power_flags"), text("power_steps")
    if StepMode.MEAN in modes:
        flags[StepMode.MEAN], steps[StepMode.MEAN] = text("mean_flags"), text("mean_steps")
    only = len(modes) == 1
    return filled(
        "pairs",
        constants=_constants(rule) if rule else "",
        rows=rows,
        rules="" if rule else filled("rules_of_points", rule_where=rule_where),
        counts=counts,
        flags=_by_mode(flags, only, "emptyArrayUInt16()"),
        steps=_by_mode(steps, only, "toInt64(0)"),
    )


def _constants(rule: StepRule) -> str:
    """The rule's parts by the names of their columns; floats by their bits, lest one is read as its neighbour."""
    values = {
        "mode": f"toUInt8({int(rule.mode)})", "quantum": _exactly(rule.quantum), "width": f"toInt64({rule.width})",
        "max_rate": _exactly(rule.max_rate), "tolerance": f"toInt64({rule.tolerance})",
        "max_gap_us": f"toInt64({rule.max_gap_us})", "rule_version": "toUInt32(0)",
    }  # fmt: skip
    return "".join(f"    {value} AS {name},\n" for name, value in values.items())


def _exactly(number: float) -> str:
    return f"reinterpretAsFloat64(toUInt64({int(np.float64(number).view(np.uint64))}))"


def _by_mode(cases: Mapping[StepMode, str], only: bool, otherwise: str) -> str:
    """The expression of each row's mode."""
    if not cases:
        return otherwise
    if only:
        return next(iter(cases.values()))
    branches = "".join(f"mode = {mode}, {expression},\n        " for mode, expression in cases.items())
    return f"multiIf(\n        {branches}{otherwise})"
