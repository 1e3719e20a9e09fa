"""Viewer: who asks a question, and which sites that lets them see; found out elsewhere, decided by the registry."""

from __future__ import annotations

import msgspec

from wattstead.registry.records import Account, KeyGrant, PointRow, Scope, Site


class Viewer(msgspec.Struct, frozen=True):
    """A person with a session, or a key; a write key has no sites to see."""

    who: Account | KeyGrant
    sites: dict[int, Site]
    """The sites that may be seen, by id."""

    @property
    def account(self) -> Account | None:
        """The person, when it is one."""
        return self.who if isinstance(self.who, Account) else None

    @property
    def may_read(self) -> bool:
        """Whether this is anybody but a write key."""
        return not (isinstance(self.who, KeyGrant) and self.who.scope is Scope.WRITE)

    def sees(self, row: PointRow) -> bool:
        """Whether a point is one of this viewer's."""
        return row.site_id in self.sites

    @property
    def zone(self) -> str:
        """The time zone of the first site; UTC when there is none."""
        return next((site.zone for site in self.sites.values()), "UTC")
