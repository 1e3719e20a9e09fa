"""PointMap: a resolver that is a table in memory, as an agent on site has it; it keeps nothing on disk by itself."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from wattstead.ingest.decoding.columns import Place
from wattstead.ingest.errors import NotOfDevice
from wattstead.ingest.http.traffic import Traffic
from wattstead.ingest.resolving.closed import NOTHING, ClosedPoints
from wattstead.ingest.resolving.resolver import NO_UNITS, SealedKey
from wattstead.registry.names import address_fault
from wattstead.registry.records import KeyGrant


class PointMap:
    """Keys and addresses of this machine; new addresses get the next ids up to the limit of their key.

    >>> from wattstead.registry.records import Scope
    >>> points = PointMap()
    >>> points.add_key("0" * 32, KeyGrant(1, 7, 1, Scope.WRITE, 100))
    >>> points.key("0" * 32).site_id
    7
    """

    def __init__(self, first_id: int = 1) -> None:
        self._grants: dict[bytes, KeyGrant] = {}
        self._sealed: dict[int, SealedKey] = {}
        self._ids: dict[int, dict[str, int]] = {}
        self._owners: dict[int, int] = {}
        self._devices: dict[int, int | None] = {}
        self._created: dict[int, int] = {}
        self._deltas: set[int] = set()
        self._units: dict[int, str] = {}
        self._next_id = first_id
        self.closed: ClosedPoints = NOTHING
        self.epoch = 0
        self.traffic = Traffic()

    def add_key(self, secret: str, grant: KeyGrant, sealed: bool = False) -> None:
        """Accept that secret; ``sealed`` keeps it readable for the encrypted form."""
        self._grants[_digest(secret)] = grant
        if sealed:
            self._sealed[grant.id] = SealedKey(grant, secret)

    def revoke_key(self, secret: str) -> None:
        """Accept that secret no longer."""
        grant = self._grants.pop(_digest(secret), None)
        if grant is not None:
            self._sealed.pop(grant.id, None)

    def declare(
        self, site_id: int, address: str, delta: bool = False, unit: str = "", device_id: int | None = None
    ) -> int:
        """The point of an address, made where it is new; ``delta`` says that it holds amounts per interval."""
        ids = self._ids.setdefault(site_id, {})
        point = ids.get(address)
        if point is None:
            point = ids[address] = self._next_id
            self._owners[point] = site_id
            self._units[point] = unit
            self._devices[point] = device_id
            self._next_id += 1
        if delta:
            self._deltas.add(point)
        return point

    def addresses(self, site_id: int) -> dict[str, int]:
        """All addresses of a site with their points."""
        return dict(self._ids.get(site_id, {}))

    def place(self, grant: KeyGrant) -> Place:
        """See `wattstead.ingest.resolving.resolver.Resolver`, as all that follow."""
        return grant.site_id if grant.device_id is None else (grant.device_id, 0)

    def key(self, secret: str) -> KeyGrant | None:
        """What a secret allows."""
        return self._grants.get(_digest(secret))

    async def points(
        self, grant: KeyGrant, addresses: Sequence[str], units: Mapping[str, str] = NO_UNITS
    ) -> NDArray[np.uint32]:
        """Ids of addresses, 0 where refused."""
        ids = self._ids.setdefault(grant.site_id, {})
        found = (ids.get(address) or self._create(grant, address, units.get(address, "")) for address in addresses)
        return np.fromiter((p if self._is_of(grant, p) else 0 for p in found), np.uint32, len(addresses))

    async def units(self, points: Sequence[int]) -> Mapping[int, str]:
        """The unit of each of these points."""
        return {point: self._units.get(point, "") for point in points}

    def refusal(self, grant: KeyGrant, address: str) -> str:
        """Why an address got no point."""
        if grant.device_id is not None and address in self._ids.get(grant.site_id, {}):
            return str(NotOfDevice(address, grant.device_id))
        fault = address_fault(address)
        if fault is not None:
            return str(fault)
        return f"its key has reached its limit of {grant.point_limit} points; raise the key's limit"

    async def owned(self, grant: KeyGrant, points: NDArray[np.uint32]) -> NDArray[np.bool_]:
        """Which ids belong to the grant's site or device."""
        return np.fromiter((self._is_of(grant, int(point)) for point in points), np.bool_, len(points))

    def among_deltas(self, points: Sequence[int]) -> bool:
        """Whether one of a few points holds amounts per interval."""
        return not self._deltas.isdisjoint(points)

    def is_delta(self, points: NDArray[np.uint32]) -> NDArray[np.bool_]:
        """Which points hold amounts per interval."""
        deltas = self._deltas
        if not deltas:
            return np.zeros(len(points), np.bool_)
        return np.fromiter((point in deltas for point in points.tolist()), np.bool_, len(points))

    def sealed(self, key_id: int) -> SealedKey | None:
        """The sealed key of that id."""
        return self._sealed.get(key_id)

    def _create(self, grant: KeyGrant, address: str, unit: str) -> int:
        if self._created.get(grant.id, 0) >= grant.point_limit or address_fault(address) is not None:
            return 0
        self._created[grant.id] = self._created.get(grant.id, 0) + 1
        return self.declare(grant.site_id, address, unit=unit, device_id=grant.device_id)

    def _is_of(self, grant: KeyGrant, point: int) -> bool:
        if self._owners.get(point) != grant.site_id:
            return False
        return grant.device_id is None or self._devices.get(point) == grant.device_id


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
