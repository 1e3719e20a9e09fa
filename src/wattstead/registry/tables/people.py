"""Tables of people and of where they belong; how they prove who they are is in `proofs`."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from wattstead.registry.tables.mapping import Base, ByteText, UtcTime


class Account(Base):
    """A person; ``email`` is folded to lower case. Names and phones stand here alone, so that they can be erased."""

    __tablename__ = "account"
    __table_args__ = ({"sqlite_autoincrement": True},)
    id: Mapped[int] = mapped_column(primary_key=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"), index=True)
    email: Mapped[str] = mapped_column(ByteText, unique=True)
    look: Mapped[str | None] = mapped_column(ByteText, unique=True)
    """What the address looks like (`people.emails.look`), so that none passes for another; None: it did already."""
    password_hash: Mapped[str]
    """Empty: none was set, as for a person who was invited and has not answered yet."""
    created: Mapped[datetime] = mapped_column(UtcTime)
    version: Mapped[int] = mapped_column(default=1)
    name: Mapped[str] = mapped_column(default="")
    state: Mapped[str] = mapped_column(ByteText, default="active", index=True)
    """``invited``, ``active``, ``disabled``."""
    verified: Mapped[datetime | None] = mapped_column(UtcTime)
    """When the e-mail address was shown to be the person's."""
    phone: Mapped[str] = mapped_column(default="")
    mobile_phone: Mapped[str] = mapped_column(default="")
    phone_type: Mapped[str] = mapped_column(default="")
    operating_system: Mapped[str] = mapped_column(default="")
    application_version: Mapped[str] = mapped_column(default="")
    privacy_state: Mapped[str] = mapped_column(default="")
    locale: Mapped[str] = mapped_column(default="")
    last_seen: Mapped[datetime | None] = mapped_column(UtcTime)
    totp_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    totp_step: Mapped[int] = mapped_column(BigInteger, default=0)
    """The last time step whose code was used: no code counts twice."""


class Membership(Base):
    """A role of a person on an organization's branch, on one site, or on the platform (neither is given)."""

    __tablename__ = "membership"
    __table_args__ = ({"sqlite_autoincrement": True},)
    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True)
    organization_id: Mapped[int | None] = mapped_column(ForeignKey("organization.id", ondelete="CASCADE"), index=True)
    site_id: Mapped[int | None] = mapped_column(ForeignKey("site.id", ondelete="CASCADE"), index=True)
    role: Mapped[str] = mapped_column(ByteText)
    created: Mapped[datetime] = mapped_column(UtcTime)
    expires: Mapped[datetime | None] = mapped_column(UtcTime)
    giver_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"), index=True)
    """Who showed a site to a guest: it is seen while that person may show it."""
    suspended: Mapped[datetime | None] = mapped_column(UtcTime)
    """Since when the role counts for nothing, until it is resumed or given anew."""


class PersonTag(Base):
    """A key=value of a person."""

    __tablename__ = "person_tag"
    __table_args__ = (Index(None, "key", "value", "account_id"), {"sqlite_with_rowid": False})
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(ByteText, primary_key=True)
    value: Mapped[str] = mapped_column(ByteText)


class Invitation(Base):
    """An address that was asked to join, until it does, or the invitation ends; known by the hash of its link."""

    __tablename__ = "invitation"
    __table_args__ = ({"sqlite_autoincrement": True},)
    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    email: Mapped[str] = mapped_column(ByteText)
    organization_id: Mapped[int | None] = mapped_column(ForeignKey("organization.id", ondelete="CASCADE"), index=True)
    site_id: Mapped[int | None] = mapped_column(ForeignKey("site.id", ondelete="CASCADE"), index=True)
    role: Mapped[str] = mapped_column(ByteText)
    inviter_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"))
    created: Mapped[datetime] = mapped_column(UtcTime)
    expires: Mapped[datetime] = mapped_column(UtcTime)
    accepted: Mapped[datetime | None] = mapped_column(UtcTime)
    revoked: Mapped[datetime | None] = mapped_column(UtcTime)
    told: Mapped[str] = mapped_column(default="")
    """What the inviter has told of the person, for the account that an answer may make (JSON); empty: nothing."""


class Mail(Base):
    """A message that waits to be sent, or was; the text is dropped once it has gone."""

    __tablename__ = "mail"
    __table_args__ = ({"sqlite_autoincrement": True},)
    id: Mapped[int] = mapped_column(primary_key=True)
    to: Mapped[str]
    subject: Mapped[str]
    text: Mapped[str]
    created: Mapped[datetime] = mapped_column(UtcTime)
    due: Mapped[datetime] = mapped_column(UtcTime, index=True)
    sent: Mapped[datetime | None] = mapped_column(UtcTime)
    tries: Mapped[int] = mapped_column(default=0)
    error: Mapped[str] = mapped_column(default="")
