"""Which meter a question is about, and whether whoever asks may read it; what cannot be read does not exist.

A meter is a pair of points of one site, ``pulse/ID/blinks`` and ``pulse/ID/ms``. It is named by the id of its point of
blinks, or below ``/pulses/SITE`` by its own number.
"""

from __future__ import annotations

from typing import NamedTuple

from wattstead.registry.points.opening import opens
from wattstead.registry.records import NewAddress, PointRow
from wattstead.web.access.gate import AnyRequest, bearer
from wattstead.web.problem import Refused
from wattstead.web.rooms import Rooms

_LARGEST = 2**31
_BLINKS, _MS = "/blinks", "/ms"


class Meter(NamedTuple):
    """The two points of a pulse meter."""

    blinks: PointRow
    ms: PointRow


class KeyRefused(Refused):
    """A key was shown, and it is none that reads; nothing is said of any meter."""

    def __init__(self) -> None:
        super().__init__(401, "the key is not known, was revoked, or may only write; use a read key of the site")


async def meter_asked(request: AnyRequest, rooms: Rooms, site_id: int, number: int) -> Meter | None:
    """The meter of that number at a site, or of that point where no site is named (0); None where there is none that
    this visitor may read. Raises `KeyRefused`.
    """
    secret = bearer(request) or request.query_params.get("key", "") or request.query_params.get("apikey", "")
    viewer = await rooms.directory.viewer_of_key(secret) if secret else None
    if secret and (viewer is None or not viewer.may_read):
        raise KeyRefused
    found = await _meter(rooms, site_id, number)
    if found is None:
        return None
    if viewer is not None:
        return found if viewer.sees(found.blinks) and viewer.sees(found.ms) else None
    visitor = request.client.host if request.client else ""
    return found if opens(found.blinks.open_to, visitor) else None


async def _meter(rooms: Rooms, site_id: int, number: int) -> Meter | None:
    """The pair, whoever asks."""
    if not (0 < number < _LARGEST and 0 <= site_id < _LARGEST):
        return None
    stem = f"pulse/{number}"
    if not site_id:
        row = await rooms.directory.row(number)
        if row is None or not row.address.endswith(_BLINKS):
            return None
        site_id, stem = row.site_id, row.address.removesuffix(_BLINKS)
    addresses = [NewAddress(stem + _BLINKS), NewAddress(stem + _MS)]
    ids = (await rooms.registry_threads.run(rooms.registry.look_up, site_id, addresses)).ids
    pair = [await rooms.directory.row(ids.get(one.path, 0)) for one in addresses]
    return Meter(pair[0], pair[1]) if pair[0] is not None and pair[1] is not None else None
