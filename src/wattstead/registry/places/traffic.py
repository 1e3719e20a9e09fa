"""Mobile data: bytes that came with keys, added up per device and calendar month; a month is that of the site's zone.

Written beside everything else: it is no change of anybody's, so it grows no version, no generation and no trail.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, func, or_, select, update
from sqlalchemy.orm import Session

from wattstead.registry.storage.database import integers, possible
from wattstead.registry.tables import Device, Key, Site

MOBILE = "mobile"
"""The kind of connection that is one to a mobile network."""
_TABLE: Any = Device.__table__


def begin_months(session: Session, now: datetime) -> None:
    """Devices whose month is over have used nothing in the new one."""
    over = update(_TABLE).where(_TABLE.c.mobile_until <= now)
    session.connection().execute(over.values(mobile_bytes=0, mobile_until=None))


def add(session: Session, received: Mapping[int, int], now: datetime) -> None:
    """Add bytes by key id to the devices of those keys; a key that is no device's counts for the only one of its site.

    A device counts unless it is told to be connected by something else than a mobile network and has no budget.
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
    only = _only_devices(session, {site_id for _, site_id, device_id in keys if device_id is None})
    sums: Counter[int] = Counter()
    for key_id, site_id, device_id in keys:
        counted = device_id or only.get(site_id)
        if counted is not None:
            sums[counted] += received[key_id]
    mobile = or_(Device.connection.in_(("", MOBILE)), Device.mobile_budget_bytes.is_not(None))
    found = session.execute(
        select(Device.id, func.coalesce(Site.zone, "UTC"))
        .outerjoin(Site, Site.id == Device.site_id)
        .where(Device.id.in_(integers(session, list(sums))), mobile)
    )
    zones = {row[0]: row[1] for row in found}
    return Counter({device_id: size for device_id, size in sums.items() if device_id in zones}), zones


def _only_devices(session: Session, site_ids: Iterable[int]) -> dict[int, int]:
    """The device of each of these sites that has just one."""
    rows = session.execute(
        select(Device.site_id, func.min(Device.id))
        .where(Device.site_id.in_(integers(session, list(site_ids))))
        .group_by(Device.site_id)
        .having(func.count() == 1)
    )
    return {site_id: device_id for site_id, device_id in rows if site_id is not None}
