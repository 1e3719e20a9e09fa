"""How fast the directory answers over 100,000 sites, on SQLite and PostgreSQL; and how long their export takes.

PostgreSQL is started in a folder of its own with the settings it comes with, and stopped again.
"""

from __future__ import annotations

import os
import pwd
import random
import resource
import shutil
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import insert

from machine import sentence
from process import free_port
from report import Table, figure
from wattstead.registry import tables
from wattstead.registry.places.directory import Question
from wattstead.registry.places.filters import Asks, Filter
from wattstead.registry.policy import Reach
from wattstead.registry.registry import Registry
from wattstead.web.sheets import csv_lines, write_workbook

SITES = 100_000
PARTNERS = 200
_NOW = datetime(2026, 3, 1, tzinfo=UTC)
_TOWNS = [
    f"{head}{tail}" for head in ("Saint-", "Bad ", "New ", "Ober", "Villa") for tail in ("Lyon", "Nice", "Brest", "Ulm")
]


def bench(folder: Path, part: int = 1) -> list[Table]:
    """One table of pages, one of exports; ``part`` divides the number of sites."""
    count = SITES // part
    command = "python bench/run.py directory"
    pages = Table(
        "directory", f"Directory: a page of 50 among {count:,} sites with as many devices, milliseconds",
        ["question", "SQLite median", "SQLite p95", "PostgreSQL median", "PostgreSQL p95"], command, sentence(),
    )  # fmt: skip
    found: dict[str, list[str]] = {}
    sqlite = f"sqlite:///{folder / 'directory.db'}"
    with postgres(folder) as server:
        for url in (sqlite, server):
            with Registry(url) as registry:
                registry.migrate()
                seed(registry, count)
                for name, ask in _questions(registry).items():
                    took = [_timed(ask) for _ in range(21)][1:]
                    found.setdefault(name, []).extend([figure(statistics.median(took), 1), figure(sorted(took)[-2], 1)])
    pages.rows = [[name, *cells] for name, cells in found.items()]
    return [pages, _exports(folder, sqlite, count, command)]


def seed(registry: Registry, count: int) -> None:
    """A fleet of partners with sites, tags and one device each; the same every time."""
    dice = random.Random(7)
    root = registry.create_organization("Fleet", None, kind="fleet")
    partners = [registry.create_organization(f"Partner {n:03}", root.id).id for n in range(PARTNERS)]
    with registry._db.writing() as session:
        session.execute(insert(tables.Site), [_site(n, partners[n % PARTNERS], dice) for n in range(1, count + 1)])
        rows = [{"site_id": n, "key": "roof", "value": dice.choice(["south", "east"])} for n in range(1, count + 1)]
        session.execute(insert(tables.SiteTag), rows)
        session.execute(
            insert(tables.Device),
            [
                {
                    "site_id": n, "organization_id": partners[n % PARTNERS], "name": f"Meter {n}", "created": _NOW,
                    "serial_number": f"SN{n:07}", "firmware": f"1.{n % 9}", "last_seen": _NOW - timedelta(minutes=n),
                }
                for n in range(1, count + 1)
            ],
        )  # fmt: skip


def _site(number: int, organization_id: int, dice: random.Random) -> dict[str, Any]:
    return {
        "organization_id": organization_id, "name": f"Home {dice.randrange(10**6):06}", "zone": "Europe/Paris",
        "note": "", "created": _NOW, "customer_number": f"C{number:07}", "city": dice.choice(_TOWNS),
        "address": f"{dice.randrange(200)} Rue du Moulin", "postal_code": f"{dice.randrange(10**5):05}",
        "country": "FR", "area_m2": dice.choice([None, float(dice.randrange(30, 300))]),
        "occupants": dice.randrange(1, 7), "heating": dice.choice(["gas", "heat pump", ""]),
        "installed_on": date(2020, 1, 1) + timedelta(days=dice.randrange(2000)), "peak_power_w": 6000.0,
    }  # fmt: skip


def _questions(registry: Registry) -> dict[str, Callable[[], object]]:
    fleet, partner = Reach(("/1/",)), Reach(("/1/5/",))
    gas = (Filter("heating", Asks.IN, ("gas",)), Filter("area_m2", Asks.FROM, ("100",)))
    deep = registry.find_sites(fleet, Question(limit=500)).cursor or ""

    def sites(reach: Reach, **asked: Any) -> Callable[[], object]:
        return lambda: registry.find_sites(reach, Question(**asked))

    return {
        "first page by name, whole fleet": sites(fleet),
        "a later page by name": sites(fleet, cursor=deep),
        "by city, backwards": sites(fleet, sort="city", descending=True),
        "by floor area, which half have": sites(fleet, sort="area_m2"),
        "by organization": sites(fleet, sort="organization"),
        "one partner of 200": sites(partner),
        "heating by gas, from 100 m²": sites(fleet, filters=gas),
        "by tag": sites(fleet, filters=(Filter("tag.roof", Asks.IN, ("east",)),)),
        "by firmware of a device": sites(fleet, filters=(Filter("device.firmware", Asks.IN, ("1.3",)),)),
        "free text, many hits": sites(fleet, q="moulin"),
        "free text, one hit": sites(fleet, q="c0077777"),
        "free text, no hit": sites(fleet, q="nowhere"),
        "devices by last seen": lambda: registry.find_devices(fleet, Question(sort="last_seen", descending=True)),
        "devices, free text": lambda: registry.find_devices(fleet, Question(q="sn0077777")),
    }


def _exports(folder: Path, url: str, count: int, command: str) -> Table:
    table = Table(
        "directory-export", f"Export of {count:,} sites", ["file", "seconds", "megabytes", "memory grown by, MB"],
        command, sentence(),
    )  # fmt: skip
    with Registry(url) as registry:
        for name in ("csv", "xlsx"):
            file, before_kb, start_s = folder / f"sites.{name}", _memory_kb(), time.perf_counter()
            parts = registry.exported_sites(Reach(("/1/",)), Question())
            if name == "csv":
                with file.open("wb") as output:
                    output.writelines(csv_lines(parts))
            else:
                write_workbook(file, "Sites", parts)
            took_s = time.perf_counter() - start_s
            grown = (_memory_kb() - before_kb) / 1024
            table.rows.append([name, figure(took_s, 1), figure(file.stat().st_size / 1e6, 1), figure(grown, 0)])
    return table


def _memory_kb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _timed(ask: Callable[[], object]) -> float:
    start_s = time.perf_counter()
    ask()
    return (time.perf_counter() - start_s) * 1_000


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """The address of an empty database of a PostgreSQL of its own."""
    binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parts[4]))[-1]
    home = folder / "postgres"
    home.mkdir()
    run_as: dict[str, Any] = {}
    if os.getuid() == 0:  # it refuses root
        user = "postgres" if "postgres" in {entry.pw_name for entry in pwd.getpwall()} else "nobody"
        folder.chmod(0o755)
        shutil.chown(home, user)
        run_as = {"user": user, "extra_groups": []}
    made = [binaries / "initdb", "-D", home / "data", "-U", "wattstead", "-A", "trust", "-E", "UTF8"]
    subprocess.run(made, **run_as, cwd=home, check=True, capture_output=True)
    port = free_port()
    server = subprocess.Popen(
        [binaries / "postgres", "-D", home / "data", "-k", home, "-h", "127.0.0.1", "-p", str(port)],
        **run_as, cwd=home, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    url = f"postgresql://wattstead@127.0.0.1:{port}/postgres"
    try:
        for _ in range(300):
            try:
                psycopg.connect(url).close()
                break
            except psycopg.OperationalError:
                time.sleep(0.1)
        yield url
    finally:
        server.terminate()
        server.wait(30)
