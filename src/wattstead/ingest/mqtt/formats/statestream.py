"""Home Assistant's MQTT state stream: ``<base>/<domain>/<entity>/state`` with the state as text, without a time.

The attributes that it can send too, each on a topic of its own, are not read: a state is understood without them.
"""

from __future__ import annotations

from collections.abc import Sequence

from wattstead.ingest.decoding.columns import Columns, Few
from wattstead.ingest.decoding.gathered import Gathered
from wattstead.ingest.mqtt.formats.format_row import Format, Topic, text_of
from wattstead.ingest.mqtt.settings import MqttSettings

_HOME = {"home": "1", "not_home": "0", "locked": "1", "unlocked": "0"}


def filters(settings: MqttSettings) -> Sequence[str]:
    """The states of all entities."""
    return (f"{settings.statestream_topic}/+/+/state",)


def claim(settings: MqttSettings, topic: str) -> Topic | None:
    """The state of an entity."""
    base = settings.statestream_topic + "/"
    levels = topic[len(base) :].split("/")
    if not topic.startswith(base) or len(levels) != 3 or levels[2] != "state":
        return None
    address = f"homeassistant/{levels[0]}.{levels[1]}"
    return Topic(address, lambda raw, now_us: _read(address, raw, now_us))


def _read(address: str, raw: bytes, received_us: int) -> Columns | Few:
    text = text_of(raw).strip().strip('"')
    gathered = Gathered(received_us)
    gathered.put(address, _HOME.get(text, text))
    return gathered.columns()


STATESTREAM = Format("statestream", filters, claim)
