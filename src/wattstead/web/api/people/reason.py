"""Why an operator looks at customers: told once a session, kept in the trail."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import Router, post
from litestar.params import JSONBody

from wattstead.web.access.gate import SIGNED, actor
from wattstead.web.rooms import FromAccount, FromRooms, FromViewer


class Reason(msgspec.Struct, forbid_unknown_fields=True):
    """Why."""

    reason: Annotated[str, msgspec.Meta(min_length=3, max_length=200)]


@post("/", opt=SIGNED, status_code=204, summary="Tell the reason for looking", tags=["session"])
async def tell_reason(rooms: FromRooms, viewer: FromViewer, account: FromAccount, data: JSONBody[Reason]) -> None:
    """For operators: their customers are shown for the rest of this session; the reason stands in the trail."""
    await rooms.registry_threads.run(rooms.registry.tell_reason, actor(viewer), viewer.session, data.reason)
    rooms.directory.expire()


routes = Router("/reason", route_handlers=[tell_reason])
