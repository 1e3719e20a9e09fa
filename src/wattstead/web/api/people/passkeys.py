"""Passkeys: made by who is signed in, shown instead of a password; they are bound to the configured public address."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec
from litestar import Router, delete, get, post
from litestar.params import FromPath, JSONBody
from litestar.response import Response

from wattstead.registry.errors import Unknown
from wattstead.registry.records import Passkey, RelyingParty
from wattstead.web.access.gate import OPEN, SIGNED, AnyRequest, require_own_page
from wattstead.web.access.people import address_of, client_of, require_own_hand
from wattstead.web.api.people.session import SessionAnswer, entered
from wattstead.web.api.people.totp import Confirmed, confirm_own
from wattstead.web.problem import Refused, not_found
from wattstead.web.rooms import FromAccount, FromRooms, FromViewer, Rooms

_THIS_MACHINE = frozenset({"127.0.0.1", "::1", "0.0.0.0", "::"})  # noqa: S104 - compared, not listened on


class PasskeyRow(msgspec.Struct):
    """A passkey of one's own."""

    id: int
    name: str
    created: datetime
    last_used: datetime | None


class NewPasskey(msgspec.Struct, forbid_unknown_fields=True):
    """What the browser has made."""

    credential: dict[str, Any]
    """As `PublicKeyCredential.toJSON()` gives it."""
    name: Annotated[str, msgspec.Meta(max_length=200)] = ""


class PasskeyChallenge(msgspec.Struct):
    """What to answer with a passkey."""

    ceremony: str
    """To send back with the answer."""
    options: dict[str, Any]
    """As `PublicKeyCredential.parseRequestOptionsFromJSON()` takes it."""


class PasskeyShown(msgspec.Struct, forbid_unknown_fields=True):
    """The answer to a challenge."""

    ceremony: Annotated[str, msgspec.Meta(max_length=100)]
    credential: dict[str, Any]


@get("/", opt=SIGNED, summary="Own passkeys", tags=["account"])
async def passkeys(rooms: FromRooms, account: FromAccount) -> list[PasskeyRow]:
    """The passkeys with which one may sign in, by id."""
    found = await rooms.registry_threads.run(rooms.registry.passkeys, account.id)
    return [_row(one) for one in found]


@post("/begin", opt=SIGNED, status_code=200, summary="Begin with a passkey", tags=["account"])
async def begin_passkey(
    request: AnyRequest, rooms: FromRooms, viewer: FromViewer, account: FromAccount, data: JSONBody[Confirmed]
) -> dict[str, Any]:
    """What `PublicKeyCredential.parseCreationOptionsFromJSON()` takes. Asks for the password."""
    require_own_hand(viewer)
    party = _party(request, rooms)
    await confirm_own(request, rooms, viewer, data)
    return await rooms.registry_threads.run(rooms.registry.begin_passkey, account.id, party)


@post("/finish", opt=SIGNED, status_code=201, summary="Keep a passkey", tags=["account"])
async def finish_passkey(
    request: AnyRequest, rooms: FromRooms, viewer: FromViewer, account: FromAccount, data: JSONBody[NewPasskey]
) -> PasskeyRow:
    """Answers the challenge of `begin`, which is good for one answer."""
    require_own_hand(viewer)
    party = _party(request, rooms)
    made = await rooms.registry_threads.run(
        rooms.registry.finish_passkey, account.id, party, data.name, data.credential
    )
    return _row(made)


@delete("/{passkey_id:int}", opt=SIGNED, summary="Delete a passkey", tags=["account"])
async def drop_passkey(rooms: FromRooms, viewer: FromViewer, account: FromAccount, passkey_id: FromPath[int]) -> None:
    """Nobody signs in with it any more."""
    require_own_hand(viewer)
    try:
        await rooms.registry_threads.run(rooms.registry.drop_passkey, account.id, passkey_id)
    except Unknown:
        raise not_found("passkey", passkey_id) from None


@post("/begin", opt=OPEN, status_code=200, summary="Begin to sign in with a passkey", tags=["session"], security=[])
async def begin_passkey_login(request: AnyRequest, rooms: FromRooms) -> PasskeyChallenge:
    """A challenge; who will answer it is not asked."""
    if "Origin" in request.headers:
        require_own_page(request)
    party = _party(request, rooms)
    token, options = await rooms.registry_threads.run(
        rooms.registry.begin_passkey_login, party, address_of(request)
    )  # fmt: skip
    return PasskeyChallenge(token, options)


@post("/", opt=OPEN, status_code=201, summary="Sign in with a passkey", tags=["session"], security=[])
async def passkey_login(request: AnyRequest, rooms: FromRooms, data: JSONBody[PasskeyShown]) -> Response[SessionAnswer]:
    """Answers with the cookie of a new session; no code is asked for, because a passkey is two factors already."""
    if "Origin" in request.headers:
        require_own_page(request)
    token = await rooms.registry_threads.run(
        rooms.registry.finish_passkey_login,
        _party(request, rooms),
        data.ceremony,
        data.credential,
        **client_of(request),
    )
    return await entered(request, rooms, token)


def _party(request: AnyRequest, rooms: Rooms) -> RelyingParty:
    """For whom passkeys are: the public address, never what a request says; an address without a name is localhost.

    Raises `Refused` with 409 for a page that was opened at another address, where no browser would make a key for us.
    """
    told = urlsplit(rooms.settings.public_url)
    host = told.hostname or "localhost"
    if host in _THIS_MACHINE:
        host = "localhost"
    origin = f"{told.scheme or 'http'}://{host}" + (f":{told.port}" if told.port else "")
    page = request.headers.get("Origin", origin)
    if page != origin:
        sentence = f"passkeys work on pages opened at {origin}; open them there"
        raise Refused(409, sentence, code="passkey.origin", origin=origin)
    return RelyingParty(host, origin)


def _row(one: Passkey) -> PasskeyRow:
    return PasskeyRow(one.id, one.name, one.created, one.last_used)


routes = Router("/account/passkeys", route_handlers=[passkeys, begin_passkey, finish_passkey, drop_passkey])
login = Router("/session/passkey", route_handlers=[begin_passkey_login, passkey_login])
