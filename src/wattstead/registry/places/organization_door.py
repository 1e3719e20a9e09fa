"""Questions about organizations; the rules are in `organizations`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wattstead.registry.authority import Authority, Reach
from wattstead.registry.door import Door
from wattstead.registry.places import organizations
from wattstead.registry.records import Organization
from wattstead.registry.trail import SYSTEM, Actor


class OrganizationDoor(Door):
    """The tree of organizations."""

    def create_organization(
        self, name: str, parent_id: int | None = None, *, kind: str = "home", note: str = "", by: Actor = SYSTEM
    ) -> Organization:
        """A new organization below a parent, or a root; raises `NameInvalid`, `Unknown`, `AttributeInvalid`."""
        with self._db.writing() as s:
            return organizations.create(s, name, parent_id, self._clock(), kind=kind, note=note, by=by)

    def organization(self, organization_id: int) -> Organization:
        """Raises `Unknown`."""
        with self._db.reading() as s:
            return organizations.organization(s, organization_id)

    def organizations(self, reach: Reach | None = None) -> list[Organization]:
        """The organizations within reach (None: all), parents before children."""
        with self._db.reading() as s:
            return organizations.organizations(s, reach)

    def organization_counts(self, organization_ids: Sequence[int]) -> dict[int, tuple[int, int]]:
        """How many sites and people belong to each of these organizations themselves."""
        with self._db.reading() as s:
            return organizations.counts(s, organization_ids)

    def change_organization(
        self, organization_id: int, *, version: int | None = None, by: Actor = SYSTEM, **given: Any
    ) -> Organization:
        """Change ``name``, ``kind``, ``note``, ``registration``; raises `Unknown`, `Stale`, `NameInvalid`."""
        with self._db.writing() as s:
            return organizations.change(s, organization_id, given, self._clock(), version=version, by=by)

    def move_organization(
        self,
        organization_id: int,
        parent_id: int | None,
        *,
        version: int | None = None,
        by: Actor = SYSTEM,
        authority: Authority | None = None,
    ) -> Organization:
        """Hang a branch elsewhere in the tree; raises `Unknown`, `Stale`, `Conflict`, `RoleRefused`."""
        with self._db.writing() as s:
            return organizations.move(
                s, organization_id, parent_id, self._clock(), version=version, by=by, authority=authority
            )

    def disable_organization(
        self, organization_id: int, disabled: bool = True, *, version: int | None = None, by: Actor = SYSTEM
    ) -> Organization:
        """Close a branch: nobody of it signs in, no key of it sends; or open it again; raises `Unknown`, `Conflict`."""
        with self._db.writing() as s:
            return organizations.disable(s, organization_id, disabled, self._clock(), version=version, by=by)

    def delete_organization(self, organization_id: int, *, version: int | None = None, by: Actor = SYSTEM) -> None:
        """Remove an organization of which nothing is left; raises `Unknown`, `Stale`, `Conflict`."""
        with self._db.writing() as s:
            organizations.delete(s, organization_id, self._clock(), version=version, by=by)
