"""What edges say of themselves, kept: cut to what is read of it, whatever a machine says; decides nothing by it."""

from __future__ import annotations

from datetime import datetime
from itertools import islice

import msgspec
from sqlalchemy import update
from sqlalchemy.orm import Session

from wattstead.registry import tables
from wattstead.registry.names import storable
from wattstead.registry.records import EdgeHealth

LONGEST_PROGRAM, LONGEST_TEXT, LONGEST_ID = 50, 1_000, 20
MOST_SOURCES = 1_000
_PLAIN = {"synchronize_session": False}


def keep_health(session: Session, edge_id: int, said: EdgeHealth, now: datetime) -> None:
    """What an edge says of itself."""
    health = msgspec.structs.replace(bounded(said), heard_us=int(now.timestamp() * 1e6))
    told = {"health": msgspec.json.encode(health).decode(), "last_seen": now}
    session.execute(update(tables.Edge).where(tables.Edge.id == edge_id).values(**told), execution_options=_PLAIN)
    one = tables.EdgeConfiguration
    of_edge = one.edge_id == edge_id
    applied = update(one).where(of_edge, one.number == health.applied, one.applied.is_(None))
    session.execute(applied.values(applied=now), execution_options=_PLAIN)
    if health.refused:
        refused = update(one).where(of_edge, one.number == health.refused, one.refused_why == "")
        session.execute(refused.values(refused_why=health.refused_why), execution_options=_PLAIN)


def bounded(health: EdgeHealth) -> EdgeHealth:
    """The same with texts that can be stored, and no longer or more of them than anybody reads."""
    sources = islice(health.sources.items(), MOST_SOURCES)
    return msgspec.structs.replace(
        health,
        program=storable(health.program, LONGEST_PROGRAM),
        refused_why=storable(health.refused_why, LONGEST_TEXT),
        thinned_why=storable(health.thinned_why, LONGEST_TEXT),
        last_error=storable(health.last_error, LONGEST_TEXT),
        sources={storable(one, LONGEST_ID): storable(text, LONGEST_TEXT) for one, text in sources},
    )
