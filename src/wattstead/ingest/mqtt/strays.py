"""Strays: what a session delivers for subscriptions of before, when settings changed while nobody could end them.

A broker tells nobody what a session has subscribed to. So a message that no filter of ours fits is a dead letter, which
can be replayed when its topic is read again, and every filter that could have brought it is unsubscribed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import product

from wattstead.ingest.sources.source_protocol import Message

MOST_LETTERS = 1_000
"""Dead letters of one connection; what comes beyond is counted in one a second."""
_MOST_TOPICS, _MOST_LEVELS, _MOST_KNOWN = 20, 7, 20_000
_REASON = "no setting of this source reads this topic any more; its subscription was ended"


class Strays:
    """Which messages of one connection are such, and what becomes of them."""

    def __init__(self, filters: Iterable[str]) -> None:
        self._filters = frozenset(filters)
        self._levels = [one.split("/") for one in self._filters]
        self._known: dict[str, bool] = {}
        self._ended: set[str] = set()
        self._letters = self._beyond = 0
        self._last: Message | None = None
        self._told_s = float("-inf")

    def is_one(self, topic: str) -> bool:
        """Whether no filter fits.

        >>> strays = Strays(["emon/#", "tele/+/STATE"])
        >>> [strays.is_one(one) for one in ("emon", "emon/a/b", "tele/x/STATE", "tele/x/SENSOR", "$SYS/x")]
        [False, False, False, True, True]
        """
        found = self._known.get(topic)
        if found is None:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            levels = topic.split("/")
            found = self._known[topic] = not any(_fits(one, levels) for one in self._levels)
        return found

    def take(self, message: Message) -> str:
        """Why a message is a dead letter; empty: there are enough, and it is only counted."""
        if self._letters < MOST_LETTERS:
            self._letters += 1
            return _REASON
        self._beyond, self._last = self._beyond + 1, message
        return ""

    def told(self, now_s: float) -> tuple[Message, str] | None:
        """Once a second, the last message of those that were only counted, and how many they were."""
        if self._last is None or now_s - self._told_s < 1.0:
            return None
        last, count = self._last, self._beyond
        self._last, self._beyond, self._told_s = None, 0, now_s
        return last, f"{_REASON}; {count:,} more were left, of which this is the last"

    def to_end(self, topic: str) -> Sequence[str]:
        """The filters by which a topic may have come, once for each of the first topics; none that is wanted.

        >>> sorted(Strays(["a/#"]).to_end("a/b"))
        ['#', '+/#', '+/+', '+/+/#', '+/b', '+/b/#', 'a/+', 'a/+/#', 'a/b', 'a/b/#']
        """
        levels = topic.split("/")
        if topic in self._ended or len(self._ended) >= _MOST_TOPICS or len(levels) > _MOST_LEVELS:
            return ()
        self._ended.add(topic)
        found = {"#"}
        for size in range(1, len(levels) + 1):
            starts = ["/".join(one) for one in product(*((level, "+") for level in levels[:size]))]
            found.update(f"{one}/#" for one in starts)
        return sorted((found | set(starts)) - self._filters)


def _fits(pattern: Sequence[str], levels: Sequence[str]) -> bool:
    if levels[0].startswith("$") and pattern[0] in ("+", "#"):
        return False
    for at, level in enumerate(pattern):
        if level == "#":
            return True
        if at >= len(levels) or level not in ("+", levels[at]):
            return False
    return len(pattern) == len(levels)
