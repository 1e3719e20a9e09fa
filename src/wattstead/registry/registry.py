"""The door of the registry: one method per question, each one transaction; the rules are in the module of the noun.

Synchronous and safe to share between threads. Any method may raise `RegistryUnavailable`, which is retryable.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from wattstead.registry import (
    accounts,
    dataset,
    declare,
    keys,
    organizations,
    passwords,
    points,
    resolve,
    sessions,
    sites,
    tags,
)
from wattstead.registry.database import Database
from wattstead.registry.declare import PointChange
from wattstead.registry.errors import LoginFailed, RegistryError
from wattstead.registry.migrate import migrate
from wattstead.registry.records import (
    Account,
    Device,
    FirstOwner,
    Key,
    KeyGrant,
    KeyState,
    NewAddress,
    NewKey,
    Organization,
    PointDeclaration,
    PointRow,
    Resolution,
    Scope,
    Site,
    TagFilter,
)
from wattstead.registry.resolve import Asked
from wattstead.registry.seal import Seal
from wattstead.registry.sites import Viewer


def utc_now() -> datetime:
    """The present instant, aware."""
    return datetime.now(UTC)


class Registry:
    """Who and what exists, in SQLite (``sqlite:////path/registry.db``) or PostgreSQL (``postgresql://…``)."""

    def __init__(self, url: str, clock: Callable[[], datetime] = utc_now, seal: Seal | None = None) -> None:
        """Opens nothing yet; ``clock`` gives aware instants, ``seal`` keeps secrets of sealed keys.

        Without a seal a SQLite registry keeps the secret of its installation in ``seal.key`` beside the database.
        """
        self._db = Database(url)
        self._clock = clock
        self._seal = seal
        self._passwords = passwords.PasswordPool()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Give back connections and threads."""
        self._passwords.close()
        self._db.close()

    @property
    def database(self) -> Database:
        """The database underneath, for `migrate` and `backup` alone."""
        return self._db

    def migrate(self) -> None:
        """Bring the schema to the newest revision; several processes may do so at once; raises `SchemaMismatch`."""
        migrate(self._db)

    # the data set

    def identity(self) -> str:
        """The id of this data set."""
        with self._db.reading() as s:
            return dataset.identity(s)

    def generation(self) -> int:
        """Grows with every change that caches must see: keys, sites, declared and changed points; not new addresses."""
        with self._db.reading() as s:
            return dataset.generation(s)

    def largest_point_id(self) -> int:
        """The largest point id ever given; must be at least the largest in store and journal."""
        with self._db.reading() as s:
            return dataset.largest_point_id(s)

    def skip_point_ids(self, beyond: int) -> None:
        """Give no new point an id up to ``beyond``: the remedy when this registry is older than the store."""
        with self._db.writing() as s:
            dataset.skip_point_ids(s, beyond)

    # people

    def first_owner(self, email: str, password: str | None = None) -> FirstOwner | None:
        """Create the owner and the root organization of a new registry; None when accounts exist.

        Without a password a random one is made, to be printed once. Raises `PasswordInvalid`, `NameInvalid`.
        """
        password = passwords.random_password() if password is None else password
        hashed = passwords.hashed(password)
        with self._db.writing() as s:
            account = accounts.first_owner(s, email, hashed, self._clock())
        return FirstOwner(account, password) if account else None

    def accounts(self) -> list[Account]:
        with self._db.reading() as s:
            return accounts.accounts(s)

    def change_password(self, account_id: int, password: str) -> None:
        """Set a password and end every session of the account; raises `PasswordInvalid`, `Unknown`."""
        hashed = passwords.hashed(password)
        with self._db.writing() as s:
            accounts.put_password_hash(s, account_id, hashed)
            sessions.end_all(s, account_id)

    def login(self, email: str, password: str, address: str = "") -> str:
        """The token of a new session; ``address`` is the network address that asks.

        Raises `LoginFailed`, `LoginLimited`, `LoginBusy`. Blocks; an event loop calls `login_soon`.
        """
        return self._submit_login(email, password, address).result()

    async def login_soon(self, email: str, password: str, address: str = "") -> str:
        """`login` for an event loop: waits in the password pool, holding none of the loop's own threads."""
        return await asyncio.wrap_future(self._submit_login(email, password, address))

    def session(self, token: str) -> Account | None:
        """The account that a token stands for; using it lets the session live on."""
        now = self._clock()
        with self._db.reading() as s:
            found = sessions.account(s, token, now)
        if found is None:
            return None
        if found[1]:
            with self._db.writing() as s:
                sessions.note_use(s, token, now)
        return found[0]

    def logout(self, token: str) -> None:
        """End a session; an unknown token is no error."""
        with self._db.writing() as s:
            sessions.end(s, token)

    # organizations, sites, devices

    def create_organization(self, name: str, parent_id: int | None = None) -> Organization:
        with self._db.writing() as s:
            return organizations.create(s, name, parent_id, self._clock())

    def organizations(self) -> list[Organization]:
        with self._db.reading() as s:
            return organizations.organizations(s)

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

    def sites(self, viewer: Viewer | None = None, site_ids: Sequence[int] | None = None) -> list[Site]:
        """The sites that a person or key may see, or those of them that are named; None sees all."""
        with self._db.reading() as s:
            return sites.sites(s, viewer, site_ids)

    def create_device(self, site_id: int, name: str) -> Device:
        with self._db.writing() as s:
            return sites.create_device(s, site_id, name, self._clock())

    def devices(self, site_id: int) -> list[Device]:
        with self._db.reading() as s:
            return sites.devices(s, site_id)

    # keys

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
        with self._db.reading() as s:
            return keys.keys(s, site_id)

    def revoke_key(self, key_id: int) -> Key:
        """End a key for ever; raises `Unknown`."""
        with self._db.writing() as s:
            return keys.revoke(s, key_id, self._clock())

    def change_point_limit(self, key_id: int, point_limit: int) -> Key:
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
        with self._db.writing() as s:
            keys.mark_used(s, used)

    # points

    def look_up(self, site_id: int, addresses: Sequence[NewAddress]) -> Resolution:
        """The ids of the addresses that exist; creates nothing; what is new is in neither part of the answer."""
        with self._db.reading() as s:
            return resolve.look_up(s, [(site_id, addresses)])[0]

    def resolve(self, grant: KeyGrant, addresses: Sequence[NewAddress]) -> Resolution:
        """The ids of all addresses, creating the points of new ones; committed before it returns.

        An address that gets none is in ``refused`` (`AddressInvalid`, `PointLimit`). Raises `KeyRevoked` for new ones.
        """
        (found,) = self.resolve_many([Asked(grant, addresses)])
        if isinstance(found, RegistryError):
            raise found
        return found

    def resolve_many(self, asked: Sequence[Asked]) -> list[Resolution | RegistryError]:
        """`resolve` for several keys in one transaction; what would be raised for one is its answer."""
        with self._db.reading() as s:
            found = resolve.look_up(s, [(one.grant.site_id, one.addresses) for one in asked])
        if all(resolve.is_whole(f, one.addresses) for f, one in zip(found, asked, strict=True)):
            return [*found]
        with self._db.writing() as s:
            return resolve.resolve(s, asked, self._clock())

    def create_points(self, site_id: int, declarations: Sequence[PointDeclaration]) -> list[int]:
        """The ids of declared points in order; an address that exists keeps its point; see `declare.create_points`."""
        with self._db.writing() as s:
            return declare.create_points(s, site_id, declarations, self._clock())

    def change_point(self, point_id: int, change: PointChange) -> PointRow:
        """Adopt, rename or correct a point; raises `Unknown`, `PointInvalid`, `UnitError`, `NameInvalid`."""
        with self._db.writing() as s:
            return declare.change_point(s, point_id, change)

    def point(self, point_id: int) -> PointRow:
        """Raises `Unknown`."""
        with self._db.reading() as s:
            return points.point(s, point_id)

    def points(
        self,
        *,
        viewer: Viewer | None = None,
        site_ids: Sequence[int] | None = None,
        point_ids: Sequence[int] | None = None,
        where: Iterable[TagFilter] = (),
        address_prefix: str = "",
    ) -> list[PointRow]:
        """The points that meet everything given and that the viewer may see (None sees all), by id."""
        with self._db.reading() as s:
            return points.points(s, *points.conditions(s, viewer, site_ids, point_ids, where, address_prefix))

    def point_ids(
        self,
        *,
        viewer: Viewer | None = None,
        site_ids: Sequence[int] | None = None,
        point_ids: Sequence[int] | None = None,
        where: Iterable[TagFilter] = (),
        address_prefix: str = "",
    ) -> list[int]:
        """The ids alone of `points`, for questions over thousands."""
        with self._db.reading() as s:
            return points.point_ids(s, *points.conditions(s, viewer, site_ids, point_ids, where, address_prefix))

    def grouped_points(
        self,
        keys: Sequence[str],
        *,
        viewer: Viewer | None = None,
        site_ids: Sequence[int] | None = None,
        point_ids: Sequence[int] | None = None,
        where: Iterable[TagFilter] = (),
    ) -> dict[tuple[str, ...], list[int]]:
        """Point ids by their values of several tags; "" where a point and its site have none."""
        with self._db.reading() as s:
            conditions = points.conditions(s, viewer, site_ids, point_ids, where, "")
            return tags.grouped(s, keys, points.selected(*conditions))

    def points_changed_since(self, generation: int) -> list[PointRow]:
        """The points declared or changed after that generation; those that only appeared are not among them."""
        with self._db.reading() as s:
            return points.changed_since(s, generation)

    def deltas_since(self, generation: int) -> dict[int, bool]:
        """Whether a point holds amounts per interval, for those changed since; after 0: those that do."""
        with self._db.reading() as s:
            return points.deltas_since(s, generation)

    def sites_of_points(self, point_ids: Sequence[int]) -> dict[int, int]:
        """The site of each of these points that exists."""
        with self._db.reading() as s:
            return points.sites_of(s, point_ids)

    # within

    def _submit_login(self, email: str, password: str, address: str) -> Future[str]:
        with self._db.reading() as s:
            accounts.check_failures(s, email, address, self._clock())
        return self._passwords.submit(self._checked_login, email, password, address)

    def _checked_login(self, email: str, password: str, address: str) -> str:
        with self._db.reading() as s:
            accounts.check_failures(s, email, address, self._clock())  # those before us in the queue may have failed
            found = accounts.password_hash_of(s, email)
        right = passwords.matches(found[1] if found else None, password)
        failure: LoginFailed | None = None
        token = ""
        with self._db.writing() as s:
            if found is None or not right:
                failure = accounts.note_failure(s, email, address, self._clock())
            else:
                accounts.forgive_failures(s, email, address)
                if passwords.is_outdated(found[1]):
                    accounts.put_password_hash(s, found[0].id, passwords.hashed(password))
                token = sessions.create(s, found[0].id, self._clock())
        if failure is not None:
            raise failure
        return token

    def _opened_seal(self) -> Seal:
        if self._seal is None:
            file = self._db.file
            if file is None:
                raise ValueError("a registry in PostgreSQL keeps sealed keys only when it is given a Seal")
            self._seal = Seal.of_file(file.with_name("seal.key"))
        return self._seal

    def folder(self) -> Path | None:
        """The folder of a SQLite registry."""
        return self._db.file.parent if self._db.file else None
