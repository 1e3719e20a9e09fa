"""Mobile data: bytes that came with keys, added up per device and calendar month; a month is that of the site's zone.

Written beside everything else: it is no change of anybody's, so it grows no version, no generation and no trail.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, func, or_, select, update
from sqlalchemy.orm import Session

from wattstead.registry.storage.database import integers, possible
from wattstead.registry.tables import Device, Key, Site

MOBILE = "mobile"
"""The kind of connection that is one to a mobile network."""
_COUNTS = or_(Device.connection.in_(("", MOBILE)), Device.mobile_budget_bytes.is_not(None))
_TABLE: Any = Device.__table__


def begin_months(session: Session, now: datetime) -> None:
    """Devices whose month is over have used nothing in the new one."""
    over = update(_TABLE).where(_TABLE.c.mobile_until <= now)
    session.connection().execute(over.values(mobile_bytes=0, mobile_until=None))


def add(session: Session, received: Mapping[int, int], now: datetime) -> None:
    """Add bytes by key id to the devices of those keys; a key that is no device's counts for the only one of its site
    that can have used mobile data: one with a budget, or not told to be connected by something else.
    """
    sums, zones = _by_device(session, received)
    rows = [
        {"counted": device_id, "more": size, "until": month_end(now, zones[device_id])}
        for device_id, size in sorted(sums.items())
    ]
    if not rows:
        return
    columns = _TABLE.c
    values = {
        "mobile_bytes": columns.mobile_bytes + bindparam("more"),
        "mobile_until": func.coalesce(columns.mobile_until, bindparam("until", type_=columns.mobile_until.type)),
    }
    session.connection().execute(update(_TABLE).where(columns.id == bindparam("counted")).values(values), rows)


def month_end(now: datetime, zone: str) -> datetime:
    """The instant at which the present calendar month of a zone ends.

    >>> month_end(datetime(2026, 3, 31, 22, 30, tzinfo=UTC), "Europe/Berlin").isoformat()
    '2026-04-30T22:00:00+00:00'
    """
    there = now.astimezone(ZoneInfo(zone))
    year, month = (there.year + 1, 1) if there.month == 12 else (there.year, there.month + 1)
    return datetime(year, month, 1, tzinfo=there.tzinfo).astimezone(UTC)


def _by_device(session: Session, received: Mapping[int, int]) -> tuple[Counter[int], dict[int, str]]:
    """Bytes and zones by device."""
    keys = session.execute(
        select(Key.id, Key.site_id, Key.device_id).where(Key.id.in_(integers(session, possible(received))))
    ).all()
    sites = {site_id for _, site_id, _ in keys}
    devices = session.execute(
        select(Device.id, Device.site_id, Site.zone)
        .join(Site, Site.id == Device.site_id)
        .where(Device.site_id.in_(integers(session, sorted(sites))), _COUNTS)
    ).all()
    zones = {device_id: zone for device_id, _, zone in devices}
    count = Counter(site_id for _, site_id, _ in devices)
    only = {site_id: device_id for device_id, site_id, _ in devices if count[site_id] == 1}
    sums: Counter[int] = Counter()
    for key_id, site_id, device_id in keys:
        counted = device_id or only.get(site_id, 0)
        if counted in zones:
            sums[counted] += received[key_id]
    return sums, zones
