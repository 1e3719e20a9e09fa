"""A row of the table of sources for a way in that is fetched; the library that fetches is loaded when it runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from wattstead.ingest.decoding.columns import Columns
from wattstead.ingest.fetched.plan import Plan
from wattstead.ingest.reception import present_us
from wattstead.ingest.sources.source_protocol import Found, Message, SourceProtocol, Way


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
        from wattstead.ingest.fetched.fetching import Fetcher  # noqa: PLC0415 - see above
        from wattstead.ingest.fetched.polling import poll  # noqa: PLC0415

        await poll(Fetcher(told.ca), plan_of(told), told.every_s, way)

    async def look(told: Any, wanted: Mapping[str, Any]) -> Sequence[Found]:
        from wattstead.ingest.fetched.fetching import Fetcher  # noqa: PLC0415
        from wattstead.ingest.fetched.polling import seen  # noqa: PLC0415

        return await seen(Fetcher(told.ca), plan_of(told), present_us())

    return SourceProtocol(name, page, title, settings, decode, run, look, ahead_days)
