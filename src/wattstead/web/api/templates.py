"""Templates: which models of devices there are, own ones, and rolling a new revision over the devices made from one."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Router, delete, get, post
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.response import Response

from wattstead.metering.errors import Issue
from wattstead.registry.errors import TemplateInvalid
from wattstead.registry.policy import Action, Resource, Right
from wattstead.registry.templates.library import Shelved, Source
from wattstead.registry.templates.rollover import Rollover
from wattstead.registry.templates.template import LARGEST, Template
from wattstead.web.access.gate import AnyRequest, actor, lacking, needs, require, require_at_site
from wattstead.web.access.viewer import Viewer
from wattstead.web.http.versions import expected, tag
from wattstead.web.problem import Refused, not_found
from wattstead.web.rooms import FromAccount, FromRooms, FromViewer, Rooms

_SEE = Right(Action.SEE, Resource.TEMPLATE)
_LOOK = (Right(Action.SEE, Resource.POINT),)
_DO = (Right(Action.CREATE, Resource.POINT), Right(Action.CHANGE, Resource.POINT))
"""What a rollover takes at the site of its device, beside changing that: it tells of points, and makes them."""
_MOST = 1_000


class TemplateRow(msgspec.Struct, kw_only=True):
    """A template in a list."""

    id: int | None
    """Of an own template; null: it comes with the product or lies in the server's folder."""
    name: str
    revision: int
    title: str
    maker: str
    speaks: str
    hardware: list[str]
    connections: list[str]
    """Kinds of connection that it says how to report over."""
    points: int
    source: Source
    organization_id: int | None


class TemplateRows(msgspec.Struct):
    """Templates."""

    rows: list[TemplateRow]
    total: int
    cursor: str | None = None


class TemplateAnswer(TemplateRow, kw_only=True):
    """A template with all that it says."""

    template: Template
    text: str
    """The YAML."""


class NewTemplate(msgspec.Struct, forbid_unknown_fields=True):
    """A template to keep."""

    organization_id: int
    """Whose it is; it may be used in all of that organization's branch."""
    text: Annotated[str, msgspec.Meta(min_length=1, max_length=LARGEST)]
    """The YAML."""


class RolloverRequest(msgspec.Struct, forbid_unknown_fields=True):
    """Which revision the device shall be like."""

    revision: int | None = None
    """Null: the newest."""
    template: Annotated[str, msgspec.Meta(max_length=63)] = ""
    """Another template; empty: the one that the device was made from."""
    apply: bool = False
    """Do it; else it is only shown what would change."""


@get("/", opt=needs(Action.SEE, Resource.TEMPLATE), summary="Templates", tags=["templates"])
async def templates(
    rooms: FromRooms,
    viewer: FromViewer,
    q: Annotated[str, QueryParameter(description="Part of name, title or maker.", max_length=200)] = "",
    limit: Annotated[int, QueryParameter(ge=1, le=_MOST)] = _MOST,
) -> TemplateRows:
    """Those that come with the product, of the server's folder, and the own ones one may use; by name and revision."""
    found = [_row(one) for one in await _seen(rooms, viewer)]
    word = q.casefold()
    rows = [row for row in found if word in f"{row.name} {row.title} {row.maker}".casefold()]
    return TemplateRows(rows[:limit], len(rows))


@get("/{name:str}/{revision:int}", opt=needs(Action.SEE, Resource.TEMPLATE), summary="A template", tags=["templates"])
async def template(
    rooms: FromRooms, viewer: FromViewer, name: FromPath[str], revision: FromPath[int]
) -> TemplateAnswer:
    """One revision with its points, its process steps and how it reports."""
    for one in await _seen(rooms, viewer):
        if (one.template.name, one.template.revision) == (name, revision):
            return _whole(one)
    raise not_found("template", f"{name} {revision}")


@post("/", opt=needs(Action.CREATE, Resource.TEMPLATE), summary="Keep an own template", tags=["templates"])
async def create_template(
    rooms: FromRooms, viewer: FromViewer, account: FromAccount, data: JSONBody[NewTemplate]
) -> TemplateAnswer:
    """Keeps a template for an organization and its branch; what is wrong in it is named with its line."""
    right = Right(Action.CREATE, Resource.TEMPLATE)
    seen, allowed = await rooms.registry_threads.run(
        rooms.registry.within, Resource.ORGANIZATION, data.organization_id,
        viewer.authority.reach(Right(Action.SEE, Resource.ORGANIZATION)), viewer.authority.reach(right),
    )  # fmt: skip
    if not seen:
        raise not_found("organization", data.organization_id)
    if not allowed:
        raise lacking(viewer, right)
    try:
        made = await rooms.registry_threads.run(
            rooms.registry.put_template, data.organization_id, data.text, actor(viewer)
        )
    except TemplateInvalid as error:
        place = f"line {error.line}" + (f", {error.field}" if error.field else "")
        raise Refused(400, str(error), [Issue(place, error.reason)]) from None
    return _whole(made)


@delete("/{template_id:int}", opt=needs(Action.DELETE, Resource.TEMPLATE), summary="Remove one", tags=["templates"])
async def delete_template(
    rooms: FromRooms, viewer: FromViewer, account: FromAccount, template_id: FromPath[int]
) -> None:
    """Takes an own template from the shelf; the devices made from it stay as they are."""
    if all(one.id != template_id for one in await _seen(rooms, viewer)):
        raise not_found("template", template_id)
    right = Right(Action.DELETE, Resource.TEMPLATE)
    reach = viewer.authority.reach(right)
    (allowed,) = await rooms.registry_threads.run(rooms.registry.within, Resource.TEMPLATE, template_id, reach)
    if not allowed:
        raise lacking(viewer, right)
    await rooms.registry_threads.run(rooms.registry.remove_template, template_id, actor(viewer))


@post(
    "/{device_id:int}/rollover", opt=needs(Action.CHANGE, Resource.DEVICE), status_code=200,
    summary="Roll another revision over a device", tags=["devices"],
)  # fmt: skip
async def roll_over(
    request: AnyRequest,
    rooms: FromRooms,
    viewer: FromViewer,
    account: FromAccount,
    device_id: FromPath[int],
    data: JSONBody[RolloverRequest],
) -> Response[Rollover]:
    """What another revision of its template changes of a device: points added, changed, retired; none is deleted, and
    what a person has changed by hand stays. With ``apply`` it is done, which needs If-Match and the right to make and
    change points."""
    await require(rooms, viewer, Right(Action.CHANGE, Resource.DEVICE), device_id)
    run, registry = rooms.registry_threads.run, rooms.registry
    site_id = (await run(registry.device, device_id)).site_id
    for right in (*_LOOK, *(_DO if data.apply else ())):
        if site_id is not None:
            await require_at_site(rooms, viewer, right, site_id)
    shelf = viewer.authority.reach(_SEE)
    if not data.apply:
        return Response(await run(registry.preview_rollover, device_id, data.revision, data.template, shelf))
    version = expected(request)
    done = await run(
        registry.apply_rollover, device_id, data.revision, data.template, version=version, by=actor(viewer),
        shelf=shelf,
    )  # fmt: skip
    rooms.directory.expire()
    return Response(done, headers=tag(version + 1))


async def _seen(rooms: Rooms, viewer: Viewer) -> list[Shelved]:
    return await rooms.registry_threads.run(rooms.registry.templates, viewer.authority.reach(_SEE))


def _row(one: Shelved) -> TemplateRow:
    return TemplateRow(**_columns(one))


def _whole(one: Shelved) -> TemplateAnswer:
    return TemplateAnswer(**_columns(one), template=one.template, text=one.text)


def _columns(one: Shelved) -> dict[str, Any]:
    made = one.template
    return {
        "id": one.id,
        "name": made.name,
        "revision": made.revision,
        "title": made.title,
        "maker": made.maker,
        "speaks": made.speaks,
        "hardware": made.hardware,
        "connections": list(made.reporting),
        "points": len(made.points),
        "source": one.source,
        "organization_id": one.organization_id,
    }


routes = Router("/templates", route_handlers=[templates, template, create_template, delete_template])
rollover = Router("/devices", route_handlers=[roll_over])
