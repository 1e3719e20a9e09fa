"""The servers that are compared: Wattstead whole, its door alone, VictoriaMetrics, InfluxDB; each in its own folder.

They listen on 127.0.0.1 with the settings they come with; only folders, ports and reporting home are set.
"""

from __future__ import annotations

import shutil
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from process import ServerProcess, free_port
from wattstead.registry.records import Scope
from wattstead.registry.registry import Registry

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Target:
    """A server that runs, and how to write to it."""

    name: str
    port: int
    process: ServerProcess
    folder: Path
    write_path: str = "/write?db=bench&precision=s"
    keys: list[str] = field(default_factory=list)
    durable: str = ""
    """What an answer of this server promises."""
    tls: bool = False

    def head(self, method: str, path: str, size: int, more: str = "") -> bytes:
        """The head of a request with keep-alive, as plain clients send it."""
        lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{self.port}"]
        if size:
            lines.append(f"Content-Length: {size}")
        return "\r\n".join([*lines, *([more] if more else []), "", ""]).encode()

    def write_request(self, body: bytes) -> bytes:
        """A whole request that writes lines."""
        token = f"Authorization: Token {self.keys[0]}" if self.keys else ""
        return self.head("POST", self.write_path, len(body), token) + body


Start = Callable[[Path], "contextmanager[Target]"]


@contextmanager
def wattstead_door(folder: Path, sites: int = 1) -> Iterator[Target]:
    """Wattstead's receiving side alone: an answer means durable in the journal, nothing is read from there."""
    with _wattstead(
        folder, sites, [sys.executable, str(ROOT / "bench" / "door.py")], "Wattstead, to the journal"
    ) as it:
        yield it


@contextmanager
def wattstead_door_tls(folder: Path, sites: int = 1) -> Iterator[Target]:
    """The same over TLS, under an elliptic key."""
    command = [sys.executable, str(ROOT / "bench" / "door.py"), "--tls"]
    with _wattstead(folder, sites, command, "Wattstead, to the journal, TLS") as it:
        yield replace(it, tls=True)


@contextmanager
def wattstead_whole(folder: Path, sites: int = 1) -> Iterator[Target]:
    """The product as ``wattstead serve`` runs it."""
    with _wattstead(folder, sites, [sys.executable, "-m", "wattstead", "serve"], "Wattstead, through to rollups") as it:
        yield it


@contextmanager
def wattstead_on(folder: Path, keys: list[str]) -> Iterator[Target]:
    """The product on a folder that has been filled; ready when it has read its latest values."""
    port = free_port()
    command = [sys.executable, "-m", "wattstead", "serve", "--data", str(folder), "--port", str(port)]
    env = {"PYTHONPATH": str(ROOT / "src"), "WATTSTEAD_KEY_RATE": "10000000"}
    with ServerProcess(command, folder / "log", env) as process:
        process.wait_for(port)
        yield Target("Wattstead, through to rollups", port, process, folder, keys=keys, durable="synced to disk")


@contextmanager
def _wattstead(folder: Path, sites: int, command: list[str], name: str) -> Iterator[Target]:
    folder.mkdir(parents=True)
    port = free_port()
    keys = write_keys(folder, sites)
    env = {"PYTHONPATH": str(ROOT / "src"), "WATTSTEAD_KEY_RATE": "10000000"}
    with ServerProcess([*command, "--data", str(folder), "--port", str(port)], folder / "log", env) as process:
        process.wait_for(port)
        yield Target(name, port, process, folder, keys=keys, durable="synced to disk")


def write_keys(folder: Path, sites: int) -> list[str]:
    """An owner, sites, and a write key for each, in a registry that the server will find."""
    registry = Registry(f"sqlite:///{folder / 'registry.db'}")
    try:
        registry.migrate()
        made = registry.first_owner("bench@localhost.localdomain", "a long password for the bench")
        owner = made.account if made else registry.accounts()[0]
        keys = []
        for number in range(sites):
            site = registry.create_site(owner.organization_id, f"site {number}", "UTC", "")
            keys.append(registry.create_key(site.id, Scope.WRITE, "bench", point_limit=100_000).secret)
        return keys
    finally:
        registry.close()


@contextmanager
def victoria_metrics(folder: Path) -> Iterator[Target]:
    """VictoriaMetrics as Debian has it."""
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    command = [
        needed("victoria-metrics", "victoria-metrics"),
        f"-storageDataPath={folder / 'storage'}",
        f"-httpListenAddr=127.0.0.1:{port}",
        "-retentionPeriod=100y",
    ]
    with ServerProcess(command, folder / "log") as process:
        process.wait_for(port)
        yield Target("VictoriaMetrics", port, process, folder, durable="in memory, on disk within seconds")


_INFLUX = """
reporting-disabled = true
bind-address = "127.0.0.1:{rpc}"
[meta]
dir = "{folder}/meta"
[data]
dir = "{folder}/data"
wal-dir = "{folder}/wal"
[http]
bind-address = "127.0.0.1:{port}"
log-enabled = false
"""


@contextmanager
def influxdb(folder: Path) -> Iterator[Target]:
    """InfluxDB 1.x as Debian has it."""
    folder.mkdir(parents=True)
    port, rpc = free_port(), free_port()
    config = folder / "influxdb.conf"
    config.write_text(_INFLUX.format(rpc=rpc, port=port, folder=folder))
    with ServerProcess([needed("influxd", "influxdb"), "-config", str(config)], folder / "log") as process:
        process.wait_for(port)
        made = urllib.request.Request(f"http://127.0.0.1:{port}/query?q=CREATE%20DATABASE%20bench", method="POST")
        with urllib.request.urlopen(made, timeout=30) as answer:
            answer.read()
        yield Target("InfluxDB", port, process, folder, durable="synced to disk")


def needed(program: str, package: str) -> str:
    """Where a program is; names the Debian package that brings it when it is not there."""
    found = shutil.which(program)
    if found is None:
        raise SystemExit(f"{program} is missing; install it with: apt-get install {package}")
    return found
