"""A store process that runs and does not answer is ended and started again; one that is busy is left alone."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx

from wattstead.store.limits import StoreLimits
from wattstead.store.pulse import Heard, Pulse
from wattstead.store.supervise import StoreProcess


async def ask(address: str, sql: str, lane: str = "") -> str:
    async with httpx.AsyncClient(timeout=120) as client:
        answer = await client.post(address, content=sql, headers={"X-Wattstead-Lane": lane} if lane else {})
        assert answer.status_code == 200, answer.text
        return answer.text


async def until(happens: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(60):
        while not await happens():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


def pulse_of(store: StoreProcess, silence_s: float = 6.0) -> Pulse:
    return Pulse(store.address.split(":")[2].split("@")[0], silence_s, 60.0)


async def test_a_store_that_stands_still_is_started_again_with_all_it_had(tmp_path: Path) -> None:
    async with StoreProcess(tmp_path, silence_s=3.0) as store:
        await ask(store.address, "CREATE TABLE a (n UInt8) ENGINE = MergeTree ORDER BY n")
        await ask(store.address, "INSERT INTO a VALUES (1)")
        pid = store.pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        assert await pulse_of(store).ask(store.port) is Heard.SILENT
        await until(lambda: asyncio.sleep(0, store.restarts == 1))
        await asyncio.wait_for(store.wait_ready(), 60)
        assert store.pid != pid
        assert await ask(store.address, "SELECT count() FROM a") == "1\n"


async def test_a_busy_store_is_left_alone(tmp_path: Path) -> None:
    """Every reading lane is full, slow questions and a long insert run: the process answers for all that."""
    silence_s = 6.0
    async with StoreProcess(tmp_path, limits=StoreLimits(readers=2, read_queue=4), silence_s=silence_s) as store:
        pid = store.pid
        await ask(store.address, "CREATE TABLE a (n UInt64, t String) ENGINE = MergeTree ORDER BY n")
        for _ in range(4):
            await ask(store.address, "INSERT INTO a SELECT number, toString(sipHash64(number)) FROM numbers(500000)")
        endless = "SELECT sum(sipHash64(number)) FROM numbers(1000000000000)"
        questions = [asyncio.create_task(ask(store.address, endless)) for _ in range(4)]
        questions += [asyncio.create_task(ask(store.address, endless, "slow")) for _ in range(2)]
        long = asyncio.create_task(
            ask(store.address, "INSERT INTO a SELECT number, toString(sipHash64(number)) FROM numbers(20000000)")
        )
        pulse = pulse_of(store)
        heard: set[Heard] = set()
        until_s = asyncio.get_running_loop().time() + 1.5 * silence_s
        while asyncio.get_running_loop().time() < until_s:
            heard.add(await pulse.ask(store.port))
        assert heard & {Heard.WELL, Heard.BUSY}, "one question may be lost on a busy machine, not all"
        assert (store.restarts, store.pid) == (0, pid)
        for question in [*questions, long]:
            question.cancel()
        await asyncio.gather(*questions, long, return_exceptions=True)


async def test_a_machine_that_stood_still_itself_ends_nobody(tmp_path: Path) -> None:
    """Supervisor and store are stopped together for longer than the limit: one lost question, no silence."""
    code = (
        "import asyncio, sys\nfrom pathlib import Path\nfrom wattstead.store.supervise import StoreProcess\n"
        "async def main():\n"
        "    async with StoreProcess(Path(sys.argv[1]), silence_s=3.0) as store:\n"
        "        print('pid', store.pid, flush=True)\n"
        "        await asyncio.to_thread(sys.stdin.readline)\n"
        "        await asyncio.sleep(4.0)\n"
        "        print('restarts', store.restarts, flush=True)\n"
        "asyncio.run(main())\n"
    )
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, str(tmp_path), stdin=pipe, stdout=pipe, start_new_session=True
    )
    assert process.stdin is not None

    async def said(word: bytes) -> bytes:
        assert process.stdout is not None
        async for line in process.stdout:
            if line.startswith(word):
                return line
        return b""

    try:
        await said(b"pid")
        os.killpg(process.pid, signal.SIGSTOP)
        await asyncio.sleep(4.0)
        os.killpg(process.pid, signal.SIGCONT)
        process.stdin.write(b"\n")
        assert await said(b"restarts") == b"restarts 0\n"
        assert await process.wait() == 0
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
