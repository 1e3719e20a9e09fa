"""Sunshine: where the sun stands and what modules make of it, good to a degree and a few per cent; pure functions.

For thousands of simulated sites at once; it is no yield model and knows no shade, no snow and no measured weather.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_SOLAR_CONSTANT = 1361.0
_ALBEDO = 0.2


def sun(time_s: Floats, latitude_deg: Floats, longitude_deg: Floats) -> tuple[Floats, Floats]:
    """Sine of the height and azimuth (radians, clockwise from north) of the sun; sites are rows, instants columns.

    Declination and equation of time by the low-precision formulas of the Astronomical Almanac, page C5.

    >>> noon = np.array([1_719_054_000.0])  # 2024-06-22T11:00Z, some minutes before noon at 15° east
    >>> height, azimuth = sun(noon, np.array([50.0]), np.array([15.0]))
    >>> int(np.degrees(np.arcsin(height[0, 0]))), int(np.degrees(azimuth[0, 0])) in range(170, 182)
    (63, True)
    """
    days = time_s / 86_400 + 2_440_587.5 - 2_451_545.0
    anomaly = np.radians(357.528 + 0.9856003 * days)
    mean_deg = 280.460 + 0.9856474 * days
    ecliptic = np.radians(mean_deg + 1.915 * np.sin(anomaly) + 0.020 * np.sin(2 * anomaly))
    oblique = np.radians(23.439)
    declination = np.arcsin(np.sin(oblique) * np.sin(ecliptic))
    ascension = np.degrees(np.arctan2(np.cos(oblique) * np.sin(ecliptic), np.cos(ecliptic)))
    equation_deg = (mean_deg - ascension + 180) % 360 - 180
    latitude = np.radians(latitude_deg)[:, None]
    hour = np.radians((time_s % 86_400) / 240 - 180 + equation_deg + longitude_deg[:, None])
    height = np.sin(latitude) * np.sin(declination) + np.cos(latitude) * np.cos(declination) * np.cos(hour)
    azimuth = np.pi + np.arctan2(np.sin(hour), np.cos(hour) * np.sin(latitude) - np.tan(declination) * np.cos(latitude))
    return height, azimuth


def on_plane(height: Floats, azimuth: Floats, tilt_deg: Floats, azimuth_deg: Floats, clear: Floats) -> Floats:
    """Irradiance (W/m²) on tilted modules; ``clear`` is the share of a clear sky's light, 0 to 1.

    Clear sky after Haurwitz (1945), diffuse share growing as the sky clouds over, isotropic sky (Liu and Jordan, 1963).

    >>> flat = on_plane(np.array([[1.0]]), np.array([[0.0]]), np.array([0.0]), np.array([180.0]), np.array([[1.0]]))
    >>> 1030 < float(flat[0, 0]) < 1045
    True
    """
    up = np.clip(height, 0.0, 1.0)
    horizontal = np.where(up > 0.01, 1098 * up * np.exp(-0.057 / np.maximum(up, 0.01)), 0.0) * clear
    diffuse = horizontal * np.clip(1.05 - 0.9 * clear, 0.12, 1.0)
    tilt, facing = np.radians(tilt_deg)[:, None], np.radians(azimuth_deg)[:, None]
    flat = np.sqrt(np.clip(1 - up**2, 0.0, 1.0))
    incidence = np.clip(up * np.cos(tilt) + flat * np.sin(tilt) * np.cos(azimuth - facing), 0.0, 1.0)
    beam = (horizontal - diffuse) * np.minimum(incidence / np.maximum(up, 0.05), 6.0)
    sky = diffuse * (1 + np.cos(tilt)) / 2
    ground = horizontal * _ALBEDO * (1 - np.cos(tilt)) / 2
    found: Floats = np.clip(beam + sky + ground, 0.0, _SOLAR_CONSTANT)
    return found


def power_w(irradiance: Floats, air_c: Floats, peak_w: Floats) -> Floats:
    """What the inverter gives: 14 % lost on the way, 0.38 % a degree above 25 °C, never more than 92 % of the peak.

    >>> round(float(power_w(np.array([[1000.0]]), np.array([[0.0]]), np.array([5000.0]))[0, 0]))
    4202
    """
    cell_c = air_c + irradiance * 0.031
    made = peak_w[:, None] * irradiance / 1000 * 0.86 * (1 - 0.0038 * (cell_c - 25))
    found: Floats = np.clip(made, 0.0, 0.92 * peak_w[:, None])
    return found


def air_c(time_s: Floats, latitude_deg: Floats, longitude_deg: Floats, noise: Floats) -> Floats:
    """Plausible air temperature (°C): colder north, warmest at the end of July and about three in the afternoon."""
    season = np.cos(2 * np.pi * (time_s / 86_400 % 365.2425 - 205) / 365.2425)
    hour = (time_s / 3600 + longitude_deg[:, None] / 15) % 24
    mean = 11.5 - 0.65 * (latitude_deg[:, None] - 48)
    found: Floats = np.round(mean + 8.5 * season + 4 * np.cos(np.pi * (hour - 15) / 12) + noise, 1)
    return found
