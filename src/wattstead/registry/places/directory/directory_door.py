"""Questions to the directory of sites and devices; the rules are in `directory` and `filters`."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import msgspec

from wattstead.registry.authority import Reach
from wattstead.registry.door import Door
from wattstead.registry.places.directory import directory
from wattstead.registry.places.directory.directory import Cells, DevicePage, DeviceRow, Question, SitePage, SiteRow
from wattstead.registry.places.directory.filters import ALL, DEVICES, SITES, Noun, Sight


class DirectoryDoor(Door):
    """Lists that are searched, filtered, sorted and paged."""

    def find_sites(self, reach: Reach | None, asked: Question, sight: Sight = ALL) -> SitePage:
        """A page of the sites within reach; raises `AttributeInvalid`, `NotTold`."""
        with self._db.reading() as s:
            return directory.find_sites(s, reach, asked, self._now(sight))

    def find_devices(self, reach: Reach | None, asked: Question, sight: Sight = ALL) -> DevicePage:
        """A page of the devices within reach; raises `AttributeInvalid`, `NotTold`."""
        with self._db.reading() as s:
            return directory.find_devices(s, reach, asked, self._now(sight))

    def exported_sites(self, reach: Reach | None, asked: Question, sight: Sight = ALL) -> Iterator[Cells]:
        """All sites within reach that meet the question, part by part; between two parts no connection is held."""
        return self._exported(SITES, reach, asked, sight)

    def exported_devices(self, reach: Reach | None, asked: Question, sight: Sight = ALL) -> Iterator[Cells]:
        """All devices within reach that meet the question, part by part."""
        return self._exported(DEVICES, reach, asked, sight)

    def _exported(self, noun: Noun, reach: Reach | None, asked: Question, sight: Sight) -> Iterator[Cells]:
        step, sight = asked, self._now(sight)
        with self._db.reading() as s:
            tag_keys = directory.exported_tags(s, noun, reach, asked, sight)
        while True:
            with self._db.reading() as s:
                part = directory.exported(s, noun, reach, step, sight, tag_keys)
            yield part
            if part.cursor is None:
                return
            step = msgspec.structs.replace(asked, cursor=part.cursor)

    def site_row(self, site_id: int, sight: Sight = ALL) -> SiteRow:
        """A site as it is listed; raises `Unknown`."""
        with self._db.reading() as s:
            return directory.site_row(s, site_id, sight)

    def device_row(self, device_id: int) -> DeviceRow:
        """A device as it is listed; raises `Unknown`."""
        with self._db.reading() as s:
            return directory.device_row(s, device_id)

    def people_names(self, reach: Reach | None, account_ids: Collection[int]) -> dict[int, str]:
        """Names, else e-mail addresses, of those of these people that are within reach."""
        with self._db.reading() as s:
            return directory.people_names(s, reach, account_ids)

    def _now(self, sight: Sight) -> Sight:
        return msgspec.structs.replace(sight, now=self._clock())
