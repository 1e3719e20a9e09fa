"""Newcomers: addresses that are not in memory, of many requests, resolved together in one registry transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from typing import NamedTuple

from wattstead.registry.errors import RegistryError, RegistryUnavailable
from wattstead.registry.records import KeyGrant, Resolution

_MOST_AT_ONCE = 50_000
"""Addresses in one transaction, unless one request alone has more."""
_MOST_WAITING = 500_000
_CROWD = 2
_GATHER_S = 0.02
"""After a transaction for more than ``_CROWD`` requests the next waits so long for company: a transaction costs as much
as the names of twelve requests, and in a crowd they come anyway."""


class Request(NamedTuple):
    """New addresses under one key."""

    grant: KeyGrant
    addresses: Sequence[str]
    units: Mapping[str, str] = {}
    """In which unit an address sends, where its sender says so."""


Resolve = Callable[[Sequence[Request]], Sequence[Resolution | RegistryError]]


class Newcomers:
    """A queue with one worker: while a transaction runs, the next one gathers all that arrive meanwhile."""

    def __init__(self, resolve: Resolve, executor: Executor) -> None:
        self._resolve, self._executor = resolve, executor
        self._waiting: list[tuple[Request, asyncio.Future[Resolution]]] = []
        self._count = 0
        self._worker: asyncio.Task[None] | None = None

    async def resolve(self, request: Request) -> Resolution:
        """The ids of the addresses; raises what the registry raises for this request, retryable when it is full."""
        if self._count > _MOST_WAITING:
            raise RegistryUnavailable(f"{self._count:,} new addresses are waiting")
        future: asyncio.Future[Resolution] = asyncio.get_running_loop().create_future()
        self._waiting.append((request, future))
        self._count += len(request.addresses)
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work())
        return await future

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        crowded = False
        while self._waiting:
            if crowded:
                await asyncio.sleep(_GATHER_S)
            batch = self._next()
            crowded = len(batch) > _CROWD
            answers: Sequence[Resolution | Exception]
            try:
                answers = await loop.run_in_executor(self._executor, self._resolve, [request for request, _ in batch])
            except Exception as error:
                answers = [error] * len(batch)
            for (request, future), answer in zip(batch, answers, strict=True):
                self._count -= len(request.addresses)
                if future.done():
                    continue  # the sender went away
                if isinstance(answer, Exception):
                    future.set_exception(answer)
                else:
                    future.set_result(answer)

    def _next(self) -> list[tuple[Request, asyncio.Future[Resolution]]]:
        count = taken = 0
        for request, _ in self._waiting:
            count += len(request.addresses)
            if taken and count > _MOST_AT_ONCE:
                break
            taken += 1
        batch, self._waiting = self._waiting[:taken], self._waiting[taken:]
        return batch
