"""Tables of devices, the templates they are made from, and the keys they send with."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from wattstead.registry.tables import searched
from wattstead.registry.tables.mapping import Base, ByteText, UtcTime


class Device(Base):
    """A thing that sends readings; without a site nobody owns it yet, and it belongs to an organization alone."""

    __tablename__ = "device"
    __table_args__ = ({"sqlite_autoincrement": True},)
    id: Mapped[int] = mapped_column(primary_key=True)
    site_id: Mapped[int | None] = mapped_column(ForeignKey("site.id"), index=True)
    name: Mapped[str]
    created: Mapped[datetime] = mapped_column(UtcTime)
    version: Mapped[int] = mapped_column(default=1)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"), index=True)
    space_id: Mapped[int | None] = mapped_column(ForeignKey("space.id", ondelete="SET NULL"), index=True)
    note: Mapped[str] = mapped_column(default="")
    template: Mapped[str] = mapped_column(ByteText, default="")
    """Name of the template; empty: none."""
    revision: Mapped[int] = mapped_column(default=0)
    prefix: Mapped[str] = mapped_column(ByteText, default="")
    """What the addresses of its points begin with."""
    connection: Mapped[str] = mapped_column(default="")
    """Kind of connection, which chooses the reporting profile of the template: ``ethernet``, ``mobile`` …"""
    posting: Mapped[bool] = mapped_column(default=True, index=True)
    """Whether its readings are taken."""
    serial_number: Mapped[str] = mapped_column(ByteText, default="", index=True)
    hardware_version: Mapped[str] = mapped_column(default="")
    firmware: Mapped[str] = mapped_column(default="")
    pairing_state: Mapped[str] = mapped_column(ByteText, default="")
    connection_state: Mapped[str] = mapped_column(ByteText, default="")
    last_seen: Mapped[datetime | None] = mapped_column(UtcTime, index=True)
    completeness: Mapped[float | None]
    """Share of the expected readings of the last day that came, 0 to 1."""
    mobile_bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    """Mobile data used in the month that ends at ``mobile_until``."""
    mobile_until: Mapped[datetime | None] = mapped_column(UtcTime, index=True)
    mobile_budget_bytes: Mapped[int | None] = mapped_column(BigInteger)
    photo: Mapped[str] = mapped_column(default="")
    changed_at: Mapped[int] = mapped_column(BigInteger, default=0, index=True)
    """The generation of its last change that a door must know of."""
    search: Mapped[str] = mapped_column(ByteText, default=searched.of_new_device)
    """By which free text finds it; see `searched`."""


searched.keep(Device, searched.DEVICE)


class DeviceTag(Base):
    """A key=value of a device."""

    __tablename__ = "device_tag"
    __table_args__ = (Index(None, "key", "value", "device_id"), {"sqlite_with_rowid": False})
    device_id: Mapped[int] = mapped_column(ForeignKey("device.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(ByteText, primary_key=True)
    value: Mapped[str] = mapped_column(ByteText)


class Template(Base):
    """A template that an organization has made; those that come with the product are files."""

    __tablename__ = "template"
    __table_args__ = (
        UniqueConstraint("organization_id", "name", "revision"),
        {"sqlite_autoincrement": True},
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(ByteText)
    revision: Mapped[int]
    text: Mapped[str]
    """The YAML as it was given."""
    created: Mapped[datetime] = mapped_column(UtcTime)
    removed: Mapped[datetime | None] = mapped_column(UtcTime)


class Key(Base):
    """A write, read or admin key of a site or one of its devices, known by the hash of its secret."""

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
    device_id: Mapped[int | None] = mapped_column(ForeignKey("device.id", ondelete="CASCADE"), index=True)
    expires: Mapped[datetime | None] = mapped_column(UtcTime)
    plain_http: Mapped[bool] = mapped_column(default=True)
    """Whether a sender may show it without TLS from another machine."""
    successor_id: Mapped[int | None] = mapped_column(ForeignKey("key.id"))
    """The key that replaces it in a rotation; both live until this one ends."""
