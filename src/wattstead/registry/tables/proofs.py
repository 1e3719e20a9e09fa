"""Tables of how people prove who they are: sessions, mailed links, passkeys, codes, outside identities."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from wattstead.registry.tables.mapping import Base, ByteText, UtcTime


class Session(Base):
    """A signed-in browser, known by the hash of its token."""

    __tablename__ = "session"
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True)
    created: Mapped[datetime] = mapped_column(UtcTime)
    last_used: Mapped[datetime] = mapped_column(UtcTime)
    expires: Mapped[datetime] = mapped_column(UtcTime, index=True)
    name: Mapped[str] = mapped_column(ByteText, default="")
    """By which its person may speak of it: not the token, not its hash."""
    agent: Mapped[str] = mapped_column(default="")
    """What the browser called itself."""
    address: Mapped[str] = mapped_column(default="")
    """From which network address it began."""
    impersonator_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"))
    """The administrator who looks through this person's eyes."""
    reason: Mapped[str] = mapped_column(default="")
    """Why an operator looks at customers, as told in this session; empty: not told yet."""


class LoginFailure(Base):
    """A failed login, kept for as long as it counts against its account and network address."""

    __tablename__ = "login_failure"
    __table_args__ = (Index(None, "subject", "failed"), {"sqlite_autoincrement": True})
    id: Mapped[int] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(ByteText)
    failed: Mapped[datetime] = mapped_column(UtcTime, index=True)


class MailedLink(Base):
    """A link sent to a person: to verify an address, or to set a new password; works once."""

    __tablename__ = "mailed_link"
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True)
    purpose: Mapped[str] = mapped_column(ByteText)
    """``verify``, ``recover``."""
    email: Mapped[str]
    """The address it was sent to: a changed address makes it void."""
    expires: Mapped[datetime] = mapped_column(UtcTime, index=True)


class Passkey(Base):
    """A public key of an authenticator of a person."""

    __tablename__ = "passkey"
    __table_args__ = ({"sqlite_autoincrement": True},)
    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True)
    credential_id: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    sign_count: Mapped[int] = mapped_column(BigInteger)
    name: Mapped[str]
    created: Mapped[datetime] = mapped_column(UtcTime)
    last_used: Mapped[datetime | None] = mapped_column(UtcTime)


class RecoveryCode(Base):
    """A code that stands in for a lost second factor, once."""

    __tablename__ = "recovery_code"
    code_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True)


class Identity(Base):
    """A person as an outside identity provider (OpenID Connect) knows them."""

    __tablename__ = "identity"
    __table_args__ = ({"sqlite_with_rowid": False},)
    issuer: Mapped[str] = mapped_column(ByteText, primary_key=True)
    subject: Mapped[str] = mapped_column(ByteText, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True)
    created: Mapped[datetime] = mapped_column(UtcTime)


class Ceremony(Base):
    """A challenge that was given and waits for its answer: passkey, second factor, outside login; works once."""

    __tablename__ = "ceremony"
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"))
    purpose: Mapped[str] = mapped_column(ByteText)
    content: Mapped[bytes] = mapped_column(LargeBinary)
    expires: Mapped[datetime] = mapped_column(UtcTime, index=True)
