"""RabbitMQ in the table of sources."""

from __future__ import annotations

from wattstead.ingest.amqp.decode import decode
from wattstead.ingest.amqp.run import run
from wattstead.ingest.amqp.settings import AmqpSettings
from wattstead.ingest.sources.source_protocol import SourceProtocol

AMQP = SourceProtocol("amqp", "docs/rabbitmq.md", "RabbitMQ", AmqpSettings, decode, run)
