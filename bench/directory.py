"""How fast the directory answers over HTTP among 106,000 sites, on SQLite and PostgreSQL; how long an export takes."""

from __future__ import annotations

import statistics
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx

from machine import sentence
from peopled import Peopled, Postgres, people, postgres
from process import ServerProcess, free_port
from report import Table, figure
from wattstead.registry.registry import Registry

_ROOT = Path(__file__).parents[1]
_COMMAND = "bench/run.py directory"
_ASKED, _DEEP = 20, 100


class _Door(NamedTuple):
    """A server that answers, and the database's own processes where it has any."""

    client: httpx.Client
    server: ServerProcess
    beside: Postgres | None

    def cpu_s(self) -> float:
        return self.server.cpu_s() + (self.beside.cpu_s() if self.beside else 0.0)


def bench(folder: Path, part: int = 1) -> list[Table]:
    """One table of pages, one of exports; ``part`` divides the number of sites."""
    pages = Table(
        "directory", f"Directory over HTTP: a page of 50 among {106_000 // part:,} sites and as many devices",
        ["question", "SQLite p50 ms", "p95 ms", "CPU ms", "PostgreSQL p50 ms", "p95 ms", "CPU ms"], _COMMAND,
        sentence(),
        notes=[
            f"Target: 300 ms at the median. The owner of 100,000 of the sites asks each question {_ASKED} times, one "
            "after another; each answer has the number of all that meet the question. CPU: user and system time of the "
            "server's whole process tree and of the database for one answer."
        ],
    )  # fmt: skip
    exports = Table(
        "directory-export", f"Export of {100_000 // part:,} sites over HTTP",
        ["database", "file", "seconds", "CPU s", "megabytes", "memory grown by, MB"], _COMMAND, sentence(),
        notes=["Target: Excel in 60 s with less than 200 MB. Memory: the server's whole process tree."],
    )  # fmt: skip
    cells: dict[str, list[str]] = {}
    with postgres(folder) as server:
        for name, beside in (("SQLite", None), ("PostgreSQL", server)):
            home = folder / name.lower()
            home.mkdir()
            url = beside.url if beside else f"sqlite:///{home / 'registry.db'}"
            with Registry(url) as registry:
                registry.migrate()
                made = people(registry, part)
            with _answering(home, url, made.token, beside) as door:
                for question, address in _questions(door, made, part).items():
                    cells.setdefault(question, []).extend(_timed(door, address))
                exports.rows += [[name, *_exported(door, form)] for form in ("csv", "xlsx")]
    pages.rows = [[name, *found] for name, found in cells.items()]
    return [pages, exports]


@contextmanager
def _answering(home: Path, url: str, token: str, beside: Postgres | None) -> Iterator[_Door]:
    port = free_port()
    command = [sys.executable, "-m", "wattstead", "serve", "--data", str(home), "--port", str(port)]
    env = {"PYTHONPATH": str(_ROOT / "src"), "WATTSTEAD_REGISTRY_URL": url}
    with (
        ServerProcess(command, home / "log", env) as server,
        httpx.Client(
            base_url=f"http://127.0.0.1:{port}/api/v1", cookies={"wattstead_session": token}, timeout=300
        ) as client,
    ):  # fmt: skip
        server.wait_for(port)
        yield _Door(client, server, beside)


def _questions(door: _Door, made: Peopled, part: int) -> dict[str, str]:
    cursor = ""
    for _ in range(_DEEP // part):  # the page in the middle
        cursor = door.client.get("/sites", params={"limit": 500, "cursor": cursor}).json()["cursor"]
    return {
        "first page by name": "/sites",
        "the page in the middle, by name": f"/sites?cursor={cursor}",
        "by city, backwards": "/sites?sort=city&order=desc",
        "by floor area, which half have": "/sites?sort=area_m2",
        "by organization": "/sites?sort=organization",
        "one partner of 200": f"/sites?branch={made.partner_id}",
        "heating by gas, from 100 m²": "/sites?heating=gas&area_m2.from=100",
        "by tag": "/sites?tag.roof=east",
        "by firmware of a device": "/sites?device.firmware=1.3",
        "by tag, city and area, by occupants": "/sites?tag.roof=east&city=Bad%20Ulm&area_m2.to=90&sort=occupants",
        "free text, many hits": "/sites?q=moulin",
        "free text, one hit": "/sites?q=c0077777",
        "free text, no hit": "/sites?q=nowhere",
        "devices by last seen": "/devices?sort=last_seen&order=desc",
        "devices, free text": "/devices?q=sn0077777",
    }


def _timed(door: _Door, address: str) -> list[str]:
    door.client.get(address).raise_for_status()
    took: list[float] = []
    cpu_s = door.cpu_s()
    for _ in range(_ASKED):
        start_s = time.perf_counter()
        door.client.get(address).raise_for_status()
        took.append((time.perf_counter() - start_s) * 1e3)
    cpu_ms = (door.cpu_s() - cpu_s) / _ASKED * 1e3
    return [figure(one, 1) for one in (statistics.median(took), sorted(took)[-2], cpu_ms)]


def _exported(door: _Door, form: str) -> list[str]:
    most, done = [0], threading.Event()
    before = door.server.resident_bytes()

    def watch() -> None:
        while not done.wait(0.1):
            most[0] = max(most[0], door.server.resident_bytes())

    watcher = threading.Thread(target=watch)
    watcher.start()
    cpu_s, start_s, size = door.cpu_s(), time.perf_counter(), 0
    with door.client.stream("GET", "/directory/export", params={"kind": "sites", "format": form}) as answer:
        answer.raise_for_status()
        for chunk in answer.iter_raw():
            size += len(chunk)
    took_s, cpu_s = time.perf_counter() - start_s, door.cpu_s() - cpu_s
    done.set()
    watcher.join()
    grown = max(0, most[0] - before) / 1e6
    return [form, figure(took_s, 1), figure(cpu_s, 1), figure(size / 1e6, 1), figure(grown, 0)]
