"""Questions about mails that wait; they are sent by another room."""

from __future__ import annotations

from datetime import datetime, timedelta

from wattstead.registry.door import Door
from wattstead.registry.people.joining import mails
from wattstead.registry.records import DueMail, Letter


class Outbox(Door):
    """The mails."""

    _next_mail: tuple[tuple[int, int], datetime | None] | None = None
    """When the first mail that waits is due, and the stamp of the database that says so."""

    def queue_mail(self, letter: Letter) -> None:
        """Have a letter sent."""
        with self._db.writing() as s:
            mails.queue(s, letter, self._clock())

    def take_due_mails(self, most: int = 20) -> list[DueMail]:
        """Mails that are due, for the caller alone until it says what became of them, or some minutes have passed."""
        stamp, now = self._db.stamp.look(), self._clock()
        if self._next_mail is None or self._next_mail[0] != stamp:
            with self._db.reading() as s:
                due = mails.next_due(s)
            self._next_mail = None if stamp is None else (stamp, due)
        else:
            due = self._next_mail[1]
        if due is None or due > now:
            return []
        with self._db.writing() as s:
            return mails.take_due(s, most, self._clock())

    def note_mail_sent(self, mail_id: int) -> None:
        """A mail has gone."""
        with self._db.writing() as s:
            mails.sent(s, mail_id, self._clock())

    def note_mail_failed(self, mail_id: int, error: str, again: timedelta | None) -> None:
        """A mail has not gone; it is tried again after that time, or never."""
        with self._db.writing() as s:
            mails.failed(s, mail_id, error, None if again is None else self._clock() + again)
