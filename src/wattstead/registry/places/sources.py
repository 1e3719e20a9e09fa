"""Sources: connections that the server opens, their settings, sealed secrets and own keys; it opens none.

Which settings a protocol has, and which of them are secrets, is known where the protocols are.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from wattstead.registry import names, tables, trail
from wattstead.registry.authority import Reach
from wattstead.registry.errors import AttributeInvalid, Conflict, Unknown
from wattstead.registry.places import keys
from wattstead.registry.places.keys import Terms
from wattstead.registry.places.versions import changeable
from wattstead.registry.policy import Resource, Scope
from wattstead.registry.reach import of
from wattstead.registry.records import KeyGrant, Source, SourceState
from wattstead.registry.seal import Seal, SealBroken
from wattstead.registry.storage import dataset
from wattstead.registry.storage.database import possible
from wattstead.registry.trail import SYSTEM, Actor

PAST_DAYS = 400.0
"""How old a reading may be where nobody said otherwise: more than a year, so that a year's report may still come."""
MOST_AT_SITE = 200
_LONGEST_SETTINGS = 200_000
_MOST_DAYS, _MOST_RATE = 36_500.0, 10_000_000.0
_TOLD = ("name", "protocol", "device_id", "edge_id", "past_days", "rate", "enabled")
_PLAIN = {"synchronize_session": False}


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """What to set of a source; None leaves it as it is."""

    name: str | None = None
    settings: Mapping[str, Any] | None = None
    """All settings that are no secrets."""
    secrets: Mapping[str, str | None] = {}
    """Secrets to set, or with None to forget; the others stay."""
    device_id: int | None = None
    """0: of no device alone."""
    edge_id: int | None = None
    """The machine on site that runs it; 0: the server."""
    past_days: float | None = None
    rate: float | None = None
    enabled: bool | None = None


def create(
    session: Session, site_id: int, protocol: str, given: Given, seal: Seal, now: datetime, by: Actor = SYSTEM,
    most: int | None = None,
) -> Source:  # fmt: skip
    """A new source with a write key of its own; raises `Unknown`, `NameInvalid`, `AttributeInvalid`, `Conflict`."""
    site = session.get(tables.Site, site_id, with_for_update={"read": True}) if possible([site_id]) else None
    if site is None:
        raise Unknown("site", site_id)
    count = select(func.count()).select_from(tables.Source).where(tables.Source.site_id == site_id)
    if (session.scalar(count) or 0) >= (MOST_AT_SITE if most is None else most):
        raise Conflict(
            "source.most",
            f"site {site_id} has {MOST_AT_SITE} sources, which is the most; remove one that is not needed",
            most=MOST_AT_SITE,
        )
    name = names.checked("source", given.name or "")
    device_id = given.device_id or None
    key = keys.create(
        session, site_id, Scope.WRITE, _key_name(name), keys.DEFAULT_POINT_LIMIT, None, None, now,
        Terms(device_id=device_id, plain_http=False), by,
    ).key  # fmt: skip
    row = tables.Source(
        site_id=site_id,
        device_id=device_id,
        key_id=key.id,
        edge_id=_edge(session, given.edge_id or 0, site_id),
        name=name,
        protocol=names.checked("protocol", protocol),
        settings=_checked_settings(given.settings or {}),
        sealed=_sealed("{}", given.secrets, seal),
        past_days=_checked("past_days", PAST_DAYS if given.past_days is None else given.past_days, _MOST_DAYS),
        rate=_checked("rate", given.rate or 0.0, _MOST_RATE),
        enabled=given.enabled is not False,
        created=now,
        changed_at=dataset.bump(session),
    )
    session.add(row)
    session.flush()
    made = _record(row)
    _note(session, now, by, "create", made, {}, _told(made), given.secrets)
    return made


def entrance(session: Session, site_id: int, protocol: str, name: str, seal: Seal, now: datetime) -> Source:
    """A site's source for a door of the server, made where there is none: one, however many ask at once.

    It is no one's of those that people may have. Raises `Unknown`.
    """
    if possible([site_id]):
        session.get(tables.Site, site_id, with_for_update={"key_share": True})
    found = entrance_of(session, site_id, protocol)
    return found or create(session, site_id, protocol, Given(name=name), seal, now, most=2 * MOST_AT_SITE)


def entrance_of(session: Session, site_id: int, protocol: str) -> Source | None:
    """The first source of a protocol at a site."""
    wanted = (tables.Source.site_id.in_(possible([site_id])), tables.Source.protocol == protocol)
    row = session.scalars(select(tables.Source).where(*wanted).order_by(tables.Source.id).limit(1)).first()
    return None if row is None else _record(row)


def change(
    session: Session, source_id: int, given: Given, seal: Seal, now: datetime, *, version: int | None, by: Actor
) -> Source:
    """Set what is given; raises `Unknown`, `Stale`, `NameInvalid`, `AttributeInvalid`."""
    row = changeable(session, tables.Source, source_id, version)
    before = _told(_record(row))
    if given.name is not None:
        row.name = names.checked("source", given.name)
    if given.settings is not None:
        row.settings = _checked_settings(given.settings)
    if given.past_days is not None:
        row.past_days = _checked("past_days", given.past_days, _MOST_DAYS)
    if given.rate is not None:
        row.rate = _checked("rate", given.rate, _MOST_RATE)
    if given.enabled is not None:
        row.enabled = given.enabled
    if given.secrets:
        row.sealed = _sealed(row.sealed, given.secrets, seal)
    if given.device_id is not None:
        row.device_id = _device(session, given.device_id, row.site_id)
    if given.edge_id is not None:
        row.edge_id = _edge(session, given.edge_id, row.site_id)
    _bind_key(session, row)
    return _changed(session, row, before, "change", now, by, given.secrets)


def remove(session: Session, source_id: int, now: datetime, *, version: int | None = None, by: Actor = SYSTEM) -> None:
    """Remove a source; its key ends, its points and their history stay; raises `Unknown`, `Stale`."""
    row = changeable(session, tables.Source, source_id, version)
    found, key_id = _record(row), row.key_id
    session.delete(row)
    session.flush()
    keys.revoke(session, key_id, now, by)
    dataset.bump(session)
    _note(session, now, by, "delete", found, _told(found), {}, {})


def end_with_device(session: Session, device_id: int, now: datetime, by: Actor = SYSTEM) -> None:
    """A device is removed: so are the sources that read it alone."""
    for row in locked(session, device_id):
        remove(session, row.id, now, by=by)


def locked(session: Session, device_id: int) -> Sequence[tables.Source]:
    """The sources of a device, nobody else's to change until the transaction ends; before a generation grows in it."""
    question = select(tables.Source).where(tables.Source.device_id == device_id).order_by(tables.Source.id)
    return session.scalars(question.with_for_update(key_share=True)).all()


def leave_behind(session: Session, device_id: int, now: datetime, by: Actor = SYSTEM) -> None:
    """A device goes to another site: its sources stay where they are, off, until somebody there decides.

    What they hold, addresses and passwords of one network, was told by the people of that site and is theirs.
    """
    for row in locked(session, device_id):
        before = _told(_record(row))
        row.device_id, row.enabled = None, False
        _bind_key(session, row)
        _changed(session, row, before, "left by its device", now, by, {})


def sources(session: Session, reach: Reach | None, *, site_id: int | None = None, source_id: int | None = None,
            device_id: int | None = None) -> list[Source]:  # fmt: skip
    """The sources within reach (None: all), of a site, of a device, or the one of that id; by id."""
    question = select(tables.Source).where(*of(Resource.SOURCE, reach)).order_by(tables.Source.id)
    asked = ((tables.Source.site_id, site_id), (tables.Source.id, source_id), (tables.Source.device_id, device_id))
    for column, value in asked:
        if value is not None:
            question = question.where(column.in_(possible([value])))
    return [_record(row) for row in session.scalars(question)]


def source(session: Session, source_id: int) -> Source:
    """The source of that id; raises `Unknown`."""
    found = sources(session, None, source_id=source_id)
    if not found:
        raise Unknown("source", source_id)
    return found[0]


def ids(session: Session) -> list[int]:
    """The ids of all sources."""
    return list(session.scalars(select(tables.Source.id).order_by(tables.Source.id)))


def states_since(session: Session, generation: int, seal: Seal, now: datetime) -> list[SourceState]:
    """The sources that changed, or whose keys did, after a generation; after 0: all."""
    question = select(tables.Source).join(tables.Key, tables.Key.id == tables.Source.key_id)
    if generation > 0:
        changed = (tables.Source.changed_at > generation) | (tables.Key.changed_at > generation)
        question = question.where(changed)
    rows = session.scalars(question.order_by(tables.Source.id)).all()
    grants = keys.grants_of(session, [row.key_id for row in rows], now)
    return [_state(row, seal, grants) for row in rows]


def state(session: Session, source_id: int, seal: Seal, now: datetime) -> SourceState:
    """A source with its secrets, for whoever opens it; raises `Unknown`."""
    row = session.get(tables.Source, source_id) if possible([source_id]) else None
    if row is None:
        raise Unknown("source", source_id)
    return _state(row, seal, keys.grants_of(session, [row.key_id], now))


def sender(session: Session, source_id: int, key_id: int, now: datetime) -> KeyGrant | None:
    """Under what is kept later what was sent to a source with a key: that key, else the one that replaced it; the
    source's own where it was bound to no device and has ended. None: it is nobody's any more."""
    row, source = session.get(tables.Key, key_id), session.get(tables.Source, source_id)
    if row is None or source is None or row.site_id != source.site_id:
        return None
    wanted = [key_id, *([row.successor_id] if row.successor_id else []), *([] if row.device_id else [source.key_id])]
    grants = keys.grants_of(session, wanted, now)
    return next((grants[one] for one in wanted if one in grants), None)


def _state(row: tables.Source, seal: Seal, grants: Mapping[int, Any]) -> SourceState:
    secrets, fault = {}, ""
    try:
        secrets = _opened(row.sealed, seal)
    except SealBroken:
        fault = "its secrets were sealed by another installation; enter them again"
    return SourceState(source=_record(row), secrets=secrets, grant=grants.get(row.key_id), fault=fault)


def _bind_key(session: Session, row: tables.Source) -> None:
    bound = {"device_id": row.device_id, "name": _key_name(row.name), "changed_at": dataset.bump(session)}
    session.execute(update(tables.Key).where(tables.Key.id == row.key_id).values(**bound), execution_options=_PLAIN)


def _key_name(name: str) -> str:
    return f"source {name}"[: names.LONGEST_NAME]


def _device(session: Session, device_id: int, site_id: int) -> int | None:
    if device_id == 0:
        return None
    row = session.get(tables.Device, device_id) if possible([device_id]) else None
    if row is None or row.site_id != site_id:
        raise Unknown("device", device_id)
    return device_id


def _edge(session: Session, edge_id: int, site_id: int) -> int | None:
    if edge_id == 0:
        return None
    row = session.get(tables.Edge, edge_id) if possible([edge_id]) else None
    if row is None or row.site_id != site_id:
        raise Unknown("edge", edge_id)
    return edge_id


def _checked(name: str, value: float, most: float) -> float:
    if not 0 <= value <= most:
        raise AttributeInvalid(name, f"is {value:g}; give 0 to {most:,.0f}", "", 0, most)
    return value


def _checked_settings(settings: Mapping[str, Any]) -> str:
    text = msgspec.json.encode(settings, order="deterministic").decode()
    if len(text) > _LONGEST_SETTINGS:
        raise AttributeInvalid("settings", f"have {len(text):,} bytes; at most {_LONGEST_SETTINGS:,} are kept")
    if "\\u0000" in text:
        raise AttributeInvalid("settings", "hold the character NUL; leave it out")
    return text


def _sealed(before: str, secrets: Mapping[str, str | None], seal: Seal) -> str:
    held: dict[str, str] = msgspec.json.decode(before, type=dict[str, str])
    for name, secret in secrets.items():
        held.pop(name, None)
        if secret is not None:
            held[name] = base64.b64encode(seal.close(secret)).decode()
    return msgspec.json.encode(held, order="deterministic").decode()


def _opened(sealed: str, seal: Seal) -> dict[str, str]:
    held = msgspec.json.decode(sealed, type=dict[str, str])
    return {name: seal.open(base64.b64decode(value)) for name, value in held.items()}


def _changed(
    session: Session, row: tables.Source, before: dict[str, Any], action: str, now: datetime, by: Actor,
    secrets: Mapping[str, str | None],
) -> Source:  # fmt: skip
    row.version += 1
    row.changed_at = dataset.bump(session)
    session.flush()
    found = _record(row)
    _note(session, now, by, action, found, before, _told(found), secrets)
    return found


def _record(row: tables.Source) -> Source:
    return Source(
        id=row.id,
        site_id=row.site_id,
        device_id=row.device_id,
        key_id=row.key_id,
        edge_id=row.edge_id,
        name=row.name,
        protocol=row.protocol,
        settings=msgspec.json.decode(row.settings),
        secrets=tuple(sorted(msgspec.json.decode(row.sealed, type=dict[str, str]))),
        past_days=row.past_days,
        rate=row.rate,
        enabled=row.enabled,
        created=row.created,
        version=row.version,
    )


def _told(found: Source) -> dict[str, Any]:
    """What the trail keeps of a source: its settings one by one, and which secrets it has, never what they are."""
    told = {name: getattr(found, name) for name in _TOLD}
    return told | {"secrets set": list(found.secrets)} | {f"setting {k}": v for k, v in found.settings.items()}


def _note(
    session: Session, now: datetime, by: Actor, action: str, source: Source, before: dict[str, Any],
    after: dict[str, Any], secrets: Mapping[str, str | None],
) -> None:  # fmt: skip
    told = after | ({"secrets told anew": sorted(secrets)} if secrets else {})
    trail.note(
        session, now, by, action, Resource.SOURCE, source.id, site_id=source.site_id, before=before, after=told
    )  # fmt: skip
