"""Table of edges: machines on site that read meters there and send what they read when they can."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from wattstead.registry.tables.mapping import Base, ByteText, UtcTime


class Edge(Base):
    """An edge node of a site, by whose public keys it is known."""

    __tablename__ = "edge"
    __table_args__ = ({"sqlite_autoincrement": True},)
    id: Mapped[int] = mapped_column(primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"), index=True)
    key_id: Mapped[int] = mapped_column(ForeignKey("key.id"), unique=True)
    name: Mapped[str]
    code_hash: Mapped[bytes | None] = mapped_column(unique=True)
    """Of the code with which it joins, once."""
    code_until: Mapped[datetime | None] = mapped_column(UtcTime)
    signing_key: Mapped[str] = mapped_column(ByteText)
    """Ed25519, base64; empty before it has joined."""
    sealing_key: Mapped[str] = mapped_column(ByteText)
    """X25519, base64."""
    joined: Mapped[datetime | None] = mapped_column(UtcTime)
    settings: Mapped[str]
    """JSON: `wattstead.registry.records.EdgeSettings`."""
    enabled: Mapped[bool]
    wanted: Mapped[int]
    """Number of the configuration that it should run."""
    wanted_digest: Mapped[str] = mapped_column(ByteText)
    sequence: Mapped[int] = mapped_column(BigInteger)
    """Number of the last upload that is in the journal."""
    sequence_digest: Mapped[str] = mapped_column(ByteText)
    sequence_at: Mapped[int] = mapped_column(BigInteger)
    """When it came, microseconds since 1970."""
    last_seen: Mapped[datetime | None] = mapped_column(UtcTime)
    health: Mapped[str]
    """JSON, as it told last."""
    created: Mapped[datetime] = mapped_column(UtcTime)
    version: Mapped[int] = mapped_column(default=1)
    changed_at: Mapped[int] = mapped_column(BigInteger, index=True)
    """The generation of its last change by people."""


class EdgeConfiguration(Base):
    """A configuration that an edge was offered, and what became of it."""

    __tablename__ = "edge_configuration"
    __table_args__ = (UniqueConstraint("edge_id", "number"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    edge_id: Mapped[int] = mapped_column(ForeignKey("edge.id"))
    number: Mapped[int]
    made: Mapped[datetime] = mapped_column(UtcTime)
    settings: Mapped[str]
    """JSON: `wattstead.registry.records.EdgeSettings`."""
    sources: Mapped[str]
    """JSON: the names of the sources that it ran."""
    applied: Mapped[datetime | None] = mapped_column(UtcTime)
    """When the edge first said that it runs it."""
    refused_why: Mapped[str]
    """Why it was refused or taken back; empty: it was not."""
