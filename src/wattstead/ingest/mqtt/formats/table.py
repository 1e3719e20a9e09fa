"""The table of formats: a new family of devices is a file beside these and a row here."""

from __future__ import annotations

from wattstead.ingest.mqtt.formats.consumption import CONSUMPTION
from wattstead.ingest.mqtt.formats.emoncms import EMONCMS
from wattstead.ingest.mqtt.formats.format_row import Format
from wattstead.ingest.mqtt.formats.shelly import SHELLY
from wattstead.ingest.mqtt.formats.statestream import STATESTREAM
from wattstead.ingest.mqtt.formats.tasmota import TASMOTA
from wattstead.ingest.mqtt.formats.zigbee2mqtt import ZIGBEE2MQTT
from wattstead.ingest.mqtt.sparkplug.reading import SPARKPLUG

FORMATS: tuple[Format, ...] = (EMONCMS, TASMOTA, SHELLY, STATESTREAM, ZIGBEE2MQTT, SPARKPLUG, CONSUMPTION)
"""Every format; the first that claims a topic reads it."""
