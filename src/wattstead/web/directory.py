"""What the registry knows about points and viewers, kept in memory and no older than a moment; decides nothing.

The registry's generation and its largest point id say whether anything is new; both are asked for at most every
`POLL_S`, whatever the number of questions.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Iterable, Mapping
from functools import partial
from typing import Any

import msgspec

from wattstead.registry.authority import Authority, Reach, Stand
from wattstead.registry.people.memberships import authority_of_key
from wattstead.registry.policy import SEE_READINGS, Role
from wattstead.registry.records import KeyGrant, PointRow, SiteName
from wattstead.registry.registry import Registry
from wattstead.web.access.viewer import Viewer
from wattstead.web.threads import R, Threads

POLL_S = 0.25
"""How long the registry may have changed before that is seen here."""
_SESSION_S = 2.0
_MOST_VIEWERS = 10_000
_MOST_CATCH_UP = 20_000
_MOST_KEPT = 64
_FEW, _NEIGHBOURS = 16, 256
"""So few points are learnt with so many others of close numbers."""
_MANY = 2_000
"""Points of which something is sooner made at once than handed to a thread."""
_MOST_REACHES = 1_000


class Directory:
    """Points by id and by site, and viewers by their token or key."""

    def __init__(self, registry: Registry, threads: Threads) -> None:
        self.registry, self.threads = registry, threads
        self._stamp = (-1, -1)
        self._polled_s, self._expired = 0.0, 0
        self._rows: dict[int, PointRow] = {}
        self._whole: dict[int, dict[int, PointRow]] = {}
        self._viewers: OrderedDict[bytes, tuple[float, Viewer]] = OrderedDict()
        self._reaches: dict[Reach, tuple[int, frozenset[int]]] = {}
        self._names: dict[Reach, tuple[int, Mapping[int, SiteName]]] = {}
        self._kept: OrderedDict[tuple[Any, ...], tuple[int, Any]] = OrderedDict()
        self._changes_seen = 0
        self._asking: dict[tuple[Any, ...], asyncio.Future[Any]] = {}
        self._lock = asyncio.Lock()

    async def viewer_of_session(self, token: str) -> Viewer | None:
        """Who a session token stands for."""
        return await self._viewer(b"session " + _digest(token), self._session, token)

    async def viewer_of_key(self, secret: str) -> Viewer | None:
        """Who a key stands for; a write key stands for one who sees no site."""
        return await self._viewer(b"key " + _digest(secret), self._key, secret)

    async def viewer_of_share(self, token: str) -> Viewer | None:
        """Who a link's token stands for: a guest of one site."""
        return await self._viewer(b"share " + _digest(token), self._share, token)

    async def generation(self) -> int:
        """Grows with every change that somebody who looks must see."""
        await self._fresh()
        return self._stamp[0]

    def expire(self) -> None:
        """Something was changed from here, perhaps while it is being looked: look again at the next question."""
        self._polled_s, self._expired = 0.0, self._expired + 1

    def forget(self, token: str) -> None:
        """A session has ended."""
        self._viewers.pop(b"session " + _digest(token), None)

    async def site_names(self, viewer: Viewer) -> Mapping[int, SiteName]:
        """Names and zones of the sites that the viewer sees, by id."""
        reach, (at, found) = viewer.reach, self._names.get(viewer.reach, (None, {}))
        if not reach or at == self._stamp[0]:
            return found
        return await self.threads.run(self._of_reach, self._names, reach, self.registry.site_names)

    async def rows(self, viewer: Viewer, point_ids: Iterable[int]) -> dict[int, PointRow]:
        """Those of these points that the viewer sees, in the order asked for."""
        await self._fresh()
        wanted = list(dict.fromkeys(point_ids))
        missing = [point_id for point_id in wanted if point_id not in self._rows]
        if missing:
            asked = self._with_neighbours(missing)
            await self._once(tuple(asked), lambda: self.registry.points(point_ids=asked), self._keep)
        known = ((point_id, self._rows.get(point_id)) for point_id in wanted)
        return {point_id: row for point_id, row in known if row is not None and viewer.sees(row)}

    def _with_neighbours(self, missing: list[int]) -> list[int]:
        """Those points, and of few others of close numbers: who looks at one point of a site looks at the next."""
        if len(missing) > _FEW:
            return missing
        begins = sorted({point_id // _NEIGHBOURS * _NEIGHBOURS for point_id in missing})
        near = (p for begin in begins for p in range(begin, begin + _NEIGHBOURS) if p <= self._stamp[1])
        return sorted({*missing, *(point_id for point_id in near if point_id not in self._rows)})

    async def rows_of_sites(self, viewer: Viewer, site_ids: Iterable[int] | None = None) -> dict[int, PointRow]:
        """All points of these sites, or of all that the viewer sees, by id."""
        wanted = [site_id for site_id in (viewer.sites if site_ids is None else site_ids) if site_id in viewer.sites]
        return _of_device(await self._rows_of(wanted), viewer.device_id)

    async def rows_of_sender(self, key: KeyGrant) -> dict[int, PointRow]:
        """All points of the site or device that a key writes to, by id; they are not the key's to read."""
        return _of_device(await self._rows_of([key.site_id]), key.device_id)

    async def row(self, point_id: int) -> PointRow | None:
        """A point, whoever asks: whether it may be seen is for the caller to find out."""
        await self._fresh()
        if point_id not in self._rows and point_id <= self._stamp[1]:
            await self._once((point_id,), lambda: self.registry.points(point_ids=[point_id]), self._keep)
        return self._rows.get(point_id)

    async def _rows_of(self, wanted: list[int]) -> dict[int, PointRow]:
        await self._fresh()
        while missing := [site_id for site_id in wanted if site_id not in self._whole]:
            ask = partial(self.registry.points, site_ids=missing)
            await self._once(("sites", *missing), ask, partial(self._keep_sites, missing))
        size = sum(len(self._whole[site_id]) for site_id in wanted)
        # What is kept here may change while a thread sorts, so that gets a copy.
        return await self._made(
            ("rows", *wanted),
            self._changes_seen,
            size,
            lambda: partial(_sorted, [self._whole[site_id].copy() for site_id in wanted]),
        )

    async def made_of_sites(
        self, viewer: Viewer, site_ids: Iterable[int] | None, name: str, make: Callable[[dict[int, PointRow]], R]
    ) -> R:
        """What ``make`` makes of the points of sites; kept under ``name`` until one of all points changes."""
        seen, rows = self._changes_seen, await self.rows_of_sites(viewer, site_ids)
        if seen != self._changes_seen:  # they have only just been learnt
            seen, rows = self._changes_seen, await self.rows_of_sites(viewer, site_ids)
        key = (name, viewer.device_id, *(viewer.sites if site_ids is None else site_ids))
        return await self._made(key, seen, len(rows), lambda: partial(make, rows))

    async def _made(self, key: tuple[Any, ...], seen: int, points: int, prepare: Callable[[], Callable[[], R]]) -> R:
        """What is made of so many points as they were after ``seen`` changes, by what ``prepare`` gives: of many in a
        thread, since all others would wait for it."""
        known = self._kept.get(key)
        if known is not None and known[0] == self._changes_seen:
            self._kept.move_to_end(key)
            return known[1]  # type: ignore[no-any-return]
        make = prepare()
        found = await self._together(("made", seen, *key), lambda: self.threads.run(make)) if points > _MANY else make()
        self._kept[key] = (seen, found)
        while len(self._kept) > _MOST_KEPT:
            self._kept.popitem(last=False)
        return found

    async def _viewer(self, name: bytes, ask: Callable[[str], Viewer | None], secret: str) -> Viewer | None:
        await self._fresh()
        known = self._viewers.get(name)
        if known is not None and known[0] > time.monotonic() and known[1].left_s > 0:
            return known[1]
        return await self._once((name,), lambda: ask(secret), partial(self._keep_viewer, name))

    def _session(self, token: str) -> Viewer | None:
        signed = self.registry.signed(token)
        if signed is None:
            return None
        reach = signed.authority.reach(SEE_READINGS)
        return Viewer(
            signed.account, self._sites(reach), signed.authority, signed.session, signed.impersonator_id, reach,
            signed.ends_s,
        )  # fmt: skip

    def _key(self, secret: str) -> Viewer | None:
        grant = self.registry.key(secret)
        if grant is None:
            return None
        reach = authority_of_key(msgspec.structs.replace(grant, device_id=None)).reach(SEE_READINGS)
        return Viewer(grant, self._sites(reach), authority_of_key(grant), reach=reach)

    def _share(self, token: str) -> Viewer | None:
        guest = self.registry.guest(token)
        if guest is None:
            return None
        authority = Authority((Stand(Role.GUEST, site_id=guest.site_id),))
        reach = authority.reach(SEE_READINGS)
        return Viewer(guest, self._sites(reach), authority, reach=reach)

    def _sites(self, reach: Reach) -> frozenset[int]:
        """The sites within reach; the same set for all of one reach, until a change."""
        return self._of_reach(self._reaches, reach, self.registry.site_ids) if reach else frozenset()

    def _of_reach(self, known: dict[Reach, tuple[int, R]], reach: Reach, ask: Callable[[Reach], R]) -> R:
        """What the registry tells of a reach, kept until a change."""
        stamp, (at, found) = self._stamp[0], known.get(reach, (None, None))
        if found is None or at != stamp:
            found = ask(reach)
            known[reach] = (stamp, found)
            while len(known) > _MOST_REACHES:
                known.pop(next(iter(known)), None)
        return found

    async def _once(self, key: tuple[Any, ...], ask: Callable[[], R], keep: Callable[[R], None]) -> R:
        """The registry's answer, asked for once for all who want the same at the same time, and kept."""
        return await self._together(key, lambda: self._settled(ask, keep))

    async def _together(self, key: tuple[Any, ...], begin: Callable[[], Coroutine[Any, Any, R]]) -> R:
        """What comes of a question, which is begun once for all who want the same at the same time."""
        task = self._asking.get(key)
        if task is None:
            task = self._asking[key] = asyncio.ensure_future(begin())
            task.add_done_callback(lambda _: self._asking.pop(key, None))
        return await asyncio.shield(task)

    async def _settled(self, ask: Callable[[], R], keep: Callable[[R], None]) -> R:
        """An answer during which nothing was learnt that it may have missed, kept before anything else is."""
        while True:
            stamp = self._stamp
            found = await self.threads.run(ask)
            if stamp == self._stamp:
                keep(found)
                return found

    async def _fresh(self) -> None:
        """Learn what has changed, when that was not done a moment ago."""
        if time.monotonic() - self._polled_s < POLL_S:
            return
        async with self._lock:
            if time.monotonic() - self._polled_s < POLL_S:
                return
            asked_s, expired = time.monotonic(), self._expired
            stamp, changed = await self.threads.run(self._changes, self._stamp)
            if stamp[0] != self._stamp[0]:
                self._viewers.clear()
            if changed is None:
                self._rows.clear()
                self._whole.clear()
                self._changes_seen += 1
            if changed:
                self._keep(changed)
            self._stamp, self._polled_s = stamp, asked_s if expired == self._expired else 0.0

    def _changes(self, known: tuple[int, int]) -> tuple[tuple[int, int], list[PointRow] | None]:
        """The registry's stamp now, and the points that are new or others since ``known``; None: too many to say."""
        generation, largest = stamp = self.registry.generation(), self.registry.largest_point_id()
        if known[0] < 0 or generation < known[0] or largest < known[1] or largest - known[1] > _MOST_CATCH_UP:
            return stamp, None
        changed = self.registry.points_changed_since(known[0]) if generation != known[0] else []
        if len(changed) > _MOST_CATCH_UP:
            return stamp, None
        if largest > known[1]:
            changed += self.registry.points(point_ids=range(known[1] + 1, largest + 1))
        return stamp, changed

    def _keep(self, rows: Iterable[PointRow]) -> None:
        differs = False
        for row in rows:
            point_id = row.point.id
            before = self._rows.get(point_id)
            if before is not None and before.site_id != row.site_id:  # it went to another site with its device
                differs |= self._whole.get(before.site_id, {}).pop(point_id, None) is not None
            self._rows[point_id] = row
            if row.site_id in self._whole:
                self._whole[row.site_id][point_id] = row
                differs = True
        self._changes_seen += differs  # of other sites nothing has been made

    def _keep_sites(self, site_ids: Iterable[int], rows: Iterable[PointRow]) -> None:
        self._whole.update({site_id: {} for site_id in site_ids})
        self._keep(rows)

    def _keep_viewer(self, name: bytes, viewer: Viewer | None) -> None:
        self._viewers.pop(name, None)
        if viewer is not None:
            self._viewers[name] = (time.monotonic() + _SESSION_S, viewer)
            while len(self._viewers) > _MOST_VIEWERS:
                self._viewers.popitem(last=False)


def _sorted(found: Iterable[Mapping[int, PointRow]]) -> dict[int, PointRow]:
    return dict(sorted((point_id, row) for rows in found for point_id, row in rows.items()))


def _of_device(rows: dict[int, PointRow], device_id: int | None) -> dict[int, PointRow]:
    """Those of a device alone, where one is given."""
    return rows if device_id is None else {point: row for point, row in rows.items() if row.device_id == device_id}


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
