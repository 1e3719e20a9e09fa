"""Listener: when sites and devices were last heard of, whether they still report, how much of a day came."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from wattstead.metering.batch import ReadingBatch
from wattstead.refining.columns import Columns
from wattstead.refining.heard import Listener, ListenerLimits
from wattstead.refining.latest import Latest
from wattstead.registry.places.directory.directory import Question
from wattstead.registry.records import Asks, Filter, PointDeclaration
from wattstead.registry.registry import Registry
from wattstead.series import Series

if TYPE_CHECKING:
    from tests.refining.conftest import StoreServer

NOW = datetime(2026, 3, 2, 12, 0, 30, tzinfo=UTC)
DAY_S = 86_400


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    with Registry(f"sqlite:///{tmp_path / 'registry.db'}", clock=lambda: NOW - timedelta(days=3)) as found:
        found.migrate()
        yield found


def test_silence_and_gaps_are_found_out(registry: Registry, store: StoreServer) -> None:
    fleet = registry.create_organization("Fleet", None)
    site, other, mute = (registry.create_site(fleet.id, name, "UTC").id for name in ("Mill", "Barn", "Mute"))
    whole = registry.create_device_from_template(site, "eastron-sdm120")  # every minute, without a gap
    half = registry.create_device(other, "Clock")
    (loose,) = registry.create_points(other, [PointDeclaration(address="a", name="a", device_id=half.id)])
    steady = next(row.point.id for row in registry.points(site_ids=[site]))
    now_s = int(NOW.timestamp())
    last_quarter_s = now_s // 900 * 900
    often = np.arange(last_quarter_s - DAY_S, now_s, 60)
    seldom = np.arange(last_quarter_s - DAY_S, last_quarter_s - DAY_S // 2, 900)
    point = np.concatenate([np.full(len(often), steady), np.full(len(seldom), loose)])
    time_us = np.concatenate([often, seldom]) * 1_000_000
    batch = ReadingBatch.of(point, time_us, np.ones(len(point)), version=1)
    series, latest = Series(store.address("heard")), Latest()
    series.migrate()
    series.append([batch])
    series.roll(int(time_us.min()), last_quarter_s * 1_000_000)
    latest.take(Columns.of([batch]))
    before = registry.generation(), registry.site_row(site).site.version
    listener = Listener(registry, series, latest, clock=NOW.timestamp)

    assert listener.look() == 4, "two sites and two devices have readings"
    assert listener.look() == 0, "what is known already is not written again"
    assert (registry.generation(), registry.site_row(site).site.version) == before

    found = {row.device.name: row.device for row in registry.find_devices(None, Question()).rows}
    assert (found[whole.name].connection_state, found[whole.name].completeness) == ("online", 1.0)
    assert found[whole.name].last_seen == datetime.fromtimestamp(int(often[-1]), UTC)
    assert (found["Clock"].connection_state, found["Clock"].completeness) == ("offline", 0.5)
    silent = Question(filters=(Filter("connection_state", Asks.IN, ("offline",)),))
    assert [row.site.name for row in registry.find_sites(None, silent).rows] == ["Barn"]
    gaps = Question(filters=(Filter("completeness", Asks.TO, ("0.9",)),), sort="completeness")
    assert [row.site.name for row in registry.find_sites(None, gaps).rows] == ["Barn"]
    by_age = [row.site.name for row in registry.find_sites(None, Question(sort="last_seen")).rows]
    assert by_age == ["Barn", "Mill", "Mute"], "never heard of comes last"
    assert registry.site_row(mute).site.connection_state == ""
    series.close()


async def test_the_first_reading_of_a_device_is_seen_at_once(registry: Registry, store: StoreServer) -> None:
    fleet = registry.create_organization("Fleet", None)
    site = registry.create_site(fleet.id, "Mill", "UTC").id
    series, latest = Series(store.address("first")), Latest()
    series.migrate()
    listener = Listener(registry, series, latest, ListenerLimits(every_s=86_400, new_s=0.01, share=1.0), NOW.timestamp)
    await listener.start()
    await asyncio.sleep(0.1)  # it has looked at nothing, and would look again in a day
    device = registry.create_device(site, "Clock")
    (point,) = registry.create_points(site, [PointDeclaration(address="a", name="a", device_id=device.id)])
    time_us = np.array([int(NOW.timestamp()) * 1_000_000])
    latest.take(Columns.of([ReadingBatch.of(np.array([point]), time_us, np.ones(1), version=1)]))
    for _ in range(3_000):
        if registry.device(device.id).last_seen is not None:
            break
        await asyncio.sleep(0.02)
    assert registry.device(device.id).last_seen == NOW.replace(microsecond=0)
    await listener.stop()
    series.close()
