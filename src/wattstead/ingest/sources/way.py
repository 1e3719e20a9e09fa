"""SourceWay: what a running source holds of the house: keeps readings with patience, makes dead letters of the rest.

It knows no protocol and starts nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import replace

import structlog

from wattstead.ingest.decoding.columns import Columns, Few, Rejections, within
from wattstead.ingest.decoding.merging import by_part, merged
from wattstead.ingest.errors import KeyUnknown, RateExceeded
from wattstead.ingest.http.gate import Buckets
from wattstead.ingest.reception import Kept, Reception
from wattstead.ingest.sources.figures import Figures
from wattstead.ingest.sources.letters import Letters
from wattstead.ingest.sources.source_protocol import Message
from wattstead.ingest.sources.window import Window
from wattstead.metering.errors import WattsteadError
from wattstead.registry.records import KeyGrant

_log = structlog.get_logger("wattstead.sources")
_PATIENCE_S = 1.0
"""How long to wait before the next attempt, where what went wrong does not say."""
_LONGEST_WAIT_S = 5.0
_SHOWN = 3
_BURST_S = 1.0
"""Seconds of its rate that a source may bring at once: who is slowed loses nothing, so there is no need for more."""


def reasons(rejected: Rejections) -> str:
    """Why readings were not kept, in one text.

    >>> rejected = Rejections()
    >>> for place, reason in (("T1", "is missing"), ("time", "is none"), ("T2", "is missing"), ("T3", "is missing")):
    ...     rejected.add(place, reason)
    >>> reasons(rejected)
    'T1, T2: is missing; time: is none; and 1 more'
    """
    places: dict[str, list[str]] = {}
    for issue in rejected.listed[:_SHOWN]:
        places.setdefault(issue.reason, []).append(issue.place)
    told = "; ".join(f"{', '.join(of)}: {reason}" for reason, of in places.items())
    more = rejected.count - min(_SHOWN, len(rejected.listed))
    return f"{told}; and {more} more" if more else told


class SourceWay:
    """The `wattstead.ingest.sources.source_protocol.Way` of one source while it runs."""

    def __init__(
        self,
        source_id: int,
        grant: KeyGrant,
        reception: Reception,
        letters: Letters,
        figures: Figures,
        window: Window,
        rate: float,
        connected: Callable[[str], None],
        installation: str = "",
        failed: Callable[[str], None] = lambda reason: None,
    ) -> None:
        """``rate`` is in readings per second; ``connected`` hears who answers at the other side, ``failed`` what went
        wrong there while others go on; ``installation`` is what tells this server or edge from others."""
        self.source_id, self.grant, self.figures = source_id, grant, figures
        self.identity = f"{hashlib.sha256(installation.encode()).hexdigest()[:12]}-{source_id}"
        self._reception, self._letters, self._window = reception, letters, window
        self._rate, self._bucket = rate, Buckets(rate, _BURST_S)
        self._ask: Callable[[], KeyGrant] | None = None
        self._on_connected, self.failed = connected, failed

    def of_sender(self, grant: KeyGrant, ask: Callable[[], KeyGrant]) -> SourceWay:
        """The same for one of several senders, slowed for itself: ``ask`` says what its key allows at present.

        What ``ask`` raises ends whatever waits there, but for a rate that is exceeded.
        """
        found = copy(self)
        found.grant, found._ask, found._bucket = grant, ask, Buckets(self._rate, _BURST_S)
        return found

    def present_us(self) -> int:
        """The present by this machine's clock, microseconds since 1970."""
        return self._reception.clock_us()

    def connected(self, to: str) -> None:
        """The other side answers."""
        self._on_connected(to)

    def slowing(self, told: str) -> None:
        """Who is slowed."""
        self.figures.slowed = told

    def lagging(self, seconds: float) -> None:
        """How far behind the other side this source is."""
        self.figures.lag_s = seconds

    def refuse(self, message: Message, reason: str) -> None:
        """Nothing of this message can be kept: it becomes a dead letter, on disk within some milliseconds."""
        self._note_refused(message, reason)
        self._letters.put(self.source_id, message, reason)

    async def refuse_all(self, told: Sequence[tuple[Message, str]]) -> None:
        """`refuse` for messages that are acknowledged afterwards: returns when the letters are on disk."""
        for message, reason in told:
            self._note_refused(message, reason)
        await self._quarantine_all(told)

    def _note_refused(self, message: Message, reason: str) -> None:
        figures = self.figures
        figures.messages += 1
        figures.refused += 1
        figures.last_message_us, figures.last_rejected = message.received_us, reason
        self._bucket.charge(0, 1)

    async def keep(self, columns: Columns | Few, message: Message) -> None:
        """Returns when the readings are on disk in the journal, and what of them could not be kept is a dead letter."""
        await self._kept(columns, message)

    async def keep_usual(self, columns: Columns, messages: int) -> bool:
        """Keep the readings of so many messages at the least cost; False where something is not as usual."""
        figures, count = self.figures, len(columns)
        await self._in_turn(0)
        if not await self._kept_as_usual(columns):
            return False
        self._bucket.charge(0, count)
        figures.messages += messages
        figures.last_message_us = self.present_us()
        figures.readings += count
        figures.minute.add(count)
        return True

    async def keep_all(self, parts: Sequence[tuple[Columns | Few, Message]]) -> list[tuple[Message, str]]:
        """`keep` for many messages as one batch; those of which something could not be kept, with the reason."""
        if len(parts) == 1:
            reason = await self._kept(*parts[0])
            return [(parts[0][1], reason)] if reason else []
        if not parts:
            return []
        whole = merged([columns for columns, _ in parts])
        if not any(columns.rejected for columns, _ in parts) and await self.keep_usual(whole, len(parts)):
            return []
        await self._in_turn(len(whole))
        kept = await self.keep_whole(whole)
        if kept is None:  # one of them may be to blame: each by itself
            return [
                (message, reason) for columns, message in parts if (reason := await self._kept(columns, message, False))
            ]
        figures = self.figures
        figures.messages += len(parts)
        figures.last_message_us = parts[-1][1].received_us
        refused = by_part(kept.rejected)
        told: list[tuple[Message, str]] = []
        for at, (columns, message) in enumerate(parts):
            if columns.rejected or at in refused:
                figures.rejected += columns.rejected.count
                wrong = Rejections()
                wrong.listed = [*columns.rejected.listed, *refused.get(at, ())]
                wrong.count = columns.rejected.count + len(refused.get(at, ()))
                figures.last_rejected = reasons(wrong)
                told.append((message, figures.last_rejected))
        await self._quarantine_all(told)
        return told

    async def _kept(self, columns: Columns | Few, message: Message, in_turn: bool = True) -> str:
        """Why something of it could not be kept; empty when all was."""
        figures = self.figures
        figures.messages += 1
        figures.last_message_us = message.received_us
        count = len(columns.values) if isinstance(columns, Few) else len(columns)
        if in_turn:
            await self._in_turn(count)
        if await self._kept_as_usual(columns):
            figures.readings += count
            figures.minute.add(count)
            return ""
        kept = await self.keep_whole(columns)
        if kept is None or kept.rejected:
            await self._quarantine(message, figures.last_rejected)
            return figures.last_rejected
        return ""

    async def keep_whole(self, columns: Columns | Few) -> Kept | None:
        """Keep with patience whatever is not as usual; None when nothing can be kept, and `Figures` say why."""
        whole = columns.columns() if isinstance(columns, Few) else columns
        figures = self.figures
        while True:
            try:
                kept = await self._reception.keep(self.grant, self._in_window(whole), future_us=self._window.future_us)
            except (WattsteadError, OSError) as error:
                if not _passes(error):
                    figures.refused += 1
                    figures.last_rejected = str(error)
                    return None
                await self._wait(str(error), getattr(error, "retry_after_s", 0.0))
            except Exception as error:  # a fault of ours: the message waits as a letter, those behind it go on
                _log.error("readings of a source broke", source=self.source_id, exc_info=error)
                figures.refused += 1
                figures.last_rejected = f"this is a fault of the program ({type(error).__name__}); its log has the rest"
                return None
            else:
                figures.waiting_for = ""
                figures.readings += kept.accepted
                figures.minute.add(kept.accepted)
                if kept.rejected:
                    figures.rejected += kept.rejected.count
                    figures.last_rejected = reasons(kept.rejected)
                return kept

    def _in_window(self, columns: Columns) -> Columns:
        """The columns as for a first attempt, without what lies too far off in time."""
        fresh = Rejections(columns.rejected.limit)
        fresh.listed, fresh.count = list(columns.rejected.listed), columns.rejected.count
        return within(replace(columns, rejected=fresh), *self._window.at(self.present_us()))

    async def _kept_as_usual(self, columns: Columns | Few) -> bool:
        """The short way: nothing is new, nothing wrong; False where that is not so, or the journal does not take it."""
        if columns.rejected:
            return False
        first_us, _ = self._window.at(self.present_us())
        if isinstance(columns, Few):
            if columns.time_us < first_us:
                return False
            encoded = self._reception.few_encoded(
                self.grant, columns.names, columns.time_us, columns.values, columns.untimed
            )
        elif columns.units is not None or not len(columns) or int(columns.time_us.min()) < first_us:
            return False
        else:
            encoded = self._reception.columns_encoded(self.grant, columns)
        if encoded is None:
            return False
        try:
            await self._reception.journal.submit(encoded)
        except WattsteadError:
            return False
        self.figures.waiting_for = ""
        return True

    async def _in_turn(self, count: int) -> None:
        """Returns when this source may bring so many readings: its other side waits meanwhile, nobody else does."""
        while True:
            try:
                self._bucket.admit(0)
            except RateExceeded as error:
                told = f"it brings more than {error.rate:,.0f} readings a second and is slowed"
                await self._wait(told, error.retry_after_s)
            else:
                self._bucket.charge(0, count)
                return

    async def _quarantine_all(self, told: Sequence[tuple[Message, str]]) -> None:
        """They go to the disk together."""
        await asyncio.gather(*(self._quarantine(message, reason) for message, reason in told))

    async def _quarantine(self, message: Message, reason: str) -> None:
        while not await asyncio.wrap_future(self._letters.put(self.source_id, message, reason, True)):
            await self._wait("dead letters wait: too many come at once, or the disk is full", _PATIENCE_S)
        self.figures.waiting_for = ""

    async def _wait(self, reason: str, seconds: float) -> None:
        self.figures.waiting_for = reason
        await asyncio.sleep(min(seconds or _PATIENCE_S, _LONGEST_WAIT_S))
        if self._ask is not None:
            with contextlib.suppress(RateExceeded):
                self.grant = self._ask()


def _passes(error: Exception) -> bool:
    """Whether it is worth waiting: the same readings can be kept later, unchanged."""
    if isinstance(error, KeyUnknown | OSError):  # the site is closed: whoever runs the source ends it in a moment
        return True
    return isinstance(error, WattsteadError) and error.retryable
