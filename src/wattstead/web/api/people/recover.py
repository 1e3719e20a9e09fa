"""Coming back without the password: a mailed link lets another one be set."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import Router, post
from litestar.params import JSONBody

from wattstead.messaging import letters
from wattstead.web.access.gate import OPEN, AnyRequest, require_own_page
from wattstead.web.access.people import address_of, writer
from wattstead.web.rooms import FromRooms


class LostPassword(msgspec.Struct, forbid_unknown_fields=True):
    """Whose password was lost."""

    email: Annotated[str, msgspec.Meta(max_length=254)]


class FoundPassword(msgspec.Struct, forbid_unknown_fields=True):
    """The token of the mailed link and the new password."""

    token: Annotated[str, msgspec.Meta(max_length=100)]
    password: Annotated[str, msgspec.Meta(max_length=1024)]


@post("/", opt=OPEN, status_code=204, summary="Ask for a new password", tags=["account"], security=[])
async def recover(request: AnyRequest, rooms: FromRooms, data: JSONBody[LostPassword]) -> None:
    """Mails a link, if the address has an account; whether it has one is not told. Without SMTP the link is told in
    the server's log.
    """
    if "Origin" in request.headers:
        require_own_page(request)
    write = writer(rooms, "recover", data.email.strip(), letters.recovery)
    await rooms.registry_threads.run(rooms.registry.recover, data.email, address_of(request), write)


@post("/finish", opt=OPEN, status_code=204, summary="Set a new password", tags=["account"], security=[])
async def finish_recovery(request: AnyRequest, rooms: FromRooms, data: JSONBody[FoundPassword]) -> None:
    """Every session of the account ends; a second factor stays. The link works once."""
    if "Origin" in request.headers:
        require_own_page(request)
    await rooms.registry_threads.run(rooms.registry.finish_recovery, data.token, data.password)
    rooms.directory.expire()


routes = Router("/recover", route_handlers=[recover, finish_recovery])
