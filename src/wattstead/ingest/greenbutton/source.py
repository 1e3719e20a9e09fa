"""Green Button in the table of sources: a feed that is fetched from a utility, or from whoever holds it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import msgspec
from msgspec import Meta

from wattstead.ingest.decoding.columns import Columns
from wattstead.ingest.errors import BodyInvalid
from wattstead.ingest.fetched.plan import Plan, Request
from wattstead.ingest.fetched.row import fetched
from wattstead.ingest.fetched.settings import Ca, Every, Prefix, Url
from wattstead.ingest.greenbutton import espi
from wattstead.ingest.sources.source_protocol import Message, Secret, Unreadable


class GreenButtonSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the feed is."""

    url: Url
    token: Annotated[
        Secret, Meta(max_length=4_000, title="Access token", description="Sent as Bearer; empty: none is needed")
    ] = ""
    every_s: Every = 21_600.0
    ca: Ca = ""
    prefix: Prefix = espi.PREFIX


def decode(message: Message, settings: GreenButtonSettings) -> Columns:
    """The readings of a feed; raises `Unreadable`."""
    try:
        return espi.decode(message.raw, settings.prefix)
    except BodyInvalid as fault:
        raise Unreadable(str(fault)) from None


def plan_of(settings: GreenButtonSettings) -> Plan:
    """The one address."""
    headers = {"Authorization": f"Bearer {settings.token}"} if settings.token else {}

    def requests(present_us: int) -> Iterator[Request]:
        yield Request(settings.url, headers={**headers, "Accept": "application/atom+xml"})

    return Plan(requests, lambda message: decode(message, settings))


GREENBUTTON = fetched("greenbutton", "docs/greenbutton.md", "Green Button", GreenButtonSettings, decode, plan_of)
