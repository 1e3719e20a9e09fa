"""Authority: where somebody stands, and where the policy lets them do a thing; pure, no database, no request."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

import msgspec

from wattstead.registry.policy import (
    CHANGED_BY_GRANT,
    DEVICE_KEY_RIGHTS,
    GIVES,
    KEY_RIGHTS,
    MAKES,
    OF_DEVICES,
    RIGHTS,
    SEE_READINGS,
    SEEN_BY_GRANT,
    WITH_REASON,
    WITHOUT_REASON,
    Action,
    Resource,
    Right,
    Role,
    Scope,
)


class Stand(msgspec.Struct, frozen=True):
    """A role somewhere: on a branch (its path, ``/`` for the platform) or on a site."""

    role: Role
    branch: str = ""
    """Path of the organization; empty for a site."""
    site_id: int = 0
    device_id: int = 0
    """The one device of the site that a key is bound to; 0: none."""


class Beside(StrEnum):
    """Which sites that were granted beside the tree count."""

    ALL = "all"
    CHANGEABLE = "changeable"
    """Those granted to be changed."""
    NONE = "none"


class Reach(msgspec.Struct, frozen=True):
    """Where something is allowed: in these branches and at these sites; the platform is the branch ``/``."""

    branches: tuple[str, ...] = ()
    sites: tuple[int, ...] = ()
    beside: Beside = Beside.ALL
    """Which of the sites granted to organizations of these branches are inside too."""
    devices: tuple[int, ...] = ()
    """Devices that are reached alone, without the rest of their site."""

    def __bool__(self) -> bool:
        return bool(self.branches or self.sites or self.devices)

    @property
    def everywhere(self) -> bool:
        """Whether nothing is left out."""
        return "/" in self.branches

    @property
    def own_branch(self) -> str:
        """The one branch in which the others lie, the platform aside; empty where there is none, or several.

        >>> Reach(("/", "/1/", "/1/4/")).own_branch, Reach(("/",)).own_branch, Reach(("/1/", "/2/")).own_branch
        ('/1/', '', '')
        """
        branches = [one for one in self.branches if one != "/"]
        top = min(branches, key=len, default="")
        return top if all(one.startswith(top) for one in branches) else ""

    @property
    def own(self) -> Reach:
        """Without the sites that were granted beside the tree: for what a grant to change does not carry."""
        return msgspec.structs.replace(self, beside=Beside.NONE)

    def holds(self, path: str, site_id: int = 0) -> bool:
        """Whether a thing is inside: the path of its organization, and its site if it has one.

        >>> Reach(("/1/4/",), (9,)).holds("/1/4/7/"), Reach(("/1/4/",)).holds("/1/40/"), Reach((), (9,)).holds("/2/", 9)
        (True, False, True)
        """
        return path.startswith(self.branches) or (site_id != 0 and site_id in self.sites)


def beside(right: Right) -> Beside:
    """At which sites granted beside the tree a right holds.

    >>> [str(beside(Right(one, Resource.SITE))) for one in (Action.SEE, Action.CHANGE, Action.DELETE)]
    ['all', 'changeable', 'none']
    """
    if right in SEEN_BY_GRANT:
        return Beside.ALL
    return Beside.CHANGEABLE if right in CHANGED_BY_GRANT else Beside.NONE


class Authority(msgspec.Struct, frozen=True):
    """Everywhere that somebody stands; made once when a session is looked up."""

    stands: tuple[Stand, ...] = ()
    reason: str = ""
    """Why an operator looks, as told in this session."""
    key: Scope | None = None
    """The scope of a key; a person has none."""

    def reach(self, right: Right) -> Reach:
        """Where this is allowed.

        >>> partner = Authority((Stand(Role.PARTNER, "/1/4/"),))
        >>> partner.reach(Right(Action.SEE, Resource.SITE)).branches
        ('/1/4/',)
        """
        held = [stand for stand in self.stands if right in self._rights_of(stand)]
        return Reach(
            tuple(dict.fromkeys(stand.branch for stand in held if stand.branch)),
            tuple(dict.fromkeys(stand.site_id for stand in held if stand.site_id and not _narrow(stand, right))),
            beside(right),
            tuple(dict.fromkeys(stand.device_id for stand in held if _narrow(stand, right))),
        )

    def may(self, right: Right, path: str, site_id: int = 0) -> bool:
        """Whether this is allowed on a thing of that organization (its path) and site."""
        return any(
            ((stand.branch and path.startswith(stand.branch)) or (stand.site_id and stand.site_id == site_id))
            and right in self._rights_of(stand)
            and not _narrow(stand, right)
            for stand in self.stands
        )

    def gives(self, role: Role, path: str, site_id: int = 0) -> bool:
        """Whether one may make somebody else that role there."""
        return any(
            role in GIVES.get(stand.role, ())
            for stand in self.stands
            if (stand.branch and path.startswith(stand.branch)) or (stand.site_id and stand.site_id == site_id)
        )

    def makes(self, scope: Scope) -> Reach:
        """Where keys of that scope may be made.

        >>> Authority((Stand(Role.ADMINISTRATOR, "/"),)).makes(Scope.READ).branches
        ()
        """
        stands = tuple(stand for stand in self.stands if scope in MAKES.get(stand.role, ()))
        return Authority(stands, self.reason, self.key).reach(Right(Action.CREATE, Resource.KEY))

    def gives_oneself(self, role: Role, path: str, site_id: int = 0) -> bool:
        """Whether one may take that role there oneself: not to see readings that one does not see.

        >>> Authority((Stand(Role.ADMINISTRATOR, "/"),)).gives_oneself(Role.OWNER, "/1/")
        False
        """
        return SEE_READINGS not in RIGHTS[role] or self.may(SEE_READINGS, path, site_id)

    def rests_on_sight(self, right: Right, path: str, site_id: int = 0) -> bool:
        """Whether one stand gives both that right there and the sight of readings.

        >>> Authority((Stand(Role.ADMINISTRATOR, "/"),)).rests_on_sight(Right(Action.GIVE, Resource.SITE), "/1/")
        False
        """
        one = (Authority((stand,), self.reason, self.key) for stand in self.stands)
        return any(each.may(right, path, site_id) and SEE_READINGS in RIGHTS[each.stands[0].role] for each in one)

    def would_see(self, path: str, site_id: int = 0) -> bool:
        """Whether one sees readings there, once a reason is told where that is needed."""
        told = Authority(self.stands, self.reason or "asked", self.key)
        return told.may(SEE_READINGS, path, site_id)

    def above(self, held: Iterable[tuple[Role, str, int]]) -> bool:
        """Whether one could give each of these roles (role, path, site): else one may not lay hands on who holds them.

        >>> Authority((Stand(Role.PARTNER, "/1/4/"),)).above([(Role.USER, "/1/4/", 9), (Role.OWNER, "/1/4/", 0)])
        False
        """
        return all(self.gives(role, path, site_id) for role, path, site_id in held)

    @property
    def lacks_reason(self) -> bool:
        """Whether there is more to see once a reason is told."""
        return not self.reason and any(stand.role in WITH_REASON for stand in self.stands)

    @property
    def is_watched(self) -> bool:
        """Whether each look of this person is kept."""
        return any(stand.role in WITH_REASON for stand in self.stands)

    def _rights_of(self, stand: Stand) -> frozenset[Right]:
        if self.key is not None:
            return (DEVICE_KEY_RIGHTS if stand.device_id else KEY_RIGHTS)[self.key]
        if stand.role in WITH_REASON and not self.reason:
            return WITHOUT_REASON
        return RIGHTS[stand.role]


def _narrow(stand: Stand, right: Right) -> bool:
    """Whether this is allowed on one device alone."""
    return stand.device_id != 0 and right.resource in OF_DEVICES
