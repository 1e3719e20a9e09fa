"""What a message of a subject says under the mappings of the settings; knows no connection.

A subject is read as the topic it would be, with its dots as slashes, so that both have one kind of mapping.
"""

from __future__ import annotations

from functools import lru_cache

import msgspec

from wattstead.ingest.decoding.columns import Columns, Few
from wattstead.ingest.decoding.gathered import Gathered
from wattstead.ingest.mqtt.formats.format_row import Topic
from wattstead.ingest.mqtt.formats.mapping import CompiledMapping
from wattstead.ingest.mqtt.settings import TopicMapping
from wattstead.ingest.nats.settings import NatsSettings, SubjectMapping
from wattstead.ingest.sources.source_protocol import Message

_AS_TOPIC = str.maketrans({".": "/", "/": ".", "*": "+", ">": "#", "+": "*", "#": ">"})
_MOST_SUBJECTS = 50_000


def as_topic(subject: str) -> str:
    """A subject, or a pattern of them, as a topic; and back.

    >>> as_topic("meters.*.power"), as_topic("meters/+/power"), as_topic("m.{rest...}")
    ('meters/+/power', 'meters.*.power', 'm/{rest...}')
    """
    head, dots, tail = subject.partition("...}")
    return head.translate(_AS_TOPIC) + dots + tail.translate(_AS_TOPIC)


class Subjects:
    """All that is read under some settings; raises `ParameterInvalid` for what has no meaning in them."""

    def __init__(self, settings: NatsSettings) -> None:
        self._mappings = [CompiledMapping(_topic_mapping(row)) for row in settings.mappings]
        self.filters = tuple(dict.fromkeys(as_topic(one.pattern.filter) for one in self._mappings))
        """What to subscribe to."""
        self._seen: dict[str, Topic | None] = {}

    def reads(self, subject: str) -> Topic | None:
        """Who reads a subject; None for nobody."""
        try:
            return self._seen[subject]
        except KeyError:
            topic = as_topic(subject)
            found = next((claim for one in self._mappings if (claim := one.claim(topic)) is not None), None)
            if len(self._seen) >= _MOST_SUBJECTS:
                self._seen.clear()
            self._seen[subject] = found
            return found


def _topic_mapping(row: SubjectMapping) -> TopicMapping:
    told = {name: value for name, value in msgspec.structs.asdict(row).items() if name != "subject"}
    return TopicMapping(topic=as_topic(row.subject), **told)


@lru_cache(32)
def subjects_of(settings: NatsSettings) -> Subjects:
    """The subjects of these settings; what they remember changes no answer."""
    return Subjects(settings)


def decode(message: Message, settings: NatsSettings) -> Columns | Few:
    """The readings of a message; of a subject that nobody reads there are none. Raises `Unreadable`.

    >>> body = b'{"device_id": "m1", "timestamp": 1700000000, "measurement_value": 1.5}'
    >>> columns = decode(Message(body, "device_consumption.m1", 0), NatsSettings(host="localhost"))
    >>> columns.names.address(0), columns.value.tolist(), columns.units
    ('device_consumption/m1/power', [1.5], ['kW'])
    """
    reads = subjects_of(settings).reads(message.where)
    if reads is None:
        return Gathered(message.received_us).columns()
    return reads.read(message.raw, message.received_us)
