"""How a device comes to trust the authority of this machine's own, where there is one."""

from __future__ import annotations

import msgspec
from litestar import get

from wattstead.web.access.gate import OPEN
from wattstead.web.rooms import FromRooms


class TrustAnswer(msgspec.Struct):
    """Where the steps are, and by what one knows the authority; both empty where nothing has to be done."""

    address: str
    """Plain HTTP, for a device that does not trust it yet."""
    fingerprint: str
    """SHA-256 of the authority's certificate, in pairs of digits."""


@get("/trust", opt=OPEN, summary="How a device trusts this server", tags=["status"], security=[])
async def trust(rooms: FromRooms) -> TrustAnswer:
    """Empty texts where everybody trusts the certificate anyway, or there is none."""
    offer = rooms.settings.trust
    return TrustAnswer(offer.address, offer.fingerprint) if offer else TrustAnswer("", "")


routes = trust
