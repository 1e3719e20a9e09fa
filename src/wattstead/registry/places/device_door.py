"""Questions about devices; the rules are in `devices` and `moves`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from wattstead.registry.authority import Authority, Reach
from wattstead.registry.door import Door
from wattstead.registry.places import devices, moves
from wattstead.registry.places.devices import Made
from wattstead.registry.records import Device
from wattstead.registry.trail import SYSTEM, Actor


class DeviceDoor(Door):
    """What sends readings."""

    def create_device(
        self,
        site_id: int | None,
        name: str,
        *,
        organization_id: int | None = None,
        space_id: int | None = None,
        attributes: Mapping[str, object] | None = None,
        tags: Mapping[str, str] | None = None,
        made: Made | None = None,
        by: Actor = SYSTEM,
    ) -> Device:
        """A new device with the points that it is ``made`` with, at a site, or of an organization alone.

        Raises `Unknown`, `NameInvalid`, `AttributeInvalid`, `PointInvalid`.
        """
        given = {**(attributes or {}), "name": name}
        with self._db.writing() as s:
            return devices.create(
                s, site_id, organization_id, given, tags or {}, self._clock(), space_id=space_id,
                made=made or Made(), by=by,
            )  # fmt: skip

    def change_device(
        self,
        device_id: int,
        *,
        attributes: Mapping[str, object] | None = None,
        tags: Mapping[str, str] | None = None,
        space_id: int | None = None,
        version: int | None = None,
        by: Actor = SYSTEM,
    ) -> Device:
        """Change what is given; ``space_id`` 0 takes it out of its space.

        Raises `Unknown`, `Stale`, `NameInvalid`, `AttributeInvalid`.
        """
        with self._db.writing() as s:
            return devices.change(
                s, device_id, attributes or {}, tags or {}, self._clock(), space_id=space_id, version=version, by=by
            )  # fmt: skip

    def put_device_photo(self, device_id: int, digest: str, by: Actor = SYSTEM) -> Device:
        """Set the digest of the picture of a device; raises `Unknown`."""
        with self._db.writing() as s:
            return devices.put_photo(s, device_id, digest, self._clock(), by)

    def move_device(
        self,
        device_id: int,
        site_id: int | None,
        *,
        organization_id: int | None = None,
        with_history: bool = False,
        version: int | None = None,
        by: Actor = SYSTEM,
        authority: Authority | None = None,
    ) -> Device:
        """Put a device at another site, or at none; see `moves`; raises `Unknown`, `Stale`, `Conflict`."""
        with self._db.writing() as s:
            moves.hold(s, device_id, site_id, organization_id, with_history, by, authority)
            return moves.move(
                s, device_id, site_id, self._clock(), organization_id=organization_id, with_history=with_history,
                version=version, by=by,
            )  # fmt: skip

    def delete_device(self, device_id: int, *, version: int | None = None, by: Actor = SYSTEM) -> None:
        """Remove a device and its sources; its points stay at the site, its keys end; raises `Unknown`, `Stale`."""
        with self._db.writing() as s:
            devices.delete_device(s, device_id, self._clock(), version=version, by=by)

    def device(self, device_id: int) -> Device:
        """Raises `Unknown`."""
        with self._db.reading() as s:
            return devices.device(s, device_id)

    def devices(
        self, site_id: int | None = None, *, reach: Reach | None = None, device_ids: Sequence[int] | None = None
    ) -> list[Device]:
        """The devices of a site, within reach (None: all), or those that are named; by id."""
        with self._db.reading() as s:
            return devices.devices(s, reach, site_id=site_id, device_ids=device_ids)

    def device_labels(self, site_ids: Sequence[int]) -> dict[int, str]:
        """What each device of these sites is called, told apart from others of the same name at its site."""
        with self._db.reading() as s:
            return devices.labels(s, site_ids)

    def devices_moved_since(self, generation: int) -> bool:
        """Whether a device has changed since in a way that doors must know of: what they remember may be wrong."""
        with self._db.reading() as s:
            return devices.moved_since(s, generation)
