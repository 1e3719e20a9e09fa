"""Sites, devices and people from a file: first what would become of each line, then, when that is wanted, done."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from litestar import Router, post
from litestar.params import JSONBody, QueryParameter

from wattstead.registry.policy import Action, Right
from wattstead.web.access.gate import SIGNED, AnyRequest, lacking
from wattstead.web.files import tables_in
from wattstead.web.files.importing import KINDS, Importer
from wattstead.web.files.previews import Waiting
from wattstead.web.problem import Refused
from wattstead.web.rooms import FromAccount, FromRooms, FromViewer


class ImportProblem(msgspec.Struct):
    """A line that cannot be taken, and why."""

    line: int
    column: str
    reason: str
    code: str = ""
    """What is wrong, in a word that stays the same; empty: only the reason says it."""
    figures: dict[str, str | float] = {}
    """What the code speaks of."""


class ImportPreview(msgspec.Struct):
    """What would become of a file; nothing has been changed."""

    token: str
    """With which it is done; kept for half an hour."""
    create: int
    change: int
    problems: list[ImportProblem]
    """At most a thousand; these lines will be left out."""


class ImportLink(msgspec.Struct):
    """The invitation of a person who was made, to hand on."""

    line: int
    email: str
    link: str


class ImportDone(msgspec.Struct):
    """What has become of a file."""

    created: int
    changed: int
    problems: list[ImportProblem]
    links: list[ImportLink]
    """Only of people, and only where no mail is sent: each link is shown this once."""


class ImportApply(msgspec.Struct, forbid_unknown_fields=True):
    """Which previewed file to take."""

    token: Annotated[str, msgspec.Meta(max_length=100)]
    kind: str = ""


@post(
    "/", opt=SIGNED, status_code=200, summary="Preview a file", tags=["imports"],
    request_max_body_size=tables_in.LARGEST + 1,
)  # fmt: skip
async def preview(
    request: AnyRequest,
    rooms: FromRooms,
    viewer: FromViewer,
    account: FromAccount,
    kind: Annotated[Literal["sites", "devices", "people"], QueryParameter(description="What the lines are.")],
    name: Annotated[str, QueryParameter(description="Of the file; of no importance.", max_length=300)] = "",
) -> ImportPreview:
    """The body is a CSV or Excel file whose first line names attributes; lines with an `id` change what is there."""
    wanted = KINDS[kind].resource
    if not any(viewer.authority.reach(Right(one, wanted)) for one in (Action.CREATE, Action.CHANGE)):
        raise lacking(viewer, Right(Action.CREATE, wanted))
    content = await request.body()
    run = rooms.registry_threads.run
    sheet = await run(tables_in.read, content)
    plan = await run(lambda: Importer(rooms, viewer, KINDS[kind]).planned(sheet))
    token = _waiting(request).keep(account.id, kind, content)
    problems = [ImportProblem(**msgspec.structs.asdict(one)) for one in plan.problems[:1_000]]
    return ImportPreview(token, plan.create, plan.change, problems)


@post("/apply", opt=SIGNED, status_code=200, summary="Take a previewed file", tags=["imports"])
async def apply(
    request: AnyRequest, rooms: FromRooms, viewer: FromViewer, account: FromAccount, data: JSONBody[ImportApply]
) -> ImportDone:
    """Line by line; what cannot be taken is told. Rights are looked at again."""
    found = _waiting(request).take(account.id, data.token)
    if found is None or (data.kind and data.kind != found[0]):
        raise Refused(404, "there is no such preview, or no longer; send the file again", code="preview.ended")
    kind, content = found
    run = rooms.registry_threads.run
    sheet = await run(tables_in.read, content)
    done = await run(lambda: Importer(rooms, viewer, KINDS[kind]).applied(sheet))
    rooms.directory.expire()
    problems = [ImportProblem(**msgspec.structs.asdict(one)) for one in done.problems[:1_000]]
    return ImportDone(done.create, done.change, problems, [ImportLink(*one) for one in done.links])


def _waiting(request: AnyRequest) -> Waiting:
    state = request.app.state
    if not hasattr(state, "imports"):
        state.imports = Waiting()
    waiting: Waiting = state.imports
    return waiting


routes = Router("/imports", route_handlers=[preview, apply])
