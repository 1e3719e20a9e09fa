"""Format: a row of the table of what devices publish; pure functions alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from wattstead.ingest.decoding.columns import Columns, Few
from wattstead.ingest.decoding.loose_json import loads
from wattstead.ingest.errors import BodyInvalid
from wattstead.ingest.mqtt.flat import Flat
from wattstead.ingest.mqtt.settings import MqttSettings
from wattstead.ingest.sources.source_protocol import Unreadable

Read = Callable[[bytes, int], Columns | Few]
"""Payload and instant of receiving to readings; raises `Unreadable`."""


class Topic(NamedTuple):
    """A topic that a format claims."""

    device: str
    """Who publishes there; its messages a second are limited."""
    read: Read
    flat: Flat | None = None
    """How flat JSON objects on it are read many at once, where its format does that; `read` says the same of them."""


class Format(NamedTuple):
    """Which topics are a family's, and how each is read."""

    name: str
    filters: Callable[[MqttSettings], Sequence[str]]
    """The topic filters to subscribe to."""
    claim: Callable[[MqttSettings, str], Topic | None]
    """Who reads a topic; None where it is not of this family."""


def json_object(raw: bytes) -> dict[str, Any]:
    """The JSON object of a payload; raises `Unreadable`."""
    found = json_value(raw)
    if not isinstance(found, dict):
        raise Unreadable(f"payload is JSON of kind {type(found).__name__}; expected an object")
    return found


def json_value(raw: bytes) -> Any:
    """The JSON of a payload; raises `Unreadable`."""
    try:
        return loads(raw)
    except BodyInvalid as fault:
        raise Unreadable(f"payload is no JSON: {fault}") from None


def text_of(raw: bytes) -> str:
    """The text of a payload; raises `Unreadable`."""
    try:
        return raw.decode()
    except UnicodeDecodeError as fault:
        raise Unreadable(f"payload is no text: byte {fault.start} is not UTF-8") from None
