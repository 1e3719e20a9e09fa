"""The demo's two homes: real recordings played in a loop, so that the present continues what was recorded.

Pure: it says which reading belongs to which instant; posting them is the demo's affair.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from wattstead.metering.quantity import Direction, Kind, Quantity, Role

SECOND_US = 1_000_000
DAY_US = 86_400 * SECOND_US


@dataclass(frozen=True, slots=True)
class Channel:
    """One column of a recording and what its numbers mean."""

    address: str
    name: str
    unit: str
    quantity: Quantity = Quantity.ELECTRICITY
    kind: Kind = Kind.GAUGE
    direction: Direction = Direction.NONE
    role: Role = Role.NONE


@dataclass(frozen=True, slots=True)
class Recording:
    """Readings of several channels at a fixed step, repeated for ever.

    ``value`` has a row per step and a column per channel, three decimals at most, NaN where nothing was recorded;
    row 0 belongs to ``start_us`` and to every whole number of loops before and after it.
    """

    site: str
    zone: str
    note: str
    channels: tuple[Channel, ...]
    step_us: int
    start_us: int
    value: NDArray[np.float32]
    history_days: int

    def between(self, start_us: int, end_us: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Instants (int64 µs) in [start_us, end_us) that have a row, and the rows (float64, a column per channel)."""
        first = -(-(start_us - self.start_us) // self.step_us)
        last = -(-(end_us - self.start_us) // self.step_us)
        step = np.arange(first, max(first, last), dtype=np.int64)
        value = self.value[step % len(self.value)].astype(np.float64)
        return self.start_us + step * self.step_us, value.round(3)


def samples() -> Path:
    """The folder of sample recordings: inside the installed package, or beside the sources."""
    packed = Path(__file__).parents[2] / "samples"
    return packed if packed.is_dir() else Path(__file__).parents[4] / "samples"


def minute_home(folder: Path) -> Recording:
    """A home near Paris, one reading a minute, four weeks in a loop (so that weekdays stay weekdays)."""
    table = pq.read_table(folder / "uci_household_minute.parquet")
    recorded_us = table["ts"].to_numpy().astype("datetime64[us]").astype(np.int64)
    weeks = slice(0, 28 * 1440)
    columns = [
        ("Global_active_power", 1000.0, Channel("power", "Home", "W", direction=Direction.IMPORT, role=Role.HOME)),
        ("Global_reactive_power", 1000.0, Channel("reactive", "Reactive power", "var")),
        ("Voltage", 1.0, Channel("voltage", "Voltage", "V", Quantity.VOLTAGE)),
        ("Global_intensity", 1.0, Channel("current", "Current", "A", Quantity.CURRENT)),
        *(
            (f"Sub_metering_{n}", 1.0, Channel(address, name, "Wh", kind=Kind.DELTA, role=Role.APPLIANCE))
            for n, address, name in (
                (1, "kitchen", "Kitchen"),
                (2, "laundry", "Laundry"),
                (3, "water-heater", "Water heater and air conditioner"),
            )
        ),
    ]
    return Recording(
        site="Home near Paris",
        zone="Europe/Paris",
        note=(
            "Replayed: one home near Paris, recorded each minute from 16 December 2006 to 13 January 2007 (UCI Machine "
            "Learning Repository, data set 235, CC BY 4.0), shifted by whole weeks; after four weeks it starts again."
        ),
        channels=tuple(channel for _, _, channel in columns),
        step_us=60 * SECOND_US,
        start_us=int(recorded_us[0]) - 3600 * SECOND_US,
        value=np.column_stack([table[name].to_numpy()[weeks] * factor for name, factor, _ in columns]).astype(
            np.float32
        ),
        history_days=31,
    )


def second_home(folder: Path) -> Recording:
    """A home put together from fourteen appliances, one reading a second each, five days in a loop."""
    table = pq.read_table(folder / "tracebase_home.parquet")
    kinds = list(dict.fromkeys(name.split("|")[0] for name in table.column_names))
    days = {kind: [c for c in table.column_names if c.startswith(f"{kind}|")] for kind in kinds}
    power = np.column_stack(
        [np.concatenate([table[c].to_numpy() for c in days[kind]]).astype(np.float32) for kind in kinds]
    )
    names = {"PC-Desktop": "Computer", "Monitor-TFT": "Monitor", "TV-LCD": "Television"}
    names |= {"Coffeemaker": "Coffee maker", "WaterKettle": "Kettle", "MicrowaveOven": "Microwave"}
    names |= {"Cookingstove": "Stove", "Washingmachine": "Washing machine"}
    home = Channel("home", "Home", "W", direction=Direction.IMPORT, role=Role.HOME)
    appliances = tuple(Channel(f"appliance/{kind}", names.get(kind, kind), "W", role=Role.APPLIANCE) for kind in kinds)
    return Recording(
        site="Second by second",
        zone="Europe/Berlin",
        note=(
            "Replayed: fourteen appliances recorded each second in German homes in 2011 and 2012 (contains information "
            "from the tracebase data set, ODbL 1.0), put together into one home; its total is their sum, and after "
            "five days it starts again."
        ),
        channels=(home, *appliances),
        step_us=SECOND_US,
        start_us=-3600 * SECOND_US,
        value=np.column_stack([power.sum(axis=1), power]),
        history_days=3,
    )
