"""SiteMap: the resolver of an edge: its own numbers for addresses, and the server's signed map for what they mean.

A new address is taken at once; the server makes a point of it when its readings arrive.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from wattstead.edge.names import NameBook
from wattstead.edge.thinning import Meaning
from wattstead.ingest.decoding.columns import Place
from wattstead.ingest.edge.wire import Name
from wattstead.ingest.http.traffic import Traffic
from wattstead.ingest.resolving.closed import NOTHING, ClosedPoints
from wattstead.ingest.resolving.resolver import NO_UNITS, SealedKey
from wattstead.metering.point import Point
from wattstead.metering.quantity import Kind
from wattstead.registry.names import address_fault
from wattstead.registry.records import EdgePoint, KeyGrant


class SiteMap:
    """The `wattstead.ingest.resolving.resolver.Resolver` of an edge; the id of a grant is that of its source."""

    def __init__(self, names: NameBook) -> None:
        self._names = names
        self._points: dict[str, Point] = {}
        self._meanings: dict[int, Meaning] = {}
        self._deltas: set[int] = set()
        self._adding = asyncio.Lock()
        self.closed: ClosedPoints = NOTHING
        self.traffic = Traffic()
        self.epoch = 0

    def learn(self, points: Sequence[EdgePoint]) -> None:
        """What the addresses of the site mean from now on."""
        self._points = {one.address: one.point for one in points if one.adopted}
        self._meanings, self._deltas = {}, set()
        self._look(1)

    @property
    def meanings(self) -> Mapping[int, Meaning]:
        """What each number means, as far as thinning is concerned."""
        return self._meanings

    def address(self, number: int) -> str:
        """The address behind a number."""
        return self._names.name(number).address

    def place(self, grant: KeyGrant) -> Place:
        """See `wattstead.ingest.resolving.resolver.Resolver`, as all that follow."""
        return grant.id

    def key(self, secret: str) -> KeyGrant | None:
        """Nobody sends to an edge with a key."""
        return None

    def sealed(self, key_id: int) -> SealedKey | None:
        """There are none."""
        return None

    async def points(
        self, grant: KeyGrant, addresses: Sequence[str], units: Mapping[str, str] = NO_UNITS
    ) -> NDArray[np.uint32]:
        """Numbers of addresses, 0 where one cannot be an address; raises `TooManyNames`, `OSError`."""
        async with self._adding:
            new = [
                Name(grant.id, address, units.get(address, ""))
                for address in dict.fromkeys(addresses)
                if self._names.find(grant.id, address) is None and address_fault(address) is None
            ]
            if new:
                known = len(self._names)
                await asyncio.to_thread(self._names.add, new)
                self._look(known + 1)
        found = (self._names.find(grant.id, address) or 0 for address in addresses)
        return np.fromiter(found, np.uint32, len(addresses))

    async def units(self, points: Sequence[int]) -> Mapping[int, str]:
        """The unit in which each of them was first sent: it stays so here, the server converts."""
        return {point: self._names.name(point).unit for point in points}

    def refusal(self, grant: KeyGrant, address: str) -> str:
        """Why an address got no number."""
        return str(address_fault(address))

    async def owned(self, grant: KeyGrant, points: NDArray[np.uint32]) -> NDArray[np.bool_]:
        """No source names points of the server."""
        return np.zeros(len(points), np.bool_)

    def among_deltas(self, points: Sequence[int]) -> bool:
        """Whether one of a few holds amounts per interval."""
        return not self._deltas.isdisjoint(points)

    def is_delta(self, points: NDArray[np.uint32]) -> NDArray[np.bool_]:
        """Which hold amounts per interval."""
        return np.fromiter((point in self._deltas for point in points.tolist()), np.bool_, len(points))

    def _look(self, first: int) -> None:
        """Find out what numbers from ``first`` on mean; what nobody has adopted means what its name and unit say."""
        for number in range(first, len(self._names) + 1):
            name = self._names.name(number)
            point = self._points.get(name.address)
            one = Meaning.guessed(name.address, name.unit) if point is None else Meaning.of(point, name.unit)
            if one.kind is Kind.DELTA:
                self._deltas.add(number)
            self._meanings[number] = one
