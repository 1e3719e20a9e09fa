"""What a right costs: one decision, and which sites a person may see, on SQLite and PostgreSQL; in this process."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path

from machine import sentence
from peopled import people, postgres
from report import Table, figure
from wattstead.registry.authority import Authority, Reach, Stand
from wattstead.registry.policy import Action, Resource, Right, Role
from wattstead.registry.registry import Registry

_DECISIONS = 20_000
_SEE, _CHANGE = Right(Action.SEE, Resource.READING), Right(Action.CHANGE, Resource.SITE)


def bench(folder: Path, part: int = 1) -> Table:
    """Decisions in µs, scopes in ms; ``part`` divides the number of sites."""
    table = Table(
        "rights", "Rights: one decision, and the sites a person may see with their names",
        ["what", "target", "sites", "median", "p95", "CPU"], "bench/run.py rights", sentence(),
        notes=["A scope is asked of the database anew each time, sites granted beside the tree included."],
    )  # fmt: skip
    for name, authority in _people().items():
        took = sorted(_decisions(authority) for _ in range(40))
        row = [f"decision, {name}", "5 µs", "–", *(f"{figure(one)} µs" for one in (took[20], took[-3])), "–"]
        table.rows.append(row)
    with postgres(folder) as server:
        for engine, url in (("SQLite", f"sqlite:///{folder / 'rights.db'}"), ("PostgreSQL", server.url)):
            with Registry(url) as registry:
                registry.migrate()
                made = people(registry, part)
                table.rows += [
                    _scope(f"{engine}: fleet owner", "5 ms", registry, made.smaller, server.cpu_s),
                    _scope(f"{engine}: partner among 106,000 sites", "20 ms", registry, made.partner, server.cpu_s),
                    _scope(f"{engine}: owner of the large fleet", "–", registry, made.fleet, server.cpu_s),
                ]
    return table


def _people() -> dict[str, Authority]:
    """Who asks: a person of one role, and one who stands in many places."""
    many = [Stand(Role.USER, site_id=number) for number in range(1, 20)]
    return {
        "an owner": Authority((Stand(Role.OWNER, "/1/"),)),
        "a partner with a shared site": Authority((Stand(Role.PARTNER, "/1/4/"), Stand(Role.GUEST, site_id=9))),
        "a user of 20 sites": Authority((*many, Stand(Role.OWNER, "/1/4/"))),
    }


def _decisions(authority: Authority) -> float:
    """Microseconds one decision takes."""
    start_s = time.perf_counter()
    for _ in range(_DECISIONS // 40 // 2):
        authority.may(_SEE, "/1/4/17/", 30)
        authority.may(_CHANGE, "/2/", 30)
    return (time.perf_counter() - start_s) / (_DECISIONS // 40) * 1e6


def _scope(name: str, target: str, registry: Registry, reach: Reach, beside_s: Callable[[], float]) -> list[str]:
    registry.site_names(reach)
    took: list[float] = []
    cpu_s = time.process_time() + beside_s()
    for _ in range(40):
        start_s = time.perf_counter()
        found = registry.site_names(reach)
        took.append((time.perf_counter() - start_s) * 1e3)
    cpu_ms = (time.process_time() + beside_s() - cpu_s) / 40 * 1e3
    figures = (f"{figure(one, 1)} ms" for one in (statistics.median(took), sorted(took)[-3], cpu_ms))
    return [name, target, f"{len(found):,}", *figures]
