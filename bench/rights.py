"""What a right costs: one decision, and which sites a person may see, on SQLite and PostgreSQL; in this process."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sized
from pathlib import Path

from machine import sentence
from peopled import people, postgres
from report import Table, figure
from wattstead.registry.authority import Authority, Reach, Stand
from wattstead.registry.policy import Action, Resource, Right, Role
from wattstead.registry.registry import Registry

_DECISIONS = 20_000
_WHO = ("fleet owner", "partner among 106,000 sites", "owner of the large fleet")
_SEE, _CHANGE = Right(Action.SEE, Resource.READING), Right(Action.CHANGE, Resource.SITE)


def bench(folder: Path, part: int = 1) -> Table:
    """Decisions in µs, scopes in ms; ``part`` divides the number of sites."""
    table = Table(
        "rights", "Rights: one decision, and the sites a person may see",
        ["what", "target", "sites", "median", "p95", "CPU"], "bench/run.py rights", sentence(),
        notes=[
            "A scope, the ids of all sites within reach with those granted beside the tree, is asked of the database "
            "anew each time; so are names and zones, which only lists of databases and of names need."
        ],
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
                for what, ask, targets in (
                    ("scope", registry.site_ids, ("5 ms", "20 ms", "–")),
                    ("with names and zones", registry.site_names, ("–", "–", "–")),
                ):
                    reaches = (made.smaller, made.partner, made.fleet)
                    for who, target, reach in zip(_WHO, targets, reaches, strict=True):
                        table.rows.append(_scope(f"{engine}: {what}, {who}", target, ask, reach, server.cpu_s))
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


def _scope(
    name: str, target: str, ask: Callable[[Reach], Sized], reach: Reach, beside_s: Callable[[], float]
) -> list[str]:
    ask(reach)
    took: list[float] = []
    cpu_s = time.process_time() + beside_s()
    for _ in range(40):
        start_s = time.perf_counter()
        found = ask(reach)
        took.append((time.perf_counter() - start_s) * 1e3)
    cpu_ms = (time.process_time() + beside_s() - cpu_s) / 40 * 1e3
    figures = (f"{figure(one, 1)} ms" for one in (statistics.median(took), sorted(took)[-3], cpu_ms))
    return [name, target, f"{len(found):,}", *figures]
