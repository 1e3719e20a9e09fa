"""The MQTT port in the table of sources: each site has a row there once one of its keys has signed in at the port."""

from __future__ import annotations

from wattstead.ingest.mqtt.port.decode import check, decode
from wattstead.ingest.mqtt.port.settings import PortSettings
from wattstead.ingest.sources.source_protocol import SourceFailed, SourceProtocol, Way


async def _closed(settings: PortSettings, way: Way) -> None:
    raise SourceFailed("this server opens no MQTT port; whoever runs it can, by mqtt_port", hopeless=True)


MQTT_PORT = SourceProtocol(
    "mqtt-port", "docs/mqtt.md", "MQTT port", PortSettings, decode, _closed, check=check, entrance=True
)  # fmt: skip
"""Its ``run`` is the port's, where there is one."""
