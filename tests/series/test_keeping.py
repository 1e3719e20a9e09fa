"""Backup and restore: everything as it was, questions and rollups go on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from wattstead.metering.batch import ReadingBatch
from wattstead.metering.calendar import Step, edges_us
from wattstead.metering.point import Point
from wattstead.metering.rollup import DAY_US
from wattstead.series import Series, StoreRefused
from wattstead.series.keeping.keeping import BackupTaken
from wattstead.series.schema import SCHEMA_VERSION

T0 = 1_774_569_600_000_000


def test_restored_readings_and_rollups_are_as_they_were(
    series: Series, stories: Callable[..., Any], points: list[Point], backups: Path
) -> None:
    story = stories(70, days=1.5)
    series.put_rules(points)
    series.append(story.batches)
    series.roll(T0, T0 + DAY_US)
    edges = edges_us("Europe/Berlin", T0, T0 + 2 * DAY_US, Step.H1)
    before, reach = series.buckets(points, edges), series.reach
    series.backup(backups / "one")
    series.append([ReadingBatch.of([12], [T0 + 5], [1e6], version=9 << 50)])
    series.roll(T0 + DAY_US, T0 + 3 * DAY_US)
    series.erase([13])
    series.restore(backups / "one")
    assert series.reach == reach
    for one, other in zip(before, series.buckets(points, edges), strict=True):
        np.testing.assert_array_equal(one.steps, other.steps)
        np.testing.assert_array_equal(one.count, other.count)
    assert series.put_rules(points) == []
    series.append(story.batches)
    series.roll(reach.minute_us, T0 + 2 * DAY_US)
    assert series.migrate() == SCHEMA_VERSION


def test_a_backup_needs_a_new_folder_and_a_restore_a_backup(series: Series, backups: Path) -> None:
    series.append([ReadingBatch.of([1], [T0], [5.0], version=1)])
    (backups / "taken").mkdir()
    with pytest.raises(BackupTaken, match="taken"):
        series.backup(backups / "taken")
    with pytest.raises(StoreRefused):
        series.restore(backups / "never made")
    with pytest.raises(StoreRefused):
        series.backup(backups.parent.parent / "elsewhere")
    assert series.latest().value.tolist() == [5.0]


def test_a_backup_goes_back_into_an_empty_store(series: Series, address: str, backups: Path) -> None:
    series.append([ReadingBatch.of([1], [T0], [5.0], version=1)])
    series.backup(backups / "two")
    fresh = Series(address)
    fresh.restore(backups / "two")
    assert fresh.latest().value.tolist() == [5.0]
    fresh.close()
