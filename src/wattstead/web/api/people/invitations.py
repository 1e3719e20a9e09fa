"""Invitations: made by whoever may give the role, looked at and accepted by whoever has the link."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from litestar import Router, delete, get, post
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.response import Response

from wattstead.registry.policy import Action, Resource, Right, Role
from wattstead.registry.records import Invitation, InvitationLook
from wattstead.web.access.gate import COOKIE, OPEN, AnyRequest, actor, needs, require, require_own_page
from wattstead.web.access.people import invitation_link, invitation_writer
from wattstead.web.rooms import FromRooms, FromViewer

INVITE = Right(Action.INVITE, Resource.PERSON)


class InvitationAnswer(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Somebody who was asked to join and has not answered yet."""

    id: int
    email: str
    role: str
    organization_id: int | None
    site_id: int | None
    inviter_id: int | None
    created: datetime
    expires: datetime
    link: str | None = None
    """Only in the answer that makes it, and only where no mail is sent: to be handed on."""


class NewInvitationRequest(msgspec.Struct, forbid_unknown_fields=True):
    """Whom to ask to take which role: on an organization, at a site, or on the platform (neither is given)."""

    email: Annotated[str, msgspec.Meta(max_length=254)]
    role: Role
    organization_id: int | None = None
    site_id: int | None = None


class InvitationOffer(msgspec.Struct, kw_only=True):
    """What an invitation offers."""

    email: str
    role: str
    place: str
    """Name of the organization or site; empty for the platform."""
    inviter: str
    expires: datetime
    has_account: bool
    """Whether the address has an account, which must sign in to accept."""


class Acceptance(msgspec.Struct, forbid_unknown_fields=True):
    """An answer to an invitation; name and password are those of a new person."""

    token: Annotated[str, msgspec.Meta(max_length=100)]
    name: Annotated[str, msgspec.Meta(max_length=200)] = ""
    password: Annotated[str, msgspec.Meta(max_length=1024)] = ""


class Accepted(msgspec.Struct):
    """Who joined."""

    email: str


@get("/", opt=needs(Action.INVITE, Resource.PERSON), summary="Invitations", tags=["people"])
async def invitations(rooms: FromRooms, viewer: FromViewer) -> list[InvitationAnswer]:
    """Those that wait for an answer, where one may invite; the newest first."""
    found = await rooms.registry_threads.run(rooms.registry.invitations, viewer.authority.reach(INVITE))
    return [_answer(one) for one in found]


@post("/", opt=needs(Action.INVITE, Resource.PERSON), status_code=201, summary="Invite somebody", tags=["people"])
async def invite(rooms: FromRooms, viewer: FromViewer, data: JSONBody[NewInvitationRequest]) -> InvitationAnswer:
    """Mails a link, or gives it to be handed on where no mail is sent. Only a role that one may give is offered."""
    if data.organization_id is not None:
        await require(rooms, viewer, Right(Action.SEE, Resource.ORGANIZATION), data.organization_id)
    if data.site_id is not None:
        await require(rooms, viewer, Right(Action.SEE, Resource.SITE), data.site_id)
    made = await rooms.registry_threads.run(
        rooms.registry.invite,
        actor(viewer),
        viewer.authority,
        data.email,
        data.role,
        organization_id=data.organization_id,
        site_id=data.site_id,
        write=invitation_writer(rooms),
    )
    return _answer(made.invitation, invitation_link(rooms, made))


@delete("/{invitation_id:int}", opt=needs(Action.INVITE, Resource.PERSON), summary="Revoke", tags=["people"])
async def revoke_invitation(rooms: FromRooms, viewer: FromViewer, invitation_id: FromPath[int]) -> None:
    """Takes an invitation back."""
    reach = viewer.authority.reach(INVITE)
    await rooms.registry_threads.run(rooms.registry.revoke_invitation, actor(viewer), invitation_id, reach)


@get("/look", opt=OPEN, summary="Look at an invitation", tags=["account"], security=[])
async def look_at_invitation(
    rooms: FromRooms, token: Annotated[str, QueryParameter(description="From the link.", max_length=100)]
) -> InvitationOffer:
    """What the link offers; 404 when it is not valid any more."""
    look = await rooms.registry_threads.run(rooms.registry.look_at_invitation, token, proven=rooms.settings.mail)
    return _offer(look)


@post("/accept", opt=OPEN, status_code=200, summary="Accept an invitation", tags=["account"], security=[])
async def accept_invitation(request: AnyRequest, rooms: FromRooms, data: JSONBody[Acceptance]) -> Response[Accepted]:
    """A new person gives name and password and signs in afterwards; who has an account is signed in to it."""
    token = request.cookies.get(COOKIE, "")
    viewer = await rooms.directory.viewer_of_session(token) if token else None
    if viewer is not None or "Origin" in request.headers:
        require_own_page(request)
    own = viewer is not None and viewer.impersonator_id is None
    account = await rooms.registry_threads.run(
        rooms.registry.accept_invitation,
        data.token,
        data.name,
        data.password,
        signed_id=viewer.account.id if viewer is not None and viewer.account is not None and own else None,
        proven=rooms.settings.mail,
    )
    rooms.directory.expire()
    return Response(Accepted(account.email), status_code=200)


def _answer(one: Invitation, link: str | None = None) -> InvitationAnswer:
    return InvitationAnswer(
        id=one.id,
        email=one.email,
        role=one.role,
        organization_id=one.organization_id,
        site_id=one.site_id,
        inviter_id=one.inviter_id,
        created=one.created,
        expires=one.expires,
        link=link,
    )


def _offer(look: InvitationLook) -> InvitationOffer:
    return InvitationOffer(**{name: getattr(look, name) for name in InvitationOffer.__struct_fields__})


routes = Router(
    "/invitations",
    route_handlers=[invitations, invite, revoke_invitation, look_at_invitation, accept_invitation],
)
