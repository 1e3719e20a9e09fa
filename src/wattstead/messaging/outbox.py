"""The outbox: looks for mails that are due, has them delivered or told in the log, and tries again with patience."""

from __future__ import annotations

import asyncio
import contextlib
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Protocol

import structlog

from wattstead.messaging.errors import MailRefused, MailUndelivered
from wattstead.messaging.limits import OutboxLimits, SmtpServer
from wattstead.messaging.smtp import deliver
from wattstead.metering.errors import WattsteadError
from wattstead.registry.records import DueMail

_log = structlog.get_logger("wattstead.messaging")


class Mails(Protocol):
    """What the outbox asks of the registry."""

    def take_due_mails(self, most: int = 20) -> list[DueMail]: ...
    def note_mail_sent(self, mail_id: int) -> None: ...
    def note_mail_failed(self, mail_id: int, error: str, again: timedelta | None) -> None: ...


class Outbox:
    """Runs from `start` to `stop`; several processes may each have one."""

    def __init__(self, registry: Mails, server: SmtpServer | None, limits: OutboxLimits | None = None) -> None:
        """Without a server a mail is told in the log, link and all, for whoever runs this."""
        self._registry, self._server, self._limits = registry, server, limits or OutboxLimits()
        self._executor = ThreadPoolExecutor(1, "outbox")  # a server that hangs keeps nobody else waiting
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to look."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Let the mail that is being sent go; what waits is sent after the next start."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        await asyncio.to_thread(self._executor.shutdown)

    def send_due(self) -> int:
        """Do what is due now; how many mails were tried. Blocks; raises `RegistryUnavailable`."""
        mails = self._registry.take_due_mails(self._limits.at_once)
        for mail in mails:
            self._send(mail)
        return len(mails)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            tried = 0
            try:
                tried = await loop.run_in_executor(self._executor, self.send_due)
            except WattsteadError as error:
                _log.warning("mails wait", error=str(error))
            if tried < self._limits.at_once:
                await asyncio.sleep(self._limits.poll_s)

    def _send(self, mail: DueMail) -> None:
        if self._server is None:
            _log.info(
                "no SMTP server is configured; a mail that would be sent", to=mail.letter.to, text=mail.letter.text
            )
            self._registry.note_mail_sent(mail.id)
            return
        try:
            deliver(mail.letter, self._server)
        except MailUndelivered as error:
            again = self._again(mail)
            _log.warning("mail not sent", mail=mail.id, tries=mail.tries + 1, again=again is not None, error=str(error))
            self._registry.note_mail_failed(mail.id, str(error), again)
        except MailRefused as error:
            _log.warning("mail refused", mail=mail.id, error=str(error))
            self._registry.note_mail_failed(mail.id, str(error), None)
        else:
            self._registry.note_mail_sent(mail.id)

    def _again(self, mail: DueMail) -> timedelta | None:
        """When to try next: after twice as long as the last time; None when it has been too long."""
        if datetime.now(UTC) - mail.created > self._limits.give_up:
            return None
        doubled: timedelta = self._limits.first_retry * (1 << min(mail.tries, 20))
        return min(doubled, self._limits.longest_retry)
