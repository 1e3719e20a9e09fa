"""What the registry answers with: frozen structs that need no database; they hold no rule and read nothing."""

from wattstead.registry.policy import Scope
from wattstead.registry.records.keys import Key, KeyGrant, KeyState, NewKey
from wattstead.registry.records.mail import DueMail, Letter
from wattstead.registry.records.people import (
    Account,
    FirstOwner,
    Holding,
    Invitation,
    InvitationLook,
    Membership,
    NewInvitation,
    OpenSession,
    PeoplePage,
    PeopleQuery,
    PersonChange,
    PersonRow,
    Signed,
)
from wattstead.registry.records.places import (
    Device,
    Guest,
    NewShareLink,
    Organization,
    ShareLink,
    Site,
    SiteGrant,
    SiteName,
    Space,
)
from wattstead.registry.records.points import NewAddress, PointDeclaration, PointRow, Resolution, TagFilter

__all__ = [
    "Account",
    "Device",
    "DueMail",
    "FirstOwner",
    "Guest",
    "Holding",
    "Invitation",
    "InvitationLook",
    "Key",
    "KeyGrant",
    "KeyState",
    "Letter",
    "Membership",
    "NewAddress",
    "NewInvitation",
    "NewKey",
    "NewShareLink",
    "OpenSession",
    "Organization",
    "PeoplePage",
    "PeopleQuery",
    "PersonChange",
    "PersonRow",
    "PointDeclaration",
    "PointRow",
    "Resolution",
    "Scope",
    "ShareLink",
    "Signed",
    "Site",
    "SiteGrant",
    "SiteName",
    "Space",
    "TagFilter",
]
