"""Write and read keys of sites: 32 hexadecimal characters, stored as a hash; caching them is the caller's affair."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from wattstead.registry import names, tables
from wattstead.registry.errors import KeyInvalid, Unknown
from wattstead.registry.records import Key, KeyGrant, KeyState, NewKey, Scope
from wattstead.registry.seal import Seal, SealBroken
from wattstead.registry.storage import dataset
from wattstead.registry.storage.database import possible

DEFAULT_POINT_LIMIT = 10_000
MOST_POINTS = 2_000_000_000
_SECRET = re.compile(r"[0-9a-f]{32}")


def secret_hash(secret: str) -> bytes:
    """What is stored of a secret: it is random and long, so a plain SHA-256 cannot be searched."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def create(
    session: Session,
    site_id: int,
    scope: Scope,
    name: str,
    point_limit: int,
    secret: str | None,
    seal: Seal | None,
    now: datetime,
) -> NewKey:
    """A new key; ``secret`` carries over an existing one, ``seal`` keeps it readable for the encrypted form.

    Raises `KeyInvalid`, `Unknown` for the site, `NameInvalid`.
    """
    if session.get(tables.Site, site_id) is None:
        raise Unknown("site", site_id)
    _check_limit(point_limit)
    secret = secrets.token_hex(16) if secret is None else secret
    if not _SECRET.fullmatch(secret):
        raise KeyInvalid(f"a secret of {len(secret)} characters; give 32 lower-case hexadecimal ones")
    hashed = secret_hash(secret)
    if session.scalar(select(tables.Key.id).where(tables.Key.secret_hash == hashed)) is not None:
        raise KeyInvalid("this secret is in use, or was; let a new one be made")
    row = tables.Key(
        site_id=site_id,
        name=names.checked("key", name),
        scope=Scope(scope).value,
        secret_hash=hashed,
        sealed=seal.close(secret) if seal else None,
        prefix=secret[:6],
        point_limit=point_limit,
        point_count=0,
        created=now,
        revoked=None,
        last_used=None,
        changed_at=dataset.bump(session),
    )
    session.add(row)
    session.flush()
    return NewKey(_record(row), secret)


def keys(session: Session, site_id: int | None) -> list[Key]:
    """The keys of a site (None: all), revoked ones included, by id."""
    question = select(tables.Key).order_by(tables.Key.id)
    if site_id is not None:
        question = question.where(tables.Key.site_id.in_(possible([site_id])))
    return [_record(row) for row in session.scalars(question)]


def key(session: Session, key_id: int) -> Key:
    """The key of that id; raises `Unknown`."""
    row = session.get(tables.Key, key_id)
    if row is None:
        raise Unknown("key", key_id)
    return _record(row)


def revoke(session: Session, key_id: int, now: datetime) -> Key:
    """End a key for ever; revoking it again changes nothing; raises `Unknown`."""
    row = session.get(tables.Key, key_id)
    if row is None:
        raise Unknown("key", key_id)
    if row.revoked is None:
        row.revoked = now
        row.sealed = None
        row.changed_at = dataset.bump(session)
        session.flush()
    return _record(row)


def change_point_limit(session: Session, key_id: int, point_limit: int) -> Key:
    """Let a key create more points, or fewer; raises `Unknown`, `KeyInvalid`."""
    row = session.get(tables.Key, key_id)
    if row is None:
        raise Unknown("key", key_id)
    _check_limit(point_limit)
    row.point_limit = point_limit
    row.changed_at = dataset.bump(session)
    session.flush()
    return _record(row)


def grant(session: Session, secret: str) -> KeyGrant | None:
    """What a secret allows; None when it is unknown or revoked."""
    return _grant(session, tables.Key.secret_hash == secret_hash(secret))


def sealed_grant(session: Session, key_id: int, seal: Seal) -> tuple[KeyGrant, str] | None:
    """Grant and secret of a key that was created sealed, for senders that name a key instead of showing it."""
    sealed = session.scalar(select(tables.Key.sealed).where(tables.Key.id == key_id))
    found = _grant(session, tables.Key.id == key_id)
    return (found, seal.open(sealed)) if found and sealed else None


def grants_since(session: Session, generation: int, seal: Seal | None) -> list[KeyState]:
    """What has become of the keys that changed after a generation; after 0: of all that are not revoked."""
    question = (
        select(
            *(tables.Key.secret_hash, tables.Key.sealed, tables.Key.revoked, tables.Key.id, tables.Key.site_id),
            *(tables.Site.organization_id, tables.Key.scope, tables.Key.point_limit),
        )
        .join(tables.Site, tables.Site.id == tables.Key.site_id)
        .where(tables.Key.changed_at > generation)
    )
    if generation <= 0:
        question = question.where(tables.Key.revoked.is_(None))
    return [
        KeyState(
            secret_hash=hashed,
            grant=None if revoked else KeyGrant(key_id, site_id, organization_id, Scope(scope), point_limit),
            key_id=key_id,
            secret=_opened(sealed, seal),
        )
        for hashed, sealed, revoked, key_id, site_id, organization_id, scope, point_limit in session.execute(question)
    ]


def mark_used(session: Session, used: Mapping[int, datetime]) -> None:
    """Note when keys were last used; called now and then for many, not once per request."""
    for key_id, at in sorted(used.items()):
        session.execute(
            update(tables.Key).where(tables.Key.id == key_id).values(last_used=at),
            execution_options={"synchronize_session": False},
        )


def _check_limit(point_limit: int) -> None:
    if not 0 <= point_limit <= MOST_POINTS:
        raise KeyInvalid(f"a limit of {point_limit} points; give 0 to {MOST_POINTS}")


def _opened(sealed: bytes | None, seal: Seal | None) -> str | None:
    """The secret of a sealed key; None too where the seal is another, so that one such key does not stop the rest."""
    try:
        return seal.open(sealed) if sealed and seal else None
    except SealBroken:
        return None


def _grant(session: Session, condition: ColumnElement[bool]) -> KeyGrant | None:
    row = session.execute(
        select(tables.Key.id, tables.Key.site_id, tables.Site.organization_id, tables.Key.scope, tables.Key.point_limit)
        .join(tables.Site, tables.Site.id == tables.Key.site_id)
        .where(condition, tables.Key.revoked.is_(None))
    ).one_or_none()
    return None if row is None else KeyGrant(row[0], row[1], row[2], Scope(row[3]), row[4])


def _record(row: tables.Key) -> Key:
    return Key(
        id=row.id,
        site_id=row.site_id,
        name=row.name,
        scope=Scope(row.scope),
        prefix=row.prefix,
        point_limit=row.point_limit,
        point_count=row.point_count,
        created=row.created,
        revoked=row.revoked,
        last_used=row.last_used,
        sealed=row.sealed is not None,
    )
