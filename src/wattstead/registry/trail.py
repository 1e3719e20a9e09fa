"""The trail: what was done, by whom, to what, as a chain of records in which a later change shows.

Records hold ids and digests; the words beside them (fields before and after, reasons) can be erased with a person, and
the chain still holds. A secret never comes here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, func, or_, select, true, update
from sqlalchemy.orm import Session

from wattstead.registry import reach as reaching
from wattstead.registry import tables
from wattstead.registry.authority import Reach
from wattstead.registry.policy import Resource
from wattstead.registry.storage.database import integers
from wattstead.registry.tables import Trail, TrailWords

_FIRST = b"\0" * 32
_MEASURED = (Resource.POINT.value, Resource.READING.value)
_NEVER = frozenset(
    {"password", "password_hash", "secret", "secret_hash", "token", "token_hash", "totp_sealed", "sealed"}
)


class Actor(msgspec.Struct, frozen=True):
    """Who did it: a person, perhaps looked through by an administrator, a key, or nobody: the product itself."""

    account_id: int | None = None
    impersonator_id: int | None = None
    key_id: int | None = None


SYSTEM = Actor()
"""Nobody: what the product does by itself."""


class Deed(msgspec.Struct, frozen=True, kw_only=True):
    """One record as it is shown."""

    id: int
    at: datetime
    account_id: int | None
    impersonator_id: int | None
    key_id: int | None
    action: str
    resource: str
    resource_id: int
    organization_id: int | None
    site_id: int | None
    words: dict[str, object]
    """``changes``: field → [before, after]; ``reason``; empty once erased."""


def note(
    session: Session,
    now: datetime,
    actor: Actor,
    action: str,
    resource: Resource,
    resource_id: int,
    *,
    organization_id: int | None = None,
    site_id: int | None = None,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
    reason: str = "",
) -> int:
    """Add a record inside the caller's transaction, so that a deed without its record is not possible; its id."""
    first, last = _told(before), _told(after)
    session.execute(select(tables.Dataset.one).with_for_update())  # one at a time adds to the chain
    previous = session.scalars(select(Trail.hash).order_by(Trail.id.desc()).limit(1)).first() or _FIRST
    row = Trail(
        at=now.astimezone(UTC),
        account_id=actor.account_id,
        impersonator_id=actor.impersonator_id,
        key_id=actor.key_id,
        action=action,
        resource=resource.value,
        resource_id=resource_id,
        organization_id=organization_id,
        site_id=site_id,
        before_digest=_digest(first),
        after_digest=_digest(last),
        previous_hash=previous,
        hash=b"",
    )
    row.hash = _hash(row)
    session.add(row)
    session.flush()
    changes = {
        name: [first.get(name), last.get(name)] for name in sorted({*first, *last}) if first.get(name) != last.get(name)
    }
    words = {key: value for key, value in (("changes", changes), ("reason", reason)) if value}
    session.add(TrailWords(trail_id=row.id, words=msgspec.json.encode(words).decode()))
    return row.id


def deeds(
    session: Session,
    reach: Reach | None,
    *,
    readings: Reach | None = None,
    resource: Resource | None = None,
    resource_id: int | None = None,
    site_id: int | None = None,
    action: str | None = None,
    before_id: int | None = None,
    limit: int = 100,
) -> list[Deed]:
    """What was done within reach, newest first; ``before_id`` continues a listing.

    What was done to points and readings says what they were: its fields are told within ``readings`` alone.
    """
    told = or_(Trail.resource.not_in(_MEASURED), _within(readings))
    question = select(Trail, TrailWords.words, told).outerjoin(TrailWords, TrailWords.trail_id == Trail.id)
    question = question.where(_within(reach))
    if resource is not None:
        question = question.where(Trail.resource == resource.value)
    if resource_id is not None:
        question = question.where(Trail.resource_id == resource_id)
    if site_id is not None:
        question = question.where(Trail.site_id == site_id)
    if action is not None:
        question = question.where(Trail.action == action)
    if before_id is not None:
        question = question.where(Trail.id < before_id)
    rows = session.execute(question.order_by(Trail.id.desc()).limit(limit))
    return [_record(row, words, bool(told)) for row, words, told in rows]


def _within(reach: Reach | None) -> ColumnElement[bool]:
    """Whether something was done at a site within reach, or at none, in an organization within reach."""
    if reach is None or reach.everywhere:
        return true()
    sites = select(tables.Site.id).where(*reaching.of_sites(reach))
    organizations = select(tables.Organization.id).where(*reaching.of_organizations(reach))
    return or_(Trail.site_id.in_(sites), Trail.site_id.is_(None) & Trail.organization_id.in_(organizations))


def erase_person(session: Session, account_id: int, email: str) -> None:
    """Erase the words of what was done to a person, and of invitations to an address that the account has or had, which
    were made when there was no account.
    """
    of_people = select(Trail.id, TrailWords.words).join(TrailWords, TrailWords.trail_id == Trail.id)
    of_people = of_people.where(Trail.resource == Resource.PERSON.value)
    own = session.execute(of_people.where(Trail.resource_id == account_id)).all()
    told = [msgspec.json.decode(words, type=dict[str, Any]).get("changes", {}).get("email", []) for _, words in own]
    addresses = {email, *(address for pair in told for address in pair if address)}
    named = [TrailWords.words.contains(msgspec.json.encode(one).decode(), autoescape=True) for one in sorted(addresses)]
    invited = session.scalars(of_people.where(Trail.resource_id == 0, or_(*named)))
    gone = integers(session, [*(row_id for row_id, _ in own), *invited])
    session.execute(update(TrailWords).where(TrailWords.trail_id.in_(gone)).values(words="{}"))


def broken(session: Session) -> int | None:
    """The id of the first record that is not as it was written or does not follow the one before; None: all hold."""
    previous = _FIRST
    for row in session.scalars(select(Trail).order_by(Trail.id).execution_options(yield_per=1_000)):
        if row.previous_hash != previous or row.hash != _hash(row):
            return row.id
        previous = row.hash
    return None


def length(session: Session) -> int:
    """How many records there are."""
    return session.scalar(select(func.count()).select_from(Trail)) or 0


def _told(fields: Mapping[str, object] | None) -> dict[str, object]:
    """The fields as plain JSON values, without those that are secrets."""
    plain = msgspec.to_builtins({name: value for name, value in (fields or {}).items() if name not in _NEVER})
    return dict(plain)


def _digest(fields: Mapping[str, object]) -> bytes:
    return hashlib.sha256(msgspec.json.encode(fields, order="deterministic")).digest()


def _hash(row: Trail) -> bytes:
    told = [
        row.at.isoformat(), row.account_id, row.impersonator_id, row.key_id, row.action, row.resource, row.resource_id,
        row.organization_id, row.site_id, row.before_digest.hex(), row.after_digest.hex(), row.previous_hash.hex(),
    ]  # fmt: skip
    return hashlib.sha256(msgspec.json.encode(told)).digest()


def _record(row: Trail, words: str | None, told: bool) -> Deed:
    found = msgspec.json.decode(words, type=dict[str, object]) if words else {}
    return Deed(
        id=row.id,
        at=row.at,
        account_id=row.account_id,
        impersonator_id=row.impersonator_id,
        key_id=row.key_id,
        action=row.action,
        resource=row.resource,
        resource_id=row.resource_id,
        organization_id=row.organization_id,
        site_id=row.site_id,
        words={name: value for name, value in found.items() if told or name != "changes"},
    )
