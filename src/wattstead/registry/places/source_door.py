"""Questions about sources; the rules are in `sources`."""

from __future__ import annotations

from wattstead.registry.authority import Reach
from wattstead.registry.door import Door
from wattstead.registry.places import sources
from wattstead.registry.places.sources import Given
from wattstead.registry.records import KeyGrant, Source, SourceState
from wattstead.registry.trail import SYSTEM, Actor


class SourceDoor(Door):
    """Which connections the server opens by itself."""

    def create_source(self, site_id: int, protocol: str, given: Given, by: Actor = SYSTEM) -> Source:
        """A new source with a write key of its own, whose secret nobody learns.

        Raises `Unknown` for site or device, `NameInvalid`, `AttributeInvalid`, `Conflict` beyond so many at a site.
        """
        seal = self._opened_seal()
        with self._db.writing() as s:
            return sources.create(s, site_id, protocol, given, seal, self._clock(), by)

    def entrance(self, site_id: int, protocol: str, name: str) -> Source:
        """A site's source for a door of the server, made under that name where it has none; raises `Unknown`."""
        with self._db.reading() as s:
            found = sources.entrance_of(s, site_id, protocol)
        if found is not None:
            return found
        seal = self._opened_seal()
        with self._db.writing() as s:
            return sources.entrance(s, site_id, protocol, name, seal, self._clock())

    def sender(self, source_id: int, key_id: int) -> KeyGrant | None:
        """Under what is kept later what was sent to a source with that key; None: it is nobody's any more."""
        with self._db.reading() as s:
            return sources.sender(s, source_id, key_id, self._clock())

    def change_source(
        self, source_id: int, given: Given, *, version: int | None = None, by: Actor = SYSTEM
    ) -> Source:  # fmt: skip
        """Set what is given; raises `Unknown`, `Stale`, `NameInvalid`, `AttributeInvalid`."""
        seal = self._opened_seal()
        with self._db.writing() as s:
            return sources.change(s, source_id, given, seal, self._clock(), version=version, by=by)

    def delete_source(self, source_id: int, *, version: int | None = None, by: Actor = SYSTEM) -> None:
        """Remove a source; its key ends, its points stay; raises `Unknown`, `Stale`."""
        with self._db.writing() as s:
            sources.remove(s, source_id, self._clock(), version=version, by=by)

    def source(self, source_id: int) -> Source:
        """Raises `Unknown`."""
        with self._db.reading() as s:
            return sources.source(s, source_id)

    def sources(
        self, reach: Reach | None = None, *, site_id: int | None = None, device_id: int | None = None
    ) -> list[Source]:
        """The sources within reach (None: all), of a site or a device, by id."""
        with self._db.reading() as s:
            return sources.sources(s, reach, site_id=site_id, device_id=device_id)

    def source_ids(self) -> list[int]:
        """The ids of all sources: what is not among them is no more."""
        with self._db.reading() as s:
            return sources.ids(s)

    def source_state(self, source_id: int) -> SourceState:
        """A source with its secrets, for whoever opens it; raises `Unknown`."""
        seal = self._opened_seal()
        with self._db.reading() as s:
            return sources.state(s, source_id, seal, self._clock())

    def sources_since(self, generation: int) -> list[SourceState]:
        """What has become of the sources that changed after a generation, with their secrets; after 0: all."""
        seal = self._opened_seal()
        with self._db.reading() as s:
            return sources.states_since(s, generation, seal, self._clock())
