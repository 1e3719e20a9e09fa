"""Many clients that ask while readings arrive: what they wait, and whether the consumer keeps up; draws no table."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from fleet import Fleet, cut
from ingest import caught_up
from questions import QUESTIONS, Address
from report import figure
from sender import Outcome, SendFailed, at_pace, connect
from servers import Target

CLIENTS, EVERY_S = 200, 5.0
_WARM_S, _SECONDS, _SETTLE_S = 5, 30, 20.0


@dataclass(slots=True)
class Crowded:
    """What all clients saw at one pace of readings."""

    readings_per_s: int
    outcome: Outcome = field(default_factory=Outcome)
    posts: Outcome = field(default_factory=Outcome)
    of_kind: dict[str, Outcome] = field(default_factory=dict)
    behind_s: float = 0.0

    def row(self) -> list[str]:
        """The cells of the table."""
        slowest = max(self.of_kind, key=lambda name: self.of_kind[name].percentile_ms(0.99))
        text = next(question.text for question in QUESTIONS if question.name == slowest)
        return [
            f"{self.readings_per_s:,}",
            figure(len(self.outcome.latencies_s) / _SECONDS, 1),
            figure(self.outcome.percentile_ms(0.5), 1),
            figure(self.outcome.percentile_ms(0.99), 1),
            f"{text}: {figure(self.of_kind[slowest].percentile_ms(0.99), 1)}",
            str(len(self.outcome.failures)),
            str(len(self.posts.failures)),
            figure(self.behind_s, 1),
        ]


async def crowded(target: Target, addresses: Mapping[str, Address], head: str, readings_per_s: int) -> Crowded:
    """All clients for half a minute, readings at that pace all the while."""
    found = Crowded(readings_per_s, of_kind={question.name: Outcome() for question in QUESTIONS})
    fleet = Fleet(int(time.time()))

    seconds = 2 * _WARM_S + _SECONDS
    bodies = [  # made before: who asks must not wait for lines that are being written down
        [target.write_request(body) for body in cut(fleet.second(number)[:readings_per_s], 10_000)]
        for number in range(seconds)
    ]
    await at_pace(target.port, bodies.__getitem__, 1, 4)  # names become known, as those of senders are
    await caught_up(target)
    await asyncio.sleep(_SETTLE_S)
    writing = asyncio.create_task(at_pace(target.port, bodies.__getitem__, seconds, 4))
    await asyncio.sleep(2 * _WARM_S)
    begin = time.perf_counter()
    await asyncio.gather(*(_client(target, addresses, head, number, begin, found) for number in range(CLIENTS)))
    found.posts = await writing
    found.behind_s = await caught_up(target)
    for failure in (found.outcome.failures + found.posts.failures)[:2]:
        print(f"  refused: {failure[:300]}", flush=True)
    return found


async def _client(
    target: Target, addresses: Mapping[str, Address], head: str, number: int, begin: float, found: Crowded
) -> None:
    """One question after another, each at its time, or when the one before is answered."""
    chance = random.Random(number)
    names, shares = [question.name for question in QUESTIONS], [question.share for question in QUESTIONS]
    connection = await connect(target.port)
    due, turn = begin + chance.uniform(0, EVERY_S), number
    while due < begin + _SECONDS:
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        (name,) = chance.choices(names, shares)
        request, sent = target.head("GET", addresses[name](turn), 0, head), time.perf_counter()
        try:
            await connection.post(request)
        except SendFailed as error:
            found.outcome.failures.append(str(error))
            connection.close()
            connection = await connect(target.port)
        else:
            for outcome in (found.outcome, found.of_kind[name]):
                outcome.latencies_s.append(time.perf_counter() - sent)
        due, turn = max(due + EVERY_S, time.perf_counter()), turn + 1
    connection.close()
