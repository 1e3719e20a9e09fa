"""People as an outside identity provider (OpenID Connect) knows them; what the provider says is checked elsewhere."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from wattstead.registry import tables
from wattstead.registry.errors import AccountNotActive, RoleRefused
from wattstead.registry.people import accounts
from wattstead.registry.people.joining import invitations


def account_of(session: Session, issuer: str, subject: str, email: str, now: datetime) -> int:
    """The account of somebody the provider has let in; ``email`` is empty unless the provider has verified it.

    The first time the account is found by its address, and only where that is known to be its person's: verified here,
    or invited and not answered yet; else whoever registered with a stranger's address would be let into it later.
    Raises `RoleRefused`, `AccountNotActive`.
    """
    known = session.get(tables.Identity, (issuer, subject))
    row = accounts.row_of(session, known.account_id) if known is not None else None
    if row is None:
        row = accounts.of_email(session, email) if email else None
        if row is None:
            raise RoleRefused("outside.unknown", "nobody of this installation has that address; ask for an invitation")
        waits = row.state == "invited" and not row.password_hash
        if row.verified is None and not waits:
            raise RoleRefused("outside.unverified", "sign in with the password and verify the e-mail address first")
        if waits:
            row.state, row.version = "active", row.version + 1
            invitations.accept_all(session, row, now)
        row.verified = row.verified or now
        session.add(tables.Identity(issuer=issuer, subject=subject, account_id=row.id, created=now))
    if row.state != "active":
        raise AccountNotActive(row.state)
    session.flush()
    return row.id
