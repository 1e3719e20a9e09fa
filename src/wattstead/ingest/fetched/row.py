"""A row of the table of sources for a way in that is fetched; the library that fetches is loaded when it runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from wattstead.ingest.decoding.columns import Columns
from wattstead.ingest.fetched.plan import Plan
from wattstead.ingest.sources.late import Late
from wattstead.ingest.sources.source_protocol import Found, Message, SourceProtocol, Way

_poll = Late("wattstead.ingest.fetched.polling", "polled")
_see = Late("wattstead.ingest.fetched.polling", "looked")


def fetched(
    name: str,
    page: str,
    title: str,
    settings: type[msgspec.Struct],
    decode: Callable[[Message, Any], Columns],
    plan_of: Callable[[Any], Plan],
    ahead_days: float = 0.0,
) -> SourceProtocol:
    """The row; the settings have ``ca`` and ``every_s``."""

    async def run(told: Any, way: Way) -> None:
        await _poll(plan_of(told), told.ca, told.every_s, way)

    async def look(told: Any, wanted: Mapping[str, Any]) -> Sequence[Found]:
        found: Sequence[Found] = await _see(plan_of(told), told.ca)
        return found

    return SourceProtocol(name, page, title, settings, decode, run, look, ahead_days)
