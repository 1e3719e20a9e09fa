"""Viewer: who asks a question, and which sites that lets them see; found out elsewhere, decided by the registry."""

from __future__ import annotations

import math
import time

import msgspec

from wattstead.registry.authority import Authority, Reach
from wattstead.registry.places.directory.filters import Sight
from wattstead.registry.policy import Action, Resource, Right, Role
from wattstead.registry.records import Account, Guest, KeyGrant, PointRow, Scope

_FIRST = (
    Role.OWNER,
    Role.PARTNER,
    Role.AUDITOR,
    Role.OPERATOR,
    Role.ADMINISTRATOR,
    Role.MANAGER,
    Role.USER,
    Role.GUEST,
)
"""Of several roles, the one whose page comes first."""


class Viewer(msgspec.Struct, frozen=True):
    """A person with a session, a key, or a guest who came by a link; a write key has no sites to see."""

    who: Account | KeyGrant | Guest
    sites: frozenset[int]
    """The sites whose readings may be seen."""
    authority: Authority = Authority()
    session: str = ""
    """Name of the session; a key has none."""
    impersonator_id: int | None = None
    """The administrator who looks through this person's eyes."""
    reach: Reach = Reach()
    """Where those sites lie."""
    ends_s: float = 0.0
    """When the first of a person's roles ends by itself, in seconds since 1970; 0: none does."""

    @property
    def account(self) -> Account | None:
        """The person, when it is one."""
        return self.who if isinstance(self.who, Account) else None

    @property
    def role(self) -> str:
        """The role that decides on the first page; ``reader`` for a key, ``guest`` for who came by a link."""
        if isinstance(self.who, Guest):
            return Role.GUEST.value
        held = {stand.role for stand in self.authority.stands} if self.account else set()
        return next((role.value for role in _FIRST if role in held), "reader" if self.account is None else "nobody")

    @property
    def may_read(self) -> bool:
        """Whether this is anybody but a write key."""
        return not (isinstance(self.who, KeyGrant) and self.who.scope is Scope.WRITE)

    def sees(self, row: PointRow) -> bool:
        """Whether a point is one of this viewer's."""
        return row.site_id in self.sites and self.device_id in (None, row.device_id)

    @property
    def device_id(self) -> int | None:
        """The one device that a key is bound to; None for everybody else."""
        return self.who.device_id if isinstance(self.who, KeyGrant) else None

    @property
    def left_s(self) -> float:
        """For how many seconds from now a key, a link or all roles of a person hold; endless where nothing ends."""
        ends_s = self.ends_s if isinstance(self.who, Account) else self.who.ends_s
        return ends_s - time.time() if ends_s else math.inf

    @property
    def sight(self) -> Sight:
        """What this viewer may be told of by the filters of a directory."""
        people, sites, devices, organizations = (
            self.authority.reach(Right(Action.SEE, one))
            for one in (Resource.PERSON, Resource.SITE, Resource.DEVICE, Resource.ORGANIZATION)
        )
        changes = bool(self.authority.reach(Right(Action.CHANGE, Resource.SITE)))
        return Sight(
            people=people,
            devices=None if devices == sites else devices,
            organizations=organizations,
            of_people=self.account is not None or changes,
        )
