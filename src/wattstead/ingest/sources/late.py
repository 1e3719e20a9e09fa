"""Late: a way's runner, or its look around, as it stands in the table: loaded when first asked for, with its libraries.

So a program pays for pika, gmqtt or asyncua when it has such a source. Loading goes on beside the event loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import Any


class Late:
    """A coroutine function by the names of its module and its own.

    >>> asyncio.run(Late("asyncio", "sleep")(0, "slept"))
    'slept'
    """

    def __init__(self, module: str, name: str) -> None:
        self.module, self.name = module, name
        self._found: Callable[..., Awaitable[Any]] | None = None

    async def load(self) -> Callable[..., Awaitable[Any]]:
        """The function itself."""
        if self._found is None:  # who finds its module half made by another thread waits for that
            self._found = getattr(await asyncio.to_thread(import_module, self.module), self.name)
        return self._found

    async def __call__(self, *given: Any) -> Any:
        """What it answers."""
        return await (await self.load())(*given)
