"""The own second factor: an authenticator app's codes, and recovery codes for when it is lost."""

from __future__ import annotations

from typing import Annotated

import msgspec
import pyotp
from litestar import Router, delete, post
from litestar.params import JSONBody

from wattstead.web.access.gate import SIGNED, AnyRequest
from wattstead.web.access.people import address_of, require_own_hand
from wattstead.web.access.viewer import Viewer
from wattstead.web.rooms import FromAccount, FromRooms, FromViewer, Rooms


class TotpSecret(msgspec.Struct):
    """What the app needs to know."""

    secret: str
    """To type in."""
    uri: str
    """To show as a QR code."""


class TotpCode(msgspec.Struct, forbid_unknown_fields=True):
    """A code of the app."""

    code: Annotated[str, msgspec.Meta(max_length=40)]


class RecoveryCodes(msgspec.Struct):
    """Each signs in once in place of a code; shown this once."""

    codes: list[str]


class Confirmed(msgspec.Struct, forbid_unknown_fields=True):
    """The present password; empty for an account without any, which has to have signed in just now."""

    password: Annotated[str, msgspec.Meta(max_length=1024)]


class Replacing(msgspec.Struct, forbid_unknown_fields=True):
    """The present password where a factor is replaced; nothing where there is none yet."""

    password: Annotated[str, msgspec.Meta(max_length=1024)] | None = None


async def confirm_own(request: AnyRequest, rooms: Rooms, viewer: Viewer, data: Confirmed) -> None:
    """Raise what is raised for somebody who has a session and does not show that it is the person's own hand."""
    check = rooms.registry.check_own_proof
    await rooms.registry_threads.run(check, viewer.who.id, data.password, address_of(request), viewer.session)


@post("/", opt=SIGNED, status_code=201, summary="Begin with a second factor", tags=["account"])
async def begin_totp(
    request: AnyRequest,
    rooms: FromRooms,
    viewer: FromViewer,
    account: FromAccount,
    data: JSONBody[Replacing | None] = None,
) -> TotpSecret:
    """A secret for an authenticator app. It counts once a code of it was confirmed; a former one counts until then, and
    to replace it the password is asked for."""
    require_own_hand(viewer)
    password = data.password if data is not None else None
    if password is not None:
        await confirm_own(request, rooms, viewer, Confirmed(password))
    run = rooms.registry_threads.run
    secret = await run(rooms.registry.begin_totp, account.id, proven=password is not None)
    return TotpSecret(secret, pyotp.TOTP(secret).provisioning_uri(name=account.email, issuer_name="Wattstead"))


@post("/confirm", opt=SIGNED, status_code=201, summary="Confirm the second factor", tags=["account"])
async def confirm_totp(
    rooms: FromRooms, viewer: FromViewer, account: FromAccount, data: JSONBody[TotpCode]
) -> RecoveryCodes:  # fmt: skip
    """From now on signing in asks for a code."""
    require_own_hand(viewer)
    codes = await rooms.registry_threads.run(rooms.registry.confirm_totp, account.id, data.code)
    rooms.directory.expire()
    return RecoveryCodes(codes)


@post("/codes", opt=SIGNED, status_code=201, summary="Make new recovery codes", tags=["account"])
async def fresh_codes(
    request: AnyRequest, rooms: FromRooms, viewer: FromViewer, account: FromAccount, data: JSONBody[Confirmed]
) -> RecoveryCodes:
    """Asks for the password; the former codes end."""
    require_own_hand(viewer)
    run = rooms.registry_threads.run
    await run(rooms.registry.check_own_password, account.id, data.password, address_of(request))
    return RecoveryCodes(await run(rooms.registry.fresh_recovery_codes, account.id))


@delete("/", opt=SIGNED, summary="End the second factor", tags=["account"])
async def drop_totp(
    request: AnyRequest, rooms: FromRooms, viewer: FromViewer, account: FromAccount, data: JSONBody[Confirmed]
) -> None:
    """Asks for the password; from then on signing in asks for that alone, and the recovery codes end."""
    require_own_hand(viewer)
    await rooms.registry_threads.run(rooms.registry.check_own_password, account.id, data.password, address_of(request))
    await rooms.registry_threads.run(rooms.registry.drop_totp, account.id)
    rooms.directory.expire()


routes = Router("/account/totp", route_handlers=[begin_totp, confirm_totp, fresh_codes, drop_totp])
