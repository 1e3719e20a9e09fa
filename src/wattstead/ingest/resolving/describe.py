"""What a new address says beside itself: a label, tags, a unit; whether the point may be created others decide."""

from __future__ import annotations

from wattstead.ingest.influx.address import PREFIX as INFLUX
from wattstead.ingest.influx.address import series_of
from wattstead.metering.quantity import ALIASES, UNITS
from wattstead.registry.names import LONGEST_NAME
from wattstead.registry.records import NewAddress

_EMON = "emon/"
_FIELDS_THAT_SAY_NOTHING = frozenset({"value", "state", "gauge", "counter"})


def described(path: str, unit: str = "") -> NewAddress:
    """The address with what it says; ``unit`` is what its sender says beside it.

    >>> described("influx/W,entity_id=roof/value").name, described("influx/W,entity_id=roof/value").unit
    ('W roof', 'W')
    >>> described("kitchen/fridge").name
    'kitchen/fridge'
    """
    if path.startswith(INFLUX):
        series = series_of(path)
        if series is not None:
            field = "" if series.field in _FIELDS_THAT_SAY_NOTHING else series.field
            label = " ".join(filter(None, (series.measurement, *series.tags.values(), field)))
            return NewAddress(path, label[:LONGEST_NAME], unit or _unit(series.measurement, series.field), series.tags)
    if path.startswith(_EMON):
        return NewAddress(path, unit=unit)
    return NewAddress(path, path, unit)


def _unit(*words: str) -> str:
    """The first word that is a unit: Home Assistant names a measurement after its unit."""
    return next((word for word in words if word and (word in UNITS or word in ALIASES)), "")
