"""What handlers about people share: who asks from where, links for mails, own hands; answers nothing itself."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from urllib.parse import quote

from wattstead.messaging import letters
from wattstead.registry.records import InvitationLook, Letter, NewInvitation
from wattstead.web.access.gate import AnyRequest
from wattstead.web.access.viewer import Viewer
from wattstead.web.problem import Refused
from wattstead.web.rooms import Rooms


def client_of(request: AnyRequest) -> dict[str, str]:
    """The network address and the browser that ask."""
    return {"address": address_of(request), "agent": request.headers.get("User-Agent", "")[:200]}


def address_of(request: AnyRequest) -> str:
    """The network address that asks."""
    return request.client.host if request.client else ""


def link(rooms: Rooms, page: str, token: str = "") -> str:
    """The address of a page of ours; it begins as the settings say, whatever the request claims."""
    return f"{rooms.settings.public_url}/{page}" + (f"?token={quote(token, safe='')}" if token else "")


def writer(rooms: Rooms, page: str, email: str, letter: Callable[[str, str], Letter]) -> Callable[[str], Letter]:
    """Writes a letter to an address once the token of its link is known."""
    return lambda token: letter(email, link(rooms, page, token))


def invitation_writer(rooms: Rooms) -> Callable[[NewInvitation, InvitationLook], Letter] | None:
    """Writes invitations; None where no mail is sent."""
    return partial(_invitation, rooms) if rooms.settings.mail else None


def invitation_link(rooms: Rooms, made: NewInvitation) -> str | None:
    """The link for the inviter to hand on; None when it was mailed: then whoever has it has the address."""
    return None if rooms.settings.mail else link(rooms, "invitation", made.token)


def require_own_hand(viewer: Viewer) -> None:
    """Raise `Refused` for an administrator who looks through somebody's eyes: proofs stay the person's own."""
    if viewer.impersonator_id is not None:
        told = "this is for the person alone; end looking through their eyes first"
        raise Refused(403, told, code="eyes.own")


def _invitation(rooms: Rooms, made: NewInvitation, look: InvitationLook) -> Letter:
    return letters.invitation(look, link(rooms, "invitation", made.token))
