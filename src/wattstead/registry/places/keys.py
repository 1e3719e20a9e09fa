"""Write and read keys of sites: 32 hexadecimal characters, stored as a hash; caching them is the caller's affair."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Row, Select, select, update
from sqlalchemy.orm import Session

from wattstead.registry import names, tables, trail
from wattstead.registry.authority import Reach
from wattstead.registry.errors import Conflict, KeyInvalid, Unknown
from wattstead.registry.places.closed import closed_paths
from wattstead.registry.policy import Resource
from wattstead.registry.reach import of
from wattstead.registry.records import Key, KeyGrant, KeyState, NewKey, Scope
from wattstead.registry.seal import Seal, SealBroken
from wattstead.registry.storage import dataset
from wattstead.registry.storage.database import integers, possible
from wattstead.registry.trail import SYSTEM, Actor

DEFAULT_POINT_LIMIT = 10_000
MOST_POINTS = 2_000_000_000
LONGEST_OVERLAP = timedelta(days=90)
"""For how long at most a key and its successor may both live."""
_SECRET = re.compile(r"[0-9a-f]{32}")


def secret_hash(secret: str) -> bytes:
    """What is stored of a secret: it is random and long, so a plain SHA-256 cannot be searched."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What a key is bound to beside its site."""

    device_id: int | None = None
    expires: datetime | None = None
    plain_http: bool = True


ANY = Terms()


def create(
    session: Session,
    site_id: int,
    scope: Scope,
    name: str,
    point_limit: int,
    secret: str | None,
    seal: Seal | None,
    now: datetime,
    terms: Terms = ANY,
    by: Actor = SYSTEM,
) -> NewKey:
    """A new key; ``secret`` carries over an existing one, ``seal`` keeps it readable for the encrypted form.

    Raises `KeyInvalid`, `Unknown` for the site or device, `NameInvalid`.
    """
    if session.get(tables.Site, site_id) is None:
        raise Unknown("site", site_id)
    device = None if terms.device_id is None else session.get(tables.Device, terms.device_id)
    if terms.device_id is not None and (device is None or device.site_id != site_id):
        raise Unknown("device", terms.device_id)
    if terms.expires is not None and terms.expires <= now:
        raise KeyInvalid(f"a key that ended {terms.expires.isoformat()}; give a time to come, or none")
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
        device_id=terms.device_id,
        expires=terms.expires,
        plain_http=terms.plain_http,
    )
    session.add(row)
    session.flush()
    made = _record(row)
    _note(session, now, by, "create", made, {}, _told(made))
    return NewKey(made, secret)


def rotate(session: Session, key_id: int, overlap: timedelta, seal: Seal | None, now: datetime, by: Actor) -> NewKey:
    """A successor with the same terms; the old key lives on for ``overlap``, then ends by itself.

    Raises `Unknown`, `KeyInvalid` when it is revoked, over, or has a successor already, `Conflict` for a source's own.
    """
    row = session.scalar(select(tables.Key).where(tables.Key.id.in_(possible([key_id]))).with_for_update())
    if row is None:
        raise Unknown("key", key_id)
    _check_held_by_people(session, key_id)
    if row.revoked is not None or (row.expires is not None and row.expires <= now):
        raise KeyInvalid(f"key {key_id} has ended; make a new one")
    if row.successor_id is not None:
        raise KeyInvalid(f"key {key_id} has a successor already: key {row.successor_id}")
    if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
        raise KeyInvalid(f"an overlap of {overlap.days} days; give 0 to {LONGEST_OVERLAP.days}")
    before = _told(_record(row))
    terms = Terms(device_id=row.device_id, expires=row.expires, plain_http=row.plain_http)
    made = create(
        session, row.site_id, Scope(row.scope), row.name, row.point_limit, None, seal if row.sealed else None, now,
        terms, by,
    )  # fmt: skip
    session.execute(update(tables.Key).where(tables.Key.id == made.key.id).values(point_count=row.point_count))
    ends = now + overlap
    row.successor_id, row.expires = made.key.id, min(ends, row.expires or ends)
    row.changed_at = dataset.bump(session)
    session.flush()
    _note(session, now, by, "rotate", _record(row), before, _told(_record(row)))
    return NewKey(msgspec.structs.replace(made.key, point_count=row.point_count), made.secret)


def keys(session: Session, site_id: int | None, reach: Reach | None = None) -> list[Key]:
    """The keys that people hold, of a site (None: all) within reach, revoked ones included, by id; no source's own."""
    question = select(tables.Key).where(*of(Resource.KEY, reach)).order_by(tables.Key.id)
    question = question.where(tables.Key.id.not_in(select(tables.Source.key_id)))
    question = question.where(tables.Key.id.not_in(select(tables.Edge.key_id)))
    if site_id is not None:
        question = question.where(tables.Key.site_id.in_(possible([site_id])))
    return [_record(row) for row in session.scalars(question)]


def key(session: Session, key_id: int) -> Key:
    """The key of that id; raises `Unknown`."""
    row = session.get(tables.Key, key_id)
    if row is None:
        raise Unknown("key", key_id)
    return _record(row)


def at(session: Session, key_id: int) -> tuple[int, Scope]:
    """The site of a key, and its scope, without holding it; raises `Unknown`."""
    row = tables.Key
    found = session.execute(select(row.site_id, row.scope).where(row.id.in_(possible([key_id])))).one_or_none()
    if found is None:
        raise Unknown("key", key_id)
    return found.site_id, Scope(found.scope)


def revoke(session: Session, key_id: int, now: datetime, by: Actor = SYSTEM) -> Key:
    """End a key for ever; revoking it again changes nothing; raises `Unknown`, `Conflict` for a source's own."""
    row = session.get(tables.Key, key_id)
    if row is None:
        raise Unknown("key", key_id)
    _check_held_by_people(session, key_id)
    if row.revoked is None:
        before = _told(_record(row))
        row.revoked = now
        row.sealed = None
        row.changed_at = dataset.bump(session)
        session.flush()
        _note(session, now, by, "delete", _record(row), before, _told(_record(row)))
    return _record(row)


def end_at_sites(
    session: Session, sites: Select[int], scopes: Collection[Scope], now: datetime, by: Actor = SYSTEM
) -> int:
    """Revoke the living keys of sites that have one of these scopes; how many there were."""
    wanted = (tables.Key.site_id.in_(sites), tables.Key.scope.in_([one.value for one in scopes]))
    living = tables.Key.revoked.is_(None) & (tables.Key.expires.is_(None) | (tables.Key.expires > now))
    ids = session.scalars(select(tables.Key.id).where(*wanted, living).order_by(tables.Key.id)).all()
    for key_id in ids:
        revoke(session, key_id, now, by)
    return len(ids)


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


def grant(session: Session, secret: str, now: datetime) -> KeyGrant | None:
    """What a secret allows; None when it is unknown, revoked or over, or its place is closed."""
    return _grant(session, tables.Key.secret_hash == secret_hash(secret), now)


def sealed_grant(session: Session, key_id: int, seal: Seal, now: datetime) -> tuple[KeyGrant, str] | None:
    """Grant and secret of a key that was created sealed, for senders that name a key instead of showing it."""
    sealed = session.scalar(select(tables.Key.sealed).where(tables.Key.id == key_id))
    found = _grant(session, tables.Key.id == key_id, now)
    return (found, seal.open(sealed)) if found and sealed else None


def grants_since(session: Session, generation: int, seal: Seal | None, now: datetime) -> list[KeyState]:
    """What has become of the keys that changed after a generation; after 0: of all that are not revoked."""
    question = _GRANTS.where(tables.Key.changed_at > generation)
    if generation <= 0:
        question = question.where(tables.Key.revoked.is_(None))
    closed = closed_paths(session)
    return [
        KeyState(
            secret_hash=row.secret_hash,
            grant=_allowed(row, closed, now),
            key_id=row.id,
            secret=_opened(row.sealed, seal),
        )
        for row in session.execute(question)
    ]


def grants_of(session: Session, key_ids: Sequence[int], now: datetime) -> dict[int, KeyGrant]:
    """What some keys allow at this moment, for those that allow anything."""
    closed = closed_paths(session)
    rows = session.execute(_GRANTS.where(tables.Key.id.in_(integers(session, key_ids))))
    found = {row.id: _allowed(row, closed, now) for row in rows}
    return {key_id: grant for key_id, grant in found.items() if grant is not None}


def source_of(session: Session, key_id: int) -> int | None:
    """The source whose own key this is; None for one that people hold."""
    return session.scalar(select(tables.Source.id).where(tables.Source.key_id == key_id))


def mark_used(session: Session, used: Mapping[int, datetime]) -> None:
    """Note when keys were last used; called now and then for many, not once per request."""
    for key_id, at in sorted(used.items()):
        session.execute(
            update(tables.Key).where(tables.Key.id == key_id).values(last_used=at),
            execution_options={"synchronize_session": False},
        )


def _check_held_by_people(session: Session, key_id: int) -> None:
    source_id = source_of(session, key_id)
    if source_id is not None:
        raise Conflict(
            "key.source",
            f"key {key_id} is source {source_id}'s own, and ends with it: remove the source, or disable it",
            source=source_id,
        )
    edge_id = session.scalar(select(tables.Edge.id).where(tables.Edge.key_id == key_id))
    if edge_id is not None:
        raise Conflict(
            "key.edge",
            f"key {key_id} is edge {edge_id}'s own, and ends with it: remove the edge, or disable it",
            edge=edge_id,
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


_GRANTS = (
    select(
        *(tables.Key.id, tables.Key.site_id, tables.Key.scope, tables.Key.point_limit, tables.Key.device_id),
        *(tables.Key.secret_hash, tables.Key.sealed, tables.Key.revoked, tables.Key.expires, tables.Key.plain_http),
        *(tables.Site.organization_id, tables.Site.state, tables.Organization.path),
    )
    .join(tables.Site, tables.Site.id == tables.Key.site_id)
    .join(tables.Organization, tables.Organization.id == tables.Site.organization_id)
)


def _grant(session: Session, condition: ColumnElement[bool], now: datetime) -> KeyGrant | None:
    row = session.execute(_GRANTS.where(condition)).one_or_none()
    return None if row is None else _allowed(row, closed_paths(session), now)


def _allowed(row: Row[*tuple[Any, ...]], closed: tuple[str, ...], now: datetime) -> KeyGrant | None:
    """What a key allows at this moment; at a disabled site it only reads."""
    over = row.revoked is not None or (row.expires is not None and row.expires <= now)
    scope = Scope(row.scope)
    if over or row.path.startswith(closed) or (row.state != "active" and scope is not Scope.READ):
        return None
    ends_s = row.expires.timestamp() if row.expires else 0.0
    return KeyGrant(
        row.id, row.site_id, row.organization_id, scope, row.point_limit, row.device_id, ends_s, row.plain_http
    )


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
        device_id=row.device_id,
        expires=row.expires,
        plain_http=row.plain_http,
        successor_id=row.successor_id,
    )


def _told(found: Key) -> dict[str, Any]:
    names_ = ("name", "scope", "device_id", "expires", "plain_http", "point_limit", "revoked", "successor_id")
    return {name: getattr(found, name) for name in names_}


def _note(
    session: Session, now: datetime, by: Actor, action: str, key: Key, before: dict[str, Any], after: dict[str, Any]
) -> None:
    trail.note(
        session, now, by, action, Resource.KEY, key.id, site_id=key.site_id, before=before, after=after
    )  # fmt: skip
