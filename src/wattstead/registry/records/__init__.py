"""What the registry answers with: frozen structs that need no database; they hold no rule and read nothing."""

from wattstead.registry.policy import Scope
from wattstead.registry.records.keys import Key, KeyGrant, KeyState, NewKey
from wattstead.registry.records.people import Account, FirstOwner, Membership, Signed
from wattstead.registry.records.places import Device, Organization, Site, SiteName
from wattstead.registry.records.points import NewAddress, PointDeclaration, PointRow, Resolution, TagFilter

__all__ = [
    "Account",
    "Device",
    "FirstOwner",
    "Key",
    "KeyGrant",
    "KeyState",
    "Membership",
    "NewAddress",
    "NewKey",
    "Organization",
    "PointDeclaration",
    "PointRow",
    "Resolution",
    "Scope",
    "Signed",
    "Site",
    "SiteName",
    "TagFilter",
]
