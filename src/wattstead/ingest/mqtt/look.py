"""Looking around at a broker: listens for some seconds and lists what is published, with what would be read of it."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from wattstead.ingest.decoding.columns import Few
from wattstead.ingest.decoding.time_names import time_name
from wattstead.ingest.errors import ParameterInvalid
from wattstead.ingest.mqtt.decode import reader_of
from wattstead.ingest.mqtt.formats.format_row import json_object
from wattstead.ingest.mqtt.frames import Messages
from wattstead.ingest.mqtt.link import Link
from wattstead.ingest.mqtt.settings import MqttSettings
from wattstead.ingest.sources.source_protocol import Found, Unreadable

_MOST_FOUND: Final = 1_000
_LONGEST_VALUE: Final = 200
_LONGEST_S: Final = 30.0


async def look(settings: MqttSettings, asked: Mapping[str, Any]) -> Sequence[Found]:
    """Topics with their last payloads. ``asked``: ``topic``, a filter (all by default), and ``seconds`` (3).

    Raises `SourceFailed`, `ParameterInvalid`.
    """
    topic, seconds = str(asked.get("topic") or "#"), asked.get("seconds", 3)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds <= _LONGEST_S:
        raise ParameterInvalid("seconds", str(seconds), f"a number of at most {_LONGEST_S:g}")
    found: dict[bytes, bytes] = {}

    def receive(messages: Messages) -> None:
        for name, raw in zip(messages.topics, messages.payloads, strict=True):
            if name in found or len(found) < _MOST_FOUND:
                found[name] = raw

    alone = msgspec.structs.replace(settings, group="", qos=0)
    link = Link(alone, f"wattstead-look-{uuid.uuid4().hex[:8]}", True, receive)
    try:
        await link.open()
        await link.subscribe([topic], 0)
        lost = asyncio.create_task(link.lost())
        await asyncio.wait((lost,), timeout=seconds)
        if lost.done():
            raise lost.result()
        lost.cancel()
    finally:
        await link.close()
    return [_found(settings, name.decode(errors="replace"), raw) for name, raw in sorted(found.items())]


def _found(settings: MqttSettings, topic: str, raw: bytes) -> Found:
    value, fault, name, unit = raw[:_LONGEST_VALUE].decode(errors="replace"), "", "", ""
    reads = reader_of(settings).topic(topic)
    if reads is not None and raw:
        try:
            columns = reads.read(raw, 0)
        except Unreadable as error:
            fault = str(error)
        else:
            addresses = columns.names.addresses
            name = ", ".join(addresses[:3]) + (" …" if len(addresses) > 3 else "")
            units = () if isinstance(columns, Few) else columns.units or ()
            unit = units[0] if len(units) == 1 else ""
    mapping = {"topic": topic} | _paths(raw)
    settings_for = {} if reads is not None else {"mappings": [mapping]}
    return Found(where=topic, name=name, value=value, unit=unit, settings=settings_for, fault=fault)


def _paths(raw: bytes) -> dict[str, str]:
    """Where a payload has its values, and its time if something in it looks like one."""
    if raw.lstrip()[:1] != b"{":
        return {}
    try:
        time = time_name(json_object(raw))
    except Unreadable:
        return {"value": "*"}
    return {"value": "*", "time": time} if time else {"value": "*"}
