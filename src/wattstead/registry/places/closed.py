"""Closed branches: what stands below a disabled organization neither signs in nor sends; changes nothing."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from wattstead.registry.tables import Account, Organization


def closed_paths(session: Session) -> tuple[str, ...]:
    """The paths of disabled organizations: whatever begins with one of them is closed."""
    return tuple(session.scalars(select(Organization.path).where(Organization.disabled.is_not(None))))


def is_closed_to(session: Session, account_id: int) -> bool:
    """Whether a person belongs to a closed branch, and so cannot sign in."""
    closed = closed_paths(session)
    if not closed:
        return False
    own = select(Organization.path).join(Account, Account.organization_id == Organization.id)
    path = session.scalar(own.where(Account.id == account_id))
    return path is not None and path.startswith(closed)
