"""Settings as the rooms are told them."""

from __future__ import annotations

from pathlib import Path

import pytest

from wattstead.limits import retention
from wattstead.metering.point import Point
from wattstead.metering.quantity import Kind, Quantity
from wattstead.settings import SettingsInvalid, settings_of

pytestmark = pytest.mark.unit

RULES = """
raw_days = 400
quarter_days = 4000
replaced_days = 90

[[keep]]
kind = "state"

[[keep]]
quantity = "voltage"
raw_days = 30
minute_days = 365
"""


def test_classes_of_points_are_kept_for_as_long_as_the_file_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "wattstead.toml").write_text(RULES)
    rules = retention(settings_of())
    voltage = rules.of(Point(id=1, quantity=Quantity.VOLTAGE, unit="V"))
    assert (voltage.raw_days, voltage.minute_days, voltage.quarter_days) == (30, 365, 0)
    assert rules.of(Point(id=2, kind=Kind.STATE)).raw_days == 0
    others = rules.of(Point(id=3))
    assert (others.raw_days, others.minute_days, others.quarter_days, others.replaced_days) == (400, 0, 4000, 90)


@pytest.mark.parametrize(
    ("rule", "place"),
    [('quantity = "volts"', "keep.0.quantity"), ("days = 3", "keep.0.days"), ("raw_days = -1", "keep.0.raw_days")],
)
def test_a_rule_that_is_none_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rule: str, place: str) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "wattstead.toml").write_text(f"[[keep]]\n{rule}\n")
    with pytest.raises(SettingsInvalid, match=place):
        settings_of()
