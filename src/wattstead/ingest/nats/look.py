"""Looking around at a NATS server: its streams, and for some seconds what is sent, with what would be read of it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

from nats.errors import Error

from wattstead.ingest.decoding.columns import Few
from wattstead.ingest.errors import ParameterInvalid
from wattstead.ingest.nats.decode import subjects_of
from wattstead.ingest.nats.link import Link, linked
from wattstead.ingest.nats.settings import NatsSettings
from wattstead.ingest.sources.source_protocol import Found, Unreadable
from wattstead.metering.wording import counted

_MOST_FOUND: Final = 1_000
_LONGEST_VALUE: Final = 200
_LONGEST_S: Final = 20.0


async def look(settings: NatsSettings, asked: Mapping[str, Any]) -> Sequence[Found]:
    """Streams, and subjects with their last payloads. ``asked``: ``subject`` (all by default), ``seconds`` (3).

    Raises `SourceFailed`, `ParameterInvalid`.
    """
    subject, seconds = str(asked.get("subject") or ">"), asked.get("seconds", 3)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds <= _LONGEST_S:
        raise ParameterInvalid("seconds", str(seconds), f"a number of at most {_LONGEST_S:g}")
    sent: dict[str, bytes] = {}

    async def arrived(one: Any) -> None:
        if not one.subject.startswith(("_INBOX.", "$")) and (one.subject in sent or len(sent) < _MOST_FOUND):
            sent[one.subject] = one.data

    async with linked(settings) as link:
        await link.client.subscribe(subject, cb=arrived)
        streams = await _streams(link)
        await asyncio.wait((link.lost,), timeout=seconds)
        if link.lost.done():
            raise link.lost.result()
    return streams + [_found(settings, name, raw) for name, raw in sorted(sent.items())]


async def _streams(link: Link) -> list[Found]:
    """Those of JetStream; none where the server has no JetStream, or does not show it to us."""
    try:
        told = await link.client.jetstream(timeout=3).streams_info()
    except (Error, TimeoutError):
        return []
    return [
        Found(
            where=f"stream {one.config.name}",
            name=", ".join(one.config.subjects or ()),
            value=counted(one.state.messages, "message"),
            settings={"stream": one.config.name},
        )
        for one in told
    ]


def _found(settings: NatsSettings, subject: str, raw: bytes) -> Found:
    value, fault, name, unit = raw[:_LONGEST_VALUE].decode(errors="replace"), "", "", ""
    reads = subjects_of(settings).reads(subject)
    if reads is not None:
        try:
            columns = reads.read(raw, 0)
        except Unreadable as error:
            fault = str(error)
        else:
            name = ", ".join(columns.names.addresses[:3])
            units = () if isinstance(columns, Few) else columns.units or ()
            unit = units[0] if len(units) == 1 else ""
    mapping = {"subject": subject, "value": "*"} if raw.lstrip()[:1] == b"{" else {"subject": subject}
    to_add = {} if reads is not None else {"mappings": [mapping]}
    return Found(where=subject, name=name, value=value, unit=unit, settings=to_add, fault=fault)
