"""Questions about the keys of sites and devices; the rules are in `keys`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from wattstead.registry.authority import Authority, Reach
from wattstead.registry.door import Door
from wattstead.registry.errors import Unknown
from wattstead.registry.places import keys, lasting, traffic
from wattstead.registry.places.keys import Terms
from wattstead.registry.places.lasting import Wanted
from wattstead.registry.policy import Resource
from wattstead.registry.records import Key, KeyGrant, KeyState, NewKey, Scope
from wattstead.registry.trail import SYSTEM, Actor


class KeyDoor(Door):
    """Which keys open which site."""

    def create_key(
        self,
        site_id: int,
        scope: Scope,
        name: str = "key",
        *,
        point_limit: int = keys.DEFAULT_POINT_LIMIT,
        secret: str | None = None,
        sealed: bool = False,
        terms: Terms = keys.ANY,
        by: Actor = SYSTEM,
        authority: Authority | None = None,
    ) -> NewKey:
        """A new key, its secret shown this once; ``secret`` carries over one that senders have already.

        ``sealed`` keeps the secret encrypted, which EmonCMS's encrypted form needs; ``terms`` bind it to a device or
        an end. Raises `KeyInvalid`, `Unknown`.
        """
        seal = self._opened_seal() if sealed else None
        _check_eyes(by, scope)
        with self._db.writing() as s:
            lasting.hold(s, Wanted(Resource.SITE, site_id, _makes(authority, scope)))
            return keys.create(s, site_id, scope, name, point_limit, secret, seal, self._clock(), terms, by)

    def rotate_key(
        self,
        key_id: int,
        overlap: timedelta = timedelta(days=7),
        by: Actor = SYSTEM,
        authority: Authority | None = None,
    ) -> NewKey:
        """A successor with the same terms; the old key ends by itself after ``overlap``.

        Raises `Unknown`, `KeyInvalid`, `Conflict`.
        """
        seal = self._opened_seal() if self._is_sealed(key_id) else None
        with self._db.writing() as s:
            site_id, scope = keys.at(s, key_id)
            _check_eyes(by, scope)
            lasting.hold(s, Wanted(Resource.SITE, site_id, _makes(authority, scope)))
            made = keys.rotate(s, key_id, overlap, seal, self._clock(), by)
            if made.key.site_id != site_id:  # its device went to another site just now
                raise Unknown("key", key_id)
            return made

    def keys(self, site_id: int | None = None, reach: Reach | None = None) -> list[Key]:
        """The keys that people hold, of a site (None: all) within reach, revoked ones included; never their secrets."""
        with self._db.reading() as s:
            return keys.keys(s, site_id, reach)

    def revoke_key(self, key_id: int, by: Actor = SYSTEM) -> Key:
        """End a key for ever; raises `Unknown`, `Conflict` for a source's own."""
        with self._db.writing() as s:
            return keys.revoke(s, key_id, self._clock(), by)

    def change_point_limit(self, key_id: int, point_limit: int) -> Key:
        """Let a key create more points, or fewer; raises `Unknown`, `KeyInvalid`."""
        with self._db.writing() as s:
            return keys.change_point_limit(s, key_id, point_limit)

    def key(self, secret: str) -> KeyGrant | None:
        """What a secret allows; None when it is unknown or revoked."""
        with self._db.reading() as s:
            return keys.grant(s, secret, self._clock())

    def sealed_key(self, key_id: int) -> tuple[KeyGrant, str] | None:
        """Grant and secret of a sealed key; None when it is unknown, revoked or not sealed."""
        with self._db.reading() as s:
            return keys.sealed_grant(s, key_id, self._opened_seal(), self._clock())

    def keys_since(self, generation: int) -> list[KeyState]:
        """What has become of the keys that changed after a generation, for caches; after 0: all that stand."""
        seal = self._seal or (self._opened_seal() if self._db.file else None)
        with self._db.reading() as s:
            return keys.grants_since(s, generation, seal, self._clock())

    def mark_keys_used(self, used: Mapping[int, datetime]) -> None:
        """Note when keys, by id, were last used."""
        with self._db.writing() as s:
            keys.mark_used(s, used)

    def add_traffic(self, received: Mapping[int, int]) -> None:
        """Count bytes, by key id, as mobile data of the devices that sent them; to be called every minute or so.

        Without any it still ends the months that are over.
        """
        now = self._clock()
        with self._db.writing() as s:
            traffic.begin_months(s, now)
            traffic.add(s, received, now)

    def key_of(self, key_id: int) -> Key:
        """The key of that id, without its secret; raises `Unknown`."""
        with self._db.reading() as s:
            return keys.key(s, key_id)

    def _is_sealed(self, key_id: int) -> bool:
        return self.key_of(key_id).sealed


def _makes(authority: Authority | None, scope: Scope) -> Reach | None:
    return None if authority is None else authority.makes(scope)


def _check_eyes(by: Actor, scope: Scope) -> None:
    if scope is not Scope.WRITE:
        lasting.check_own_eyes(by)
