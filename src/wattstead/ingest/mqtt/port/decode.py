"""What a message at the port says: by own mappings and the formats of devices, else as it comes; opens nothing."""

from __future__ import annotations

from functools import lru_cache

from wattstead.ingest.decoding.columns import Columns, Few
from wattstead.ingest.decoding.gathered import Gathered
from wattstead.ingest.decoding.time_names import time_name
from wattstead.ingest.mqtt.decode import Reader
from wattstead.ingest.mqtt.formats.format_row import json_object
from wattstead.ingest.mqtt.port.settings import PortSettings
from wattstead.ingest.mqtt.settings import MqttSettings, TopicMapping
from wattstead.ingest.sources.source_protocol import Message, Unreadable

_HOST = "this machine"
_MOST_TIMES = 16


class PortReader:
    """Reads messages under some settings and remembers their topics; raises `ParameterInvalid` for their faults."""

    def __init__(self, settings: PortSettings) -> None:
        self._known = Reader(
            MqttSettings(host=_HOST, mappings=settings.mappings, tasmota_zone=settings.tasmota_zone)
        )  # fmt: skip
        self._value = _free(TopicMapping(topic="#"))
        self._objects: dict[str, Reader] = {}
        """Who reads objects, by the name of the field that is their time; empty: they have none."""

    def read(self, message: Message) -> Columns | Few:
        """The readings of a message; none where it only takes a retained one away. Raises `Unreadable`."""
        raw, received_us = message.raw, message.received_us
        if not raw:
            return Gathered(received_us).columns()
        where = message.where
        topic = self._known.topic(where)
        if topic is not None:
            return topic.read(raw, received_us)
        if where[0] == "$":
            raise Unreadable("topics that begin with $ are a broker's own; publish to another one")
        is_object = raw.lstrip()[:1] == b"{"
        topic = (self._object(time_name(json_object(raw))) if is_object else self._value).topic(where)
        assert topic is not None  # "#" claims all
        found = topic.read(raw, received_us)
        if not len(found.names) and not found.rejected:
            raise Unreadable("no format knows this topic, and there is no number in it; map it, if there is one")
        return found

    def _object(self, time: str) -> Reader:
        found = self._objects.get(time)
        if found is None:
            if len(self._objects) >= _MOST_TIMES:
                self._objects.clear()
            found = self._objects[time] = _free(TopicMapping(topic="#", value="*", time=time))
        return found


def _free(row: TopicMapping) -> Reader:
    return Reader(MqttSettings(host=_HOST, formats=(), mappings=(row,)))


@lru_cache(8)
def _reader_of(settings: PortSettings) -> PortReader:
    return PortReader(settings)


def check(settings: PortSettings) -> None:
    """Raise `ParameterInvalid` where a mapping has no meaning."""
    PortReader(settings)


def decode(message: Message, settings: PortSettings) -> Columns | Few:
    """The readings of a message that is read later; raises `Unreadable`."""
    return _reader_of(settings).read(message)
