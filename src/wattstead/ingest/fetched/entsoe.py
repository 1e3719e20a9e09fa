"""Day-ahead prices in the format of ENTSO-E: Publication_MarketDocument, from its platform or from another server.

A price holds from its instant to the next one; where positions are left out (curve A03) the price before goes on. The
security token goes to the server alone.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Annotated, NamedTuple
from xml.etree.ElementTree import Element

import msgspec
from msgspec import Meta

from wattstead.ingest.decoding.columns import Columns
from wattstead.ingest.decoding.instants import TimeInvalid, from_text
from wattstead.ingest.decoding.rows import Row, Rows
from wattstead.ingest.decoding.safe_xml import text_of, tree_of
from wattstead.ingest.errors import BodyInvalid
from wattstead.ingest.fetched.plan import MOST_SPREAD, Plan, Request
from wattstead.ingest.fetched.row import fetched
from wattstead.ingest.fetched.settings import Ca, Every, Prefix, Url
from wattstead.ingest.sources.source_protocol import Message, Secret, Unreadable
from wattstead.metering.quantity import UNITS, Quality

_MINUTES = {"PT15M": 15, "PT30M": 30, "PT60M": 60, "PT1H": 60}
_VARIABLE_BLOCKS = ("A03",)
_NOTHING_THERE = "999"
"""Reason code of an answer that says that there are no data yet."""
_MOST_POSITIONS = 40_000
_PER = {"MWH": "MWh", "KWH": "kWh"}
_AHEAD_DAYS = 4
_LONGEST = timedelta(days=360)
"""One question may be about a year."""


class EntsoeSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose prices, and from where."""

    token: Annotated[Secret, Meta(max_length=200, title="Security token", description="From your account there")] = ""
    area: Annotated[
        str,
        Meta(
            pattern=r"^[0-9A-Z-]{16}$",
            title="Bidding zone",
            description="EIC of 16 letters: 10Y1001A1001A82H for Germany and Luxembourg, 10YFR-RTE------C for France",
        ),
    ]
    url: Url = "https://web-api.tp.entsoe.eu/api"
    days: Annotated[
        int, Meta(ge=0, le=365, title="Days back", description="That are asked for along with today and tomorrow")
    ] = 2
    every_s: Every = 1_800.0
    ca: Ca = ""
    prefix: Prefix = "price/"


def decode(message: Message, settings: EntsoeSettings) -> Columns:
    """The prices of a document; of one that says that there are none yet, none. Raises `Unreadable`."""
    try:
        root = tree_of(message.raw)
    except BodyInvalid as fault:
        raise Unreadable(str(fault)) from None
    if root.tag == "Acknowledgement_MarketDocument":
        code, said = text_of(root, ".//Reason/code"), text_of(root, ".//Reason/text")
        if code == _NOTHING_THERE and "no matching data" in said.lower():
            return Rows().columns()
        raise Unreadable(f"the server says: {said[:300] or 'no reason'} (reason {code or 'none'})")
    if root.tag != "Publication_MarketDocument":
        raise Unreadable(f"this is a {root.tag[:60]}; expected a Publication_MarketDocument")
    found = root.findall("TimeSeries")
    if not found:
        raise Unreadable("the document has no TimeSeries")
    rows, blocks = Rows(), list[_Block]()
    spread = 0
    for at, series in enumerate(found, 1):
        for block in _blocks(rows, series, f"TimeSeries {text_of(series, 'mRID') or at}", settings):
            spread += len(block.prices)
            if spread > MOST_SPREAD:
                raise Unreadable(f"the document stands for more than {MOST_SPREAD:,} prices; ask for fewer days")
            blocks.append(block)
    _put(rows, blocks)
    return rows.columns()


class _Block(NamedTuple):
    """A period: prices of one resolution."""

    address: str
    unit: str
    start_us: int
    end_us: int
    step_us: int
    prices: list[float | None]


def _put(rows: Rows, blocks: list[_Block]) -> None:
    """The finest resolution first: where it tells a price, an hourly one of the same time is passed over."""
    told: dict[str, list[tuple[int, int]]] = {}
    for block in sorted(blocks, key=lambda one: one.step_us):
        spans = told.setdefault(block.address, [])
        place = 0
        for at, price in enumerate(block.prices):
            time_us = block.start_us + at * block.step_us
            while place < len(spans) and spans[place][1] <= time_us:
                place += 1
            if price is None:
                continue
            if place < len(spans) and spans[place][0] <= time_us:
                rows.skipped += 1
                continue
            rows.put(Row(block.address, time_us, price, block.unit, Quality.VALID))
        told[block.address] = _joined(spans, (block.start_us, block.end_us))


def _joined(spans: list[tuple[int, int]], span: tuple[int, int]) -> list[tuple[int, int]]:
    """Spans in order, with one more; those that meet become one.

    >>> _joined([(0, 2), (5, 6), (9, 10)], (2, 5))
    [(0, 6), (9, 10)]
    """
    start, end = span
    first = bisect_left(spans, start, key=lambda one: one[1])
    final = bisect_right(spans, end, key=lambda one: one[0])
    if first < final:
        start, end = min(start, spans[first][0]), max(end, spans[final - 1][1])
    return [*spans[:first], (start, end), *spans[final:]]


def _blocks(rows: Rows, series: Element, place: str, settings: EntsoeSettings) -> Iterator[_Block]:
    area = text_of(series, "in_Domain.mRID") or text_of(series, "out_Domain.mRID") or settings.area
    currency, per = text_of(series, "currency_Unit.name"), text_of(series, "price_Measure_Unit.name").upper()
    unit = f"{currency}/{_PER.get(per, per)}"
    if unit not in UNITS:
        rows.rejected.add(place, f"prices in {currency or 'no currency'} per {per or 'nothing'} are not known here")
        return
    sequence = text_of(series, "classificationSequence_AttributeInstanceComponent.position")
    auction = f" {sequence}" if sequence not in ("", "1") else ""
    goes_on = text_of(series, "curveType") in _VARIABLE_BLOCKS
    for period in series.findall("Period"):
        try:
            yield _block(rows, period, place, (f"{settings.prefix}{area}/day-ahead{auction}", unit), goes_on)
        except (TimeInvalid, ValueError) as fault:
            rows.rejected.add(place, str(fault))


def _block(rows: Rows, period: Element, place: str, named: tuple[str, str], goes_on: bool) -> _Block:
    start_us, end_us = from_text(text_of(period, "timeInterval/start")), from_text(text_of(period, "timeInterval/end"))
    told = text_of(period, "resolution")
    if told not in _MINUTES:
        raise ValueError(f"resolution is {told[:20]!r}; known are {', '.join(_MINUTES)}")
    step_us = _MINUTES[told] * 60_000_000
    count = (end_us - start_us) // step_us
    if not 0 < count <= _MOST_POSITIONS or (end_us - start_us) % step_us:
        raise ValueError(f"period of {(end_us - start_us) / 6e7:g} minutes is no multiple of {told}")
    prices = _positions(rows, period, place, count)
    whole: list[float | None] = []
    for position in range(1, count + 1):
        whole.append(prices.get(position, whole[-1] if goes_on and whole else None))
    return _Block(*named, start_us, end_us, step_us, whole)


def _positions(rows: Rows, period: Element, place: str, count: int) -> dict[int, float]:
    prices: dict[int, float] = {}
    for point in period.findall("Point"):
        position, price = text_of(point, "position"), text_of(point, "price.amount")
        if not (re.fullmatch(r"[0-9]{1,6}", position) and 1 <= int(position) <= count):
            rows.rejected.add(place, f"position is {position[:20]!r}; expected 1 to {count}")
            continue
        try:
            value = float(price)
        except ValueError:
            value = math.nan
        if math.isfinite(value):
            prices[int(position)] = value
        else:
            rows.rejected.add(place, f"price at position {position} is {price[:20]!r}; expected a number")
    return prices


def plan_of(settings: EntsoeSettings) -> Plan:
    """From some days back to the end of tomorrow, in whole UTC hours around days of Europe."""

    def requests(present_us: int) -> Iterator[Request]:
        today = datetime.fromtimestamp(present_us / 1e6, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        first, last = today - timedelta(days=settings.days, hours=2), today + timedelta(days=2)
        secret = {"securityToken": settings.token} if settings.token else {}
        while first < last:
            until = min(last, first + _LONGEST)
            params = {
                "documentType": "A44", "in_Domain": settings.area, "out_Domain": settings.area,
                "periodStart": f"{first:%Y%m%d%H%M}", "periodEnd": f"{until:%Y%m%d%H%M}",
            }  # fmt: skip
            yield Request(settings.url, params, secret, says_no=frozenset({400}))
            first = until

    return Plan(requests, lambda message: decode(message, settings))


ENTSOE = fetched("entsoe", "docs/prices.md", "ENTSO-E", EntsoeSettings, decode, plan_of, ahead_days=_AHEAD_DAYS)
