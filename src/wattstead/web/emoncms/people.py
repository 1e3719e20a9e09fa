"""``user/…``: who a key is, signing in for keys, the time zone; a site stands for EmonCMS's user."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

from wattstead.metering.calendar import zone_info
from wattstead.registry.authority import Reach
from wattstead.registry.errors import LoginBusy, LoginFailed, LoginLimited
from wattstead.registry.records import KeyGrant, Scope
from wattstead.registry.trail import Actor
from wattstead.web.access.viewer import Viewer
from wattstead.web.emoncms.asked import Asked
from wattstead.web.emoncms.php import Json
from wattstead.web.rooms import Rooms

_KEY_NAME = "EmonCMS sign-in"
_MOST_KEYS = 20
_NO_KEYS = (
    "Signed in, but this account may not make keys for any site; "
    "ask whoever manages the site for a read key and use it as apikey"
)


def _user(viewer: Viewer) -> int:
    return viewer.who.site_id if isinstance(viewer.who, KeyGrant) else min(viewer.sites, default=0)


async def get_uuid(asked: Asked) -> Json:
    """``user/getuuid``: an id of the site that stays the same for ever; ``false`` without a read key."""
    if asked.reader is None:
        return False
    identity = await asked.rooms.registry_threads.run(asked.rooms.registry.identity)
    found = uuid.uuid5(uuid.NAMESPACE_OID, f"{identity}/{_user(asked.reader)}")
    return {"success": True, "message": str(found)}


async def session(asked: Asked) -> Json:
    """``user/session``: whether the key reads or writes."""
    if asked.viewer is None:
        return False
    return {"userid": _user(asked.viewer), "type": "read" if asked.viewer.may_read else "write"}


async def timezone(asked: Asked) -> Json:
    """``user/timezone``: the zone's offset now, in seconds."""
    if asked.reader is None:
        return False
    offset = datetime.now(UTC).astimezone(zone_info(await _zone(asked, asked.reader))).utcoffset()
    return int(offset.total_seconds()) if offset is not None else 0


async def get_timezone(asked: Asked) -> Json:
    """``user/gettimezone``: the zone's name."""
    return await _zone(asked, asked.reader) if asked.reader else False


async def _zone(asked: Asked, reader: Viewer) -> str:
    """The time zone of the first site; UTC when there is none."""
    return next((site.zone for site in (await asked.rooms.directory.site_names(reader)).values()), "UTC")


async def auth(asked: Asked) -> Json:
    """``user/auth``: e-mail address and password for a pair of keys of the first site.

    Keys are stored as hashes, so each sign-in makes new ones; the oldest of them beyond 20 are revoked. Who may not
    make keys is told so.
    """
    email, password = asked.form.get("username", ""), asked.form.get("password", "")
    if not email or not password:
        return {"success": False, "message": "Username or password empty"}
    rooms = asked.rooms
    try:
        token = await rooms.registry.login_soon(email, password, asked.address)
    except LoginFailed:
        return {"success": False, "message": "Incorrect authentication"}
    except (LoginLimited, LoginBusy):
        return {"success": False, "message": "Too many attempts, please try again later"}
    return await rooms.registry_threads.run(_new_keys, rooms, token)


def _new_keys(rooms: Rooms, token: str) -> Json:
    registry = rooms.registry
    signed = registry.signed(token)
    registry.logout(token)
    reach = signed.authority.makes(Scope.READ) if signed is not None else Reach()
    sites = registry.sites(reach) if reach else []
    if signed is None or not sites:
        return {"success": False, "message": _NO_KEYS}
    site_id = sites[0].id
    by, authority = Actor(signed.account.id), signed.authority
    made = {
        scope: registry.create_key(site_id, scope, _KEY_NAME, by=by, authority=authority).secret
        for scope in (Scope.WRITE, Scope.READ)
    }
    old = [key.id for key in registry.keys(site_id) if key.name == _KEY_NAME and key.revoked is None]
    for key_id in old[:-_MOST_KEYS]:
        registry.revoke_key(key_id, by)
    return {
        "success": True,
        "userid": site_id,
        "apikey_write": made[Scope.WRITE],
        "apikey_read": made[Scope.READ],
    }
