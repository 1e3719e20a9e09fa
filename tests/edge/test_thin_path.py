"""From joining to the reading on the server: code, signed map, a source on site, journal, upload."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

sys.path.insert(0, str(Path(__file__).parent))  # the modules beside this file

from edge_agent import FIRST_US, last, values
from edge_house import until

from wattstead.edge.link import ServerRefuses, join
from wattstead.registry.places.sources import Given

if TYPE_CHECKING:
    from edge_house import Agent, Home


def counting(home: Home, edge_id: int, ledger: Path, pause_s: float = 0.01) -> int:
    """A source of the edge that counts."""
    given = Given(name="counter", settings={"ledger": str(ledger), "pause_s": pause_s}, edge_id=edge_id, past_days=0)
    return home.registry.create_source(home.site, "counting", given).id


async def test_a_reading_on_site_is_a_reading_on_the_server(home: Home, agent: Agent, tmp_path: Path) -> None:
    await home.answer()
    edge_id = await home.edge(agent.folder, send_every_s=0.1)
    counting(home, edge_id, tmp_path / "ledger")
    agent.start()
    await until(lambda: len(home.standing()) > 100)
    told = home.registry.edge(edge_id)
    assert agent.most_memory_mb() < 120
    agent.kill()
    known = last(tmp_path / "ledger")
    found = home.standing()
    for number in range(1, 51):
        at = FIRST_US + number * 1_000_000
        assert (found["count", at], found["power", at]) == values(number)
    assert known >= 50
    assert told.health.applied == 1 and told.last_seen is not None and told.health.memory_mb > 1


async def test_a_code_works_once(home: Home) -> None:
    await home.answer()
    made = home.registry.create_edge(home.site, "Pi")
    await join(home.url, made.code.lower().replace("-", " "), "")
    with pytest.raises(ServerRefuses, match="used, has ended"):
        await join(home.url, made.code, "")


async def test_who_tries_codes_keeps_nobody_else_from_joining(home: Home) -> None:
    await home.answer()

    def from_address(address: str) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=home.url, transport=httpx.AsyncHTTPTransport(local_address=address))

    async with from_address("127.0.0.2") as guesser, from_address("127.0.0.3") as other:
        for _ in range(200):
            refused = await guesser.post("/api/v1/edge/join", content=b"{}")
            if refused.status_code != 400:
                break
        assert refused.status_code == 429 and "from this address" in refused.text
        assert (await other.post("/api/v1/edge/join", content=b"{}")).status_code == 400
