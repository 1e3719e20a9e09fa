"""`wattstead serve` on a folder of the test's own, to be loaded, killed and asked; and disks to do it on."""

from __future__ import annotations

import fcntl
import os
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import httpx
import pytest

sys.path.insert(0, str(Path(__file__).parent))  # the modules beside this file

from ledger import ZONE, Ledger, differences
from senders import KINDS, METER, POWER, PULSES, Door, Sender
from tests.migrated import migrated

from wattstead.metering.quantity import Kind, Quantity
from wattstead.registry.records import PointDeclaration, Scope
from wattstead.registry.registry import Registry
from wattstead.registry.seal import Seal

PASSWORD = "a password for the owner of a test"
EMAIL = "owner@localhost.localdomain"
START_S = 120.0
PATIENCE_S = 180.0
FS_IOC_SHUTDOWN, WITHOUT_FLUSHING = 0x8004587D, 2
POINTS = (
    PointDeclaration(address=METER, name="meter", kind=Kind.REGISTER, quantity=Quantity.ELECTRICITY, unit="kWh",
                     resolution=0.001),
    PointDeclaration(address=POWER, name="power", quantity=Quantity.ELECTRICITY, unit="W"),
    PointDeclaration(address=PULSES, name="pulses", kind=Kind.DELTA, quantity=Quantity.ELECTRICITY, unit="pulse"),
)  # fmt: skip


class Plant:
    """The product as `wattstead serve` runs it on one folder, with its senders and their ledger."""

    def __init__(self, folder: Path, log: Path, **settings: str) -> None:
        self.folder, self.log, self.ledger = folder, log, Ledger()
        self.url = "http://127.0.0.1:9"
        self.senders: list[Sender] = []
        self.starts = 0
        self._settings = {f"WATTSTEAD_{name.upper()}": value for name, value in settings.items()}
        self._process: subprocess.Popen[bytes] | None = None
        self._group = 0
        self.write_key = self._furnish()

    def _furnish(self) -> str:
        self.folder.mkdir(exist_ok=True)
        registry = Registry(migrated(self.folder), seal=Seal.of_file(self.folder / "seal.key"))
        owner = registry.first_owner(EMAIL, PASSWORD)
        assert owner is not None
        site = registry.create_site(owner.account.organization_id, "home", ZONE, "")
        registry.create_points(site.id, POINTS)
        secret = registry.create_key(site.id, Scope.WRITE, "senders").secret
        registry.close()
        return secret

    @property
    def pid(self) -> int:
        """The main process."""
        assert self._process is not None
        return self._process.pid

    @property
    def store_pid(self) -> int:
        """The store process; 0 while there is none."""
        found = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return int(found[0]) if found else 0

    def launch(self) -> None:
        """Start it, and wait for nothing."""
        self.starts += 1
        self._process = subprocess.Popen(
            [sys.executable, "-m", "wattstead", "serve", "--port", "0", "--data", str(self.folder)],
            stdout=subprocess.PIPE,
            stderr=self.log.open("ab"),
            env={**os.environ, "PYTHONUNBUFFERED": "1", **self._settings},
            start_new_session=True,
            cwd=self.log.parent,
        )
        self._group = self._process.pid

    def start(self) -> None:
        """Start it and wait until it says where it is; that it does not, fails the test."""
        self.launch()
        assert self._process is not None
        assert self._process.stdout is not None
        guard = threading.Timer(START_S, self._process.kill)
        guard.daemon = True
        guard.start()
        for line in self._process.stdout:
            if b"Wattstead runs at" in line:
                guard.cancel()
                self.url = line.decode().split()[-1].rstrip("/")
                return
        guard.cancel()
        raise AssertionError(f"start {self.starts} failed, status {self._process.wait()}:\n{self.said()[-3000:]}")

    def kill(self, everything: bool = True) -> None:
        """SIGKILL to the whole tree, or to the main process only."""
        if self._process is not None:
            if everything:
                with suppress(ProcessLookupError):
                    os.killpg(self._group, signal.SIGKILL)
            else:
                self._process.kill()
            self._process.wait()
            if self._process.stdout is not None:
                self._process.stdout.close()
            self._process = None

    def stop(self) -> None:
        """SIGTERM, and all it started is gone."""
        assert self._process is not None
        self._process.terminate()
        assert self._process.wait(60) == 0, self.said()[-3000:]
        self._process = None

    def said(self) -> str:
        """Its log, of all starts."""
        return self.log.read_text(errors="replace")

    def send(self, seed: int = 1, kinds: tuple[type[Sender], ...] = KINDS, pause_s: float | None = None) -> None:
        """Start senders; ``pause_s`` between two requests of each, where it is not how much they send that matters."""
        door = Door(lambda: self.url, self.write_key)
        fresh = [kind(door, self.ledger, seed) for kind in kinds]
        for sender in fresh:
            sender.pause_s = sender.pause_s if pause_s is None else pause_s
            sender.start()
        self.senders += fresh

    def until_acknowledged(self, more: int) -> None:
        """Wait until so many more requests were acknowledged."""
        wanted, until = self.ledger.acknowledged + more, time.monotonic() + PATIENCE_S
        while self.ledger.acknowledged < wanted:
            faults = [sender.fault for sender in self.senders if sender.fault is not None]
            assert not faults, faults
            assert time.monotonic() < until, f"no answer for {PATIENCE_S:g} s:\n{self.said()[-3000:]}"
            time.sleep(0.01)

    def finish_sending(self) -> None:
        """Every request that has been begun is acknowledged."""
        for sender in self.senders:
            sender.ending.set()
        for sender in self.senders:
            sender.finish()
        self.senders.clear()

    def signed_in(self) -> httpx.Client:
        """A client with the owner's session."""
        http = httpx.Client(base_url=self.url, headers={"X-Wattstead": "1"}, timeout=120, verify=False)
        http.post("/api/v1/session", json={"email": EMAIL, "password": PASSWORD}).raise_for_status()
        return http

    def part(self, http: httpx.Client, name: str) -> dict:
        """What `/api/v1/status` says of one part."""
        return next(
            part for part in http.get("/api/v1/status").raise_for_status().json()["parts"] if part["name"] == name
        )

    def settled(self, http: httpx.Client) -> bool:
        """Whether everything in the journal is stored and rolled up, as far as the status tells."""
        figures = self.part(http, "refining")["figures"]
        return not any(figures[name] for name in ("lag_bytes", "waiting_readings", "late_spans"))

    def check(self, eventually: Callable[..., object]) -> None:
        """Readings and rollups end as the ledger says; nothing else is accepted, however long it takes."""
        with closing(self.signed_in()) as http:
            eventually(lambda: self.settled(http), patience_s=PATIENCE_S)
            eventually(lambda: self.unfinished(http), lambda left: not left, patience_s=PATIENCE_S)
            if not self.ledger.unanswered:
                return  # nothing was left aside
            self.ledger.settle(http)
            eventually(lambda: differences(self.ledger, http), lambda found: found == [], patience_s=PATIENCE_S)

    def unfinished(self, http: httpx.Client) -> list[str]:
        """What differs in what was acknowledged, requests that were never answered left aside."""
        aside = {address for write in self.ledger.unanswered for address in write.addresses}
        return [found for found in differences(self.ledger, http) if found.partition(":")[0].split()[0] not in aside]


@pytest.fixture
def plant_in() -> Iterator[Callable[..., Plant]]:
    """Make a plant in a folder, with settings; killed at the end, its senders too."""
    plants: list[Plant] = []

    def make(folder: Path, log: Path, **settings: str) -> Plant:
        plants.append(Plant(folder, log, **settings))
        return plants[-1]

    yield make
    for plant in plants:
        for sender in plant.senders:
            sender.ending.set()
        plant.kill()


class Disk:
    """An ext4 file system in a file, that can lose its power."""

    def __init__(self, image: Path, at: Path, size_bytes: int) -> None:
        self.image, self.at = image, at
        at.mkdir()
        with image.open("wb") as file:
            file.truncate(size_bytes)
        subprocess.run(["mkfs.ext4", "-q", str(image)], check=True)
        self.mount()

    def mount(self) -> None:
        """Nothing is written out by itself within a test's time."""
        subprocess.run(["mount", "-o", "loop,commit=300", str(self.image), str(self.at)], check=True)

    def cut_power(self) -> None:
        """From now on nothing reaches the disk; what it holds in memory is lost."""
        handle = os.open(self.at, os.O_RDONLY)
        try:
            fcntl.ioctl(handle, FS_IOC_SHUTDOWN, struct.pack("I", WITHOUT_FLUSHING))
        finally:
            os.close(handle)

    def power_back(self) -> bool:
        """Take it off and mount it anew; False while a process, in whatever namespace, still holds what was cut off."""
        if subprocess.run(["umount", str(self.at)], stderr=subprocess.DEVNULL).returncode != 0:
            return False
        self.mount()
        try:
            (self.at / "mounted").write_bytes(b"")
        except OSError:
            return False
        return True


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """An ext4 file system of 2 GB."""
    assert os.geteuid() == 0, "this proof mounts a file system: run it as root"
    disk = Disk(tmp_path / "disk.img", tmp_path / "disk", 2 << 30)
    yield disk
    subprocess.run(["umount", "--lazy", str(disk.at)])


@pytest.fixture
def small_disk(tmp_path: Path) -> Callable[..., object]:
    """A file system in memory of a size, at a folder."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small file system needs root")

    @contextmanager
    def mounted(at: Path, size: str) -> Iterator[Path]:
        at.mkdir(parents=True, exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=700", "tmpfs", str(at)], check=True)
        try:
            yield at
        finally:
            subprocess.run(["umount", "--lazy", str(at)], check=True)

    return mounted
