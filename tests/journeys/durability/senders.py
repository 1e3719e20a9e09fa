"""Senders of four kinds, each with points of its own, that post through HTTP and note what was acknowledged.

A sender repeats a request until it is acknowledged before it makes the next one, so that its order of writes is the
product's; the one that does not (`Forgetful`) sends each reading once only.
"""

from __future__ import annotations

import random
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import httpx
from ledger import Ledger, Write

METER, POWER, PULSES = "main/meter", "main/power", "main/pulses"
LATE_S = 50 * 3600
_SECOND_US = 1_000_000
_NOBODY_THERE_S = 0.2
"""Between two attempts to reach a product that is down: one in vain costs as much as several that are answered."""


@dataclass(frozen=True)
class Door:
    """Where requests go just now; the address changes with each start of the product."""

    url: Callable[[], str]
    key: str


class Sender(threading.Thread):
    """Makes requests one after another: new ones of the present and of the past, old ones again, corrections."""

    addresses: tuple[str, ...] = ()
    rows = 1
    pause_s = 0.02

    def __init__(self, door: Door, ledger: Ledger, seed: int) -> None:
        super().__init__(daemon=True, name=type(self).__name__)
        self.door, self.ledger, self.chance = door, ledger, random.Random(f"{type(self).__name__} {seed}")
        self.begun_s = int(time.time())
        self.sent: deque[Write] = deque(maxlen=200)
        self.last_us = 0
        self.ending = threading.Event()
        self.fault: Exception | None = None

    def run(self) -> None:
        """Send until `finish`; a request under way is brought to its end first."""
        try:
            with httpx.Client(timeout=300.0, verify=False) as http:
                while not self.ending.is_set():
                    self.deliver(http, self.next())
                    self.ending.wait(self.pause_s)
        except Exception as error:
            self.fault = error

    def finish(self) -> None:
        """Return when the last request is acknowledged; raises what went wrong while sending."""
        self.ending.set()
        self.join(300)
        assert not self.is_alive(), f"{self.name} was not answered for 300 s"
        if self.fault is not None:
            raise self.fault

    def next(self) -> Write:
        """A new request, an acknowledged one again, or an acknowledged one with other values."""
        fate = self.chance.random()
        if self.sent and fate < 0.1:
            self.ledger.repeated += 1
            return self.chance.choice(self.sent)
        if self.sent and fate < 0.2:
            self.ledger.corrected += 1
            times = self.chance.choice(self.sent).time_us
        else:
            times = self.present() if fate < 0.6 else self.past()
        return Write(self.addresses, times, tuple(self.values(time_us) for time_us in times))

    def present(self) -> tuple[int, ...]:
        """The latest milliseconds, none twice."""
        now_us = time.time_ns() // 1_000_000 * 1_000
        first_us = max(self.last_us + 1_000, now_us - 1_000 * self.rows)
        times = tuple(range(first_us, first_us + 1_000 * self.rows, 1_000))
        self.last_us = times[-1]
        return times

    def past(self) -> tuple[int, ...]:
        """Some consecutive seconds of the last two days."""
        first = self.begun_s - self.chance.randrange(self.rows, LATE_S)
        return tuple((first + n) * _SECOND_US for n in range(self.rows))

    def values(self, time_us: int) -> tuple[float, ...]:
        """A value for each address."""
        return tuple(round(self.chance.uniform(-50, 3000), 3) for _ in self.addresses)

    def deliver(self, http: httpx.Client, write: Write) -> None:
        """Post until it is acknowledged."""
        while True:
            try:
                answer = self.post(http, write)
            except httpx.TransportError:
                time.sleep(_NOBODY_THERE_S)
                continue
            if answer.status_code == 503:
                assert int(answer.headers["retry-after"]) > 0
                self.ledger.refused += 1
                time.sleep(0.2)
                continue
            assert self.taken(answer, write), f"{self.name}: {answer.status_code} {answer.text}"
            self.ledger.note(write)
            self.sent.append(write)
            return

    def post(self, http: httpx.Client, write: Write) -> httpx.Response:
        """The request."""
        raise NotImplementedError

    def taken(self, answer: httpx.Response, write: Write) -> bool:
        """Whether all of it was acknowledged, in the words of the protocol."""
        raise NotImplementedError


class Influx(Sender):
    """Line protocol, batches with several fields."""

    addresses = ("influx/house/temperature", "influx/house/voltage")
    rows = 60

    def post(self, http: httpx.Client, write: Write) -> httpx.Response:
        rows = zip(write.time_us, write.value, strict=True)
        lines = "\n".join(f"house temperature={a!r},voltage={b!r} {us // 1000}" for us, (a, b) in rows)
        headers = {"Authorization": f"Token {self.door.key}"}
        return http.post(f"{self.door.url()}/write?precision=ms", content=lines, headers=headers)

    def taken(self, answer: httpx.Response, write: Write) -> bool:
        return answer.status_code == 204


class Own(Sender):
    """The product's own JSON, for a register, a power and pulses."""

    addresses = (METER, POWER, PULSES)
    rows = 40

    def values(self, time_us: int) -> tuple[float, ...]:
        steps = (time_us // _SECOND_US - self.begun_s + LATE_S + 10) // 7
        return steps / 1000, float(self.chance.randrange(4000)), float(self.chance.randrange(6))

    def post(self, http: httpx.Client, write: Write) -> httpx.Response:
        width = len(write.addresses)
        body = {
            "time_unit": "us",
            "point": list(write.addresses) * len(write.time_us),
            "time": [us for us in write.time_us for _ in range(width)],
            "value": [value for row in write.value for value in row],
        }
        headers = {"Authorization": f"Bearer {self.door.key}"}
        return http.post(f"{self.door.url()}/api/v1/readings", json=body, headers=headers)

    def taken(self, answer: httpx.Response, write: Write) -> bool:
        return answer.status_code == 200 and answer.json() == {"accepted": len(write), "rejected": []}


class Emon(Sender):
    """Single posts as an EmonCMS device makes them, each on a connection of its own."""

    addresses = ("emon/attic/power1", "emon/attic/temp")
    pause_s = 0.01

    def post(self, http: httpx.Client, write: Write) -> httpx.Response:
        [time_us], [(power, temperature)] = write.time_us, write.value
        given = {"node": "attic", "time": repr(time_us / 1e6), "apikey": self.door.key}
        given["fulljson"] = f'{{"power1":{power!r},"temp":{temperature!r}}}'
        return http.get(f"{self.door.url()}/input/post", params=given, headers={"Connection": "close"})

    def taken(self, answer: httpx.Response, write: Write) -> bool:
        return answer.status_code == 200 and answer.json() == {"success": True}


class Forgetful(Own):
    """Sends each reading once: what was not answered is there as a whole or not at all.

    So is what was answered with 503: it says "send again", since a disk that failed while it synced may have kept it.
    """

    addresses = ("forgetful/level",)
    rows = 30

    def next(self) -> Write:
        times = self.present()
        return Write(self.addresses, times, tuple((self.chance.random(),) for _ in times))

    def deliver(self, http: httpx.Client, write: Write) -> None:
        try:
            answer = self.post(http, write)
        except httpx.ConnectError:
            time.sleep(_NOBODY_THERE_S)
        except httpx.TransportError:
            self.ledger.unanswered.append(write)
        else:
            if answer.status_code == 503:
                self.ledger.refused += 1
                self.ledger.unanswered.append(write)
                time.sleep(0.2)
            else:
                assert self.taken(answer, write), f"{answer.status_code} {answer.text}"
                self.ledger.note(write)


KINDS = (Influx, Own, Emon, Forgetful)
