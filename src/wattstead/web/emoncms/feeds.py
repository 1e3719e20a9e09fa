"""Feeds: every point as EmonCMS lists one, its latest value, its extent; their history is in `feed_history`."""

from __future__ import annotations

from wattstead.ingest.emoncms.address import address_of, input_of
from wattstead.ingest.emoncms.names import clean
from wattstead.registry.records import KeyGrant, NewAddress, PointRow, Scope
from wattstead.web.emoncms.asked import Asked
from wattstead.web.emoncms.feed_times import TimeInvalid, moment
from wattstead.web.emoncms.inputs import Newest, newest
from wattstead.web.emoncms.php import Json, whole
from wattstead.web.readings import history

ENGINE = "5"
_NEAR_US = 300_000_000
_MOST_FETCHED = 1_000
MISSING: Json = {"success": False, "message": "Feed does not exist"}


async def feed(asked: Asked, feed_id: int) -> PointRow | None:
    """The point of a feed id, when it is the reader's to see."""
    return (await asked.points([feed_id])).get(feed_id)


async def listed(asked: Asked) -> Json:
    """``feed/list``; ``false`` without a key."""
    if asked.reader is None:
        return False
    rows = list((await asked.all_points()).values())
    last = newest(asked.rooms, [row.point.id for row in rows])
    extents = await _extents(asked, rows) if whole(asked.parameter("meta")) or asked.action == "listwithmeta" else {}
    return [_described(row, last.get(row.point.id)) | extents.get(row.point.id, {}) for row in rows]


async def aget(asked: Asked) -> Json:
    """``feed/aget``: everything about a feed."""
    row = await feed(asked, whole(asked.parameter("id")))
    return MISSING if row is None else _described(row, newest(asked.rooms, [row.point.id]).get(row.point.id))


async def get(asked: Asked) -> Json:
    """``feed/get``: one field."""
    row = await feed(asked, whole(asked.parameter("id")))
    if row is None:
        return MISSING
    name = asked.parameter("field")
    if not name:
        return {"success": False, "message": "Missing field parameter"}
    return _described(row, newest(asked.rooms, [row.point.id]).get(row.point.id)).get(name, False)


async def value(asked: Asked) -> Json:
    """``feed/value``: the latest, or the one nearest to ``time``."""
    row = await feed(asked, whole(asked.parameter("id")))
    if row is None:
        return MISSING
    at = asked.parameter("time")
    if not at or at == "0":
        return newest(asked.rooms, [row.point.id]).get(row.point.id, Newest(None, None)).value
    try:
        at_us = round(moment(at, row.point.zone) * 1e6)
    except TimeInvalid as error:
        return {"success": False, "message": str(error)}
    before = await history.newest(asked.rooms, row, at_us - _NEAR_US, at_us + 1, 1)
    after = await history.readings(asked.rooms, row, at_us + 1, at_us + _NEAR_US, 1)
    near = [(abs(int(one.time_us[0]) - at_us), float(one.value[0])) for one in (before, after) if len(one)]
    return min(near, key=lambda found: found[0])[1] if near else None


async def timevalue(asked: Asked) -> Json:
    """``feed/timevalue``: the latest reading."""
    row = await feed(asked, whole(asked.parameter("id")))
    if row is None:
        return MISSING
    last = newest(asked.rooms, [row.point.id]).get(row.point.id, Newest(None, None))
    return {"time": last.time_s, "value": last.value}


async def fetch(asked: Asked) -> Json:
    """``feed/fetch``: latest values of several feeds; ``false`` where there is no such feed."""
    ids = [whole(part) for part in asked.parameter("ids").split(",")][:_MOST_FETCHED]
    rows = await asked.points(ids)
    last = newest(asked.rooms, list(rows))
    return [last.get(i, Newest(None, None)).value if i in rows else False for i in ids]


async def get_id(asked: Asked) -> str:
    """``feed/getid``: the id of a name, of a tag and name; plain text, empty when there is none."""
    if asked.reader is None or not asked.has("name"):
        return ""
    tag, name = asked.query.get("tag"), asked.parameter("name")
    for row in (await asked.all_points()).values():
        if _name(row) == name and tag in (None, _tag(row)):
            return str(row.point.id)
    return ""


async def get_meta(asked: Asked) -> Json:
    """``feed/getmeta``: from when to when, how many, how far apart."""
    row = await feed(asked, whole(asked.parameter("id")))
    if row is None:
        return MISSING
    extent = (await _extents(asked, [row])).get(row.point.id, {})
    order = ("interval", "start_time", "npoints", "end_time")
    return {name: extent.get(name, 0) for name in order}


async def create(asked: Asked) -> Json:
    """``feed/create``: the point at that tag and name, made when it is new; needs a write key."""
    viewer = asked.viewer
    if viewer is None or not isinstance(viewer.who, KeyGrant) or viewer.who.scope is not Scope.WRITE:
        return False
    tag, name = asked.parameter("tag"), asked.parameter("name")
    if not name.strip():
        return {"success": False, "message": "feed name is empty"}
    for noun, text in (("name", name), ("tag", tag)):
        if clean(text) != text.replace(":", ""):
            return {"success": False, "message": f"invalid characters in feed {noun}"}
    if whole(asked.parameter("engine")) not in (0, 2, 5, 6, 8):
        return {"success": False, "message": f"ABORTED: Engine id {whole(asked.parameter('engine'))} is not supported."}
    address = NewAddress(address_of(tag, name), name=name, unit=asked.parameter("unit"))
    rooms = asked.rooms
    known = await rooms.registry_threads.run(rooms.registry.look_up, viewer.who.site_id, [address])
    if address.path in known.ids:
        return {"success": False, "message": "feed already exists"}
    made = await rooms.registry_threads.run(rooms.registry.resolve, viewer.who, [address])
    rooms.directory.expire()
    if address.path in made.refused:
        return {"success": False, "message": str(made.refused[address.path])}
    return {"success": True, "feedid": made[address.path], "result": True}


async def _extents(asked: Asked, rows: list[PointRow]) -> dict[int, dict[str, Json]]:
    """start_time, end_time, interval and npoints of those points that have readings."""
    found = await history.extents(asked.rooms, rows)
    return {
        point_id: {
            "start_time": extent.first_us // 1_000_000,
            "end_time": extent.last_us // 1_000_000,
            "interval": max(1, round((extent.last_us - extent.first_us) / 1e6 / max(1, extent.readings - 1))),
            "npoints": extent.readings,
        }
        for point_id, extent in found.items()
    }


def _described(row: PointRow, last: Newest | None) -> dict[str, Json]:
    return {
        "id": str(row.point.id),
        "userid": str(row.site_id),
        "name": _name(row),
        "tag": _tag(row),
        "public": "",
        "size": "0",
        "engine": ENGINE,
        "processList": "",
        "unit": row.point.unit or row.unit_hint,
        "time": last.time_s if last else None,
        "value": last.value if last else None,
    }


def _name(row: PointRow) -> str:
    return row.name


def _tag(row: PointRow) -> str:
    place = input_of(row.address)
    return place[0] if place else row.address.rpartition("/")[0]
