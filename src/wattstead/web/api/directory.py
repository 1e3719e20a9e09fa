"""Everything that a directory's filters let through, as one file; what one may not see is not in it."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncGenerator, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import msgspec
from litestar import get
from litestar.params import QueryParameter
from litestar.response import Stream

from wattstead.registry.policy import Action, Resource, Right
from wattstead.registry.records import PeopleQuery, PersonRow
from wattstead.web.access.gate import MANY, SIGNED, AnyRequest, lacking
from wattstead.web.access.viewer import Viewer
from wattstead.web.access.watching import watch
from wattstead.web.api.people.people import LISTING
from wattstead.web.files.sheets import Part, csv_lines, write_workbook
from wattstead.web.http.asked import filters_beside, question_of
from wattstead.web.problem import invalid
from wattstead.web.rooms import FromAccount, FromRooms, FromViewer, Rooms
from wattstead.web.threads import Threads

_RIGHTS = {
    "sites": Right(Action.SEE, Resource.SITE),
    "devices": Right(Action.SEE, Resource.DEVICE),
    "people": Right(Action.SEE, Resource.PERSON),
}
_PERSON = (
    "id", "name", "email", "state", "phone", "mobile_phone", "phone_type", "operating_system", "application_version",
    "privacy_state", "locale", "verified", "last_seen", "created",
)  # fmt: skip
_ROLE = ("role", "organization_id", "site_id", "site")
"""What the first role is that a person has and that counts, and where it holds."""
_CHUNK = 262_144
_OWN = ("kind", "format", "cursor", "limit")
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class _People(NamedTuple):
    columns: tuple[str, ...]
    rows: list[list[object]]


@get("/directory/export", opt=SIGNED | MANY, summary="A list as a file", tags=["directory"], packed=True)
async def export(
    request: AnyRequest,
    rooms: FromRooms,
    viewer: FromViewer,
    account: FromAccount,
    kind: Annotated[Literal["sites", "devices", "people"], QueryParameter(description="Which list.")],
    format: Annotated[Literal["csv", "xlsx"], QueryParameter(description="Which kind of file.")] = "csv",
) -> Stream:
    """The whole list with the filters, words and order of `GET /sites`, `/devices` or `/people`. Cells that a
    spreadsheet would take for formulas are quoted."""
    if not viewer.authority.reach(_RIGHTS[kind]):
        raise lacking(viewer, _RIGHTS[kind])
    await watch(request, viewer, _RIGHTS[kind].resource)
    parts = _parts(request, rooms, viewer, kind)
    first = await rooms.registry_threads.run(next, parts, None)  # what is wrong with the question is told as an error
    name = f"{kind}-{datetime.now(UTC):%Y%m%d}.{format}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    whole = _with_first(first, parts)
    if format == "csv":
        return Stream(_lines(rooms.registry_threads, csv_lines(whole)), media_type="text/csv", headers=headers)
    return Stream(_workbook(rooms.registry_threads, kind, whole), media_type=XLSX, headers=headers)


def _parts(request: AnyRequest, rooms: Rooms, viewer: Viewer, kind: str) -> Iterator[Part]:
    registry, authority = rooms.registry, viewer.authority
    if kind == "people":
        return _people(request, rooms, viewer)
    asked = question_of(request, _OWN)
    if kind == "devices":
        return iter(registry.exported_devices(authority.reach(_RIGHTS[kind]), asked, viewer.sight))
    return iter(registry.exported_sites(authority.reach(_RIGHTS[kind]), asked, viewer.sight))


def _people(request: AnyRequest, rooms: Rooms, viewer: Viewer) -> Iterator[Part]:
    filters = filters_beside(request, LISTING | set(_OWN))
    told = {name: value for name, value in request.query_params.items() if name in LISTING}
    for name in ("organization", "site"):
        value = told.get(name, "")
        if value and not (value.isascii() and value.isdecimal() and len(value) < 10):
            raise invalid(name, "is no id")
    query = PeopleQuery(
        q=told.get("q", ""),
        filters=filters,
        role=told.get("role", ""),
        organization_id=int(told.get("organization") or 0) or None,
        site_id=int(told.get("site") or 0) or None,
        sort=told.get("sort", "name"),
        descending=told.get("order") == "desc",
        limit=1_000,
    )
    reach = viewer.authority.reach(_RIGHTS["people"])
    keys = rooms.registry.tags_of_people(reach, query)
    columns = ("organization", *_PERSON, *_ROLE, *(f"tag.{key}" for key in keys))
    while True:
        page = rooms.registry.people(reach, query)
        yield _People(columns, [_cells(row, keys) for row in page.rows])
        if not page.cursor:
            return
        query = msgspec.structs.replace(query, cursor=page.cursor)


def _cells(row: PersonRow, keys: Sequence[str]) -> list[object]:
    own = (getattr(row.account, name) for name in _PERSON)
    now = datetime.now(UTC)
    counting = (one for one in row.memberships if not one.suspended and (one.expires is None or one.expires > now))
    first = next(counting, None)
    return [
        row.organization, *own, *(getattr(first, name, None) for name in _ROLE),
        *(row.tags.get(key, "") for key in keys),
    ]  # fmt: skip


def _with_first(first: Part | None, rest: Iterator[Part]) -> Iterator[Part]:
    if first is not None:
        yield first
    yield from rest


async def _lines(threads: Threads, lines: Iterator[bytes]) -> AsyncGenerator[bytes, None]:
    while (line := await threads.run(next, lines, None)) is not None:
        yield line


async def _workbook(threads: Threads, name: str, parts: Iterator[Part]) -> AsyncGenerator[bytes, None]:
    """The file is put together on disk, since its end is written first, and goes away with the answer."""
    with tempfile.TemporaryDirectory(prefix="wattstead-export-") as folder:
        file = Path(folder) / "list.xlsx"
        await asyncio.to_thread(write_workbook, file, name.capitalize(), parts)
        with file.open("rb") as written:
            while chunk := await asyncio.to_thread(written.read, _CHUNK):
                yield chunk


routes = export
