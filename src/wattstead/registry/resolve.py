"""Addresses to point ids: known ones are looked up, new ones get a point, in one transaction per batch.

Nothing is cached here. The answer is committed before it is given, so a journal may hold the ids at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from wattstead.metering.quantity import Direction, Kind, Quantity, Role
from wattstead.registry import dataset, names, tables, tags
from wattstead.registry.declare import insert_points, known_ids, lock_site
from wattstead.registry.errors import AddressError, KeyRevoked, PointLimit
from wattstead.registry.records import KeyGrant, NewAddress, Resolution

_LONGEST_HINT = 40


def look_up(session: Session, site_id: int, addresses: Sequence[NewAddress]) -> Resolution:
    """The ids of addresses that exist, and the faults of those that may not; what is new is in neither."""
    refused: dict[str, AddressError] = {}
    sound = []
    for address in addresses:
        fault = names.address_fault(address.path)
        if fault:
            refused[address.path] = fault
        else:
            sound.append(address.path)
    return Resolution(known_ids(session, site_id, sound) if sound else {}, refused)


def resolve(session: Session, grant: KeyGrant, addresses: Sequence[NewAddress], now: datetime) -> Resolution:
    """The ids of all addresses; a new one creates a gauge of unknown quantity while the key's limit allows.

    Each address that gets none is in ``refused`` with its own error, the others succeed. Of several processes that
    bring the same new address one creates it and the others find it: the site is locked before the second look.
    Raises `KeyRevoked`, `Unknown` for the site.
    """
    lock_site(session, grant.site_id)
    found = look_up(session, grant.site_id, addresses)
    new = {a.path: a for a in addresses if a.path not in found.ids and a.path not in found.refused}
    if not new:
        return found
    limit, count = _allowance(session, grant.id)
    accepted = list(new.values())[: max(0, limit - count)]
    for address in list(new.values())[len(accepted) :]:
        found.refused[address.path] = PointLimit(address.path, limit)
    paths = [address.path for address in accepted]
    ids = dict(zip(paths, dataset.next_point_ids(session, len(paths)), strict=True))
    insert_points(session, grant.site_id, ids, [_appeared(a, ids[a.path], grant, now) for a in accepted])
    tags.add_point_tags(session, {ids[a.path]: _sound_tags(a) for a in accepted if a.tags})
    if accepted:
        session.execute(
            update(tables.Key).where(tables.Key.id == grant.id).values(point_count=count + len(accepted)),
            execution_options={"synchronize_session": False},
        )
    found.ids.update(ids)
    return found


def _allowance(session: Session, key_id: int) -> tuple[int, int]:
    row = session.execute(
        select(tables.Key.point_limit, tables.Key.point_count, tables.Key.revoked)
        .where(tables.Key.id == key_id)
        .with_for_update(key_share=True)
    ).one_or_none()
    if row is None or row[2] is not None:
        raise KeyRevoked(key_id)
    return row[0], row[1]


def _appeared(address: NewAddress, point_id: int, grant: KeyGrant, now: datetime) -> dict[str, Any]:
    name = address.name if not names.fault(address.name) else names.last_part(address.path)
    return {
        "id": point_id,
        "site_id": grant.site_id,
        "device_id": None,
        "key_id": grant.id,
        "name": name,
        "role": Role.NONE.value,
        "adopted": False,
        "kind": Kind.GAUGE.value,
        "quantity": Quantity.UNKNOWN.value,
        "direction": Direction.NONE.value,
        "unit": "",
        "unit_hint": "" if names.fault(address.unit, _LONGEST_HINT) else address.unit,
        "resolution": 0.0,
        "width": 0,
        "max_rate": 0.0,
        "max_gap_s": 1800.0,
        "rule_version": 1,
        "changed_at": 0,
        "created": now,
    }


def _sound_tags(address: NewAddress) -> dict[str, str]:
    """Tags that may be stored; a sender's odd tag must not cost it the reading, its address names it still."""
    return {k: v for k, v in address.tags.items() if not names.fault(k, tags.LONGEST_KEY) and not names.fault(v)}
