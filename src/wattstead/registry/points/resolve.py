"""Addresses to point ids: known ones are looked up, new ones get a point, in one transaction per batch.

Nothing is cached here. The answer is committed before it is given, so a journal may hold the ids at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import bindparam, select, tuple_, update
from sqlalchemy.orm import Session

from wattstead.metering.point import usual_gap_s
from wattstead.metering.quantity import Direction, Kind, Quantity, Role
from wattstead.registry import names, tables
from wattstead.registry.errors import AddressError, KeyRevoked, PointLimit, RegistryError
from wattstead.registry.points import tags
from wattstead.registry.points.declare import insert_points, known_ids, lock_sites
from wattstead.registry.records import KeyGrant, NewAddress, Resolution
from wattstead.registry.storage import dataset
from wattstead.registry.storage.database import integers, pairs

_LONGEST_HINT = 40


class Asked(NamedTuple):
    """The addresses that came under one key."""

    grant: KeyGrant
    addresses: Sequence[NewAddress]


def look_up(session: Session, asked: Sequence[tuple[int, Sequence[NewAddress]]]) -> list[Resolution]:
    """The ids of those addresses of sites that exist, and the faults of those that may not; creates nothing."""
    sifted = [(site_id, *_sifted(addresses)) for site_id, addresses in asked]
    known = _known(session, [(site_id, address.path) for site_id, sound, _ in sifted for address in sound])
    return [
        Resolution({a.path: known[site_id, a.path] for a in sound if (site_id, a.path) in known}, refused)
        for site_id, sound, refused in sifted
    ]


def is_whole(found: Resolution, addresses: Sequence[NewAddress]) -> bool:
    """Whether each of the addresses has an id or is refused."""
    return all(address.path in found.ids or address.path in found.refused for address in addresses)


def resolve(session: Session, asked: Sequence[Asked], now: datetime) -> list[Resolution | RegistryError]:
    """The ids of all addresses; a new one creates a gauge of unknown quantity while its key's limit allows.

    Each address that gets none is in ``refused`` with its own error, the others succeed; a revoked key gets
    `KeyRevoked`. Of several processes that bring the same new address one creates it and the others find it: the sites
    are locked before the look.
    """
    lock_sites(session, [one.grant.site_id for one in asked])
    keys = _keys(session, [one.grant.id for one in asked])
    sifted = [_sifted(one.addresses) for one in asked]
    wanted = [(one.grant, sound, refused) for one, (sound, refused) in zip(asked, sifted, strict=True)]
    known = _known(session, [(grant.site_id, address.path) for grant, sound, _ in wanted for address in sound])
    fresh: dict[tuple[int, str], tuple[NewAddress, KeyGrant]] = {}
    for grant, sound, refused in wanted:
        new = [a for a in sound if (grant.site_id, a.path) not in known and (grant.site_id, a.path) not in fresh]
        if grant.id in keys:
            accepted = keys[grant.id].take(new, refused)
            fresh.update({(grant.site_id, address.path): (address, grant) for address in accepted})
    devices = {key_id: allowance.device_id for key_id, allowance in keys.items()}
    known.update(_create(session, fresh, devices, now))
    _put_counts(session, keys)
    return [
        Resolution({a.path: known[grant.site_id, a.path] for a in sound if a.path not in refused}, refused)
        if grant.id in keys
        else KeyRevoked(grant.id)
        for grant, sound, refused in wanted
    ]


def _sifted(addresses: Sequence[NewAddress]) -> tuple[list[NewAddress], dict[str, AddressError]]:
    faults = {address.path: names.address_fault(address.path) for address in addresses}
    refused: dict[str, AddressError] = {path: fault for path, fault in faults.items() if fault}
    return [address for address in addresses if address.path not in refused], refused


class _Allowance:
    """How many points a key has created and may, and whose device they are."""

    __slots__ = ("before", "count", "device_id", "limit")

    def __init__(self, limit: int, count: int, device_id: int | None) -> None:
        self.limit, self.count, self.before, self.device_id = limit, count, count, device_id

    def take(self, new: Sequence[NewAddress], refused: dict[str, AddressError]) -> list[NewAddress]:
        """The new addresses within the limit, each once, counted; the others are refused."""
        distinct = list({address.path: address for address in new}.values())
        accepted = distinct[: max(0, self.limit - self.count)]
        refused.update({a.path: PointLimit(a.path, self.limit) for a in distinct[len(accepted) :]})
        self.count += len(accepted)
        return accepted


def _keys(session: Session, key_ids: Sequence[int]) -> dict[int, _Allowance]:
    """How many points the keys that still stand may create."""
    rows = session.execute(
        select(tables.Key.id, tables.Key.point_limit, tables.Key.point_count, tables.Key.device_id)
        .where(tables.Key.id.in_(integers(session, key_ids)), tables.Key.revoked.is_(None))
        .order_by(tables.Key.id)
        .with_for_update(key_share=True)
    )
    return {key_id: _Allowance(limit, count, device_id) for key_id, limit, count, device_id in rows}


def _put_counts(session: Session, keys: Mapping[int, _Allowance]) -> None:
    grown = [{"key": key_id, "count": a.count} for key_id, a in keys.items() if a.count > a.before]
    if grown:
        session.connection().execute(
            update(tables.KEY).where(tables.KEY.c.id == bindparam("key")).values(point_count=bindparam("count")), grown
        )


def _known(session: Session, places: Sequence[tuple[int, str]]) -> dict[tuple[int, str], int]:
    by_site: dict[int, list[str]] = {}
    for site_id, path in places:
        by_site.setdefault(site_id, []).append(path)
    if len(by_site) <= 1:
        return {(s, path): p for s, paths in by_site.items() for path, p in known_ids(session, s, paths).items()}
    address = tables.Address
    rows = session.execute(
        select(address.site_id, address.path, address.point_id).where(
            tuple_(address.site_id, address.path).in_(pairs(session, places))
        )
    )
    return {(site_id, path): point_id for site_id, path, point_id in rows}


def _create(
    session: Session,
    fresh: Mapping[tuple[int, str], tuple[NewAddress, KeyGrant]],
    devices: Mapping[int, int | None],
    now: datetime,
) -> dict[tuple[int, str], int]:
    ids = dict(zip(fresh, dataset.next_point_ids(session, len(fresh)), strict=True)) if fresh else {}
    insert_points(session, ids, [_appeared(a, ids[place], g, devices[g.id], now) for place, (a, g) in fresh.items()])
    tags.add_point_tags(session, {ids[place]: _sound_tags(a) for place, (a, _) in fresh.items() if a.tags})
    return ids


def _appeared(
    address: NewAddress, point_id: int, grant: KeyGrant, device_id: int | None, now: datetime
) -> dict[str, Any]:
    name = address.name if not names.fault(address.name) else names.last_part(address.path)
    return {
        "id": point_id,
        "site_id": grant.site_id,
        "device_id": device_id,
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
        "max_gap_s": usual_gap_s(Kind.GAUGE),
        "pulses_per_kwh": 0.0,
        "open_to": "",
        "rule_version": 1,
        "changed_at": 0,
        "created": now,
    }


def _sound_tags(address: NewAddress) -> dict[str, str]:
    """Tags that may be stored; a sender's odd tag must not cost it the reading, its address names it still."""
    return {k: v for k, v in address.tags.items() if not names.fault(k, tags.LONGEST_KEY) and not names.fault(v)}
