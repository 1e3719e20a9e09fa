"""What questions cost the store: how many statements they are, and how many rows it reads for them; never how long."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable, Iterator
from urllib.parse import urlencode, urlsplit

import numpy as np
import pytest

from wattstead.metering.batch import ReadingBatch
from wattstead.metering.calendar import Step, edges_us
from wattstead.metering.point import Point
from wattstead.metering.quantity import Kind, Quantity
from wattstead.metering.rollup import DAY_US, MINUTE_US
from wattstead.series import Series
from wattstead.series.connection import Connection
from wattstead.series.native import Columns

S = 1_000_000
ZONE = "Europe/Berlin"
END = 1_774_569_600 * S + 9 * MINUTE_US
"""2026-03-27T00:09Z, an hour after a midnight in Berlin."""
DAYS = 33
REGISTER = Point(id=1, kind=Kind.REGISTER, quantity=Quantity.ELECTRICITY, unit="kWh", zone=ZONE)
POWER = Point(id=2, kind=Kind.GAUGE, quantity=Quantity.ELECTRICITY, unit="W", zone=ZONE)

Asked = list[str]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[Asked]:
    """The statements of all questions, as they are asked."""
    found: Asked = []
    ask: Callable[..., Columns] = Connection.columns

    def noted(self: Connection, sql: str, *args: bool, **more: bool) -> Columns:
        found.append(sql)
        return ask(self, sql, *args, **more)

    monkeypatch.setattr(Connection, "columns", noted)
    yield found


@pytest.fixture
def filled(series: Series) -> Series:
    """Both points every five minutes for some more than a month, rolled up to their last reading."""
    series.put_rules([REGISTER, POWER])
    times = np.arange(END - DAYS * DAY_US, END, 5 * MINUTE_US)
    values = np.arange(len(times), dtype=float)
    series.append([ReadingBatch.of(np.full(len(times), p.id), times, values, version=256) for p in (REGISTER, POWER)])
    series.roll(END - DAYS * DAY_US, END)
    return series


def read_rows(address: str, sql: str) -> int:
    """How many rows the store says that it read for a statement."""
    parts = urlsplit(address)
    question = urlencode({"database": parts.path.strip("/")})
    url = f"http://{parts.hostname}:{parts.port}/?{question}"
    request = urllib.request.Request(url, f"{sql}\nFORMAT Native".encode())
    passwords = urllib.request.HTTPPasswordMgrWithPriorAuth()
    passwords.add_password(None, url, parts.username or "", parts.password or "", is_authenticated=True)
    opener = urllib.request.build_opener(urllib.request.HTTPBasicAuthHandler(passwords))
    with opener.open(request, timeout=30) as answer:
        return int(json.loads(answer.headers["X-ClickHouse-Summary"])["read_rows"])


@pytest.mark.parametrize("point", [REGISTER, POWER])
@pytest.mark.parametrize("silent_days", [0, 2, 6])
def test_a_month_in_days_is_three_short_statements(
    filled: Series, address: str, asked: Asked, point: Point, silent_days: int
) -> None:
    """Also of a register that has been silent since, and what comes next of it is looked for."""
    if silent_days:
        filled.roll(END, END + silent_days * DAY_US)
    edges = edges_us(ZONE, END - 31 * DAY_US, END, Step.DAY)
    filled.buckets([point], edges)  # how far rollups have come is remembered from now on
    asked.clear()
    [found] = filled.buckets([point], edges)
    assert int(found.count.sum()) == (END - edges[0]) // (5 * MINUTE_US)
    assert len(asked) <= 3
    assert sum(sql.count("FROM ") for sql in asked) <= (3 if silent_days < 3 else 4)
    assert sum(read_rows(address, sql) for sql in asked) <= 40
