"""Counting what people try, so that nobody tries for ever: failed logins, codes, mails asked for; decides no login."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from wattstead.registry import tables
from wattstead.registry.errors import LoginFailed, LoginLimited, NameInvalid
from wattstead.registry.people.emails import folded

WINDOW = timedelta(minutes=15)
_FAILURES_OF_PAIR, _FAILURES_OF_ADDRESS, _FAILURES_OF_ACCOUNT = 10, 50, 100
"""Failed logins within the window after which more are refused: of one account from one network address, from one
network address whatever the account, of one account whatever the address (high, lest a stranger locks a person out)."""
_WRONG_CODES = 10
"""Wrong second factors of one account, from anywhere: only who has the password can use them up."""


def check_failures(session: Session, email: str, address: str, now: datetime) -> None:
    """Raise `LoginLimited` when too many logins have failed lately."""
    for subject, most in _subjects(email, address).items():
        _check(session, subject, most, now, "failed logins")


def note_failure(session: Session, email: str, address: str, now: datetime) -> LoginFailed:
    """Count a failed login, forget those that count no more, and give the error to raise."""
    _note(session, now, *_subjects(email, address))
    return LoginFailed()


def forgive_failures(session: Session, email: str, address: str) -> None:
    """A right password ends the count of its account from this address; other counts stand."""
    pair = next(iter(_subjects(email, address)))
    session.execute(delete(tables.LoginFailure).where(tables.LoginFailure.subject == pair))


def check_codes(session: Session, account_id: int, now: datetime) -> None:
    """Raise `LoginLimited` when too many codes of an account were wrong lately."""
    _check(session, f"code {account_id}", _WRONG_CODES, now, "wrong codes")


def note_wrong_code(session: Session, account_id: int, now: datetime) -> LoginFailed:
    """Count a wrong code, and give the error to raise."""
    _note(session, now, f"code {account_id}")
    return LoginFailed()


def spend(session: Session, what: str, subject: str, most: int, now: datetime) -> None:
    """Count one use of something that is limited; raises `LoginLimited` when there were ``most`` in the window."""
    named = f"{what} {_storable(subject)}"
    _check(session, named, most, now, f"requests ({what})")
    _note(session, now, named)


def one_spelling(email: str) -> str:
    """An address as it is counted: every spelling of an account as the same, and what is no address as it is."""
    try:
        return folded(email)
    except NameInvalid:
        return email.strip().lower()


def _check(session: Session, subject: str, most: int, now: datetime, what: str) -> None:
    failed = session.scalars(
        select(tables.LoginFailure.failed)
        .where(tables.LoginFailure.subject == subject, tables.LoginFailure.failed > now - WINDOW)
        .order_by(tables.LoginFailure.failed.desc())
        .limit(most)
    ).all()
    if len(failed) == most:
        raise LoginLimited(max(1, int((failed[-1] + WINDOW - now).total_seconds()) + 1), what)


def _note(session: Session, now: datetime, *subjects: str) -> None:
    session.add_all([tables.LoginFailure(subject=subject, failed=now) for subject in subjects])
    session.execute(delete(tables.LoginFailure).where(tables.LoginFailure.failed <= now - WINDOW))


def _subjects(email: str, address: str) -> dict[str, int]:
    plain, address = _storable(one_spelling(email)), _storable(address)
    return {
        f"pair {address} {plain}": _FAILURES_OF_PAIR,
        f"address {address}": _FAILURES_OF_ADDRESS,
        f"account {plain}": _FAILURES_OF_ACCOUNT,
    }


def _storable(text: str) -> str:
    return text[:254].encode("unicode_escape").decode()
