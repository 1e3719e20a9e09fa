"""The simulated fleet: what stands in the registry, and that its readings are plausible and go on where they ended."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from wattstead.cli.simulation import fleet, sunshine
from wattstead.cli.simulation.cities import CITIES, geohash
from wattstead.cli.simulation.fleet import Sitting
from wattstead.cli.simulation.fleet_readings import DAY_S, FleetReadings, SiteReadings
from wattstead.metering.quantity import Kind
from wattstead.registry.registry import Registry

pytestmark = pytest.mark.unit
DAY = 20_625
"""A day in June 2026."""


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    folder = tmp_path_factory.mktemp("fleet")
    with Registry(f"sqlite:///{folder / 'registry.db'}") as opened:
        opened.migrate()
        yield opened


@pytest.fixture(scope="module")
def sittings(registry: Registry) -> list[Sitting]:
    root = registry.create_organization("Root")
    return [one for some in fleet.settle(registry, root.id, 60, seed=3, partners=4) for one in some]


def _columns(registry: Registry, readings: list[SiteReadings]) -> dict[tuple[int, str], np.ndarray]:
    found = {}
    for one in readings:
        names = {point: address for address, point in one.sitting.points.items()}
        for point in np.unique(one.point):
            found[one.sitting.site_id, names[int(point)]] = one.value[one.point == point]
    return found


def test_owners_partners_sites_and_devices_stand(registry: Registry, sittings: list[Sitting]) -> None:
    organizations = registry.organizations()
    kinds = [one.kind for one in organizations]
    assert (kinds.count("fleet"), kinds.count("partner")) == (1, 4)
    sites = registry.sites()
    assert len(sites) == len(sittings) == 60
    assert len({site.organization_id for site in sites}) == 4
    assert len({site.customer_number for site in sites}) == 60
    for site in sites:
        assert site.tags["geohash"] == geohash(site.latitude or 0, site.longitude or 0)
        assert site.peak_power_w and site.tilt_deg is not None and site.azimuth_deg is not None and site.installed_on
        assert "imulated" in site.note
        assert any(city.name == site.city and city.zone == site.zone for city in CITIES)
    templates = {device.template for device in registry.devices()}
    assert templates >= {*fleet.INVERTERS, fleet.GRID}


def test_a_day_is_plausible(registry: Registry, sittings: list[Sitting]) -> None:
    ((day, readings),) = FleetReadings(sittings, DAY, 900, 1).days((DAY + 1) * DAY_S)
    assert day == DAY
    kinds = {row.point.id: row.point for row in registry.points()}
    for one in readings:
        assert np.isfinite(one.value).all()
        for point in np.unique(one.point):
            values = one.value[one.point == point]
            assert len(values) == 96
            if kinds[int(point)].kind is Kind.REGISTER:
                assert (np.diff(values) >= 0).all()
    found = _columns(registry, readings)
    for one in sittings:
        power = next(
            v for (site, a), v in found.items() if site == one.site_id and a in ("inverter/W", "inverter/power")
        )
        assert power.min() == 0.0
        assert 0 < power.max() <= 0.92 * one.peak_w + 1
        used = found[one.site_id, "home/power"]
        assert used.min() >= 0
        assert 0.3 * one.habit_w < used.mean() < 3 * one.habit_w


def test_what_comes_in_pieces_is_what_comes_at_once(sittings: list[Sitting]) -> None:
    some = sittings[:5]
    whole = [one for _, day in FleetReadings(some, DAY, 900, 1).days((DAY + 2) * DAY_S) for one in day]
    pieces = FleetReadings(some, DAY, 900, 1)
    last: dict[tuple[int, int], float] = {}
    for until_s in (DAY * DAY_S + 40_000, DAY * DAY_S + 80_000, (DAY + 1.4) * DAY_S, (DAY + 2) * DAY_S):
        for _, day in pieces.days(until_s):
            for one in day:
                assert not len(one.time_us) or one.time_us.max() < until_s * 1e6
                last.update(
                    zip(zip(one.point.tolist(), one.time_us.tolist(), strict=True), one.value.tolist(), strict=True)
                )
    expected = {
        place: value
        for one in whole
        for place, value in zip(
            zip(one.point.tolist(), one.time_us.tolist(), strict=True), one.value.tolist(), strict=True
        )
    }
    assert last == expected


def test_the_sun_stands_where_it_should() -> None:
    """Greenwich, equinox of 2026: up at six, highest at noon at 90° minus the latitude, down at eighteen."""
    noon = 1_773_964_800.0 + 43_200 + 86_400 * 0
    at = np.array([noon - 6 * 3600, noon, noon + 6 * 3600])
    height, azimuth = sunshine.sun(at, np.array([51.48]), np.array([0.0]))
    degrees = np.degrees(np.arcsin(height[0]))
    assert degrees[1] == pytest.approx(90 - 51.48, abs=1.0)
    assert abs(degrees[0]) < 3 and abs(degrees[2]) < 3
    assert np.degrees(azimuth[0]) == pytest.approx([90, 180, 270], abs=4)


def test_the_same_seed_gives_the_same_fleet(tmp_path: Path, sittings: list[Sitting]) -> None:
    with Registry(f"sqlite:///{tmp_path / 'registry.db'}") as other:
        other.migrate()
        root = other.create_organization("Root")
        again = [one for some in fleet.settle(other, root.id, 60, seed=3, partners=4) for one in some]
    assert [(one.latitude, one.peak_w, one.inverter) for one in again] == [
        (one.latitude, one.peak_w, one.inverter) for one in sittings
    ]
    assert {one.secret for one in again}.isdisjoint(one.secret for one in sittings)
