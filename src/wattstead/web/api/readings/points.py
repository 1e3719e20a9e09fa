"""Points: which there are, what they are, their latest value; adopting and renaming them."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import Router, get, patch
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.response import Response

from wattstead.metering.point import default_resolution
from wattstead.metering.quantity import Direction, Kind, Quantity, Role, unit
from wattstead.metering.suggestion import Suggestion, suggestion
from wattstead.registry.points.declare import PointChange
from wattstead.registry.policy import Action, Resource, Right
from wattstead.registry.records import PointRow
from wattstead.web.access.gate import AnyRequest, actor, needs, require
from wattstead.web.access.watching import watch_all_points, watch_points, words_of
from wattstead.web.http.large import large
from wattstead.web.http.versions import expected, tag
from wattstead.web.labels import labels, twins
from wattstead.web.problem import invalid, not_found
from wattstead.web.readings import history
from wattstead.web.readings.amounts import amount_unit
from wattstead.web.rooms import FromRooms, FromViewer, Rooms

MOST_POINTS = 5_000
_CHANGE = Right(Action.CHANGE, Resource.POINT)
_OPEN = Right(Action.DELETE, Resource.POINT)
Text = Annotated[str, msgspec.Meta(max_length=200)]


class LatestValue(msgspec.Struct):
    """The newest reading."""

    time: int
    """Milliseconds since 1970."""
    value: float
    """In the base unit."""


class PointAnswer(msgspec.Struct, kw_only=True):
    """A series of readings and what is known about it."""

    id: int
    site_id: int
    device_id: int | None
    name: str
    label: str
    """What it is called among the points of its site: its name, behind its device's where another has the same."""
    address: str
    quantity: Quantity
    kind: Kind
    direction: Direction
    unit: str
    """In which its readings come and are stored."""
    base_unit: str
    """In which this API gives values: W, Wh, °C …"""
    amount_unit: str | None
    """In which amounts are given; null when its values make no amount."""
    role: Role
    adopted: bool
    resolution: float
    """Smallest step of a register or delta, in its unit; 0: the default, 1 mWh for energy, one pulse, else 0.001."""
    width: int
    """After how many resolutions, not units, a register begins again at zero; 0: unknown, never."""
    max_rate: float
    """Most resolutions a second that a register is believed: a step beyond is flagged and counts nothing; 0: any."""
    max_gap_s: float
    """A longer silence is a gap: power is not integrated across it."""
    pulses_per_kwh: float
    """Of a point in pulses: how many are a kWh, so that its amounts are energy; 0: not said."""
    open_to: str
    """Address ranges from which the pulse API reads it without a key, separated by spaces; empty: nobody does."""
    suggestion: Suggestion | None
    """What it probably is, while it is not adopted."""
    latest: LatestValue | None
    created: int
    """Milliseconds since 1970."""
    retired: int | None
    """Since when the template of its device knows it no more, milliseconds since 1970; null: it does."""
    version: int
    """Grows with every change; the ETag to give with the next one."""


class PointPatch(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """What to change; what is left out stays as it is."""

    name: Text | None = None
    quantity: Quantity | None = None
    kind: Kind | None = None
    direction: Direction | None = None
    unit: Text | None = None
    role: Role | None = None
    resolution: float | None = None
    """Smallest step of a register or delta, in its unit; 0: the default, 1 mWh for energy, one pulse, else 0.001."""
    width: int | None = None
    """After how many resolutions, not units, a register begins again at zero: a power of ten or two; 0: unknown. A
    meter of six digits of kWh and resolution 0.001 has 1000000000. One that a reading exceeds is refused."""
    max_rate: float | None = None
    """Most resolutions a second that a register is believed: a step beyond is flagged and counts nothing; 0: any."""
    max_gap_s: float | None = None
    """A longer silence is a gap: power is not integrated across it. Means of an hour need more than 3,600."""
    pulses_per_kwh: float | None = None
    """Of a point in pulses: how many are a kWh, as the face of the meter says."""
    open_to: Annotated[str, msgspec.Meta(max_length=3_000)] | None = None
    """Address ranges from which the pulse API reads it without a key, such as ``192.168.1.0/24``; empty: none. Needs
    the right to delete the point: what lets everybody in outlives a grant."""


@get("/", opt=needs(Action.SEE, Resource.POINT), summary="Points", tags=["points"], packed=True)
async def points(
    request: AnyRequest,
    rooms: FromRooms,
    viewer: FromViewer,
    site: Annotated[int | None, QueryParameter(description="Only points of this site.")] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=MOST_POINTS, description="How many at most.")] = 1_000,
    after: Annotated[int, QueryParameter(ge=0, description="Only points with a larger id, for the next page.")] = 0,
) -> Response[list[PointAnswer]]:
    """Points with their latest value, by id. New addresses of senders appear here by themselves."""
    if site is not None and site not in viewer.sites:
        raise not_found("site", site)
    rows = await rooms.directory.rows_of_sites(viewer, None if site is None else [site])
    wanted = [row for point_id, row in rows.items() if point_id > after][:limit]
    if site is None:
        await watch_all_points(rooms, viewer, wanted, words_of(request) or "points")
    else:
        await watch_points(rooms, viewer, wanted, words_of(request))
    alike = await rooms.directory.made_of_sites(viewer, None if site is None else [site], "twins", twins)
    return await large(request, rooms.registry_threads, lambda: _described(rooms, wanted, alike))


@get("/{point_id:int}", opt=needs(Action.SEE, Resource.POINT), summary="A point", tags=["points"])
async def point(rooms: FromRooms, viewer: FromViewer, point_id: FromPath[int]) -> Response[PointAnswer]:
    """One point with its latest value; the ETag is the version to give with a change."""
    rows = await rooms.directory.rows(viewer, [point_id])
    if not rows:
        raise not_found("point", point_id)
    return await _one(rooms, viewer, rows[point_id])


@patch("/{point_id:int}", opt=needs(Action.CHANGE, Resource.POINT), summary="Adopt or rename a point", tags=["points"])
async def change_point(
    request: AnyRequest, rooms: FromRooms, viewer: FromViewer, point_id: FromPath[int], data: JSONBody[PointPatch]
) -> Response[PointAnswer]:
    """Changes what is given; needs If-Match. Setting quantity, kind, direction, unit or role adopts the point; its
    history is kept and its sums are computed again."""
    await require(rooms, viewer, _CHANGE, point_id)
    if data.open_to is not None:
        await require(rooms, viewer, _OPEN, point_id)
    change = PointChange(**msgspec.structs.asdict(data))
    before = await rooms.registry_threads.run(rooms.registry.point, point_id)
    await _check_width(rooms, before, change)
    row = await rooms.registry_threads.run(
        rooms.registry.change_point, point_id, change, version=expected(request), by=actor(viewer)
    )
    rooms.directory.expire()
    return await _one(rooms, viewer, row)


async def _check_width(rooms: Rooms, row: PointRow, change: PointChange) -> None:
    """Raise `Refused` when a register is said to begin again at zero before it shows what it has shown already."""
    before = row.point
    given = {name: getattr(change, name) for name in ("kind", "unit", "resolution", "width")}
    after = msgspec.structs.replace(before, **{name: value for name, value in given.items() if value is not None})
    if after == before or after.kind is not Kind.REGISTER or after.width <= 0:
        return
    newest = rooms.latest.of([before.id]).value
    shown = max(newest.tolist() + [one for one in [await history.greatest(rooms, row)] if one is not None], default=0)
    quantum = after.resolution if after.resolution > 0 else default_resolution(after.unit)
    if shown >= after.width * quantum:
        raise invalid(
            "width",
            f"{after.width} resolutions of {quantum:g} {after.unit} are {after.width * quantum:g} {after.unit}, and "
            f"the greatest reading is {shown:g} {after.unit}: give the width in resolutions, or 0 for unknown",
        )


async def _one(rooms: Rooms, viewer: FromViewer, row: PointRow) -> Response[PointAnswer]:
    if row.device_id is None:  # nothing stands before its name, whatever others are called: nobody has to be asked
        (told,) = _described(rooms, [row], frozenset())
    else:
        alike = await rooms.directory.made_of_sites(viewer, [row.site_id], "twins", twins)
        (told,) = await rooms.registry_threads.run(_described, rooms, [row], alike)
    return Response(told, headers=tag(row.version))


def _described(rooms: Rooms, rows: list[PointRow], alike: frozenset[int]) -> list[PointAnswer]:
    """The points as they are answered, with their latest values from memory."""
    newest = rooms.latest.of([row.point.id for row in rows])
    found = dict(
        zip(newest.point.tolist(), zip(newest.time_us.tolist(), newest.value.tolist(), strict=True), strict=True)
    )
    named = labels(rooms.registry, rows, alike)
    return [_answer(row, named[row.point.id], found.get(row.point.id)) for row in rows]


def _answer(row: PointRow, label: str, newest: tuple[int, float] | None) -> PointAnswer:
    point, own = row.point, unit(row.point.unit)
    return PointAnswer(
        id=point.id,
        site_id=row.site_id,
        device_id=row.device_id,
        name=row.name,
        label=label,
        address=row.address,
        quantity=point.quantity,
        kind=point.kind,
        direction=point.direction,
        unit=point.unit,
        base_unit=own.base,
        amount_unit=amount_unit(point),
        role=row.role,
        adopted=row.adopted,
        resolution=point.resolution,
        width=point.width,
        max_rate=point.max_rate,
        max_gap_s=point.max_gap_s,
        pulses_per_kwh=point.pulses_per_kwh,
        open_to=row.open_to,
        suggestion=None if row.adopted else suggestion(row.name, row.unit_hint),
        latest=LatestValue(newest[0] // 1000, newest[1] * own.factor + own.offset) if newest else None,
        created=round(row.created.timestamp() * 1000),
        retired=None if row.retired is None else round(row.retired.timestamp() * 1000),
        version=row.version,
    )


routes = Router("/points", route_handlers=[points, point, change_point])
