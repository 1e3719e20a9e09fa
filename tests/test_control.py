"""The socket through which a verb reaches the running server: whatever goes wrong there, the verb is told."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Mapping
from pathlib import Path

import pytest

from wattstead.control import VerbRefused, ask, listening

pytestmark = pytest.mark.unit


async def test_what_no_room_foresaw_is_told_too(tmp_path: Path) -> None:
    async def backup(_: Mapping[str, str]) -> Mapping[str, object]:
        raise sqlite3.OperationalError("database or disk is full")

    async with listening(tmp_path, {"backup": backup}):
        with pytest.raises(VerbRefused, match="disk is full"):
            await asyncio.wait_for(asyncio.to_thread(ask, tmp_path, "backup"), 30)
        with pytest.raises(VerbRefused, match="KeyError"):
            await asyncio.wait_for(asyncio.to_thread(ask, tmp_path, "no verb"), 30)


async def test_a_server_that_ends_meanwhile_is_told(tmp_path: Path) -> None:
    async with await asyncio.start_unix_server(lambda _, writer: writer.close(), str(tmp_path / "control.sock")):
        with pytest.raises(VerbRefused, match="ended before it answered"):
            await asyncio.wait_for(asyncio.to_thread(ask, tmp_path, "backup"), 30)
