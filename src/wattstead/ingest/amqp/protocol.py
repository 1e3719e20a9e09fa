"""RabbitMQ in the table of sources."""

from __future__ import annotations

from wattstead.ingest.amqp.decode import decode
from wattstead.ingest.amqp.settings import AmqpSettings
from wattstead.ingest.sources.late import Late
from wattstead.ingest.sources.source_protocol import SourceProtocol

AMQP = SourceProtocol(
    "amqp",
    "docs/rabbitmq.md",
    "RabbitMQ",
    AmqpSettings,
    decode,
    Late("wattstead.ingest.amqp.run", "run"),
    Late("wattstead.ingest.amqp.look", "look"),
    extra="edge-amqp",
)
