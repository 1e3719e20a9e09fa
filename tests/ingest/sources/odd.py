"""Protocols that behave as real ones at their worst, to see that the house stands it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

import msgspec
import numpy as np

from wattstead.ingest.decoding.columns import Columns, Few, Names, Rejections
from wattstead.ingest.sources.source_protocol import (
    WHERE,
    Found,
    Message,
    Secret,
    SourceFailed,
    SourceProtocol,
    Unreadable,
    Way,
)


class OddSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to do."""

    host: Annotated[str, msgspec.Meta(title="Host", description="Where.", extra_json_schema=WHERE)] = "127.0.0.1"
    does: Annotated[str, msgspec.Meta(title="Does", description="What it does.")] = "waits"
    factor: Annotated[float, msgspec.Meta(gt=0, title="Factor", description="Multiplies.")] = 1.0
    password: Annotated[Secret, msgspec.Meta(title="Password", description="A secret.")] = ""

    def __post_init__(self) -> None:
        if self.does == "cannot be read":
            raise KeyError(self.password)


def decode(message: Message, settings: OddSettings) -> Columns:
    """``name time_s value`` in each line."""
    names, times, values = [], [], []
    rejected = Rejections()
    for at, line in enumerate(message.raw.decode("utf-8", "replace").splitlines()):
        parts = line.split()
        if len(parts) != 3:
            raise Unreadable(f"line {at} has {len(parts)} words; expected three")
        try:
            values.append(float(parts[2]) * settings.factor)
        except ValueError:
            rejected.add(f"line {at}", f"value is {parts[2]!r}; expected a number")
            continue
        names.append(parts[0])
        times.append(int(float(parts[1]) * 1e6))
    if not names and not rejected:
        raise Unreadable("it is empty")
    return Columns(Names.of_rows(names), np.array(times, np.int64), np.array(values, np.float64), rejected)


class Script:
    """What an odd protocol does when it is run: the test says, and sees what came of it."""

    def __init__(self) -> None:
        self.runs = self.running = self.most = 0
        self.steps: Callable[[OddSettings, Way], Any] | None = None

    async def run(self, settings: OddSettings, way: Way) -> None:
        self.runs += 1
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            if self.steps is not None:
                await self.steps(settings, way)
            if settings.does == "fails":
                raise SourceFailed(f"mqtt://me:{settings.password}@{settings.host} refuses us")
            if settings.does == "gives up":
                raise SourceFailed(f"the password {settings.password!r} is wrong", hopeless=True)
            if settings.does == "breaks":
                raise RuntimeError(f"cannot cope with {settings.password}")
            if settings.does == "breaks in a group":
                async with asyncio.TaskGroup() as group:
                    group.create_task(_fail(settings))
                    group.create_task(asyncio.sleep(3600))
            if settings.does == "returns":
                return
            way.connected(settings.host)
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.02)  # as closing a connection takes time
            self.running -= 1

    async def look(self, settings: OddSettings, wanted: Mapping[str, Any]) -> Sequence[Found]:
        if settings.does == "waits":
            await asyncio.Event().wait()
        if settings.does == "breaks":
            raise RuntimeError(f"cannot cope with {settings.password}")
        if settings.does == "fails":
            raise SourceFailed(f"mqtt://me:{settings.password}@{settings.host} refuses us")
        return [Found(where=str(wanted.get("at", "")), name=settings.host)]

    def row(self) -> SourceProtocol:
        """The row of a table that does this."""

        def decoded(message: Message, settings: Any) -> Columns | Few:
            return decode(message, settings)

        return SourceProtocol("odd", "docs/sources.md", "Odd", OddSettings, decoded, self.run, self.look)


async def _fail(settings: OddSettings) -> None:
    raise SourceFailed(f"{settings.host} has gone", hopeless=True)
