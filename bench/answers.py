"""Answers over HTTP with 100 million readings in the store: one client, then 200 while readings arrive.

VictoriaMetrics holds the same readings and is asked the same in the same run. What they hold is in `estate`.
"""

from __future__ import annotations

import asyncio
import http.client
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec
import uvloop

import machine
from crowd import CLIENTS, EVERY_S, Crowded, crowded
from estate import Estate
from holding import fill_victoria, fill_wattstead
from questions import QUESTIONS, Address, victoria, wattstead
from report import Table, figure
from sender import Outcome, SendFailed, connect
from servers import Target, victoria_metrics, wattstead_on

_WARM, _ASKINGS, _FEWEST = 5, 100, 50
_SETTLE_S = 20.0
"""How long each server rests before it is asked: what was held for hours is rolled up to the present first."""
_HELD = "held.json"
"""Beside the folders that are kept: until when the estate reaches, its share, the ids of its points, the keys."""
_LONGEST_S = 8.0
"""Of one kind of question, once there are enough for a median."""


@dataclass(slots=True)
class Asked:
    """What one kind of question took of one server."""

    outcome: Outcome
    cpu_ms: float

    def cells(self) -> list[str]:
        """Median, 99th percentile, processor time."""
        failed = f" ({len(self.outcome.failures)} failed)" if self.outcome.failures else ""
        p50, p99 = (figure(self.outcome.percentile_ms(share), 1) for share in (0.5, 0.99))
        return [p50 + failed, p99, figure(self.cpu_ms, 1)]


def bench(
    folder: Path, peers: bool, share: int, held: Path | None = None, loads: tuple[int, ...] = (10_000, 48_000)
) -> list[Table]:
    """Fill, start, ask; ``share`` 10: a tenth of the points. ``held``: a folder that keeps what was filled for the next
    time, which then has the share it was filled with."""
    began = time.monotonic()
    if held and (held / _HELD).exists():
        kind = tuple[int, int, list[int], list[str]]
        end_s, share, ids, keys = msgspec.json.decode((held / _HELD).read_bytes(), type=kind)
        estate = Estate(end_s, share)
        shutil.copytree(held / "wattstead", folder / "wattstead", symlinks=True)
    else:
        estate = Estate(int(time.time()) // 60 * 60, share)
        ids, keys = fill_wattstead(folder / "wattstead", estate)
        if held:
            shutil.copytree(folder / "wattstead", held / "wattstead", symlinks=True)
            (held / _HELD).write_bytes(msgspec.json.encode((estate.end_s, share, ids, keys)))
    print(f"  {estate.readings:,} readings in the store after {time.monotonic() - began:.0f} s", flush=True)
    with wattstead_on(folder / "wattstead", keys) as target:
        addresses, head = wattstead(estate, ids), f"Authorization: Bearer {keys[1]}"
        time.sleep(_SETTLE_S)
        ours = uvloop.run(_one_client(target, addresses, head))
        print(_table(estate, ours, {}).markdown(), flush=True)
        found = [uvloop.run(crowded(target, addresses, head, pace)) for pace in loads]
        print(_crowd_table(found).markdown(), flush=True)
    theirs: Mapping[str, Asked] = {}
    if peers:
        there = held is not None and (held / "victoria").exists()
        if held and there:
            shutil.copytree(held / "victoria", folder / "victoria")
        with victoria_metrics(folder / "victoria") as target:
            began = time.monotonic()
            if not there:
                fill_victoria(target, estate)
            print(f"  and in VictoriaMetrics after {time.monotonic() - began:.0f} s", flush=True)
            time.sleep(_SETTLE_S)
            theirs = uvloop.run(_one_client(target, victoria(estate), ""))
        if held and not there:
            shutil.copytree(folder / "victoria", held / "victoria")
    return [_table(estate, ours, theirs), _crowd_table(found)]


async def _one_client(target: Target, addresses: Mapping[str, Address], head: str) -> dict[str, Asked]:
    """Each question some times, one after another on a connection that stays open."""
    return {question.name: await _asked(target, addresses[question.name], head) for question in QUESTIONS}


async def _asked(target: Target, address: Address, head: str) -> Asked:
    await asyncio.to_thread(_check, target, address, head)
    connection, outcome = await connect(target.port), Outcome()
    cpu_s, until = 0.0, time.monotonic() + _LONGEST_S
    for number in range(_WARM + _ASKINGS):
        if number == _WARM:
            cpu_s = target.process.cpu_s()
        elif number > _WARM + _FEWEST and time.monotonic() > until:
            break
        request = target.head("GET", address(number), 0, head)
        began = time.perf_counter()
        try:
            await connection.post(request)
        except SendFailed as error:
            outcome.failures.append(str(error))
            connection.close()
            connection = await connect(target.port)
            continue
        if number >= _WARM:
            outcome.latencies_s.append(time.perf_counter() - began)
    cpu_s = target.process.cpu_s() - cpu_s
    connection.close()
    for failure in outcome.failures[:1]:
        print(f"  {target.name} refused {address(0)[:80]}: {failure[:300]}", flush=True)
    return Asked(outcome, cpu_s / max(1, len(outcome.latencies_s)) * 1e3)


def _check(target: Target, address: Address, head: str) -> None:
    """That there is an answer: a quick refusal would look well in the table."""
    link = http.client.HTTPConnection("127.0.0.1", target.port, timeout=60)
    name, _, value = head.partition(": ")
    link.request("GET", address(0), headers={name: value} if name else {})
    body = link.getresponse().read()
    link.close()
    if len(body) < 120 or b'"error"' in body[:400]:
        raise SystemExit(f"{target.name} does not answer {address(0)}: {body[:400]!r}")


def _table(estate: Estate, ours: Mapping[str, Asked], theirs: Mapping[str, Asked]) -> Table:
    none = ["–", "–", "–"]
    tagged = sum(kin.points for kin in estate.kins if kin.name == "home")
    rows = [
        [question.text, figure(question.target_ms, 0), *ours[question.name].cells()]
        + (theirs[question.name].cells() if question.name in theirs else none)
        for question in QUESTIONS
    ]
    return Table(
        "answers",
        f"Answers over HTTP, one client, {estate.readings / 1e6:.0f} million readings",
        ["question", "target p50 ms", "p50 ms", "p99 ms", "CPU ms", "VictoriaMetrics p50", "p99 ms", "CPU ms"],
        "bench/run.py answers",
        machine.sentence(),
        rows,
        [
            f"Keep-alive, {_FEWEST} to {_ASKINGS} askings of each kind. CPU: user and system time of the server's "
            f"whole process tree for one answer. The store holds {tagged:,} tagged points at 1 s to 5 min "
            "over one to four days, two points with ten years of minutes, one with a month of seconds. "
            "VictoriaMetrics holds the same and is asked in PromQL with its cache of answers left out; for registers "
            "it extrapolates, here amounts are exact."
        ],
    )


def _crowd_table(found: list[Crowded]) -> Table:
    columns = ["readings/s", "answers/s", "p50 ms", "p99 ms", "slowest kind, p99 ms", "failed", "posts failed",
               "behind s"]  # fmt: skip
    return Table(
        "crowd",
        f"The same with {CLIENTS} clients while readings arrive",
        columns,
        "bench/run.py answers",
        machine.sentence(),
        [one.row() for one in found],
        [
            f"Each client asks one question every {EVERY_S:g} s and waits for its answer. A hundred questions: "
            + "; ".join(f"{question.share} × {question.text}" for question in QUESTIONS)
            + ". Readings come as line protocol in bodies of 10,000, under names that became known before; sender and "
            "server share the machine. Behind: how long after the last reading all were stored."
        ],
    )
