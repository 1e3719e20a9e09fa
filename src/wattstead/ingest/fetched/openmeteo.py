"""Weather in the format of Open-Meteo: forecasts and archives, from its servers or from one's own.

Forecasts and what was measured have points of their own. Of each instant the forecast is the last one made before it;
an answer says nothing of the past here. Beside it stands what was forecast at least a day (two days …) ahead, so that
runs can be compared. What Open-Meteo labels by the end of an hour (sums and means of the preceding hour) is labelled by
its start, as everywhere in this product.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from wattstead.ingest.decoding.columns import Columns
from wattstead.ingest.decoding.rows import Row, Rows
from wattstead.ingest.fetched.plan import Plan, Request
from wattstead.ingest.fetched.row import fetched
from wattstead.ingest.fetched.settings import Ca, Every, Prefix, Url
from wattstead.ingest.sources.source_protocol import Message, Secret, Unreadable
from wattstead.metering.quantity import ALIASES, UNITS, Quality

_HOURLY = (
    "temperature_2m", "relative_humidity_2m", "cloud_cover", "wind_speed_10m", "wind_direction_10m", "precipitation",
    "surface_pressure", "shortwave_radiation", "direct_normal_irradiance", "diffuse_radiation",
)  # fmt: skip
_STEP_US = {"hourly": 3_600_000_000, "minutely_15": 900_000_000}
_OF_THE_PRECEDING = re.compile(
    r"(precipitation|rain|showers|snowfall|shortwave_radiation|direct_radiation|diffuse_radiation|sunshine_duration|"
    r"direct_normal_irradiance|global_tilted_irradiance|terrestrial_radiation|wind_gusts_10m|et0_fao_evapotranspiration|"
    r"evapotranspiration|snowfall_water_equivalent|precipitation_probability)(_previous_day[1-7])?"
)
"""Variables that are sums, means or maxima of the hour (quarter) that ends at the instant given."""
_AS_WE_SAY = {"mp/h": "mph", "W/m2": "W/m²", "percent": "%"}
_FURTHEST_S = 9e11
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_US = 86_400_000_000
_AHEAD_DAYS = 17


class OpenMeteoSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which weather, and from where."""

    latitude: Annotated[float, Meta(ge=-90, le=90, title="Latitude", description="Degrees north, such as 52.52")]
    longitude: Annotated[float, Meta(ge=-180, le=180, title="Longitude", description="Degrees east, such as 13.41")]
    url: Url = "https://api.open-meteo.com/v1/forecast"
    kind: Annotated[
        Literal["forecast", "history"],
        Meta(
            title="What",
            description="forecast, or history with the address https://archive-api.open-meteo.com/v1/archive",
        ),
    ] = "forecast"
    hourly: Annotated[
        tuple[Annotated[str, Meta(pattern="^[a-z0-9_]+$", max_length=80)], ...],
        Meta(min_length=1, max_length=60, title="Variables", description="Names of hourly variables as in Open-Meteo"),
    ] = _HOURLY
    days: Annotated[
        int, Meta(ge=1, le=366, title="Days", description="Ahead for a forecast (at most 16), back for history")
    ] = 7
    ahead: Annotated[
        tuple[Annotated[int, Meta(ge=1, le=15)], ...],
        Meta(
            max_length=15,
            title="Kept days ahead",
            description="Forecasts made at least so many days ahead are kept beside the newest one",
        ),
    ] = (1,)
    model: Annotated[
        str,
        Meta(
            pattern="^[a-z0-9_]*$",
            max_length=60,
            title="Model",
            description="Weather model such as icon_seamless; empty: the best for the place",
        ),
    ] = ""
    apikey: Annotated[Secret, Meta(title="API key", description="Of paying customers; empty: none")] = ""
    every_s: Every = 3_600.0
    ca: Ca = ""
    prefix: Prefix = "weather/"


class _Answer(msgspec.Struct):
    utc_offset_seconds: float = 0.0
    hourly: dict[str, list[Any]] = {}
    hourly_units: dict[str, str] = {}
    minutely_15: dict[str, list[Any]] = {}
    minutely_15_units: dict[str, str] = {}
    error: bool = False
    reason: str = ""


_answer = msgspec.json.Decoder(_Answer)


def decode(message: Message, settings: OpenMeteoSettings) -> Columns:
    """The readings of an answer; of a forecast those that lie ahead of when it came. Raises `Unreadable`."""
    try:
        answer = _answer.decode(message.raw)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as fault:
        raise Unreadable(f"this is no answer of Open-Meteo: {fault}") from None
    if answer.error:
        raise Unreadable(f"the server says: {answer.reason or 'error'}")
    rows = Rows()
    read = False
    for table, units in (
        ("hourly", answer.hourly_units), ("minutely_15", answer.minutely_15_units),
    ):  # fmt: skip
        columns = getattr(answer, table)
        if columns:
            read = True
            _table(rows, columns, units, table, answer.utc_offset_seconds, message.received_us, settings)
    if not read:
        raise Unreadable("there are no hourly values in it; expected an object 'hourly'")
    return rows.columns()


def _table(
    rows: Rows, columns: Mapping[str, list[Any]], units: Mapping[str, str], table: str, offset_s: float,
    received_us: int, settings: OpenMeteoSettings,
) -> None:  # fmt: skip
    try:
        times = [_instant(one, offset_s, units.get("time", "iso8601")) for one in columns["time"]]
    except KeyError:
        raise Unreadable(f"{table} has no times") from None
    for name, values in columns.items():
        if name == "time":
            continue
        if len(values) != len(times):
            rows.rejected.add(f"{table}.{name}", f"has {len(values)} values for {len(times)} times")
            continue
        unit = _unit(units.get(name, ""))
        shift_us = _STEP_US[table] if _OF_THE_PRECEDING.fullmatch(name) else 0
        called = name if table == "hourly" else f"{name} 15 min"
        for time_us, value in zip(times, values, strict=True):
            if isinstance(value, bool) or not isinstance(value, int | float):
                rows.skipped += 1  # null: the model does not reach so far, or the archive is not there yet
                continue
            _put(rows, called, time_us - shift_us, float(value), unit, received_us, settings)


def _put(
    rows: Rows, name: str, time_us: int, value: float, unit: str, received_us: int, settings: OpenMeteoSettings
) -> None:
    if settings.kind == "history":
        rows.put(Row(f"{settings.prefix}history/{name}", time_us, value, unit, Quality.ESTIMATED))
        return
    if time_us < received_us:
        rows.skipped += 1
        return
    rows.put(Row(f"{settings.prefix}forecast/{name}", time_us, value, unit, Quality.ESTIMATED))
    for days in settings.ahead:
        if time_us >= received_us + days * _DAY_US:
            address = f"{settings.prefix}forecast {days} d ahead/{name}"
            rows.put(Row(address, time_us, value, unit, Quality.ESTIMATED))


def _instant(found: Any, offset_s: float, form: str) -> int:
    """Microseconds since 1970. Unix times are UTC; ISO times are local, as the answer's offset says."""
    if isinstance(found, int) and not isinstance(found, bool) and abs(found) < _FURTHEST_S:
        return found * 1_000_000
    try:
        local = datetime.fromisoformat(found)
        known = local if local.tzinfo else local.replace(tzinfo=UTC) - timedelta(seconds=offset_s)
        return (known - _EPOCH) // timedelta(microseconds=1)
    except (TypeError, ValueError, OverflowError):
        raise Unreadable(f"time {str(found)[:40]!r} is none; expected {form}") from None


def _unit(told: str) -> str:
    """The unit as it is called here; empty where there is none, as for codes of the weather."""
    symbol = _AS_WE_SAY.get(told, ALIASES.get(told, told))
    return symbol if symbol in UNITS else ""


def plan_of(settings: OpenMeteoSettings) -> Plan:
    """What is asked: by UTC and in Unix times, so that no clock change can be misread."""
    params = {
        "latitude": f"{settings.latitude:g}", "longitude": f"{settings.longitude:g}",
        "hourly": ",".join(settings.hourly), "timeformat": "unixtime", "timezone": "GMT", "wind_speed_unit": "ms",
    }  # fmt: skip
    if settings.model:
        params["models"] = settings.model
    secret = {"apikey": settings.apikey} if settings.apikey else {}

    def requests(present_us: int) -> Iterator[Request]:
        if settings.kind == "forecast":
            span = {"forecast_days": str(min(settings.days, 16))}
        else:
            today = datetime.fromtimestamp(present_us / 1e6, UTC).date()
            span = {"start_date": str(today - timedelta(days=settings.days)), "end_date": str(today)}
        yield Request(settings.url, {**params, **span}, secret)

    return Plan(requests, lambda message: decode(message, settings))


OPENMETEO = fetched(
    "openmeteo", "docs/weather.md", "Open-Meteo", OpenMeteoSettings, decode, plan_of, ahead_days=_AHEAD_DAYS
)
