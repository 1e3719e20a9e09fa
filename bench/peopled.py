"""A registry of size for measurements: 100,000 sites of a fleet, 6,000 of another, grants between them; same each time.

PostgreSQL is started in a folder of its own with the settings it comes with, and stopped again.
"""

from __future__ import annotations

import os
import pwd
import random
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from sqlalchemy import insert, text

from process import free_port, tree_cpu_s
from wattstead.registry import tables
from wattstead.registry.authority import Reach
from wattstead.registry.people import accounts, memberships, sessions
from wattstead.registry.policy import Role
from wattstead.registry.registry import Registry

SITES, SMALLER = 100_000, 6_000
_PARTNERS, _AT_ONCE = 200, 10_000
_NOW = datetime(2026, 3, 1, tzinfo=UTC)
_TOWNS = [
    f"{head}{tail}" for head in ("Saint-", "Bad ", "New ", "Ober", "Villa") for tail in ("Lyon", "Nice", "Brest", "Ulm")
]


class Peopled(NamedTuple):
    """Who stands where, and the session of the person who owns the large fleet."""

    fleet: Reach
    partner: Reach
    """One of 200, of the large fleet."""
    smaller: Reach
    """The owner of the other fleet."""
    partner_id: int
    token: str


def people(registry: Registry, part: int = 1) -> Peopled:
    """Fleets of partners with sites, tags and one device each; ``part`` divides the number of sites."""
    dice = random.Random(7)
    root = registry.create_organization("Fleet", None, kind="fleet")
    partners = [registry.create_organization(f"Partner {n:03}", root.id) for n in range(_PARTNERS)]
    other = registry.create_organization("Other fleet", None, kind="fleet")
    others = [registry.create_organization(f"Other partner {n:02}", other.id).id for n in range(20)]
    count, smaller = SITES // part, SMALLER // part
    belongs = [partners[n % _PARTNERS].id for n in range(count)] + [others[n % len(others)] for n in range(smaller)]
    for start in range(0, len(belongs), _AT_ONCE):
        _put(registry, range(start, min(start + _AT_ONCE, len(belongs))), belongs, dice)
    granted = [(other.id, n + 1) for n in range(0, count, count // 50)]
    granted += [(partners[0].id, count + n + 1) for n in range(0, smaller, max(1, smaller // 20))]
    with registry._db.writing() as session:
        rows = [{"organization_id": to, "site_id": site, "changes": False, "created": _NOW} for to, site in granted]
        session.execute(insert(tables.SiteGrant), rows)
        owner = accounts.create(session, root.id, "owner@fleet.example", "", _NOW, "The owner")
        memberships.create(session, owner.id, Role.OWNER, _NOW, organization_id=root.id)
        token = sessions.create(session, owner.id, datetime.now(UTC))
    with registry._db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE" if registry._db.is_sqlite else "VACUUM ANALYZE"))  # as it does by itself soon
    return Peopled(
        Reach((f"/{root.id}/",)), Reach((partners[0].path,)), Reach((f"/{other.id}/",)), partners[0].id, token
    )


def _put(registry: Registry, numbers: range, belongs: list[int], dice: random.Random) -> None:
    with registry._db.writing() as session:
        session.execute(insert(tables.Site), [_site(n + 1, belongs[n], dice) for n in numbers])
        rows = [{"site_id": n + 1, "key": "roof", "value": dice.choice(["south", "east"])} for n in numbers]
        session.execute(insert(tables.SiteTag), rows)
        devices = [
            {
                "site_id": n + 1, "organization_id": belongs[n], "name": f"Meter {n + 1}", "created": _NOW,
                "serial_number": f"SN{n + 1:07}", "firmware": f"1.{n % 9}", "last_seen": _NOW - timedelta(minutes=n),
            }
            for n in numbers
        ]  # fmt: skip
        session.execute(insert(tables.Device), devices)


def _site(number: int, organization_id: int, dice: random.Random) -> dict[str, Any]:
    return {
        "organization_id": organization_id, "name": f"Home {dice.randrange(10**6):06}", "zone": "Europe/Paris",
        "note": "", "created": _NOW, "customer_number": f"C{number:07}", "city": dice.choice(_TOWNS),
        "address": f"{dice.randrange(200)} Rue du Moulin", "postal_code": f"{dice.randrange(10**5):05}",
        "country": "FR", "area_m2": dice.choice([None, float(dice.randrange(30, 300))]),
        "occupants": dice.randrange(1, 7), "heating": dice.choice(["gas", "heat pump", ""]),
        "installed_on": date(2020, 1, 1) + timedelta(days=dice.randrange(2000)), "peak_power_w": 6000.0,
    }  # fmt: skip


class Postgres(NamedTuple):
    """A server of its own: where it answers, and its first process."""

    url: str
    pid: int

    def cpu_s(self) -> float:
        """User and system seconds of all its processes."""
        return tree_cpu_s(self.pid)


@contextmanager
def postgres(folder: Path) -> Iterator[Postgres]:
    """An empty database of a PostgreSQL of its own; it runs as somebody without rights."""
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
        yield Postgres(url, server.pid)
    finally:
        server.terminate()
        server.wait(30)
