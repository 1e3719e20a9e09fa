"""``wattstead simulate``: years of plausible readings of one solar home, posted to a running server.

Everything follows from the seed and the span. What is generated is plausible, not recorded, and is named so.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import typer
from numpy.typing import NDArray

from wattstead.cli.client import Client, connect
from wattstead.metering.wording import counted

_CHUNK = 20_000
_YEAR_S = 365.2425 * 86_400
_LATITUDE = np.radians(48.0)


@dataclass(frozen=True, slots=True)
class SimulatedHome:
    """Columns of one home, all of one length: power in W, temperature in °C, registers in kWh (three decimals)."""

    time_us: NDArray[np.int64]
    solar_w: NDArray[np.float64]
    home_w: NDArray[np.float64]
    temperature_c: NDArray[np.float64]
    import_kwh: NDArray[np.float64]
    export_kwh: NDArray[np.float64]

    def columns(self) -> dict[str, NDArray[np.float64]]:
        """Address to values."""
        return {
            "simulated/solar power W": self.solar_w,
            "simulated/home power W": self.home_w,
            "simulated/outdoor temperature": self.temperature_c,
            "simulated/import kWh": self.import_kwh,
            "simulated/export kWh": self.export_kwh,
        }


def home(start_s: int, end_s: int, every_s: int, seed: int) -> SimulatedHome:
    """A home with 5 kW of solar at 48° north: seasons, clouds by the day and the hour, habits by the clock.

    >>> float(home(0, 86_400, 900, seed=1).solar_w.min())
    0.0
    """
    at = np.arange(start_s, end_s, every_s, dtype=np.int64)
    random = np.random.default_rng(seed)
    day = at / 86_400
    season = np.sin(2 * np.pi * (day % 365.2425 - 81) / 365.2425)
    hour = (at % 86_400) / 3600
    declination = np.radians(23.44) * season
    height = np.sin(_LATITUDE) * np.sin(declination) + np.cos(_LATITUDE) * np.cos(declination) * np.cos(
        np.pi * (hour - 12) / 12
    )
    days = int(day[-1] - day[0]) + 2
    clear = random.beta(2.0, 1.2, days)[(day - day[0]).astype(int)] * (0.85 + 0.15 * random.random(len(at)))
    solar = np.round(5000 * np.clip(height, 0, None) ** 1.15 * clear)
    habit = 180 + 520 * np.exp(-(((hour - 7.5) / 1.4) ** 2)) + 900 * np.exp(-(((hour - 19.2) / 2.1) ** 2))
    load = np.round(habit * (1 - 0.25 * season) * random.gamma(4, 0.25, len(at)))
    temperature = np.round(11 + 9 * season + 4 * np.cos(np.pi * (hour - 15) / 12) + random.normal(0, 0.6, len(at)), 1)
    net_wh = (load - solar) * every_s / 3600
    return SimulatedHome(
        time_us=at * 1_000_000,
        solar_w=solar,
        home_w=load,
        temperature_c=temperature,
        import_kwh=np.round(np.cumsum(np.clip(net_wh, 0, None)) / 1000, 3),
        export_kwh=np.round(np.cumsum(np.clip(-net_wh, 0, None)) / 1000, 3),
    )


def run(folder: Path, url: str, key: str, years: float, every_s: int, seed: int) -> int:
    """Post ``years`` that end now, one reading of each point every ``every_s`` seconds."""
    end_s = int(time.time()) // every_s * every_s
    made = home(end_s - int(years * _YEAR_S) // every_s * every_s, end_s, every_s, seed)
    client = connect(folder, url, key, "")
    try:
        sent = _post(client, made)
    finally:
        client.close()
    points = counted(len(made.columns()), "point")
    typer.echo(f"{counted(sent, 'reading')} of {points} over {counted(years, 'year')}")
    return 0


def _post(client: Client, made: SimulatedHome) -> int:
    sent = 0
    columns = made.columns()
    rows = _CHUNK // len(columns)
    with typer.progressbar(length=len(made.time_us), label="simulate") as bar:
        for at in range(0, len(made.time_us), rows):
            time_us = made.time_us[at : at + rows].tolist()
            values = [column[at : at + rows].tolist() for column in columns.values()]
            names = [name for name in columns for _ in time_us]
            accepted, refused = client.post_readings(
                names, time_us * len(columns), [value for column in values for value in column]
            )
            sent += accepted
            for issue in refused[:5]:
                typer.echo(f"{issue.place}: {issue.reason}", err=True)
            bar.update(len(time_us))
    return sent
