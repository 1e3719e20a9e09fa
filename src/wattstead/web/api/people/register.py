"""Making an account by oneself, where an organization allows it, and showing that an address is one's own."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import Router, get, post
from litestar.params import JSONBody

from wattstead.messaging import letters
from wattstead.web.access.gate import OPEN, AnyRequest, require_own_page
from wattstead.web.access.people import address_of, link, writer
from wattstead.web.problem import Refused
from wattstead.web.rooms import FromRooms, Rooms


class OpenOrganization(msgspec.Struct):
    """An organization that takes registrations."""

    id: int
    name: str


class Registration(msgspec.Struct, forbid_unknown_fields=True):
    """Who registers where."""

    organization: int | Annotated[str, msgspec.Meta(max_length=200)]
    """Id or name of an organization that takes registrations."""
    email: Annotated[str, msgspec.Meta(max_length=254)]
    password: Annotated[str, msgspec.Meta(max_length=1024)]
    name: Annotated[str, msgspec.Meta(max_length=200)] = ""


class RegistrationAnswer(msgspec.Struct):
    """What happens next."""

    verify: bool
    """Whether a link was mailed that is to be opened first."""


class Token(msgspec.Struct, forbid_unknown_fields=True):
    """What stands in a mailed link."""

    token: Annotated[str, msgspec.Meta(max_length=100)]


class Verified(msgspec.Struct):
    """Whose address was shown to be theirs."""

    email: str


@get("/", opt=OPEN, summary="Organizations that take registrations", tags=["account"], security=[])
async def open_organizations(rooms: FromRooms) -> list[OpenOrganization]:
    """Where people may make an account by themselves; usually none."""
    found = await rooms.registry_threads.run(rooms.registry.organizations_to_register_in)
    return [OpenOrganization(identity, name) for identity, name in found]


@post("/", opt=OPEN, status_code=201, summary="Register", tags=["account"], security=[])
async def register(request: AnyRequest, rooms: FromRooms, data: JSONBody[Registration]) -> RegistrationAnswer:
    """Makes an account without any role. Where mails are sent, the answer is the same for an address that has one."""
    if "Origin" in request.headers:
        require_own_page(request)
    mail, email = rooms.settings.mail, data.email.strip()
    organization_id = await _organization(rooms, data.organization)
    await rooms.registry_threads.run(
        rooms.registry.register,
        organization_id,
        email,
        data.password,
        data.name,
        address_of(request),
        verify=writer(rooms, "verify", email, letters.verification) if mail else None,
        known=(lambda: letters.known_already(email, link(rooms, "sign-in"))) if mail else None,
    )
    return RegistrationAnswer(mail)


async def _organization(rooms: Rooms, told: int | str) -> int:
    found = await rooms.registry_threads.run(rooms.registry.organizations_to_register_in)
    named = [identity for identity, name in found if told in (identity, str(identity))]
    named = named or [identity for identity, name in found if name.casefold() == str(told).strip().casefold()]
    if len(named) != 1:
        raise Refused(404, "no organization of that name takes registrations; ask it for an invitation")
    return named[0]


@post("/", opt=OPEN, status_code=200, summary="Verify an e-mail address", tags=["account"], security=[])
async def verify(request: AnyRequest, rooms: FromRooms, data: JSONBody[Token]) -> Verified:
    """Opens a mailed link; it works once."""
    if "Origin" in request.headers:
        require_own_page(request)
    account = await rooms.registry_threads.run(rooms.registry.verify, data.token)
    rooms.directory.expire()
    return Verified(account.email)


routes = Router("/register", route_handlers=[open_organizations, register])
verification = Router("/verify", route_handlers=[verify])
