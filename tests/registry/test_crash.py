"""A process killed while it resolves: what it was told is true afterwards, and no half-made point remains."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

import wattstead
from wattstead.registry.records import KeyGrant, NewAddress
from wattstead.registry.registry import Registry
from wattstead.registry.storage.database import Database

SENDER = """
import sys
from wattstead.registry.records import KeyGrant, NewAddress, Scope
from wattstead.registry.registry import Registry
registry = Registry(sys.argv[1])
grant = KeyGrant(int(sys.argv[2]), int(sys.argv[3]), 1, Scope.WRITE, 10_000)
for turn in range(100_000):
    found = registry.resolve(grant, [NewAddress(f"{sys.argv[4]} {turn} {n}", tags={"n": str(n)}) for n in range(7)])
    print("\\n".join(f"{point}\\t{path}" for path, point in found.ids.items()), flush=True)
"""


@pytest.mark.parametrize("acknowledged", [1, 50, 400])
def test_acknowledged_ids_survive_a_kill(registry: Registry, grant: KeyGrant, url: str, acknowledged: int) -> None:
    told: dict[str, int] = {}
    for life in range(2):
        command = [sys.executable, "-c", SENDER, url, str(grant.id), str(grant.site_id), f"life {life}"]
        source = str(Path(wattstead.__file__).parents[1])
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={"PYTHONPATH": source}) as sender:
            assert sender.stdout is not None
            for _ in range(acknowledged):
                point, path = sender.stdout.readline().rstrip("\n").split("\t")
                told[path] = int(point)
            sender.kill()
    found = registry.resolve(grant, [NewAddress(path) for path in told])
    assert found.ids == told and len(set(told.values())) == len(told)
    _insist_on_whole_points(registry, url)
    assert registry.resolve(grant, [NewAddress("after")])["after"] == registry.largest_point_id()


def _insist_on_whole_points(registry: Registry, url: str) -> None:
    rows = registry.points()
    assert all(row.address and row.tags for row in rows)
    assert len(rows) == registry.keys()[0].point_count == registry.largest_point_id()
    database = Database(url)
    with database.connected() as connection:
        assert connection.execute(text("SELECT count(*) FROM address")).scalar() == len(rows)
        if database.is_sqlite:
            assert connection.execute(text("PRAGMA foreign_key_check")).all() == []
            assert connection.execute(text("PRAGMA integrity_check")).scalar() == "ok"
    database.close()
