"""Questions about organizations, sites, devices, keys and what brings readings, as one class with a door a noun."""

from __future__ import annotations

from wattstead.registry.places.device_door import DeviceDoor
from wattstead.registry.places.directory.directory_door import DirectoryDoor
from wattstead.registry.places.edge_door import EdgeDoor
from wattstead.registry.places.key_door import KeyDoor
from wattstead.registry.places.organization_door import OrganizationDoor
from wattstead.registry.places.sites.site_door import SiteDoor
from wattstead.registry.places.source_door import SourceDoor
from wattstead.registry.repeats import Repeats


class Places(OrganizationDoor, SiteDoor, DeviceDoor, KeyDoor, SourceDoor, EdgeDoor, DirectoryDoor, Repeats):
    """Where things are, and which keys open them."""
