"""Alone: what only one source may have at its other side, asked before a second one is saved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wattstead.ingest.errors import ParameterInvalid
from wattstead.ingest.sources.forms import SettingsInvalid, of_setting, settings_of
from wattstead.ingest.sources.source_protocol import Alone, SourceProtocol
from wattstead.registry.policy import Action, Resource, Right
from wattstead.registry.records import Source
from wattstead.web.rooms import FromViewer, Rooms

_SEE = Right(Action.SEE, Resource.SOURCE)


async def require_alone(
    rooms: Rooms, viewer: FromViewer, protocol: SourceProtocol, plain: Mapping[str, Any], *, edge_id: int | None,
    source_id: int = 0,
) -> None:  # fmt: skip
    """Raise `SettingsInvalid` where another source of the same machine has what this one must have for itself.

    The other is named to whoever may see it. A source that is made (0) has no number of its own yet.
    """
    if protocol.alone is None or (wanted := _of(protocol, plain, source_id)) is None:
        return
    for other in await rooms.registry_threads.run(rooms.registry.sources, None):
        if other.protocol != protocol.name or other.id == source_id or other.edge_id != edge_id:
            continue
        if _of(protocol, other.settings, other.id) == wanted:
            named = await _named(rooms, viewer, other)
            expected = f"another one: by it {named} reads {wanted.where}, and each would lose what the other was given"
            raise of_setting(protocol, ParameterInvalid(wanted.setting, wanted.value, expected))


def _of(protocol: SourceProtocol, plain: Mapping[str, Any], source_id: int) -> Alone | None:
    assert protocol.alone is not None
    try:
        return protocol.alone(settings_of(protocol, plain, {}), source_id)
    except SettingsInvalid:
        return None


async def _named(rooms: Rooms, viewer: FromViewer, other: Source) -> str:
    seen = await rooms.registry_threads.run(rooms.registry.sources, viewer.authority.reach(_SEE), site_id=other.site_id)
    return f"source {other.name!r} ({other.id})" if other.id in {one.id for one in seen} else "another source"
