"""Carries connections from one address to another, as a process that can run in a network namespace of its own."""

from __future__ import annotations

import asyncio
import contextlib
import sys


async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Until one side ends it."""
    with contextlib.suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.transport.abort()


async def relay(host: str, port: int, to_host: str, to_port: int) -> None:
    """For ever."""

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(5):
                back, forth = await asyncio.open_connection(to_host, to_port)
        except (OSError, TimeoutError):
            writer.transport.abort()
            return
        await asyncio.gather(carry(reader, forth), carry(back, writer))

    server = await asyncio.start_server(take, host, port)
    sys.stdout.write("relays\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(relay(sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])))
