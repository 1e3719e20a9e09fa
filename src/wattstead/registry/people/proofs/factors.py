"""Second factors: codes of an authenticator app (RFC 6238), each of which counts once, and recovery codes."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

import pyotp
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from wattstead.registry import tables
from wattstead.registry.errors import LinkInvalid
from wattstead.registry.people import accounts
from wattstead.registry.people.proofs import ceremonies
from wattstead.registry.people.tokens import token_hash
from wattstead.registry.seal import Seal

_STEP_S, _STEPS_OFF = 30, 1
"""A code holds for half a minute; one before and one after count too, for clocks that differ."""
_CODES = 10
_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"
_BEGUN = timedelta(minutes=15)


def begin(session: Session, seal: Seal, account_id: int, now: datetime) -> str:
    """A secret for the app, which counts once a code of it was shown to `confirm`."""
    secret = pyotp.random_base32()
    ceremonies.open_for(session, account_id, "totp", seal.close(secret), now, _BEGUN)
    return secret


def confirm(session: Session, seal: Seal, account_id: int, code: str, now: datetime) -> list[str] | None:
    """The recovery codes of a second factor that holds from now on; None for a wrong code; raises `LinkInvalid`."""
    sealed = ceremonies.content_for(session, account_id, "totp", now)
    row = accounts.row_of(session, account_id)
    step = _step(seal.open(sealed), code, 0, now)
    if step is None:
        return None
    ceremonies.close_for(session, account_id, "totp")
    row.totp_sealed, row.totp_step = sealed, step
    row.version += 1
    return fresh_codes(session, account_id)


def drop(session: Session, account_id: int) -> None:
    """End the second factor and its recovery codes."""
    row = accounts.row_of(session, account_id)
    if row.totp_sealed is None:
        raise LinkInvalid("second factor")
    row.totp_sealed, row.version = None, row.version + 1
    session.execute(delete(tables.RecoveryCode).where(tables.RecoveryCode.account_id == account_id))


def fresh_codes(session: Session, account_id: int) -> list[str]:
    """New recovery codes in place of all former ones: ten of 80 bits, shown once."""
    session.execute(delete(tables.RecoveryCode).where(tables.RecoveryCode.account_id == account_id))
    codes = ["-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(4)) for _ in range(_CODES)]
    rows = [tables.RecoveryCode(code_hash=_code_hash(account_id, code), account_id=account_id) for code in codes]
    session.add_all(rows)
    session.flush()
    return codes


def codes_left(session: Session, account_id: int) -> int:
    """How many recovery codes have not been used."""
    own = select(func.count()).select_from(tables.RecoveryCode).where(tables.RecoveryCode.account_id == account_id)
    return session.scalar(own) or 0


def accept(session: Session, seal: Seal, account_id: int, code: str, now: datetime) -> bool:
    """Whether a code of the app, or a recovery code, is right; it counts no more after this."""
    row = accounts.row_of(session, account_id)  # locked: of two that send the same code at once only one is let in
    if row.totp_sealed is None:
        return True
    step = _step(seal.open(row.totp_sealed), code, row.totp_step, now)
    if step is not None:
        row.totp_step = step
        return True
    known = tables.RecoveryCode.code_hash == _code_hash(account_id, code.strip().lower())
    used = delete(tables.RecoveryCode).where(known, tables.RecoveryCode.account_id == account_id)
    return bool(session.scalars(used.returning(tables.RecoveryCode.account_id)).all())


def _step(secret: str, code: str, last: int, now: datetime) -> int | None:
    """The time step of a right code that is later than the last one that was used."""
    plain = code.replace(" ", "")
    if len(plain) != 6 or not plain.isascii() or not plain.isdigit():
        return None
    app, here = pyotp.TOTP(secret, interval=_STEP_S), int(now.timestamp()) // _STEP_S
    steps = range(here - _STEPS_OFF, here + _STEPS_OFF + 1)
    right = [step for step in steps if secrets.compare_digest(app.generate_otp(step), plain)]
    return next((step for step in right if step > last), None)


def _code_hash(account_id: int, code: str) -> bytes:
    return token_hash(f"recovery {account_id} {code}")
