"""Edges: machines on site, their keys, what people set of them, and how far their readings have come.

What is signed, encrypted and sent to them is made elsewhere; here is only what it is made of.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Select, delete, func, select, update
from sqlalchemy.orm import Session

from wattstead.registry import names, tables, trail
from wattstead.registry.authority import Reach
from wattstead.registry.errors import Conflict, LinkInvalid, Unknown
from wattstead.registry.places import keys, sources
from wattstead.registry.places.keys import Terms
from wattstead.registry.places.versions import changeable
from wattstead.registry.points import points
from wattstead.registry.policy import Resource, Scope
from wattstead.registry.reach import of
from wattstead.registry.records import (
    Edge,
    EdgeConfiguration,
    EdgeEntry,
    EdgeHealth,
    EdgePlan,
    EdgePoint,
    EdgeSettings,
    NewEdge,
)
from wattstead.registry.seal import Seal
from wattstead.registry.storage import dataset
from wattstead.registry.storage.database import possible
from wattstead.registry.trail import SYSTEM, Actor

MOST_AT_SITE = 20
CODE_LIFE = timedelta(days=2)
_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_CODE_LENGTH = 20
MOST_CONFIGURATIONS = 50
"""Of one edge that are remembered."""
_PLAIN = {"synchronize_session": False}


def create(session: Session, site_id: int, name: str, settings: EdgeSettings, now: datetime, by: Actor) -> NewEdge:
    """A new edge and the code with which a machine becomes it; raises `Unknown`, `NameInvalid`, `Conflict`."""
    site = session.get(tables.Site, site_id, with_for_update={"read": True}) if possible([site_id]) else None
    if site is None:
        raise Unknown("site", site_id)
    count = select(func.count()).select_from(tables.Edge).where(tables.Edge.site_id == site_id)
    if (session.scalar(count) or 0) >= MOST_AT_SITE:
        raise Conflict(
            "edge.most",
            f"site {site_id} has {MOST_AT_SITE} edges, which is the most; remove one that is not needed",
            most=MOST_AT_SITE,
        )
    name = names.checked("edge", name)
    key = keys.create(
        session, site_id, Scope.WRITE, f"edge {name}"[: names.LONGEST_NAME], keys.DEFAULT_POINT_LIMIT, None, None, now,
        Terms(plain_http=False), by,
    ).key  # fmt: skip
    row = tables.Edge(
        site_id=site_id,
        key_id=key.id,
        name=name,
        signing_key="",
        sealing_key="",
        settings=msgspec.json.encode(settings).decode(),
        enabled=True,
        wanted=0,
        wanted_digest="",
        sequence=0,
        sequence_digest="",
        sequence_at=0,
        health="{}",
        created=now,
        changed_at=dataset.bump(session),
    )
    code = _new_code(row, now)
    session.add(row)
    session.flush()
    made = _record(row)
    _note(session, now, by, "create", made, {}, _told(made))
    return NewEdge(made, code)


def new_code(session: Session, edge_id: int, now: datetime, by: Actor) -> NewEdge:
    """Another code, for a machine that replaces the one that joined, or did not in time; raises `Unknown`."""
    row = changeable(session, tables.Edge, edge_id)
    code = _new_code(row, now)
    session.flush()
    found = _record(row)
    _note(session, now, by, "new code", found, {}, {})
    return NewEdge(found, code)


def end_codes(session: Session, sites: Select[int]) -> None:
    """Let no machine become an edge of these sites by a code that was shown before."""
    shown = update(tables.Edge).where(tables.Edge.site_id.in_(sites), tables.Edge.code_hash.is_not(None))
    session.execute(
        shown.values(
            code_hash=None, code_until=None, version=tables.Edge.version + 1, changed_at=dataset.bump(session)
        ),
        execution_options=_PLAIN,
    )


def join(session: Session, code: str, signing_key: str, sealing_key: str, now: datetime) -> Edge:
    """A machine shows the code and its public keys, and is the edge from now on; raises `LinkInvalid`.

    Whatever machine was the edge before is let in no longer. The uploads are counted anew.
    """
    question = select(tables.Edge).where(tables.Edge.code_hash == _hash(code)).with_for_update()
    row = session.scalar(question)
    if row is None or row.code_until is None or row.code_until <= now:
        raise LinkInvalid
    row.code_hash = row.code_until = None
    row.signing_key, row.sealing_key, row.joined = signing_key, sealing_key, now
    row.sequence, row.sequence_digest, row.sequence_at = 0, "", 0
    row.health, row.last_seen = "{}", now
    row.version += 1
    row.changed_at = dataset.bump(session)
    session.flush()
    found = _record(row)
    _note(session, now, SYSTEM, "join", found, {}, {"signing_key": signing_key, "sealing_key": sealing_key})
    return found


def change(
    session: Session, edge_id: int, name: str | None, settings: EdgeSettings | None, enabled: bool | None,
    now: datetime, *, version: int | None, by: Actor,
) -> Edge:  # fmt: skip
    """Set what is given; raises `Unknown`, `Stale`, `NameInvalid`."""
    row = changeable(session, tables.Edge, edge_id, version)
    before = _told(_record(row))
    if name is not None:
        row.name = names.checked("edge", name)
    if settings is not None:
        row.settings = msgspec.json.encode(settings).decode()
    if enabled is not None:
        row.enabled = enabled
    row.version += 1
    row.changed_at = dataset.bump(session)
    session.flush()
    found = _record(row)
    _note(session, now, by, "change", found, before, _told(found))
    return found


def remove(session: Session, edge_id: int, now: datetime, *, version: int | None = None, by: Actor = SYSTEM) -> None:
    """Remove an edge: its key ends, its sources are the server's again and switched off; raises `Unknown`, `Stale`."""
    row = changeable(session, tables.Edge, edge_id, version)
    found, key_id = _record(row), row.key_id
    changed = dataset.bump(session)
    left = update(tables.Source).where(tables.Source.edge_id == edge_id)
    session.execute(
        left.values(edge_id=None, enabled=False, version=tables.Source.version + 1, changed_at=changed),
        execution_options=_PLAIN,
    )
    session.expunge(row)
    forget(session, tables.Edge.id == edge_id)
    session.flush()
    keys.revoke(session, key_id, now, by)
    _note(session, now, by, "delete", found, _told(found), {})


def edges(
    session: Session, reach: Reach | None, *, site_id: int | None = None, edge_id: int | None = None
) -> list[Edge]:
    """The edges within reach (None: all), of a site, or the one of that id; by id."""
    question = select(tables.Edge).where(*of(Resource.EDGE, reach)).order_by(tables.Edge.id)
    for column, value in ((tables.Edge.site_id, site_id), (tables.Edge.id, edge_id)):
        if value is not None:
            question = question.where(column.in_(possible([value])))
    return [_record(row) for row in session.scalars(question)]


def edge(session: Session, edge_id: int) -> Edge:
    """The edge of that id; raises `Unknown`."""
    found = edges(session, None, edge_id=edge_id)
    if not found:
        raise Unknown("edge", edge_id)
    return found[0]


def entry(session: Session, edge_id: int, now: datetime) -> EdgeEntry | None:
    """What lets an edge in; None when there is none, or no machine has joined as it."""
    row = session.get(tables.Edge, edge_id) if possible([edge_id]) else None
    if row is None or not row.signing_key:
        return None
    own = select(tables.Source.id, tables.Source.key_id).where(tables.Source.edge_id == edge_id)
    key_of: dict[int, int] = dict(session.execute(own).all())
    grants = keys.grants_of(session, [row.key_id, *key_of.values()], now)
    return EdgeEntry(
        id=row.id,
        site_id=row.site_id,
        signing_key=row.signing_key,
        grant=grants.get(row.key_id) if row.enabled else None,
        grants={source_id: grants[key_id] for source_id, key_id in key_of.items() if key_id in grants},
        sequence=row.sequence,
        sequence_digest=row.sequence_digest,
        sequence_at=row.sequence_at,
    )


def plan(session: Session, edge_id: int, seal: Seal, now: datetime) -> EdgePlan:
    """Everything its configuration is made of; raises `Unknown`."""
    row = session.get(tables.Edge, edge_id) if possible([edge_id]) else None
    if row is None:
        raise Unknown("edge", edge_id)
    own = tables.Source.edge_id == edge_id
    ids = list(session.scalars(select(tables.Source.id).where(own).order_by(tables.Source.id)))
    meanings = {one.id: one for one in points.meanings(session, tables.Point.site_id == row.site_id)}
    addresses = select(tables.Address.path, tables.Address.point_id, tables.Point.adopted)
    addresses = addresses.join(tables.Point, tables.Point.id == tables.Address.point_id)
    addresses = addresses.where(tables.Address.site_id == row.site_id).order_by(tables.Address.path)
    found = session.execute(addresses).all()
    return EdgePlan(
        edge=_record(row),
        sealing_key=row.sealing_key,
        sources=[sources.state(session, source_id, seal, now) for source_id in ids],
        points=[
            EdgePoint(path, meanings[point_id], adopted) for path, point_id, adopted in found if point_id in meanings
        ],
    )


def number(session: Session, edge_id: int, digest: str, now: datetime) -> int:
    """The number of a configuration of this digest: the present one's, or the next; raises `Unknown`."""
    row = changeable(session, tables.Edge, edge_id)
    if row.wanted_digest != digest:
        row.wanted_digest, row.wanted = digest, row.wanted + 1
        own = tables.Source.edge_id == edge_id
        run = session.scalars(select(tables.Source.name).where(own, tables.Source.enabled).order_by(tables.Source.id))
        session.add(
            tables.EdgeConfiguration(
                edge_id=edge_id, number=row.wanted, made=now, settings=row.settings, applied=None, refused_why="",
                sources=msgspec.json.encode(list(run)).decode(),
            )
        )  # fmt: skip
        old = tables.EdgeConfiguration.number <= row.wanted - MOST_CONFIGURATIONS
        session.execute(delete(tables.EdgeConfiguration).where(_of_edge(edge_id), old), execution_options=_PLAIN)
    return row.wanted


def configurations(session: Session, edge_id: int) -> list[EdgeConfiguration]:
    """What an edge was offered, newest first."""
    question = select(tables.EdgeConfiguration).where(tables.EdgeConfiguration.edge_id.in_(possible([edge_id])))
    return [
        EdgeConfiguration(
            number=row.number, made=row.made, settings=msgspec.json.decode(row.settings, type=EdgeSettings),
            sources=msgspec.json.decode(row.sources, type=list[str]), applied=row.applied, refused_why=row.refused_why,
        )
        for row in session.scalars(question.order_by(tables.EdgeConfiguration.number.desc()))
    ]  # fmt: skip


def keep_sequences(session: Session, uploads: Mapping[int, tuple[int, str, int]], now: datetime) -> None:
    """Uploads are in the journal: number, digest and time (µs) of the last one by edge; earlier ones change nothing."""
    for edge_id, (sequence, digest, at_us) in sorted(uploads.items()):
        told = {"sequence": sequence, "sequence_digest": digest, "sequence_at": at_us, "last_seen": now}
        session.execute(
            update(tables.Edge).where(tables.Edge.id == edge_id, tables.Edge.sequence < sequence).values(**told),
            execution_options=_PLAIN,
        )


def forget(session: Session, which: ColumnElement[bool]) -> None:
    """Remove edges with what they were offered."""
    gone = select(tables.Edge.id).where(which)
    session.execute(
        delete(tables.EdgeConfiguration).where(tables.EdgeConfiguration.edge_id.in_(gone)), execution_options=_PLAIN
    )
    session.execute(delete(tables.Edge).where(which), execution_options=_PLAIN)


def _of_edge(edge_id: int) -> ColumnElement[bool]:
    return tables.EdgeConfiguration.edge_id == edge_id


def _new_code(row: tables.Edge, now: datetime) -> str:
    code = "".join(secrets.choice(_ALPHABET) for _ in range(_CODE_LENGTH))
    row.code_hash, row.code_until = _hash(code), now + CODE_LIFE
    return "-".join(code[at : at + 5] for at in range(0, _CODE_LENGTH, 5))


def _hash(code: str) -> bytes:
    """What is stored of a code: 100 random bits, so a plain SHA-256 cannot be searched."""
    plain = code.replace("-", "").replace(" ", "").upper()
    return hashlib.sha256(plain.encode("utf-8", "surrogatepass")).digest()


def _record(row: tables.Edge) -> Edge:
    return Edge(
        id=row.id,
        site_id=row.site_id,
        key_id=row.key_id,
        name=row.name,
        joined=row.joined,
        code_until=row.code_until,
        settings=msgspec.json.decode(row.settings, type=EdgeSettings),
        enabled=row.enabled,
        wanted=row.wanted,
        sequence=row.sequence,
        last_seen=row.last_seen,
        health=msgspec.json.decode(row.health, type=EdgeHealth),
        created=row.created,
        version=row.version,
    )


def _told(found: Edge) -> dict[str, Any]:
    settings: dict[str, Any] = msgspec.to_builtins(found.settings)
    return {"name": found.name, "enabled": found.enabled} | {f"setting {k}": v for k, v in settings.items()}


def _note(
    session: Session, now: datetime, by: Actor, action: str, edge: Edge, before: dict[str, Any], after: dict[str, Any]
) -> None:
    trail.note(session, now, by, action, Resource.EDGE, edge.id, site_id=edge.site_id, before=before, after=after)
