"""Questions about templates and the devices made from them; the rules are in the modules of this folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from sqlalchemy.orm import Session

from wattstead.registry import tables
from wattstead.registry.authority import Authority, Reach
from wattstead.registry.errors import TemplateInvalid, Unknown
from wattstead.registry.places import devices, moves, settling
from wattstead.registry.places.device_door import DeviceDoor
from wattstead.registry.places.settling import NewSite, Settled
from wattstead.registry.points import hearing, posting
from wattstead.registry.points.hearing import Heard, Hearing
from wattstead.registry.points.posting import Closed
from wattstead.registry.records import Device
from wattstead.registry.storage.database import possible
from wattstead.registry.templates import furnishing, own, rollover
from wattstead.registry.templates.library import Library, Shelved, of_folder, shipped
from wattstead.registry.templates.rollover import Rollover
from wattstead.registry.templates.template import Template
from wattstead.registry.trail import SYSTEM, Actor


class Templates(DeviceDoor):
    """What models of devices there are, and making devices of them."""

    template_folder: Path | None = None
    """Where the person who runs the server keeps templates as files."""

    def templates(self, reach: Reach | None = None) -> list[Shelved]:
        """All that come with the product or lie in the folder, and the own ones within reach; by name and revision."""
        with self._db.reading() as s:
            mine = own.within(s, reach)
        return list(Library([*self._files(), *mine]))

    def template_faults(self) -> list[TemplateInvalid]:
        """What is wrong with files in the folder."""
        return of_folder(self.template_folder)[1]

    def template(self, name: str, revision: int | None = None, reach: Reach | None = None) -> Shelved:
        """One of `templates`, in its newest revision unless one is named; raises `Unknown`."""
        return Library(self.templates(reach)).find(name, revision)

    def site_template(self, site_id: int, name: str, shelf: Reach | None) -> Shelved:
        """The newest revision of one that may be used at a site; raises `Unknown`.

        ``shelf`` as of `create_device_from_template`.
        """
        with self._db.reading() as s:
            return self._library(s, site_id, None, shelf).find(name)

    def put_template(self, organization_id: int, text: str, by: Actor = SYSTEM) -> Shelved:
        """Keep an own template; raises `TemplateInvalid`, `TemplateTaken`, `Unknown`."""
        with self._db.writing() as s:
            return own.put(s, organization_id, text, self._files(), self._clock(), by)

    def remove_template(self, template_id: int, by: Actor = SYSTEM) -> None:
        """Take an own template from the shelf; devices stay as they are; raises `Unknown`."""
        with self._db.writing() as s:
            own.remove(s, template_id, self._clock(), by)

    def create_device_from_template(
        self,
        site_id: int | None,
        template: str,
        given: Mapping[str, object] | None = None,
        *,
        organization_id: int | None = None,
        revision: int | None = None,
        prefix: str = "",
        tags: Mapping[str, str] | None = None,
        space_id: int | None = None,
        by: Actor = SYSTEM,
        shelf: Reach | None = None,
    ) -> Device:
        """A device with all points of a template, at once or not at all; ``given`` are its other attributes.

        ``shelf`` is where whoever asks sees own templates (None: everywhere); what is not seen is not used.
        Raises `Unknown`, `AddressTaken`, `AttributeInvalid`, `NameInvalid`.
        """
        with self._db.writing() as s:
            found = self._library(s, site_id, organization_id, shelf).find(template, revision).template
            return furnishing.create_device(
                s, site_id, organization_id, found, given or {}, tags or {}, self._clock(),
                prefix=prefix, space_id=space_id, by=by,
            )  # fmt: skip

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
        """As every device is moved; one that had no site yet gets the points of its template."""
        with self._db.writing() as s:
            moves.hold(s, device_id, site_id, organization_id, with_history, by, authority)
            moved = moves.move(
                s, device_id, site_id, self._clock(), organization_id=organization_id, with_history=with_history,
                version=version, by=by,
            )  # fmt: skip
            if moved.template and moved.site_id is not None:
                try:
                    found = self._library(s, moved.site_id, None).find(moved.template, moved.revision).template
                except Unknown:  # it is on no shelf any more: the device comes without points, as it was
                    return moved
                furnishing.equip(s, moved, found, self._clock())
            return devices.device(s, device_id)

    def preview_rollover(
        self, device_id: int, revision: int | None = None, template: str = "", shelf: Reach | None = None
    ) -> Rollover:
        """What another revision, by default the newest, would change of a device; raises `Unknown`.

        ``shelf`` as of `create_device_from_template`.
        """
        with self._db.reading() as s:
            device, old, new = self._pair(s, device_id, template, revision, shelf)
            return rollover.preview(s, device, old, new)

    def apply_rollover(
        self,
        device_id: int,
        revision: int | None = None,
        template: str = "",
        *,
        version: int | None = None,
        by: Actor = SYSTEM,
        shelf: Reach | None = None,
    ) -> Rollover:
        """Make a device like another revision; raises `Unknown`, `Stale`, `AddressTaken`."""
        with self._db.writing() as s:
            _, old, new = self._pair(s, device_id, template, revision, shelf)
            return rollover.apply(s, device_id, old, new, self._clock(), version=version, by=by)

    def settle(self, new: Sequence[NewSite], by: Actor = SYSTEM) -> list[Settled]:
        """Many sites with devices, points and keys, all or none; see `wattstead.registry.places.settling`."""
        with self._db.writing() as s:
            return settling.settle(s, new, self._clock(), by)

    def put_posting(self, device_id: int, enabled: bool, *, version: int | None = None, by: Actor = SYSTEM) -> int:
        """Take the readings of a device, or no more; its version afterwards; raises `Unknown`, `Stale`."""
        with self._db.writing() as s:
            return posting.put_posting(s, device_id, enabled, self._clock(), version=version, by=by)

    def hearing(self, beyond: int = 0) -> Hearing:
        """The points (with an id ``beyond`` that one) that sites and devices are heard by, how often those report."""
        with self._db.reading() as s:
            library = Library([*self._files(), *own.within(s, None)])
            return hearing.hearing(s, hearing.intervals(_reports(library)), beyond)

    def put_heard(self, heard: Sequence[Heard], *, devices: bool) -> None:
        """Write down when devices, or else sites, were last heard of; no version and no generation grows."""
        with self._db.writing() as s:
            hearing.put_heard(s, tables.Device if devices else tables.Site, heard)

    def closed(self) -> Closed:
        """The devices whose readings are not taken, and their points."""
        with self._db.reading() as s:
            return posting.closed(s)

    def _files(self) -> list[Shelved]:
        return [*shipped(), *of_folder(self.template_folder)[0]]

    def _library(
        self, session: Session, site_id: int | None, organization_id: int | None, shelf: Reach | None = None
    ) -> Library:
        """What may be used for a device there, by who sees the own templates of ``shelf`` (None: all)."""
        if site_id is not None:
            site = session.get(tables.Site, site_id) if possible([site_id]) else None
            if site is None:
                raise Unknown("site", site_id)
            organization_id = site.organization_id
        organization = session.get(tables.Organization, organization_id) if organization_id else None
        mine = own.of_path(session, organization.path if organization else "/")
        if shelf is not None:
            seen = {one.id for one in own.within(session, shelf)}
            mine = [one for one in mine if one.id in seen]
        return Library([*self._files(), *mine])

    def _pair(
        self, session: Session, device_id: int, template: str, revision: int | None, shelf: Reach | None
    ) -> tuple[Device, Template | None, Template]:
        """A device, the template it was made from (None: it is no more), and the one it shall be like."""
        device = devices.device(session, device_id)
        library = self._library(session, device.site_id, device.organization_id)
        shown = self._library(session, device.site_id, device.organization_id, shelf)
        new = shown.find(template or device.template, revision).template
        try:
            return device, library.find(device.template, device.revision).template, new
        except Unknown:
            return device, None, new


def _reports(library: Library) -> Iterator[tuple[str, int, str, float]]:
    """How often the devices of each template report over each kind of connection; the empty kind is the default."""
    for one in library:
        template = one.template
        for kind in ("", *template.reporting):
            reporting = template.reporting_of(kind)
            if reporting is not None:
                yield template.name, template.revision, kind, float(reporting.interval_s)
