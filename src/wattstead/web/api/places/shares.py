"""A site shown to a person until a day, or by a link; both can be taken back, and then nothing more is seen."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec
from litestar import Router, delete, get, post
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.response import Response

from wattstead.registry.errors import Unknown
from wattstead.registry.people.emails import checked
from wattstead.registry.policy import Action, Resource, Right, Role
from wattstead.web.access.cookies import share_cookie
from wattstead.web.access.gate import OPEN, AnyRequest, actor, lacking, needs
from wattstead.web.access.people import invitation_link, invitation_writer, link
from wattstead.web.access.places import ends, require_at
from wattstead.web.http.repeats import once
from wattstead.web.problem import Refused, invalid, not_found
from wattstead.web.rooms import FromAccount, FromRooms, FromViewer

SEE, CREATE, DELETE = (Right(one, Resource.SHARE) for one in (Action.SEE, Action.CREATE, Action.DELETE))


class ShareAnswer(msgspec.Struct, kw_only=True):
    """A site that is shown to somebody."""

    id: str
    """By which it is taken back."""
    kind: Literal["person", "link", "invitation"]
    site_id: int
    name: str
    """Of the person, or what the link was called."""
    email: str
    """Of the person; empty for a link."""
    created: datetime
    expires: datetime | None
    link: str
    """The address of the link, shown this once; else empty."""
    resting: bool = False
    """Whether it shows nothing now, since whoever made it may not show the site at present."""


class ShareRows(msgspec.Struct):
    """To whom a site is shown."""

    rows: list[ShareAnswer]
    total: int
    cursor: str | None = None


class NewShare(msgspec.Struct, forbid_unknown_fields=True):
    """To whom to show a site: with an e-mail address to a person, without to whoever has the link."""

    site_id: int
    email: Annotated[str, msgspec.Meta(max_length=254)] = ""
    name: Annotated[str, msgspec.Meta(max_length=200)] = ""
    expires: datetime | None = None
    expires_days: Annotated[float, msgspec.Meta(gt=0, le=366)] | None = None


class SharedSite(msgspec.Struct):
    """What a link shows."""

    site_id: int
    name: str
    zone: str


@get("/", opt=needs(Action.SEE, Resource.SHARE), summary="To whom a site is shown", tags=["shares"])
async def shares(
    rooms: FromRooms,
    viewer: FromViewer,
    account: FromAccount,
    site: Annotated[int, QueryParameter(description="Which site.")],
) -> ShareRows:
    """People, those who were asked and have not answered, and open links; a link's address is never shown again."""
    await require_at(rooms, viewer, SEE, site)
    run, registry = rooms.registry_threads.run, rooms.registry
    people, links = await run(registry.site_people, site), await run(registry.share_links, site)
    offered = await run(registry.offered_shares, site)
    roles, resting_links = await run(registry.resting_shares, site)
    rows = [
        _answer(f"person-{m.id}", "person", site, name, email, m.created, m.expires, m.id in roles)
        for m, name, email in people
        if m.role == Role.GUEST.value
    ]
    rows += [_answer(f"invitation-{i.id}", "invitation", site, "", i.email, i.created, i.expires) for i in offered]
    rows += [
        _answer(f"link-{one.id}", "link", site, one.name, "", one.created, one.expires, one.id in resting_links)
        for one in links
    ]
    return ShareRows(rows, len(rows))


@post("/", opt=needs(Action.CREATE, Resource.SHARE), status_code=201, summary="Show a site", tags=["shares"])
async def create_share(
    request: AnyRequest, rooms: FromRooms, viewer: FromViewer, account: FromAccount, data: JSONBody[NewShare]
) -> Response[ShareAnswer]:
    """To a person, who reads when signed in, or by a link, for which an end must be given.

    Where it is not known here that an account is that of the person with the address, the answer is an invitation:
    mailed, or a link to hand over, which the person accepts.
    """
    await require_at(rooms, viewer, CREATE, data.site_id)
    until = ends(data.expires, data.expires_days)
    if not data.email and until is None:
        raise invalid("expires", "is missing: a link must end; give expires or expires_days")

    async def make() -> Response[Any]:
        shown = _to_person if data.email else _by_link
        told = await rooms.registry_threads.run(shown, rooms, viewer, data, until)
        rooms.directory.expire()
        return Response(told, status_code=201)

    return await once(request, rooms, viewer, make)


@delete("/{share_id:str}", opt=needs(Action.DELETE, Resource.SHARE), summary="Take it back", tags=["shares"])
async def delete_share(rooms: FromRooms, viewer: FromViewer, account: FromAccount, share_id: FromPath[str]) -> None:
    """Whoever looks by it sees nothing more from now on."""
    kind, _, number = share_id.partition("-")
    registry, by = rooms.registry, actor(viewer)
    ways: dict[str, tuple[Callable[[int], Any], Callable[[int], Any]]] = {
        "person": (registry.share_of, lambda identity: registry.end_share(identity, by)),
        "link": (registry.share_link_of, lambda identity: registry.end_share_link(identity, by)),
        "invitation": (registry.offered_share, lambda identity: registry.revoke_invitation(by, identity)),
    }
    if kind not in ways or not (number.isascii() and number.isdecimal() and len(number) < 10):
        raise not_found("share", share_id[:40])
    find, end = ways[kind]
    run, identity = rooms.registry_threads.run, int(number)
    try:
        await require_at(rooms, viewer, DELETE, (await run(find, identity)).site_id or 0)
        await run(end, identity)
    except (Refused, Unknown) as error:  # a share of a site that is not to be seen answers like one that does not exist
        if isinstance(error, Refused) and error.status != 404:
            raise
        raise not_found("share", share_id) from None
    rooms.directory.expire()


@get("/shared/{token:str}", opt=OPEN, summary="Open a link", tags=["shares"], security=[])
async def open_link(request: AnyRequest, rooms: FromRooms, token: FromPath[str]) -> Response[SharedSite]:
    """Answers with the cookie of a guest, who sees this one site and reads; 404 when the link is open no more."""
    viewer = await rooms.directory.viewer_of_share(token) if len(token) < 100 else None
    names = await rooms.directory.site_names(viewer) if viewer is not None else {}
    site = next(iter(names.values()), None)
    if site is None:
        raise Refused(404, "this link does not exist or is open no more; ask whoever gave it to you")
    shown = SharedSite(site.id, site.name, site.zone)
    return Response(shown, cookies=[share_cookie(request, token)])


def _by_link(rooms: FromRooms, viewer: FromViewer, data: NewShare, until: datetime | None) -> ShareAnswer:
    if until is None:
        raise invalid("expires", "is missing")
    made = rooms.registry.share_link(data.site_id, data.name or "Link", until, actor(viewer), viewer.authority)
    one = made.link
    told = _answer(f"link-{one.id}", "link", one.site_id, one.name, "", one.created, one.expires)
    told.link = f"{link(rooms, 'shared')}/{made.token}"
    return told


def _to_person(rooms: FromRooms, viewer: FromViewer, data: NewShare, until: datetime | None) -> ShareAnswer:
    email = checked(data.email)
    path = rooms.registry.organization(rooms.registry.site(data.site_id).organization_id).path
    if not viewer.authority.gives(Role.GUEST, path, data.site_id):
        raise lacking(viewer, CREATE)
    made = rooms.registry.share_with(data.site_id, email, until, actor(viewer), viewer.authority)
    if made is not None:
        return _answer(f"person-{made.id}", "person", data.site_id, data.name, email, made.created, made.expires)
    if until is not None:
        raise invalid(
            "email", "is not known here to be anybody's: invite them without an end, or send a link that ends"
        )
    asked = rooms.registry.invite(
        actor(viewer), viewer.authority, email, Role.GUEST, site_id=data.site_id, write=invitation_writer(rooms)
    )
    told = _answer(
        f"invitation-{asked.invitation.id}", "invitation", data.site_id, data.name, email, datetime.now(UTC),
        asked.invitation.expires,
    )  # fmt: skip
    told.link = invitation_link(rooms, asked) or ""
    return told


def _answer(
    identity: str,
    kind: Literal["person", "link", "invitation"],
    site_id: int,
    name: str,
    email: str,
    created: datetime,
    expires: datetime | None,
    resting: bool = False,
) -> ShareAnswer:
    return ShareAnswer(
        id=identity, kind=kind, site_id=site_id, name=name, email=email, created=created, expires=expires, link="",
        resting=resting,
    )  # fmt: skip


routes = Router("/shares", route_handlers=[shares, create_share, delete_share])
opening = open_link
