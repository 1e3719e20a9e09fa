"""Passkeys (WebAuthn): made by who is signed in, shown by who signs in; each needs the person, not only the device."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec
import webauthn
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from wattstead.registry import names, tables
from wattstead.registry.errors import AccountNotActive, LoginFailed, ProofInvalid, Unknown
from wattstead.registry.people import accounts
from wattstead.registry.people.proofs import ceremonies
from wattstead.registry.records import Passkey, RelyingParty

_LIFE = timedelta(minutes=10)
_MOST = 20
"""Passkeys of one person."""
_Row = tables.Passkey


def begin(session: Session, account_id: int, party: RelyingParty, now: datetime) -> dict[str, Any]:
    """What a browser needs to make a passkey, as ``navigator.credentials.create`` takes it (JSON form)."""
    account = accounts.account(session, account_id)
    if session.scalar(select(func.count()).select_from(_Row).where(_Row.account_id == account_id)) == _MOST:
        raise ProofInvalid(f"this account has {_MOST} passkeys; delete one first")
    known = session.scalars(select(_Row.credential_id).where(_Row.account_id == account_id))
    options = webauthn.generate_registration_options(
        rp_id=party.id,
        rp_name=party.name,
        user_id=_handle(account_id),
        user_name=account.email,
        user_display_name=account.name or account.email,
        exclude_credentials=[PublicKeyCredentialDescriptor(id=one) for one in known],
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            require_resident_key=True,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
    )
    ceremonies.open_for(session, account_id, "passkey", options.challenge, now, _LIFE)
    return _plain(options)


def challenge_of(session: Session, account_id: int, now: datetime) -> bytes:
    """The challenge of `begin`, which is good for one answer, right or wrong; raises `LinkInvalid`."""
    challenge = ceremonies.content_for(session, account_id, "passkey", now)
    ceremonies.close_for(session, account_id, "passkey")
    return challenge


def finish(
    session: Session,
    account_id: int,
    party: RelyingParty,
    name: str,
    challenge: bytes,
    credential: dict[str, Any],
    now: datetime,
) -> Passkey:
    """Keep the public key that a browser has made; raises `ProofInvalid`, `NameInvalid`."""
    try:
        made = webauthn.verify_registration_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            require_user_verification=True,
        )
    except _FAILURES as error:
        raise ProofInvalid(f"the passkey was not accepted ({_said(error)})") from error
    if session.scalar(select(_Row.id).where(_Row.credential_id == made.credential_id)) is not None:
        raise ProofInvalid("this passkey is known already")
    row = _Row(
        account_id=account_id,
        credential_id=made.credential_id,
        public_key=made.credential_public_key,
        sign_count=made.sign_count,
        name=names.checked("name", name.strip() or "Passkey"),
        created=now,
    )
    session.add(row)
    session.flush()
    return _record(row)


def begin_login(session: Session, party: RelyingParty, now: datetime) -> tuple[str, dict[str, Any]]:
    """The token of a challenge and what ``navigator.credentials.get`` takes; who signs in is not known yet."""
    options = webauthn.generate_authentication_options(
        rp_id=party.id, user_verification=UserVerificationRequirement.REQUIRED
    )
    token = ceremonies.open_(session, "passkey login", options.challenge, now, _LIFE)
    return token, _plain(options)


def finish_login(
    session: Session, party: RelyingParty, challenge: bytes, credential: dict[str, Any], now: datetime
) -> int:
    """The account of whoever answers the challenge; raises `LoginFailed`, `AccountNotActive`."""
    try:
        credential_id = webauthn.base64url_to_bytes(str(credential.get("rawId", "")))
    except ValueError as error:
        raise LoginFailed from error
    row = session.scalars(select(_Row).where(_Row.credential_id == credential_id).with_for_update()).first()
    if row is None:
        raise LoginFailed
    try:
        shown = webauthn.verify_authentication_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            credential_public_key=row.public_key,
            credential_current_sign_count=row.sign_count,
            require_user_verification=True,
        )
    except _FAILURES as error:
        raise LoginFailed from error
    state = accounts.account(session, row.account_id).state
    if state != "active":
        raise AccountNotActive(state)
    row.sign_count, row.last_used = shown.new_sign_count, now
    return row.account_id


def passkeys(session: Session, account_id: int) -> list[Passkey]:
    """The passkeys of an account, by id."""
    return [
        _record(row) for row in session.scalars(select(_Row).where(_Row.account_id == account_id).order_by(_Row.id))
    ]


def drop(session: Session, account_id: int, passkey_id: int) -> None:
    """End one of an account's passkeys; raises `Unknown`."""
    row = session.get(_Row, passkey_id)
    if row is None or row.account_id != account_id:
        raise Unknown("passkey", passkey_id)
    session.delete(row)
    session.flush()


_FAILURES = (WebAuthnException, ValueError, KeyError, TypeError, AttributeError)
"""What the library raises for answers that are forged, of another challenge, or no answers at all."""


def _handle(account_id: int) -> bytes:
    return f"wattstead-{account_id}".encode()


def _said(error: Exception) -> str:
    return str(error)[:120] if isinstance(error, WebAuthnException) else "it is not what a browser sends"


def _plain(options: Any) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.json.decode(webauthn.options_to_json(options))
    return plain


def _record(row: _Row) -> Passkey:
    return Passkey(row.id, row.name, row.created, row.last_used)
