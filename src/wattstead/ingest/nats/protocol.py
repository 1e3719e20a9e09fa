"""NATS in the table of sources."""

from __future__ import annotations

from wattstead.ingest.nats.decode import decode, subjects_of
from wattstead.ingest.nats.settings import NatsSettings, alone
from wattstead.ingest.sources.late import Late
from wattstead.ingest.sources.source_protocol import SourceProtocol

NATS = SourceProtocol(
    "nats",
    "docs/nats.md",
    "NATS",
    NatsSettings,
    decode,
    Late("wattstead.ingest.nats.run", "run"),
    Late("wattstead.ingest.nats.look", "look"),
    check=subjects_of,
    alone=alone,
    extra="edge-nats",
)
