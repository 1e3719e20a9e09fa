"""Table of sources: ways in that the server opens itself, with what it needs to open them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from wattstead.registry.tables.mapping import Base, ByteText, UtcTime


class Source(Base):
    """A connection that brings readings of a site, or of one of its devices, under a key that nobody holds."""

    __tablename__ = "source"
    __table_args__ = ({"sqlite_autoincrement": True},)
    id: Mapped[int] = mapped_column(primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"), index=True)
    device_id: Mapped[int | None] = mapped_column(ForeignKey("device.id"), index=True)
    key_id: Mapped[int] = mapped_column(ForeignKey("key.id"), unique=True)
    edge_id: Mapped[int | None] = mapped_column(ForeignKey("edge.id"), index=True)
    name: Mapped[str]
    protocol: Mapped[str] = mapped_column(ByteText)
    settings: Mapped[str]
    """JSON, without secrets."""
    sealed: Mapped[str]
    """JSON: each secret by its name, sealed, in base64."""
    past_days: Mapped[float]
    """How old a reading may be; 0: any age."""
    rate: Mapped[float]
    """Readings a second it may bring; 0: what the server allows."""
    enabled: Mapped[bool]
    created: Mapped[datetime] = mapped_column(UtcTime)
    version: Mapped[int] = mapped_column(default=1)
    changed_at: Mapped[int] = mapped_column(BigInteger, index=True)
    """The generation of its last change."""
