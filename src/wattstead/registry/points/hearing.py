"""What sites and devices are heard of by: their points, how often they report, and when each was last heard.

Written beside everything else: it is no change of anybody's, so it grows no version, no generation and no trail.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from wattstead.registry.tables import Device, Point, Site

Interval = Callable[[str, int, str], float]
"""How often a device reports, by template, revision and kind of connection; 0: not known."""


class Hearer(msgspec.Struct, frozen=True):
    """A site or device as it is listened to."""

    id: int
    created: datetime
    interval_s: float
    """How often it reports; 0: not known."""


class Hearing(msgspec.Struct, frozen=True):
    """Which points sites and devices are heard by."""

    sites: list[Hearer]
    devices: list[Hearer]
    points: list[tuple[int, int, int]]
    """Point, site and device; 0: none."""


class Heard(msgspec.Struct, frozen=True):
    """What is known of one of them now."""

    id: int
    last_seen: datetime
    """Time of its newest reading."""
    connection_state: str
    """``online``, ``offline``."""
    completeness: float | None
    """Share of the expected readings of the last day that came, 0 to 1; None: not known yet."""


def hearing(session: Session, interval: Interval, beyond: int = 0) -> Hearing:
    """Everything that may be heard of; of the points those with an id ``beyond`` that one."""
    devices = [
        (Hearer(row.id, row.created, interval(row.template, row.revision, row.connection)), row.site_id)
        for row in session.execute(
            select(Device.id, Device.created, Device.template, Device.revision, Device.connection, Device.site_id)
        )
    ]
    often: dict[int, float] = {}
    for one, site_id in devices:
        if site_id is not None and one.interval_s:
            often[site_id] = min(one.interval_s, often.get(site_id, one.interval_s))
    sites = [
        Hearer(row.id, row.created, often.get(row.id, 0.0)) for row in session.execute(select(Site.id, Site.created))
    ]
    wanted = select(Point.id, Point.site_id, Point.device_id).where(Point.id > beyond)
    rows = session.connection().execute(wanted)
    return Hearing(sites, [one for one, _ in devices], [(point, site, device or 0) for point, site, device in rows])


def put_heard(session: Session, table: type[Site] | type[Device], heard: Sequence[Heard]) -> None:
    """Write down what is known now."""
    rows = [{"heard_of": one.id, "seen": one.last_seen, "reports": one.connection_state, "share": one.completeness}
            for one in heard]  # fmt: skip
    if rows:
        plain = table.__table__
        statement = update(plain).where(plain.c.id == bindparam("heard_of"))  # type: ignore[arg-type]
        values: dict[str, Any] = {
            "last_seen": bindparam("seen"),
            "connection_state": bindparam("reports"),
            "completeness": bindparam("share"),
        }
        session.connection().execute(statement.values(values), rows)


def intervals(found: Iterable[tuple[str, int, str, float]]) -> Interval:
    """An `Interval` from rows of template, revision, kind of connection and seconds; the empty kind is the default."""
    known = {(name, revision, kind): seconds for name, revision, kind, seconds in found}
    return lambda name, revision, kind: known.get((name, revision, kind)) or known.get((name, revision, ""), 0.0)
