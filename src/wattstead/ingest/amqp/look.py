"""Looking around at RabbitMQ: whether we are let in, and what waits in the queue; no message is taken out of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from wattstead.ingest.amqp.link import Link
from wattstead.ingest.amqp.settings import AmqpSettings
from wattstead.ingest.sources.source_protocol import Found
from wattstead.ingest.sources.tls import client_context
from wattstead.metering.wording import counted


async def look(settings: AmqpSettings, asked: Mapping[str, Any]) -> Sequence[Found]:
    """The queue, and that of its dead letters where it has one. Raises `SourceFailed`."""
    del asked
    context = client_context(settings.ca, settings.certificate, settings.private_key) if settings.tls else None
    link = Link(settings)
    try:
        await link.open(context)
        waiting = {name: await link.waiting(name) for name in (settings.queue, settings.dead_letters)}
    finally:
        await link.close()
    here = waiting[settings.queue]
    found = [Found(where=settings.queue, value="is made with the connection" if here is None else _said(here))]
    dead = waiting[settings.dead_letters]
    return found if dead is None else [*found, Found(where=settings.dead_letters, value=_said(dead))]


def _said(count: int) -> str:
    return f"{counted(count, 'message')} waiting"
