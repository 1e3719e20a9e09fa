"""DeviceRates: how many messages a second each device may send, so that a flood from one harms no other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Generic, TypeVar

_MOST = 50_000
T = TypeVar("T")
BURST_S = 10.0
SHOWN_S = 10.0
"""How long it is said of a device that it was too fast."""
_NAMED = 5
BACKLOG = 20_000
"""Messages of one device that are taken at any speed after a session was found again: what the broker kept for us."""


class DeviceRates(Generic[T]):
    """A bucket per device. A broker cannot be asked to slow one device down, so what does not fit and nobody waits for
    (QoS 0) is refused by name, and the rest comes after what others sent.

    >>> rates = DeviceRates[str](1.0, backlog=False)
    >>> rates.admit("a", 11, 0.0), rates.admit("b", 1, 0.0), rates.admit("a", 2, 1.5)
    (10, 1, 1)
    """

    def __init__(self, rate: float, backlog: bool) -> None:
        """``rate``: messages a second; ``backlog``: a session was found again, so much may come at once."""
        self.rate, self._full = rate, max(1.0, rate * BURST_S)
        self._first = max(self._full, float(BACKLOG)) if backlog else self._full
        self._level: dict[str, list[float]] = {}
        """Per device how many more it may send, and when that was last counted."""
        self._beyond: dict[str, tuple[int, T]] = {}
        self._told_s = float("-inf")
        self._slowed: dict[str, tuple[float, str]] = {}
        """Per device that was too fast when it last was, and on which topic."""

    def admit(self, device: str, count: int, now_s: float) -> int:
        """How many of so many messages of a device are taken at that moment of a clock that never goes back."""
        held = self._level.get(device)
        if held is None:
            if len(self._level) >= _MOST:
                self._level.clear()
            held = self._level[device] = [self._first, now_s]
        level, since_s = held
        if level < self._full:
            level = min(self._full, level + (now_s - since_s) * self.rate)
        admitted = min(count, int(level))
        held[:] = level - admitted, now_s
        return admitted

    def admit_all(self, devices: Sequence[str], now_s: float) -> list[int]:
        """The positions of messages that do not fit, of those of many devices in their order."""
        most: dict[str, int] = {}
        levels = self._level
        for device, count in Counter(devices).items():
            held = levels.get(device)
            if held is not None and held[0] > count:  # it is looked at the clock when it has used up what it had
                held[0] -= count
            elif (admitted := self.admit(device, count, now_s)) < count:
                most[device] = admitted
        if not most:
            return []
        beyond: list[int] = []
        for at, device in enumerate(devices):
            if device in most:
                most[device] -= 1
                if most[device] < 0:
                    beyond.append(at)
        return beyond

    def beyond(self, device: str, message: T) -> None:
        """A message that is not taken: counted, and the last of each device kept."""
        self._beyond[device] = (self._beyond.get(device, (0, message))[0] + 1, message)

    def behind(self, device: str, topic: str, now_s: float) -> None:
        """A message that comes after what others sent; nothing of it is lost."""
        if device in self._slowed or len(self._slowed) < _MOST:
            self._slowed[device] = now_s, topic

    def slowed(self, now_s: float) -> str:
        """Which devices had messages `behind` a moment ago, for people; empty: none.

        >>> rates = DeviceRates[str](2.0, backlog=False)
        >>> rates.behind("emon/a", "emon/a/x", 0.0)
        >>> rates.slowed(9.0)
        'emon/a (topic emon/a/x): more than 2 messages a second; slowed behind the others, and nothing is lost'
        >>> rates.slowed(11.0)
        ''
        """
        self._slowed = {name: one for name, one in self._slowed.items() if now_s - one[0] <= SHOWN_S}
        if not self._slowed:
            return ""
        named = [f"{name} (topic {topic})" for name, (_, topic) in list(self._slowed.items())[:_NAMED]]
        more = f" and {len(self._slowed) - _NAMED:,} more" if len(self._slowed) > _NAMED else ""
        told = f"{', '.join(named)}{more}: more than {self.rate:g} messages a second"
        return f"{told}; slowed behind the others, and nothing is lost"

    def told(self, now_s: float) -> Sequence[tuple[T, str]]:
        """Once a second, per device the last message that was not taken, and a reason that counts all of them.

        One letter a second for each: a flood must not push out the letters of others either.
        """
        if not self._beyond or now_s - self._told_s < 1.0:
            return ()
        beyond, self._beyond, self._told_s = self._beyond, {}, now_s
        return [
            (
                message,
                f"{device} sends more than {self.rate:g} messages a second: {count:,} were not taken, of which this is "
                "the last; slow it down, send with QoS 1, or raise the limit of this source",
            )
            for device, (count, message) in beyond.items()
        ]
