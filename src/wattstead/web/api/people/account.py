"""The own account: profile, password, e-mail address."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from litestar import Router, get, patch, post
from litestar.params import JSONBody
from litestar.response import Response

from wattstead.messaging import letters
from wattstead.registry.records import Account, PersonChange
from wattstead.web.access.gate import SIGNED, AnyRequest, actor
from wattstead.web.access.people import address_of, link, require_own_hand, writer
from wattstead.web.http.versions import tag
from wattstead.web.rooms import FromAccount, FromRooms, FromViewer

Word = Annotated[str, msgspec.Meta(max_length=200)]
Password = Annotated[str, msgspec.Meta(max_length=1024)]
Email = Annotated[str, msgspec.Meta(max_length=254)]


class Profile(msgspec.Struct, kw_only=True):
    """The own account; empty texts are what nobody has told."""

    id: int
    organization_id: int
    email: str
    name: str
    verified: datetime | None
    """When the address was shown to be one's own."""
    phone: str
    mobile_phone: str
    phone_type: str
    operating_system: str
    application_version: str
    privacy_state: str
    locale: str
    created: datetime
    version: int
    has_totp: bool
    """Whether signing in asks for a code."""
    has_password: bool
    """Without one, what asks for it takes a session that has just begun."""
    recovery_codes: int
    """How many codes for a lost second factor are left."""


class ProfilePatch(msgspec.Struct, forbid_unknown_fields=True):
    """What to change of the own account; what is not given stays."""

    name: Word | None = None
    phone: Word | None = None
    mobile_phone: Word | None = None
    phone_type: Word | None = None
    operating_system: Word | None = None
    application_version: Word | None = None
    locale: Word | None = None


class NewPassword(msgspec.Struct, forbid_unknown_fields=True):
    """The present password and another one."""

    current: Password
    password: Password


class NewEmail(msgspec.Struct, forbid_unknown_fields=True):
    """Another address, and the present password."""

    email: Email
    password: Password


class EmailAnswer(msgspec.Struct):
    """Whether the address is another one already."""

    changed: bool
    """False: a link was mailed to the new address, and it holds once that is opened."""


@get("/", opt=SIGNED, summary="Own account", tags=["account"])
async def profile(rooms: FromRooms, account: FromAccount) -> Response[Profile]:
    """What is known of whoever asks."""
    row = await rooms.registry_threads.run(rooms.registry.person, None, account.id)
    left = await rooms.registry_threads.run(rooms.registry.recovery_codes_left, account.id)
    return Response(_profile(row.account, left), headers=tag(row.account.version))


@patch("/", opt=SIGNED, summary="Change the own account", tags=["account"])
async def change_profile(
    rooms: FromRooms, viewer: FromViewer, account: FromAccount, data: JSONBody[ProfilePatch]
) -> Response[Profile]:
    """Sets the fields that are given."""
    told = PersonChange(**{name: value for name, value in msgspec.structs.asdict(data).items() if value is not None})
    changed = await rooms.registry_threads.run(
        rooms.registry.change_person, actor(viewer), viewer.authority, account.id, told
    )
    rooms.directory.expire()
    left = await rooms.registry_threads.run(rooms.registry.recovery_codes_left, account.id)
    return Response(_profile(changed, left), headers=tag(changed.version))


@post("/password", opt=SIGNED, status_code=204, summary="Change the own password", tags=["account"])
async def change_password(
    request: AnyRequest, rooms: FromRooms, viewer: FromViewer, account: FromAccount, data: JSONBody[NewPassword]
) -> None:
    """Asks for the present password and ends all other sessions."""
    require_own_hand(viewer)
    run = rooms.registry_threads.run
    await run(rooms.registry.check_own_password, account.id, data.current, address_of(request))
    await run(rooms.registry.change_password, account.id, data.password, viewer.session)
    rooms.directory.expire()


@post("/email", opt=SIGNED, status_code=200, summary="Change the own e-mail address", tags=["account"])
async def change_email(
    request: AnyRequest, rooms: FromRooms, viewer: FromViewer, account: FromAccount, data: JSONBody[NewEmail]
) -> EmailAnswer:
    """Mails a link to the new address, which holds once that is opened; without mail it changes at once, and every
    session ends.
    """
    require_own_hand(viewer)
    email, mail = data.email.strip(), rooms.settings.mail
    changed = await rooms.registry_threads.run(
        rooms.registry.change_own_email,
        account.id,
        data.email,
        data.password,
        address_of(request),
        writer(rooms, "verify", email, letters.verification) if mail else None,
        (lambda: letters.known_already(email, link(rooms, "sign-in"))) if mail else None,
    )
    rooms.directory.expire()
    return EmailAnswer(changed)


def _profile(account: Account, recovery_codes: int) -> Profile:
    told = {name: getattr(account, name) for name in Profile.__struct_fields__ if name != "recovery_codes"}
    return Profile(**told, recovery_codes=recovery_codes)


routes = Router("/account", route_handlers=[profile, change_profile, change_password, change_email])
