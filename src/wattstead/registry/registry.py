"""The registry: one method per question, each one transaction; the rules are in the module of the noun.

Synchronous and safe to share between threads. Any method may raise `RegistryUnavailable`, which is retryable.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from sqlalchemy import select

from wattstead.metering.point import Point
from wattstead.registry import looks, names, reach, trail
from wattstead.registry.authority import Reach
from wattstead.registry.errors import RegistryError
from wattstead.registry.people.people import People
from wattstead.registry.places.places import Places
from wattstead.registry.points import declare, points, resolve, tags
from wattstead.registry.points.declare import PointChange
from wattstead.registry.points.resolve import Asked
from wattstead.registry.policy import Resource
from wattstead.registry.records import KeyGrant, NewAddress, PointDeclaration, PointRow, Resolution, TagFilter
from wattstead.registry.storage import backup, dataset
from wattstead.registry.storage.backup import BackupNote
from wattstead.registry.storage.dataset import Counters
from wattstead.registry.storage.migrate import migrate, newest, schema_revision
from wattstead.registry.tables import Site
from wattstead.registry.templates.templates import Templates
from wattstead.registry.trail import SYSTEM, Actor, Deed


class Registry(People, Templates, Places):
    """Who and what exists, in SQLite (``sqlite:////path/registry.db``) or PostgreSQL (``postgresql://…``)."""

    def migrate(self) -> None:
        """Bring the schema to the newest revision; several processes may do so at once; raises `SchemaMismatch`."""
        migrate(self._db)

    def schema(self) -> tuple[str | None, str]:
        """The revision of the database as it stands (None before the first migration), and the newest one."""
        return schema_revision(self._db), newest()

    def backup(self, folder: Path, *, portable: bool = False) -> BackupNote:
        """Copy the registry into an empty folder, as of one instant, while it is in use; raises `BackupError`.

        SQLite gives a database file, PostgreSQL a text file per table; ``portable`` gives text files in any case, which
        both can restore. The secret that seals keys is not among them.
        """
        return backup.backup(self._db, folder, portable=portable)

    def restore(self, folder: Path) -> BackupNote:
        """Fill an empty registry from a backup and migrate it; raises `BackupError`, `SchemaMismatch`."""
        return backup.restore(self._db, folder)

    def identity(self) -> str:
        """The id of this data set."""
        with self._db.reading() as s:
            return dataset.identity(s)

    def generation(self) -> int:
        """Grows with every change that caches must see: keys, sites, declared and changed points; not new addresses."""
        return self._counters.look().generation

    def largest_point_id(self) -> int:
        """The largest point id ever given; must be at least the largest in store and journal."""
        return self._counters.look().last_point_id

    def skip_point_ids(self, beyond: int) -> None:
        """Give no new point an id up to ``beyond``: the remedy when this registry is older than the store."""
        with self._db.writing() as s:
            dataset.skip_point_ids(s, beyond)

    def within(self, resource: Resource, identity: int, *reaches: Reach) -> list[bool]:
        """Whether a thing lies within each of these reaches."""
        with self._db.reading() as s:
            return [reach.within(s, resource, identity, one) for one in reaches]

    def trail(
        self,
        reach: Reach | None = None,
        *,
        readings: Reach | None = None,
        resource: Resource | None = None,
        resource_id: int | None = None,
        site_id: int | None = None,
        action: str | None = None,
        before_id: int | None = None,
        limit: int = 100,
    ) -> list[Deed]:
        """What was done within reach, newest first, with the fields of points and readings within ``readings``.

        ``before_id`` continues a listing.
        """
        with self._db.reading() as s:
            return trail.deeds(
                s,
                reach,
                readings=readings,
                resource=resource,
                resource_id=resource_id,
                site_id=site_id,
                action=action,
                before_id=before_id,
                limit=limit,
            )

    def broken_trail(self) -> int | None:
        """The first record of the trail that was changed afterwards; None when the chain holds."""
        with self._db.reading() as s:
            return trail.broken(s)

    def note_look(
        self, by: Actor, reach: Reach, resource: Resource, identities: Sequence[int], question: str, reason: str,
        *, as_list: bool = False,
    ) -> int:  # fmt: skip
        """Keep that somebody looked at things within reach, or at a list of them; how many records that made."""
        with self._db.writing() as s:
            return looks.note(s, self._clock(), by, reach, resource, identities, question, reason, as_list=as_list)

    def note_readings(
        self, by: Actor, action: str, row: PointRow, before: Mapping[str, object], after: Mapping[str, object],
        reason: str,
    ) -> None:  # fmt: skip
        """Keep in the trail what somebody did to readings of a point; raises `NameInvalid` for the reason."""
        told = names.checked_text("reason", reason.strip())
        with self._db.writing() as s:
            organization_id = s.scalar(select(Site.organization_id).where(Site.id == row.site_id))
            trail.note(
                s, self._clock(), by, action, Resource.READING, row.point.id, organization_id=organization_id,
                site_id=row.site_id, before=before, after=after, reason=told,
            )  # fmt: skip

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

    def change_point(
        self, point_id: int, change: PointChange, *, version: int | None = None, by: Actor = SYSTEM
    ) -> PointRow:
        """Adopt, rename or correct a point; raises `Unknown`, `Stale`, `PointInvalid`, `UnitError`, `NameInvalid`."""
        with self._db.writing() as s:
            return declare.change_by(s, point_id, change, self._clock(), version=version, by=by)

    def point(self, point_id: int) -> PointRow:
        """Raises `Unknown`."""
        with self._db.reading() as s:
            return points.point(s, point_id)

    def points(
        self,
        *,
        reach: Reach | None = None,
        site_ids: Sequence[int] | None = None,
        point_ids: Sequence[int] | None = None,
        where: Iterable[TagFilter] = (),
        address_prefix: str = "",
    ) -> list[PointRow]:
        """The points that meet everything given and are within reach (None: everywhere), by id."""
        with self._db.reading() as s:
            return points.points(s, *points.conditions(s, reach, site_ids, point_ids, where, address_prefix))

    def point_ids(
        self,
        *,
        reach: Reach | None = None,
        site_ids: Sequence[int] | None = None,
        point_ids: Sequence[int] | None = None,
        where: Iterable[TagFilter] = (),
        address_prefix: str = "",
    ) -> list[int]:
        """The ids alone of `points`, for questions over thousands."""
        with self._db.reading() as s:
            return points.point_ids(s, *points.conditions(s, reach, site_ids, point_ids, where, address_prefix))

    def grouped_points(
        self,
        keys: Sequence[str],
        *,
        reach: Reach | None = None,
        site_ids: Sequence[int] | None = None,
        point_ids: Sequence[int] | None = None,
        where: Iterable[TagFilter] = (),
    ) -> dict[tuple[str, ...], list[int]]:
        """Point ids by their values of several tags; "" where a point and its site have none."""
        with self._db.reading() as s:
            conditions = points.conditions(s, reach, site_ids, point_ids, where, "")
            return tags.grouped(s, keys, points.selected(*conditions))

    def counters(self) -> Counters:
        """Generation and largest point id as of one instant."""
        return self._counters.look()

    def meanings(self, since: Counters | None = None) -> list[Point]:
        """What all points mean; or only those that were declared or changed, or have appeared, since those counters."""
        with self._db.reading() as s:
            return points.meanings(s, *(() if since is None else (points.news(*since),)))

    def points_changed_since(self, generation: int) -> list[PointRow]:
        """The points declared or changed after that generation; those that only appeared are not among them."""
        with self._db.reading() as s:
            return points.changed_since(s, generation)

    def deltas_since(self, generation: int) -> dict[int, bool]:
        """Whether a point holds amounts per interval, for those changed since; after 0: those that do."""
        with self._db.reading() as s:
            return points.deltas_since(s, generation)

    def units_of_points(self, point_ids: Sequence[int]) -> dict[int, str]:
        """The unit of each of these points that exists, or its sender's while nobody has given it one; "" for none."""
        with self._db.reading() as s:
            return points.units_of(s, point_ids)

    def new_points_of_keys(self, key_ids: Sequence[int]) -> dict[int, int]:
        """How many points that appeared under each of these keys wait for adoption; 0 is not told."""
        with self._db.reading() as s:
            return points.new_of_keys(s, key_ids)

    def owners_of_points(self, point_ids: Sequence[int]) -> dict[int, tuple[int, int]]:
        """Site and device (0: none) of each of these points that exists."""
        with self._db.reading() as s:
            return points.owners_of(s, point_ids)
