"""The sites one may see."""

from __future__ import annotations

import msgspec
from litestar import get

from wattstead.registry.policy import Action, Resource
from wattstead.web.gate import needs
from wattstead.web.rooms import FromViewer


class SiteAnswer(msgspec.Struct):
    """A place with points."""

    id: int
    name: str
    zone: str
    """IANA time zone, in which its days are counted."""
    note: str


@get("/sites", opt=needs(Action.SEE, Resource.SITE), summary="Sites", tags=["sites"])
async def sites(viewer: FromViewer) -> list[SiteAnswer]:
    """All sites that the session or key may see, by id; a read key sees its own."""
    return [SiteAnswer(site.id, site.name, site.zone, site.note) for site in viewer.sites.values()]


routes = sites
