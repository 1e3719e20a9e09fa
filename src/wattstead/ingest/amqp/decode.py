"""What a message of a queue says: one reading of one device, in JSON whose fields the settings name."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from wattstead.ingest.amqp.settings import AmqpSettings
from wattstead.ingest.decoding.columns import Columns, Few
from wattstead.ingest.decoding.gathered import Gathered
from wattstead.ingest.decoding.instants import TimeInvalid, from_written
from wattstead.ingest.decoding.loose_json import loads
from wattstead.ingest.errors import BodyInvalid
from wattstead.ingest.sources.source_protocol import Message, Unreadable

MEANINGS = {"kw-mean": ("mean_power", "kW"), "kwh-per-reading": ("energy", "kWh")}
"""Last part of the point's name, which proposes its kind, and the unit, by what a value is."""


def decode(message: Message, settings: AmqpSettings) -> Columns | Few:
    """The reading of a message; raises `Unreadable`.

    >>> body = b'{"device_id": 7, "timestamp": 1700000000, "measurement_value": 1.5}'
    >>> columns = decode(Message(body, "device_consumption", 0), AmqpSettings(host="localhost"))
    >>> columns.names.address(0), columns.value.tolist(), columns.units
    ('device_consumption/7/mean_power', [1.5], ['kW'])
    """
    found = _object(message.raw)
    gathered = Gathered(message.received_us)
    address, unit = _address(settings, _device(found.get(settings.device_field), settings.device_field))
    value = found.get(settings.value_field)
    if isinstance(value, bool) or not isinstance(value, int | float):
        shown = "missing" if value is None else repr(value)[:40]
        raise Unreadable(f"{settings.value_field} is {shown}; expected a number")
    gathered.put(address, value, _instant(found.get(settings.time_field), settings.time_field), unit)
    if gathered.rejected:
        raise Unreadable(f"{settings.value_field}: {gathered.rejected.listed[0].reason}")
    return gathered.columns()


def _object(raw: bytes) -> dict[str, Any]:
    try:
        found = loads(raw)
    except BodyInvalid as fault:
        raise Unreadable(f"message is no JSON: {fault}") from None
    if not isinstance(found, dict):
        raise Unreadable(f"message is JSON of kind {type(found).__name__}; expected an object")
    return found


def _device(found: Any, field: str) -> str:
    if isinstance(found, str) and found.strip():
        return found
    if isinstance(found, int) and not isinstance(found, bool):
        return str(found)
    raise Unreadable(f"{field} is {'missing' if found is None else repr(found)[:40]}; expected an id")


def _instant(found: Any, field: str) -> int:
    if found is None:
        raise Unreadable(f"{field} is missing; expected Unix seconds or milliseconds")
    try:
        return from_written(found, "auto")
    except TimeInvalid as fault:
        raise Unreadable(f"{field}: {fault}") from None


@lru_cache(100_000)
def _address(settings: AmqpSettings, device: str) -> tuple[str, str]:
    last, unit = MEANINGS[settings.meaning]
    return f"{settings.prefix or settings.queue}/{device}/{last}", unit
