"""The policy: which role may do what to which resource; a declared table, no database, no request.

A person stands somewhere with a role: on the platform, on the branch of an organization, or on one site. What the role
allows holds there and below, and nowhere else. Keys and shared links stand on one site.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import msgspec


class Scope(StrEnum):
    """What a key may do; a write key never reads, a read key never writes, an admin key sets a site up."""

    WRITE = "write"
    READ = "read"
    ADMIN = "admin"


class Role(StrEnum):
    """What a person is somewhere."""

    ADMINISTRATOR = "administrator"
    """Runs the platform: manages everything, sees no reading, acts for others only visibly."""
    OWNER = "owner"
    """Owns a fleet, a company or a home: everything in the branch."""
    AUDITOR = "auditor"
    """Sees what an owner sees and changes nothing."""
    PARTNER = "partner"
    """Installs: creates sites with their users, sets devices up, in the own branch."""
    OPERATOR = "operator"
    """Supports the customers of a utility: sees them for a reason that is told, each look is kept."""
    MANAGER = "manager"
    """Manages the energy of a site: spaces, meters, points."""
    USER = "user"
    """Lives or works at a site."""
    GUEST = "guest"
    """Was shown a site, and reads."""


class Resource(StrEnum):
    """What things are done to."""

    ORGANIZATION = "organization"
    PERSON = "person"
    """An account and where it belongs."""
    SITE = "site"
    SPACE = "space"
    DEVICE = "device"
    POINT = "point"
    READING = "reading"
    TEMPLATE = "template"
    KEY = "key"
    SOURCE = "source"
    """A connection that the server opens by itself: with it one reaches out from the server's own network."""
    EDGE = "edge"
    """A machine on site that reads meters there."""
    SHARE = "share"
    """A site shown to a person or by a link."""
    TRAIL = "trail"
    """The record of what was done."""
    STATUS = "status"
    """How the server is doing."""
    SELF = "self"
    """The own account, sessions and proofs."""


class Action(StrEnum):
    """What is done."""

    SEE = "see"
    CREATE = "create"
    CHANGE = "change"
    DELETE = "delete"
    INVITE = "invite"
    IMPERSONATE = "impersonate"
    GIVE = "give away"
    """Of a site: to grant it or hand it over; of a device: to take it off its site, wherever it goes."""


class Place(StrEnum):
    """Where somebody stands with a role."""

    PLATFORM = "platform"
    BRANCH = "branch"
    SITE = "site"


class Right(msgspec.Struct, frozen=True):
    """One action on one kind of resource."""

    action: Action
    resource: Resource

    def __str__(self) -> str:
        return f"{self.action.value} {self.resource.value}"


_LETTERS = {
    "s": Action.SEE,
    "c": Action.CREATE,
    "u": Action.CHANGE,
    "d": Action.DELETE,
    "i": Action.INVITE,
    "p": Action.IMPERSONATE,
    "g": Action.GIVE,
}
HELD: Mapping[Role, frozenset[Place]] = {
    Role.ADMINISTRATOR: frozenset({Place.PLATFORM}),
    Role.OWNER: frozenset({Place.BRANCH}),
    Role.AUDITOR: frozenset({Place.BRANCH}),
    Role.PARTNER: frozenset({Place.BRANCH}),
    Role.OPERATOR: frozenset({Place.BRANCH}),
    Role.MANAGER: frozenset({Place.BRANCH, Place.SITE}),
    Role.USER: frozenset({Place.SITE}),
    Role.GUEST: frozenset({Place.SITE}),
}
"""Where each role can be held."""

# fmt: off
_TABLE: Mapping[Resource, Mapping[Role, str]] = {
    #                        administrator            owner                 auditor            partner
    #                        operator                 manager               user               guest
    Resource.ORGANIZATION: {Role.ADMINISTRATOR: "scud", Role.OWNER: "scud", Role.AUDITOR: "s", Role.PARTNER: "scu",
                            Role.OPERATOR: "s",         Role.MANAGER: "s"},
    Resource.PERSON:       {Role.ADMINISTRATOR: "scudip", Role.OWNER: "scudi", Role.AUDITOR: "s", Role.PARTNER: "scui",
                            Role.OPERATOR: "s",         Role.MANAGER: "s"},
    Resource.SITE:         {Role.ADMINISTRATOR: "scudg", Role.OWNER: "scudg", Role.AUDITOR: "s", Role.PARTNER: "scug",
                            Role.OPERATOR: "s",         Role.MANAGER: "su", Role.USER: "s",    Role.GUEST: "s"},
    Resource.SPACE:        {Role.ADMINISTRATOR: "scud", Role.OWNER: "scud", Role.AUDITOR: "s", Role.PARTNER: "scud",
                            Role.OPERATOR: "s",         Role.MANAGER: "scud", Role.USER: "s",  Role.GUEST: "s"},
    Resource.DEVICE:       {Role.ADMINISTRATOR: "scudg", Role.OWNER: "scudg", Role.AUDITOR: "s", Role.PARTNER: "scudg",
                            Role.OPERATOR: "su",        Role.MANAGER: "scudg", Role.USER: "s",  Role.GUEST: "s"},
    Resource.POINT:        {                            Role.OWNER: "scud", Role.AUDITOR: "s", Role.PARTNER: "scud",
                            Role.OPERATOR: "s",         Role.MANAGER: "scud", Role.USER: "s",  Role.GUEST: "s"},
    Resource.READING:      {                            Role.OWNER: "scud", Role.AUDITOR: "s", Role.PARTNER: "scud",
                            Role.OPERATOR: "s",         Role.MANAGER: "scud", Role.USER: "s",  Role.GUEST: "s"},
    Resource.TEMPLATE:     {Role.ADMINISTRATOR: "scud", Role.OWNER: "scud", Role.AUDITOR: "s", Role.PARTNER: "scud",
                            Role.OPERATOR: "s",         Role.MANAGER: "s",  Role.USER: "s"},
    Resource.KEY:          {Role.ADMINISTRATOR: "scud", Role.OWNER: "scud", Role.AUDITOR: "s", Role.PARTNER: "scud",
                                                        Role.MANAGER: "scud", Role.USER: "s"},
    Resource.SOURCE:       {Role.ADMINISTRATOR: "scud", Role.OWNER: "scud", Role.AUDITOR: "s", Role.PARTNER: "scud",
                            Role.OPERATOR: "s",         Role.MANAGER: "scud", Role.USER: "s"},
    Resource.EDGE:         {Role.ADMINISTRATOR: "scud", Role.OWNER: "scud", Role.AUDITOR: "s", Role.PARTNER: "scud",
                            Role.OPERATOR: "s",         Role.MANAGER: "scud", Role.USER: "s"},
    Resource.SHARE:        {                            Role.OWNER: "scd",  Role.AUDITOR: "s",  Role.PARTNER: "sd",
                                                                            Role.USER: "scd"},
    Resource.TRAIL:        {Role.ADMINISTRATOR: "s",    Role.OWNER: "s",    Role.AUDITOR: "s", Role.PARTNER: "s",
                                                        Role.MANAGER: "s",  Role.USER: "s"},
    Resource.STATUS:       {Role.ADMINISTRATOR: "s"},
    Resource.SELF:         dict.fromkeys(Role, "sud"),
}
_KEYS: Mapping[Scope, Mapping[Resource, str]] = {
    Scope.WRITE: {},
    Scope.READ: {Resource.SITE: "s", Resource.SPACE: "s", Resource.DEVICE: "s", Resource.POINT: "s",
                 Resource.READING: "s"},
    Scope.ADMIN: {Resource.SITE: "su", Resource.SPACE: "scud", Resource.DEVICE: "scud", Resource.POINT: "scud",
                  Resource.READING: "scud", Resource.TEMPLATE: "s"},
}
_DEVICE_KEYS: Mapping[Scope, Mapping[Resource, str]] = {
    Scope.WRITE: {},
    Scope.READ: {Resource.SITE: "s", Resource.DEVICE: "s", Resource.POINT: "s", Resource.READING: "s"},
    Scope.ADMIN: {Resource.SITE: "s", Resource.DEVICE: "su", Resource.POINT: "scud", Resource.READING: "scud",
                  Resource.TEMPLATE: "s"},
}
_SEEN = {Resource.SITE: "s", Resource.SPACE: "s", Resource.DEVICE: "s", Resource.POINT: "s", Resource.READING: "s",
         Resource.PERSON: "s", Resource.KEY: "s", Resource.SOURCE: "s", Resource.EDGE: "s",
         Resource.SHARE: "s", Resource.TRAIL: "s"}
_CHANGED = {Resource.SITE: "u", Resource.SPACE: "cu", Resource.DEVICE: "cu", Resource.POINT: "cu",
            Resource.READING: "cu"}
# fmt: on


def _rights(letters: Mapping[Resource, str]) -> frozenset[Right]:
    return frozenset(Right(_LETTERS[letter], resource) for resource, row in letters.items() for letter in row)


RIGHTS: Mapping[Role, frozenset[Right]] = {
    role: _rights({resource: row.get(role, "") for resource, row in _TABLE.items()}) for role in Role
}
"""What each role may do where it is held."""
KEY_RIGHTS: Mapping[Scope, frozenset[Right]] = {scope: _rights(letters) for scope, letters in _KEYS.items()}
"""What a key may do at its site; sending readings is the door's affair, and a write key's alone."""
DEVICE_KEY_RIGHTS: Mapping[Scope, frozenset[Right]] = {scope: _rights(row) for scope, row in _DEVICE_KEYS.items()}
"""What a key that is bound to a device may do: at its site it sees the site alone, all else is about its device."""
OF_DEVICES = frozenset({Resource.DEVICE, Resource.POINT, Resource.READING})
"""What a key that is bound to a device reaches of that device only."""
SEEN_BY_GRANT = _rights(_SEEN)
"""What every grant of a site beside the tree carries, to those of the other organization whose role allows it there."""
CHANGED_BY_GRANT = _rights(_CHANGED)
"""What a grant to change carries besides; whatever outlives a grant, ends something or gives it away is the owner's."""
WITH_REASON = frozenset({Role.OPERATOR})
"""Roles that see people's sites and readings only once they have told why."""
GIVES: Mapping[Role, frozenset[Role]] = {
    Role.ADMINISTRATOR: frozenset(Role),
    Role.OWNER: frozenset(Role) - {Role.ADMINISTRATOR},
    Role.PARTNER: frozenset({Role.PARTNER, Role.MANAGER, Role.USER}),
    Role.USER: frozenset({Role.GUEST}),
}
"""Which roles one may give to others, where one stands or below."""


MAKES: Mapping[Role, frozenset[Scope]] = {
    Role.ADMINISTRATOR: frozenset({Scope.WRITE}),
    Role.OWNER: frozenset(Scope),
    Role.PARTNER: frozenset(Scope),
    Role.MANAGER: frozenset(Scope),
}
"""Which keys one may make, where one stands or below: none that sees readings which one does not see."""
SEE_READINGS = Right(Action.SEE, Resource.READING)
WITHOUT_REASON = frozenset({Right(Action.SEE, Resource.ORGANIZATION), Right(Action.SEE, Resource.TEMPLATE)}) | {
    right for right in RIGHTS[Role.OPERATOR] if right.resource is Resource.SELF
}
"""What is left to those roles before a reason is told."""
