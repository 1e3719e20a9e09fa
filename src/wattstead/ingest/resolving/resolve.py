"""RegistryResolver: keys and addresses answered from memory, and by the registry where memory does not know.

An address once mapped is mapped until a device takes its points to another site, which is an epoch of its own; keys,
closed devices and such moves are asked for twice a second, when the registry's generation has changed.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import repeat

import numpy as np
import structlog
from numpy.typing import NDArray

from wattstead.ingest.decoding.columns import Place
from wattstead.ingest.errors import KeyUnknown, NotOfDevice
from wattstead.ingest.http.traffic import Traffic
from wattstead.ingest.resolving.closed import NOTHING, ClosedPoints
from wattstead.ingest.resolving.describe import described
from wattstead.ingest.resolving.grants import Grants
from wattstead.ingest.resolving.newcomers import Newcomers, Request
from wattstead.ingest.resolving.ownership import Ownership
from wattstead.ingest.resolving.resolver import NO_UNITS, SealedKey
from wattstead.metering.errors import WattsteadError
from wattstead.registry.errors import KeyRevoked, PointLimit, RegistryError
from wattstead.registry.names import address_fault
from wattstead.registry.points.resolve import Asked
from wattstead.registry.records import KeyGrant, Resolution
from wattstead.registry.registry import Registry

_log = structlog.get_logger("wattstead.ingest")
_POLL_S = 0.5
_USE_NOTED_S = 60.0
_REFUSED_S = 10.0
"""How long an address beyond its key's limit is refused without asking again."""
_MOST_REFUSED = 50_000
_MOST_UNITS = 200_000


class Addresses:
    """Ids of addresses per site, the site longest unused forgotten beyond a number of addresses in all."""

    def __init__(self, most: int) -> None:
        self.most, self._held = most, 0
        self._sites: OrderedDict[int, dict[str, int]] = OrderedDict()

    def __len__(self) -> int:
        return self._held

    def of(self, site_id: int) -> dict[str, int]:
        """What is known of a site; not to be changed."""
        known = self._sites.get(site_id)
        if known is None:
            return {}
        self._sites.move_to_end(site_id)
        return known

    def add(self, site_id: int, ids: dict[str, int]) -> None:
        """Remember ids of a site."""
        known = self._sites.setdefault(site_id, {})
        self._sites.move_to_end(site_id)
        self._held -= len(known)
        known.update(ids)
        self._held += len(known)
        while self._held > self.most and len(self._sites) > 1:
            self._held -= len(self._sites.popitem(last=False)[1])
        if self._held > self.most:
            self._sites.clear()
            self._held = 0


class RegistryResolver:
    """The `wattstead.ingest.resolving.resolver.Resolver` of a server; one per receiving process, for one event loop."""

    def __init__(self, registry: Registry, poll_s: float = _POLL_S, most_addresses: int = 500_000) -> None:
        """``most_addresses`` bounds the memory: about 150 bytes each."""
        self._registry = registry
        self._grants = Grants(self._ask)
        self._addresses = Addresses(most_addresses)
        self._ownership = Ownership()
        self.closed: ClosedPoints = NOTHING
        self.epoch = 0
        self.traffic = Traffic()
        self._refused: dict[tuple[int, str], float] = {}
        self._units: dict[int, str] = {}
        self._generation = self._owners_epoch = 0
        self._reachable = True
        self._poll_s = poll_s
        self._threads = ThreadPoolExecutor(2, "resolver")
        self._newcomers = Newcomers(self._resolve, self._threads)
        self._stopped = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="resolver-watch", daemon=True)
        self._learning = threading.Lock()

    def start(self) -> None:
        """Load all keys and keep them fresh until `close`; blocks while it loads."""
        self.refresh()
        self._watcher.start()

    def close(self) -> None:
        """Stop watching and note when keys were last used, and how many bytes came with them."""
        self._stopped.set()
        if self._watcher.is_alive():
            self._watcher.join()
        with contextlib.suppress(WattsteadError):
            self._note_use()
        self._threads.shutdown(cancel_futures=True)

    def refresh(self) -> None:
        """Learn at once what has changed in the registry."""
        with self._learning:
            generation = self._registry.generation()
            if generation == self._generation:
                return
            if generation < self._generation:  # another registry, restored under our feet
                self._generation = 0
                self._grants, self._ownership = Grants(self._ask), Ownership()
                self._addresses, self.epoch = Addresses(self._addresses.most), self.epoch + 1
            elif self._registry.devices_moved_since(self._generation):  # points may have gone along to other sites
                self._addresses, self._ownership = Addresses(self._addresses.most), Ownership()
                self.epoch += 1
                self._ownership.put_deltas(self._registry.deltas_since(0))
            self._grants.learn(self._registry.keys_since(self._generation))
            declared = self._registry.deltas_since(self._generation)
            self._ownership.put_deltas(declared)
            if declared:  # some may have been given to other devices
                self._ownership.forget_owners()
                self._owners_epoch += 1
            closed = self._registry.closed()
            self.closed = ClosedPoints(closed.devices, closed.points) if closed.devices else NOTHING
            self._refused, self._units = {}, {}
            self._generation = generation

    def place(self, grant: KeyGrant) -> Place:
        """See `wattstead.ingest.resolving.resolver.Resolver`, as all that follow."""
        return grant.site_id if grant.device_id is None else (grant.device_id, self._owners_epoch)

    def key(self, secret: str) -> KeyGrant | None:
        """What a secret allows."""
        return self._grants.find(secret)

    def sealed(self, key_id: int) -> SealedKey | None:
        """The sealed key of that id."""
        return self._grants.sealed(key_id)

    async def points(
        self, grant: KeyGrant, addresses: Sequence[str], units: Mapping[str, str] = NO_UNITS
    ) -> NDArray[np.uint32]:
        """Ids of addresses, 0 where refused; raises `RegistryUnavailable`, `KeyUnknown`."""
        held = self._addresses
        known = held.of(grant.site_id)
        found = np.fromiter(map(known.get, addresses, repeat(0)), np.uint32, len(addresses))
        if found.all():
            return await self._bound(grant, found)
        missing = self._sound(grant.site_id, dict.fromkeys(addresses[i] for i in np.flatnonzero(found == 0).tolist()))
        if not missing:
            return await self._bound(grant, found)
        try:
            answer = await self._newcomers.resolve(Request(grant, missing, units))
        except KeyRevoked as error:
            raise KeyUnknown from error
        self._remember(held, grant.site_id, answer)
        new = answer.ids
        found = np.fromiter((known.get(a) or new.get(a, 0) for a in addresses), np.uint32, len(addresses))
        return await self._bound(grant, found)

    async def units(self, points: Sequence[int]) -> Mapping[int, str]:
        """Units of points; raises `RegistryUnavailable`."""
        held = self._units
        known = {point: held[point] for point in points if point in held}
        unknown = [point for point in points if point not in known]
        if unknown:
            loop = asyncio.get_running_loop()
            found = await loop.run_in_executor(self._threads, self._registry.units_of_points, unknown)
            if len(held) + len(found) > _MOST_UNITS:
                held.clear()
            held.update(found)
            known.update(found)
        return known

    def refusal(self, grant: KeyGrant, address: str) -> str:
        """Why an address got no point."""
        if grant.device_id is not None and address in self._addresses.of(grant.site_id):
            return str(NotOfDevice(address, grant.device_id))
        return str(address_fault(address) or PointLimit(address, grant.point_limit))

    async def owned(self, grant: KeyGrant, points: NDArray[np.uint32]) -> NDArray[np.bool_]:
        """Which ids belong to the grant's site or device."""
        ownership = self._ownership
        unknown = ownership.unknown(points)
        if unknown:
            loop = asyncio.get_running_loop()
            found = await loop.run_in_executor(self._threads, self._registry.owners_of_points, unknown)
            ownership.put_owners(found)
        theirs = ownership.of_site(points, grant.site_id)
        return theirs if grant.device_id is None else theirs & ownership.of_device(points, grant.device_id)

    async def _bound(self, grant: KeyGrant, found: NDArray[np.uint32]) -> NDArray[np.uint32]:
        """The ids, 0 in place of those that are not of the device that the grant is bound to."""
        if grant.device_id is None:
            return found
        return np.where(await self.owned(grant, found), found, np.uint32(0))

    def among_deltas(self, points: Sequence[int]) -> bool:
        """Whether one of a few points holds amounts per interval."""
        return self._ownership.among_deltas(points)

    def is_delta(self, points: NDArray[np.uint32]) -> NDArray[np.bool_]:
        """Which points hold amounts per interval."""
        return self._ownership.is_delta(points)

    def _sound(self, site_id: int, paths: dict[str, None]) -> list[str]:
        """Those of the missing addresses that are worth asking for."""
        now = time.monotonic()
        refused = self._refused
        return [p for p in paths if refused.get((site_id, p), 0.0) <= now and address_fault(p) is None]

    def _remember(self, held: Addresses, site_id: int, answer: Resolution) -> None:
        """What was asked before points moved goes to the memory of that time, which is no longer looked at."""
        held.add(site_id, answer.ids)
        if answer.refused:
            if len(self._refused) + len(answer.refused) > _MOST_REFUSED:
                self._refused.clear()
            until = time.monotonic() + _REFUSED_S
            self._refused.update({(site_id, path): until for path in answer.refused})

    def _resolve(self, requests: Sequence[Request]) -> Sequence[Resolution | RegistryError]:
        """In a thread: what names say is read there, so that a crowd of new ones does not hold up everybody else."""
        return self._registry.resolve_many(
            [Asked(one.grant, [described(path, one.units.get(path, "")) for path in one.addresses]) for one in requests]
        )

    def _ask(self, secret: str) -> KeyGrant | None:
        """A key that memory does not know; while the registry is away nobody waits for it here."""
        if not self._reachable:
            return None
        try:
            return self._registry.key(secret)
        except WattsteadError:
            self._reachable = False
            return None

    def _watch(self) -> None:
        noted = time.monotonic()
        while not self._stopped.wait(self._poll_s):
            try:
                self.refresh()
                if time.monotonic() - noted >= _USE_NOTED_S:
                    noted = time.monotonic()
                    self._note_use()
            except WattsteadError as error:
                if self._reachable:
                    _log.warning("registry away; known keys and addresses keep working", error=str(error))
                self._reachable = False
            else:
                self._reachable = True

    def _note_use(self) -> None:
        used, self._grants.used = self._grants.used, set()
        if used:
            now = datetime.now(UTC)
            self._registry.mark_keys_used(dict.fromkeys(used, now))
        received = self.traffic.take()
        try:
            self._registry.add_traffic(received)
        except WattsteadError:
            self.traffic.put_back(received)
            raise
