"""The directory of people, and what those above them do: change, disable, delete, give roles, impersonate."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Router, delete, get, patch, post, put
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.response import Response

from wattstead.messaging import letters
from wattstead.registry.errors import Unknown
from wattstead.registry.people.listing import LONGEST_PAGE
from wattstead.registry.policy import Action, Resource, Right, Role
from wattstead.registry.records import Holding, Invitation, Membership, PeopleQuery, PersonChange, PersonRow
from wattstead.web.access.cookies import return_cookie, session_cookie
from wattstead.web.access.gate import COOKIE, MANY, AnyRequest, actor, needs, require
from wattstead.web.access.people import client_of, invitation_link, invitation_writer, require_own_hand
from wattstead.web.access.viewer import Viewer
from wattstead.web.http.asked import filters_beside
from wattstead.web.http.repeats import once
from wattstead.web.http.versions import expected, tag
from wattstead.web.problem import invalid, not_found
from wattstead.web.rooms import FromRooms, FromViewer, Rooms

SEE = Right(Action.SEE, Resource.PERSON)
CHANGE = Right(Action.CHANGE, Resource.PERSON)
LISTING = frozenset({"q", "sort", "order", "limit", "cursor", "role", "organization", "site"})
_TOLD = (
    "name", "phone", "mobile_phone", "phone_type", "operating_system", "application_version", "privacy_state", "locale",
)  # fmt: skip
Word = Annotated[str, msgspec.Meta(max_length=200)]
Email = Annotated[str, msgspec.Meta(max_length=254)]


class PersonAnswer(msgspec.Struct, kw_only=True):
    """A person; empty texts are what nobody has told."""

    id: int | None
    """Null in the answer to who makes a person and does not see everybody: the account is made by the answer."""
    organization_id: int | None
    """Null when it is not one's to know."""
    organization: str
    """Empty when it is not one's to know."""
    email: str
    name: str
    state: str
    """`invited`, `active` or `disabled`."""
    verified: datetime | None
    phone: str
    mobile_phone: str
    phone_type: str
    operating_system: str
    application_version: str
    privacy_state: str
    locale: str
    created: datetime
    last_seen: datetime | None
    version: int
    has_totp: bool
    roles: list[str]
    memberships: list[Holding]
    """Roles and where they hold, as far as that is one's to know."""
    tags: dict[str, str]
    link: str | None = None
    """Only in the answer that makes a person, and only where no mail is sent: the invitation to hand on."""


class PeopleAnswer(msgspec.Struct):
    """A page of the directory."""

    rows: list[PersonAnswer]
    total: int
    cursor: str | None
    """Where the next page begins."""


class PersonPatch(msgspec.Struct, forbid_unknown_fields=True):
    """What to change of a person; what is not given stays."""

    name: Word | None = None
    phone: Word | None = None
    mobile_phone: Word | None = None
    phone_type: Word | None = None
    operating_system: Word | None = None
    application_version: Word | None = None
    privacy_state: Word | None = None
    locale: Word | None = None
    email: Email | None = None
    state: Annotated[str, msgspec.Meta(pattern="^(active|disabled)$")] | None = None
    tags: dict[str, str] | None = None
    """Those to set, the others stay; an empty value removes one."""


class NewPerson(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A person to make and invite, with a first role: on an organization, at a site, or on the platform."""

    email: Email
    role: Role
    organization_id: int | None = None
    site_id: int | None = None
    name: Word = ""
    phone: Word = ""
    mobile_phone: Word = ""
    locale: Word = ""
    tags: dict[str, str] = {}


class NewRole(msgspec.Struct, forbid_unknown_fields=True):
    """A role to give: on an organization, at a site, or on the platform."""

    role: Role
    organization_id: int | None = None
    site_id: int | None = None
    expires: datetime | None = None


class Why(msgspec.Struct, forbid_unknown_fields=True):
    """Why an administrator looks through somebody's eyes."""

    reason: Annotated[str, msgspec.Meta(max_length=200)] = ""
    """In 3 to 200 letters; needed."""


class Eyes(msgspec.Struct):
    """Through whose eyes one looks now."""

    email: str


@get("/", opt=needs(Action.SEE, Resource.PERSON) | MANY, summary="People", tags=["people"])
async def people(
    request: AnyRequest,
    rooms: FromRooms,
    viewer: FromViewer,
    q: Annotated[
        str, QueryParameter(description="Words in name, e-mail address or phone numbers.", max_length=200)
    ] = "",
    role: Annotated[Role | None, QueryParameter(description="Only those with this role.")] = None,
    organization: Annotated[int | None, QueryParameter(description="Only those of this organization.")] = None,
    site: Annotated[int | None, QueryParameter(description="Only those with a role at this site.")] = None,
    sort: Annotated[str, QueryParameter(description="Attribute to sort by.", max_length=40)] = "name",
    order: Annotated[str, QueryParameter(description="`asc` or `desc`.", pattern="^(asc|desc)$")] = "asc",
    limit: Annotated[int, QueryParameter(description="People a page.", ge=1, le=LONGEST_PAGE)] = 100,
    cursor: Annotated[str, QueryParameter(description="From the page before.", max_length=2000)] = "",
) -> PeopleAnswer:
    """Those one may see. Every other parameter is a filter, as in the lists of sites and devices: `state=disabled`,
    `name.contains=`, `email.prefix=`, `last_seen.from=`, `created.to=`, `phone.empty=yes`, `tag.KEY=`,
    `second_factor=yes`, `verified=no`."""
    query = PeopleQuery(
        q=q,
        filters=filters_beside(request, LISTING),
        role=role.value if role else "",
        organization_id=organization,
        site_id=site,
        sort=sort,
        descending=order == "desc",
        limit=limit,
        cursor=cursor,
    )
    page = await rooms.registry_threads.run(rooms.registry.people, viewer.authority.reach(SEE), query)
    return PeopleAnswer([_answer(row) for row in page.rows], page.total, page.cursor or None)


@post("/", opt=needs(Action.CREATE, Resource.PERSON), status_code=201, summary="Make a person", tags=["people"])
async def create_person(
    request: AnyRequest, rooms: FromRooms, viewer: FromViewer, data: JSONBody[NewPerson]
) -> Response[PersonAnswer]:
    """A person with a first role, invited at once: by mail, or by the link in the answer where no mail is sent.

    Who does not see everybody only invites, and what is told of the person waits with the invitation: the answer is the
    same whether or not somebody elsewhere has an account with that address.
    """
    place: dict[str, Any] = {"organization_id": data.organization_id, "site_id": data.site_id}
    await _require_place(rooms, viewer, data.organization_id, data.site_id)
    told = PersonChange(
        name=data.name, phone=data.phone, mobile_phone=data.mobile_phone, locale=data.locale, tags=data.tags
    )
    run, who = rooms.registry_threads.run, actor(viewer)

    async def make() -> Response[Any]:
        account = await run(rooms.registry.create_person, who, viewer.authority, data.email, data.role, told, **place)
        made = await run(
            rooms.registry.invite, who, viewer.authority, data.email, data.role,
            told=None if account else told, write=invitation_writer(rooms), **place,
        )  # fmt: skip
        answer = _answer(await _row(rooms, viewer, account.id)) if account else _invited(made.invitation, told)
        answer.link = invitation_link(rooms, made)
        return Response(answer, status_code=201, headers=tag(answer.version) if account else None)

    return await once(request, rooms, viewer, make)


@get("/{person_id:int}", opt=needs(Action.SEE, Resource.PERSON), summary="A person", tags=["people"])
async def person(rooms: FromRooms, viewer: FromViewer, person_id: FromPath[int]) -> Response[PersonAnswer]:
    """One person; the ETag is the version to give with a change."""
    answer = _answer(await _row(rooms, viewer, person_id))
    return Response(answer, headers=tag(answer.version))


@patch("/{person_id:int}", opt=needs(Action.CHANGE, Resource.PERSON), summary="Change a person", tags=["people"])
async def change_person(
    request: AnyRequest, rooms: FromRooms, viewer: FromViewer, person_id: FromPath[int], data: JSONBody[PersonPatch]
) -> Response[PersonAnswer]:
    """Sets the fields that are given; needs If-Match. Disabling and a new address end every session at once."""
    await require(rooms, viewer, CHANGE, person_id)
    before = (await _row(rooms, viewer, person_id)).account.email
    told = PersonChange(**{name: value for name, value in msgspec.structs.asdict(data).items() if value is not None})
    changed = await rooms.registry_threads.run(
        rooms.registry.change_person, actor(viewer), viewer.authority, person_id, told, expected(request)
    )
    rooms.directory.expire()
    if changed.email != before and rooms.settings.mail:
        await rooms.registry_threads.run(rooms.registry.queue_mail, letters.address_changed(before))
    answer = _answer(await _row(rooms, viewer, person_id))
    return Response(answer, headers=tag(answer.version))


@delete("/{person_id:int}", opt=needs(Action.DELETE, Resource.PERSON), summary="Delete a person", tags=["people"])
async def delete_person(request: AnyRequest, rooms: FromRooms, viewer: FromViewer, person_id: FromPath[int]) -> None:
    """For good; needs If-Match. What the trail says of the person in words goes too."""
    await require(rooms, viewer, Right(Action.DELETE, Resource.PERSON), person_id)
    await rooms.registry_threads.run(
        rooms.registry.delete_person, actor(viewer), viewer.authority, person_id, expected(request)
    )
    rooms.directory.expire()


@post("/{person_id:int}/memberships", opt=needs(Action.CHANGE, Resource.PERSON), summary="Give a role", tags=["people"])
async def give_role(
    rooms: FromRooms, viewer: FromViewer, person_id: FromPath[int], data: JSONBody[NewRole]
) -> Membership:
    """Only a role that one may give, where one may give it."""
    await require(rooms, viewer, SEE, person_id)
    await _require_place(rooms, viewer, data.organization_id, data.site_id)
    if data.expires is not None and data.expires.tzinfo is None:
        raise invalid("expires", "has no zone")
    made = await rooms.registry_threads.run(
        rooms.registry.give_role,
        actor(viewer),
        viewer.authority,
        person_id,
        data.role,
        organization_id=data.organization_id,
        site_id=data.site_id,
        expires=data.expires,
    )
    rooms.directory.expire()
    return made


@delete(
    "/{person_id:int}/memberships/{membership_id:int}",
    opt=needs(Action.CHANGE, Resource.PERSON),
    summary="Take a role back",
    tags=["people"],
)
async def take_role(
    rooms: FromRooms, viewer: FromViewer, person_id: FromPath[int], membership_id: FromPath[int]
) -> None:
    """Only a role that one could give."""
    held = {holding.id for holding in (await _row(rooms, viewer, person_id)).memberships}
    if membership_id not in held:
        raise not_found("membership", membership_id)
    await rooms.registry_threads.run(
        rooms.registry.take_role, actor(viewer), viewer.authority, person_id, membership_id
    )
    rooms.directory.expire()


@put("/{person_id:int}/suspension", opt=needs(Action.CHANGE, Resource.PERSON), summary="Suspend", tags=["people"])
async def suspend(rooms: FromRooms, viewer: FromViewer, person_id: FromPath[int]) -> Response[PersonAnswer]:
    """Each role of this person that one sees and could give counts for nothing until it is resumed. The account stays,
    and so do roles that are others' to give: for somebody who also belongs elsewhere, whom one cannot disable.
    """
    await require(rooms, viewer, SEE, person_id)
    await rooms.registry_threads.run(rooms.registry.suspend_roles, actor(viewer), viewer.authority, person_id)
    rooms.directory.expire()
    answer = _answer(await _row(rooms, viewer, person_id))
    return Response(answer, headers=tag(answer.version))


@delete(
    "/{person_id:int}/suspension",
    opt=needs(Action.CHANGE, Resource.PERSON),
    status_code=200,
    summary="Resume",
    tags=["people"],
)
async def resume(rooms: FromRooms, viewer: FromViewer, person_id: FromPath[int]) -> Response[PersonAnswer]:
    """Those roles count again."""
    await require(rooms, viewer, SEE, person_id)
    await rooms.registry_threads.run(rooms.registry.resume_roles, actor(viewer), viewer.authority, person_id)
    rooms.directory.expire()
    answer = _answer(await _row(rooms, viewer, person_id))
    return Response(answer, headers=tag(answer.version))


@post(
    "/{person_id:int}/impersonate",
    opt=needs(Action.IMPERSONATE, Resource.PERSON),
    status_code=201,
    summary="Look through somebody's eyes",
    tags=["people"],
)
async def impersonate(
    request: AnyRequest,
    rooms: FromRooms,
    viewer: FromViewer,
    person_id: FromPath[int],
    data: JSONBody[Why | None] = None,
) -> Response[Eyes]:
    """For administrators, for an hour, seen by the person among their sessions and kept in the trail. DELETE
    /api/v1/session leads back to the own session.
    """
    require_own_hand(viewer)
    await require(rooms, viewer, Right(Action.IMPERSONATE, Resource.PERSON), person_id)
    reason, who = data.reason.strip() if data else "", actor(viewer)
    if len(reason) < 3:
        raise invalid("reason", "is missing; say in 3 to 200 letters why")
    row = await _row(rooms, viewer, person_id)
    token = await rooms.registry_threads.run(
        rooms.registry.impersonate, who, viewer.authority, person_id, reason, **client_of(request)
    )
    cookies = [session_cookie(request, token), return_cookie(request, request.cookies.get(COOKIE, ""))]
    return Response(Eyes(row.account.email), status_code=201, cookies=cookies)


async def _require_place(rooms: Rooms, viewer: Viewer, organization_id: int | None, site_id: int | None) -> None:
    """A place that one does not see answers exactly like one that does not exist."""
    if organization_id is not None:
        await require(rooms, viewer, Right(Action.SEE, Resource.ORGANIZATION), organization_id)
    if site_id is not None:
        await require(rooms, viewer, Right(Action.SEE, Resource.SITE), site_id)


async def _row(rooms: Rooms, viewer: Viewer, person_id: int) -> PersonRow:
    try:
        return await rooms.registry_threads.run(rooms.registry.person, viewer.authority.reach(SEE), person_id)
    except Unknown:
        raise not_found("person", person_id) from None


def _answer(row: PersonRow) -> PersonAnswer:
    beside = {"organization", "roles", "memberships", "tags", "link"}
    told = {name: getattr(row.account, name) for name in PersonAnswer.__struct_fields__ if name not in beside}
    told["organization_id"] = told["organization_id"] or None
    roles = list(dict.fromkeys(holding.role for holding in row.memberships))
    return PersonAnswer(**told, organization=row.organization, roles=roles, memberships=row.memberships, tags=row.tags)


def _invited(asked: Invitation, told: PersonChange) -> PersonAnswer:
    """A person of whom there is no more than an invitation, and what was told with it."""
    words = {name: getattr(told, name) or "" for name in _TOLD}
    return PersonAnswer(
        **words, id=None, organization_id=asked.organization_id, organization="", email=asked.email, state="invited",
        verified=None, created=asked.created, last_seen=None, version=0, has_totp=False, roles=[], memberships=[],
        tags=told.tags,
    )  # fmt: skip


routes = Router(
    "/people",
    route_handlers=[
        people,
        create_person,
        person,
        change_person,
        delete_person,
        give_role,
        take_role,
        suspend,
        resume,
        impersonate,
    ],
)
