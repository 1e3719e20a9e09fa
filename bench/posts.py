"""Single posts: EmonCMS over kept connections against one line to the others, and 6,000 sites on new connections."""

from __future__ import annotations

import asyncio
import random
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import uvloop

import machine
from fleet import CHANNELS, SITES
from report import Table, figure
from sender import Outcome, keep_alive, one_connection_each
from servers import Target, influxdb, victoria_metrics, wattstead_door, wattstead_door_tls, wattstead_whole

CONNECTIONS = 64
_NODES = 500
_WITHIN_S = 10.0


def bench_kept(folder: Path, peers: bool, posts: int) -> Table:
    """One reading a request over kept connections, each answered before the next."""
    table = Table(
        "posts",
        f"Single posts, {CONNECTIONS} kept connections",
        ["server", "request", "posts/s", "CPU s per million posts", "p50 ms", "p99 ms", "failed", "answer means"],
        "bench/run.py posts",
        machine.sentence(),
        notes=["One reading a request. CPU: user and system seconds of the server's whole process tree."],
    )
    runs: list[tuple[str, Callable[[Path], AbstractContextManager[Target]], Callable[[Target, int], bytes]]] = [
        ("EmonCMS input/post, form", wattstead_door, emoncms_form),
        ("EmonCMS input/post, form", wattstead_door_tls, emoncms_form),
        ("EmonCMS input/post, query", wattstead_door, emoncms_query),
        ("EmonCMS input/post, query", wattstead_door_tls, emoncms_query),
        ("one line", wattstead_door, one_line),
    ]
    if peers:
        runs += [("one line", victoria_metrics, one_line), ("one line", influxdb, one_line)]
    for place, (name, start, request) in enumerate(runs):
        with start(folder / f"posts-{place}") as target:
            uvloop.run(keep_alive(target.port, _requests(target, request, _NODES), 4, target.tls))
            cpu_s = target.process.cpu_s()
            outcome = uvloop.run(keep_alive(target.port, _requests(target, request, posts), CONNECTIONS, target.tls))
            cpu_s = target.process.cpu_s() - cpu_s
            table.rows.append([target.name, name, *_cells(outcome, cpu_s, posts), target.durable])
        print("  " + " | ".join(table.rows[-1]), flush=True)
    return table


def _cells(outcome: Outcome, cpu_s: float, posts: int) -> list[str]:
    rates = [figure(posts / outcome.lasted_s), figure(cpu_s / posts * 1e6, 1)]
    waits = [figure(outcome.percentile_ms(0.5), 1), figure(outcome.percentile_ms(0.99), 1)]
    return [*rates, *waits, str(len(outcome.failures))]


def _requests(target: Target, request: Callable[[Target, int], bytes], posts: int) -> Iterator[bytes]:
    return (request(target, number) for number in range(posts))


def emoncms_form(target: Target, number: int) -> bytes:
    """As emonHub and firmware post: a form."""
    key = target.keys[number % len(target.keys)]
    body = f"node=n{number % _NODES}&fulljson=%7B%22power1%22%3A{number % 4000}%7D&apikey={key}".encode()
    return target.head("POST", "/input/post", len(body), "Content-Type: application/x-www-form-urlencoded") + body


def emoncms_query(target: Target, number: int) -> bytes:
    """As small firmware does it: everything in the address."""
    key = target.keys[number % len(target.keys)]
    return target.head("GET", f"/input/post?node=n{number % _NODES}&json=power1:{number % 4000}&apikey={key}", 0)


def one_line(target: Target, number: int) -> bytes:
    """The same reading as a line."""
    return target.write_request(
        f"power1,node=n{number % _NODES} value={number % 4000} {1_700_000_000 + number}".encode()
    )


def bench_burst(folder: Path, whole: bool) -> Table:
    """6,000 sites with a key each, eight values a post, each on a new connection within the same ten seconds."""
    table = Table(
        "burst",
        f"{SITES:,} sites post {len(CHANNELS)} values within {_WITHIN_S:.0f} s, each on a new connection",
        ["round", "failed", "p50 ms", "p99 ms", "largest ms", "server CPU s", "bytes on the wire a post"],
        "bench/run.py burst",
        machine.sentence(),
        notes=[
            "Latency from the call to connect to the end of the answer. Bytes: both directions, IPv4 and TCP heads of "
            "all segments included. First: every address is new and becomes a point; again: all are known."
        ],
    )
    start = wattstead_whole if whole else wattstead_door
    with start(folder / "burst", SITES) as target:
        for name in ("first", "again", "again"):
            cpu_s = target.process.cpu_s()
            outcome = uvloop.run(_burst(target))
            cpu_s = target.process.cpu_s() - cpu_s
            wire = sum(outcome.wire_bytes) / max(1, len(outcome.wire_bytes))
            waits = [figure(outcome.percentile_ms(share), 1) for share in (0.5, 0.99, 1.0)]
            table.rows.append([name, str(len(outcome.failures)), *waits, figure(cpu_s), figure(wire)])
            print("  " + " | ".join(table.rows[-1]), *outcome.failures[:2], flush=True)
    return table


async def _burst(target: Target) -> Outcome:
    chance = random.Random(7)
    due = sorted(chance.uniform(0, _WITHIN_S) for _ in range(SITES))
    outcome = await one_connection_each(target.port, due, lambda number: _eight(target, number))
    await asyncio.sleep(1)
    return outcome


def _eight(target: Target, number: int) -> bytes:
    values = ",".join(f'"{channel}":{(number * 7 + place) % 5000}' for place, channel in enumerate(CHANNELS))
    fields = {"node": "emontx4", "fulljson": "{" + values + "}", "apikey": target.keys[number % len(target.keys)]}
    body = urllib.parse.urlencode(fields).encode()
    return target.head("POST", "/input/post", len(body), "Content-Type: application/x-www-form-urlencoded") + body
