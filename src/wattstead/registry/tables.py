"""The tables of the registry as typed mappings; how they come to be is in `migrations`, questions are elsewhere."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, ClassVar, cast

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    Dialect,
    Double,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    String,
    Table,
    TypeDecorator,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

ByteText = String().with_variant(String(collation="C"), "postgresql")
"""Text compared byte by byte on every database, so that a prefix is a range."""


class UtcTime(TypeDecorator[datetime]):
    """An instant: aware UTC in Python; naive UTC text in SQLite, which knows no zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"time {value.isoformat()} has no zone; give an aware one")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Base of the mappings; names of constraints are fixed so that migrations can speak of them."""

    type_annotation_map: ClassVar[dict[Any, Any]] = {float: Double}
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Dataset(Base):
    """One row: which data set this is, the generation that caches compare, the last point id given."""

    __tablename__ = "dataset"
    __table_args__ = (CheckConstraint("one = 1", name="single"),)
    one: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    identity: Mapped[str]
    generation: Mapped[int] = mapped_column(BigInteger)
    last_point_id: Mapped[int]
    created: Mapped[datetime] = mapped_column(UtcTime)


class Organization(Base):
    """A node of the tree; ``path`` lists the ids from the root, so that a branch is a range of paths."""

    __tablename__ = "organization"
    __table_args__ = ({"sqlite_autoincrement": True},)
    id: Mapped[int] = mapped_column(primary_key=True)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("organization.id"), index=True)
    path: Mapped[str] = mapped_column(ByteText, unique=True)
    name: Mapped[str]
    created: Mapped[datetime] = mapped_column(UtcTime)


class Account(Base):
    """A person who may sign in; ``email`` is folded to lower case."""

    __tablename__ = "account"
    __table_args__ = ({"sqlite_autoincrement": True},)
    id: Mapped[int] = mapped_column(primary_key=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"), index=True)
    email: Mapped[str] = mapped_column(ByteText, unique=True)
    password_hash: Mapped[str]
    role: Mapped[str]
    created: Mapped[datetime] = mapped_column(UtcTime)


class Session(Base):
    """A signed-in browser, known by the hash of its token."""

    __tablename__ = "session"
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True)
    created: Mapped[datetime] = mapped_column(UtcTime)
    last_used: Mapped[datetime] = mapped_column(UtcTime)
    expires: Mapped[datetime] = mapped_column(UtcTime, index=True)


class LoginFailure(Base):
    """A failed login, kept for as long as it counts against its account and network address."""

    __tablename__ = "login_failure"
    __table_args__ = (Index(None, "subject", "failed"), {"sqlite_autoincrement": True})
    id: Mapped[int] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(ByteText)
    failed: Mapped[datetime] = mapped_column(UtcTime, index=True)


class Site(Base):
    """A place with points, in one time zone."""

    __tablename__ = "site"
    __table_args__ = ({"sqlite_autoincrement": True},)
    id: Mapped[int] = mapped_column(primary_key=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"), index=True)
    name: Mapped[str]
    zone: Mapped[str]
    note: Mapped[str]
    created: Mapped[datetime] = mapped_column(UtcTime)


class Device(Base):
    """A thing at a site that sends readings."""

    __tablename__ = "device"
    __table_args__ = ({"sqlite_autoincrement": True},)
    id: Mapped[int] = mapped_column(primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"), index=True)
    name: Mapped[str]
    created: Mapped[datetime] = mapped_column(UtcTime)


class Key(Base):
    """A write or read key of a site, known by the hash of its secret."""

    __tablename__ = "key"
    __table_args__ = ({"sqlite_autoincrement": True},)
    id: Mapped[int] = mapped_column(primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"), index=True)
    name: Mapped[str]
    scope: Mapped[str]
    secret_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    prefix: Mapped[str]
    point_limit: Mapped[int]
    point_count: Mapped[int]
    created: Mapped[datetime] = mapped_column(UtcTime)
    revoked: Mapped[datetime | None] = mapped_column(UtcTime)
    last_used: Mapped[datetime | None] = mapped_column(UtcTime)
    changed_at: Mapped[int] = mapped_column(BigInteger, index=True)


class Point(Base):
    """A series of readings; ids come from `Dataset.last_point_id`: none is given twice, even after a deletion."""

    __tablename__ = "point"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"), index=True)
    device_id: Mapped[int | None] = mapped_column(ForeignKey("device.id"), index=True)
    key_id: Mapped[int | None] = mapped_column(ForeignKey("key.id"))
    name: Mapped[str]
    role: Mapped[str]
    adopted: Mapped[bool]
    kind: Mapped[str]
    quantity: Mapped[str]
    direction: Mapped[str]
    unit: Mapped[str]
    unit_hint: Mapped[str]
    resolution: Mapped[float]
    width: Mapped[int] = mapped_column(BigInteger)
    max_rate: Mapped[float]
    max_gap_s: Mapped[float]
    rule_version: Mapped[int]
    changed_at: Mapped[int] = mapped_column(BigInteger, index=True)
    created: Mapped[datetime] = mapped_column(UtcTime)


class Address(Base):
    """What a sender calls a point, within its site, for ever."""

    __tablename__ = "address"
    __table_args__ = ({"sqlite_with_rowid": False},)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"), primary_key=True)
    path: Mapped[str] = mapped_column(ByteText, primary_key=True)
    point_id: Mapped[int] = mapped_column(ForeignKey("point.id"), index=True)


class PointTag(Base):
    """A key=value of a point."""

    __tablename__ = "point_tag"
    __table_args__ = (Index(None, "key", "value", "point_id"), {"sqlite_with_rowid": False})
    point_id: Mapped[int] = mapped_column(ForeignKey("point.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(ByteText, primary_key=True)
    value: Mapped[str] = mapped_column(ByteText)


class SiteTag(Base):
    """A key=value of a site; its points answer to it where they have none of that key."""

    __tablename__ = "site_tag"
    __table_args__ = (Index(None, "key", "value", "site_id"), {"sqlite_with_rowid": False})
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(ByteText, primary_key=True)
    value: Mapped[str] = mapped_column(ByteText)


POINT, ADDRESS, POINT_TAG, SITE_TAG, KEY = (cast(Table, t.__table__) for t in (Point, Address, PointTag, SiteTag, Key))
"""The same tables for statements over many rows at once."""
