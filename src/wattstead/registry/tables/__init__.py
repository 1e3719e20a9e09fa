"""The tables of the registry as typed mappings; how they come to be is in `migrations`, questions are elsewhere."""

from __future__ import annotations

from typing import cast

from sqlalchemy import Table

from wattstead.registry.tables.dataset import Dataset
from wattstead.registry.tables.devices import Device, DeviceTag, Key, Template
from wattstead.registry.tables.edges import Edge, EdgeConfiguration
from wattstead.registry.tables.mapping import Base, ByteText, UtcTime
from wattstead.registry.tables.people import Account, Invitation, Mail, Membership, PersonTag
from wattstead.registry.tables.places import Organization, ShareLink, Site, SiteGrant, SiteTag, Space
from wattstead.registry.tables.points import Address, Point, PointTag
from wattstead.registry.tables.proofs import (
    Ceremony,
    Identity,
    LoginFailure,
    MailedLink,
    Passkey,
    RecoveryCode,
    Session,
)
from wattstead.registry.tables.sources import Source
from wattstead.registry.tables.trail import Repeatable, Trail, TrailWords

POINT, ADDRESS, POINT_TAG, SITE_TAG, DEVICE_TAG, PERSON_TAG, KEY = (
    cast(Table, t.__table__) for t in (Point, Address, PointTag, SiteTag, DeviceTag, PersonTag, Key)
)
"""The same tables for statements over many rows at once."""

__all__ = [
    "ADDRESS",
    "DEVICE_TAG",
    "KEY",
    "PERSON_TAG",
    "POINT",
    "POINT_TAG",
    "SITE_TAG",
    "Account",
    "Address",
    "Base",
    "ByteText",
    "Ceremony",
    "Dataset",
    "Device",
    "DeviceTag",
    "Edge",
    "EdgeConfiguration",
    "Identity",
    "Invitation",
    "Key",
    "LoginFailure",
    "Mail",
    "MailedLink",
    "Membership",
    "Organization",
    "Passkey",
    "PersonTag",
    "Point",
    "PointTag",
    "RecoveryCode",
    "Repeatable",
    "Session",
    "ShareLink",
    "Site",
    "SiteGrant",
    "SiteTag",
    "Source",
    "Space",
    "Template",
    "Trail",
    "TrailWords",
    "UtcTime",
]
