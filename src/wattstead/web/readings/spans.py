"""The span and the buckets of a question: never more than a screen can show, always on edges of the site's calendar."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from wattstead.metering.calendar import CalendarError, Step, choose_step, edges_us, zone_info
from wattstead.metering.errors import Issue
from wattstead.web.problem import Refused, invalid
from wattstead.web.readings.instants import instant_us, now_us

MOST_BUCKETS = 1_600
"""Buckets of one answer."""
_DAY_US = 86_400_000_000


class Span(NamedTuple):
    """From ``start_us`` up to and without ``end_us``."""

    start_us: int
    end_us: int


def zone_of(zone: str | None, default: str) -> str:
    """The zone asked for, or the default; raises `Refused` when there is none of that name."""
    try:
        zone_info(zone or default)
    except CalendarError as error:
        raise invalid("zone", str(error)) from None
    return zone or default


def span_of(start: str | None, end: str | None, zone: str) -> Span:
    """The span that two texts name; the last 24 hours where they are missing. Raises `Refused`.

    >>> span_of("2026-11-20", "2026-11-21", "UTC").end_us - span_of("2026-11-20", "2026-11-21", "UTC").start_us
    86400000000
    """
    end_us = now_us() if end is None else instant_us(end, "end", zone)
    start_us = end_us - _DAY_US if start is None else instant_us(start, "start", zone)
    if start_us >= end_us:
        raise invalid("end", "is not after start")
    return Span(start_us, end_us)


def buckets_of(span: Span, zone: str, step: Step | None, buckets: int) -> tuple[Step, NDArray[np.int64]]:
    """The step, and the edges of its buckets that touch the span: a given step, else the human one that comes nearest
    to ``buckets`` buckets. Raises `Refused` when a given step makes more than `MOST_BUCKETS`.
    """
    try:
        if step is not None:
            return step, _given(span, zone, step)
        order = list(Step)
        place = order.index(choose_step((span.end_us - span.start_us) / 1e6, buckets))
        edges = edges_us(zone, *span, order[place])
        while len(edges) - 1 > MOST_BUCKETS and place + 1 < len(order):
            place += 1
            edges = edges_us(zone, *span, order[place])
    except CalendarError as error:
        raise Refused(400, str(error), [Issue("start", str(error))]) from error
    return order[place], edges


def _given(span: Span, zone: str, step: Step) -> NDArray[np.int64]:
    found = (span.end_us - span.start_us) / 1e6 / step.length_s
    if found > MOST_BUCKETS + 2:
        raise invalid("step", _too_fine(step, round(found)))
    edges = edges_us(zone, *span, step)
    if len(edges) - 1 > MOST_BUCKETS:
        raise invalid("step", _too_fine(step, len(edges) - 1))
    return edges


def _too_fine(step: Step, found: int) -> str:
    return f"{step} makes {found} buckets of this span, at most {MOST_BUCKETS} are answered; use a longer step"
