"""Questions about organizations, sites, devices and the keys of sites; the rules are in the modules so named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from wattstead.registry.door import Door
from wattstead.registry.places import keys, organizations, sites
from wattstead.registry.policy import Reach
from wattstead.registry.records import Device, Key, KeyGrant, KeyState, NewKey, Organization, Scope, Site, SiteName


class Places(Door):
    """Where things are, and which keys open them."""

    def create_organization(self, name: str, parent_id: int | None = None) -> Organization:
        """A new organization below a parent, or a root; raises `NameInvalid`, `Unknown`."""
        with self._db.writing() as s:
            return organizations.create(s, name, parent_id, self._clock())

    def organizations(self, reach: Reach | None = None) -> list[Organization]:
        """The organizations within reach (None: all), parents before children."""
        with self._db.reading() as s:
            return organizations.organizations(s, reach)

    def create_site(
        self, organization_id: int, name: str, zone: str, note: str = "", tags: Mapping[str, str] | None = None
    ) -> Site:
        """Raises `NameInvalid`, `ZoneUnknown`, `Unknown`."""
        with self._db.writing() as s:
            return sites.create_site(s, organization_id, name, zone, note, tags or {}, self._clock())

    def change_site(
        self,
        site_id: int,
        *,
        name: str | None = None,
        zone: str | None = None,
        note: str | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> Site:
        """Change what is given; an empty tag value removes the tag; raises `NameInvalid`, `ZoneUnknown`, `Unknown`."""
        with self._db.writing() as s:
            return sites.change_site(s, site_id, name, zone, note, tags or {})

    def sites(self, reach: Reach | None = None, site_ids: Sequence[int] | None = None) -> list[Site]:
        """The sites within reach (None: all), or those of them that are named."""
        with self._db.reading() as s:
            return sites.sites(s, reach, site_ids)

    def site_names(self, reach: Reach | None = None) -> dict[int, SiteName]:
        """Names and zones of the sites within reach, by id."""
        with self._db.reading() as s:
            return sites.named(s, reach)

    def create_device(self, site_id: int, name: str) -> Device:
        """A new device at a site; raises `NameInvalid`, `Unknown`."""
        with self._db.writing() as s:
            return sites.create_device(s, site_id, name, self._clock())

    def devices(self, site_id: int) -> list[Device]:
        """The devices of a site, by id."""
        with self._db.reading() as s:
            return sites.devices(s, site_id)

    def create_key(
        self,
        site_id: int,
        scope: Scope,
        name: str = "key",
        *,
        point_limit: int = keys.DEFAULT_POINT_LIMIT,
        secret: str | None = None,
        sealed: bool = False,
    ) -> NewKey:
        """A new key, its secret shown this once; ``secret`` carries over one that senders have already.

        ``sealed`` keeps the secret encrypted, which EmonCMS's encrypted form needs. Raises `KeyInvalid`, `Unknown`.
        """
        seal = self._opened_seal() if sealed else None
        with self._db.writing() as s:
            return keys.create(s, site_id, scope, name, point_limit, secret, seal, self._clock())

    def keys(self, site_id: int | None = None) -> list[Key]:
        """The keys of a site (None: all), revoked ones included, by id; never their secrets."""
        with self._db.reading() as s:
            return keys.keys(s, site_id)

    def revoke_key(self, key_id: int) -> Key:
        """End a key for ever; raises `Unknown`."""
        with self._db.writing() as s:
            return keys.revoke(s, key_id, self._clock())

    def change_point_limit(self, key_id: int, point_limit: int) -> Key:
        """Let a key create more points, or fewer; raises `Unknown`, `KeyInvalid`."""
        with self._db.writing() as s:
            return keys.change_point_limit(s, key_id, point_limit)

    def key(self, secret: str) -> KeyGrant | None:
        """What a secret allows; None when it is unknown or revoked."""
        with self._db.reading() as s:
            return keys.grant(s, secret)

    def sealed_key(self, key_id: int) -> tuple[KeyGrant, str] | None:
        """Grant and secret of a sealed key; None when it is unknown, revoked or not sealed."""
        with self._db.reading() as s:
            return keys.sealed_grant(s, key_id, self._opened_seal())

    def keys_since(self, generation: int) -> list[KeyState]:
        """What has become of the keys that changed after a generation, for caches; after 0: all that stand."""
        seal = self._seal or (self._opened_seal() if self._db.file else None)
        with self._db.reading() as s:
            return keys.grants_since(s, generation, seal)

    def mark_keys_used(self, used: Mapping[int, datetime]) -> None:
        """Note when keys, by id, were last used."""
        with self._db.writing() as s:
            keys.mark_used(s, used)
