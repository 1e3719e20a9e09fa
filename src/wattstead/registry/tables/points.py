"""Tables of points, their addresses and tags."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from wattstead.registry.tables.mapping import Base, ByteText, UtcTime


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
    pulses_per_kwh: Mapped[float] = mapped_column(default=0.0, server_default="0")
    open_to: Mapped[str] = mapped_column(default="", server_default="")
    """Address ranges whose visitors read it without a key; see `wattstead.registry.points.opening`."""
    rule_version: Mapped[int]
    changed_at: Mapped[int] = mapped_column(BigInteger, index=True)
    created: Mapped[datetime] = mapped_column(UtcTime)
    space_id: Mapped[int | None] = mapped_column(ForeignKey("space.id", ondelete="SET NULL"), index=True)
    retired: Mapped[datetime | None] = mapped_column(UtcTime)
    """Since when its device's template knows it no more; its readings stay, and more are taken if they come."""


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
