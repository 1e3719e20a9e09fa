"""Tables of what was done: a chain of records that shows tampering, the erasable words beside it, repeated requests."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from wattstead.registry.tables.mapping import Base, ByteText, UtcTime


class Trail(Base):
    """One deed: who did what to what; ids and digests only, each record bound to the one before by its hash."""

    __tablename__ = "trail"
    __table_args__ = (Index(None, "resource", "resource_id"), {"sqlite_autoincrement": True})
    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcTime, index=True)
    account_id: Mapped[int | None] = mapped_column(index=True)
    """Who; no foreign key: the record outlives the person."""
    impersonator_id: Mapped[int | None]
    key_id: Mapped[int | None]
    action: Mapped[str] = mapped_column(ByteText)
    resource: Mapped[str] = mapped_column(ByteText)
    resource_id: Mapped[int] = mapped_column(BigInteger)
    organization_id: Mapped[int | None] = mapped_column(index=True)
    site_id: Mapped[int | None] = mapped_column(index=True)
    before_digest: Mapped[bytes] = mapped_column(LargeBinary)
    after_digest: Mapped[bytes] = mapped_column(LargeBinary)
    previous_hash: Mapped[bytes] = mapped_column(LargeBinary)
    hash: Mapped[bytes] = mapped_column(LargeBinary)


class TrailWords(Base):
    """What a record of the trail means in words: fields before and after, a reason; erased with the person."""

    __tablename__ = "trail_words"
    trail_id: Mapped[int] = mapped_column(ForeignKey("trail.id"), primary_key=True, autoincrement=False)
    words: Mapped[str]
    """JSON: ``{"field": [before, after], …}`` and ``"reason"``."""


class Repeatable(Base):
    """The answer to a creating request that carried an idempotency key, to be given again when it is repeated."""

    __tablename__ = "repeatable"
    __table_args__ = ({"sqlite_with_rowid": False},)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), primary_key=True)
    token: Mapped[str] = mapped_column(ByteText, primary_key=True)
    request_digest: Mapped[bytes] = mapped_column(LargeBinary)
    status: Mapped[int]
    body: Mapped[bytes] = mapped_column(LargeBinary)
    created: Mapped[datetime] = mapped_column(UtcTime, index=True)
