"""Prices in the format of Octopus Energy's tariffs, such as Agile: pages of JSON, a price for each half-hour."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from wattstead.ingest.decoding.columns import Columns
from wattstead.ingest.decoding.instants import TimeInvalid, from_text
from wattstead.ingest.decoding.rows import Row, Rows
from wattstead.ingest.fetched.plan import MOST_SPREAD, Answer, Plan, Request
from wattstead.ingest.fetched.row import fetched
from wattstead.ingest.fetched.settings import Ca, Every, Prefix, Url
from wattstead.ingest.sources.source_protocol import Message, Unreadable
from wattstead.metering.quantity import Quality

_HALF_HOUR_US = 1_800_000_000
_DAY_US = 48 * _HALF_HOUR_US
_LONGEST_US = 31 * _DAY_US
"""A price that holds for longer, or until further notice, is written for the days that were asked for alone."""
_ASKED_AHEAD_DAYS = 3
_AHEAD_DAYS = _ASKED_AHEAD_DAYS + 1
_UNIT = "p/kWh"
_OTHER_PAYMENT = " not by direct debit"
"""Some tariffs have two prices for the same time."""


class OctopusSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which tariff, and from where."""

    product: Annotated[
        str,
        Meta(pattern=r"^[A-Z0-9-]+$", max_length=60, title="Product", description="Such as AGILE-24-10-01"),
    ]
    region: Annotated[
        str, Meta(pattern="^[A-P]$", title="Region", description="Letter of the grid region: C is London")
    ]
    export: Annotated[
        bool, Meta(title="Export", description="The product is one for what is fed in, such as AGILE-OUTGOING-19-05-13")
    ] = False
    url: Url = "https://api.octopus.energy/v1"
    days: Annotated[
        int, Meta(ge=0, le=365, title="Days back", description="That are asked for along with what is to come")
    ] = 2
    every_s: Every = 1_800.0
    ca: Ca = ""
    prefix: Prefix = "price/octopus/"

    @property
    def address(self) -> str:
        """Below which its points are."""
        return f"{self.prefix}{self.product} {self.region}/{'export' if self.export else 'import'}"


class _Price(msgspec.Struct):
    valid_from: str
    value_inc_vat: float | None = None
    value_exc_vat: float | None = None
    valid_to: str | None = None
    payment_method: str | None = None


class _Page(msgspec.Struct):
    results: list[Any]
    next: str | None = None


_page = msgspec.json.Decoder(_Page)


def decode(message: Message, settings: OctopusSettings) -> Columns:
    """The prices of a page, with and without tax, one each half-hour for which they hold. Raises `Unreadable`."""
    rows, asked_us = Rows(), _asked_us(message.received_us, settings)
    for at, result in enumerate(_read(message.raw).results):
        try:
            _put(rows, msgspec.convert(result, _Price), settings.address, asked_us)
        except (msgspec.ValidationError, TimeInvalid, ValueError) as fault:
            rows.rejected.add(f"results[{at}]", str(fault))
    return rows.columns()


def _read(raw: bytes) -> _Page:
    try:
        return _page.decode(raw)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as fault:
        raise Unreadable(f"this is no page of prices: {fault}") from None


def _asked_us(present_us: int, settings: OctopusSettings) -> tuple[int, int]:
    """Begin and end of what is asked for at an instant: whole days of UTC, as Octopus counts them."""
    today_us = present_us // _DAY_US * _DAY_US
    return today_us - settings.days * _DAY_US, today_us + _ASKED_AHEAD_DAYS * _DAY_US


def _put(rows: Rows, price: _Price, address: str, asked_us: tuple[int, int]) -> None:
    start_us = from_text(price.valid_from)
    end_us = from_text(price.valid_to) if price.valid_to else max(start_us + _HALF_HOUR_US, asked_us[1])
    if end_us <= start_us:
        raise ValueError(f"holds from {price.valid_from} to {price.valid_to}; expected an end after the beginning")
    if price.valid_to is None or end_us - start_us > _LONGEST_US:
        start_us += max(0, -(-(asked_us[0] - start_us) // _HALF_HOUR_US)) * _HALF_HOUR_US
        end_us = min(end_us, asked_us[1])
    if len(rows.rows) > MOST_SPREAD:
        raise Unreadable(f"the page stands for more than {MOST_SPREAD:,} prices; ask for fewer days")
    address += _OTHER_PAYMENT if price.payment_method == "NON_DIRECT_DEBIT" else ""
    for value, tax in ((price.value_inc_vat, "with VAT"), (price.value_exc_vat, "without VAT")):
        if value is None:
            rows.skipped += 1
            continue
        for time_us in range(start_us, end_us, _HALF_HOUR_US):
            rows.put(Row(f"{address} {tax}", time_us, value, _UNIT, Quality.VALID))


def plan_of(settings: OctopusSettings) -> Plan:
    """From some days back on, page by page; the pages are on the same server."""
    base = settings.url.rstrip("/")
    tariff = f"E-1R-{settings.product}-{settings.region}"
    url = f"{base}/products/{settings.product}/electricity-tariffs/{tariff}/standard-unit-rates/"

    def requests(present_us: int) -> Iterator[Request]:
        first, last = (datetime.fromtimestamp(one / 1e6, UTC) for one in _asked_us(present_us, settings))
        span = {"period_from": f"{first:%Y-%m-%dT%H:%MZ}", "period_to": f"{last:%Y-%m-%dT%H:%MZ}"}
        yield Request(url, {**span, "page_size": "1500"})

    def after(answer: Answer) -> Request | None:
        following = _read(answer.raw).next
        if not following:
            return None
        if urlsplit(following)[:2] != urlsplit(answer.request.url)[:2]:
            raise Unreadable(f"the next page is on another server, {following[:100]!r}; it is not asked for")
        return Request(following)

    return Plan(requests, lambda message: decode(message, settings), after)


OCTOPUS = fetched(
    "octopus", "docs/prices.md", "Octopus Agile", OctopusSettings, decode, plan_of, ahead_days=_AHEAD_DAYS
)
