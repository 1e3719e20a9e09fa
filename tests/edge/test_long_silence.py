"""A scaled day without a link, made by the system itself: a network namespace whose cable is pulled, lossy around it.

Needs root, `ip` and `nft`: packets are dropped by a rule, since not every kernel has netem. What is missing is said.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # the modules beside this file

from edge_agent import last
from edge_house import HERE, free_port, until
from test_faults import differences
from test_thin_path import counting

if TYPE_CHECKING:
    from edge_house import Agent, Home

pytestmark = pytest.mark.prove
SPACE, CABLE, THERE = "wattstead-site", "wattstead0", "wattstead1"
HERE_IP, THERE_IP = "10.213.77.1", "10.213.77.2"
DAY_NUMBERS = 20_000
"""Of the scaled day: two readings each."""


def system(*words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(words, capture_output=True, text=True, timeout=30)
    assert not check or done.returncode == 0, f"{' '.join(words)}: {done.stderr.strip()}"
    return done


@pytest.fixture
def site() -> Iterator[None]:
    """A namespace with one cable to here."""
    if os.geteuid() != 0:
        pytest.skip("a network namespace needs root")
    missing = [name for name in ("ip", "nft") if shutil.which(name) is None]
    if missing:
        pytest.skip(f"{' and '.join(missing)} missing: apt-get install iproute2 nftables")
    system("ip", "netns", "del", SPACE, check=False)
    system("ip", "netns", "add", SPACE)
    try:
        system("ip", "link", "add", CABLE, "type", "veth", "peer", "name", THERE, "netns", SPACE)
        system("ip", "address", "add", f"{HERE_IP}/30", "dev", CABLE)
        system("ip", "-n", SPACE, "address", "add", f"{THERE_IP}/30", "dev", THERE)
        for words in (["link", "set", CABLE, "up"], ["-n", SPACE, "link", "set", THERE, "up"]):
            system("ip", *words)
        system("ip", "-n", SPACE, "link", "set", "lo", "up")
        yield
    finally:
        system("nft", "delete", "table", "inet", SPACE, check=False)
        system("ip", "link", "del", CABLE, check=False)
        system("ip", "netns", "del", SPACE, check=False)


def relayed(space: list[str], *words: str) -> subprocess.Popen[str]:
    """A relay that takes connections when this returns."""
    command = [*space, sys.executable, str(HERE / "edge_relay.py"), *words]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stdout.readline() == "relays\n"
    return process


def lose(percent: int) -> None:
    """Lose that share of the packets that come in at either end of the cable, from now on."""
    for before, interface in (([], CABLE), (["ip", "netns", "exec", SPACE], THERE)):
        nft = [*before, "nft", "add"]
        system(*nft, "table", "inet", SPACE)
        system(*nft, "chain", "inet", SPACE, "in", "{ type filter hook input priority 0; }")
        rule = f"iifname {interface} numgen random mod 100 < {percent} drop"
        system(*nft, "rule", "inet", SPACE, "in", *rule.split())


async def a_day(home: Home, agent: Agent, ledger: Path) -> None:
    """Read, lose packets or not, pull the cable for a day, put it back; everything is there in the end, once."""
    await until(lambda: last(ledger) > 1_000, every_s=0.3)
    system("ip", "link", "set", CABLE, "down")
    begin = last(ledger)
    await until(lambda: last(ledger) > begin + DAY_NUMBERS, 600, every_s=1.0)
    away = len(home.arrived())
    assert away < 2 * last(ledger) - DAY_NUMBERS, "nothing passes a cable that is pulled"
    system("ip", "link", "set", CABLE, "up")
    await until(lambda: len(home.arrived()) > 2 * begin + DAY_NUMBERS, 600, every_s=2.0)
    agent.kill()
    agent.start()
    end = last(ledger)
    await until(lambda: not differences(home, end), 300, every_s=2.0)


@pytest.mark.parametrize("percent", [0, 20])
async def test_a_day_without_a_cable(home: Home, agent: Agent, site: None, tmp_path: Path, percent: int) -> None:
    if percent:
        lose(percent)
    ledger, outer, inner = tmp_path / "ledger", free_port(), free_port()
    await home.start()
    edge_id = await home.edge(agent.folder, send_every_s=0.1)
    agent.move(f"http://127.0.0.1:{inner}")
    counting(home, edge_id, ledger, 0.002)
    within = ["ip", "netns", "exec", SPACE]
    relays = [
        relayed([], HERE_IP, str(outer), "127.0.0.1", str(home.port)),
        relayed(within, "127.0.0.1", str(inner), HERE_IP, str(outer)),
    ]
    agent.before = within
    try:
        agent.start()
        await a_day(home, agent, ledger)
    finally:
        agent.kill()
        for one in relays:
            one.kill()
            one.wait()
