"""PortSettings: what a person may set of how a site's messages at the port are read; all of it may be left as it is."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from wattstead.ingest.mqtt.settings import TopicMapping
from wattstead.ingest.sources.broker import Text


class PortSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of one site; each format is read, and what is of none as it comes."""

    mappings: Annotated[
        tuple[TopicMapping, ...], Meta(title="Own mappings", description="Come before the formats")
    ] = ()
    tasmota_zone: Annotated[
        Text,
        Meta(
            title="Tasmota time zone",
            description="Of devices that send local times without one, such as Europe/Berlin; empty: when received",
        ),
    ] = ""
