"""The table of sources; a new protocol is a file or folder beside these and a row here."""

from __future__ import annotations

from collections.abc import Sequence

from wattstead.ingest.amqp.protocol import AMQP
from wattstead.ingest.fetched.entsoe import ENTSOE
from wattstead.ingest.fetched.octopus import OCTOPUS
from wattstead.ingest.fetched.openmeteo import OPENMETEO
from wattstead.ingest.greenbutton.source import GREENBUTTON
from wattstead.ingest.mbus.row import MBUS
from wattstead.ingest.modbus.row import MODBUS
from wattstead.ingest.mqtt.port.row import MQTT_PORT
from wattstead.ingest.mqtt.protocol import MQTT
from wattstead.ingest.nats.protocol import NATS
from wattstead.ingest.opcua.row import OPCUA
from wattstead.ingest.pulses.source import PULSES
from wattstead.ingest.sml.source import SML
from wattstead.ingest.sources.p1.row import P1
from wattstead.ingest.sources.source_protocol import SourceProtocol
from wattstead.ingest.tic.source import TIC

SOURCES: tuple[SourceProtocol, ...] = (
    MQTT,
    MQTT_PORT,
    AMQP,
    NATS,
    MODBUS,
    MBUS,
    OPCUA,
    P1,
    PULSES,
    SML,
    TIC,
    OPENMETEO,
    ENTSOE,
    OCTOPUS,
    GREENBUTTON,
)
"""Every protocol by which a way in can be opened from here."""


def named(name: str, table: Sequence[SourceProtocol] = SOURCES) -> SourceProtocol | None:
    """The protocol of that name; None when this program has none."""
    return next((one for one in table if one.name == name), None)
