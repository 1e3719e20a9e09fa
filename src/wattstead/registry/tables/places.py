"""Tables of places: organizations, sites, spaces, and who else may look at a site."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from wattstead.registry.tables import searched
from wattstead.registry.tables.mapping import Base, ByteText, UtcTime


class Organization(Base):
    """A node of the tree; ``path`` lists the ids from the root, so that a branch is a range of paths."""

    __tablename__ = "organization"
    __table_args__ = ({"sqlite_autoincrement": True},)
    id: Mapped[int] = mapped_column(primary_key=True)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("organization.id"), index=True)
    path: Mapped[str] = mapped_column(ByteText, unique=True)
    name: Mapped[str]
    created: Mapped[datetime] = mapped_column(UtcTime)
    version: Mapped[int] = mapped_column(default=1)
    kind: Mapped[str] = mapped_column(ByteText, default="home")
    """``fleet``, ``partner``, ``utility``, ``company``, ``home``: a word for the page; it gives no right."""
    note: Mapped[str] = mapped_column(default="")
    registration: Mapped[bool] = mapped_column(default=False)
    """Whether people may register in it by themselves."""
    disabled: Mapped[datetime | None] = mapped_column(UtcTime)
    """Since when its branch neither signs in nor sends."""


class Site(Base):
    """A place with points, in one time zone; empty texts and nulls are attributes that nobody has told."""

    __tablename__ = "site"
    __table_args__ = (
        Index(None, "organization_id", "name", "zone", postgresql_include=["id"]),  # all that a scope tells
        {"sqlite_autoincrement": True},
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"))
    name: Mapped[str] = mapped_column(index=True)
    zone: Mapped[str]
    note: Mapped[str]
    created: Mapped[datetime] = mapped_column(UtcTime)
    version: Mapped[int] = mapped_column(default=1)
    state: Mapped[str] = mapped_column(ByteText, default="active", index=True)
    """``active``, ``disabled``: its keys write no more."""
    customer_number: Mapped[str] = mapped_column(ByteText, default="", index=True)
    address: Mapped[str] = mapped_column(default="")
    city: Mapped[str] = mapped_column(default="", index=True)
    postal_code: Mapped[str] = mapped_column(default="")
    country: Mapped[str] = mapped_column(default="")
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    delivery_point: Mapped[str] = mapped_column(ByteText, default="")
    subscription_number: Mapped[str] = mapped_column(ByteText, default="")
    subscribed_power_w: Mapped[float | None]
    hourly_maximum_wh: Mapped[float | None]
    dwelling: Mapped[str] = mapped_column(default="")
    occupants: Mapped[int | None]
    area_m2: Mapped[float | None]
    heating: Mapped[str] = mapped_column(default="")
    eligibility_phase: Mapped[str] = mapped_column(default="")
    business_case: Mapped[str] = mapped_column(default="")
    cluster: Mapped[str] = mapped_column(default="")
    peak_power_w: Mapped[float | None]
    """Of the photovoltaic modules under standard test conditions."""
    tilt_deg: Mapped[float | None]
    azimuth_deg: Mapped[float | None]
    """Clockwise from north: 180 faces south."""
    inverter: Mapped[str] = mapped_column(default="")
    installed_on: Mapped[date | None]
    photo: Mapped[str] = mapped_column(default="")
    """Digest of the picture; empty without one."""
    last_seen: Mapped[datetime | None] = mapped_column(UtcTime, index=True)
    """Time of its newest reading."""
    completeness: Mapped[float | None]
    """Share of the expected readings of the last day that came, 0 to 1."""
    connection_state: Mapped[str] = mapped_column(ByteText, default="")
    """``online``, ``offline``; empty: never heard of."""
    search: Mapped[str] = mapped_column(ByteText, default=searched.of_new_site)
    """By which free text finds it; see `searched`."""


searched.keep(Site, searched.SITE)


class SiteTag(Base):
    """A key=value of a site; its points answer to it where they have none of that key."""

    __tablename__ = "site_tag"
    __table_args__ = (Index(None, "key", "value", "site_id"), {"sqlite_with_rowid": False})
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(ByteText, primary_key=True)
    value: Mapped[str] = mapped_column(ByteText)


class SiteGrant(Base):
    """A site beside the tree: another organization whose people see it as they see their own."""

    __tablename__ = "site_grant"
    __table_args__ = ({"sqlite_with_rowid": False},)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id", ondelete="CASCADE"), primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id", ondelete="CASCADE"), primary_key=True, index=True)
    changes: Mapped[bool]
    """Whether they may change it as their role allows; else they read."""
    created: Mapped[datetime] = mapped_column(UtcTime)


class Space(Base):
    """A part of a site: building, floor, line, machine; ``path`` lists the ids from the topmost down."""

    __tablename__ = "space"
    __table_args__ = ({"sqlite_autoincrement": True},)
    id: Mapped[int] = mapped_column(primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id", ondelete="CASCADE"), index=True)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("space.id"), index=True)
    path: Mapped[str] = mapped_column(ByteText, unique=True)
    name: Mapped[str]
    kind: Mapped[str] = mapped_column(ByteText)
    area_m2: Mapped[float | None]
    note: Mapped[str] = mapped_column(default="")
    created: Mapped[datetime] = mapped_column(UtcTime)
    version: Mapped[int] = mapped_column(default=1)


class ShareLink(Base):
    """A link by which anybody who has it may look at a site, until it ends; known by the hash of its token."""

    __tablename__ = "share_link"
    __table_args__ = ({"sqlite_autoincrement": True},)
    id: Mapped[int] = mapped_column(primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id", ondelete="CASCADE"), index=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    name: Mapped[str]
    maker_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"))
    created: Mapped[datetime] = mapped_column(UtcTime)
    expires: Mapped[datetime] = mapped_column(UtcTime)
    revoked: Mapped[datetime | None] = mapped_column(UtcTime)
