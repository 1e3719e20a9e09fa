"""What a message says under these settings: finds who reads its topic, once per topic; knows no connection."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from wattstead.ingest.decoding.columns import Columns, Few
from wattstead.ingest.decoding.gathered import Gathered
from wattstead.ingest.errors import ParameterInvalid
from wattstead.ingest.mqtt.formats.format_row import Topic
from wattstead.ingest.mqtt.formats.mapping import CompiledMapping
from wattstead.ingest.mqtt.formats.table import FORMATS
from wattstead.ingest.mqtt.port.packets import PacketInvalid, topic_of
from wattstead.ingest.mqtt.settings import MqttSettings
from wattstead.ingest.sources.source_protocol import Message

_MOST_TOPICS = 50_000


class _Known(dict[bytes, Topic | None]):
    """Who reads a topic, by its bytes; looked for when it is first met. Raises `PacketInvalid` for what is no topic."""

    def __init__(self, find: Callable[[str], Topic | None]) -> None:
        super().__init__()
        self._find = find

    def __missing__(self, raw: bytes) -> Topic | None:
        found = self._find(topic_of(raw))
        if len(self) >= _MOST_TOPICS:
            self.clear()
        self[raw] = found
        return found


class Reader:
    """All that is read under some settings, with the topics seen so far; raises `ParameterInvalid` for their faults."""

    def __init__(self, settings: MqttSettings) -> None:
        self.settings = settings
        self.mappings = [CompiledMapping(row) for row in settings.mappings]
        self.formats = [one for one in FORMATS if one.name in settings.formats]
        found = [mapping.pattern.filter for mapping in self.mappings]
        for one in self.formats:
            found += one.filters(settings)
        self.filters: tuple[str, ...] = tuple(dict.fromkeys(found))
        """What to subscribe to."""
        self.known = _Known(self._claimed)
        """Who reads a topic, by its bytes."""

    def topic(self, name: str) -> Topic | None:
        """Who reads a topic; None for nobody."""
        try:
            return self.known[name.encode()]
        except (PacketInvalid, UnicodeEncodeError):
            return None

    def _claimed(self, name: str) -> Topic | None:
        for mapping in self.mappings:
            found = mapping.claim(name)
            if found is not None:
                return found
        for one in self.formats:
            found = one.claim(self.settings, name)
            if found is not None:
                return found
        return None


@lru_cache(32)
def reader_of(settings: MqttSettings) -> Reader:
    """The reader of these settings; what it remembers changes no answer."""
    return Reader(settings)


def check(settings: MqttSettings) -> None:
    """Raise `ParameterInvalid` where nothing would be read, or a mapping has no meaning."""
    if not reader_of(settings).filters:
        raise ParameterInvalid("formats", "", "a format, or a topic that is mapped")


def decode(message: Message, settings: MqttSettings) -> Columns | Few:
    """The readings of a message; of a topic that nobody reads there are none. Raises `Unreadable`."""
    topic = reader_of(settings).topic(message.where)
    if topic is None or not message.raw:  # an empty payload takes a retained message away
        return Gathered(message.received_us).columns()
    return said(topic, message)


def said(topic: Topic, message: Message) -> Columns | Few:
    """The readings of a message of that topic; of one that the broker had kept those that have a time of their own."""
    columns = topic.read(message.raw, message.received_us)
    return _timed(columns) if message.retained else columns


def _timed(columns: Columns | Few) -> Columns:
    """Only the readings that have a time of their own."""
    whole = columns.columns() if isinstance(columns, Few) else columns
    if whole.untimed is False:
        return whole
    return whole.keep(~whole.untimed if not isinstance(whole.untimed, bool) else whole.time_us < whole.time_us)
