"""A simulated fleet: owners, partners, sites and devices with invented names at real cities; plausible, not recorded.

Everything but the secrets of keys follows from the seed. What the sites measure is in `fleet_readings`.
"""

from __future__ import annotations

import math
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np

from wattstead.cli.simulation.cities import CITIES, City, geohash
from wattstead.registry.places.settling import NewDevice, NewSite
from wattstead.registry.registry import Registry
from wattstead.registry.templates.library import Library, shipped
from wattstead.registry.templates.template import Template

INVERTERS = ("fronius-symo", "solaredge", "sma-tripower", "huawei-sun2000", "kostal-plenticore")
METERS = ("eastron-sdm120", "eastron-sdm230")
GRID = "shelly-em"
NOTE = "Simulated: its customer is invented, its readings are computed from the place of the sun."
Picking = Callable[[Sequence[str]], str]
_SITES_OF_OWNER, _SITES_OF_PARTNER, _AT_ONCE = 3_000, 40, 500
_OWNERS = ("Helion Fleet", "Meridian Solar", "Nordlicht Energie", "Azur Photovoltaïque", "Terra Verde")
_FAMILIES = (
    "Lindner", "Moreau", "Jansen", "Peeters", "Rossi", "García", "Silva", "Novák", "Kowalski", "Nielsen", "Lindqvist",
    "Murphy", "Taylor", "Keller", "Huber", "Zupan", "Bauer", "Lefèvre", "Visser", "Maes", "Bianchi", "Romero", "Costa",
    "Dvořák", "Wójcik", "Sørensen", "Berg", "Byrne", "Walker", "Meier", "Gruber", "Horvat", "Schäfer", "Girard",
    "Bakker", "Claes", "Ricci", "Navarro", "Pereira", "Papadopoulos",
)  # fmt: skip
_TRADES = ("Solar", "Elektrotechnik", "Energie", "Installations", "Photovoltaik", "Rooftops")
_STREETS = ("Sun Street", "Mill Lane", "Church Road", "Station Road", "Orchard Way", "Hill Street", "Garden Path")
_DWELLINGS, _HEATINGS = (
    ("house", "terraced house", "farm", "flat", "workshop"),
    ("heat pump", "gas", "wood", "district"),
)
_CONTRACTS, _PHASES = ("basic", "silver", "gold"), ("study", "signed", "connected")


@dataclass(frozen=True, slots=True)
class Sitting:
    """A site as its readings need it."""

    site_id: int
    city: int
    """Position in `CITIES`: sites of one city have one weather."""
    latitude: float
    longitude: float
    tilt_deg: float
    azimuth_deg: float
    peak_w: float
    habit_w: float
    """Mean power of its people."""
    inverter: str
    """Template of the inverter."""
    grid: bool
    """Whether it has a meter at the grid."""
    age_years: float
    points: dict[str, int]
    """Point ids by address."""
    secret: str
    """Of its write key."""


def settle(
    registry: Registry, root_id: int | None, count: int, seed: int, partners: int = 0, zone: str = ""
) -> Iterator[list[Sitting]]:
    """Make ``count`` sites below new owners and partners, some hundreds at once; ``zone`` keeps to cities of one."""
    random = np.random.default_rng([seed, count])
    places = [at for at, city in enumerate(CITIES) if city.zone == (zone or city.zone)]
    branches = _branches(registry, root_id, count, partners, random)
    templates = {name: Library(shipped()).find(name).template for name in (*INVERTERS, *METERS, GRID)}
    for start in range(0, count, _AT_ONCE):
        numbers = range(start, min(start + _AT_ONCE, count))
        new: list[tuple[NewSite, dict[str, Any]]] = []
        about: list[dict[str, Any]] = []
        for number in numbers:
            city = int(random.choice(places))
            about.append(_about(city, random))
            new.append(_site(number, branches[number * len(branches) // count], about[-1], templates, random))
        made = registry.settle([one for one, _ in new])
        yield [
            Sitting(site_id=one.site_id, points=one.points, secret=site.secret, **about_it, **equipment)
            for one, about_it, (site, equipment) in zip(made, about, new, strict=True)
        ]


def _branches(
    registry: Registry, root_id: int | None, count: int, partners: int, random: np.random.Generator
) -> list[int]:
    """The organizations of partners, owner by owner."""
    owners = max(1, math.ceil(count / _SITES_OF_OWNER))
    wanted = partners or max(2, math.ceil(count / _SITES_OF_PARTNER))
    found: list[int] = []
    for owner in range(owners):
        name = _OWNERS[owner % len(_OWNERS)] + (f" {owner // len(_OWNERS) + 1}" if owner >= len(_OWNERS) else "")
        above = registry.create_organization(name, root_id, kind="fleet", note="Simulated.")
        for number in range(wanted * owner // owners, wanted * (owner + 1) // owners):
            partner = f"{_FAMILIES[number % len(_FAMILIES)]} {_TRADES[number // len(_FAMILIES) % len(_TRADES)]}"
            made = registry.create_organization(partner, above.id, kind="partner", note="Simulated.")
            found.append(made.id)
    return found


def _about(city: int, random: np.random.Generator) -> dict[str, Any]:
    """Where a site is, and how its modules stand."""
    place = CITIES[city]
    return {
        "city": city,
        "latitude": round(place.latitude + float(random.normal(0, 0.05)), 4),
        "longitude": round(place.longitude + float(random.normal(0, 0.07)), 4),
        "tilt_deg": float(random.choice((10, 15, 25, 30, 35, 40, 45))),
        "azimuth_deg": float(round(float(random.normal(180, 45))) % 360),
        "peak_w": float(random.choice((3_000, 4_500, 5_000, 6_600, 8_000, 9_900, 15_000, 29_700))),
        "habit_w": float(round(float(random.gamma(5, 90)) + 120)),
        "age_years": round(float(random.uniform(0.1, 12)), 2),
    }


def _site(
    number: int, organization_id: int, about: dict[str, Any], templates: dict[str, Template],
    random: np.random.Generator,
) -> tuple[NewSite, dict[str, Any]]:  # fmt: skip
    """A site to make, and what of its equipment its readings need."""

    def pick(from_: Sequence[str]) -> str:
        return str(random.choice(from_))

    city = CITIES[about["city"]]
    inverter, grid = templates[pick(INVERTERS)], number % 3 == 0
    connection = pick(("ethernet", "wifi", "mobile"))
    devices = [_device(inverter, "inverter", connection, random), _device(templates[pick(METERS)], "home", "", random)]
    if grid:
        devices.append(_device(templates[GRID], "grid", "", random))
    new = NewSite(
        organization_id=organization_id,
        attributes=_attributes(number, city, about, inverter.title, pick, random),
        tags={
            "geohash": geohash(about["latitude"], about["longitude"]),
            "country": city.country,
            "contract": pick(_CONTRACTS),
            "simulated": "yes",
        },
        devices=devices,
        secret=secrets.token_hex(16),
    )
    return new, {"inverter": inverter.name, "grid": grid}


def _attributes(
    number: int, city: City, about: dict[str, Any], inverter: str, pick: Picking, random: np.random.Generator
) -> dict[str, object]:
    family = pick(_FAMILIES)
    return {
        "name": f"{family}, {city.name}",
        "zone": city.zone,
        "note": NOTE,
        "state": "active",
        "customer_number": f"C{number + 1:06d}",
        "address": f"{pick(_STREETS)} {int(random.integers(1, 180))}",
        "city": city.name,
        "postal_code": city.postal_code,
        "country": city.country,
        "latitude": about["latitude"],
        "longitude": about["longitude"],
        "delivery_point": f"{city.country}{int(random.integers(10**12, 10**13))}",
        "subscription_number": f"S{int(random.integers(10**7, 10**8))}",
        "subscribed_power_w": float(random.choice((6_000, 9_000, 12_000, 18_000, 36_000))),
        "dwelling": pick(_DWELLINGS),
        "occupants": int(random.integers(1, 6)),
        "area_m2": float(random.integers(55, 320)),
        "heating": pick(_HEATINGS),
        "eligibility_phase": pick(_PHASES),
        "business_case": pick(("self-consumption", "full feed-in")),
        "cluster": f"cluster {int(random.integers(1, 9))}",
        "peak_power_w": about["peak_w"],
        "tilt_deg": about["tilt_deg"],
        "azimuth_deg": about["azimuth_deg"],
        "inverter": inverter,
        "installed_on": (date.today() - timedelta(days=about["age_years"] * 365.25)).isoformat(),
    }


def _device(template: Template, part: str, connection: str, random: np.random.Generator) -> NewDevice:
    used = connection if connection in template.reporting else template.defaults.connection
    return NewDevice(
        template=template,
        prefix=f"{part}/",
        attributes={
            "name": f"{template.title}",
            "serial_number": f"{int(random.integers(10**9, 10**10))}",
            "hardware_version": template.hardware[0] if template.hardware else "1",
            "firmware": f"{int(random.integers(1, 4))}.{int(random.integers(0, 20))}",
            "connection": used,
            "pairing_state": "paired",
            "mobile_budget_bytes": 50_000_000 if used == "mobile" else None,
        },
        tags={"part": part, "simulated": "yes"},
    )
