"""Questions to the directory of sites and devices; the rules are in `directory` and `filters`."""

from __future__ import annotations

from collections.abc import Iterator

from wattstead.registry.door import Door
from wattstead.registry.places import directory
from wattstead.registry.places.directory import Cells, DevicePage, Question, SitePage
from wattstead.registry.places.filters import DEVICES, SITES
from wattstead.registry.policy import Reach


class DirectoryDoor(Door):
    """Lists that are searched, filtered, sorted and paged."""

    def find_sites(self, reach: Reach | None, asked: Question, people: Reach | None = None) -> SitePage:
        """A page of the sites within reach; ``people`` is where people may be seen; raises `AttributeInvalid`."""
        with self._db.reading() as s:
            return directory.find_sites(s, reach, asked, people)

    def find_devices(self, reach: Reach | None, asked: Question) -> DevicePage:
        """A page of the devices within reach; raises `AttributeInvalid`."""
        with self._db.reading() as s:
            return directory.find_devices(s, reach, asked)

    def exported_sites(self, reach: Reach | None, asked: Question, people: Reach | None = None) -> Iterator[Cells]:
        """All sites within reach that meet the question, part by part; the connection is held until the last."""
        with self._db.reading() as s:
            yield from directory.exported(s, SITES, reach, asked, people)

    def exported_devices(self, reach: Reach | None, asked: Question) -> Iterator[Cells]:
        """All devices within reach that meet the question, part by part."""
        with self._db.reading() as s:
            yield from directory.exported(s, DEVICES, reach, asked, reach)
