"""Posting: whether the readings of a device are taken; the doors learn of it with the next generation."""

from __future__ import annotations

from datetime import datetime

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from wattstead.registry import trail
from wattstead.registry.errors import Stale, Unknown
from wattstead.registry.policy import Resource
from wattstead.registry.storage import dataset
from wattstead.registry.storage.database import possible
from wattstead.registry.tables import Device, Point
from wattstead.registry.trail import SYSTEM, Actor


class Closed(msgspec.Struct, frozen=True):
    """What is not taken at present."""

    devices: frozenset[int] = frozenset()
    points: dict[int, int] = {}
    """Points of those devices, and whose they are."""


def put_posting(
    session: Session, device_id: int, enabled: bool, now: datetime, *, version: int | None = None, by: Actor = SYSTEM
) -> int:
    """Take the readings of a device, or no more; the device's version afterwards. Raises `Unknown`, `Stale`."""
    wanted = select(Device).where(Device.id.in_(possible([device_id]))).with_for_update(key_share=True)
    row = session.scalar(wanted.execution_options(populate_existing=True))
    if row is None:
        raise Unknown("device", device_id)
    if version is not None and version != row.version:
        raise Stale("device", device_id, row.version, version)
    if row.posting is enabled:
        return row.version
    row.posting, row.version = enabled, row.version + 1
    trail.note(
        session, now, by, "enable posting" if enabled else "disable posting", Resource.DEVICE, device_id,
        organization_id=row.organization_id, site_id=row.site_id,
        before={"posting": not enabled}, after={"posting": enabled},
    )  # fmt: skip
    session.flush()
    dataset.bump(session)  # what is closed is asked for anew with each generation
    return row.version


def closed(session: Session) -> Closed:
    """The devices whose readings are not taken, and their points where they are: what a device that was taken away left
    at a site is that site's.
    """
    shut = select(Device.id).where(Device.posting.is_(False))
    points = select(Point.id, Point.device_id).join(Device, Device.id == Point.device_id)
    points = points.where(Device.posting.is_(False), Device.site_id == Point.site_id)
    of = {point_id: device_id for point_id, device_id in session.execute(points) if device_id}
    return Closed(frozenset(session.scalars(shut)), of)
