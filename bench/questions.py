"""The questions of `answers`, in the words of each server: what is asked is the same, and so is the answer's size."""

from __future__ import annotations

import urllib.parse
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from estate import MONTH_S, TEN_YEARS_S, Estate

HOUR_S = 3_600
UNEVEN_S = 197_100
"""A ten-year's sixteen-hundredth, on no edge of a day."""
TAGS_SPAN_S = 4 * HOUR_S

Address = Callable[[int], str]
"""The address of the n-th asking; points change from one to the next where there are several."""


@dataclass(frozen=True, slots=True)
class Question:
    """One kind of question, the median it has to keep, and how many of a hundred are of it where many ask."""

    name: str
    text: str
    target_ms: float
    share: int


QUESTIONS = (
    Question("latest", "latest value of a point", 5, 40),
    Question("hour raw", "last hour of a point, 3,600 readings", 15, 20),
    Question("hour", "last hour of a point in 5 s", 15, 19),
    Question("month power", "month in days, power", 15, 8),
    Question("month register", "month in days, register", 15, 8),
    Question("decade weeks", "ten years in weeks, power", 100, 1),
    Question("decade register", "ten years in weeks, register", 100, 1),
    Question("decade uneven", "ten years in 1,600 buckets beside the calendar, power", 100, 1),
    Question("decade uneven register", "the same, register", 100, 1),
    Question("tags", "6,000 points by a tag, 5 min over 4 h", 300, 1),
)


def wattstead(estate: Estate, ids: list[int]) -> Mapping[str, Address]:
    """Of the product: its own API, and InfluxQL where that API has no question of the kind."""
    end = estate.end_s
    energy, decade, second = (ids[estate.first_of(estate.kin(name))] for name in ("energy", "decade", "second"))
    secondly = ids[: estate.kins[0].points]

    def series(point: int, span_s: int, more: str) -> str:
        return f"/api/v1/series?points={point}&start={(end - span_s) * 1000}&end={end * 1000}&{more}"

    def influx(text: str) -> str:
        return "/query?" + urllib.parse.urlencode({"db": "bench", "epoch": "ms", "q": text})

    def times(begin: int, stop: int) -> str:
        return f"time >= {begin * 10**9} AND time < {stop * 10**9}"

    uneven_end = end // UNEVEN_S * UNEVEN_S
    uneven = influx(
        f'SELECT mean("value") FROM "decade" WHERE {times(uneven_end - 1_600 * UNEVEN_S, uneven_end)} '
        f"GROUP BY time({UNEVEN_S}s)"
    )
    slots = f"start={(uneven_end - 1_600 * UNEVEN_S) * 1000}&end={(uneven_end - UNEVEN_S) * 1000}&interval={UNEVEN_S}"
    tags_end = end // 300 * 300
    tags = influx(
        f'SELECT mean("value") FROM "home" WHERE {times(tags_end - TAGS_SPAN_S, tags_end)} GROUP BY time(5m), "region"'
    )
    raw = f"start={(end - HOUR_S) * 1000}&end={end * 1000}&limit=3600"
    return {
        "latest": lambda n: f"/api/v1/points/{ids[n * 7 % len(ids)]}",
        "hour raw": lambda n: f"/api/v1/readings?point={secondly[n * 7 % len(secondly)]}&{raw}",
        "hour": lambda n: series(secondly[n * 7 % len(secondly)], HOUR_S, "buckets=1600"),
        "month power": lambda n: series(second, MONTH_S, "step=day"),
        "month register": lambda n: series(energy, MONTH_S, "step=day"),
        "decade weeks": lambda n: series(decade, TEN_YEARS_S, "buckets=1600"),
        "decade register": lambda n: series(energy, TEN_YEARS_S, "buckets=1600"),
        "decade uneven": lambda n: uneven,
        "decade uneven register": lambda n: f"/feed/data.json?id={energy}&{slots}&delta=1",
        "tags": lambda n: tags,
    }


def victoria(estate: Estate) -> Mapping[str, Address]:
    """Of VictoriaMetrics: its JSON export for readings, PromQL for the rest, its cache of answers left out."""
    end = estate.end_s

    def one(number: int, name: str = "home") -> str:
        return f'{name}{{id="{estate.tags(number)["id"]}"}}'

    def ranged(text: str, span_s: int, step_s: int) -> str:
        asked = {"query": text, "start": end - span_s + step_s, "end": end, "step": step_s, "nocache": 1}
        return "/api/v1/query_range?" + urllib.parse.urlencode(asked)

    def raw(number: int) -> str:
        asked = {"match[]": one(number), "start": end - HOUR_S, "end": end - 1}
        return "/api/v1/export?" + urllib.parse.urlencode(asked)

    def latest(number: int) -> str:
        return "/api/v1/query?" + urllib.parse.urlencode({"query": one(number), "time": end, "nocache": 1})

    uneven_s = 1_600 * UNEVEN_S
    of_week, of_seconds = 7 * 86_400, estate.kins[0].points
    offset = f"offset {end % UNEVEN_S or UNEVEN_S}s"
    return {
        "latest": lambda n: latest(n * 7 % sum(k.points for k in estate.kins if k.name == "home")),
        "hour raw": lambda n: raw(n * 7 % of_seconds),
        "hour": lambda n: ranged(f"avg_over_time({one(n * 7 % of_seconds)}[5s])", HOUR_S, 5),
        "month power": lambda n: ranged("avg_over_time(second[1d])", MONTH_S, 86_400),
        "month register": lambda n: ranged("increase(energy[1d])", MONTH_S, 86_400),
        "decade weeks": lambda n: ranged("avg_over_time(decade[1w])", TEN_YEARS_S, of_week),
        "decade register": lambda n: ranged("increase(energy[1w])", TEN_YEARS_S, of_week),
        "decade uneven": lambda n: ranged(f"avg_over_time(decade[{UNEVEN_S}s] {offset})", uneven_s, UNEVEN_S),
        "decade uneven register": lambda n: ranged(f"increase(energy[{UNEVEN_S}s] {offset})", uneven_s, UNEVEN_S),
        "tags": lambda n: ranged("avg(avg_over_time(home[5m])) by (region)", TAGS_SPAN_S, 300),
    }
