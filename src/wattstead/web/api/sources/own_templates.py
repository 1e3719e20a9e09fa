"""Own templates that are named in the settings of a source, written out for whoever names them; saves nothing."""

from __future__ import annotations

from typing import Any

from wattstead.ingest.sources.source_protocol import SourceProtocol
from wattstead.registry.errors import Unknown
from wattstead.registry.templates.template import Template
from wattstead.web.access.viewer import Viewer
from wattstead.web.api.places.devices import SEE_TEMPLATE
from wattstead.web.rooms import Rooms


async def spelt_out(
    rooms: Rooms, viewer: Viewer, protocol: SourceProtocol, site_id: int, settings: dict[str, Any]
) -> dict[str, Any]:
    """The settings with what own templates say, of those that may be used at the site and are seen by whoever asks."""
    spell, shelf = protocol.spelt_out, viewer.authority.reach(SEE_TEMPLATE)
    if spell is None:
        return settings

    def find(name: str) -> Template | None:
        try:
            return rooms.registry.site_template(site_id, name, shelf).template
        except Unknown:
            return None

    return await rooms.registry_threads.run(spell, settings, find)
