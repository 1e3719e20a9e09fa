"""The supervisor with a real process: start, death, restart, stop, and the death of the parent."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from asyncio.subprocess import PIPE
from collections.abc import Awaitable, Callable
from pathlib import Path

import clickhouse_connect
import httpx
import pytest

from wattstead.store.errors import StoreFailed
from wattstead.store.limits import StoreLimits
from wattstead.store.supervise import StoreProcess


async def ask(address: str, sql: str) -> str:
    async with httpx.AsyncClient() as client:
        answer = await client.post(address, content=sql)
        assert answer.status_code == 200, answer.text
        return answer.text


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")")[1].split()[0] == "Z"
    except OSError:
        return True


async def until(happens: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(60):
        while not await happens():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def until_gone(pid: int) -> None:
    await until(lambda: asyncio.to_thread(gone, pid))


async def test_start_answer_stop(tmp_path: Path) -> None:
    store = StoreProcess(tmp_path / "a folder ü?&%#", limits=StoreLimits(readers=1))
    address = await store.start()
    assert store.alive
    assert await store.start() == address
    assert await ask(address, "SELECT 1") == "1\n"
    client = await asyncio.to_thread(
        clickhouse_connect.get_client, dsn=address, compress=False, autogenerate_session_id=False
    )
    assert client.command("SELECT 2") == 2
    pid = store.pid
    assert pid is not None
    await store.stop()
    assert not store.alive
    assert gone(pid)
    await store.stop()


async def test_a_store_that_dies_is_started_again_at_the_same_address(tmp_path: Path) -> None:
    async with StoreProcess(tmp_path) as store:
        address = store.address
        await ask(address, "CREATE TABLE a (n UInt8) ENGINE = MergeTree ORDER BY n")
        for n in range(2):
            await ask(address, f"INSERT INTO a VALUES ({n})")
            assert store.pid is not None
            os.kill(store.pid, signal.SIGKILL)
            await until(lambda wanted=n + 1: asyncio.sleep(0, store.restarts == wanted and store.alive))
            assert store.address == address
            assert await ask(address, "SELECT count() FROM a") == f"{n + 1}\n"


async def test_a_folder_taken_by_another_store(tmp_path: Path) -> None:
    async with StoreProcess(tmp_path) as store:
        second = StoreProcess(tmp_path)
        with pytest.raises(StoreFailed, match=rf"is open in process {store.pid}; stop that process"):
            await second.start()
        assert not second.alive
        assert await ask(store.address, "SELECT 1") == "1\n"
        await second.stop()


async def test_a_port_taken_by_another_program(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(StoreFailed, match=f"port {port} on 127.0.0.1 cannot be opened"):
            await StoreProcess(tmp_path, port=port).start()
    store = StoreProcess(tmp_path, port=port)
    assert f":{port}" in await store.start()
    await store.stop()


async def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(StoreFailed, match="file"):
        await StoreProcess(tmp_path / "file" / "store").start()


async def test_a_folder_that_the_engine_cannot_read(tmp_path: Path) -> None:
    async with StoreProcess(tmp_path) as store:
        await ask(store.address, "CREATE DATABASE house ENGINE = Atomic")
        await ask(store.address, "CREATE TABLE house.a (n UInt8) ENGINE = MergeTree ORDER BY n")

    def spoil() -> None:
        for file in tmp_path.glob("engine/store/**/a.sql"):
            file.write_text("this is no statement")

    await asyncio.to_thread(spoil)
    with pytest.raises(StoreFailed, match=rf"cannot open {tmp_path}: Code: 62.*Syntax error.*a.sql"):
        await StoreProcess(tmp_path).start()


async def test_stopping_in_the_middle_of_a_question(tmp_path: Path) -> None:
    async with StoreProcess(tmp_path) as store:
        question = asyncio.create_task(ask(store.address, "SELECT sum(sipHash64(number)) FROM numbers(1000000000000)"))

        async def runs() -> bool:
            found = await ask(store.address, "SELECT count() FROM system.processes WHERE query LIKE '%sipHash%'")
            return found == "2\n"  # itself too

        await until(runs)
        pid = store.pid
        assert pid is not None
        async with asyncio.timeout(20):
            await store.stop()
        assert gone(pid)
        with pytest.raises((httpx.HTTPError, AssertionError)):
            await question


PARENT = """
import asyncio, sys
from pathlib import Path
from wattstead.store.supervise import StoreProcess

async def main():
    store = StoreProcess(Path(sys.argv[1]))
    await store.start()
    print("pid", store.pid, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


async def test_a_store_whose_parent_is_killed_ends_itself(tmp_path: Path) -> None:
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", PARENT, str(tmp_path), stdout=PIPE)
    try:
        assert parent.stdout is not None
        line = b""
        while not line.startswith(b"pid "):
            line = await parent.stdout.readline()
        pid = int(line.removeprefix(b"pid "))
        assert not gone(pid)
    finally:
        parent.kill()
        await parent.wait()
    await until_gone(pid)
    async with StoreProcess(tmp_path) as store:
        assert store.alive


def test_the_command_line_wants_a_key(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "wattstead.store", "--data", str(tmp_path)]
    without = {name: value for name, value in os.environ.items() if name != "WATTSTEAD_STORE_KEY"}
    ended = subprocess.run(command, env=without, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 2
    assert "--key-file" in ended.stderr
    for limits in ('{"readers": "many"}', "{"):
        ended = subprocess.run([*command, "--limits", limits], env={**without, "WATTSTEAD_STORE_KEY": "k" * 32},
                               capture_output=True, text=True, timeout=60)  # fmt: skip
        assert ended.returncode == 2
        assert "--limits" in ended.stderr
