"""The demo's fleet: a few simulated sites of three partners, their last days filled in and their present posted."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import httpx
import msgspec
import numpy as np
import structlog

from wattstead.app import Product
from wattstead.cli.client import trusting
from wattstead.cli.simulation import fleet
from wattstead.cli.simulation.fleet import Sitting
from wattstead.cli.simulation.fleet_readings import DAY_S, FleetReadings, SiteReadings, batch_of
from wattstead.registry.registry import Registry

_log = structlog.get_logger("demo")
_NOTE = "fleet.json"
_PARTNERS, _SITES = 3, 12
_SEED, _EVERY_S, _HISTORY_DAYS = 26, 300, 7
_ZONE = "Europe/Berlin"


class FleetNote(msgspec.Struct):
    """What ``fleet.json`` holds: the sites with their keys, and the day from which on they measure."""

    first_day: int
    owner_id: int
    """The organization of the fleet."""
    partner_id: int
    """The organization of its first partner."""
    sittings: list[Sitting]


def furnish(registry: Registry, folder: Path, root_id: int) -> FleetNote:
    """Make the fleet at the first start; read it from its file at later ones."""
    path = folder / _NOTE
    if path.exists():
        return msgspec.json.decode(path.read_bytes(), type=FleetNote)
    first_day = int(time.time() // DAY_S) - _HISTORY_DAYS
    made = [one for some in fleet.settle(registry, root_id, _SITES, _SEED, _PARTNERS, _ZONE) for one in some]
    partner = registry.organization(registry.sites(site_ids=[made[0].site_id])[0].organization_id)
    assert partner.parent_id is not None
    note = FleetNote(first_day, partner.parent_id, partner.id, made)
    fresh = path.with_suffix(".new")
    fresh.touch(mode=0o600)
    fresh.write_bytes(msgspec.json.encode(note))
    fresh.replace(path)
    return note


class Played:
    """The fleet's readings from one instant to the next."""

    def __init__(self, note: FleetNote) -> None:
        self.note = note
        self._readings = FleetReadings(note.sittings, note.first_day, _EVERY_S, _SEED)

    async def fill(self, product: Product, until_us: int) -> None:
        """Put into the journal what lies between the newest stored reading and now."""
        newest_us = await asyncio.to_thread(product.newest_us, points_of(self.note.sittings))
        for readings in self.between(newest_us + 1, until_us):
            batch = batch_of(readings)
            if len(batch.point):
                await product.journal.append(batch)
        if not newest_us:
            steady = [self._readings.steady(one, until_us) for one in self.note.sittings]
            await product.journal.append(batch_of(steady))

    def between(self, from_us: int, until_us: int) -> Iterator[list[SiteReadings]]:
        """The readings of a half-open span, a day at a time; spans follow each other."""
        for day, readings in self._readings.days(until_us / 1e6):
            if (day + 1) * DAY_S * 1e6 > from_us:
                yield [_since(one, from_us) for one in readings]

    async def play(self, product: Product, from_us: int) -> None:
        """Each site posts what it measures, with its own key, like any device; what could not be posted comes later."""
        trust = trusting(product.authority)
        async with httpx.AsyncClient(base_url=product.own_url, timeout=10.0, verify=trust) as http:
            while True:
                await asyncio.sleep(_EVERY_S - time.time() % _EVERY_S + 0.5)
                until_us = int(time.time() * 1e6)
                days = list(self.between(from_us, until_us))
                if all([await _post(http, one) for readings in days for one in readings if len(one.point)]):
                    from_us = until_us


def _since(one: SiteReadings, from_us: int) -> SiteReadings:
    late = one.time_us >= from_us
    return SiteReadings(one.sitting, one.point[late], one.time_us[late], one.value[late])


async def _post(http: httpx.AsyncClient, one: SiteReadings) -> bool:
    """Whether the server took the readings of a site, or said that some cannot be kept."""
    body = {
        "time_unit": "us",
        "point": one.point.tolist(),
        "time": one.time_us.tolist(),
        "value": np.round(one.value, 6).tolist(),
    }
    headers = {"Authorization": f"Bearer {one.sitting.secret}"}
    answer = None
    with contextlib.suppress(httpx.TransportError):
        answer = await http.post("/api/v1/readings", json=body, headers=headers)
    if answer is None or answer.status_code in (429, 503):
        _log.warning("a site of the demo's fleet could not post", site=one.sitting.site_id)
        return False
    return True


def points_of(sittings: Sequence[Sitting]) -> list[int]:
    """Every point of these sites."""
    return [point for one in sittings for point in one.points.values()]
